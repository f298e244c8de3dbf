//! Where a JSON value ends, found from its bytes as they arrive.
//!
//! Only brackets, quotes and comments are looked at: whether the value is valid JSON is the parser's business.
//! But an end is reported only where it is certain: every bracket is closed by its own kind, every string ends
//! on its line, and the quotes of every comment pair. Otherwise the value is broken, and where it ends is
//! unknown.

use super::lenient::Quotes;

/// How deep brackets are followed; no parser reads as deep.
const DEEPEST: usize = 1 << 20;

/// Follows one value from its first byte.
#[derive(Debug)]
pub(super) struct Scanner {
    state: ScanState,
    /// The brackets that would close what is open, the innermost last.
    open: Vec<u8>,
    /// The quotes of the comment that the next byte is in.
    quotes: Quotes,
}

/// What some bytes of a value lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanResult {
    /// The value goes on.
    More,
    /// The value ends behind this many of the bytes.
    End(usize),
    /// It can't be told where the value ends: behind this many of the bytes stands what it can't hold.
    Broken(usize),
}

/// Where in the value the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScanState {
    /// Before the first byte.
    Begin,
    /// Between the parts of an array or object.
    Between,
    /// In a string.
    Text,
    /// Behind a backslash in a string.
    Escape,
    /// Behind a slash that must begin a comment.
    Slash,
    LineComment,
    BlockComment,
    /// Behind a star that may end a comment.
    Star,
    /// In a word or number that stands alone.
    Bare,
}

impl Scanner {
    pub fn new() -> Self {
        Self { state: ScanState::Begin, open: Vec::new(), quotes: Quotes::default() }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> ScanResult {
        let mut at = 0;
        while at < bytes.len() {
            at += self.plain(&bytes[at..]);
            let Some(&byte) = bytes.get(at) else { break };
            match self.step(byte) {
                ScanResult::More => at += 1,
                ScanResult::End(length) => return ScanResult::End(at + length),
                ScanResult::Broken(_) => return ScanResult::Broken(at),
            }
        }
        ScanResult::More
    }

    /// Returns the number of bytes at the beginning that change nothing.
    fn plain(&self, bytes: &[u8]) -> usize {
        match self.state {
            ScanState::Between => bytes.iter().take_while(|byte| !is_mark(**byte)).count(),
            ScanState::Text => bytes.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | b'\n')).count(),
            _ => 0,
        }
    }

    /// Takes one byte, which may be the last of the value or the one behind it.
    fn step(&mut self, byte: u8) -> ScanResult {
        match (self.state, byte) {
            (ScanState::Begin, _) => self.begin(byte),
            (ScanState::Between, _) => return self.between(byte),
            // A JSON string holds no line break, so some quote before has no pair.
            (ScanState::Text | ScanState::Escape, b'\n') => return ScanResult::Broken(0),
            (ScanState::Text, b'"') if self.open.is_empty() => return ScanResult::End(1),
            (ScanState::Text, b'"') => self.state = ScanState::Between,
            (ScanState::Text, b'\\') => self.state = ScanState::Escape,
            (ScanState::Text, _) => {}
            (ScanState::Escape, _) => self.state = ScanState::Text,
            (ScanState::Slash, b'/') => self.comment(ScanState::LineComment),
            (ScanState::Slash, b'*') => self.comment(ScanState::BlockComment),
            (ScanState::Slash, _) => return ScanResult::Broken(0),
            (ScanState::LineComment, b'\n') | (ScanState::Star, b'/') => {
                if !self.quotes.pair() {
                    return ScanResult::Broken(0);
                }
                self.state = ScanState::Between;
            }
            (ScanState::LineComment, _) => self.quotes.take(byte),
            (ScanState::BlockComment | ScanState::Star, _) => {
                self.quotes.take(byte);
                self.state = if byte == b'*' { ScanState::Star } else { ScanState::BlockComment };
            }
            (ScanState::Bare, b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"' | b'/') => {
                return ScanResult::End(0);
            }
            (ScanState::Bare, _) if byte.is_ascii_whitespace() => return ScanResult::End(0),
            (ScanState::Bare, _) => {}
        }
        ScanResult::More
    }

    fn comment(&mut self, state: ScanState) {
        self.state = state;
        self.quotes = Quotes::default();
    }

    fn begin(&mut self, byte: u8) {
        self.state = match byte {
            b'{' | b'[' => {
                self.open.push(closing(byte));
                ScanState::Between
            }
            b'"' => ScanState::Text,
            _ => ScanState::Bare,
        };
    }

    fn between(&mut self, byte: u8) -> ScanResult {
        match byte {
            b'{' | b'[' if self.open.len() == DEEPEST => return ScanResult::Broken(0),
            b'{' | b'[' => self.open.push(closing(byte)),
            b'}' | b']' if self.open.pop() != Some(byte) => return ScanResult::Broken(0),
            b'}' | b']' if self.open.is_empty() => return ScanResult::End(1),
            b'"' => self.state = ScanState::Text,
            b'/' => self.state = ScanState::Slash,
            _ => {}
        }
        ScanResult::More
    }
}

/// What closes a bracket.
fn closing(bracket: u8) -> u8 {
    if bracket == b'{' { b'}' } else { b']' }
}

/// Whether a byte between the parts of a value has to be looked at.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b'[' | b']' | b'"' | b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value at the beginning of a text; `Err` tells whether it is broken or goes on.
    fn value(text: &str, size: usize) -> Result<&str, ScanResult> {
        let (mut scanner, mut before) = (Scanner::new(), 0);
        for part in text.as_bytes().chunks(size) {
            match scanner.feed(part) {
                ScanResult::More => before += part.len(),
                ScanResult::End(length) => return Ok(&text[..before + length]),
                ScanResult::Broken(length) => return Err(ScanResult::Broken(before + length)),
            }
        }
        Err(ScanResult::More)
    }

    #[test]
    fn a_value_ends_where_its_brackets_are_closed_by_their_kind() {
        for (text, wanted) in [
            ("{}{}", Ok("{}")),
            (r#"{"a":[1,{"b":"}"}]},"#, Ok(r#"{"a":[1,{"b":"}"}]}"#)),
            (r#"{"a":"\\"} }"#, Ok(r#"{"a":"\\"}"#)),
            (r#"{"a":"\"}"} }"#, Ok(r#"{"a":"\"}"}"#)),
            ("{// }\n}x", Ok("{// }\n}")),
            ("{/* } **/}x", Ok("{/* } **/}")),
            ("{/* \"}\\\"\" */}x", Ok("{/* \"}\\\"\" */}")),
            ("{\"a\": tru,\n\"b\": [\n{}\n]\n}", Ok("{\"a\": tru,\n\"b\": [\n{}\n]\n}")),
            ("[[]],", Ok("[[]]")),
            ("\"a,\\\"b\",", Ok("\"a,\\\"b\"")),
            ("true,", Ok("true")),
            ("what is this\n", Ok("what")),
            ("1:", Ok("1")),
            ("{\"a\":1", Err(ScanResult::More)),
            ("{\"a\":\"b", Err(ScanResult::More)),
            ("{ // x", Err(ScanResult::More)),
            ("true", Err(ScanResult::More)),
            ("{\"a\": [}", Err(ScanResult::Broken(7))),
            ("{\"a\": [}]", Err(ScanResult::Broken(7))),
            ("{\"a\":\"b,\n\"c\":\"d\"}", Err(ScanResult::Broken(8))),
            ("{\"a\":\"b\\\n\"}", Err(ScanResult::Broken(8))),
            ("{/{}}x", Err(ScanResult::Broken(2))),
            // A quote too many may have made a comment of half a text.
            ("{\"a\":\"x\"//y\"\n}", Err(ScanResult::Broken(12))),
            ("{\"a\":\"x\" // 5\\\" y\"\n}", Err(ScanResult::Broken(18))),
            ("{/* \" */}", Err(ScanResult::Broken(7))),
        ] {
            for size in [1, 3, 1_000] {
                assert_eq!(value(text, size), wanted, "{text}, in parts of {size}");
            }
        }
        assert_eq!(value(&"[".repeat(DEEPEST + 1), 1_000), Err(ScanResult::Broken(DEEPEST)));
    }
}
