//! The sign-ins of a user: they are kept and told here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::info;

use super::choice::{Kept, StoreChoice};
use super::error::StoreError;
use super::identity::{Key, SignInId};
use super::keyring::{self, Keyring, KeyringError};
use super::lock::SignInLock;
use super::own_files;
use super::record::Record;
use super::sign_in::{NewSignIn, SignInStatus, StorePlace};
use super::system_keyring::SystemKeyring;
use super::token_file::{Room, TokenFile};
use crate::api::auth::oauth::{ClaimsChallenge, RefreshToken};

/// The directory of the sign-ins among what the program keeps for a user.
const FOLDER: &str = "sign-ins";
/// The file that is made and removed before somebody signs in.
pub(super) const PROBE: &str = "probe.token";

/// The sign-ins that the program keeps for a user. Clones are handles on the same.
#[derive(Debug, Clone)]
pub struct SignIns {
    dir: Arc<PathBuf>,
    keyring: Keyring,
}

impl SignIns {
    /// Returns the sign-ins that are kept in a user's state directory, which may not exist yet.
    pub fn in_state_dir(state_dir: &Path) -> Self {
        Self::with_keyring(state_dir, Keyring::new(Arc::new(SystemKeyring), keyring::PATIENCE))
    }

    /// Returns the sign-ins that are kept in a directory and in this keyring.
    pub(super) fn with_keyring(state_dir: &Path, keyring: Keyring) -> Self {
        Self { dir: Arc::new(state_dir.join(FOLDER)), keyring }
    }

    /// Returns the directory that the records lie in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the record of a sign-in; `None` where nobody is signed in.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn find(&self, id: &SignInId) -> Result<Option<Record>, StoreError> {
        if !own_files::check_directory(&self.dir)? {
            return Ok(None);
        }
        self.record(&id.key())
    }

    /// Finds a place for a sign-in and tries it, so that no sign-in is lost for want of one.
    ///
    /// # Errors
    /// [`StoreError::NothingKept`] where nothing is to be kept; otherwise where the place can't be used.
    pub async fn probe(&self, choice: StoreChoice) -> Result<StorePlace, StoreError> {
        let sign_ins = self.clone();
        blocking(move || sign_ins.probe_now(choice)).await
    }

    fn probe_now(&self, choice: StoreChoice) -> Result<StorePlace, StoreError> {
        let probed = match choice {
            StoreChoice::None => return Err(StoreError::NothingKept),
            StoreChoice::File => None,
            StoreChoice::Auto | StoreChoice::Keyring => Some(self.keyring.probe()),
        };
        // The record of every sign-in is a file.
        own_files::take_directory(&self.dir)?;
        match probed {
            Some(Ok(())) => Ok(StorePlace { choice, kept: Kept::Keyring, instead_of_keyring: None }),
            Some(Err(error)) if choice == StoreChoice::Keyring => Err(StoreError::Keyring(error)),
            why => {
                TokenFile::at(self.dir.join(PROBE)).room()?.give_back();
                let instead_of_keyring = why.and_then(Result::err);
                Ok(StorePlace { choice, kept: Kept::File, instead_of_keyring })
            }
        }
    }

    /// Keeps a sign-in in the place of an earlier one. Returns where it is kept: in a file, where the keyring has no
    /// room for it and the user leaves the choice to the program.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn keep(
        &self,
        new: NewSignIn,
        token: RefreshToken,
        place: &StorePlace,
    ) -> Result<StorePlace, StoreError> {
        let (held, place) = (self.hold(&new.id).await?, place.clone());
        blocking(move || held.keep(new, &token, place)).await
    }

    /// Notes what a policy demands of the next sign-in.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn challenged(&self, id: &SignInId, challenge: ClaimsChallenge) -> Result<(), StoreError> {
        let held = self.hold(id).await?;
        blocking(move || {
            let Some(mut record) = held.record()? else { return Ok(()) };
            record.challenge = Some(challenge);
            held.put_record(&record)
        })
        .await
    }

    /// Returns what is known of a sign-in, and whether its refresh token is there; `None` where nobody is signed in.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn status(&self, id: &SignInId) -> Result<Option<SignInStatus>, StoreError> {
        let Some(record) = self.find(id)? else { return Ok(None) };
        let (sign_ins, key) = (self.clone(), id.key());
        blocking(move || Ok(Some(sign_ins.status_of(&key, record)))).await
    }

    /// Returns the record of every sign-in, by the names of their files; errors stand in the place of those that can't
    /// be read.
    ///
    /// # Errors
    /// Returns an error where the directory can't be read.
    pub fn records(&self) -> Result<Vec<Result<Record, StoreError>>, StoreError> {
        let keys = self.keys(Key::of_record)?;
        // One that was forgotten meanwhile is none.
        Ok(keys.iter().filter_map(|key| self.record(key).transpose()).collect())
    }

    /// Returns what is known of every sign-in, by the names of their files; errors stand in the place of those that
    /// can't be read.
    ///
    /// # Errors
    /// Returns an error where the directory can't be read.
    pub async fn all(&self) -> Result<Vec<Result<SignInStatus, StoreError>>, StoreError> {
        let sign_ins = self.clone();
        blocking(move || {
            let mut all = Vec::new();
            for key in sign_ins.keys(Key::of_record)? {
                match sign_ins.record(&key) {
                    Ok(Some(record)) => all.push(Ok(sign_ins.status_of(&key, record))),
                    // It was forgotten meanwhile.
                    Ok(None) => {}
                    Err(error) => all.push(Err(error)),
                }
            }
            Ok(all)
        })
        .await
    }

    /// Returns the keys of the sign-ins that have files whose names `read` takes.
    pub(super) fn keys(&self, read: fn(&str) -> Option<Key>) -> Result<Vec<Key>, StoreError> {
        let unread = |error: std::io::Error| StoreError::file(&self.dir, &error);
        if !own_files::check_directory(&self.dir)? {
            return Ok(Vec::new());
        }
        let mut keys = Vec::new();
        for entry in std::fs::read_dir(&*self.dir).map_err(unread)? {
            keys.extend(entry.map_err(unread)?.file_name().to_str().and_then(read));
        }
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    fn status_of(&self, key: &Key, record: Record) -> SignInStatus {
        let file = self.token_file(key);
        let in_file = file.is_there();
        let is_in_file = record.kept == Kept::File || matches!(in_file, Ok(true));
        let is_there = if is_in_file {
            in_file
        } else {
            self.keyring.read(key).map(|token| token.is_some()).map_err(StoreError::Keyring)
        };
        SignInStatus { record, is_there, file: is_in_file.then(|| file.path().to_owned()) }
    }

    /// Takes the lock of a sign-in.
    pub(super) async fn hold(&self, id: &SignInId) -> Result<HeldSignIn, StoreError> {
        self.hold_key(id.key()).await
    }

    /// Takes the lock of the sign-in of a key.
    pub(super) async fn hold_key(&self, key: Key) -> Result<HeldSignIn, StoreError> {
        own_files::take_directory(&self.dir)?;
        let lock = SignInLock::take(&self.path(&key, "lock")).await?;
        Ok(HeldSignIn { sign_ins: self.clone(), key, lock })
    }

    fn path(&self, key: &Key, extension: &str) -> PathBuf {
        self.dir.join(format!("{key}.{extension}"))
    }

    fn record(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        let path = self.path(key, "json");
        let record = Record::read(&path)?;
        // A record under another's name would send this sign-in's token there.
        if record.as_ref().is_some_and(|record| record.id.key() != *key) {
            return Err(StoreError::Damaged { path });
        }
        Ok(record)
    }

    fn token_file(&self, key: &Key) -> TokenFile {
        TokenFile::at(self.path(key, "token"))
    }
}

/// A sign-in whose lock this process holds.
#[derive(Debug)]
pub(super) struct HeldSignIn {
    sign_ins: SignIns,
    key: Key,
    lock: SignInLock,
}

/// Where a new refresh token will be put, with room made for it.
#[derive(Debug)]
pub(super) enum Ready {
    /// Into the keyring.
    Keyring,
    /// Into the file.
    File(Room),
}

impl Ready {
    /// Gives the room back, where nothing is put there.
    pub(super) fn give_back(self) {
        match self {
            Self::Keyring => {}
            Self::File(room) => room.give_back(),
        }
    }
}

impl HeldSignIn {
    /// Returns the record.
    pub(super) fn record(&self) -> Result<Option<Record>, StoreError> {
        self.sign_ins.record(&self.key)
    }

    /// Replaces the record.
    pub(super) fn put_record(&self, record: &Record) -> Result<(), StoreError> {
        record.write(&self.sign_ins.path(&self.key, "json"))
    }

    /// Reads the refresh token from where it was kept last, and says where that is.
    pub(super) fn token(&self, record: &Record) -> Result<(RefreshToken, Kept), StoreError> {
        // A file beside a keyring that failed is newer than what that keyring has.
        let may_be_in_file = record.kept == Kept::File || record.choice == StoreChoice::Auto;
        if may_be_in_file && let Some(token) = self.file().read()? {
            return Ok((token, Kept::File));
        }
        if record.kept == Kept::File {
            return Err(StoreError::Gone(Kept::File));
        }
        let read = self.sign_ins.keyring.read(&self.key).map_err(StoreError::Keyring)?;
        read.map(|token| (token, Kept::Keyring)).ok_or(StoreError::Gone(Kept::Keyring))
    }

    /// Makes ready for a new refresh token.
    pub(super) fn ready(&self, kept: Kept) -> Result<Ready, StoreError> {
        match kept {
            Kept::Keyring => Ok(Ready::Keyring),
            Kept::File => self.file().room().map(Ready::File),
        }
    }

    /// Puts a new refresh token where it was made ready for. Returns where it lies then: in a file, where the keyring
    /// fails and the user leaves the choice to the program.
    pub(super) fn put(
        &self,
        token: &RefreshToken,
        ready: Ready,
        choice: StoreChoice,
    ) -> Result<(Kept, Option<KeyringError>), StoreError> {
        let room = match ready {
            Ready::File(room) => room,
            Ready::Keyring => match self.sign_ins.keyring.write(&self.key, token) {
                Ok(()) => return Ok((Kept::Keyring, None)),
                Err(error) if choice == StoreChoice::Auto => {
                    self.file().room()?.put(token)?;
                    return Ok((Kept::File, Some(error)));
                }
                Err(error) => return Err(StoreError::Keyring(error)),
            },
        };
        room.put(token)?;
        Ok((Kept::File, None))
    }

    fn keep(self, new: NewSignIn, token: &RefreshToken, place: StorePlace) -> Result<StorePlace, StoreError> {
        let ready = self.ready(place.kept)?;
        let earlier = self.record().unwrap_or_default();
        let was_in_keyring = earlier.is_some_and(|record| record.choice != StoreChoice::File);
        // A process that dies on the way leaves nobody signed in, rather than one with the token of another.
        own_files::remove(&self.sign_ins.path(&self.key, "json"))?;
        if place.kept == Kept::Keyring {
            self.file().remove()?;
        }
        let (kept, failed) = self.put(token, ready, place.choice)?;
        if kept == Kept::File && was_in_keyring {
            // Where it can't be deleted it does no harm: it is used no more.
            let _ = self.sign_ins.keyring.delete(&self.key);
        }
        let NewSignIn { id, scope, endpoint, account, method, signed_in } = new;
        let (choice, renewed, challenge) = (place.choice, None, None);
        let recorded = self.put_record(&Record {
            id,
            scope,
            endpoint,
            account,
            method,
            signed_in,
            renewed,
            choice,
            kept,
            challenge,
        });
        if let Err(error) = recorded {
            self.take_back(kept);
            return Err(error);
        }
        Ok(StorePlace { choice, kept, instead_of_keyring: failed.or(place.instead_of_keyring) })
    }

    /// Removes a refresh token that was put there, and that nobody would find without a record.
    fn take_back(&self, kept: Kept) {
        let removed = match kept {
            Kept::File => self.file().remove(),
            Kept::Keyring => self.sign_ins.keyring.delete(&self.key).map_err(StoreError::Keyring),
        };
        if removed.is_err() {
            info!(%kept, "a refresh token without a record could not be removed");
        }
    }

    /// Returns the file of the refresh token.
    pub(super) fn file(&self) -> TokenFile {
        self.sign_ins.token_file(&self.key)
    }

    /// Returns the path of a file by its extension.
    pub(super) fn file_of(&self, extension: &str) -> PathBuf {
        self.sign_ins.path(&self.key, extension)
    }

    /// Returns the keyring.
    pub(super) fn keyring(&self) -> &Keyring {
        &self.sign_ins.keyring
    }

    /// Returns the name that the files share, and the entry in the keyring.
    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// Removes the lock, with the last of the files.
    pub(super) fn remove_lock(self) {
        self.lock.remove();
    }
}

/// Runs what may block on a thread that may.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(StoreError::Ended),
    }
}
