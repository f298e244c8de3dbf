//! What the start of a run finds of the limit. Pure: it says what follows, and the controller does it.

use std::time::Duration;

use super::phase::{Phase, PhaseLog};

/// The longest pause after which a limit is taken for one of a second or so.
const SHORT_PAUSE: Duration = Duration::from_secs(2);

/// The longest time over which a limit is taken to be counted.
const LONGEST_WINDOW: Duration = Duration::from_secs(120);

/// The number of requests that must be let through before their count tells a limit.
const TELLING: u64 = 3;

/// The factors by which two counts of what a limit grants may differ that are taken for the same: in requests, and
/// in time. Where the service doesn't say how long to wait, the time is found by trying, and is too long.
const SAME_REQUESTS: f64 = 1.15;
const SAME_TIME: f64 = 1.5;

/// The share of what was let through in the last second that is tried first after a throttle. It is so much lower that
/// the next step still lies within a limit that was told rightly: a throttle that comes later tells more, and a second
/// that straddles two windows holds more than either.
const AFTER_FIRST: f64 = 0.9;

/// The same where it was a reserve that bore that much: what is granted is less, and nobody knows how much.
const OF_RESERVE: f64 = 0.5;

/// The share that is used of a limit that two throttles have told.
const OF_LIMIT: f64 = 0.975;

/// The share that is used of a limit that two counts have told.
const OF_COUNT: f64 = 0.99;

/// By how much less of a limit is used after each further throttle.
const LESS: f64 = 0.03;

/// The lowest share of a throttled rate that the limit can be, in case it is told too low.
const LOWEST_SHARE: f64 = 1.0 / 16.0;

/// The time and the number of requests from which on a limit may have an echo.
const LONG_WINDOW: Duration = Duration::from_secs(45);
const MUCH: u64 = 1000;

/// The share of an assumed limit of a longer time that must have been let through since it was begun to be used up, so
/// that a throttle is its echo: what was used up unevenly is granted again as unevenly.
const ECHO: f64 = 0.8;

/// The most throttles of the start, those in a row counted once.
pub(super) const MAX_FALLS: u32 = 8;

/// What the start of a run has found so far.
#[derive(Debug, Default)]
pub(super) struct Start {
    falls: u32,
    log: PhaseLog,
    before: Option<Phase>,
    /// A limit of a longer time, as the throttle before told it.
    counted: Option<Counted>,
    /// The last throttle, until something is let through.
    fall: Option<Fall>,
    /// The limit of a longer time that is assumed, with all that was let through since when.
    assumed: Option<Assumed>,
}

/// A limit of a longer time that is assumed.
#[derive(Debug, Clone, Copy)]
struct Assumed {
    rate: f64,
    requests: u64,
    since: Duration,
}

/// How the run goes on, at a rate in requests a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Then {
    /// The rate is doubled from here.
    Double(f64),
    /// A higher rate is looked for from here.
    Seek(f64),
    /// This rate is held.
    Hold(f64),
}

/// A request that was throttled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Throttled {
    /// When it was sent, and at which rate.
    pub at: Duration,
    pub rate: f64,
    /// Since when that rate was kept, and how many requests were sent since.
    pub since: Duration,
    pub turns: u64,
    /// The pause that followed.
    pub pause: Duration,
}

/// A throttle after which nothing was let through yet.
#[derive(Debug, Clone, Copy)]
struct Fall {
    /// How many requests were let through before it, and since when.
    answered: u64,
    since: Duration,
    /// The length of all its pauses.
    paused: Duration,
    /// What follows where the limit is one of a second or so.
    then: Then,
}

/// So many requests within so much time, the pause that followed included.
#[derive(Debug, Clone, Copy)]
struct Counted {
    requests: u64,
    time: Duration,
}

impl Start {
    /// Records that a request is sent.
    pub(super) fn record_sent(&mut self, at: Duration) {
        self.log.record_sent(at);
    }

    /// Records that a rate was kept for a time, in which so many requests were sent.
    pub(super) fn record_step(&mut self, time: Duration, requests: u64) {
        self.log.record_step(time, requests);
    }

    /// Returns whether so many throttles have not told the limit.
    pub(super) fn is_over(&self) -> bool {
        self.falls >= MAX_FALLS
    }

    /// Returns what follows from a throttle, where the limit is one of a second or so. Before it, `answered` requests
    /// were let through since `since`. Where the limit turns out to be another, [`Self::judge`] says so.
    pub(super) fn fall(&mut self, throttled: Throttled, answered: u64, since: Duration) -> Then {
        let Throttled { at, rate, pause, .. } = throttled;
        let phase = self.log.ended(at, rate, throttled.since, throttled.turns, pause);
        let least = rate * LOWEST_SHARE;
        if let Some(assumed) = &mut self.assumed {
            assumed.requests += answered;
            let time = (at + pause).saturating_sub(assumed.since);
            let granted = assumed.requests as f64 / time.as_secs_f64().max(1.0);
            if time <= LONGEST_WINDOW && granted >= assumed.rate * ECHO {
                return Then::Double((phase.lately() / 2.0).max(least));
            }
        }
        self.falls += 1;
        let then = match self.before.take() {
            None => {
                let share = if phase.used_a_reserve() { OF_RESERVE } else { AFTER_FIRST };
                Then::Seek((phase.lately() * share).max(least))
            }
            Some(before) => {
                let share = OF_LIMIT * (1.0 - LESS * f64::from(self.falls.saturating_sub(2)));
                // What two throttles told was held since.
                let held = self.falls > 2;
                Then::Hold((before.granted(&phase, held).min(rate) * share).max(least))
            }
        };
        self.before = Some(phase);
        self.fall = Some(Fall { answered, since, paused: pause, then });
        then
    }

    /// Records that the next request after a pause was throttled too.
    pub(super) fn pause_again(&mut self, pause: Duration) {
        self.fall.iter_mut().for_each(|fall| fall.paused += pause);
    }

    /// Begins another phase, at the end of a pause.
    pub(super) fn begin_phase(&mut self) {
        self.log.begin();
    }

    /// Returns what was let through on average up to the end of the pauses at `opening`, in requests a second, where
    /// the limit may be one of a longer time.
    pub(super) fn counted(&self, opening: Duration) -> Option<f64> {
        self.fall?.counted(opening).map(Counted::rate)
    }

    /// Decides what the limit is, once something is let through after the pauses that ended at `opening`.
    pub(super) fn judge(&mut self, opening: Duration) -> Option<Then> {
        let fall = self.fall.take()?;
        let counted = fall.counted(opening)?;
        // What was counted once may be a limit; the next throttle tells.
        let Some(before) = self.counted.replace(counted) else {
            let is_much = counted.requests >= MUCH && counted.time >= LONG_WINDOW;
            let assumed = Assumed { rate: counted.rate(), requests: fall.answered, since: fall.since };
            self.assumed = is_much.then_some(assumed);
            return None;
        };
        self.assumed = None;
        let granted = before.rate().max(counted.rate());
        Some(if before.is_like(counted) { Then::Hold(granted * OF_COUNT) } else { fall.then })
    }

    /// Takes back throttles that were no limit.
    pub(super) fn forget(&mut self, falls: u32) {
        self.falls = self.falls.saturating_sub(falls);
        self.fall = None;
        self.log.begin();
    }
}

impl Fall {
    /// Returns what was let through, up to the end of the pauses at `opening`; `None` where that tells no limit of a
    /// longer time.
    fn counted(&self, opening: Duration) -> Option<Counted> {
        let time = opening.saturating_sub(self.since).min(LONGEST_WINDOW);
        let counted = Counted { requests: self.answered, time };
        (self.paused > SHORT_PAUSE && self.answered >= TELLING).then_some(counted)
    }
}

impl Counted {
    fn rate(self) -> f64 {
        self.requests as f64 / self.time.max(Duration::from_millis(1)).as_secs_f64()
    }

    fn is_like(self, other: Self) -> bool {
        let within = |factor: f64, a: f64, b: f64| a < b * factor && b < a * factor;
        within(SAME_REQUESTS, self.requests as f64, other.requests as f64)
            && within(SAME_TIME, self.time.as_secs_f64(), other.time.as_secs_f64())
    }
}
