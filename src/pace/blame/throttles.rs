//! Whether a referral is throttled because all are. Pure.
//!
//! A quota throttles whoever comes next, and a request that waited for as long as was asked is let through.
//! A referral that is throttled again and again, while others that left after it were let through, is
//! throttled for itself. What speaks for that is counted from one throttle to the next:
//!
//! | since the last time | |
//! |---|---|
//! | many others were let through, none was throttled | enough |
//! | others were let through, three times as many as were throttled | enough the second time |
//! | nobody else asked | nothing; enough the third time, where something spoke for it before |
//! | anything else | all are throttled: begins anew |
//!
//! Where nobody is left to compare it with, it is waited for to the end of all patience. Then it goes by what
//! was before: others were let through, and none was throttled but this one.
//!
//! To be wrong is cheap: the referral pays with one of its tries, and has them back when it is let through.

use std::collections::BTreeMap;

use super::moment::{Moment, RequestSubject};
use crate::domain::exchange::Operation;
use crate::domain::referral::ReferralId;

/// So many others that were let through leave no doubt, where none was throttled.
const MANY: u32 = 8;

/// So many must have been let through for each that was throttled.
const FOR_EACH: u32 = 3;

/// So much has to speak against a referral.
const ENOUGH: u32 = 2;

/// So often it is throttled with nobody else to compare it with.
const ALONE: u32 = 3;

/// So often in a row one request is throttled at most, whoever is to blame.
pub const MAX_THROTTLES: u32 = 50;

/// Whose fault a throttle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleScope {
    /// The run is too fast, as far as anybody can tell.
    Run,
    /// The referral's own.
    Referral,
    /// Nobody knows, and it goes on without end.
    Endless,
}

/// Requests that were throttled, and were not let through since.
#[derive(Debug, Default)]
pub(super) struct Throttles {
    suspects: BTreeMap<(ReferralId, Operation), Suspect>,
    /// The first two that were let through, of each sort: one of them is another than any suspect.
    let_through: Vec<RequestSubject>,
}

#[derive(Debug)]
struct Suspect {
    /// When the last throttle was heard of.
    heard: Moment,
    /// How many there were.
    count: u32,
    /// Others that left since then and were let through; others that were throttled.
    let_through: u32,
    throttled: u32,
    /// Others that were throttled since the first time.
    ever_throttled: u32,
    /// What speaks against it.
    strikes: u32,
    alone: u32,
}

impl Throttles {
    /// A request that left then was let through.
    pub(super) fn let_through(&mut self, about: RequestSubject, left: Moment) {
        if let Some(id) = about.referral {
            self.suspects.remove(&(id, about.operation));
        }
        let alike = self.let_through.iter().filter(|known| known.operation == about.operation);
        if alike.count() < 2 && !self.let_through.contains(&about) {
            self.let_through.push(about);
        }
        for (key, suspect) in &mut self.suspects {
            suspect.let_through += u32::from(speaks_against(*key, about) && left > suspect.heard);
        }
    }

    /// A request was throttled.
    pub(super) fn throttled(&mut self, about: RequestSubject, heard: Moment) -> ThrottleScope {
        let key = about.referral.map(|id| (id, about.operation));
        if key.and_then(|key| self.suspects.get(&key)).is_none_or(|suspect| !suspect.is_to_blame()) {
            self.count(about);
        }
        let Some(key) = key else { return ThrottleScope::Run };
        let others_were_let_through = self.let_through.iter().any(|known| speaks_against(key, *known));
        let suspect = self.suspects.entry(key).or_insert_with(|| Suspect::new(heard));
        suspect.throttled_again(heard);
        match suspect.count > MAX_THROTTLES {
            _ if suspect.is_to_blame() => ThrottleScope::Referral,
            true if others_were_let_through && suspect.ever_throttled == 0 => ThrottleScope::Referral,
            true => ThrottleScope::Endless,
            false => ThrottleScope::Run,
        }
    }

    /// Counts a throttle with all others that it may say something of.
    fn count(&mut self, about: RequestSubject) {
        for ((id, operation), suspect) in &mut self.suspects {
            // That writes are throttled says nothing of reads.
            let compares = about.operation == Operation::Read || *operation == Operation::Write;
            suspect.throttled += u32::from(about.referral != Some(*id) && compares);
        }
    }

    pub(super) fn forget(&mut self, id: ReferralId) {
        self.suspects.retain(|(suspect, _), _| *suspect != id);
    }
}

/// Whether it speaks against a suspect that another is let through: that reads are says nothing of writes.
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

    fn about(letter: char) -> RequestSubject {
        let operation = if letter.is_ascii_uppercase() { Operation::Write } else { Operation::Read };
        let number = u32::from(letter.to_ascii_lowercase());
        let id = format!("5a1e0001-0000-4000-8000-{number:012}").parse().unwrap();
        RequestSubject { referral: (letter != '*').then_some(id), operation }
    }

    /// What becomes of requests that leave one after another: a letter is a referral, in upper case where it
    /// is written, `*` the list. `!` behind it means that it is throttled. Answers how each throttle of the
    /// referral `x` is judged: everybody's, its own, or without end.
    fn judged(story: &str) -> String {
        let (mut throttles, mut judged, mut moment) = (Throttles::default(), String::new(), 0);
        for word in story.split_whitespace() {
            let letter = word.chars().next().unwrap();
            for _ in 0..word.trim_start_matches(letter).trim_end_matches('!').parse().unwrap_or(1) {
                moment += 2;
                if !word.ends_with('!') {
                    throttles.let_through(about(letter), Moment(moment));
                    continue;
                }
                let whose = throttles.throttled(about(letter), Moment(moment + 1));
                if letter.eq_ignore_ascii_case(&'x') {
                    judged.push(match whose {
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
        ] {
            assert_eq!(judged(story), *wanted, "{story}");
        }
    }

    /// What left before the throttle was heard of may have had the last that a quota had to give.
    #[test]
    fn what_left_before_is_no_evidence() {
        let mut throttles = Throttles::default();
        for turn in 1..=20 {
            assert_eq!(throttles.throttled(about('x'), Moment(turn * 10)), ThrottleScope::Run);
            for _ in 0..10 {
                throttles.let_through(about('a'), Moment(turn * 10 - 1));
            }
        }
        throttles.forget(about('x').referral.unwrap());
        assert!(throttles.suspects.is_empty());
    }
}
