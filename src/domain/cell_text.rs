//! The text of a cell that stands for a value of a referral: what the reader of change files takes for the same
//! value.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::fields::Kind;
use super::formula::{defused, defused_json};
use super::json;

/// The text of a cell, by what a spreadsheet makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellText {
    /// Nothing, which leaves a field as it is.
    Empty,
    /// An id, a word of the API's, a number, a date, or `true` and `false`: no spreadsheet runs it.
    Plain(String),
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
            (Kind::Currency | Kind::DateTime, Some(text)) => Self::Plain(text.into_owned()),
            (Kind::Decimal, text) => Self::Plain(amount(&text.unwrap_or_else(|| value.get().into()))?),
            (Kind::Boolean, None) if matches!(value.get(), "true" | "false") => {
                Self::Plain(value.get().to_owned())
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
            Self::Plain(text) | Self::Text(text) | Self::Json(text) => text,
        }
    }

    /// Returns the text that no spreadsheet runs. A list means the same as before; of a text, the guards have to
    /// be taken away again where it is another one.
    pub fn defused(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Plain(text) => Cow::Borrowed(text),
            Self::Text(text) => defused(text),
            Self::Json(text) => Cow::Owned(defused_json(text)),
        }
    }
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
        let text = |text: &str| Some(CellText::Text(text.to_owned()));
        let json = |text: &str| Some(CellText::Json(text.to_owned()));
        let empty = || Some(CellText::Empty);
        for (kind, value, wanted) in [
            (Kind::Text, "null", empty()),
            (Kind::Text, r#""""#, empty()),
            (Kind::Text, r#""a\nb""#, text("a\nb")),
            (Kind::Text, r#""\ud800""#, None),
            (Kind::Text, "5", None),
            (Kind::Decimal, "12500.50", plain("12500.50")),
            (Kind::Decimal, "12.500", plain("12.50")),
            (Kind::Decimal, "12.345", plain("12.3450")),
            (Kind::Decimal, "-0.125", plain("-0.1250")),
            (Kind::Decimal, "12.5E3", plain("12500")),
            (Kind::Decimal, r#""50000""#, plain("50000")),
            (Kind::Decimal, r#""""#, empty()),
            (Kind::Decimal, r#""many""#, None),
            (Kind::Decimal, "true", None),
            (Kind::Currency, r#""EUR""#, plain("EUR")),
            (Kind::Currency, "5", None),
            (Kind::DateTime, r#""2026-12-31T00:00:00.0000000Z""#, plain("2026-12-31T00:00:00.0000000Z")),
            (Kind::Boolean, "true", plain("true")),
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
            let CellText::Plain(text) = CellText::of(Kind::Decimal, &raw).unwrap() else { panic!("{value}") };
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
}
