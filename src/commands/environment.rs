//! The process around a command: console, standard input, clock, stop signal.

use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use jiff::Timestamp;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::run_log::RunLog;
use crate::engine::Stop;
use crate::ledger::Watch;
use crate::report::{Bar, ProgressEvent, Summary, VerifiedSummary};

/// The console: prints a command's output, and asks the user. All output passes through one printer.
pub trait Console: Sync {
    /// Prints data to standard output.
    fn data(&self, text: &str);
    /// Prints everything else to standard error.
    fn say(&self, text: &str);
    /// Tells an event to a program that follows the command, where one does.
    fn tell(&self, _event: &ProgressEvent) {}
    /// Returns whether a person is there to ask.
    fn is_attended(&self) -> bool;
    /// Asks a person, and waits for the reply.
    fn ask(&self, question: &str) -> Reply;
    /// Returns the next line that a person types, when it comes, beside whatever else is waited for. `None` where no
    /// person is there. Whoever is interrupted meanwhile learns of it from [`Stop`].
    fn next_line(&self) -> Option<oneshot::Receiver<String>> {
        None
    }
    /// Shows a progress bar on the terminal from now on, or none any more. Whatever is printed meanwhile is
    /// printed above the bar, and stays there.
    fn stands(&self, bar: Option<Bar>);
    /// Lets data go to a pager from now on, where standard output is a terminal and there is a pager.
    fn page(&self) {}
    /// Waits until the pager, if there is one, was left by the user.
    fn end_page(&self) {}
    /// Whether anybody still reads standard output, as far as that is known.
    fn is_heard(&self) -> bool {
        true
    }
    /// Keeps the summary of a run for whoever is told of its end.
    fn account(&self, _summary: &Summary) {}
    /// Keeps the summary of a verification likewise.
    fn account_verified(&self, _summary: &VerifiedSummary) {}
    /// Sets what is said to a user who leaves the program at once from now on, and which run is left then.
    fn on_leaving(&self, words: &str, run: &Path);
}

/// The reply to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The user typed this text.
    Said(String),
    /// The user interrupted instead.
    Interrupted,
    /// There is no person to ask, or the answer is the end of the input.
    Nobody,
}

/// What a command uses of the process around it.
pub struct Environment<'a> {
    /// Prints output and asks questions.
    pub console: &'a dyn Console,
    /// Standard input, which the input name `-` stands for.
    pub stdin: &'a Mutex<Box<dyn Read + Send>>,
    /// Tells whether the run is to stop.
    pub stop: &'a Stop,
    /// Returns the wall-clock time.
    pub clock: fn() -> Timestamp,
    /// Creates a new GUID.
    pub new_id: fn() -> Uuid,
    /// The user id in the operating system of the user who runs the program, where there is such.
    pub user: Option<u32>,
    /// The name of that user, where the environment tells it.
    pub user_name: Option<&'a str>,
    /// The current directory, which relative paths start from.
    pub directory: &'a Path,
    /// The directory in which the program keeps, for this user, what outlives a run; it may not exist yet. `None`
    /// where the environment doesn't tell where the user's files are.
    pub state_dir: Option<&'a Path>,
    /// The log of diagnostics, which is written to a file once there is a run.
    pub run_log: &'a RunLog,
    /// A test's hook on the ledger's steps.
    pub watch: Option<Watch>,
}

impl Environment<'_> {
    /// Tells the user once that the run's diagnostics can't be kept, where they can't.
    pub fn tell_lost_diagnostics(&self) {
        self.run_log.take_loss().iter().for_each(|note| self.console.say(note));
    }
}
