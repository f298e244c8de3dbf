//! The member of JSON that changes are sent in the order of: an outermost one of the name, or one that the name leads to
//! as a pointer or a dotted path. A name that stands for a value of referrals leads nowhere.

use serde_json::value::RawValue;

use crate::domain::fields;
use crate::domain::json::Object;
use crate::domain::likeness::is_same_name;
use crate::domain::priority::referral_value;

/// Returns the member that an order's name leads to.
pub(super) fn find<'a>(object: &Object<'a>, order: &str) -> Option<&'a RawValue> {
    if let Some(value) = named(object, order) {
        return Some(value);
    }
    if referral_value(order).is_some() {
        return None;
    }
    let mut names = names(order).into_iter();
    let mut value = named(object, names.next()?)?;
    for name in names {
        value = named(&Object::from_raw(value)?, name)?;
    }
    Some(value)
}

/// Whether a member is the order's, or holds it. A name that begins with a slash is the member's pointer, any other
/// that of an outermost one.
pub(super) fn leads(order: &str, member: &str) -> bool {
    if is_same_name(order, member) {
        return true;
    }
    let to_member = if member.starts_with('/') { names(member) } else { vec![member] };
    let to_order = names(order);
    let is_within = to_member.len() <= to_order.len();
    is_within && to_member.iter().zip(&to_order).all(|(one, other)| is_same_name(one, other))
}

/// Whether an outermost member of a payload is there for the order alone: it leads to the order, and is none that a
/// referral is known to have.
pub(super) fn is_own(order: &str, member: &str) -> bool {
    let is_outermost = |pointer: &str| {
        pointer
            .trim_start_matches('/')
            .split('/')
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(member))
    };
    leads(order, member)
        && !member.starts_with('@')
        && !fields::known_pointers().any(|pointer| is_outermost(&pointer))
}

/// Returns the names that a pointer or a dotted path consists of.
fn names(path: &str) -> Vec<&str> {
    let path = path.trim();
    match path.strip_prefix('/') {
        Some(rest) => rest.split('/').collect(),
        None => path.split('.').collect(),
    }
}

/// Returns the last member of a name.
fn named<'a>(object: &Object<'a>, name: &str) -> Option<&'a RawValue> {
    object.iter().filter(|(member, _)| is_same_name(member, name)).last().map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_leads_to_the_order_or_does_not() {
        for (order, member, wanted, own) in [
            ("Rank", "rank", true, true),
            ("Prio.x", "Prio", true, true),
            ("/Prio/x", "prio", true, true),
            ("Prio.x", "Prio.x", true, true),
            ("Prio.x", "Prio.y", false, false),
            ("Prio", "Prio.x", false, false),
            ("Prio.x", "Pri", false, false),
            ("details.Rank", "/details/Rank", true, true),
            ("details.Rank", "/details/notes", false, false),
            ("details.Rank", "details", true, false),
            ("details.Rank.at", "/details/Rank", true, true),
            ("name", "Name", true, false),
            ("eTag", "eTag", true, false),
            ("@odata.etag", "@odata.etag", true, false),
        ] {
            assert_eq!((leads(order, member), is_own(order, member)), (wanted, own), "{order} {member}");
        }
    }
}
