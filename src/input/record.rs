//! A row, and a file, once they have been read.

use super::base_row::BaseRow;
use super::key_index::RowNames;
use crate::domain::account::{InputInfo, RowText};
use crate::domain::change::{Draft, Rejected};
use crate::domain::finding::{Finding, Location};
use crate::domain::key::Matched;
use crate::domain::outcome::Outcome;

/// A data row as it was read.
#[derive(Debug, Clone)]
pub struct Record {
    /// Where it begins.
    pub place: Location,
    /// Its text, for the reports. Text that is too large is cut, and ends in a remark that says so.
    pub text: RowText,
    /// What it asks for, or what is wrong with it.
    pub parsed: Result<Draft, Rejected>,
    /// Warnings about a row that is otherwise sound.
    pub notes: Vec<Finding>,
    /// What it names its referral by, where rows do so by a key.
    pub names: RowNames,
    /// The key that led to its referral.
    pub matched: Option<Matched>,
    /// Its outcome in an earlier run, where the input is a report of that run.
    pub earlier_outcome: Option<Outcome>,
    /// The number of its values that are as in the base of the run, and so ask for nothing.
    pub as_in_base: u64,
    /// The row as the base has it, where the file is read as one, and the row is sound.
    pub base: Option<Box<BaseRow>>,
}

/// What is known of a file once it has been read to its end.
#[derive(Debug, Clone)]
pub struct Read {
    /// What the ledger records of the file.
    pub info: InputInfo,
    /// What was detected that a user may not expect, for people.
    pub notes: Vec<String>,
    /// Why no number of the file that has a point or a comma in it can be trusted, where that is so. It is
    /// known at the end of the file only, and concerns rows that were delivered before.
    pub contradiction: Option<String>,
    /// Why no date of a Partner Center file can be trusted, where that is so. It is known at its end only, too.
    pub date_contradiction: Option<String>,
}
