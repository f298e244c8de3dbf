//! Checks that changes have a place in the referral: everything around a field must be an object, and what
//! elements are appended to must be a list.
//!
//! A referral of another shape than documented, or a path into a list that the user opted into, is no defect of
//! this program, so it must not fail as one in the proof: the finding says what is there.

use serde_json::value::RawValue;

use super::patch::Document;
use crate::domain::excerpt::{excerpt, excerpt_json};
use crate::domain::fields::Path;
use crate::domain::item::Change;
use crate::domain::json::{self, Object};
use crate::domain::pointer::Pointer;
use crate::domain::snapshot::Snapshot;

/// A change that has no place in the referral.
pub(super) struct Misfit<'c> {
    /// The path of the change.
    pub path: &'c Path,
    /// What is there instead.
    pub message: String,
    /// What would help.
    pub hint: &'static str,
}

/// Returns the first change of a document that has no place in the referral. `current` is `None` where the
/// referral was not read.
pub(super) fn misfit<'c>(document: &'c Document, current: Option<&Snapshot<'_>>) -> Option<Misfit<'c>> {
    document.changes.iter().find_map(|change| match current {
        Some(current) => around(change, current).or_else(|| grown(change, current)),
        None => unseen(&change.path),
    })
}

/// Finds something around the place of a change that is neither an object nor missing.
fn around<'c>(change: &'c Change, current: &Snapshot<'_>) -> Option<Misfit<'c>> {
    let pointer = change.path.pointer();
    let (parent, there, name) =
        pointer.parents().zip(pointer.tokens().skip(1)).find_map(|(parent, name)| {
            let there = current.shown(&parent).filter(|there| !is_open(there, &parent, current))?;
            Some((parent, there, name))
        })?;
    let path = &change.path;
    if json::elements(there).is_some() {
        let message = format!("{parent} is a list, and {} is nothing in it by name", excerpt(&name));
        return Some(Misfit { path, message, hint: "give the list as a whole" });
    }
    let message = format!("{parent} is {} in the referral, where an object belongs", excerpt_json(there));
    Some(Misfit { path, message, hint: "nothing can be set in it: look at the referral" })
}

/// Whether members can be set in a value: it is an object, or `null`, which the document replaces by one.
fn is_open(there: &RawValue, pointer: &Pointer, current: &Snapshot<'_>) -> bool {
    let is_object = || match pointer.as_str()[1..].contains(['/', '~']) {
        true => Object::from_raw(there).is_some(),
        false => current.object(&pointer.as_str()[1..]).is_some(),
    };
    json::is_null(there) || is_object()
}

/// Finds a value that elements are to be appended to and that is no list.
fn grown<'c>(change: &'c Change, current: &Snapshot<'_>) -> Option<Misfit<'c>> {
    let there = current.shown(change.path.pointer()).filter(|_| !change.appended.is_empty())?;
    let is_list = json::elements(there).is_some();
    let message =
        || format!("{} is {} in the referral, where a list belongs", change.path, excerpt_json(there));
    let hint = "nothing can be added to it: give the list as a whole";
    (!is_list).then(|| Misfit { path: &change.path, message: message(), hint })
}

/// Finds a number in a path into a referral that was not read: it may be the name of a member, or the index of an
/// element if its parent is a list.
fn unseen(path: &Path) -> Option<Misfit<'_>> {
    let Path::Opted(pointer) = path else { return None };
    let is_number = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let list = pointer.parents().zip(pointer.tokens().skip(1)).find(|(_, name)| is_number(name))?.0;
    let message = format!("{path} may name an element of a list, {list}: the referral was not read");
    Some(Misfit { path, message, hint: "plan against the API or a snapshot" })
}
