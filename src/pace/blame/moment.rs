//! What a request is about, and when it left and was answered, by the order alone.

use crate::domain::exchange::Operation;
use crate::domain::referral::ReferralId;

/// A place in the order in which requests left and were answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub(super) u64);

impl Moment {
    /// The one after this.
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// What a request is about, and what it does there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestSubject {
    /// The referral; a list page is about none.
    pub referral: Option<ReferralId>,
    /// Writes are throttled sooner than reads.
    pub operation: Operation,
}
