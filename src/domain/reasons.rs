//! The numbers by which Partner Center's files give reasons for a deal that is declined or lost.
//!
//! Which text Partner Center stores for each is documented nowhere, so these words are this program's own, and a
//! setting replaces them.

use std::collections::BTreeMap;

use super::excerpt::excerpt;
use super::type_error::TypeError;

/// The reasons by their numbers, from 1. Those of a deal in error, 1 to 9, are never used: the API has no such
/// substatus.
pub const TABLE: [&str; 8] = [
    "Budget",
    "No response",
    "Other vendor",
    "Requirement not met",
    "Not a customer",
    "Time too short",
    "Abuse or spam",
    "Others",
];

/// The message about a reason that does not count.
pub const UNREASONED: &str =
    "a reason counts where the referral is Closed as Lost or Declined, or becomes so, and is not sent";

/// What would help there.
pub const UNREASON: &str = "empty the cell, or close the referral in the same row";

/// Returns the number that a text is, if a reason has it.
pub fn number(text: &str) -> Option<u8> {
    let number = text.parse::<u8>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    (1..=TABLE.len()).contains(&number.into()).then_some(number)
}

/// Returns the reason that a number stands for. `own` are those that the user sets.
///
/// # Errors
/// If it stands for none.
pub fn reason<'r>(text: &str, own: &'r BTreeMap<u8, String>) -> Result<&'r str, TypeError> {
    let words = |number: u8| own.get(&number).map_or(TABLE[usize::from(number) - 1], String::as_str);
    number(text).map(words).ok_or_else(|| {
        let all: Vec<String> =
            (1..).zip(TABLE).map(|(number, _)| format!("{number} {}", words(number))).collect();
        TypeError::new(
            format!("{} is no number of a reason", excerpt(text)),
            format!("write one of {}; or the text itself in a column statusReason", all.join(", ")),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_for_a_reason() {
        let own = [(2, "Kein Budget".to_owned())].into();
        for (text, wanted) in [
            ("1", Some("Budget")),
            ("2", Some("Kein Budget")),
            ("8", Some("Others")),
            ("0", None),
            ("9", None),
            ("-1", None),
            ("+1", None),
            ("1.0", None),
            ("Budget", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(reason(text, &own).ok(), wanted, "{text}");
        }
    }
}
