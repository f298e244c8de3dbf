//! The third side of a change: the base, which its file was made from.
//!
//! A change with a base is one of the value that the base has. Where the referral has another value now, somebody else
//! changed it since, and neither of the two may win unseen. Whoever wants the changes of a referral has to ask for
//! them here, and gets none where one of them is in conflict.

use serde_json::value::RawValue;

use crate::domain::change::BaseValue;
use crate::domain::equality;
use crate::domain::excerpt::excerpt_json;
use crate::domain::item::Change;
use crate::domain::json;
use crate::domain::snapshot::PathState;
use crate::domain::value::element_key;

/// A change, with the state of the place that it writes to.
#[derive(Debug, Clone)]
pub struct PlacedChange {
    /// The change.
    pub change: Change,
    /// Whether its member exists, and which objects around it are missing.
    pub path_state: PathState,
}

/// The changes of one referral, compared with the base of the run where it has one.
pub(super) struct Compared {
    changes: Vec<PlacedChange>,
    /// The changes that the base has another value for than the referral.
    moved: Vec<(usize, Box<RawValue>)>,
}

impl Compared {
    /// Compares changes with the values that the base has for their fields. A change of a field that isn't among them
    /// replaces whatever is there, and an append replaces nothing.
    pub(super) fn new(changes: Vec<PlacedChange>, bases: &[BaseValue]) -> Self {
        let moved_from = |change: &Change| {
            let of_field = bases.iter().filter(|base| base.path == change.path && change.appended.is_empty());
            of_field.filter(|base| has_moved(change, base)).map(|base| base.value.clone()).next()
        };
        let places = changes.iter().enumerate();
        let moved = places.filter_map(|(at, placed)| Some((at, moved_from(&placed.change)?))).collect();
        Self { changes, moved }
    }

    /// Whether there is nothing to change.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns the changes, if nobody else changed since the base what they touch.
    ///
    /// # Errors
    /// The conflict otherwise.
    pub(super) fn unmoved(self) -> Result<Vec<PlacedChange>, Moved> {
        if self.moved.is_empty() { Ok(self.changes) } else { Err(Moved(self)) }
    }

    /// Returns the changes for a report, whether they may be made or not.
    pub(super) fn told(self) -> Vec<Change> {
        self.changes.into_iter().map(|placed| placed.change).collect()
    }
}

/// Whether a field that is changed, or an element of its list, has another value than the base has.
fn has_moved(change: &Change, BaseValue { key, value, .. }: &BaseValue) -> bool {
    let kind = change.path.kind();
    let Some(key) = key else { return !equality::is_still(kind, change.before.as_deref(), value) };
    let element = |list: Option<&RawValue>| {
        let is_it = |element: &&RawValue| element_key(kind, element).is_ok_and(|known| *known == **key);
        list.and_then(json::elements).unwrap_or_default().into_iter().find(is_it).map(ToOwned::to_owned)
    };
    let (before, after) = (element(change.before.as_deref()), element(Some(&change.after)));
    // Where this element stays as it is, others of the list are changed.
    let is_changed = before.as_deref().map(RawValue::get) != after.as_deref().map(RawValue::get);
    is_changed
        && match before {
            Some(before) => json::is_null(value) || !equality::holds(kind, &[&before], value),
            None => !json::is_null(value),
        }
}

/// Changes of which some touch what somebody else changed since the base.
pub(super) struct Moved(Compared);

impl Moved {
    /// Returns the changes in conflict, each with what is to be said of it.
    pub(super) fn conflicts(&self) -> impl Iterator<Item = (&Change, String)> {
        self.0.moved.iter().map(|(at, base)| {
            let change = &self.0.changes[*at].change;
            let said = |value: Option<&RawValue>| match value.filter(|value| !json::is_null(value)) {
                Some(value) => excerpt_json(value),
                None => "nothing".to_owned(),
            };
            let (was, is) = (said(Some(base)), said(change.before.as_deref()));
            let wanted = said(Some(&change.after));
            (change, format!("{}: the base has {was}, the referral {is}, the row {wanted}", change.path))
        })
    }

    /// Returns all changes of the referral, for the report.
    pub(super) fn told(self) -> Vec<Change> {
        self.0.told()
    }
}
