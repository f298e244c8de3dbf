//! The settings that a next command repeats, so that it reads, judges and sends as the run did.

use super::next_command::{CommandLine, Operand};
use super::target::Target;
use crate::domain::format::Format;
use crate::domain::run_spec::{MappedColumn, Migrating, OnConflict, PlanSpec, RunSpec, StateSource};
use crate::domain::setting::{Choice, Setting};

/// Returns the command that plans a run again whose inputs can't be read twice; `None` where they can.
/// `repeat` are the choices that the user typed of how to send.
pub fn anew(about: &RunSpec, repeat: &[Choice]) -> Option<CommandLine> {
    let mut command = planned(about);
    command.choices.extend_from_slice(repeat);
    Some(command).filter(|command| command.operands.contains(&Operand::Stdin))
}

/// Returns the command by which a run was planned, as far as that is on record: all that decides what is planned, and
/// nothing of how to send.
pub fn planned(about: &RunSpec) -> CommandLine {
    let asked = &about.asked;
    let operands = asked.files.iter().map(|file| Operand::input(file)).collect();
    let mut choices = Vec::new();
    choices.extend(format(asked));
    choices.extend(plan_only(about));
    choices.extend(state(&asked.state));
    choices.extend(reading(asked));
    choices.extend(asked.patches().map(|file| Choice::of(Setting::Patches, file)));
    choices.extend(about.reason.as_ref().map(|reason| Choice::of(Setting::Reason, reason)));
    choices.extend(Target::choice(&about.target));
    CommandLine { command: about.command.clone(), operands, choices }
}

/// Returns the format of the inputs, where the user named it.
pub fn format(asked: &PlanSpec) -> Option<Choice> {
    asked.format.map(|format| Choice::of(Setting::Format, format.name()))
}

/// Returns the format of the reports that are fed back, where the inputs had one that their extension doesn't tell:
/// reports of any other are files of their own format by name.
pub fn report_format(asked: &PlanSpec) -> Option<Choice> {
    match asked.format? {
        Format::PortalCsv => format(asked),
        Format::Csv | Format::Xlsx | Format::Jsonl | Format::Json | Format::Http => None,
    }
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
    // Every field is named, so that none that is added can be forgotten here.
    let PlanSpec {
        // The operands, and what the callers add where it holds.
        files: _,
        format: _,
        state: _,
        // See `judging`.
        levels: _,
        allow_paths: _,
        clear: _,
        on_conflict: _,
        migrating,
        decimal,
        left_alone,
        mapped,
        // Only the settings file has these, which the next command reads, too.
        portal_reasons: _,
        sheet,
        base,
        matching,
        priority,
        waves,
    } = asked;
    let mut choices = judging(asked);
    choices.extend(decimal.map(|sign| Choice::of(Setting::Decimal, sign.name())));
    choices.extend(sheet.iter().map(|name| Choice::of(Setting::Sheet, name)));
    // A space in front keeps the name from being taken for an option, and spaces make no difference in a
    // column's name.
    let word = |name: &String| if name.starts_with('-') { format!(" {name}") } else { name.clone() };
    choices.extend(left_alone.iter().map(|name| Choice::of(Setting::IgnoreColumn, word(name))));
    choices.extend(matching.map(|field| Choice::of(Setting::Match, field.name())));
    choices.extend(mapped.iter().map(|MappedColumn { column, field, .. }| {
        Choice::of(Setting::Map, format!("{}={field}", word(column)))
    }));
    choices.extend(base.iter().map(|base| Choice::of(Setting::Base, &base.path)));
    choices
        .extend(priority.iter().map(|priority| Choice::of(Setting::Priority, word(&priority.to_string()))));
    choices.extend(waves.iter().map(|waves| Choice::of(Setting::Waves, waves.to_string())));
    if let Some(Migrating { take, base, patches: _ }) = migrating {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;
    use crate::domain::decimal::DecimalSign;
    use crate::domain::key::MatchField;
    use crate::domain::level::Level;
    use crate::domain::pointer::Pointer;
    use crate::domain::rules::{Levels, Rule};
    use crate::domain::run_spec::Base;

    /// What is typed for each field of a plan, whatever the others are.
    #[test]
    fn whatever_changes_how_a_file_is_read_is_typed_again() {
        let base = |path: &str| Base { path: PathBuf::from(path), sha256: Some("0".to_owned()) };
        let pointer = |text| Pointer::parse(text).unwrap();
        let mut levels = Levels::default();
        levels.set(Rule::EarlyWin, Level::Allow).unwrap();
        let asked = PlanSpec {
            files: vec!["-".to_owned(), "b.csv".to_owned()],
            format: Some(Format::PortalCsv),
            state: StateSource::File(PathBuf::from("s.jsonl")),
            levels,
            allow_paths: [pointer("/name")].into(),
            clear: true,
            migrating: Some(Migrating {
                take: [pointer("/details/notes")].into(),
                base: Some(base("m.jsonl")),
                patches: Some(PathBuf::from("p.jsonl")),
            }),
            on_conflict: OnConflict::Rebase,
            decimal: Some(DecimalSign::Comma),
            left_alone: vec!["-Owner".to_owned()],
            mapped: vec![MappedColumn {
                column: "Grund".to_owned(),
                field: "statusReason".to_owned(),
                from_settings: false,
            }],
            portal_reasons: BTreeMap::from([(1, "Too dear".to_owned())]),
            sheet: Some("Deals".to_owned()),
            base: Some(base("base.csv")),
            matching: Some(MatchField::EngagementId),
            priority: Some("Amount".parse().unwrap()),
            waves: Some("1,5%".parse().unwrap()),
        };
        let typed = |choices: Vec<Choice>| CommandLine::apply(Vec::new(), choices).to_string();
        let reading = "referral-bulk apply --clear --on-conflict rebase --rule early-win=allow --allow-path /name \
                       --decimal comma --sheet Deals --ignore-column ' -Owner' --match engagementId --map Grund=statusReason \
                       --base base.csv --priority Amount:asc --waves 1,5% --take /details/notes --base m.jsonl";
        assert_eq!(typed(self::reading(&asked)), reading);
        let others = [format(&asked), report_format(&asked), state(&asked.state)];
        let wanted = ["--format portal-csv", "--format portal-csv", "--state s.jsonl"];
        for (choice, wanted) in others.into_iter().zip(wanted) {
            assert_eq!(typed(choice.into_iter().collect()), format!("referral-bulk apply {wanted}"));
        }
        for format in [Format::Csv, Format::Xlsx, Format::Jsonl, Format::Json, Format::Http] {
            assert_eq!(report_format(&PlanSpec { format: Some(format), ..asked.clone() }), None);
        }
    }
}
