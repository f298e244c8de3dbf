//! Reads what an answer says of how much may be asked for. Pure.
//!
//! | headers | form |
//! |---|---|
//! | `RateLimit`, `RateLimit-Policy` | structured fields, as `"name";r=50;t=30` and `"name";q=100;w=60` |
//! | the same | their earlier forms, `limit=100, remaining=50, reset=30` and `100;w=60` |
//! | `RateLimit-Limit`, `-Remaining`, `-Reset`, also with `X-` or as `X-Rate-Limit-…` | a number each; a reset is seconds from now, or a time in seconds or milliseconds |
//! | `x-ms-ratelimit-remaining-…` | a number; the least of several |
//! | `Retry-After` | as on a refusal: nothing more before that |
//!
//! What can't be read is as good as not there, and of several limits the one counts that binds most. Other units than
//! requests are left out.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use crate::domain::limit_signal::LimitSignal;

/// The prefixes of the three headers of a number each.
const PREFIXES: [&str; 3] = ["ratelimit-", "x-ratelimit-", "x-rate-limit-"];

/// The prefix of headers that say what is left, as Azure's services send them.
const REMAINING: &str = "x-ms-ratelimit-remaining-";

/// The least number of a reset that is a time and no span, in seconds since 1970, and in milliseconds.
const A_TIME: f64 = 1e9;
const A_TIME_IN_MILLISECONDS: f64 = 1e12;

/// The most seconds that are told apart.
const MOST_SECONDS: f64 = 1e9;

/// A member of a list, such as `"name";q=100;w=60`: what it begins with, and its parameters.
struct Member {
    head: String,
    parameters: Vec<(String, String)>,
}

/// Returns what the headers of an answer say; `None` where they say nothing. `now` is when it was answered.
pub(super) fn signal(
    headers: &HeaderMap,
    retry_after: Option<Duration>,
    now: Timestamp,
) -> Option<LimitSignal> {
    let mut read = Reading::default();
    for (name, value) in headers {
        if let Ok(text) = value.to_str() {
            read.header(name.as_str(), text, now);
        }
    }
    if let Some(wait) = retry_after.filter(|wait| !wait.is_zero()) {
        return Some(LimitSignal { remaining: Some(0), reset: Some(wait), policy: read.policy });
    }
    let Reading { policy, remaining, reset, left } = read;
    let (remaining, reset) =
        left.map_or((remaining, reset), |(remaining, reset)| (Some(remaining), Some(reset)));
    let signal = LimitSignal { policy, remaining, reset };
    (signal != LimitSignal::default()).then_some(signal)
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reading {
    policy: Option<(u64, Duration)>,
    remaining: Option<u64>,
    reset: Option<Duration>,
    /// What is left and until when, told together.
    left: Option<(u64, Duration)>,
}

impl Reading {
    fn header(&mut self, name: &str, text: &str, now: Timestamp) {
        if name.starts_with(REMAINING) {
            return self.remain(whole(text));
        }
        match name {
            "ratelimit" => return self.limit(text, now),
            "ratelimit-policy" => return members(text).iter().for_each(|member| self.policy(member)),
            _ => {}
        }
        match PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)) {
            // Some name the window here: 100, 100;w=60.
            Some("limit") => members(text).iter().for_each(|member| self.policy(member)),
            Some("remaining") => self.remain(whole(text)),
            Some("reset") => self.reset = self.reset.max(seconds(text, now)),
            _ => {}
        }
    }

    /// Reads `RateLimit` in either form.
    fn limit(&mut self, text: &str, now: Timestamp) {
        for member in members(text) {
            let left = member.number("r").zip(member.parameter("t").and_then(|text| seconds(text, now)));
            if let Some((remaining, reset)) = left {
                let binds_more = |(other, until): &(u64, Duration)| {
                    (remaining as f64) * until.as_secs_f64() < (*other as f64) * reset.as_secs_f64()
                };
                if self.left.as_ref().is_none_or(binds_more) {
                    self.left = Some((remaining, reset));
                }
            }
            match member.head.split_once('=') {
                Some(("remaining", text)) => self.remain(whole(text)),
                Some(("reset", text)) => self.reset = self.reset.max(seconds(text, now)),
                _ => {}
            }
        }
    }

    /// Takes a policy where it grants less than the one so far.
    fn policy(&mut self, member: &Member) {
        let is_of_requests = member.parameter("qu").is_none_or(|unit| unit.eq_ignore_ascii_case("requests"));
        let requests = member.number("q").or_else(|| whole(&member.head));
        let within = member.number("w").map(Duration::from_secs);
        let Some(policy) = requests.zip(within).filter(|_| is_of_requests) else { return };
        let rate = |(requests, within): (u64, Duration)| requests as f64 / within.as_secs_f64();
        if self.policy.is_none_or(|other| rate(policy) < rate(other)) {
            self.policy = Some(policy);
        }
    }

    fn remain(&mut self, remaining: Option<u64>) {
        self.remaining = match (self.remaining, remaining) {
            (Some(before), Some(now)) => Some(before.min(now)),
            (before, now) => before.or(now),
        };
    }
}

impl Member {
    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.parameter(name).and_then(whole)
    }
}

/// Splits a list at its commas, and each member at its semicolons; what stands in quotes is not split.
fn members(text: &str) -> Vec<Member> {
    let mut members = Vec::new();
    for member in split(text, ',') {
        let mut parts = split(member, ';').into_iter().map(str::trim);
        let head = unquoted(parts.next().unwrap_or_default()).to_ascii_lowercase().replace(' ', "");
        let parameters = parts.filter_map(|part| part.split_once('='));
        let parameters =
            parameters.map(|(name, value)| (name.trim().to_owned(), unquoted(value).to_owned())).collect();
        members.push(Member { head, parameters });
    }
    members
}

fn split(text: &str, separator: char) -> Vec<&str> {
    let mut is_quoted = false;
    let at = move |letter: char| {
        is_quoted ^= letter == '"';
        letter == separator && !is_quoted
    };
    text.split(at).collect()
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches('"')
}

/// Reads a number that is not negative, without its fraction.
fn whole(text: &str) -> Option<u64> {
    let digits = text.trim().split('.').next().unwrap_or_default();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Reads a number of seconds from now, rounded up, or a time.
fn seconds(text: &str, now: Timestamp) -> Option<Duration> {
    let number: f64 = text.trim().parse().ok()?;
    let number = if number >= A_TIME_IN_MILLISECONDS { number / 1000.0 } else { number };
    let from_now = if number >= A_TIME { number - now.as_millisecond() as f64 / 1000.0 } else { number };
    let is_span = (0.0..=MOST_SECONDS).contains(&from_now);
    is_span.then(|| Duration::from_secs(from_now.ceil() as u64))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn read(headers: &[(&str, &str)], retry_after: Option<u64>) -> Option<LimitSignal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        signal(&map, retry_after.map(Duration::from_secs), now)
    }

    /// Headers; the limit with its window, what remains of it, and until when.
    type Case<'c> = (&'c [(&'c str, &'c str)], Option<(u64, u64)>, Option<u64>, Option<u64>);

    #[test]
    fn limits_are_read_in_every_form() {
        let (hour, minute) = (Some((1000, 3600)), Some((100, 60)));
        let cases: &[Case<'_>] = &[
            (&[("ratelimit", "\"default\";r=50;t=30")], None, Some(50), Some(30)),
            (&[("ratelimit-policy", "\"default\";q=100;w=60")], minute, None, None),
            (&[("ratelimit-policy", "\"a\";q=100;w=60, \"b\";q=1000;w=3600")], hour, None, None),
            (&[("ratelimit-policy", "\"a,b;c\";q=100;w=60;pk=:cHJk:")], minute, None, None),
            (&[("ratelimit-policy", "\"a\";q=100;w=60;qu=\"content-bytes\"")], None, None, None),
            (&[("ratelimit", "\"a\";r=50;t=30, \"b\";r=0;t=9")], None, Some(0), Some(9)),
            (&[("ratelimit", "limit=100, remaining=50, reset=30")], None, Some(50), Some(30)),
            (&[("ratelimit-policy", "100;w=60, 1000;w=3600")], hour, None, None),
            (
                &[
                    ("ratelimit-limit", "100, 100;w=60"),
                    ("ratelimit-remaining", "99"),
                    ("ratelimit-reset", "5"),
                ],
                minute,
                Some(99),
                Some(5),
            ),
            (&[("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", "1772366460")], None, Some(7), Some(60)),
            (
                &[("x-rate-limit-remaining", "7"), ("x-rate-limit-reset", "1772366400500")],
                None,
                Some(7),
                Some(1),
            ),
            (&[("x-ratelimit-remaining", "7.0"), ("x-ratelimit-reset", "0.25")], None, Some(7), Some(1)),
            (
                &[
                    ("x-ms-ratelimit-remaining-subscription-reads", "11999"),
                    ("x-ms-ratelimit-remaining-tenant-writes", "1199"),
                ],
                None,
                Some(1199),
                None,
            ),
        ];
        for (headers, policy, remaining, reset) in cases {
            let policy = policy.map(|(requests, within)| (requests, Duration::from_secs(within)));
            let wanted = LimitSignal { policy, remaining: *remaining, reset: reset.map(Duration::from_secs) };
            assert_eq!(read(headers, None).unwrap_or_default(), wanted, "{headers:?}");
        }
        let asked = LimitSignal { policy: None, remaining: Some(0), reset: Some(Duration::from_secs(7)) };
        assert_eq!(read(&[("x-ratelimit-remaining", "9")], Some(7)), Some(asked), "a pause is a pause");
    }

    #[test]
    fn nonsense_says_nothing() {
        for value in
            ["", "-1", "NaN", "inf", "soon", "\"", ";;;", ",,,", "1e300", "-1e300", "0x10", "٣", "a=b;c=d"]
        {
            if HeaderValue::from_str(value).is_err() {
                continue;
            }
            for name in
                ["ratelimit", "ratelimit-policy", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]
            {
                let signal = read(&[(name, value)], None).unwrap_or_default();
                assert!(signal.wait().is_none() && signal.rate().is_none(), "{name}: {value}: {signal:?}");
            }
        }
        let years = read(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "99999999999999999999")], None);
        assert_eq!(years.unwrap().reset, None, "no time of this age");
        assert!(read(&[("content-type", "application/json")], Some(0)).is_none());
    }
}
