//! Which key led to a referral, as `plan.jsonl` and `outcomes.jsonl` tell it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::key::{MatchWay, Matched};
use crate::domain::referral::ReferralId;

/// Which key led to a referral.
#[derive(Serialize, JsonSchema)]
pub(super) struct MatchLine<'a> {
    /// The key, as the row gives it.
    key: &'a str,
    /// The field of the referral that has it.
    way: MatchWay,
    /// The referral; null where none or several have it.
    id: Option<ReferralId>,
}

impl<'a> MatchLine<'a> {
    pub(super) fn of(matched: &'a Matched, id: Option<ReferralId>) -> Self {
        Self { key: &matched.key, way: matched.way, id }
    }
}
