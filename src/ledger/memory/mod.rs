//! The ledger in memory, for simulations: the same operations as on SQLite, with what a process that is killed
//! leaves, and what one meets whose ledger is taken away. Nothing that a user can type leads here.
//!
//! | file | what it holds |
//! |---|---|
//! | `kept` | where a run is kept: [`Memory`] |
//! | `state` | all that is on record of a run |
//! | `plan` | a run that is being planned: [`Plan`] |
//! | `run` | a run at rest: [`Run`] |
//! | `claims`, `batch` | a run that is being sent: what is left of it, and what is written |
//! | `reader` | the account for the reports: [`Reader`] |
//!
//! What always holds: whatever is on record was put there whole, under one lock, by the one who holds the run. So
//! what a kill leaves is what is on record at that moment.

mod batch;
mod claims;
mod kept;
mod plan;
mod reader;
mod run;
mod state;

pub use claims::Claims;
pub use kept::Memory;
pub use plan::Plan;
pub use reader::Reader;
pub use run::Run;
pub use state::AttemptOnRecord;
