//! The place in memory that keeps a run, and the hold on it that only one writer can have.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::state::{AttemptOnRecord, Defect, RunState};
use crate::domain::referral::ReferralId;
use crate::ledger::error::LedgerError;

/// A place in memory for one run. All its clones are the same place.
#[derive(Debug, Clone)]
pub struct Memory {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The name that errors use.
    name: PathBuf,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// What is on record. A reader shares it as it stood when it was read.
    run: Option<Arc<RunState>>,
    is_held: bool,
    is_away: bool,
}

/// The exclusive right to write the run, until it is dropped.
#[derive(Debug)]
pub(super) struct Hold {
    memory: Memory,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.memory.kept().is_held = false;
    }
}

impl Memory {
    /// Makes a place that holds no run; errors name it so.
    pub fn new(name: impl Into<PathBuf>) -> Self {
        Self { shared: Arc::new(Shared { name: name.into(), kept: Mutex::default() }) }
    }

    /// Returns another place with what a process would leave in this one if it were killed now: what is on
    /// record, held by no process.
    #[must_use]
    pub fn as_left(&self) -> Self {
        let left = Self::new(self.name());
        left.kept().run.clone_from(&self.kept().run);
        left
    }

    /// Takes the run away from its holder, as if its file were removed. The holder notices at its next write,
    /// which is then on record but not acknowledged. Meanwhile no other caller finds the run.
    pub fn take_away(&self) {
        self.kept().is_away = true;
    }

    /// Puts a run back that was taken away.
    pub fn put_back(&self) {
        self.kept().is_away = false;
    }

    /// Returns the attempts on record at changing a referral, in their order, by number.
    pub fn attempts(&self, referral: ReferralId) -> Vec<(i64, AttemptOnRecord)> {
        let Some(run) = self.kept().run.clone() else { return Vec::new() };
        let of_it = run.attempts.iter().filter(|(_, attempt)| attempt.item.id == referral);
        of_it.map(|(number, attempt)| (*number, attempt.clone())).collect()
    }

    /// Returns the number of the last attempt on record; 0 where there is none.
    pub fn last_attempt(&self) -> i64 {
        let run = self.kept().run.clone();
        run.and_then(|run| run.attempts.last_key_value().map(|(number, _)| *number)).unwrap_or_default()
    }

    pub(in crate::ledger) fn is_taken(&self) -> bool {
        self.kept().run.is_some()
    }

    pub(in crate::ledger) fn is_held(&self) -> bool {
        self.kept().is_held
    }

    pub(in crate::ledger) fn discard(&self) {
        self.kept().run = None;
    }

    pub(in crate::ledger) fn name(&self) -> &Path {
        &self.shared.name
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a new run here, and holds it.
    pub(super) fn begin(&self, run: RunState) -> Result<Hold, LedgerError> {
        let mut kept = self.kept();
        if kept.is_held {
            return Err(LedgerError::Busy { dir: self.name().to_owned() });
        }
        if kept.run.is_some() {
            return Err(LedgerError::Exists { dir: self.name().to_owned() });
        }
        (kept.run, kept.is_held) = (Some(Arc::new(run)), true);
        Ok(Hold { memory: self.clone() })
    }

    /// Returns what is on record now.
    pub(super) fn read(&self) -> Result<Arc<RunState>, LedgerError> {
        let kept = self.kept();
        let run = kept.run.clone().filter(|_| !kept.is_away);
        run.ok_or_else(|| LedgerError::Absent { dir: self.name().to_owned() })
    }

    /// Returns what is on record now, for whoever has opened it: an open file can be read, wherever it was moved to.
    pub(super) fn read_open(&self) -> Result<Arc<RunState>, LedgerError> {
        let run = self.kept().run.clone();
        run.ok_or_else(|| LedgerError::Absent { dir: self.name().to_owned() })
    }

    /// Holds the run that is here.
    pub(super) fn hold(&self) -> Result<(Hold, Arc<RunState>), LedgerError> {
        let run = self.read()?;
        let mut kept = self.kept();
        if kept.is_held {
            return Err(LedgerError::Busy { dir: self.name().to_owned() });
        }
        kept.is_held = true;
        Ok((Hold { memory: self.clone() }, run))
    }
}

impl Hold {
    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(super) fn name(&self) -> &Path {
        self.memory.name()
    }

    /// Makes sure that other callers find what is written.
    pub(super) fn is_there(&self) -> Result<(), LedgerError> {
        if !self.memory.kept().is_away {
            return Ok(());
        }
        let detail = "it was taken away meanwhile".to_owned();
        Err(LedgerError::Database { file: self.name().to_owned(), detail })
    }

    /// Changes what is on record, all of it or nothing.
    pub(super) fn commit<T>(
        &self,
        change: impl FnOnce(&mut RunState) -> Result<T, Defect>,
    ) -> Result<T, LedgerError> {
        let mut kept = self.memory.kept();
        let run = kept.run.as_mut().ok_or_else(|| LedgerError::Absent { dir: self.name().to_owned() })?;
        // The change is made to a copy, so that one that fails leaves what is on record as it was.
        let mut changed = RunState::clone(run);
        let done = change(&mut changed).map_err(|detail| self.defect(detail))?;
        *run = Arc::new(changed);
        Ok(done)
    }

    /// Makes the error for a request that can't be met.
    pub(super) fn defect(&self, detail: Defect) -> LedgerError {
        LedgerError::Defect { file: self.name().to_owned(), detail }
    }
}
