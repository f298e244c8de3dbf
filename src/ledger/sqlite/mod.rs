//! The ledger as one SQLite file in the run's directory, with its lock and its log.
//!
//! | file | what it holds |
//! |---|---|
//! | `files` | what the files are called |
//! | `schema` | the tables and their version |
//! | `records` | how values of the domain lie in the tables |
//! | `checksum`, `check` | what every record carries to show that it is as it was written; whether all are |
//! | `create` | how a ledger comes about: whole, or not at all |
//! | `store` | an open ledger |
//! | `plan` | a run that is being planned: [`Plan`] |
//! | `run` | a run at rest: [`Run`] |
//! | `claims`, `batch` | a run that is being sent: what is left of it, and what is written |
//! | `reader`, `totals` | the account for the reports: [`Reader`] |
//! | `wal` | whether SQLite's log is there where it has to be; the mark that says so |
//! | `lock`, `holder`, `permissions` | one process a run, be there copies of it or not; nobody but its owner reads it |
//! | `crash_points` | where a test may let a process die |
//! | `error` | what an error of SQLite means; pure |

mod batch;
mod check;
mod checksum;
mod claims;
mod crash_points;
mod create;
mod error;
mod files;
mod holder;
mod lock;
mod permissions;
mod plan;
mod reader;
mod records;
mod run;
mod schema;
mod store;
mod totals;
mod wal;

pub use claims::Claims;
pub use crash_points::{CrashPoint, Watch};
pub use files::{LOCK, discard, file, is_taken, log_file};
pub use lock::is_held;
pub use plan::Plan;
pub use reader::Reader;
pub use run::Run;

#[cfg(test)]
mod tests;
