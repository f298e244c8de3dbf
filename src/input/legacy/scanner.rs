//! Where a JSON value ends, told from its bytes as they come.
//!
//! Only brackets, quotes and comments are looked at: whether it is JSON is for the parser to say.

/// Follows one value from its first byte.
#[derive(Debug)]
pub(super) struct Scanner {
    state: State,
    depth: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte.
    Begin,
    /// Between the parts of an array or object.
    Between,
    Text,
    /// Behind a backslash in a string.
    Escape,
    /// Behind a slash that may begin a comment.
    Slash,
    LineComment,
    BlockComment,
    /// Behind a star that may end a comment.
    Star,
    /// A word or a number that stands alone.
    Bare,
}

impl Scanner {
    pub fn new() -> Self {
        Self { state: State::Begin, depth: 0 }
    }

    /// Takes the next bytes, and says how many of them belong to the value if it ends in them.
    pub fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.state {
                State::Begin => self.begin(byte),
                State::Between => {
                    let plain = bytes[at..].iter().take_while(|byte| !is_mark(**byte)).count();
                    at += plain;
                    let &byte = bytes.get(at)?;
                    if self.between(byte) {
                        return Some(at + 1);
                    }
                }
                State::Text => {
                    at += bytes[at..].iter().take_while(|byte| !matches!(byte, b'"' | b'\\')).count();
                    match bytes.get(at) {
                        Some(b'"') if self.depth == 0 => return Some(at + 1),
                        Some(b'"') => self.state = State::Between,
                        Some(_) => self.state = State::Escape,
                        None => return None,
                    }
                }
                State::Escape => self.state = State::Text,
                State::Slash => match byte {
                    b'/' => self.state = State::LineComment,
                    b'*' => self.state = State::BlockComment,
                    _ => {
                        self.state = State::Between;
                        continue;
                    }
                },
                State::LineComment if byte == b'\n' => self.state = State::Between,
                State::Star if byte == b'/' => self.state = State::Between,
                State::BlockComment | State::Star => {
                    self.state = if byte == b'*' { State::Star } else { State::BlockComment };
                }
                State::LineComment => {}
                State::Bare => {
                    if matches!(byte, b',' | b'{' | b'}' | b'[' | b']' | b'"' | b'\n') {
                        return Some(at);
                    }
                }
            }
            at += 1;
        }
        None
    }

    fn begin(&mut self, byte: u8) {
        self.state = match byte {
            b'{' | b'[' => {
                self.depth = 1;
                State::Between
            }
            b'"' => State::Text,
            _ => State::Bare,
        };
    }

    /// Whether the value ends with this byte.
    fn between(&mut self, byte: u8) -> bool {
        match byte {
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            b'"' => self.state = State::Text,
            b'/' => self.state = State::Slash,
            _ => {}
        }
        self.depth == 0
    }
}

/// Whether a byte between the parts of a value has to be looked at.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b'[' | b']' | b'"' | b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_brackets_are_closed() {
        for (text, wanted) in [
            ("{}{}", Some("{}")),
            (r#"{"a":[1,{"b":"}"}]},"#, Some(r#"{"a":[1,{"b":"}"}]}"#)),
            (r#"{"a":"\\"} }"#, Some(r#"{"a":"\\"}"#)),
            (r#"{"a":"\"}"} }"#, Some(r#"{"a":"\"}"}"#)),
            ("{// }\n}x", Some("{// }\n}")),
            ("{/* } **/}x", Some("{/* } **/}")),
            ("{/{}}x", Some("{/{}}")),
            ("[[]],", Some("[[]]")),
            ("\"a,\\\"b\",", Some("\"a,\\\"b\"")),
            ("true,", Some("true")),
            ("what is this\n", Some("what is this")),
            ("}{", Some("}")),
            ("{\"a\":1", None),
            ("true", None),
        ] {
            let end = Scanner::new().feed(text.as_bytes());
            assert_eq!(end.map(|end| &text[..end]), wanted, "{text}");
            let mut scanner = Scanner::new();
            let mut bytes = text.bytes().enumerate();
            let end = bytes.find_map(|(at, byte)| scanner.feed(&[byte]).map(|end| at + end));
            assert_eq!(end.map(|end| &text[..end]), wanted, "{text}, byte by byte");
        }
    }
}
