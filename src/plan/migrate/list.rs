//! Two lists of members or solutions: which elements stay, change, come and go.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use super::deep::ObjectMerge;
use super::equivalence::is_deeply_alike;
use crate::domain::fields::Kind;
use crate::domain::json;
use crate::domain::value::element_key;

/// How a payload's list differs from the referral's.
pub(super) struct ListComparison {
    pub outcome: ListChange,
    /// Members of elements that the payload leaves out or empties, and that stay; as a person would
    /// name them.
    pub omitted: Vec<String>,
    pub kept: Vec<String>,
    /// Whether the payload empties a member of an element that isn't there, as far as was seen.
    pub empties_unseen: bool,
}

/// What is to become of a list.
pub(super) enum ListChange {
    Same,
    /// The same elements in another order.
    Reordered,
    /// The same elements, in the same order, and these after them.
    Grown(Vec<Box<RawValue>>),
    /// Another list altogether: the service's own elements where the payload has them, too.
    Other(Box<RawValue>),
}

/// One element of the payload's list.
struct GivenElement<'a> {
    given: &'a RawValue,
    key: Option<String>,
    /// Which element of the referral's list it is.
    at: Option<usize>,
    /// What becomes of it, where it differs.
    merged: Option<Box<RawValue>>,
}

/// Compares two lists. An element that nothing tells apart is known where another says the same.
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

/// The referral's elements, each of which the payload can name once.
struct CurrentElements<'a> {
    elements: &'a [&'a RawValue],
    /// Those that are left, by their keys; those without one together.
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

    /// Which element a payload's one is: the very same, or else one of the same key.
    fn take(&mut self, given: &RawValue, key: &Option<String>) -> Option<usize> {
        let left = self.by_key.get_mut(key)?;
        let is_same = |at: &usize| self.elements[*at].get() == given.get();
        let is_known = |at: &usize| key.is_some() || is_deeply_alike(self.elements[*at], given);
        let found = left.iter().position(is_same).or_else(|| left.iter().position(is_known))?;
        Some(left.remove(found))
    }
}

fn outcome(current: &[&RawValue], entries: &[GivenElement<'_>]) -> ListChange {
    let known = entries.iter().filter(|entry| entry.at.is_some()).count();
    let unchanged = known == current.len() && entries.iter().all(|entry| entry.merged.is_none());
    let in_front = entries.iter().take(known).enumerate().all(|(at, entry)| entry.at == Some(at));
    if unchanged && known == entries.len() {
        return if in_front { ListChange::Same } else { ListChange::Reordered };
    }
    // Two elements of one key are no list that may be sent, and only a whole list is looked at as one.
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

/// Whether two lists hold the same elements in any order, none of them saying more than the other.
pub(super) fn is_alike(kind: Kind, one: &[&RawValue], other: &[&RawValue]) -> bool {
    let ListComparison { outcome, omitted, kept, .. } = compare(kind, false, one, other);
    matches!(outcome, ListChange::Same | ListChange::Reordered) && omitted.is_empty() && kept.is_empty()
}
