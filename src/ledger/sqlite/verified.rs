//! Writes and reads what verifications found.

use rusqlite::{Connection, Row};

use super::optional::Optional;
use super::records::{Json, Text, number, subject};
use super::sent::rows_of;
use super::store::Store;
use crate::domain::verification::{Verification, Verified};
use crate::ledger::error::LedgerError;
use crate::ledger::model::{VerifiedItem, VerifiedPart};

/// Writes a part of a verification. What an earlier one found of the same items is replaced.
pub(super) fn write(connection: &Connection, part: &VerifiedPart) -> rusqlite::Result<()> {
    let VerifiedPart { number, verification, items } = part;
    connection
        .prepare_cached(
            "INSERT INTO verification (number, checksum, verification) VALUES (?1, checksum_of(?1, ?2), ?2)
             ON CONFLICT (number)
             DO UPDATE SET checksum = excluded.checksum, verification = excluded.verification",
        )?
        .execute((number.cast_signed(), Json(verification)))?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO verified (item, verification, checksum, verified)
         VALUES (?1, ?2, checksum_of(?1, ?2, ?3), ?3)
         ON CONFLICT (item)
         DO UPDATE SET verification = excluded.verification, checksum = excluded.checksum,
                       verified = excluded.verified",
    )?;
    for (item, verified) in items {
        insert.execute((item.cast_signed(), number.cast_signed(), Json(verified)))?;
    }
    Ok(())
}

/// Returns all verifications with their numbers, the first one first.
pub(super) fn verifications(store: &Store) -> Result<Vec<(u64, Verification)>, LedgerError> {
    if !store.has_verified() {
        return Ok(Vec::new());
    }
    store.all("SELECT number, verification FROM verification ORDER BY number", |row| {
        let Json(verification) = row.get(1)?;
        Ok((number(row, 0)?, verification))
    })
}

/// Calls `each` for every item once, by number, that a verification found something of.
pub(super) fn each<E: From<LedgerError>>(
    store: &Store,
    each: &mut dyn FnMut(VerifiedItem) -> Result<(), E>,
) -> Result<(), E> {
    if !store.has_verified() {
        return Ok(());
    }
    let Optional { column: subject, table: subjects } = Optional::subjects(store);
    let mut items = store.told(store.connection.prepare_cached(&format!(
        "SELECT item.number, item.referral, verified.verification, verified.verified, {subject}
         FROM verified JOIN item ON item.number = verified.item {subjects} ORDER BY verified.item"
    )))?;
    let mut found = store.told(items.query([]))?;
    while let Some(row) = store.told(found.next())? {
        let mut item = store.told(verified_item(row))?;
        item.rows = store.told(rows_of(&store.connection, item.number))?;
        each(item)?;
    }
    Ok(())
}

fn verified_item(row: &Row<'_>) -> rusqlite::Result<VerifiedItem> {
    let (Text(id), Json(verified)) = (row.get(1)?, row.get(3)?);
    Ok(VerifiedItem {
        number: number(row, 0)?,
        id,
        rows: Vec::new(),
        subject: subject(row, 4)?,
        verification: number(row, 2)?,
        verified,
    })
}

/// Returns what was found last of an item, with the number of the verification.
pub(super) fn last(store: &Store, item: u64) -> Result<Option<(u64, Verified)>, LedgerError> {
    if !store.has_verified() {
        return Ok(None);
    }
    let query = "SELECT verification, verified FROM verified WHERE item = ?1";
    let read = store.connection.prepare_cached(query).and_then(|mut found| {
        let mut found = found.query([item.cast_signed()])?;
        let Some(row) = found.next()? else { return Ok(None) };
        let Json(verified) = row.get(1)?;
        Ok(Some((number(row, 0)?, verified)))
    });
    store.told(read)
}
