//! What a run's ledger tells of it, whatever keeps it.

use std::sync::Arc;

use jiff::Timestamp;

use super::outstanding::{AttemptResult, Due};
use crate::domain::account::{Phase, RunSpec, RunStats};
use crate::domain::item::Item;
use crate::domain::referral::ETag;

/// What a run is, how far it has come, and whether any of it is lost.
#[derive(Debug, Clone)]
pub struct RunHeader {
    /// What was said about the run when it was planned.
    pub spec: RunSpec,
    /// How far it had come when it was opened. To a reader a run that is being sent right now looks like one that
    /// stopped.
    pub phase: Phase,
    pub(super) lost: Option<Lost>,
}

impl RunHeader {
    /// The header of a run that is being planned.
    pub(super) fn planning(spec: RunSpec) -> Self {
        Self { spec, phase: Phase::Planning, lost: None }
    }

    /// Whether its log was lost, and with it what was sent last: every item without an outcome is then one
    /// that may have been sent.
    pub fn loss(&self) -> Option<Loss> {
        self.lost.map(|lost| lost.when)
    }

    /// The number of the last attempt that was on record when the loss was found.
    pub(super) fn lost_after(&self) -> Option<i64> {
        self.lost.map(|lost| lost.after)
    }
}

/// When it was found that a run's log is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Now: nothing was sent since, so the file can be put back yet.
    Found,
    /// Now, and not the log is missing: the run may have been sent from another copy.
    Elsewhere,
    /// By a process that began to send afterwards.
    Recorded,
}

/// What a run lost with its log: any intent and any result after some attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    /// The number of the last attempt that was on record when it was found.
    pub(super) after: i64,
    pub(super) when: Loss,
}

/// How much a run is. What remains is what a resumed run would still do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanTotals {
    /// Input rows, the bad ones included.
    pub rows: u64,
    /// Referrals that rows are about, where they got that far: one item each.
    pub items: u64,
    /// Items that planning left to be sent.
    pub to_send: u64,
    /// Of those, the ones that close their referral, which can't be taken back.
    pub closing: u64,
    /// Items that have no outcome yet.
    pub remaining: u64,
    /// Of those, the ones that close their referral.
    pub remaining_closing: u64,
}

/// How many referrals a run is about and changed, each counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReferralTotals {
    /// That the rows are about, where they got that far.
    pub total: u64,
    /// That were written.
    pub changed: u64,
    /// That were closed.
    pub closed: u64,
}

/// An item without an outcome, and what is to be done about it.
#[derive(Debug, Clone)]
pub struct Outstanding {
    /// The item as it was last sent: after a rebase that is another eTag, and maybe another document,
    /// than the plan's. Where it was never sent, as it was planned.
    pub item: Arc<Item>,
    /// What comes next.
    pub due: Due,
    /// Whether it was sent before.
    pub sent: bool,
    /// Whether any of its attempts may have been made, or may be yet.
    pub doubted: bool,
    /// Whether that is so because the run's log is lost, which may have told of another attempt.
    pub lost: bool,
    /// What the last attempt was answered with, where that is on record.
    pub status: Option<u16>,
    /// The same, as a word to group by.
    pub code: Option<String>,
    /// The versions that it was bound to so far.
    pub versions: Vec<ETag>,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptAnswer {
    /// What it means for sending again.
    pub result: AttemptResult,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// A stable word to group by, where it failed.
    pub code: Option<String>,
    /// When it came.
    pub at: Timestamp,
}

/// Adds up what all processes of a run did that came to an end. PATCHes are counted from the attempts, which a
/// crash loses none of.
pub(super) fn summed(sessions: impl IntoIterator<Item = RunStats>, patch: u64) -> RunStats {
    let sum = sessions.into_iter().fold(RunStats::default(), |sum, one| RunStats {
        get: sum.get.saturating_add(one.get),
        list: sum.list.saturating_add(one.list),
        patch: 0,
        token: sum.token.saturating_add(one.token),
        throttled: sum.throttled.saturating_add(one.throttled),
        retried: sum.retried.saturating_add(one.retried),
        seconds: sum.seconds + one.seconds,
        waiting_for_rate: sum.waiting_for_rate + one.waiting_for_rate,
        paused_by_server: sum.paused_by_server + one.paused_by_server,
        held_back: sum.held_back + one.held_back,
    });
    RunStats { patch, ..sum }
}
