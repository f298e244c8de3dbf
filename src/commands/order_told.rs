//! What is told of an order of sending: what is wrong with the one that was asked for, and what may not be expected of it.

use super::error::{CommandError, ErrorKind, Problem};
use super::next_command::{flag, quoted, spelled};
use crate::domain::account::{InputInfo, input_name};
use crate::domain::fields::Field;
use crate::domain::likeness::{is_same_name, nearest_of};
use crate::domain::priority::{Priority, REFERRAL_VALUES, short_name};
use crate::domain::run_spec::PlanSpec;
use crate::domain::setting::Setting;
use crate::input::{ColumnTwice, OrderColumn, OrderDoubt, Sample};

/// Returns what the user typed.
pub(super) fn typed(asked: &Priority) -> String {
    format!("{} {}", flag(Setting::Priority), quoted(&asked.column))
}

/// Returns the error that the inputs have no such column.
pub(super) fn unknown(asked: &Priority, inputs: &[InputInfo]) -> CommandError {
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

/// Returns the error that an input has two of them.
pub(super) fn said_twice(asked: &Priority, ColumnTwice { path, columns }: ColumnTwice) -> CommandError {
    let columns: Vec<String> = columns.iter().map(quoted).collect();
    let what = format!("{}: {} has {}", typed(asked), input_name(&path), columns.join(" and "));
    CommandError::usage(what).hint("write the name to the letter as the header does, or rename one of them")
}

/// Returns the error that the kind of the values can't be told, with each value because of which it can't.
pub(super) fn doubtful(asked: &Priority, doubts: &[OrderDoubt], inputs: &[InputInfo]) -> CommandError {
    let problem = |OrderDoubt { sample, why }: &OrderDoubt| Problem {
        place: Some(at(sample, inputs)),
        hints: why.hint.iter().map(|hint| spelled(hint).into()).collect(),
        ..Problem::new(format!("{}: {}", typed(asked), spelled(&why.message.clone().into())))
    };
    CommandError::of(ErrorKind::Usage, doubts.iter().map(problem).collect())
}

/// Returns the note that a column of the inputs goes before the value of the referrals of the same name.
pub(super) fn column_goes_first(
    asked: &Priority,
    field: Field,
    plan: &PlanSpec,
    inputs: &[InputInfo],
) -> String {
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
pub(super) fn why_text(asked: &Priority, word: &Sample, inputs: &[InputInfo]) -> String {
    let place = at(word, inputs);
    format!("{} goes by text, since {} ({place}) is neither a number nor a date", typed(asked), word.shown)
}

/// Returns where a value stands.
fn at(sample: &Sample, inputs: &[InputInfo]) -> String {
    let name = inputs.get(sample.place.input as usize).map_or("input", |input| input_name(&input.path));
    format!("{name}:{}", sample.place.line)
}
