//! Which key led to a referral, as `plan.jsonl` and `outcomes.jsonl` tell it.

use serde::Serialize;

use crate::domain::key::{MatchWay, Matched};
use crate::domain::referral::ReferralId;

/// The member `match` of a line.
#[derive(Serialize)]
pub(super) struct MatchLine<'a> {
    key: &'a str,
    way: MatchWay,
    id: Option<ReferralId>,
}

impl<'a> MatchLine<'a> {
    pub(super) fn of(matched: &'a Matched, id: Option<ReferralId>) -> Self {
        Self { key: &matched.key, way: matched.way, id }
    }
}
