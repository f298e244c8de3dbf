//! Settles what the changes of a run are sent in the order of, once its inputs are read.

use super::error::{CommandError, ErrorKind, Problem};
use super::next_command::{flag, quoted, spelled};
use crate::domain::account::{InputInfo, input_name};
use crate::domain::fields::{Field, Path};
use crate::domain::instant::Instant;
use crate::domain::likeness::{is_same_name, nearest_of};
use crate::domain::number::Number;
use crate::domain::priority::{
    OrderKind, OrderedBy, Priority, REFERRAL_VALUES, SendingOrder, referral_value, short_name,
};
use crate::domain::run_spec::{PlanSpec, StateSource};
use crate::domain::setting::Setting;
use crate::domain::snapshot::Snapshot;
use crate::domain::sort_key::SortKey;
use crate::domain::subject::Subject;
use crate::input::{ColumnTwice, OrderColumn, OrderDoubt, OrderKinds, Sample, Seen};
use crate::ledger::{KeySource, LedgerError, OrderKeys, Planning};
use crate::report::counted;

/// What the changes of a run are sent in the order of, and where its values are.
pub struct Ordering {
    /// The order as it is told.
    pub order: SendingOrder,
    /// The column; `None` where it goes by a value of the referrals.
    column: Option<OrderColumn>,
    /// What the user may not expect of it.
    pub notes: Vec<String>,
}

impl Ordering {
    /// Settles the order that the user asks for, from the inputs and the rows that were read of them.
    ///
    /// # Errors
    /// Returns a usage error where the inputs have no such column or two, or a value of it can be read in two ways;
    /// and an error where the ledger can't be read.
    pub fn settle(asked: &Priority, ledger: &Planning, inputs: &[InputInfo]) -> Result<Self, CommandError> {
        let plan = &ledger.header().spec.asked;
        let column = OrderColumn::find(&asked.column, plan.decimal, inputs)
            .map_err(|twice| said_twice(asked, twice))?;
        let (seen, may_be_there) = survey(&column, ledger, inputs, asked)?;
        let field = referral_value(&asked.column);
        if !column.is_in_header() && !may_be_there {
            return match field {
                Some(field) => of_referrals(asked, field, plan),
                None => Err(unknown(asked, inputs)),
            };
        }
        let Seen { kind, because } = seen;
        let order = SendingOrder {
            by: OrderedBy::Column,
            name: asked.column.trim().to_owned(),
            kind: kind.unwrap_or(OrderKind::Text),
            direction: asked.direction,
            without: None,
            unseen: None,
        };
        let mut notes = Vec::new();
        notes.extend(field.map(|field| column_goes_first(asked, field, plan, inputs)));
        notes.extend(because.map(|word| why_text(asked, &word, inputs)));
        notes.extend(kind.is_none().then(|| format!("{}: no row has a value there", typed(asked))));
        Ok(Self { order, column: Some(column), notes })
    }

    /// Whether the order goes by a value of the referrals which this state of one doesn't show: that it has none can't
    /// be told from it.
    pub fn misses(&self, referral: &Snapshot<'_>) -> bool {
        self.order.field().is_some_and(|field| referral.at(&Path::Known(field)).known().is_err())
    }

    /// Returns the warning that the state which the plan was made from doesn't show the values of `unseen` referrals;
    /// `None` where it shows all. The service does show them where it is asked.
    pub fn unseen_warning(&self, unseen: u64) -> Option<String> {
        let (name, state) = (&self.order.name, flag(Setting::State));
        let who = format!(
            "{}, which {} last",
            counted(unseen, "referral"),
            if unseen == 1 { "comes" } else { "come" }
        );
        let what = format!("the file of {state} doesn't show {name} of {who}");
        let typed = format!("{} {name}", flag(Setting::Priority));
        (unseen > 0).then(|| format!("{typed}: {what}; without {state}, the service is asked"))
    }

    /// Returns the keys by which the items of the run are put in order.
    pub fn keys(&self) -> OrderKeys {
        let SendingOrder { kind, direction, .. } = self.order;
        let of = match (&self.column, self.order.field()) {
            (Some(column), _) => {
                let column = column.clone();
                KeySource::Rows(Box::new(move |input, row| column.value(input, row)?.key(kind)))
            }
            (None, field) => KeySource::Subjects(Box::new(move |subject| value_of(subject, field?))),
        };
        OrderKeys { of, direction }
    }
}

/// Returns the key of the value that a referral had when it was looked at.
fn value_of(subject: &Subject, field: Field) -> Option<SortKey> {
    match field {
        Field::DealValue => Some(SortKey::of_number(&Number::parse(subject.value.as_ref()?)?)),
        Field::ClosingDateTime => Some(SortKey::of_time(Instant::parse(subject.closing.as_ref()?)?)),
        _ => None,
    }
}

/// Goes through the values of a column. Returns what they are, and whether rows may have it: one has, or there is none
/// to be sent.
fn survey(
    column: &OrderColumn,
    ledger: &Planning,
    inputs: &[InputInfo],
    asked: &Priority,
) -> Result<(Seen, bool), CommandError> {
    let (mut kinds, mut has_rows, mut has_values) = (OrderKinds::default(), false, false);
    ledger
        .each_row(&mut |place, row| {
            has_rows = true;
            if let Some(value) = column.value(place.input, row) {
                has_values = true;
                kinds.add(place, &value);
            }
        })
        .map_err(|error: LedgerError| CommandError::from(error))?;
    let seen = kinds.conclude().map_err(|doubts| doubtful(asked, &doubts, inputs))?;
    Ok((seen, has_values || !has_rows))
}

/// Returns the order by a value of the referrals.
fn of_referrals(asked: &Priority, field: Field, plan: &PlanSpec) -> Result<Ordering, CommandError> {
    let name = short_name(field);
    if plan.state == StateSource::None {
        let what = format!("{}: without the referrals as they stand, none has a {name}", typed(asked));
        return Err(CommandError::usage(what)
            .hint(format!("name a column of the input, or leave out {} none", flag(Setting::State))));
    }
    let kind = if field == Field::DealValue { OrderKind::Numbers } else { OrderKind::Dates };
    let direction = asked.direction;
    let order = SendingOrder { by: OrderedBy::Referral, name, kind, direction, without: None, unseen: None };
    Ok(Ordering { order, column: None, notes: Vec::new() })
}

/// Returns what the user typed.
fn typed(asked: &Priority) -> String {
    format!("{} {}", flag(Setting::Priority), quoted(&asked.column))
}

fn unknown(asked: &Priority, inputs: &[InputInfo]) -> CommandError {
    let what = format!("{}: there is no such column", typed(asked));
    if asked.column.trim().to_lowercase().split(['.', '/']).find(|name| !name.is_empty()) == Some("result") {
        let hint = "what a report adds to a row tells of an earlier run, and is not read: name a column of the row itself";
        return CommandError::usage(what).hint(hint);
    }
    let values = REFERRAL_VALUES.map(short_name);
    let columns = inputs.iter().flat_map(|input| &input.columns).chain(&values).map(String::as_str);
    let hint = match nearest_of(&asked.column, columns) {
        Some(column) => format!("did you mean {}?", quoted(column)),
        None => format!("name a column of the input as its header does, or {}", values.join(" or ")),
    };
    CommandError::usage(what).hint(hint)
}

fn said_twice(asked: &Priority, ColumnTwice { path, columns }: ColumnTwice) -> CommandError {
    let columns: Vec<String> = columns.iter().map(quoted).collect();
    let what = format!("{}: {} has {}", typed(asked), input_name(&path), columns.join(" and "));
    CommandError::usage(what).hint("write the name to the letter as the header does, or rename one of them")
}

fn doubtful(asked: &Priority, doubts: &[OrderDoubt], inputs: &[InputInfo]) -> CommandError {
    let problem = |OrderDoubt { sample, why }: &OrderDoubt| Problem {
        place: Some(at(sample, inputs)),
        hints: why.hint.iter().map(|hint| spelled(hint).into()).collect(),
        ..Problem::new(format!("{}: {}", typed(asked), spelled(&why.message.clone().into())))
    };
    CommandError::of(ErrorKind::Usage, doubts.iter().map(problem).collect())
}

/// Returns the note that a column of the inputs goes before the value of the referrals of the same name.
fn column_goes_first(asked: &Priority, field: Field, plan: &PlanSpec, inputs: &[InputInfo]) -> String {
    let pointer = field.pointer().as_str();
    let names = [short_name(field), pointer.trim_start_matches('/').replace('/', "."), pointer.to_owned()];
    let is_free = |name: &&String| {
        OrderColumn::find(name, plan.decimal, inputs).is_ok_and(|column| !column.is_in_header())
            && !is_same_name(name, &asked.column)
    };
    let other = names.iter().find(is_free);
    let other = other.map_or(String::new(), |name| format!(", which {name} stands for"));
    format!("{} goes by the column of the input, not by the referrals' value{other}", typed(asked))
}

/// Returns the note that values are compared as texts, because of this one.
fn why_text(asked: &Priority, word: &Sample, inputs: &[InputInfo]) -> String {
    let place = at(word, inputs);
    format!("{} goes by text, since {} ({place}) is neither a number nor a date", typed(asked), word.shown)
}

/// Returns where a value stands.
fn at(sample: &Sample, inputs: &[InputInfo]) -> String {
    let name = inputs.get(sample.place.input as usize).map_or("input", |input| input_name(&input.path));
    format!("{name}:{}", sample.place.line)
}
