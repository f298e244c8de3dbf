//! Reads the referral that an answer holds.
//!
//! The answer to a GET of one referral is read as the whole referral: a member that it lacks is absent. This
//! is the only place that does so. The answer to a PATCH is read as part of a referral: the documentation
//! says that it holds the updated referral, and gives no sample that would show that all members are in it.
//! Where such an answer doesn't show the change, the referral is read back with a GET.

use crate::domain::exchange::Reply;
use crate::domain::referral::ReferralId;
use crate::domain::snapshot::Snapshot;

/// Returns the referral in the answer to a GET of it; `None` where the answer holds something else.
pub(in crate::engine) fn by_get(id: ReferralId, reply: &Reply) -> Option<Snapshot<'_>> {
    Snapshot::whole(&reply.body).ok().and_then(|referral| its_own(id, reply, referral))
}

/// Returns the referral in the answer to a PATCH of it; `None` where the answer holds something else.
pub(in crate::engine) fn by_patch(id: ReferralId, reply: &Reply) -> Option<Snapshot<'_>> {
    Snapshot::in_part(&reply.body).ok().and_then(|referral| its_own(id, reply, referral))
}

fn its_own<'r>(id: ReferralId, reply: &Reply, referral: Snapshot<'r>) -> Option<Snapshot<'r>> {
    Some(referral.or_etag(reply.etag.as_ref())).filter(|referral| referral.id() == id)
}
