//! Reads all that is on record of a run: rows with what was to be changed, and when requests were made.

use rusqlite::Row;

use super::reader::{ATTEMPTS, Reader, made};
use super::records::{EnumText, step};
use super::store::Store;
use crate::domain::account::FullRow;
use crate::domain::attempt::PaceRecord;
use crate::domain::step::Step;
use crate::ledger::account;
use crate::ledger::error::LedgerError;

/// The column of the effect in the query for full rows.
const EFFECT: usize = 25;

/// Calls `each` for every row that is reported, in the order of the input.
pub(super) fn rows<E: From<LedgerError>>(
    reader: &Reader,
    each: &mut dyn FnMut(FullRow) -> Result<(), E>,
) -> Result<(), E> {
    let store = &reader.store;
    let mut attempts = store.told(store.connection.prepare_cached(ATTEMPTS))?;
    let mut rows = store.told(store.connection.prepare_cached(&reader.full_rows_query()))?;
    let mut rows = store.told(rows.query([]))?;
    while let Some(row) = store.told(rows.next())? {
        let facts = store.told(reader.row(row, &mut attempts))?;
        let effect = store.told(row.get::<_, Option<EnumText<_>>>(EFFECT))?.map(|EnumText(effect)| effect);
        each(account::full_row(facts, effect, &reader.header))?;
    }
    Ok(())
}

/// Calls `each` for every attempt in their order, and then for everything that was waited for, in its order.
pub(super) fn pace<E: From<LedgerError>>(
    store: &Store,
    each: &mut dyn FnMut(PaceRecord) -> Result<(), E>,
) -> Result<(), E> {
    let attempts = "SELECT client_request_id, at, status, answered_at FROM attempt ORDER BY id";
    for_each(store, attempts, |row| made(row).map(|made| Some(PaceRecord::Attempt(made))), each)?;
    if !store.has_steps() {
        return Ok(());
    }
    let waited = |row: &Row<'_>| {
        let Step { taken, .. } = step(row, 0)?;
        let waits = taken.kind.waits().filter(|waits| waits.are_noteworthy());
        Ok(waits.map(|waits| PaceRecord::Waits { at: taken.at, waits }))
    };
    for_each(store, "SELECT attempt, step FROM step ORDER BY number", waited, each)
}

fn for_each<E: From<LedgerError>>(
    store: &Store,
    query: &str,
    one: impl Fn(&Row<'_>) -> rusqlite::Result<Option<PaceRecord>>,
    each: &mut dyn FnMut(PaceRecord) -> Result<(), E>,
) -> Result<(), E> {
    let mut records = store.told(store.connection.prepare(query))?;
    let mut records = store.told(records.query([]))?;
    while let Some(row) = store.told(records.next())? {
        store.told(one(row))?.map_or(Ok(()), &mut *each)?;
    }
    Ok(())
}
