//! What is wanted of a referral and not there yet.

use serde_json::value::RawValue;

use super::catalogue::Rule;
use super::findings::Findings;
use crate::domain::change::{Append, Placed, Wish};
use crate::domain::fields::{Field, Kind, Path};
use crate::domain::item::Change;
use crate::domain::json;
use crate::domain::meaning;
use crate::domain::referral::Snapshot;
use crate::domain::status::Standing;
use crate::domain::value::{Wanted, element_key};

/// The changes from the referral as it stands, `None` where nobody looked, to the one wanted, in
/// sending order. Values that already mean what is wanted are left out.
pub(super) fn differences(
    wish: &Wish,
    current: Option<&Snapshot<'_>>,
    findings: &mut Findings<'_>,
) -> Vec<Change> {
    Comparison { wish, current, findings }.all()
}

struct Comparison<'a, 'r, 'f> {
    wish: &'a Wish,
    current: Option<&'a Snapshot<'r>>,
    findings: &'a mut Findings<'f>,
}

impl Comparison<'_, '_, '_> {
    fn all(&mut self) -> Vec<Change> {
        let mut changes: Vec<Change> = Vec::new();
        let wish = self.wish;
        for Placed { value: (path, wanted), .. } in &wish.sets {
            changes.extend(self.set(path, wanted));
        }
        for field in Field::all().filter(|field| field.is_list()) {
            let appends: Vec<&Placed<Append>> =
                wish.appends.iter().filter(|append| append.value.field == field).collect();
            if !appends.is_empty() {
                self.append(field, &appends, &mut changes);
            }
        }
        changes.iter().for_each(|change| self.find_cleared(change));
        changes.sort_by(|one, other| one.path.cmp(&other.path));
        changes.extend(self.stage_change());
        changes
    }

    fn set(&self, path: &Path, wanted: &Wanted) -> Option<Change> {
        let kind = path.kind();
        let before = self.current.and_then(|current| current.at(path));
        let after = match kind {
            Kind::Members | Kind::Solutions if !wanted.is_clear() => {
                meaning::overlay(kind, before, wanted.raw())
            }
            _ => wanted.raw().to_owned(),
        };
        let known = self.current.is_some();
        (!known || !meaning::same(kind, before, &after)).then(|| Change {
            path: path.clone(),
            before: before.filter(|raw| !json::is_null(raw)).map(ToOwned::to_owned),
            after,
            appended: Vec::new(),
        })
    }

    /// Adds to the end of a list: of the one that the same wish sets, or of the current one.
    fn append(&mut self, field: Field, appends: &[&Placed<Append>], changes: &mut Vec<Change>) {
        let kind = field.kind();
        let path = Path::Known(field);
        let set = changes.iter().position(|change| change.path == path).map(|at| changes.remove(at));
        let before = self.current.and_then(|current| current.at(&path)).filter(|raw| !json::is_null(raw));
        let base = set.as_ref().map(|change| change.after.clone()).or_else(|| before.map(ToOwned::to_owned));
        let list = base.as_deref().and_then(json::elements).unwrap_or_default();
        let added = self.missing(kind, &list, appends);
        if set.is_none() && added.is_empty() {
            return;
        }
        let unseen = self.current.is_none() && set.is_none();
        let whole: Vec<&RawValue> = list.into_iter().chain(added.iter().map(|element| &**element)).collect();
        let after = match set {
            // An element beside the ones that are set may be one that the service knows more about, and
            // all of them together may be what is there.
            Some(_) => meaning::overlay(kind, before, &json::raw(&whole)),
            None if unseen => json::raw(&added),
            None => json::raw(&whole),
        };
        if before.is_some() && meaning::same(kind, before, &after) {
            return;
        }
        // Growing a list is only sent as such where the list is known to be there.
        let grows = set.is_none() && (unseen || before.is_some());
        changes.push(Change {
            path,
            before: before.map(ToOwned::to_owned),
            after,
            appended: if grows { added } else { Vec::new() },
        });
    }

    /// The elements that a list lacks; what differs from an element of it is found.
    fn missing(&mut self, kind: Kind, list: &[&RawValue], appends: &[&Placed<Append>]) -> Vec<Box<RawValue>> {
        let mut missing = Vec::new();
        for Placed { value: Append { field, key, element }, place } in appends {
            let is_known = |known: &&RawValue| element_key(kind, known).is_ok_and(|known| known == *key);
            if !list.iter().any(is_known) {
                missing.push(element.clone());
            } else if !meaning::holds(kind, list, element) {
                let message = format!("{key} is on {} already, with other data", field.pointer());
                let hint = "to change an element, give the whole list";
                self.findings.add(Rule::MemberExists, *place, message, hint);
            }
        }
        missing
    }

    fn stage_change(&self) -> Vec<Change> {
        let Some(Placed { value: wanted, .. }) = &self.wish.stage else {
            return Vec::new();
        };
        let standing = self.current.map(Snapshot::standing);
        if standing.as_ref().and_then(Standing::stage) == Some(*wanted) {
            return Vec::new();
        }
        [(Field::Status, wanted.status().name()), (Field::Substatus, wanted.substatus())]
            .map(|(field, name)| {
                let path = Path::Known(field);
                let before = self.current.and_then(|current| current.at(&path));
                let before = before.filter(|raw| !json::is_null(raw)).map(ToOwned::to_owned);
                Change { path, before, after: json::raw(name), appended: Vec::new() }
            })
            .into()
    }

    /// A `null` within a value takes away what is there only with leave to clear, as one in place of the
    /// value does.
    fn find_cleared(&mut self, change: &Change) {
        let Some(set) = self.wish.sets.iter().find(|set| set.value.0 == change.path) else { return };
        let nothing_there = self.current.is_some() && change.before.is_none();
        if set.value.1.may_clear() || set.value.1.is_clear() || nothing_there {
            return;
        }
        let before = change.before.as_deref();
        if let Some(name) = meaning::cleared(change.path.kind(), before, &change.after) {
            let message = format!("{}: {name} would be cleared", change.path);
            let hint = "allow it with --clear; to leave it alone, leave it out";
            self.findings.add(Rule::Clear, set.place, message, hint);
        }
    }
}
