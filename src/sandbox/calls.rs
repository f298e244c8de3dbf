//! The ids of the latest requests, to detect one that is used twice.

use std::collections::{HashSet, VecDeque};

use uuid::Uuid;

/// The number of ids that are remembered: at least those of an hour, at any rate that the service would
/// accept.
const REMEMBERED: usize = 20_000;

/// The ids that were seen last.
#[derive(Debug, Default)]
pub(super) struct Calls {
    order: VecDeque<Uuid>,
    seen: HashSet<Uuid>,
}

impl Calls {
    /// Adds the id of a request. Returns `false` where an earlier request had it.
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
