//! How long a service asks to wait.

use std::time::Duration;

use jiff::Timestamp;
use referral_bulk::domain::exchange::{Failure, Operation};

use super::NOW;
use super::bytes::is_in_values;
use super::{id, is_followed_up, with_service};

/// A value of `Retry-After`, at three times.
pub fn retry_after(bytes: &[u8]) {
    if !bytes.iter().all(is_in_values) {
        return;
    }
    let head = b"HTTP/1.1 429 No\r\ncontent-length: 0\r\nretry-after: ";
    for now in ["1970-01-01T00:00:00Z", "2026-03-01T12:00:00Z", "9999-12-30T00:00:00Z"] {
        let now: Timestamp = now.parse().expect("a time");
        NOW.set(now);
        with_service(|service| {
            service.will_answer(&[head, bytes, b"\r\n\r\n"].concat());
            let failure = service.runtime.block_on(service.client.get(id())).expect_err("429 is no reply");
            let Failure::Answered(refusal) = &failure else { panic!("{failure:?}") };
            is_what_was_asked_for(bytes, now, refusal.retry_after);
            is_followed_up(Operation::Write, &failure, service);
        });
    }
}

/// Seconds are seconds, dates as RFC 9110 has them lie ahead, and whatever else is taken for a date is one.
fn is_what_was_asked_for(bytes: &[u8], now: Timestamp, asked: Option<Duration>) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    // Several headers may be joined into one: the longest counts.
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let is_seconds = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.iter().all(is_seconds) {
        let seconds = parts.iter().map(|part| part.parse().map_or(Duration::MAX, Duration::from_secs)).max();
        assert_eq!(asked, seconds, "{text}");
    } else if let Some(date) = http_date(text) {
        assert_eq!(asked, Duration::try_from(date.duration_since(now)).ok(), "{text}");
    } else if let Some(asked) = asked {
        let has_date = text.is_ascii() && text.contains(':');
        assert!(has_date || parts.iter().any(is_seconds), "{text:?} is no date");
        assert!(now.checked_add(asked).is_ok(), "{text:?} is beyond all dates");
    }
}

/// A date in one of the three forms that RFC 9110 obliges everybody to take. Two digits of a year are
/// read in other ways by others where they are 69.
fn http_date(text: &str) -> Option<Timestamp> {
    const FORMS: [&str; 3] =
        ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    FORMS.iter().find_map(|form| {
        let date = jiff::civil::DateTime::strptime(form, text).ok()?;
        let is_as_written = date.strftime(form).to_string() == text && date.year() != 1969;
        is_as_written.then(|| date.to_zoned(jiff::tz::TimeZone::UTC).ok())?.map(|date| date.timestamp())
    })
}
