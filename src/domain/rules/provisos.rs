//! What is to be said of cells unless they show what the referral has.
//!
//! A file that shows whole deals gives back what nobody touched, whatever it looks like. So what is wrong with a cell
//! counts only where the referral has something else there.

use serde_json::value::RawValue;

use super::catalogue::Rule;
use super::findings::LeveledFindings;
use crate::domain::change::{Desired, Located, Proviso};
use crate::domain::fields::{Field, Path};
use crate::domain::finding::{Finding, Location};
use crate::domain::portal_text;
use crate::domain::setting::Setting;
use crate::domain::snapshot::{Snapshot, Unseen};
use crate::domain::value::element_key;
use crate::domain::wording::Wording;

/// The cells that show what the referral has.
#[derive(Default)]
pub(super) struct AsShown {
    /// The places of the cells, and their fields.
    cells: Vec<(Location, Path)>,
    /// The lists of which they show an element, and its key.
    elements: Vec<(Path, String)>,
    /// The fields of cells that show something else, and with which something is wrong.
    unread: Vec<Path>,
}

impl AsShown {
    /// Whether a cell shows what the referral has in a field: then its value is no wish.
    pub(super) fn is_so(&self, place: Location, path: &Path) -> bool {
        self.cells.iter().any(|(other, shown)| (*other, shown) == (place, path))
    }

    /// Whether something is wrong with a cell that shows something else.
    pub(super) fn denies(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Whether a cell of a field can't be read, so that nobody knows what the row lacks of it.
    pub(super) fn is_unread(&self, path: &Path) -> bool {
        self.unread.contains(path)
    }

    /// Returns the keys of the elements of a list that cells show.
    pub(super) fn keys<'a>(&'a self, list: &'a Path) -> impl Iterator<Item = &'a str> {
        self.elements.iter().filter(move |(path, _)| path == list).map(|(_, key)| key.as_str())
    }
}

/// Compares the cells with the referral, and adds what is to be said of those that show something else. `current` is
/// `None` where it was not read.
pub(super) fn settle(
    desired: &Desired,
    current: Option<&Snapshot<'_>>,
    findings: &mut LeveledFindings<'_>,
) -> AsShown {
    let mut shown = AsShown::default();
    shown.settle_status(desired, current, findings);
    for Located { value: Proviso { cells, findings: said }, place } in &desired.provisos {
        match current.map(|current| compare(cells, current)) {
            Some(Ok(true)) => shown.take(cells, current, *place),
            // Nothing of such a list is sent.
            None if cells.iter().all(|(path, _)| !path.kind().is_scalar()) => {
                let (message, hint) = unlooked(&cells[0].0);
                findings.add(Rule::PortalReadOnly, *place, message, hint);
            }
            // No change asks for this list, so none sees to it that the rest of it is looked at.
            Some(Err(list)) if !list.kind().is_scalar() && !said.iter().any(Finding::is_deny) => {
                said.iter().for_each(|finding| findings.unjudged(finding.rule, *place, list));
            }
            unlike => {
                findings.list.extend(said.iter().cloned());
                if said.iter().any(Finding::is_deny) {
                    shown.unread.extend(cells.iter().map(|(path, _)| path.clone()));
                    if let (Some(current), Some(Err(path))) = (current, unlike) {
                        findings.incomplete.change(*place, &current.unseen_at(path));
                    }
                }
            }
        }
    }
    shown
}

/// Returns what is to be said of the elements of a list that nobody has looked at, and what would help.
pub(super) fn unlooked(list: &Path) -> (String, Wording) {
    let message = format!("{list}: what is on the list is not known, and its cells are not sent");
    let hint = Wording::from("plan against the API with ").name(Setting::State);
    (message, hint.say(" live, or against a snapshot"))
}

impl AsShown {
    /// Adds what is to be said of a status that leaves its substatus open, unless the referral has it.
    fn settle_status(
        &mut self,
        desired: &Desired,
        current: Option<&Snapshot<'_>>,
        findings: &mut LeveledFindings<'_>,
    ) {
        let Some(Located { value: status, place }) = &desired.status_alone else { return };
        let own = current.map_or(Ok(None), Snapshot::status);
        if desired.stage.is_some() || own == Ok(Some(*status)) {
            return;
        }
        let path = Path::Known(Field::Status);
        findings.list.push(status.alone(*place));
        if own == Err(Unseen) {
            findings.incomplete.change(*place, path.pointer());
        }
        self.unread.push(path);
    }

    /// Takes down cells that show what the referral has.
    fn take(&mut self, cells: &[(Path, Box<str>)], current: Option<&Snapshot<'_>>, place: Location) {
        for (path, text) in cells {
            self.cells.push((place, path.clone()));
            let element = value(current, path)
                .ok()
                .flatten()
                .and_then(|list| portal_text::shown_element(path.kind(), list, text))
                .and_then(|element| element_key(path.kind(), element).ok());
            self.elements.extend(element.map(|key| (path.clone(), key)));
        }
    }
}

/// Whether all cells show what the referral has.
///
/// # Errors
/// The field that wasn't seen, where nothing of the others differs.
fn compare<'c>(cells: &'c [(Path, Box<str>)], current: &Snapshot<'_>) -> Result<bool, &'c Path> {
    let mut unseen = None;
    for (path, text) in cells {
        match value(Some(current), path) {
            Ok(value) if portal_text::shows(path.kind(), value, text) => {}
            Ok(_) => return Ok(false),
            Err(Unseen) => unseen = Some(path),
        }
    }
    unseen.map_or(Ok(true), Err)
}

/// Returns the value that a referral has in a field.
fn value<'c>(current: Option<&'c Snapshot<'_>>, path: &Path) -> Result<Option<&'c RawValue>, Unseen> {
    current.map_or(Ok(None), |current| current.at(path).known())
}
