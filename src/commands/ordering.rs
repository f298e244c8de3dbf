//! Settles what the changes of a run are sent in the order of, once its inputs are read.

use super::error::CommandError;
use super::next_command::flag;
use super::order_told::{column_goes_first, doubtful, said_twice, typed, unknown, why_text};
use crate::domain::account::InputInfo;
use crate::domain::fields::{Field, Path};
use crate::domain::instant::Instant;
use crate::domain::number::Number;
use crate::domain::priority::{OrderKind, OrderedBy, Priority, SendingOrder, referral_value, short_name};
use crate::domain::run_spec::{PlanSpec, StateSource};
use crate::domain::setting::Setting;
use crate::domain::snapshot::Snapshot;
use crate::domain::sort_key::SortKey;
use crate::domain::subject::Subject;
use crate::input::{OrderColumn, OrderKinds, Seen};
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
        let Surveyed { seen, has_rows, has_values } = survey(&column, ledger, inputs, asked)?;
        let field = referral_value(&asked.column);
        match field {
            _ if column.is_in_header() || has_values => {}
            Some(field) => return of_referrals(asked, field, plan),
            // Lines of JSON that are refused may have the member all the same.
            None if column.may_be_member() && !has_rows => {}
            None => return Err(unknown(asked, inputs)),
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

/// What the rows show of a column.
struct Surveyed {
    /// What its values are.
    seen: Seen,
    /// Whether there is any row that could have it.
    has_rows: bool,
    /// Whether one has.
    has_values: bool,
}

/// Goes through the values of a column.
fn survey(
    column: &OrderColumn,
    ledger: &Planning,
    inputs: &[InputInfo],
    asked: &Priority,
) -> Result<Surveyed, CommandError> {
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
    Ok(Surveyed { seen, has_rows, has_values })
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
