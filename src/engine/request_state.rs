//! One request while it is made, and made again: its tries, its turn, its token.

use super::slots::Slot;
use crate::api::Generation;
use crate::domain::exchange::Operation;
use crate::domain::referral::ReferralId;
use crate::pace::blame::{Moment, RequestSubject};
use crate::pace::circuit::{Permit, Purpose};
use crate::pace::{RateCheckpoint, Turn};

/// What has been spent on one request so far.
#[derive(Debug)]
pub struct RequestState<'a> {
    /// Attempts charged to it.
    pub tries: u32,
    pub(super) renewals: u32,
    pub(super) purpose: Purpose,
    /// What it is about; a list page is about no referral.
    pub(super) referral: Option<ReferralId>,
    /// Where it stands.
    pub(super) slot: &'a Slot,
    /// What it went out with last.
    pub(super) turn: Option<(Turn, Moment)>,
    /// As one of how many.
    pub(super) among: usize,
    /// The pauses that it caused since it was let through, and how fast the run went before.
    pub(super) pauses: Option<(RateCheckpoint, u32)>,
    pub(super) permit: Permit,
    pub(super) token: Option<Generation>,
}

impl<'a> RequestState<'a> {
    /// Nothing yet.
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
        }
    }

    /// What is asked for, as retries see it.
    pub(super) fn operation(&self) -> Operation {
        match self.purpose {
            Purpose::Fetch | Purpose::ReadBack => Operation::Read,
            Purpose::Change => Operation::Write,
        }
    }

    /// What a refusal of it would be about.
    pub(super) fn about(&self) -> RequestSubject {
        RequestSubject { referral: self.referral, operation: self.operation() }
    }

    /// Whether it is made also when the run stops, because it settles something in flight.
    pub(super) fn is_through_stop(&self) -> bool {
        self.purpose == Purpose::ReadBack
    }
}
