//! One process a run: a lock that ends with the process that holds it.

use std::fs::{self, File, TryLockError};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::holder::{Found, Holder};
use super::permissions;
use crate::ledger::LedgerError;

/// The file that is locked. It stands beside the database and is never the database itself: closing
/// any handle on that would drop the POSIX locks SQLite holds on it. A run that comes to nothing takes
/// it away, so whoever has locked it looks whether it is still the one that others will see.
pub(in crate::ledger) const FILE: &str = "run.lock";

/// How often a lock is tried that is held, and how long is waited in between. A process that ended, or
/// let go of the lock, may have been about to start another program: until that has begun in earnest,
/// it holds a copy of the open file and with it the lock.
const PATIENCE: u32 = 20;
const INTERVAL: Duration = Duration::from_millis(10);

/// Held while a run is written; dropping it lets the next one in.
#[derive(Debug)]
pub(in crate::ledger) struct Lock {
    file: File,
    path: PathBuf,
}

/// Whether some process holds the lock of a run's directory right now.
pub(in crate::ledger) fn is_held(dir: &Path) -> bool {
    let file = File::open(dir.join(FILE));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// What the run in a directory is, going by what whoever worked on it last wrote of it.
///
/// # Errors
/// As [`Holder::find`].
pub(in crate::ledger) fn found(dir: &Path) -> Result<Found, LedgerError> {
    let holder: Option<Holder> =
        fs::read_to_string(dir.join(FILE)).ok().and_then(|text| serde_json::from_str(&text).ok());
    holder.map_or(Ok(Found::Moved), |holder| holder.find(dir))
}

impl Lock {
    /// Takes the lock of a run's directory.
    ///
    /// # Errors
    /// [`LedgerError::Busy`] where it is held, [`LedgerError::File`] where it cannot be had.
    pub(in crate::ledger) fn take(dir: &Path) -> Result<Self, LedgerError> {
        let path = dir.join(FILE);
        for _ in 0..PATIENCE {
            let file = permissions::file(&path)?;
            match file.try_lock() {
                Ok(()) if permissions::is_at(&file, &path) => return Ok(Self { file, path }),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => std::thread::sleep(INTERVAL),
                Err(TryLockError::Error(error)) => return Err(permissions::told(&path, error)),
            }
        }
        Err(LedgerError::Busy { dir: dir.to_owned() })
    }

    /// Makes sure that it is still the lock that others see: whoever took it away let another process in.
    ///
    /// # Errors
    /// [`LedgerError::Database`] where it isn't.
    pub(in crate::ledger) fn is_there(&self) -> Result<(), LedgerError> {
        if permissions::is_at(&self.file, &self.path) {
            return Ok(());
        }
        let detail = "its run.lock was moved or removed meanwhile, so another process may be at work on it";
        Err(LedgerError::Database { file: self.path.clone(), detail: detail.to_owned() })
    }

    /// Writes which run it locks. A power cut may take that back, after which it says nothing.
    ///
    /// # Errors
    /// Where it can't be written.
    pub(in crate::ledger) fn say(&mut self, holder: &Holder) -> Result<(), LedgerError> {
        let text = serde_json::to_string(holder).expect("bytes and two numbers serialise");
        let written = self.file.set_len(0).and_then(|()| self.file.rewind());
        written
            .and_then(|()| self.file.write_all(text.as_bytes()))
            .map_err(|error| permissions::told(&self.path, error))
    }
}
