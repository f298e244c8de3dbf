//! The state of one request from its first try to its last: tries, turn, permit and token.

use super::slots::Slot;
use crate::api::Generation;
use crate::domain::exchange::Operation;
use crate::domain::referral::ReferralId;
use crate::domain::step::Waits;
use crate::pace::blame::{Moment, RequestSubject};
use crate::pace::circuit::{Permit, Purpose};
use crate::pace::{RateCheckpoint, Turn};

/// One request, with what its tries so far have used and caused.
#[derive(Debug)]
pub struct RequestState<'a> {
    /// The number of tries charged to it; [`MAX_TRIES`](crate::pace::retry::MAX_TRIES) is the limit.
    pub tries: u32,
    /// How often its token was refused since it was last answered otherwise.
    pub(super) renewals: u32,
    pub(super) purpose: Purpose,
    /// The referral that it concerns; `None` for a list page.
    pub(super) referral: Option<ReferralId>,
    /// The slot of the task that makes it.
    pub(super) slot: &'a Slot,
    /// The turn of its last try, and when that was sent.
    pub(super) turn: Option<(Turn, Moment)>,
    /// The number of requests in flight at its last try, itself included.
    pub(super) among: usize,
    /// The number of pauses that it caused since it was let through, and the rate before them.
    pub(super) pauses: Option<(RateCheckpoint, u32)>,
    /// The circuit breaker's permit for its last try.
    pub(super) permit: Permit,
    /// The token of its last try.
    pub(super) token: Option<Generation>,
    /// What was waited for since that was last put on record.
    pub(super) waits: Waits,
}

impl<'a> RequestState<'a> {
    /// Returns a request that was not tried yet.
    pub fn new(purpose: Purpose, referral: Option<ReferralId>, slot: &'a Slot) -> Self {
        Self {
            tries: 0,
            renewals: 0,
            purpose,
            referral,
            slot,
            turn: None,
            among: 0,
            pauses: None,
            permit: Permit::Free,
            token: None,
            waits: Waits::default(),
        }
    }

    /// Returns what was waited for since this was called last.
    pub(super) fn take_waits(&mut self) -> Waits {
        std::mem::take(&mut self.waits)
    }

    /// Returns whether the request reads or writes.
    pub(super) fn operation(&self) -> Operation {
        match self.purpose {
            Purpose::Fetch | Purpose::ReadBack => Operation::Read,
            Purpose::Change => Operation::Write,
        }
    }

    /// Returns what a refusal of this request would concern.
    pub(super) fn subject(&self) -> RequestSubject {
        RequestSubject { referral: self.referral, operation: self.operation() }
    }

    /// Returns whether it is made also after the run was stopped, because it settles an item in doubt.
    pub(super) fn is_through_stop(&self) -> bool {
        self.purpose == Purpose::ReadBack
    }
}
