//! The ledger from outside: what is written is what is read, whatever happens in between and whatever keeps it.
//!
//! Each test is written once, for a [`fixtures::Home`], and run on every backend. What is about files stands in
//! `sqlite/tests`.

/// Runs tests on every backend, each by itself.
macro_rules! on_every_backend {
    ($($test:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Home::directory()).await;
            })*
        }

        mod in_memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Home::memory()).await;
            })*
        }
    };
}

mod account;
pub(super) mod approvals;
mod consents;
pub(super) mod fixtures;
mod holding;
mod lives;
mod planning;
mod remaining;
mod sending;
mod sent;
pub(super) mod turns;
mod verdicts;
pub(super) mod verified;
