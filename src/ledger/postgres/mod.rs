//! The shared ledger, in a PostgreSQL database that many machines use.
//!
//! What is here so far is all that comes before a run: connecting, the tables, who may do what, and forgetting a run.
//! Nothing else of the program names the driver, the server's settings or SQL.
//!
//! | file | what it does |
//! |---|---|
//! | `url` | reads where a ledger is, and decides how a connection is protected: [`LedgerUrl`] |
//! | `password`, `passfile` | find the password for a connection: [`PasswordSource`] |
//! | `tls`, `untrusted` | check whom a connection ends at, and say what is wrong |
//! | `connect` | connects: [`LedgerServer`] names a ledger, [`SharedLedger`] is connected to it |
//! | `version` | the number of the format |
//! | `format` | the ledger's mark, and how its tables are made and brought up; `sql/format-N.sql` hold them |
//! | `roles` | who may do what; `sql/grants.sql` holds it |
//! | `admin` | makes a ledger, and brings one up |
//! | `survey` | asks a server what a ledger depends on: [`Survey`] |
//! | `forget` | deletes a run |
//! | `error` | why a ledger cannot be used: [`PostgresError`] |
//!
//! What always holds:
//! - A connection that leaves this machine is encrypted, and chain and host name of the server's certificate are checked.
//! - No password is shown, in no error and by no `Debug`.
//! - Tables are changed by `init` and `upgrade` alone, in one transaction.

mod admin;
mod connect;
mod error;
mod forget;
mod format;
mod passfile;
mod password;
mod roles;
mod survey;
mod tls;
mod untrusted;
mod url;
mod version;

pub use admin::Made;
pub use connect::{LedgerServer, SharedLedger};
pub use error::PostgresError;
pub use forget::{Forgotten, RunOnRecord};
pub use format::LedgerMark;
pub use passfile::Ignored;
pub use password::PasswordSource;
pub use roles::Groups;
pub use survey::{Durability, OLDEST_VERSION, Rights, Survey};
pub use url::{LedgerUrl, LedgerUrlError};
