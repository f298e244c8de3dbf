//! Tells whether a 503 without `Retry-After` is a throttle. Pure: it is given all times.
//!
//! A proxy in front of a service refuses excess requests with 503 unless it is configured to answer 429:
//! nginx does so with `limit_req` and `limit_conn`, at once and without `Retry-After`. A service that is
//! broken answers 503 too. The difference is what becomes of other requests: a service that refuses some
//! requests and lets others through at the same time is not broken. Several referrals have to be refused,
//! since one may have a problem of its own. From then on a 503 counts as a throttle, unless nothing is let
//! through any more however long the pauses are.

use std::time::Duration;

use tokio::time::Instant;

use super::moment::Moment;
use crate::domain::referral::ReferralId;

/// The number of referrals that have to be refused.
const NUMBER: usize = 3;

/// The time within which these refusals happen, and another request is let through.
const WINDOW: Duration = Duration::from_secs(10);

/// The number of refusals in a row up to which they count as a throttle. The pauses between them double,
/// beginning at one second.
const PATIENCE: u32 = 7;

/// The latest refusals with 503, and when a request was let through last.
#[derive(Debug, Default)]
pub(super) struct LoadRefusals {
    let_through: Option<Instant>,
    /// The last refusal of each referral.
    refused: Vec<(Option<ReferralId>, Instant)>,
    is_known: bool,
    /// Refusals since a request was let through. Those of requests that were in flight together count once.
    in_a_row: u32,
    heard: Option<Moment>,
}

impl LoadRefusals {
    /// Records that a request was let through.
    pub(super) fn let_through(&mut self, now: Instant) {
        self.let_through = Some(now);
        self.in_a_row = 0;
    }

    /// Records that a request sent at `left` was answered 503, and returns whether that is a throttle.
    pub(super) fn is_refusal(
        &mut self,
        referral: Option<ReferralId>,
        left: Moment,
        heard: Moment,
        now: Instant,
    ) -> bool {
        if self.heard.is_none_or(|last| left > last) {
            self.in_a_row += 1;
            self.heard = Some(heard);
        }
        self.is_known = self.is_known || self.has_refused_enough(referral, now);
        self.is_known && self.in_a_row <= PATIENCE
    }

    fn has_refused_enough(&mut self, referral: Option<ReferralId>, now: Instant) -> bool {
        let is_recent = |at: Instant| now.duration_since(at) < WINDOW;
        self.refused.retain(|(known, at)| *known != referral && is_recent(*at));
        self.refused.push((referral, now));
        self.refused.len() >= NUMBER && self.let_through.is_some_and(is_recent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays events, each at a time in milliseconds, and returns which of the 503s are throttles. `+` is a
    /// request that is let through; a letter is a referral that is answered 503, sent after all earlier
    /// answers, or in upper case together with the one before it; `*` is a list page.
    fn throttles(story: &[(u64, char)]) -> Vec<bool> {
        let (begun, mut load, mut throttles) = (Instant::now(), LoadRefusals::default(), Vec::new());
        let (mut moment, mut left) = (0, 0);
        for (at, what) in story {
            let now = begun + Duration::from_millis(*at);
            if *what == '+' {
                load.let_through(now);
                continue;
            }
            let letter = what.to_ascii_lowercase();
            let id = format!("5a1e0001-0000-4000-8000-{:012}", u32::from(letter)).parse().unwrap();
            moment += 2;
            left = if what.is_uppercase() { left } else { moment - 1 };
            throttles.push(load.is_refusal((*what != '*').then_some(id), Moment(left), Moment(moment), now));
        }
        throttles
    }

    #[test]
    fn some_are_refused_and_others_let_through() {
        let known = [(0, '+'), (1, 'a'), (2, 'b'), (3, 'c')];
        let with = |more: &[(u64, char)]| [&known, more].concat();
        for (story, wanted) in [
            (with(&[(4, 'a')]), vec![false, false, true, true]),
            (vec![(0, '+'), (1, 'a'), (2, '*'), (9_000, 'c')], vec![false, false, true]),
            // For good, also after a long pause.
            (with(&[(90_000, 'd'), (90_001, '+'), (900_000, 'd')]), vec![false, false, true, true, true]),
            // Nothing is let through.
            (vec![(0, 'a'), (1, 'b'), (2, 'c'), (3, 'd')], vec![false; 4]),
            (vec![(0, '+'), (10_000, 'a'), (10_001, 'b'), (10_002, 'c')], vec![false; 3]),
            // One referral, or two, have their own trouble.
            (vec![(0, '+'), (1, 'a'), (2, 'a'), (3, 'b'), (4, 'a'), (5, 'b')], vec![false; 5]),
            // Now and then.
            (
                vec![(0, '+'), (1, 'a'), (6_000, '+'), (7_000, 'b'), (11_000, '+'), (12_000, 'c')],
                vec![false; 3],
            ),
        ] {
            assert_eq!(throttles(&story), wanted, "{story:?}");
        }
    }

    #[test]
    fn where_nothing_is_let_through_any_more_it_is_an_outage() {
        let mut story = vec![(0, '+'), (1, 'a'), (2, 'b'), (3, 'c')];
        // What was in flight together counts once.
        story.extend((0..50).map(|_| (3, 'D')));
        story.extend((1..=6).map(|second| (second * 1_000, 'd')));
        story.extend([(60_000, '+'), (61_000, 'e')]);
        let got = throttles(&story);
        let wanted = [vec![false; 2], vec![true; 55], vec![false; 2], vec![true]].concat();
        assert_eq!(got, wanted);
    }
}
