//! Forgetting sign-ins: what lies of them in the directory and in the keyring goes.
//!
//! A record goes last. Where the keyring can't be asked, it stays as long as the keyring may hold a refresh token:
//! nothing else tells the name of its entry.

use super::choice::{Kept, StoreChoice};
use super::error::StoreError;
use super::identity::{Key, SignInId};
use super::keyring::KeyringError;
use super::own_files;
use super::record::Record;
use super::sign_ins::{HeldSignIn, PROBE, SignIns, blocking};
use super::token_file::TokenFile;

/// What was removed of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// Its record, where there was one that could be read.
    pub record: Option<Record>,
    /// Why its record could not be read, where there was one.
    pub unread: Option<StoreError>,
    /// Where a refresh token was removed.
    pub tokens: Vec<Kept>,
    /// Why the keyring could not be asked, where the refresh token may be there. The record stays then.
    pub left_in_keyring: Option<KeyringError>,
}

impl Forgotten {
    /// Returns whether there was nothing of a sign-in.
    pub fn is_nothing(&self) -> bool {
        self.record.is_none()
            && self.unread.is_none()
            && self.tokens.is_empty()
            && self.left_in_keyring.is_none()
    }
}

impl SignIns {
    /// Removes a sign-in: its refresh token from wherever it lies, and its record. Tokens that were issued stay good
    /// until they end.
    ///
    /// # Errors
    /// See [`StoreError`]. Where the keyring can't be asked, that is told in what is returned.
    pub async fn forget(&self, id: &SignInId) -> Result<Forgotten, StoreError> {
        if !own_files::check_directory(self.dir())? {
            let (record, unread, left_in_keyring) = (None, None, None);
            return Ok(Forgotten { record, unread, tokens: Vec::new(), left_in_keyring });
        }
        let held = self.hold(id).await?;
        blocking(move || held.forget()).await
    }

    /// Removes every sign-in, and whatever else this program left beside them: also refresh tokens whose records are
    /// damaged or missing. An error stands in the place of a sign-in that can't be removed; the others are removed all
    /// the same.
    ///
    /// # Errors
    /// Returns an error where the directory can't be read.
    pub async fn forget_all(&self) -> Result<Vec<Result<Forgotten, StoreError>>, StoreError> {
        let mut all = Vec::new();
        for key in self.keys(Key::of_file)? {
            let forgotten = match self.hold_key(key).await {
                Ok(held) => blocking(move || held.forget()).await,
                Err(error) => Err(error),
            };
            all.push(forgotten);
        }
        // What a process left that died while it tried the directory.
        if let Err(error) = TokenFile::at(self.dir().join(PROBE)).remove() {
            all.push(Err(error));
        }
        Ok(all)
    }
}

impl HeldSignIn {
    fn forget(self) -> Result<Forgotten, StoreError> {
        // What can't be read goes as well.
        let (record, unread) = match self.record() {
            Ok(record) => (record, None),
            Err(error) => (None, Some(error)),
        };
        let mut forgotten = Forgotten { record, unread, tokens: Vec::new(), left_in_keyring: None };
        if self.file().remove()? {
            forgotten.tokens.push(Kept::File);
        }
        let record = forgotten.record.as_ref();
        if record.is_none_or(|record| record.choice != StoreChoice::File) {
            match self.keyring().delete(self.key()) {
                Ok(true) => forgotten.tokens.push(Kept::Keyring),
                Ok(false) => {}
                // Where there is no keyring, and nothing says that there was one, there is nothing in it.
                Err(KeyringError::Missing(_)) if record.is_none_or(|record| record.kept == Kept::File) => {}
                Err(error) => forgotten.left_in_keyring = Some(error),
            }
        }
        own_files::remove(&self.file_of("json.new"))?;
        if forgotten.left_in_keyring.is_none() {
            own_files::remove(&self.file_of("json"))?;
            self.remove_lock();
        }
        Ok(forgotten)
    }
}
