//! The requests that the sending side makes of the ledger's writer.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::error::LedgerError;
use super::model::VerifiedPart;
use super::ticket::{AttemptId, Ticket};
use crate::domain::account::{Phase, RunStats, Settled};
use crate::domain::attempt::AttemptAnswer;
use crate::domain::item::Item;
use crate::domain::step::{StepTaken, Waits};

/// The channel for the writer's answer.
pub(super) type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

/// A request to the writer; requests are worked off in the order they are made.
#[derive(Debug)]
pub(super) enum Request {
    Write(Record),
    /// To say so when everything that was requested before is on record.
    Sync(Reply<()>),
    Finish(Finish),
}

/// A request to end sending, with how far the run has come and the figures of this process.
#[derive(Debug)]
pub(super) struct Finish {
    pub(super) phase: Phase,
    /// Whether the run stays stopped although every item may have its outcome.
    pub(super) stays_open: bool,
    pub(super) stats: RunStats,
    pub(super) reply: Reply<()>,
}

/// One record to be written.
#[derive(Debug)]
pub(super) enum Record {
    /// The intent to send an item, with what was waited for before. The reply is its ticket.
    Intent {
        item: Arc<Item>,
        client_request_id: Uuid,
        at: Timestamp,
        waits: Option<Waits>,
        reply: Reply<Ticket>,
    },
    /// The answer to an attempt, which replaces an earlier one. It is evidence and decides nothing.
    Answer { attempt: AttemptId, answer: AttemptAnswer },
    /// The withdrawal of an intent that nothing was sent for, nor ever will be.
    Withdrawal { attempt: AttemptId },
    /// A step of carrying out an item. It is for whoever asks later, and decides nothing.
    Step { item: u64, attempt: Option<AttemptId>, taken: StepTaken },
    /// The outcome of an item: a decision, which is made once.
    Outcome { item: u64, settled: Settled },
    /// A part of what a verification found. It decides nothing, and replaces what an earlier one found.
    Verified { part: VerifiedPart },
}
