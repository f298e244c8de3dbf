//! Taking back what followed from throttles that were no limit of the service.

use std::time::Duration;

use super::span::Span;
use super::start::Start;
use super::{Controller, Mode};

/// The controller's state before a throttle, from which the throttle's effect can be taken back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateCheckpoint {
    pub(super) rate: f64,
    pub(super) mode: Mode,
    pub(super) good: Option<f64>,
    pub(super) owed: f64,
    pub(super) quiet_until: Duration,
    pub(super) pause: Duration,
    pub(super) episode: u32,
    pub(super) is_starting: bool,
}

impl RateCheckpoint {
    /// Returns how many pauses there were between this checkpoint and a later one.
    pub fn pauses_until(self, later: Self) -> u32 {
        later.episode - self.episode
    }
}

impl Controller {
    /// Returns the state that [`Self::roll_back`] can go back to.
    pub(in crate::pace) fn checkpoint(&self) -> RateCheckpoint {
        let Self { rate, mode, good, owed, quiet_until, pause, episode, .. } = *self;
        let is_starting = self.start.is_some();
        RateCheckpoint { rate, mode, good, owed, quiet_until, pause, episode, is_starting }
    }

    /// Takes back the effect of `episodes` that were no limit of the service. Does nothing where there were
    /// other episodes since the checkpoint.
    pub(in crate::pace) fn roll_back(&mut self, now: Duration, before: RateCheckpoint, episodes: u32) {
        if self.episode != before.episode + episodes || episodes == 0 {
            return;
        }
        let RateCheckpoint { rate, mode, good, owed, quiet_until, pause, is_starting, .. } = before;
        (self.good, self.owed, self.quiet_until, self.pause) = (good, owed, quiet_until, pause);
        self.rolled_back += episodes;
        self.in_a_row = 0;
        if is_starting {
            self.start.get_or_insert_default().forget(episodes);
        }
        let since = now.max(self.opening);
        (self.long, self.hold) = (Span::from(since), Span::from(since));
        self.go(since, rate, mode);
        self.start.iter_mut().for_each(Start::begin_phase);
    }
}
