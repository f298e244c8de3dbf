//! Looks up single rows and items. No record is used before its checksum was compared, and none is read that nobody asks
//! for: the time doesn't grow with the run. What a damaged key or index hides is not noticed here: whoever finds nothing
//! asks whether that is certain, and else a [`Reader`], who checks everything.
//!
//! Rows have no index by their place. They are numbered in the order of the inputs, so that a place is found by halving
//! the numbers between which it lies.

use std::path::Path;

use rusqlite::{OptionalExtension, Row};

use super::attempts::ATTEMPTS;
use super::check::check_records;
use super::reader::{Reader, planned_item};
use super::records::{EnumText, Json, Text, Version, number, place, step};
use super::store::Store;
use crate::domain::account::{InputInfo, Phase, RowAccount};
use crate::domain::approval::Approval;
use crate::domain::attempt::{AttemptAccount, AttemptAnswer};
use crate::domain::consent::Consent;
use crate::domain::finding::Location;
use crate::domain::life::ItemLife;
use crate::domain::referral::ReferralId;
use crate::domain::step::Step;
use crate::ledger::account;
use crate::ledger::backend::{RunAccount, RunLookup};
use crate::ledger::error::LedgerError;
use crate::ledger::model::{LineOfInput, RunHeader};

/// A run as it stood when it was opened to look something up, whatever is written meanwhile.
#[derive(Debug)]
pub struct Lookup {
    reader: Reader,
}

/// The place of a row as it is compared: input, line and column.
type RowPlace = (u32, u64, u32);

impl Lookup {
    /// Opens a run to look something up in it.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        Reader::open_unchecked(dir).map(|reader| Self { reader })
    }

    fn store(&self) -> &Store {
        &self.reader.store
    }

    /// Checks that the records of a table that have this number in a column are as they were written. What a newer
    /// version records is not known.
    fn check(&self, table: &str, column: &str, number: u64) -> Result<(), LedgerError> {
        match self.store().newer() {
            Some(_) => Ok(()),
            None => check_records(self.store(), table, &format!("{column} = ?1"), [number.cast_signed()]),
        }
    }

    fn check_all(&self, table: &str) -> Result<(), LedgerError> {
        if self.store().newer().is_some() { Ok(()) } else { check_records(self.store(), table, "TRUE", []) }
    }

    /// Checks all records about an item.
    fn check_item(&self, item: u64) -> Result<(), LedgerError> {
        for (table, column) in [("item", "number"), ("row", "item"), ("outcome", "item"), ("attempt", "item")]
        {
            self.check(table, column, item)?;
        }
        if self.store().has_subjects() {
            self.check("subject", "item", item)?;
        }
        if self.store().has_turns() {
            self.check("turn", "item", item)?;
        }
        if self.store().has_steps() {
            self.check("step", "item", item)?;
        }
        if self.store().has_verified() {
            self.check("verified", "item", item)?;
        }
        Ok(())
    }

    /// Checks that the item of a row is there. It may not be where planning did not complete.
    fn expect_item(&self, row: u64, item: u64) -> Result<(), LedgerError> {
        let is_there = "SELECT EXISTS (SELECT 1 FROM item WHERE number = ?1)";
        let connection = &self.store().connection;
        let is_there = connection.query_row(is_there, [item.cast_signed()], |row| row.get(0));
        if RunLookup::header(self).phase == Phase::Planning || self.store().told(is_there)? {
            return Ok(());
        }
        Err(self.store().damaged(format!("row {row} belongs to item {item}, which is missing")))
    }

    /// Returns these rows, as far as they are reported.
    fn told(&self, rows: &[u64]) -> Result<Vec<RowAccount>, LedgerError> {
        let connection = &self.store().connection;
        let mut attempts = self.store().told(connection.prepare_cached(ATTEMPTS))?;
        let query = self.reader.rows_query("AND row.row = ?1", "row.row");
        let mut told = Vec::with_capacity(rows.len());
        for ordinal in rows {
            self.check("row", "row", *ordinal)?;
            if self.store().has_keys() {
                self.check("matched", "row", *ordinal)?;
            }
            let item = "SELECT item FROM row WHERE row = ?1 AND item IS NOT NULL";
            let item = connection.query_row(item, [ordinal.cast_signed()], |row| number(row, 0)).optional();
            if let Some(item) = self.store().told(item)? {
                self.check_item(item)?;
                self.expect_item(*ordinal, item)?;
            }
            let mut statement = self.store().told(connection.prepare_cached(&query))?;
            let row = statement.query_row([ordinal.cast_signed()], |row| self.reader.row(row, &mut attempts));
            let facts = self.store().told(row.optional())?;
            told.extend(facts.map(|facts| account::row(facts, RunLookup::header(self))));
        }
        Ok(told)
    }

    /// Returns the ordinal of the first row from this one on, and its place.
    fn row_from(&self, ordinal: u64) -> Result<Option<(u64, RowPlace)>, LedgerError> {
        let next = "SELECT row, input, line, cell FROM row WHERE row >= ?1 ORDER BY row LIMIT 1";
        let connection = &self.store().connection;
        let mut next = self.store().told(connection.prepare_cached(next))?;
        let next = next.query_row([ordinal.cast_signed()], |row| {
            Ok((number(row, 0)?, (row.get(1)?, number(row, 2)?, row.get(3)?)))
        });
        self.store().told(next.optional())
    }

    /// Returns the ordinal of the first row that begins at a place or behind it.
    fn first_from(&self, place: RowPlace) -> Result<Option<u64>, LedgerError> {
        let last = "SELECT coalesce(max(row), 0) FROM row";
        let last = self.store().told(self.store().connection.query_row(last, [], |row| number(row, 0)))?;
        let (mut from, mut to) = (1, last.saturating_add(1));
        while from < to {
            let middle = from + (to - from) / 2;
            match self.row_from(middle)? {
                Some((ordinal, found)) if found < place => from = ordinal + 1,
                _ => to = middle,
            }
        }
        Ok(self.row_from(from)?.map(|(ordinal, _)| ordinal))
    }

    /// Returns the number of rows that the inputs had.
    async fn rows_of_inputs(&self) -> Result<u64, LedgerError> {
        // Of a damaged run no sum need be a number.
        Ok(RunLookup::inputs(self).await?.iter().map(|input| input.rows).fold(0, u64::saturating_add))
    }

    /// Checks that all rows are there that the inputs had. They are numbered without a gap.
    async fn expect_each_row(&self) -> Result<(), LedgerError> {
        if self.store().newer().is_some() {
            return Ok(());
        }
        let counted = "SELECT count(*) FROM row";
        let counted = self.store().connection.query_row(counted, [], |row| number(row, 0));
        let (counted, wanted) = (self.store().told(counted)?, self.rows_of_inputs().await?);
        if counted == wanted {
            return Ok(());
        }
        Err(self.store().damaged(format!("it has {counted} rows, and the inputs had {wanted}")))
    }

    /// Whether every row belongs to an item.
    fn has_each_an_item(&self) -> Result<bool, LedgerError> {
        let has = "SELECT (SELECT max(row) FROM row) = (SELECT count(*) FROM row WHERE item IS NOT NULL)";
        let has: Option<bool> =
            self.store().told(self.store().connection.query_row(has, [], |row| row.get(0)))?;
        Ok(has == Some(true))
    }

    fn ordinals(&self, query: &str, values: impl rusqlite::Params) -> Result<Vec<u64>, LedgerError> {
        let found = self.store().connection.prepare_cached(query);
        let found = found.and_then(|mut found| found.query_map(values, |row| number(row, 0))?.collect());
        self.store().told(found)
    }

    fn steps(&self, item: u64) -> Result<Vec<Step>, LedgerError> {
        if !self.store().has_steps() {
            return Ok(Vec::new());
        }
        let query = "SELECT attempt, step FROM step WHERE item = ?1 ORDER BY number";
        let steps = self
            .store()
            .connection
            .prepare_cached(query)
            .and_then(|mut steps| steps.query_map([item.cast_signed()], |row| step(row, 0))?.collect());
        self.store().told(steps)
    }

    fn attempts(&self, item: u64) -> Result<Vec<AttemptAccount>, LedgerError> {
        if matches!(RunLookup::header(self).phase, Phase::Planning | Phase::Planned) {
            return Ok(Vec::new());
        }
        let query = "SELECT id, at, client_request_id, etag, patch, result, status, code, answered_at
                     FROM attempt WHERE item = ?1 ORDER BY id";
        let attempts = self
            .store()
            .connection
            .prepare_cached(query)
            .and_then(|mut attempts| attempts.query_map([item.cast_signed()], attempt)?.collect());
        self.store().told(attempts)
    }
}

/// Reads an attempt.
fn attempt(row: &Row<'_>) -> rusqlite::Result<AttemptAccount> {
    let (Text(at), Text(client_request_id)) = (row.get(1)?, row.get(2)?);
    let result: Option<EnumText<_>> = row.get(5)?;
    let answered: Option<Text<_>> = row.get(8)?;
    let (status, code) = (row.get(6)?, row.get(7)?);
    Ok(AttemptAccount {
        number: number(row, 0)?,
        at,
        client_request_id,
        etag: row.get::<_, Option<Version>>(3)?.map(|Version(etag)| etag),
        document: row.get::<_, Option<Json<_>>>(4)?.map(|Json(document)| document),
        answer: result.zip(answered).map(|(EnumText(result), Text(at))| AttemptAnswer {
            result,
            status,
            code,
            at,
        }),
    })
}

impl RunLookup for Lookup {
    fn header(&self) -> &RunHeader {
        RunAccount::header(&self.reader)
    }

    fn newer(&self) -> Option<i32> {
        self.store().newer()
    }

    async fn consents(&self) -> Result<Vec<Consent>, LedgerError> {
        if !self.store().has_consents() {
            return Ok(Vec::new());
        }
        self.check_all("consent")?;
        self.store()
            .all("SELECT consent FROM consent ORDER BY number", |row| row.get(0).map(|Json(consent)| consent))
    }

    async fn approvals(&self) -> Result<Vec<Approval>, LedgerError> {
        if self.store().has_approvals() {
            self.check_all("approval")?;
        }
        self.store().approvals()
    }

    async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        self.check_all("input")?;
        self.store().inputs()
    }

    async fn rows_at(&self, at: LineOfInput, most: usize) -> Result<Vec<RowAccount>, LedgerError> {
        let LineOfInput { input, line, column } = at;
        let Some(mut next) = self.first_from((input, line, column.unwrap_or(0)))? else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        while let Some((ordinal, place)) = self.row_from(next)? {
            let is_there =
                (place.0, place.1) == (input, line) && column.is_none_or(|column| place.2 == column);
            if !is_there || found.len() == most {
                break;
            }
            found.push(ordinal);
            next = ordinal + 1;
        }
        self.told(&found)
    }

    async fn rows_beside(&self, at: LineOfInput) -> Result<[Option<RowAccount>; 2], LedgerError> {
        let beside = |query: &str, from: u64| -> Result<Option<RowAccount>, LedgerError> {
            let found = self.ordinals(query, (from.cast_signed(), at.input))?;
            Ok(self.told(&found)?.pop())
        };
        let first = self.first_from((at.input, at.line, 0))?.unwrap_or(i64::MAX.cast_unsigned());
        let behind = self.first_from((at.input, at.line.saturating_add(1), 0))?;
        let before = beside(
            "SELECT row FROM (SELECT row, input FROM row WHERE row < ?1 ORDER BY row DESC LIMIT 1) WHERE input = ?2",
            first,
        );
        let behind = behind.map(|behind| beside("SELECT row FROM row WHERE row = ?1 AND input = ?2", behind));
        Ok([before?, behind.transpose()?.flatten()])
    }

    /// Rows are numbered without a gap. So nothing lies between two that follow on each other, each of which is as it was
    /// written and lies on its side of the place; nor before the first, nor behind the last that the inputs had.
    async fn lacks(&self, at: LineOfInput) -> Result<bool, LedgerError> {
        if self.store().newer().is_some() || RunLookup::header(self).phase == Phase::Planning {
            return Ok(false);
        }
        let last = self.rows_of_inputs().await?;
        let place = (at.input, at.line, at.column.unwrap_or(0));
        let behind = self.first_from(place)?.unwrap_or(last.saturating_add(1));
        for ordinal in [behind.saturating_sub(1), behind] {
            self.check("row", "row", ordinal)?;
            let found =
                self.row_from(ordinal)?.filter(|(found, _)| *found == ordinal).map(|(_, place)| place);
            let is_so = match found {
                Some(found) if ordinal < behind => found < place,
                Some(found) => {
                    found > place && !(at.column.is_none() && (found.0, found.1) == (at.input, at.line))
                }
                None => ordinal == 0 || ordinal == last + 1,
            };
            if !is_so {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn rows_naming(&self, id: ReferralId) -> Result<Vec<RowAccount>, LedgerError> {
        let of_item = "SELECT row.row FROM item JOIN row ON row.item = item.number
                       WHERE item.referral = ?1 ORDER BY row.row";
        let mut rows = self.ordinals(of_item, [id.to_string()])?;
        // A row of a change file that names a referral belongs to that one's item. Of payloads only the first does.
        let is_of_payloads = RunLookup::header(self).spec.asked.migrating.is_some();
        if rows.is_empty() || is_of_payloads && !self.has_each_an_item()? {
            rows = self.ordinals("SELECT row FROM row WHERE referral = ?1 ORDER BY row", [id.to_string()])?;
        }
        self.told(&rows)
    }

    async fn of_engagement(&self, id: ReferralId) -> Result<Vec<ReferralId>, LedgerError> {
        if !self.store().has_subjects() {
            return Ok(Vec::new());
        }
        self.check_all("subject")?;
        let of_it = "SELECT item.number, item.referral FROM subject JOIN item ON item.number = subject.item
                     WHERE subject ->> '$.engagement' = ?1 ORDER BY item.number";
        let found = self.store().all_of(of_it, [id.to_string()], |row| {
            row.get(1).map(|Text(id)| id).and_then(|id| Ok((number(row, 0)?, id)))
        })?;
        found.iter().try_for_each(|(item, _)| self.check("item", "number", *item))?;
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }

    async fn each_name(&self, each: &mut dyn FnMut(ReferralId, Location)) -> Result<(), LedgerError> {
        self.check_all("row")?;
        if RunLookup::header(self).phase != Phase::Planning {
            self.expect_each_row().await?;
        }
        let names = self.store().connection.prepare(&self.reader.names_query()).and_then(|mut names| {
            let mut rows = names.query([])?;
            while let Some(row) = rows.next()? {
                let Text(id) = row.get(0)?;
                each(id, place(row, 1)?);
            }
            Ok(())
        });
        self.store().told(names)
    }

    async fn item_life(&self, number: u64) -> Result<Option<ItemLife>, LedgerError> {
        self.check_item(number)?;
        let query = self.reader.items_query("item.number = ?1");
        let mut items = self.store().told(self.store().connection.prepare_cached(&query))?;
        let mut rows = self.store().told(items.query([number.cast_signed()]))?;
        let mut account = None;
        while let Some(row) = self.store().told(rows.next())? {
            self.store().told(planned_item(row, RunLookup::header(self), &mut account))?;
        }
        let Some(account) = account else { return Ok(None) };
        let (attempts, steps) = (self.attempts(number)?, self.steps(number)?);
        let verified = RunAccount::last_verified(&self.reader, number).await?;
        Ok(Some(ItemLife { account, attempts, steps, verified: verified.map(|(_, verified)| verified) }))
    }
}
