//! The values that a ledger returns about a run, with either backend.

use std::sync::Arc;

use super::outstanding::Due;
use crate::domain::account::{Phase, RunStats, Settled};
use crate::domain::finding::Location;
use crate::domain::item::Item;
use crate::domain::outcome::Outcome;
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::run_spec::RunSpec;
use crate::domain::subject::Subject;
use crate::domain::verification::{Verification, Verified};

/// The header of a run: what it is, how far it has come, and whether any of its records are lost.
#[derive(Debug, Clone)]
pub struct RunHeader {
    /// The spec that the run was planned with.
    pub spec: RunSpec,
    /// How far the run had come when it was opened. To a reader a run that is being sent right now looks like
    /// one that stopped.
    pub phase: Phase,
    pub(super) lost: Option<Lost>,
}

impl RunHeader {
    /// Makes the header of a run that is being planned.
    pub(super) fn planning(spec: RunSpec) -> Self {
        Self { spec, phase: Phase::Planning, lost: None }
    }

    /// Returns whether, and when, the run was found to have lost its log, and with it what was sent last.
    /// Every item without an outcome is then one that may have been sent.
    pub fn loss(&self) -> Option<Loss> {
        self.lost.map(|lost| lost.when)
    }

    /// Returns the number of the last attempt that was on record when the loss was found.
    pub(super) fn lost_after(&self) -> Option<i64> {
        self.lost.map(|lost| lost.after)
    }
}

/// When the loss of a run's log was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Found on this opening: nothing was sent since, so the log can still be put back.
    Found,
    /// Found on this opening, and the log is not missing: the run may have been sent from another copy.
    Elsewhere,
    /// Recorded earlier, by a process that began to send afterwards.
    Recorded,
}

/// The part of a run that is lost with its log: any intent and any result after some attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    /// The number of the last attempt that was on record when the loss was found.
    pub(super) after: i64,
    pub(super) when: Loss,
}

/// A line of an input, or a place on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineOfInput {
    /// The index of the input in the run, counted from 0.
    pub input: u32,
    /// The line, counted from 1.
    pub line: u64,
    /// The column at which a row begins, where one of several on the line is meant.
    pub column: Option<u32>,
}

/// The size of a run in rows and items, and how much is left: what remains is what a resumed run would still
/// do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanTotals {
    /// Input rows, the bad ones included.
    pub rows: u64,
    /// Items, one for each referral that a row was resolved to. A row that did not get that far has none.
    pub items: u64,
    /// Items that planning left to be sent.
    pub to_send: u64,
    /// Items to be sent that close their referral, which can't be taken back.
    pub closing: u64,
    /// Items that have no outcome yet.
    pub remaining: u64,
    /// Items without an outcome that close their referral.
    pub remaining_closing: u64,
}

/// The number of referrals that a run is about and has changed, each counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReferralTotals {
    /// Referrals that the rows are about, where the rows got that far.
    pub total: u64,
    /// Referrals that were written.
    pub changed: u64,
    /// Referrals that were closed.
    pub closed: u64,
}

/// An item without an outcome, and what is to be done about it.
#[derive(Debug, Clone)]
pub struct Outstanding {
    /// The item as it was last sent: after a rebase it has another eTag, and maybe another document, than the
    /// plan's. An item that was never sent is as it was planned.
    pub item: Arc<Item>,
    /// What to do next.
    pub due: Due,
    /// Whether the item was sent before.
    pub sent: bool,
    /// Whether any of its attempts may have reached the service, or may still reach it.
    pub doubted: bool,
    /// Whether it is doubted because the run's log is lost, which may have held another attempt.
    pub lost: bool,
    /// The HTTP status of the last attempt's answer, where it is on record.
    pub status: Option<u16>,
    /// The code of the last attempt's failure, for grouping.
    pub code: Option<String>,
    /// The eTags that the item was bound to so far: the plan's and those of its attempts.
    pub versions: Vec<ETag>,
}

impl Outstanding {
    /// Whether it was made anew for another version than the one that it was planned or bound for first.
    pub fn is_rebased(&self) -> bool {
        self.versions.first().is_some_and(|first| self.item.etag.as_ref() != Some(first))
    }
}

/// An item that sending settled or may have written, as it was sent last.
#[derive(Debug, Clone)]
pub struct SentItem {
    /// The item: after a rebase with another eTag, and maybe another document, than the plan's.
    pub item: Item,
    /// What became of it; `None` where it has no outcome yet, and may have been written.
    pub settled: Option<Settled>,
    /// Where its rows begin, in file order.
    pub rows: Vec<Location>,
    /// What people know its referral by, where that was seen.
    pub subject: Option<Subject>,
}

impl SentItem {
    /// Whether it isn't known if the service took any of it.
    pub fn is_in_doubt(&self) -> bool {
        self.settled.as_ref().is_none_or(|settled| settled.verdict.outcome == Outcome::Unknown)
    }
}

/// A part of what a verification found, as it goes on record.
#[derive(Debug, Clone)]
pub struct VerifiedPart {
    /// The number of the verification, counted from 1.
    pub number: u64,
    /// What came of it so far.
    pub verification: Verification,
    /// What was found, by the number of the item.
    pub items: Vec<(u64, Verified)>,
}

/// An item of which a verification found something, with the last that was found.
#[derive(Debug, Clone)]
pub struct VerifiedItem {
    /// The item's number.
    pub number: u64,
    /// The referral.
    pub id: ReferralId,
    /// Where its rows begin, in file order.
    pub rows: Vec<Location>,
    /// What people know its referral by, where that was seen.
    pub subject: Option<Subject>,
    /// The number of the verification.
    pub verification: u64,
    /// What it found.
    pub verified: Verified,
}

/// What came of a wave so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaveSoFar {
    /// The number of its items by outcome, where there are any; an item without one is in none.
    pub outcomes: Vec<(Outcome, u64)>,
    /// The referrals that were written, whole or in part, in the order of sending.
    pub written: Vec<ReferralId>,
}

impl WaveSoFar {
    /// Returns the number of items that have an outcome.
    pub fn settled(&self) -> u64 {
        self.outcomes.iter().map(|(_, count)| count).sum()
    }
}

/// Adds up the figures of all processes of a run that came to an end. PATCHes are counted from the attempts,
/// of which a crash loses none.
pub(super) fn summed(sessions: impl IntoIterator<Item = RunStats>, patch: u64) -> RunStats {
    let sum = sessions.into_iter().fold(RunStats::default(), RunStats::plus);
    RunStats { patch, ..sum }
}
