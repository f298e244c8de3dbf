//! Tells whether a token is refused for all, or for one referral alone. Pure.
//!
//! A token that is accepted was good at all times before. So where a token is refused for a referral, and is
//! accepted for another request that was sent later, the refusal had another reason than the token.

use std::collections::BTreeMap;

use super::moment::Moment;
use crate::domain::referral::ReferralId;

/// How widely a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRefusal {
    /// For this referral only, so far: the reason may be the token or the referral.
    Single,
    /// For several referrals, and it was accepted for none since: the reason is the token, as far as can be
    /// told.
    Several,
}

/// The refusals of tokens, by referral; `None` stands for the list.
#[derive(Debug, Default)]
pub(super) struct RefusedTokens {
    refused: BTreeMap<Option<ReferralId>, Refused>,
    /// The first two referrals for which a token was accepted: two, so that at least one of them is another
    /// than any given one.
    taken: Vec<Option<ReferralId>>,
}

/// The last refusal of a referral's token.
#[derive(Debug)]
struct Refused {
    token: u64,
    heard: Moment,
    /// Whether the token was accepted for another request that was sent later.
    taken_since: bool,
}

impl RefusedTokens {
    /// Records that the token of a request sent at `left` was accepted.
    pub(super) fn taken(&mut self, referral: Option<ReferralId>, token: u64, left: Moment) {
        self.refused.remove(&referral);
        if self.taken.len() < 2 && !self.taken.contains(&referral) {
            self.taken.push(referral);
        }
        for refused in self.refused.values_mut().filter(|refused| refused.token == token) {
            refused.taken_since |= left > refused.heard;
        }
    }

    /// Records that the token of a request was refused.
    pub(super) fn refused(
        &mut self,
        referral: Option<ReferralId>,
        token: u64,
        heard: Moment,
    ) -> TokenRefusal {
        let refused = Refused { token, heard, taken_since: false };
        self.refused.insert(referral, refused);
        let others = self
            .refused
            .iter()
            .filter(|(id, refused)| **id != referral && refused.token == token && !refused.taken_since);
        if others.count() == 0 { TokenRefusal::Single } else { TokenRefusal::Several }
    }

    /// Returns whether the token that was last refused for a referral has been accepted for another since.
    pub(super) fn is_refused_alone(&self, referral: Option<ReferralId>) -> bool {
        self.refused.get(&referral).is_some_and(|refused| refused.taken_since)
    }

    /// Returns whether any token was ever accepted for another referral, or for the list.
    pub(super) fn was_taken_for_others(&self, referral: Option<ReferralId>) -> bool {
        self.taken.iter().any(|known| *known != referral)
    }

    /// Drops what is known of a referral.
    pub(super) fn forget(&mut self, id: ReferralId) {
        self.refused.remove(&Some(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> Option<ReferralId> {
        (number > 0).then(|| format!("5a1e0001-0000-4000-8000-{number:012}").parse().unwrap())
    }

    #[test]
    fn a_token_that_is_taken_later_was_good_before() {
        for (what, other, token, left, alone) in [
            ("another, later", 2, 7, 11, true),
            ("a list page, later", 0, 7, 11, true),
            ("another that had left before", 2, 7, 10, false),
            ("with another token", 2, 8, 11, false),
            ("the same referral", 1, 7, 11, false),
        ] {
            let mut tokens = RefusedTokens::default();
            assert_eq!(tokens.refused(id(1), 7, Moment(10)), TokenRefusal::Single);
            tokens.taken(id(other), token, Moment(left));
            assert_eq!(tokens.is_refused_alone(id(1)), alone, "{what}");
        }
    }

    #[test]
    fn a_token_that_is_refused_for_several_is_bad() {
        let mut tokens = RefusedTokens::default();
        assert_eq!(tokens.refused(id(1), 7, Moment(1)), TokenRefusal::Single);
        assert_eq!(tokens.refused(id(1), 7, Moment(2)), TokenRefusal::Single, "the same once more");
        assert_eq!(tokens.refused(id(2), 8, Moment(3)), TokenRefusal::Single, "with another token");
        assert_eq!(tokens.refused(id(3), 7, Moment(4)), TokenRefusal::Several);
        tokens.taken(id(4), 7, Moment(5));
        assert_eq!(tokens.refused(id(5), 7, Moment(6)), TokenRefusal::Single, "it was taken in between");
        tokens.forget(id(5).unwrap());
        assert_eq!(tokens.refused(id(6), 7, Moment(7)), TokenRefusal::Single);
        assert!(tokens.is_refused_alone(id(1)) && !tokens.is_refused_alone(id(6)));
    }

    #[test]
    fn others_are_others_than_whoever_is_refused() {
        let mut tokens = RefusedTokens::default();
        assert!(!tokens.was_taken_for_others(id(1)));
        tokens.taken(id(1), 7, Moment(1));
        assert!(!tokens.was_taken_for_others(id(1)) && tokens.was_taken_for_others(id(2)));
        tokens.taken(id(0), 7, Moment(2));
        assert!(tokens.was_taken_for_others(id(1)) && tokens.was_taken_for_others(id(0)));
    }
}
