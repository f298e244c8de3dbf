//! The value of a cell → its type and text.
//!
//! A date is a number of days that is shown as one: the number format of the cell decides. It has no zone in a
//! workbook, and is taken as UTC. The text of a number is the shortest decimal that stands for the same double,
//! however the cell shows it.

use calamine::{DataRef, ExcelDateTime};
use jiff::civil::{Date, DateTime};
use jiff::{Span, Unit};

use crate::domain::sheet_cell::{CellType, SheetCell};

/// The milliseconds of a day, which is the finest that a spreadsheet tells.
const DAY: i64 = 86_400_000;

/// Returns the cell of a value; `None` where nothing stands in it. `formula` is the text of its formula, where
/// it has one. A formula that came to an empty text counts as an empty cell.
pub(super) fn of(value: &DataRef<'_>, formula: Option<&str>, is_1904: bool) -> Option<SheetCell> {
    let cell = |kind, text: String| Some(SheetCell { kind, text });
    match value {
        DataRef::Empty => cell(CellType::Formula, formula?.to_owned()),
        DataRef::String(text) if text.is_empty() => None,
        DataRef::SharedString("") => None,
        DataRef::String(text) => cell(CellType::Text, text.clone()),
        DataRef::SharedString(text) => cell(CellType::Text, (*text).to_owned()),
        DataRef::Int(number) => cell(CellType::Number, number.to_string()),
        DataRef::Float(number) => cell(CellType::Number, decimal(*number)),
        DataRef::Bool(truth) => cell(CellType::Boolean, truth.to_string()),
        DataRef::DateTime(time) => match point_in_time(time, is_1904) {
            Some(text) => cell(CellType::Date, text),
            None => cell(CellType::Time, decimal(time.as_f64())),
        },
        DataRef::DateTimeIso(text) => match text.trim_end_matches('Z').parse::<DateTime>() {
            Ok(time) => cell(CellType::Date, written(time)),
            Err(_) => cell(CellType::Text, text.clone()),
        },
        DataRef::DurationIso(text) => cell(CellType::Time, text.clone()),
        DataRef::Error(error) => cell(CellType::Text, error.to_string()),
    }
}

/// Returns the shortest decimal that stands for a double, without an exponent.
fn decimal(number: f64) -> String {
    if number == 0.0 { "0".to_owned() } else { number.to_string() }
}

/// Returns a number of days as a day, or as a point in time; `None` where no day belongs to it.
fn point_in_time(time: &ExcelDateTime, is_1904: bool) -> Option<String> {
    let serial = time.as_f64();
    if time.is_duration() || !serial.is_finite() || !(0.0..3_000_000.0).contains(&serial) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a day has 86,400,000 milliseconds, and there are 3,000,000"
    )]
    let milliseconds = ((serial * 86_400_000.0).round() as i64)
        // The last instant of a day is still that day's: what rounds to midnight would be another date.
        .min((serial.floor() as i64 + 1) * DAY - 1);
    let (days, rest) = (milliseconds / DAY, milliseconds % DAY);
    let first = first_day(days, is_1904)?;
    let time = first.to_datetime(jiff::civil::Time::midnight());
    let time = time.checked_add(Span::new().days(days).milliseconds(rest)).ok()?;
    (time.year() <= 9999).then(|| written(time))
}

/// Returns the day that has the number 0. There is none for a number below 1, which is a time of day, and none for
/// day 60 of 1900: Excel counts a 29th of February there, which was none.
fn first_day(days: i64, is_1904: bool) -> Option<Date> {
    match (is_1904, days) {
        (_, 0) | (false, 60) => None,
        (true, _) => Date::new(1904, 1, 1).ok(),
        (false, ..60) => Date::new(1899, 12, 31).ok(),
        (false, _) => Date::new(1899, 12, 30).ok(),
    }
}

/// Returns a day where the time is midnight, else the point in time in UTC.
fn written(time: DateTime) -> String {
    let time = time.round(Unit::Millisecond).unwrap_or(time);
    if time.time() == jiff::civil::Time::midnight() { time.date().to_string() } else { format!("{time}Z") }
}

#[cfg(test)]
mod tests {
    use calamine::{CellErrorType, ExcelDateTimeType};

    use super::*;

    fn told(value: &DataRef<'_>, formula: Option<&str>) -> String {
        of(value, formula, false)
            .map_or("nothing".to_owned(), |cell| format!("{:?} {}", cell.kind, cell.text))
    }

    #[test]
    fn values_have_a_type_and_all_their_digits() {
        for (value, formula, wanted) in [
            (DataRef::Empty, None, "nothing"),
            (DataRef::Empty, Some("A1"), "Formula A1"),
            (DataRef::String(String::new()), Some("A1"), "nothing"),
            (DataRef::String("=1".into()), None, "Text =1"),
            (DataRef::SharedString("0123"), None, "Text 0123"),
            (DataRef::Float(12_500.5), Some("A1*2"), "Number 12500.5"),
            (DataRef::Float(0.1 + 0.2), None, "Number 0.30000000000000004"),
            (DataRef::Float(1e21), None, "Number 1000000000000000000000"),
            (DataRef::Float(-0.0), None, "Number 0"),
            (DataRef::Float(12.0), None, "Number 12"),
            (DataRef::Bool(true), None, "Boolean true"),
            (DataRef::Error(CellErrorType::Ref), None, "Text #REF!"),
            (DataRef::DateTimeIso("2026-12-31T00:00:00".into()), None, "Date 2026-12-31"),
            (DataRef::DateTimeIso("2026-12-31T17:30:00Z".into()), None, "Date 2026-12-31T17:30:00Z"),
            (DataRef::DateTimeIso("someday".into()), None, "Text someday"),
            (DataRef::DurationIso("PT5H".into()), None, "Time PT5H"),
        ] {
            assert_eq!(told(&value, formula), wanted, "{value:?}");
        }
    }

    #[test]
    fn dates_are_counted_from_either_beginning() {
        for (serial, is_1904, wanted) in [
            (46_387.0, false, "Date 2026-12-31"),
            (44_925.0, true, "Date 2026-12-31"),
            (46_387.5, false, "Date 2026-12-31T12:00:00Z"),
            (46_387.708_333_333_3, false, "Date 2026-12-31T17:00:00Z"),
            (46_386.999_999_999_9, false, "Date 2026-12-30T23:59:59.999Z"),
            (46_387.999_999_999_99, false, "Date 2026-12-31T23:59:59.999Z"),
            (45_943.541, false, "Date 2025-10-13T12:59:02.4Z"),
            (1.0, false, "Date 1900-01-01"),
            (59.0, false, "Date 1900-02-28"),
            (60.0, false, "Time 60"),
            (61.0, false, "Date 1900-03-01"),
            (0.0, true, "Time 0"),
            (0.75, true, "Time 0.75"),
            (1.0, true, "Date 1904-01-02"),
            (2_958_465.0, false, "Date 9999-12-31"),
            (2_958_466.0, false, "Time 2958466"),
            (0.5, false, "Time 0.5"),
            (-1.0, false, "Time -1"),
            (f64::NAN, false, "Time NaN"),
        ] {
            let time = ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904);
            let cell = of(&DataRef::DateTime(time), None, is_1904).unwrap();
            assert_eq!(format!("{:?} {}", cell.kind, cell.text), wanted, "{serial}");
        }
        let duration = ExcelDateTime::new(46_387.0, ExcelDateTimeType::TimeDelta, false);
        assert_eq!(told(&DataRef::DateTime(duration), None), "Time 46387");
    }
}
