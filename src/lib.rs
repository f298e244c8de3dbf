//! Plan, apply and account for bulk changes to Partner Center referrals.
//!
//! A **run** is planned, then carried out, then reported. Planning reads change files, looks at the
//! referrals as they stand, judges every row, and writes one JSON Patch document per referral into
//! the run's ledger. Carrying out takes planned items one by one: wait for a slot and for the rate,
//! write the intent to the ledger, send, write the outcome. Reporting reads the ledger and nothing
//! else. So a plan is a run that has not begun, a crash is a run that stopped, and every report can
//! be made again at any time.
//!
//! ```text
//!  files ──input──▶ Draft ──┐
//!                           ├─ plan: judge, build ──▶ ledger ──▶ engine: pace, send, settle ──▶ ledger ──▶ report
//!  API or snapshot ─────────┘                            ▲                    │
//!                                                        └── intent, outcome ─┘
//! ```
//!
//! # The map
//! `main → cli → commands → {input, plan, engine, report, sandbox}`, `engine → {api, pace, ledger}`,
//! and every module → `domain`, which is pure and imports none of the others. Files of a run are made,
//! renamed and removed through `disk` alone; programs that print a secret are run by `secrets`. `tests/architecture.rs` checks all of this.
//!
//! # What always holds
//! 1. No PATCH without a committed intent: the client takes a [`ledger::Ticket`] by value, and only
//!    the ledger's writer has tickets to give. One attempt in the ledger is one request on the wire.
//! 2. Every input row has exactly one outcome, and every legacy payload one class; the books balance,
//!    or the exit code says so.
//! 3. A PATCH is never repeated blindly: an item in doubt is read back first. Nor is a changed referral
//!    called somebody else's edit while an attempt of this run may be the reason: reads may lag behind writes.
//! 4. Nothing is overwritten that the plan didn't see: `If-Match` carries the eTag of the plan, or of a
//!    newer version in which nothing that the change touches is different: where the user wants a rebase,
//!    or where the plan had no eTag and the change, in doubt, was read back and found not to be there.
//!    What was not seen is unknown: nothing is created, cleared or called unchanged because a list or a snapshot
//!    lacks it (see [`domain::snapshot`]).
//! 5. Items for one referral never overlap: there is one per run.
//! 6. Slot, gate, limiter, intent, send, outcome: in this order.
//! 7. Once the ledger cannot be written, nothing more is sent.
//! 8. Tokens appear in no file, log, report, error or `Debug` output, and go to no other host.
//! 9. Plans contact the API with GET only.
//! 10. Memory does not grow with the size of a referral.

pub mod api;
pub mod cli;
pub mod commands;
pub mod disk;
pub mod domain;
pub mod engine;
pub mod input;
pub mod ledger;
pub mod pace;
pub mod plan;
pub mod report;
pub mod sandbox;
pub mod secrets;

pub use cli::{Process, run};
