//! Compares a payload with a referral: its members one by one, then its stage.

use super::diff::{DiffContext, Walk};
use super::difference::PayloadDiff;
use super::stage;
use crate::domain::item::Change;
use crate::domain::json::Object;
use crate::domain::snapshot::Snapshot;

/// Compares the members of a payload with a referral that has some changes made to it, none where it
/// is taken as it stands. Also says which of the changes the payload speaks of.
///
/// What the referral lacks where it was seen in part is neither empty nor the same as nothing: it is noted as
/// unseen. What neither of them shows stays as it is, and nothing is said about it.
pub(super) fn compare<'a, 'r: 'a>(
    given: &Object<'a>,
    current: &Snapshot<'r>,
    changes: &'a [Change],
    by: DiffContext<'_>,
) -> (PayloadDiff<'a>, Vec<bool>) {
    let mut walk = Walk::new(current, changes, by);
    walk.object("", given, current.members());
    stage::compare(&mut walk, given, current.members());
    walk.finish()
}
