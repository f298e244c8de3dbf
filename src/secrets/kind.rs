//! What a program is asked for.

use crate::domain::setting::Setting;

/// A secret that a program prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// A bearer token for the service.
    Token,
    /// The password of a shared ledger.
    LedgerPassword,
}

impl SecretKind {
    /// Returns what it is called in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::LedgerPassword => "password",
        }
    }

    /// Returns what the command that prints it is called in a sentence.
    pub fn command(self) -> &'static str {
        match self {
            Self::Token => "the token command",
            Self::LedgerPassword => "the ledger's password command",
        }
    }

    /// Returns the setting that names that command.
    pub fn setting(self) -> Setting {
        match self {
            Self::Token => Setting::TokenCommand,
            Self::LedgerPassword => Setting::LedgerPasswordCommand,
        }
    }
}
