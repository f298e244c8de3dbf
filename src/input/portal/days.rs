//! Dates as the file has them: month, day, year.
//!
//! Whether `03/04/2026` is in March or in April doesn't show in its cell. It is read as the file's form has it, unless
//! another date of the file has no month in front: then a spreadsheet has rewritten some or all, and none can be
//! trusted. Nor can those of a workbook that holds `12/31/2026` as text beside cells that are dates: a spreadsheet that
//! puts the day in front couldn't read the text, and took the month of the others for their day. An earlier report may say so of single dates, whose file had one: see [`day_doubt`].
//!
//! [`day_doubt`]: crate::domain::day_doubt

use jiff::civil::Date;

use crate::domain::day_doubt::{self, DateDoubt, DatesInDoubt, IN_DOUBT, is_month_first_alone, month_first};
use crate::domain::day_first::is_day_first;
use crate::domain::excerpt::excerpt;
use crate::domain::fields::Kind;
use crate::domain::finding::Location;
use crate::domain::sheet_cell::CellType;
use crate::domain::type_error::TypeError;
use crate::domain::value::{Condition, Wanted};

/// How the dates of a file are written, as far as its cells have shown.
#[derive(Debug, Default)]
pub(in super::super) struct Days {
    /// The first date with the day in front, and the line it stands on.
    day_first: Option<(String, u64)>,
    /// The first date that is a date in its workbook, and the row it stands in.
    typed: Option<(String, u64)>,
    /// The first date that is text and that only the month in front makes one, and the line it stands on.
    month_first: Option<(String, u64)>,
    /// Whether an earlier report holds one to be in doubt.
    has_doubted: bool,
}

/// Why a cell gives no day.
#[derive(Debug)]
pub(super) enum DateError {
    /// It is no date with the month in front.
    Wrong(TypeError),
    /// It is one, and an earlier report says that it is in doubt.
    InDoubt(TypeError),
}

impl Days {
    /// Looks at how a cell of dates is written, whether or not the cell is read.
    pub fn look(&mut self, place: Location, kind: CellType, text: &str) {
        let seen = || (text.trim().to_owned(), place.line);
        if kind == CellType::Date {
            self.typed.get_or_insert_with(seen);
        } else if is_month_first_alone(text.trim()) {
            self.month_first.get_or_insert_with(seen);
        }
        self.look_anywhere(place, text);
    }

    /// Looks for a date with the day in front in a cell that may hold one: of a row whose cells may stand under the wrong
    /// columns, each may.
    pub fn look_anywhere(&mut self, place: Location, text: &str) {
        if self.day_first.is_none() && is_day_first(text) {
            self.day_first = Some((text.trim().to_owned(), place.line));
        }
    }

    /// Reads a date. `is_typed` tells one that is a date in its workbook, and `doubted` holds those that an earlier
    /// report had in doubt.
    ///
    /// # Errors
    /// See [`DateError`].
    pub(super) fn read(
        &mut self,
        text: &str,
        is_typed: bool,
        doubted: &DatesInDoubt,
    ) -> Result<Wanted, DateError> {
        if let Some(date) = day_doubt::unmarked(text) {
            self.has_doubted = true;
            return Err(in_doubt(
                date,
                "write the day that is meant as MM/DD/YYYY, without the question mark",
            ));
        }
        let Some(day) = month_first(text) else { return Err(DateError::Wrong(no_date(text))) };
        if doubted.has(day, is_typed) {
            self.has_doubted = true;
            let hint = format!(
                "write the day that is meant as MM/DD/YYYY; where it is right as it stands, empty its cell under \
                 {IN_DOUBT}"
            );
            return Err(in_doubt(text, &hint));
        }
        let wanted = Wanted::from_text(Kind::DateTime, &day.to_string()).map_err(DateError::Wrong)?;
        Ok(wanted.on(Condition::OtherDay))
    }

    /// Returns why no date of the file can be trusted; `None` where every month may stand in front.
    pub fn contradiction(&self) -> Option<String> {
        const IN_DOUBT: &str = "how the file writes dates is in doubt";
        if let Some((text, line)) = &self.day_first {
            return Some(format!("{IN_DOUBT}: {} on line {line} has the day in front", excerpt(text)));
        }
        let ((typed, row), (text, line)) = self.typed.as_ref().zip(self.month_first.as_ref())?;
        Some(format!(
            "{IN_DOUBT}: {} in row {line} is text, and {typed} in row {row} is a date, as a spreadsheet that puts the day \
             in front leaves them",
            excerpt(text)
        ))
    }

    /// Returns which dates of the file are in doubt.
    pub fn doubt(&self) -> DateDoubt {
        match self {
            _ if self.contradiction().is_some() => DateDoubt::All,
            Self { has_doubted: true, .. } => DateDoubt::Some,
            Self { .. } => DateDoubt::None,
        }
    }
}

/// Makes the error of a cell that is no date with the month in front.
fn no_date(text: &str) -> TypeError {
    const FORM: &str = "write every date of the column as MM/DD/YYYY, as in 12/31/2026";
    let why = if is_day_first(text) { "with the month in front" } else { "in the form MM/DD/YYYY" };
    TypeError::new(format!("{} is no date {why}", excerpt(text)), FORM)
}

/// Makes the error of a date that an earlier report had in doubt.
fn in_doubt(text: &str, hint: &str) -> DateError {
    let message = format!("{} stood in a file that had dates with the day in front", excerpt(text));
    DateError::InDoubt(TypeError::new(message, hint))
}

/// Returns the day of a date that is compared only, month in front or year first.
pub(in super::super) fn day(text: &str) -> Option<Date> {
    month_first(text).or_else(|| Date::strptime("%Y-%m-%d", text).ok())
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
            ("31/12/29", None, true),
            ("31-12-2029", None, true),
            ("'31/12/2029", None, true),
            ("31/12/2029 00:00", None, true),
            ("13/13/2026", None, false),
            ("00/10/2026", None, false),
            ("31.12.2026", None, true),
            ("12.31.2026", None, false),
            ("12-31-2026", None, false),
            ("12/31/26", None, false),
            ("12/31/2026 00:00", None, false),
            ("2026-12-31", None, false),
            ("46387", None, false),
            ("03/04/2026 ?", None, false),
        ] {
            let mut days = Days::default();
            days.look(Location { input: 0, line: 7, column: 3 }, CellType::Text, text);
            let read = days.read(text, false, &DatesInDoubt::default());
            let got = read.ok().map(|wanted| wanted.raw().get().to_owned());
            assert_eq!(got, wanted.map(|day| format!("\"{day}T00:00:00Z\"")), "{text}");
            assert_eq!(days.contradiction().is_some(), is_doubtful, "{text}");
        }
    }
    #[test]
    fn texts_that_only_a_month_in_front_makes_dates_doubt_the_dates_beside_them() {
        for (cells, is_doubtful) in [
            (&[(CellType::Date, "2027-01-05"), (CellType::Text, "12/31/2026")][..], true),
            (&[(CellType::Text, "12/31/2026"), (CellType::Date, "2027-01-05T12:00:00Z")], true),
            (&[(CellType::Date, "2027-01-05"), (CellType::Text, "12/01/2026")], false),
            (&[(CellType::Date, "2027-01-05"), (CellType::Text, "12.31.2026")], false),
            (&[(CellType::Date, "2027-01-05"), (CellType::Date, "2026-12-31")], false),
            (&[(CellType::Text, "05/01/2027"), (CellType::Text, "12/31/2026")], false),
            (&[(CellType::Number, "46387"), (CellType::Text, "12/31/2026")], false),
        ] {
            let mut days = Days::default();
            for (line, (kind, text)) in (2..).zip(cells) {
                days.look(Location { input: 0, line, column: 3 }, *kind, text);
            }
            assert_eq!(days.contradiction().is_some(), is_doubtful, "{cells:?}");
            assert_eq!(days.doubt(), if is_doubtful { DateDoubt::All } else { DateDoubt::None });
        }
    }
}
