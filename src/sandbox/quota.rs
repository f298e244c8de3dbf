//! Limits the rate of requests, and answers those beyond it.
//!
//! As the service is documented, the limit is a sliding window: a request is answered where fewer than N came
//! in the span before it, and refused requests count too. So a client that doesn't wait is never let in
//! again, which is what the documentation says of retries; one that waits for `Retry-After` is.
//!
//! As in nginx by default (`limit_req` with `nodelay`), the limit is a leaky bucket: requests beyond it are
//! answered 503 at once, without `Retry-After`, and refused requests don't count.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio::time::Instant;

/// A limit on requests a second or a minute, all methods together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    requests: usize,
    span: Duration,
    manner: Manner,
}

/// How requests are counted, and how they are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// A sliding window; 429 with `Retry-After`.
    Documented,
    /// A leaky bucket; 503 without `Retry-After`. `burst` requests more may come at once.
    Nginx { burst: usize },
}

/// The error for a text that is no quota.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no quota: write requests a second as in 20/s, or a minute as in 100/m, and behind it :503 or \
     +BURST:503 to refuse as nginx does"
)]
pub struct QuotaError(String);

/// The headers that tell of a quota with every answer, also where nothing is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaHeaders {
    /// `RateLimit-Policy` and `RateLimit`, as the IETF drafts them.
    RateLimit,
    /// `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`.
    XRateLimit,
}

/// The error for a text that names no such headers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" names no headers: write ratelimit or x-ratelimit")]
pub struct QuotaHeadersError(String);

impl FromStr for QuotaHeaders {
    type Err = QuotaHeadersError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ratelimit" => Ok(Self::RateLimit),
            "x-ratelimit" => Ok(Self::XRateLimit),
            _ => Err(QuotaHeadersError(text.to_owned())),
        }
    }
}

/// The greatest number of requests of a quota, and so of past requests that are remembered.
const MOST: usize = 1_000_000;

impl FromStr for Quota {
    type Err = QuotaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number| digits && *number <= MOST)
        };
        let parse = || {
            let (rate, manner) = match text.trim().strip_suffix(":503") {
                None => (text.trim(), Manner::Documented),
                Some(rate) => match rate.split_once('+') {
                    None => (rate, Manner::Nginx { burst: 0 }),
                    Some((rate, burst)) => (rate, Manner::Nginx { burst: number(burst)? }),
                },
            };
            let (requests, unit) = rate.split_once('/')?;
            let span = match unit {
                "s" => Duration::from_secs(1),
                "m" => Duration::from_secs(60),
                _ => return None,
            };
            let requests = number(requests).filter(|requests| *requests > 0)?;
            Some(Self { requests, span, manner })
        };
        parse().ok_or_else(|| QuotaError(text.to_owned()))
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.requests, if self.span.as_secs() == 1 { "s" } else { "m" })?;
        match self.manner {
            Manner::Documented => Ok(()),
            Manner::Nginx { burst: 0 } => out.write_str(":503"),
            Manner::Nginx { burst } => write!(out, "+{burst}:503"),
        }
    }
}

/// How a request beyond the limit is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooMany {
    /// 429, with the seconds, at least one, after which the next request is answered if none comes before.
    After(u64),
    /// 503, without `Retry-After`.
    Busy,
}

/// A quota with the requests that count against it.
#[derive(Debug)]
pub(super) struct QuotaCounter {
    quota: Quota,
    /// When the last N requests came; used by the sliding window.
    arrivals: VecDeque<Instant>,
    /// How many requests the accepted ones are ahead of the rate, and at what time; used by the leaky bucket.
    ahead: Option<(f64, Instant)>,
}

impl QuotaCounter {
    pub(super) fn new(quota: Quota) -> Self {
        Self { quota, arrivals: VecDeque::new(), ahead: None }
    }

    /// Counts a request that comes now.
    ///
    /// # Errors
    /// Returns how to refuse it, where it is beyond the limit.
    pub(super) fn enter(&mut self, now: Instant) -> Result<(), TooMany> {
        match self.quota.manner {
            Manner::Documented => self.slide(now),
            Manner::Nginx { burst } => self.leak(burst, now),
        }
    }

    /// Returns the headers that tell how much of the quota is left, with their values. A proxy such as nginx tells
    /// nothing.
    pub(super) fn headers(&self, form: QuotaHeaders, now: Instant) -> Vec<(&'static str, String)> {
        if self.quota.manner != Manner::Documented {
            return Vec::new();
        }
        let Quota { requests, span, .. } = self.quota;
        let counted = || self.arrivals.iter().filter(|at| **at + span > now);
        let remaining = requests - counted().count().min(requests);
        let reset = counted().next().map_or(Duration::ZERO, |first| (*first + span).duration_since(now));
        let (window, reset) = (span.as_secs(), reset.as_secs_f64().ceil());
        match form {
            QuotaHeaders::RateLimit => vec![
                ("ratelimit-policy", format!("\"requests\";q={requests};w={window}")),
                ("ratelimit", format!("\"requests\";r={remaining};t={reset}")),
            ],
            QuotaHeaders::XRateLimit => vec![
                ("x-ratelimit-limit", requests.to_string()),
                ("x-ratelimit-remaining", remaining.to_string()),
                ("x-ratelimit-reset", reset.to_string()),
            ],
        }
    }

    fn slide(&mut self, now: Instant) -> Result<(), TooMany> {
        let full = self.arrivals.len() == self.quota.requests;
        let oldest = if full { self.arrivals.pop_front() } else { None };
        self.arrivals.push_back(now);
        if oldest.is_none_or(|oldest| oldest + self.quota.span <= now) {
            return Ok(());
        }
        let next = self.arrivals[0] + self.quota.span;
        let wait = next.saturating_duration_since(now);
        Err(TooMany::After((wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)))
    }

    fn leak(&mut self, burst: usize, now: Instant) -> Result<(), TooMany> {
        let per_second = self.quota.requests as f64 / self.quota.span.as_secs_f64();
        let ahead = self.ahead.map_or(0.0, |(ahead, since)| {
            let leaked = now.saturating_duration_since(since).as_secs_f64() * per_second;
            (ahead + 1.0 - leaked).max(0.0)
        });
        if ahead > burst as f64 {
            return Err(TooMany::Busy);
        }
        self.ahead = Some((ahead, now));
        Ok(())
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
            (" 10/s+5:503", Some("10/s+5:503")),
            ("30/m:503", Some("30/m:503")),
            ("30/m+0:503", Some("30/m:503")),
            ("10/s+5", None),
            ("10/s+:503", None),
            ("10/s+-5:503", None),
            ("10/s:429", None),
            ("0/s:503", None),
            ("1.5/s", None),
            ("", None),
        ] {
            let got = text.parse::<Quota>();
            assert_eq!(got.as_ref().map(ToString::to_string).ok().as_deref(), shown, "{text}");
        }
        assert_eq!(
            "x".parse::<Quota>().unwrap_err().to_string(),
            "\"x\" is no quota: write requests a second as in 20/s, or a minute as in 100/m, and behind it :503 \
             or +BURST:503 to refuse as nginx does"
        );
    }

    #[test]
    fn requests_turned_away_count_too() {
        let start = Instant::now();
        let mut counter = QuotaCounter::new("2/s".parse().unwrap());
        for (millis, wanted) in [
            (0, Ok(())),
            (100, Ok(())),
            (200, Err(TooMany::After(1))),
            (1_050, Err(TooMany::After(1))), // 100 is gone, 200 was turned away and still counts with 100
            (1_300, Ok(())),                 // 200 is a second old
            (2_400, Ok(())),
        ] {
            let got = counter.enter(start + Duration::from_millis(millis));
            assert_eq!(got, wanted, "at {millis} ms");
        }
    }

    #[test]
    fn the_wait_is_whole_seconds_until_the_next_is_answered() {
        let start = Instant::now();
        let mut counter = QuotaCounter::new("2/m".parse().unwrap());
        let mut enter = |millis| counter.enter(start + Duration::from_millis(millis));
        assert_eq!(enter(0), Ok(()));
        assert_eq!(enter(10_000), Ok(()));
        assert_eq!(enter(20_500), Err(TooMany::After(50)), "the request at 10 s must be 60 s old");
        assert_eq!(enter(70_500), Ok(()));
    }

    #[test]
    fn what_is_left_is_told_in_either_form() {
        let start = Instant::now();
        let mut counter = QuotaCounter::new("2/m".parse().unwrap());
        let told = |counter: &QuotaCounter, form: &str, seconds| {
            counter.headers(form.parse().unwrap(), start + Duration::from_secs(seconds))
        };
        let owned = |headers: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
            headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
        };
        let policy = ("ratelimit-policy", "\"requests\";q=2;w=60");
        let whole = owned(&[policy, ("ratelimit", "\"requests\";r=2;t=0")]);
        assert_eq!(told(&counter, "ratelimit", 0), whole);
        counter.enter(start).unwrap();
        counter.enter(start + Duration::from_secs(10)).unwrap();
        assert_eq!(
            told(&counter, "x-ratelimit", 15),
            owned(&[("x-ratelimit-limit", "2"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "45")])
        );
        assert_eq!(told(&counter, "ratelimit", 65), owned(&[policy, ("ratelimit", "\"requests\";r=1;t=5")]));
        let counter = QuotaCounter::new("2/m:503".parse().unwrap());
        assert!(told(&counter, "ratelimit", 0).is_empty());
        assert_eq!(
            "x".parse::<QuotaHeaders>().unwrap_err().to_string(),
            "\"x\" names no headers: write ratelimit or x-ratelimit"
        );
    }

    #[test]
    fn a_bucket_leaks_at_the_rate_and_holds_a_burst() {
        let start = Instant::now();
        let mut counter = QuotaCounter::new("10/s+2:503".parse().unwrap());
        for (millis, wanted) in [
            (0, Ok(())),
            (0, Ok(())),
            (0, Ok(())),
            (0, Err(TooMany::Busy)),
            (90, Err(TooMany::Busy)),
            (100, Ok(())), // those turned away don't count
            (150, Err(TooMany::Busy)),
            (1_000, Ok(())),
            (1_000, Ok(())),
            (1_000, Ok(())),
            (1_000, Err(TooMany::Busy)),
        ] {
            assert_eq!(counter.enter(start + Duration::from_millis(millis)), wanted, "at {millis} ms");
        }
    }
}
