//! The ledger: a run's durable record of what was planned, what was about to be sent, and how it came out.
//!
//! Every report can be made from it again. Code outside this module knows nothing of SQL, of the ledger's
//! files, or of its locks. Code inside it never looks at an HTTP status or at what an answer means. A run is
//! kept in one SQLite file in its directory; simulations keep theirs in memory.
//!
//! | file | what it holds |
//! |---|---|
//! | `address` | where a run is kept: [`create`], [`open()`], [`open_to_send`], [`read`], [`look_up`] |
//! | `lookup` | single rows of a run, found without reading all of it: [`Lookup`] |
//! | `planning`, `run`, `reader` | a run while it is planned, at rest and sent, or read, with either backend: [`Planning`], [`Ledger`], [`Backlog`], [`Reader`] |
//! | `journal`, `writer`, `ticket` | intents and outcomes while sending: [`Journal`], [`Ticket`], and the writer's thread, or [`ManualWriter`] without one |
//! | `record` | the requests that the writer takes |
//! | `model` | the values that a ledger returns about a run |
//! | `account`, `verdict` | turns what is on record into what reports show; pure |
//! | `outstanding` | what is left to do for an item, judged from its attempts; pure |
//! | `awaited` | the items that rows wait for while planning |
//! | `item_buffer`, `item_record` | items of a plan that wait to be written in the order of their numbers |
//! | `ordering` | by which keys items are put in the order of sending: [`OrderKeys`] |
//! | `spill` | texts that planning needs once more, kept in a temporary file: [`Spill`] |
//! | `error` | why a ledger cannot be used: [`LedgerError`] |
//! | `backend` | the traits that a backend implements |
//! | `sqlite` | the backend in a SQLite file, with its lock and its log |
//! | `memory` | the backend in memory, for simulations |
//! | [`postgres`] | the ledger that many machines share: connecting to one, its tables, who may do what |
//!
//! What always holds:
//! - A [`Ticket`] exists only for an intent that is on record, and each is for one attempt.
//! - An item is settled once. Settling it again is a defect and stops the journal.
//! - After one failed write nothing more is written, so nothing more is sent.
//! - A run whose planning did not complete can't be sent.
//! - Where records are lost, or may be, the run says so, and an item that may have been sent is read back
//!   before it is sent again.
//! - One process at a time writes a run; any number may read it meanwhile.

mod account;
mod address;
mod awaited;
mod backend;
mod error;
mod item_buffer;
mod item_record;
mod journal;
mod lookup;
pub mod memory;
mod model;
mod ordering;
mod outstanding;
mod planning;
pub mod postgres;
mod reader;
mod record;
mod run;
mod spill;
mod sqlite;
mod ticket;
mod verdict;
mod writer;

pub use address::{
    Address, create, create_watched, damaged, discard, is_taken, is_worked_on, lock_name, log_file, look_up,
    open, open_to_send, read,
};
pub use error::LedgerError;
pub use journal::{Clock, Journal};
pub use lookup::Lookup;
pub use model::{
    LineOfInput, Loss, Outstanding, PlanTotals, ReferralTotals, RunHeader, SentItem, VerifiedItem,
    VerifiedPart, WaveSoFar,
};
pub use ordering::{KeySource, OrderKeys, Placed};
pub use outstanding::Due;
pub use planning::Planning;
pub use reader::Reader;
pub use run::{Backlog, Ledger};
pub use spill::{Spill, SpillRef};
pub use sqlite::{CrashPoint, Watch};
pub use ticket::{AttemptId, Ticket};
pub use writer::ManualWriter;

pub use crate::domain::attempt::{AttemptAnswer, AttemptResult};

#[cfg(test)]
mod tests;
