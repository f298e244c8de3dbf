//! The ledger as one SQLite file in the run's directory, with its lock and its log.
//!
//! | file | what it holds |
//! |---|---|
//! | `files` | the names of the files |
//! | `schema` | the tables and their version |
//! | `records` | how domain values are stored in the tables |
//! | `checksum`, `check` | the checksum that each record carries; the check of all records and tables |
//! | `blocks` | items, outcomes and attempts a second time, in bits |
//! | `create` | the creation of a ledger: whole, or not at all |
//! | `store` | an open ledger |
//! | `plan` | a run that is being planned: [`Plan`] |
//! | `run` | a run at rest: [`Run`] |
//! | `claims`, `batch` | a run that is being sent: its items that are left, and the batches written |
//! | `rest` | the check of what opening a large run left to be checked, while it is sent |
//! | `reader`, `full`, `together`, `optional`, `sent`, `verified`, `totals` | the account of a run for its reports: [`Reader`] |
//! | `lookup` | single rows and items, each checked when it is read: [`Lookup`] |
//! | `wal` | whether SQLite's log (WAL) is present where it has to be; the mark in the database that says so |
//! | `lock`, `holder`, `permissions` | one writing process for each run, even where the run was copied; files that only their owner can read |
//! | `crash_points` | the points at which a test may let a process die |
//! | `error` | what a SQLite error means for a ledger; pure |

mod attempts;
mod batch;
mod blocks;
mod check;
mod checksum;
mod claims;
mod crash_points;
mod create;
mod error;
mod files;
mod full;
mod holder;
mod lock;
mod lookup;
mod optional;
mod permissions;
mod plan;
mod reader;
mod records;
mod rest;
mod run;
mod schema;
mod sent;
mod store;
mod together;
mod totals;
mod turns;
mod verified;
mod wal;

pub use claims::Claims;
pub use crash_points::{CrashPoint, Watch};
pub use files::{LOCK, discard, file, is_taken, log_file};
pub use lock::is_held;
pub use lookup::Lookup;
pub use plan::Plan;
pub use reader::Reader;
pub use run::{LARGE, Run};

#[cfg(test)]
mod tests;
