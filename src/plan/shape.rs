//! Whether the places of changes can be there: what is around each has to be an object, and what grows a list.
//!
//! A referral of another shape than documented, or a path that the user opted into and that leads into a
//! list, is no defect of this program: the finding says what is there.

use serde_json::value::RawValue;

use super::patch::Document;
use crate::domain::excerpt::{excerpt, excerpt_json};
use crate::domain::fields::Path;
use crate::domain::item::Change;
use crate::domain::json::{self, Object};
use crate::domain::snapshot::Snapshot;

/// A change whose place cannot be there.
pub(super) struct Misfit<'c> {
    /// Where the change is.
    pub path: &'c Path,
    /// What is there instead.
    pub message: String,
    /// What would help.
    pub hint: &'static str,
}

/// The first change of a document whose place cannot be there; `None` in place of a referral that nobody
/// looked at.
pub(super) fn misfit<'c>(document: &'c Document, current: Option<&Snapshot<'_>>) -> Option<Misfit<'c>> {
    document.changes.iter().find_map(|change| match current {
        Some(current) => around(change, current).or_else(|| grown(change, current)),
        None => unseen(&change.path),
    })
}

/// Something around the place is neither an object nor missing.
fn around<'c>(change: &'c Change, current: &Snapshot<'_>) -> Option<Misfit<'c>> {
    let pointer = change.path.pointer();
    let (parent, there, name) =
        pointer.parents().zip(pointer.tokens().skip(1)).find_map(|(parent, name)| {
            let there = current.members().at(&parent).filter(|there| !is_open(there))?;
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

/// Whether something can be set in a value: it is an object, or null and will be one.
fn is_open(there: &RawValue) -> bool {
    json::is_null(there) || Object::from_raw(there).is_some()
}

/// What is to grow is no list.
fn grown<'c>(change: &'c Change, current: &Snapshot<'_>) -> Option<Misfit<'c>> {
    let there = current.members().at(change.path.pointer()).filter(|_| !change.appended.is_empty())?;
    let is_list = json::elements(there).is_some();
    let message =
        || format!("{} is {} in the referral, where a list belongs", change.path, excerpt_json(there));
    let hint = "nothing can be added to it: give the list as a whole";
    (!is_list).then(|| Misfit { path: &change.path, message: message(), hint })
}

/// A number in a path may be a member's name, or the place of an element if what holds it is a list.
fn unseen(path: &Path) -> Option<Misfit<'_>> {
    let Path::Opted(pointer) = path else { return None };
    let is_number = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let list = pointer.parents().zip(pointer.tokens().skip(1)).find(|(_, name)| is_number(name))?.0;
    let message = format!("nobody looked whether {list} is a list, of which {path} would be an element");
    Some(Misfit { path, message, hint: "plan against the API or a snapshot" })
}
