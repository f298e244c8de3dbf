//! The account of a run for whoever reports it, whatever keeps it. Nothing is written: a run can be read while
//! another process sends it, and after a crash.

use super::backend::{RunAccount, whichever};
use super::error::LedgerError;
use super::model::{PlanTotals, ReferralTotals, RunHeader};
use super::{memory, sqlite};
use crate::domain::account::{InputInfo, ItemAccount, RowAccount, RunStats};
use crate::domain::consent::Consent;

/// A run as it stood when it was opened for reading, whatever is written meanwhile: all that one
/// reader tells fits together.
#[derive(Debug)]
pub enum Reader {
    /// In a SQLite file.
    Sqlite(Box<sqlite::Reader>),
    /// In memory.
    Memory(memory::Reader),
}

impl Reader {
    /// What the run is, and how far it had come. One that is being sent right now looks like one that stopped.
    pub fn header(&self) -> &RunHeader {
        whichever!(Self: self, reader => reader.header())
    }

    /// The format of the ledger, where a newer version of this program wrote it.
    pub fn newer(&self) -> Option<i32> {
        whichever!(Self: self, reader => reader.newer())
    }

    /// Looks at all that was not looked at when the run was opened: at every page of a file, and whether the
    /// indexes tell what their tables do. Every record was looked at before.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where something is wrong with them.
    pub async fn check_pages(&self) -> Result<(), LedgerError> {
        whichever!(Self: self, reader => reader.check_pages().await)
    }

    /// What was consented to when it was last begun to send; `None` where nobody was asked, as in a rehearsal.
    ///
    /// # Errors
    /// Where the ledger can't be read; so for all that follow.
    pub async fn consent(&self) -> Result<Option<Consent>, LedgerError> {
        whichever!(Self: self, reader => reader.consent().await)
    }

    /// The inputs, in their order.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        whichever!(Self: self, reader => reader.inputs().await)
    }

    /// What was requested and how long it took, added up over all processes that came to an end.
    /// PATCHes are counted from the attempts, which a crash loses none of.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn stats(&self) -> Result<RunStats, LedgerError> {
        whichever!(Self: self, reader => reader.stats().await)
    }

    /// How much the run is, and how much of it is left to be sent.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn plan_totals(&self) -> Result<PlanTotals, LedgerError> {
        whichever!(Self: self, reader => reader.totals().await)
    }

    /// How many referrals the run is about, and how many it changed.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn referrals(&self) -> Result<ReferralTotals, LedgerError> {
        whichever!(Self: self, reader => reader.referrals().await)
    }

    /// Tells every input row once, in the order of the input. Memory does not grow with their number.
    ///
    /// # Errors
    /// Where the ledger can't be read, and whatever `each` fails with: that ends the telling.
    pub async fn rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(RowAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        whichever!(Self: self, reader => reader.rows(each).await)
    }

    /// Tells every item once, by number, as it was planned, with all that was found about its rows: what comes
    /// of it later changes nothing about what is told here. Memory does not grow with their number.
    ///
    /// # Errors
    /// As [`Reader::rows`].
    pub async fn items<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(ItemAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        whichever!(Self: self, reader => reader.items(each).await)
    }
}
