//! Looks up single rows of a run, with either backend, in a time that doesn't grow with the run. Nothing is written.

use super::backend::{RunLookup, whichever};
use super::error::LedgerError;
use super::model::{LineOfInput, RunHeader};
use super::{memory, sqlite};
use crate::domain::account::{InputInfo, RowAccount};
use crate::domain::approval::Approval;
use crate::domain::consent::Consent;
use crate::domain::finding::Location;
use crate::domain::life::ItemLife;
use crate::domain::referral::ReferralId;

/// A run as it stood when it was opened, of which single rows and items are looked up. Later writes don't show.
///
/// Each record that is returned was checked to be as it was written, and nothing else was: that there is no such record
/// is only certain where a [`Reader`](super::Reader) finds none either.
#[derive(Debug)]
pub enum Lookup {
    /// In a SQLite file.
    Sqlite(Box<sqlite::Lookup>),
    /// In memory.
    Memory(memory::Lookup),
}

impl Lookup {
    /// Returns what the run is, and how far it had come. A run that is being sent right now looks like one
    /// that stopped.
    pub fn header(&self) -> &RunHeader {
        whichever!(Self: self, lookup => lookup.header())
    }

    /// Returns the format of the ledger, where a newer version of this program wrote it.
    pub fn newer(&self) -> Option<i32> {
        whichever!(Self: self, lookup => lookup.newer())
    }

    /// Returns every consent that was given, in their order.
    ///
    /// # Errors
    /// Where the ledger can't be read, or what is returned is not as it was written; so for all methods that follow.
    pub async fn consents(&self) -> Result<Vec<Consent>, LedgerError> {
        whichever!(Self: self, lookup => lookup.consents().await)
    }

    /// Returns every approval that was given, in their order.
    ///
    /// # Errors
    /// As [`Lookup::consents`].
    pub async fn approvals(&self) -> Result<Vec<Approval>, LedgerError> {
        whichever!(Self: self, lookup => lookup.approvals().await)
    }

    /// Returns the inputs, in their order.
    ///
    /// # Errors
    /// As [`Lookup::consents`].
    pub async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        whichever!(Self: self, lookup => lookup.inputs().await)
    }

    /// Returns the rows that begin on a line of an input, and at a column of it where one is given, in their order and
    /// at most so many. Elements of a JSON array may begin on one line.
    ///
    /// # Errors
    /// As [`Lookup::consents`].
    pub async fn rows_at(&self, at: LineOfInput, most: usize) -> Result<Vec<RowAccount>, LedgerError> {
        whichever!(Self: self, lookup => lookup.rows_at(at, most).await)
    }

    /// Returns the last row of an input that begins before a line, and the first that begins behind it.
    ///
    /// # Errors
    /// As [`Lookup::consents`].
    pub async fn rows_beside(&self, at: LineOfInput) -> Result<[Option<RowAccount>; 2], LedgerError> {
        whichever!(Self: self, lookup => lookup.rows_beside(at).await)
    }

    /// Whether it is certain that no row begins at a place where none is found, whatever of the run is damaged. Where it
    /// isn't, only a [`Reader`](super::Reader) tells, which checks the whole run.
    ///
    /// # Errors
    /// As [`Lookup::consents`].
    pub async fn lacks(&self, at: LineOfInput) -> Result<bool, LedgerError> {
        whichever!(Self: self, lookup => lookup.lacks(at).await)
    }

    /// Returns the rows that name a referral, in the order of the input.
    ///
    /// # Errors
    /// As [`Lookup::consents`].
    pub async fn rows_naming(&self, id: ReferralId) -> Result<Vec<RowAccount>, LedgerError> {
        whichever!(Self: self, lookup => lookup.rows_naming(id).await)
    }

    /// Returns the referrals of an engagement, by number of their items, as far as it was seen when they were planned. What
    /// was seen of every referral is read for it, and checked.
    ///
    /// # Errors
    /// As [`Lookup::consents`].
    pub async fn of_engagement(&self, id: ReferralId) -> Result<Vec<ReferralId>, LedgerError> {
        whichever!(Self: self, lookup => lookup.of_engagement(id).await)
    }

    /// Calls `each` with the id and the place of every row that names a referral, in the order of the input. Every row is
    /// read for it, and checked, and nothing else: it is certain that no other row names any.
    ///
    /// # Errors
    /// As [`Lookup::consents`], and where a row is missing.
    pub async fn each_name(&self, each: &mut dyn FnMut(ReferralId, Location)) -> Result<(), LedgerError> {
        whichever!(Self: self, lookup => lookup.each_name(each).await)
    }

    /// Returns all that is on record about an item; `None` where there is no such item.
    ///
    /// # Errors
    /// As [`Lookup::consents`].
    pub async fn item_life(&self, number: u64) -> Result<Option<ItemLife>, LedgerError> {
        whichever!(Self: self, lookup => lookup.item_life(number).await)
    }
}
