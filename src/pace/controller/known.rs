//! Rates that are known from elsewhere: what an earlier run bore, and what answers say that the service grants.
//! They are hints. Each is held for a while and is then a rate as any other, so that a wrong one is found out.

use std::time::Duration;

use super::effort::THROTTLED;
use super::{Controller, Mode, SLOWEST, Turn, per_second};

/// How long a rate is held that an earlier run bore, or that the service says it grants.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The share of a rate that is used which the service says it grants.
pub(super) const OF_TOLD: f64 = 0.97;

/// The highest rate that is gone to at once because the service says it grants it.
const FASTEST_TOLD: f64 = 100.0;

/// The lowest rate that is believed to be granted because the service says so. A lower one shows by refusals.
const SLOWEST_TOLD: f64 = 0.5;

/// The number of pauses, each foretold by the first answer after another one, after which such answers are no longer
/// believed.
pub(super) const MOST_FORETOLD: u32 = 3;

/// A rate that a run bore: what outlives the run of its controller's state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BorneRate {
    /// Requests a second.
    pub per_second: f64,
    /// Whether the service throttles what is faster, as far as is known.
    pub is_limit: bool,
}

impl Controller {
    /// Goes on with a rate that an earlier run bore. A run that was throttled itself does so only where it would be
    /// faster than that run's limit: what is borne in reading may be too much for changes.
    pub(in crate::pace) fn begin_at(&mut self, now: Duration, borne: BorneRate) {
        let rate = borne.per_second.clamp(SLOWEST, per_second(self.shortest));
        let (is_slower, was_throttled) = (rate < self.rate, self.episode > 0);
        let helps = if borne.is_limit { is_slower || !was_throttled } else { !is_slower && !was_throttled };
        if !helps {
            return;
        }
        self.began_at_limit = borne.is_limit;
        if borne.is_limit {
            self.hold_for_a_while(now, rate);
        } else {
            self.go(now, rate, Mode::Double);
        }
    }

    /// Goes at the rate that the service says it grants, once, and from there on as from any that is held: a service
    /// that says so wrongly is found out. What is said makes nothing faster than the start would be, and exceeds no
    /// rate of the user's.
    pub(in crate::pace) fn aim_at(&mut self, now: Duration, granted: f64) {
        let rate = (granted * OF_TOLD).min(per_second(self.shortest));
        let is_faster = rate > self.rate;
        if self.has_aimed
            || granted < SLOWEST_TOLD
            || is_faster && (self.mode != Mode::Double || rate > FASTEST_TOLD)
        {
            return;
        }
        self.has_aimed = true;
        self.hold_for_a_while(now, rate);
    }

    /// Holds a rate that is known from elsewhere, for a while before anything faster is tried.
    fn hold_for_a_while(&mut self, now: Duration, rate: f64) {
        self.quiet_until = self.quiet_until.max(now + REMEMBERED);
        self.owed = self.owed.max((rate * REMEMBERED.as_secs_f64()).min(1.0 / THROTTLED));
        self.hold_at(now.max(self.opening), rate);
    }

    /// Returns whether an answer is to be believed that foretells a pause. It isn't where the first answers after
    /// several such pauses foretold another one each, since then nothing was waited for; requests are sent in spite
    /// of it from then on, and a refusal says what is true. What was sent before a pause foretells none.
    pub(in crate::pace) fn believes_pause(&self, turn: Turn) -> bool {
        turn.episode == self.episode && self.foretold < MOST_FORETOLD
    }

    /// Records that an answer foretold a pause: as a throttle does, it lowers the rate, and costs no request.
    pub(in crate::pace) fn foretold(&mut self, now: Duration, turn: Turn, pause: Duration) {
        self.foretold = if self.since_foretold <= 1 { self.foretold + 1 } else { 1 };
        self.since_foretold = 0;
        self.throttled(now, turn, pause);
    }

    /// Returns the rate that was sustained, where there was one.
    pub(in crate::pace) fn borne(&self) -> Option<BorneRate> {
        let is_limit = self.was_throttled() || self.began_at_limit;
        self.good.map(|per_second| BorneRate { per_second, is_limit })
    }
}
