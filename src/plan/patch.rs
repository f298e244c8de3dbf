//! Writing the document: which operations turn the referral as it stands into the one wanted.
//!
//! Only `add` and `replace` exist (RFC 6902 has more, the service takes no more). `replace` needs
//! the member to be there, and a member that is `null` is there; `add` creates it, and needs its
//! parent. So the choice follows from the referral, never from what the user wrote.

use std::collections::BTreeSet;

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
pub fn document(approved: &Approved, current: Option<&Snapshot<'_>>) -> Document {
    let mut writer = Writer { current, made: BTreeSet::new(), parents: Vec::new(), operations: Vec::new() };
    let mut changes = approved.changes().to_vec();
    for change in &mut changes {
        if approved.etag().is_none() && current.is_some() {
            change.appended.clear();
        }
        writer.change(change);
    }
    let operations: Vec<String> = writer.parents.into_iter().chain(writer.operations).collect();
    let patch = RawValue::from_string(format!("[{}]", operations.join(",")))
        .expect("operations are JSON objects, joined by commas");
    Document { patch, changes }
}

struct Writer<'a> {
    current: Option<&'a Snapshot<'a>>,
    made: BTreeSet<Pointer>,
    parents: Vec<String>,
    operations: Vec<String>,
}

impl Writer<'_> {
    fn change(&mut self, change: &Change) {
        let pointer = change.path.pointer();
        if !change.appended.is_empty() {
            let end = format!("{pointer}/-");
            self.operations.extend(change.appended.iter().map(|element| operation("add", &end, element)));
            return;
        }
        self.make_parents(pointer);
        let present = self.current.is_some_and(|current| current.members().at(pointer).is_some());
        let verb = if present { "replace" } else { "add" };
        self.operations.push(operation(verb, pointer.as_str(), &change.after));
    }

    fn make_parents(&mut self, pointer: &Pointer) {
        let Some(current) = self.current else { return };
        for parent in pointer.parents() {
            let verb = match current.members().at(&parent) {
                None => "add",
                Some(raw) if json::is_null(raw) => "replace",
                Some(_) => continue,
            };
            if self.made.insert(parent.clone()) {
                self.parents
                    .push(format!(r#"{{"op":"{verb}","path":{},"value":{{}}}}"#, quoted(parent.as_str())));
            }
        }
    }
}

fn operation(verb: &str, path: &str, value: &RawValue) -> String {
    format!(r#"{{"op":"{verb}","path":{},"value":{}}}"#, quoted(path), value.get())
}

fn quoted(text: &str) -> String {
    json::raw(text).get().to_owned()
}
