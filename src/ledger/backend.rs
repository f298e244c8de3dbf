//! What whoever keeps a ledger has to do: whole operations, each of which either happened when it has answered, or
//! did not happen at all.
//!
//! | trait | whole operations of |
//! |---|---|
//! | [`PlanStore`] | a run that is being planned, until it is sealed or given up |
//! | [`RunStore`] | a run at rest, until it is begun to send |
//! | [`ItemClaims`] | the items that are left: whoever sends claims some at a time |
//! | [`BatchStore`] | intents, answers and outcomes: many of them, all or none |
//! | [`RunAccount`] | the account for the reports |
//!
//! What a network can answer is async. What planning hands over row by row is not: it is taken in as inputs are
//! read, and [`PlanStore::keep`] and [`PlanStore::seal`] say whether all of it is on record. Nor is
//! [`BatchStore`], which belongs to the writer's own thread.

use std::path::{Path, PathBuf};

use super::error::LedgerError;
use super::model::{Outstanding, PlanTotals, ReferralTotals, RunHeader};
use super::record::Record;
use super::spill::Spill;
use super::ticket::AttemptId;
use crate::domain::account::{
    InputInfo, ItemAccount, RowAccount, RowRecord, RowText, RunSpec, RunStats, Settled,
};
use crate::domain::audit::Audit;
use crate::domain::consent::Consent;
use crate::domain::item::Item;

/// A run that is being planned. Dropping it loses what was not kept; the run stays unplanned either way.
pub(super) trait PlanStore: Sized {
    /// The run, once it is planned.
    type Run: RunStore;

    /// Begins anew with a run whose planning did not come to its end: its rows and items are forgotten, and its
    /// inputs remembered. Answers with those, too.
    async fn again(run: Self::Run) -> Result<(Self, Vec<InputInfo>), LedgerError>;

    /// What the run is, so far.
    fn header(&self) -> &RunHeader;

    /// Says of the run what is known only by now.
    fn amend(&mut self, spec: RunSpec) -> Result<(), LedgerError>;

    /// A place for texts as long as the run is planned.
    fn spill(&self) -> Result<Spill, LedgerError>;

    /// Takes in a row. There may be none of its ordinal yet. Its item may come later.
    fn row(&mut self, row: &RowRecord) -> Result<(), LedgerError>;

    /// What was read of a row that was taken in.
    fn text_of(&self, row: u64) -> Result<RowText, LedgerError>;

    /// Takes in what is known of an input, counted from 0, once it was read to its end.
    fn input(&mut self, input: u32, info: &InputInfo) -> Result<(), LedgerError>;

    /// Takes in an item. That there is one of its number, or for its referral, shows when it is kept or sealed.
    fn item(
        &mut self,
        item: &Item,
        settled: Option<&Settled>,
        audit: Option<&Audit>,
    ) -> Result<(), LedgerError>;

    /// Takes an item back, which has to come anew.
    fn retract(&mut self, number: u64) -> Result<(), LedgerError>;

    /// Puts on record what was taken in so far.
    async fn keep(&mut self) -> Result<(), LedgerError>;

    /// Ends planning: all is on record, and the run can be sent. Refuses with [`LedgerError::Loose`] where a row
    /// has neither a verdict nor an item.
    async fn seal(self, stats: &RunStats) -> Result<Self::Run, LedgerError>;

    /// Ends planning before it is complete. What was taken in can be looked at.
    async fn abandon(self, stats: &RunStats) -> Result<(), LedgerError>;
}

/// A run that nothing is being sent of, and that is this process's alone to write.
pub(super) trait RunStore: Sized {
    /// What is left of it.
    type Claims: ItemClaims;

    /// Where it is written.
    type Batches: BatchStore;

    /// What it is, and how far it had come when it was opened.
    fn header(&self) -> &RunHeader;

    /// What errors call the place that it is kept at.
    fn dir(&self) -> &Path;

    /// What was consented to when it was last begun to send.
    async fn consent(&self) -> Result<Option<Consent>, LedgerError>;

    /// The inputs that it was planned from, in their order.
    async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError>;

    /// How much it is, and how much of it is left.
    async fn totals(&self) -> Result<PlanTotals, LedgerError>;

    /// How many rows the items have that are left.
    async fn remaining_rows(&self) -> Result<u64, LedgerError>;

    /// Puts on record that it is begun to send, what it lost where that was found only now, and the consent that
    /// was given: all at once, and before any intent.
    async fn begin(self, consent: Option<&Consent>) -> Result<(Self::Claims, Self::Batches), LedgerError>;
}

/// The items of a started run that have no outcome.
pub(super) trait ItemClaims {
    /// At most `limit` items that nobody has claimed, by number; none where there are no more.
    async fn claim(&self, limit: usize) -> Result<Vec<Outstanding>, LedgerError>;

    /// How many input rows an item has.
    async fn rows_of(&self, item: u64) -> Result<u64, LedgerError>;

    /// Whether any item has no outcome, claimed or not.
    async fn is_any_left(&self) -> Result<bool, LedgerError>;
}

/// Where a started run is written, by the writer alone.
pub(super) trait BatchStore: Send + 'static {
    /// What errors call the place that the run is kept at.
    fn dir(&self) -> &Path;

    /// What errors call the very thing that is written.
    fn file(&self) -> PathBuf;

    /// Writes a batch, all of it or nothing; answers with the numbers of its intents, in their order. By then it is
    /// where no crash takes it back.
    fn write(&mut self, batch: &[Record]) -> Result<Vec<AttemptId>, LedgerError>;

    /// Hears that whoever waited for the batch was answered.
    fn acknowledged(&mut self) {}

    /// Puts things in order between two batches; where it is `idle`, nobody waits.
    fn tidy(&mut self, _idle: bool) -> Result<(), LedgerError> {
        Ok(())
    }

    /// Ends what this process wrote, with what it did: the run is finished where every item has its outcome, else
    /// it stopped. Answers with the number of items that have none.
    fn finish(&mut self, stats: &RunStats) -> Result<u64, LedgerError>;
}

/// The account of a run as it stood at one moment: all that one reader tells fits together.
pub(super) trait RunAccount {
    /// What it is, and how far it had come.
    fn header(&self) -> &RunHeader;

    /// The format of the ledger, where a newer version of this program wrote it.
    fn newer(&self) -> Option<i32>;

    /// Looks whether all of it is as it was written, as far as that was not looked at when it was opened.
    async fn check_pages(&self) -> Result<(), LedgerError>;

    /// What was consented to when it was last begun to send.
    async fn consent(&self) -> Result<Option<Consent>, LedgerError>;

    /// The inputs, in their order.
    async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError>;

    /// What was requested and how long it took, by all processes that came to an end.
    async fn stats(&self) -> Result<RunStats, LedgerError>;

    /// How much it is, and how much of it is left.
    async fn totals(&self) -> Result<PlanTotals, LedgerError>;

    /// How many referrals it is about, and how many it changed.
    async fn referrals(&self) -> Result<ReferralTotals, LedgerError>;

    /// Tells every input row once, in the order of the input.
    async fn rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(RowAccount) -> Result<(), E>,
    ) -> Result<(), E>;

    /// Tells every item once, by number, as it was planned.
    async fn items<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(ItemAccount) -> Result<(), E>,
    ) -> Result<(), E>;
}

/// Does the same with whichever backend an enum of them holds.
macro_rules! whichever {
    ($of:ident: $kept:expr, $backend:ident => $done:expr) => {
        match $kept {
            $of::Sqlite($backend) => $done,
            $of::Memory($backend) => $done,
        }
    };
}
pub(super) use whichever;
