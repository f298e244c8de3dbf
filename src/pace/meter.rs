//! How long the run waited for the rate limit and for nothing else, or was held back by the circuit breaker.
//!
//! Only the head of the queue waits for the rate, and there is one circuit, so either time is wall time
//! already. Of that time, what the gate was shut for is the server's and of nobody else.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Stopped at zero to begin with.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    counted: Duration,
    running_since: Option<Mark>,
}

/// A moment, and how long the gate had been shut by then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) at: Instant,
    pub(super) shut: Duration,
}

impl Meter {
    pub(super) fn start(&self, now: Mark) {
        self.state().running_since = Some(now);
    }

    pub(super) fn stop(&self, now: Mark) {
        let mut state = self.state();
        state.counted = state.total(now);
        state.running_since = None;
    }

    pub(super) fn total(&self, now: Mark) -> Duration {
        self.state().total(now)
    }

    pub(super) fn is_running(&self) -> bool {
        self.state().running_since.is_some()
    }

    /// Every change above leaves the state whole, so a poisoned lock holds nothing wrong.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn total(&self, now: Mark) -> Duration {
        let running = self.running_since.map_or(Duration::ZERO, |start| {
            now.at.duration_since(start.at).saturating_sub(now.shut.saturating_sub(start.shut))
        });
        self.counted + running
    }
}
