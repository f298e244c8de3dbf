//! How fast to go: a rate that finds the service's limit and follows it. Pure: it is told what happened
//! and when, and has no clock of its own.
//!
//! Nobody publishes the limit, nor how it is counted: by a bucket of tokens, by a window that slides or
//! by one that is fixed, of a second or of a minute. So nothing of that is assumed. What is known is
//! which rates were borne, which were not, and what got through over a longer time.
//!
//! | state | what happens | left when |
//! |---|---|---|
//! | seek | the rate grows by a step, and the steps grow: from [`PROBE`] where a limit is known, by [`LEAP`] where none is | a throttle |
//! | climb | after a rate that was far too high: towards a little below it, by a quarter of the way each time | it is reached, or a throttle |
//! | hold | the rate stays until the last throttles are paid off, then seek | paid off, or a throttle |
//!
//! The rate grows only when a request that was sent at the end of a [round](Controller::round) was
//! answered, so that the rate is known to be borne, and only where requests had to wait for it: where
//! concurrency and latency are the limit, it stays.
//!
//! A throttle while seeking leads back to the last rate that was borne: that is the memory of a run. If
//! that is throttled too, or a rate that was held, the rate falls to what got through on average, pauses
//! included: no quota grants less than that over a longer time. Over a short time it may, so that the
//! rate falls by half at most.
//!
//! A throttle is paid off by [`THROTTLED`] and [`PAUSED`]: so small is the share of requests and of time
//! that looking for a higher rate may cost. Throttled requests that were sent before the pause began are
//! part of the same episode: they cost, and lower the rate no further. Where nothing at all was let
//! through after a pause, the pause was too short, and that says nothing of the rate; until something
//! is, requests go out one a second, so that a storm is not fed.

use std::time::Duration;

/// Where to begin, in requests a second: docs/api-facts.md, "Status codes".
const START: f64 = 2.0;

/// No rate falls below: one request in two minutes.
const SLOWEST: f64 = 1.0 / 120.0;

/// The first step above a rate that was held, as a share of it.
const PROBE: f64 = 0.01;

/// The largest step.
const LEAP: f64 = 0.25;

/// How steps grow.
const STEP_GROWTH: f64 = 1.3;

/// Of a rate that was throttled: what may be tried next.
const BELOW: f64 = 0.98;

/// What is left of a rate that was borne for a round alone.
const CAUTION: f64 = 0.99;

/// So small a share of the requests may be throttled in looking for a higher rate.
const THROTTLED: f64 = 0.005;

/// So small a share of the time may be spent in pauses for it.
const PAUSED: f64 = 0.01;

/// However long the pauses were, a higher rate is looked for after this time.
const LONGEST_HOLD: Duration = Duration::from_secs(600);

/// A rate is borne when it went well for so long.
const ROUND: Duration = Duration::from_secs(4);

/// And for so many requests.
const ROUND_REQUESTS: f64 = 5.0;

/// But no rate is watched for longer than this before it grows.
const LONGEST_ROUND: Duration = Duration::from_secs(120);

/// The time between requests while nothing is let through.
const CAREFUL: Duration = Duration::from_secs(1);

/// What a request went out with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn {
    at: Duration,
    rate: f64,
    episode: u32,
}

/// How things stood before a throttle, so that it can be taken back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Before {
    rate: f64,
    state: State,
    good: Option<f64>,
    owed: f64,
    quiet_until: Duration,
    pause: Duration,
    episode: u32,
}

impl Before {
    /// How many pauses there were since then.
    pub fn pauses_until(self, later: Self) -> u32 {
        later.episode - self.episode
    }
}

/// The controller. All times are those since the run began.
#[derive(Debug)]
pub(super) struct Controller {
    /// The shortest time between requests.
    shortest: Duration,
    rate: f64,
    /// Since when requests go out at this rate.
    since: Duration,
    /// Requests at this rate, and those of them that had to wait for it.
    turns: u64,
    waited: u64,
    state: State,
    /// The highest rate that is known to be borne.
    good: Option<f64>,
    /// What got through since the hold before this one began.
    long: Span,
    /// What got through since this hold began.
    hold: Span,
    /// Answers, and the time, that must come before a higher rate is looked for.
    owed: f64,
    quiet_until: Duration,
    /// Throttles count as one from the first to the end of its pause.
    episode: u32,
    /// Episodes that were taken back.
    forgiven: u32,
    opening: Duration,
    pause: Duration,
    /// Episodes since something was let through that was sent after a pause.
    in_a_row: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Seek { step: f64 },
    Climb { to: f64 },
    Hold,
}

/// What got through in a span of time.
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

    /// The rate with the pauses, and without them: a quota grants something in between.
    fn rates(&self, now: Duration) -> (f64, f64) {
        let all = now.saturating_sub(self.since);
        let over = |time: Duration| self.answered as f64 / time.max(Duration::from_millis(1)).as_secs_f64();
        (over(all), over(all.saturating_sub(self.paused)))
    }
}

impl Controller {
    /// Finds the rate by itself; no two requests come closer than `shortest`.
    pub(super) fn seeking(shortest: Duration) -> Self {
        Self::new(shortest, START, State::Seek { step: LEAP })
    }

    /// Goes at a given rate, and slower while that is throttled.
    pub(super) fn up_to(interval: Duration) -> Self {
        Self::new(interval, per_second(interval), State::Hold)
    }

    fn new(shortest: Duration, rate: f64, state: State) -> Self {
        Self {
            shortest,
            rate,
            since: Duration::ZERO,
            turns: 0,
            waited: 0,
            state,
            good: None,
            long: Span::from(Duration::ZERO),
            hold: Span::from(Duration::ZERO),
            owed: 0.0,
            quiet_until: Duration::ZERO,
            episode: 0,
            forgiven: 0,
            opening: Duration::ZERO,
            pause: Duration::ZERO,
            in_a_row: 0,
        }
    }

    /// The time from one request to the next.
    pub(super) fn interval(&self) -> Duration {
        let interval = if self.rate >= per_second(self.shortest) {
            self.shortest
        } else {
            Duration::from_secs_f64(1.0 / self.rate)
        };
        if self.in_a_row > 1 { interval.max(CAREFUL) } else { interval }
    }

    /// Requests a second.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// Whether a limit was met.
    pub(super) fn was_throttled(&self) -> bool {
        self.episode > self.forgiven
    }

    /// How things stand.
    pub(super) fn before(&self) -> Before {
        let Self { rate, state, good, owed, quiet_until, pause, episode, .. } = *self;
        Before { rate, state, good, owed, quiet_until, pause, episode }
    }

    /// So many episodes since then were no limit of the service. Unless there were others, all is as it was
    /// before them.
    pub(super) fn forgive(&mut self, now: Duration, before: Before, episodes: u32) {
        if self.episode != before.episode + episodes || episodes == 0 {
            return;
        }
        let Before { rate, state, good, owed, quiet_until, pause, .. } = before;
        (self.good, self.owed, self.quiet_until, self.pause) = (good, owed, quiet_until, pause);
        self.forgiven += episodes;
        self.in_a_row = 0;
        let since = now.max(self.opening);
        (self.long, self.hold) = (Span::from(since), Span::from(since));
        self.go(since, rate, state);
    }

    /// Episodes without anything let through between them, once this request is throttled.
    pub(super) fn in_a_row_with(&self, turn: Turn) -> u32 {
        if turn.episode == self.episode { self.in_a_row + 1 } else { self.in_a_row.max(1) }
    }

    /// A request goes out. `waited`: the rate held it back.
    pub(super) fn granted(&mut self, now: Duration, waited: bool) -> Turn {
        self.turns += 1;
        self.waited += u64::from(waited);
        Turn { at: now, rate: self.rate, episode: self.episode }
    }

    /// A request was let through, whatever the answer.
    pub(super) fn answered(&mut self, now: Duration, turn: Turn) {
        self.long.answered += 1;
        self.hold.answered += 1;
        self.owed = (self.owed - 1.0).max(0.0);
        if turn.episode == self.episode {
            self.in_a_row = 0;
        }
        if self.state == State::Hold {
            if self.owed > 0.0 || now < self.quiet_until || self.rate >= per_second(self.shortest) {
                return;
            }
            self.long = self.hold;
            self.state = State::Seek { step: PROBE };
        }
        if turn.episode == self.episode && turn.at >= self.since + self.round() && self.is_the_limit() {
            self.grow(now);
        }
    }

    /// A request was throttled, and nothing is sent for the length of `pause`.
    pub(super) fn throttled(&mut self, now: Duration, turn: Turn, pause: Duration) {
        let end = now + pause;
        let first = turn.episode == self.episode;
        // Requests that were sent before the pause, and are throttled after a longer one.
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

    /// Half of what is still owed is forgiven: where the limit moves, one episode follows another.
    fn charge(&mut self, now: Duration, pause: Duration) {
        self.owed = self.owed / 2.0 + 1.0 / THROTTLED;
        let left = self.quiet_until.saturating_sub(now) / 2;
        let quiet = (left + pause.mul_f64(1.0 / PAUSED)).min(LONGEST_HOLD);
        self.quiet_until = now + pause + quiet;
    }

    fn lower(&mut self, throttled: f64) {
        let (least, most) = self.long.rates(self.opening);
        match (self.state, self.good) {
            (State::Seek { .. }, Some(good)) if good < throttled => self.fall_back(good, throttled, most),
            _ => self.fall(throttled, least, most),
        }
    }

    /// Back to the last rate that was borne.
    fn fall_back(&mut self, good: f64, throttled: f64, most: f64) {
        if most < good * 0.8 {
            // It tells of a time when less was asked for.
            self.long = Span::from(self.opening);
        }
        if good >= throttled * 0.93 {
            self.hold_at(self.opening, good * CAUTION);
        } else {
            self.go(self.opening, good, State::Climb { to: throttled * BELOW });
        }
    }

    /// Down to what got through, by half at most.
    fn fall(&mut self, throttled: f64, least: f64, most: f64) {
        let ceiling = throttled * BELOW;
        let rate = least.clamp(throttled / 2.0, ceiling).max(SLOWEST.min(throttled));
        self.long = Span::from(self.opening);
        self.good = Some(rate);
        let to = if least < throttled / 2.0 { ceiling } else { ceiling.min(most) };
        if rate >= to * 0.97 {
            self.hold_at(self.opening, rate);
        } else {
            self.go(self.opening, rate, State::Climb { to });
        }
    }

    /// The rate was borne.
    fn grow(&mut self, now: Duration) {
        self.good = Some(self.rate);
        match self.state {
            State::Seek { step } => {
                let rate = self.rate * (1.0 + step);
                if rate >= per_second(self.shortest) {
                    self.hold_at(now, per_second(self.shortest));
                } else {
                    self.go(now, rate, State::Seek { step: (step * STEP_GROWTH).min(LEAP) });
                }
            }
            State::Climb { to } => {
                let rate = self.rate + ((to - self.rate) / 4.0).max(to * 0.005);
                if rate >= to { self.hold_at(now, to) } else { self.go(now, rate, self.state) }
            }
            State::Hold => {}
        }
    }

    fn hold_at(&mut self, since: Duration, rate: f64) {
        self.hold = Span::from(since);
        self.go(since, rate, State::Hold);
    }

    fn go(&mut self, since: Duration, rate: f64, state: State) {
        self.rate = rate;
        self.state = state;
        self.since = since;
        self.turns = 0;
        self.waited = 0;
    }

    /// How long a rate is watched before it counts as borne: longer at low rates, and where the server
    /// asks for long pauses, because it then counts over a long time.
    fn round(&self) -> Duration {
        let requests = Duration::from_secs_f64(ROUND_REQUESTS / self.rate);
        ROUND.max(requests).max(self.pause * 2).min(LONGEST_ROUND.max(requests))
    }

    /// Whether it is the rate, and not concurrency or latency, that holds requests back.
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

    /// A controller whose requests are let through at once, one after another.
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

        /// For so long, all is well.
        fn run(&mut self, time: Duration) {
            let end = self.now + time;
            while self.now < end {
                let turn = self.send();
                self.controller.answered(self.now, turn);
            }
        }

        /// A request is throttled.
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
                let before = world.controller.before();
                world.throttle(s(5));
                world.run(s(1));
                world.throttle(s(5));
                (0..others).for_each(|_| world.throttle(s(5)));
                assert!(world.rate() < before.rate && world.controller.was_throttled());
                world.controller.forgive(world.now, before, 2);
                let after = world.controller.before();
                assert_eq!(Before { episode: before.episode, ..after } == before, is_taken_back);
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
