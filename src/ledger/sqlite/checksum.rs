//! Computes and checks the checksum that every record of a ledger carries, so that none can change unnoticed.
//!
//! SQLite has no checksums of its own: a byte that changes inside a value leaves a sound page. Each statement
//! that writes a record also writes the checksum of all its other columns, in the order of the table, and whoever
//! relies on a record has it computed again from what is stored: see check.rs and claims.rs. It is a CRC-32, which
//! notices every accident to a few bytes that stand together; it is no protection against deliberate changes.

use crc32fast::Hasher;
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

/// Registers the SQL function `checksum_of(COLUMN, ...)` on a connection.
pub(super) fn offer(connection: &Connection) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("checksum_of", -1, flags, |values| Ok(of(values)))
}

fn of(values: &Context<'_>) -> u32 {
    let mut sum = Sum { hasher: Hasher::new(), small: [0; SMALL], length: 0 };
    for value in (0..values.len()).map(|at| values.get_raw(at)) {
        match value {
            ValueRef::Null => sum.add(b'n', &[]),
            ValueRef::Integer(number) => sum.add(b'i', &number.to_le_bytes()),
            ValueRef::Real(number) => sum.add(b'r', &number.to_le_bytes()),
            ValueRef::Text(text) => sum.add(b't', text),
            ValueRef::Blob(bytes) => sum.add(b'b', bytes),
        }
    }
    sum.end()
}

/// Bytes that are collected before they are added. Most values are of a few bytes, and adding those one by one would
/// take several times as long.
const SMALL: usize = 512;

/// A checksum while it is computed.
struct Sum {
    hasher: Hasher,
    small: [u8; SMALL],
    length: usize,
}

impl Sum {
    /// Adds one value with its type and length, so that two values in a row don't give the same sum as one longer
    /// value.
    fn add(&mut self, kind: u8, bytes: &[u8]) {
        let mut head = [kind; 9];
        head[1..].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.bytes(&head);
        self.bytes(bytes);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if let Some(room) = self.small[self.length..].get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
            self.length += bytes.len();
            return;
        }
        self.hasher.update(&self.small[..self.length]);
        self.hasher.update(bytes);
        self.length = 0;
    }

    fn end(mut self) -> u32 {
        self.hasher.update(&self.small[..self.length]);
        self.hasher.finalize()
    }
}

/// Asks the database which columns of a table its checksum covers; `None` where there is no such table.
pub(super) fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Option<String>> {
    let columns = "SELECT group_concat(name, ', ' ORDER BY cid) FROM pragma_table_info(?1)
                   WHERE name <> 'checksum'";
    connection.query_row(columns, [table], |row| row.get(0))
}
