//! Reports of an earlier process in a run's directory, and whether a user edited them since.
//!
//! `summary.json` holds the checksum of every report that was written with it, and of itself; until it is
//! written they stand in a [record](super::shelf). A report that is to be replaced and has another checksum by
//! now may hold a user's work, such as rows corrected in place. So may one whose checksum was never recorded,
//! unless it is what is about to be written. Such a report is moved aside, to a free name beside it:
//! `error.csv` to `error.edited-1.csv`.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::manifest::{self, FileSummary, SummaryFiles, checksum, in_hex, is_as_written, recorded};
use crate::disk;

/// The reports as they were written.
#[derive(Debug, Clone, Default)]
pub(super) struct EarlierReports {
    /// Those that the summary lists.
    files: Vec<FileSummary>,
    /// Those that no summary lists yet, by name and checksum. One may have been written more than once.
    recorded: Vec<(String, String)>,
    /// The checksum of the summary itself, where it is unchanged.
    summary: Option<String>,
}

/// A report that may have been edited, and was moved aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where it was.
    pub report: PathBuf,
    /// Where it is now.
    pub now: PathBuf,
}

impl EarlierReports {
    /// Reads the summary of a run's directory. `record` is the text of its record. What can't be read lists
    /// nothing.
    pub(super) fn read(dir: &Path, record: &str) -> Self {
        let text = disk::read_regular(&dir.join(manifest::NAME)).unwrap_or_default();
        let files = serde_json::from_str(&text).map_or_else(|_| Vec::new(), |SummaryFiles { files }| files);
        let summary = is_as_written(&text).then(|| in_hex(Sha256::digest(&text)));
        let recorded = recorded(record).map(|(name, sha256)| (name.to_owned(), sha256.to_owned()));
        Self { files, recorded: recorded.collect(), summary }
    }

    /// Returns the reports that the summary lists.
    pub(super) fn files(&self) -> &[FileSummary] {
        &self.files
    }

    /// Returns whether this program once wrote a report of this name and checksum.
    pub(super) fn is_ours(&self, name: &str, sha256: &str) -> bool {
        let told = self.files.iter().map(|file| (file.path.as_str(), file.sha256.as_str()));
        let recorded = self.recorded.iter().map(|(name, sha256)| (name.as_str(), sha256.as_str()));
        let summary = self.summary.iter().map(|sha256| (manifest::NAME, sha256.as_str()));
        told.chain(recorded).chain(summary).any(|ours| ours == (name, sha256))
    }

    /// Moves a report aside if it may have been edited. `new` is the checksum of what will take its place.
    pub(super) fn keep_edited(&self, report: &Path, new: Option<&str>) -> io::Result<Option<Kept>> {
        let there = match checksum(report) {
            // A directory is no report. That it is in the way shows when the report is written.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
                return Ok(None);
            }
            // What can't be read may have been edited.
            there => there.ok(),
        };
        let name = report.file_name().unwrap_or_default().to_string_lossy();
        match there.as_deref() {
            Some(there) if self.is_ours(&name, there) || new == Some(there) => Ok(None),
            _ => move_aside(report).map(|now| Some(Kept { report: report.to_owned(), now })),
        }
    }
}

/// Reports that were moved aside at once, since reading them takes a while. Which of them may have been edited is to be
/// found out.
#[derive(Debug)]
pub struct Aside {
    earlier: EarlierReports,
    moved: Vec<Kept>,
}

impl Aside {
    /// Begins with none.
    pub(super) fn begin(earlier: &EarlierReports) -> Self {
        Self { earlier: earlier.clone(), moved: Vec::new() }
    }

    /// Moves a report aside.
    pub(super) fn add(&mut self, report: &Path) -> io::Result<()> {
        self.moved.push(Kept { report: report.to_owned(), now: move_aside(report)? });
        Ok(())
    }

    /// Removes those that are as they were written, and returns the others. One that can't be read, or removed, is another.
    pub fn sort_out(self) -> Vec<Kept> {
        let Self { earlier, mut moved } = self;
        moved.retain(|Kept { report, now }| {
            let name = report.file_name().unwrap_or_default().to_string_lossy();
            let is_ours = checksum(now).is_ok_and(|sha256| earlier.is_ours(&name, &sha256));
            !(is_ours && disk::remove(now).is_ok())
        });
        moved
    }
}

/// Moves a report to a free name beside it. The name is taken first, so that no file is ever replaced there.
fn move_aside(report: &Path) -> io::Result<PathBuf> {
    let [stem, extension] = [report.file_stem(), report.extension()].map(Option::unwrap_or_default);
    let [stem, extension] = [stem, extension].map(|part| part.to_string_lossy().into_owned());
    let mut number = 1;
    loop {
        let now = report.with_file_name(format!("{stem}.edited-{number}.{extension}"));
        match File::create_new(&now) {
            Ok(_) => {
                disk::rename(report, &now).inspect_err(|_| {
                    // Only the empty file that took the name is removed.
                    let _ = fs::remove_file(&now);
                })?;
                // Without it the file is still in a private directory.
                let _ = make_private(&now);
                return Ok(now);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Makes a file readable for its owner only: an editor may have replaced the report by a new file with a mode
/// of its own.
#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    // A link may lead to a file outside of the run, whose mode is not ours to change.
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

    use super::super::atomic_file::{AtomicFile, remove_stale};
    use super::super::files::{TakenAway, take_away};
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
        let mut file = AtomicFile::begin(dir, name).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let shelf = shelf(dir);
        shelf.complete();
        named(file.put(&shelf).unwrap().kept)
    }

    fn named(kept: Option<Kept>) -> Option<String> {
        kept.map(|kept| kept.now.file_name().unwrap().to_str().unwrap().to_owned())
    }

    /// Writes a report, and the summary that knows it.
    fn write_and_tell(dir: &Path, name: &str, text: &str) -> Option<String> {
        let mut file = AtomicFile::begin(dir, name).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let filed = file.put(&shelf(dir)).unwrap();
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

    /// A large report is moved aside at once, and is gone for good once it is known that nobody changed it.
    #[test]
    fn what_is_large_is_out_of_the_way_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let large = "row\n".repeat(400_000);
        for (name, is_edited) in [("success.csv", false), ("error.csv", true), ("outcomes.jsonl", false)] {
            write_and_tell(dir.path(), name, &large);
            if is_edited {
                fs::write(at(name), format!("mine{large}")).unwrap();
            }
            let TakenAway { kept, aside } = take_away(&shelf(dir.path())).unwrap();
            assert!(kept.is_empty() && !at(name).exists() && !at("summary.json").exists(), "{name}");
            let moved = name.replace('.', ".edited-1.");
            assert!(at(&moved).exists(), "{name}");
            let kept = aside.unwrap().sort_out();
            let wanted = is_edited.then(|| Kept { report: at(name), now: at(&moved) });
            assert_eq!(kept, Vec::from_iter(wanted), "{name}");
            assert_eq!(at(&moved).exists(), is_edited, "{name}");
        }
    }

    #[test]
    fn what_is_filed_is_told_by_its_name_and_checksum() {
        let dir = tempfile::tempdir().unwrap();
        write_and_tell(dir.path(), "plan.jsonl", "one");
        let sum = checksum(&dir.path().join("plan.jsonl")).unwrap();
        let is_filed = |name, sum: &str| shelf(dir.path()).has_filed(name, sum);
        assert!(is_filed("plan.jsonl", &sum));
        assert!(!is_filed("plan.csv", &sum) && !is_filed("plan.jsonl", &"0".repeat(64)));
        fs::remove_file(dir.path().join("plan.jsonl")).unwrap();
        assert!(!is_filed("plan.jsonl", &sum));
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
        let mut file = AtomicFile::begin(dir.path(), "success.csv").unwrap();
        file.write_all(b"two").unwrap();
        let mut written = Written::default();
        let shelf = shelf(dir.path());
        written.add(file.put(&shelf).unwrap());
        let known = || FileSummary::all(&shelf, &written).into_iter().map(|file| file.path);
        assert_eq!(known().collect::<Vec<_>>(), ["success.csv", "error.csv"]);
        fs::remove_file(dir.path().join("error.csv")).unwrap();
        assert_eq!(known().collect::<Vec<_>>(), ["success.csv"]);
    }

    #[test]
    fn a_directory_is_in_the_way_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("error.csv")).unwrap();
        let file = AtomicFile::begin(dir.path(), "error.csv").unwrap();
        let shelf = shelf(dir.path());
        file.put(&shelf).unwrap_err();
        shelf.complete();
        drop(shelf);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
