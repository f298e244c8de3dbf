//! Keeping sign-ins: where a refresh token lies between two runs, and how one process at a time exchanges it.
//!
//! | file | what it holds |
//! |---|---|
//! | `identity` | whose sign-in it is, and the names of its files |
//! | `choice` | where the user wants it kept, and where it is |
//! | `record` | what is known of a sign-in beside its refresh token; no secret |
//! | `token_file` | a refresh token in a file |
//! | `keyring` | a refresh token in a keyring, which may never answer |
//! | `system_keyring` | the keyring of the system |
//! | `own_files` | files and directories that must be this user's alone |
//! | `lock` | the lock of a sign-in |
//! | `sign_in` | a sign-in as it is handed in, and as it is told of |
//! | `sign_ins` | all of these together: keeping and telling a sign-in |
//! | `forgetting` | how a sign-in goes, and what was left of one |
//! | `renewal` | the exchange of the refresh token for new tokens, under the lock |
//! | `error` | what can go wrong with it |
//!
//! What always holds:
//! - An access token is never kept.
//! - A refresh token is read, exchanged and put back by one process at a time, whichever way that process ends.
//! - A new refresh token is on record before the access token that came with it is used.
//! - No token is in a record, in a message or in the output of `Debug`.

mod choice;
mod error;
mod forgetting;
mod identity;
mod keyring;
mod lock;
mod own_files;
mod record;
mod renewal;
mod sign_in;
mod sign_ins;
mod system_keyring;
mod token_file;

pub use choice::{Kept, StoreChoice, StoreChoiceError};
pub use error::{Exposure, StoreError};
pub use forgetting::Forgotten;
pub use identity::SignInId;
pub use keyring::KeyringError;
pub use record::Record;
pub(super) use renewal::{Renewal, Unrenewed};
pub use sign_in::{NewSignIn, SignInStatus, StorePlace};
pub use sign_ins::SignIns;

#[cfg(test)]
mod tests;
