//! `report`: writes the reports of a run again, and prints its summary.

use std::path::PathBuf;

use super::environment::{Console, Environment};
use super::error::CommandError;
use super::options::Showing;
use super::{finish, resume};
use crate::domain::account::Phase;
use crate::domain::exit::Exit;
use crate::ledger::{self, LedgerError};

/// The options of `report`.
#[derive(Debug)]
pub struct ReportOptions {
    /// The run's directory.
    pub run: PathBuf,
    /// How to show it.
    pub showing: Showing,
}

/// Writes every report of the run again. Nothing is sent, and the ledger isn't changed. Where no report can
/// be written, the summary is printed all the same.
///
/// # Errors
/// Returns an error where there is no run, it can't be read, or a report can't be written.
pub async fn run(options: &ReportOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let reader = ledger::read(&options.run).await.map_err(unreadable)?;
    // Damage has to be found before any report is replaced.
    reader.check_pages().await?;
    tell_newer(reader.newer(), environment.console);
    if reader.header().phase == Phase::Stopped {
        resume::tell_loss(&options.run, reader.header().loss(), environment);
    }
    drop(reader);
    finish::report(&options.run, options.showing, environment).await
}

/// Says that a newer version wrote the run, where one did.
pub(super) fn tell_newer(newer: Option<i32>, console: &dyn Console) {
    if newer.is_some() {
        console.say("note: a newer version of this program wrote this run: what that added is not told here");
    }
}

/// Returns the error of a ledger that can't be read. A run whose process was killed has to be put in order
/// before it can be read, which takes a directory that can be written to.
pub(super) fn unreadable(error: LedgerError) -> CommandError {
    const COPY: &str = "see to space and permissions in the run's directory, or copy it to where you may write, and \
                        report the copy";
    let is_systems = matches!(error, LedgerError::Database { .. });
    let trouble = CommandError::from(error);
    if is_systems { trouble.hint(COPY) } else { trouble }
}
