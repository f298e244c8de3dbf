//! The order in which items are sent, where the user asked for another than that of the inputs.
//!
//! The whole order is made by one statement, from what is on record of the rows or of the referrals, when all of it is
//! there. Nothing of it is on the heap: SQLite sorts, and asks for one key at a time.

use rusqlite::functions::FunctionFlags;
use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{Connection, Row};

use super::records::{Json, Source, number, place};
use crate::domain::account::RowText;
use crate::domain::finding::Location;
use crate::domain::priority::Direction;
use crate::domain::sort_key::SortKey;
use crate::ledger::ordering::{KeySource, OrderKeys, Placed};

/// The name under which SQL asks for the key of a row or of a subject.
const KEY: &str = "order_key";

/// Puts all items without an outcome in order, those without a key at the end, and else by number.
pub(super) fn put_in_order(connection: &Connection, keys: OrderKeys) -> rusqlite::Result<Placed> {
    let OrderKeys { of, direction } = keys;
    let (values, arguments, from) = match &of {
        KeySource::Rows(_) => ("row.input, row.text", 2, "row JOIN item ON item.number = row.item"),
        KeySource::Subjects(_) => ("subject.subject", 1, "subject JOIN item ON item.number = subject.item"),
        KeySource::Inputs => {
            number_in_order(connection)?;
            return placed(connection);
        }
    };
    offer(connection, of, arguments)?;
    let (best, last) = match direction {
        Direction::Asc => ("min", ""),
        Direction::Desc => ("max", "DESC"),
    };
    let made = connection.execute_batch(&format!(
        "INSERT INTO turn (item, checksum, place, valued)
         SELECT item, checksum_of(item, place, valued), place, valued
         FROM (SELECT item.number AS item, best IS NOT NULL AS valued,
                      row_number() OVER (ORDER BY best IS NULL, best {last}, item.number) AS place
               FROM item
               LEFT JOIN (SELECT item.number AS of, {best}({KEY}({values})) AS best FROM {from} GROUP BY item.number)
               ON of = item.number
               LEFT JOIN outcome ON outcome.item = item.number
               WHERE outcome.item IS NULL)"
    ));
    connection.remove_function(KEY, arguments)?;
    made?;
    placed(connection)
}

fn placed(connection: &Connection) -> rusqlite::Result<Placed> {
    let count = "SELECT count(*), count(*) FILTER (WHERE NOT valued) FROM turn";
    connection.query_row(count, [], |row| Ok(Placed { items: number(row, 0)?, without: number(row, 1)? }))
}

/// Gives all items without an outcome their places in the order of the inputs.
fn number_in_order(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "INSERT INTO turn (item, checksum, place, valued)
         SELECT item, checksum_of(item, place, 1), place, 1
         FROM (SELECT item.number AS item, row_number() OVER (ORDER BY item.number) AS place
               FROM item LEFT JOIN outcome ON outcome.item = item.number
               WHERE outcome.item IS NULL)",
    )
}

/// Lets SQL ask for keys.
fn offer(connection: &Connection, keys: KeySource, arguments: i32) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function(KEY, arguments, flags, move |values| {
        let key = match &keys {
            KeySource::Rows(key) => key(values.get(0)?, &read::<Source<RowText>>(values.get_raw(1))?.0),
            KeySource::Subjects(key) => key(&read::<Json<_>>(values.get_raw(0))?.0),
            KeySource::Inputs => None,
        };
        Ok(key.map(|key: SortKey| key.as_bytes().to_vec()))
    })
}

fn read<T: FromSql>(value: ValueRef<'_>) -> rusqlite::Result<T> {
    T::column_result(value).map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
}

/// Calls `each` for every row that belongs to an item and has no verdict of its own, in the order of the inputs.
pub(super) fn each_row(
    connection: &Connection,
    each: &mut dyn FnMut(Location, &RowText),
) -> rusqlite::Result<()> {
    let mut rows = connection.prepare(
        "SELECT input, line, cell, text FROM row WHERE item IS NOT NULL AND verdict IS NULL
                  ORDER BY row.row",
    )?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        each(place(row, 0)?, &text(row)?);
    }
    Ok(())
}

fn text(row: &Row<'_>) -> rusqlite::Result<RowText> {
    row.get(3).map(|Source(text)| text)
}
