//! An example: the row by which a group of rows is told to people.

use crate::domain::account::RowAccount;
use crate::domain::finding::Location;
use crate::domain::referral::ReferralId;
use crate::domain::subject::Subject;

/// A row that stands for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The message about it.
    pub message: String,
    /// The place that the message is about.
    pub place: Location,
    /// The referral it names.
    pub id: Option<ReferralId>,
    /// What people know that referral by, where that was seen.
    pub title: Option<String>,
}

impl Example {
    /// Returns what is told of a row.
    pub(super) fn of(row: &RowAccount, message: &str, place: Location) -> Self {
        let title = row.subject.as_ref().and_then(Subject::title);
        Self { message: message.to_owned(), place, id: row.id, title }
    }
}
