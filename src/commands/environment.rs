//! What a command has of the process around it.

use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use jiff::Timestamp;
use uuid::Uuid;

use super::run_log::RunLog;
use crate::engine::Stop;
use crate::ledger::Watch;
use crate::report::Bar;

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
