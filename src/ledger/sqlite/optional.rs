//! Parts of queries that a ledger of an earlier format has no tables for.

use super::store::Store;

/// The parts of a query that ask for what a ledger may have no place for, or nothing of.
pub(super) struct Optional {
    pub(super) column: &'static str,
    pub(super) table: &'static str,
}

impl Optional {
    pub(super) const NOTHING: Self = Self { column: "NULL", table: "" };

    /// What people know referrals by.
    pub(super) fn subjects(store: &Store) -> Self {
        if store.has_subjects() {
            Self { column: "subject.subject", table: "LEFT JOIN subject ON subject.item = item.number" }
        } else {
            Self::NOTHING
        }
    }
}
