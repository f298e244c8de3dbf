//! What comes of a payload, and of a file of them.

use super::super::record::Read;
use super::condemned::Condemned;
use crate::domain::account::RowText;
use crate::domain::change::Payload;
use crate::domain::change::Rejected;
use crate::domain::finding::{Finding, Location};
use crate::domain::outcome::Outcome;

/// One payload as it was found.
#[derive(Debug, Clone)]
pub struct PayloadRecord {
    /// Where it begins.
    pub place: Location,
    /// The payload on one line, as it was written but for what JSON cannot hold; what a request adds to it
    /// is in it. What was rejected because of its form is no JSON object here either.
    pub text: RowText,
    /// The payload, or what is wrong with it.
    pub parsed: Result<Payload, Rejected>,
    /// What was found about a sound payload; none of it denies.
    pub notes: Vec<Finding>,
    /// What became of it in an earlier run, where a report of that run gave it back.
    pub told: Option<Outcome>,
}

/// What is known of a file of payloads once it has been read to its end.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The file.
    pub read: Read,
    /// Why nothing of it is taken, where nothing is: not even the payloads that were handed out as sound.
    pub condemned: Option<Condemned>,
}
