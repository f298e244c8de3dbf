//! How fast requests were let through over a longer time.

use std::time::Duration;

/// The answers since a time, throttles not among them, and the pauses since then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub since: Duration,
    pub answered: u64,
    pub paused: Duration,
}

impl Span {
    pub(super) fn from(since: Duration) -> Self {
        Self { since, answered: 0, paused: Duration::ZERO }
    }

    /// Returns the rate at which requests were let through, in requests a second: counted over all time, and
    /// over the time without pauses. What a quota grants lies in between.
    pub(super) fn rates(&self, now: Duration) -> (f64, f64) {
        let all = now.saturating_sub(self.since);
        let over = |time: Duration| self.answered as f64 / time.max(Duration::from_millis(1)).as_secs_f64();
        (over(all), over(all.saturating_sub(self.paused)))
    }
}
