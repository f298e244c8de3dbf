//! Pairs the members of two objects by name.

use std::collections::HashSet;

use serde_json::value::RawValue;

use crate::domain::json::Object;

/// The members of the referral's object, which are taken one by one as the payload names them. Both mostly
/// have the same order, so the search begins behind the last member taken.
pub(super) struct Pairs<'o, 'a> {
    members: Vec<(&'o str, &'a RawValue)>,
    taken: Vec<bool>,
    next: usize,
    /// The payload's names that the referral lacks.
    others: HashSet<String>,
}

/// The error that the payload names a member a second time.
pub(super) struct Twice;

impl<'o, 'a> Pairs<'o, 'a> {
    pub(super) fn new(object: &'o Object<'a>) -> Self {
        let members: Vec<_> = object.iter().collect();
        Self { taken: vec![false; members.len()], members, next: 0, others: HashSet::new() }
    }

    /// Takes the value of a member; `None` where there is none.
    ///
    /// # Errors
    /// If it was taken before.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<&'a RawValue>, Twice> {
        let all = self.members.len();
        let is_it = |at: &usize| self.members[*at].0 == name;
        let found = (self.next..all).chain(0..self.next).find(is_it);
        match found {
            Some(at) if self.taken[at] => Err(Twice),
            Some(at) => {
                self.taken[at] = true;
                self.next = at + 1;
                Ok(Some(self.members[at].1))
            }
            None => self.others.insert(name.to_owned()).then_some(None).ok_or(Twice),
        }
    }

    /// Iterates over the members that the payload did not name.
    pub(super) fn rest(self) -> impl Iterator<Item = (&'o str, &'a RawValue)> {
        self.members.into_iter().zip(self.taken).filter(|(_, taken)| !taken).map(|(member, _)| member)
    }
}
