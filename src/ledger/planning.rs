//! A run that is being planned, whatever keeps it.

use super::backend::{PlanStore, whichever};
use super::error::LedgerError;
use super::model::RunHeader;
use super::run::{Ledger, Run};
use super::spill::Spill;
use super::{memory, sqlite};
use crate::domain::account::{InputInfo, RowRecord, RowText, RunSpec, RunStats, Settled};
use crate::domain::audit::Audit;
use crate::domain::item::Item;

/// A run that is being planned, which nobody else can write meanwhile. Dropping it loses what was not kept; the
/// run stays unplanned either way.
#[derive(Debug)]
pub enum Planning {
    /// In a SQLite file.
    Sqlite(sqlite::Plan),
    /// In memory.
    Memory(memory::Plan),
}

impl Ledger {
    /// Begins again to plan a run whose planning did not come to its end: its rows and items are
    /// forgotten. Answers with the inputs that were read to their end before, too.
    ///
    /// # Errors
    /// [`LedgerError::Exists`] where it was planned to its end; else where the ledger can't be written.
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
    /// What the run is, so far.
    pub fn header(&self) -> &RunHeader {
        whichever!(Self: self, plan => plan.header())
    }

    /// Says of the run what is known only by now.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub fn amend(&mut self, spec: RunSpec) -> Result<(), LedgerError> {
        whichever!(Self: self, plan => plan.amend(spec))
    }

    /// A place for texts beside the run, as long as it is planned.
    ///
    /// # Errors
    /// Where there is none.
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

    /// Writes an item, now or by the end of planning. Where it is settled there is nothing to send, and the
    /// verdict stands for its rows. That of a legacy payload has an audit.
    ///
    /// # Errors
    /// Where the ledger can't be written, or two of the items before have one number.
    pub fn item(
        &mut self,
        item: &Item,
        settled: Option<&Settled>,
        audit: Option<&Audit>,
    ) -> Result<(), LedgerError> {
        whichever!(Self: self, plan => plan.item(item, settled, audit))
    }

    /// Takes back an item, which has to be written anew: what it was made from has turned out to be doubtful.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub fn retract(&mut self, number: u64) -> Result<(), LedgerError> {
        whichever!(Self: self, plan => plan.retract(number))
    }

    /// What was read of a row, by its ordinal.
    ///
    /// # Errors
    /// Where the ledger can't be read, or holds no such row.
    pub fn text_of(&self, row: u64) -> Result<RowText, LedgerError> {
        whichever!(Self: self, plan => plan.text_of(row))
    }

    /// Puts on record what was written so far. Should planning end before its time, then the inputs are
    /// known that have to be the same when it is begun again.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub async fn keep(&mut self) -> Result<(), LedgerError> {
        whichever!(Self: self, plan => plan.keep().await)
    }

    /// Ends planning: all is on record, and the run can be sent. What it did is what planning did alone.
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

    /// Ends planning before it is complete. What was written can be looked at; the run stays
    /// unplanned.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub async fn abandon(self, stats: &RunStats) -> Result<(), LedgerError> {
        whichever!(Self: self, plan => plan.abandon(stats).await)
    }
}
