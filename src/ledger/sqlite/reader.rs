//! The account of a run, for whoever reports it. Nothing is written and no lock is needed: a run can
//! be read while another process sends it, and after a crash.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{CachedStatement, Row};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::holder::Found;
use super::lock;
use super::records::{EnumText, ITEM, Json, Source, Text, Version, item, number, place};
use super::run::{PlanTotals, totals};
use super::schema::Store;
use super::wal::{self, Loss, Lost};
use crate::domain::account::{InputInfo, ItemAccount, Phase, RowAccount, RunSpec, RunStats};
use crate::domain::audit::Audit;
use crate::domain::consent::Consent;
use crate::domain::finding::{Finding, Location};
use crate::domain::item::Change;
use crate::domain::json;
use crate::domain::outcome::{Outcome, Verdict};
use crate::ledger::LedgerError;
use crate::ledger::outstanding::{Last, last};
use crate::ledger::verdict::{self, Came};

/// A run as it stood when it was opened for reading, whatever is written meanwhile: all that one
/// reader tells fits together.
#[derive(Debug)]
pub struct Reader {
    store: Store,
    about: RunSpec,
    phase: Phase,
    lost: Option<Lost>,
}

/// Referrals, each counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Referrals {
    /// That the rows are about, where they got that far.
    pub total: u64,
    /// That were written.
    pub changed: u64,
    /// That were closed.
    pub closed: u64,
}

/// Opens a run for reading.
///
/// # Errors
/// [`LedgerError::Absent`], [`LedgerError::Foreign`] and [`LedgerError::Damaged`] as they say;
/// [`LedgerError::Newer`], here and later, where a newer version wrote something that isn't understood.
pub fn read(dir: &Path) -> Result<Reader, LedgerError> {
    let store = Store::look(dir)?;
    if store.newer().is_some() {
        // What else that version says of it isn't known, and nor is whether it is as it was written.
        let (about, phase) = store.run()?;
        return Ok(Reader { store, about, phase, lost: None });
    }
    let (about, phase) = store.checked_run()?;
    // Nothing is sent from here, so a copy may be read: as one that doesn't know all.
    let found = lock::found(dir).unwrap_or(Found::Moved);
    let lost = wal::lost(&store, found)?;
    Ok(Reader { store, about, phase, lost })
}

/// What a row's query tells of its item's attempts.
struct Attempts {
    request_ids: Vec<Uuid>,
    first: Option<Timestamp>,
    last: Last,
}

const ROWS: &str = "
    SELECT row.row, row.input, row.line, row.cell, row.referral, row.text, row.verdict, row.findings,
           outcome.planned, outcome.outcome, outcome.code, outcome.message, outcome.status,
           outcome.etag, outcome.at, outcome.theirs,
           item.number, item.findings, CASE outcome.outcome WHEN 'conflict' THEN item.changes END,
           first.input, first.line, first.cell, item.audit
    FROM row LEFT JOIN item ON item.number = row.item
             LEFT JOIN outcome ON outcome.item = item.number
             LEFT JOIN row AS first ON first.row = item.number";

const ATTEMPTS: &str = "SELECT client_request_id, at, id, result FROM attempt WHERE item = ?1 ORDER BY id";

impl Reader {
    /// Looks at every page as well, and whether the indexes tell what their tables do. Every record was looked
    /// at when the run was opened.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where something is wrong with them.
    pub fn check_pages(&self) -> Result<(), LedgerError> {
        if self.store.newer().is_some() { Ok(()) } else { self.store.check_pages() }
    }

    /// The format of the ledger, where a newer version of this program wrote it.
    pub fn newer(&self) -> Option<i32> {
        self.store.newer()
    }

    /// What was said about the run when it was planned.
    pub fn about(&self) -> &RunSpec {
        &self.about
    }

    /// How far it had come. A run that is being sent right now looks like one that stopped.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether its log was lost, and with it what was sent last.
    pub fn loss(&self) -> Option<Loss> {
        self.lost.map(|lost| lost.when)
    }

    /// What was consented to when it was last begun to send; `None` where nobody was asked, as in a rehearsal.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn consent(&self) -> Result<Option<Consent>, LedgerError> {
        self.store.consent()
    }

    /// The inputs, in their order.
    ///
    /// # Errors
    /// Where the ledger can't be read; so for all that follow.
    pub fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        self.store.inputs()
    }

    /// What was requested and how long it took, added up over all processes that came to an end.
    /// PATCHes are counted from the attempts, which a crash loses none of.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn figures(&self) -> Result<RunStats, LedgerError> {
        let sessions = self
            .store
            .all("SELECT figures FROM session ORDER BY number", |row| row.get(0).map(|Json(one)| one))?;
        let sum = sessions.into_iter().fold(RunStats::default(), |sum, one: RunStats| RunStats {
            get: sum.get.saturating_add(one.get),
            list: sum.list.saturating_add(one.list),
            patch: 0,
            token: sum.token.saturating_add(one.token),
            throttled: sum.throttled.saturating_add(one.throttled),
            retried: sum.retried.saturating_add(one.retried),
            seconds: sum.seconds + one.seconds,
            waiting_for_rate: sum.waiting_for_rate + one.waiting_for_rate,
            paused_by_server: sum.paused_by_server + one.paused_by_server,
            held_back: sum.held_back + one.held_back,
        });
        let patch = self.store.connection.query_row("SELECT count(*) FROM attempt", [], |row| number(row, 0));
        Ok(RunStats { patch: self.store.told(patch)?, ..sum })
    }

    /// How much the run is, and how much of it is left to be sent.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn plan_totals(&self) -> Result<PlanTotals, LedgerError> {
        totals(&self.store)
    }

    /// How many referrals the run is about, and how many it changed.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn referrals(&self) -> Result<Referrals, LedgerError> {
        self.store.told(self.store.connection.query_row(
            // Of what was taken in part, `theirs` holds the fields that were not.
            "SELECT count(*), count(outcome.item),
                    count(*) FILTER (WHERE outcome.item IS NOT NULL AND effect = 'one-way'
                                     AND (outcome = 'applied' OR json_type(theirs, '$.\"/status\"') IS NULL))
             FROM item LEFT JOIN outcome
                       ON outcome.item = item.number AND outcome.outcome IN ('applied', 'partial')",
            [],
            |row| Ok(Referrals { total: number(row, 0)?, changed: number(row, 1)?, closed: number(row, 2)? }),
        ))
    }

    /// Tells every input row once, in the order of the input. Memory does not grow with their number.
    ///
    /// # Errors
    /// Where the ledger can't be read, and whatever `each` fails with: that ends the telling.
    pub fn rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(RowAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        let connection = &self.store.connection;
        let mut attempts = self.store.told(connection.prepare_cached(ATTEMPTS))?;
        // Of an input that was not read to its end, nobody knows what the rows are.
        let known = match self.phase {
            Phase::Planning => "WHERE row.input IN (SELECT number FROM input WHERE read = 1)",
            Phase::Planned | Phase::Stopped | Phase::Finished => "",
        };
        let query = format!("{ROWS} {known} ORDER BY row.row");
        let mut rows = self.store.told(connection.prepare_cached(&query))?;
        let mut rows = self.store.told(rows.query([]))?;
        while let Some(row) = self.store.told(rows.next())? {
            each(self.store.told(self.row(row, &mut attempts))?)?;
        }
        Ok(())
    }

    /// Tells every item once, by number, as it was planned, with all that was found about its rows: what comes
    /// of it later changes nothing about what is told here. Memory does not grow with their number.
    ///
    /// # Errors
    /// As [`Reader::rows`].
    pub fn items<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(ItemAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        let connection = &self.store.connection;
        let mut items = self.store.told(connection.prepare_cached(&format!(
            "SELECT {ITEM}, outcome.outcome, outcome.code, outcome.message, outcome.status,
                    row.input, row.line, row.cell, item.audit, row.findings
             FROM item LEFT JOIN outcome ON outcome.item = item.number AND outcome.planned
                       LEFT JOIN row ON row.item = item.number
             ORDER BY item.number, row.row"
        )))?;
        let mut rows = self.store.told(items.query([]))?;
        let mut account: Option<ItemAccount> = None;
        while let Some(row) = self.store.told(rows.next())? {
            let next = self.store.told(planned_item(row, &mut account))?;
            next.map_or(Ok(()), &mut *each)?;
        }
        account.map_or(Ok(()), each)
    }

    fn row(&self, row: &Row<'_>, attempts: &mut CachedStatement<'_>) -> rusqlite::Result<RowAccount> {
        let place = place(row, 1)?;
        let about_item: Option<Json<Vec<Finding>>> = row.get(17)?;
        let about_item = about_item.map(|Json(findings)| findings).unwrap_or_default();
        let item: Option<i64> = row.get(16)?;
        let attempts = self.attempts(item, attempts)?;
        let own = row.get::<_, Option<Json<Verdict>>>(6)?.map(|Json(own)| own);
        let audit = match item {
            Some(_) => audit(row, 22)?,
            None => self.about.asked.migrating.as_ref().map(|_| verdict::audit(own.is_some())),
        };
        let verdict = verdict::verdict(own, came(row)?, &about_item, place, self.phase, attempts.last);
        let Json(own) = row.get(7)?;
        let findings = verdict::findings(own, about_item, place, first_place(row)?);
        let changes: Option<Json<Vec<Change>>> =
            if verdict.outcome == Outcome::Conflict { row.get(18)? } else { None };
        let is_told = changes.is_some() || verdict.outcome == Outcome::Partial;
        let theirs: Option<Json<_>> = if is_told { row.get(15)? } else { None };
        let side = |side: fn(&Change) -> Option<&RawValue>| {
            changes.as_ref().map(|Json(changes)| by_pointer(changes, side))
        };
        Ok(RowAccount {
            row: number(row, 0)?,
            place,
            id: row.get::<_, Option<Text<_>>>(4)?.map(|Text(id)| id),
            text: row.get(5).map(|Source(text)| text)?,
            verdict,
            findings,
            etag: row.get::<_, Option<Version>>(13)?.map(|Version(etag)| etag),
            attempts: u32::try_from(attempts.request_ids.len()).unwrap_or(u32::MAX),
            request_ids: attempts.request_ids,
            first_sent: attempts.first,
            at: row.get::<_, Option<Text<_>>>(14)?.map(|Text(at)| at),
            base: side(|change| change.before.as_deref()),
            ours: side(|change| Some(&change.after)),
            theirs: theirs.map(|Json(theirs)| theirs),
            audit,
        })
    }

    fn attempts(&self, item: Option<i64>, statement: &mut CachedStatement<'_>) -> rusqlite::Result<Attempts> {
        let mut told = Attempts { request_ids: Vec::new(), first: None, last: Last::Never };
        // A run that never began has none, and need not be asked row by row.
        if matches!(self.phase, Phase::Planning | Phase::Planned) {
            return Ok(told);
        }
        let mut latest = None;
        let mut rows = statement.query([item])?;
        while let Some(row) = rows.next()? {
            let (Text(request_id), Text(at)) = (row.get(0)?, row.get(1)?);
            told.request_ids.push(request_id);
            told.first.get_or_insert(at);
            latest =
                Some((row.get(2)?, row.get::<_, Option<EnumText<_>>>(3)?.map(|EnumText(result)| result)));
        }
        told.last = last(latest, self.lost.map(|lost| lost.after));
        Ok(told)
    }
}

/// How the item of a row came out, from the columns of [`ROWS`].
fn came(row: &Row<'_>) -> rusqlite::Result<Option<Came>> {
    let Some(planned) = row.get(8)? else { return Ok(None) };
    Ok(verdict(row, 9)?.map(|verdict| Came { planned, verdict }))
}

/// Where the first row of a row's item begins, from the columns of [`ROWS`].
fn first_place(row: &Row<'_>) -> rusqlite::Result<Option<Location>> {
    row.get::<_, Option<i64>>(19)?.map(|_| place(row, 19)).transpose()
}

/// Reads a verdict from four columns that begin at `first`; there is none where they are null.
fn verdict(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Verdict>> {
    let Some(EnumText(outcome)) = row.get(first)? else { return Ok(None) };
    let (code, message, status) =
        (row.get(first + 1)?, row.get::<_, String>(first + 2)?, row.get(first + 3)?);
    Ok(Some(Verdict { outcome, code, message: message.into(), status }))
}

/// Reads an audit from a column.
fn audit(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Audit>> {
    Ok(row.get::<_, Option<Json<_>>>(column)?.map(|Json(audit)| audit))
}

/// Adds a row to the account of its item. Where that is another one than before, it begins a new account
/// and answers with the one before, which is complete.
fn planned_item(row: &Row<'_>, account: &mut Option<ItemAccount>) -> rusqlite::Result<Option<ItemAccount>> {
    let number = number(row, 0)?;
    let mut complete = None;
    if account.as_ref().is_none_or(|account| account.item.number != number) {
        let (item, planned, audit) = (item(row)?, verdict(row, 9)?, audit(row, 16)?);
        let begun = ItemAccount { item, rows: Vec::new(), planned, audit };
        complete = account.replace(begun);
    }
    if let (Some(account), Some(Json(own))) = (account, row.get::<_, Option<Json<Vec<Finding>>>>(17)?) {
        account.rows.push(place(row, 13)?);
        for finding in own {
            if !account.item.findings.contains(&finding) {
                account.item.findings.push(finding);
            }
        }
    }
    Ok(complete)
}

/// One side of a conflict: an object by pointer, null where the field was absent.
fn by_pointer(changes: &[Change], side: fn(&Change) -> Option<&RawValue>) -> Box<RawValue> {
    let object: BTreeMap<_, _> = changes.iter().map(|change| (change.path.pointer(), side(change))).collect();
    json::raw(&object)
}
