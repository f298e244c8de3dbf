//! What the user wrote, cut and made harmless for a message.

use serde_json::value::RawValue;

/// The beginning of a text in quotes, short enough for a message.
pub fn excerpt(text: &str) -> String {
    format!("\"{}\"", beginning(text))
}

/// The beginning of a JSON value, as it was written.
pub fn excerpt_json(raw: &RawValue) -> String {
    beginning(raw.get())
}

/// The beginning of a text, short enough for a message, with all that cannot be seen made visible.
pub fn beginning(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown = visible(text.chars().take(LONGEST));
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Text with a mark for every character that cannot be seen, that steers a terminal, or that turns the
/// direction of what follows.
pub fn visible(text: impl Iterator<Item = char>) -> String {
    text.map(|c| if is_unseen(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Whether a character shows in what it does only, or not at all.
pub fn is_unseen(c: char) -> bool {
    let is_format = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    c.is_control() || is_format || matches!(c, '\u{ad}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_marked() {
        for (text, wanted) in [
            ("a\u{1b}[31mb", "a\u{fffd}[31mb"),
            ("\u{feff}5a1e", "\u{fffd}5a1e"),
            ("a\u{202e}b\u{200b}\nc", "a\u{fffd}b\u{fffd}\u{fffd}c"),
            ("Zoë – 日本", "Zoë – 日本"),
        ] {
            assert_eq!(beginning(text), wanted);
        }
        assert_eq!(excerpt(&"x".repeat(41)), format!("\"{}…\"", "x".repeat(40)));
    }
}
