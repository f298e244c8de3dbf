//! The id and the version (eTag) of a referral.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The id of a referral, a GUID. It is not the `engagementId`, which several referrals can share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema, Deserialize)]
#[serde(transparent)]
pub struct ReferralId(Uuid);

/// The error that a text is no referral's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is no GUID{}", super::excerpt::excerpt(.0), oddity_suffix(.0))]
pub struct NoReferralId(String);

/// Describes a misleading character, by which a text looks like a GUID and is none; empty where there is no such.
fn oddity_suffix(text: &str) -> String {
    super::suspect::oddity(text).map_or(String::new(), |odd| format!(": {odd}"))
}

impl ReferralId {
    /// Returns the number of hexadecimal digits in which two ids differ.
    pub fn digits_apart(self, other: Self) -> u32 {
        // The lowest bit of every digit.
        const LOWEST: u128 = u128::MAX / 0xf;
        let bits = self.0.as_u128() ^ other.0.as_u128();
        ((bits | bits >> 1 | bits >> 2 | bits >> 3) & LOWEST).count_ones()
    }
}

impl From<Uuid> for ReferralId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl FromStr for ReferralId {
    type Err = NoReferralId;

    /// Parses a GUID, or a URL that ends in one or whose path does. A URL with two different ids is refused, since
    /// either may be meant.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        // Nearly every text; no GUID is a URL.
        if let Ok(id) = Uuid::try_parse(text) {
            return Ok(Self(id));
        }
        let none = || NoReferralId(text.to_owned());
        if !text.contains("://") {
            return Err(none());
        }
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let last = |text: &str, delimiters: &[char]| {
            let last = text.trim_end_matches('/').rsplit(delimiters).next()?;
            Uuid::try_parse(last).ok()
        };
        match (last(path, &['/']), last(text, &['/', '?', '#', '&', '='])) {
            (Some(one), Some(other)) if one != other => Err(none()),
            (one, other) => one.or(other).map(Self).ok_or_else(none),
        }
    }
}

impl fmt::Display for ReferralId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(out)
    }
}

/// The version of a referral, sent as `If-Match` in the service's own spelling, **double quotes included**.
///
/// Two eTags are equal if they differ in the quotes alone, which spreadsheets strip, or in the mark of a weak one
/// (`W/`), which a proxy adds that compresses an answer.
#[derive(Debug, Clone, Serialize, JsonSchema, Deserialize)]
#[serde(transparent)]
#[schemars(description = "The version of a referral in the service's own spelling, double quotes included.")]
pub struct ETag(Box<str>);

impl PartialEq for ETag {
    fn eq(&self, other: &Self) -> bool {
        self.opaque() == other.opaque()
    }
}

impl Eq for ETag {}

impl Hash for ETag {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.opaque().hash(state);
    }
}

/// The reason why a text is no usable eTag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ETagError {
    /// `If-Match: *` matches every version: the opposite of what an eTag is for.
    #[error("\"*\" matches every version and protects nothing")]
    Any,
    /// RFC 9110 allows printable ASCII only.
    #[error("an eTag holds printable ASCII characters only")]
    NotPrintable,
    /// Quotes or backslashes within it show that it is not one eTag alone.
    #[error("an eTag has no quotes or backslashes within it")]
    Quotes,
    /// There is nothing between the quotes.
    #[error("the eTag is empty")]
    Empty,
}

impl ETag {
    /// Takes an eTag in the service's own spelling.
    ///
    /// # Errors
    /// If it could not be sent back in a header.
    pub fn from_service(text: &str) -> Result<Self, ETagError> {
        match text.trim_matches('"') {
            "" => return Err(ETagError::Empty),
            "*" => return Err(ETagError::Any),
            _ => {}
        }
        if !text.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
            return Err(ETagError::NotPrintable);
        }
        Ok(Self(text.into()))
    }

    /// Restores the service's spelling of an eTag that went through a spreadsheet or another program: adds
    /// quotes that were stripped, and removes what was put around them, such as the backslashes of JSON.
    /// The mark of a weak one is removed as well: `If-Match` compares strongly (RFC 9110, section 13.1.1), so
    /// a weak eTag would never match.
    ///
    /// # Errors
    /// See [`ETagError`].
    pub fn from_input(text: &str) -> Result<Self, ETagError> {
        let is_around = |c: char| matches!(c, '"' | '\\' | '\'' | '\u{201c}' | '\u{201d}' | '\u{201e}');
        let text = text.trim();
        let bare = text.trim_start_matches(is_around);
        let is_weak = |rest: &&str| text.starts_with("W/") || rest.starts_with(is_around);
        let opaque = bare.strip_prefix("W/").filter(is_weak).unwrap_or(bare).trim_matches(is_around);
        if opaque.contains(['"', '\\']) {
            return Err(ETagError::Quotes);
        }
        Self::from_service(&format!("\"{opaque}\""))
    }

    /// Returns the part by which eTags compare: without quotes and without the mark of a weak one.
    fn opaque(&self) -> &str {
        self.0.strip_prefix("W/").unwrap_or(&self.0).trim_matches('"')
    }

    /// Returns the eTag as it is sent, with its quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6e";
    const OTHER: &str = "1c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6e";

    #[test]
    fn ids_are_guids_or_end_a_url() {
        for (text, wanted) in [
            (
                format!("{ID}\u{200b}"),
                "\u{fffd}\" is no GUID: it holds U+200B zero width space, which cannot be seen",
            ),
            (ID.replace('-', "\u{2010}"), "\" is no GUID: it holds U+2010 hyphen, which is no \"-\""),
            ("R-1".to_owned(), "\"R-1\" is no GUID"),
        ] {
            let told = text.parse::<ReferralId>().unwrap_err().to_string();
            assert!(told.ends_with(wanted), "{told}");
        }
        for (text, known) in [
            (ID.to_owned(), true),
            (format!(" {} ", ID.to_uppercase()), true),
            (format!("https://partner.example.com/referrals/{ID}/?tab=1"), true),
            (format!("https://partner.example.com/?tab=1&id={ID}"), true),
            (format!("https://partner.example.com/#/referrals/{ID}/"), true),
            (format!("https://partner.example.com/referrals/{ID}?of={ID}"), true),
            (format!("https://partner.example.com/referrals/{ID}?of={OTHER}"), false),
            (format!("https://partner.example.com/?id={ID}&tab=1"), false),
            (format!("https://partner.example.com/referral-{ID}"), false),
            (format!("referrals/{ID}"), false),
            ("R-1".to_owned(), false),
            (String::new(), false),
        ] {
            let got = text.parse::<ReferralId>().map(|id| id.to_string()).ok();
            assert_eq!(got.as_deref(), known.then_some(ID), "{text}");
        }
    }

    #[test]
    fn etags_get_their_quotes_back() {
        for (text, wanted) in [
            ("\"a-1\"", Ok("\"a-1\"")),
            ("a-1", Ok("\"a-1\"")),
            ("W/\"a\"", Ok("\"a\"")),
            ("W/a", Ok("\"a\"")),
            (r#"\"a-1\""#, Ok("\"a-1\"")),
            (r#""\"a-1\"""#, Ok("\"a-1\"")),
            (r#"W/\"a\""#, Ok("\"a\"")),
            (r#""W/"a"""#, Ok("\"a\"")),
            (r#""W/a""#, Ok("\"W/a\"")),
            ("\"\"a\"\"", Ok("\"a\"")),
            ("'\"a\"'", Ok("\"a\"")),
            ("\u{201c}a\u{201d}", Ok("\"a\"")),
            ("\"a\", \"b\"", Err(ETagError::Quotes)),
            (r"a\b", Err(ETagError::Quotes)),
            ("\"\"", Err(ETagError::Empty)),
            ("W/*", Err(ETagError::Any)),
            ("*", Err(ETagError::Any)),
            ("\"*\"", Err(ETagError::Any)),
            ("", Err(ETagError::Empty)),
            ("a\r\nb", Err(ETagError::NotPrintable)),
            ("é", Err(ETagError::NotPrintable)),
        ] {
            let got = ETag::from_input(text);
            assert_eq!(got.as_ref().map(ETag::as_str).map_err(|error| *error), wanted, "{text}");
        }
    }

    #[test]
    fn etags_are_the_same_with_and_without_their_quotes() {
        let etag = |text: &str| ETag::from_service(text).unwrap();
        assert_eq!(etag("a-1"), etag("\"a-1\""));
        assert_eq!(etag("a-1").as_str(), "a-1");
        assert_eq!(etag("W/\"a-1\""), etag("\"a-1\""));
        assert_eq!(etag("W/\"a-1\"").as_str(), "W/\"a-1\"", "the service's own spelling stays");
        for other in ["a-2", "A-1"] {
            assert_ne!(etag(other), etag("\"a-1\""), "{other}");
        }
    }
}
