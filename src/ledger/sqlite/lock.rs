//! Lets one process at a time write a run, by a lock that ends with the process that holds it.

use std::fs::{File, TryLockError};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{LOCK, lock_file};
use super::permissions;
use crate::disk;
use crate::ledger::error::LedgerError;

/// The number of attempts at a lock that is held, and the time between two of them. A process that ended, or
/// released the lock, may have been about to start another program: until that program has really begun, it
/// holds a copy of the open file and with it the lock.
const PATIENCE: u32 = 20;
const INTERVAL: Duration = Duration::from_millis(10);

/// The lock of a run, held while the run is written; dropping it lets the next process in.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

/// Whether any process holds the lock of a run's directory right now.
pub fn is_held(dir: &Path) -> bool {
    let file = disk::open_regular(File::options().read(true), &lock_file(dir));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

impl Lock {
    /// Takes the lock of a run's directory.
    ///
    /// # Errors
    /// [`LedgerError::Busy`] where it is held, [`LedgerError::File`] where the lock file can't be opened or
    /// locked.
    pub(super) fn take(dir: &Path) -> Result<Self, LedgerError> {
        let path = lock_file(dir);
        for _ in 0..PATIENCE {
            let file = permissions::file(&path)?;
            match file.try_lock() {
                Ok(()) if permissions::is_at(&file, &path) => return Ok(Self { file, path }),
                // The file was removed after it was opened, so its lock excludes no other process. The next
                // attempt opens the file that is there then.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => std::thread::sleep(INTERVAL),
                Err(TryLockError::Error(error)) => return Err(LedgerError::file(&path, error)),
            }
        }
        Err(LedgerError::Busy { dir: dir.to_owned() })
    }

    /// Checks that this is still the lock file that other processes see: if it was removed, another process
    /// may hold a new one.
    ///
    /// # Errors
    /// [`LedgerError::Database`] where it isn't.
    pub(super) fn is_there(&self) -> Result<(), LedgerError> {
        if permissions::is_at(&self.file, &self.path) {
            return Ok(());
        }
        let detail =
            format!("its {LOCK} was moved or removed meanwhile, so another process may be at work on it");
        Err(LedgerError::Database { file: self.path.clone(), detail })
    }

    /// Replaces the text of the lock file, which says what is locked. After a power cut the file may be
    /// empty.
    ///
    /// # Errors
    /// Where it can't be written.
    pub(super) fn say(&mut self, what: &str) -> Result<(), LedgerError> {
        let written = self.file.set_len(0).and_then(|()| self.file.rewind());
        written
            .and_then(|()| self.file.write_all(what.as_bytes()))
            .map_err(|error| LedgerError::file(&self.path, error))
    }
}
