//! The files that were written, and what they did not replace.

use std::path::{Path, PathBuf};

use crate::domain::outcome::Bucket;

use super::atomic_file::Filed;
use super::edited::Kept;
use super::lost::Lost;
use super::manifest::FileSummary;
use super::shelf::Shelf;

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFile {
    /// Where it is.
    pub path: PathBuf,
    /// How many rows are in it, where it is a file of rows.
    pub rows: Option<u64>,
    /// Which row file it is, where it is one.
    pub bucket: Option<Bucket>,
    /// Of its bytes, in hexadecimal, where it is a report.
    pub sha256: Option<String>,
}

/// Of which forms of files something is true.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forms {
    /// Of CSV.
    pub csv: bool,
    /// Of JSON lines.
    pub jsonl: bool,
}

/// The files that were written, in the order in which they are told, and what they did not replace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    files: Vec<WrittenFile>,
    kept: Vec<Kept>,
    bound: Forms,
    lost: Lost,
    is_short: bool,
}

impl Written {
    /// The files.
    pub fn files(&self) -> &[WrittenFile] {
        &self.files
    }

    /// What may have been somebody's work, and was not replaced.
    pub fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// All versions of a report: what somebody may have made of it, and what it is. Neither need hold all rows.
    pub fn versions<'a>(&'a self, report: &'a Path) -> impl Iterator<Item = &'a Path> {
        let kept = self.kept.iter().filter(move |kept| kept.report == report);
        kept.map(|kept| kept.now.as_path()).chain([report])
    }

    /// Rows of the error files that have to be mended in the input.
    pub fn lost(&self) -> &Lost {
        &self.lost
    }

    /// Notes which rows of the error files have to be mended in the input.
    pub fn lose(&mut self, lost: Lost) {
        self.lost = lost;
    }

    /// Whether rows of the error files are [short of state](super::lost::is_short_of_state): from the same snapshot they
    /// fail again.
    pub fn is_short(&self) -> bool {
        self.is_short
    }

    /// Notes whether they are.
    pub fn fall_short(&mut self, is_short: bool) {
        self.is_short = is_short;
    }

    /// Names the inputs whose text was lost as they are found by whoever reads it.
    pub fn find_lost(&mut self, find: impl Fn(&str) -> String) {
        self.lost.inputs.iter_mut().for_each(|input| *input = find(input));
    }

    /// Adds what was kept before.
    pub fn keep(&mut self, kept: Vec<Kept>) {
        self.kept.extend(kept);
    }

    /// Notes in which forms of files rows in conflict name the eTag that they are bound to.
    pub fn bind(&mut self, bound: Forms) {
        self.bound = bound;
    }

    /// Whether a row of one of these files names its eTag, of files of rows in conflict.
    pub fn bound(&self, files: &[&WrittenFile]) -> Forms {
        let has = |extension: &str| {
            files.iter().any(|file| file.path.extension().is_some_and(|is| is == extension))
        };
        Forms { csv: self.bound.csv && has("csv"), jsonl: self.bound.jsonl && has("jsonl") }
    }

    /// Adds a report that is none of rows, `plan.jsonl` for example.
    pub fn add(&mut self, filed: Filed) {
        self.report(filed, None, None);
    }

    /// Adds a file that is no report, of so many rows that are not those of the input.
    pub fn add_rows(&mut self, path: PathBuf, rows: u64) {
        self.files.push(WrittenFile { path, rows: Some(rows), bucket: None, sha256: None });
    }

    /// Adds a report, with its rows and which file of rows it is, where it is one.
    pub(super) fn report(&mut self, filed: Filed, rows: Option<u64>, bucket: Option<Bucket>) {
        let Filed { path, sha256, kept } = filed;
        self.files.push(WrittenFile { path, rows, bucket, sha256: Some(sha256) });
        self.kept.extend(kept);
    }
}

impl FromIterator<WrittenFile> for Written {
    fn from_iter<I: IntoIterator<Item = WrittenFile>>(files: I) -> Self {
        Self { files: files.into_iter().collect(), ..Self::default() }
    }
}

impl FileSummary {
    /// The reports of a run's directory: those that were written just now, and, where not all could be, those from
    /// before that still lie there.
    pub fn all(shelf: &Shelf, written: &Written) -> Vec<Self> {
        let mut files: Vec<Self> = written.into();
        let others = shelf.earlier().files().iter().filter(|file| shelf.dir().join(&file.path).exists());
        for file in others {
            if files.iter().all(|other| other.path != file.path) {
                files.push(file.clone());
            }
        }
        files
    }
}

impl From<&Written> for Vec<FileSummary> {
    fn from(written: &Written) -> Self {
        let summary = |file: &WrittenFile| {
            let path = file.path.file_name()?.to_string_lossy().into_owned();
            Some(FileSummary { path, rows: file.rows, sha256: file.sha256.clone()? })
        };
        written.files().iter().filter_map(summary).collect()
    }
}
