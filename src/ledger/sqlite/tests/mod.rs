//! What is about the ledger's files: damage, kills, a log that is lost, formats, and who may open what.

mod at_rest;
mod checksums;
mod crash;
mod damage;
mod files;
mod formats;
mod rest;
mod wal;

use std::path::Path;

use super::lock::Lock;
use super::{checksum, holder};

/// Gives a ledger that stands for one which nobody copied the lock of such.
fn lock(dir: &Path) {
    holder::hold(&mut Lock::take(dir).unwrap(), dir).unwrap();
}

/// A connection of somebody else, to do harm with.
fn meddle(dir: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(dir.join("run.sqlite")).unwrap()
}

/// All tables of a ledger, but for those that are SQLite's own.
const TABLES: [&str; 17] = [
    "run",
    "input",
    "row",
    "item",
    "attempt",
    "outcome",
    "session",
    "consent",
    "subject",
    "matched",
    "turn",
    "approval",
    "verification",
    "verified",
    "step",
    "sealed",
    "carried",
];

/// Makes the checksums fit what is there, as where a defect had written it.
fn renew_checksums(connection: &rusqlite::Connection) {
    checksum::offer(connection).unwrap();
    for table in TABLES {
        // A table that was taken away has no columns.
        if let Ok(Some(columns)) = checksum::columns(connection, table) {
            let renew = format!("UPDATE {table} SET checksum = checksum_of({columns})");
            connection.execute_batch(&renew).unwrap();
        }
    }
}
