//! What an answer shows of the referral that was asked for.
//!
//! This is the one place where an answer is read as a whole referral: what the answer to a single GET lacks
//! isn't there. The answer to a change is read as a part of one: the documentation says that it holds the
//! updated referral, and shows none that one could count the members of. A change that it doesn't show costs a
//! GET, as one does that no answer showed.

use crate::domain::exchange::Reply;
use crate::domain::referral::ReferralId;
use crate::domain::snapshot::Snapshot;

/// The referral of this id in the answer to a GET of it; `None` where the answer holds another thing.
pub(in crate::engine) fn by_get(id: ReferralId, reply: &Reply) -> Option<Snapshot<'_>> {
    Snapshot::whole(&reply.body).ok().and_then(|referral| its_own(id, reply, referral))
}

/// The referral of this id in the answer to a change of it; `None` where the answer holds another thing.
pub(in crate::engine) fn by_patch(id: ReferralId, reply: &Reply) -> Option<Snapshot<'_>> {
    Snapshot::in_part(&reply.body).ok().and_then(|referral| its_own(id, reply, referral))
}

fn its_own<'r>(id: ReferralId, reply: &Reply, referral: Snapshot<'r>) -> Option<Snapshot<'r>> {
    Some(referral.or_etag(reply.etag.as_ref())).filter(|referral| referral.id() == id)
}
