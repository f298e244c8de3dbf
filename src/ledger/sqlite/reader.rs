//! Reads the account of a run for its reports. Nothing is written and no lock is needed: a run can be read
//! while another process sends it, and after a crash.

use std::path::Path;

use rusqlite::{CachedStatement, Row};

use super::attempts::{ATTEMPTS, made};
use super::holder::{self, Found};
use super::optional::Optional;
use super::records::{EnumText, ITEM, Json, Source, Text, Version, item, number, place, subject, verdict};
use super::store::Store;
use super::together::{self, Queries, REST};
use super::totals::totals;
use super::{full, sent, verified, wal};
use crate::domain::account::{
    FullRow, InputInfo, ItemAccount, Phase, RowAccount, RowRecord, RowStanding, RunStats, Settled,
};
use crate::domain::approval::Approval;
use crate::domain::attempt::PaceRecord;
use crate::domain::audit::Audit;
use crate::domain::consent::Consent;
use crate::domain::finding::Finding;
use crate::domain::key::Matched;
use crate::domain::outcome::Verdict;
use crate::domain::referral::ReferralId;
use crate::domain::verification::{Verification, Verified};
use crate::domain::waves::Wave;
use crate::ledger::account::{self, Attempts, ItemFacts, RowFacts};
use crate::ledger::backend::RunAccount;
use crate::ledger::error::LedgerError;
use crate::ledger::model::{
    PlanTotals, ReferralTotals, RunHeader, SentItem, VerifiedItem, WaveSoFar, summed,
};
use crate::ledger::verdict::Resolved;

/// A run as it stood when it was opened for reading, whatever is written meanwhile.
#[derive(Debug)]
pub struct Reader {
    pub(super) store: Store,
    pub(super) header: RunHeader,
}

/// The columns of a row, up to those of its item's changes.
const ROWS: &str = "
    SELECT row.row, row.input, row.line, row.cell, row.referral, row.text, row.verdict, row.findings,
           outcome.planned, outcome.outcome, outcome.code, outcome.message, outcome.status,
           outcome.etag, outcome.at, outcome.theirs,
           item.number, item.findings";

/// The changes of the row's item, as far as a row by itself tells them.
const CHANGES_TOLD: &str = "CASE outcome.outcome WHEN 'conflict' THEN item.changes END";

/// The columns that follow on those of the changes.
const FIRST_ROWS: &str = "first.input, first.line, first.cell, item.audit";

/// Nearly every row is the first of its item, and is not looked up again for its place.
const OF_ROWS: &str = "
    FROM row LEFT JOIN item ON item.number = row.item
             LEFT JOIN outcome ON outcome.item = item.number
             LEFT JOIN row AS first ON first.row = CASE WHEN item.number <> row.row THEN item.number END";

impl Reader {
    /// Opens a run for reading.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        Self::open_with(dir, wal::header)
    }

    /// Opens a run for reading single records of it, each of which the caller checks.
    pub(super) fn open_unchecked(dir: &Path) -> Result<Self, LedgerError> {
        Self::open_with(dir, wal::header_alone)
    }

    fn open_with(
        dir: &Path,
        header: fn(&Store, Result<Found, LedgerError>) -> Result<RunHeader, LedgerError>,
    ) -> Result<Self, LedgerError> {
        let store = Store::look(dir)?;
        if store.newer().is_some() {
            // What else that version records is unknown, and so is whether the records are as they were
            // written.
            let (spec, phase) = store.run()?;
            return Ok(Self { store, header: RunHeader { spec, phase, lost: None } });
        }
        // Nothing is sent by a reader, so a copy may be read; it counts as a run that may lack records.
        let found = holder::found(dir).unwrap_or(Found::Moved);
        let header = header(&store, Ok(found))?;
        Ok(Self { store, header })
    }

    /// Returns the condition for the rows that are reported: what the rows of an input are that was not read to its end is
    /// unknown.
    fn known(&self) -> &'static str {
        match self.header.phase {
            Phase::Planning => "row.input IN (SELECT number FROM input WHERE read = 1)",
            Phase::Planned | Phase::Stopped | Phase::Finished => "TRUE",
        }
    }

    /// Returns the query for the rows that are reported, and for which the condition `also` holds.
    pub(super) fn rows_query(&self, also: &str, order: &str) -> String {
        self.rows_query_with(CHANGES_TOLD, also, order)
    }

    /// Returns the query for all rows that are reported, with the changes of their items and, behind all other columns,
    /// whether those can be undone.
    pub(super) fn full_rows_query(&self) -> String {
        self.rows_query_with("item.changes", "", "row.row")
    }

    fn rows_query_with(&self, changes: &str, also: &str, order: &str) -> String {
        let known = self.known();
        let Optional { column: subject, table: subjects } = self.subjects();
        let Optional { column: key, table: keys } = self.keys();
        format!(
            "{ROWS}, {changes}, {FIRST_ROWS}, {subject}, {key}, item.effect {OF_ROWS} {subjects} {keys}
             WHERE {known} {also} ORDER BY {order}"
        )
    }

    /// Returns the queries for all rows and items together.
    fn queries(&self) -> Queries {
        let Optional { column: subject, table: subjects } = self.subjects();
        let Optional { column: key, table: keys } = self.keys();
        let Optional { column: turn, table: turns } = self.turns();
        Queries {
            rows: format!(
                "{ROWS}, item.changes, {FIRST_ROWS}, {subject}, {key}, item.effect, {REST}, {turn}
                 {OF_ROWS} {subjects} {keys} {turns} ORDER BY row.row"
            ),
            further: format!(
                "SELECT row.item, row.input, row.line, row.cell, row.findings, {key} FROM row {keys}
                 WHERE row.item IS NOT NULL AND row.item <> row.row ORDER BY row.item, row.row"
            ),
        }
    }

    /// Returns the query for the id and the place of each row that is reported and names a referral.
    pub(super) fn names_query(&self) -> String {
        let known = self.known();
        format!(
            "SELECT referral, input, line, cell FROM row WHERE referral IS NOT NULL AND {known} ORDER BY row"
        )
    }

    pub(super) fn row(
        &self,
        row: &Row<'_>,
        attempts: &mut CachedStatement<'_>,
    ) -> rusqlite::Result<RowFacts> {
        let number_of_item: Option<i64> = row.get(16)?;
        let item = number_of_item.map(|_| item_facts(row)).transpose()?;
        let record = RowRecord {
            row: number(row, 0)?,
            place: place(row, 1)?,
            id: row.get::<_, Option<Text<_>>>(4)?.map(|Text(id)| id),
            text: row.get(5).map(|Source(text)| text)?,
            item: number_of_item.map(i64::cast_unsigned),
            verdict: row.get::<_, Option<Json<Verdict>>>(6)?.map(|Json(own)| own),
            findings: row.get(7).map(|Json(findings)| findings)?,
            matched: matched(row, 24)?,
        };
        Ok(RowFacts { record, item, attempts: self.attempts(number_of_item, attempts)? })
    }

    /// Returns the query for the items for which a condition holds, with a row for each of their rows.
    pub(super) fn items_query(&self, condition: &str) -> String {
        let Optional { column: subject, table: subjects } = self.subjects();
        let Optional { column: key, table: keys } = self.keys();
        let Optional { column: turn, table: turns } = self.turns();
        format!(
            "SELECT {ITEM}, outcome.outcome, outcome.code, outcome.message, outcome.status,
                    row.input, row.line, row.cell, item.audit, row.findings, {subject}, {key}, {turn}
             FROM item LEFT JOIN outcome ON outcome.item = item.number AND outcome.planned
                       LEFT JOIN row ON row.item = item.number {subjects} {keys} {turns}
             WHERE {condition}
             ORDER BY item.number, row.row"
        )
    }

    /// Returns where queries find subjects; in ledgers of an earlier format, nowhere.
    fn subjects(&self) -> Optional {
        Optional::subjects(&self.store)
    }

    /// Returns where queries find the keys by which rows were matched. A run whose rows name their referrals by id has
    /// none.
    fn keys(&self) -> Optional {
        if self.header.spec.asked.matching.is_some() && self.store.has_keys() {
            Optional { column: "matched.matched", table: "LEFT JOIN matched ON matched.row = row.row" }
        } else {
            Optional::NOTHING
        }
    }

    /// Returns where queries find the places of items in an order of their own, where the plan has one.
    fn turns(&self) -> Optional {
        if self.header.spec.has_turns() && self.store.has_turns() {
            Optional { column: "turn.place", table: "LEFT JOIN turn ON turn.item = item.number" }
        } else {
            Optional::NOTHING
        }
    }

    fn attempts(&self, item: Option<i64>, statement: &mut CachedStatement<'_>) -> rusqlite::Result<Attempts> {
        let mut told = Attempts::default();
        // A run that was never sent has no attempts, so they need not be queried row by row.
        if matches!(self.header.phase, Phase::Planning | Phase::Planned) {
            return Ok(told);
        }
        let mut rows = statement.query([item])?;
        while let Some(row) = rows.next()? {
            let result = row.get::<_, Option<EnumText<_>>>(5)?.map(|EnumText(result)| result);
            told.add(row.get(4)?, made(row)?, result);
        }
        Ok(told)
    }
}

impl RunAccount for Reader {
    fn header(&self) -> &RunHeader {
        &self.header
    }

    fn newer(&self) -> Option<i32> {
        self.store.newer()
    }

    /// Checks every page, and whether the indexes match their tables.
    async fn check_pages(&self) -> Result<(), LedgerError> {
        if self.store.newer().is_some() { Ok(()) } else { self.store.check_pages() }
    }

    async fn consent(&self) -> Result<Option<Consent>, LedgerError> {
        self.store.consent()
    }

    async fn approvals(&self) -> Result<Vec<Approval>, LedgerError> {
        self.store.approvals()
    }

    async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        self.store.inputs()
    }

    async fn stats(&self) -> Result<RunStats, LedgerError> {
        let sessions = self
            .store
            .all("SELECT figures FROM session ORDER BY number", |row| row.get(0).map(|Json(one)| one))?;
        let patch = self.store.connection.query_row("SELECT count(*) FROM attempt", [], |row| number(row, 0));
        Ok(summed(sessions, self.store.told(patch)?))
    }

    async fn totals(&self) -> Result<PlanTotals, LedgerError> {
        totals(&self.store)
    }

    async fn referrals(&self) -> Result<ReferralTotals, LedgerError> {
        self.store.told(self.store.connection.query_row(
            // Where an item was applied in part, `theirs` holds the fields that were not applied.
            "SELECT count(*), count(outcome.item),
                    count(*) FILTER (WHERE outcome.item IS NOT NULL AND effect = 'one-way'
                                     AND (outcome = 'applied' OR json_type(theirs, '$.\"/status\"') IS NULL))
             FROM item LEFT JOIN outcome
                       ON outcome.item = item.number AND outcome.outcome IN ('applied', 'partial')",
            [],
            |row| {
                Ok(ReferralTotals {
                    total: number(row, 0)?,
                    changed: number(row, 1)?,
                    closed: number(row, 2)?,
                })
            },
        ))
    }

    async fn rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(RowAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        let connection = &self.store.connection;
        let mut attempts = self.store.told(connection.prepare_cached(ATTEMPTS))?;
        let query = self.rows_query("", "row.row");
        let mut rows = self.store.told(connection.prepare_cached(&query))?;
        let mut rows = self.store.told(rows.query([]))?;
        while let Some(row) = self.store.told(rows.next())? {
            let facts = self.store.told(self.row(row, &mut attempts))?;
            each(account::row(facts, &self.header))?;
        }
        Ok(())
    }

    async fn full_rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(FullRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let facts = |row: &Row<'_>, attempts: &mut CachedStatement<'_>| self.row(row, attempts);
        full::rows(&self.store, &self.header, &self.full_rows_query(), facts, each)
    }

    async fn rows_and_items<E: From<LedgerError>>(
        &self,
        each_row: &mut dyn FnMut(&FullRow) -> Result<(), E>,
        each_item: &mut dyn FnMut(&ItemAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        // While a run is planned, rows may be unknown whose items are there.
        if self.header.phase == Phase::Planning || !together::have_first_rows(&self.store)? {
            self.full_rows(&mut |row| each_row(&row)).await?;
            return self.items(&mut |item| each_item(&item)).await;
        }
        let facts = |row: &Row<'_>, attempts: &mut CachedStatement<'_>| self.row(row, attempts);
        together::rows_and_items(&self.store, &self.header, &self.queries(), facts, each_row, each_item)
    }

    async fn pace<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(PaceRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        full::pace(&self.store, each)
    }

    async fn items<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(ItemAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        let connection = &self.store.connection;
        let query = self.items_query("TRUE");
        let mut items = self.store.told(connection.prepare_cached(&query))?;
        let mut rows = self.store.told(items.query([]))?;
        let mut account: Option<ItemAccount> = None;
        while let Some(row) = self.store.told(rows.next())? {
            let next = self.store.told(planned_item(row, &self.header, &mut account))?;
            next.map_or(Ok(()), &mut *each)?;
        }
        account.map_or(Ok(()), each)
    }

    async fn items_with_rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(ItemAccount, Vec<RowStanding>) -> Result<(), E>,
    ) -> Result<(), E> {
        let connection = &self.store.connection;
        let mut attempts = self.store.told(connection.prepare_cached(ATTEMPTS))?;
        let query = self.rows_query("AND row.item IS NOT NULL", "row.item, row.row");
        let mut rows = self.store.told(connection.prepare_cached(&query))?;
        let mut rows = self.store.told(rows.query([]))?;
        // The next row, which may be of a later item: rows come in the order of the items.
        let mut next: Option<RowAccount> = None;
        self.items(&mut |item: ItemAccount| {
            let mut standings = Vec::new();
            loop {
                if next.is_none() {
                    let row = self.store.told(rows.next())?;
                    let facts = row.map(|row| self.store.told(self.row(row, &mut attempts))).transpose()?;
                    next = facts.map(|facts| account::row(facts, &self.header));
                }
                match next.take_if(|row| row.item <= Some(item.item.number)) {
                    Some(row) if row.item == Some(item.item.number) => standings.push(row.into()),
                    // A row whose item was not written before planning stopped.
                    Some(_) => {}
                    None => break,
                }
            }
            each(item, standings)
        })
        .await
    }

    async fn sent<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(SentItem) -> Result<(), E>,
    ) -> Result<(), E> {
        sent::each(&self.store, &self.header, None, each)
    }

    async fn sent_item(&self, referral: ReferralId) -> Result<Option<SentItem>, LedgerError> {
        let mut found = None;
        sent::each(&self.store, &self.header, Some(referral), &mut |item| {
            found = Some(item);
            Ok::<_, LedgerError>(())
        })?;
        Ok(found)
    }

    async fn written_ids(&self) -> Result<Vec<ReferralId>, LedgerError> {
        self.store.all(sent::WRITTEN_IDS, |row| row.get(0).map(|Text(id)| id))
    }

    async fn wave(&self, wave: Wave) -> Result<WaveSoFar, LedgerError> {
        sent::wave(&self.store, wave)
    }

    async fn verifications(&self) -> Result<Vec<(u64, Verification)>, LedgerError> {
        verified::verifications(&self.store)
    }

    async fn verified<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(VerifiedItem) -> Result<(), E>,
    ) -> Result<(), E> {
        verified::each(&self.store, each)
    }

    async fn last_verified(&self, item: u64) -> Result<Option<(u64, Verified)>, LedgerError> {
        verified::last(&self.store, item)
    }
}

/// Reads the records of a row's item from the columns of [`ROWS`].
fn item_facts(row: &Row<'_>) -> rusqlite::Result<ItemFacts> {
    let first = if row.get_ref(0)? == row.get_ref(16)? { 1 } else { 19 };
    Ok(ItemFacts {
        findings: row.get::<_, Option<Json<_>>>(17)?.map(|Json(findings)| findings).unwrap_or_default(),
        first: row.get::<_, Option<i64>>(first)?.map(|_| place(row, first)).transpose()?,
        audit: audit(row, 22)?,
        subject: subject(row, 23)?,
        resolved: resolved(row)?,
        changes: row.get::<_, Option<Json<_>>>(18)?.map(|Json(changes)| changes),
    })
}

/// Reads the outcome of a row's item from the columns of [`ROWS`].
fn resolved(row: &Row<'_>) -> rusqlite::Result<Option<Resolved>> {
    let Some(planned) = row.get(8)? else { return Ok(None) };
    let Some(verdict) = verdict(row, 9)? else { return Ok(None) };
    let settled = Settled {
        verdict,
        etag: row.get::<_, Option<Version>>(13)?.map(|Version(etag)| etag),
        theirs: row.get::<_, Option<Json<_>>>(15)?.map(|Json(theirs)| theirs),
        at: row.get(14).map(|Text(at)| at)?,
    };
    Ok(Some(Resolved { planned, settled }))
}

/// Reads an audit from a column.
fn audit(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Audit>> {
    Ok(row.get::<_, Option<Json<_>>>(column)?.map(|Json(audit)| audit))
}

/// Reads the key by which a row was matched from a column.
fn matched(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Matched>> {
    Ok(row.get::<_, Option<Json<_>>>(column)?.map(|Json(matched)| matched))
}

/// Adds a row to the account of its item. A row of another item begins a new account, and the one before,
/// which is then complete, is returned.
pub(super) fn planned_item(
    row: &Row<'_>,
    header: &RunHeader,
    account: &mut Option<ItemAccount>,
) -> rusqlite::Result<Option<ItemAccount>> {
    let number = number(row, 0)?;
    let mut complete = None;
    if account.as_ref().is_none_or(|account| account.item.number != number) {
        let (item, planned, audit) = (item(row)?, verdict(row, 9)?, audit(row, 16)?);
        let turn = row.get::<_, Option<i64>>(20)?.map(i64::cast_unsigned);
        let begun = ItemAccount {
            item,
            rows: Vec::new(),
            planned,
            audit,
            subject: subject(row, 18)?,
            matched: Vec::new(),
            turn,
            wave: account::wave(header, turn),
        };
        complete = account.replace(begun);
    }
    if let (Some(account), Some(Json(own))) = (account, row.get::<_, Option<Json<Vec<Finding>>>>(17)?) {
        account::add_row(account, place(row, 13)?, own);
        account.matched.extend(matched(row, 19)?);
    }
    Ok(complete)
}
