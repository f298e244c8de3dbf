//! Checks that a ledger is as it was created and written, before any of its content is used.

use rusqlite::{Connection, OptionalExtension, Params};

use super::blocks::Blocks;
use super::schema::{Made, Object};
use super::store::Store;
use crate::domain::account::Phase;
use crate::domain::run_spec::RunSpec;
use crate::ledger::error::LedgerError;

/// Returns what the run is, and how far it has come, after checking that all tables are as they were created
/// and all records as they were written.
pub(super) fn checked_run(store: &Store) -> Result<(RunSpec, Phase), LedgerError> {
    let made = store.told(Made::known())?;
    check_made(store, made.first(store.format))?;
    check_format(store)?;
    for table in made.first(store.format).filter(|object| object.sql.starts_with("CREATE TABLE")) {
        check_records(store, &table.name, "TRUE", [])?;
    }
    check_numbers(store)?;
    let (about, phase) = run_with_indexes(store)?;
    if store.has_blocks() && phase != Phase::Planning {
        check_blocks(store)?;
    }
    Ok((about, phase))
}

/// Returns the same after checking that all tables are as they were created, and that the record of the run is as it
/// was written. Whoever reads another record checks it then: see [`check_records`].
pub(super) fn run_as_made(store: &Store) -> Result<(RunSpec, Phase), LedgerError> {
    check_made(store, store.told(Made::known())?.first(store.format))?;
    check_format(store)?;
    check_records(store, "run", "TRUE", [])?;
    run_with_indexes(store)
}

/// Returns the same after checking what tells how far the run has come: the record of the run, the blocks of its items,
/// and the tables that have a few records for the whole run. The rest is to be checked while it is sent: see rest.rs.
pub(super) fn run_checked_first(store: &Store) -> Result<(RunSpec, Phase), LedgerError> {
    let run = run_as_made(store)?;
    for table in ["input", "session", "consent", "approval", "verification"] {
        check_records(store, table, "TRUE", [])?;
    }
    blocks(store)?;
    Ok(run)
}

/// Returns the blocks of a planned run, after checking their records.
pub(super) fn blocks(store: &Store) -> Result<Blocks, LedgerError> {
    for table in ["sealed", "carried"] {
        check_records(store, table, "TRUE", [])?;
    }
    store.told(Blocks::read(&store.connection))?.map_err(|detail| store.damaged(detail))
}

/// Checks that the records of a table for which a condition holds are as they were written.
pub(super) fn check_records(
    store: &Store,
    table: &str,
    condition: &str,
    values: impl Params,
) -> Result<(), LedgerError> {
    match store.told(first_changed(&store.connection, table, condition, values))? {
        Some(number) => Err(store.damaged(format!("{table} {number} is not as it was written"))),
        None => Ok(()),
    }
}

/// Returns the number of the first record of a table for which a condition holds and that is not as it was written.
fn first_changed(
    connection: &Connection,
    table: &str,
    condition: &str,
    values: impl Params,
) -> rusqlite::Result<Option<i64>> {
    let columns = Made::known()?.columns(table);
    let changed = format!(
        "SELECT rowid FROM {table} WHERE {condition} AND checksum IS NOT checksum_of({columns})
         ORDER BY rowid LIMIT 1"
    );
    connection.prepare_cached(&changed)?.query_row(values, |row| row.get(0)).optional()
}

fn run_with_indexes(store: &Store) -> Result<(RunSpec, Phase), LedgerError> {
    let (about, phase) = store.run()?;
    // The indexes are created only when the plan is sealed.
    if phase != Phase::Planning {
        check_made(store, store.told(Made::known())?.planned(store.format))?;
    }
    Ok((about, phase))
}

fn check_made<'a>(store: &Store, objects: impl Iterator<Item = &'a Object>) -> Result<(), LedgerError> {
    let found = "SELECT sql FROM sqlite_schema WHERE name = ?1";
    let mut found = store.told(store.connection.prepare_cached(found))?;
    for Object { name, sql, .. } in objects {
        let found: Option<String> = store.told(found.query_row([name], |row| row.get(0)).optional())?;
        match found {
            Some(found) if found == *sql => {}
            Some(_) => return Err(store.damaged(format!("{name} is not as it was made"))),
            None => return Err(store.damaged(format!("{name} is missing"))),
        }
    }
    Ok(())
}

/// Checks that no table is there that only a later format has: else the format is not the one that was written, and
/// what those tables hold would pass for absent.
fn check_format(store: &Store) -> Result<(), LedgerError> {
    let found = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1)";
    let mut found = store.told(store.connection.prepare_cached(found))?;
    for Object { name, .. } in store.told(Made::known())?.later(store.format) {
        if store.told(found.query_row([name], |row| row.get(0)))? {
            return Err(store.damaged(format!("its format is {}, which has no {name}", store.format)));
        }
    }
    Ok(())
}

/// Checks that items, outcomes and attempts are those that were sealed and carried out: none is missing, and none is
/// there too much.
fn check_blocks(store: &Store) -> Result<(), LedgerError> {
    let records = store.told(Blocks::of_records(&store.connection))?;
    blocks(store)?.compare(&records).map_err(|detail| store.damaged(detail))
}

/// Checks the row and item numbers, which everything else refers to.
fn check_numbers(store: &Store) -> Result<(), LedgerError> {
    let odd = "SELECT EXISTS (SELECT 1 FROM item WHERE number < 1)
                   OR EXISTS (SELECT 1 FROM row WHERE row < 1 OR input < 0 OR line < 0 OR cell < 0)";
    if store.told(store.connection.query_row(odd, [], |row| row.get(0)))? {
        return Err(store.damaged("a row or an item has a number that there cannot be".to_owned()));
    }
    Ok(())
}
