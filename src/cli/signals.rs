//! Ctrl-C and SIGTERM: the first stops the run in good order, the second leaves at once. Nothing is
//! lost either way: what was sent stands in the ledger.

use std::io;

use tokio::sync::oneshot;

use super::console::Terminal;
use crate::commands::Console;
use crate::domain::exit::Exit;
use crate::engine::{Reason, Stop};

/// Starts the work, and waits until it is done, or the user won't wait for it. Signals are listened to
/// before there is anything that one could come too early for.
///
/// # Errors
/// Where the system doesn't let signals be listened to, or the work can't be started.
pub async fn wait(
    start: impl FnOnce() -> io::Result<()>,
    done: oneshot::Receiver<Exit>,
    stop: &Stop,
    console: &Terminal,
) -> io::Result<Exit> {
    let mut signals = Signals::listen()?;
    start()?;
    let mut done = done;
    loop {
        tokio::select! {
            biased;
            // The sender is dropped unused only where the work panicked, which was printed already.
            exit = &mut done => return Ok(exit.unwrap_or(Exit::CouldNotRun)),
            () = signals.next() => {}
        }
        if console.interrupt() {
            console.say("");
            continue;
        }
        if stop.is_set() {
            console
                .say("leaving at once: what is in flight stands in the run's ledger, and resume settles it");
            console.say(&console.parting());
            return Ok(Exit::Stopped);
        }
        console.say("stopping: requests in flight are awaited; again to leave at once");
        stop.now(Reason::Interrupted);
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
