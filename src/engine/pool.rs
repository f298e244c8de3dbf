//! The items that the service answered with a yes alone, until they are confirmed: see `confirm`.
//!
//! One of the first items is looked at by itself at once, whatever there is to gather. As long as such a look finds that
//! the service said yes and changed nothing, nothing gathers, and each is read back before the next: so a service that
//! does nothing is noticed as early as any other trouble.
//!
//! In memory are ids and numbers alone: an item is looked up in the ledger when its referral is seen.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use super::stop::StopReason;
use crate::api::PageLink;
use crate::domain::outcome::Outcome;
use crate::domain::referral::ReferralId;

/// The number of items that are enough for a pass: three or four pages, so that confirming them costs a request or two
/// for a hundred.
pub const ENOUGH: usize = 250;

/// The most items that gather: of so many, what no page shows is read by itself.
const MOST: usize = 100_000;

/// How far a pass goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// Over the pages that are well worth it. What was not seen waits for the next pass.
    Early,
    /// Over the pages that spare more requests than they cost. What was not seen is read by itself.
    Whole,
    /// As [`Pass::Early`], after the run was stopped.
    Parting,
}

/// Whether the service may be trusted to have done what it says yes to, so that a look can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Nothing was looked at in this process.
    Untried,
    /// The first item is looked at.
    Trying,
    /// The last look found the change.
    Given,
    /// The last look didn't.
    Withdrawn,
}

/// The items that were answered with a yes alone, until they are confirmed.
#[derive(Debug)]
pub(super) struct Pool {
    enough: usize,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    answered: BTreeMap<ReferralId, Answered>,
    /// The numbers of the items that are to be read by themselves.
    doubts: VecDeque<u64>,
    trust: Trust,
    /// The number of items for which the next pass is worth while.
    next_at: usize,
    /// The number of passes that began.
    passes: u32,
    /// Whether the list is asked for in an order.
    is_ordered: bool,
    /// Whether the pass was made that comes after a stop.
    has_parted: bool,
}

/// An item that was answered with a yes alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered {
    pub(super) number: u64,
    /// The number of passes that had begun by then.
    pub(super) since: u32,
}

impl Pool {
    /// Returns an empty pool, for which a pass is worth while from so many items on.
    pub(super) fn new(enough: usize) -> Self {
        let state = State {
            answered: BTreeMap::new(),
            doubts: VecDeque::new(),
            trust: Trust::Untried,
            next_at: enough,
            passes: 0,
            is_ordered: true,
            has_parted: false,
        };
        Self { enough, state: RefCell::new(state) }
    }

    /// Whether an item may wait for its confirmation that was answered just now. Where it may not, it is to be looked at
    /// by itself, and what comes of that is to be [told](Self::settled).
    pub(super) fn may_wait(&self) -> bool {
        let state = &mut *self.state.borrow_mut();
        match state.trust {
            Trust::Trying | Trust::Given => true,
            Trust::Withdrawn => false,
            Trust::Untried => {
                state.trust = Trust::Trying;
                false
            }
        }
    }

    /// Records that looks at an item that was answered with a yes alone don't show the change.
    pub(super) fn not_found(&self) {
        self.state.borrow_mut().trust = Trust::Withdrawn;
    }

    /// Records the outcome of an item that was answered with a yes alone and looked at by itself.
    pub(super) fn settled(&self, outcome: Outcome) {
        let trust = &mut self.state.borrow_mut().trust;
        *trust = match (outcome, *trust) {
            (Outcome::Applied, _) => Trust::Given,
            // That is somebody else's doing, and says nothing of the service.
            (Outcome::Conflict, Trust::Trying) => Trust::Untried,
            (Outcome::Conflict, trust) => trust,
            _ => Trust::Withdrawn,
        };
    }

    /// Takes in an item that waits for its confirmation.
    pub(super) fn add(&self, referral: ReferralId, number: u64) {
        let state = &mut *self.state.borrow_mut();
        state.answered.insert(referral, Answered { number, since: state.passes });
    }

    /// Returns the number of items that wait to be confirmed.
    pub(super) fn len(&self) -> usize {
        let state = self.state.borrow();
        state.answered.len() + state.doubts.len()
    }

    /// Returns the next item that is to be read by itself.
    pub(super) fn next_doubt(&self) -> Option<u64> {
        self.state.borrow_mut().doubts.pop_front()
    }

    /// Returns the pass that is due, if any is. `is_idle` says that nothing else is under way or left to begin.
    pub(super) fn due(&self, is_idle: bool, stopped: Option<StopReason>) -> Option<Pass> {
        let state = self.state.borrow();
        let count = state.answered.len();
        match stopped {
            _ if count == 0 => None,
            Some(reason) => {
                (is_idle && !state.has_parted && may_look_after(&reason)).then_some(Pass::Parting)
            }
            None if is_idle || state.trust == Trust::Withdrawn || count >= MOST => Some(Pass::Whole),
            None => (count >= state.next_at).then_some(Pass::Early),
        }
    }

    /// Begins a pass. Returns how many items it is to confirm.
    pub(super) fn begin(&self) -> usize {
        let state = &mut *self.state.borrow_mut();
        state.passes += 1;
        state.answered.len()
    }

    /// Ends a pass that left `unseen` of its items.
    pub(super) fn end(&self, pass: Pass, unseen: usize) {
        let state = &mut *self.state.borrow_mut();
        match pass {
            Pass::Early => state.next_at = self.enough + 2 * unseen,
            Pass::Whole => {
                state.next_at = self.enough;
                let passes = state.passes;
                let of_it = state.answered.extract_if(.., |_, answered| answered.since < passes);
                let mut numbers: Vec<u64> = of_it.map(|(_, answered)| answered.number).collect();
                numbers.sort_unstable();
                state.doubts.extend(numbers);
            }
            Pass::Parting => state.has_parted = true,
        }
    }

    /// Returns the item of a referral, where it waits.
    pub(super) fn find(&self, referral: ReferralId) -> Option<Answered> {
        self.state.borrow().answered.get(&referral).copied()
    }

    /// Whether the pass that is under way is to confirm what waits since then.
    pub(super) fn is_due(&self, since: u32) -> bool {
        since < self.state.borrow().passes
    }

    pub(super) fn take_out(&self, referral: ReferralId) {
        self.state.borrow_mut().answered.remove(&referral);
    }

    /// Has an item read by itself.
    pub(super) fn doubt(&self, referral: ReferralId) {
        let state = &mut *self.state.borrow_mut();
        state.doubts.extend(state.answered.remove(&referral).map(|answered| answered.number));
    }

    pub(super) fn first_page(&self) -> Option<PageLink> {
        self.state.borrow().is_ordered.then(PageLink::latest_first)
    }

    /// Records that the list can't be had in an order. Returns whether it was asked for in one.
    pub(super) fn give_up_order(&self) -> bool {
        std::mem::replace(&mut self.state.borrow_mut().is_ordered, false)
    }
}

/// Whether something may still be looked at after a run was stopped for this reason: not where that is because the
/// service, its token or the ledger fails.
pub(super) fn may_look_after(reason: &StopReason) -> bool {
    matches!(
        reason,
        StopReason::Interrupted
            | StopReason::TooManyErrors(_)
            | StopReason::Deadline(_)
            | StopReason::Forbidden(_)
            | StopReason::Wave(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> ReferralId {
        format!("5a1e0001-0000-4000-8000-{number:012}").parse().unwrap()
    }

    fn pool(items: u64) -> Pool {
        let pool = Pool::new(4);
        (1..=items).for_each(|number| pool.add(id(number), number));
        pool
    }

    #[test]
    fn the_first_is_looked_at_and_the_others_wait_as_long_as_looks_find_something() {
        let pool = pool(0);
        let mut told = String::new();
        for came in "?? .? A? n? A? C? F? A?".chars() {
            match came {
                '?' => told.push(if pool.may_wait() { 'w' } else { 'l' }),
                'A' => pool.settled(Outcome::Applied),
                'C' => pool.settled(Outcome::Conflict),
                'F' => pool.settled(Outcome::Failed),
                'n' => pool.not_found(),
                _ => {}
            }
        }
        assert_eq!(told, "lwwwlwwlw");
        // A conflict of the very first one says nothing, so the next is the first.
        let pool = Pool::new(4);
        assert!(!pool.may_wait());
        pool.settled(Outcome::Conflict);
        assert!(!pool.may_wait());
    }

    #[test]
    fn a_pass_comes_when_there_are_enough_and_at_the_end() {
        use Pass::{Early, Parting, Whole};
        let stopped = |reason| Some(reason);
        for (items, is_idle, stop, wanted) in [
            (0, true, None, None),
            (3, false, None, None),
            (3, true, None, Some(Whole)),
            (4, false, None, Some(Early)),
            (4, false, stopped(StopReason::Interrupted), None),
            (1, true, stopped(StopReason::Interrupted), Some(Parting)),
            (1, true, stopped(StopReason::TooManyErrors(1)), Some(Parting)),
            (1, true, stopped(StopReason::Throttled), None),
            (1, true, stopped(StopReason::Unreachable(String::new())), None),
        ] {
            assert_eq!(pool(items).due(is_idle, stop.clone()), wanted, "{items} {is_idle} {stop:?}");
        }
        let distrusted = pool(1);
        distrusted.not_found();
        assert_eq!(distrusted.due(false, None), Some(Whole));
        // What pages don't show makes the next pass wait longer.
        let unseen = pool(6);
        unseen.begin();
        unseen.end(Early, 6);
        (7..=15).for_each(|number| unseen.add(id(number), number));
        assert_eq!(unseen.due(false, None), None);
        unseen.add(id(16), 16);
        assert_eq!(unseen.due(false, None), Some(Early));
        // There is one pass after a stop.
        let parted = pool(1);
        parted.begin();
        parted.end(Parting, 1);
        assert_eq!((parted.due(true, stopped(StopReason::Interrupted)), parted.len()), (None, 1));
    }

    #[test]
    fn what_no_page_shows_is_read_by_itself() {
        let pool = pool(3);
        pool.begin();
        pool.add(id(4), 4);
        pool.take_out(id(2));
        pool.doubt(id(3));
        pool.end(Pass::Whole, 1);
        let doubts: Vec<u64> = std::iter::from_fn(|| pool.next_doubt()).collect();
        assert_eq!(doubts, [3, 1], "what came during the pass waits for the next");
        assert_eq!(pool.len(), 1);
    }
}
