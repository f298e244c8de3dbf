//! Hands out the items of a started run that are left.

use std::cell::Cell;
use std::sync::Arc;

use rusqlite::{CachedStatement, Params, Row};

use super::records::{EnumText, ITEM, Json, Version, item, number};
use super::store::Store;
use crate::domain::item::Change;
use crate::ledger::backend::ItemClaims;
use crate::ledger::error::LedgerError;
use crate::ledger::model::{Lost, Outstanding};
use crate::ledger::outstanding::{LastAttempt, due, last, may_arrive};

/// The items of a started run that have no outcome, for the one process that sends it.
#[derive(Debug)]
pub struct Claims {
    store: Store,
    lost: Option<Lost>,
    queue: Queue,
    /// The place in the queue of the last item that was claimed.
    claimed: Cell<i64>,
    /// The last place that is handed out.
    until: Cell<i64>,
}

/// Where a query finds the items in the order in which they are sent.
#[derive(Debug, Clone, Copy)]
struct Queue {
    items: &'static str,
    place: &'static str,
}

impl Queue {
    /// The items by number, which is the order of the inputs.
    const OF_INPUTS: Self = Self { items: "item", place: "item.number" };

    /// The items in an order of their own. The join is not to be turned round, so that no order is made anew.
    const OF_TURNS: Self =
        Self { items: "turn CROSS JOIN item ON item.number = turn.item", place: "turn.place" };
}

impl Claims {
    /// `is_ordered` says that the plan has an order of its own.
    pub(super) fn new(store: Store, lost: Option<Lost>, is_ordered: bool) -> Self {
        let queue = if is_ordered { Queue::OF_TURNS } else { Queue::OF_INPUTS };
        Self { store, lost, queue, claimed: Cell::new(0), until: Cell::new(i64::MAX) }
    }

    /// Returns the items without an outcome that fulfil a condition, with their places in a queue.
    fn left(
        &self,
        Queue { items, place }: Queue,
        condition: &str,
        parameters: impl Params,
    ) -> rusqlite::Result<Vec<(i64, Outstanding)>> {
        let mut items = self.store.connection.prepare_cached(&format!(
            "SELECT {ITEM}, last.id, last.result, last.etag, last.patch, last.changes,
                    last.status, last.code, {place}
             FROM {items} LEFT JOIN outcome ON outcome.item = item.number
                       LEFT JOIN attempt AS last
                       ON last.id = (SELECT max(id) FROM attempt WHERE attempt.item = item.number)
             WHERE outcome.item IS NULL AND {condition}"
        ))?;
        let mut attempts = self
            .store
            .connection
            .prepare_cached("SELECT result, code IS NOT NULL, etag FROM attempt WHERE item = ?1")?;
        let one = |row: &Row<'_>| {
            let mut left = outstanding(row, self.lost)?;
            // Lost records are never found again, so every item that had no outcome when they were lost stays
            // in doubt.
            left.doubted = self.lost.is_some();
            if left.sent {
                tell_attempts(&mut attempts, &mut left)?;
            }
            Ok((row.get(16)?, left))
        };
        items.query_map(parameters, one)?.collect()
    }

    /// Returns items with their places in the queue.
    fn page(&self, after: i64, limit: i64) -> rusqlite::Result<Vec<(i64, Outstanding)>> {
        let place = self.queue.place;
        let next = format!("{place} > ?1 AND {place} <= ?3 ORDER BY {place} LIMIT ?2");
        self.left(self.queue, &next, [after, limit, self.until.get()])
    }
}

impl ItemClaims for Claims {
    fn up_to(&self, place: u64) {
        self.until.set(place.cast_signed());
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Outstanding>, LedgerError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let page = self.store.told(self.page(self.claimed.get(), limit))?;
        if let Some((last, _)) = page.last() {
            self.claimed.set(*last);
        }
        Ok(page.into_iter().map(|(_, left)| left).collect())
    }

    async fn outstanding(&self, item: u64) -> Result<Option<Outstanding>, LedgerError> {
        let found = self.store.told(self.left(Queue::OF_INPUTS, "item.number = ?1", [item.cast_signed()]))?;
        Ok(found.into_iter().next().map(|(_, left)| left))
    }

    async fn rows_of(&self, item: u64) -> Result<u64, LedgerError> {
        let count = "SELECT count(*) FROM row WHERE item = ?1";
        let item = item.cast_signed();
        self.store.told(self.store.connection.query_row(count, [item], |row| number(row, 0)))
    }

    async fn is_any_left(&self) -> Result<bool, LedgerError> {
        let any = "SELECT EXISTS (SELECT 1 FROM item LEFT JOIN outcome ON outcome.item = item.number
                                  WHERE outcome.item IS NULL)";
        self.store.told(self.store.connection.query_row(any, [], |row| row.get(0)))
    }
}

/// Adds what all attempts at an item show: whether any of them may have reached the service, or may still
/// reach it, and the eTags they were bound to.
fn tell_attempts(attempts: &mut CachedStatement<'_>, left: &mut Outstanding) -> rusqlite::Result<()> {
    let mut rows = attempts.query([left.item.number.cast_signed()])?;
    while let Some(row) = rows.next()? {
        let result = row.get::<_, Option<EnumText<_>>>(0)?.map(|EnumText(result)| result);
        left.doubted |= may_arrive(result, row.get(1)?);
        left.versions.extend(row.get::<_, Option<Version>>(2)?.map(|Version(etag)| etag));
    }
    Ok(())
}

/// Reads an item from the columns of [`ITEM`], and its last attempt from those that follow, null where
/// there is none.
fn outstanding(row: &Row<'_>, lost: Option<Lost>) -> rusqlite::Result<Outstanding> {
    let mut item = item(row)?;
    let versions = item.etag.iter().cloned().collect();
    let mut attempt = None;
    if let Some(id) = row.get(9)? {
        attempt = Some((id, row.get::<_, Option<EnumText<_>>>(10)?.map(|EnumText(result)| result)));
        item.etag = row.get::<_, Option<Version>>(11)?.map(|Version(etag)| etag);
        if let Some(Json(patch)) = row.get(12)? {
            item.patch = patch;
        }
        if let Some(Json(changes)) = row.get::<_, Option<Json<Vec<Change>>>>(13)? {
            item.changes = changes;
        }
    }
    let last = last(attempt, lost.map(|lost| lost.after));
    Ok(Outstanding {
        item: Arc::new(item),
        due: due(last),
        sent: attempt.is_some(),
        doubted: false,
        lost: last == LastAttempt::Lost,
        status: row.get(14)?,
        code: row.get(15)?,
        versions,
    })
}
