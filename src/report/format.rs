//! Numbers, plurals and text from elsewhere, as people read them.

use std::time::Duration;

use crate::domain::characters::visible;

/// Returns a count with its noun: `1 row`, `1,203 rows`. The plural is the noun with an s.
pub fn counted(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(number))
}

/// Returns a number with commas between thousands: `1,203`.
pub fn grouped(number: u64) -> String {
    grouped_digits(&number.to_string())
}

/// Returns a decimal number with commas between thousands: `125,000.50`.
pub(super) fn grouped_digits(number: &str) -> String {
    let (minus, number) = number.strip_prefix('-').map_or(("", number), |number| ("-", number));
    let whole = number.split('.').next().unwrap_or_default();
    let fraction = &number[whole.len()..];
    let mut text = minus.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

/// Returns a time as exactly as a forecast can be: `40 s`, `12 min`, `3 h 5 min`. Fractions of a second are
/// rounded up.
pub fn roughly(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    let minutes = seconds.div_ceil(60);
    match (seconds, minutes) {
        (..90, _) => format!("{seconds} s"),
        (_, ..90) => format!("{minutes} min"),
        _ => format!("{} h {} min", grouped(minutes / 60), minutes % 60),
    }
}

/// Returns text from elsewhere on one line of at most `most` characters. Hidden characters are marked, and runs
/// of white space become one space.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let words = text.split_whitespace().map(visible);
    // One character more than fits tells whether anything is cut off.
    let mut line: Vec<char> = Vec::new();
    for word in words {
        let gap = (!line.is_empty()).then_some(' ');
        line.extend(gap.into_iter().chain(word.chars()).take(most + 1 - line.len()));
        if line.len() > most {
            line.truncate(most - 1);
            line.push('…');
            break;
        }
    }
    line.into_iter().collect()
}

/// Returns a message in the same way. Where a quotation is cut off, it is closed.
pub(super) fn short_message(text: &str, most: usize) -> String {
    let is_open = |line: &str| line.ends_with('…') && line.matches('"').count() % 2 == 1;
    let line = one_line(text, most);
    if !is_open(&line) {
        return line;
    }
    let shorter = one_line(text, most - 1);
    let quote = if is_open(&shorter) { "\"" } else { "" };
    shorter + quote
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_plurals() {
        for (number, wanted) in [
            (0, "0 rows"),
            (1, "1 row"),
            (999, "999 rows"),
            (1_203, "1,203 rows"),
            (1_000_000, "1,000,000 rows"),
        ] {
            assert_eq!(counted(number, "row"), wanted);
        }
    }

    #[test]
    fn times_are_rough() {
        for (milliseconds, wanted) in [
            (0, "0 s"),
            (1, "1 s"),
            (89_000, "89 s"),
            (90_000, "2 min"),
            (89 * 60_000, "89 min"),
            (90 * 60_000, "1 h 30 min"),
            (60 * 60_000 * 26, "26 h 0 min"),
        ] {
            assert_eq!(roughly(Duration::from_millis(milliseconds)), wanted);
        }
    }

    #[test]
    fn a_quotation_that_is_cut_off_is_closed() {
        for (text, most, wanted) in [
            ("a \"bc\" d", 9, "a \"bc\" d"),
            ("a \"bcdef\" g", 8, "a \"bcd…\""),
            ("a \"bc\" defg", 8, "a \"bc\" …"),
            ("a \"bc\" \"d\"", 9, "a \"bc\" …"),
            ("a \"b…", 9, "a \"b…\""),
        ] {
            assert_eq!(short_message(text, most), wanted, "{text}");
        }
    }

    #[test]
    fn foreign_text_stays_on_its_line() {
        for (text, most, wanted) in [
            ("plain", 9, "plain"),
            ("a\r\n\tb", 9, "a b"),
            ("\u{1b}[2Jgone", 20, "\u{fffd}[2Jgone"),
            ("a\u{202e}b", 20, "a\u{fffd}b"),
            ("a\u{200b}b", 20, "a\u{fffd}b"),
            ("abcd", 4, "abcd"),
            ("abcde", 4, "abc…"),
            ("ab cde", 4, "ab …"),
            ("ab c", 4, "ab c"),
            ("", 4, ""),
        ] {
            assert_eq!(one_line(text, most), wanted, "{text:?}");
        }
    }
}
