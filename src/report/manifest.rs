//! The list of a run's reports, with rows and checksums: in `summary.json`, and in the record of reports that
//! no summary lists yet.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The name of the summary in a run's directory.
pub const NAME: &str = "summary.json";

/// The text before the checksum of the summary, which is its last member.
pub(super) const BEFORE_SUM: &str = r#","sha256":""#;
/// The text behind it.
pub(super) const AFTER_SUM: &str = r#""}"#;

/// One report, as the summary lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
pub struct FileSummary {
    /// Its name in the run's directory.
    pub path: String,
    /// The number of rows in it, where it is a file of rows.
    pub rows: Option<u64>,
    /// The SHA-256 of its bytes in hexadecimal.
    #[schemars(extend("pattern" = "^[0-9a-f]{64}$"))]
    pub sha256: String,
}

/// The part of a summary that is read back. A summary of an earlier version of this program lists no files.
#[derive(Deserialize)]
pub(super) struct SummaryFiles {
    #[serde(default)]
    pub files: Vec<FileSummary>,
}

/// Returns whether the text of a `summary.json` is unchanged: whether its own checksum fits.
pub(super) fn is_as_written(text: &str) -> bool {
    let line = text.strip_suffix('\n').and_then(|line| line.strip_suffix(AFTER_SUM));
    let parts = line.and_then(|line| line.rsplit_once(BEFORE_SUM));
    parts.is_some_and(|(before, sum)| in_hex(Sha256::digest(before)) == sum)
}

/// Returns the line of the record for one report.
pub(super) fn line(name: &str, sha256: &str) -> String {
    format!("{sha256} {name}\n")
}

/// Returns name and checksum of every report of a record. A line that was cut off is left out: its report was
/// never put in its place.
pub(super) fn recorded(record: &str) -> impl Iterator<Item = (&str, &str)> {
    let whole = record.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    whole.filter_map(|line| line.split_once(' ').map(|(sha256, name)| (name, sha256)))
}

/// Returns the SHA-256 of a file in hexadecimal. A pipe in its place is not waited for.
pub(super) fn checksum(path: &Path) -> io::Result<String> {
    let there = fs::metadata(path)?;
    if !there.is_file() && !there.is_dir() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut hasher = Hasher(Sha256::new());
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(in_hex(hasher.0.finalize()))
}

/// Takes the checksum of all that is written to it.
struct Hasher(Sha256);

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns a checksum in hexadecimal.
pub(super) fn in_hex(sum: impl AsRef<[u8]>) -> String {
    sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
