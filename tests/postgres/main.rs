//! The shared ledger on a real PostgreSQL: connecting, its tables, who may do what, and forgetting a run.
//!
//! | file | what it holds |
//! |---|---|
//! | `making` | `ledger init`, `ledger upgrade`: tables and groups |
//! | `connecting` | TLS, passwords, and all that keeps a connection from coming about |
//! | `checking` | `ledger check`: what is told, and what to mend |
//! | `rights` | what planners, workers and readers may do, statement by statement; what the tables refuse by themselves |
//! | `forgetting` | `ledger forget`: what goes, what stays, and when nothing does |
//!
//! Needs PostgreSQL's server and `openssl`, which `.ci/run` installs.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod checking;
mod connecting;
mod forgetting;
mod making;
#[path = "../postgres_support/mod.rs"]
mod postgres_support;
mod rights;
#[path = "../support/mod.rs"]
mod support;

use crate::postgres_support::cluster::{Database, PASSWORD, shared};
use crate::support::case::{Ran, Test};

/// `ledger` with these words, with the password in the environment.
fn ledger(words: &str) -> Test {
    Test::new(&format!("ledger {words}")).env("PGPASSWORD", PASSWORD).told_elsewhere()
}

/// A new database with a ledger in it.
fn with_ledger() -> Database<'static> {
    let database = shared().database();
    ledger(&format!("init --ledger {}", database.url())).run();
    database
}

/// Makes sure that it says all of this on standard error.
#[track_caller]
fn says(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.stderr.contains(word), "no {word:?} in\n{}", ran.stderr);
    }
}
