//! Texts that lost characters on their way. A program that saves a text in an encoding without some of its
//! characters writes a question mark for each: Excel does so with its plain CSV. And one that takes a reference
//! for a number drops the zeros in front of it.

/// Returns whether a text is a copy of another in which question marks stand for characters beyond ASCII.
///
/// A character beyond the first 65,536 may have become two of them, since Windows counts it as two. Everything else
/// has to be the same, so a text that was rewritten by a person is no such copy.
pub fn is_lossy_copy(copy: &str, original: &str) -> bool {
    // Nearly all are none at first sight.
    if copy == original || original.is_ascii() || !copy.contains('?') {
        return false;
    }
    // What may be left of the copy, the longest first: a question mark may be half of what became of a character.
    let mut rests = vec![copy];
    for one in original.chars() {
        let copied = |rest: &&str| rest.strip_prefix(one).map(str::len);
        let lost = |rest: &&str| rest.strip_prefix('?').filter(|_| !one.is_ascii()).map(str::len);
        let doubled = |rest: &&str| rest.strip_prefix("??").filter(|_| one.len_utf16() == 2).map(str::len);
        let left = |rest| [copied(rest), lost(rest), doubled(rest)].into_iter().flatten();
        let mut lengths: Vec<usize> = rests.iter().flat_map(left).collect();
        lengths.dedup();
        rests = lengths.into_iter().map(|length| &copy[copy.len() - length..]).collect();
    }
    rests.contains(&"")
}

/// Returns whether a text is a copy of another, all digits, without some of the zeros in front of it.
pub fn is_without_zeros(copy: &str, original: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let zeros = original.strip_suffix(copy).unwrap_or_default();
    is_number(copy) && !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0')
}

#[cfg(test)]
mod tests {
    use encoding_rs::{WINDOWS_1251, WINDOWS_1252};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn question_marks_stand_for_what_an_encoding_lacks() {
        for (copy, original, wanted) in [
            ("Call ???", "Call 見本町", true),
            ("M?ller & S?hne", "Müller & Söhne", true),
            ("Müller ?", "Müller 見", true),
            ("done ??", "done 🎉", true),
            ("done ?", "done 🎉", true),
            ("really??", "really🎉?", true),
            ("why?", "why?", false),
            ("why?", "why!", false),
            ("?", "a", false),
            ("Call ??", "Call 見本町", false),
            ("Call ???!", "Call 見本町", false),
            ("Ring ???", "Call 見本町", false),
            ("見本町", "見本町", false),
            ("", "見", false),
            ("?", "", false),
        ] {
            assert_eq!(is_lossy_copy(copy, original), wanted, "{copy:?} of {original:?}");
        }
    }

    #[test]
    fn a_number_has_no_zeros_in_front() {
        for (copy, original, wanted) in [
            ("7", "007", true),
            ("07", "007", true),
            ("0", "000", true),
            ("700", "0700", true),
            ("007", "7", false),
            ("007", "007", false),
            ("7", "107", false),
            ("7", "070", false),
            ("7", "00 7", false),
            ("A7", "00A7", false),
            ("", "00", false),
            ("7.0", "007.0", false),
            ("-7", "0-7", false),
        ] {
            assert_eq!(is_without_zeros(copy, original), wanted, "{copy:?} of {original:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_code_page_lacks_is_found(original in "[a-zäöé?見本Жщ🎉 ]{0,12}", cyrillic: bool) {
            let page = if cyrillic { WINDOWS_1251 } else { WINDOWS_1252 };
            let encode = |one: char| {
                let text = one.to_string();
                if page.encode(&text).2 { "?".repeat(one.len_utf16()) } else { text }
            };
            let copy: String = original.chars().map(encode).collect();
            prop_assert_eq!(is_lossy_copy(&copy, &original), copy != original);
        }
    }
}
