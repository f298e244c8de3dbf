//! The one thread that writes while a run is sent, and issues the tickets.
//!
//! All waiting requests are written in one transaction, and each intent among them is acknowledged once that
//! transaction is on record. The next batch gathers while the one before is being synced to the disk. Where
//! many requests come in, a short pause lets one commit serve more of them.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{fmt, iter, thread};

use super::backend::BatchStore;
use super::error::LedgerError;
use super::record::{Finish, Record, Request};
use super::ticket::{AttemptId, Ticket};
use crate::domain::account::{Phase, RunStats};

/// Records in one transaction at most. An item makes three, so one commit holds all that some hundred items
/// in flight have to record at a time.
const BATCH: usize = 1_024;

/// The number of records in a batch from which on the next batch gathers for a moment, and how long. A caller
/// that sends a few items at a time waits only for the disk.
const GATHERING: (usize, Duration) = (32, Duration::from_millis(1));

/// The state that the writer's thread owns.
pub(super) struct Writer {
    store: Box<dyn BatchStore>,
    /// The first failure. The handles look at it before they make a request.
    failed: Arc<OnceLock<LedgerError>>,
    /// The requests. Fields are dropped in the order they are declared in, so this one is dropped last: a
    /// caller that learns by it that the writer is gone may open the run at once, and the store has to be
    /// closed by then.
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

    /// Writes until it is told to finish, or until no handle is left that could make a request and all
    /// requests are done.
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

    /// Writes the waiting requests, at most `most` of them, in one transaction. Returns how many records were
    /// written, and the request to finish, if one was among them.
    fn write(&mut self, first: Request, most: usize) -> (usize, Option<Finish>) {
        let (mut batch, mut waiting, mut finish) = (Vec::new(), Vec::new(), None);
        for request in iter::once(first).chain(self.requests.try_iter()).take(most) {
            match request {
                Request::Write(record) => batch.push(record),
                Request::Sync(reply) => waiting.push(reply),
                Request::Finish(last) => {
                    finish = Some(last);
                    break;
                }
            }
        }
        let written = batch.len();
        self.commit(batch);
        for reply in waiting {
            let kept = self.failed.get().cloned().map_or(Ok(()), Err);
            // A caller that stopped waiting needs no answer.
            let _ = reply.send(kept);
        }
        (written, finish)
    }

    fn end(mut self, Finish { phase, stays_open, stats, reply }: Finish) {
        let ended = self.finish(phase, stays_open, &stats);
        // The store is closed before the reply, since a caller that hears that the run is finished may open
        // it at once.
        drop(self);
        // The caller may not be waiting any more, which changes nothing.
        let _ = reply.send(ended);
    }

    /// Waits for the next request; while there is none the ledger is tidied.
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

    /// Writes a batch, and gives every intent in it its ticket, or every one the error.
    fn commit(&mut self, batch: Vec<Record>) {
        if batch.is_empty() {
            return;
        }
        // After one failure nothing more is written, so that nothing is sent without an intent on record.
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

    /// Keeps the first failure, and returns it.
    fn poison(&self, error: &LedgerError) -> LedgerError {
        let poisoned = || LedgerError::poisoned(self.store.file(), error.clone());
        self.failed.get_or_init(poisoned).clone()
    }

    fn finish(&mut self, phase: Phase, stays_open: bool, stats: &RunStats) -> Result<(), LedgerError> {
        if let Some(earlier) = self.failed.get() {
            return Err(earlier.clone());
        }
        // The caller that ends the run can't see which requests are still on their way to the disk. Only
        // here, after all of them, is it known whether any item is left.
        match self.store.finish(stats, stays_open) {
            Ok(items) if phase == Phase::Finished && items > 0 => {
                Err(LedgerError::Unsettled { dir: self.store.dir().to_owned(), items })
            }
            Ok(_) => Ok(()),
            Err(error @ LedgerError::Poisoned { .. }) => Err(self.failed.get_or_init(|| error).clone()),
            Err(error) => Err(error),
        }
    }
}

/// A writer without a thread: it writes when it is told to. Dropping it loses the waiting requests, as a
/// killed process would. A simulation decides with it what is on record at which moment.
pub struct ManualWriter(Option<Writer>);

impl ManualWriter {
    pub(super) fn new(writer: Writer) -> Self {
        Self(Some(writer))
    }

    /// Writes the waiting requests, at most `most` of them, in one transaction. Returns whether any waited.
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
            // A caller that stopped waiting sends nothing; its attempt is then one without a result.
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
