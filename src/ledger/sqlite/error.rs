//! What an error of SQLite means for a ledger: its file is damaged, the system did not let it be used, or this
//! program asked for what cannot be. Pure.

use std::path::PathBuf;

use rusqlite::{Error, ErrorCode};

use crate::domain::characters::visible;
use crate::ledger::error::LedgerError;

/// An error of SQLite in terms of a ledger's file.
pub(super) fn told(file: PathBuf, error: &Error) -> LedgerError {
    let detail = on_one_line(&words(error));
    match kind(error) {
        Kind::Damage => LedgerError::Damaged { file, detail },
        Kind::System => LedgerError::Database { file, detail },
        Kind::Defect => LedgerError::Defect { file, detail },
    }
}

/// What SQLite says, which may quote a damaged file, in a form that does a terminal no harm.
pub(super) fn on_one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    visible(&lines.join(" ")).into_owned()
}

/// What is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What is in the file.
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
        // Unknown is what doesn't fit the tables, and every statement here fits them as they are made.
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

/// Without the statement, which says nothing to a user.
fn words(error: &Error) -> String {
    match error {
        Error::SqlInputError { msg, .. } => msg.clone(),
        Error::QueryReturnedNoRows => "a record is missing".to_owned(),
        Error::IntegralValueOutOfRange(_, number) => format!("{number} is no number that belongs there"),
        other => other.to_string(),
    }
}
