//! Whose fault it is that a request is refused: everybody's, so that the run slows down or stops, or its own
//! referral's, which then is the only one that pays.
//!
//! | part | what it owns |
//! |---|---|
//! | `throttles` | whether a referral is throttled because all are |
//! | `load` | whether a 503 that doesn't say for how long is a throttle |
//! | `moment` | what left before what, and what it is about |
//! | `tokens` | whether it is the token that is refused |
//!
//! All three are pure and go by one thing: what becomes of others that left later. So what was refused has to
//! let others go first before it is asked for again, and where there are no others nobody is blamed.

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

/// What a run knows of who is refused, and with what others were answered meanwhile.
#[derive(Debug, Default)]
pub struct Blame(Mutex<Evidence>);

#[derive(Debug, Default)]
struct Evidence {
    last: Moment,
    throttles: Throttles,
    load: LoadRefusals,
    tokens: RefusedTokens,
}

impl Blame {
    /// A request leaves.
    pub fn departs(&self) -> Moment {
        self.evidence().next()
    }

    /// A request that left then was answered, and not with a throttle.
    pub fn let_through(&self, about: RequestSubject, left: Moment) {
        let mut evidence = self.evidence();
        evidence.throttles.let_through(about, left);
        evidence.load.let_through(Instant::now());
    }

    /// A request was throttled.
    pub fn throttled(&self, about: RequestSubject) -> ThrottleScope {
        let mut evidence = self.evidence();
        let heard = evidence.next();
        evidence.throttles.throttled(about, heard)
    }

    /// Whether a request that left then, was answered 503, and not told for how long, was refused for load.
    pub fn is_load(&self, referral: Option<ReferralId>, left: Moment) -> bool {
        let mut evidence = self.evidence();
        let heard = evidence.next();
        evidence.load.is_refusal(referral, left, heard, Instant::now())
    }

    /// The token of a request that left then was taken, whatever the answer.
    pub fn token_taken(&self, referral: Option<ReferralId>, token: u64, left: Moment) {
        self.evidence().tokens.taken(referral, token, left);
    }

    /// The token of a request was refused.
    pub fn token_refused(&self, referral: Option<ReferralId>, token: u64) -> TokenRefusal {
        let mut evidence = self.evidence();
        let heard = evidence.next();
        evidence.tokens.refused(referral, token, heard)
    }

    /// Whether the token that a referral was refused with was taken for another since.
    pub fn is_refused_alone(&self, referral: Option<ReferralId>) -> bool {
        self.evidence().tokens.is_refused_alone(referral)
    }

    /// Whether any token was ever taken for another.
    pub fn was_taken_for_others(&self, referral: Option<ReferralId>) -> bool {
        self.evidence().tokens.was_taken_for_others(referral)
    }

    /// Nothing more is asked for a referral.
    pub fn forget(&self, referral: ReferralId) {
        let mut evidence = self.evidence();
        evidence.throttles.forget(referral);
        evidence.tokens.forget(referral);
    }

    /// Every change leaves the state whole, so a poisoned lock holds nothing wrong.
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
