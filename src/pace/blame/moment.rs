//! What a request concerns, and the order in which requests are sent and answered.

use crate::domain::exchange::Operation;
use crate::domain::referral::ReferralId;

/// A place in the order in which requests were sent and answered: a logical clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub(super) u64);

impl Moment {
    /// Returns the moment after this one.
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The referral that a request concerns, and whether it reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestSubject {
    /// The referral; `None` for a list page.
    pub referral: Option<ReferralId>,
    /// Whether it reads or writes: writes are throttled sooner than reads (docs/api-facts.md, "Status
    /// codes").
    pub operation: Operation,
}
