//! The one thread that writes while a run is sent, and the tickets that it alone gives out.
//!
//! Whatever waits is written in one transaction, and every intent in it is acknowledged once that
//! is on disk. While it is being synced the next batch gathers by itself; where much gathers, a moment's
//! patience lets one commit serve more.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{fmt, iter, thread};

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::LedgerError;
use super::outstanding::AttemptResult;
use super::sqlite::crash_points::CrashPoint;
use super::sqlite::lock::Lock;
use super::sqlite::permissions;
use super::sqlite::records::{number, remove_intent, write_answer, write_intent, write_outcome};
use super::sqlite::schema::{Store, close_session};
use crate::domain::account::{Phase, RunStats, Settled};
use crate::domain::exchange::Journaled;
use crate::domain::item::Item;
use crate::domain::referral::{ETag, ReferralId};

/// Records in one transaction. An item makes three, so this is a commit for all that some hundred items
/// in flight have to say at a time.
const BATCH: usize = 1_024;

/// How long a batch gathers after one of so many records. Anybody who sends a few at a time waits for no
/// more than the disk.
const GATHERING: (usize, Duration) = (32, Duration::from_millis(1));

/// Records after which the log is brought into the database as soon as nothing waits, and after
/// which it is in any case.
const CHECKPOINT: (usize, usize) = (2_000, 40_000);

/// One attempt at sending an item, as numbered by the ledger: a later one has a greater number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(i64);

/// The right to send an item once: its intent is on disk. Only the ledger's writer makes one, and
/// whoever sends takes it by value.
///
/// ```compile_fail,E0451
/// # use std::sync::Arc;
/// # use referral_bulk::{domain::item::Item, ledger::{AttemptId, Ticket}};
/// fn forge(attempt: AttemptId, item: Arc<Item>) -> Ticket {
///     Ticket { attempt, item, client_request_id: uuid::Uuid::nil() }
/// }
/// ```
///
/// ```compile_fail,E0277
/// # use referral_bulk::ledger::Ticket;
/// fn twice(ticket: &Ticket) -> Ticket {
///     Ticket::clone(ticket)
/// }
/// ```
#[derive(Debug)]
pub struct Ticket {
    attempt: AttemptId,
    item: Arc<Item>,
    client_request_id: Uuid,
}

impl Ticket {
    /// The attempt that it is for, to say later what became of it.
    pub fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// The attempt that is not made with it.
    pub(super) fn into_attempt(self) -> AttemptId {
        self.attempt
    }
}

impl Journaled for Ticket {
    fn id(&self) -> ReferralId {
        self.item.id
    }

    fn etag(&self) -> Option<&ETag> {
        self.item.etag.as_ref()
    }

    fn document(&self) -> &str {
        self.item.patch.get()
    }

    fn request_id(&self) -> Uuid {
        self.item.request_id
    }

    fn client_request_id(&self) -> Uuid {
        self.client_request_id
    }
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

/// Who waits for what.
type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

/// What the thread is asked to do, in this order.
#[derive(Debug)]
pub(super) enum Request {
    Write(Record),
    Finish(Finish),
}

/// To end sending, how far it has come, and what was done.
#[derive(Debug)]
pub(super) struct Finish {
    pub(super) phase: Phase,
    pub(super) figures: RunStats,
    pub(super) reply: Reply<()>,
}

/// One thing to be written.
#[derive(Debug)]
pub(super) enum Record {
    Intent { item: Arc<Item>, client_request_id: Uuid, at: Timestamp, reply: Reply<Ticket> },
    Answer { attempt: AttemptId, answer: AttemptAnswer },
    Withdrawal { attempt: AttemptId },
    Outcome { item: u64, settled: Settled },
}

/// What the thread owns.
pub(super) struct Writer {
    store: Store,
    /// Of the ledger's file. SQLite goes on writing into a file that was removed, and nobody would ever
    /// read it.
    identity: (u64, u64),
    /// Let go of after the store is closed: fields are dropped in the order they are declared in.
    lock: Lock,
    /// The first failure; the handles look at it before they ask for anything.
    failed: Arc<OnceLock<LedgerError>>,
    /// Records written since the last checkpoint.
    unchecked: usize,
    /// Let go of last: whoever hears that nobody writes any more may open the run at once.
    requests: Receiver<Request>,
}

impl Writer {
    pub(super) fn new(
        requests: Receiver<Request>,
        store: Store,
        lock: Lock,
        failed: Arc<OnceLock<LedgerError>>,
    ) -> Result<Self, LedgerError> {
        // SQLite would do it in the middle of a commit that somebody waits for.
        store.told(store.connection.pragma_update(None, "wal_autocheckpoint", 0))?;
        let file = store.file();
        let identity = permissions::identity(&file).map_err(|error| permissions::told(&file, error))?;
        Ok(Self { store, identity, lock, failed, unchecked: 0, requests })
    }

    /// Works until it is told to finish, or until nobody is left who could ask for anything and all
    /// that was asked is done.
    pub(super) fn run(mut self) {
        let mut before = 0;
        while let Some(first) = self.wait() {
            if before >= GATHERING.0 {
                thread::sleep(GATHERING.1);
            }
            let finish;
            (before, finish) = self.write(first, BATCH);
            if let Some(finish) = finish {
                return self.end(finish);
            }
        }
    }

    /// Writes what waits, up to so many records, in one transaction. Answers how many they were, and with
    /// the request to finish, where it comes to that.
    fn write(&mut self, first: Request, most: usize) -> (usize, Option<Finish>) {
        let (mut batch, mut finish) = (Vec::new(), None);
        for request in iter::once(first).chain(self.requests.try_iter()).take(most) {
            match request {
                Request::Write(record) => batch.push(record),
                Request::Finish(last) => {
                    finish = Some(last);
                    break;
                }
            }
        }
        let written = batch.len();
        self.commit(batch);
        (written, finish)
    }

    fn end(mut self, Finish { phase, figures, reply }: Finish) {
        let ended = self.finish(phase, &figures);
        // Whoever hears that the run is finished may open it at once.
        drop(self);
        // Nobody may be listening any more, which changes nothing.
        let _ = reply.send(ended);
    }

    /// The next request. While there is none the log is brought into the database.
    fn wait(&mut self) -> Option<Request> {
        if self.unchecked >= CHECKPOINT.1 {
            self.checkpoint();
        }
        match self.requests.try_recv() {
            Ok(request) => Some(request),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                if self.unchecked >= CHECKPOINT.0 {
                    self.checkpoint();
                }
                self.requests.recv().ok()
            }
        }
    }

    fn checkpoint(&mut self) {
        self.unchecked = 0;
        if let Err(error) = self.store.checkpoint() {
            self.poison(&error);
        }
    }

    /// Writes a batch. Every intent of it gets its ticket, or every one the error.
    fn commit(&mut self, batch: Vec<Record>) {
        if batch.is_empty() {
            return;
        }
        self.store.step(CrashPoint::Writing);
        let written = match self.failed.get() {
            Some(earlier) => Err(earlier.clone()),
            None => {
                let written = write(&mut self.store.connection, &batch);
                let kept = self.store.told(written).and_then(|attempts| self.is_there().map(|()| attempts));
                kept.map_err(|error| self.poison(&error))
            }
        };
        self.unchecked += batch.len();
        self.store.step(CrashPoint::Written);
        match written {
            Ok(attempts) => acknowledge(batch, attempts),
            Err(error) => refuse(batch, &error),
        }
        self.store.step(CrashPoint::Told);
    }

    /// Whether what was written will be found again.
    fn is_there(&self) -> Result<(), LedgerError> {
        let file = self.store.file();
        match permissions::identity(&file) {
            Ok(identity) if identity == self.identity => self.lock.is_there(),
            _ => Err(LedgerError::Database { file, detail: "it was moved or removed meanwhile".to_owned() }),
        }
    }

    /// Keeps the first failure, and answers with it.
    fn poison(&self, error: &LedgerError) -> LedgerError {
        let poisoned = || LedgerError::Poisoned { file: self.store.file(), first: Box::new(error.clone()) };
        self.failed.get_or_init(poisoned).clone()
    }

    fn finish(&mut self, phase: Phase, figures: &RunStats) -> Result<(), LedgerError> {
        if let Some(earlier) = self.failed.get() {
            return Err(earlier.clone());
        }
        self.is_there().map_err(|error| self.poison(&error))?;
        let items = self.store.told(unsettled(&self.store.connection))?;
        // Whoever stops a run can't see what is on its way to the disk: here alone it is known whether
        // anything was left.
        let honest = if items > 0 { Phase::Stopped } else { Phase::Finished };
        // Before the mark is taken back that says there is more in the log.
        let is_all_in = self.store.checkpoint()?;
        self.store.step(CrashPoint::Closing);
        let closed = self
            .store
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| close_session(transaction, honest, figures, is_all_in));
        self.store.told(closed).map_err(|error| self.poison(&error))?;
        self.store.step(CrashPoint::Closed);
        self.store.checkpoint()?;
        if phase == Phase::Finished && items > 0 {
            return Err(LedgerError::Unsettled { dir: self.store.dir.clone(), items });
        }
        Ok(())
    }
}

/// A writer that has no thread: it writes when it is told to, and loses what waits when it is dropped, as
/// where a process is killed. That is how a simulation says what is on disk when.
pub struct ManualWriter(Option<Writer>);

impl ManualWriter {
    pub(super) fn new(writer: Writer) -> Self {
        Self(Some(writer))
    }

    /// Writes what waits, up to so many records, in one transaction. Answers whether anything waited.
    pub fn write(&mut self, most: usize) -> bool {
        let Some(writer) = &mut self.0 else { return false };
        let Ok(first) = writer.requests.try_recv() else { return false };
        if let (_, Some(finish)) = writer.write(first, most)
            && let Some(writer) = self.0.take()
        {
            writer.end(finish);
        }
        true
    }
}

impl fmt::Debug for ManualWriter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ManualWriter")
    }
}

/// Gives every intent of a written batch its ticket.
fn acknowledge(batch: Vec<Record>, attempts: Vec<AttemptId>) {
    let mut attempts = attempts.into_iter();
    for record in batch {
        if let Record::Intent { item, client_request_id, reply, .. } = record {
            let attempt = attempts.next().expect("every intent that is written has its number");
            // Whoever gave up waiting sends nothing; the attempt is then one without a result.
            let _ = reply.send(Ok(Ticket { attempt, item, client_request_id }));
        }
    }
}

fn refuse(batch: Vec<Record>, error: &LedgerError) {
    for record in batch {
        if let Record::Intent { reply, .. } = record {
            // As above.
            let _ = reply.send(Err(error.clone()));
        }
    }
}

/// Writes a batch in one transaction; answers with the numbers of its intents, in their order.
fn write(connection: &mut Connection, batch: &[Record]) -> rusqlite::Result<Vec<AttemptId>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut attempts = Vec::new();
    for record in batch {
        match record {
            Record::Intent { item, client_request_id, at, .. } => {
                attempts.push(AttemptId(write_intent(&transaction, item, *client_request_id, *at)?));
            }
            Record::Answer { attempt, answer } => write_answer(&transaction, attempt.0, answer)?,
            Record::Withdrawal { attempt } => remove_intent(&transaction, attempt.0)?,
            Record::Outcome { item, settled } => write_outcome(&transaction, *item, false, settled)?,
        }
    }
    transaction.commit()?;
    Ok(attempts)
}

fn unsettled(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT (SELECT count(*) FROM item) - (SELECT count(*) FROM outcome)", [], |row| {
        number(row, 0)
    })
}
