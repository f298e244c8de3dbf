//! Excerpts of the input for messages: cut off, and with hidden characters made visible.

use serde_json::value::RawValue;

use super::characters::visible;

/// Returns the beginning of a text in quotes, short enough for a message.
pub fn excerpt(text: &str) -> String {
    format!("\"{}\"", beginning(text))
}

/// Returns the beginning of a JSON value as it was written. A text keeps its quotes.
pub fn excerpt_json(raw: &RawValue) -> String {
    let inner = raw.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.map_or_else(|| beginning(raw.get()), excerpt)
}

/// Returns the beginning of a text, short enough for a message, with hidden characters made visible.
pub fn beginning(text: &str) -> String {
    const LONGEST: usize = 40;
    let cut: String = text.chars().take(LONGEST).collect();
    let mut shown = visible(&cut).into_owned();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
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
        let (long, cut) = ("x".repeat(41), "x".repeat(40));
        for (json, wanted) in [
            ("1.50".to_owned(), "1.50".to_owned()),
            ("\"\"".to_owned(), "\"\"".to_owned()),
            ("\"a\\\"b\"".to_owned(), "\"a\\\"b\"".to_owned()),
            (format!("\"{cut}\""), format!("\"{cut}\"")),
            (format!("\"{long}\""), format!("\"{cut}…\"")),
        ] {
            assert_eq!(excerpt_json(&RawValue::from_string(json).unwrap()), wanted);
        }
    }
}
