//! Secrets that other programs print: a token for the service, the password of a shared ledger.
//!
//! | file | what it holds |
//! |---|---|
//! | `kind` | what is asked for: [`SecretKind`] |
//! | `command` | commands that print one: [`CommandText`] as it was written, [`SecretCommand`] ready to be run |
//! | `text` | how the bytes that a program or a file gives become text: [`secret()`] |
//!
//! What always holds: neither what a command prints nor its words are shown, in no error and by no `Debug`.

mod command;
mod kind;
mod text;

pub use command::{COMMAND_TIMEOUT, CommandText, CommandTextError, SecretCommand};
pub use kind::SecretKind;
pub use text::{LONGEST, secret};
