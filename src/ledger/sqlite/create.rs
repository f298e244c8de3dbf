//! Creates a ledger: whole, or not at all.
//!
//! It is created under another name, and renamed once the record of its run is on disk. So a file with a
//! ledger's name is always a complete ledger, and is never replaced. What a process left that died before the
//! rename, or ran out of space, held nothing; the next process that begins a run there removes it. Only the
//! holder of the run's lock does either.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::crash_points::{CrashPoint, Watch};
use super::files::{self, file, file_beside};
use super::{checksum, error, permissions, schema};
use crate::disk;
use crate::domain::run_spec::RunSpec;
use crate::ledger::error::LedgerError;

/// The suffix of a ledger's name while it is being created.
const UNMADE: &str = ".new";

/// The suffixes of files that SQLite may have put beside it.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Creates the ledger of a new run in a directory that this process has locked.
pub(super) fn create(dir: &Path, spec: &RunSpec, watch: Option<Watch>) -> Result<(), LedgerError> {
    let ledger = file(dir);
    match fs::symlink_metadata(&ledger) {
        Ok(_) => return Err(LedgerError::Exists { dir: dir.to_owned() }),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(LedgerError::file(&ledger, error)),
    }
    let made = make(dir, spec, watch);
    if made.is_err() {
        // The leftover holds nothing, and the error to report is why the ledger could not be created.
        let _ = clear(dir);
    }
    made
}

/// Whether a directory holds no run, but what a process left that died while creating a ledger.
pub(super) fn is_unmade(dir: &Path) -> bool {
    if file_beside(dir, UNMADE).exists() {
        return true;
    }
    // It died before it created any file but the lock.
    let names = fs::read_dir(dir).map(|entries| entries.map(|entry| entry.map(|entry| entry.file_name())));
    let names: Option<Vec<_>> = names.and_then(Iterator::collect::<Result<_, _>>).ok();
    names.is_some_and(|names| names == [OsStr::new(files::LOCK)])
}

fn make(dir: &Path, spec: &RunSpec, watch: Option<Watch>) -> Result<(), LedgerError> {
    let step = |step| watch.iter().for_each(|watch| watch(step));
    let (ledger, unmade) = (file(dir), file_beside(dir, UNMADE));
    step(CrashPoint::Founding);
    clear(dir)?;
    permissions::file(&unmade)?;
    step(CrashPoint::Founding);
    write(&unmade, spec, || step(CrashPoint::Founding))
        .map_err(|error| error::told(ledger.clone(), &error))?;
    step(CrashPoint::Founding);
    disk::rename(&unmade, &ledger).map_err(|error| LedgerError::file(&ledger, error))?;
    step(CrashPoint::Founded);
    Ok(())
}

/// Removes what an earlier process left.
fn clear(dir: &Path) -> Result<(), LedgerError> {
    for beside in BESIDE.into_iter().chain([""]) {
        let file = file_beside(dir, &format!("{UNMADE}{beside}"));
        match disk::remove(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(LedgerError::file(&file, error)),
            _ => {}
        }
    }
    Ok(())
}

/// Writes the initial content of a ledger into an empty file, and leaves no file beside it.
fn write(file: &Path, spec: &RunSpec, step: impl Fn()) -> rusqlite::Result<()> {
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(file, access)?;
    checksum::offer(&connection)?;
    schema::begin(&mut connection, spec, &step)?;
    step();
    schema::settings(&connection)?;
    step();
    connection.close().map_err(|(_, error)| error)
}
