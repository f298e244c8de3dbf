//! Compares two lists of members or solutions: which elements stay, change, are added and are removed.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use super::deep::ObjectMerge;
use super::equivalence::is_deeply_alike;
use crate::domain::fields::Kind;
use crate::domain::json;
use crate::domain::value::element_key;

/// The result of comparing a payload's list with the referral's.
pub(super) struct ListComparison {
    pub outcome: ListChange,
    /// The members of elements that the payload leaves out (`omitted`) or empties (`kept`) and that stay, named for
    /// messages.
    pub omitted: Vec<String>,
    pub kept: Vec<String>,
    /// Whether the payload empties a member of an element that the referral doesn't show.
    pub empties_unseen: bool,
}

/// How the list is to change.
pub(super) enum ListChange {
    Same,
    /// The same elements in another order.
    Reordered,
    /// The same elements, in the same order, and these after them.
    Grown(Vec<Box<RawValue>>),
    /// Another list, with the service's own elements, merged, where the payload has them too.
    Other(Box<RawValue>),
}

/// One element of the payload's list.
struct GivenElement<'a> {
    given: &'a RawValue,
    key: Option<String>,
    /// The index of the same element in the referral's list; `None` for a new one.
    at: Option<usize>,
    /// The merged element, if it differs from the referral's.
    merged: Option<Box<RawValue>>,
}

/// Compares two lists. Elements are paired by their keys; those without a key, by being equivalent.
pub(super) fn compare(kind: Kind, clear: bool, current: &[&RawValue], given: &[&RawValue]) -> ListComparison {
    let mut deep = ObjectMerge::new(clear);
    deep.key = (kind == Kind::Members).then_some("email");
    let mut known = CurrentElements::new(kind, current);
    let (mut omitted, mut kept) = (Vec::new(), Vec::new());
    let mut entries: Vec<GivenElement<'_>> = Vec::with_capacity(given.len());
    for given in given {
        let key = element_key(kind, given).ok();
        let at = known.take(given, &key);
        let merged = at.and_then(|at| deep.object("", current[at], given));
        let of = key.as_deref().unwrap_or("an element");
        omitted.extend(deep.omitted.drain(..).map(|member| format!("{member} of {of}")));
        kept.extend(deep.kept.drain(..).map(|member| format!("{member} of {of}")));
        entries.push(GivenElement { given, key, at, merged });
    }
    let empties_unseen = deep.empties_unseen;
    ListComparison { outcome: outcome(current, &entries), omitted, kept, empties_unseen }
}

/// The referral's elements, each of which can be paired once.
struct CurrentElements<'a> {
    elements: &'a [&'a RawValue],
    /// The indexes of the elements that are not paired yet, by key; those without a key form one group.
    by_key: HashMap<Option<String>, Vec<usize>>,
}

impl<'a> CurrentElements<'a> {
    fn new(kind: Kind, elements: &'a [&'a RawValue]) -> Self {
        let mut by_key: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, element) in elements.iter().enumerate() {
            by_key.entry(element_key(kind, element).ok()).or_default().push(at);
        }
        Self { elements, by_key }
    }

    /// Pairs an element of the payload, and returns the index of the other one: preferably of the same text,
    /// otherwise of the same key.
    fn take(&mut self, given: &RawValue, key: &Option<String>) -> Option<usize> {
        let left = self.by_key.get_mut(key)?;
        let is_same = |at: &usize| self.elements[*at].get() == given.get();
        let is_known = |at: &usize| key.is_some() || is_deeply_alike(self.elements[*at], given);
        let found = left.iter().position(is_same).or_else(|| left.iter().position(is_known))?;
        Some(left.remove(found))
    }
}

/// Returns how the list is to change, from its paired elements.
fn outcome(current: &[&RawValue], entries: &[GivenElement<'_>]) -> ListChange {
    let known = entries.iter().filter(|entry| entry.at.is_some()).count();
    let unchanged = known == current.len() && entries.iter().all(|entry| entry.merged.is_none());
    let in_front = entries.iter().take(known).enumerate().all(|(at, entry)| entry.at == Some(at));
    if unchanged && known == entries.len() {
        return if in_front { ListChange::Same } else { ListChange::Reordered };
    }
    // A list with two elements of one key may not be sent. That is checked only where a list is set as a whole, so
    // such a list must not become an append.
    let (kept, added) = entries.split_at(known);
    let mut keys: HashSet<_> = kept.iter().map(|entry| &entry.key).collect();
    let twins = !added.iter().all(|entry| keys.insert(&entry.key));
    if unchanged && in_front && !twins {
        return ListChange::Grown(added.iter().map(|entry| entry.given.to_owned()).collect());
    }
    let whole: Vec<&RawValue> = entries
        .iter()
        .map(|entry| match (&entry.merged, entry.at) {
            (Some(merged), _) => merged,
            (None, Some(at)) => current[at],
            (None, None) => entry.given,
        })
        .collect();
    ListChange::Other(json::raw(&whole))
}

/// Whether two lists hold equivalent elements in any order.
pub(super) fn is_alike(kind: Kind, one: &[&RawValue], other: &[&RawValue]) -> bool {
    let ListComparison { outcome, omitted, kept, .. } = compare(kind, false, one, other);
    matches!(outcome, ListChange::Same | ListChange::Reordered) && omitted.is_empty() && kept.is_empty()
}
