//! An item: the one document that is sent for a referral, and what it changes.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::fields::Path;
use super::finding::Finding;
use super::meaning;
use super::referral::{ETag, ReferralId, Snapshot};

/// One field's change, with both of its sides.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    /// The field.
    pub path: Path,
    /// Its value as planned from; `None` where it was absent or null, or was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<RawValue>>,
    /// The value it gets. For an append whose list was not looked at: the new elements alone.
    pub after: Box<RawValue>,
    /// The elements that are put at the end of the list; empty where the field is set as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub appended: Vec<Box<RawValue>>,
}

impl Change {
    /// Whether a referral that was read back has another value than the one that was planned from. It
    /// cannot be told where none was there, or nobody looked.
    pub fn is_overtaken_in(&self, snapshot: &Snapshot<'_>) -> bool {
        let differs = |before| !meaning::same(self.path.kind(), snapshot.at(&self.path), before);
        self.before.as_deref().is_some_and(differs)
    }

    /// Whether a referral that was read back carries this change.
    pub fn is_carried_by(&self, snapshot: &Snapshot<'_>) -> bool {
        let current = snapshot.at(&self.path);
        let kind = self.path.kind();
        if self.appended.is_empty() {
            return meaning::carries(kind, current, &self.after);
        }
        let list = current.and_then(super::json::elements).unwrap_or_default();
        self.appended.iter().all(|element| meaning::holds(kind, &list, element))
    }

    /// Whether a referral that was read back still has the value that was planned from.
    pub fn is_untouched_in(&self, snapshot: &Snapshot<'_>) -> bool {
        let current = snapshot.at(&self.path);
        match &self.before {
            Some(before) => meaning::same(self.path.kind(), current, before),
            None => current.is_none_or(super::json::is_null),
        }
    }
}

/// What carrying an item out means for the referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Another change can set the old values again.
    Reversible,
    /// It closes the referral: no documented way leads back.
    OneWay,
    /// Nothing would change; nothing is sent.
    Unchanged,
}

/// Everything that is sent for one referral, and why.
#[derive(Debug, Clone)]
pub struct Item {
    /// The item's number: the ordinal of its first row in the run, counted from 1.
    pub number: u64,
    /// The referral.
    pub id: ReferralId,
    /// The version it was planned from; sent as `If-Match`.
    pub etag: Option<ETag>,
    /// The same in every attempt, so that a service that remembers it can tell a repetition.
    pub request_id: Uuid,
    /// The JSON Patch document, as it is sent.
    pub patch: Box<RawValue>,
    /// What it changes, field by field, in the order of the document.
    pub changes: Vec<Change>,
    /// What carrying it out means.
    pub effect: Effect,
    /// What was found about it.
    pub findings: Vec<Finding>,
}

impl Item {
    /// Whether sending the document twice leaves the same state as sending it once. It does not where
    /// the document puts
    /// an element at the end of a list and no eTag guards it.
    pub fn is_repeatable(&self) -> bool {
        self.etag.is_some() || self.changes.iter().all(|change| change.appended.is_empty())
    }

    /// Whether a referral that was read back has another value than planned from in any place.
    pub fn is_overtaken_in(&self, snapshot: &Snapshot<'_>) -> bool {
        self.changes.iter().any(|change| change.is_overtaken_in(snapshot))
    }

    /// Whether a referral that was read back carries all of it.
    pub fn is_carried_by(&self, snapshot: &Snapshot<'_>) -> bool {
        self.changes.iter().all(|change| change.is_carried_by(snapshot))
    }

    /// Whether a referral that was read back still has every value that was planned from.
    pub fn is_untouched_in(&self, snapshot: &Snapshot<'_>) -> bool {
        self.changes.iter().all(|change| change.is_untouched_in(snapshot))
    }
}
