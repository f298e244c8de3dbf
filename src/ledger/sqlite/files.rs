//! What the ledger's files are called, and how those of a run are taken away that came to nothing.

use std::fs;
use std::path::{Path, PathBuf};

/// The ledger's name in a run's directory.
const FILE: &str = "run.sqlite";

/// The name of the file that whoever writes a run holds locked. It stands beside the database and is never the
/// database itself: closing any handle on that would drop the POSIX locks SQLite holds on it. A run that comes to
/// nothing takes it away, so whoever has locked it looks whether it is still the one that others will see.
pub const LOCK: &str = "run.lock";

/// The ledger's file in a run's directory.
pub fn file(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// The file of SQLite's that lies beside it, with such an ending.
pub(super) fn file_beside(dir: &Path, ending: &str) -> PathBuf {
    dir.join(format!("{FILE}{ending}"))
}

/// Where the log of a run is while it is sent, and after a process was cut off.
pub fn log_file(dir: &Path) -> PathBuf {
    file_beside(dir, "-wal")
}

/// The file that whoever writes a run holds locked.
pub(super) fn lock_file(dir: &Path) -> PathBuf {
    dir.join(LOCK)
}

/// Whether something in a directory has a ledger's name.
pub fn is_taken(dir: &Path) -> bool {
    file(dir).symlink_metadata().is_ok()
}

/// Takes away the files of a run that could not even be planned.
pub fn discard(dir: &Path) {
    // The ledger last: another run can begin here as soon as there is none.
    for file in [log_file(dir), file_beside(dir, "-shm"), lock_file(dir), file(dir)] {
        // What isn't there, or can't be removed, is no reason to hide the error behind this.
        let _ = fs::remove_file(file);
    }
}
