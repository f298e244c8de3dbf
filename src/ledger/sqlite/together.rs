//! Reads the rows of a run in full, and each item with the first of its rows: all that reports tell of a plan, in one go.
//!
//! An item has the number of its first row, so items come in the order of their numbers where rows come in theirs. The
//! further rows of items are few, and are read beside.

use rusqlite::{CachedStatement, Row, Rows};

use super::attempts::ATTEMPTS;
use super::full::EFFECT;
use super::records::{EnumText, Json, Text, Version, number, place};
use super::store::Store;
use crate::domain::account::{FullRow, ItemAccount};
use crate::domain::finding::{Finding, Location};
use crate::domain::key::Matched;
use crate::ledger::account::{self, ItemRest, RowFacts};
use crate::ledger::error::LedgerError;
use crate::ledger::model::RunHeader;

/// The columns of an item that a row by itself doesn't tell; they follow on those of a full row.
pub(super) const REST: &str = "item.referral, item.etag, item.bound, item.request_id, item.patch";

/// Where the columns of [`REST`] begin; the item's turn follows on them.
const FIRST_OF_REST: usize = EFFECT + 1;

/// Whether each item has the row that it has its number from.
const HAVE_FIRST_ROWS: &str = "
    SELECT NOT EXISTS (SELECT 1 FROM item LEFT JOIN row ON row.row = item.number
                       WHERE row.item IS NOT item.number)";

/// The queries for rows and items.
pub(super) struct Queries {
    /// Full rows, in their order, with the columns of [`REST`] and the turn.
    pub(super) rows: String,
    /// The rows of items that are not their first ones, by item and row: the item, the place, the findings, and the key.
    pub(super) further: String,
}

/// Whether the items of a run can be told with their first rows.
pub(super) fn have_first_rows(store: &Store) -> Result<bool, LedgerError> {
    store.told(store.connection.query_row(HAVE_FIRST_ROWS, [], |row| row.get(0)))
}

/// Calls `each_row` for every row, and `each_item` for every item behind its first row. `read` reads a row with the
/// attempts at its item.
pub(super) fn rows_and_items<E: From<LedgerError>>(
    store: &Store,
    header: &RunHeader,
    queries: &Queries,
    read: impl Fn(&Row<'_>, &mut CachedStatement<'_>) -> rusqlite::Result<RowFacts>,
    each_row: &mut dyn FnMut(&FullRow) -> Result<(), E>,
    each_item: &mut dyn FnMut(&ItemAccount) -> Result<(), E>,
) -> Result<(), E> {
    let mut attempts = store.told(store.connection.prepare_cached(ATTEMPTS))?;
    let mut further = store.told(store.connection.prepare_cached(&queries.further))?;
    let mut further = FurtherRows { rows: store.told(further.query([]))?, next: None };
    let mut rows = store.told(store.connection.prepare_cached(&queries.rows))?;
    let mut rows = store.told(rows.query([]))?;
    while let Some(row) = store.told(rows.next())? {
        let facts = store.told(read(row, &mut attempts))?;
        let rest = store.told(rest(row, &facts))?;
        let effect = store.told(row.get::<_, Option<EnumText<_>>>(EFFECT))?.map(|EnumText(effect)| effect);
        let full = account::full_row(facts, effect, header);
        each_row(&full)?;
        let item = rest.and_then(|rest| account::item_of(full, rest, header));
        if let Some(mut item) = item {
            store.told(further.add_to(&mut item))?;
            each_item(&item)?;
        }
    }
    Ok(())
}

/// Reads what a row that is the first of its item doesn't tell of that.
fn rest(row: &Row<'_>, facts: &RowFacts) -> rusqlite::Result<Option<ItemRest>> {
    let Some(item) = facts.item.as_ref().filter(|_| facts.record.item == Some(facts.record.row)) else {
        return Ok(None);
    };
    let [id, etag, is_bound, request_id, patch, turn] = std::array::from_fn(|at| FIRST_OF_REST + at);
    let planned = item.resolved.as_ref().filter(|resolved| resolved.planned);
    Ok(Some(ItemRest {
        id: row.get(id).map(|Text(id)| id)?,
        etag: row.get::<_, Option<Version>>(etag)?.map(|Version(etag)| etag),
        is_bound: row.get(is_bound)?,
        request_id: row.get(request_id).map(|Text(id)| id)?,
        patch: row.get(patch).map(|Json(patch)| patch)?,
        findings: [item.findings.clone(), facts.record.findings.clone()],
        planned: planned.map(|resolved| resolved.settled.verdict.clone()),
        turn: row.get::<_, Option<i64>>(turn)?.map(i64::cast_unsigned),
    }))
}

/// The rows of items that are not their first ones, while they are read beside those.
struct FurtherRows<'s> {
    rows: Rows<'s>,
    next: Option<FurtherRow>,
}

struct FurtherRow {
    item: u64,
    place: Location,
    own: Vec<Finding>,
    matched: Option<Matched>,
}

impl FurtherRows<'_> {
    /// Adds the further rows of an item to its account. Items come in the order of their numbers.
    fn add_to(&mut self, account: &mut ItemAccount) -> rusqlite::Result<()> {
        loop {
            if self.next.is_none() {
                self.next = self.rows.next()?.map(further_row).transpose()?;
            }
            match self.next.take_if(|row| row.item <= account.item.number) {
                Some(row) => {
                    account::add_row(account, row.place, row.own);
                    account.matched.extend(row.matched);
                }
                None => return Ok(()),
            }
        }
    }
}

fn further_row(row: &Row<'_>) -> rusqlite::Result<FurtherRow> {
    Ok(FurtherRow {
        item: number(row, 0)?,
        place: place(row, 1)?,
        own: row.get(4).map(|Json(own)| own)?,
        matched: row.get::<_, Option<Json<_>>>(5)?.map(|Json(matched)| matched),
    })
}
