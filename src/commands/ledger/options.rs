//! Which shared ledger is meant, and the commands that name it.

use crate::commands::next_command::{CommandLine, flag};
use crate::domain::setting::{Choice, Setting};
use crate::ledger::postgres::LedgerServer;

/// The options of every command about a shared ledger.
#[derive(Debug)]
pub struct LedgerOptions {
    /// The ledger, and how to connect to it.
    pub server: LedgerServer,
    /// What was typed of it, which the next command repeats.
    pub typed: Vec<Choice>,
    /// Whether a password command was typed. It isn't repeated: it may hold a secret.
    pub password_command: bool,
}

impl LedgerOptions {
    /// Returns the command that does something with the same ledger.
    pub(super) fn command(&self, what: &str) -> CommandLine {
        CommandLine::ledger(what, self.typed.clone())
    }

    /// Returns what to give again with the next command, as the beginning of a sentence; empty for nothing.
    pub(super) fn again(&self) -> String {
        match self.password_command {
            true => format!("with the same {} again, ", flag(Setting::LedgerPasswordCommand)),
            false => String::new(),
        }
    }
}
