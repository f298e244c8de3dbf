//! What comes of a row, and of a file.

use crate::domain::account::{InputInfo, RowText};
use crate::domain::change::{Draft, Rejected};
use crate::domain::finding::{Finding, Location};
use crate::domain::outcome::Outcome;

/// One data row.
#[derive(Debug, Clone)]
pub struct Record {
    /// Where it begins.
    pub place: Location,
    /// What was read, for the reports. What is too large is cut, and says so.
    pub text: RowText,
    /// What it asks for, or what is wrong with it.
    pub parsed: Result<Draft, Rejected>,
    /// What else was found about a row that is sound: warnings.
    pub notes: Vec<Finding>,
    /// What became of it in an earlier run, where a report of that run gave it back.
    pub told: Option<Outcome>,
}

/// What is known of a file once it has been read to its end.
#[derive(Debug, Clone)]
pub struct Read {
    /// The file, for the ledger.
    pub info: InputInfo,
    /// What was detected that a user may not expect, for people.
    pub notes: Vec<String>,
    /// Why no number of the file that has a point or a comma in it can be trusted, where that is so. It shows
    /// when the file was read to its end, and then concerns rows that were delivered.
    pub contradiction: Option<String>,
}
