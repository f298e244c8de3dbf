//! Files that are there as a whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::disk;
use crate::domain::characters::visible_path;

use super::edited::Kept;
use super::manifest::in_hex;
use super::names::UnknownInput;
use super::shelf::Shelf;

/// How many bytes are collected before they go to the disk.
pub(super) const BUFFER: usize = 1 << 16;

/// Why a report could not be written. A report that fails leaves the files of an earlier one alone,
/// but for those that were complete by then.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file system said no.
    #[error("cannot write {}: {source}", visible_path(path))]
    Write {
        /// The file that was being written.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// An account names an input that the run does not have.
    #[error(transparent)]
    UnknownInput(#[from] UnknownInput),
}

/// A new file beside the one that it replaces once it is complete. It knows the checksum of what was written
/// into it.
///
/// It is created with mode 0600, which it keeps when it takes the final name. Dropped before that,
/// it disappears.
pub(super) struct WholeFile {
    path: PathBuf,
    temporary: NamedTempFile,
    hash: Sha256,
}

/// A report that is in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// Where it is.
    pub path: PathBuf,
    /// Of its bytes, in hexadecimal.
    pub sha256: String,
    /// What was there before, and may be somebody's work.
    pub kept: Option<Kept>,
}

impl WholeFile {
    /// Begins a file of this name. Nothing is seen of it before [`WholeFile::keep`].
    pub(super) fn begin(dir: &Path, name: &str) -> Result<Self, ReportError> {
        let path = dir.join(name);
        match tempfile::Builder::new().prefix(&format!(".{name}.")).tempfile_in(dir) {
            Ok(temporary) => Ok(Self { path, temporary, hash: Sha256::new() }),
            Err(source) => Err(ReportError::Write { path, source }),
        }
    }

    /// The final path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the file where there is none, and says where that is.
    pub(super) fn keep_new(self) -> Result<PathBuf, ReportError> {
        match disk::put_new(self.temporary, &self.path) {
            Ok(()) => Ok(self.path),
            Err(source) => Err(ReportError::Write { path: self.path, source }),
        }
    }

    /// Puts the file in the place of an earlier one, which is kept where it may be somebody's work by now.
    pub(super) fn keep(self, shelf: &Shelf) -> Result<Filed, ReportError> {
        let Self { path, temporary, hash } = self;
        let sha256 = in_hex(hash.finalize());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let placed = shelf.note(&name, &sha256).and_then(|()| {
            let kept = shelf.earlier().keep(&path, Some(&sha256))?;
            disk::put(temporary, &path)?;
            Ok(kept)
        });
        match placed {
            Ok(kept) => Ok(Filed { path, sha256, kept }),
            Err(source) => Err(ReportError::Write { path, source }),
        }
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.temporary.as_file_mut().write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.as_file_mut().flush()
    }
}

/// Takes away a file that an earlier report left, where there is one. It is kept where it may be somebody's
/// work by now.
pub(super) fn remove_stale(shelf: &Shelf, name: &str) -> Result<Option<Kept>, ReportError> {
    let path = shelf.dir().join(name);
    let removed = shelf.earlier().keep(&path, None).and_then(|kept| match disk::remove(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(kept),
    });
    removed.map_err(|source| ReportError::Write { path, source })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_is_not_kept_leaves_the_earlier_one_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), "old").unwrap();
        let mut file = WholeFile::begin(dir.path(), "a").unwrap();
        file.write_all(b"new").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(dir.path().join("a")).unwrap(), "old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_error_names_the_file() {
        let Err(error) = WholeFile::begin(Path::new("/no/such/folder"), "a") else {
            panic!("there is no such folder")
        };
        assert!(error.to_string().starts_with("cannot write /no/such/folder/a: "), "{error}");
    }
}
