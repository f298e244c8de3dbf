//! The place where the reports of a run are put: one process at a time writes there, and records each report
//! before it is in its place.
//!
//! The summary lists the checksum of every report, and comes last. Until then the checksums stand in a record
//! in the run's directory, which is also the lock of the writers:
//!
//! | step | `run.reports` |
//! |---|---|
//! | a process begins to write reports | exists, and is locked |
//! | a report is complete | holds its checksum |
//! | it is put in its place | unchanged |
//! | the summary is in its place, and every report was written | is removed |
//!
//! So a process may die at any step: every report that it put in its place is known as one of this program.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::disk;

use super::edited::EarlierReports;
use super::manifest::line;

/// The record's name in a run's directory.
const RECORD: &str = "run.reports";

/// A run's directory, for as long as this process writes reports there. No other process does meanwhile.
#[derive(Debug, Clone)]
pub struct Shelf {
    inner: Arc<ShelfInner>,
}

#[derive(Debug)]
struct ShelfInner {
    dir: PathBuf,
    /// The record, locked; or why it can't be had, in which case no report can be written.
    file: io::Result<File>,
    /// The reports that were there before.
    earlier: EarlierReports,
    /// Whether the summary lists every report of the record.
    is_complete: AtomicBool,
}

impl Shelf {
    /// Takes the shelf of a run's directory, which must exist. Where another process has it, calls `wait` and
    /// then waits for that process. Where it can't be had at all, every report fails to be written.
    pub fn take(dir: &Path, wait: impl FnOnce()) -> Self {
        let file = lock(&dir.join(RECORD), wait);
        // Read under the lock: reports that another process wrote meanwhile are reports of this program, too.
        let recorded = disk::read_regular(&dir.join(RECORD)).unwrap_or_default();
        let earlier = EarlierReports::read(dir, &recorded);
        let is_complete = AtomicBool::new(false);
        Self { inner: Arc::new(ShelfInner { dir: dir.to_owned(), file, earlier, is_complete }) }
    }

    /// Returns the run's directory.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Returns the reports that were there when the shelf was taken.
    pub(super) fn earlier(&self) -> &EarlierReports {
        &self.inner.earlier
    }

    /// Whether a report of this name is there that this program once wrote with this checksum. What the file holds by now is
    /// not looked at.
    pub fn has_filed(&self, name: &str, sha256: &str) -> bool {
        self.inner.earlier.is_ours(name, sha256) && self.inner.dir.join(name).is_file()
    }

    /// Records a report that is about to be put in its place, by the checksum of its bytes in hexadecimal.
    pub(super) fn record(&self, name: &str, sha256: &str) -> io::Result<()> {
        match &self.inner.file {
            Ok(record) => {
                (&*record).write_all(line(name, sha256).as_bytes())?;
                record.sync_data()
            }
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        }
    }

    /// Takes note that every report is in its place, and that the summary lists them all.
    pub fn complete(&self) {
        self.inner.is_complete.store(true, Ordering::Relaxed);
    }
}

impl Drop for ShelfInner {
    fn drop(&mut self) {
        let Ok(record) = &self.file else { return };
        // A record of reports that no summary lists has to stay: they are known by it alone.
        let is_empty = record.metadata().is_ok_and(|found| found.len() == 0);
        if is_empty || *self.is_complete.get_mut() {
            // A record that stays does no harm: what it says is still true.
            let _ = disk::remove(&self.dir.join(RECORD));
        }
    }
}

/// Opens the record and locks it. Another process may have removed it in between, so the lock counts only where
/// the open file is still the one of that name.
fn lock(path: &Path, wait: impl FnOnce()) -> io::Result<File> {
    let mut wait = Some(wait);
    loop {
        let record = open(path)?;
        match record.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                if let Some(wait) = wait.take() {
                    wait();
                }
                record.lock()?;
            }
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        if disk::is_at(&record, path) {
            return Ok(record);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    disk::open_privately(File::options().append(true).create(true), path)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::super::atomic_file::AtomicFile;
    use super::super::manifest::recorded;
    use super::*;

    fn put(shelf: &Shelf, name: &str, text: &str) -> bool {
        let mut file = AtomicFile::begin(shelf.dir(), name).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.put(shelf).unwrap().kept.is_some()
    }

    fn names(dir: &Path) -> Vec<String> {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// As where it is killed between two files: the summary is of an earlier time, or there is none.
    #[test]
    fn what_a_process_put_there_that_died_is_known() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!put(&Shelf::take(dir.path(), || {}), "error.csv", "one"));
        assert_eq!(names(dir.path()), ["error.csv", "run.reports"]);
        let shelf = Shelf::take(dir.path(), || {});
        assert!(!put(&shelf, "error.csv", "two"), "it is ours");
        shelf.complete();
        drop(shelf);
        assert_eq!(names(dir.path()), ["error.csv"]);
        fs::write(dir.path().join("error.csv"), "mine").unwrap();
        assert!(put(&Shelf::take(dir.path(), || {}), "error.csv", "two"), "it is somebody's");
    }

    /// The record was cut off, or is no record of this program.
    #[test]
    fn a_record_that_makes_no_sense_tells_nothing() {
        for (record, wanted) in [
            ("", &[][..]),
            ("00 a.csv\n11 b.csv\n", &[("a.csv", "00"), ("b.csv", "11")]),
            ("00 a.csv\n11 b.cs", &[("a.csv", "00")]),
            ("\n \n00\n11 b.csv\n", &[("", ""), ("b.csv", "11")]),
        ] {
            assert_eq!(recorded(record).collect::<Vec<_>>(), wanted, "{record:?}");
        }
    }

    /// A process that waits looks at the record when the wait is over. If it was removed meanwhile, the lock is one
    /// that no other process will see, and the process begins again.
    #[test]
    fn nobody_else_writes_meanwhile() {
        for is_complete in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let shelf = Shelf::take(dir.path(), || panic!("nobody has it"));
            let (waits, told) = mpsc::channel();
            std::thread::scope(|scope| {
                let other = scope.spawn(|| {
                    let shelf = Shelf::take(dir.path(), move || waits.send(()).unwrap());
                    put(&shelf, "error.csv", "theirs")
                });
                told.recv().unwrap();
                assert!(!put(&shelf, "error.csv", "ours"));
                if is_complete {
                    shelf.complete();
                }
                drop(shelf);
                // There is no summary here to tell of it.
                assert_eq!(other.join().unwrap(), is_complete);
            });
            let record = fs::read_to_string(dir.path().join(RECORD)).unwrap();
            assert_eq!(recorded(&record).count(), if is_complete { 1 } else { 2 });
        }
    }

    #[test]
    fn where_nothing_was_written_nothing_is_left() {
        let dir = tempfile::tempdir().unwrap();
        drop(Shelf::take(dir.path(), || {}));
        assert_eq!(names(dir.path()), [""; 0]);
    }
}
