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
//! | [`accounting`] | what all of them do at the end: reports from the ledger, and the exit code |
//! | [`connection`] | the service or the sandbox that a run talks to |
//! | [`run_dir`] | a run's directory |
//! | [`run_log`] | the diagnostics that lie in it |

pub mod accounting;
pub mod apply;
pub mod baseline;
pub mod connection;
pub mod consent;
pub mod patches;
pub mod payloads;
pub mod plan_writer;
pub mod planning;
pub mod report;
pub mod resume;
pub mod run_dir;
pub mod run_log;
pub mod sandbox;
pub mod sending;
pub mod survey;
pub mod whereabouts;

use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::exit::Exit;
use crate::engine::Stop;
pub use crate::ledger::{CrashPoint, Watch};
pub use crate::report::{Bar, ProgressMode, quoted};
pub use run_log::RunLog;

/// Where a command's words go, and where answers come from. There is one printer behind it.
pub trait Console: Sync {
    /// Data: standard output.
    fn data(&self, text: &str);
    /// Everything else: standard error.
    fn say(&self, text: &str);
    /// Whether there is a person to ask.
    fn is_attended(&self) -> bool;
    /// Asks a person.
    fn ask(&self, question: &str) -> Reply;
    /// A bar stands on the terminal from now on, or none any more. Whatever is printed meanwhile is printed above
    /// it, and stays there.
    fn stands(&self, bar: Option<Bar>);
    /// Says what a person is to be told who leaves at once from now on, and which run is left then.
    fn on_leaving(&self, words: &str, run: &Path);
}

/// What comes of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Somebody typed this.
    Said(String),
    /// Somebody interrupted instead.
    Interrupted,
    /// There is nobody to ask, or the answer is the end of the input.
    Nobody,
}

/// What a command has of the process around it.
pub struct Environment<'a> {
    /// The printer.
    pub console: &'a dyn Console,
    /// Standard input, for `-`.
    pub stdin: &'a Mutex<Box<dyn Read + Send>>,
    /// Whether the run is to stop.
    pub stop: &'a Stop,
    /// The wall clock.
    pub clock: fn() -> Timestamp,
    /// Where new GUIDs come from.
    pub new_id: fn() -> Uuid,
    /// Who runs the program: the user's number in the system, where there is such.
    pub user: Option<u32>,
    /// The directory that relative paths go out from.
    pub directory: &'a Path,
    /// Where diagnostics are kept once there is a run.
    pub run_log: &'a RunLog,
    /// Who watches the ledger's steps.
    pub watch: Option<Watch>,
}

/// What goes to standard output at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryForm {
    /// One line of JSON: the contents of `summary.json`.
    Json,
    /// For people.
    Text,
    /// Nothing.
    None,
}

/// How a command shows what it does.
#[derive(Debug, Clone, Copy)]
pub struct Showing {
    /// What goes to standard output at the end.
    pub summary: SummaryForm,
    /// What goes to standard error meanwhile.
    pub progress: ProgressMode,
}

/// Why a command can't go on: what, where it was seen, and what to do about it.
#[derive(Debug, Clone)]
pub struct CommandError {
    /// How the process ends.
    pub exit: Exit,
    /// Each problem, with its place and its remedy where there are such.
    pub problems: Vec<Problem>,
}

/// One thing that keeps a command from going on.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// Where, as `file:line:column`.
    pub place: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
}

impl CommandError {
    /// A command that could not run.
    pub fn could_not_run(message: impl Into<String>) -> Self {
        Self::new(Exit::CouldNotRun, message)
    }

    /// A command that was asked for something it doesn't do.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    fn new(exit: Exit, message: impl Into<String>) -> Self {
        let problem = Problem { message: message.into(), place: None, hint: None };
        Self { exit, problems: vec![problem] }
    }

    /// The same, with what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(problem) = self.problems.last_mut() {
            problem.hint = Some(hint.into());
        }
        self
    }

    /// The same, with something to know before what to do next.
    #[must_use]
    pub fn hint_first(mut self, known: &str) -> Self {
        if let Some(hint) = self.problems.last_mut().and_then(|problem| problem.hint.as_mut()) {
            *hint = format!("{known}; {hint}");
        }
        self
    }
}

/// What to do about a ledger that is damaged. A plan is made from the referrals as they stand, so that what was
/// written already is found in it.
const DAMAGED: &str = "nothing more is sent from it: put the run's directory back from a copy, or plan the same \
                       input again with another --out, which finds unchanged what was written already";

impl From<crate::ledger::LedgerError> for CommandError {
    fn from(error: crate::ledger::LedgerError) -> Self {
        use crate::ledger::LedgerError::{Database, File, Unmade};
        let hint = match &error {
            Database { .. } | File { .. } => {
                Some("see to space and permissions in the run's directory".to_owned())
            }
            Unmade { dir } => Some(format!("begin it again: referral-bulk apply FILE --out {}", quoted(dir))),
            _ if error.is_damage() => Some(DAMAGED.to_owned()),
            _ => None,
        };
        let problem = Problem { message: error.to_string(), place: None, hint };
        Self { exit: Exit::CouldNotRun, problems: vec![problem] }
    }
}
