//! Decides what a SQLite error means for a ledger: its file is damaged, the system did not let it be used, or
//! this program asked for something impossible. Pure.

use std::path::PathBuf;

use rusqlite::{Error, ErrorCode};

use crate::domain::characters::visible;
use crate::ledger::error::LedgerError;

/// Turns a SQLite error into one about a ledger's file.
pub(super) fn told(file: PathBuf, error: &Error) -> LedgerError {
    let detail = on_one_line(&words(error));
    match kind(error) {
        Kind::Damage => LedgerError::Damaged { file, detail },
        Kind::System => LedgerError::Database { file, detail },
        Kind::Defect => LedgerError::Defect { file, detail },
    }
}

/// Puts SQLite's text, which may quote a damaged file, on one line, in a form that does a terminal no harm.
pub(super) fn on_one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    visible(&lines.join(" ")).into_owned()
}

/// The cause of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The content of the file.
    Damage,
    /// The disk, the system, or another program.
    System,
    /// This program.
    Defect,
}

fn kind(error: &Error) -> Kind {
    match error {
        Error::SqliteFailure(failure, _) => of_code(failure.code),
        Error::SqlInputError { .. }
        | Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::QueryReturnedNoRows
        | Error::Utf8Error(..) => Kind::Damage,
        _ => Kind::Defect,
    }
}

fn of_code(code: ErrorCode) -> Kind {
    match code {
        // `Unknown` stands for content that doesn't fit the tables: every statement of this program fits them
        // as they were created.
        ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown => Kind::Damage,
        ErrorCode::DiskFull
        | ErrorCode::ReadOnly
        | ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::SystemIoFailure
        | ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::NoLargeFileSupport
        | ErrorCode::OutOfMemory => Kind::System,
        _ => Kind::Defect,
    }
}

/// Returns the error's text without the SQL statement, which tells a user nothing.
fn words(error: &Error) -> String {
    match error {
        Error::SqlInputError { msg, .. } => msg.clone(),
        Error::QueryReturnedNoRows => "a record is missing".to_owned(),
        Error::IntegralValueOutOfRange(_, number) => format!("{number} is no number that belongs there"),
        other => other.to_string(),
    }
}
