//! What a report told of a row that is fed back. Reports add it in columns, or members, that change nothing.

use crate::domain::finding::{Finding, Place};
use crate::domain::json::{self, Object};
use crate::domain::outcome::Outcome;
use crate::domain::rules::Rule;

/// Whether a member was added by a report.
pub(super) fn is_result(name: &str) -> bool {
    name == "result" || name.starts_with("result.")
}

/// What is wrong with a line of a report that stands for one that could not be read: its text is the member
/// `input`, and nothing else is the row's own.
pub(super) fn stand_in(place: Place, members: &Object<'_>) -> Option<Finding> {
    let mut own = members.iter().filter(|(name, _)| !is_result(name));
    let (Some(("input", text)), None) = (own.next(), own.next()) else { return None };
    let is_one = members.iter().any(|(name, _)| is_outcome(name)) && json::string(text).is_some();
    let message = "this stands for a line that could not be read, whose text is in \"input\"";
    let hint = "write the corrected object in its place, or take the line out";
    is_one.then(|| Finding::deny(Rule::Json, place, message).hint(hint))
}

/// The outcome that the members of a line tell.
pub(super) fn of_members(members: &Object<'_>) -> Option<Outcome> {
    let (_, told) = members.iter().find(|(name, _)| is_outcome(name))?;
    outcome(&json::string(told)?)
}

/// Whether a column or member holds the outcome.
pub(super) fn is_outcome(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("result.outcome")
}

/// The outcome that its text tells; `None` where it is none.
pub(super) fn outcome(text: &str) -> Option<Outcome> {
    Outcome::parse(&text.trim().to_ascii_lowercase())
}
