//! The settings that a next command repeats, so that it reads, judges and sends as the run did.

use super::next_command::{CommandLine, Operand};
use super::target::Target;
use crate::domain::account::{MappedColumn, Migrating, OnConflict, PlanSpec, RunSpec, StateSource};
use crate::domain::setting::{Choice, Setting};

/// Returns the command that plans a run again whose inputs can't be read twice; `None` where they can.
/// `repeat` are the choices that the user typed of how to send.
pub fn anew(about: &RunSpec, repeat: &[Choice]) -> Option<CommandLine> {
    let asked = &about.asked;
    let operands: Vec<Operand> = asked.files.iter().map(|file| Operand::input(file)).collect();
    if !operands.contains(&Operand::Stdin) {
        return None;
    }
    let mut choices = Vec::new();
    choices.extend(format(asked));
    choices.extend(plan_only(about));
    choices.extend(state(&asked.state));
    choices.extend(reading(asked));
    choices.extend(asked.patches().map(|file| Choice::of(Setting::Patches, file)));
    choices.extend(about.reason.as_ref().map(|reason| Choice::of(Setting::Reason, reason)));
    choices.extend(Target::choice(&about.target));
    choices.extend_from_slice(repeat);
    Some(CommandLine { command: about.command.clone(), operands, choices })
}

/// Returns the format of the inputs, where the user named it.
pub fn format(asked: &PlanSpec) -> Option<Choice> {
    asked.format.map(|format| Choice::of(Setting::Format, format.name()))
}

/// Returns the choice to plan only, where the run does.
pub fn plan_only(about: &RunSpec) -> Option<Choice> {
    about.plan_only.then(|| Choice::bare(Setting::Plan))
}

/// Returns the source of the referrals' state, where that is not the API.
pub fn state(state: &StateSource) -> Option<Choice> {
    match state {
        StateSource::Live => None,
        StateSource::None => Some(Choice::of(Setting::State, "none")),
        StateSource::File(path) => Some(Choice::of(Setting::State, path)),
    }
}

/// Returns how rows are read and judged.
pub fn reading(asked: &PlanSpec) -> Vec<Choice> {
    let mut choices = judging(asked);
    choices.extend(asked.decimal.map(|sign| Choice::of(Setting::Decimal, sign.name())));
    choices.extend(asked.sheet.iter().map(|name| Choice::of(Setting::Sheet, name)));
    // A space in front keeps the name from being taken for an option, and spaces make no difference in a
    // column's name.
    let word = |name: &String| if name.starts_with('-') { format!(" {name}") } else { name.clone() };
    choices.extend(asked.left_alone.iter().map(|name| Choice::of(Setting::IgnoreColumn, word(name))));
    choices.extend(asked.mapped.iter().map(|MappedColumn { column, field, .. }| {
        Choice::of(Setting::Map, format!("{}={field}", word(column)))
    }));
    choices.extend(asked.base.iter().map(|base| Choice::of(Setting::Base, &base.path)));
    if let Some(Migrating { take, base, .. }) = &asked.migrating {
        choices.extend(take.iter().map(|path| Choice::of(Setting::Take, path.as_str())));
        choices.extend(base.iter().map(|base| Choice::of(Setting::Base, &base.path)));
    }
    choices
}

/// Returns how rows are judged, by settings that `apply` and `migrate` share.
pub fn judging(asked: &PlanSpec) -> Vec<Choice> {
    let mut choices = Vec::new();
    choices.extend(asked.clear.then(|| Choice::bare(Setting::Clear)));
    let is_rebase = asked.on_conflict == OnConflict::Rebase;
    choices.extend(is_rebase.then(|| Choice::of(Setting::OnConflict, "rebase")));
    let levels = asked.levels.changed();
    choices.extend(levels.map(|(rule, level)| Choice::of(Setting::Rule, format!("{rule}={}", level.name()))));
    choices.extend(asked.allow_paths.iter().map(|path| Choice::of(Setting::AllowPath, path.as_str())));
    choices
}
