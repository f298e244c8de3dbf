//! Numbers as tables hold them: with a decimal point or comma, and with or without thousands separators.
//!
//! A number that can be read in two ways is refused. `12.500` is twelve and a half in one half of the world and
//! twelve thousand five hundred in the other, and no other cell tells which one is meant.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::excerpt::excerpt;
use super::setting::Setting;
use super::type_error::TypeError;
use super::wording::Wording;

/// The sign between a number's whole part and its fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecimalSign {
    /// A point, as in `12500.50`; commas may separate thousands.
    Point,
    /// A comma, as in `12500,50`; points may separate thousands.
    Comma,
}

impl DecimalSign {
    /// Returns the name that the setting takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Point => "point",
            Self::Comma => "comma",
        }
    }

    /// Returns the decimal sign that a character can be.
    fn of(sign: char) -> Option<Self> {
        match sign {
            '.' => Some(Self::Point),
            ',' => Some(Self::Comma),
            _ => None,
        }
    }

    /// Returns the other sign, which may separate thousands.
    fn other(self) -> Self {
        match self {
            Self::Point => Self::Comma,
            Self::Comma => Self::Point,
        }
    }
}

/// A number, and the decimal sign that its notation proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// The number as JSON writes it, with all the digits that were given.
    pub digits: String,
    /// The only decimal sign that it can have been written with; `None` where it has neither point nor comma.
    pub sign: Option<DecimalSign>,
}

/// The reason why a text is not accepted as a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AmountError {
    /// It can be read in two ways, and the user gave no decimal sign.
    Doubtful(TypeError),
    /// It is no number, or not with the decimal sign that the user gave.
    Wrong(TypeError),
}

/// What would help where a number is in doubt.
pub fn say_sign() -> Wording {
    let say = Wording::from("say how the file writes numbers: ");
    say.name(Setting::Decimal).say(" point or ").name(Setting::Decimal).say(" comma")
}

/// Reads a number. `given` is the decimal sign, if the user gave it.
///
/// The other sign, spaces of any sort or apostrophes may separate thousands, if all groups but the first have
/// three digits.
///
/// # Errors
/// See [`AmountError`].
pub fn read(text: &str, given: Option<DecimalSign>) -> Result<Amount, AmountError> {
    let wrong = |hint: &str| AmountError::Wrong(no_number(text, hint.into()));
    let (minus, body) = text.strip_prefix('-').map_or(("", text), |body| ("-", body));
    let marks: Vec<char> = body.chars().filter(|c| !c.is_ascii_digit()).collect();
    let groups: Vec<&str> = body.split(|c: char| !c.is_ascii_digit()).collect();
    if groups.iter().any(|group| group.is_empty()) || !marks.iter().all(|mark| is_mark(*mark)) {
        return Err(wrong(hint_for(body)));
    }
    let written = DigitGroups { minus, groups, marks };
    let (digits, sign) = match (written.as_decimal(), written.as_whole(), given) {
        (Some(decimal), Some(whole), None) => {
            return Err(AmountError::Doubtful(TypeError {
                message: format!("{} may be {} or {}", excerpt(text), shown(&decimal.0), whole.0),
                hint: Some(say_sign()),
            }));
        }
        (decimal, whole, Some(given)) => {
            let fits = |read: &(String, Option<DecimalSign>)| read.1.is_none_or(|sign| sign == given);
            decimal
                .filter(fits)
                .or(whole.filter(fits))
                .ok_or_else(|| AmountError::Wrong(no_number(text, hint_of(given))))?
        }
        (decimal, whole, None) => decimal.or(whole).ok_or_else(|| wrong(FORM))?,
    };
    // The digits are sent as they are, so they must form a JSON number: `007`, for example, is none.
    if serde_json::from_str::<&RawValue>(&digits).is_err() {
        return Err(wrong(FORM));
    }
    if Decimal::from_str_exact(&digits).is_err() {
        return Err(wrong(MOST_DIGITS));
    }
    Ok(Amount { digits, sign })
}

/// What would help where a number has more digits than can be kept.
pub const MOST_DIGITS: &str = "28 digits is the most that can be kept exactly";

const FORM: &str = "write digits with at most one point between them, as in 12500.50";

/// Returns the hint for a number that doesn't fit the decimal sign that the user gave.
fn hint_of(given: DecimalSign) -> Wording {
    let with = Wording::from("with ").name(Setting::Decimal);
    match given {
        DecimalSign::Point => with.say(" point it is written as in 12500.50"),
        DecimalSign::Comma => with.say(" comma it is written as in 12500,50"),
    }
}

/// Returns what would help with a text that has other characters in it than a number.
fn hint_for(body: &str) -> &'static str {
    let is_currency = |c: char| matches!(c, '$' | '¢' | '£' | '¤' | '¥' | '\u{20a0}'..='\u{20cf}');
    let digits = body.chars().filter(char::is_ascii_digit).count();
    let letters = body.chars().filter(char::is_ascii_uppercase).count();
    if body.contains(is_currency) || digits > 0 && letters == 3 {
        return "leave the currency out: it has a column of its own, currency";
    }
    if body.contains(['e', 'E']) && body.starts_with(|c: char| c.is_ascii_digit()) {
        return "write the number out, without an exponent";
    }
    FORM
}

/// Makes the error that a text is no number.
fn no_number(text: &str, hint: Wording) -> TypeError {
    TypeError::new(format!("{} is no decimal number", excerpt(text)), hint)
}

/// Returns a number without trailing zeros, for a message.
fn shown(digits: &str) -> &str {
    digits.trim_end_matches('0').trim_end_matches('.')
}

/// Whether a character may stand between digits.
fn is_mark(c: char) -> bool {
    matches!(c, '.' | ',') || sets_apart(c)
}

/// Whether a character can only be a thousands separator.
fn sets_apart(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\'' | '\u{2019}')
}

/// A number split into groups of digits and the marks between them.
struct DigitGroups<'t> {
    minus: &'static str,
    groups: Vec<&'t str>,
    marks: Vec<char>,
}

impl DigitGroups<'_> {
    /// Returns the number, and its decimal sign, if the last mark can be the decimal sign.
    fn as_decimal(&self) -> Option<(String, Option<DecimalSign>)> {
        let (last, apart) = self.marks.split_last()?;
        let sign = DecimalSign::of(*last)?;
        let (fraction, whole) = self.groups.split_last()?;
        // The same sign cannot separate thousands as well.
        let fits = are_thousands(whole, apart) && !apart.contains(last);
        fits.then(|| (format!("{}{}.{fraction}", self.minus, whole.concat()), Some(sign)))
    }

    /// Returns the number, and the decimal sign that it implies, if all marks can be thousands separators.
    fn as_whole(&self) -> Option<(String, Option<DecimalSign>)> {
        let sign = self.marks.first().and_then(|mark| DecimalSign::of(*mark)).map(DecimalSign::other);
        are_thousands(&self.groups, &self.marks)
            .then(|| (format!("{}{}", self.minus, self.groups.concat()), sign))
    }
}

/// Whether groups of digits form a whole number: a single group, or thousands that are separated by one mark.
fn are_thousands(groups: &[&str], marks: &[char]) -> bool {
    let (Some(mark), Some((first, others))) = (marks.first(), groups.split_first()) else { return true };
    marks.iter().all(|other| other == mark)
        && (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && others.iter().all(|group| group.len() == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number as read with nothing given, with a point given, with a comma given. `?` is one that is in doubt,
    /// `!` none; a point or a comma behind a number is the sign that it shows.
    fn check(text: &str, wanted: [&str; 3]) {
        let told = |given| match read(text, given) {
            Ok(Amount { digits, sign: None }) => digits,
            Ok(Amount { digits, sign: Some(DecimalSign::Point) }) => digits + " .",
            Ok(Amount { digits, sign: Some(DecimalSign::Comma) }) => digits + " ,",
            Err(AmountError::Doubtful(_)) => "?".to_owned(),
            Err(AmountError::Wrong(_)) => "!".to_owned(),
        };
        let got = [None, Some(DecimalSign::Point), Some(DecimalSign::Comma)].map(told);
        assert_eq!(got, wanted, "{text}");
    }

    #[test]
    fn what_reads_in_one_way_only_is_read_and_nothing_else() {
        for (text, wanted) in [
            ("0", ["0", "0", "0"]),
            ("12500", ["12500", "12500", "12500"]),
            ("-5", ["-5", "-5", "-5"]),
            ("12500.50", ["12500.50 .", "12500.50 .", "!"]),
            ("12500,50", ["12500.50 ,", "!", "12500.50 ,"]),
            ("1.234,56", ["1234.56 ,", "!", "1234.56 ,"]),
            ("1,234.56", ["1234.56 .", "1234.56 .", "!"]),
            ("-1.234.567,5", ["-1234567.5 ,", "!", "-1234567.5 ,"]),
            ("1.234.567", ["1234567 ,", "!", "1234567 ,"]),
            ("1,234,567", ["1234567 .", "1234567 .", "!"]),
            ("12.500", ["?", "12.500 .", "12500 ,"]),
            ("3.000", ["?", "3.000 .", "3000 ,"]),
            ("12,500", ["?", "12500 .", "12.500 ,"]),
            ("-1,000", ["?", "-1000 .", "-1.000 ,"]),
            // No number begins a group with a zero, or has four digits in one.
            ("0.500", ["0.500 .", "0.500 .", "!"]),
            ("0,500", ["0.500 ,", "!", "0.500 ,"]),
            ("1234.567", ["1234.567 .", "1234.567 .", "!"]),
            ("12.5", ["12.5 .", "12.5 .", "!"]),
            ("12.5000", ["12.5000 .", "12.5000 .", "!"]),
            ("12 500", ["12500", "12500", "12500"]),
            ("12\u{a0}500,5", ["12500.5 ,", "!", "12500.5 ,"]),
            ("12\u{202f}500.500", ["12500.500 .", "12500.500 .", "!"]),
            ("1'234'567.5", ["1234567.5 .", "1234567.5 .", "!"]),
            ("1\u{2019}234", ["1234", "1234", "1234"]),
            ("1,234,56", ["!"; 3]),
            ("1.234.56", ["!"; 3]),
            ("1,23,456.5", ["!"; 3]),
            ("1 234 56", ["!"; 3]),
            ("1 234'567", ["!"; 3]),
            ("1.5.5", ["!"; 3]),
            ("1.234,567,890", ["!"; 3]),
            ("01", ["!"; 3]),
            ("007.5", ["!"; 3]),
            (".5", ["!"; 3]),
            ("5.", ["!"; 3]),
            ("+5", ["!"; 3]),
            ("--5", ["!"; 3]),
            ("5-", ["!"; 3]),
            ("(5)", ["!"; 3]),
            ("5%", ["!"; 3]),
            ("1e400", ["!"; 3]),
            ("NaN", ["!"; 3]),
            ("", ["!"; 3]),
            ("-", ["!"; 3]),
            ("١٢", ["!"; 3]),
            ("1234567890123456789012345678901234567890", ["!"; 3]),
            ("12345678901234567890.12", ["12345678901234567890.12 .", "12345678901234567890.12 .", "!"]),
        ] {
            check(text, wanted);
        }
    }

    #[test]
    fn what_would_help_is_told() {
        for (text, given, wanted) in [
            ("12.500", None, "\"12.500\" may be 12.5 or 12500; say how the file writes numbers"),
            ("3,000", None, "\"3,000\" may be 3 or 3000; say how the file writes numbers"),
            ("12500.50", Some(DecimalSign::Comma), "with --decimal comma it is written as in 12500,50"),
            ("12500,50", Some(DecimalSign::Point), "with --decimal point it is written as in 12500.50"),
            ("€5", None, "leave the currency out"),
            ("12.500 EUR", None, "leave the currency out"),
            ("$12,500.00", Some(DecimalSign::Point), "leave the currency out"),
            ("1E+05", None, "without an exponent"),
            ("many", None, "\"many\" is no decimal number; write digits"),
        ] {
            let (AmountError::Doubtful(error) | AmountError::Wrong(error)) = read(text, given).unwrap_err();
            let told = format!(
                "{}; {}",
                error.message,
                crate::commands::next_command::spelled(&error.hint.unwrap())
            );
            assert!(told.contains(wanted), "{told}");
        }
    }
}
