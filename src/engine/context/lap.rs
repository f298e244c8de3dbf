//! Times one wait of a request, and tells how much of it was a pause that the service had asked for.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::step::Waits;
use crate::pace::Pace;

/// A wait that is under way.
pub(super) struct Lap<'a> {
    pace: &'a Pace,
    begun: Instant,
    /// How long the gate had been shut by then.
    paused: Duration,
}

impl<'a> Lap<'a> {
    pub(super) fn begin(pace: &'a Pace) -> Self {
        Self { pace, begun: Instant::now(), paused: pace.paused_for() }
    }

    /// Adds the time that went by: as a pause while the gate was shut, and all other as what the request waited for.
    pub(super) fn end(self, waits: &mut Waits, other: impl FnOnce(&mut Waits) -> &mut Duration) {
        let all = self.begun.elapsed();
        let paused = (self.pace.paused_for() - self.paused).min(all);
        waits.pause += paused;
        *other(waits) += all - paused;
    }
}
