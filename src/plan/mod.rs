//! Planning: makes one JSON Patch per referral from the rows, or states the reason why there is none.
//!
//! | file | what it does |
//! |---|---|
//! | [`planner`] | keeps the rows until their referral was read, then makes its item |
//! | [`aside`], `kept_rows`, `packed` | where the rows are meanwhile, and in which form |
//! | [`judging`] | has a desired change judged, and makes its item |
//! | [`merge`] | makes one desired change of all rows for a referral, or finds where they contradict |
//! | [`patch`] | writes the operations of the document, `add` and `replace` only |
//! | `shape` | finds referrals of a shape in which a change has no place |
//! | [`proof`] | applies the document to the referral with a second implementation, and compares |
//! | [`rebase()`] | makes an item again for a referral that was changed after it was planned |
//! | [`inverse()`], `returning_value` | takes back what was sent for a referral, field by field |
//! | [`migrate()`] | makes the item of a legacy PUT payload, in the same way |
//!
//! Always: a document comes from an [`Approved`](crate::domain::rules::Approved) change alone, and
//! has been proved before it is handed out; a referral is changed as a whole or not at all.

pub mod aside;
mod inverse;
pub mod judging;
mod kept_rows;
pub mod merge;
pub mod migrate;
mod packed;
pub mod patch;
pub mod planner;
pub mod proof;
mod rebase;
mod returning_value;
mod shape;

pub use aside::{Aside, InMemory};
pub use inverse::{ReturnTerms, SentChange, inverse};
pub use judging::{Judging, Planned};
pub use migrate::{Migrated, Terms, migrate};
pub use planner::{Compared, Planner};
pub use rebase::rebase;
