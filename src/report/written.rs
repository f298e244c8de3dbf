//! The files that were written, and the edited ones that they did not replace.

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
    /// The number of rows in it, where it is a file of rows.
    pub rows: Option<u64>,
    /// Which row file it is, where it is one.
    pub bucket: Option<Bucket>,
    /// The SHA-256 of its bytes in hexadecimal, where it is a report.
    pub sha256: Option<String>,
}

/// Row-file formats that a property holds for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forms {
    /// Whether it holds for CSV.
    pub csv: bool,
    /// Whether it holds for workbooks.
    pub xlsx: bool,
    /// Whether it holds for JSON lines.
    pub jsonl: bool,
}

/// The files that were written, in the order in which they are listed, and what they did not replace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    files: Vec<WrittenFile>,
    kept: Vec<Kept>,
    bound: Forms,
    lost: Lost,
    is_short: bool,
}

impl Written {
    /// Returns the files.
    pub fn files(&self) -> &[WrittenFile] {
        &self.files
    }

    /// Returns the reports that may have been edited, and were not replaced.
    pub fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Returns all versions of a report: the edited ones, then the report itself. None of them need hold all
    /// rows.
    pub fn versions<'a>(&'a self, report: &'a Path) -> impl Iterator<Item = &'a Path> {
        let kept = self.kept.iter().filter(move |kept| kept.report == report);
        kept.map(|kept| kept.now.as_path()).chain([report])
    }

    /// Returns the rows of the error files that have to be corrected in the input.
    pub fn lost(&self) -> &Lost {
        &self.lost
    }

    /// Sets the rows of the error files that have to be corrected in the input.
    pub fn lose(&mut self, lost: Lost) {
        self.lost = lost;
    }

    /// Returns whether rows of the error files are [short of state](super::lost::is_short_of_state): planned
    /// from the same snapshot, they fail again.
    pub fn is_short(&self) -> bool {
        self.is_short
    }

    /// Sets whether rows of the error files are short of state.
    pub fn fall_short(&mut self, is_short: bool) {
        self.is_short = is_short;
    }

    /// Replaces the names of the inputs whose text was lost by those under which the reader finds them.
    pub fn find_lost(&mut self, find: impl Fn(&str) -> String) {
        self.lost.inputs.iter_mut().for_each(|input| *input = find(input));
    }

    /// Adds reports that were kept before.
    pub fn keep(&mut self, kept: Vec<Kept>) {
        self.kept.extend(kept);
    }

    /// Sets in which formats rows in conflict name the eTag that they are bound to.
    pub fn bind(&mut self, bound: Forms) {
        self.bound = bound;
    }

    /// Returns in which formats of these files, all of them of rows in conflict, a row names its eTag.
    pub fn bound(&self, files: &[&WrittenFile]) -> Forms {
        let has = |extension: &str| {
            files.iter().any(|file| file.path.extension().is_some_and(|is| is == extension))
        };
        Forms {
            csv: self.bound.csv && has("csv"),
            xlsx: self.bound.xlsx && has("xlsx"),
            jsonl: self.bound.jsonl && has("jsonl"),
        }
    }

    /// Adds a report that is no row file, such as `plan.jsonl`.
    pub fn add(&mut self, filed: Filed) {
        self.report(filed, None, None);
    }

    /// Adds a file that is no report, and the number of its rows, which are not those of the input.
    pub fn add_rows(&mut self, path: PathBuf, rows: u64) {
        self.files.push(WrittenFile { path, rows: Some(rows), bucket: None, sha256: None });
    }

    /// Adds a report, with the number of its rows and its bucket where it is a row file.
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
    /// Returns the reports in a run's directory: those that were written now, and, where not all could be
    /// written, those from before that are still there.
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
