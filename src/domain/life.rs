//! The life of rows: all that is on record about some rows for one referral, from what was read to the outcome.

use super::account::{ItemAccount, RowAccount};
use super::attempt::AttemptAccount;
use super::step::Step;
use super::verification::Verified;

/// All that is on record about rows that belong together: those of one item, or one that has no part in any.
#[derive(Debug, Clone)]
pub struct Life {
    /// The rows that were asked for, in file order.
    pub rows: Vec<RowAccount>,
    /// What is on record about their item; `None` where none was made.
    pub item: Option<ItemLife>,
}

/// All that is on record about an item.
#[derive(Debug, Clone)]
pub struct ItemLife {
    /// The item as it was planned, with the places of all its rows.
    pub account: ItemAccount,
    /// The attempts at sending it, in their order.
    pub attempts: Vec<AttemptAccount>,
    /// The steps of carrying it out, in their order; ledgers of an earlier version have none.
    pub steps: Vec<Step>,
    /// What a verification found last of it, if it was verified.
    pub verified: Option<Verified>,
}
