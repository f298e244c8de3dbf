//! What the user says of single columns: which mean what, and which are kept out of the change. Checked before
//! the inputs are read, and once more when it is known which columns they have.

use std::collections::BTreeSet;

use super::error::CommandError;
use super::next_command::{flag, quoted};
use crate::domain::account::{InputInfo, input_name};
use crate::domain::format::Format;
use crate::domain::likeness::{is_same_name, nearest_of};
use crate::domain::pointer::Pointer;
use crate::domain::rules::Levels;
use crate::domain::run_spec::{MappedColumn, PlanSpec};
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;
use crate::input::{self, MappingError};

/// Settles what columns mean. What is typed goes before what the settings file says of the same column, and what
/// comes first in that before what comes later.
///
/// # Errors
/// Returns a usage error where a column is typed twice, is also to be ignored, or is mapped to no field, or two
/// are typed that are mapped to one.
pub fn settle(asked: &mut PlanSpec) -> Result<(), CommandError> {
    asked.mapped = settled(options(asked))?;
    Ok(())
}

/// Returns what columns mean by these settings alone, as [`settle`] does for those of a run.
///
/// # Errors
/// As [`settle`].
pub fn settled_by(
    mapped: Vec<MappedColumn>,
    levels: Levels,
    allow_paths: BTreeSet<Pointer>,
) -> Result<Vec<MappedColumn>, CommandError> {
    settled(input::Options { mapped, levels, allow_paths, ..input::Options::default() })
}

fn settled(options: input::Options) -> Result<Vec<MappedColumn>, CommandError> {
    let mut settled: Vec<MappedColumn> = Vec::new();
    for mapped in options.mapped {
        let same = |other: &str| is_same_name(&mapped.column, other);
        if options.left_alone.iter().any(|alone| same(alone)) {
            if mapped.from_settings {
                continue;
            }
            let ignore = flag(Setting::IgnoreColumn);
            let message = format!("{}: the column is to be ignored, too", typed(&mapped));
            return Err(CommandError::usage(message)
                .hint(format!("leave one of the two out: {ignore} keeps a column out of the change")));
        }
        match settled.iter().find(|known| same(&known.column)) {
            None => settled.push(mapped),
            Some(_) if mapped.from_settings => {}
            Some(known) => {
                let message = format!("{}: the column is mapped twice", typed(&mapped));
                return Err(CommandError::usage(message)
                    .hint(format!("keep one: the other says {}", quoted(&known.field))));
            }
        }
    }
    let options = input::Options { mapped: settled, ..options };
    input::check_mapping(&options).map_err(|MappingError { at, message, hint }| {
        CommandError::usage(format!("{}: {message}", typed(&options.mapped[at]))).hint(hint)
    })?;
    Ok(options.mapped)
}

/// Returns how change files are read.
pub fn options(asked: &PlanSpec) -> input::Options {
    let PlanSpec {
        format,
        levels,
        allow_paths,
        clear,
        decimal,
        left_alone,
        mapped,
        portal_reasons,
        sheet,
        matching,
        priority,
        ..
    } = asked.clone();
    let read_as = input::ReadAs::Changes;
    let matching = matching.map(|field| input::Matching { field, index: None });
    input::Options {
        format,
        allow_paths,
        clear,
        levels,
        decimal,
        left_alone,
        mapped,
        portal_reasons,
        sheet,
        read_as,
        order: priority.map(|priority| priority.column),
        matching,
    }
}

/// Returns a mapped column as the user said it.
fn typed(mapped: &MappedColumn) -> String {
    let MappedColumn { column, field, from_settings } = mapped;
    let said = quoted(format!("{column}={field}"));
    if *from_settings {
        format!("[columns] of the settings file, {said}")
    } else {
        format!("{} {said}", flag(Setting::Map))
    }
}

/// Makes sure that every column that was typed is in a file: one that is in none is a typing mistake. Checks
/// nothing where an input is JSONL, because a line may or may not hold any member.
///
/// # Errors
/// Returns a usage error that names the absent column, and the most similar one where there is such.
pub fn are_there(asked: &PlanSpec, inputs: &[InputInfo]) -> Result<(), CommandError> {
    if inputs.iter().any(|input| input.format == Format::Jsonl) {
        return Ok(());
    }
    let ignored = asked.left_alone.iter().map(|name| (Setting::IgnoreColumn, name));
    let mapped = asked.mapped.iter().filter(|mapped| !mapped.from_settings);
    let mapped = mapped.map(|mapped| (Setting::Map, &mapped.column));
    let Some((setting, absent)) = ignored.chain(mapped).find(|(_, name)| !is_there(name, inputs)) else {
        return Ok(());
    };
    let trouble =
        CommandError::usage(format!("{} {}: there is no such column", flag(setting), quoted(absent)));
    Err(trouble.hint(match nearest_of(absent, columns(inputs)) {
        Some(column) => format!("did you mean {}?", quoted(column)),
        None => "name it as the header does, or leave the option out".to_owned(),
    }))
}

/// Returns the note that a sheet was named and no file is a workbook, where that is so. It is no error, since the
/// reports of a workbook and of a CSV are fed back with the same options. A base may be a workbook, too.
pub fn sheet_of_none(asked: &PlanSpec, inputs: &[InputInfo]) -> Option<String> {
    let sheet = asked.sheet.as_deref().filter(|_| asked.base.is_none())?;
    let is_there = inputs.iter().any(|input| input.format == Format::Xlsx);
    (!is_there).then(|| {
        let sheet = format!("{} {}", flag(Setting::Sheet), quoted(sheet));
        format!("none of the files is a workbook, so {sheet} says nothing of them")
    })
}

/// Returns the mapped columns that are in a file, and those that were typed.
pub fn in_use(asked: &PlanSpec, inputs: &[InputInfo]) -> Vec<MappedColumn> {
    let counts = |mapped: &&MappedColumn| !mapped.from_settings || is_there(&mapped.column, inputs);
    asked.mapped.iter().filter(counts).cloned().collect()
}

fn columns(inputs: &[InputInfo]) -> impl Iterator<Item = &str> {
    inputs.iter().flat_map(|input| &input.columns).map(String::as_str)
}

fn is_there(name: &str, inputs: &[InputInfo]) -> bool {
    columns(inputs).any(|column| is_same_name(name, column))
}

/// Returns the note that columns are mapped and an input has none, where that is so.
pub fn without_columns(asked: &PlanSpec, inputs: &[InputInfo]) -> Option<Wording> {
    let is_lines = |input: &&InputInfo| input.format == Format::Jsonl;
    let lines =
        inputs.iter().find(is_lines).filter(|_| asked.mapped.iter().any(|mapped| !mapped.from_settings))?;
    let name = input_name(&lines.path);
    Some(
        Wording::from(format!("{name}: JSON lines have no columns, so "))
            .name(Setting::Map)
            .say(" says nothing of them"),
    )
}
