//! Checks, while a large run is sent, what was not checked of its ledger before: every page, and every record.
//!
//! Opening such a run checks what tells how far it has come, and of each item all that is needed to send it is checked
//! before it is handed out: see [`Claims`](super::claims::Claims). What is wrong anywhere else lets nothing be sent that
//! was not checked, and stops the run as soon as it is found. A run is not finished before all of it was checked.

use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::InterruptHandle;
use tokio::sync::watch::{self, Receiver};

use super::check::checked_run;
use super::store::Store;
use crate::ledger::error::LedgerError;

/// The time after which a check that was told to end is told so again: it may have been between two queries.
const AGAIN: Duration = Duration::from_millis(1);

/// What came of the check; `None` as long as it goes on.
type Verdict = Option<Result<(), LedgerError>>;

/// The check while it goes on. Dropping it ends it.
pub(super) struct RestCheck {
    verdict: RestVerdict,
    running: Option<(InterruptHandle, JoinHandle<()>)>,
}

/// What comes of the check, for everybody who has to know.
#[derive(Debug, Clone)]
pub(super) struct RestVerdict {
    receiver: Receiver<Verdict>,
}

impl RestCheck {
    /// Begins to check a ledger as it stands now.
    pub(super) fn begin(dir: &Path) -> Result<Self, LedgerError> {
        let store = Store::look(dir)?;
        let interrupt = store.connection.get_interrupt_handle();
        let (sender, receiver) = watch::channel(None);
        let check = move || {
            let checked = checked_run(&store).and_then(|_| store.check_pages());
            // Whoever learns of it may bring in the log at once, all of it.
            drop(store);
            sender.send_replace(Some(checked));
        };
        let thread = thread::Builder::new().name("ledger-check".to_owned()).spawn(check);
        let thread = thread.map_err(|error| LedgerError::file(dir, error))?;
        Ok(Self { verdict: RestVerdict { receiver }, running: Some((interrupt, thread)) })
    }

    /// Makes the check of a ledger that was checked before, all of it.
    pub(super) fn done() -> Self {
        let receiver = watch::channel(Some(Ok(()))).1;
        Self { verdict: RestVerdict { receiver }, running: None }
    }

    /// Returns what comes of it.
    pub(super) fn verdict(&self) -> RestVerdict {
        self.verdict.clone()
    }

    /// Ends it, wherever it is.
    pub(super) fn end(&mut self) {
        let Some((interrupt, thread)) = self.running.take() else { return };
        while !thread.is_finished() {
            interrupt.interrupt();
            thread::sleep(AGAIN);
        }
        // One that panicked has come to no verdict.
        let _ = thread.join();
    }
}

impl Drop for RestCheck {
    fn drop(&mut self) {
        self.end();
    }
}

impl std::fmt::Debug for RestCheck {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("RestCheck").field("verdict", &self.verdict).finish_non_exhaustive()
    }
}

impl RestVerdict {
    /// Whether all of the ledger was checked, and nothing found.
    pub(super) fn is_whole(&self) -> bool {
        matches!(*self.receiver.borrow(), Some(Ok(())))
    }

    /// Waits for the verdict. One that there will never be, since the check was ended, is waited for in vain.
    pub(super) async fn wait(&self) -> Result<(), LedgerError> {
        let mut receiver = self.receiver.clone();
        let verdict = receiver.wait_for(Option::is_some).await.ok().and_then(|verdict| verdict.clone());
        match verdict {
            Some(verdict) => verdict,
            None => std::future::pending().await,
        }
    }
}
