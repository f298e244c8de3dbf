//! Hands out the items of a started run that are left.
//!
//! Which are left is told by the [blocks](super::blocks) as they were when sending began, so that nothing is read of those
//! that aren't. Of each that is handed out everything is compared with what else is on record of it: that it is there,
//! that neither it nor any attempt at it has changed, and that no attempt is gone. None is handed out twice.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{CachedStatement, OptionalExtension, Row};

use super::blocks::{Blocks, are_attempts_there, block_of, other_attempts};
use super::check;
use super::records::{EnumText, ITEM, Json, Version, item, number};
use super::rest::RestCheck;
use super::schema::Made;
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
    rest: RefCell<RestCheck>,
    lost: Option<Lost>,
    /// Whether the plan has an order of its own.
    is_ordered: bool,
    /// What is on record as it was when sending began; what was claimed since counts as settled.
    left: RefCell<Blocks>,
    /// The blocks whose attempts were all there when one of their items was handed out first.
    checked: RefCell<BTreeSet<u64>>,
    /// Asks for an item, its last attempt, and whether both are as they were written.
    one: String,
    /// Asks for all attempts at an item.
    attempts: String,
    /// The place in the queue of the last item that was claimed.
    claimed: Cell<u64>,
    /// The last place that is handed out.
    until: Cell<u64>,
}

/// The record of an item, and that of its last attempt where there is one, that are as they were written. An item is made
/// from nothing else.
struct Intact<'a>(&'a Row<'a>);

impl<'a> Intact<'a> {
    /// Compares both with their checksums; `None` where one of them has changed.
    fn of(row: &'a Row<'a>) -> rusqlite::Result<Option<Self>> {
        Ok((row.get(16)? && row.get(17)?).then_some(Self(row)))
    }
}

impl Claims {
    /// `is_ordered` says that the plan has an order of its own.
    pub(super) fn new(
        store: Store,
        blocks: Blocks,
        rest: RestCheck,
        lost: Option<Lost>,
        is_ordered: bool,
    ) -> Result<Self, LedgerError> {
        let sum = |table, name| {
            let columns = store.told(Made::known())?.columns(table);
            let columns: Vec<String> = columns.split(", ").map(|column| format!("{name}.{column}")).collect();
            Ok::<_, LedgerError>(format!("{name}.checksum IS checksum_of({})", columns.join(", ")))
        };
        let one = format!(
            "SELECT {ITEM}, last.id, last.result, last.etag, last.patch, last.changes, last.status, last.code,
                    {}, last.id IS NULL OR {}, outcome.item IS NOT NULL
             FROM item LEFT JOIN outcome ON outcome.item = item.number
                       LEFT JOIN attempt AS last
                       ON last.id = (SELECT max(id) FROM attempt WHERE attempt.item = item.number)
             WHERE item.number = ?1",
            sum("item", "item")?,
            sum("attempt", "last")?,
        );
        let attempts = format!(
            "SELECT result, code IS NOT NULL, etag, {}, id FROM attempt WHERE item = ?1",
            sum("attempt", "attempt")?
        );
        Ok(Self {
            store,
            rest: RefCell::new(rest),
            lost,
            is_ordered,
            left: RefCell::new(blocks),
            checked: RefCell::default(),
            one,
            attempts,
            claimed: Cell::new(0),
            until: Cell::new(u64::MAX),
        })
    }

    /// Returns an item that there is; `None` where it has its outcome.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where the item, or any attempt at it, is missing or not as it was written.
    fn left(&self, number: u64) -> Result<Option<Outstanding>, LedgerError> {
        self.check_attempts(block_of(number))?;
        let mut one = self.store.told(self.store.connection.prepare_cached(&self.one))?;
        let mut found = self.store.told(one.query([number.cast_signed()]))?;
        let Some(row) = self.store.told(found.next())? else {
            return Err(self.store.damaged(format!("item {number} is missing")));
        };
        if self.store.told(row.get(18))? {
            return Ok(None);
        }
        let Some(intact) = self.store.told(Intact::of(row))? else {
            let detail = format!("item {number} or its last attempt is not as it was written");
            return Err(self.store.damaged(detail));
        };
        let mut left = self.store.told(outstanding(&intact, self.lost))?;
        // Lost records are never found again, so every item that had no outcome when they were lost stays in doubt.
        left.doubted = self.lost.is_some();
        if left.sent {
            let mut attempts = self.store.told(self.store.connection.prepare_cached(&self.attempts))?;
            if let Some(changed) = self.store.told(tell_attempts(&mut attempts, &mut left))? {
                return Err(self.store.damaged(format!("attempt {changed} is not as it was written")));
            }
        }
        Ok(Some(left))
    }

    /// Checks that the attempts at items of a block are all there, before the first of the items is handed out.
    fn check_attempts(&self, block: u64) -> Result<(), LedgerError> {
        if self.checked.borrow().contains(&block) {
            return Ok(());
        }
        if !self.store.told(are_attempts_there(block, &self.store.connection))? {
            return Err(self.store.damaged(other_attempts(block)));
        }
        self.checked.borrow_mut().insert(block);
        Ok(())
    }

    /// Returns the next item that was not claimed before, with its place in the queue.
    fn next(&self) -> Result<Option<(u64, u64)>, LedgerError> {
        let (claimed, until) = (self.claimed.get(), self.until.get());
        if !self.is_ordered {
            let next = self.left.borrow().next_left(claimed).filter(|number| *number <= until);
            return Ok(next.map(|number| (number, number)));
        }
        let next = "SELECT place, item FROM turn WHERE place > ?1 AND place <= ?2 ORDER BY place";
        let mut turns = self.store.told(self.store.connection.prepare_cached(next))?;
        let until = i64::try_from(until).unwrap_or(i64::MAX);
        let mut turns = self.store.told(turns.query([claimed.cast_signed(), until]))?;
        while let Some(row) = self.store.told(turns.next())? {
            let (place, item) = (self.store.told(number(row, 0))?, self.store.told(number(row, 1))?);
            if self.left.borrow().is_left(item) {
                self.check_turn(item, place)?;
                return Ok(Some((place, item)));
            }
        }
        Ok(None)
    }

    /// Checks that an item has this place, which an index has told.
    fn check_turn(&self, item: u64, place: u64) -> Result<(), LedgerError> {
        let turn = "SELECT place IS ?2 AND checksum IS checksum_of(item, place, valued) FROM turn NOT INDEXED
                    WHERE item = ?1";
        let turn = self.store.connection.prepare_cached(turn).and_then(|mut turn| {
            turn.query_row([item, place].map(u64::cast_signed), |row| row.get::<_, bool>(0)).optional()
        });
        match self.store.told(turn)? {
            Some(true) => Ok(()),
            Some(false) | None => Err(self.store.damaged(format!("turn {item} is not as it was written"))),
        }
    }
}

impl ItemClaims for Claims {
    fn up_to(&self, place: u64) {
        self.until.set(place);
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Outstanding>, LedgerError> {
        let mut page = Vec::new();
        while page.len() < limit
            && let Some((place, number)) = self.next()?
        {
            self.claimed.set(place);
            self.left.borrow_mut().settle(number);
            page.extend(self.left(number)?);
        }
        Ok(page)
    }

    async fn outstanding(&self, item: u64) -> Result<Option<Outstanding>, LedgerError> {
        if self.left.borrow().has(item) { self.left(item) } else { Ok(None) }
    }

    async fn rows_of(&self, item: u64) -> Result<u64, LedgerError> {
        let count = "SELECT count(*) FROM row WHERE item = ?1";
        let item = item.cast_signed();
        self.store.told(self.store.connection.query_row(count, [item], |row| number(row, 0)))
    }

    async fn is_any_left(&self) -> Result<bool, LedgerError> {
        Ok(check::blocks(&self.store)?.count_left() > 0)
    }

    async fn whole(&self) -> Result<(), LedgerError> {
        let verdict = self.rest.borrow().verdict();
        verdict.wait().await
    }

    fn stop_checking(&self) {
        self.rest.borrow_mut().end();
    }
}

/// Adds what all attempts at an item show: whether any of them may have reached the service, or may still
/// reach it, and the eTags they were bound to. Returns the number of one that is not as it was written.
fn tell_attempts(
    attempts: &mut CachedStatement<'_>,
    left: &mut Outstanding,
) -> rusqlite::Result<Option<i64>> {
    let mut rows = attempts.query([left.item.number.cast_signed()])?;
    while let Some(row) = rows.next()? {
        if !row.get::<_, bool>(3)? {
            return row.get(4).map(Some);
        }
        let result = row.get::<_, Option<EnumText<_>>>(0)?.map(|EnumText(result)| result);
        left.doubted |= may_arrive(result, row.get(1)?);
        left.versions.extend(row.get::<_, Option<Version>>(2)?.map(|Version(etag)| etag));
    }
    Ok(None)
}

/// Reads an item from the columns of [`ITEM`], and its last attempt from those that follow, null where
/// there is none.
fn outstanding(Intact(row): &Intact<'_>, lost: Option<Lost>) -> rusqlite::Result<Outstanding> {
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

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::ledger::tests::fixtures::planned;

    #[tokio::test]
    async fn items_are_looked_up_by_a_statement_that_is_prepared_once() {
        let dir = tempfile::tempdir().unwrap();
        drop(planned(dir.path(), 9).await);
        let store = Store::open(dir.path()).unwrap();
        let blocks = check::blocks(&store).unwrap();
        let claims = Claims::new(store, blocks, RestCheck::done(), None, false).unwrap();
        assert_eq!(claims.claim(9).await.unwrap().len(), 9);
        let one = claims.store.connection.prepare_cached(&claims.one).unwrap();
        let [runs, again] = [StatementStatus::Run, StatementStatus::RePrepare].map(|of| one.get_status(of));
        assert_eq!((runs, again), (9, 0));
    }
}
