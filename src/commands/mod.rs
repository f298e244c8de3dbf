//! One file per command: wiring, a screen each. What a command needs is a plain struct; none of them
//! knows how it was typed.
//!
//! | file | what it does |
//! |---|---|
//! | [`apply`] | `apply` and `migrate`: inputs become a run, which is carried out unless only a plan was asked for |
//! | [`resume`] | carries on with a run |
//! | [`report`] | writes a run's reports again |
//! | [`sandbox`] | serves a local Partner API |
//! | [`planning`] | from what was asked for to a plan |
//! | [`survey`] | where what the inputs want meets the referrals |
//! | [`payloads`] | legacy PUT payloads, waiting for the referrals |
//! | [`baseline`] | the referrals as they were when the payloads were made |
//! | [`plan_writer`] | where rows and items are written down |
//! | [`patches`] | the documents of a plan as a change file |
//! | [`consent`] | whether the user wants what is about to be sent |
//! | [`sending`] | from a plan to the last answer |
//! | [`progress`] | what is shown meanwhile, and counted |
//! | [`write_reports`] | the reports of a run, from its ledger, and the exit code |
//! | [`finish`] | what is told at the end, and the next command |
//! | [`next_command`] | how commands and settings are typed |
//! | [`next_step`] | what is left to do after a run |
//! | [`choices`] | what a next command has to repeat of a run |
//! | [`options`] | what a user may say of a command |
//! | [`target`] | what a run talks to, and how it is remembered |
//! | [`connection`] | connects to the service or to a sandbox |
//! | [`environment`] | the process around a command |
//! | [`error`] | why a command can't go on |
//! | [`run_dir`] | a run's directory |
//! | [`run_log`] | the diagnostics that lie in it |

pub mod apply;
pub mod baseline;
pub mod choices;
pub mod connection;
pub mod consent;
pub mod environment;
pub mod error;
pub mod finish;
pub mod next_command;
pub mod next_step;
pub mod options;
pub mod patches;
pub mod payloads;
pub mod plan_writer;
pub mod planning;
pub mod progress;
pub mod report;
pub mod resume;
pub mod run_dir;
pub mod run_log;
pub mod sandbox;
pub mod sending;
pub mod survey;
pub mod target;
pub mod whereabouts;
pub mod write_reports;

pub use environment::{Console, Environment, Reply};
pub use error::{CommandError, ErrorKind, Problem};
pub use next_command::quoted;
pub use options::{GivenConsent, MaxChanges, MaxErrors, RunContext, Sending, Showing, SummaryForm};
pub use run_log::RunLog;
pub use target::Target;

pub use crate::ledger::{CrashPoint, Watch};
pub use crate::report::{Bar, ProgressMode};
