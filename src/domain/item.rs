//! Items: the one document that is sent for a referral, and what it changes.
//!
//! An item also answers what a referral that was read back shows of it. The questions differ in how much they
//! ask for: *carried* (the value is there, whoever wrote it), *shown* (it is there and was not before, so it was
//! written), *untouched* (the value from before is still there), *overtaken* (another value is there).
//! Each is answered from what the snapshot shows alone: an unseen member proves nothing.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::equality;
use super::excerpt::excerpt_json;
use super::fields::Path;
use super::finding::Finding;
use super::json;
use super::referral::{ETag, ReferralId};
use super::snapshot::Snapshot;
use super::value::element_key;

/// A change of one field, with the value from before and the new one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    /// The field.
    pub path: Path,
    /// The value that was planned from; `None` where it was absent or null, or was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<RawValue>>,
    /// The value to be set. For an append whose list was not read: the new elements alone.
    pub after: Box<RawValue>,
    /// The elements to be added at the end of the list; empty where the field is set as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub appended: Vec<Box<RawValue>>,
    /// What the file has that the input was made from, if that is known; of an item alone that planning found in
    /// conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<InBase>,
    /// Whether a GET of the whole referral showed the elements that it drops from a list; missing from ledgers of an
    /// earlier version.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_whole: bool,
}

/// The value that a field has in the file that the input was made from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InBase {
    /// The value; `None` where the field has none there.
    pub value: Option<Box<RawValue>>,
}

impl Change {
    /// Whether it drops elements from a list: those that an element of the same key takes the place of stay, and one
    /// without a key stays where the very same is there.
    pub fn drops_elements(&self) -> bool {
        let kind = self.path.kind();
        if kind.key_member().is_none() || !self.appended.is_empty() {
            return false;
        }
        let keys = |list: &RawValue| -> Vec<String> {
            let elements = json::elements(list).unwrap_or_default();
            let key =
                |element: &RawValue| element_key(kind, element).unwrap_or_else(|_| element.get().to_owned());
            elements.into_iter().map(key).collect()
        };
        let mut kept = keys(&self.after);
        self.before.as_deref().is_some_and(|before| {
            keys(before).into_iter().any(|key| match kept.iter().position(|known| *known == key) {
                Some(at) => {
                    kept.swap_remove(at);
                    false
                }
                None => true,
            })
        })
    }

    /// Whether a snapshot shows the field of this change. If it doesn't, none of the other questions is
    /// answered with yes.
    pub fn is_seen_in(&self, snapshot: &Snapshot<'_>) -> bool {
        snapshot.at(&self.path).known().is_ok()
    }

    /// Whether a referral that was read back has another value than the one that was planned from. This
    /// cannot be told where there was no value, or it was not read.
    pub fn is_overtaken_in(&self, snapshot: &Snapshot<'_>) -> bool {
        let Ok(current) = snapshot.at(&self.path).known() else { return false };
        let differs = |before| !equality::same(self.path.kind(), current, before);
        self.before.as_deref().is_some_and(differs)
    }

    /// Whether a referral that was read back carries this change.
    pub fn is_carried_by(&self, snapshot: &Snapshot<'_>) -> bool {
        let Ok(current) = snapshot.at(&self.path).known() else { return false };
        let kind = self.path.kind();
        if self.appended.is_empty() {
            return equality::carries(kind, current, &self.after);
        }
        let list = current.and_then(json::elements).unwrap_or_default();
        self.appended.iter().all(|element| equality::holds(kind, &list, element))
    }

    /// Whether a referral that was read back shows that this change was made: it has exactly the meaning
    /// that was wanted, or carries the change and no longer has the value that was planned from.
    /// Carrying alone proves nothing where the old value carries the change too, as when only the order of
    /// a list changes.
    pub fn is_shown_by(&self, snapshot: &Snapshot<'_>) -> bool {
        let Ok(current) = snapshot.at(&self.path).known() else { return false };
        equality::same(self.path.kind(), current, &self.after)
            || self.is_carried_by(snapshot) && !self.is_untouched_in(snapshot)
    }

    /// Whether a referral that was read back has some of the elements to be appended to a list that had none
    /// of them.
    fn is_begun_in(&self, snapshot: &Snapshot<'_>) -> bool {
        let kind = self.path.kind();
        let Some(known) = self.before.as_deref().and_then(json::elements) else { return false };
        let current = snapshot.at(&self.path).known().ok().flatten();
        let current = current.and_then(json::elements).unwrap_or_default();
        let is_new = |element: &RawValue| !equality::holds(kind, &known, element);
        self.appended.iter().any(|element| is_new(element) && equality::holds(kind, &current, element))
    }

    /// Whether a referral that was read back still has the value that was planned from. Null, an empty text
    /// and an absent member count as the same: a service may answer with another of them each time.
    pub fn is_untouched_in(&self, snapshot: &Snapshot<'_>) -> bool {
        let Ok(current) = snapshot.at(&self.path).known() else { return false };
        match &self.before {
            Some(before) => equality::same(self.path.kind(), current, before),
            None => equality::same(self.path.kind(), current, &json::raw(&())),
        }
    }
}

/// A change that the service did not take as it was sent.
#[derive(Debug, Clone, Copy)]
pub struct NotTaken<'i, 's> {
    /// What was sent.
    pub change: &'i Change,
    /// The value that the referral has instead; `None` where it has none.
    pub kept: Option<&'s RawValue>,
}

/// As in `/statusReason: sent "Budget cut", kept nothing`.
impl fmt::Display for NotTaken<'_, '_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { change, kept } = self;
        let sent = match change.appended.as_slice() {
            [] => excerpt_json(&change.after),
            appended => excerpt_json(&json::raw(appended)),
        };
        let kept = kept.map_or_else(|| "nothing".to_owned(), excerpt_json);
        write!(out, "{}: sent {sent}, kept {kept}", change.path)
    }
}

/// Whether what an item does to the referral can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Another change can set the old values again.
    Reversible,
    /// It closes the referral: no documented transition leads back.
    OneWay,
    /// It changes nothing, so nothing is sent.
    Unchanged,
}

impl Effect {
    /// Returns the name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reversible => "reversible",
            Self::OneWay => "one-way",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Everything that is to be sent for one referral, with the findings about it.
#[derive(Debug, Clone)]
pub struct Item {
    /// The item's number: the ordinal of its first row in the run, counted from 1.
    pub number: u64,
    /// The referral.
    pub id: ReferralId,
    /// The version it was planned from; sent as `If-Match`.
    pub etag: Option<ETag>,
    /// Whether the input names that version, rather than planning having found it.
    pub is_bound: bool,
    /// The `request-id` of the change: the same in every attempt, so a service that remembers it can recognise a
    /// repetition.
    pub request_id: Uuid,
    /// The JSON Patch document (RFC 6902), as it is sent; `[]` where nothing is.
    pub patch: Box<RawValue>,
    /// The changes, one per field, in the order of the document.
    pub changes: Vec<Change>,
    /// Whether it can be undone.
    pub effect: Effect,
    /// The findings about it.
    pub findings: Vec<Finding>,
}

impl Item {
    /// Whether sending the document twice leaves the same state as sending it once. It does not where it
    /// appends to a list without an eTag: the elements would be added twice.
    pub fn is_repeatable(&self) -> bool {
        self.etag.is_some() || self.changes.iter().all(|change| change.appended.is_empty())
    }

    /// Whether a referral that was read back has, in any field, another value than was planned from.
    pub fn is_overtaken_in(&self, snapshot: &Snapshot<'_>) -> bool {
        self.changes.iter().any(|change| change.is_overtaken_in(snapshot))
    }

    /// Whether a referral that was read back carries every change.
    pub fn is_carried_by(&self, snapshot: &Snapshot<'_>) -> bool {
        self.changes.iter().all(|change| change.is_carried_by(snapshot))
    }

    /// Returns the changes that a referral doesn't carry, with the values it has instead.
    pub fn not_taken<'i, 's>(&'i self, snapshot: &Snapshot<'s>) -> Vec<NotTaken<'i, 's>> {
        let missing = self.changes.iter().filter(|change| !change.is_carried_by(snapshot));
        let kept = |change: &Change| snapshot.at(&change.path).known().ok().flatten();
        missing.map(|change| NotTaken { change, kept: kept(change) }).collect()
    }

    /// Whether a snapshot shows the fields of all changes.
    pub fn is_seen_in(&self, snapshot: &Snapshot<'_>) -> bool {
        self.changes.iter().all(|change| change.is_seen_in(snapshot))
    }

    /// Whether a referral carries any of the changes, whether or not it did before.
    pub fn is_partly_carried_by(&self, snapshot: &Snapshot<'_>) -> bool {
        self.changes.iter().any(|change| change.is_carried_by(snapshot) || change.is_begun_in(snapshot))
    }

    /// Whether a referral that was read back shows that a part of the document was written: a wanted value
    /// where the plan saw another.
    pub fn is_partly_shown_by(&self, snapshot: &Snapshot<'_>) -> bool {
        self.changes.iter().any(|change| {
            self.was_seen(change) && change.is_carried_by(snapshot) && !change.is_untouched_in(snapshot)
                || change.is_begun_in(snapshot)
        })
    }

    /// Whether a referral that was read back carries a change of a field that planning had not read: it may have
    /// been written, or have had that value before.
    pub fn may_be_partly_in(&self, snapshot: &Snapshot<'_>) -> bool {
        self.changes.iter().any(|change| !self.was_seen(change) && change.is_carried_by(snapshot))
    }

    /// Whether planning read the field. A version that the input doesn't name comes from reading the referral, so
    /// a field without a value from before had none.
    pub fn was_seen(&self, change: &Change) -> bool {
        change.before.is_some() || self.etag.is_some() && !self.is_bound
    }

    /// Whether a referral that was read back shows that the document was written: it carries every change,
    /// and at least one of them shows. A document is applied as a whole, so the others were made with that one.
    pub fn is_shown_by(&self, snapshot: &Snapshot<'_>) -> bool {
        self.is_carried_by(snapshot) && self.changes.iter().any(|change| change.is_shown_by(snapshot))
    }

    /// Whether a referral that was read back still has every value that was planned from.
    pub fn is_untouched_in(&self, snapshot: &Snapshot<'_>) -> bool {
        self.changes.iter().all(|change| change.is_untouched_in(snapshot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fields::Field;

    const ID: &str = "5a1e0001-0000-4000-8000-000000000001";

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    /// A change of a field from one value to another; an empty text is an absent value.
    fn change(field: Field, before: &str, after: &str, appended: &[&str]) -> Change {
        Change {
            path: Path::Known(field),
            before: (!before.is_empty()).then(|| raw(before)),
            after: raw(after),
            appended: appended.iter().map(|element| raw(element)).collect(),
            base: None,
            is_whole: false,
        }
    }

    /// A referral whose field has a value; an empty text leaves it out.
    fn referral(field: Field, value: &str) -> String {
        if value.is_empty() {
            return format!(r#"{{"id":"{ID}"}}"#);
        }
        let names: Vec<_> = field.pointer().tokens().collect();
        let nested =
            names.iter().rev().fold(value.to_owned(), |inner, name| format!(r#"{{"{name}":{inner}}}"#));
        format!(r#"{{"id":"{ID}",{}"#, &nested[1..])
    }

    #[test]
    fn what_is_still_as_planned_from() {
        for (field, before, now, untouched) in [
            (Field::Notes, "", "", true),
            (Field::Notes, "", "null", true),
            (Field::Notes, "", r#""""#, true),
            (Field::Notes, r#""""#, "", true),
            (Field::Notes, r#""""#, "null", true),
            (Field::Notes, r#""""#, r#"" ""#, false),
            (Field::Notes, "", r#""x""#, false),
            (Field::Notes, r#""x""#, "", false),
            (Field::Notes, r#""x""#, r#""\u0078""#, true),
            (Field::Notes, r#""x""#, r#""x ""#, false),
            (Field::ClosingDateTime, "", r#""""#, true),
            (Field::ClosingDateTime, r#""2026-12-31T00:00:00Z""#, r#""2026-12-31T00:00:00.0000000Z""#, true),
            (Field::ClosingDateTime, r#""2026-12-31T00:00:00Z""#, r#""2026-12-31T00:00:00.1Z""#, false),
            (Field::DealValue, "", "null", true),
            (Field::DealValue, "", "0", false),
            (Field::DealValue, "10000", r#""10000.00""#, true),
            (Field::DealValue, r#""10000""#, "1e4", true),
            (Field::ShareConsent, "", "false", false),
            (Field::ShareConsent, "false", "null", false),
            (Field::Team, "", "[]", true),
            (Field::Team, "[]", "null", true),
            (
                Field::Team,
                r#"[{"email":"a@example.com"}]"#,
                r#"[{"title":null,"email":"a@example.com"}]"#,
                true,
            ),
            (Field::Team, r#"[{"email":"a@example.com"}]"#, "[]", false),
            (Field::Solutions, r#"[{"id":"S1"},{"id":"S2"}]"#, r#"[{"id":"S2"},{"id":"S1"}]"#, false),
        ] {
            let text = referral(field, now);
            let snapshot = Snapshot::whole(&text).unwrap();
            let got = change(field, before, "true", &[]).is_untouched_in(&snapshot);
            assert_eq!(got, untouched, "{field:?}: from {before} to {now}, in {text}");
        }
    }

    #[test]
    fn what_passes_for_new_and_old_shows_nothing() {
        let (ann, bo) = (r#"{"email":"ann@example.com"}"#, r#"{"email":"bo@example.com"}"#);
        for (field, before, after, now, carried, shown) in [
            (
                Field::Team,
                format!("[{ann},{bo}]"),
                format!("[{bo},{ann}]"),
                format!("[{ann},{bo}]"),
                true,
                false,
            ),
            (
                Field::Team,
                format!("[{ann},{bo}]"),
                format!("[{bo},{ann}]"),
                format!("[{bo},{ann}]"),
                true,
                true,
            ),
            (Field::Team, format!("[{ann}]"), format!("[{bo},{ann}]"), format!("[{ann},{bo}]"), true, true),
            (Field::Notes, r#""x""#.into(), r#""x ""#.into(), r#""x""#.into(), true, false),
            (Field::Notes, r#""y""#.into(), r#""x ""#.into(), r#""x""#.into(), true, true),
            (Field::Notes, r#""y""#.into(), r#""x""#.into(), r#""z""#.into(), false, false),
            (Field::Status, r#""New""#.into(), r#""New""#.into(), r#""New""#.into(), true, true),
        ] {
            let text = referral(field, &now);
            let snapshot = Snapshot::whole(&text).unwrap();
            let change = change(field, &before, &after, &[]);
            let got = (change.is_carried_by(&snapshot), change.is_shown_by(&snapshot));
            assert_eq!(got, (carried, shown), "{before} to {after}, found {now}");
        }
    }

    #[test]
    fn an_append_is_carried_by_any_list_that_holds_its_elements() {
        let ann = r#"{"email":"ann@example.com","firstName":"Ann"}"#;
        let bo = r#"{"email":"bo@example.com"}"#;
        let full = r#"{"firstName":"Ann","email":"ANN@example.com","title":"CTO"}"#;
        for (appended, now, carried) in [
            (vec![ann], format!("[{full}]"), true),
            (vec![ann, bo], format!("[{bo},{{\"email\":\"c@example.com\"}},{full}]"), true),
            (vec![ann, bo], format!("[{full}]"), false),
            (vec![ann], r#"[{"email":"ann@example.com","firstName":"Anna"}]"#.to_owned(), false),
            (vec![ann], "[]".to_owned(), false),
            (vec![ann], "null".to_owned(), false),
            (vec![ann], String::new(), false),
            (vec![ann], ann.to_owned(), false),
        ] {
            let text = referral(Field::CustomerTeam, &now);
            let snapshot = Snapshot::whole(&text).unwrap();
            let change = change(Field::CustomerTeam, "", "[]", &appended);
            assert_eq!(change.is_carried_by(&snapshot), carried, "{appended:?} in {text}");
        }
    }
}
