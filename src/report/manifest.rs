//! What a run's directory tells of its reports: their names, rows and checksums, in `summary.json`, and in the
//! record of those that no summary tells of yet.

use std::fs::File;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The name of the summary in a run's directory.
pub const NAME: &str = "summary.json";

/// What stands before the checksum, which is the last member.
pub(super) const BEFORE_SUM: &str = r#","sha256":""#;
/// What stands behind it.
pub(super) const AFTER_SUM: &str = r#""}"#;

/// One report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSummary {
    /// Its name in the run's directory.
    pub path: String,
    /// How many rows are in it, where it is a file of rows.
    pub rows: Option<u64>,
    /// Of its bytes, in hexadecimal.
    pub sha256: String,
}

/// What is read of a summary; one of an earlier version of this program tells of no files.
#[derive(Deserialize)]
pub(super) struct SummaryFiles {
    #[serde(default)]
    pub files: Vec<FileSummary>,
}

/// Whether the text of a `summary.json` is as a program of this kind wrote it.
pub(super) fn is_as_written(text: &str) -> bool {
    let line = text.strip_suffix('\n').and_then(|line| line.strip_suffix(AFTER_SUM));
    let parts = line.and_then(|line| line.rsplit_once(BEFORE_SUM));
    parts.is_some_and(|(before, sum)| in_hex(Sha256::digest(before)) == sum)
}

/// What stands in the record of a report.
pub(super) fn line(name: &str, sha256: &str) -> String {
    format!("{sha256} {name}\n")
}

/// The reports of a record, each with its checksum. A line that was cut off tells of one that was never put in
/// its place.
pub(super) fn noted(record: &str) -> impl Iterator<Item = (&str, &str)> {
    let whole = record.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    whole.filter_map(|line| line.split_once(' ').map(|(sha256, name)| (name, sha256)))
}

/// The checksum of a file, in hexadecimal.
pub(super) fn checksum(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(in_hex(hash.finalize()))
}

/// A checksum in hexadecimal.
pub(super) fn in_hex(sum: impl AsRef<[u8]>) -> String {
    sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
