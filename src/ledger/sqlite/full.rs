//! Reads all that is on record of a run: rows with what was to be changed, and when requests were made.

use rusqlite::{CachedStatement, Row};

use super::attempts::{ATTEMPTS, made};
use super::records::{EnumText, step};
use super::store::Store;
use crate::domain::account::FullRow;
use crate::domain::attempt::PaceRecord;
use crate::domain::step::Step;
use crate::ledger::account::{self, RowFacts};
use crate::ledger::error::LedgerError;
use crate::ledger::model::RunHeader;

/// The column of the effect in the query for full rows.
pub(super) const EFFECT: usize = 25;

/// Calls `each` for every row that the query asks for, in its order. `read` reads a row with the attempts at its item.
pub(super) fn rows<E: From<LedgerError>>(
    store: &Store,
    header: &RunHeader,
    query: &str,
    read: impl Fn(&Row<'_>, &mut CachedStatement<'_>) -> rusqlite::Result<RowFacts>,
    each: &mut dyn FnMut(FullRow) -> Result<(), E>,
) -> Result<(), E> {
    let mut attempts = store.told(store.connection.prepare_cached(ATTEMPTS))?;
    let mut rows = store.told(store.connection.prepare_cached(query))?;
    let mut rows = store.told(rows.query([]))?;
    while let Some(row) = store.told(rows.next())? {
        let facts = store.told(read(row, &mut attempts))?;
        let effect = store.told(row.get::<_, Option<EnumText<_>>>(EFFECT))?.map(|EnumText(effect)| effect);
        each(account::full_row(facts, effect, header))?;
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
