//! The keyring of the system: the secret service of a Linux desktop, the keychain of macOS, the credentials of
//! Windows. It is opened for each call, so that one that was started or unlocked meanwhile is seen.

use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};
use secrecy::SecretSlice;

use super::keyring::{KeyringError, Vault};
use crate::api::refusal::bounded;

/// What the entries are filed under, each by a name of its own.
const SERVICE: &str = "referral-bulk";
/// The longest message of a keyring that is shown, in characters.
const LONGEST_MESSAGE: usize = 200;

/// The keyring of the system.
#[derive(Debug, Clone, Copy)]
pub(super) struct SystemKeyring;

impl SystemKeyring {
    fn entry(name: &str) -> Result<Entry, KeyringError> {
        // Whatever it says: without a service on the session's bus there is no keyring.
        let store = store().map_err(|error| KeyringError::Missing(message(&error)))?;
        store.build(SERVICE, name, None).map_err(|error| failed(error, 0))
    }
}

impl Vault for SystemKeyring {
    fn read(&self, entry: &str) -> Result<Option<SecretSlice<u8>>, KeyringError> {
        match Self::entry(entry)?.get_secret() {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(failed(error, 0)),
        }
    }

    fn write(&self, entry: &str, secret: &[u8]) -> Result<(), KeyringError> {
        let found = Self::entry(entry)?;
        match found.set_secret(secret) {
            Err(Error::Ambiguous(entries)) => {
                delete_all(&entries)?;
                found.set_secret(secret)
            }
            written => written,
        }
        .map_err(|error| failed(error, secret.len()))
    }

    fn delete(&self, entry: &str) -> Result<bool, KeyringError> {
        match Self::entry(entry)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(Error::Ambiguous(entries)) => delete_all(&entries).map(|()| true),
            Err(error) => Err(failed(error, 0)),
        }
    }
}

/// Deletes entries that share a name, as a keyring allows.
fn delete_all(entries: &[Entry]) -> Result<(), KeyringError> {
    entries.iter().try_for_each(|entry| match entry.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(failed(error, 0)),
    })
}

/// Opens the secret service of the session.
#[cfg(all(target_os = "linux", feature = "secret-service"))]
fn store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

/// Opens the user's keychain.
#[cfg(target_os = "macos")]
fn store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

/// Opens the user's credentials.
#[cfg(windows)]
fn store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

/// Opens nothing: this program was built without a keyring.
#[cfg(not(any(all(target_os = "linux", feature = "secret-service"), target_os = "macos", windows)))]
fn store() -> keyring_core::Result<Arc<CredentialStore>> {
    Err(Error::NoDefaultStore)
}

/// Returns what an error of a keyring means. `bytes` is the size of what was written.
fn failed(error: Error, bytes: usize) -> KeyringError {
    match error {
        Error::TooLong(..) => KeyringError::TooLong(bytes),
        Error::NoStorageAccess(_) => KeyringError::Locked(message(&error)),
        error => KeyringError::Failed(message(&error)),
    }
}

/// Returns what a keyring says. Some of its errors hold a secret, which is left out.
fn message(error: &Error) -> String {
    let text = match error {
        Error::PlatformFailure(error) | Error::NoStorageAccess(error) => error.to_string(),
        Error::NoEntry => "it has no such entry".to_owned(),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "an entry is damaged".to_owned(),
        Error::Ambiguous(_) => "several entries have the same name".to_owned(),
        Error::NoDefaultStore => "this program was built without".to_owned(),
        Error::TooLong(what, most) => format!("{what} may have {most} bytes at most"),
        Error::BadStoreFormat(why) | Error::NotSupportedByStore(why) | Error::Invalid(_, why) => why.clone(),
        _ => "it does not say why".to_owned(),
    };
    bounded(&text, LONGEST_MESSAGE)
}
