//! The one thread that writes while a run is sent, and the tickets that it alone gives out.
//!
//! Whatever waits is written in one transaction, and every intent in it is acknowledged once that
//! is on record. While it is being synced the next batch gathers by itself; where much gathers, a moment's
//! patience lets one commit serve more.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{fmt, iter, thread};

use super::backend::BatchStore;
use super::error::LedgerError;
use super::record::{Finish, Record, Request};
use super::ticket::{AttemptId, Ticket};
use crate::domain::account::{Phase, RunStats};

/// Records in one transaction. An item makes three, so this is a commit for all that some hundred items
/// in flight have to say at a time.
const BATCH: usize = 1_024;

/// How long a batch gathers after one of so many records. Anybody who sends a few at a time waits for no
/// more than the disk.
const GATHERING: (usize, Duration) = (32, Duration::from_millis(1));

/// What the thread owns.
pub(super) struct Writer {
    store: Box<dyn BatchStore>,
    /// The first failure; the handles look at it before they ask for anything.
    failed: Arc<OnceLock<LedgerError>>,
    /// Let go of last, since fields are dropped in the order they are declared in: whoever hears that nobody
    /// writes any more may open the run at once.
    requests: Receiver<Request>,
}

impl Writer {
    pub(super) fn new(
        requests: Receiver<Request>,
        store: Box<dyn BatchStore>,
        failed: Arc<OnceLock<LedgerError>>,
    ) -> Self {
        Self { store, failed, requests }
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

    fn end(mut self, Finish { phase, stats, reply }: Finish) {
        let ended = self.finish(phase, &stats);
        // Whoever hears that the run is finished may open it at once.
        drop(self);
        // Nobody may be listening any more, which changes nothing.
        let _ = reply.send(ended);
    }

    /// The next request. While there is none the ledger is tidied.
    fn wait(&mut self) -> Option<Request> {
        self.tidy(false);
        match self.requests.try_recv() {
            Ok(request) => Some(request),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                self.tidy(true);
                self.requests.recv().ok()
            }
        }
    }

    fn tidy(&mut self, idle: bool) {
        if let Err(error) = self.store.tidy(idle) {
            self.poison(&error);
        }
    }

    /// Writes a batch. Every intent of it gets its ticket, or every one the error.
    fn commit(&mut self, batch: Vec<Record>) {
        if batch.is_empty() {
            return;
        }
        let written = match self.failed.get() {
            Some(earlier) => Err(earlier.clone()),
            None => self.store.write(&batch).map_err(|error| self.poison(&error)),
        };
        match written {
            Ok(attempts) => acknowledge(batch, attempts),
            Err(error) => refuse(batch, &error),
        }
        self.store.acknowledged();
    }

    /// Keeps the first failure, and answers with it.
    fn poison(&self, error: &LedgerError) -> LedgerError {
        let poisoned = || LedgerError::poisoned(self.store.file(), error.clone());
        self.failed.get_or_init(poisoned).clone()
    }

    fn finish(&mut self, phase: Phase, stats: &RunStats) -> Result<(), LedgerError> {
        if let Some(earlier) = self.failed.get() {
            return Err(earlier.clone());
        }
        // Whoever stops a run can't see what is on its way to the disk: here alone it is known whether
        // anything was left.
        match self.store.finish(stats) {
            Ok(items) if phase == Phase::Finished && items > 0 => {
                Err(LedgerError::Unsettled { dir: self.store.dir().to_owned(), items })
            }
            Ok(_) => Ok(()),
            Err(error @ LedgerError::Poisoned { .. }) => Err(self.failed.get_or_init(|| error).clone()),
            Err(error) => Err(error),
        }
    }
}

/// A writer that has no thread: it writes when it is told to, and loses what waits when it is dropped, as
/// where a process is killed. That is how a simulation says what is on record when.
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
            let _ = reply.send(Ok(Ticket::issue(attempt, item, client_request_id)));
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
