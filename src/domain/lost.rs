//! Texts that lost characters on their way: a program that saves a text in an encoding without some of its
//! characters writes a question mark for each. Excel does so with its plain CSV.

/// Returns whether a text is a copy of another in which question marks stand for characters beyond ASCII.
///
/// A character beyond the first 65,536 may have become two of them, since Windows counts it as two. Everything else
/// has to be the same, so a text that was rewritten by a person is no such copy.
pub fn is_lossy_copy(copy: &str, original: &str) -> bool {
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
    copy != original && rests.contains(&"")
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
