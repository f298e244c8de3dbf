//! Tells whether a referral is throttled because all are, or alone. Pure.
//!
//! A quota throttles any request that comes next, and lets one through that has waited for as long as the
//! service asked. A referral that is throttled again and again, while other requests that were sent after it
//! are let through, is throttled alone. The evidence for that is counted from one throttle to the next:
//!
//! | since its last throttle | evidence |
//! |---|---|
//! | many other requests were let through, none was throttled | sufficient |
//! | other requests were let through, at least three times as many as were throttled | sufficient the second time |
//! | there were no other requests | none; sufficient the third time, where there was evidence before |
//! | anything else | all are throttled: counting starts again |
//!
//! Where there is no other request to compare it with, the run waits up to [`MAX_THROTTLES`] times. After
//! that, the referral is throttled alone where others were let through earlier and none of them was
//! throttled.
//!
//! A wrong decision costs little: the referral loses one of its tries, and gets it back when it is let
//! through.

use std::collections::BTreeMap;

use super::moment::{Moment, RequestSubject};
use crate::domain::exchange::Operation;
use crate::domain::referral::ReferralId;

/// The number of other requests let through that is sufficient evidence, where none was throttled.
const MANY: u32 = 8;

/// The number of other requests that must have been let through for each one that was throttled.
const FOR_EACH: u32 = 3;

/// The evidence that decides that a referral is throttled alone.
const ENOUGH: u32 = 2;

/// The number of throttles without any other request that decides it too, given some evidence before.
const ALONE: u32 = 3;

/// The greatest number of throttles in a row of one referral, reads and writes together.
pub const MAX_THROTTLES: u32 = 50;

/// What a throttle concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleScope {
    /// The run as a whole is too fast, as far as can be told.
    Run,
    /// This referral alone.
    Referral,
    /// Unknown, after more than [`MAX_THROTTLES`] in a row.
    Endless,
}

/// The referrals that were throttled and have not been let through since.
#[derive(Debug, Default)]
pub(super) struct Throttles {
    suspects: BTreeMap<(ReferralId, Operation), Suspect>,
    /// The number of throttles of each referral since any request for it was let through.
    in_a_row: BTreeMap<ReferralId, u32>,
    /// The first two requests that were let through, of each operation: two, so that at least one of them
    /// concerns another referral than any given suspect.
    let_through: Vec<RequestSubject>,
}

/// A referral that may be throttled alone.
#[derive(Debug)]
struct Suspect {
    /// When its last throttle was answered.
    heard: Moment,
    /// The number of its throttles.
    count: u32,
    /// Other requests that were sent since its last throttle and let through.
    let_through: u32,
    /// Other requests that were throttled since its last throttle.
    throttled: u32,
    /// Other requests that were throttled since its first throttle.
    ever_throttled: u32,
    /// The evidence that it is throttled alone.
    strikes: u32,
    /// Throttles without any other request since the one before.
    alone: u32,
}

impl Throttles {
    /// Records that a request sent at `left` was let through.
    pub(super) fn let_through(&mut self, subject: RequestSubject, left: Moment) {
        if let Some(id) = subject.referral {
            self.suspects.remove(&(id, subject.operation));
            self.in_a_row.remove(&id);
        }
        let alike = self.let_through.iter().filter(|known| known.operation == subject.operation);
        if alike.count() < 2 && !self.let_through.contains(&subject) {
            self.let_through.push(subject);
        }
        for (key, suspect) in &mut self.suspects {
            suspect.let_through += u32::from(speaks_against(*key, subject) && left > suspect.heard);
        }
    }

    /// Records that a request was throttled, and returns what that concerns.
    pub(super) fn throttled(&mut self, subject: RequestSubject, heard: Moment) -> ThrottleScope {
        let key = subject.referral.map(|id| (id, subject.operation));
        if key.and_then(|key| self.suspects.get(&key)).is_none_or(|suspect| !suspect.is_to_blame()) {
            self.count(subject);
        }
        let Some(key) = key else { return ThrottleScope::Run };
        let others_were_let_through = self.let_through.iter().any(|known| speaks_against(key, *known));
        let suspect = self.suspects.entry(key).or_insert_with(|| Suspect::new(heard));
        suspect.throttled_again(heard);
        if suspect.is_to_blame() {
            return ThrottleScope::Referral;
        }
        // A change that was throttled is read back, and then the read is throttled: in a row both count, so that
        // the referral is judged before the run has had as many and stops.
        let in_a_row = self.in_a_row.entry(key.0).or_default();
        *in_a_row += 1;
        match suspect.count.max(*in_a_row) > MAX_THROTTLES {
            true if others_were_let_through && suspect.ever_throttled == 0 => ThrottleScope::Referral,
            true => ThrottleScope::Endless,
            false => ThrottleScope::Run,
        }
    }

    /// Counts a throttle for all suspects that it says something about.
    fn count(&mut self, subject: RequestSubject) {
        for ((id, operation), suspect) in &mut self.suspects {
            // Writes are throttled sooner than reads, so a throttled write says nothing of reads.
            let compares = subject.operation == Operation::Read || *operation == Operation::Write;
            suspect.throttled += u32::from(subject.referral != Some(*id) && compares);
        }
    }

    /// Drops what is known of a referral.
    pub(super) fn forget(&mut self, id: ReferralId) {
        self.suspects.retain(|(suspect, _), _| *suspect != id);
        self.in_a_row.remove(&id);
    }
}

/// Returns whether another request that is let through is evidence against a suspect. A read that is let
/// through says nothing of writes.
fn speaks_against((id, operation): (ReferralId, Operation), other: RequestSubject) -> bool {
    other.referral != Some(id) && (other.operation == Operation::Write || operation == Operation::Read)
}

impl Suspect {
    fn new(heard: Moment) -> Self {
        Self { heard, count: 0, let_through: 0, throttled: 0, ever_throttled: 0, strikes: 0, alone: 0 }
    }

    fn throttled_again(&mut self, heard: Moment) {
        let (let_through, throttled) = (self.let_through, self.throttled);
        (self.heard, self.let_through, self.throttled) = (heard, 0, 0);
        self.ever_throttled += throttled;
        self.count += 1;
        match (let_through, throttled) {
            _ if self.count == 1 => {}
            (0, 0) => self.alone += u32::from(self.strikes > 0),
            (MANY.., 0) => self.strikes += ENOUGH,
            _ if let_through >= throttled * FOR_EACH => self.strikes += 1,
            _ => (self.strikes, self.alone) = (0, 0),
        }
    }

    fn is_to_blame(&self) -> bool {
        self.strikes >= ENOUGH || self.alone >= ALONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(letter: char) -> RequestSubject {
        let operation = if letter.is_ascii_uppercase() { Operation::Write } else { Operation::Read };
        let number = u32::from(letter.to_ascii_lowercase());
        let id = format!("5a1e0001-0000-4000-8000-{number:012}").parse().unwrap();
        RequestSubject { referral: (letter != '*').then_some(id), operation }
    }

    /// Plays requests that are sent one after another, and returns what each throttle of the referral `x`
    /// concerns: `e` the run, `o` the referral, `.` unknown. A letter is a referral, in upper case for a
    /// write, `*` the list; a number repeats it, and `!` behind it means that it is throttled.
    fn judged(story: &str) -> String {
        let (mut throttles, mut judged, mut moment) = (Throttles::default(), String::new(), 0);
        for word in story.split_whitespace() {
            let letter = word.chars().next().unwrap();
            for _ in 0..word.trim_start_matches(letter).trim_end_matches('!').parse().unwrap_or(1) {
                moment += 2;
                if !word.ends_with('!') {
                    throttles.let_through(subject(letter), Moment(moment));
                    continue;
                }
                let scope = throttles.throttled(subject(letter), Moment(moment + 1));
                if letter.eq_ignore_ascii_case(&'x') {
                    judged.push(match scope {
                        ThrottleScope::Run => 'e',
                        ThrottleScope::Referral => 'o',
                        ThrottleScope::Endless => '.',
                    });
                }
            }
        }
        judged
    }

    #[test]
    fn who_is_throttled_alone_is_to_blame() {
        for (story, wanted) in [
            // Many others at once, or some twice.
            ("x! a8 x! x!", "eoo"),
            ("x! a7 x! a x!", "eeo"),
            ("x! a x! b x! c x!", "eeoo"),
            // Nobody else is left after a while.
            ("x! a x! x! x! x! x!", "eeeeoo"),
            // Two of them among many.
            ("x! y! a12 x! y! a12 x! y!", "eeo"),
            ("y! x! a12 y! x! a12 y! x! a12 y! x!", "eeoo"),
            // All are throttled.
            ("x! y! a x! y! a x! y!", "eee"),
            ("x! a2 y! x! a2 z! x! a2 w! x!", "eeee"),
            ("x! y! z! x! y! z! x! y! z!", "eee"),
            ("x! *! a x! *! a x!", "eee"),
            // It begins anew when it is let through, or others are throttled.
            ("x! a7 x! x a7 x! a x!", "eeee"),
            ("x! a7 x! y! z! w! x! a x! a x!", "eeeeo"),
            // One that is to blame says nothing of others.
            ("y! a8 y! x! a3 y! x! a3 y! x!", "eeo"),
            // That reads are let through says nothing of a write, nor the other way round of throttles.
            ("X! a8 X! a8 X!", "eee"),
            ("X! A8 X!", "eo"),
            ("x! A8 x!", "eo"),
            ("x! Y! a8 x!", "eo"),
            ("X! y! A8 X! A2 X!", "eeo"),
            // What else is asked of the same referral doesn't either.
            ("X! x X! x X! x X!", "eeee"),
        ] {
            assert_eq!(judged(story), wanted, "{story}");
        }
    }

    #[test]
    fn nobody_is_throttled_without_end() {
        let alone = judged("x60!");
        assert_eq!(alone, "e".repeat(50) + &".".repeat(10));
        // A read in between is no way out for a write.
        assert_eq!(judged(&"X! x ".repeat(52)), "e".repeat(50) + "..");
        let (own, nobodys) = ("e".repeat(50) + "oo", "e".repeat(50) + "..");
        for (story, wanted) in [
            ("a x52!", &own),
            ("x a x52!", &own),
            ("x b! x52!", &nobodys),
            ("a b! x52!", &own),
            ("a x! b! x51!", &nobodys),
            ("a X52!", &nobodys),
            ("A X52!", &own),
            // A change that is read back: reads and writes are one referral's.
            ("A X! x51!", &own),
            // An answer to either ends the row, and that other one was throttled speaks for it.
            ("A X2! B! x X50!", &nobodys),
        ] {
            assert_eq!(judged(story), *wanted, "{story}");
        }
    }

    /// A request sent before the throttle was answered may have used up the last of a quota.
    #[test]
    fn what_left_before_is_no_evidence() {
        let mut throttles = Throttles::default();
        for turn in 1..=20 {
            assert_eq!(throttles.throttled(subject('x'), Moment(turn * 10)), ThrottleScope::Run);
            for _ in 0..10 {
                throttles.let_through(subject('a'), Moment(turn * 10 - 1));
            }
        }
        throttles.forget(subject('x').referral.unwrap());
        assert!(throttles.suspects.is_empty());
    }
}
