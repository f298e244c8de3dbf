//! The rate limit: governor's algorithm on tokio's clock.
//!
//! governor's own clock and its own sleep do not move with tokio's paused time, so both stay here: the
//! limiter only says when the next request is free, and whoever asked sleeps.

use std::num::NonZeroU32;
use std::ops::Add;
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use super::rate::Rate;

/// tokio's timers tick in milliseconds, so a sleeper can wake a good millisecond late. Requests that
/// fall due in this span may go out together; without that, no rate above some hundreds a second could
/// be kept. At the rates that the service bears the span holds less than one request.
const SPAN: Duration = Duration::from_millis(2);

/// The rate limit of a run.
#[derive(Debug)]
pub(super) struct Limiter(RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<At>>);

impl Limiter {
    pub(super) fn new(rate: Rate) -> Self {
        let interval = rate.interval();
        let together = u32::try_from(SPAN.as_nanos() / interval.as_nanos()).unwrap_or(u32::MAX);
        let quota = Quota::with_period(interval)
            .expect("a rate's interval is never zero")
            .allow_burst(NonZeroU32::new(together).unwrap_or(NonZeroU32::MIN));
        Self(RateLimiter::direct_with_clock(quota, TokioClock))
    }

    /// Takes a turn, or says when the next one is free.
    pub(super) fn take(&self) -> Result<(), Instant> {
        self.0.check().map_err(|not_until| not_until.earliest_possible().0)
    }
}

#[derive(Debug, Clone, Copy)]
struct TokioClock;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct At(Instant);

impl Clock for TokioClock {
    type Instant = At;

    fn now(&self) -> At {
        At(Instant::now())
    }
}

impl Reference for At {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_duration_since(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.checked_sub(duration.into()).unwrap_or(self.0))
    }
}

impl Add<Nanos> for At {
    type Output = Self;

    fn add(self, other: Nanos) -> Self {
        Self(self.0 + Duration::from(other))
    }
}
