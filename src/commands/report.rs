//! `report`: writes the reports of a run again, and prints its summary.

use std::path::PathBuf;

use super::{Host, Showing, Trouble, accounting, resume};
use crate::domain::account::Phase;
use crate::domain::exit::Exit;
use crate::ledger;

/// What was asked for.
#[derive(Debug)]
pub struct Settings {
    /// The run's directory.
    pub run: PathBuf,
    /// How to show it.
    pub showing: Showing,
}

/// Writes every report of the run again. Nothing is sent, and the ledger isn't changed.
///
/// # Errors
/// Where there is no run, or it can't be read, or a report can't be written.
pub fn run(settings: &Settings, host: &Host<'_>) -> Result<Exit, Trouble> {
    let reader = ledger::read(&settings.run)?;
    if reader.newer().is_some() {
        host.console
            .say("note: a newer version of this program wrote this run: what that added is not told here");
    }
    if reader.phase() == Phase::Stopped {
        resume::tell_loss(&settings.run, reader.loss(), host);
    }
    drop(reader);
    accounting::report(&settings.run, settings.showing, host)
}
