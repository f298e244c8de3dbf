//! Points in time as the service writes them, up to the end of the year 9999.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// A point in time, as date and time in UTC.
///
/// A [`Timestamp`] would not do: it ends a day before the year 9999 does, so that every offset can be applied to
/// it, and many systems write that last day for "never".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(DateTime);

impl Instant {
    /// Parses an RFC 3339 time with its offset, or a date alone, which stands for its midnight in UTC.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Some(Self(Offset::UTC.to_datetime(instant)));
        }
        if let Some(date) = date(text) {
            return Some(Self::midnight_of(date));
        }
        let pieces = Pieces::parse(text).ok()?;
        let offset = pieces.to_numeric_offset()?;
        let local = pieces.date().to_datetime(pieces.time()?);
        local.checked_sub(SignedDuration::from_secs(offset.seconds().into())).ok().map(Self)
    }

    /// Returns the midnight in UTC that a date begins with.
    pub fn midnight_of(date: Date) -> Self {
        Self(date.to_datetime(jiff::civil::Time::midnight()))
    }

    /// Returns date and time in UTC.
    pub fn date_time(self) -> DateTime {
        self.0
    }

    /// Returns the date in UTC.
    pub fn date(self) -> Date {
        self.0.date()
    }

    /// Whether it is midnight in UTC, as which a date alone is read.
    pub fn is_midnight(self) -> bool {
        self.0.time() == jiff::civil::Time::midnight()
    }

    /// Returns the date of a timestamp in UTC.
    pub fn day_of(timestamp: Timestamp) -> Date {
        timestamp.to_zoned(TimeZone::UTC).date()
    }
}

/// Parses a date of the form `2026-12-31`, and no other.
fn date(text: &str) -> Option<Date> {
    (text.len() == 10).then(|| Date::strptime("%Y-%m-%d", text).ok())?
}

impl fmt::Display for Instant {
    /// Writes it in UTC, as in `2026-12-31T00:00:00Z`, with as many fractional digits as needed.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}Z", self.0)
    }
}

/// Returns what to write instead of a text that is no point in time.
pub fn hint(text: &str) -> String {
    const FORM: &str = "use 2026-12-31 (midnight UTC) or 2026-12-31T17:00:00+01:00";
    if let Some(date) = compact(text) {
        return format!("write {date}");
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return format!("say in which time zone, as in {local}Z for UTC");
    }
    if let Some(dates) = numeric(text) {
        return match dates {
            (Some(one), Some(other)) if one != other => {
                format!("it may be {one} or {other}: write the one that is meant, year first")
            }
            (Some(date), _) | (None, Some(date)) => format!("write {date}"),
            (None, None) => FORM.to_owned(),
        };
    }
    if text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!(
            "it may be a spreadsheet's number of days: format the column as a date there; {FORM}"
        );
    }
    FORM.to_owned()
}

/// Whether a text is a date of three numbers with the year last, as `12/31/2026`, which may have month or day in front.
pub fn is_numeric_date(text: &str) -> bool {
    numeric(text).is_some()
}

/// Parses a date of eight digits, year first.
fn compact(text: &str) -> Option<Date> {
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Date::strptime("%Y%m%d", text).ok())?
}

/// Parses three numbers with the year last, as `12/31/2026`, and returns both dates that they may stand for: month
/// before day, and day before month. `None` for a text of another form.
fn numeric(text: &str) -> Option<(Option<Date>, Option<Date>)> {
    let parts: Vec<&str> = text.split(['/', '.', '-']).collect();
    let [one, other, year] = parts[..] else { return None };
    let year = (year.len() == 4).then(|| year.parse::<i16>().ok())??;
    let [one, other] = [one.parse::<i8>().ok()?, other.parse::<i8>().ok()?];
    let date = |month, day| Date::new(year, month, day).ok();
    Some((date(one, other), date(other, one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_are_told_in_utc() {
        for (text, wanted) in [
            ("2026-12-31", Some("2026-12-31T00:00:00Z")),
            ("2026-12-31T01:00:00+02:00", Some("2026-12-30T23:00:00Z")),
            ("2026-12-31T00:00:00.1234560Z", Some("2026-12-31T00:00:00.123456Z")),
            ("9999-12-31", Some("9999-12-31T00:00:00Z")),
            ("9999-12-31T23:59:59.9999999Z", Some("9999-12-31T23:59:59.9999999Z")),
            ("9999-12-31T23:59:59+01:00", Some("9999-12-31T22:59:59Z")),
            ("9999-12-31T23:00:00-02:00", None),
            ("9999-12-31T23:00:00", None),
            ("10000-01-01", None),
            ("2026-02-30", None),
            ("2026-12-31T00:00:00", None),
            ("20261231", None),
            ("2026-1-31", None),
            ("31.12.2026", None),
            ("", None),
        ] {
            assert_eq!(Instant::parse(text).map(|instant| instant.to_string()).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn two_spellings_of_one_point_are_equal() {
        let at = |text| Instant::parse(text).unwrap();
        assert_eq!(at("9999-12-31"), at("9999-12-31T01:00:00.0000000+01:00"));
        assert_eq!(at("2026-12-31"), at("2026-12-30T19:00:00-05:00"));
        assert!(at("2026-12-31") < at("9999-12-31"));
    }

    /// What a hint says to write is taken.
    #[test]
    fn hints_name_a_form_that_is_taken() {
        for (text, wanted) in [
            ("20991231", "2099-12-31"),
            ("2026-12-31 17:00", "2026-12-31T17:00:00Z"),
            ("2026-12-31T17:00:00", "2026-12-31T17:00:00Z"),
            ("20261231T170000", "2026-12-31T17:00:00Z"),
            ("31.12.2026", "2026-12-31"),
            ("12/31/2026", "2026-12-31"),
            ("4.4.2026", "2026-04-04"),
            ("03/04/2026", "2026-03-04 or 2026-04-03"),
            ("46022", "2026-12-31"),
            ("2026-02-30", "2026-12-31"),
            ("20260230", "2026-12-31"),
            ("32.13.2026", "2026-12-31"),
            ("soon", "2026-12-31"),
        ] {
            let hint = hint(text);
            assert!(hint.contains(wanted), "{text}: {hint}");
            assert!(wanted.split(" or ").all(|form| Instant::parse(form).is_some()), "{text}: {hint}");
        }
    }
}
