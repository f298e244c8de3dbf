//! The rate controller: finds the highest rate that the service accepts, and follows it when it changes.
//! Pure: it is told what happened and when, and has no clock of its own.
//!
//! The limit is not published, nor how it is counted: by a token bucket, by a sliding or a fixed window, of a
//! second or of a minute. So none of these is assumed. The controller uses only which rates were sustained,
//! which were throttled, and how many requests were let through over a longer time.
//!
//! | mode | what happens | left when |
//! |---|---|---|
//! | double | at the start: the rate doubles each time that a request was answered which was sent at it; below [`SLOW`] it quadruples until something is throttled | a request is throttled, or answers take longer than before |
//! | seek | the rate grows by steps that grow themselves: from [`PROBE`] where a limit is known, by [`LEAP`] where none is; faster at the start | a request is throttled |
//! | climb | after a rate that was too high: the rate approaches one a little below it, by a part of the way each time | it is reached, or a request is throttled |
//! | hold | the rate stays until the last throttles are paid off; seek follows | they are paid off, or a request is throttled |
//!
//! The rate grows only when a request that was sent at the end of a [round](Controller::round) was answered,
//! which shows that the rate is sustained, and only where requests had to wait for the rate: where
//! concurrency or latency is the limit, it stays. It stays also where answers take much longer than they did at
//! a lower rate, since they queue then.
//!
//! # The start
//! A run that knows no limit may double its rate, because a limit that is met costs little: at most as many
//! requests are throttled as are in flight, and one pause. What is sent next follows from how long that pause
//! was.
//!
//! - A short one means a limit of a second or so. The rate goes to what was let through in the last second and
//!   seeks on from there in large steps, until it is throttled again. The two throttles together tell the limit
//!   ([`phase`]).
//! - A longer one, or several in a row, may mean a limit of a minute. The rate goes to what was let through on
//!   average, the pause included, and doubles from there. If the next pause comes after about as many requests
//!   and about as much time, it is such a limit, and the average is held; otherwise the limit is taken for one
//!   of a second.
//!
//! So a quota of a minute is used up at the start and once more, which costs no share of it: the next minute
//! grants as much again. Both times as many requests are throttled as are in flight: 4 by default. The table
//! that shows it stands in docs/running.md. The start ends when a rate was held for [`SETTLED`], after
//! [`start::MAX_FALLS`] throttles at the latest.
//!
//! # Afterwards
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

mod latency;
mod phase;
mod start;

use std::time::Duration;

use latency::Latency;
use start::{Start, Then, Throttled};

/// The first rate, in requests a second (docs/api-facts.md, "Status codes").
const START: f64 = 2.0;

/// The factor by which the rate grows at the start, and the one below [`SLOW`].
const DOUBLE: f64 = 2.0;
const QUADRUPLE: f64 = 4.0;

/// The rate below which it quadruples at the start.
const SLOW: f64 = 10.0;

/// The shortest time from one doubling to the next, the latency of an answer included.
const START_ROUND: Duration = Duration::from_millis(200);

/// The shortest time that a rate is watched before it is doubled, whatever the latency.
const START_WATCH: Duration = Duration::from_millis(50);

/// The first step after a throttle of the start, the factor by which each is larger than the one before, and the
/// largest.
const START_STEP: f64 = 0.09;
const START_STEP_GROWTH: f64 = 3.0;
const START_LEAP: f64 = 0.35;

/// The shortest time without a throttle after which a rate counts as sustained while the start goes on.
const SHORT_ROUND: Duration = Duration::from_secs(1);

/// How long a rate must be held at the start until the start is over.
const SETTLED: Duration = Duration::from_secs(6);

/// How many times as long as its pause a throttle of the start is paid off for.
const START_QUIET: u32 = 12;

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

/// How long a rate is held that an earlier run bore, or that the service says it grants.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The share of a rate that is used which the service says it grants.
const OF_TOLD: f64 = 0.97;

/// The highest rate that is gone to at once because the service says it grants it.
const FASTEST_TOLD: f64 = 100.0;

/// The lowest rate that is believed to be granted because the service says so. A lower one shows by refusals.
const SLOWEST_TOLD: f64 = 0.5;

/// The number of pauses, each foretold by the first answer after another one, after which such answers are no longer
/// believed.
const MOST_FORETOLD: u32 = 3;

/// A rate that a run bore: what outlives the run of its controller's state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BorneRate {
    /// Requests a second.
    pub per_second: f64,
    /// Whether the service throttles what is faster, as far as is known.
    pub is_limit: bool,
}

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
    is_starting: bool,
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
    /// Whether a request waits for the rate.
    is_waiting: bool,
    latency: Latency,
    /// Whether the run began with the limit of an earlier one.
    began_at_limit: bool,
    /// Whether the service said which rate it grants.
    has_aimed: bool,
    /// How many pauses were foretold, each by the first answer after another one, and the answers since the last.
    foretold: u32,
    since_foretold: u64,
    /// What the start has found so far; `None` once it is over.
    start: Option<Start>,
}

/// How the rate changes; see the table above.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Double,
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
        Self { start: Some(Start::default()), ..Self::new(shortest, START, Mode::Double) }
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
            is_waiting: false,
            latency: Latency::default(),
            began_at_limit: false,
            has_aimed: false,
            foretold: 0,
            since_foretold: 0,
            start: None,
        }
    }

    /// Goes on with a rate that an earlier run bore. A run that was throttled itself does so only where it would be
    /// faster than that run's limit: what is borne in reading may be too much for changes.
    pub(super) fn begin_at(&mut self, now: Duration, borne: BorneRate) {
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
    pub(super) fn aim_at(&mut self, now: Duration, granted: f64) {
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
    pub(super) fn believes_pause(&self, turn: Turn) -> bool {
        turn.episode == self.episode && self.foretold < MOST_FORETOLD
    }

    /// Records that an answer foretold a pause: as a throttle does, it lowers the rate, and costs no request.
    pub(super) fn foretold(&mut self, now: Duration, turn: Turn, pause: Duration) {
        self.foretold = if self.since_foretold <= 1 { self.foretold + 1 } else { 1 };
        self.since_foretold = 0;
        self.throttled(now, turn, pause);
    }

    /// Returns the rate that was sustained, where there was one.
    pub(super) fn borne(&self) -> Option<BorneRate> {
        let is_limit = self.was_throttled() || self.began_at_limit;
        self.good.map(|per_second| BorneRate { per_second, is_limit })
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
        let is_starting = self.start.is_some();
        RateCheckpoint { rate, mode, good, owed, quiet_until, pause, episode, is_starting }
    }

    /// Takes back the effect of `episodes` that were no limit of the service. Does nothing where there were
    /// other episodes since the checkpoint.
    pub(super) fn roll_back(&mut self, now: Duration, before: RateCheckpoint, episodes: u32) {
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

    /// Returns the number of episodes since a request was let through, counted as if the request of this turn
    /// had just been throttled.
    pub(super) fn in_a_row_with(&self, turn: Turn) -> u32 {
        if turn.episode == self.episode { self.in_a_row + 1 } else { self.in_a_row.max(1) }
    }

    /// Records that a request begins to wait for the rate.
    pub(super) fn waits(&mut self) {
        self.is_waiting = true;
    }

    /// Records that a request is sent; `waited` says whether the rate held it back.
    pub(super) fn granted(&mut self, now: Duration, waited: bool) -> Turn {
        self.turns += 1;
        self.waited += u64::from(waited);
        self.is_waiting = false;
        self.start.iter_mut().for_each(|start| start.record_sent(now));
        Turn { at: now, rate: self.rate, episode: self.episode }
    }

    /// Records that a request was let through, whatever the answer.
    pub(super) fn answered(&mut self, now: Duration, turn: Turn) {
        self.long.answered += 1;
        self.hold.answered += 1;
        self.since_foretold += 1;
        self.owed = (self.owed - 1.0).max(0.0);
        let is_of_this_episode = turn.episode == self.episode;
        if is_of_this_episode {
            self.in_a_row = 0;
            if turn.at >= self.since {
                self.latency.record(now.saturating_sub(turn.at));
            }
            let opening = self.opening;
            if let Some(then) = self.start.as_mut().and_then(|start| start.judge(opening)) {
                self.follow(now, then);
            }
        }
        if self.mode == Mode::Hold {
            if is_of_this_episode && turn.at >= self.since + SETTLED && self.is_the_limit(now) {
                self.start = None;
                self.good = Some(self.rate);
            }
            if self.owed > 0.0 || now < self.quiet_until || self.rate >= per_second(self.shortest) {
                return;
            }
            self.long = self.hold;
            self.mode = Mode::Seek { step: PROBE };
        }
        if !is_of_this_episode || turn.at < self.since + self.round() {
            return;
        }
        // Whether it is the rate that holds requests back is asked anew each round: while reading and while
        // sending, other things may.
        if self.is_the_limit(now) && !self.is_slowed_down(now) {
            self.grow(now);
        } else {
            self.go(now, self.rate, self.mode);
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
        self.pause = pause;
        self.in_a_row += 1;
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

    /// Adds the cost of an episode to what has to be paid off. Half of what is still owed is dropped, because
    /// where the limit moves one episode follows another.
    fn charge(&mut self, now: Duration, pause: Duration) {
        self.owed = self.owed / 2.0 + 1.0 / THROTTLED;
        let left = self.quiet_until.saturating_sub(now) / 2;
        let cost = if self.start.is_some() { pause * START_QUIET } else { pause.mul_f64(1.0 / PAUSED) };
        self.quiet_until = now + pause + (left + cost).min(LONGEST_HOLD);
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
    fn follow(&mut self, since: Duration, then: Then) {
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

    /// Raises the rate after a round in which it was sustained.
    fn grow(&mut self, now: Duration) {
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

    fn hold_at(&mut self, since: Duration, rate: f64) {
        self.hold = Span::from(since);
        self.go(since, rate, Mode::Hold);
    }

    fn go(&mut self, since: Duration, rate: f64, mode: Mode) {
        let time = since.saturating_sub(self.since);
        let turns = self.turns;
        self.start.iter_mut().for_each(|start| start.record_step(time, turns));
        self.latency.begin();
        self.rate = rate;
        self.mode = mode;
        self.since = since;
        self.turns = 0;
        self.waited = 0;
    }

    /// Returns how long a rate is watched before it counts as sustained: longer at low rates, and where the
    /// service asks for long pauses, because it then counts over a long time.
    fn round(&self) -> Duration {
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
    fn is_the_limit(&self, now: Duration) -> bool {
        let waiting = u64::from(self.is_waiting);
        if (self.waited + waiting) * 2 < self.turns + waiting {
            return false;
        }
        // A rate that is doubled in short rounds could run far ahead of what is sent.
        let time = now.saturating_sub(self.since).as_secs_f64();
        self.mode != Mode::Double || (self.turns + 1) as f64 >= 0.8 * self.rate * time
    }

    /// Returns whether answers take longer since the rate is as high as it is; at the start, the rate goes back then.
    fn is_slowed_down(&mut self, now: Duration) -> bool {
        let has_grown = self.latency.has_grown();
        if has_grown && self.mode == Mode::Double {
            let rate = self.good.unwrap_or(self.rate / 2.0).min(self.rate);
            self.go(now, rate, Mode::Seek { step: PROBE });
        }
        has_grown
    }
}

fn per_second(interval: Duration) -> f64 {
    1.0 / interval.as_secs_f64()
}

#[cfg(test)]
mod tests;
