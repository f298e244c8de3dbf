//! Finds a secret in a text, as it is or escaped as in JSON, a URL or HTML. Opaque tokens hold `/`, `+` and
//! `=`, which some of these escape, and a gateway's error page may repeat a request in any of them.

use memchr::{memchr3_iter, memmem};

/// The characters that begin an escape in JSON, in URLs and in HTML.
const ESCAPES: [u8; 3] = *b"\\%&";

/// The most backslashes before one character: those of JSON within JSON within JSON.
const MOST_BACKSLASHES: usize = 7;
/// The most bytes of an HTML reference after its `&`, as in `#x0000002F;`.
const LONGEST_REFERENCE: usize = 11;

/// The number of characters by which an occurrence is looked for, where none of them is escaped.
const BEGINNING: usize = 4;

/// Returns the text before and after the first occurrence of a secret. The secret is printable ASCII.
///
/// Every successful answer is searched, and hardly any holds a secret. So only those places are looked at where one can
/// begin: where its first characters stand as they are, and just before an escape.
pub(super) fn split<'t>(text: &'t str, secret: &str) -> Option<(&'t str, &'t str)> {
    let beginning = secret.as_bytes().get(..BEGINNING.min(secret.len())).filter(|some| !some.is_empty())?;
    let begun = |at: usize| Some((at, after(text.get(at..)?, secret)?));
    let plain = memmem::find_iter(text.as_bytes(), beginning).find_map(begun);
    // As many of the first characters as come before the first one that is escaped.
    let before = |at| {
        (0..beginning.len())
            .filter(move |plain| text[..at].ends_with(&secret[..*plain]))
            .map(move |plain| at - plain)
    };
    let [json, url, html] = ESCAPES;
    let escaped = memchr3_iter(json, url, html, text.as_bytes()).flat_map(before).filter_map(begun);
    let (at, rest) = plain.into_iter().chain(escaped).min_by_key(|(at, _)| *at)?;
    Some((&text[..at], rest))
}

/// Returns the rest of a text that begins with a secret, each of whose characters may be escaped.
fn after<'t>(text: &'t str, secret: &str) -> Option<&'t str> {
    secret.chars().try_fold(text, |rest, c| after_escaped(rest, c).or_else(|| rest.strip_prefix(c)))
}

/// Returns the rest of a text that begins with an escape of this character.
fn after_escaped(text: &str, c: char) -> Option<&str> {
    match text.chars().next()? {
        '\\' => after_in_json(text, c),
        '%' => coded(&text[1..], 2, c),
        '&' => after_in_html(&text[1..], c),
        _ => None,
    }
}

/// Returns the rest after a JSON escape. JSON within a JSON string is escaped twice, so there may be several
/// backslashes.
fn after_in_json(text: &str, c: char) -> Option<&str> {
    if c == '\\' {
        return text.strip_prefix("\\\\").or_else(|| coded(text.strip_prefix("\\u")?, 4, c));
    }
    let backslashes = text.bytes().take(MOST_BACKSLASHES).take_while(|byte| *byte == b'\\').count();
    let escape = &text[backslashes..];
    match escape.strip_prefix('u').and_then(|code| coded(code, 4, c)) {
        None => escape.strip_prefix(c).filter(|_| matches!(c, '"' | '/')),
        after => after,
    }
}

/// Returns the rest after an HTML reference, whose `&` is cut off already.
fn after_in_html(reference: &str, c: char) -> Option<&str> {
    let end = reference.bytes().take(LONGEST_REFERENCE).position(|byte| byte == b';')?;
    let (name, rest) = (&reference[..end], &reference[end + 1..]);
    let code = match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        },
        None => u32::from(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => return None,
        }),
    };
    (code == u32::from(c)).then_some(rest)
}

/// Returns the rest after a number of hexadecimal digits that are the code of this character.
fn coded(text: &str, digits: usize, c: char) -> Option<&str> {
    let (code, rest) = text.split_at_checked(digits)?;
    (u32::from_str_radix(code, 16) == Ok(u32::from(c))).then_some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tries every place of the text.
    fn split_everywhere<'t>(text: &'t str, secret: &str) -> Option<(&'t str, &'t str)> {
        text.char_indices().find_map(|(at, _)| Some((&text[..at], after(&text[at..], secret)?)))
    }

    /// A secret as an escaping writes it: each of its characters as it is, or in one of five other ways.
    fn written(secret: &str, ways: &[u8]) -> String {
        let escaped = |(c, way): (char, &u8)| {
            let code = u32::from(c);
            match way {
                0 => format!("\\u{code:04x}"),
                1 => format!("\\\\u{code:04X}"),
                2 => format!("%{code:02x}"),
                3 => format!("&#{code};"),
                4 if c == '/' => "\\/".to_owned(),
                _ => c.to_string(),
            }
        };
        secret.chars().zip(ways).map(escaped).collect()
    }

    proptest! {
        #[test]
        fn no_occurrence_is_missed(
            secret in "[ab/+%&\\\\]{1,6}",
            ways in prop::collection::vec(0_u8..9, 6),
            before in "[abé/+%&\\\\;#u0-9]{0,12}",
            behind in "[abé/+%&\\\\]{0,8}",
        ) {
            let text = format!("{before}{}{behind}", written(&secret, &ways));
            prop_assert_eq!(split(&text, &secret), split_everywhere(&text, &secret));
            let elsewhere = format!("{before}{behind}");
            prop_assert_eq!(split(&elsewhere, &secret), split_everywhere(&elsewhere, &secret));
        }
    }

    #[test]
    fn an_empty_secret_is_nowhere() {
        assert_eq!(split("text", ""), None);
    }
}
