//! A refresh token in a file. It is replaced in steps, so that a process may die at any of them, and a disk that has
//! no room is noticed before the old token is given away:
//!
//! | step | `KEY.token` | `KEY.token.new` |
//! |---|---|---|
//! | room is made, before the exchange | old | blanks |
//! | the exchange | old, used | blanks |
//! | the new token is written | old, used | new, with a line end |
//! | it is put in its place | new | none |
//!
//! A process that dies between the exchange and the end of the third step loses the sign-in where the service takes
//! each refresh token once; it is a write of a few kilobytes long, and nothing can be done about it on this side. What
//! was written is found by the next process and put in its place.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::own_files;
use crate::api::auth::oauth::RefreshToken;
use crate::disk;

/// The most bytes of a file with a refresh token.
const LONGEST: u64 = 64 * 1024;
/// The room that is made for a refresh token: most have one or two kilobytes.
const ROOM: usize = 8 * 1024;
/// What the room is filled with: no character of a token.
const BLANK: u8 = b' ';

/// The file of one sign-in's refresh token. Its lock is held by whoever has this.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    new: PathBuf,
}

/// Room on the disk for a refresh token.
#[derive(Debug)]
pub(super) struct Room {
    file: File,
    path: PathBuf,
    new: PathBuf,
}

impl TokenFile {
    /// Returns the file of this path.
    pub(super) fn at(path: PathBuf) -> Self {
        let mut new = path.clone().into_os_string();
        new.push(".new");
        Self { path, new: new.into() }
    }

    /// Returns the path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether there is a token, as far as names tell.
    pub(super) fn is_there(&self) -> Result<bool, StoreError> {
        Ok(own_files::read(&self.path, LONGEST)?.is_some())
    }

    /// Reads the token. Where a process died before it had put a new one in its place, that is done now. `None` where
    /// there is none.
    pub(super) fn read(&self) -> Result<Option<RefreshToken>, StoreError> {
        if own_files::read(&self.new, LONGEST)?.is_some_and(|bytes| written(&bytes).is_some()) {
            let put = || {
                File::open(&self.new)?.sync_all()?;
                disk::rename(&self.new, &self.path)
            };
            put().map_err(|error| StoreError::file(&self.path, &error))?;
        }
        let Some(bytes) = own_files::read(&self.path, LONGEST)? else { return Ok(None) };
        let damaged = || StoreError::Damaged { path: self.path.clone() };
        written(&bytes).map(Some).ok_or_else(damaged)
    }

    /// Makes room for a token.
    pub(super) fn room(&self) -> Result<Room, StoreError> {
        // What a process left there that died is of no use any more, whoever could have written it.
        own_files::remove(&self.new)?;
        let made = || {
            let mut options = File::options();
            let mut file = disk::open_privately(options.write(true).create_new(true), &self.new)?;
            file.write_all(&[BLANK; ROOM])?;
            file.sync_all()?;
            Ok(file)
        };
        let file = made().map_err(|error| StoreError::file(&self.new, &error))?;
        Ok(Room { file, path: self.path.clone(), new: self.new.clone() })
    }

    /// Removes the token, and what a process left that died. Returns whether there was one.
    pub(super) fn remove(&self) -> Result<bool, StoreError> {
        let left = own_files::remove(&self.new)?;
        Ok(own_files::remove(&self.path)? || left)
    }
}

impl Room {
    /// Writes a token in the place of the present one. It is on disk afterwards.
    pub(super) fn put(mut self, token: &RefreshToken) -> Result<(), StoreError> {
        let text = format!("{}\n", token.expose());
        let mut put = || {
            self.file.rewind()?;
            self.file.write_all(text.as_bytes())?;
            self.file.set_len(text.len() as u64)?;
            self.file.sync_all()?;
            disk::rename(&self.new, &self.path)
        };
        put().map_err(|error| StoreError::file(&self.path, &error))
    }

    /// Gives the room back.
    pub(super) fn give_back(self) {
        // What stays is blank, and goes with the next exchange.
        let _ = own_files::remove(&self.new);
    }
}

/// Reads a token that was written to its end. Blanks may follow, where there was no time to cut them off.
fn written(bytes: &[u8]) -> Option<RefreshToken> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (token, rest) = bytes.split_at(end);
    if rest[1..].iter().all(|byte| *byte == BLANK) { RefreshToken::from_bytes(token) } else { None }
}
