//! The rate limit: governor's algorithm, evaluated at the time at which a request fell due.
//!
//! governor's own clock and its own sleep do not move with tokio's paused time, so neither is used: the
//! limiter only says when the next request may be sent, and the caller sleeps until then.
//!
//! tokio's timers tick in milliseconds, so a sleeping caller wakes up to a good millisecond late, and much later
//! where the machine is busy. Counted from there, a hundred requests a second would lose a tenth. So the limiter
//! is evaluated as of the time at which the request could have been sent, and the next one falls due one interval
//! after that: lateness is made up for within the second, and no turns are saved up while no request asks for one.
//!
//! What is made up for comes at once, and a service that counts seconds would find it too much together with what
//! came before or comes next. So no more than one request above the rate is sent in any one second, wherever it
//! begins ([`LastSecond`]).

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

/// The longest lateness that is made up for.
const CATCH_UP: Duration = Duration::from_secs(1);

/// The most requests that are remembered, which at very high rates are those of less than a second.
const MOST: u32 = 10_000;

/// The rate limit of a run, with an interval that can change from request to request.
#[derive(Debug)]
pub(super) struct Limiter {
    inner: GovernorLimiter,
    clock: AsOf,
    begun: Instant,
    interval: Duration,
    /// Since when the interval is as short as it is.
    shorter_since: Instant,
    /// When the last request fell due.
    last: Option<Instant>,
    /// When it was sent, and how much later than due. A request that follows directly is late by as much.
    sent: Option<Instant>,
    late: Duration,
    last_second: LastSecond,
}

type GovernorLimiter = RateLimiter<NotKeyed, InMemoryState, AsOf, NoOpMiddleware<Nanos>>;

impl Limiter {
    pub(super) fn new(interval: Duration) -> Self {
        let (clock, begun) = (AsOf::default(), Instant::now());
        Self {
            inner: limiter(interval, &clock),
            clock,
            begun,
            interval,
            shorter_since: begun,
            last: None,
            sent: None,
            late: Duration::ZERO,
            last_second: LastSecond::default(),
        }
    }

    /// Takes a turn for a request that has been waiting since `asked`, and returns when the turn fell due.
    ///
    /// # Errors
    /// The time at which the next turn is free, where there is none yet.
    pub(super) fn take(&mut self, asked: Instant, interval: Duration) -> Result<Instant, Instant> {
        self.change(interval);
        let now = Instant::now();
        if let Some(free) = self.last_second.full_until(now, interval) {
            return Err(free);
        }
        let free = self.last.map_or(self.begun, |last| last + self.interval);
        let before = |time: Instant, by| time.checked_sub(by).unwrap_or(time);
        // Time in which nobody asked is nothing that a timer lost.
        let idle = self.sent.map_or(Duration::ZERO, |sent| asked.saturating_duration_since(sent));
        let asked = before(asked, self.late.saturating_sub(idle));
        // Nor is time in which a longer interval held it back.
        let due = free.max(asked).max(self.shorter_since).max(before(now, CATCH_UP)).min(now);
        self.check(due)?;
        self.last = Some(due);
        self.sent = Some(now);
        self.late = now.duration_since(due);
        self.last_second.record(now);
        Ok(due)
    }

    /// Changes the interval. governor's quotas are immutable, so a new limiter replaces the old one, and the
    /// last request is counted in it.
    fn change(&mut self, interval: Duration) {
        if interval == self.interval {
            return;
        }
        if interval < self.interval {
            self.shorter_since = Instant::now();
        }
        self.interval = interval;
        // A governor limiter counts from the time its clock shows when it is created.
        self.clock.set(self.last.map_or(Duration::ZERO, |last| last.duration_since(self.begun)));
        self.inner = limiter(interval, &self.clock);
        if self.last.is_some() {
            self.inner.check().expect("a new limiter has a turn to give");
        }
    }

    fn check(&self, due: Instant) -> Result<(), Instant> {
        self.clock.set(due.duration_since(self.begun));
        let at = |nanos: Nanos| self.begun + Duration::from(nanos);
        self.inner.check().map_err(|not_until| at(not_until.earliest_possible()))
    }
}

/// When the requests of the last second were sent.
#[derive(Debug, Default)]
struct LastSecond(VecDeque<Instant>);

impl LastSecond {
    /// Returns until when no request may be sent, because as many as an interval allows were, and one more.
    fn full_until(&mut self, now: Instant, interval: Duration) -> Option<Instant> {
        let allowed = u32::try_from(CATCH_UP.as_nanos() / interval.as_nanos().max(1)).unwrap_or(MOST);
        let (span, allowed) = if allowed < MOST { (CATCH_UP, allowed) } else { (interval * MOST, MOST) };
        while self.0.front().is_some_and(|sent| *sent + CATCH_UP <= now) || self.0.len() > MOST as usize {
            self.0.pop_front();
        }
        let first = self.0.len().checked_sub(allowed as usize + 1)?;
        Some(self.0[first] + span).filter(|free| *free > now)
    }

    fn record(&mut self, sent: Instant) {
        self.0.push_back(sent);
    }
}

fn limiter(interval: Duration, clock: &AsOf) -> GovernorLimiter {
    let quota = Quota::with_period(interval).expect("an interval is never zero").allow_burst(NonZeroU32::MIN);
    RateLimiter::direct_with_clock(quota, clock.clone())
}

/// The clock that governor reads: the time it is evaluated at, in nanoseconds since the run began.
#[derive(Debug, Clone, Default)]
struct AsOf(Arc<AtomicU64>);

impl AsOf {
    fn set(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanos, Ordering::Relaxed);
    }
}

impl Clock for AsOf {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// How late a sleeping caller wakes up: by ticks of a millisecond, and by what its number adds to that.
    type Lateness = fn(u64) -> u64;

    const LATE: [(&str, Lateness); 5] = [
        ("in time", |_| 0),
        ("always late", |number| 1 + number % 3),
        ("often late", |number| if number.is_multiple_of(7) { 45 } else { 0 }),
        ("by ticks of 16 ms", |number| 16 - number * 5 % 16),
        ("stalled", |number| if number.is_multiple_of(200) { 300 } else { 1 }),
    ];

    /// Requests that always wait, for so many seconds: when each was sent, in microseconds.
    async fn sent(per_second: u32, late: Lateness, seconds: u64) -> Vec<u128> {
        let interval = Duration::from_secs(1) / per_second;
        let (mut limiter, begun) = (Limiter::new(interval), Instant::now());
        let (mut sent, mut wakes) = (Vec::new(), 0);
        while begun.elapsed() < Duration::from_secs(seconds) {
            let asked = Instant::now();
            while let Err(free) = limiter.take(asked, interval) {
                let milliseconds = (free - begun).as_micros().div_ceil(1000);
                wakes += 1;
                let wake = u64::try_from(milliseconds).unwrap() + late(wakes);
                advance(begun + Duration::from_millis(wake) - Instant::now()).await;
            }
            sent.push(begun.elapsed().as_micros());
        }
        sent
    }

    /// The most in any one second, wherever it begins.
    fn most_in_a_second(sent: &[u128]) -> usize {
        let (mut first, mut most) = (0, 0);
        for (last, at) in sent.iter().enumerate() {
            while sent[first] + 1_000_000 <= *at {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_reached_and_in_no_second_exceeded_by_more_than_one() {
        for per_second in [3, 20, 50, 200, 1000] {
            for (what, late) in LATE {
                let sent = sent(per_second, late, 20).await;
                let share = sent.len() as f64 / f64::from(per_second * 20);
                let most = most_in_a_second(&sent);
                assert!(share >= 0.99, "{per_second}/s, {what}: {share}");
                assert!(most <= per_second as usize + 1, "{per_second}/s, {what}: {most} in a second");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_asked_for_is_not_made_up_for() {
        let interval = Duration::from_millis(20);
        let mut limiter = Limiter::new(interval);
        limiter.take(Instant::now(), interval).unwrap();
        // A request that waits is held up for 300 ms; the next one comes a second later.
        let asked = Instant::now();
        advance(Duration::from_millis(320)).await;
        limiter.take(asked, interval).unwrap();
        advance(Duration::from_secs(1)).await;
        let asked = Instant::now();
        limiter.take(asked, interval).unwrap();
        assert_eq!(limiter.take(asked, interval), Err(asked + interval));
        // A rate that rises while a request waits.
        let mut limiter = Limiter::new(interval * 100);
        let asked = Instant::now();
        limiter.take(asked, interval * 100).unwrap();
        advance(Duration::from_secs(1)).await;
        limiter.take(asked, interval * 100).unwrap_err();
        let now = Instant::now();
        limiter.take(asked, interval).unwrap();
        assert_eq!(limiter.take(asked, interval), Err(now + interval));
    }
}
