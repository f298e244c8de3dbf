//! How long the run waited for the rate limit and for nothing else, or was held back by the circuit breaker.
//!
//! Only the head of the queue waits for the rate, and there is one circuit, so either time is wall time
//! already. Of that time, what the gate was shut for is the server's and of nobody else.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Stopped at zero to begin with.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<Stopwatch>);

#[derive(Debug, Default)]
struct Stopwatch {
    counted: Duration,
    running_since: Option<ClockReading>,
}

/// A moment, and how long the gate had been shut by then.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClockReading {
    pub(super) at: Instant,
    pub(super) shut: Duration,
}

impl Meter {
    pub(super) fn start(&self, now: ClockReading) {
        self.stopwatch().running_since = Some(now);
    }

    pub(super) fn stop(&self, now: ClockReading) {
        let mut stopwatch = self.stopwatch();
        stopwatch.counted = stopwatch.total(now);
        stopwatch.running_since = None;
    }

    pub(super) fn total(&self, now: ClockReading) -> Duration {
        self.stopwatch().total(now)
    }

    pub(super) fn is_running(&self) -> bool {
        self.stopwatch().running_since.is_some()
    }

    /// Every change above leaves the state whole, so a poisoned lock holds nothing wrong.
    fn stopwatch(&self) -> MutexGuard<'_, Stopwatch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stopwatch {
    fn total(&self, now: ClockReading) -> Duration {
        let running = self.running_since.map_or(Duration::ZERO, |start| {
            now.at.duration_since(start.at).saturating_sub(now.shut.saturating_sub(start.shut))
        });
        self.counted + running
    }
}
