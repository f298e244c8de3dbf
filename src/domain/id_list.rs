//! Referrals' ids in the order in which they came, each once, and found again by what they are.
//!
//! A run may have a million of them, so an id takes little more room than its own sixteen bytes.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::referral::ReferralId;

/// Ids, each with its position: the first has 0.
#[derive(Debug, Clone, Default)]
pub struct IdList {
    ids: Vec<ReferralId>,
    /// The positions, by the hash of the id there.
    positions: HashTable<u32>,
    hasher: RandomState,
}

/// What came of adding an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It has the next position.
    New(usize),
    /// It was on the list already.
    There(usize),
}

impl IdList {
    /// Adds an id, unless it is there already.
    pub fn add(&mut self, id: ReferralId) -> Added {
        let Self { ids, positions, hasher } = self;
        let is_it = |position: &u32| ids[*position as usize] == id;
        let hash = |position: &u32| hasher.hash_one(ids[*position as usize]);
        match positions.entry(hasher.hash_one(id), is_it, hash) {
            Entry::Occupied(there) => Added::There(*there.get() as usize),
            Entry::Vacant(free) => {
                let position = ids.len();
                free.insert(u32::try_from(position).expect("memory holds fewer ids than 2^32"));
                ids.push(id);
                Added::New(position)
            }
        }
    }

    /// Returns the position of an id.
    pub fn position(&self, id: ReferralId) -> Option<usize> {
        let is_it = |position: &u32| self.ids[*position as usize] == id;
        self.positions.find(self.hasher.hash_one(id), is_it).map(|position| *position as usize)
    }

    /// Returns the ids in the order in which they came.
    pub fn ids(&self) -> &[ReferralId] {
        &self.ids
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;
    use uuid::Uuid;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 200, failure_persistence: None, rng_seed: RngSeed::Fixed(2_114), ..ProptestConfig::default()
        })]

        #[test]
        fn ids_have_the_positions_in_which_they_came(numbers in proptest::collection::vec(0_u128..300, 0..600)) {
            let id = |number: u128| ReferralId::from(Uuid::from_u128(number));
            let (mut list, mut model) = (IdList::default(), HashMap::new());
            for number in numbers {
                let next = model.len();
                let wanted = match model.get(&number) {
                    Some(there) => Added::There(*there),
                    None => Added::New(next),
                };
                model.entry(number).or_insert(next);
                prop_assert_eq!(list.add(id(number)), wanted);
            }
            for number in 0..300 {
                let position = list.position(id(number));
                prop_assert_eq!(position, model.get(&number).copied());
                prop_assert!(position.is_none_or(|position| list.ids()[position] == id(number)));
            }
            prop_assert_eq!(list.ids().len(), model.len());
        }
    }
}
