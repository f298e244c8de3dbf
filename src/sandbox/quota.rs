//! How many requests are answered in a span of time.
//!
//! A sliding window: a request is answered where fewer than N came in the span before it, and those
//! that were turned away count among them. So a client that doesn't wait is never let in again,
//! which is what the documentation says of retries; one that waits for `Retry-After` is.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio::time::Instant;

/// So many requests a second or a minute, all methods together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    requests: usize,
    span: Duration,
}

/// Why a text is no quota.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no quota: write requests a second as in 20/s, or a minute as in 100/m")]
pub struct QuotaError(String);

/// The longest run of past requests that is kept.
const MOST: usize = 1_000_000;

impl FromStr for Quota {
    type Err = QuotaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (requests, unit) = text.trim().split_once('/')?;
            let span = match unit {
                "s" => Duration::from_secs(1),
                "m" => Duration::from_secs(60),
                _ => return None,
            };
            let digits = requests.bytes().all(|byte| byte.is_ascii_digit());
            let requests = requests.parse().ok().filter(|n| digits && (1..=MOST).contains(n))?;
            Some(Self { requests, span })
        };
        parse().ok_or_else(|| QuotaError(text.to_owned()))
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.requests, if self.span.as_secs() == 1 { "s" } else { "m" })
    }
}

/// The quota at work: when the last N requests came.
#[derive(Debug)]
pub(super) struct Gate {
    quota: Quota,
    arrivals: VecDeque<Instant>,
}

impl Gate {
    pub(super) fn new(quota: Quota) -> Self {
        Self { quota, arrivals: VecDeque::new() }
    }

    /// Counts a request that comes now.
    ///
    /// # Errors
    /// Where it is one too many: the whole seconds, at least one, after which the next is answered
    /// if none comes before.
    pub(super) fn enter(&mut self, now: Instant) -> Result<(), u64> {
        let full = self.arrivals.len() == self.quota.requests;
        let oldest = if full { self.arrivals.pop_front() } else { None };
        self.arrivals.push_back(now);
        if oldest.is_none_or(|oldest| oldest + self.quota.span <= now) {
            return Ok(());
        }
        let next = self.arrivals[0] + self.quota.span;
        let wait = next.saturating_duration_since(now);
        Err((wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_written_as_a_rate() {
        for (text, shown) in [
            ("20/s", Some("20/s")),
            (" 100/m ", Some("100/m")),
            ("0/s", None),
            ("+5/s", None),
            ("20", None),
            ("20/h", None),
            ("1.5/s", None),
            ("", None),
        ] {
            let got = text.parse::<Quota>();
            assert_eq!(got.as_ref().map(ToString::to_string).ok().as_deref(), shown, "{text}");
        }
        assert_eq!(
            "x".parse::<Quota>().unwrap_err().to_string(),
            "\"x\" is no quota: write requests a second as in 20/s, or a minute as in 100/m"
        );
    }

    #[test]
    fn requests_turned_away_count_too() {
        let start = Instant::now();
        let mut gate = Gate::new("2/s".parse().unwrap());
        for (millis, wanted) in [
            (0, Ok(())),
            (100, Ok(())),
            (200, Err(1)),
            (1_050, Err(1)), // 100 is gone, 200 was turned away and still counts with 100
            (1_300, Ok(())), // 200 is a second old
            (2_400, Ok(())),
        ] {
            let got = gate.enter(start + Duration::from_millis(millis));
            assert_eq!(got, wanted, "at {millis} ms");
        }
    }

    #[test]
    fn the_wait_is_whole_seconds_until_the_next_is_answered() {
        let start = Instant::now();
        let mut gate = Gate::new("2/m".parse().unwrap());
        let mut enter = |millis| gate.enter(start + Duration::from_millis(millis));
        assert_eq!(enter(0), Ok(()));
        assert_eq!(enter(10_000), Ok(()));
        assert_eq!(enter(20_500), Err(50), "the request at 10 s must be 60 s old");
        assert_eq!(enter(70_500), Ok(()));
    }
}
