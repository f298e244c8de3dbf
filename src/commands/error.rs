//! The errors of commands: the kind of error, what it was about, the error that caused it, and what would
//! help.
//!
//! A problem keeps its cause as an error and its hints as [`Wording`]; both become text only where the
//! program prints them.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::next_command::{CommandLine, Operand, flag, spelled};
use crate::domain::exit::Exit;
use crate::domain::setting::{Choice, Setting};
use crate::domain::wording::Wording;
use crate::ledger::LedgerError;

/// The hint for a file that holds a referral twice.
pub(super) const ONE_OF_TWO: &str =
    "nothing tells which of the two is the referral as it stands: keep one of them, or take another snapshot";

/// The kind of an error, which decides how the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command was asked for something that it doesn't do, or lacks consent. Nothing was sent.
    Usage,
    /// The command could not run: an input, a connection or the ledger cannot be used.
    CouldNotRun,
    /// The run stopped early; it can be resumed.
    Stopped,
    /// The books of a run do not balance, and not all of its reports could be written.
    Unbalanced,
}

impl ErrorKind {
    /// The exit of the process.
    pub fn exit(self) -> Exit {
        match self {
            Self::Usage => Exit::Usage,
            Self::CouldNotRun => Exit::CouldNotRun,
            Self::Stopped => Exit::Stopped,
            Self::Unbalanced => Exit::Unbalanced,
        }
    }
}

/// Converts the exit that a command would have had into the kind of the error that keeps its run from being
/// accounted for. What was done is no longer all that was asked for.
impl From<Exit> for ErrorKind {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Usage => Self::Usage,
            Exit::Done | Exit::SomeFailed | Exit::CouldNotRun => Self::CouldNotRun,
            Exit::Stopped => Self::Stopped,
            Exit::Unbalanced => Self::Unbalanced,
        }
    }
}

/// The error of a command, with one problem or several of the same kind.
#[derive(Debug, Clone)]
pub struct CommandError {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The problems, each with its place and its remedy where there are such.
    pub problems: Vec<Problem>,
}

/// One problem that keeps a command from going on.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What the command was about when it failed, or what is wrong: lower case, no full stop. Empty where the
    /// source says everything.
    pub message: String,
    /// The place, as `file:line:column`.
    pub place: Option<String>,
    /// What the user can do next, one after the other.
    pub hints: Vec<Wording>,
    /// The error that caused it.
    pub source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Problem {
    /// A problem without place, hint or cause.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None, hints: Vec::new(), source: None }
    }
}

/// Writes the message and the cause in one line.
impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) if self.message.is_empty() => write!(out, "{source}"),
            Some(source) => write!(out, "{}: {source}", self.message),
            None => out.write_str(&self.message),
        }
    }
}

impl CommandError {
    /// The error of a command that could not run.
    pub fn could_not_run(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::CouldNotRun, message)
    }

    /// The error of a command that was asked for something it doesn't do.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// An error with one problem.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::of(kind, vec![Problem::new(message)])
    }

    /// An error with several problems.
    pub fn of(kind: ErrorKind, problems: Vec<Problem>) -> Self {
        Self { kind, problems }
    }

    /// The exit of the process.
    pub fn exit(&self) -> Exit {
        self.kind.exit()
    }

    /// Keeps the error that caused the last problem.
    #[must_use]
    pub fn because(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        if let Some(problem) = self.problems.last_mut() {
            problem.source = Some(Arc::new(source));
        }
        self
    }

    /// Says what the user can do next about the last problem.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Wording>) -> Self {
        if let Some(problem) = self.problems.last_mut() {
            problem.hints = vec![hint.into()];
        }
        self
    }

    /// Says something to know before what the user can do next.
    #[must_use]
    pub fn hint_first(mut self, known: &str) -> Self {
        if let Some(hint) = self.problems.last_mut().and_then(|problem| problem.hints.first_mut()) {
            *hint = Wording::from(known).say("; ").append(hint);
        }
        self
    }

    /// The problems as they are printed: what, where, what to do next.
    pub fn rendered(&self) -> impl Iterator<Item = String> {
        self.problems.iter().map(|problem| {
            let place = problem.place.as_ref().map_or(String::new(), |place| format!("\n  --> {place}"));
            let hints: String =
                problem.hints.iter().map(|hint| format!("\nhint: {}", spelled(hint))).collect();
            format!("error: {problem}{place}{hints}")
        })
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems: Vec<String> = self.problems.iter().map(ToString::to_string).collect();
        out.write_str(&problems.join("; "))
    }
}

impl Error for CommandError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let sources = self.problems.iter().filter_map(|problem| problem.source.as_deref());
        sources.map(|source| source as &(dyn Error + 'static)).next()
    }
}

/// Returns the hint for a damaged ledger. A plan is made from the referrals' current state, so that it finds
/// unchanged what was written already.
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
        let failed = Self::could_not_run("").because(error);
        match hint {
            Some(hint) => failed.hint(hint),
            None => failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn an_error_keeps_its_cause_and_its_hints_until_it_is_printed() {
        let refused = || io::Error::new(io::ErrorKind::PermissionDenied, "permission denied");
        let hint = Wording::from("name another one with ").name(Setting::Out);
        for (error, wanted) in [
            (CommandError::usage("standard input is named twice"), "error: standard input is named twice"),
            (
                CommandError::could_not_run("cannot make a").because(refused()).hint(hint.clone()),
                "error: cannot make a: permission denied\nhint: name another one with --out",
            ),
            (
                CommandError::could_not_run("").because(refused()).hint(hint).hint_first("nothing was sent"),
                "error: permission denied\nhint: nothing was sent; name another one with --out",
            ),
        ] {
            assert_eq!(error.rendered().collect::<Vec<_>>(), [wanted]);
            let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
            assert_eq!(cause.is_some(), wanted.contains("denied"), "{wanted}");
            assert!(wanted.contains(&error.to_string()), "{error}");
        }
    }

    #[test]
    fn a_kind_decides_how_the_process_ends() {
        for exit in Exit::ALL {
            let ended = ErrorKind::from(exit).exit();
            let is_kept = matches!(exit, Exit::Usage | Exit::Stopped | Exit::Unbalanced);
            assert_eq!(ended, if is_kept { exit } else { Exit::CouldNotRun }, "{exit:?}");
        }
    }
}
