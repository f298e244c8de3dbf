//! Writes the document: the operations that turn the current referral into the wanted one.
//!
//! Only `add` and `replace` are written: RFC 6902 has more operations, but the service accepts no others.
//! `replace` needs the member to exist, and a member that is `null` does; `add` creates it, and needs its
//! parent. So the operation follows from the referral and not from what the user wrote: an approved change
//! brings the [`PathState`] of its place along. A parent is created only for an [`Absence`] in it, which only the
//! snapshot of a whole referral can give.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Map;
use serde_json::value::RawValue;

use crate::domain::item::Change;
use crate::domain::json;
use crate::domain::pointer::Pointer;
use crate::domain::rules::{Approved, PlacedChange};
use crate::domain::snapshot::{Absence, PathState};

/// A document and its changes.
pub struct Document {
    /// The JSON Patch array.
    pub patch: Box<RawValue>,
    /// The changes in the order of the document.
    pub changes: Vec<Change>,
}

/// Writes the document of an approved change. If the referral was not read, every operation is an `add`,
/// which works whether or not the member exists.
///
/// Elements are appended by one `add …/-` each only under an eTag, or if the list was not read. Repeating
/// such a document after a lost answer would add the elements twice, so without an eTag a known list is
/// replaced as a whole.
pub fn document(approved: Approved) -> Document {
    let unguarded = approved.etag().is_none();
    let mut changes = approved.into_placed();
    for PlacedChange { change, path_state } in &mut changes {
        if unguarded && path_state.is_seen() {
            change.appended.clear();
        }
    }
    let mut writer = DocumentWriter { made: BTreeSet::new(), parents: Vec::new(), operations: Vec::new() };
    changes.iter().for_each(|PlacedChange { change, path_state }| writer.change(change, path_state));
    let DocumentWriter { mut parents, mut operations, .. } = writer;
    parents.append(&mut operations);
    let patch = json::raw(&parents);
    Document { patch, changes: changes.into_iter().map(|PlacedChange { change, .. }| change).collect() }
}

/// One operation as it is sent.
#[derive(Serialize)]
struct DocumentOperation<'c> {
    op: &'static str,
    path: Cow<'c, str>,
    value: Cow<'c, RawValue>,
}

/// Collects the operations of a document: those that create parents go before all others.
struct DocumentWriter<'c> {
    made: BTreeSet<&'c Pointer>,
    parents: Vec<DocumentOperation<'c>>,
    operations: Vec<DocumentOperation<'c>>,
}

impl<'c> DocumentWriter<'c> {
    /// Writes the operations of one change.
    fn change(&mut self, change: &'c Change, path_state: &'c PathState) {
        let pointer = change.path.pointer();
        if !change.appended.is_empty() {
            for element in &change.appended {
                let path = Cow::Owned(format!("{pointer}/-"));
                self.operations.push(DocumentOperation { op: "add", path, value: Cow::Borrowed(element) });
            }
            return;
        }
        path_state.missing().iter().for_each(|absence| self.make(absence));
        self.operations.push(DocumentOperation {
            op: if path_state.is_there() { "replace" } else { "add" },
            path: Cow::Borrowed(pointer.as_str()),
            value: Cow::Borrowed(&change.after),
        });
    }

    /// Writes the operation that creates a missing object, once per object.
    fn make(&mut self, absence: &'c Absence) {
        if self.made.insert(absence.pointer()) {
            let op = if absence.is_null() { "replace" } else { "add" };
            let path = Cow::Borrowed(absence.pointer().as_str());
            self.parents.push(DocumentOperation { op, path, value: Cow::Owned(json::raw(&Map::new())) });
        }
    }
}
