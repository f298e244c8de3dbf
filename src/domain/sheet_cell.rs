//! The cells of a workbook: their text, and the type that they have in it.
//!
//! A workbook says of each cell what it is, which its text alone doesn't: `12.125` is a number whatever sign the
//! user's country has, and `0123` typed as a number has lost its zero already. So the type goes along with the
//! text, and a report gives back a cell of the same type.

use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

/// The type of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CellType {
    /// Text, as every cell of a CSV is.
    #[default]
    Text,
    /// A number. Its text is the shortest decimal that stands for the same double, with a point.
    Number,
    /// A day, or a point in time in UTC: `2026-12-31`, or `2026-12-31T17:00:00Z`.
    Date,
    /// `true` or `false`.
    Boolean,
    /// A time of day or a duration, which no day belongs to. Its text is a number of days.
    Time,
    /// A formula that was never computed. Its text is the formula, without a sign before it.
    Formula,
}

impl CellType {
    /// Returns what a cell of this type is called in a message.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Date => "a date",
            Self::Boolean => "a truth value",
            Self::Time => "a time without a day",
            Self::Formula => "a formula that was never computed",
        }
    }
}

/// A cell of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetCell {
    /// Its type.
    pub kind: CellType,
    /// Its text.
    pub text: String,
}

impl SheetCell {
    /// Returns a cell of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { kind: CellType::Text, text: text.into() }
    }
}

impl Serialize for SheetCell {
    /// A string where it is text, else an object that names its type.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.kind == CellType::Text {
            return serializer.serialize_str(&self.text);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.kind, &self.text)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for SheetCell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SheetCellVisitor;
        impl<'de> Visitor<'de> for SheetCellVisitor {
            type Value = SheetCell;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a text, or an object of one type")
            }

            fn visit_str<E>(self, text: &str) -> Result<SheetCell, E> {
                Ok(SheetCell::text(text))
            }

            fn visit_string<E>(self, text: String) -> Result<SheetCell, E> {
                Ok(SheetCell::text(text))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SheetCell, A::Error> {
                let entry = map.next_entry::<CellType, String>()?;
                let (kind, text) = entry.ok_or_else(|| de::Error::custom("a cell without a type"))?;
                Ok(SheetCell { kind, text })
            }
        }
        deserializer.deserialize_any(SheetCellVisitor)
    }
}

/// The most characters of a cell, as spreadsheets count them: in UTF-16.
pub const LONGEST_TEXT: usize = 32_767;

/// The most rows of a sheet below its header.
pub const MOST_ROWS: u64 = 1_048_575;

/// The number of digits that spreadsheets keep of a number.
const KEPT_DIGITS: usize = 15;

/// Whether a cell of a workbook has room for a text.
pub fn has_room(text: &str) -> bool {
    text.len() <= LONGEST_TEXT || text.encode_utf16().count() <= LONGEST_TEXT
}

/// Whether a number, in digits without an exponent, has more of them than a spreadsheet keeps: more that count, or more
/// before the point, where what was typed beyond the fifteenth is a zero by now.
pub fn exceeds_digits(number: &str) -> bool {
    let number = number.trim_start_matches(['-', '+']);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let leading = if whole.is_empty() { fraction.trim_start_matches('0').len() } else { fraction.len() };
    whole.len() > KEPT_DIGITS || whole.len() + leading > KEPT_DIGITS
}

/// Whether a number has more digits before its point than a spreadsheet keeps, so that the last of them need not be
/// those that were typed.
pub fn lost_digits(number: &str) -> bool {
    number.trim_start_matches('-').split('.').next().is_some_and(|whole| whole.len() > KEPT_DIGITS)
}

/// Returns a day as the files of Partner Center have it, whose dates have no time: `12/31/2026`. A point in time
/// stays as it is, and is no day there.
pub fn as_portal_day(text: &str) -> String {
    match text.split('-').collect::<Vec<_>>()[..] {
        [year, month, day] if day.len() == 2 => format!("{month}/{day}/{year}"),
        _ => text.to_owned(),
    }
}

/// Returns the name that spreadsheets give a column, counted from 0: A, B, …, Z, AA, ….
pub fn letters(at: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(at % 26).unwrap_or_default());
    if at < 26 { letter.to_string() } else { letters(at / 26 - 1) + &letter.to_string() }
}

/// Returns the name of a cell, of which row and column count from 1: `B7`.
pub fn cell_name(row: u64, column: u32) -> String {
    format!("{}{row}", letters(column.saturating_sub(1) as usize))
}

/// Returns the row and the column of a cell that is named so; `None` for a text that names none.
pub fn cell_named(name: &str) -> Option<(u64, u32)> {
    let (letters, row) = name.split_at(name.find(|at: char| !at.is_ascii_alphabetic())?);
    // No sheet has columns of more letters.
    let is_cell = (1..=3).contains(&letters.len()) && row.bytes().all(|byte| byte.is_ascii_digit());
    let row = row.parse().ok().filter(|row| is_cell && *row > 0)?;
    let value = |letter: u8| u32::from(letter.to_ascii_uppercase() - b'A') + 1;
    Some((row, letters.bytes().fold(0, |column, letter| column * 26 + value(letter))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_comes_back_from_where_it_is_kept() {
        use CellType::{Boolean, Date, Formula, Number, Text, Time};
        for (kind, text, wanted) in [
            (Text, "12.5", r#""12.5""#),
            (Number, "12.5", r#"{"number":"12.5"}"#),
            (Date, "2026-12-31", r#"{"date":"2026-12-31"}"#),
            (Boolean, "true", r#"{"boolean":"true"}"#),
            (Time, "0.5", r#"{"time":"0.5"}"#),
            (Formula, "A1&\"x\"", r#"{"formula":"A1&\"x\""}"#),
        ] {
            let cell = SheetCell { kind, text: text.to_owned() };
            let kept = serde_json::to_string(&cell).unwrap();
            assert_eq!(kept, wanted);
            assert_eq!(serde_json::from_str::<SheetCell>(&kept).unwrap(), cell);
        }
        for none in ["{}", "1", "null", r#"{"odd":"1"}"#, r#"{"number":1}"#] {
            assert!(serde_json::from_str::<SheetCell>(none).is_err(), "{none}");
        }
    }

    #[test]
    fn a_spreadsheet_keeps_fifteen_digits() {
        for (number, exceeds) in [
            ("0", false),
            ("-12500.50", false),
            ("123456789012345", false),
            ("1234567890123456", true),
            ("1000000000000000", true),
            ("0.00000000000000000001", false),
            ("0.123456789012345", false),
            ("0.1234567890123456", true),
            ("0.30000000000000004", true),
            ("1.2345678901234500", false),
            ("1234567.123456789", true),
        ] {
            assert_eq!(exceeds_digits(number), exceeds, "{number}");
        }
    }

    #[test]
    fn room_is_counted_as_spreadsheets_count() {
        assert!(has_room(&"é".repeat(LONGEST_TEXT)) && !has_room(&"é".repeat(LONGEST_TEXT + 1)));
        assert!(!has_room(&"𝄞".repeat(LONGEST_TEXT / 2 + 1)));
    }

    #[test]
    fn a_day_is_written_as_partner_center_has_it() {
        for (text, wanted) in
            [("2026-12-31", "12/31/2026"), ("2026-12-31T17:00:00Z", "2026-12-31T17:00:00Z"), ("x", "x")]
        {
            assert_eq!(as_portal_day(text), wanted);
        }
    }

    #[test]
    fn cells_are_named_as_spreadsheets_name_them() {
        for (row, column, wanted) in
            [(7, 2, "B7"), (1, 26, "Z1"), (9, 27, "AA9"), (1_048_576, 16_384, "XFD1048576")]
        {
            assert_eq!(cell_name(row, column), wanted);
            assert_eq!(cell_named(wanted), Some((row, column)));
            assert_eq!(cell_named(&wanted.to_lowercase()), Some((row, column)));
        }
        for none in ["", "7", "B", "B0", "B-1", "7B", "B7B", "ABCD1", "É1", "B٣", "B99999999999999999999"] {
            assert_eq!(cell_named(none), None, "{none}");
        }
    }
}
