//! Measures how long the run waited for the rate limit, or was held back by the circuit breaker.
//!
//! Only the head of the queue waits for the rate, and there is one circuit breaker, so both times are wall
//! time already. Time in which the gate was shut is not counted: it belongs to the pause that the service
//! asked for.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A stopwatch that several tasks share. It stands at zero at first, and is stopped.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<Stopwatch>);

/// The time counted so far, and since when more is being counted.
#[derive(Debug, Default)]
struct Stopwatch {
    counted: Duration,
    running_since: Option<ClockReading>,
}

/// A time, with how long the gate had been shut by then.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClockReading {
    pub(super) at: Instant,
    pub(super) shut: Duration,
}

impl Meter {
    /// Starts counting.
    pub(super) fn start(&self, now: ClockReading) {
        self.stopwatch().running_since = Some(now);
    }

    /// Stops counting.
    pub(super) fn stop(&self, now: ClockReading) {
        let mut stopwatch = self.stopwatch();
        stopwatch.counted = stopwatch.total(now);
        stopwatch.running_since = None;
    }

    /// Returns the time counted up to `now`.
    pub(super) fn total(&self, now: ClockReading) -> Duration {
        self.stopwatch().total(now)
    }

    /// Returns whether time is being counted.
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
