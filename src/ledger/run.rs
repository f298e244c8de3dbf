//! A run that is there: at rest, and what is left of it while it is sent, whatever keeps it.

use std::path::PathBuf;

use super::backend::{BatchStore, ItemClaims, RunStore, whichever};
use super::error::LedgerError;
use super::journal::{Clock, Journal};
use super::model::{Outstanding, PlanTotals, RunHeader};
use super::sqlite::Watch;
use super::writer::ManualWriter;
use super::{memory, sqlite};
use crate::domain::account::{InputInfo, Phase};
use crate::domain::consent::Consent;

/// A run that no other process writes, and that nothing is being sent of.
#[derive(Debug)]
pub struct Ledger {
    run: Run,
    /// What was consented to now, and goes on record when it is begun to send.
    consent: Option<Consent>,
}

/// The same by what keeps it.
#[derive(Debug)]
pub(super) enum Run {
    Sqlite(Box<sqlite::Run>),
    Memory(memory::Run),
}

/// The items of a started run that have no outcome, some at a time. It can be sent to another thread, and
/// not be shared between two.
#[derive(Debug)]
pub enum Backlog {
    /// In a SQLite file.
    Sqlite(sqlite::Claims),
    /// In memory.
    Memory(memory::Claims),
}

impl Ledger {
    pub(super) fn new(run: Run) -> Self {
        Self { run, consent: None }
    }

    /// Puts this on record with the first thing that is written when it is begun to send: before any intent.
    #[must_use]
    pub fn consented(self, consent: Option<Consent>) -> Self {
        Self { consent, ..self }
    }

    /// Tells this watch of every step from now on, where it is kept in files.
    #[must_use]
    pub fn watched(mut self, watch: Option<Watch>) -> Self {
        if let Run::Sqlite(run) = &mut self.run {
            run.watch(watch);
        }
        self
    }

    /// What the run is, and how far it had come when it was opened.
    pub fn header(&self) -> &RunHeader {
        whichever!(Run: &self.run, run => run.header())
    }

    /// What was consented to when it was last begun to send.
    ///
    /// # Errors
    /// Where the ledger can't be read; so for all that follow.
    pub async fn consent(&self) -> Result<Option<Consent>, LedgerError> {
        whichever!(Run: &self.run, run => run.consent().await)
    }

    /// The inputs that it was planned from, in their order.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        whichever!(Run: &self.run, run => run.inputs().await)
    }

    /// How much it is, and how much of it is left.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn plan_totals(&self) -> Result<PlanTotals, LedgerError> {
        whichever!(Run: &self.run, run => run.totals().await)
    }

    /// How many rows its items have that are left.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn remaining_rows(&self) -> Result<u64, LedgerError> {
        whichever!(Run: &self.run, run => run.remaining_rows().await)
    }

    /// Begins to send: from now on the run is one that began and did not end. The journal's thread
    /// runs, and holds the run for this process, until it is finished or its last handle is dropped.
    ///
    /// # Errors
    /// [`LedgerError::Unplanned`] and [`LedgerError::Finished`] where there is nothing that may be
    /// sent; [`LedgerError::Busy`] where somebody reads it for longer than is waited for; else where the
    /// ledger can't be written.
    pub async fn start(self, clock: Clock) -> Result<(Journal, Backlog), LedgerError> {
        let (backlog, store) = self.begin().await?;
        Ok((Journal::begin(store, clock)?, backlog))
    }

    /// As [`Ledger::start`], without a thread: nothing is written but when the last of the three is told to.
    ///
    /// # Errors
    /// As [`Ledger::start`].
    pub async fn start_by_hand(self, clock: Clock) -> Result<(Journal, Backlog, ManualWriter), LedgerError> {
        let (backlog, store) = self.begin().await?;
        let (journal, by_hand) = Journal::by_hand(store, clock);
        Ok((journal, backlog, by_hand))
    }

    /// What is left, and where to write.
    async fn begin(self) -> Result<(Backlog, Box<dyn BatchStore>), LedgerError> {
        match self.header().phase {
            Phase::Planned | Phase::Stopped => {}
            Phase::Planning => return Err(LedgerError::Unplanned { dir: self.dir() }),
            Phase::Finished => return Err(LedgerError::Finished { dir: self.dir() }),
        }
        match self.run {
            Run::Sqlite(run) => {
                let (claims, batches) = run.begin(self.consent.as_ref()).await?;
                Ok((Backlog::Sqlite(claims), Box::new(batches)))
            }
            Run::Memory(run) => {
                let (claims, batches) = run.begin(self.consent.as_ref()).await?;
                Ok((Backlog::Memory(claims), Box::new(batches)))
            }
        }
    }

    /// What keeps it, where its planning did not come to its end.
    pub(super) fn into_unplanned(self) -> Result<Run, LedgerError> {
        match self.header().phase {
            Phase::Planning => Ok(self.run),
            Phase::Planned | Phase::Stopped | Phase::Finished => Err(LedgerError::Exists { dir: self.dir() }),
        }
    }

    fn dir(&self) -> PathBuf {
        whichever!(Run: &self.run, run => run.dir().to_owned())
    }
}

impl Backlog {
    /// The next items that have no outcome and were not claimed, by number, at most `limit`. An empty page is the
    /// last.
    ///
    /// # Errors
    /// Where the ledger can't be read; so for all that follow.
    pub async fn claim(&self, limit: usize) -> Result<Vec<Outstanding>, LedgerError> {
        whichever!(Self: self, claims => claims.claim(limit).await)
    }

    /// How many input rows an item has.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn rows_of(&self, item: u64) -> Result<u64, LedgerError> {
        whichever!(Self: self, claims => claims.rows_of(item).await)
    }

    /// Whether any item has no outcome on record, claimed or not.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn is_any_left(&self) -> Result<bool, LedgerError> {
        whichever!(Self: self, claims => claims.is_any_left().await)
    }
}
