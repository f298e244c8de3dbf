//! One process a run: a lock that ends with the process that holds it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::{LedgerError, private};

/// The file that is locked. It stands beside the database and is never the database itself: closing
/// any handle on that would drop the POSIX locks SQLite holds on it. A run that comes to nothing takes
/// it away, so whoever has locked it looks whether it is still the one that others will see.
pub(super) const FILE: &str = "run.lock";

/// How often a lock is tried that is held, and how long is waited in between. A process that ended, or
/// let go of the lock, may have been about to start another program: until that has begun in earnest,
/// it holds a copy of the open file and with it the lock.
const PATIENCE: u32 = 20;
const INTERVAL: Duration = Duration::from_millis(10);

/// Held while a run is written; dropping it lets the next one in.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Whether some process holds the lock of a run's directory right now.
pub(super) fn is_held(dir: &Path) -> bool {
    let file = File::open(dir.join(FILE));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

impl Lock {
    /// Takes the lock of a run's directory.
    ///
    /// # Errors
    /// [`LedgerError::Busy`] where it is held, [`LedgerError::File`] where it cannot be had.
    pub(super) fn take(dir: &Path) -> Result<Self, LedgerError> {
        let path = dir.join(FILE);
        for _ in 0..PATIENCE {
            let file = private::file(&path)?;
            match file.try_lock() {
                Ok(()) if private::is_at(&file, &path) => return Ok(Self { _file: file }),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => std::thread::sleep(INTERVAL),
                Err(TryLockError::Error(error)) => return Err(private::told(&path, error)),
            }
        }
        Err(LedgerError::Busy { dir: dir.to_owned() })
    }
}
