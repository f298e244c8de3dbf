//! Writes a run while it is being planned, with either backend.

use super::backend::{PlanStore, whichever};
use super::error::LedgerError;
use super::model::RunHeader;
use super::ordering::{OrderKeys, Placed};
use super::run::{Ledger, Run};
use super::spill::Spill;
use super::{memory, sqlite};
use crate::domain::account::{InputInfo, RowRecord, RowText, RunStats, Settled};
use crate::domain::audit::Audit;
use crate::domain::finding::Location;
use crate::domain::item::Item;
use crate::domain::run_spec::RunSpec;
use crate::domain::subject::Subject;

/// A run that is being planned, which no other process can write meanwhile. Dropping it loses what was not
/// kept; the run stays unplanned either way.
#[derive(Debug)]
pub enum Planning {
    /// In a SQLite file.
    Sqlite(sqlite::Plan),
    /// In memory.
    Memory(memory::Plan),
}

impl Ledger {
    /// Begins anew to plan a run whose planning did not complete: its rows and items are forgotten. Returns
    /// also the inputs that were read to their end before.
    ///
    /// # Errors
    /// [`LedgerError::Exists`] where the planning completed; else where the ledger can't be written.
    pub async fn plan_again(self) -> Result<(Planning, Vec<InputInfo>), LedgerError> {
        match self.into_unplanned()? {
            Run::Sqlite(run) => {
                let (plan, inputs) = sqlite::Plan::again(*run).await?;
                Ok((Planning::Sqlite(plan), inputs))
            }
            Run::Memory(run) => {
                let (plan, inputs) = memory::Plan::again(run).await?;
                Ok((Planning::Memory(plan), inputs))
            }
        }
    }
}

impl Planning {
    /// Returns the header of the run, so far.
    pub fn header(&self) -> &RunHeader {
        whichever!(Self: self, plan => plan.header())
    }

    /// Replaces the spec of the run with one that holds what became known while planning.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub fn amend(&mut self, spec: RunSpec) -> Result<(), LedgerError> {
        whichever!(Self: self, plan => plan.amend(spec))
    }

    /// Makes a store for texts beside the run, for as long as it is planned.
    ///
    /// # Errors
    /// Where it can't be made.
    pub fn spill(&self) -> Result<Spill, LedgerError> {
        whichever!(Self: self, plan => plan.spill())
    }

    /// Writes an input row. Its item may be written later.
    ///
    /// # Errors
    /// Where the ledger can't be written, or holds a row of that ordinal.
    pub fn row(&mut self, row: &RowRecord) -> Result<(), LedgerError> {
        whichever!(Self: self, plan => plan.row(row))
    }

    /// Writes what is known of an input, counted from 0, once it was read to its end.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub fn input(&mut self, input: u32, info: &InputInfo) -> Result<(), LedgerError> {
        whichever!(Self: self, plan => plan.input(input, info))
    }

    /// Writes an item, now or by the end of planning. An item that is settled is not sent, and its verdict
    /// goes to its rows. An item of a legacy payload has an audit, and one whose referral was seen a subject.
    ///
    /// # Errors
    /// Where the ledger can't be written, or two of the items written before have the same number.
    pub fn item(
        &mut self,
        item: &Item,
        settled: Option<&Settled>,
        audit: Option<&Audit>,
        subject: Option<&Subject>,
    ) -> Result<(), LedgerError> {
        whichever!(Self: self, plan => plan.item(item, settled, audit, subject))
    }

    /// Removes an item, which has to be written anew: what it was made from has turned out to be doubtful.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub fn retract(&mut self, number: u64) -> Result<(), LedgerError> {
        whichever!(Self: self, plan => plan.retract(number))
    }

    /// Returns what was read of a row, by the row's ordinal.
    ///
    /// # Errors
    /// Where the ledger can't be read, or holds no such row.
    pub fn text_of(&self, row: u64) -> Result<RowText, LedgerError> {
        whichever!(Self: self, plan => plan.text_of(row))
    }

    /// Puts on record what was written so far. Should planning then end early, the inputs are known that have
    /// to be the same when it is begun again.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub async fn keep(&mut self) -> Result<(), LedgerError> {
        whichever!(Self: self, plan => plan.keep().await)
    }

    /// Calls `each` for every row written so far that belongs to an item and has no verdict of its own, with the place
    /// where it begins, in the order of the inputs.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn each_row(&self, each: &mut dyn FnMut(Location, &RowText)) -> Result<(), LedgerError> {
        whichever!(Self: self, plan => plan.each_row(each))
    }

    /// Puts the items that are to be sent in order, now that all of them are written: those without a key come last,
    /// and equal ones by number.
    ///
    /// # Errors
    /// Where the ledger can't be written, or has no place for an order.
    pub async fn put_in_order(&mut self, keys: OrderKeys) -> Result<Placed, LedgerError> {
        whichever!(Self: self, plan => plan.put_in_order(keys).await)
    }

    /// Completes planning: all of it is on record, and the run can be sent. `stats` are the figures of
    /// planning alone.
    ///
    /// # Errors
    /// [`LedgerError::Loose`] where a row has neither a verdict nor an item; else where there are two
    /// items of one number or for one referral, or the ledger can't be written.
    pub async fn seal(self, stats: &RunStats) -> Result<Ledger, LedgerError> {
        Ok(Ledger::new(match self {
            Self::Sqlite(plan) => Run::Sqlite(Box::new(plan.seal(stats).await?)),
            Self::Memory(plan) => Run::Memory(plan.seal(stats).await?),
        }))
    }

    /// Ends planning before it is complete. What was written can be read; the run stays unplanned.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub async fn abandon(self, stats: &RunStats) -> Result<(), LedgerError> {
        whichever!(Self: self, plan => plan.abandon(stats).await)
    }
}
