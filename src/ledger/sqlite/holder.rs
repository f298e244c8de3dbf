//! Records which file a run is, and where it lies, which a lock alone can't tell.
//!
//! A lock says that no other process is at work in this directory. It says nothing about a copy: that has a
//! lock of its own, and neither of the two learns what is sent from the other. So the process that works on a
//! run writes into its `run.lock` which file the ledger is, and where it lies, and the next process that
//! opens the run compares:
//!
//! | what is found | what it means |
//! |---|---|
//! | the same file | nothing: the run goes on |
//! | a file with a second name, a hard link | another process may be at work under that name: refused |
//! | another file, and the first one is where it was | a copy: refused, the run goes on in the first |
//! | another file, and the first one is gone | it was moved or restored: what was sent after it was copied is unknown, so a run that was being sent counts as one that lost its log |
//! | no lock, or an empty or unreadable one | as if the first one were gone: it may have been left out of a copy |
//!
//! Where the lock file itself is removed, the process at work notices before anything else is sent: see
//! batch.rs.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::files::{self, lock_file};
use super::lock::{self, Lock};
use crate::disk;
use crate::ledger::error::LedgerError;

/// The location of a run, and the identity of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    /// The run's directory, as an absolute path. It need not be valid text, which a path elsewhere on record
    /// would have to be.
    dir: OsString,
    file: FileMark,
}

/// What distinguishes a file from its copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct FileMark {
    /// Its number in its file system (the inode). The number of the file system itself is not used, since it
    /// may change when a machine restarts.
    inode: u64,
    /// When it was created, in milliseconds since 1970, where the file system knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<u64>,
}

/// What a ledger that was found is, compared with the record in its lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The file that was worked on last, as far as can be told.
    Itself,
    /// Another file, as far as can be told, and the only one left.
    Moved,
}

/// Compares the run in a directory with what the process that worked on it last wrote into its lock.
///
/// # Errors
/// As [`Holder::find`].
pub(super) fn found(dir: &Path) -> Result<Found, LedgerError> {
    let holder: Option<Holder> =
        disk::read_regular(&lock_file(dir)).ok().and_then(|text| serde_json::from_str(&text).ok());
    holder.map_or(Ok(Found::Moved), |holder| holder.find(dir))
}

/// Writes into the lock of a run's directory which run it locks.
///
/// # Errors
/// Where that can't be determined or written.
pub(super) fn hold(lock: &mut Lock, dir: &Path) -> Result<(), LedgerError> {
    let holder = Holder::of(dir)?;
    lock.say(&serde_json::to_string(&holder).expect("bytes and two numbers serialise"))
}

impl Holder {
    /// Determines the location and the file of the run in a directory.
    pub(super) fn of(dir: &Path) -> Result<Self, LedgerError> {
        let file = files::file(dir);
        let found = fs::metadata(&file).map_err(|error| LedgerError::file(&file, error))?;
        let dir = fs::canonicalize(dir).map_err(|error| LedgerError::file(dir, error))?;
        Ok(Self { dir: dir.into_os_string(), file: FileMark::of(&found) })
    }

    /// Compares the run in a directory with this record from its lock.
    ///
    /// # Errors
    /// [`LedgerError::Copied`] where it is a copy, and [`LedgerError::Busy`] where the first one is at work.
    pub(super) fn find(&self, dir: &Path) -> Result<Found, LedgerError> {
        if self.file == Self::of(dir)?.file {
            return Ok(Found::Itself);
        }
        let first = Path::new(&self.dir);
        match fs::metadata(files::file(first)) {
            Ok(there) if self.file == FileMark::of(&there) => Err(if lock::is_held(first) {
                LedgerError::Busy { dir: first.to_owned() }
            } else {
                LedgerError::Copied { dir: dir.to_owned(), first: first.to_owned() }
            }),
            _ => Ok(Found::Moved),
        }
    }
}

impl FileMark {
    fn of(found: &Metadata) -> Self {
        let made = found.created().ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok());
        Self { inode: inode(found), made: made.and_then(|made| u64::try_from(made.as_millis()).ok()) }
    }
}

/// Checks that a ledger has one name only: under a second one it would have another log and another lock.
///
/// # Errors
/// [`LedgerError::Linked`] where it has more.
pub(super) fn has_one_name(file: &Path) -> Result<(), LedgerError> {
    let found = fs::metadata(file).map_err(|error| LedgerError::file(file, error))?;
    if found.is_file() && names(&found) > 1 {
        Err(LedgerError::Linked { file: file.to_owned() })
    } else {
        Ok(())
    }
}

#[cfg(unix)]
fn inode(found: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(found)
}

/// Inode numbers aren't available here, so the time of creation has to do.
#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

#[cfg(unix)]
fn names(found: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(found)
}

#[cfg(not(unix))]
fn names(_: &Metadata) -> u64 {
    1
}
