//! Makes the settings of `export`: which referrals, and which file of them.

use std::path::Path;

use super::args;
use super::sources::Surroundings;
use crate::commands::export::{Content, ExportOptions, Fill};
use crate::commands::{CommandError, quoted};
use crate::domain::cell_text::TableForm;
use crate::domain::criteria::{Criteria, OwnCondition};
use crate::domain::instant::{self, Instant};
use crate::domain::rules::Levels;
use crate::domain::status::{Stage, Status};

impl Surroundings<'_> {
    /// Makes the settings of `export`.
    ///
    /// # Errors
    /// As [`Surroundings::apply`].
    pub fn export(&self, typed: args::ExportArgs) -> Result<ExportOptions, CommandError> {
        let args::ExportArgs { out, force, columns, set, which, target, pace, progress } = typed;
        let profile = self.config.profile(target.profile.as_deref())?;
        let content = content(&out, columns, &set, self.levels(&[])?)?;
        let limits = args::LimitArgs { pace, ..args::LimitArgs::default() };
        let typed = args::SendingArgs { limits, ..args::SendingArgs::default() };
        Ok(ExportOptions {
            out,
            content,
            ids: ids(which.ids.as_deref())?,
            criteria: criteria(&which)?,
            force,
            sending: self.sending(&typed, &target, &profile)?,
            target: self.target(&target, &profile)?,
            progress: self.progress(progress),
        })
    }
}

/// Returns what the file holds, by its extension.
fn content(
    out: &Path,
    columns: Vec<String>,
    set: &[String],
    levels: Levels,
) -> Result<Content, CommandError> {
    let refused = |why: &str| CommandError::usage(format!("--out {}: {why}", quoted(out)));
    if out == Path::new("-") {
        return Err(refused("an export is a file").hint("name a new file, as in open.csv or open.jsonl"));
    }
    let extension = out.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let form = match extension.as_str() {
        "csv" => Some(TableForm::Csv),
        "xlsx" => Some(TableForm::Workbook),
        "jsonl" | "ndjson" => None,
        "gz" => {
            return Err(refused("an export is not compressed")
                .hint("leave .gz out, and compress the file with gzip: it is read so, too"));
        }
        _ => {
            return Err(refused("the extension does not tell what to write").hint(
                "a .jsonl file is a snapshot, a .csv or .xlsx file a change file to look through and fill in",
            ));
        }
    };
    if let Some(form) = form {
        let fills = set.iter().map(|typed| fill(typed)).collect::<Result<_, _>>()?;
        return Ok(Content::Table { form, columns, fills, levels });
    }
    for (flag, is_given) in [("--columns", !columns.is_empty()), ("--set", !set.is_empty())] {
        if is_given {
            return Err(CommandError::usage(format!("{flag}: a snapshot has no columns"))
                .hint("leave it out, or name a .csv or .xlsx file"));
        }
    }
    Ok(Content::Snapshot)
}

/// Parses a column with the value that it is filled with.
fn fill(typed: &str) -> Result<Fill, CommandError> {
    match typed.split_once('=') {
        Some((name, value)) => Ok(Fill { name: name.trim().to_owned(), value: value.to_owned() }),
        None => Err(CommandError::usage(format!("--set {typed}: there is no value"))
            .hint("write a field and its value, as in --set substatus=Lost")),
    }
}

/// Returns the list of referrals, which has to be a file.
fn ids(typed: Option<&str>) -> Result<Option<String>, CommandError> {
    match typed {
        Some("" | "-") => Err(CommandError::usage("--ids: this names no file")
            .hint("name a file with ids of referrals, one a line, or in a column id")),
        typed => Ok(typed.map(str::to_owned)),
    }
}

fn criteria(typed: &args::WhichArgs) -> Result<Criteria, CommandError> {
    let args::WhichArgs { status, substatus, closing_before, updated_since, filter, .. } = typed;
    Ok(Criteria {
        statuses: all("--status", status, Status::parse, || Status::ALL.map(Status::name).join(", "))?,
        substatuses: all("--substatus", substatus, Stage::of_substatus, || {
            Stage::ALL.map(Stage::substatus).join(", ")
        })?,
        closing_before: time("--closing-before", closing_before.as_deref())?,
        updated_since: time("--updated-since", updated_since.as_deref())?,
        filter: filter.as_deref().map(own).transpose()?,
    })
}

/// Parses words of which each has to be known.
fn all<T>(
    flag: &str,
    typed: &[String],
    parse: fn(&str) -> Option<T>,
    known: impl Fn() -> String,
) -> Result<Vec<T>, CommandError> {
    let one = |word: &String| {
        parse(word.trim()).ok_or_else(|| {
            CommandError::usage(format!("{flag} {}: this is none that is known", quoted(word))).hint(format!(
                "known are {}; another is found by --filter \"contains({},'…')\"",
                known(),
                &flag[2..]
            ))
        })
    };
    typed.iter().map(one).collect()
}

/// Parses a date or a time.
fn time(flag: &str, typed: Option<&str>) -> Result<Option<Instant>, CommandError> {
    let parse = |text: &str| {
        Instant::parse(text.trim()).ok_or_else(|| {
            CommandError::usage(format!("{flag} {}: this is no date", quoted(text)))
                .hint(instant::hint(text.trim()))
        })
    };
    typed.map(parse).transpose()
}

/// Parses a condition in the notation of OData.
fn own(typed: &str) -> Result<OwnCondition, CommandError> {
    OwnCondition::parse(typed)
        .map_err(|error| CommandError::usage(format!("--filter: {error}")).hint(error.hint))
}
