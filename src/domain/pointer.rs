//! JSON Pointers (RFC 6901), by which changes name their fields.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A valid, non-empty JSON Pointer such as `/details/dealValue`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = "^/"))]
pub struct Pointer(Box<str>);

/// The reason why a text is no JSON Pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// The empty pointer names the whole referral, which no change can set.
    #[error("an empty path names the whole referral")]
    Empty,
    /// RFC 6901, section 3.
    #[error("a JSON Pointer begins with '/'")]
    NoSlash,
    /// RFC 6901, section 3: `~` is only ever followed by `0` or `1`.
    #[error("'~' must be written '~0', and '/' inside a name '~1'")]
    Tilde,
}

impl Pointer {
    /// Parses a pointer.
    ///
    /// # Errors
    /// See [`PointerError`].
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        if text.is_empty() {
            return Err(PointerError::Empty);
        }
        if !text.starts_with('/') {
            return Err(PointerError::NoSlash);
        }
        let badly_escaped =
            text.split('~').skip(1).any(|after| !(after.starts_with('0') || after.starts_with('1')));
        if badly_escaped {
            return Err(PointerError::Tilde);
        }
        Ok(Self(text.into()))
    }

    /// Returns the pointer as written, with its leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Iterates over the unescaped names, from the outermost to the innermost.
    pub fn tokens(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.0[1..].split('/').map(|token| {
            if token.contains('~') {
                Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
            } else {
                Cow::Borrowed(token)
            }
        })
    }

    /// Iterates over the pointers of all parents, outermost first: `/a/b/c` has `/a` and `/a/b`.
    pub fn parents(&self) -> impl Iterator<Item = Pointer> {
        self.0.match_indices('/').skip(1).map(|(at, _)| Pointer(self.0[..at].into()))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for Pointer {
    type Error = PointerError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_rfc_6901_allows() {
        for (text, wanted) in [
            ("/a", Ok(vec!["a"])),
            ("/a/b", Ok(vec!["a", "b"])),
            ("/a~1b/~01", Ok(vec!["a/b", "~1"])),
            ("/", Ok(vec![""])),
            ("", Err(PointerError::Empty)),
            ("a/b", Err(PointerError::NoSlash)),
            ("/a~2", Err(PointerError::Tilde)),
            ("/a~", Err(PointerError::Tilde)),
        ] {
            let got = Pointer::parse(text);
            let tokens = got.as_ref().map(|pointer| pointer.tokens().collect::<Vec<_>>());
            match (tokens, wanted) {
                (Ok(tokens), Ok(wanted)) => assert_eq!(tokens, wanted, "{text}"),
                (Err(error), Err(wanted)) => assert_eq!(*error, wanted, "{text}"),
                (got, wanted) => panic!("{text}: {got:?}, wanted {wanted:?}"),
            }
        }
    }

    #[test]
    fn parents_come_outermost_first() {
        let parents: Vec<String> =
            Pointer::parse("/a/b/c").unwrap().parents().map(|parent| parent.to_string()).collect();
        assert_eq!(parents, ["/a", "/a/b"]);
    }
}
