//! The lock of a sign-in, which lets one process at a time exchange its refresh token. The system releases it when
//! that process ends, whichever way.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;
use tracing::info;

use super::error::StoreError;
use super::own_files;
use crate::disk;

/// How long a sign-in is waited for that another process holds: longer than an exchange takes whose answer is late.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// The time between two attempts at a lock that is held.
const INTERVAL: Duration = Duration::from_millis(20);

/// The lock of a sign-in; dropping it lets the next process in.
#[derive(Debug)]
pub(super) struct SignInLock {
    _file: File,
    path: PathBuf,
}

impl SignInLock {
    /// Takes a lock, and waits for it where another process holds it.
    ///
    /// # Errors
    /// [`StoreError::Busy`] where that process doesn't let go of it, [`StoreError::File`] where there can be no lock.
    pub(super) async fn take(path: &Path) -> Result<Self, StoreError> {
        let begun = Instant::now();
        let mut is_told = false;
        loop {
            if let Some(lock) = Self::attempt(path)? {
                return Ok(lock);
            }
            if !is_told {
                info!("the sign-in is held by another process");
                is_told = true;
            }
            if begun.elapsed() >= PATIENCE {
                return Err(StoreError::Busy { lock: path.to_owned(), waited: PATIENCE });
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Takes a lock, unless another process holds it.
    fn attempt(path: &Path) -> Result<Option<Self>, StoreError> {
        let unlocked = |error| StoreError::file(path, &error);
        let opened = disk::open_privately(File::options().write(true).create(true).truncate(false), path);
        let file = opened.map_err(unlocked)?;
        match file.try_lock() {
            // Where the file was removed after it was opened, its lock keeps nobody out.
            Ok(()) if disk::is_at(&file, path) => Ok(Some(Self { _file: file, path: path.to_owned() })),
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unlocked(error)),
        }
    }

    /// Removes the lock's file and lets go of it. Who waits for it makes another one.
    pub(super) fn remove(self) {
        // An empty file that stays does no harm.
        let _ = own_files::remove(&self.path);
    }
}
