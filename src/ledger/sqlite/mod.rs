//! The ledger as one SQLite file in the run's directory, with its lock and its log.
//!
//! | file | what it holds |
//! |---|---|
//! | `schema` | the tables, their version, and how the file is opened |
//! | `records` | how values of the domain lie in the tables |
//! | `create` | how a ledger comes about: whole, or not at all |
//! | `checksum` | what every record carries to show that it is as it was written |
//! | `plan` | writing a plan: [`create`](plan::create), [`Planning`](plan::Planning) |
//! | `run` | a run that is there: [`open`](run::open), [`Ledger`](run::Ledger), and its [`Backlog`](run::Backlog) |
//! | `reader` | the account for the reports: [`read`](reader::read), [`Reader`](reader::Reader) |
//! | `wal` | whether SQLite's log is there where it has to be; the mark that says so |
//! | `lock`, `holder`, `permissions` | one process a run, be there copies of it or not; nobody but its owner reads it |
//! | `crash_points` | where a test may let a process die |
//! | `error` | what an error of SQLite means; pure |

pub(super) mod checksum;
pub(super) mod crash_points;
pub(super) mod create;
pub(super) mod error;
pub(super) mod holder;
pub(super) mod lock;
pub(super) mod permissions;
pub(super) mod plan;
pub(super) mod reader;
pub(super) mod records;
pub(super) mod run;
pub(super) mod schema;
pub(super) mod wal;
