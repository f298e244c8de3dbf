//! What a throttle does to the rate: at the start, what [`Start`] says; afterwards, a step back to what was
//! sustained, or to what was let through on average.

use std::time::Duration;

use super::effort::THROTTLED;
use super::growing::START_STEP;
use super::span::Span;
use super::start::{Start, Then, Throttled};
use super::{Controller, Mode, SLOWEST, Turn};

/// The share of a throttled rate that may be tried next.
pub(super) const BELOW: f64 = 0.98;

/// The share of a rate that is held, where that rate was sustained for no more than a round.
const CAUTION: f64 = 0.99;

/// The longest pause that parts add up to: after an outage, which has many, the rate is to come back within minutes.
const LONGEST_IN_PARTS: Duration = Duration::from_secs(13);

impl Controller {
    /// Records that a request was throttled, and that nothing is sent for the length of `pause`.
    pub(in crate::pace) fn throttled(&mut self, now: Duration, turn: Turn, pause: Duration) {
        let end = now + pause;
        let first = turn.episode == self.episode;
        // A request that was sent before the pause may be told to wait for longer: only what goes beyond the
        // present pause is added.
        let more = if first { pause } else { end.saturating_sub(self.opening) };
        self.opening = self.opening.max(end);
        let since = std::mem::replace(&mut self.since, self.opening);
        for span in [&mut self.long, &mut self.hold] {
            span.paused += more;
        }
        if !first {
            // What the start may cost is bounded by what is in flight.
            self.owed += if self.start.is_some() { 0.0 } else { 1.0 / THROTTLED };
            return;
        }
        self.charge(now, pause);
        self.episode += 1;
        self.in_a_row += 1;
        self.pause = self.pause_so_far(pause);
        let is_next = self.in_a_row == 1;
        match self.start.take_if(|start| is_next && start.is_over()) {
            Some(_) => self.lower(turn.rate),
            None if self.start.is_some() => {
                let Turn { at, rate, .. } = turn;
                self.fall_at_the_start(Throttled { at, rate, since, turns: self.turns, pause });
            }
            None if is_next => self.lower(turn.rate),
            None => {}
        }
    }

    /// Returns how long the service has paused the run for, as far as that tells over which time it counts. Pauses in
    /// a row are one that was told in parts: a quota of a minute whose refusals ask for a second each is still one of a
    /// minute, and a rate is no more sustained after four seconds of it. At the start, [`Start`] adds them up.
    fn pause_so_far(&self, pause: Duration) -> Duration {
        let all = if self.in_a_row > 1 && self.start.is_none() { self.pause + pause } else { pause };
        pause.max(all.min(LONGEST_IN_PARTS))
    }

    /// Lowers the rate after a throttle of the start.
    fn fall_at_the_start(&mut self, throttled: Throttled) {
        let (opening, before) = (self.opening, self.long);
        let Some(start) = &mut self.start else { return };
        self.long = Span::from(opening);
        if self.in_a_row == 1 {
            let then = start.fall(throttled, before.answered, before.since);
            self.follow(opening, then);
        } else {
            start.pause_again(throttled.pause);
        }
        // It may be a limit of a longer time.
        let counted = self.start.as_ref().and_then(|start| start.counted(opening));
        if let Some(counted) = counted.filter(|counted| *counted < self.rate) {
            self.follow(opening, Then::Double(counted));
        }
        self.start.iter_mut().for_each(Start::begin_phase);
    }

    /// Does what follows from a throttle of the start.
    pub(super) fn follow(&mut self, since: Duration, then: Then) {
        self.good = None;
        match then {
            Then::Double(rate) => self.go(since, rate.max(SLOWEST), Mode::Double),
            Then::Seek(rate) => self.go(since, rate.max(SLOWEST), Mode::Seek { step: START_STEP }),
            Then::Hold(rate) => self.hold_at(since, rate.max(SLOWEST)),
        }
    }

    /// Lowers the rate after a request was throttled that had been sent at the rate `throttled`.
    fn lower(&mut self, throttled: f64) {
        let (least, most) = self.long.rates(self.opening);
        match (self.mode, self.good) {
            (Mode::Seek { .. }, Some(good)) if good < throttled => self.fall_back(good, throttled, most),
            _ => self.fall(throttled, least, most),
        }
    }

    /// Goes back to the last rate that was sustained.
    fn fall_back(&mut self, good: f64, throttled: f64, most: f64) {
        if most < good * 0.8 {
            // So low an average stems from a time in which fewer requests were made, not from the limit.
            self.long = Span::from(self.opening);
        }
        if good >= throttled * 0.93 {
            self.hold_at(self.opening, good * CAUTION);
        } else {
            self.go(self.opening, good, Mode::Climb { to: throttled * BELOW });
        }
    }

    /// Lowers the rate to what was let through on average, by half at most.
    fn fall(&mut self, throttled: f64, least: f64, most: f64) {
        let ceiling = throttled * BELOW;
        let rate = least.clamp(throttled / 2.0, ceiling).max(SLOWEST.min(throttled));
        self.long = Span::from(self.opening);
        self.good = Some(rate);
        let to = if least < throttled / 2.0 { ceiling } else { ceiling.min(most) };
        if rate >= to * 0.97 {
            self.hold_at(self.opening, rate);
        } else {
            self.go(self.opening, rate, Mode::Climb { to });
        }
    }
}
