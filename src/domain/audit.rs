//! The audit of a migration: what each legacy PUT payload comes to.

use serde::{Deserialize, Serialize};

use super::pointer::Pointer;

/// What a payload comes to: the first of these that applies. It is no referral: `Invalid`. Nothing
/// differs: `NoChange`. Then `Closed`, `Stale` and `NotExpressible`. A rule denies it: `Invalid`. Nothing
/// of what differs is to be sent: `NoChange`. Anything else is `Safe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Nothing differs that a PATCH would carry.
    NoChange,
    /// A PATCH carries every difference.
    Safe,
    /// It was made from another version than the current one, or from an unknown one.
    Stale,
    /// The referral is closed, and the payload differs from it.
    Closed,
    /// It differs at a path of which nobody says that it can be patched.
    NotExpressible,
    /// Not in the form of a referral, or against a rule; or another payload for the same referral came
    /// before it.
    Invalid,
    /// It is sound, and there was no referral to compare it with: it could not be read, or is not in the
    /// snapshot or shown there in part, or the run was stopped before it was looked at.
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

    /// The name in reports.
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

    /// What it means, in few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NoChange => "the referral is so already",
            Self::Safe => "a PATCH carries every difference that is to be sent",
            Self::Stale => "made from another version than the current one, or from an unknown one",
            Self::Closed => "differs, and the referral is closed",
            Self::NotExpressible => "differs where nobody says that PATCH can",
            Self::Invalid => "no referral, against a rule, or a second payload for its referral",
            Self::NotCompared => "there was no referral to compare it with",
        }
    }
}

/// What one payload adds to the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// What it comes to.
    pub class: Class,
    /// How long the body of the PUT is, on one line; 0 where no referral was there to compare it with.
    pub put_bytes: u64,
    /// How long the document is that is sent instead; 0 where none is.
    pub patch_bytes: u64,
    /// The fields that the document changes.
    pub changed: Vec<Pointer>,
    /// The places where the PUT would have overwritten a newer value, or may have: only of a stale
    /// payload.
    pub overwritten: Vec<Pointer>,
}

impl Audit {
    /// The audit of a payload that was compared with nothing.
    pub fn uncompared(class: Class) -> Self {
        Self { class, put_bytes: 0, patch_bytes: 0, changed: Vec::new(), overwritten: Vec::new() }
    }

    /// Whether a PATCH takes the place of the PUT, or nothing has to.
    pub fn is_replaced(&self) -> bool {
        self.patch_bytes > 0 || self.class == Class::NoChange
    }
}
