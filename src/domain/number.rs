//! JSON numbers, compared by value.

use serde_json::value::RawValue;

use super::json;

/// The exact value of a JSON number of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    negative: bool,
    /// The digits without zeros at either end; empty for zero.
    digits: String,
    /// The power of ten by which the digits, read as a whole number, are multiplied.
    exponent: i64,
}

impl Number {
    /// Parses a JSON number (RFC 8259, section 6). Returns `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let leads_with_zero = whole.len() > 1 && whole.starts_with('0');
        let ends_with_point = fraction.is_empty() && mantissa.ends_with('.');
        let magnitude = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let are_there = !whole.is_empty() && !magnitude.is_empty() && !ends_with_point;
        if leads_with_zero || !are_there || ![whole, fraction, magnitude].into_iter().all(are_digits) {
            return None;
        }
        let mut digits = String::with_capacity(whole.len() + fraction.len());
        digits.push_str(whole);
        digits.push_str(fraction);
        let all = digits.len();
        digits.truncate(digits.trim_end_matches('0').len());
        let scale = i64::try_from(fraction.len()).ok()?;
        let shed = i64::try_from(all - digits.len()).ok()?;
        let exponent = exponent.parse::<i64>().ok()?.checked_sub(scale)?.checked_add(shed)?;
        digits.drain(..digits.len() - digits.trim_start_matches('0').len());
        let is_zero = digits.is_empty();
        Some(Self {
            negative: !is_zero && text.starts_with('-'),
            digits,
            exponent: if is_zero { 0 } else { exponent },
        })
    }

    /// Returns the number in parts: whether it is negative, its digits without zeros at either end, and the power of
    /// ten that the digits are multiplied by when they are read as a fraction of 1. Zero has no digits.
    pub fn scientific(&self) -> (bool, &str, i128) {
        (self.negative, &self.digits, i128::from(self.exponent) + self.digits.len() as i128)
    }
}

/// Whether there is nothing but digits in a text.
fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether two texts are JSON numbers that are equal as 64-bit floats, which a service may keep numbers as. Numbers
/// that are too large for a float are never equal.
pub fn same_float(one: &str, other: &str) -> bool {
    let float = |text: &str| text.parse::<f64>().ok().filter(|float| float.is_finite());
    let both = Number::parse(one).zip(Number::parse(other));
    both.is_some() && float(one).is_some_and(|one| float(other) == Some(one))
}

/// Returns the value of a JSON number, or of a string that holds one.
pub fn as_number(raw: &RawValue) -> Option<Number> {
    Number::parse(&json::string(raw).unwrap_or_else(|| raw.get().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_so_many_digits() {
        for (one, other, same) in [
            ("1.000000000000000005", "1", true),
            ("1.000000000000000005", "1.0", true),
            ("0.1", "0.1000000000000000055511151231257827", true),
            ("9007199254740993", "9007199254740992", true),
            ("9007199254740994", "9007199254740992", false),
            ("1e-400", "0", true),
            ("-0", "0.0", true),
            ("1e400", "1e400", false),
            ("1e400", "1e401", false),
            ("NaN", "NaN", false),
            ("inf", "1e400", false),
            ("01", "1", false),
            ("1", "x", false),
        ] {
            assert_eq!(same_float(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn numbers_are_told_apart_to_their_last_digit() {
        for (one, other, equal) in [
            ("9007199254740993", "9007199254740992", false),
            ("9007199254740993", "9007199254740993.0", true),
            ("1e400", "1e401", false),
            ("1e400", "10e399", true),
            ("0.1", "0.10", true),
            ("0.1", "1e-1", true),
            ("100", "1E+2", true),
            ("-0.0", "0e9", true),
            ("-1", "1", false),
            ("0.00000000000000000000000000000000001", "0", false),
            ("1e99999999999999999999", "1e99999999999999999999", false),
            ("1e-9223372036854775808", "1e-9223372036854775808", true),
            ("01", "1", false),
            ("00", "0", false),
            ("1.", "1", false),
            (".5", "0.5", false),
            ("1e", "1", false),
            ("1e+", "1", false),
            ("1e+-1", "0.1", false),
            ("1.2.3", "1.2", false),
            ("1e1.5", "1", false),
            ("+1", "1", false),
            ("--1", "1", false),
            ("-", "0", false),
            ("", "0", false),
            ("١", "1", false),
            ("1 ", "1", false),
            ("x", "x", false),
            ("\"1\"", "1", false),
        ] {
            let (one, other) = (Number::parse(one), Number::parse(other));
            assert_eq!(one.is_some() && one == other, equal, "{one:?} {other:?}");
        }
    }
}
