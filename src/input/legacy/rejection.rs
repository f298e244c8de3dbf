//! Why none of the payloads of a file is taken, though some are sound by themselves.

use super::piece::Position;
use crate::domain::finding::{Finding, Location};
use crate::domain::rules::Rule;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// The reason why nothing of a file is taken. It is known at the end of the file only, when its sound payloads
/// were handed out already.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct FileRejection(RejectionReason);

#[derive(Debug, Clone, PartialEq, Eq)]
enum RejectionReason {
    /// Its array is never closed; where the text ends.
    CutOff(Position),
    /// It is several arrays or objects, of which one is not valid JSON; where that is.
    NotWhole(Location),
}

/// The message for an array that ends early. A finding of its own, since what is missing is not a payload and
/// still needs an outcome.
pub(super) const NEVER_CLOSED: &str = "the array is never closed: the file may have been cut off";

impl FileRejection {
    pub(super) fn cut_off(end: Position) -> Self {
        Self(RejectionReason::CutOff(end))
    }

    pub(super) fn not_whole(damage: Location) -> Self {
        Self(RejectionReason::NotWhole(damage))
    }

    /// Returns the finding for a payload of the file.
    pub fn finding(&self, payload: Location) -> Finding {
        match self.0 {
            RejectionReason::CutOff(Position { line, .. }) => {
                let message =
                    format!("the array that holds it is never closed before the file ends in line {line}");
                let hint = Wording::from("give the whole file; ").name(Setting::Rule);
                let hint = hint.say(" cut-off=warn takes the payloads before its end");
                Finding::deny(Rule::CutOff, payload, message).hint(hint)
            }
            RejectionReason::NotWhole(Location { line, column, .. }) => {
                let message = format!(
                    "the file is more than one array or object, and what stands at {line}:{column} is no JSON, \
                     so it can't be told what belongs together"
                );
                let hint = "correct it there, or write one payload a line into a .jsonl file";
                Finding::deny(Rule::Json, payload, message).hint(hint)
            }
        }
    }
}
