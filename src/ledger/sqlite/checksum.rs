//! Computes and checks the checksum that every record of a ledger carries, so that none can change unnoticed.
//!
//! SQLite has no checksums of its own: a byte that changes inside a value leaves a sound page. Each statement
//! that writes a record also writes the checksum of all its other columns, in the order of the table, and
//! [`first_changed`] computes it again from what is stored. It is a CRC-32, which notices every accident to a
//! few bytes that stand together; it is no protection against deliberate changes.

use crc32fast::Hasher;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Params};

/// Registers the SQL function `checksum_of(COLUMN, ...)` on a connection.
pub(super) fn offer(connection: &Connection) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("checksum_of", -1, flags, |values| Ok(of(values)))
}

fn of(values: &Context<'_>) -> u32 {
    let mut sum = Hasher::new();
    for value in (0..values.len()).map(|at| values.get_raw(at)) {
        match value {
            ValueRef::Null => add(&mut sum, *b"n", &[]),
            ValueRef::Integer(number) => add(&mut sum, *b"i", &number.to_le_bytes()),
            ValueRef::Real(number) => add(&mut sum, *b"r", &number.to_le_bytes()),
            ValueRef::Text(text) => add(&mut sum, *b"t", text),
            ValueRef::Blob(bytes) => add(&mut sum, *b"b", bytes),
        }
    }
    sum.finalize()
}

/// Adds one value with its type and length, so that two values in a row don't give the same sum as one longer
/// value.
fn add(sum: &mut Hasher, kind: [u8; 1], bytes: &[u8]) {
    sum.update(&kind);
    sum.update(&(bytes.len() as u64).to_le_bytes());
    sum.update(bytes);
}

/// Returns the number of the first record of a table for which a condition holds and that is not as it was written.
pub(super) fn first_changed(
    connection: &Connection,
    table: &str,
    condition: &str,
    values: impl Params,
) -> rusqlite::Result<Option<i64>> {
    let columns = columns(connection, table)?;
    let changed = format!(
        "SELECT rowid FROM {table} WHERE {condition} AND checksum IS NOT checksum_of({columns})
         ORDER BY rowid LIMIT 1"
    );
    connection.query_row(&changed, values, |row| row.get(0)).optional()
}

/// Returns the columns of a table that its checksum covers.
pub(super) fn columns(connection: &Connection, table: &str) -> rusqlite::Result<String> {
    let columns = "SELECT group_concat(name, ', ' ORDER BY cid) FROM pragma_table_info(?1)
                   WHERE name <> 'checksum'";
    connection.query_row(columns, [table], |row| row.get(0))
}
