//! The ledger in memory, for simulations. It has the same operations as the one on SQLite; it also reproduces
//! what a killed process leaves, and what a process meets when its ledger is taken away. No command of the
//! program uses it.
//!
//! | file | what it holds |
//! |---|---|
//! | `kept` | the place that a run is kept at: [`Memory`] |
//! | `state` | all that is on record of a run |
//! | `plan` | a run that is being planned: [`Plan`] |
//! | `run` | a run at rest: [`Run`] |
//! | `claims`, `batch` | a run that is being sent: its items that are left, and the batches written |
//! | `reader` | the account of a run for its reports: [`Reader`] |
//! | `lookup` | single rows and items: [`Lookup`] |
//!
//! What always holds: whatever is on record was put there whole, under one lock, by the holder of the run. So
//! a kill leaves exactly what is on record at that moment.

mod batch;
mod claims;
mod kept;
mod lookup;
mod plan;
mod reader;
mod run;
mod state;

pub use claims::Claims;
pub use kept::Memory;
pub use lookup::Lookup;
pub use plan::Plan;
pub use reader::Reader;
pub use run::Run;
pub use state::AttemptOnRecord;
