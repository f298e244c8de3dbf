//! Signals: Ctrl-C, SIGTERM and SIGHUP.
//!
//! The first one stops the run in good order: requests in flight are awaited. The second one ends that wait;
//! reports are still written. The third one, or [`PATIENCE`] after the second, ends the process whatever it is
//! doing. None of them loses anything: every request that was sent has its intent in the ledger.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::console::{Terminal, print_within};
use crate::domain::exit::Exit;
use crate::engine::{Stop, StopReason, StopStage};

/// How long the process waits for the reports after the second signal. A disk, a token command or the middle of a
/// large file could keep it for longer.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long a blocked terminal is waited for when a message is printed.
const PRINT_LIMIT: Duration = Duration::from_secs(1);

/// Starts the work, and waits until it is done or the user leaves. Signals are listened for before the work
/// starts, so none comes too early.
///
/// # Errors
/// If signals cannot be listened for, or the work cannot be started.
pub async fn wait(
    start: impl FnOnce() -> io::Result<()>,
    done: oneshot::Receiver<Exit>,
    stop: &Stop,
    console: &Arc<Terminal>,
) -> io::Result<Exit> {
    let mut signals = Signals::listen()?;
    start()?;
    Ok(handle_signals(async || signals.next().await, done, stop, console).await)
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SignalMeaning {
    /// Ctrl-C, which whatever else runs at the terminal gets, too.
    Interrupt,
    /// The end of the process.
    End,
}

/// Handles each signal, until the work is done or no longer waited for.
async fn handle_signals(
    mut signal: impl AsyncFnMut() -> SignalMeaning,
    mut done: oneshot::Receiver<Exit>,
    stop: &Stop,
    console: &Arc<Terminal>,
) -> Exit {
    let mut limit = None;
    let (mut was_paging, mut is_killed) = (false, false);
    loop {
        let kind = tokio::select! {
            biased;
            // The sender is dropped unused only if the work panicked, which was printed already.
            exit = &mut done => {
                return if was_paging { Exit::Stopped } else { exit.unwrap_or(Exit::CouldNotRun) };
            }
            kind = signal() => kind,
            () = until(limit) => {
                if !console.is_paging() || std::mem::replace(&mut is_killed, true) {
                    return leave_at_once(console);
                }
                console.end_pager(true);
                limit = Some(Instant::now() + PATIENCE);
                continue;
            }
        };
        if console.is_paging() {
            stop.now(StopReason::Interrupted);
            // The pager gets a Ctrl-C, too, and knows what its user means by it. It is awaited, and gets no more.
            if kind == SignalMeaning::End {
                console.end_pager(was_paging);
                was_paging = true;
                limit = Some(Instant::now() + PATIENCE);
            }
            continue;
        }
        if console.interrupt() {
            say(console, "");
            continue;
        }
        match stop.stage() {
            StopStage::Going => {
                let stopping = stop.clone();
                announce(
                    console,
                    "stopping: requests in flight are awaited; again not to wait for them",
                    move || {
                        stopping.now(StopReason::Interrupted);
                    },
                );
                // Also stop where the message could not be printed in time.
                stop.now(StopReason::Interrupted);
            }
            StopStage::Stopping => {
                let leaving = stop.clone();
                let words = "leaving: requests in flight are not awaited; again to leave without reports";
                announce(console, words, move || leaving.leave());
                stop.leave();
                limit = Some(Instant::now() + PATIENCE);
            }
            StopStage::Leaving => return leave_at_once(console),
        }
    }
}

async fn until(limit: Option<Instant>) {
    match limit {
        Some(limit) => sleep_until(limit).await,
        None => pending().await,
    }
}

/// Prints what to do next, and returns the exit code of a stopped run.
fn leave_at_once(console: &Arc<Terminal>) -> Exit {
    let parting = console.parting();
    if parting.is_empty() {
        part(console, "leaving at once".to_owned());
    } else {
        let words = "leaving at once: what was sent stands in the run's ledger, and resume settles it";
        part(console, format!("{words}\n{parting}"));
    }
    Exit::Stopped
}

/// Prints the last message of the process.
fn part(console: &Arc<Terminal>, words: String) {
    let console = Arc::clone(console);
    print_within(PRINT_LIMIT, move || console.part(&words));
}

/// Prints a message, without waiting longer than [`PRINT_LIMIT`].
fn say(console: &Arc<Terminal>, words: &str) {
    announce(console, words, || {});
}

/// Performs an action and prints a message about it. The action is done before the message can be read, and messages
/// about its effects come after it.
fn announce(console: &Arc<Terminal>, words: &str, action: impl FnOnce() + Send + 'static) {
    let (console, words) = (Arc::clone(console), words.to_owned());
    print_within(PRINT_LIMIT, move || console.announce(&words, action));
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// The terminal was closed.
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind as Kind, signal};
        Ok(Self {
            interrupt: signal(Kind::interrupt())?,
            terminate: signal(Kind::terminate())?,
            hang_up: signal(Kind::hangup())?,
        })
    }

    async fn next(&mut self) -> SignalMeaning {
        tokio::select! {
            _ = self.interrupt.recv() => SignalMeaning::Interrupt,
            _ = self.terminate.recv() => SignalMeaning::End,
            _ = self.hang_up.recv() => SignalMeaning::End,
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

    async fn next(&mut self) -> SignalMeaning {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        SignalMeaning::Interrupt
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Write, sink};
    use std::sync::{Mutex, mpsc};

    use super::*;
    use crate::commands::Console;

    const STOPPING: &str = "stopping: requests in flight are awaited; again not to wait for them\n";
    const LEAVING: &str = "leaving: requests in flight are not awaited; again to leave without reports\n";
    const AT_ONCE: &str =
        "leaving at once: what was sent stands in the run's ledger, and resume settles it\nnext: resume\n";

    /// What is printed to standard error.
    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What becomes of work that is interrupted so often, a second apart, and that ends once it is so far on
    /// its way out, or never. Answers how it ended, what was said, and after how many seconds.
    async fn interrupted(
        signals: u64,
        stop: Stop,
        ends: Option<StopStage>,
        parting: &str,
    ) -> (Exit, String, u64) {
        let said = Captured::default();
        let console = Arc::new(Terminal::new(Box::new(sink()), Box::new(said.clone()), None));
        console.on_leaving(parting, std::path::Path::new("run"));
        let (exit, seconds) = leave(&console, signals, stop, ends).await;
        let said = String::from_utf8(said.0.lock().unwrap().clone()).unwrap();
        (exit, said, seconds)
    }

    async fn leave(
        console: &Arc<Terminal>,
        signals: u64,
        stop: Stop,
        ends: Option<StopStage>,
    ) -> (Exit, u64) {
        let began = Instant::now();
        let mut seconds = 0..signals;
        let next = async || match seconds.next() {
            Some(_) => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                SignalMeaning::Interrupt
            }
            None => pending().await,
        };
        let (send_done, done) = oneshot::channel();
        let working = stop.clone();
        tokio::spawn(async move {
            match ends {
                Some(StopStage::Leaving) => working.left().await,
                Some(_) => working.wait().await,
                None => pending().await,
            }
            let _ = send_done.send(Exit::SomeFailed);
        });
        (handle_signals(next, done, &stop, console).await, began.elapsed().as_secs())
    }

    /// A terminal that is held up, until the other side is dropped.
    struct HeldUp(mpsc::Receiver<()>);

    impl Write for HeldUp {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_terminal_that_is_held_up_holds_nobody_up() {
        let (held, stderr) = mpsc::channel();
        let console = Arc::new(Terminal::new(Box::new(sink()), Box::new(HeldUp(stderr)), None));
        let stop = Stop::default();
        assert_eq!(leave(&console, 3, stop.clone(), None).await, (Exit::Stopped, 3));
        assert_eq!(stop.stage(), StopStage::Leaving);
        drop(held);
    }

    #[tokio::test(start_paused = true)]
    async fn every_signal_is_more_urgent_than_the_one_before() {
        let next = "next: resume";
        let both = [STOPPING, LEAVING].concat();
        let all = [STOPPING, LEAVING, AT_ONCE].concat();
        for (signals, ends, exit, said, seconds) in [
            (1, Some(StopStage::Stopping), Exit::SomeFailed, STOPPING, 1),
            (2, Some(StopStage::Leaving), Exit::SomeFailed, &both, 2),
            (3, Some(StopStage::Leaving), Exit::SomeFailed, &both, 2),
            (3, None, Exit::Stopped, &all, 3),
            (2, None, Exit::Stopped, &all, 2 + PATIENCE.as_secs()),
        ] {
            let ended = interrupted(signals, Stop::default(), ends, next).await;
            assert_eq!(ended, (exit, said.to_owned(), seconds), "{signals} signals, {ends:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_stops_already_is_left_by_the_first() {
        let stop = Stop::default();
        stop.now(StopReason::Throttled);
        let ended = interrupted(1, stop.clone(), Some(StopStage::Leaving), "next: resume").await;
        assert_eq!(ended, (Exit::SomeFailed, LEAVING.to_owned(), 1));
        assert_eq!(stop.reason(), Some(StopReason::Throttled));
    }

    #[tokio::test(start_paused = true)]
    async fn where_there_is_no_run_nothing_is_said_of_one() {
        let (_, said, _) = interrupted(3, Stop::default(), None, "").await;
        assert_eq!(said, [STOPPING, LEAVING, "leaving at once\n"].concat());
    }
}
