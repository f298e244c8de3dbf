//! Dates with the day in front, however they are written: the trace of a spreadsheet that has rewritten dates.
//!
//! Nothing is read from them. One is enough to show that a file's months don't stand in front, so each form that a
//! spreadsheet or a person gives to a date counts, and what stands behind it is of no account.

use std::ops::RangeInclusive;

use super::characters::is_hidden;

/// The number of characters in which a date shows.
const LONGEST: usize = 64;

/// What may stand before a date in its cell.
const OPENING: [char; 12] =
    ['\'', '"', '`', '(', '[', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201c}', '\u{201d}', '\u{201e}', '«'];

/// What separates the parts of a date, beside blanks.
const SEPARATORS: [char; 11] = [
    '/', '-', '.', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}', '\u{2044}',
    '\u{2215}',
];

/// What follows the number of a day in English and French.
const ORDINALS: [&str; 5] = ["st", "nd", "rd", "th", "er"];

/// What stands between the parts of a date in English, Spanish and Portuguese.
const LINKS: [&str; 2] = ["of", "de"];

/// Whether a text begins with a date that has the day in front: its first part is above 12, and so is no month, or the
/// month is a word behind it.
pub fn is_day_first(text: &str) -> bool {
    let shown = text.trim_start().chars().filter(|c| !is_hidden(*c));
    let text: String = shown.take(LONGEST).map(half_width).collect();
    let text = behind_weekday(text.trim_start_matches(|c: char| c.is_whitespace() || OPENING.contains(&c)));
    let (day, rest) = number(text);
    let rest = behind_any(rest, &ORDINALS);
    let is_between = |text: &str, range: RangeInclusive<u8>| {
        text.len() <= 2 && text.parse().is_ok_and(|number| range.contains(&number))
    };
    if let Some(year) = behind_month_name(rest) {
        return is_between(day, 1..=31) && is_year(year);
    }
    let Some(rest) = behind_separator(rest) else { return false };
    let (month, rest) = number(rest);
    let Some(year) = behind_separator(rest) else { return false };
    is_between(day, 13..=31) && is_between(month, 1..=12) && is_year(year)
}

/// Returns the form of a character that ASCII has, of one that is as wide as a Chinese character.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Returns what stands behind a word at the beginning, such as the name of a weekday.
fn behind_weekday(text: &str) -> &str {
    let (_, rest) = letters(text);
    let date = rest.trim_start_matches([',', '.']).trim_start();
    if date.len() < rest.len() { date } else { text }
}

/// Returns what stands behind the name of a month; `None` where there is no word that may be one.
fn behind_month_name(text: &str) -> Option<&str> {
    const SHORTEST: usize = 3;
    let begins = |text| behind_any(behind_separator(text).unwrap_or(text), &LINKS);
    let (month, rest) = letters(begins(text).trim_start());
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    (month.chars().count() >= SHORTEST).then(|| begins(rest).trim_start())
}

/// Returns what stands behind the first of these words that a text begins with; all of it where there is none.
fn behind_any<'t>(text: &'t str, words: &[&str]) -> &'t str {
    let (word, rest) = letters(text);
    if words.iter().any(|known| word.eq_ignore_ascii_case(known)) { rest } else { text }
}

/// Returns what stands behind the separator of a date, and blanks around it; blanks alone separate, too.
fn behind_separator(text: &str) -> Option<&str> {
    let rest = text.trim_start();
    let rest = rest.strip_prefix(SEPARATORS).unwrap_or(rest).trim_start();
    (rest.len() < text.len()).then_some(rest)
}

/// Whether a text begins with a year, of two digits or four.
fn is_year(text: &str) -> bool {
    matches!(number(text).0.len(), 2 | 4)
}

/// Splits a text behind the digits at its beginning.
fn number(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// Splits a text behind the letters at its beginning.
fn letters(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_part_above_12_or_before_a_months_name_is_a_day() {
        for text in [
            "31/12/2026",
            "13/1/2026",
            "31/12/29",
            "31/12/2026 00:00",
            "31/12/2026T00:00",
            "31/1/2026Z",
            "31-12-2026",
            "31.12.2026",
            "31. 12. 2026",
            "31 / 12 / 2026",
            "31 12 2026",
            "31\u{a0}12\u{a0}2026",
            "31\u{2013}12\u{2013}2026",
            "'31/12/2026",
            "\"31/12/2026\"",
            "' \"31/12/2026\"",
            "\u{201e}31.12.2026\u{201c}",
            "(31/12/2026)",
            " 31/12/2026 ",
            "\u{200e}31\u{200e}/12/\u{200e}2026",
            "３１/１２/２０２６",
            "３１／１２／２０２６",
            "31/12/2026, 5:00 PM",
            "31/12/2026?",
            "31/12/2026x",
            "Thursday, 31/12/2026",
            "Do., 31.12.2026",
            "jeudi 31 12 2026",
            "31-Dec-26",
            "3-Apr-2027",
            "31DEC2026",
            "31. Dezember 2026",
            "31. Dez. 2026",
            "31 décembre 2026",
            "1er janvier 2027",
            "31 de diciembre de 2026",
            "31st of December 2026",
            "Thursday, 31 December 2026",
            "31 декабря 2026",
        ] {
            assert!(is_day_first(text), "{text}");
        }
    }

    #[test]
    fn a_month_or_a_year_in_front_is_no_day() {
        for text in [
            "12/31/2026",
            "03/04/2026",
            "03.04.2026",
            "2026-12-31",
            "2026/31/12",
            "２０２６/31/12",
            "2026-Dec-31",
            "13/13/2026",
            "31/0/2026",
            "32/1/2026",
            "32-Dec-26",
            "31/12",
            "31-Dec",
            "31/12/026",
            "131/12/2026",
            "x31/12/2026",
            "Dec 31, 2026",
            "Dec-31-26",
            "December 31st 2026",
            "Thursday, December 31, 2026",
            "31 pm 2026",
            "46387",
            "12",
            "date",
            "'",
            "",
        ] {
            assert!(!is_day_first(text), "{text}");
        }
    }
}
