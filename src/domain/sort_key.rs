//! Sort keys: numbers, points in time and texts as bytes that compare as the values do.
//!
//! A ledger sorts by them without knowing what they stand for. Keys of one sort alone are compared with each other.

use jiff::civil::DateTime;

use super::instant::Instant;
use super::number::Number;

/// A value as bytes, of which the smaller ones stand for the smaller values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey(Vec<u8>);

impl SortKey {
    /// Returns the key of a number, to its last digit.
    pub fn of_number(number: &Number) -> Self {
        const NEGATIVE: u8 = 0;
        const ZERO: u8 = 1;
        const POSITIVE: u8 = 2;
        let (is_negative, digits, magnitude) = number.scientific();
        if digits.is_empty() {
            return Self(vec![ZERO]);
        }
        let size = [&flipped(magnitude)[..], digits.as_bytes()].concat();
        if !is_negative {
            return Self([&[POSITIVE], &size[..]].concat());
        }
        // Of two negative numbers the one with more digits is the smaller one, so the end counts as a large digit.
        let mirrored = size.iter().map(|byte| !byte);
        Self(std::iter::once(NEGATIVE).chain(mirrored).chain([u8::MAX]).collect())
    }

    /// Returns the key of a point in time.
    pub fn of_time(instant: Instant) -> Self {
        let at: DateTime = instant.date_time();
        let year = u16::from_ne_bytes(at.year().to_ne_bytes()) ^ 1 << 15;
        let parts = [at.month(), at.day(), at.hour(), at.minute(), at.second()].map(i8::cast_unsigned);
        Self([&year.to_be_bytes()[..], &parts, &at.subsec_nanosecond().to_be_bytes()].concat())
    }

    /// Returns the key of a text, for which letter case and the spaces around it make no difference.
    pub fn of_text(text: &str) -> Self {
        Self(text.trim().to_lowercase().into_bytes())
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Returns a whole number as bytes that compare as it does.
fn flipped(number: i128) -> [u8; 16] {
    (number.cast_unsigned() ^ 1 << 127).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::*;

    fn number(text: &str) -> SortKey {
        SortKey::of_number(&Number::parse(text).unwrap())
    }

    fn time(text: &str) -> SortKey {
        SortKey::of_time(Instant::parse(text).unwrap())
    }

    /// Each list is in rising order; what stands in one text is equal.
    #[test]
    fn keys_compare_as_their_values_do() {
        let numbers = [
            "-1e400 -10e399",
            "-1000.5",
            "-1000",
            "-12.34",
            "-12.3 -12.30",
            "-12 -1.2e1",
            "-9",
            "-0.5",
            "-0.05",
            "-1e-400",
            "0 -0 0.000 0e7",
            "1e-400",
            "0.05",
            "0.5 5e-1",
            "9",
            "12 12.0 1.2E+1",
            "12.3",
            "12.34",
            "1000",
            "9007199254740992",
            "9007199254740993",
            "1e400",
        ];
        let times = [
            "0001-01-01",
            "2025-12-31T23:59:59.999999999Z",
            "2026-01-01 2026-01-01T01:00:00+01:00 2025-12-31T23:00:00-01:00",
            "2026-01-01T00:00:00.000000001Z",
            "2026-01-02",
            "2026-02-01",
            "9999-12-31T23:59:59Z",
        ];
        let texts = ["10 10", "9", "A a", "ab AB", "b", "ä Ä", "\u{10ffff}"];
        check(&numbers, number);
        check(&times, time);
        check(&texts, SortKey::of_text);
        assert_eq!(SortKey::of_text("  Deal A "), SortKey::of_text("deal a"));
    }

    fn check(rising: &[&str], key: impl Fn(&str) -> SortKey) {
        let places = rising.iter().enumerate().flat_map(|(at, same)| same.split(' ').map(move |it| (at, it)));
        let places: Vec<(usize, &str)> = places.collect();
        for (one, first) in &places {
            for (other, second) in &places {
                let told = key(first).as_bytes().cmp(key(second).as_bytes());
                assert_eq!(told, one.cmp(other), "{first} and {second}");
            }
        }
    }

    proptest! {
        /// An implementation of others says how numbers compare.
        #[test]
        fn numbers_compare_as_decimals_do(
            one in (-999_999_i64..999_999, 0_u32..9),
            other in (-999_999_i64..999_999, 0_u32..9),
        ) {
            let [one, other] = [one, other].map(|(digits, scale)| Decimal::new(digits, scale));
            let wanted: Ordering = one.cmp(&other);
            prop_assert_eq!(number(&one.to_string()).cmp(&number(&other.to_string())), wanted);
        }

        #[test]
        fn times_compare_as_instants_do(one in -60_000_000_000_i64..250_000_000_000, other in any::<i32>()) {
            let [one, other] = [one, one + i64::from(other)].map(|second| {
                Instant::parse(&jiff::Timestamp::from_second(second).unwrap().to_string()).unwrap()
            });
            prop_assert_eq!(SortKey::of_time(one).cmp(&SortKey::of_time(other)), one.cmp(&other));
        }
    }
}
