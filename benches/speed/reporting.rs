//! Writing the reports of a large run again: how much memory that takes, and how much CPU beside writing as many bytes
//! with `csv` and nothing else.

use std::fs;
use std::io::Result;
use std::path::Path;

use super::measure::Used;
use super::{Bench, PROGRAM, median, text};

/// What writing all reports of a run took.
pub struct Reporting {
    /// The rows of the run.
    pub rows: u64,
    /// The bytes of all reports.
    pub bytes: u64,
    /// The bytes of the page.
    pub page: u64,
    pub used: Used,
    /// What writing as many bytes took.
    pub writing: Used,
}

/// Writes the reports of a run with so many rows again, and the same number of bytes.
pub fn report(bench: &Bench, run: &Path, rows: u64, rounds: usize) -> Result<Reporting> {
    let (mut used, mut writing) = (Vec::new(), Vec::new());
    let copy = bench.folder.join("as-many-bytes.csv");
    let mut bytes = 0;
    for _ in 0..rounds {
        used.push(bench.measured(&[
            PROGRAM,
            "report",
            &text(run),
            "--summary",
            "none",
            "--progress",
            "none",
        ])?);
        bytes = written(run)?;
        writing.push(bench.measured(&[&bench.me, "write", &bytes.to_string(), &text(&copy)])?);
    }
    fs::remove_file(&copy)?;
    let page = fs::metadata(run.join("report.html"))?.len();
    Ok(Reporting { rows, bytes, page, used: median(used), writing: median(writing) })
}

/// Returns the bytes of a run's reports: of all its files but those of the ledger and the log.
fn written(run: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(run)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with("run.") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}
