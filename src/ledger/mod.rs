//! A run's durable memory: what was planned, what was about to be sent, what came of it.
//!
//! Every report can be made from it again. Nothing outside this module knows SQL, the ledger's files, or its locks,
//! and nothing in it looks at an HTTP status or at what an answer means. A run is kept in one SQLite file in its
//! directory; simulations keep theirs in memory.
//!
//! | file | what it holds |
//! |---|---|
//! | `address` | where a run is kept: [`create`], [`open`], [`read`] |
//! | `planning`, `run`, `reader` | a run that is planned, at rest and sent, or read, whatever keeps it: [`Planning`], [`Ledger`], [`Backlog`], [`Reader`] |
//! | `journal`, `writer`, `ticket` | intents and outcomes while sending: [`Journal`], [`Ticket`], and their thread, or [`ManualWriter`] without one |
//! | `record` | what the writer is asked for |
//! | `model` | what a ledger tells of a run |
//! | `account`, `verdict` | from what is on record to what reports are told; pure |
//! | `outstanding` | what is left to do for an item, from its attempts; pure |
//! | `item_buffer` | items of a plan on their way into the ledger |
//! | `spill` | texts that a plan needs once more: [`Spill`] |
//! | `error` | why a ledger cannot be used: [`LedgerError`] |
//! | `backend` | what whoever keeps a ledger has to do |
//! | `sqlite` | a run in a SQLite file, with its lock and its log |
//! | `memory` | a run in memory, for simulations |
//!
//! What always holds:
//! - A [`Ticket`] exists only for an intent that is on record, and each is for one attempt.
//! - An item is settled once. Settling it again is a defect and stops the journal.
//! - After one failed write nothing more is written, so nothing more is sent.
//! - Nothing of a run whose planning did not come to its end can be sent.
//! - Where something is lost, or may be, the run says so, and nothing is sent blindly.
//! - One process at a time writes a run; any number may read it meanwhile.

mod account;
mod address;
mod backend;
mod error;
mod item_buffer;
mod journal;
pub mod memory;
mod model;
mod outstanding;
mod planning;
mod reader;
mod record;
mod run;
mod spill;
mod sqlite;
mod ticket;
mod verdict;
mod writer;

pub use address::{
    Address, create, create_watched, damaged, discard, is_taken, is_worked_on, lock_name, log_file, open,
    read,
};
pub use error::LedgerError;
pub use journal::{Clock, Journal};
pub use model::{AttemptAnswer, Loss, Outstanding, PlanTotals, ReferralTotals, RunHeader};
pub use outstanding::{AttemptResult, Due};
pub use planning::Planning;
pub use reader::Reader;
pub use run::{Backlog, Ledger};
pub use spill::{Spill, SpillRef};
pub use sqlite::{CrashPoint, Watch};
pub use ticket::{AttemptId, Ticket};
pub use writer::ManualWriter;

#[cfg(test)]
mod tests;
