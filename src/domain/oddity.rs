//! What the grammar of JSON allows and no reader can take: half a character, a number beyond all bounds.
//!
//! RFC 8259, sections 6 and 8.2, leaves both to the readers, and most of them refuse the text. So whoever
//! sent such a value couldn't know what the service makes of it.

use std::fmt;

/// So many of one text are found at most.
const MOST: usize = 20;

/// Something that no reader can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// A text with one half of a surrogate pair, as `"\ud83d"`.
    HalfCharacter,
    /// A number that no float holds, as `1e400`.
    Number,
}

impl Oddity {
    /// What would help.
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

/// The first few of a JSON text, each with the byte at which its text or number begins.
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

/// How long the text is that begins here, and what is odd about it.
fn text(json: &str) -> (usize, Option<Oddity>) {
    let (bytes, mut at, mut is_escaped) = (json.as_bytes(), 1, false);
    loop {
        let plain = bytes[at.min(bytes.len())..].iter().position(|byte| matches!(byte, b'"' | b'\\'));
        match plain.map(|plain| (at + plain, bytes[at + plain])) {
            Some((end, b'"')) => {
                // The grammar holds, so nothing else can be wrong with it.
                let is_odd = is_escaped && serde_json::from_str::<String>(&json[..=end]).is_err();
                return (end + 1, is_odd.then_some(Oddity::HalfCharacter));
            }
            Some((backslash, _)) => (at, is_escaped) = (backslash + 2, true),
            None => return (bytes.len(), None),
        }
    }
}

/// The same of a number.
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
