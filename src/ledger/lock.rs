//! One process a run: a lock that ends with the process that holds it.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::{LedgerError, private};

/// The file that is locked. It stands beside the database and is never the database itself: closing
/// any handle on that would drop the POSIX locks SQLite holds on it. It is never deleted, since
/// whoever is about to lock it would then hold a file that nobody else sees.
const FILE: &str = "run.lock";

/// Held while a run is written; dropping it lets the next one in.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a run's directory.
    ///
    /// # Errors
    /// [`LedgerError::Busy`] where it is held, [`LedgerError::File`] where it cannot be had.
    pub(super) fn take(dir: &Path) -> Result<Self, LedgerError> {
        let path = dir.join(FILE);
        let file = private::file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LedgerError::Busy { dir: dir.to_owned() }),
            Err(TryLockError::Error(error)) => Err(private::told(&path, error)),
        }
    }
}
