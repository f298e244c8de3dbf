//! Reads what was sent of a run, as it was sent last, and what became of it.

use rusqlite::{Connection, Row};

use super::optional::Optional;
use super::records::{EnumText, ITEM, Json, Text, Version, item, number, place, subject, verdict};
use super::store::Store;
use crate::domain::account::Settled;
use crate::domain::finding::Location;
use crate::domain::item::{Change, Item};
use crate::domain::referral::ReferralId;
use crate::domain::waves::Wave;
use crate::ledger::error::LedgerError;
use crate::ledger::model::{RunHeader, SentItem, WaveSoFar};
use crate::ledger::outstanding::{Due, due, last};

/// Asks for the referrals that were written, whole or in part.
pub(super) const WRITTEN_IDS: &str = "
    SELECT item.referral FROM item JOIN outcome ON outcome.item = item.number
    WHERE NOT outcome.planned AND outcome.outcome IN ('applied', 'partial') ORDER BY item.number";

/// Asks for the outcomes of the items between two places.
const OUTCOMES_OF_WAVE: &str = "
    SELECT outcome.outcome, count(*) FROM turn JOIN outcome ON outcome.item = turn.item
    WHERE turn.place BETWEEN ?1 AND ?2 GROUP BY outcome.outcome ORDER BY outcome.outcome";

/// Asks for the referrals between two places that were written, whole or in part.
const WRITTEN_IN_WAVE: &str = "
    SELECT item.referral FROM turn JOIN item ON item.number = turn.item
                              JOIN outcome ON outcome.item = turn.item
    WHERE turn.place BETWEEN ?1 AND ?2 AND outcome.outcome IN ('applied', 'partial') ORDER BY turn.place";

/// Returns where the rows of an item begin, in file order.
pub(super) fn rows_of(connection: &Connection, item: u64) -> rusqlite::Result<Vec<Location>> {
    let mut rows =
        connection.prepare_cached("SELECT input, line, cell FROM row WHERE item = ?1 ORDER BY row")?;
    rows.query_map([item.cast_signed()], |row| place(row, 0))?.collect()
}

/// Calls `each` for every item once, by number, that sending settled or may have written; where a referral is given,
/// for its item alone.
pub(super) fn each<E: From<LedgerError>>(
    store: &Store,
    header: &RunHeader,
    referral: Option<ReferralId>,
    each: &mut dyn FnMut(SentItem) -> Result<(), E>,
) -> Result<(), E> {
    let Optional { column: subject, table: subjects } = Optional::subjects(store);
    let one = if referral.is_some() { "item.referral = ?1" } else { "?1 IS NULL" };
    let mut items = store.told(store.connection.prepare_cached(&format!(
        "SELECT {ITEM}, last.id, last.result, last.etag, last.patch, last.changes,
                outcome.outcome, outcome.code, outcome.message, outcome.status,
                outcome.etag, outcome.at, outcome.theirs, {subject}
         FROM item LEFT JOIN outcome ON outcome.item = item.number
                   LEFT JOIN attempt AS last
                   ON last.id = (SELECT max(id) FROM attempt WHERE attempt.item = item.number) {subjects}
         WHERE {one} AND outcome.planned IS NOT TRUE ORDER BY item.number"
    )))?;
    let mut found = store.told(items.query([referral.map(Text)]))?;
    while let Some(row) = store.told(found.next())? {
        let Some(mut sent) = store.told(sent(row, header))? else { continue };
        sent.rows = store.told(rows_of(&store.connection, sent.item.number))?;
        each(sent)?;
    }
    Ok(())
}

/// Returns what came of a wave so far.
pub(super) fn wave(store: &Store, wave: Wave) -> Result<WaveSoFar, LedgerError> {
    let places = [wave.first.cast_signed(), wave.last.cast_signed()];
    let outcome = |row: &Row<'_>| Ok((row.get(0).map(|EnumText(outcome)| outcome)?, number(row, 1)?));
    let referral = |row: &Row<'_>| row.get(0).map(|Text(id)| id);
    Ok(WaveSoFar {
        outcomes: store.all_of(OUTCOMES_OF_WAVE, places, outcome)?,
        written: store.all_of(WRITTEN_IN_WAVE, places, referral)?,
    })
}

/// Reads an item that has no outcome of planning; `None` where nothing of it can have been written, and nothing was
/// decided either.
fn sent(row: &Row<'_>, header: &RunHeader) -> rusqlite::Result<Option<SentItem>> {
    let settled = settled(row)?;
    let mut item = item(row)?;
    let mut latest = None;
    if let Some(id) = row.get(9)? {
        latest = Some((id, row.get::<_, Option<EnumText<_>>>(10)?.map(|EnumText(result)| result)));
        as_sent(row, &mut item)?;
    }
    if settled.is_none() && due(last(latest, header.lost_after())) == Due::Send {
        return Ok(None);
    }
    Ok(Some(SentItem { item, settled, rows: Vec::new(), subject: subject(row, 21)? }))
}

/// Gives an item the version, the document and the changes that its last attempt had.
fn as_sent(row: &Row<'_>, item: &mut Item) -> rusqlite::Result<()> {
    item.etag = row.get::<_, Option<Version>>(11)?.map(|Version(etag)| etag);
    if let Some(Json(patch)) = row.get(12)? {
        item.patch = patch;
    }
    if let Some(Json(changes)) = row.get::<_, Option<Json<Vec<Change>>>>(13)? {
        item.changes = changes;
    }
    Ok(())
}

fn settled(row: &Row<'_>) -> rusqlite::Result<Option<Settled>> {
    let Some(verdict) = verdict(row, 14)? else { return Ok(None) };
    Ok(Some(Settled {
        verdict,
        etag: row.get::<_, Option<Version>>(18)?.map(|Version(etag)| etag),
        at: row.get(19).map(|Text(at)| at)?,
        theirs: row.get::<_, Option<Json<_>>>(20)?.map(|Json(theirs)| theirs),
    }))
}
