//! Asks the rules about changes that take earlier ones back.
//!
//! Nobody looks at the referral for that: what the earlier changes left behind is known, and whatever else the rules
//! would ask about is judged when the changes are planned.

use jiff::Timestamp;

use super::findings::LeveledFindings;
use super::judge::Evaluator;
use super::levels::Levels;
use super::three_way::PlacedChange;
use crate::domain::change::Desired;
use crate::domain::finding::Finding;
use crate::domain::item::Change;
use crate::domain::snapshot::PathState;
use crate::domain::status::{Standing, Status};

/// Asks every rule about changes whose values from before are those that an earlier change left behind.
///
/// `desired` says what is wanted, each with a place by which its findings are told apart; `standing` where the referral
/// stands, as far as that is known.
pub fn ask_about_return(
    desired: &Desired,
    changes: impl IntoIterator<Item = Change>,
    standing: Option<&Standing>,
    levels: &Levels,
    now: Timestamp,
) -> Vec<Finding> {
    let placed = |change| PlacedChange { change, path_state: PathState::unlooked() };
    let changes: Vec<PlacedChange> = changes.into_iter().map(placed).collect();
    let mut evaluator = Evaluator { desired, current: None, now, findings: LeveledFindings::new(levels) };
    let step = desired.stage.as_ref().map(|stage| stage.value);
    let is_closed = standing.is_some_and(|standing| standing.status() == Some(Status::Closed));
    evaluator.ask_about_step(standing, is_closed, step);
    evaluator.ask_about_fields(&changes, step);
    evaluator.findings.list
}
