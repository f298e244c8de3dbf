//! How the rate grows: when a rate counts as sustained, and which is tried next.

use std::time::Duration;

use super::{Controller, Mode, PROBE, per_second};

/// The factor by which the rate grows at the start, and the one below [`SLOW`].
const DOUBLE: f64 = 2.0;
const QUADRUPLE: f64 = 4.0;

/// The rate below which it quadruples at the start.
pub(super) const SLOW: f64 = 10.0;

/// The shortest time from one doubling to the next, the latency of an answer included.
const START_ROUND: Duration = Duration::from_millis(200);

/// The shortest time that a rate is watched before it is doubled, whatever the latency.
const START_WATCH: Duration = Duration::from_millis(50);

/// The first step after a throttle of the start, the factor by which each is larger than the one before, and the
/// largest.
pub(super) const START_STEP: f64 = 0.09;
const START_STEP_GROWTH: f64 = 3.0;
const START_LEAP: f64 = 0.35;

/// The shortest time without a throttle after which a rate counts as sustained while the start goes on.
const SHORT_ROUND: Duration = Duration::from_secs(1);

/// The largest step, as a share of the rate.
pub(super) const LEAP: f64 = 0.25;

/// The factor by which each step is larger than the one before.
const STEP_GROWTH: f64 = 1.3;

/// The shortest time without a throttle after which a rate counts as sustained.
const ROUND: Duration = Duration::from_secs(4);

/// The number of requests without a throttle that this takes as well.
const ROUND_REQUESTS: f64 = 5.0;

/// The longest time that a rate is watched before it grows.
const LONGEST_ROUND: Duration = Duration::from_secs(120);

impl Controller {
    /// Raises the rate after a round in which it was sustained.
    pub(super) fn grow(&mut self, now: Duration) {
        self.good = Some(self.rate);
        match self.mode {
            Mode::Double => {
                let is_slow = self.rate < SLOW && self.episode == 0;
                let rate = self.rate * if is_slow { QUADRUPLE } else { DOUBLE };
                if rate >= per_second(self.shortest) {
                    self.hold_at(now, per_second(self.shortest));
                } else {
                    self.go(now, rate, Mode::Double);
                }
            }
            Mode::Seek { step } => {
                let rate = self.rate * (1.0 + step);
                if rate >= per_second(self.shortest) {
                    self.hold_at(now, per_second(self.shortest));
                } else {
                    let (growth, largest) = if self.start.is_some() {
                        (START_STEP_GROWTH, START_LEAP)
                    } else {
                        (STEP_GROWTH, LEAP)
                    };
                    self.go(now, rate, Mode::Seek { step: (step * growth).min(largest) });
                }
            }
            Mode::Climb { to } => {
                let rate = self.rate
                    + ((to - self.rate) / if self.start.is_some() { 2.0 } else { 4.0 }).max(to * 0.005);
                if rate >= to { self.hold_at(now, to) } else { self.go(now, rate, self.mode) }
            }
            Mode::Hold => {}
        }
    }

    /// Returns how long a rate is watched before it counts as sustained: longer at low rates, and where the
    /// service asks for long pauses, because it then counts over a long time.
    pub(super) fn round(&self) -> Duration {
        if self.mode == Mode::Double {
            // The first request tells as much as the next one would.
            let is_first = self.good.is_none() && self.episode == 0;
            let answered = self.latency.lowest().unwrap_or_default();
            let watched = START_ROUND.saturating_sub(answered).max(START_WATCH).max(self.pause / 6);
            return if is_first { Duration::ZERO } else { watched };
        }
        let requests = Duration::from_secs_f64(ROUND_REQUESTS / self.rate);
        let (least, pause) =
            if self.start.is_some() { (SHORT_ROUND, self.pause) } else { (ROUND, self.pause * 2) };
        least.max(requests).max(pause).min(LONGEST_ROUND.max(requests))
    }

    /// Returns whether it is the rate that holds requests back, and not concurrency or latency.
    pub(super) fn is_the_limit(&self, now: Duration) -> bool {
        let waiting = u64::from(self.is_waiting);
        if (self.waited + waiting) * 2 < self.turns + waiting {
            return false;
        }
        // A rate that is doubled in short rounds could run far ahead of what is sent.
        let time = now.saturating_sub(self.since).as_secs_f64();
        self.mode != Mode::Double || (self.turns + 1) as f64 >= 0.8 * self.rate * time
    }

    /// Returns whether answers take longer since the rate is as high as it is; at the start, the rate goes back then.
    pub(super) fn is_slowed_down(&mut self, now: Duration) -> bool {
        let has_grown = self.latency.has_grown();
        if has_grown && self.mode == Mode::Double {
            let rate = self.good.unwrap_or(self.rate / 2.0).min(self.rate);
            self.go(now, rate, Mode::Seek { step: PROBE });
        }
        has_grown
    }
}
