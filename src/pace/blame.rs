//! Tells whether a refusal concerns the whole run, which then slows down or stops, or one referral alone,
//! which then is the only one that pays for it.
//!
//! | part | what it owns |
//! |---|---|
//! | `throttles` | whether a referral is throttled because all are |
//! | `load` | whether a 503 without `Retry-After` is a throttle |
//! | `tokens` | whether it is the token that is refused |
//! | `moment` | the order in which requests are sent and answered, and what a request concerns |
//!
//! The decisions are pure, and rest on one thing: what becomes of other requests that were sent later. So a
//! request that was refused lets others go first before it is sent again, and where there are no others, no
//! referral is blamed.

mod load;
mod moment;
mod throttles;
mod tokens;

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::domain::referral::ReferralId;
use load::LoadRefusals;
pub use moment::{Moment, RequestSubject};
use throttles::Throttles;
pub use throttles::{MAX_THROTTLES, ThrottleScope};
use tokens::RefusedTokens;
pub use tokens::TokenRefusal;

/// What a run knows of refusals, and of how other requests were answered meanwhile.
#[derive(Debug, Default)]
pub struct Blame(Mutex<Evidence>);

/// The answers that decisions rest on, and the last moment that was given out.
#[derive(Debug, Default)]
struct Evidence {
    last: Moment,
    throttles: Throttles,
    load: LoadRefusals,
    tokens: RefusedTokens,
}

impl Blame {
    /// Records that a request is sent, and returns its place in the order of events.
    pub fn record_sent(&self) -> Moment {
        self.evidence().next()
    }

    /// Records that a request sent at `left` was answered, and not with a throttle.
    pub fn let_through(&self, subject: RequestSubject, left: Moment) {
        let mut evidence = self.evidence();
        evidence.throttles.let_through(subject, left);
        evidence.load.let_through(Instant::now());
    }

    /// Records that a request was throttled, and returns what that concerns.
    pub fn throttled(&self, subject: RequestSubject) -> ThrottleScope {
        let mut evidence = self.evidence();
        let heard = evidence.next();
        evidence.throttles.throttled(subject, heard)
    }

    /// Records that a request sent at `left` was answered 503 without `Retry-After`, and returns whether that
    /// is a throttle.
    pub fn is_load(&self, referral: Option<ReferralId>, left: Moment) -> bool {
        let mut evidence = self.evidence();
        let heard = evidence.next();
        evidence.load.is_refusal(referral, left, heard, Instant::now())
    }

    /// Records that the token of a request sent at `left` was accepted, whatever the answer.
    pub fn token_taken(&self, referral: Option<ReferralId>, token: u64, left: Moment) {
        self.evidence().tokens.taken(referral, token, left);
    }

    /// Records that the token of a request was refused, and returns how many referrals that happened to.
    pub fn token_refused(&self, referral: Option<ReferralId>, token: u64) -> TokenRefusal {
        let mut evidence = self.evidence();
        let heard = evidence.next();
        evidence.tokens.refused(referral, token, heard)
    }

    /// Returns whether the token that was refused for a referral has been accepted for another since.
    pub fn is_refused_alone(&self, referral: Option<ReferralId>) -> bool {
        self.evidence().tokens.is_refused_alone(referral)
    }

    /// Returns whether any token was ever accepted for another referral, or for the list.
    pub fn was_taken_for_others(&self, referral: Option<ReferralId>) -> bool {
        self.evidence().tokens.was_taken_for_others(referral)
    }

    /// Drops what is known of a referral for which no more requests are made.
    pub fn forget(&self, referral: ReferralId) {
        let mut evidence = self.evidence();
        evidence.throttles.forget(referral);
        evidence.tokens.forget(referral);
    }

    /// Every change leaves the evidence whole, so a poisoned lock holds nothing wrong.
    fn evidence(&self) -> MutexGuard<'_, Evidence> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Evidence {
    fn next(&mut self) -> Moment {
        self.last = self.last.next();
        self.last
    }
}
