//! Keys: what a row names its referral by in place of the referral's id, and when two of them are the same.
//!
//! Keys compare by their trimmed text, exactly. Two sorts have more than one spelling: a GUID may stand in
//! braces and in either case, as Dynamics 365 writes it, and a Salesforce id has 15 characters in reports and
//! three more in what its API gives, which say where the 15 have capitals. Only with three that say so are both
//! one id. Nothing else is taken for the same: two keys that differ in zeros at their beginning are two keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The field that rows name their referrals by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MatchField {
    /// The partner's own reference, such as the id of the deal in their CRM.
    ExternalReferenceId,
    /// The engagement, which several referrals can share.
    EngagementId,
}

impl MatchField {
    /// Returns the name of the field.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExternalReferenceId => "externalReferenceId",
            Self::EngagementId => "engagementId",
        }
    }
}

/// How a key led to a referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MatchWay {
    /// It is the referral's own id.
    Id,
    /// It is the partner's reference.
    ExternalReferenceId,
    /// It is the id of the engagement.
    EngagementId,
}

impl MatchWay {
    /// Returns the name of the field that the key is looked for in.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::ExternalReferenceId => MatchField::ExternalReferenceId.name(),
            Self::EngagementId => MatchField::EngagementId.name(),
        }
    }
}

impl From<MatchField> for MatchWay {
    fn from(field: MatchField) -> Self {
        match field {
            MatchField::ExternalReferenceId => Self::ExternalReferenceId,
            MatchField::EngagementId => Self::EngagementId,
        }
    }
}

/// The key that led from a row to its referral.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// The key as the row gives it.
    pub key: String,
    /// How it led there.
    pub way: MatchWay,
}

/// A key, trimmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(Box<str>);

/// The lengths of a Salesforce id: in a report, and with the three characters more.
const SHORT: usize = 15;
const LONG: usize = 18;

/// What the three characters are of: each stands for five of the 15, by the sum of 1, 2, 4, 8 and 16 for those of
/// them that are capitals.
const CHECKS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

impl Key {
    /// Takes a text as a key. `None` where there is nothing in it.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.into()))
    }

    /// Returns the key as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether both are the same key.
    pub fn fits(&self, other: &Self) -> bool {
        let (one, other) = (&*self.0, &*other.0);
        if one == other {
            return true;
        }
        match (guid(one), guid(other)) {
            (Some(one), Some(other)) => one == other,
            (None, None) => match (one.len(), other.len()) {
                (SHORT, LONG) => short_form(other).is_some_and(|short| *short == *one),
                (LONG, SHORT) => short_form(one).is_some_and(|short| *short == *other),
                _ => false,
            },
            _ => false,
        }
    }

    /// Returns a text that all keys share which fit this one, and few others do, to look them up by.
    pub fn stem(&self) -> Box<str> {
        let text = &*self.0;
        match guid(text) {
            Some(guid) => guid.to_string().into(),
            None => short_form(text).unwrap_or_else(|| text.into()),
        }
    }

    /// Returns a text that keys share which would be the same but for letter case, white space and zeros at their
    /// beginning: what a spreadsheet or a person makes of one. It is for hints alone.
    pub fn outline(&self) -> Box<str> {
        let stem = self.stem();
        let letters = stem.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase);
        letters.collect::<String>().trim_start_matches('0').into()
    }
}

/// Returns the GUID that a text is, with or without braces.
fn guid(text: &str) -> Option<Uuid> {
    const HYPHENATED: usize = 36;
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    Uuid::try_parse(bare).ok().filter(|_| bare.len() == HYPHENATED)
}

/// Returns the 15 characters of a Salesforce id that has 18, in whatever case it is written: the last three say which
/// of them are capitals. `None` where they say so of what is no letter, and for any other text.
fn short_form(text: &str) -> Option<Box<str>> {
    let bytes = text.as_bytes();
    if bytes.len() != LONG || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let (id, checks) = bytes.split_at(SHORT);
    let mut short = String::with_capacity(SHORT);
    for (five, check) in id.chunks(5).zip(checks) {
        let capitals = CHECKS.iter().position(|known| known.eq_ignore_ascii_case(check))?;
        for (at, byte) in five.iter().enumerate() {
            let is_capital = capitals >> at & 1 == 1;
            if is_capital && !byte.is_ascii_alphabetic() {
                return None;
            }
            let byte = if is_capital { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
            short.push(char::from(byte));
        }
    }
    Some(short.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::new(text).unwrap()
    }

    const GUID: &str = "6f1e0001-0000-4000-8000-0000000000ab";

    #[test]
    fn keys_are_the_same_or_they_are_not() {
        let braced = format!("{{{}}}", GUID.to_uppercase());
        for (one, other, same) in [
            ("CRM-1001", "CRM-1001", true),
            (" CRM-1001\u{a0}\n", "CRM-1001", true),
            ("CRM-1001", "crm-1001", false),
            ("CRM-1001", "CRM 1001", false),
            ("000123", "123", false),
            ("123", "123.0", false),
            ("é", "e\u{301}", false),
            (GUID, &braced, true),
            (GUID, &GUID.to_uppercase(), true),
            (GUID, &format!("{{{GUID}"), false),
            (GUID, &GUID.replace('-', ""), false),
            (GUID, "6f1e0001-0000-4000-8000-0000000000ac", false),
            // Salesforce: 15 characters, or 18, of which the last three say where the capitals are.
            ("0065e00000AbCdE", "0065e00000AbCdEAAV", true),
            ("0065e00000AbCdEAAV", "0065e00000AbCdEAAV", true),
            ("0065e00000AbCdE", "0065E00000ABCDEAAV", true),
            ("0065e00000AbCdE", "0065e00000abcdeaav", true),
            ("0065e00000AbCdE", "0065e00000aBcDeAAV", true),
            ("0065e00000abcde", "0065e00000abcdeAAA", true),
            ("ABCDEFGHIJKLMNO", "ABCDEFGHIJKLMNO555", true),
            ("0065e00000AbCdE", "0065e00000aBcDeAAK", false),
            ("0065e00000aBcDe", "0065e00000aBcDeAAK", true),
            // Three characters that say otherwise, or of digits that they are capitals, or are none of theirs.
            ("0065e00000AbCdE", "0065e00000AbCdEAAW", false),
            ("0065e00000AbCdE", "0065e00000AbCdEABV", false),
            ("0065e00000AbCdE", "0065e00000AbCdEAA6", false),
            ("0065E00000AbCdE", "0065e00000AbCdEAAV", false),
            ("INV202600000123", "INV202600000123001", false),
            ("INV202600000123", "INV202600000123AAA", false),
            ("INV202600000123", "INV202600000123HAA", true),
            ("123456789012345", "123456789012345678", false),
            ("PROJECT-2026-00", "PROJECT-2026-00123", false),
            ("0065e00000AbCdE", "0065e00000AbCdF", false),
            // Of two long ones, nothing is cut off.
            ("DEAL00000000000001", "DEAL00000000000002", false),
            ("0065e00000AbCdEAAV", "0065e00000aBcDeAAV", false),
            ("0065e00000AbCd", "0065e00000AbCdEA", false),
            ("0065e00000AbC-E", "0065e00000AbC-EAAV", false),
            ("0065e00000AbCdé", "0065e00000AbCdéAAV", false),
        ] {
            let (one, other) = (key(one), key(other));
            for (one, other) in [(&one, &other), (&other, &one)] {
                assert_eq!(one.fits(other), same, "{one:?} {other:?}");
                assert!(!same || one.stem() == other.stem(), "{one:?} {other:?}");
            }
        }
        for empty in ["", " ", "\u{a0}\t"] {
            assert_eq!(Key::new(empty), None);
        }
    }

    #[test]
    fn what_is_nearly_a_key_has_its_outline() {
        for (one, other, same) in [
            ("000123", "123", true),
            ("crm-1001", "CRM-1001", true),
            ("CRM 1001", "CRM1001", true),
            ("0065e00000AbCdE", "0065e00000aBcDeAAK", true),
            ("INV202600000123", "INV202600000123001", false),
            ("123", "1230", false),
            ("CRM-1001", "CRM-1002", false),
        ] {
            assert_eq!(key(one).outline() == key(other).outline(), same, "{one} {other}");
        }
    }
}
