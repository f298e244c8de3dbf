//! Reads attempts in short.

use rusqlite::Row;

use super::records::Text;
use crate::domain::attempt::Try;

/// Asks for the attempts at an item, in their order.
pub(super) const ATTEMPTS: &str =
    "SELECT client_request_id, at, status, answered_at, id, result FROM attempt WHERE item = ?1 ORDER BY id";

/// Reads an attempt in short from the first columns of [`ATTEMPTS`].
pub(super) fn made(row: &Row<'_>) -> rusqlite::Result<Try> {
    Ok(Try {
        client_request_id: row.get(0).map(|Text(id)| id)?,
        at: row.get(1).map(|Text(at)| at)?,
        status: row.get(2)?,
        answered: row.get::<_, Option<Text<_>>>(3)?.map(|Text(at)| at),
    })
}
