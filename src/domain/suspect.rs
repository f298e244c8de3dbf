//! Suspicious texts: what a spreadsheet or another program puts in place of a value, or makes of one.
//!
//! Each is only what a text looks like: `1E+11` may be a name, and `NULL` a reason. So each belongs to a rule
//! whose level can be set.

use encoding_rs::WINDOWS_1252;

use super::characters::{is_hidden, name};
use super::excerpt::excerpt;
use super::rules::Rule;
use super::setting::Setting;
use super::type_error::TypeError;
use super::wording::Wording;

/// A suspicious text, and what it looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicion {
    /// The rule that it belongs to.
    pub rule: Rule,
    /// What was found.
    pub message: String,
    /// What would help.
    pub hint: Wording,
}

const MEND_FORMULA: &str = "mend the formula in the spreadsheet, or empty the cell";
const AS_TEXT: &str = "format the column as text in the spreadsheet, and enter the value again";
const ANEW: &str = "type it again: it may have been copied from a web page or a document";
const AS_UTF8: &str = "open the file as UTF-8 and save it again, or enter the text again";

/// Returns what makes a value of a text field suspicious, if anything does.
pub fn suspicion(text: &str) -> Option<Suspicion> {
    let text = text.trim();
    let found = |rule, message, hint: Wording| Some(Suspicion { rule, message, hint });
    if is_error_value(text) {
        let message = format!("{} is what a spreadsheet shows where a formula failed", excerpt(text));
        return found(Rule::SpreadsheetError, message, MEND_FORMULA.into());
    }
    if is_empty_word(text) {
        let message = format!("{} is a word for nothing, and would be sent as a text", excerpt(text));
        return found(Rule::EmptyWord, message, leave_or_clear());
    }
    if is_rewritten_number(text) {
        let message = format!("{} is a number as a spreadsheet rewrites it, with digits gone", excerpt(text));
        return found(Rule::RewrittenNumber, message, AS_TEXT.into());
    }
    if let Some(meant) = misread(text) {
        let message = format!("{} looks like {}, read in a wrong encoding", excerpt(text), excerpt(&meant));
        return found(Rule::MisreadText, message, AS_UTF8.into());
    }
    let c = hidden(text)?;
    let message = format!("{} holds {}, which cannot be seen", excerpt(text), name(c));
    found(Rule::HiddenCharacter, message, ANEW.into())
}

/// What would help with a word for nothing.
fn leave_or_clear() -> Wording {
    Wording::from(
        "to leave the field as it is, leave it out, or the cell empty; to clear it, write \\N or null, with ",
    )
    .name(Setting::Clear)
}

/// Returns what would help with a text that is no value of its type, if it is an error value or a word for
/// nothing.
pub fn remedy(text: &str) -> Option<&'static str> {
    let text = text.trim();
    if is_error_value(text) {
        return Some(MEND_FORMULA);
    }
    is_empty_word(text).then_some("to leave it as it is, leave it out, or the cell empty")
}

/// Adds to an error what the text looks like, and replaces the hint where that helps more.
#[must_use]
pub fn explained(text: &str, error: TypeError) -> TypeError {
    let hint = remedy(text).map(Wording::from).or(error.hint);
    TypeError { message: with_reason(error.message, oddity(text)), hint }
}

/// Adds a reason to a message, if there is one.
pub fn with_reason(message: String, reason: Option<String>) -> String {
    match reason {
        Some(reason) => format!("{message}: {reason}"),
        None => message,
    }
}

/// Describes a misleading character in a text in which every character counts, such as an id, a date or a number:
/// one that cannot be seen, or that looks like a hyphen and is none. `None` where there is no such character.
pub fn oddity(text: &str) -> Option<String> {
    if let Some(unseen) = unseen(text) {
        return Some(unseen);
    }
    let hyphen = text.chars().find(|c| HYPHENS.contains(c))?;
    Some(format!("it holds {}, which is no \"-\"", name(hyphen)))
}

/// Describes the first character of a text that cannot be seen; `None` where there is none.
pub fn unseen(text: &str) -> Option<String> {
    let c = text.chars().find(|c| is_hidden(*c))?;
    Some(format!("it holds {}, which cannot be seen", name(c)))
}

/// Returns the first character of a text that cannot be seen and has no purpose there. Line ends and tabs have
/// one, and so have, next to a character outside ASCII, the joiners and selectors of scripts and emoji.
fn hidden(text: &str) -> Option<char> {
    let mut before = 'a';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let joins = matches!(
            c,
            '\u{61c}' | '\u{200c}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0020}'..='\u{e007f}'
        );
        let has_place = joins && (!before.is_ascii() || chars.peek().is_some_and(|after| !after.is_ascii()));
        if is_hidden(c) && !has_place && !matches!(c, '\n' | '\r' | '\t') {
            return Some(c);
        }
        before = c;
    }
    None
}

/// Characters that look like a hyphen and are none.
const HYPHENS: [char; 9] = [
    '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}', '\u{2212}', '\u{fe63}',
    '\u{ff0d}',
];

/// Whether a text is an error value of a spreadsheet program in any language: `#REF!`, `#WERT!`, `#¿NOMBRE?`,
/// `###` for a column that is too narrow, or `Err:502`.
pub fn is_error_value(text: &str) -> bool {
    /// Error values that end in a letter. They are listed, since a pattern would match names such as `#TAG`.
    const OTHERS: [&str; 14] = [
        "#N/A",
        "#NA",
        "#NV",
        "#N/V",
        "#N/D",
        "#N/B",
        "#ND",
        "#I/T",
        "#Н/Д",
        "#YOK",
        "#HIÁNYZIK",
        "#NENÍ_K_DISPOZICI",
        "#GETTING_DATA",
        "#N/DISP",
    ];
    if let Some(number) = text.strip_prefix("Err:") {
        return number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit());
    }
    let Some(name) = text.strip_prefix('#') else { return false };
    let is_narrow = name.len() > 1 && name.bytes().all(|byte| byte == b'#');
    if is_narrow || OTHERS.contains(&text) {
        return true;
    }
    let Some(name) = name.strip_suffix(['!', '?']) else { return false };
    let letters = name.chars().filter(|c| c.is_alphabetic()).count();
    letters > 1 && name.chars().all(|c| c.is_uppercase() || matches!(c, '0' | '/' | '_' | ' ' | '¡' | '¿'))
}

/// Whether a text is a word that programs write for a missing value.
pub fn is_empty_word(text: &str) -> bool {
    const WORDS: [&str; 19] = [
        "null",
        "nil",
        "none",
        "nan",
        "na",
        "n/a",
        "n.a.",
        "k.a.",
        "undefined",
        "(null)",
        "<null>",
        "[null]",
        "(none)",
        "(blank)",
        "(empty)",
        "-",
        "--",
        "–",
        "—",
    ];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether a text is a number as a spreadsheet rewrites one that is too long: with an exponent, or with zeros in
/// place of all digits after the fifteenth.
pub fn is_rewritten_number(text: &str) -> bool {
    /// The number of digits that spreadsheets keep.
    const KEPT: usize = 15;
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let Some((mantissa, exponent)) = unsigned.split_once(['e', 'E']) else {
        let all_digits = unsigned.bytes().all(|byte| byte.is_ascii_digit());
        let rest = unsigned.get(KEPT..).unwrap_or_default();
        return all_digits && !rest.is_empty() && rest.bytes().all(|byte| byte == b'0');
    };
    let power = exponent.strip_prefix(['-', '+']);
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let power_digits = power.unwrap_or(exponent);
    // `1E10`, without a sign or a fraction, is more likely a name.
    (power.is_some() || !fraction.is_empty())
        && whole.len() == 1
        && are_digits(whole)
        && are_digits(fraction)
        && (1..=3).contains(&power_digits.len())
        && are_digits(power_digits)
}

/// Returns the text whose UTF-8 was decoded as Windows-1252 to give this one; `None` where there is none.
pub fn misread(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let (bytes, _, unmappable) = WINDOWS_1252.encode(text);
    if unmappable {
        return None;
    }
    // This succeeds only if every byte outside ASCII is part of a valid character.
    std::str::from_utf8(&bytes).ok().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: Option<Rule>) {
        assert_eq!(suspicion(text).map(|found| found.rule), wanted, "{text}");
    }

    #[test]
    fn error_values_are_known_in_every_language() {
        for text in [
            "#N/A",
            "#REF!",
            "#VALUE!",
            "#DIV/0!",
            "#NAME?",
            "#NUM!",
            "#NULL!",
            "#SPILL!",
            "#CALC!",
            "#ERROR!",
            "#NV",
            "#BEZUG!",
            "#WERT!",
            "#ZAHL!",
            "#ÜBERLAUF!",
            "#VALEUR!",
            "#NOM?",
            "#¡VALOR!",
            "#¿NOMBRE?",
            "#RIF!",
            "#N/D",
            "#WAARDE!",
            "#ADR!",
            "#ССЫЛКА!",
            "#Н/Д",
            "#ДЕЛ/0!",
            "#YOK",
            "#GETTING_DATA",
            "########",
            "###",
            "Err:502",
            " #REF! ",
        ] {
            check(text, Some(Rule::SpreadsheetError));
        }
        for text in [
            "#1",
            "#12!",
            "#",
            "##",
            "#urgent!",
            "#Won?",
            "#A!",
            "C#",
            "Err: 502",
            "#REF",
            "see #REF!",
            "# 1",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn words_for_nothing_are_known() {
        for text in
            ["NULL", "null", "nan", "NaN", "None", "n/a", "N/A", "-", "--", "–", "undefined", "(blank)"]
        {
            check(text, Some(Rule::EmptyWord));
        }
        for text in ["", "nobody", "None of them", "0", "Nan Wu", "no", "x-", "---"] {
            check(text, None);
        }
    }

    #[test]
    fn rewritten_numbers_are_known() {
        for text in [
            "4.68769E+17",
            "1.23457E+11",
            "1.23456789012346E+019",
            "1,23457E+11",
            "-1.5e10",
            "1E+11",
            "1e-7",
            "1234567890123450",
            "468769123456789000",
        ] {
            check(text, Some(Rule::RewrittenNumber));
        }
        for text in [
            "1E10",
            "E+17",
            "1.E+17x",
            "4.68769",
            "12.5E+3",
            "000123",
            "100000",
            "123456789012345",
            "1234567890123456",
            "1E+1000",
            "1.5E",
            "5e",
            "1.2.3E+4",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn characters_that_cannot_be_seen_are_named() {
        for (text, odd, is_hidden) in [
            ("5a1e\u{200b}", Some("U+200B zero width space"), true),
            ("\u{feff}5a1e", Some("U+FEFF zero width no-break space"), true),
            ("5a1e\u{2010}0000", Some("U+2010 hyphen"), false),
            ("\u{2212}5", Some("U+2212 minus sign"), false),
            ("a\u{7}b", Some("U+0007"), true),
            ("a\u{200d}b", Some("U+200D zero width joiner"), true),
            ("a\nb", Some("U+000A"), false),
            ("می\u{200c}خواهم", Some("U+200C zero width non-joiner"), false),
            ("👩\u{200d}🔧", Some("U+200D zero width joiner"), false),
            ("❤\u{fe0f}", Some("U+FE0F"), false),
            ("a\u{fe0f}b", Some("U+FE0F"), true),
            ("2026-12-31", None, false),
            ("Zoë – 日本", Some("U+2013 en dash"), false),
        ] {
            let told = oddity(text);
            assert_eq!(told.is_some(), odd.is_some(), "{text:?}");
            assert!(told.unwrap_or_default().contains(odd.unwrap_or_default()), "{text:?}");
            check(text, is_hidden.then_some(Rule::HiddenCharacter));
        }
    }

    #[test]
    fn utf_8_that_was_taken_for_windows_1252_is_known() {
        for text in [
            "Müller",
            "Angebot für Müller & Söhne – 5 €",
            "naïve “quotes”",
            "Łódź",
            "日本",
            "Straße",
            "20 °C",
            "🙂",
        ] {
            let (misread_as, _, _) = WINDOWS_1252.decode(text.as_bytes());
            assert_eq!(misread(&misread_as).as_deref(), Some(text), "{misread_as}");
            check(&misread_as, Some(Rule::MisreadText));
            check(text, None);
        }
        for text in ["Ã", "é", "naïve café", "5 €", "±", "Ãœber Ł"] {
            check(text, None);
        }
    }
}
