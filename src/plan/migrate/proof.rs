//! The second half of the proof: the changed referral equals the payload, except for the listed differences.
//!
//! The first half, [`prove`](crate::plan::proof::prove), has the document applied by an independent
//! implementation, and shows that it makes exactly the changes that it claims. So the referral with these changes is
//! compared with the payload once more, and what still differs must be what the findings list ([`explain`]). That
//! comparison doesn't show whether a value that the payload leaves out within another kept its content:
//! [`invents_nothing`] checks that every part of a value comes from the referral or the payload.

use serde_json::value::RawValue;

use super::difference::{Difference, Leftover};
use super::equivalence::{is_deeply_alike, is_nothing};
use crate::domain::fields::Kind;
use crate::domain::item::Change;
use crate::domain::json::{self, Object};
use crate::domain::snapshot::Snapshot;
use crate::domain::value::element_key;

/// What the second comparison finds.
pub(super) struct Remainder<'f, 'a> {
    /// For each change, whether the payload has a value for its field.
    pub met: Vec<bool>,
    /// The differences that should have been sent, and still exist.
    pub unsent: Vec<&'f Difference<'a>>,
    /// The differences that were not to be sent.
    pub left: Vec<Leftover>,
}

/// Checks that the remaining differences are exactly those that the findings list.
///
/// # Errors
/// A message that names the first one that isn't.
pub(super) fn explain(
    changes: &[Change],
    remainder: Remainder<'_, '_>,
    listed: &[Leftover],
) -> Result<(), String> {
    if let Some((change, _)) = changes.iter().zip(&remainder.met).find(|(_, met)| !**met) {
        return Err(format!("it changes {}, of which the payload says nothing", change.path));
    }
    if let Some(difference) = remainder.unsent.first() {
        return Err(format!("{} would not be what the payload says", difference.pointer));
    }
    let (mut left, mut listed) = (remainder.left, listed.to_vec());
    left.sort_unstable();
    listed.sort_unstable();
    if let Some(unlisted) = left.iter().find(|left| listed.binary_search(left).is_err()) {
        return Err(format!("{unlisted} would still differ, and no finding says so"));
    }
    if let Some(gone) = listed.iter().find(|listed| left.binary_search(listed).is_err()) {
        return Err(format!("{gone} would not differ, as a finding says"));
    }
    Ok(())
}

/// Checks that every part of the values that a document sets comes from the payload or the referral.
///
/// # Errors
/// A message that names the first part that comes from neither.
pub(super) fn invents_nothing(
    changes: &[Change],
    current: &Snapshot<'_>,
    given: &Object<'_>,
) -> Result<(), String> {
    for change in changes {
        let pointer = change.path.pointer();
        let (was, said) = (current.members().at(pointer), given.at(pointer));
        let invented = match change.path.kind() {
            kind @ (Kind::Members | Kind::Solutions) => invented_element(kind, was, &change.after, said),
            Kind::Any => invented(was, &change.after, said),
            _ => None,
        };
        if let Some(name) = invented {
            return Err(format!(
                "it sets {pointer}{name} to a value that neither the payload nor the referral has"
            ));
        }
    }
    Ok(())
}

/// Returns the path of the first part of a list that is neither the referral's nor the payload's.
fn invented_element(
    kind: Kind,
    was: Option<&RawValue>,
    becomes: &RawValue,
    said: Option<&RawValue>,
) -> Option<String> {
    let was = was.and_then(json::elements).unwrap_or_default();
    let said = said.and_then(json::elements).unwrap_or_default();
    json::elements(becomes)?.into_iter().find_map(|element| {
        if was.iter().any(|was| was.get() == element.get()) {
            return None;
        }
        let key = element_key(kind, element).ok();
        let same = |other: &&&RawValue| key.is_some() && element_key(kind, other).ok() == key;
        invented(was.iter().find(same).copied(), element, said.iter().find(same).copied())
    })
}

/// Returns the path of the first part of a value that is neither the referral's nor the payload's.
fn invented(was: Option<&RawValue>, becomes: &RawValue, said: Option<&RawValue>) -> Option<String> {
    let is_that = |other: &RawValue| is_deeply_alike(other, becomes);
    if is_nothing(becomes) || was.is_some_and(is_that) || said.is_some_and(is_that) {
        return None;
    }
    let Some(members) = Object::from_raw(becomes) else { return Some(String::new()) };
    let (was, said) = (was.and_then(Object::from_raw), said.and_then(Object::from_raw));
    members.iter().find_map(|(name, becomes)| {
        let was = was.as_ref().and_then(|was| was.get(name));
        let said = said.as_ref().and_then(|said| said.get(name));
        let rest = invented(was, becomes, said)?;
        Some(format!("/{name}{rest}"))
    })
}
