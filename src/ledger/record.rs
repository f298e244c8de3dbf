//! What those who send ask of the ledger's writer.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::error::LedgerError;
use super::model::AttemptAnswer;
use super::ticket::{AttemptId, Ticket};
use crate::domain::account::{Phase, RunStats, Settled};
use crate::domain::item::Item;

/// Where the writer's answer goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

/// What the writer is asked to do, in this order.
#[derive(Debug)]
pub(super) enum Request {
    Write(Record),
    Finish(Finish),
}

/// To end sending, how far it has come, and what was done.
#[derive(Debug)]
pub(super) struct Finish {
    pub(super) phase: Phase,
    pub(super) stats: RunStats,
    pub(super) reply: Reply<()>,
}

/// One thing to be written.
#[derive(Debug)]
pub(super) enum Record {
    /// What is about to be sent. Its reply is the ticket.
    Intent { item: Arc<Item>, client_request_id: Uuid, at: Timestamp, reply: Reply<Ticket> },
    /// What became of an attempt, over what was known of it before: evidence, which decides nothing.
    Answer { attempt: AttemptId, answer: AttemptAnswer },
    /// That nothing was sent for an intent, and never will be.
    Withdrawal { attempt: AttemptId },
    /// How an item came out: a decision, which is made once.
    Outcome { item: u64, settled: Settled },
}
