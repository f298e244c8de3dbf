//! Whether a 503 that doesn't say for how long is a throttle. Pure but for the times that it is given.
//!
//! What stands before a service says "too many" with 503 unless somebody tells it to say 429: so does nginx,
//! with `limit_req` and `limit_conn`, at once and without `Retry-After`. A service that is broken says 503
//! too. The two differ in what becomes of others: one that refuses some requests, and lets others through at
//! the same time, is not broken. Several referrals have to be refused, since one may have a trouble of its
//! own. Once that was so, the service is known to refuse in this way, until nothing is let through any more
//! however long it is left alone.

use std::time::Duration;

use tokio::time::Instant;

use super::moment::Moment;
use crate::domain::referral::ReferralId;

/// So many referrals have to be refused.
const NUMBER: usize = 3;

/// In this time, in which others are let through.
const WINDOW: Duration = Duration::from_secs(10);

/// Refusals one after another, with a pause between them that doubles from a second on, are a throttle as
/// long as they are no more.
const PATIENCE: u32 = 7;

/// What was refused lately, and when something was let through last.
#[derive(Debug, Default)]
pub(super) struct LoadRefusals {
    let_through: Option<Instant>,
    /// Each referral once.
    refused: Vec<(Option<ReferralId>, Instant)>,
    is_known: bool,
    /// Refusals since something was let through. What was in flight together counts once.
    in_a_row: u32,
    heard: Option<Moment>,
}

impl LoadRefusals {
    pub(super) fn let_through(&mut self, now: Instant) {
        self.let_through = Some(now);
        self.in_a_row = 0;
    }

    /// A request that left then was answered 503. Whether that is a throttle.
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

    /// What happens at so many milliseconds: `+` is let through, a letter is a referral that is answered 503
    /// and had left after all before it was heard of, in upper case together with the one before it; `*` is a
    /// list page. Answers which of the 503s are throttles.
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
