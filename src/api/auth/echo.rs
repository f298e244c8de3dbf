//! Finds a secret in a text, as it is or escaped as in JSON, a URL or HTML. Opaque tokens hold `/`, `+` and
//! `=`, which some of these escape, and a gateway's error page may repeat a request in any of them.

/// The characters that begin an escape in JSON, in URLs and in HTML.
const ESCAPES: [u8; 3] = *b"\\%&";

/// The most backslashes before one character: those of JSON within JSON within JSON.
const MOST_BACKSLASHES: usize = 7;
/// The most bytes of an HTML reference after its `&`, as in `#x0000002F;`.
const LONGEST_REFERENCE: usize = 11;

/// Returns the text before and after the first occurrence of a secret. The secret is printable ASCII.
pub(super) fn split<'t>(text: &'t str, secret: &str) -> Option<(&'t str, &'t str)> {
    let first = *secret.as_bytes().first()?;
    let begins = text.bytes().enumerate().filter(|(_, byte)| *byte == first || ESCAPES.contains(byte));
    begins.filter_map(|(at, _)| Some((&text[..at], after(&text[at..], secret)?))).next()
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
