//! Writing the document: which operations turn the referral as it stands into the one wanted.
//!
//! Only `add` and `replace` exist (RFC 6902 has more, the service takes no more). `replace` needs
//! the member to be there, and a member that is `null` is there; `add` creates it, and needs its
//! parent. So the choice follows from the referral, never from what the user wrote: an approved change
//! brings its [`PathState`] along, and a parent is created for an [`Absence`] in it alone, which only a referral
//! that was seen whole has to give.

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

/// A document and what it changes.
pub struct Document {
    /// The JSON Patch array.
    pub patch: Box<RawValue>,
    /// The changes in the order of the document.
    pub changes: Vec<Change>,
}

/// Writes the document of an approved change. Where nobody looked at the referral every operation is an
/// `add`, which works whether or not the member is there.
///
/// A list that grows is sent as one `add …/-` per element only under an eTag, or where the list
/// isn't known: repeating such a document after a lost answer would add the elements twice, so
/// without an eTag the list is replaced as a whole.
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
struct PatchOperation<'c> {
    op: &'static str,
    path: Cow<'c, str>,
    value: Cow<'c, RawValue>,
}

struct DocumentWriter<'c> {
    made: BTreeSet<&'c Pointer>,
    parents: Vec<PatchOperation<'c>>,
    operations: Vec<PatchOperation<'c>>,
}

impl<'c> DocumentWriter<'c> {
    fn change(&mut self, change: &'c Change, path_state: &'c PathState) {
        let pointer = change.path.pointer();
        if !change.appended.is_empty() {
            for element in &change.appended {
                let path = Cow::Owned(format!("{pointer}/-"));
                self.operations.push(PatchOperation { op: "add", path, value: Cow::Borrowed(element) });
            }
            return;
        }
        path_state.missing().iter().for_each(|absence| self.make(absence));
        self.operations.push(PatchOperation {
            op: if path_state.is_there() { "replace" } else { "add" },
            path: Cow::Borrowed(pointer.as_str()),
            value: Cow::Borrowed(&change.after),
        });
    }

    /// Makes an object where there is none.
    fn make(&mut self, absence: &'c Absence) {
        if self.made.insert(absence.pointer()) {
            let op = if absence.is_null() { "replace" } else { "add" };
            let path = Cow::Borrowed(absence.pointer().as_str());
            self.parents.push(PatchOperation { op, path, value: Cow::Owned(json::raw(&Map::new())) });
        }
    }
}
