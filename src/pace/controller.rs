//! The rate controller: finds the highest rate that the service accepts, and follows it when it changes.
//! Pure: it is told what happened and when, and has no clock of its own.
//!
//! The limit is not published, nor how it is counted: by a token bucket, by a sliding or a fixed window, of a
//! second or of a minute. So none of these is assumed. The controller uses only which rates were sustained,
//! which were throttled, and how many requests were let through over a longer time.
//!
//! | mode | what happens | left when |
//! |---|---|---|
//! | seek | the rate grows by steps that grow themselves: from [`PROBE`] where a limit is known, by [`LEAP`] where none is | a request is throttled |
//! | climb | after a rate that was far too high: the rate approaches one a little below it, by a quarter of the way each time | it is reached, or a request is throttled |
//! | hold | the rate stays until the last throttles are paid off; seek follows | they are paid off, or a request is throttled |
//!
//! The rate grows only when a request that was sent at the end of a [round](Controller::round) was answered,
//! which shows that the rate is sustained, and only where requests had to wait for the rate: where
//! concurrency or latency is the limit, it stays.
//!
//! A throttle while seeking leads back to the last rate that was sustained. If that rate is throttled too, or
//! one that was held, the rate falls to the average of what was let through, pauses included: no quota grants
//! less than that over a longer time. Over a short time it may, so the rate falls by half at most.
//!
//! [`THROTTLED`] and [`PAUSED`] are the share of requests and of time that looking for a higher rate may cost;
//! a throttle is paid off once enough requests and enough time have passed to keep within them. Throttled
//! requests that were sent before the pause began belong to the same episode: they add to that cost, and lower
//! the rate no further. Where nothing at all was let through after a pause, the pause was too short, which
//! says nothing of the rate. Until something is let through, one request a second is sent, so that the load
//! on a service that refuses everything doesn't grow.

use std::time::Duration;

/// The first rate, in requests a second (docs/api-facts.md, "Status codes").
const START: f64 = 2.0;

/// The lowest rate that the controller falls to: one request in two minutes.
const SLOWEST: f64 = 1.0 / 120.0;

/// The first step above a rate that was held, as a share of it.
const PROBE: f64 = 0.01;

/// The largest step, as a share of the rate.
const LEAP: f64 = 0.25;

/// The factor by which each step is larger than the one before.
const STEP_GROWTH: f64 = 1.3;

/// The share of a throttled rate that may be tried next.
const BELOW: f64 = 0.98;

/// The share of a rate that is held, where that rate was sustained for no more than a round.
const CAUTION: f64 = 0.99;

/// The share of requests that may be throttled in looking for a higher rate.
const THROTTLED: f64 = 0.005;

/// The share of time that may be spent in pauses in looking for a higher rate.
const PAUSED: f64 = 0.01;

/// The longest time that a rate is held for, however long the pauses were.
const LONGEST_HOLD: Duration = Duration::from_secs(600);

/// The shortest time without a throttle after which a rate counts as sustained.
const ROUND: Duration = Duration::from_secs(4);

/// The number of requests without a throttle that this takes as well.
const ROUND_REQUESTS: f64 = 5.0;

/// The longest time that a rate is watched before it grows.
const LONGEST_ROUND: Duration = Duration::from_secs(120);

/// The time between requests while nothing is let through.
const CAREFUL: Duration = Duration::from_secs(1);

/// The right to send one request now, with the rate that it was given at. The answer is reported with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn {
    at: Duration,
    rate: f64,
    episode: u32,
}

/// The controller's state before a throttle, from which the throttle's effect can be taken back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateCheckpoint {
    rate: f64,
    mode: Mode,
    good: Option<f64>,
    owed: f64,
    quiet_until: Duration,
    pause: Duration,
    episode: u32,
}

impl RateCheckpoint {
    /// Returns how many pauses there were between this checkpoint and a later one.
    pub fn pauses_until(self, later: Self) -> u32 {
        later.episode - self.episode
    }
}

/// The rate of a run, adapted to what is let through and what is throttled. All times are measured from the
/// beginning of the run.
#[derive(Debug)]
pub(super) struct Controller {
    /// The shortest time between requests.
    shortest: Duration,
    rate: f64,
    /// Since when requests are sent at this rate.
    since: Duration,
    /// Requests sent at this rate, and those of them that had to wait for it.
    turns: u64,
    waited: u64,
    mode: Mode,
    /// The highest rate that is known to be sustained.
    good: Option<f64>,
    /// What was let through since the hold before this one began.
    long: Span,
    /// What was let through since this hold began.
    hold: Span,
    /// The number of answers, and the time, that must come before a higher rate is looked for.
    owed: f64,
    quiet_until: Duration,
    /// The number of throttling episodes: an episode lasts from its first throttle to the end of its pause.
    episode: u32,
    /// Episodes that were taken back with [`Self::roll_back`].
    rolled_back: u32,
    opening: Duration,
    pause: Duration,
    /// Episodes since a request was let through that had been sent after a pause.
    in_a_row: u32,
}

/// How the rate changes; see the table above.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Seek { step: f64 },
    Climb { to: f64 },
    Hold,
}

/// The answers since a time, throttles not among them, and the pauses since then.
#[derive(Debug, Clone, Copy)]
struct Span {
    since: Duration,
    answered: u64,
    paused: Duration,
}

impl Span {
    fn from(since: Duration) -> Self {
        Self { since, answered: 0, paused: Duration::ZERO }
    }

    /// Returns the rate at which requests were let through, in requests a second: counted over all time, and
    /// over the time without pauses. What a quota grants lies in between.
    fn rates(&self, now: Duration) -> (f64, f64) {
        let all = now.saturating_sub(self.since);
        let over = |time: Duration| self.answered as f64 / time.max(Duration::from_millis(1)).as_secs_f64();
        (over(all), over(all.saturating_sub(self.paused)))
    }
}

impl Controller {
    /// Returns a controller that finds the rate by itself; `shortest` is the least time between requests.
    pub(super) fn seeking(shortest: Duration) -> Self {
        Self::new(shortest, START, Mode::Seek { step: LEAP })
    }

    /// Returns a controller that keeps to a given rate, and goes below it while that is throttled.
    pub(super) fn up_to(interval: Duration) -> Self {
        Self::new(interval, per_second(interval), Mode::Hold)
    }

    fn new(shortest: Duration, rate: f64, mode: Mode) -> Self {
        Self {
            shortest,
            rate,
            since: Duration::ZERO,
            turns: 0,
            waited: 0,
            mode,
            good: None,
            long: Span::from(Duration::ZERO),
            hold: Span::from(Duration::ZERO),
            owed: 0.0,
            quiet_until: Duration::ZERO,
            episode: 0,
            rolled_back: 0,
            opening: Duration::ZERO,
            pause: Duration::ZERO,
            in_a_row: 0,
        }
    }

    /// Returns the time from one request to the next.
    pub(super) fn interval(&self) -> Duration {
        let interval = if self.rate >= per_second(self.shortest) {
            self.shortest
        } else {
            Duration::from_secs_f64(1.0 / self.rate)
        };
        if self.in_a_row > 1 { interval.max(CAREFUL) } else { interval }
    }

    /// Returns the rate in requests a second.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// Returns whether the service has throttled the run, episodes that were taken back aside.
    pub(super) fn was_throttled(&self) -> bool {
        self.episode > self.rolled_back
    }

    /// Returns the state that [`Self::roll_back`] can go back to.
    pub(super) fn checkpoint(&self) -> RateCheckpoint {
        let Self { rate, mode, good, owed, quiet_until, pause, episode, .. } = *self;
        RateCheckpoint { rate, mode, good, owed, quiet_until, pause, episode }
    }

    /// Takes back the effect of `episodes` that were no limit of the service. Does nothing where there were
    /// other episodes since the checkpoint.
    pub(super) fn roll_back(&mut self, now: Duration, before: RateCheckpoint, episodes: u32) {
        if self.episode != before.episode + episodes || episodes == 0 {
            return;
        }
        let RateCheckpoint { rate, mode, good, owed, quiet_until, pause, .. } = before;
        (self.good, self.owed, self.quiet_until, self.pause) = (good, owed, quiet_until, pause);
        self.rolled_back += episodes;
        self.in_a_row = 0;
        let since = now.max(self.opening);
        (self.long, self.hold) = (Span::from(since), Span::from(since));
        self.go(since, rate, mode);
    }

    /// Returns the number of episodes since a request was let through, counted as if the request of this turn
    /// had just been throttled.
    pub(super) fn in_a_row_with(&self, turn: Turn) -> u32 {
        if turn.episode == self.episode { self.in_a_row + 1 } else { self.in_a_row.max(1) }
    }

    /// Records that a request is sent; `waited` says whether the rate held it back.
    pub(super) fn granted(&mut self, now: Duration, waited: bool) -> Turn {
        self.turns += 1;
        self.waited += u64::from(waited);
        Turn { at: now, rate: self.rate, episode: self.episode }
    }

    /// Records that a request was let through, whatever the answer.
    pub(super) fn answered(&mut self, now: Duration, turn: Turn) {
        self.long.answered += 1;
        self.hold.answered += 1;
        self.owed = (self.owed - 1.0).max(0.0);
        if turn.episode == self.episode {
            self.in_a_row = 0;
        }
        if self.mode == Mode::Hold {
            if self.owed > 0.0 || now < self.quiet_until || self.rate >= per_second(self.shortest) {
                return;
            }
            self.long = self.hold;
            self.mode = Mode::Seek { step: PROBE };
        }
        if turn.episode == self.episode && turn.at >= self.since + self.round() && self.is_the_limit() {
            self.grow(now);
        }
    }

    /// Records that a request was throttled, and that nothing is sent for the length of `pause`.
    pub(super) fn throttled(&mut self, now: Duration, turn: Turn, pause: Duration) {
        let end = now + pause;
        let first = turn.episode == self.episode;
        // A request that was sent before the pause may be told to wait for longer: only what goes beyond the
        // present pause is added.
        let more = if first { pause } else { end.saturating_sub(self.opening) };
        self.opening = self.opening.max(end);
        self.since = self.opening;
        for span in [&mut self.long, &mut self.hold] {
            span.paused += more;
        }
        if !first {
            self.owed += 1.0 / THROTTLED;
            return;
        }
        self.charge(now, pause);
        self.episode += 1;
        self.pause = pause;
        self.in_a_row += 1;
        if self.in_a_row == 1 {
            self.lower(turn.rate);
        }
    }

    /// Adds the cost of an episode to what has to be paid off. Half of what is still owed is dropped, because
    /// where the limit moves one episode follows another.
    fn charge(&mut self, now: Duration, pause: Duration) {
        self.owed = self.owed / 2.0 + 1.0 / THROTTLED;
        let left = self.quiet_until.saturating_sub(now) / 2;
        let quiet = (left + pause.mul_f64(1.0 / PAUSED)).min(LONGEST_HOLD);
        self.quiet_until = now + pause + quiet;
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

    /// Raises the rate after a round in which it was sustained.
    fn grow(&mut self, now: Duration) {
        self.good = Some(self.rate);
        match self.mode {
            Mode::Seek { step } => {
                let rate = self.rate * (1.0 + step);
                if rate >= per_second(self.shortest) {
                    self.hold_at(now, per_second(self.shortest));
                } else {
                    self.go(now, rate, Mode::Seek { step: (step * STEP_GROWTH).min(LEAP) });
                }
            }
            Mode::Climb { to } => {
                let rate = self.rate + ((to - self.rate) / 4.0).max(to * 0.005);
                if rate >= to { self.hold_at(now, to) } else { self.go(now, rate, self.mode) }
            }
            Mode::Hold => {}
        }
    }

    fn hold_at(&mut self, since: Duration, rate: f64) {
        self.hold = Span::from(since);
        self.go(since, rate, Mode::Hold);
    }

    fn go(&mut self, since: Duration, rate: f64, mode: Mode) {
        self.rate = rate;
        self.mode = mode;
        self.since = since;
        self.turns = 0;
        self.waited = 0;
    }

    /// Returns how long a rate is watched before it counts as sustained: longer at low rates, and where the
    /// service asks for long pauses, because it then counts over a long time.
    fn round(&self) -> Duration {
        let requests = Duration::from_secs_f64(ROUND_REQUESTS / self.rate);
        ROUND.max(requests).max(self.pause * 2).min(LONGEST_ROUND.max(requests))
    }

    /// Returns whether it is the rate that holds requests back, and not concurrency or latency.
    fn is_the_limit(&self) -> bool {
        self.waited * 2 >= self.turns
    }
}

fn per_second(interval: Duration) -> f64 {
    1.0 / interval.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A controller whose requests are let through one after another, without latency.
    struct World {
        controller: Controller,
        now: Duration,
        /// Whether the rate holds requests back.
        waits: bool,
    }

    impl World {
        fn new(controller: Controller) -> Self {
            Self { controller, now: Duration::ZERO, waits: true }
        }

        fn send(&mut self) -> Turn {
            self.now += self.controller.interval();
            self.controller.granted(self.now, self.waits)
        }

        /// Sends requests for a time, all of which are let through.
        fn run(&mut self, time: Duration) {
            let end = self.now + time;
            while self.now < end {
                let turn = self.send();
                self.controller.answered(self.now, turn);
            }
        }

        /// Sends a request that is throttled.
        fn throttle(&mut self, pause: Duration) {
            let turn = self.send();
            self.controller.throttled(self.now, turn, pause);
            self.now += pause;
        }

        fn rate(&self) -> f64 {
            self.controller.rate()
        }
    }

    fn auto() -> World {
        World::new(Controller::seeking(Duration::from_micros(1)))
    }

    #[test]
    fn where_no_limit_is_known_the_rate_leaps() {
        let mut world = auto();
        let mut rates = vec![world.rate()];
        for _ in 0..60 {
            world.run(s(1));
            if rates.last() != Some(&world.rate()) {
                rates.push(world.rate());
            }
        }
        assert_eq!(rates[0], START);
        assert!(rates.windows(2).all(|pair| (pair[1] / pair[0] - 1.25).abs() < 1e-9), "{rates:?}");
        assert!(rates.len() > 12, "a round is 4 s: {rates:?}");
    }

    #[test]
    fn what_the_rate_does_not_hold_back_does_not_raise_it() {
        let mut world = auto();
        world.waits = false;
        world.run(s(600));
        assert_eq!(world.rate(), START);
    }

    #[test]
    fn a_limit_leads_back_to_what_was_borne_and_is_not_tried_again_soon() {
        let mut world = auto();
        world.run(s(30));
        let throttled = world.rate();
        world.throttle(s(1));
        assert!((world.rate() - throttled / 1.25).abs() < 1e-9, "the last rate that was borne");
        world.run(s(60));
        let held = world.rate();
        assert!((held / throttled - BELOW).abs() < 1e-9, "a little below: {held} of {throttled}");
        // A second of pause is one percent of a hundred seconds.
        world.run(s(20));
        assert_eq!(world.rate(), held);
        world.run(s(30));
        assert!(world.rate() > held && world.rate() < held * 1.1, "small steps: {}", world.rate());
    }

    #[test]
    fn a_limit_that_has_gone_is_left_behind() {
        let mut world = auto();
        world.run(s(30));
        world.throttle(s(1));
        let throttled = world.now;
        while world.rate() < 100.0 {
            world.run(s(1));
        }
        assert!(world.now - throttled < s(300), "{:?}", world.now - throttled);
    }

    #[test]
    fn what_was_in_flight_is_throttled_together() {
        let mut world = auto();
        world.run(s(30));
        let turns = [world.send(), world.send(), world.send()];
        world.controller.throttled(world.now, turns[0], s(1));
        let (rate, owed) = (world.rate(), world.controller.owed);
        for turn in &turns[1..] {
            world.controller.throttled(world.now, *turn, s(1));
        }
        assert_eq!(world.rate(), rate, "the rate is lowered once");
        assert_eq!(world.controller.owed, 3.0 * owed, "each is paid off");
        assert_eq!(world.controller.opening, world.now + s(1));
        world.controller.throttled(world.now, turns[1], s(9));
        assert_eq!(world.controller.opening, world.now + s(9), "the longest pause counts");
    }

    #[test]
    fn what_was_no_limit_is_taken_back_unless_there_was_one() {
        for (others, is_taken_back) in [(0, true), (1, false)] {
            for mut world in [auto(), World::new(Controller::up_to(Duration::from_millis(20)))] {
                world.run(s(30));
                let before = world.controller.checkpoint();
                world.throttle(s(5));
                world.run(s(1));
                world.throttle(s(5));
                (0..others).for_each(|_| world.throttle(s(5)));
                assert!(world.rate() < before.rate && world.controller.was_throttled());
                world.controller.roll_back(world.now, before, 2);
                let after = world.controller.checkpoint();
                assert_eq!(RateCheckpoint { episode: before.episode, ..after } == before, is_taken_back);
                assert_eq!(world.controller.was_throttled(), !is_taken_back);
            }
        }
    }

    #[test]
    fn a_rate_falls_to_what_got_through_but_by_half_at_most() {
        // Seconds that it went well for, the length of the pause, and the share that is left.
        for (well, pause, share) in [(1000, 1, 0.98), (90, 10, 0.9), (30, 10, 0.75), (10, 60, 0.5)] {
            let mut world = World::new(Controller::up_to(Duration::from_millis(100)));
            world.run(s(well));
            world.throttle(s(pause));
            assert!((world.rate() / 10.0 - share).abs() < 0.002, "{well} {pause}: {}", world.rate());
        }
    }

    #[test]
    fn a_pause_that_was_too_short_says_nothing_of_the_rate() {
        let mut world = World::new(Controller::up_to(Duration::from_millis(100)));
        world.run(s(100));
        world.throttle(s(1));
        let (rate, interval) = (world.rate(), world.controller.interval());
        for in_a_row in 2..40 {
            world.throttle(s(1));
            assert_eq!((world.rate(), world.controller.in_a_row), (rate, in_a_row));
            assert_eq!(world.controller.interval(), CAREFUL);
        }
        world.run(s(1));
        assert_eq!((world.controller.in_a_row, world.controller.interval()), (0, interval));
    }

    #[test]
    fn a_ceiling_is_never_exceeded_and_reached_to_the_nanosecond() {
        let ceiling = Duration::from_nanos(333_333_334);
        let mut world = World::new(Controller::up_to(ceiling));
        world.run(s(100));
        for _ in 0..5 {
            world.throttle(s(30));
            assert!(world.controller.interval() > ceiling);
            for _ in 0..600 {
                world.run(s(1));
                assert!(world.controller.interval() >= ceiling);
            }
        }
        world.run(s(2000));
        assert_eq!(world.controller.interval(), ceiling);
    }

    #[test]
    fn no_rate_falls_below_the_slowest() {
        let mut world = auto();
        for _ in 0..50 {
            let turn = world.send();
            world.controller.answered(world.now, turn);
            world.throttle(s(600));
        }
        assert_eq!(world.rate(), SLOWEST);
        let slower = s(1000);
        let mut world = World::new(Controller::up_to(slower));
        world.throttle(s(600));
        assert_eq!(world.controller.interval(), slower, "nor below the user's, where that is slower");
    }
}
