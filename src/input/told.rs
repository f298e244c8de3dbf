//! What a report told of a row that is fed back. Reports add it in columns, or members, that change nothing.

use crate::domain::outcome::Outcome;

/// Whether a column or member holds the outcome.
pub(super) fn is_outcome(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("result.outcome")
}

/// The outcome that its text tells; `None` where it is none.
pub(super) fn outcome(text: &str) -> Option<Outcome> {
    Outcome::parse(&text.trim().to_ascii_lowercase())
}
