//! The address of a run's ledger, and the operations that need nothing but the address.

use std::path::{Path, PathBuf};

use super::error::LedgerError;
use super::lookup::Lookup;
use super::memory::{self, Memory};
use super::planning::Planning;
use super::reader::Reader;
use super::run::{Ledger, Run};
use super::sqlite::{self, Watch};
use crate::domain::run_spec::RunSpec;

/// The place where the ledger of a run is kept.
#[derive(Debug, Clone)]
pub enum Address {
    /// In files in this directory.
    Directory(PathBuf),
    /// In memory, for as long as a clone of this value exists.
    Memory(Memory),
}

impl From<&Path> for Address {
    fn from(dir: &Path) -> Self {
        Self::Directory(dir.to_owned())
    }
}

impl From<&PathBuf> for Address {
    fn from(dir: &PathBuf) -> Self {
        Self::Directory(dir.clone())
    }
}

impl From<&Memory> for Address {
    fn from(memory: &Memory) -> Self {
        Self::Memory(memory.clone())
    }
}

impl From<&Self> for Address {
    fn from(address: &Self) -> Self {
        address.clone()
    }
}

/// Creates a run where there is none, and makes its directory if it is missing. No other process can write
/// the run for as long as it is written here.
///
/// # Errors
/// [`LedgerError::Exists`] where there is a run, [`LedgerError::Busy`] where another process is creating one;
/// else where it can't be written.
pub async fn create(at: impl Into<Address>, spec: &RunSpec) -> Result<Planning, LedgerError> {
    create_watched(at, spec, None).await
}

/// Creates a run as [`create`] does, and calls `watch` at every crash point, where the ledger is kept in
/// files.
///
/// # Errors
/// As [`create`].
pub async fn create_watched(
    at: impl Into<Address>,
    spec: &RunSpec,
    watch: Option<Watch>,
) -> Result<Planning, LedgerError> {
    match at.into() {
        Address::Directory(dir) => sqlite::Plan::create(&dir, spec, watch).map(Planning::Sqlite),
        Address::Memory(memory) => memory::Plan::create(&memory, spec).map(Planning::Memory),
    }
}

/// Opens a run to carry on with it; no other process can open it so meanwhile. The whole ledger is checked.
///
/// # Errors
/// [`LedgerError::Absent`], [`LedgerError::Busy`], [`LedgerError::Foreign`], [`LedgerError::Newer`] and
/// [`LedgerError::Damaged`] as their variants say. [`LedgerError::Linked`] and [`LedgerError::Copied`] where
/// another process may be at work on the same run somewhere else.
pub async fn open(at: impl Into<Address>) -> Result<Ledger, LedgerError> {
    Ok(Ledger::new(match at.into() {
        Address::Directory(dir) => Run::Sqlite(Box::new(sqlite::Run::open(&dir)?)),
        Address::Memory(memory) => Run::Memory(memory::Run::open(&memory)?),
    }))
}

/// Opens a run to send it, as [`open()`] does. Where it is a large one that stopped, nothing is checked before but how far it
/// has come: each item is checked when it is handed out, and all the rest while the run is sent (see
/// [`Backlog::whole`](super::Backlog::whole)).
///
/// # Errors
/// As [`open()`], as far as the damage is in what is checked first.
pub async fn open_to_send(at: impl Into<Address>) -> Result<Ledger, LedgerError> {
    match at.into() {
        Address::Directory(dir) => {
            Ok(Ledger::new(Run::Sqlite(Box::new(sqlite::Run::open_to_send(&dir, sqlite::LARGE)?))))
        }
        memory @ Address::Memory(_) => open(memory).await,
    }
}

/// Opens a run for reading.
///
/// # Errors
/// [`LedgerError::Absent`], [`LedgerError::Foreign`] and [`LedgerError::Damaged`] as their variants say;
/// [`LedgerError::Newer`], here and from later calls, where a newer version wrote something that this one
/// doesn't understand.
pub async fn read(at: impl Into<Address>) -> Result<Reader, LedgerError> {
    match at.into() {
        Address::Directory(dir) => sqlite::Reader::open(&dir).map(Box::new).map(Reader::Sqlite),
        Address::Memory(memory) => memory::Reader::open(&memory).map(Reader::Memory),
    }
}

/// Opens a run to look single rows up in it, which takes no longer the more rows it has: what is not looked up is not
/// checked either.
///
/// # Errors
/// As [`read`], as far as the damage is in what is looked at.
pub async fn look_up(at: impl Into<Address>) -> Result<Lookup, LedgerError> {
    match at.into() {
        Address::Directory(dir) => sqlite::Lookup::open(&dir).map(Box::new).map(Lookup::Sqlite),
        Address::Memory(memory) => memory::Lookup::open(&memory).map(Lookup::Memory),
    }
}

/// Whether the address holds something that stands in the way of a new run, sound or not.
pub async fn is_taken(at: impl Into<Address>) -> bool {
    match at.into() {
        Address::Directory(dir) => sqlite::is_taken(&dir),
        Address::Memory(memory) => memory.is_taken(),
    }
}

/// Whether some process is writing the run right now.
pub async fn is_worked_on(at: impl Into<Address>) -> bool {
    match at.into() {
        Address::Directory(dir) => sqlite::is_held(&dir),
        Address::Memory(memory) => memory.is_held(),
    }
}

/// Removes a run that could not even be planned. What can't be removed stays.
pub async fn discard(at: impl Into<Address>) {
    match at.into() {
        Address::Directory(dir) => sqlite::discard(&dir),
        Address::Memory(memory) => memory.discard(),
    }
}

/// Makes the error for a ledger whose content can't be true, as the caller has found.
pub fn damaged(at: impl Into<Address>, detail: impl ToString) -> LedgerError {
    let file = match at.into() {
        Address::Directory(dir) => sqlite::file(&dir),
        Address::Memory(memory) => memory.name().to_owned(),
    };
    LedgerError::Damaged { file, detail: detail.to_string() }
}

/// Returns the path of a run's log (WAL), which exists while the run is sent and after a process was cut off.
/// For messages to the user.
pub fn log_file(dir: &Path) -> PathBuf {
    sqlite::log_file(dir)
}

/// Returns the name of the lock file that the writing process of a run holds. For messages to the user.
pub const fn lock_name() -> &'static str {
    sqlite::LOCK
}
