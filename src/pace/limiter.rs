//! The rate limit: governor's algorithm, evaluated at the time at which a request fell due.
//!
//! governor's own clock and its own sleep do not move with tokio's paused time, so neither is used: the
//! limiter only says when the next request may be sent, and the caller sleeps until then.
//!
//! tokio's timers tick in milliseconds, so a sleeping caller wakes up to a good millisecond late. Counted
//! from there, a hundred requests a second would lose a tenth. So the limiter is evaluated as of the time at
//! which the request could have been sent, and the next one falls due one interval after that: lateness is
//! caught up with, and no turns are saved up while no request asks for one.

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

/// The longest lateness that is caught up with. Anything longer is no timer's lateness, and a burst of the
/// requests that fell due meanwhile would be more than a strict service accepts.
const CATCH_UP: Duration = Duration::from_millis(10);

/// The rate limit of a run, with an interval that can change from request to request.
#[derive(Debug)]
pub(super) struct Limiter {
    inner: GovernorLimiter,
    clock: AsOf,
    begun: Instant,
    interval: Duration,
    /// When the last request fell due.
    last: Option<Instant>,
    /// How much later than that it was sent. A request that follows directly is late by as much.
    late: Duration,
}

type GovernorLimiter = RateLimiter<NotKeyed, InMemoryState, AsOf, NoOpMiddleware<Nanos>>;

impl Limiter {
    pub(super) fn new(interval: Duration) -> Self {
        let clock = AsOf::default();
        Self {
            inner: limiter(interval, &clock),
            clock,
            begun: Instant::now(),
            interval,
            last: None,
            late: Duration::ZERO,
        }
    }

    /// Takes a turn for a request that has been waiting since `asked`, and returns when the turn fell due.
    ///
    /// # Errors
    /// The time at which the next turn is free, where there is none yet.
    pub(super) fn take(&mut self, asked: Instant, interval: Duration) -> Result<Instant, Instant> {
        self.change(interval);
        let now = Instant::now();
        let free = self.last.map_or(self.begun, |last| last + self.interval);
        let before = |time: Instant, by| time.checked_sub(by).unwrap_or(time);
        let due = free.max(before(asked, self.late)).max(before(now, CATCH_UP)).min(now);
        self.check(due)?;
        self.last = Some(due);
        self.late = now.duration_since(due);
        Ok(due)
    }

    /// Changes the interval. governor's quotas are immutable, so a new limiter replaces the old one, and the
    /// last request is counted in it.
    fn change(&mut self, interval: Duration) {
        if interval == self.interval {
            return;
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
