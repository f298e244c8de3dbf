//! What has to hold in every state, whatever happened before.

use std::collections::BTreeSet;

use crate::ledger::Verdict;
use crate::rules::Rules;
use crate::world::World;

/// What a search may find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wrong {
    /// The change was made twice.
    MadeTwice,
    /// The books say conflict, and the change was made.
    ConflictThoughMade,
    /// The books say conflict, and nobody else changed anything.
    ConflictThoughAlone,
    /// The books say applied, and the change was not made.
    AppliedThoughNotMade,
    /// The books say unknown of a change that is bound to a version, where a look tells.
    UnknownThoughBound,
    /// A request was sent whose attempt was not on record.
    SentUnrecorded,
    /// An intent was written for an item that had its outcome.
    IntentAfterOutcome,
    /// An intent was written after the run was stopped.
    IntentAfterStop,
    /// An outcome was written over another.
    SecondOutcome,
    /// The books say that the change was not made, or that nobody knows, and a yes was on record before.
    OutcomeAgainstEvidence,
    /// An outcome was written by a worker that did not hold the item.
    OutcomeByAnother,
    /// A worker that could go on does not bring the item to its outcome, although nothing goes wrong any more.
    NobodyGoesOn,
}

/// What is wrong in a state, or was in a step that led to it.
pub fn wrong(world: &World, rules: &Rules) -> BTreeSet<Wrong> {
    let mut wrong = world.breaches.clone();
    if world.service.made > 1 {
        wrong.insert(Wrong::MadeTwice);
    }
    wrong.extend(world.ledger.outcome.and_then(|verdict| untrue(verdict, world, rules)));
    wrong
}

/// In which way an outcome is not what became of the change.
///
/// A change that somebody else overwrote before anybody looked may be called a conflict: no look shows that it was once
/// there.
fn untrue(verdict: Verdict, world: &World, rules: &Rules) -> Option<Wrong> {
    let service = &world.service;
    let is_made = service.made > 0;
    match verdict {
        Verdict::Applied => (!is_made).then_some(Wrong::AppliedThoughNotMade),
        Verdict::Conflict if is_made => (!service.is_overwritten).then_some(Wrong::ConflictThoughMade),
        Verdict::Conflict => (!service.is_edited).then_some(Wrong::ConflictThoughAlone),
        Verdict::Unknown => rules.scenario.is_bound.then_some(Wrong::UnknownThoughBound),
    }
}
