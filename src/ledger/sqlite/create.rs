//! How a ledger comes about: whole, or not at all.
//!
//! It is made under another name, and gets its own once the record of its run is on disk. So whatever has the
//! name of a ledger was one, and is never replaced; what a process left that died before that, or had no room,
//! held nothing, and whoever begins a run in its place clears it away. Only the one who holds the lock does
//! either.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::crash_points::{CrashPoint, Watch};
use super::files::{self, file, file_beside};
use super::{checksum, error, permissions, schema};
use crate::disk;
use crate::domain::account::RunSpec;
use crate::ledger::error::LedgerError;

/// What the name of a ledger that is being made has behind its own.
const UNMADE: &str = ".new";

/// What SQLite may have put beside it.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Makes the ledger of a new run in a directory that this process has locked.
pub(super) fn create(dir: &Path, spec: &RunSpec, watch: Option<Watch>) -> Result<(), LedgerError> {
    let ledger = file(dir);
    match fs::symlink_metadata(&ledger) {
        Ok(_) => return Err(LedgerError::Exists { dir: dir.to_owned() }),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(LedgerError::file(&ledger, error)),
    }
    let made = make(dir, spec, watch);
    if made.is_err() {
        // It holds nothing, and why there is none is what has to be told.
        let _ = clear(dir);
    }
    made
}

/// Whether a directory holds what a process left that came to no ledger, and no run.
pub(super) fn is_unmade(dir: &Path) -> bool {
    if file_beside(dir, UNMADE).exists() {
        return true;
    }
    // It died before it made any file but the lock.
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

/// Takes away what an earlier process left.
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

/// Writes all that a ledger begins with into an empty file, and leaves nothing beside it.
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
