//! Creates files and directories that only their owner can read.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::disk;
use crate::ledger::error::LedgerError;

/// Creates a run's directory, with any parents it lacks, as [`disk::take_private_directory`] does.
pub(super) fn folder(dir: &Path) -> Result<(), LedgerError> {
    disk::take_private_directory(dir).map_err(|error| LedgerError::file(dir, error))
}

/// Opens a file that only its owner can use, and creates it if it is missing.
pub(super) fn file(path: &Path) -> Result<File, LedgerError> {
    let opened = disk::open_privately(File::options().write(true).create(true).truncate(false), path);
    opened.map_err(|error| LedgerError::file(path, error))
}

/// Restricts a file, if it exists, to its owner: a copy may have opened it up.
pub(super) fn tighten(path: &Path) -> Result<(), LedgerError> {
    match disk::restrict(path, 0o600) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(LedgerError::file(path, error)),
        _ => Ok(()),
    }
}

/// Checks that what is at a path is a file, if there is anything: SQLite would wait for a pipe.
pub(super) fn expect_file(path: &Path) -> Result<(), LedgerError> {
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => {
            Err(LedgerError::file(path, io::Error::other("it is no regular file")))
        }
        _ => Ok(()),
    }
}

/// Whether an open file is the one at a path.
#[cfg(unix)]
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let open = file.metadata().map(|found| (found.dev(), found.ino()));
    open.is_ok_and(|open| identity(path).is_ok_and(|there| there == open))
}

/// On this system an open file cannot be removed.
#[cfg(not(unix))]
pub(super) fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Returns what distinguishes a file from any other that comes to stand in its place: its device and inode
/// numbers.
#[cfg(unix)]
pub(super) fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

/// On this system an open file cannot be removed.
#[cfg(not(unix))]
pub(super) fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|_| (0, 0))
}
