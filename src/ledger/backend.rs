//! The traits that a backend of the ledger implements. Their methods are whole operations: each has either
//! happened when it returns, or did not happen at all.
//!
//! | trait | operations on |
//! |---|---|
//! | [`PlanStore`] | a run that is being planned, until it is sealed or given up |
//! | [`RunStore`] | a run at rest, until sending begins |
//! | [`ItemClaims`] | the items without an outcome, which the sender claims some at a time |
//! | [`BatchStore`] | batches of intents, answers and outcomes, each written whole or not at all |
//! | [`RunAccount`] | the account of a run for its reports |
//! | [`RunLookup`] | single rows and items of a run, found without reading all of it |
//!
//! Operations that a networked backend would wait for are async. The rows and items that planning hands over
//! one by one are not: they are taken in as inputs are read, and [`PlanStore::keep`] and [`PlanStore::seal`]
//! say whether all of them are on record. Nor is [`BatchStore`], which belongs to the writer's own thread.

use std::path::{Path, PathBuf};

use super::error::LedgerError;
use super::model::{
    LineOfInput, Outstanding, PlanTotals, ReferralTotals, RunHeader, SentItem, VerifiedItem, VerifiedPart,
    WaveSoFar,
};
use super::ordering::{OrderKeys, Placed};
use super::record::Record;
use super::spill::Spill;
use super::ticket::AttemptId;
use crate::domain::account::{
    FullRow, InputInfo, ItemAccount, RowAccount, RowRecord, RowStanding, RowText, RunStats, Settled,
};
use crate::domain::approval::Approval;
use crate::domain::attempt::PaceRecord;
use crate::domain::audit::Audit;
use crate::domain::consent::Consent;
use crate::domain::finding::Location;
use crate::domain::item::Item;
use crate::domain::life::ItemLife;
use crate::domain::referral::ReferralId;
use crate::domain::run_spec::RunSpec;
use crate::domain::subject::Subject;
use crate::domain::verification::{Verification, Verified};
use crate::domain::waves::Wave;

/// A run that is being planned. Dropping it loses what was not kept; the run stays unplanned either way.
pub(super) trait PlanStore: Sized {
    /// The run, once it is planned.
    type Run: RunStore;

    /// Begins anew to plan a run whose planning did not complete: its rows and items are forgotten, and its
    /// inputs remembered. Returns those inputs, too.
    async fn again(run: Self::Run) -> Result<(Self, Vec<InputInfo>), LedgerError>;

    /// Returns the header of the run, so far.
    fn header(&self) -> &RunHeader;

    /// Replaces the spec of the run with one that holds what became known while planning.
    fn amend(&mut self, spec: RunSpec) -> Result<(), LedgerError>;

    /// Makes a store for texts, for as long as the run is planned.
    fn spill(&self) -> Result<Spill, LedgerError>;

    /// Takes in a row. No row may have its ordinal yet. Its item may come later.
    fn row(&mut self, row: &RowRecord) -> Result<(), LedgerError>;

    /// Returns what was read of a row that was taken in.
    fn text_of(&self, row: u64) -> Result<RowText, LedgerError>;

    /// Takes in what is known of an input, counted from 0, once it was read to its end.
    fn input(&mut self, input: u32, info: &InputInfo) -> Result<(), LedgerError>;

    /// Takes in an item. A second item with its number, or for its referral, is noticed only when the plan is
    /// kept or sealed.
    fn item(
        &mut self,
        item: &Item,
        settled: Option<&Settled>,
        audit: Option<&Audit>,
        subject: Option<&Subject>,
    ) -> Result<(), LedgerError>;

    /// Removes an item, which has to be taken in anew.
    fn retract(&mut self, number: u64) -> Result<(), LedgerError>;

    /// Puts on record what was taken in so far.
    async fn keep(&mut self) -> Result<(), LedgerError>;

    /// Calls `each` for every row that was taken in and belongs to an item, with the place where it begins, in the
    /// order of the inputs.
    fn each_row(&self, each: &mut dyn FnMut(Location, &RowText)) -> Result<(), LedgerError>;

    /// Puts the items without an outcome in the order in which they are to be sent: those without a key come last, and
    /// equal ones by number. All items are taken in by then.
    async fn put_in_order(&mut self, keys: OrderKeys) -> Result<Placed, LedgerError>;

    /// Completes planning: all of it is on record, and the run can be sent. Returns [`LedgerError::Loose`]
    /// where a row has neither a verdict nor an item.
    async fn seal(self, stats: &RunStats) -> Result<Self::Run, LedgerError>;

    /// Ends planning before it is complete. What was taken in can be read.
    async fn abandon(self, stats: &RunStats) -> Result<(), LedgerError>;
}

/// An opened run that is not being sent, and that this process alone may write.
pub(super) trait RunStore: Sized {
    /// The items that are left to send.
    type Claims: ItemClaims;

    /// The store that batches are written to.
    type Batches: BatchStore;

    /// Returns what the run is, and how far it had come when it was opened.
    fn header(&self) -> &RunHeader;

    /// Returns the place of the run as errors name it.
    fn dir(&self) -> &Path;

    /// Returns the consent that was given when sending last began.
    async fn consent(&self) -> Result<Option<Consent>, LedgerError>;

    /// Returns all approvals, the first one first.
    async fn approvals(&self) -> Result<Vec<Approval>, LedgerError>;

    /// Puts an approval on record. Returns [`LedgerError::LogLost`] where the run may lack records.
    async fn approve(&mut self, approval: &Approval) -> Result<(), LedgerError>;

    /// Puts a part of what a verification found on record. Returns [`LedgerError::LogLost`] where the run may lack
    /// records.
    async fn keep_verified(&mut self, part: &VerifiedPart) -> Result<(), LedgerError>;

    /// Returns the inputs that the run was planned from, in their order.
    async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError>;

    /// Returns the size of the run, and how much of it is left.
    async fn totals(&self) -> Result<PlanTotals, LedgerError>;

    /// Returns the number of rows of the items that are left.
    async fn remaining_rows(&self) -> Result<u64, LedgerError>;

    /// Begins sending. Puts on record that sending began, what the run lost where that was found only on this
    /// opening, and the consent that was given: all at once, and before any intent.
    async fn begin(self, consent: Option<&Consent>) -> Result<(Self::Claims, Self::Batches), LedgerError>;
}

/// The items of a started run that have no outcome.
pub(super) trait ItemClaims {
    /// Hands out no item behind this place in the order of sending, until another one is set.
    fn up_to(&self, place: u64);

    /// Returns at most `limit` items that were not claimed before, in the order in which they are to be sent, else by
    /// number; none where there are no more.
    async fn claim(&self, limit: usize) -> Result<Vec<Outstanding>, LedgerError>;

    /// Returns an item as it stands on record, claimed or not; `None` where it has its outcome.
    async fn outstanding(&self, item: u64) -> Result<Option<Outstanding>, LedgerError>;

    /// Returns the number of input rows of an item.
    async fn rows_of(&self, item: u64) -> Result<u64, LedgerError>;

    /// Whether any item has no outcome, claimed or not.
    async fn is_any_left(&self) -> Result<bool, LedgerError>;

    /// Waits until all of the run is checked that was left to be checked while it is sent; where nothing was left,
    /// at once. Returns [`LedgerError::Damaged`] where something is wrong with it. No run is finished before.
    async fn whole(&self) -> Result<(), LedgerError>;

    /// Ends the check, wherever it is.
    fn stop_checking(&self);
}

/// The store of a started run, which only the writer's thread writes to.
pub(super) trait BatchStore: Send + 'static {
    /// Returns the place of the run as errors name it.
    fn dir(&self) -> &Path;

    /// Returns the file that is written, as errors name it.
    fn file(&self) -> PathBuf;

    /// Writes a batch, all of it or nothing; returns the numbers of its intents, in their order. By then no
    /// crash takes the batch back.
    fn write(&mut self, batch: &[Record]) -> Result<Vec<AttemptId>, LedgerError>;

    /// Is called once every caller that waited for the batch has its answer.
    fn acknowledged(&mut self) {}

    /// Does housekeeping between two batches. `idle` says that no request is waiting.
    fn tidy(&mut self, _idle: bool) -> Result<(), LedgerError> {
        Ok(())
    }

    /// Ends what this process wrote, with its figures. The run is then finished if every item has its
    /// outcome, else stopped; where it `stays_open`, it is stopped in any case. Returns the number of items that have none.
    fn finish(&mut self, stats: &RunStats, stays_open: bool) -> Result<u64, LedgerError>;
}

/// The account of a run as it stood at one moment: all that one reader returns fits together.
pub(super) trait RunAccount {
    /// Returns what the run is, and how far it had come.
    fn header(&self) -> &RunHeader;

    /// Returns the format of the ledger, where a newer version of this program wrote it.
    fn newer(&self) -> Option<i32>;

    /// Checks that all of the ledger is as it was written, as far as opening it did not check that.
    async fn check_pages(&self) -> Result<(), LedgerError>;

    /// Returns the consent that was given when sending last began.
    async fn consent(&self) -> Result<Option<Consent>, LedgerError>;

    /// Returns all approvals, the first one first.
    async fn approvals(&self) -> Result<Vec<Approval>, LedgerError>;

    /// Returns the inputs, in their order.
    async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError>;

    /// Returns the numbers of requests and the time they took, for all processes that came to an end.
    async fn stats(&self) -> Result<RunStats, LedgerError>;

    /// Returns the size of the run, and how much of it is left.
    async fn totals(&self) -> Result<PlanTotals, LedgerError>;

    /// Returns the number of referrals that the run is about, and of those that it changed.
    async fn referrals(&self) -> Result<ReferralTotals, LedgerError>;

    /// Calls `each` for every input row once, in the order of the input.
    async fn rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(RowAccount) -> Result<(), E>,
    ) -> Result<(), E>;

    /// Calls `each` for every input row once, in the order of the input, with what was to be changed.
    async fn full_rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(FullRow) -> Result<(), E>,
    ) -> Result<(), E>;

    /// Calls `each_row` for every input row once, in the order of the input, with what was to be changed, and `each_item`
    /// for every item once, by number, as it was planned.
    async fn rows_and_items<E: From<LedgerError>>(
        &self,
        each_row: &mut dyn FnMut(&FullRow) -> Result<(), E>,
        each_item: &mut dyn FnMut(&ItemAccount) -> Result<(), E>,
    ) -> Result<(), E>;

    /// Calls `each` for every attempt in their order, and then for everything that was waited for.
    async fn pace<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(PaceRecord) -> Result<(), E>,
    ) -> Result<(), E>;

    /// Calls `each` for every item once, by number, as it was planned.
    async fn items<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(ItemAccount) -> Result<(), E>,
    ) -> Result<(), E>;

    /// Calls `each` for every item once, by number, as it was planned, with its rows as they stand, in file order.
    async fn items_with_rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(ItemAccount, Vec<RowStanding>) -> Result<(), E>,
    ) -> Result<(), E>;

    /// Calls `each` for every item once, by number, that sending settled or may have written.
    async fn sent<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(SentItem) -> Result<(), E>,
    ) -> Result<(), E>;

    /// Returns the item of a referral, where sending settled it or may have written it.
    async fn sent_item(&self, referral: ReferralId) -> Result<Option<SentItem>, LedgerError>;

    /// Returns the referrals that were written, all of one item or some, by number of their items.
    async fn written_ids(&self) -> Result<Vec<ReferralId>, LedgerError>;

    /// Returns what came of a wave, and the referrals that were written in it, by their places.
    async fn wave(&self, wave: Wave) -> Result<WaveSoFar, LedgerError>;

    /// Returns all verifications with their numbers, the first one first.
    async fn verifications(&self) -> Result<Vec<(u64, Verification)>, LedgerError>;

    /// Calls `each` for every item once, by number, that a verification found something of.
    async fn verified<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(VerifiedItem) -> Result<(), E>,
    ) -> Result<(), E>;

    /// Returns what was found last of an item, with the number of the verification.
    async fn last_verified(&self, item: u64) -> Result<Option<(u64, Verified)>, LedgerError>;
}

/// Single rows and items of a run, found without reading all of it. Each record that is returned was checked to be as it
/// was written; the others were not.
pub(super) trait RunLookup {
    /// Returns what the run is, and how far it had come.
    fn header(&self) -> &RunHeader;

    /// Returns the format of the ledger, where a newer version of this program wrote it.
    fn newer(&self) -> Option<i32>;

    /// Returns every consent that was given, in their order.
    async fn consents(&self) -> Result<Vec<Consent>, LedgerError>;

    /// Returns every approval that was given, in their order.
    async fn approvals(&self) -> Result<Vec<Approval>, LedgerError>;

    /// Returns the inputs, in their order.
    async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError>;

    /// Returns the rows that begin on a line of an input, and at a column of it where one is given, in their order and
    /// at most so many.
    async fn rows_at(&self, at: LineOfInput, most: usize) -> Result<Vec<RowAccount>, LedgerError>;

    /// Returns the last row of an input that begins before a line, and the first that begins behind it.
    async fn rows_beside(&self, at: LineOfInput) -> Result<[Option<RowAccount>; 2], LedgerError>;

    /// Whether it is certain that no row begins at a place where none is found, whatever of the run is damaged. Where it
    /// isn't, only reading the whole run tells.
    async fn lacks(&self, at: LineOfInput) -> Result<bool, LedgerError>;

    /// Returns the rows that name a referral, in the order of the input.
    async fn rows_naming(&self, id: ReferralId) -> Result<Vec<RowAccount>, LedgerError>;

    /// Returns the referrals of an engagement, by number of their items. Every subject is read for it, and nothing else.
    async fn of_engagement(&self, id: ReferralId) -> Result<Vec<ReferralId>, LedgerError>;

    /// Calls `each` with the id and the place of every row that names a referral, in the order of the input. It is
    /// certain then that no other row does. Nothing but rows is read for it.
    async fn each_name(&self, each: &mut dyn FnMut(ReferralId, Location)) -> Result<(), LedgerError>;

    /// Returns all that is on record about an item; `None` where there is no such item.
    async fn item_life(&self, number: u64) -> Result<Option<ItemLife>, LedgerError>;
}

/// Evaluates one expression for whichever backend an enum of them holds.
macro_rules! whichever {
    ($of:ident: $kept:expr, $backend:ident => $done:expr) => {
        match $kept {
            $of::Sqlite($backend) => $done,
            $of::Memory($backend) => $done,
        }
    };
}
pub(super) use whichever;
