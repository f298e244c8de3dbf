//! Values that the grammar of JSON allows but most parsers refuse: lone surrogates, and numbers beyond the range of
//! a double.
//!
//! RFC 8259 (sections 6 and 8.2) leaves both to the parser, so it can't be known what the service would make of
//! such a value.

use std::fmt;

/// The most oddities that are reported for one text.
const MOST: usize = 20;

/// A JSON value that most parsers refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// A text with half a surrogate pair, as `"\ud83d"`.
    HalfCharacter,
    /// A number beyond the range of a double, as `1e400`.
    Number,
}

impl Oddity {
    /// Returns what would help.
    pub fn hint(self) -> &'static str {
        match self {
            Self::HalfCharacter => "a character was cut in two when this was written: type it again",
            Self::Number => "correct the number",
        }
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::HalfCharacter => "the text holds half a character, a surrogate without the other",
            Self::Number => "the number is larger than any that can be kept",
        })
    }
}

/// Returns the first oddities of a JSON text, each with the byte offset at which its text or number begins.
pub fn oddities(json: &str) -> Vec<(usize, Oddity)> {
    let (bytes, mut at, mut found) = (json.as_bytes(), 0, Vec::new());
    while at < bytes.len() && found.len() < MOST {
        let (length, oddity) = match bytes[at] {
            b'"' => text(&json[at..]),
            b'-' | b'0'..=b'9' => number(&json[at..]),
            _ => (1, None),
        };
        found.extend(oddity.map(|oddity| (at, oddity)));
        at += length;
    }
    found
}

/// Returns the length of the JSON string at the beginning of a text, and its oddity, if it has one.
fn text(json: &str) -> (usize, Option<Oddity>) {
    let (bytes, mut at, mut is_escaped) = (json.as_bytes(), 1, false);
    loop {
        let plain = bytes[at.min(bytes.len())..].iter().position(|byte| matches!(byte, b'"' | b'\\'));
        match plain.map(|plain| (at + plain, bytes[at + plain])) {
            Some((end, b'"')) => {
                // The text is valid JSON, so a lone surrogate is all that can be wrong with it.
                let is_odd = is_escaped && serde_json::from_str::<String>(&json[..=end]).is_err();
                return (end + 1, is_odd.then_some(Oddity::HalfCharacter));
            }
            Some((backslash, _)) => (at, is_escaped) = (backslash + 2, true),
            None => return (bytes.len(), None),
        }
    }
}

/// Returns the length of the JSON number at the beginning of a text, and its oddity, if it has one.
fn number(json: &str) -> (usize, Option<Oddity>) {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let length = json.bytes().take_while(is_part).count();
    let is_odd = json[..length].parse::<f64>().is_ok_and(f64::is_infinite);
    (length, is_odd.then_some(Oddity::Number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_reader_takes_is_found_and_nothing_else() {
        for (json, wanted) in [
            (
                r#"{"a":1e400,"b":[-1E+999, 1e-400, 1e308],"c":"1e400"}"#,
                &[(5, Oddity::Number), (16, Oddity::Number)][..],
            ),
            (
                r#"["\ud83d\ude00","\ud83d","\ude00\ud83d","\\ud83d","é\n"]"#,
                &[(16, Oddity::HalfCharacter), (25, Oddity::HalfCharacter)],
            ),
            (r#"{"\udc00":{}}"#, &[(1, Oddity::HalfCharacter)]),
            ("", &[]),
            ("\"a", &[]),
            ("\"\\", &[]),
        ] {
            assert_eq!(oddities(json), wanted, "{json}");
            let is_read = serde_json::from_str::<serde_json::Value>(json).is_ok();
            let is_whole = serde_json::from_str::<&serde_json::value::RawValue>(json).is_ok();
            assert_eq!(is_whole && !is_read, !wanted.is_empty(), "{json}, by another reader");
        }
        let long = "9".repeat(400);
        assert_eq!(oddities(&format!("[{long}]")), [(1, Oddity::Number)]);
        assert_eq!(oddities(&format!("[{}]", vec!["1e999"; 100].join(","))).len(), MOST);
    }
}
