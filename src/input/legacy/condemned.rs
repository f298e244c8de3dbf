//! What a file as a whole says of payloads that are sound by themselves.

use super::piece::Position;
use crate::domain::finding::{Finding, Location};
use crate::domain::rules::Rule;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// Why nothing of a file is taken, though some of its payloads are sound. It shows when the file has been
/// read to its end, so they were handed out by then.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Condemned(Why);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    /// Its array is never closed; where the text ends.
    CutOff(Position),
    /// It is several arrays or objects, of which one is no JSON; where that is.
    NotWhole(Location),
}

/// What is found where an array ends early: what is missing is no payload, and has an outcome all the same.
pub(super) const NEVER_CLOSED: &str = "the array is never closed: the file may have been cut off";

impl Condemned {
    pub(super) fn cut_off(end: Position) -> Self {
        Self(Why::CutOff(end))
    }

    pub(super) fn not_whole(damage: Location) -> Self {
        Self(Why::NotWhole(damage))
    }

    /// The same as a finding about the payload at a place.
    pub fn finding(&self, payload: Location) -> Finding {
        match self.0 {
            Why::CutOff(Position { line, .. }) => {
                let message =
                    format!("the array that holds it is never closed before the file ends in line {line}");
                let hint = Wording::from("give the file whole; ").name(Setting::Rule);
                let hint = hint.say(" cut-off=warn takes what is whole of it");
                Finding::deny(Rule::CutOff, payload, message).hint(hint)
            }
            Why::NotWhole(Location { line, column, .. }) => {
                let message = format!(
                    "the file is more than one array or object, and what stands at {line}:{column} is no JSON, \
                     so nobody can tell what belongs together"
                );
                let hint = "correct it there, or write one payload a line into a .jsonl file";
                Finding::deny(Rule::Json, payload, message).hint(hint)
            }
        }
    }
}
