//! `--patches FILE`: the documents of a plan as a change file that `apply` takes.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use super::error::CommandError;
use super::next_command::{CommandLine, Operand, flag};
use super::run_dir;
use crate::domain::account::ItemAccount;
use crate::domain::characters::visible_path;
use crate::domain::json;
use crate::domain::level::Level;
use crate::domain::rules::{Levels, Rule};
use crate::domain::setting::{Choice, Setting};
use crate::domain::suspect::suspicion;
use crate::ledger::{self, LedgerError};
use crate::report::{PatchFile, ReportError};

/// Makes sure, before a plan is made, that the file can be put in its place once the plan is complete, so
/// that the plan isn't made in vain. `run` is the run's directory, which exists.
///
/// # Errors
/// Returns an error where something is there already, its directory is not, or a report of the run would
/// replace it.
pub fn check(file: &Path, run: &Path) -> Result<(), CommandError> {
    if file.symlink_metadata().is_ok() {
        return Err(there_already(file).hint(name_another()));
    }
    let Some(dir) = file.parent() else { return Err(no_directory(file)) };
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let (Ok(dir), Ok(run)) = (dir.canonicalize(), run.canonicalize()) else { return Err(no_directory(file)) };
    if !dir.is_dir() {
        return Err(no_directory(file));
    }
    if dir == run && run_dir::is_reserved(file) {
        return Err(CommandError::usage(format!(
            "{} is a name that the run gives to a file of its own",
            visible_path(file)
        ))
        .hint(name_another()));
    }
    Ok(())
}

/// Writes the documents of a complete plan to the file.
///
/// # Errors
/// Returns an error where the ledger can't be read, or the file can't be written. The run stays as it was
/// planned.
pub async fn write(file: &Path, run: &Path) -> Result<(), CommandError> {
    let unwritten = |error: ReportError| {
        let resume = CommandLine::resume(run, Vec::new());
        let trouble = match &error {
            ReportError::Write { source, .. } if source.kind() == ErrorKind::AlreadyExists => {
                there_already(file)
            }
            _ => CommandError::could_not_run("").because(error),
        };
        trouble.hint(format!(
            "the plan is kept, and nothing was sent: {resume} carries it out without the file; \
             to have the file, migrate again with another {} and another {}",
            flag(Setting::Patches),
            flag(Setting::Out)
        ))
    };
    let mut documents = PatchFile::begin(file).map_err(unwritten)?;
    let reader = ledger::read(run).await?;
    reader.items::<CommandError>(&mut |item| documents.item(&item).map_err(unwritten)).await?;
    documents.finish().map_err(unwritten)
}

/// Returns the rules by which `apply` would deny documents of the plan. What they object to is in the
/// referral already: `migrate` saw that there, and a reader of the file alone doesn't see it.
///
/// # Errors
/// Returns an error where the ledger can't be read.
pub async fn held_back_by(run: &Path, levels: &Levels) -> Result<BTreeSet<Rule>, LedgerError> {
    let mut rules = BTreeSet::new();
    let reader = ledger::read(run).await?;
    let each = &mut |account: ItemAccount| {
        let sent = account.item.changes.iter().filter(|_| account.planned.is_none());
        let texts = sent.flat_map(|change| json::texts(&change.after));
        let found = texts.filter_map(|text| suspicion(&text)).map(|suspicion| suspicion.rule);
        rules.extend(found.filter(|rule| levels.of(*rule) == Level::Deny));
        Ok(())
    };
    reader.items::<LedgerError>(each).await?;
    Ok(rules)
}

/// Returns the command that applies the file, with the settings that the run was planned with.
pub fn command(file: &Path, choices: Vec<Choice>) -> CommandLine {
    let extension = file.extension().unwrap_or_default().to_ascii_lowercase();
    let is_told = extension == "jsonl" || extension == "ndjson";
    let format = (!is_told).then(|| Choice::of(Setting::Format, "jsonl"));
    let choices = format.into_iter().chain(choices).collect();
    CommandLine::apply(vec![Operand::Path(file.to_owned())], choices)
}

fn there_already(file: &Path) -> CommandError {
    CommandError::usage(format!("{} is there already", visible_path(file)))
}

fn no_directory(file: &Path) -> CommandError {
    CommandError::usage(format!("{}: its directory is not there", visible_path(file)))
        .hint(format!("make the directory first, or {}", name_another()))
}

fn name_another() -> String {
    format!("name another file with {}", flag(Setting::Patches))
}
