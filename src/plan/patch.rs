//! Writing the document: which operations turn the referral as it stands into the one wanted.
//!
//! Only `add` and `replace` exist (RFC 6902 has more, the service takes no more). `replace` needs
//! the member to be there, and a member that is `null` is there; `add` creates it, and needs its
//! parent. So the choice follows from the referral, never from what the user wrote.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Map;
use serde_json::value::RawValue;

use crate::domain::item::Change;
use crate::domain::json;
use crate::domain::pointer::Pointer;
use crate::domain::referral::Snapshot;
use crate::domain::rules::Approved;

/// A document and what it changes.
pub struct Document {
    /// The JSON Patch array.
    pub patch: Box<RawValue>,
    /// The changes in the order of the document.
    pub changes: Vec<Change>,
}

/// Writes the document of an approved change. `current` is the state it was approved for, `None`
/// where nobody looked: then every operation is an `add`, which works whether or not the member is
/// there.
///
/// A list that grows is sent as one `add …/-` per element only under an eTag, or where the list
/// isn't known: repeating such a document after a lost answer would add the elements twice, so
/// without an eTag the list is replaced as a whole.
pub fn document(approved: Approved, current: Option<&Snapshot<'_>>) -> Document {
    let unguarded = approved.etag().is_none();
    let mut changes = approved.into_changes();
    if unguarded && current.is_some() {
        changes.iter_mut().for_each(|change| change.appended.clear());
    }
    let mut writer = Writer { current, made: BTreeSet::new(), parents: Vec::new(), operations: Vec::new() };
    changes.iter().for_each(|change| writer.change(change));
    let Writer { mut parents, mut operations, .. } = writer;
    parents.append(&mut operations);
    Document { patch: json::raw(&parents), changes }
}

/// One operation as it is sent.
#[derive(Serialize)]
struct Operation<'c> {
    op: &'static str,
    path: Cow<'c, str>,
    value: Cow<'c, RawValue>,
}

struct Writer<'a, 'r, 'c> {
    current: Option<&'a Snapshot<'r>>,
    made: BTreeSet<Pointer>,
    parents: Vec<Operation<'c>>,
    operations: Vec<Operation<'c>>,
}

impl<'c> Writer<'_, '_, 'c> {
    fn change(&mut self, change: &'c Change) {
        let pointer = change.path.pointer();
        if !change.appended.is_empty() {
            for element in &change.appended {
                let path = Cow::Owned(format!("{pointer}/-"));
                self.operations.push(Operation { op: "add", path, value: Cow::Borrowed(element) });
            }
            return;
        }
        self.make_parents(pointer);
        let present = self.current.is_some_and(|current| current.find(pointer).is_some());
        self.operations.push(Operation {
            op: if present { "replace" } else { "add" },
            path: Cow::Borrowed(pointer.as_str()),
            value: Cow::Borrowed(&change.after),
        });
    }

    fn make_parents(&mut self, pointer: &Pointer) {
        let Some(current) = self.current else { return };
        for parent in pointer.parents() {
            let op = match current.find(&parent) {
                None => "add",
                Some(raw) if json::is_null(raw) => "replace",
                Some(_) => continue,
            };
            let path = Cow::Owned(parent.as_str().to_owned());
            if self.made.insert(parent) {
                let value = Cow::Owned(json::raw(&Map::new()));
                self.parents.push(Operation { op, path, value });
            }
        }
    }
}
