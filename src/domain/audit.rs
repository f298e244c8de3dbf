//! The audit of a migration: the class of each legacy PUT payload, and what it would have overwritten.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pointer::Pointer;

/// The class of a payload.
///
/// The first of these that applies: `Invalid` if it is no referral; `NoChange` if nothing differs; `Closed`;
/// `Stale`; `NotExpressible`; `Invalid` if a rule denies it; `NoChange` if nothing of what differs is to be sent;
/// otherwise `Safe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[schemars(description = "The class of a payload in the audit.")]
pub enum Class {
    /// Nothing differs that a PATCH would carry.
    NoChange,
    /// A PATCH carries every difference.
    Safe,
    /// It was made from another version than the current one, or from an unknown one.
    Stale,
    /// The referral is closed, and the payload differs from it.
    Closed,
    /// It differs at a path that is not documented as patchable.
    NotExpressible,
    /// It is no referral, or against a rule; or another payload for the same referral came before it.
    Invalid,
    /// It is valid, but there was no referral to compare it with: the referral could not be read, is not in the
    /// snapshot or shown there in part, or the run was stopped before it was read.
    NotCompared,
}

impl Class {
    /// Every class, in the order in which reports list them.
    pub const ALL: [Self; 7] = [
        Self::NoChange,
        Self::Safe,
        Self::Stale,
        Self::Closed,
        Self::NotExpressible,
        Self::Invalid,
        Self::NotCompared,
    ];

    /// Returns the name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoChange => "no change",
            Self::Safe => "safe",
            Self::Stale => "stale",
            Self::Closed => "closed",
            Self::NotExpressible => "not expressible",
            Self::Invalid => "invalid",
            Self::NotCompared => "not compared",
        }
    }

    /// Describes the class in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NoChange => "the referral is so already",
            Self::Safe => "a PATCH carries every difference that is to be sent",
            Self::Stale => "made from another version than the current one, or from an unknown one",
            Self::Closed => "differs, and the referral is closed",
            Self::NotExpressible => "differs at a path that is not documented as patchable",
            Self::Invalid => "no referral, against a rule, or a second payload for its referral",
            Self::NotCompared => "there was no referral to compare it with",
        }
    }
}

/// The audit of one payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Its class.
    pub class: Class,
    /// The length of the PUT's body in bytes, as JSON on one line; 0 where there was no referral to compare it with.
    pub put_bytes: u64,
    /// The length in bytes of the document that is sent instead; 0 where none is.
    pub patch_bytes: u64,
    /// The fields that the document changes.
    pub changed: Vec<Pointer>,
    /// The places where the PUT of a stale payload would have overwritten a newer value, or may have.
    pub overwritten: Vec<Pointer>,
}

impl Audit {
    /// Makes the audit of a payload that was not compared with a referral.
    pub fn uncompared(class: Class) -> Self {
        Self { class, put_bytes: 0, patch_bytes: 0, changed: Vec::new(), overwritten: Vec::new() }
    }

    /// Whether a PATCH replaces the PUT, or nothing has to be sent.
    pub fn is_replaced(&self) -> bool {
        self.patch_bytes > 0 || self.class == Class::NoChange
    }
}
