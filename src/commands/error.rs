//! Why a command can't go on.

use super::next_command::{CommandLine, Operand, flag};
use crate::domain::exit::Exit;
use crate::domain::setting::{Choice, Setting};
use crate::ledger::LedgerError;

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

    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
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
pub(super) fn about_damage() -> String {
    let out = flag(Setting::Out);
    format!(
        "nothing more is sent from it: put the run's directory back from a copy, or plan the same input again with \
         another {out}, which finds unchanged what was written already"
    )
}

impl From<LedgerError> for CommandError {
    fn from(error: LedgerError) -> Self {
        let hint = match &error {
            LedgerError::Database { .. } | LedgerError::File { .. } => {
                Some("see to space and permissions in the run's directory".to_owned())
            }
            LedgerError::Unmade { dir } => {
                let out = Choice::of(Setting::Out, dir);
                let again = CommandLine::apply(vec![Operand::input("FILE")], vec![out]);
                Some(format!("begin it again: {again}"))
            }
            _ if error.is_damage() => Some(about_damage()),
            _ => None,
        };
        let problem = Problem { message: error.to_string(), place: None, hint };
        Self { exit: Exit::CouldNotRun, problems: vec![problem] }
    }
}
