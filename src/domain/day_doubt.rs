//! Dates of Partner Center files whose order of month and day is in doubt.
//!
//! One date with the day in front makes every other date of its file doubtful. A report may be fed back without the
//! row that showed it: its rows are spread over several files, and people take rows out. So a date that is handed
//! back carries its doubt along, beside it in the column [`IN_DOUBT`], or, in a form that has no room for one, as a
//! question mark in its own cell. The doubt ends where somebody gives another day, or takes it away.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The column of a report that holds the dates of a row that are in doubt.
pub const IN_DOUBT: &str = "result.in_doubt";

/// What stands behind a date in doubt in its own cell.
const MARK: char = '?';

/// What separates several dates in doubt.
const BETWEEN: char = ';';

/// The columns of an input that hold dates of Partner Center's form, and which of their dates are in doubt.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DateColumns {
    /// The numbers of the columns, counted from 0.
    pub at: Vec<usize>,
    /// Which of their dates are in doubt.
    pub doubt: DateDoubt,
}

/// Which dates of an input are in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DateDoubt {
    /// None.
    #[default]
    None,
    /// Those of which an earlier report says so.
    Some,
    /// All of them.
    All,
}

/// Returns the day that a date with the month in front names: `12/31/2026`.
pub fn month_first(text: &str) -> Option<Date> {
    let parts: Vec<&str> = text.split('/').collect();
    let [month, day, year] = parts[..] else { return None };
    let is_short = |part: &str| matches!(part.len(), 1 | 2) && is_digits(part);
    let are_numbers = is_short(month) && is_short(day) && year.len() == 4 && is_digits(year);
    let date = || Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok();
    are_numbers.then(date)?
}

/// Whether a text is a date that a day-first spreadsheet can't read as one with the month in front, and leaves as the
/// text that it was.
pub fn is_month_first_alone(text: &str) -> bool {
    month_first(text).is_some_and(|date| date.day() > 12)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the text of a date with its doubt.
pub fn marked(date: &str) -> String {
    format!("{} {MARK}", date.trim())
}

/// Returns the date of a cell that holds it with its doubt; `None` where none is in doubt.
pub fn unmarked(text: &str) -> Option<&str> {
    Some(text.trim().strip_suffix(MARK)?.trim_end())
}

/// Returns dates as the column [`IN_DOUBT`] holds them: with the month in front where they were texts, with the year
/// in front where they were dates of a workbook.
pub fn told(dates: &[&str]) -> String {
    dates.join(&format!("{BETWEEN} "))
}

/// The dates of a row that an earlier report holds to be in doubt.
#[derive(Debug, Clone, Default)]
pub struct DatesInDoubt(Vec<DoubtedDate>);

#[derive(Debug, Clone, Copy)]
enum DoubtedDate {
    /// It was a text.
    Written(Date),
    /// It was a date of a workbook.
    Typed(Date),
    /// It can't be read any more, so nothing tells it from others.
    Any,
}

impl DatesInDoubt {
    /// Reads the cell of the column [`IN_DOUBT`].
    pub fn parse(text: &str) -> Self {
        let dates = text.split(BETWEEN).map(str::trim).filter(|text| !text.is_empty());
        Self(dates.map(DoubtedDate::parse).collect())
    }

    /// Whether a day is one of these, left as it was. Of a text, a spreadsheet makes a date of its own by either
    /// reading; somebody who writes the other one has corrected it.
    pub fn has(&self, day: Date, is_typed: bool) -> bool {
        self.0.iter().any(|doubted| match *doubted {
            DoubtedDate::Any => true,
            DoubtedDate::Typed(date) => date == day,
            DoubtedDate::Written(date) => date == day || is_typed && turned(date) == Some(day),
        })
    }
}

impl DoubtedDate {
    fn parse(text: &str) -> Self {
        match (month_first(text), text.parse::<Date>()) {
            (Some(date), _) => Self::Written(date),
            (None, Ok(date)) => Self::Typed(date),
            (None, Err(_)) => Self::Any,
        }
    }
}

/// Returns the day that is meant where the month of a date is its day.
fn turned(date: Date) -> Option<Date> {
    Date::new(date.year(), date.day(), date.month()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubt_ends_with_another_day() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        for (doubted, given, is_typed, wanted) in [
            ("03/04/2028", "2028-03-04", false, true),
            ("3/4/2028", "2028-03-04", false, true),
            ("03/04/2028", "2028-04-03", false, false),
            ("03/04/2028", "2028-04-03", true, true),
            ("03/04/2028", "2028-03-04", true, true),
            ("03/04/2028", "2028-03-05", true, false),
            ("2028-03-04", "2028-03-04", true, true),
            ("2028-03-04", "2028-03-04", false, true),
            ("2028-03-04", "2028-04-03", true, false),
            ("01/02/2028; 03/04/2028", "2028-03-04", false, true),
            ("03.04.2028", "2028-05-06", false, true),
            ("", "2028-03-04", false, false),
            (" ; ", "2028-03-04", true, false),
        ] {
            assert_eq!(
                DatesInDoubt::parse(doubted).has(day(given), is_typed),
                wanted,
                "{doubted} {given} {is_typed}"
            );
        }
    }

    #[test]
    fn a_doubt_is_taken_out_of_its_cell() {
        assert_eq!(unmarked(&marked(" 03/04/2028 ")), Some("03/04/2028"));
        assert_eq!(unmarked("03/04/2028"), None);
    }
}
