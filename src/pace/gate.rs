//! The gate: shut while the server wants to be left alone, by one pause for all workers.
//!
//! It keeps the books of its own shut time, in wall time: pauses that overlap count once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Open until somebody shuts it.
#[derive(Debug, Default)]
pub(super) struct Gate {
    times: Mutex<ShutTimes>,
    /// Tells that it was shut.
    changed: Notify,
}

#[derive(Debug, Default)]
struct ShutTimes {
    /// The last time the gate was shut, which may lie in the past.
    last: Option<ShutPeriod>,
    /// The length of all times before the last one.
    earlier: Duration,
}

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
    /// Shuts the gate, or keeps it shut for longer. A gate that is shut until later stays so.
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

    /// Returns when the gate is shut.
    pub(super) async fn wait_until_shut(&self) {
        loop {
            // Made before the look at the gate, so that nothing is missed in between.
            let changed = self.changed.notified();
            if self.shut_until(Instant::now()).is_some() {
                return;
            }
            changed.await;
        }
    }

    /// When the gate opens; `None` where it is open.
    pub(super) fn shut_until(&self, now: Instant) -> Option<Instant> {
        self.times().last.map(|shut| shut.until).filter(|until| now < *until)
    }

    /// When the gate opened last, or will; `None` where it was never shut.
    pub(super) fn opening(&self) -> Option<Instant> {
        self.times().last.map(|shut| shut.until)
    }

    /// How long the gate has been shut up to now, all times taken together.
    pub(super) fn shut_for(&self, now: Instant) -> Duration {
        let times = self.times();
        times.earlier + times.last.map_or(Duration::ZERO, |shut| shut.length_by(now))
    }

    /// Returns when the gate is open, which may take longer than it looked at first.
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
