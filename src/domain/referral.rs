//! A referral: its id, its version, and its state as the service or a snapshot file gave it.

use std::cell::OnceCell;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::fields::Path;
use super::json::{self, Object};
use super::pointer::Pointer;
use super::status::Standing;

/// The id of a referral: a GUID. It is never the `engagementId`, which several referrals can share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReferralId(Uuid);

/// Why a text names no referral.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is no GUID", super::excerpt::excerpt(.0))]
pub struct NoReferralId(String);

impl FromStr for ReferralId {
    type Err = NoReferralId;

    /// Takes a GUID, or a URL that ends in one, or whose path does. Where they are two, nobody knows which is
    /// meant.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let none = || NoReferralId(text.to_owned());
        if !text.contains("://") {
            return Uuid::try_parse(text).map(Self).map_err(|_| none());
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

/// The version of a referral, as `If-Match` carries it: as the service spelled it, **with its own double
/// quotes**. Two that differ by the quotes alone are the same, since spreadsheets strip them; and so are two of
/// which one is marked as weak (`W/`), since a proxy that packs an answer marks it so.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ETag(Box<str>);

impl PartialEq for ETag {
    fn eq(&self, other: &Self) -> bool {
        self.opaque() == other.opaque()
    }
}

impl Eq for ETag {}

/// Why a text is no usable eTag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ETagError {
    /// `If-Match: *` matches every version: the opposite of what an eTag is for.
    #[error("\"*\" matches every version and protects nothing")]
    Any,
    /// RFC 9110 allows printable ASCII only.
    #[error("an eTag holds printable ASCII characters only")]
    NotPrintable,
    /// Nobody knows what else than an eTag was put together there.
    #[error("an eTag has no quotes or backslashes within it")]
    Quotes,
    /// There is nothing between the quotes.
    #[error("the eTag is empty")]
    Empty,
}

impl ETag {
    /// Keeps an eTag as the service sent it.
    ///
    /// # Errors
    /// Where it could not be sent back in a header.
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

    /// Reads an eTag that went through a spreadsheet or another program, in the one spelling that the service
    /// gives them: quotes that were stripped are put back, and what was put around them, such as the
    /// backslashes of JSON, is taken off. So is the mark of a weak one: `If-Match` compares strongly
    /// (RFC 9110, section 13.1.1), so no version would ever match it.
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

    /// What tells it from others: without its quotes, and without the mark of a weak one.
    fn opaque(&self) -> &str {
        self.0.strip_prefix("W/").unwrap_or(&self.0).trim_matches('"')
    }

    /// The eTag, with the quotes that it has.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A referral as it stood when it was read. Members unknown to this program are carried along.
#[derive(Debug, Clone)]
pub struct Snapshot<'a> {
    id: ReferralId,
    etag: Option<ETag>,
    json: &'a str,
    members: Object<'a>,
    /// What is in [`DETAILS`], read when it is first asked for.
    details: OnceCell<Option<Object<'a>>>,
}

/// The member that most fields lie in, so that it is asked for again and again.
const DETAILS: &str = "details";

/// Why a text is no referral.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// No JSON, or no object.
    #[error("no JSON object")]
    NoObject,
    /// There is no `id`, or it is no GUID.
    #[error("no \"id\" that is a GUID")]
    NoId,
    /// More levels than any referral has.
    #[error("nested more than {} levels deep", json::MAX_DEPTH)]
    TooDeep,
}

impl<'a> Snapshot<'a> {
    /// Reads a referral from its JSON text.
    ///
    /// # Errors
    /// See [`SnapshotError`]. An eTag that couldn't be sent back counts as absent.
    pub fn parse(text: &'a str) -> Result<Self, SnapshotError> {
        let text = text.trim();
        let members = Object::parse(text).ok_or(SnapshotError::NoObject)?;
        if json::is_too_deep(text) {
            return Err(SnapshotError::TooDeep);
        }
        let text_of = |name: &str| members.get(name).and_then(json::string);
        let id = text_of("id").and_then(|id| id.parse().ok()).ok_or(SnapshotError::NoId)?;
        let etag = text_of("eTag").and_then(|etag| ETag::from_service(&etag).ok());
        Ok(Self { id, etag, json: text, members, details: OnceCell::new() })
    }

    /// The referral's id.
    pub fn id(&self) -> ReferralId {
        self.id
    }

    /// The version; absent from some list pages and files.
    pub fn etag(&self) -> Option<&ETag> {
        self.etag.as_ref()
    }

    /// The id of the engagement it belongs to, for telling a user who mixed the two up.
    pub fn engagement(&self) -> Option<ReferralId> {
        self.text("engagementId")?.parse().ok()
    }

    /// Where it stands.
    pub fn standing(&self) -> Standing {
        let text = |name: &str| self.text(name).unwrap_or_default();
        Standing::of(&text("status"), &text("substatus"))
    }

    /// The value at a path, which may be `null`; `None` where it is absent.
    pub fn at(&self, path: &Path) -> Option<&'a RawValue> {
        self.find(path.pointer())
    }

    /// The value that a pointer names, as [`Object::at`] finds it.
    pub fn find(&self, pointer: &Pointer) -> Option<&'a RawValue> {
        let mut inner = pointer.tokens().skip(1).peekable();
        if inner.peek().is_none() || pointer.tokens().next().is_none_or(|outermost| outermost != DETAILS) {
            return self.members.at(pointer);
        }
        let details = || self.members.get(DETAILS).and_then(Object::from_raw);
        self.details.get_or_init(details).as_ref()?.follow(inner)
    }

    /// All of it, as it was read.
    pub fn json(&self) -> &'a str {
        self.json
    }

    /// The outermost members.
    pub fn members(&self) -> &Object<'a> {
        &self.members
    }

    /// The text of an outermost member.
    pub fn text(&self, name: &str) -> Option<std::borrow::Cow<'a, str>> {
        self.members.get(name).and_then(json::string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6e";
    const OTHER: &str = "1c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6e";

    #[test]
    fn ids_are_guids_or_end_a_url() {
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

    #[test]
    fn a_snapshot_tells_null_from_absent() {
        let text = format!(r#"{{"id":"{ID}","eTag":"\"v1\"","status":"Active","details":{{"notes":null}}}}"#);
        let snapshot = Snapshot::parse(&text).unwrap();
        assert_eq!(snapshot.etag().map(ETag::as_str), Some("\"v1\""));
        let at = |field| snapshot.at(&Path::Known(field)).map(RawValue::get);
        assert_eq!(at(super::super::fields::Field::Notes), Some("null"));
        assert_eq!(at(super::super::fields::Field::DealValue), None);
        assert_eq!(Snapshot::parse("[]").unwrap_err(), SnapshotError::NoObject);
        assert_eq!(Snapshot::parse("{}").unwrap_err(), SnapshotError::NoId);
    }
}
