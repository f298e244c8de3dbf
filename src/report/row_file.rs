//! What every row file is, whatever its form.

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
    fn finish(self: Box<Self>, shelf: &Shelf) -> Result<RowsFiled, ReportError>;
}

/// A row file that is in its place.
pub(super) struct RowsFiled {
    pub(super) filed: Filed,
    /// How many rows are in it.
    pub(super) rows: u64,
    pub(super) bucket: Bucket,
}

/// A row file's name.
pub(super) fn name(bucket: Bucket, extension: &str) -> String {
    format!("{}.{extension}", stem(bucket))
}

/// The same without its extension.
pub(super) fn stem(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Success => "success",
        Bucket::Conflict => "conflict",
        Bucket::Error => "error",
        Bucket::Pending => "pending",
    }
}

/// Whether what is known of a row is not what its input held, or not in its order: cells that may
/// stand under the wrong columns, text that was cut, a payload that is JSON by itself and may be half of one
/// as its file goes on. Such a row must not become a sound one by being given back. Text that could not be decoded
/// needs no such care: it holds the mark of a lost character, and is refused for that.
pub(super) fn is_mangled(row: &RowAccount) -> bool {
    row.findings.iter().any(|finding| {
        let own = (finding.place.input, finding.place.line) == (row.place.input, row.place.line);
        let is_it = match finding.rule {
            Rule::RaggedRow | Rule::Size => own,
            // What is wrong within a payload that names its referral stands behind its beginning.
            Rule::Json => finding.place == row.place && row.id.is_some(),
            _ => false,
        };
        is_it && finding.is_deny()
    })
}
