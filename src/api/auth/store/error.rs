//! What can go wrong with a sign-in that is kept.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::choice::Kept;
use super::keyring::KeyringError;
use crate::domain::characters::visible_path;
use crate::domain::wording::Wording;

/// The reason why a sign-in cannot be kept, found or used. It holds no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A file or directory cannot be read or written.
    #[error("{} cannot be used ({problem})", visible_path(.path))]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        problem: String,
    },
    /// What should be this user's alone isn't.
    #[error("{} {exposure}, so no sign-in is kept there or taken from it", visible_path(.path))]
    Exposed {
        /// The path of the file or directory.
        path: PathBuf,
        /// What is wrong with it.
        exposure: Exposure,
    },
    /// A record, or what should be a refresh token, is damaged.
    #[error("{} is damaged", visible_path(.path))]
    Damaged {
        /// Its path.
        path: PathBuf,
    },
    /// A newer version of this program wrote the record.
    #[error("{} was written by a newer version of this program (form {version})", visible_path(.path))]
    Newer {
        /// Its path.
        path: PathBuf,
        /// The form of the record.
        version: u64,
    },
    /// Another process holds the sign-in and does not let go of it.
    #[error("another process has held the sign-in for {} s ({})", .waited.as_secs(), visible_path(.lock))]
    Busy {
        /// The path of the lock.
        lock: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The system's keyring doesn't do what is asked of it.
    #[error("{0}")]
    Keyring(KeyringError),
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    NobodySignedIn,
    /// There is a record of the sign-in, and its refresh token is gone.
    #[error("the sign-in that was kept in {0} is not there any more")]
    Gone(Kept),
    /// This process ended before it was done.
    #[error("the program ended meanwhile")]
    Ended,
    /// The user wants nothing kept.
    #[error("nothing of a sign-in is to be kept, so it would end with this command")]
    NothingKept,
}

/// What is wrong with a file or directory that should be this user's alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exposure {
    /// Other users of this machine may read or change the file.
    #[error("is open to other users of this machine (mode {0:03o})")]
    WideFile(u32),
    /// Other users of this machine may read or change the directory.
    #[error("is open to other users of this machine (mode {0:03o})")]
    WideDirectory(u32),
    /// It belongs to another user.
    #[error("belongs to another user")]
    Foreign,
    /// It is a link, a pipe, or something else that this program never makes.
    #[error("is a link, a pipe or a directory where a file is expected")]
    NoFile,
}

impl StoreError {
    /// Returns the error of a file or directory.
    pub(super) fn file(path: &Path, error: &io::Error) -> Self {
        Self::File { path: path.to_owned(), problem: error.to_string() }
    }

    /// Returns what the user can do about it.
    pub fn remedy(&self) -> Wording {
        match self {
            Self::File { .. } => "see to space and permissions".into(),
            Self::Exposed { path, exposure } => match exposure {
                Exposure::WideFile(_) => {
                    let restrict = format!("chmod 600 {}", typed(path));
                    format!("if nobody else can have read it, type `{restrict}`; otherwise sign in again")
                        .into()
                }
                Exposure::WideDirectory(_) => {
                    let restrict = format!("chmod 700 {}", typed(path));
                    format!("if nobody else can have changed anything in it, type `{restrict}`; otherwise remove it and sign in again").into()
                }
                Exposure::Foreign | Exposure::NoFile => "remove it and sign in again".into(),
            },
            Self::Damaged { .. } | Self::NobodySignedIn | Self::Gone(_) => "sign in again".into(),
            Self::Newer { .. } => "use that version, or sign in again with this one".into(),
            Self::Ended => "try again".into(),
            Self::Busy { .. } => "end that process, or wait until it has ended, and try again".into(),
            Self::Keyring(error) => error.remedy(),
            Self::NothingKept => "let it be kept in the keyring or in a file".into(),
        }
    }

    /// Returns whether another sign-in would mend it.
    pub fn is_mended_by_sign_in(&self) -> bool {
        matches!(
            self,
            Self::Damaged { .. }
                | Self::NobodySignedIn
                | Self::Gone(_)
                | Self::Newer { .. }
                | Self::Exposed { exposure: Exposure::Foreign | Exposure::NoFile, .. }
        )
    }
}

/// Returns a path as a POSIX shell takes it.
fn typed(path: &Path) -> String {
    let path = visible_path(path);
    let is_plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c));
    if is_plain { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}
