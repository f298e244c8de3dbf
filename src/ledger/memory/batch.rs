//! Writes batches of intents, answers and outcomes, each batch under one lock.

use std::path::{Path, PathBuf};

use super::kept::Hold;
use crate::domain::account::{Phase, RunStats};
use crate::ledger::backend::BatchStore;
use crate::ledger::error::LedgerError;
use crate::ledger::record::Record;
use crate::ledger::ticket::AttemptId;

/// The store of a started run, held by its writer.
#[derive(Debug)]
pub struct Batches {
    hold: Hold,
}

impl Batches {
    pub(super) fn new(hold: Hold) -> Self {
        Self { hold }
    }
}

impl BatchStore for Batches {
    fn dir(&self) -> &Path {
        self.hold.name()
    }

    fn file(&self) -> PathBuf {
        self.hold.name().to_owned()
    }

    fn write(&mut self, batch: &[Record]) -> Result<Vec<AttemptId>, LedgerError> {
        let attempts = self.hold.commit(|run| {
            let mut attempts = Vec::new();
            for record in batch {
                attempts.extend(run.write(record)?);
            }
            Ok(attempts)
        })?;
        self.hold.is_there()?;
        Ok(attempts)
    }

    fn finish(&mut self, stats: &RunStats, stays_open: bool) -> Result<u64, LedgerError> {
        self.hold.is_there().map_err(|error| LedgerError::poisoned(self.file(), error))?;
        self.hold.commit(|run| {
            let items = run.left().count() as u64;
            run.header.phase = if items > 0 || stays_open { Phase::Stopped } else { Phase::Finished };
            run.sessions.push(*stats);
            Ok(items)
        })
    }
}
