//! The checksums of a ledger's records, made once more, for tests that change what a defect could have written:
//! without them all that would be seen is that somebody changed it.

use crc32fast::Hasher;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

/// Makes the checksums of all records fit what is there. A table that takes none any more keeps what it has.
pub fn renew(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("sum_of_the_tests", -1, flags, |values| {
        let mut sum = Hasher::new();
        for value in (0..values.len()).map(|at| values.get_raw(at)) {
            let (kind, bytes): (&[u8], &[u8]) = match value {
                ValueRef::Null => (b"n", &[]),
                ValueRef::Integer(number) => (b"i", &number.to_le_bytes()),
                ValueRef::Real(number) => (b"r", &number.to_le_bytes()),
                ValueRef::Text(text) => (b"t", text),
                ValueRef::Blob(bytes) => (b"b", bytes),
            };
            sum.update(kind);
            sum.update(&(bytes.len() as u64).to_le_bytes());
            sum.update(bytes);
        }
        Ok(sum.finalize())
    })?;
    for table in [
        "run", "input", "row", "item", "attempt", "outcome", "session", "consent", "matched", "sealed",
        "carried",
    ] {
        let columns = "SELECT group_concat(name, ', ' ORDER BY cid) FROM pragma_table_info(?1)
                       WHERE name <> 'checksum'";
        let renewed =
            connection.query_row(columns, [table], |row| row.get::<_, String>(0)).and_then(|columns| {
                connection.execute(&format!("UPDATE {table} SET checksum = sum_of_the_tests({columns})"), [])
            });
        drop(renewed);
    }
    Ok(())
}
