//! Where the ledger of a run is kept, and what can be done with it by that alone.

use std::path::{Path, PathBuf};

use super::error::LedgerError;
use super::memory::{self, Memory};
use super::planning::Planning;
use super::reader::Reader;
use super::run::{Ledger, Run};
use super::sqlite::{self, Watch};
use crate::domain::account::RunSpec;

/// Where the ledger of a run is kept.
#[derive(Debug, Clone)]
pub enum Address {
    /// In files in this directory.
    Directory(PathBuf),
    /// In memory, as long as somebody has this.
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

/// Begins a run where there is none; a directory is made where it isn't there. Nobody else can write the run for
/// as long as it is written here.
///
/// # Errors
/// [`LedgerError::Exists`] where there is a run, [`LedgerError::Busy`] where one is being
/// begun; else where it can't be written.
pub async fn create(at: impl Into<Address>, spec: &RunSpec) -> Result<Planning, LedgerError> {
    create_watched(at, spec, None).await
}

/// As [`create`], and tells this watch of every step, where it is kept in files.
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

/// Opens a run to carry on with it, which nobody else can meanwhile.
///
/// # Errors
/// [`LedgerError::Absent`], [`LedgerError::Busy`], [`LedgerError::Foreign`], [`LedgerError::Newer`]
/// and [`LedgerError::Damaged`] as they say; all of it is looked at. [`LedgerError::Linked`] and
/// [`LedgerError::Copied`] where it may be at work somewhere else.
pub async fn open(at: impl Into<Address>) -> Result<Ledger, LedgerError> {
    Ok(Ledger::new(match at.into() {
        Address::Directory(dir) => Run::Sqlite(Box::new(sqlite::Run::open(&dir)?)),
        Address::Memory(memory) => Run::Memory(memory::Run::open(&memory)?),
    }))
}

/// Opens a run for reading.
///
/// # Errors
/// [`LedgerError::Absent`], [`LedgerError::Foreign`] and [`LedgerError::Damaged`] as they say;
/// [`LedgerError::Newer`], here and later, where a newer version wrote something that isn't understood.
pub async fn read(at: impl Into<Address>) -> Result<Reader, LedgerError> {
    match at.into() {
        Address::Directory(dir) => sqlite::Reader::open(&dir).map(Box::new).map(Reader::Sqlite),
        Address::Memory(memory) => memory::Reader::open(&memory).map(Reader::Memory),
    }
}

/// Whether there is something that a new run would be in the way of, be it sound or not.
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

/// Takes away a run that could not even be planned, as far as that can be done.
pub async fn discard(at: impl Into<Address>) {
    match at.into() {
        Address::Directory(dir) => sqlite::discard(&dir),
        Address::Memory(memory) => memory.discard(),
    }
}

/// That what a run's ledger tells cannot be, as whoever was told has found.
pub fn damaged(at: impl Into<Address>, detail: impl ToString) -> LedgerError {
    let file = match at.into() {
        Address::Directory(dir) => sqlite::file(&dir),
        Address::Memory(memory) => memory.name().to_owned(),
    };
    LedgerError::Damaged { file, detail: detail.to_string() }
}

/// Where the log of a run is while it is sent, and after a process was cut off: for telling the user.
pub fn log_file(dir: &Path) -> PathBuf {
    sqlite::log_file(dir)
}

/// The name of the file that whoever writes a run holds locked: for telling the user.
pub const fn lock_name() -> &'static str {
    sqlite::LOCK
}
