//! JSON as people write it: with comments, and with a comma before a closing bracket.
//!
//! Both are replaced by blanks, so that every other byte keeps its offset. Neither may make half a payload look
//! whole: a comma counts only behind a last element, and a comment only where its quotes pair. One quote too
//! many, in `"see // there"`, makes a comment of the rest of its line, and that comment holds a quote without
//! its pair.

use std::fmt;

/// Syntax that JSON does not have, and that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LenientSyntax {
    /// `// …` or `/* … */`.
    Comment,
    /// A comma behind the last member or element.
    Comma,
    /// A byte order mark.
    ByteOrderMark,
}

impl fmt::Display for LenientSyntax {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Comment => "a comment",
            Self::Comma => "a comma too many",
            Self::ByteOrderMark => "a byte order mark",
        })
    }
}

/// Counts the quotes of a comment, one byte after the other.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Quotes {
    is_open: bool,
    is_escaped: bool,
}

impl Quotes {
    /// Takes the next byte of the comment.
    pub fn take(&mut self, byte: u8) {
        self.is_open ^= byte == b'"' && !self.is_escaped;
        self.is_escaped = byte == b'\\' && !self.is_escaped;
    }

    /// Returns whether they pair. A comment in which they don't may hold half a text.
    pub fn pair(self) -> bool {
        !self.is_open
    }

    /// Returns whether the quotes of a whole comment pair.
    fn pair_in(comment: &str) -> bool {
        let mut quotes = Self::default();
        comment.bytes().for_each(|byte| quotes.take(byte));
        quotes.pair()
    }
}

/// Returns the text with comments and surplus commas blanked, and what they were, by offset. `None` where it
/// has neither, or other oddities.
pub(super) fn blanked(text: &str) -> Option<(String, Vec<(usize, LenientSyntax)>)> {
    let mut clean = text.to_owned();
    json_strip_comments::strip(&mut clean).ok()?;
    let lenient = lenient(text, &clean)?;
    (!lenient.is_empty()).then_some((clean, lenient))
}

/// Returns what was blanked, by the offset at which it begins. `None` where something was blanked that is not
/// accepted.
fn lenient(text: &str, clean: &str) -> Option<Vec<(usize, LenientSyntax)>> {
    let mut lenient = Vec::new();
    let mut comment_until = 0;
    let pairs = text.bytes().zip(clean.bytes()).enumerate();
    for (at, _) in pairs.filter(|(_, (before, after))| before != after) {
        if at < comment_until {
            continue;
        }
        let syntax = match text.as_bytes()[at] {
            b'/' => {
                comment_until = at + comment_length(&text[at..])?;
                LenientSyntax::Comment
            }
            b',' if !clean[..at].trim_end().ends_with(['{', '[']) => LenientSyntax::Comma,
            _ => return None,
        };
        lenient.push((at, syntax));
    }
    Some(lenient)
}

/// Returns the length of the comment that begins here. `None` where a block is never closed, or its quotes
/// don't pair.
fn comment_length(text: &str) -> Option<usize> {
    let length = match text.strip_prefix("/*") {
        Some(inside) => inside.find("*/")? + 4,
        None if text.starts_with("//") => text.find('\n').unwrap_or(text.len()),
        None => return None,
    };
    Quotes::pair_in(&text[..length]).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: Option<(&str, &[(usize, LenientSyntax)])>) {
        let got = blanked(text);
        let got = got.as_ref().map(|(clean, lenient)| (clean.as_str(), lenient.as_slice()));
        assert_eq!(got, wanted, "{text}");
        assert!(got.is_none_or(|(clean, _)| clean.len() == text.len()));
    }

    #[test]
    fn comments_and_last_commas_are_blanked_and_told() {
        check("{\"a\":1,}", Some(("{\"a\":1 }", &[(6, LenientSyntax::Comma)])));
        check(
            "[1, // x, }\n]",
            Some(("[1         \n]", &[(2, LenientSyntax::Comma), (4, LenientSyntax::Comment)])),
        );
        check(
            "{\"a\":/* 1, */2 , } // é",
            Some((
                "{\"a\":        2   }      ",
                &[(5, LenientSyntax::Comment), (15, LenientSyntax::Comma), (19, LenientSyntax::Comment)],
            )),
        );
        check(
            "/**/{}/**/",
            Some(("    {}    ", &[(0, LenientSyntax::Comment), (6, LenientSyntax::Comment)])),
        );
        check("{}//", Some(("{}  ", &[(2, LenientSyntax::Comment)])));
    }

    #[test]
    fn what_is_within_quotes_stays() {
        check(r#"{"a":"http://x/*,}*/","b\"//":",]"}"#, None);
        check(r#"{"a":"//",}"#, Some((r#"{"a":"//" }"#, &[(9, LenientSyntax::Comma)])));
    }

    #[test]
    fn other_oddities_are_not_put_up_with() {
        for text in ["[,]", "{ , }", "{} # x", "{\"a\":1/2}", "{} /* x", "{} /", "{} /*/", "{}", ""] {
            check(text, None);
        }
        // What holds half a text is no comment.
        for text in ["{\"a\":\"x\"//y\"\n}", "{\"a\":\"x\" // 5\\\" y\"\n}", "{/* \" */}", "{} // \""] {
            check(text, None);
        }
        // These are blanked as far as it goes, and are no JSON afterwards either.
        for text in ["{\"a\":1,,}", "{\"a\":1 /* x}", "[1,/,]"] {
            let clean = blanked(text).map_or(text.to_owned(), |(clean, _)| clean);
            assert!(serde_json::from_str::<serde_json::Value>(&clean).is_err(), "{text}: {clean}");
        }
    }
}
