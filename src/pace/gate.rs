//! The gate: shut while a pause lasts that the service asked for, for all workers at once.
//!
//! It measures how long it was shut, in wall time: pauses that overlap count once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// A gate that no request passes while it is shut. It is open at first, and opens by itself.
#[derive(Debug, Default)]
pub(super) struct Gate {
    times: Mutex<ShutTimes>,
    /// Wakes the tasks that wait for the gate to be shut.
    changed: Notify,
}

/// When the gate was shut, and for how long.
#[derive(Debug, Default)]
struct ShutTimes {
    /// The last time the gate was shut, which may lie in the past.
    last: Option<ShutPeriod>,
    /// The total length of all earlier times.
    earlier: Duration,
}

/// A time in which the gate is shut.
#[derive(Debug, Clone, Copy)]
struct ShutPeriod {
    since: Instant,
    until: Instant,
}

impl ShutPeriod {
    fn length_by(&self, now: Instant) -> Duration {
        now.min(self.until).duration_since(self.since)
    }
}

impl Gate {
    /// Shuts the gate until a time, or extends the time for which it is shut. It never shortens that time.
    pub(super) fn shut(&self, now: Instant, until: Instant) {
        let mut times = self.times();
        match &mut times.last {
            Some(shut) if now < shut.until => shut.until = shut.until.max(until),
            last => {
                let ended = last.replace(ShutPeriod { since: now, until });
                times.earlier += ended.map_or(Duration::ZERO, |shut| shut.length_by(now));
            }
        }
        self.changed.notify_waiters();
    }

    /// Waits until the gate is shut; returns at once where it is.
    pub(super) async fn wait_until_shut(&self) {
        loop {
            // Created before the gate is checked, so that a change in between is not missed.
            let changed = self.changed.notified();
            if self.shut_until(Instant::now()).is_some() {
                return;
            }
            changed.await;
        }
    }

    /// Returns when the gate opens; `None` where it is open.
    pub(super) fn shut_until(&self, now: Instant) -> Option<Instant> {
        self.times().last.map(|shut| shut.until).filter(|until| now < *until)
    }

    /// Returns when the gate opened last, or will open; `None` where it was never shut.
    pub(super) fn opening(&self) -> Option<Instant> {
        self.times().last.map(|shut| shut.until)
    }

    /// Returns how long the gate has been shut in all, up to `now`.
    pub(super) fn shut_for(&self, now: Instant) -> Duration {
        let times = self.times();
        times.earlier + times.last.map_or(Duration::ZERO, |shut| shut.length_by(now))
    }

    /// Waits until the gate is open. The wait grows where the pause is extended meanwhile.
    pub(super) async fn wait_until_open(&self) {
        while let Some(until) = self.shut_until(Instant::now()) {
            sleep_until(until).await;
        }
    }

    /// Every change above leaves the state whole, so a poisoned lock holds nothing wrong.
    fn times(&self) -> MutexGuard<'_, ShutTimes> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
