//! What a throttle tells of the limit: how fast requests were sent until it came. Pure.
//!
//! One throttle can't tell a small quota with a large reserve from a large one with none. Two can, because
//! what was sent differs. So a [`Phase`] is compared with the one before:
//!
//! | what was seen | taken for | the rate that it grants |
//! |---|---|---|
//! | both were throttled after as many requests within a second, and the rate that this tells wasn't tried yet | a window of a second | these |
//! | throttled within a second | a window of a second | what was sent |
//! | anything else | a bucket that holds a reserve | the rate at which the reserve that one phase used up is used up by the other, too |

use std::collections::VecDeque;
use std::time::Duration;

/// The time over which requests are counted that were sent last.
const LATELY: Duration = Duration::from_secs(1);

/// The most requests that are remembered.
const MOST: usize = 4096;

/// The share by which two counts may differ that are taken for the same. A window grants the same each time, and
/// what comes a little closer than it was sent makes a difference of a few; what a bucket grants looks alike only
/// by chance.
const ALIKE: f64 = 0.04;

/// The share of what was sent in a second that must have been sent in the one before it, so that no window of a second
/// can have borne both.
const AS_MUCH: f64 = 0.9;

/// The share of what was sent in the last second of either phase that a limit is taken to grant at least.
const WINDOW_SHARE: f64 = 0.95;

/// How often an interval is halved in which a rate is looked for.
const HALVINGS: u32 = 30;

/// The requests of a phase: from the end of a pause to the next throttle.
#[derive(Debug, Clone)]
pub(super) struct Phase {
    /// The times for which one rate was kept, in seconds, and how many requests were sent meanwhile.
    steps: Vec<(f64, f64)>,
    /// How many requests were sent in the second before the throttle, but not more than at the last rate.
    lately: f64,
    /// How many were sent in the second before that one.
    earlier: f64,
    /// The pause that followed, in seconds.
    pause: f64,
}

/// The requests of a phase that goes on.
#[derive(Debug, Default)]
pub(super) struct PhaseLog {
    steps: Vec<(f64, f64)>,
    /// When requests were sent, for a little more than a second.
    sent: VecDeque<Duration>,
}

impl PhaseLog {
    /// Records that a request is sent.
    pub(super) fn record_sent(&mut self, at: Duration) {
        while self.sent.len() >= MOST || self.sent.front().is_some_and(|first| *first + LATELY * 3 < at) {
            self.sent.pop_front();
        }
        self.sent.push_back(at);
    }

    /// Records that a rate was kept for a time, in which so many requests were sent.
    pub(super) fn record_step(&mut self, time: Duration, requests: u64) {
        self.steps.push((time.as_secs_f64(), requests as f64));
    }

    /// Begins another phase.
    pub(super) fn begin(&mut self) {
        self.steps.clear();
    }

    /// Returns the phase, which ends with the throttle of a request that was sent at a time and a rate. At that
    /// rate `requests` were sent since `since`.
    pub(super) fn ended(
        &self,
        at: Duration,
        rate: f64,
        since: Duration,
        requests: u64,
        pause: Duration,
    ) -> Phase {
        let before =
            |from: Duration| self.sent.iter().filter(|sent| **sent >= from && **sent < at).count() as f64;
        let later = self.sent.iter().filter(|sent| **sent >= at).count() as f64;
        let last = (at.saturating_sub(since).as_secs_f64(), (requests as f64 - later).max(0.0));
        Phase {
            steps: self.steps.iter().copied().chain([last]).collect(),
            lately: before(at.saturating_sub(LATELY)).min(rate),
            earlier: before(at.saturating_sub(LATELY * 2)) - before(at.saturating_sub(LATELY)),
            pause: pause.min(LATELY).as_secs_f64(),
        }
    }
}

impl Phase {
    /// Returns how many requests were sent in the second before the throttle.
    pub(super) fn lately(&self) -> f64 {
        self.lately
    }

    /// Returns whether it was a reserve that was used up: as much was let through in the second before the last one, and
    /// no window of a second refuses what it bore a second ago.
    pub(super) fn used_a_reserve(&self) -> bool {
        self.earlier >= self.lately * AS_MUCH
    }

    /// Returns the rate that is granted, as this phase and the next one tell it. Where the next one `held` a rate that
    /// was told before and was throttled all the same, it is no window of a second that was taken for it.
    pub(super) fn granted(&self, next: &Self, held: bool) -> f64 {
        let (time, sent) = next.steps.iter().fold((0.0, 0.0), |sum, step| (sum.0 + step.0, sum.1 + step.1));
        if !held && (next.lately - self.lately).abs() <= (next.lately * ALIKE).max(1.5) {
            return f64::midpoint(next.lately, self.lately);
        }
        if time < LATELY.as_secs_f64() {
            return sent;
        }
        let (mut low, mut high) = (0.0, next.lately.max(self.lately));
        for _ in 0..HALVINGS {
            let rate = f64::midpoint(low, high);
            if self.left(next, rate) < 0.0 {
                low = rate;
            } else {
                high = rate;
            }
        }
        high.max(next.lately.min(self.lately) * WINDOW_SHARE)
    }

    /// Returns how many requests a bucket would still grant at the end of the next phase that grants this rate, and
    /// held what this phase used. It was empty before the pause.
    fn left(&self, next: &Self, rate: f64) -> f64 {
        let most = self.reserve(rate).max(1.0);
        let after_pause = (rate * self.pause).min(most);
        next.steps
            .iter()
            .fold(after_pause, |left, (seconds, requests)| (left + rate * seconds - requests).min(most))
    }

    /// Returns how many requests a bucket holds that was full at first, grants this rate, and was empty at the
    /// throttle.
    fn reserve(&self, rate: f64) -> f64 {
        let (mut used, mut most) = (0.0, 0.0_f64);
        for (seconds, requests) in self.steps.iter().rev() {
            used += requests - rate * seconds;
            most = most.max(used);
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A bucket that grants so many a second and holds so many, asked evenly at rates that are each kept for a time.
    /// It is full at first, and empty before a pause of a second.
    fn asked(
        log: &mut PhaseLog,
        quota: f64,
        most: f64,
        mut tokens: f64,
        rates: &[(f64, f64)],
        from: f64,
    ) -> (f64, Phase) {
        let (mut now, mut last, mut since) = (from, from, from);
        log.begin();
        let mut steps = rates.iter();
        let (mut rate, mut until) = (0.0, from);
        let mut sent = 0;
        loop {
            if now >= until {
                if now > since {
                    log.record_step(Duration::from_secs_f64(now - since), sent);
                }
                let (next, time) = *steps.next().unwrap_or(&(rate * 1.5, 1.0));
                (rate, until, since, sent) = (next, now + time, now, 0);
            }
            now += 1.0 / rate;
            tokens = (tokens + (now - last) * quota).min(most);
            last = now;
            sent += 1;
            let at = Duration::from_secs_f64(now);
            log.record_sent(at);
            if tokens < 1.0 {
                let since = Duration::from_secs_f64(since);
                return (now, log.ended(at, rate, since, sent, Duration::from_secs(1)));
            }
            tokens -= 1.0;
        }
    }

    fn two_phases(quota: f64, most: f64) -> (Phase, Phase) {
        let mut log = PhaseLog::default();
        let doubling: Vec<(f64, f64)> = (1..20).map(|power| (2.0_f64.powi(power), 0.25)).collect();
        let (now, first) = asked(&mut log, quota, most, most, &doubling, 0.0);
        let begin = first.lately() * 0.9;
        let growing: Vec<(f64, f64)> = [1.0, 1.09, 1.38, 1.87].map(|factor| (begin * factor, 1.0)).into();
        let (_, second) = asked(&mut log, quota, most, quota.min(most), &growing, now + 1.0);
        (first, second)
    }

    proptest! {
        /// What a bucket grants is told to a few percent where it holds little; where it holds much, it is told at
        /// most by that too high, since it looks like a window then.
        #[test]
        fn two_throttles_tell_what_a_bucket_grants(quota in 8.0..200.0_f64, seconds in 0.1..0.6_f64) {
            let most = (quota * seconds).max(5.0);
            let (first, second) = two_phases(quota, most);
            let share = first.granted(&second, false) / quota;
            prop_assert!(
                (0.75..=1.1 + most / quota).contains(&share),
                "{quota} {most}: {share} {first:?} {second:?}"
            );
        }
    }

    #[test]
    fn what_two_throttles_are_taken_for() {
        let phase =
            |steps: &[(f64, f64)], lately| Phase { steps: steps.to_vec(), lately, earlier: 0.0, pause: 1.0 };
        let ramp = [(0.25, 4.0), (0.25, 8.0), (0.25, 16.0), (0.2, 12.0)];
        for (what, first, second, wanted) in [
            ("a window of a second", phase(&ramp, 40.0), phase(&[(2.1, 82.0)], 39.0), 39.5),
            ("less than a second", phase(&ramp, 40.0), phase(&[(0.5, 20.0)], 20.0), 20.0),
            ("few in a second", phase(&[(1.0, 5.0)], 5.0), phase(&[(3.0, 16.0)], 6.0), 5.5),
        ] {
            assert!((first.granted(&second, false) - wanted).abs() < 1e-9, "{what}");
        }
    }
}
