//! Words of Partner Center's screens and files: stages, sales stages, Yes and No.

use crate::domain::excerpt::excerpt;
use crate::domain::type_error::TypeError;

/// Words that stand where a stage does, on the screens or in processed files, and what each is.
const NO_STAGES: [(&str, &str, &str); 6] = [
    (
        "Error",
        "is a substatus that the API does not have",
        "nothing can be sent for it: close the deal as Error in Partner Center, or as Lost or Declined here",
    ),
    ("Created", "is what the screens call an own deal that is Active, Accepted", "write Active and Accepted"),
    ("Qualified", "is a sales stage", "write 20 as the Sales Stage, and Active and Accepted here"),
    ("Developed", "is a sales stage", "write 40 as the Sales Stage, and Active and Accepted here"),
    ("Proposed", "is a sales stage", "write 60 as the Sales Stage, and Active and Accepted here"),
    ("Negotiated", "is a sales stage", "write 80 as the Sales Stage, and Active and Accepted here"),
];

/// Returns why a word is no stage, if it is one that Partner Center shows in place of one.
pub(super) fn no_stage(text: &str) -> Option<TypeError> {
    let (word, what, hint) = NO_STAGES.iter().find(|(word, ..)| text.eq_ignore_ascii_case(word))?;
    Some(TypeError::new(format!("{} {what}", excerpt(word)), *hint))
}

/// Returns the sales stage that a cell names: a number of percent without its sign, or a word as it stands.
///
/// # Errors
/// If it is a fraction, as a spreadsheet makes of a number of percent, or above 100.
pub(super) fn sales_stage(text: &str) -> Result<&str, TypeError> {
    let number = text.strip_suffix('%').map(str::trim_end);
    let digits = number.unwrap_or(text);
    let is_number = digits.contains(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_one = number.is_none() && digits == "1";
    const FORM: &str = "write 10, 20, 40, 60, 80 or 100";
    if number.is_some() && !is_number || is_number && !is_whole || is_one {
        let message =
            format!("{} is no sales stage: a spreadsheet makes such a number of percent", excerpt(text));
        return Err(TypeError::new(message, FORM));
    }
    if is_number && !digits.parse::<u8>().is_ok_and(|percent| percent <= 100) {
        return Err(TypeError::new(format!("{} is no sales stage: it is above 100", excerpt(text)), FORM));
    }
    Ok(digits)
}

/// Returns what a cell of Yes or No says.
///
/// # Errors
/// If it says neither.
pub(super) fn yes_or_no(text: &str) -> Result<bool, TypeError> {
    match text.to_ascii_lowercase().as_str() {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(TypeError::new(format!("{} is neither Yes nor No", excerpt(text)), "write Yes or No")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sales_stages() {
        for (text, wanted) in [
            ("40", Some("40")),
            ("40%", Some("40")),
            ("40 %", Some("40")),
            ("100", Some("100")),
            ("Propose", Some("Propose")),
            ("0.4", None),
            ("0,4", None),
            ("0.4%", None),
            ("1", None),
            ("1%", Some("1")),
            ("101", None),
            ("140%", None),
            ("99999999999", None),
            ("%", None),
            ("x%", None),
        ] {
            assert_eq!(sales_stage(text).ok(), wanted, "{text}");
        }
    }

    #[test]
    fn words_of_the_screens_are_no_stages() {
        for word in ["Error", "created", "QUALIFIED", "Developed", "Proposed", "Negotiated"] {
            assert!(no_stage(word).is_some(), "{word}");
        }
        for word in ["New", "Active", "Closed", "Won", "Accepted", "x"] {
            assert_eq!(no_stage(word), None, "{word}");
        }
    }
}
