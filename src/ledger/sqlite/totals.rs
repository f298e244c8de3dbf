//! Counts the size of a run in its tables.

use super::records::number;
use super::store::Store;
use crate::ledger::error::LedgerError;
use crate::ledger::model::PlanTotals;

/// Returns the size of a run, and how much of it is left.
pub(super) fn totals(store: &Store) -> Result<PlanTotals, LedgerError> {
    store.told(store.connection.query_row(
        "SELECT (SELECT count(*) FROM row),
                count(*),
                count(*) FILTER (WHERE outcome.planned IS NOT 1),
                count(*) FILTER (WHERE outcome.planned IS NOT 1 AND effect = 'one-way'),
                count(*) FILTER (WHERE outcome.item IS NULL),
                count(*) FILTER (WHERE outcome.item IS NULL AND effect = 'one-way')
         FROM item LEFT JOIN outcome ON outcome.item = item.number",
        [],
        |row| {
            Ok(PlanTotals {
                rows: number(row, 0)?,
                items: number(row, 1)?,
                to_send: number(row, 2)?,
                closing: number(row, 3)?,
                remaining: number(row, 4)?,
                remaining_closing: number(row, 5)?,
            })
        },
    ))
}
