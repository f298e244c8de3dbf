//! The sending side's handle on the ledger: callers make requests, and the writer's thread writes them.

use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::backend::BatchStore;
use super::error::LedgerError;
use super::model::VerifiedPart;
use super::record::{Finish, Record, Request};
use super::ticket::{AttemptId, Ticket};
use super::writer::{ManualWriter, Writer};
use crate::domain::account::{Phase, RunStats, Settled};
use crate::domain::attempt::AttemptAnswer;
use crate::domain::item::Item;
use crate::domain::step::{StepKind, StepTaken, Waits};

/// Returns the time that goes on record with an intent.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A started run that intents, answers and outcomes are written to. Requests through all its clones are
/// written in the order they are made.
///
/// Dropping the last clone waits until everything that was requested is written; the run then stays stopped.
#[derive(Debug, Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    /// `None` only while this value is dropped.
    requests: Option<Sender<Request>>,
    /// The writer's thread; `None` once it was joined, and where the writer has no thread.
    thread: Mutex<Option<JoinHandle<()>>>,
    failed: Arc<OnceLock<LedgerError>>,
    clock: Clock,
    dir: PathBuf,
}

impl Journal {
    /// Begins to write into a store, on a thread of its own.
    pub(super) fn begin(store: Box<dyn BatchStore>, clock: Clock) -> Result<Self, LedgerError> {
        let (journal, writer) = Self::new(store, clock);
        let thread = thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| LedgerError::file(&journal.shared.dir, error))?;
        *journal.shared.thread() = Some(thread);
        Ok(journal)
    }

    /// Begins to write into a store without a thread: the [`ManualWriter`] writes when it is told to.
    pub(super) fn by_hand(store: Box<dyn BatchStore>, clock: Clock) -> (Self, ManualWriter) {
        let (journal, writer) = Self::new(store, clock);
        (journal, ManualWriter::new(writer))
    }

    fn new(store: Box<dyn BatchStore>, clock: Clock) -> (Self, Writer) {
        let (requests, received) = mpsc::channel();
        let (failed, dir) = (Arc::new(OnceLock::new()), store.dir().to_owned());
        let writer = Writer::new(received, store, Arc::clone(&failed));
        let (requests, thread) = (Some(requests), Mutex::new(None));
        (Self { shared: Arc::new(Shared { requests, thread, failed, clock, dir }) }, writer)
    }

    /// Records the intent to send an item, and waits until it is on record. Every call is an attempt of its
    /// own. A call that is cancelled while it waits leaves an attempt without a result.
    ///
    /// # Errors
    /// [`LedgerError::Poisoned`] where this or an earlier write failed; [`LedgerError::Ended`] after
    /// [`Journal::finish`]. Without a ticket nothing may be sent.
    pub async fn intend(&self, item: &Arc<Item>) -> Result<Ticket, LedgerError> {
        self.intend_after(Waits::default(), item).await
    }

    /// Records the intent to send an item as [`Journal::intend`] does, and with it what was waited for before, if that
    /// is worth a record.
    ///
    /// # Errors
    /// As [`Journal::intend`].
    pub async fn intend_after(&self, waits: Waits, item: &Arc<Item>) -> Result<Ticket, LedgerError> {
        let waits = Some(waits).filter(Waits::are_noteworthy);
        let (reply, ticket) = oneshot::channel();
        let (item, at) = (Arc::clone(item), (self.shared.clock)());
        let client_request_id = Uuid::new_v4();
        self.shared.ask(Request::Write(Record::Intent { item, client_request_id, at, waits, reply }))?;
        ticket.await.unwrap_or_else(|_| Err(self.shared.gone()))
    }

    /// Records the answer to an attempt, without waiting. A later answer to the same attempt replaces an
    /// earlier one: an attempt that was in doubt can turn out as not applied. Where the answer can't be
    /// written, the next other call returns the error; the attempt then counts as one without a result.
    pub fn answered(&self, attempt: AttemptId, answer: AttemptAnswer) {
        // The failure is kept, and the next call that returns a result reports it.
        let _ = self.shared.ask(Request::Write(Record::Answer { attempt, answer }));
    }

    /// Withdraws an intent that nothing was sent for, without waiting: the holder of the ticket sent nothing
    /// and never will. Where the withdrawal can't be written, the attempt counts as one without a result.
    pub fn withdrawn(&self, ticket: Ticket) {
        // As above.
        let _ = self.shared.ask(Request::Write(Record::Withdrawal { attempt: ticket.into_attempt() }));
    }

    /// Records a step of carrying out an item, without waiting. Nothing is decided by it: where it can't be written, the
    /// next other call returns the error, and the step is one that is not told later.
    pub fn stepped(&self, item: u64, attempt: Option<AttemptId>, kind: StepKind) {
        let taken = StepTaken { at: (self.shared.clock)(), kind };
        // As above.
        let _ = self.shared.ask(Request::Write(Record::Step { item, attempt, taken }));
    }

    /// Records the outcome of an item, once and for all. It is written after everything that was requested
    /// before; the call does not wait for the write.
    ///
    /// # Errors
    /// As [`Journal::intend`]; a failure of this very write comes with the next call.
    pub async fn settled(&self, item: u64, settled: Settled) -> Result<(), LedgerError> {
        self.shared.ask(Request::Write(Record::Outcome { item, settled }))
    }

    /// Records a part of what a verification found, after everything that was requested before, without waiting.
    ///
    /// # Errors
    /// As [`Journal::settled`].
    pub fn verified(&self, part: VerifiedPart) -> Result<(), LedgerError> {
        self.shared.ask(Request::Write(Record::Verified { part }))
    }

    /// Waits until everything that was requested before is on record.
    ///
    /// # Errors
    /// As [`Journal::intend`].
    pub async fn synced(&self) -> Result<(), LedgerError> {
        let (reply, synced) = oneshot::channel();
        self.shared.ask(Request::Sync(reply))?;
        synced.await.unwrap_or_else(|_| Err(self.shared.gone()))
    }

    /// Ends sending. Everything that was requested before is then on record, with the figures of this
    /// process, and the run can be opened again. A run that was stopped after its last item is finished.
    /// Later calls through other clones fail.
    ///
    /// # Errors
    /// [`LedgerError::Poisoned`] where anything could not be written; [`LedgerError::Unsettled`] where
    /// `phase` is finished and items have no outcome: the run is then stopped.
    pub async fn finish(self, phase: Phase, stats: &RunStats) -> Result<(), LedgerError> {
        self.end(phase, false, stats).await
    }

    /// Ends sending as [`Journal::finish`] does, of a run of which something besides its items is left to do: it stays
    /// stopped, though every item may have its outcome.
    ///
    /// # Errors
    /// [`LedgerError::Poisoned`] where anything could not be written.
    pub async fn leave_open(self, stats: &RunStats) -> Result<(), LedgerError> {
        self.end(Phase::Stopped, true, stats).await
    }

    async fn end(self, phase: Phase, stays_open: bool, stats: &RunStats) -> Result<(), LedgerError> {
        let (reply, ended) = oneshot::channel();
        self.shared.ask_even_so(Request::Finish(Finish { phase, stays_open, stats: *stats, reply }))?;
        let ended = ended.await.unwrap_or_else(|_| Err(self.shared.gone()));
        // The reply was the last thing that the thread did, so it is about to end by itself.
        self.shared.join();
        ended
    }
}

impl Shared {
    fn ask(&self, request: Request) -> Result<(), LedgerError> {
        match self.failed.get() {
            Some(error) => Err(error.clone()),
            None => self.ask_even_so(request),
        }
    }

    fn ask_even_so(&self, request: Request) -> Result<(), LedgerError> {
        let requests = self.requests.as_ref().expect("requests are taken away by drop alone");
        requests.send(request).map_err(|_| self.gone())
    }

    /// Returns why the thread doesn't answer.
    fn gone(&self) -> LedgerError {
        self.failed.get().cloned().unwrap_or_else(|| LedgerError::Ended { dir: self.dir.clone() })
    }

    fn thread(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join(&self) {
        let thread = self.thread().take();
        if let Some(thread) = thread {
            // A thread that panicked has answered no request, and its callers got an error for that.
            let _ = thread.join();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        drop(self.requests.take());
        self.join();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Journal").field("dir", &self.dir).finish_non_exhaustive()
    }
}
