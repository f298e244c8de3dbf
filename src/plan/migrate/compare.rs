//! Compares a payload with a referral: its members one by one, then its stage.

use super::diff::{DiffContext, Walk};
use super::difference::PayloadDiff;
use super::stage;
use crate::domain::item::Change;
use crate::domain::json::Object;
use crate::domain::snapshot::Snapshot;

/// Compares a payload with a referral, to which `changes` were made: none to compare it as it is. Also returns, for
/// each of the changes, whether the payload has a value for its field.
///
/// A member that a referral lacks that was seen in part is noted as unseen. A member that neither has stays as it
/// is, without a finding.
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
