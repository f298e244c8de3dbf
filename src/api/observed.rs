//! What an answer shows besides its status and its body: when it came, by whose clock, over which protocol, and what
//! it says of limits. A run needs none of it; `check` tells it.
//!
//! No header is kept but those that are named here, and no value of any request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AGE, CONTENT_TYPE, DATE, HeaderMap};
use reqwest::{Response, Version};

use super::untrusted::Untrusted;
use super::{refusal, reply};

/// Parts of the names of headers that say how much may be asked for. No name is documented.
const ABOUT_LIMITS: [&str; 5] = ["ratelimit", "rate-limit", "retry-after", "throttl", "quota"];
/// The most such headers that are kept of an answer.
const MOST_LIMITS: usize = 8;
/// The longest value that is kept of a header, in characters.
const LONGEST_VALUE: usize = 80;
/// The most answers that are kept.
const MOST_ANSWERS: usize = 256;

/// What one answer shows besides its status and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The HTTP status.
    pub status: u16,
    /// When the request was sent, by this machine's clock.
    pub sent: Timestamp,
    /// The time from then to the headers of the answer.
    pub latency: Duration,
    /// The time from then to the end of its body; `None` where that did not come.
    pub whole: Option<Duration>,
    /// When it was answered, by the service's clock.
    pub date: Dated,
    /// Whether it says of itself that it is a page for people to look at.
    pub is_page: bool,
    /// The version of HTTP, as in `HTTP/2`.
    pub protocol: &'static str,
    /// The headers that are about limits, with their values.
    pub limits: Vec<LimitHeader>,
}

/// What an answer tells of the service's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dated {
    /// The time, in whole seconds.
    At(Timestamp),
    /// The time of another moment: a cache answered.
    Cached,
    /// A date that can't be read.
    Unreadable,
    /// No date.
    Untold,
}

/// An answer that is noted, whose body is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Noted(usize);

/// A header that says how much may be asked for, or when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LimitHeader {
    /// Its name in lower case.
    pub name: String,
    /// Its value, without hidden characters.
    pub value: String,
}

/// Keeps what answers show, for as long as somebody asks. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct AnswerLog(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    answers: Vec<Observed>,
    untrusted: Option<Untrusted>,
}

impl AnswerLog {
    /// Returns what was kept so far, in the order of the answers.
    pub fn answers(&self) -> Vec<Observed> {
        self.kept().answers.clone()
    }

    /// Returns what was wrong with the server's certificate, where that kept a connection from being made.
    pub fn untrusted(&self) -> Option<Untrusted> {
        self.kept().untrusted
    }

    /// Keeps what an answer shows; `None` where enough are kept.
    pub(super) fn note(&self, response: &Response, sent: Timestamp, latency: Duration) -> Option<Noted> {
        let mut kept = self.kept();
        let at = kept.answers.len();
        (at < MOST_ANSWERS).then(|| {
            kept.answers.push(observed(response, sent, latency));
            Noted(at)
        })
    }

    /// Keeps how long an answer took to the end of its body.
    pub(super) fn note_whole(&self, Noted(at): Noted, whole: Duration) {
        self.kept().answers.get_mut(at).into_iter().for_each(|answer| answer.whole = Some(whole));
    }

    /// Keeps why the server is not trusted, where that is so.
    pub(super) fn note_untrusted(&self, untrusted: Option<Untrusted>) {
        self.kept().untrusted = untrusted;
    }

    /// Every change leaves what is kept whole, so a poisoned lock holds nothing wrong.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn observed(response: &Response, sent: Timestamp, latency: Duration) -> Observed {
    Observed {
        status: response.status().as_u16(),
        sent,
        latency,
        whole: None,
        date: dated(response.headers()),
        is_page: is_page(response.headers()),
        protocol: protocol(response.version()),
        limits: limits(response.headers()),
    }
}

fn dated(headers: &HeaderMap) -> Dated {
    let Some(date) = headers.get(DATE) else { return Dated::Untold };
    // A cache tells how many seconds ago the service answered.
    if headers.get(AGE).is_some_and(|age| age.as_bytes() != b"0") {
        return Dated::Cached;
    }
    date.to_str().ok().and_then(reply::date).map_or(Dated::Unreadable, Dated::At)
}

fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    ["text/html", "application/xhtml+xml"]
        .iter()
        .any(|page| kind.trim().to_ascii_lowercase().starts_with(page))
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_11 => "HTTP/1.1",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_3 => "HTTP/3",
        _ => "another version of HTTP",
    }
}

/// Returns the headers that are about limits, by name.
fn limits(headers: &HeaderMap) -> Vec<LimitHeader> {
    let mut limits: Vec<LimitHeader> = headers
        .iter()
        .filter(|(name, _)| ABOUT_LIMITS.iter().any(|part| name.as_str().contains(part)))
        .map(|(name, value)| LimitHeader {
            name: refusal::bounded(name.as_str(), LONGEST_VALUE),
            value: refusal::bounded(&String::from_utf8_lossy(value.as_bytes()), LONGEST_VALUE),
        })
        .collect();
    limits.sort_unstable();
    limits.truncate(MOST_LIMITS);
    limits
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_date_is_the_services_where_no_cache_answered() {
        const NOON: &str = "Sun, 01 Mar 2026 12:00:00 GMT";
        let noon = Dated::At("2026-03-01T12:00:00Z".parse().unwrap());
        for (date, age, wanted) in [
            (Some(NOON), None, noon),
            (Some(NOON), Some("0"), noon),
            (Some(NOON), Some("7200"), Dated::Cached),
            (Some("yesterday"), None, Dated::Unreadable),
            (None, None, Dated::Untold),
            (None, Some("7200"), Dated::Untold),
        ] {
            let mut headers = HeaderMap::new();
            date.into_iter().for_each(|date| drop(headers.insert(DATE, HeaderValue::from_static(date))));
            age.into_iter().for_each(|age| drop(headers.insert(AGE, HeaderValue::from_static(age))));
            assert_eq!(dated(&headers), wanted, "{date:?} {age:?}");
        }
    }

    #[test]
    fn only_headers_about_limits_are_kept() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ratelimit-remaining", "17"),
            ("retry-after", "3"),
            ("x-ms-ratelimit-limit", "a\u{202e}b"),
            ("authorization", "Bearer secret"),
            ("set-cookie", "quota=secret"),
            ("x-quota", &"9".repeat(200)),
        ] {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let limits = limits(&headers);
        let names: Vec<&str> = limits.iter().map(|limit| limit.name.as_str()).collect();
        assert_eq!(names, ["retry-after", "x-ms-ratelimit-limit", "x-quota", "x-ratelimit-remaining"]);
        assert_eq!(limits[1].value, "a\u{fffd}b");
        assert_eq!(limits[2].value.chars().count(), LONGEST_VALUE);
        assert!(!format!("{limits:?}").contains("secret"));
    }
}
