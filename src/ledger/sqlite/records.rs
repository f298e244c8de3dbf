//! Stores and reads domain values in the tables. Times, ids and enum values are text, so that a ledger can be
//! examined with any SQLite tool; values with parts are JSON, with raw JSON values kept as written.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, ToSql};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::domain::account::{RowText, Settled};
use crate::domain::attempt::AttemptAnswer;
use crate::domain::finding::Location;
use crate::domain::item::Item;
use crate::domain::json;
use crate::domain::outcome::Verdict;
use crate::domain::referral::ETag;
use crate::domain::step::{Step, StepTaken};
use crate::domain::subject::Subject;

/// A value with parts, as JSON.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(&self.0)
            .map(ToSqlOutput::from)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

/// The text of a row as it was read. Cells are stored as a JSON array. A line that begins like an object is
/// stored as it was read; any other line, which could be mistaken for something else, and a line that holds
/// what SQLite's text can't (a NUL) are stored as a JSON string.
///
/// Lines are mostly objects, and large where they are payloads, so that escaping all their quotes would cost
/// more than all other work on them.
#[derive(Debug)]
pub(super) struct Source<T>(pub(super) T);

impl ToSql for Source<&RowText> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            RowText::Line(line) if line.starts_with('{') && !line.as_bytes().contains(&0) => {
                Ok(ToSqlOutput::Borrowed(ValueRef::Text(line.as_bytes())))
            }
            text => serde_json::to_string(text)
                .map(ToSqlOutput::from)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into())),
        }
    }
}

impl FromSql for Source<RowText> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        if text.starts_with('{') {
            return Ok(Self(RowText::Line(text.to_owned())));
        }
        Json::column_result(value).map(|Json(text)| Self(text))
    }
}

/// A value that has a text form of its own.
#[derive(Debug)]
pub(super) struct Text<T>(pub(super) T);

impl<T: Display> ToSql for Text<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.to_string()))
    }
}

impl<T: FromStr<Err: std::error::Error + Send + Sync + 'static>> FromSql for Text<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
}

/// A value of an enum, as the type's serialised name.
#[derive(Debug)]
pub(super) struct EnumText<T>(pub(super) T);

impl<T: Serialize> ToSql for EnumText<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(json::raw(&self.0).get().trim_matches('"').to_owned()))
    }
}

impl<T: for<'de> Deserialize<'de>> FromSql for EnumText<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word: StrDeserializer<'_, serde::de::value::Error> = value.as_str()?.into_deserializer();
        T::deserialize(word).map(Self).map_err(FromSqlError::other)
    }
}

/// A referral's eTag, quotes included.
#[derive(Debug)]
pub(super) struct Version(pub(super) ETag);

impl FromSql for Version {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        ETag::from_service(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

/// The columns of an item, in the order that [`item`] reads them.
pub(super) const ITEM: &str = "item.number, item.referral, item.effect, item.etag, item.bound, \
                               item.request_id, item.findings, item.changes, item.patch";

/// Reads an item from the columns of [`ITEM`], the first of the row.
pub(super) fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    let (Text(id), EnumText(effect), Text(request_id)) = (row.get(1)?, row.get(2)?, row.get(5)?);
    let (Json(findings), Json(changes), Json(patch)) = (row.get(6)?, row.get(7)?, row.get(8)?);
    let etag: Option<Version> = row.get(3)?;
    Ok(Item {
        number: number(row, 0)?,
        id,
        etag: etag.map(|Version(etag)| etag),
        is_bound: row.get(4)?,
        request_id,
        patch,
        changes,
        effect,
        findings,
    })
}

/// Reads a location from three columns that begin at `first`.
pub(super) fn place(row: &Row<'_>, first: usize) -> rusqlite::Result<Location> {
    Ok(Location { input: row.get(first)?, line: number(row, first + 1)?, column: row.get(first + 2)? })
}

/// Reads a verdict from four columns that begin at `first`; returns `None` where they are null.
pub(super) fn verdict(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Verdict>> {
    let Some(EnumText(outcome)) = row.get(first)? else { return Ok(None) };
    let (code, message, status) =
        (row.get(first + 1)?, row.get::<_, String>(first + 2)?, row.get(first + 3)?);
    Ok(Some(Verdict { outcome, code, message: message.into(), status }))
}

/// Reads what people know a referral by from a column.
pub(super) fn subject(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Subject>> {
    Ok(row.get::<_, Option<Json<_>>>(column)?.map(|Json(subject)| subject))
}

/// Reads a count or an ordinal. SQLite's integers are signed; the ledger's numbers stay far below the sign
/// bit.
pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// Writes the outcome of an item. Fails where the item has an outcome already.
pub(super) fn write_outcome(
    connection: &Connection,
    item: u64,
    planned: bool,
    settled: &Settled,
) -> rusqlite::Result<()> {
    let Verdict { outcome, code, message, status } = &settled.verdict;
    connection
        .prepare_cached(
            "INSERT INTO outcome (item, planned, outcome, code, message, status, etag, at, theirs, checksum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,
                     checksum_of(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))",
        )?
        .execute((
            item.cast_signed(),
            planned,
            outcome.name(),
            code,
            message.as_str(),
            status,
            settled.etag.as_ref().map(ETag::as_str),
            Text(settled.at),
            settled.theirs.as_deref().map(RawValue::get),
        ))
        .map(drop)
}

/// Writes the intent to send an item as the attempt of this number, which no attempt had before. The document is stored
/// only where a rebase made another than the planned item's.
pub(super) fn write_intent(
    connection: &Connection,
    attempt: i64,
    item: &Item,
    client_request_id: Uuid,
    at: Timestamp,
) -> rusqlite::Result<()> {
    // The two columns that may be null are made twice, since a statement can't name them, and one that made them once in
    // a query of its own would be no faster.
    let written = connection
        .prepare_cached(
            "INSERT INTO attempt (id, item, at, client_request_id, etag, checksum, changes, patch)
             SELECT ?1, number, ?3, ?4, ?5,
                    checksum_of(?1, number, ?3, ?4, ?5, NULL, NULL, NULL, NULL,
                                NULLIF(?6, changes), NULLIF(?7, patch)),
                    NULLIF(?6, changes), NULLIF(?7, patch)
             FROM item WHERE number = ?2",
        )?
        .execute((
            attempt,
            item.number.cast_signed(),
            Text(at),
            Text(client_request_id),
            item.etag.as_ref().map(ETag::as_str),
            Json(&item.changes),
            item.patch.get(),
        ))?;
    one(written)
}

/// Returns the number of the next attempt: greater than that of each there ever was.
pub(super) fn next_attempt(connection: &Connection) -> rusqlite::Result<i64> {
    let last = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'attempt'), 0)";
    connection.query_row(last, [], |row| row.get::<_, i64>(0)).map(|last| last + 1)
}

/// Writes the answer to an attempt, in place of an earlier one.
pub(super) fn write_answer(
    connection: &Connection,
    attempt: i64,
    answer: &AttemptAnswer,
) -> rusqlite::Result<()> {
    let written = connection
        .prepare_cached(
            "UPDATE attempt
             SET result = ?2, status = ?3, code = ?4, answered_at = ?5,
                 checksum = checksum_of(id, item, at, client_request_id, etag, ?2, ?3, ?4, ?5, changes, patch)
             WHERE id = ?1",
        )?
        .execute((attempt, EnumText(answer.result), answer.status, &answer.code, Text(answer.at)))?;
    one(written)
}

/// Writes a step of carrying out an item.
pub(super) fn write_step(
    connection: &Connection,
    item: u64,
    attempt: Option<i64>,
    taken: &StepTaken,
) -> rusqlite::Result<()> {
    // Steps are never removed, so that the next number is the one that SQLite would give.
    let written = connection
        .prepare_cached(
            "INSERT INTO step (number, item, attempt, checksum, step)
             SELECT next, ?1, ?2, checksum_of(next, ?1, ?2, ?3), ?3
             FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM step)",
        )?
        .execute((item.cast_signed(), attempt, Json(taken)))?;
    one(written)
}

/// Reads a step from two columns that begin at `first`: its attempt, and what was done.
pub(super) fn step(row: &Row<'_>, first: usize) -> rusqlite::Result<Step> {
    let attempt: Option<i64> = row.get(first)?;
    Ok(Step { attempt: attempt.map(i64::cast_unsigned), taken: row.get(first + 1).map(|Json(taken)| taken)? })
}

/// Removes an intent. Returns the item that it was about.
pub(super) fn remove_intent(connection: &Connection, attempt: i64) -> rusqlite::Result<u64> {
    let remove = "DELETE FROM attempt WHERE id = ?1 RETURNING item";
    connection.prepare_cached(remove)?.query_one([attempt], |row| number(row, 0))
}

/// Checks that a statement changed exactly one record: a record about something that isn't in the ledger must
/// not pass for written.
fn one(written: usize) -> rusqlite::Result<()> {
    if written == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(written)) }
}
