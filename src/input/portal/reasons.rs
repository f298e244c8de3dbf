//! The numbers by which the file gives reasons for a deal that is declined or lost.
//!
//! Which text Partner Center stores for each is documented nowhere, so these words are this program's own.

use crate::domain::excerpt::excerpt;
use crate::domain::type_error::TypeError;

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

/// Returns the reason that a number stands for.
///
/// # Errors
/// If it stands for none.
pub(super) fn reason(text: &str) -> Result<&'static str, TypeError> {
    let number = text.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    number.and_then(|at| TABLE.get(at)).copied().ok_or_else(|| {
        let all: Vec<String> =
            (1..).zip(TABLE).map(|(number, reason)| format!("{number} {reason}")).collect();
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
        for (text, wanted) in [
            ("1", Some("Budget")),
            ("8", Some("Others")),
            ("0", None),
            ("9", None),
            ("-1", None),
            ("1.0", None),
            ("Budget", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(reason(text).ok(), wanted, "{text}");
        }
    }
}
