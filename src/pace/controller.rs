//! The rate controller: finds the highest rate that the service accepts, and follows it when it changes.
//! Pure: it is told what happened and when, and has no clock of its own.
//!
//! The limit is not published, nor how it is counted: by a token bucket, by a sliding or a fixed window, of a
//! second or of a minute. So none of these is assumed. The controller uses only which rates were sustained,
//! which were throttled, and how many requests were let through over a longer time.
//!
//! | part | what it owns |
//! |---|---|
//! | this file | the state, and what is recorded of each request |
//! | `growing` | when a rate counts as sustained, and which is tried next |
//! | `falling` | what a throttle does to the rate |
//! | `effort` | what looking for a higher rate may cost, and when that is paid off |
//! | `start`, `phase` | what throttles at the start of a run tell of the limit |
//! | `known` | rates that an earlier run bore, or that answers tell |
//! | `checkpoint` | taking back what was no limit |
//! | `latency`, `span` | how long answers take, and how many were let through over a longer time |
//!
//! | mode | what happens | left when |
//! |---|---|---|
//! | double | at the start: the rate doubles each time that a request was answered which was sent at it; below [`growing::SLOW`] it quadruples until something is throttled | a request is throttled, or answers take longer than before |
//! | seek | the rate grows by steps that grow themselves: from [`PROBE`] where a limit is known, by [`growing::LEAP`] where none is; faster at the start | a request is throttled |
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
//! [`effort::THROTTLED`] and [`effort::PAUSED`] are the share of requests and of time that looking for a higher
//! rate may cost; a throttle is paid off once enough requests and enough time have passed to keep within them.
//! Throttled requests that were sent before the pause began belong to the same episode: they add to that cost, and
//! lower the rate no further. Where nothing at all was let through after a pause, the pause was too short, which
//! says nothing of the rate, but adds to that cost, too, and to the time over which a limit seems to be counted, so
//! that the rate grows more slowly. Until something is let through, one request a second is sent, so that the load
//! on a service that refuses everything doesn't grow.

mod checkpoint;
mod effort;
mod falling;
mod growing;
mod known;
mod latency;
mod phase;
mod span;
mod start;

use std::time::Duration;

pub use checkpoint::RateCheckpoint;
pub use known::BorneRate;
use latency::Latency;
use span::Span;
use start::Start;

/// The first rate, in requests a second (docs/api-facts.md, "Status codes").
const START: f64 = 2.0;

/// How long a rate must be held at the start until the start is over.
const SETTLED: Duration = Duration::from_secs(6);

/// The lowest rate that the controller falls to: one request in two minutes.
const SLOWEST: f64 = 1.0 / 120.0;

/// The first step above a rate that was held, as a share of it.
const PROBE: f64 = 0.01;

/// The time between requests while nothing is let through.
const CAREFUL: Duration = Duration::from_secs(1);

/// The right to send one request now, with the rate that it was given at. The answer is reported with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn {
    at: Duration,
    rate: f64,
    episode: u32,
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
}

fn per_second(interval: Duration) -> f64 {
    1.0 / interval.as_secs_f64()
}

#[cfg(test)]
mod tests;
