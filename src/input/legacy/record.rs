//! A payload, and a file of payloads, once they have been read.

use super::super::record::Read;
use super::rejection::FileRejection;
use crate::domain::account::RowText;
use crate::domain::change::Payload;
use crate::domain::change::Rejected;
use crate::domain::finding::{Finding, Location};
use crate::domain::outcome::Outcome;

/// A payload as it was found.
#[derive(Debug, Clone)]
pub struct PayloadRecord {
    /// Where it begins.
    pub place: Location,
    /// The payload on one line, as it was written apart from lenient syntax; what its request adds to it is
    /// included. A payload that was refused for its form is no JSON object here either, so that it stays
    /// refused when it is fed back.
    pub text: RowText,
    /// The payload, or what is wrong with it.
    pub parsed: Result<Payload, Rejected>,
    /// Warnings about a payload that is otherwise sound.
    pub notes: Vec<Finding>,
    /// Its outcome in an earlier run, where the input is a report of that run.
    pub earlier_outcome: Option<Outcome>,
}

/// What is known of a file of payloads once it has been read to its end.
#[derive(Debug, Clone)]
pub struct PayloadFile {
    /// The file.
    pub read: Read,
    /// Why none of its payloads is taken, where that is so: not even those that were handed out as sound.
    pub rejection: Option<FileRejection>,
}
