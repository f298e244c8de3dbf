//! The text of a cell that stands for a value of a referral: what the reader of change files takes for the same
//! value.
//!
//! A workbook has types besides, and a value is written as what it is where nothing of it is lost so: an amount of
//! which a spreadsheet keeps every digit as a number, a day as a date. All else is text, and stays what it is.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::fields::Kind;
use super::formula::{defused, defused_json};
use super::instant::Instant;
use super::json;
use super::sheet_cell::{CellType, SheetCell, exceeds_digits, has_room};

/// The form of a file of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableForm {
    /// Text, a line a row.
    Csv,
    /// A sheet of typed cells.
    Workbook,
}

/// The text of a cell, by what a spreadsheet makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellText {
    /// Nothing, which leaves a field as it is.
    Empty,
    /// An id or a word of the API's: no spreadsheet runs it.
    Plain(String),
    /// An amount in digits, so that it can be read in one way alone.
    Amount(String),
    /// A day, or a point in time, as the service writes it.
    Time(String),
    /// `true` or `false`.
    Truth(String),
    /// A text from elsewhere.
    Text(String),
    /// A list as JSON.
    Json(String),
}

impl CellText {
    /// Returns the cell of a value; `None` where the value is not of this type.
    ///
    /// What counts as absent is an empty cell: `null`, and an empty text or list.
    pub fn of(kind: Kind, value: &RawValue) -> Option<Self> {
        if json::is_null(value) {
            return Some(Self::Empty);
        }
        let text = json::string(value);
        Some(match (kind, text) {
            (Kind::Text | Kind::Currency | Kind::DateTime | Kind::Decimal, Some(text)) if text.is_empty() => {
                Self::Empty
            }
            (Kind::Text, Some(text)) => Self::Text(text.into_owned()),
            (Kind::Currency, Some(text)) => Self::Plain(text.into_owned()),
            (Kind::DateTime, Some(text)) => Self::Time(text.into_owned()),
            (Kind::Decimal, text) => Self::Amount(amount(&text.unwrap_or_else(|| value.get().into()))?),
            (Kind::Boolean, None) if matches!(value.get(), "true" | "false") => {
                Self::Truth(value.get().to_owned())
            }
            (Kind::Members | Kind::Solutions, None) => match json::elements(value)?.len() {
                0 => Self::Empty,
                _ => Self::Json(value.get().to_owned()),
            },
            (Kind::Any, _) => Self::Json(value.get().to_owned()),
            (Kind::Text | Kind::Currency | Kind::DateTime | Kind::Boolean, _) | (_, Some(_)) => return None,
        })
    }

    /// Returns the text as it is meant.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Empty => "",
            Self::Plain(text)
            | Self::Amount(text)
            | Self::Time(text)
            | Self::Truth(text)
            | Self::Text(text)
            | Self::Json(text) => text,
        }
    }

    /// Returns the text that no spreadsheet runs. A list means the same as before; of a text, the guards have to
    /// be taken away again where it is another one.
    pub fn defused(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Plain(text) | Self::Amount(text) | Self::Time(text) | Self::Truth(text) => {
                Cow::Borrowed(text)
            }
            Self::Text(text) => defused(text),
            Self::Json(text) => Cow::Owned(defused_json(text)),
        }
    }

    /// Whether a cell of a file has room for it.
    pub fn fits(&self, form: TableForm) -> bool {
        form == TableForm::Csv || has_room(&self.defused())
    }

    /// Returns the cell of a workbook. Texts have their guards there, too: somebody may save the sheet as a CSV.
    pub fn typed(&self) -> SheetCell {
        let of = |kind, text: &str| SheetCell { kind, text: text.to_owned() };
        match self {
            Self::Amount(text) if !exceeds_digits(text) => of(CellType::Number, text),
            Self::Truth(text) => of(CellType::Boolean, text),
            Self::Time(text) => match Instant::parse(text).filter(|time| has_serial(*time)) {
                Some(day) => of(CellType::Date, &day.date().to_string()),
                None => SheetCell::text(text),
            },
            text => SheetCell::text(text.defused()),
        }
    }
}

/// Whether a spreadsheet has a number for a point in time that says all of it. Times of day are left to text: there
/// they keep their digits, and their zone. So is the 19th century, and the year in which every spreadsheet counts
/// otherwise.
fn has_serial(time: Instant) -> bool {
    time.is_midnight() && (1901..=9999).contains(&time.date().year())
}

/// Returns an amount in digits, with all that it has and so that it can be read in one way alone; `None` for what
/// is no amount.
///
/// Where three digits stand behind the point, as in `12.500`, the point may be taken for one between thousands.
/// A zero more, or less, tells it for what it is.
fn amount(text: &str) -> Option<String> {
    let mut digits = text.trim().to_owned();
    if digits.contains(['e', 'E']) {
        digits = Decimal::from_scientific(&digits).ok()?.to_string();
    }
    Decimal::from_str_exact(&digits).ok()?;
    if digits.split_once('.').is_some_and(|(_, fraction)| fraction.len() == 3) {
        match digits.strip_suffix('0') {
            Some(shorter) => digits = shorter.to_owned(),
            None => digits.push('0'),
        }
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::decimal;
    use crate::domain::equality::same;
    use crate::domain::value::Wanted;

    fn cell(kind: Kind, value: &str) -> Option<CellText> {
        CellText::of(kind, &RawValue::from_string(value.to_owned()).unwrap())
    }

    #[test]
    fn a_cell_says_what_the_value_is() {
        let plain = |text: &str| Some(CellText::Plain(text.to_owned()));
        let amount = |text: &str| Some(CellText::Amount(text.to_owned()));
        let time = |text: &str| Some(CellText::Time(text.to_owned()));
        let text = |text: &str| Some(CellText::Text(text.to_owned()));
        let json = |text: &str| Some(CellText::Json(text.to_owned()));
        let empty = || Some(CellText::Empty);
        for (kind, value, wanted) in [
            (Kind::Text, "null", empty()),
            (Kind::Text, r#""""#, empty()),
            (Kind::Text, r#""a\nb""#, text("a\nb")),
            (Kind::Text, r#""\ud800""#, None),
            (Kind::Text, "5", None),
            (Kind::Decimal, "12500.50", amount("12500.50")),
            (Kind::Decimal, "12.500", amount("12.50")),
            (Kind::Decimal, "12.345", amount("12.3450")),
            (Kind::Decimal, "-0.125", amount("-0.1250")),
            (Kind::Decimal, "12.5E3", amount("12500")),
            (Kind::Decimal, r#""50000""#, amount("50000")),
            (Kind::Decimal, r#""""#, empty()),
            (Kind::Decimal, r#""many""#, None),
            (Kind::Decimal, "true", None),
            (Kind::Currency, r#""EUR""#, plain("EUR")),
            (Kind::Currency, "5", None),
            (Kind::DateTime, r#""2026-12-31T00:00:00.0000000Z""#, time("2026-12-31T00:00:00.0000000Z")),
            (Kind::Boolean, "true", Some(CellText::Truth("true".to_owned()))),
            (Kind::Boolean, r#""true""#, None),
            (Kind::Members, "[]", empty()),
            (Kind::Members, r#"[{"email":"a@example.com"}]"#, json(r#"[{"email":"a@example.com"}]"#)),
            (Kind::Members, "{}", None),
            (Kind::Members, r#""[]""#, None),
        ] {
            assert_eq!(cell(kind, value), wanted, "{value}");
        }
    }

    #[test]
    fn an_amount_is_read_as_it_was_written() {
        for value in ["0", "0.5", "12.500", "1234.567", "-3.000", "100000.00", "1e3", "1.234567E4", "0.1234"]
        {
            let raw = RawValue::from_string(value.to_owned()).unwrap();
            let CellText::Amount(text) = CellText::of(Kind::Decimal, &raw).unwrap() else {
                panic!("{value}")
            };
            assert_ne!(decimal::read(&text, None).unwrap().sign, Some(decimal::DecimalSign::Comma), "{text}");
            let read = Wanted::from_text(Kind::Decimal, &text).unwrap();
            assert!(same(Kind::Decimal, Some(&raw), read.raw()), "{value} as {text}");
        }
    }

    #[test]
    fn what_a_spreadsheet_would_run_has_a_guard() {
        for (cell, wanted) in [
            (CellText::Text("=1+1".to_owned()), "'=1+1"),
            (CellText::Plain("-5".to_owned()), "-5"),
            (CellText::Json(r#"["=1"]"#.to_owned()), r#"["=1"]"#),
            (CellText::Json(r#"["a","=1"]"#.to_owned()), r#"["a","\u003d1"]"#),
            (CellText::Empty, ""),
        ] {
            assert_eq!(cell.defused(), wanted);
        }
    }

    #[test]
    fn a_workbook_holds_as_what_it_is_what_it_can_hold_whole() {
        use CellType::{Boolean, Date, Number, Text};
        let amount = |text: &str| CellText::Amount(text.to_owned());
        let time = |text: &str| CellText::Time(text.to_owned());
        for (cell, kind, wanted) in [
            (CellText::Empty, Text, ""),
            (CellText::Plain("007".to_owned()), Text, "007"),
            (CellText::Text("007".to_owned()), Text, "007"),
            (CellText::Text("=1".to_owned()), Text, "'=1"),
            (CellText::Json(r#"["a","=1"]"#.to_owned()), Text, r#"["a","\u003d1"]"#),
            (CellText::Truth("false".to_owned()), Boolean, "false"),
            (amount("12500.5"), Number, "12500.5"),
            (amount("-0.1250"), Number, "-0.1250"),
            (amount("123456789012345"), Number, "123456789012345"),
            (amount("1234567890123456"), Text, "1234567890123456"),
            (amount("0.1234567890123456"), Text, "0.1234567890123456"),
            (amount("1000000000000000"), Text, "1000000000000000"),
            (time("2026-12-31"), Date, "2026-12-31"),
            (time("2026-12-31T00:00:00.0000000Z"), Date, "2026-12-31"),
            (time("2026-12-31T01:00:00+01:00"), Date, "2026-12-31"),
            (time("2026-12-31T00:00:00+01:00"), Text, "2026-12-31T00:00:00+01:00"),
            (time("2026-12-31T00:00:00.0000001Z"), Text, "2026-12-31T00:00:00.0000001Z"),
            (time("1900-12-31"), Text, "1900-12-31"),
            (time("soon"), Text, "soon"),
        ] {
            assert_eq!(cell.typed(), SheetCell { kind, text: wanted.to_owned() }, "{cell:?}");
        }
    }
}
