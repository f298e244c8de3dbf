//! A refresh token in the system's keyring.
//!
//! A keyring may ask the user for a password, or never answer: each call has a thread of its own, and is given up
//! after a while. The thread of a call that was given up stays until the keyring answers or the process ends.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretSlice};

use super::identity::Key;
use crate::api::auth::oauth::RefreshToken;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// How long the system's keyring may take: it may be asking the user for a password.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// The entry that is written, read back and deleted before a sign-in.
const PROBE: &str = "probe";

/// The reason why the system's keyring doesn't do what is asked of it. It holds nothing that was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is none.
    #[error("this system has no keyring ({0})")]
    Missing(String),
    /// It was locked, and stayed so, or the user did not let it be used.
    #[error("the system's keyring is locked ({0})")]
    Locked(String),
    /// It doesn't answer.
    #[error("the system's keyring gave no answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// It has no room for an entry of this size, in bytes.
    #[error("the system's keyring takes no entry of {0} bytes")]
    TooLong(usize),
    /// It took an entry and then had another or none.
    #[error("the system's keyring does not keep what it is given")]
    Forgetful,
    /// Anything else.
    #[error("the system's keyring failed ({0})")]
    Failed(String),
}

impl KeyringError {
    /// Returns what the user can do about it.
    pub fn remedy(&self) -> Wording {
        let in_file = |what: &str| Wording::from(what).say(", with ").name(Setting::Store).say(" file");
        match self {
            Self::Missing(_) | Self::TooLong(_) | Self::Forgetful => {
                in_file("let the sign-in be kept in a file instead")
            }
            Self::Locked(_) => in_file("unlock it, or let the sign-in be kept in a file instead"),
            Self::Silent(_) => in_file(
                "see whether a window asks for its password, unlock it, and try again; or let the sign-in be kept \
                 in a file instead",
            ),
            Self::Failed(_) => in_file("see to it, or let the sign-in be kept in a file instead"),
        }
    }
}

/// A keyring: entries by name. Calls may block.
pub(super) trait Vault: Send + Sync {
    /// Reads an entry; `None` where there is none.
    fn read(&self, entry: &str) -> Result<Option<SecretSlice<u8>>, KeyringError>;
    /// Writes an entry in the place of any other of its name.
    fn write(&self, entry: &str, secret: &[u8]) -> Result<(), KeyringError>;
    /// Deletes an entry. Returns whether there was one.
    fn delete(&self, entry: &str) -> Result<bool, KeyringError>;
}

/// A keyring, called with patience.
#[derive(Clone)]
pub(super) struct Keyring {
    vault: Arc<dyn Vault>,
    patience: Duration,
}

impl Keyring {
    /// Returns a keyring that is given this long for each call.
    pub(super) fn new(vault: Arc<dyn Vault>, patience: Duration) -> Self {
        Self { vault, patience }
    }

    /// Writes an entry, reads it back and deletes it.
    pub(super) fn probe(&self) -> Result<(), KeyringError> {
        self.call(|vault| {
            vault.write(PROBE, PROBE.as_bytes())?;
            let read = vault.read(PROBE)?;
            vault.delete(PROBE)?;
            let is_kept = read.is_some_and(|read| read.expose_secret() == PROBE.as_bytes());
            if is_kept { Ok(()) } else { Err(KeyringError::Forgetful) }
        })
    }

    /// Reads a refresh token; `None` where there is none.
    pub(super) fn read(&self, key: &Key) -> Result<Option<RefreshToken>, KeyringError> {
        let entry = key.as_str().to_owned();
        let Some(bytes) = self.call(move |vault| vault.read(&entry))? else { return Ok(None) };
        let token = RefreshToken::from_bytes(bytes.expose_secret());
        token.map(Some).ok_or_else(|| KeyringError::Failed("its entry is no refresh token".to_owned()))
    }

    /// Writes a refresh token.
    pub(super) fn write(&self, key: &Key, token: &RefreshToken) -> Result<(), KeyringError> {
        let (entry, token) = (key.as_str().to_owned(), token.clone());
        self.call(move |vault| vault.write(&entry, token.expose().as_bytes()))
    }

    /// Deletes a refresh token. Returns whether there was one.
    pub(super) fn delete(&self, key: &Key) -> Result<bool, KeyringError> {
        let entry = key.as_str().to_owned();
        self.call(move |vault| vault.delete(&entry))
    }

    fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Vault) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let (send, receive) = sync_channel(1);
        let vault = Arc::clone(&self.vault);
        std::thread::Builder::new()
            .name("keyring".to_owned())
            // Nobody may be waiting any more.
            .spawn(move || drop(send.send(work(&*vault))))
            .map_err(|error| KeyringError::Failed(error.to_string()))?;
        receive.recv_timeout(self.patience).unwrap_or_else(|error| {
            Err(match error {
                RecvTimeoutError::Timeout => KeyringError::Silent(self.patience),
                RecvTimeoutError::Disconnected => KeyringError::Failed("its library gave up".to_owned()),
            })
        })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Keyring").field("patience", &self.patience).finish_non_exhaustive()
    }
}
