//! Reads the account of a run for its reports, with either backend. Nothing is written: a run can be read
//! while another process sends it, and after a crash.

use super::backend::{RunAccount, whichever};
use super::error::LedgerError;
use super::model::{PlanTotals, ReferralTotals, RunHeader, SentItem, VerifiedItem, WaveSoFar};
use super::{memory, sqlite};
use crate::domain::account::{FullRow, InputInfo, ItemAccount, RowAccount, RowStanding, RunStats};
use crate::domain::approval::Approval;
use crate::domain::attempt::PaceRecord;
use crate::domain::consent::Consent;
use crate::domain::referral::ReferralId;
use crate::domain::verification::{Verification, Verified};
use crate::domain::waves::Wave;

/// A run as it stood when it was opened for reading. Later writes don't show: all that one reader returns
/// fits together.
#[derive(Debug)]
pub enum Reader {
    /// In a SQLite file.
    Sqlite(Box<sqlite::Reader>),
    /// In memory.
    Memory(memory::Reader),
}

impl Reader {
    /// Returns what the run is, and how far it had come. A run that is being sent right now looks like one
    /// that stopped.
    pub fn header(&self) -> &RunHeader {
        whichever!(Self: self, reader => reader.header())
    }

    /// Returns the format of the ledger, where a newer version of this program wrote it.
    pub fn newer(&self) -> Option<i32> {
        whichever!(Self: self, reader => reader.newer())
    }

    /// Checks what was not checked when the run was opened: every page of a file, and whether each index
    /// matches its table. Opening has checked every record already.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where something is wrong with them.
    pub async fn check_pages(&self) -> Result<(), LedgerError> {
        whichever!(Self: self, reader => reader.check_pages().await)
    }

    /// Returns the consent that was given when sending last began; `None` where no consent was asked for, as
    /// in a rehearsal.
    ///
    /// # Errors
    /// Where the ledger can't be read; so for all methods that follow.
    pub async fn consent(&self) -> Result<Option<Consent>, LedgerError> {
        whichever!(Self: self, reader => reader.consent().await)
    }

    /// Returns all approvals, the first one first.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn approvals(&self) -> Result<Vec<Approval>, LedgerError> {
        whichever!(Self: self, reader => reader.approvals().await)
    }

    /// Returns the inputs, in their order.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        whichever!(Self: self, reader => reader.inputs().await)
    }

    /// Returns the numbers of requests and the time they took, added up over all processes that came to an
    /// end. PATCHes are counted from the attempts, of which a crash loses none.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn stats(&self) -> Result<RunStats, LedgerError> {
        whichever!(Self: self, reader => reader.stats().await)
    }

    /// Returns the size of the run, and how much of it is left to be sent.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn plan_totals(&self) -> Result<PlanTotals, LedgerError> {
        whichever!(Self: self, reader => reader.totals().await)
    }

    /// Returns the number of referrals that the run is about, and of those that it changed.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn referrals(&self) -> Result<ReferralTotals, LedgerError> {
        whichever!(Self: self, reader => reader.referrals().await)
    }

    /// Calls `each` for every input row once, in the order of the input. Memory use does not grow with the
    /// number of rows.
    ///
    /// # Errors
    /// Where the ledger can't be read, and any error of `each`, which ends the reading.
    pub async fn rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(RowAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        whichever!(Self: self, reader => reader.rows(each).await)
    }

    /// Calls `each` for every input row once, in the order of the input, with what was to be changed and every attempt
    /// at it. Memory use does not grow with the number of rows.
    ///
    /// # Errors
    /// As [`Reader::rows`].
    pub async fn full_rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(FullRow) -> Result<(), E>,
    ) -> Result<(), E> {
        whichever!(Self: self, reader => reader.full_rows(each).await)
    }

    /// Calls `each_row` for every row as [`Reader::full_rows`] does, and `each_item` for every item as [`Reader::items`]
    /// does; in which order the two are called is not said. Both together take less time than one after the other.
    ///
    /// # Errors
    /// As [`Reader::rows`].
    pub async fn rows_and_items<E: From<LedgerError>>(
        &self,
        each_row: &mut dyn FnMut(&FullRow) -> Result<(), E>,
        each_item: &mut dyn FnMut(&ItemAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        whichever!(Self: self, reader => reader.rows_and_items(each_row, each_item).await)
    }

    /// Calls `each` for every attempt in their order, and then for everything that was waited for, in its order. Memory
    /// use does not grow with their number.
    ///
    /// # Errors
    /// As [`Reader::rows`].
    pub async fn pace<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(PaceRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        whichever!(Self: self, reader => reader.pace(each).await)
    }

    /// Calls `each` for every item once, by number, as it was planned, with all findings about its rows.
    /// Outcomes of sending change nothing about what is returned here. Memory use does not grow with the
    /// number of items.
    ///
    /// # Errors
    /// As [`Reader::rows`].
    pub async fn items<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(ItemAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        whichever!(Self: self, reader => reader.items(each).await)
    }

    /// Calls `each` for every item once, by number, as it was planned, with its rows as they stand, in file order.
    /// Only the rows of one item are in memory at a time.
    ///
    /// # Errors
    /// Any error of `each`, which ends the reading; and where the ledger can't be read.
    pub async fn items_with_rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(ItemAccount, Vec<RowStanding>) -> Result<(), E>,
    ) -> Result<(), E> {
        whichever!(Self: self, reader => reader.items_with_rows(each).await)
    }

    /// Calls `each` for every item once, by number, that sending settled or may have written: as it was sent last.
    /// Memory use does not grow with the number of items.
    ///
    /// # Errors
    /// As [`Reader::rows`].
    pub async fn sent<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(SentItem) -> Result<(), E>,
    ) -> Result<(), E> {
        whichever!(Self: self, reader => reader.sent(each).await)
    }

    /// Returns the item of a referral, where sending settled it or may have written it.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn sent_item(&self, referral: ReferralId) -> Result<Option<SentItem>, LedgerError> {
        whichever!(Self: self, reader => reader.sent_item(referral).await)
    }

    /// Returns the referrals that were written, whole or in part, by number of their items.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn written_ids(&self) -> Result<Vec<ReferralId>, LedgerError> {
        whichever!(Self: self, reader => reader.written_ids().await)
    }

    /// Returns what came of a wave so far.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn wave(&self, wave: Wave) -> Result<WaveSoFar, LedgerError> {
        whichever!(Self: self, reader => reader.wave(wave).await)
    }

    /// Returns all verifications with their numbers, the first one first.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn verifications(&self) -> Result<Vec<(u64, Verification)>, LedgerError> {
        whichever!(Self: self, reader => reader.verifications().await)
    }

    /// Calls `each` for every item once, by number, that a verification found something of, with the last that was
    /// found. Memory use does not grow with the number of items.
    ///
    /// # Errors
    /// As [`Reader::rows`].
    pub async fn verified<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(VerifiedItem) -> Result<(), E>,
    ) -> Result<(), E> {
        whichever!(Self: self, reader => reader.verified(each).await)
    }

    /// Returns what was found last of the item of this number, with the number of the verification; `None` where
    /// nothing was.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn last_verified(&self, item: u64) -> Result<Option<(u64, Verified)>, LedgerError> {
        whichever!(Self: self, reader => reader.last_verified(item).await)
    }
}
