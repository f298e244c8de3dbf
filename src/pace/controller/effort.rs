//! What looking for a higher rate may cost: the share of requests that is throttled, and the share of time that is
//! spent in pauses. Until that is paid off, the rate stays.

use std::time::Duration;

use super::Controller;

/// How many times as long as its pause a throttle of the start is paid off for.
const START_QUIET: u32 = 12;

/// The share of requests that may be throttled in looking for a higher rate.
pub(super) const THROTTLED: f64 = 0.005;

/// The share of time that may be spent in pauses in looking for a higher rate.
pub(super) const PAUSED: f64 = 0.01;

/// The longest time that a rate is held for, however long the pauses were.
const LONGEST_HOLD: Duration = Duration::from_secs(600);

impl Controller {
    /// Adds the cost of an episode to what has to be paid off. Half of what is still owed is dropped, because
    /// where the limit moves one episode follows another. Nothing is dropped where nothing was let through since the
    /// one before: then it is the same limit that still refuses, and each refusal is a request that was spent on it.
    pub(super) fn charge(&mut self, now: Duration, pause: Duration) {
        let still_owed = if self.in_a_row == 0 { self.owed / 2.0 } else { self.owed };
        self.owed = still_owed + 1.0 / THROTTLED;
        let left = self.quiet_until.saturating_sub(now) / 2;
        let cost = if self.start.is_some() { pause * START_QUIET } else { pause.mul_f64(1.0 / PAUSED) };
        self.quiet_until = now + pause + (left + cost).min(LONGEST_HOLD);
    }
}
