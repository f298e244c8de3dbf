//! The ids of the latest calls: each call has one of its own.

use std::collections::{HashSet, VecDeque};

use uuid::Uuid;

/// So many are remembered, at least an hour's worth at any rate that the service would bear.
const REMEMBERED: usize = 20_000;

/// Which ids were seen lately.
#[derive(Debug, Default)]
pub(super) struct Calls {
    order: VecDeque<Uuid>,
    seen: HashSet<Uuid>,
}

impl Calls {
    /// Takes the id of a call. False where an earlier call had it.
    pub(super) fn is_new(&mut self, id: Uuid) -> bool {
        if !self.seen.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let mut calls = Calls::default();
        let id = |number: usize| Uuid::from_u128(number as u128);
        assert!((0..REMEMBERED).all(|number| calls.is_new(id(number))));
        assert!(!calls.is_new(id(0)));
        assert!(calls.is_new(id(REMEMBERED)));
        assert!(calls.is_new(id(0)), "the oldest was forgotten");
        assert!(!calls.is_new(id(2)));
        assert_eq!((calls.order.len(), calls.seen.len()), (REMEMBERED, REMEMBERED));
    }
}
