//! An opened run at rest, and the items left of it while it is sent, with either backend.

use std::path::PathBuf;

use super::backend::{BatchStore, ItemClaims, RunStore, whichever};
use super::error::LedgerError;
use super::journal::{Clock, Journal};
use super::model::{Outstanding, PlanTotals, RunHeader, VerifiedPart};
use super::sqlite::Watch;
use super::writer::ManualWriter;
use super::{memory, sqlite};
use crate::domain::account::{InputInfo, Phase};
use crate::domain::approval::Approval;
use crate::domain::consent::Consent;

/// An opened run that this process alone may write, and that is not being sent.
#[derive(Debug)]
pub struct Ledger {
    run: Run,
    /// The consent that was given now, which goes on record when sending begins.
    consent: Option<Consent>,
}

/// The opened run by its backend.
#[derive(Debug)]
pub(super) enum Run {
    Sqlite(Box<sqlite::Run>),
    Memory(memory::Run),
}

/// The items of a started run that have no outcome, handed out some at a time. It can be sent to another
/// thread, but not be shared between two.
#[derive(Debug)]
pub enum Backlog {
    /// In a SQLite file.
    Sqlite(Box<sqlite::Claims>),
    /// In memory.
    Memory(memory::Claims),
}

impl Ledger {
    pub(super) fn new(run: Run) -> Self {
        Self { run, consent: None }
    }

    /// Sets the consent that goes on record in the first write of sending, before any intent.
    #[must_use]
    pub fn consented(self, consent: Option<Consent>) -> Self {
        Self { consent, ..self }
    }

    /// Calls `watch` at every crash point from now on, where the ledger is kept in files.
    #[must_use]
    pub fn watched(mut self, watch: Option<Watch>) -> Self {
        if let Run::Sqlite(run) = &mut self.run {
            run.watch(watch);
        }
        self
    }

    /// Returns what the run is, and how far it had come when it was opened.
    pub fn header(&self) -> &RunHeader {
        whichever!(Run: &self.run, run => run.header())
    }

    /// Returns the consent that was given when sending last began.
    ///
    /// # Errors
    /// Where the ledger can't be read; so for all methods that follow.
    pub async fn consent(&self) -> Result<Option<Consent>, LedgerError> {
        whichever!(Run: &self.run, run => run.consent().await)
    }

    /// Returns all approvals, the first one first.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn approvals(&self) -> Result<Vec<Approval>, LedgerError> {
        whichever!(Run: &self.run, run => run.approvals().await)
    }

    /// Puts an approval on record.
    ///
    /// # Errors
    /// [`LedgerError::LogLost`] where the run may lack records; else where the ledger can't be written.
    pub async fn approve(&mut self, approval: &Approval) -> Result<(), LedgerError> {
        whichever!(Run: &mut self.run, run => run.approve(approval).await)
    }

    /// Puts a part of what a verification found on record, all of it or nothing.
    ///
    /// # Errors
    /// As [`Ledger::approve`].
    pub async fn keep_verified(&mut self, part: &VerifiedPart) -> Result<(), LedgerError> {
        whichever!(Run: &mut self.run, run => run.keep_verified(part).await)
    }

    /// Returns the inputs that the run was planned from, in their order.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        whichever!(Run: &self.run, run => run.inputs().await)
    }

    /// Returns the size of the run, and how much of it is left.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn plan_totals(&self) -> Result<PlanTotals, LedgerError> {
        whichever!(Run: &self.run, run => run.totals().await)
    }

    /// Returns the number of rows of the items that are left.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn remaining_rows(&self) -> Result<u64, LedgerError> {
        whichever!(Run: &self.run, run => run.remaining_rows().await)
    }

    /// Begins to send: from now on the run counts as stopped until it is finished. The journal's thread runs,
    /// and locks the run for this process, until the journal is finished or its last clone is dropped.
    ///
    /// # Errors
    /// [`LedgerError::Unplanned`] and [`LedgerError::Finished`] where nothing may be sent;
    /// [`LedgerError::Busy`] where another process reads the ledger for longer than this one waits; else
    /// where the ledger can't be written.
    pub async fn start(self, clock: Clock) -> Result<(Journal, Backlog), LedgerError> {
        let (backlog, store) = self.begin().await?;
        Ok((Journal::begin(store, clock)?, backlog))
    }

    /// Begins to send as [`Ledger::start`] does, without a thread: nothing is written until the returned
    /// [`ManualWriter`] is told to.
    ///
    /// # Errors
    /// As [`Ledger::start`].
    pub async fn start_by_hand(self, clock: Clock) -> Result<(Journal, Backlog, ManualWriter), LedgerError> {
        let (backlog, store) = self.begin().await?;
        let (journal, by_hand) = Journal::by_hand(store, clock);
        Ok((journal, backlog, by_hand))
    }

    /// Returns the items that are left, and the store to write to.
    async fn begin(self) -> Result<(Backlog, Box<dyn BatchStore>), LedgerError> {
        match self.header().phase {
            Phase::Planned | Phase::Stopped => {}
            Phase::Planning => return Err(LedgerError::Unplanned { dir: self.dir() }),
            Phase::Finished => return Err(LedgerError::Finished { dir: self.dir() }),
        }
        match self.run {
            Run::Sqlite(run) => {
                let (claims, batches) = run.begin(self.consent.as_ref()).await?;
                Ok((Backlog::Sqlite(Box::new(claims)), Box::new(batches)))
            }
            Run::Memory(run) => {
                let (claims, batches) = run.begin(self.consent.as_ref()).await?;
                Ok((Backlog::Memory(claims), Box::new(batches)))
            }
        }
    }

    /// Returns the run by its backend, where its planning did not complete.
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
    /// Claims the next items that have no outcome and were not claimed before, at most `limit`, in the order in which
    /// they are to be sent: by number, where the plan has no other. An empty page is the last.
    ///
    /// # Errors
    /// Where the ledger can't be read; so for all methods that follow.
    pub async fn claim(&self, limit: usize) -> Result<Vec<Outstanding>, LedgerError> {
        whichever!(Self: self, claims => claims.claim(limit).await)
    }

    /// Hands out no item behind this place in the order of sending, until another one is set.
    pub fn up_to(&self, place: u64) {
        whichever!(Self: self, claims => claims.up_to(place));
    }

    /// Returns an item as it stands on record, claimed or not; `None` where it has its outcome.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn outstanding(&self, item: u64) -> Result<Option<Outstanding>, LedgerError> {
        whichever!(Self: self, claims => claims.outstanding(item).await)
    }

    /// Returns the number of input rows of an item.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn rows_of(&self, item: u64) -> Result<u64, LedgerError> {
        whichever!(Self: self, claims => claims.rows_of(item).await)
    }

    /// Waits until all of the run is checked that was left to be checked while it is sent; where nothing was left, at once.
    /// The run is not finished before.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where something is wrong with it; else where it can't be read.
    pub async fn whole(&self) -> Result<(), LedgerError> {
        whichever!(Self: self, claims => claims.whole().await)
    }

    /// Ends the check, wherever it is: the run is then not finished by this process.
    pub fn stop_checking(&self) {
        whichever!(Self: self, claims => claims.stop_checking());
    }

    /// Whether any item has no outcome on record, claimed or not.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn is_any_left(&self) -> Result<bool, LedgerError> {
        whichever!(Self: self, claims => claims.is_any_left().await)
    }
}
