//! Writes batches of intents, answers and outcomes, each batch in one transaction.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::blocks::Blocks;
use super::crash_points::CrashPoint;
use super::lock::Lock;
use super::permissions;
use super::records::{next_attempt, remove_intent, write_answer, write_intent, write_outcome, write_step};
use super::rest::RestVerdict;
use super::schema::close_session;
use super::store::Store;
use super::verified;
use crate::domain::account::{Phase, RunStats};
use crate::domain::step::{StepKind, StepTaken};
use crate::ledger::backend::BatchStore;
use crate::ledger::error::LedgerError;
use crate::ledger::record::Record;
use crate::ledger::ticket::AttemptId;

/// The number of records after which the log is copied into the database (a checkpoint): the first as soon as
/// no request waits, the second in any case.
const CHECKPOINT: (usize, usize) = (2_000, 40_000);

/// The file of a started run, held by its writer.
pub struct Batches {
    store: Store,
    /// Items, outcomes and attempts as they are on record. After a write that failed there is no other one, so that it
    /// doesn't matter that these are then ahead.
    blocks: Blocks,
    /// Whether all of the ledger was checked: else the run is not finished.
    rest: RestVerdict,
    /// The identity of the ledger's file. SQLite goes on writing into a file that was removed, where its
    /// records would never be read.
    identity: (u64, u64),
    /// Records written since the last checkpoint.
    unchecked: usize,
    /// The run's lock. Fields are dropped in the order they are declared in, so it is released after the
    /// store is closed.
    lock: Lock,
}

impl Batches {
    pub(super) fn new(
        store: Store,
        blocks: Blocks,
        rest: RestVerdict,
        lock: Lock,
    ) -> Result<Self, LedgerError> {
        // SQLite would checkpoint by itself in the middle of a commit that callers wait for.
        store.told(store.connection.pragma_update(None, "wal_autocheckpoint", 0))?;
        let file = store.file();
        let identity = permissions::identity(&file).map_err(|error| LedgerError::file(&file, error))?;
        Ok(Self { store, blocks, rest, identity, unchecked: 0, lock })
    }

    /// Checks that the file and the lock are still in their places, so that what was written will be found
    /// again.
    fn is_there(&self) -> Result<(), LedgerError> {
        let file = self.store.file();
        match permissions::identity(&file) {
            Ok(identity) if identity == self.identity => self.lock.is_there(),
            _ => Err(LedgerError::Database { file, detail: "it was moved or removed meanwhile".to_owned() }),
        }
    }

    fn poisoned(&self, first: LedgerError) -> LedgerError {
        LedgerError::poisoned(self.store.file(), first)
    }
}

impl BatchStore for Batches {
    fn dir(&self) -> &Path {
        &self.store.dir
    }

    fn file(&self) -> PathBuf {
        self.store.file()
    }

    fn write(&mut self, batch: &[Record]) -> Result<Vec<AttemptId>, LedgerError> {
        self.store.step(CrashPoint::Writing);
        let written = write(&mut self.store.connection, &mut self.blocks, batch);
        // This is checked before any intent is acknowledged: a batch in a file that was removed, or under a
        // lock that was taken away, must not let anything be sent.
        let kept = self.store.told(written).and_then(|attempts| self.is_there().map(|()| attempts));
        self.unchecked += batch.len();
        self.store.step(CrashPoint::Written);
        kept
    }

    fn acknowledged(&mut self) {
        self.store.step(CrashPoint::Told);
    }

    fn tidy(&mut self, idle: bool) -> Result<(), LedgerError> {
        if self.unchecked < if idle { CHECKPOINT.0 } else { CHECKPOINT.1 } {
            return Ok(());
        }
        self.unchecked = 0;
        self.store.checkpoint().map(drop)
    }

    fn finish(&mut self, stats: &RunStats, stays_open: bool) -> Result<u64, LedgerError> {
        self.is_there().map_err(|error| self.poisoned(error))?;
        let items = self.blocks.count_left();
        let is_open = items > 0 || stays_open || !self.rest.is_whole();
        let phase = if is_open { Phase::Stopped } else { Phase::Finished };
        // This comes before the mark is removed that says there is more in the log.
        let is_all_in = self.store.checkpoint()?;
        self.store.step(CrashPoint::Closing);
        let closed = self
            .store
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| close_session(transaction, phase, stats, is_all_in));
        self.store.told(closed).map_err(|error| self.poisoned(error))?;
        self.store.step(CrashPoint::Closed);
        self.store.checkpoint()?;
        Ok(items)
    }
}

/// Writes a batch in one transaction, with the blocks of its items; returns the numbers of its intents, in their order.
fn write(
    connection: &mut Connection,
    blocks: &mut Blocks,
    batch: &[Record],
) -> rusqlite::Result<Vec<AttemptId>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut attempts, mut carried) = (Vec::new(), BTreeSet::new());
    // Read within the transaction, so that a number is given out once, whatever became of the batch before.
    let mut next = next_attempt(&transaction)?;
    for record in batch {
        match record {
            Record::Intent { item, client_request_id, at, waits, .. } => {
                let number = next;
                next += 1;
                write_intent(&transaction, number, item, *client_request_id, *at)?;
                carried.insert(blocks.attempted(item.number, number));
                if let Some(waits) = waits {
                    let taken = StepTaken { at: *at, kind: StepKind::Waited(*waits) };
                    write_step(&transaction, item.number, Some(number), &taken)?;
                }
                attempts.push(AttemptId::numbered(number));
            }
            Record::Answer { attempt, answer } => write_answer(&transaction, attempt.number(), answer)?,
            Record::Withdrawal { attempt } => {
                let item = remove_intent(&transaction, attempt.number())?;
                carried.insert(blocks.withdrawn(item, attempt.number()));
            }
            Record::Step { item, attempt, taken } => {
                write_step(&transaction, *item, attempt.map(AttemptId::number), taken)?;
            }
            Record::Outcome { item, settled } => {
                write_outcome(&transaction, *item, false, settled)?;
                carried.insert(blocks.settle(*item));
            }
            Record::Verified { part } => verified::write(&transaction, part)?,
        }
    }
    for block in carried {
        blocks.write_carried(block, &transaction)?;
    }
    transaction.commit()?;
    Ok(attempts)
}
