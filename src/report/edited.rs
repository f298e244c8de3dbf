//! What an earlier report left in a run's directory, and what somebody made of it since.
//!
//! `summary.json` holds the checksum of every report that was written with it, and of itself; until it is
//! written they stand in a [record](super::shelf). A report that is to be replaced and has another checksum by
//! now may hold somebody's work, such as rows corrected in place. So does one whose checksum nobody wrote down,
//! unless it is what is about to be written. It is moved aside then, to a free name beside it: `error.csv` to
//! `error.edited-1.csv`.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::manifest::{self, FileSummary, SummaryFiles, checksum, in_hex, is_as_written, noted};
use crate::disk;

/// The reports as they were written.
#[derive(Debug, Default)]
pub(super) struct EarlierReports {
    files: Vec<FileSummary>,
    /// Those that no summary told of yet, by name and checksum. One may have been written more than once.
    noted: Vec<(String, String)>,
    /// Of the summary itself, where it is as it was written.
    summary: Option<String>,
}

/// A report that somebody may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where it was.
    pub report: PathBuf,
    /// Where it is now.
    pub now: PathBuf,
}

impl EarlierReports {
    /// What the summary of a run's directory tells, and the record of what was written without one. What can't be
    /// read of them tells nothing.
    pub(super) fn read(dir: &Path, record: &str) -> Self {
        let text = fs::read_to_string(dir.join(manifest::NAME)).unwrap_or_default();
        let files = serde_json::from_str(&text).map_or_else(|_| Vec::new(), |SummaryFiles { files }| files);
        let summary = is_as_written(&text).then(|| in_hex(Sha256::digest(&text)));
        let noted = noted(record).map(|(name, sha256)| (name.to_owned(), sha256.to_owned()));
        Self { files, noted: noted.collect(), summary }
    }

    /// The reports that the summary tells of.
    pub(super) fn files(&self) -> &[FileSummary] {
        &self.files
    }

    /// Whether a report was written like this once.
    fn is_ours(&self, name: &str, sha256: &str) -> bool {
        let told = self.files.iter().map(|file| (file.path.as_str(), file.sha256.as_str()));
        let noted = self.noted.iter().map(|(name, sha256)| (name.as_str(), sha256.as_str()));
        let summary = self.summary.iter().map(|sha256| (manifest::NAME, sha256.as_str()));
        told.chain(noted).chain(summary).any(|ours| ours == (name, sha256))
    }

    /// Moves a report aside that may be somebody's work by now. `new` is the checksum of what will stand in
    /// its place.
    pub(super) fn keep(&self, report: &Path, new: Option<&str>) -> io::Result<Option<Kept>> {
        let there = match checksum(report) {
            // A directory is no report; that it is in the way is told by whoever wants to write there.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
                return Ok(None);
            }
            // Nobody knows what can't be read.
            there => there.ok(),
        };
        let name = report.file_name().unwrap_or_default().to_string_lossy();
        match there.as_deref() {
            Some(there) if self.is_ours(&name, there) || new == Some(there) => Ok(None),
            _ => move_aside(report).map(|now| Some(Kept { report: report.to_owned(), now })),
        }
    }
}

/// Moves a report to a free name beside it. Nothing is ever replaced there: the name is taken first.
fn move_aside(report: &Path) -> io::Result<PathBuf> {
    let [stem, extension] = [report.file_stem(), report.extension()].map(Option::unwrap_or_default);
    let [stem, extension] = [stem, extension].map(|part| part.to_string_lossy().into_owned());
    let mut number = 1;
    loop {
        let now = report.with_file_name(format!("{stem}.edited-{number}.{extension}"));
        match File::create_new(&now) {
            Ok(_) => {
                disk::rename(report, &now).inspect_err(|_| {
                    // Nothing but the name was taken.
                    let _ = fs::remove_file(&now);
                })?;
                // Where that can't be, the directory is private all the same.
                let _ = make_private(&now);
                return Ok(now);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// An editor may have written a new file in the place of the old one, with a mode of its own.
#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    // What a link leads to is no file of the run.
    let is_own = fs::symlink_metadata(path)?.is_file();
    if is_own { fs::set_permissions(path, fs::Permissions::from_mode(0o600)) } else { Ok(()) }
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::super::atomic_file::{WholeFile, remove_stale};
    use super::super::shelf::Shelf;
    use super::super::testing::tell;
    use super::super::written::Written;
    use super::*;

    fn shelf(dir: &Path) -> Shelf {
        Shelf::take(dir, || panic!("somebody else has it"))
    }

    /// Writes a report over what may be there, and leaves no word of it. Answers the name under which that was
    /// kept.
    fn write(dir: &Path, name: &str, text: &str) -> Option<String> {
        let mut file = WholeFile::begin(dir, name).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let shelf = shelf(dir);
        shelf.complete();
        named(file.keep(&shelf).unwrap().kept)
    }

    fn named(kept: Option<Kept>) -> Option<String> {
        kept.map(|kept| kept.now.file_name().unwrap().to_str().unwrap().to_owned())
    }

    /// Writes a report, and the summary that knows it.
    fn write_and_tell(dir: &Path, name: &str, text: &str) -> Option<String> {
        let mut file = WholeFile::begin(dir, name).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let filed = file.keep(&shelf(dir)).unwrap();
        let kept = named(filed.kept.clone());
        let mut written = Written::default();
        written.add(filed);
        tell(dir, &written);
        kept
    }

    fn text(dir: &Path, name: &str) -> String {
        fs::read_to_string(dir.join(name)).unwrap()
    }

    #[test]
    fn what_nobody_changed_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        for report in ["one", "two", "three"] {
            assert_eq!(write_and_tell(dir.path(), "error.csv", report), None);
            assert_eq!(text(dir.path(), "error.csv"), report);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        assert_eq!(remove_stale(&shelf(dir.path()), "error.csv").unwrap(), None);
        assert!(!dir.path().join("error.csv").exists());
    }

    #[test]
    fn what_somebody_changed_is_kept_under_a_free_name() {
        let dir = tempfile::tempdir().unwrap();
        write_and_tell(dir.path(), "error.csv", "one");
        fs::write(dir.path().join("error.edited-2.csv"), "another").unwrap();
        for (edit, number, mode) in [("mine", 1, 0o644), ("mine again", 3, 0o600), ("", 4, 0o600)] {
            let (report, kept) = (dir.path().join("error.csv"), format!("error.edited-{number}.csv"));
            fs::write(&report, edit).unwrap();
            fs::set_permissions(&report, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(write_and_tell(dir.path(), "error.csv", "one"), Some(kept.clone()));
            assert_eq!(
                (text(dir.path(), "error.csv"), text(dir.path(), &kept)),
                ("one".to_owned(), edit.to_owned())
            );
            let mode = fs::metadata(dir.path().join(kept)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(text(dir.path(), "error.edited-2.csv"), "another");

        fs::write(dir.path().join("error.csv"), "mine").unwrap();
        let stale = remove_stale(&shelf(dir.path()), "error.csv").unwrap();
        assert_eq!(named(stale).as_deref(), Some("error.edited-5.csv"));
        assert_eq!(text(dir.path(), "error.edited-5.csv"), "mine");
    }

    /// As where the summary is gone, or of a version that told no checksums.
    #[test]
    fn what_nobody_knows_is_kept_unless_it_is_written_again() {
        for summary in [None, Some("{\"version\":1}\n"), Some("[]"), Some("\0")] {
            let dir = tempfile::tempdir().unwrap();
            if let Some(text) = summary {
                fs::write(dir.path().join(manifest::NAME), text).unwrap();
            }
            assert_eq!(write(dir.path(), "plan.jsonl", "one"), None, "{summary:?}");
            assert_eq!(write(dir.path(), "plan.jsonl", "one"), None, "{summary:?}");
            assert_eq!(
                write(dir.path(), "plan.jsonl", "two").as_deref(),
                Some("plan.edited-1.jsonl"),
                "{summary:?}"
            );
            let kept = write_and_tell(dir.path(), "plan.jsonl", "two");
            assert_eq!(kept, None, "{summary:?}");
            let is_kept = dir.path().join("summary.edited-1.json").exists();
            assert_eq!(is_kept, summary.is_some(), "{summary:?}");
        }
    }

    #[test]
    fn a_summary_that_somebody_changed_is_kept_and_still_tells() {
        let dir = tempfile::tempdir().unwrap();
        write_and_tell(dir.path(), "error.csv", "one");
        let reformatted = text(dir.path(), "summary.json").replace(':', ": ");
        fs::write(dir.path().join("summary.json"), &reformatted).unwrap();
        assert_eq!(write_and_tell(dir.path(), "error.csv", "two"), None);
        assert_eq!(text(dir.path(), "summary.edited-1.json"), reformatted);
    }

    /// As where the disk fills up between two reports.
    #[test]
    fn what_could_not_be_written_stays_known() {
        let dir = tempfile::tempdir().unwrap();
        write_and_tell(dir.path(), "error.csv", "one");
        let mut file = WholeFile::begin(dir.path(), "success.csv").unwrap();
        file.write_all(b"two").unwrap();
        let mut written = Written::default();
        let shelf = shelf(dir.path());
        written.add(file.keep(&shelf).unwrap());
        let known = || FileSummary::all(&shelf, &written).into_iter().map(|file| file.path);
        assert_eq!(known().collect::<Vec<_>>(), ["success.csv", "error.csv"]);
        fs::remove_file(dir.path().join("error.csv")).unwrap();
        assert_eq!(known().collect::<Vec<_>>(), ["success.csv"]);
    }

    #[test]
    fn a_directory_is_in_the_way_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("error.csv")).unwrap();
        let file = WholeFile::begin(dir.path(), "error.csv").unwrap();
        let shelf = shelf(dir.path());
        file.keep(&shelf).unwrap_err();
        shelf.complete();
        drop(shelf);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
