//! What all row files have in common, whatever their format.

use crate::domain::account::RowAccount;
use crate::domain::outcome::Bucket;
use crate::domain::rules::Rule;

use super::atomic_file::{Filed, ReportError};
use super::shelf::Shelf;

/// A row file while it is written.
pub(super) trait RowFile {
    /// Adds a row.
    fn row(&mut self, row: &RowAccount) -> Result<(), ReportError>;
    /// Puts the file in its place.
    fn finish(self: Box<Self>, shelf: &Shelf) -> Result<FiledRows, ReportError>;
}

/// A row file that is in its place.
pub(super) struct FiledRows {
    pub(super) filed: Filed,
    /// The number of rows in it.
    pub(super) rows: u64,
    pub(super) bucket: Bucket,
}

/// Returns the name of a row file.
pub(super) fn name(bucket: Bucket, extension: &str) -> String {
    format!("{}.{extension}", stem(bucket))
}

/// Returns the same without its extension.
pub(super) fn stem(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Success => "success",
        Bucket::Conflict => "conflict",
        Bucket::Error => "error",
        Bucket::Pending => "pending",
    }
}

/// Returns whether what is known of a row differs from what its input holds: its cells may stand under the
/// wrong columns, its text was cut, or it is a payload that may be half of one.
///
/// Such a row must stay refused when it is fed back. Text that could not be decoded needs no such care: it
/// holds U+FFFD, and is refused for that.
pub(super) fn is_mangled(row: &RowAccount) -> bool {
    row.findings.iter().any(|finding| {
        let own = (finding.place.input, finding.place.line) == (row.place.input, row.place.line);
        let is_it = match finding.rule {
            Rule::RaggedRow | Rule::Size => own,
            // A finding at the very beginning of a payload that names its referral is about the whole of it: it
            // may be half of one. What is wrong within a payload stands further on.
            Rule::Json => finding.place == row.place && row.id.is_some(),
            _ => false,
        };
        is_it && finding.is_deny()
    })
}
