//! Dates as the file has them: month, day, year.
//!
//! Whether `03/04/2026` is in March or in April doesn't show in its cell. It is read as the file's form has it, unless
//! another date of the file has no month in front: then a spreadsheet has rewritten some or all, and none can be
//! trusted.

use jiff::civil::Date;

use crate::domain::excerpt::excerpt;
use crate::domain::fields::Kind;
use crate::domain::finding::Location;
use crate::domain::type_error::TypeError;
use crate::domain::value::{Condition, Wanted};

/// How the dates of a file are written, as far as its cells have shown.
#[derive(Debug, Default)]
pub(in super::super) struct Days {
    /// The first date with the day in front, and the line it stands on.
    day_first: Option<(String, u64)>,
}

impl Days {
    /// Reads a date, and remembers whether it has the day in front.
    ///
    /// # Errors
    /// If it is no date with the month in front.
    pub fn read(&mut self, place: Location, text: &str) -> Result<Wanted, TypeError> {
        const FORM: &str = "write every date of the column as MM/DD/YYYY, as in 12/31/2026";
        let error = |why: &str| Err(TypeError::new(format!("{} is no date{why}", excerpt(text)), FORM));
        let Some((first, second, year)) = numbers(text) else {
            return error(" in the form MM/DD/YYYY");
        };
        match (Date::new(year, first, second), Date::new(year, second, first)) {
            (Ok(day), _) => {
                let wanted = Wanted::from_text(Kind::DateTime, &day.to_string())?;
                Ok(wanted.on(Condition::OtherDay))
            }
            (Err(_), Ok(_)) => {
                self.day_first.get_or_insert_with(|| (text.to_owned(), place.line));
                error(" with the month in front")
            }
            (Err(_), Err(_)) => error(""),
        }
    }

    /// Returns why no date of the file can be trusted; `None` where every month may stand in front.
    pub fn contradiction(&self) -> Option<String> {
        let (text, line) = self.day_first.as_ref()?;
        Some(format!(
            "how the file writes dates is in doubt: {} on line {line} has the day in front",
            excerpt(text)
        ))
    }
}

/// Returns the day of a date that is compared only, month in front or year first.
pub(super) fn day(text: &str) -> Option<Date> {
    let (month, day, year) = numbers(text).or_else(|| {
        let date = Date::strptime("%Y-%m-%d", text).ok()?;
        Some((date.month(), date.day(), date.year()))
    })?;
    Date::new(year, month, day).ok()
}

/// Returns the three numbers of a date of the form `12/31/2026`, in their order.
fn numbers(text: &str) -> Option<(i8, i8, i16)> {
    let parts: Vec<&str> = text.split('/').collect();
    let [first, second, year] = parts[..] else { return None };
    let is_short = |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    let are_numbers = is_short(first) && is_short(second) && is_year;
    are_numbers.then(|| Some((first.parse().ok()?, second.parse().ok()?, year.parse().ok()?)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_month_in_front() {
        for (text, wanted, is_doubtful) in [
            ("12/31/2026", Some("2026-12-31"), false),
            ("1/30/2020", Some("2020-01-30"), false),
            ("03/04/2026", Some("2026-03-04"), false),
            ("02/29/2028", Some("2028-02-29"), false),
            ("02/29/2026", None, false),
            ("31/12/2026", None, true),
            ("13/1/2026", None, true),
            ("13/13/2026", None, false),
            ("00/10/2026", None, false),
            ("31.12.2026", None, false),
            ("12.31.2026", None, false),
            ("12-31-2026", None, false),
            ("12/31/26", None, false),
            ("12/31/2026 00:00", None, false),
            ("2026-12-31", None, false),
            ("46387", None, false),
        ] {
            let mut days = Days::default();
            let place = Location { input: 0, line: 7, column: 3 };
            let got = days.read(place, text).ok().map(|wanted| wanted.raw().get().to_owned());
            assert_eq!(got, wanted.map(|day| format!("\"{day}T00:00:00Z\"")), "{text}");
            assert_eq!(days.contradiction().is_some(), is_doubtful, "{text}");
        }
    }
}
