//! The names of the ledger's files, and the removal of those of a run that came to nothing.

use std::fs;
use std::path::{Path, PathBuf};

/// The name of the ledger's file in a run's directory.
const FILE: &str = "run.sqlite";

/// The name of the file that the writing process of a run holds locked.
///
/// It stands beside the database and is never the database itself: closing any handle on that would drop the
/// POSIX locks that SQLite holds on it. A run that comes to nothing removes its lock file, so a process that
/// has locked it checks that it is still the one that other processes will find.
pub const LOCK: &str = "run.lock";

/// Returns the path of the ledger's file in a run's directory.
pub fn file(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// Returns the path of the SQLite file beside it whose name has this ending.
pub(super) fn file_beside(dir: &Path, ending: &str) -> PathBuf {
    dir.join(format!("{FILE}{ending}"))
}

/// Returns the path of a run's log, which exists while the run is sent and after a process was cut off.
pub fn log_file(dir: &Path) -> PathBuf {
    file_beside(dir, "-wal")
}

/// Returns the path of the file that the writing process of a run holds locked.
pub(super) fn lock_file(dir: &Path) -> PathBuf {
    dir.join(LOCK)
}

/// Whether a directory holds something under a ledger's name.
pub fn is_taken(dir: &Path) -> bool {
    file(dir).symlink_metadata().is_ok()
}

/// Removes the files of a run that could not even be planned.
pub fn discard(dir: &Path) {
    // The ledger goes last: another run can begin here as soon as there is none.
    for file in [log_file(dir), file_beside(dir, "-shm"), lock_file(dir), file(dir)] {
        // A file that isn't there, or can't be removed, is no reason to hide the error that led here.
        let _ = fs::remove_file(file);
    }
}
