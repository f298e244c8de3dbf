//! Files that are replaced as a whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::disk;
use crate::domain::characters::visible_path;
use crate::domain::sheet_cell::MOST_ROWS;

use super::edited::Kept;
use super::format::grouped;
use super::manifest::in_hex;
use super::names::UnknownInput;
use super::shelf::Shelf;

/// The number of bytes that are collected before they are written.
pub(super) const BUFFER: usize = 1 << 16;

/// Why a report could not be written. The files of an earlier report stay as they are, apart from those that
/// were replaced before.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Writing failed.
    #[error("cannot write {}: {source}", visible_path(path))]
    Write {
        /// The file that was being written.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A sheet of a workbook has no room for all rows.
    #[error(
        "{}: a sheet of a workbook has room for {} rows, and there are more",
        visible_path(path),
        grouped(MOST_ROWS)
    )]
    FullSheet {
        /// The workbook that was being written.
        path: PathBuf,
    },
    /// An account names an input that the run does not have.
    #[error(transparent)]
    UnknownInput(#[from] UnknownInput),
}

/// A new file beside the one that it replaces once it is complete. It computes the checksum of what is written
/// into it.
///
/// It is created with mode 0600, which it keeps under its final name. If it is dropped before, it is removed.
pub(super) struct AtomicFile {
    path: PathBuf,
    temporary: NamedTempFile,
    hash: Sha256,
}

/// A report that is in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// Where it is.
    pub path: PathBuf,
    /// The SHA-256 of its bytes in hexadecimal.
    pub sha256: String,
    /// The report that was there before, where that may have been edited.
    pub kept: Option<Kept>,
}

impl AtomicFile {
    /// Begins a file. It has another name until [`AtomicFile::put`].
    pub(super) fn begin(dir: &Path, name: &str) -> Result<Self, ReportError> {
        let path = dir.join(name);
        match tempfile::Builder::new().prefix(&format!(".{name}.")).tempfile_in(dir) {
            Ok(temporary) => Ok(Self { path, temporary, hash: Sha256::new() }),
            Err(source) => Err(ReportError::Write { path, source }),
        }
    }

    /// Returns the final path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its final name, unless another file has it, and returns the path.
    pub(super) fn put_new(self) -> Result<PathBuf, ReportError> {
        match disk::put_new(self.temporary, &self.path) {
            Ok(()) => Ok(self.path),
            Err(source) => Err(ReportError::Write { path: self.path, source }),
        }
    }

    /// Gives the file its final name, in the place of any other file, and returns the path.
    pub(super) fn replace(self) -> Result<PathBuf, ReportError> {
        match disk::put(self.temporary, &self.path) {
            Ok(()) => Ok(self.path),
            Err(source) => Err(ReportError::Write { path: self.path, source }),
        }
    }

    /// Puts the file in the place of an earlier one, which is kept where it may have been edited.
    pub(super) fn put(self, shelf: &Shelf) -> Result<Filed, ReportError> {
        let Self { path, temporary, hash } = self;
        let sha256 = in_hex(hash.finalize());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // The checksum goes on record first: if the process dies in between, the report is still known as ours.
        let placed = shelf.record(&name, &sha256).and_then(|()| {
            let kept = shelf.earlier().keep_edited(&path, Some(&sha256))?;
            disk::put(temporary, &path)?;
            Ok(kept)
        });
        match placed {
            Ok(kept) => Ok(Filed { path, sha256, kept }),
            Err(source) => Err(ReportError::Write { path, source }),
        }
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.temporary.as_file_mut().write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.as_file_mut().flush()
    }
}

/// Removes a file that an earlier report left, if there is one. It is kept where it may have been edited.
pub(super) fn remove_stale(shelf: &Shelf, name: &str) -> Result<Option<Kept>, ReportError> {
    let path = shelf.dir().join(name);
    let removed = shelf.earlier().keep_edited(&path, None).and_then(|kept| match disk::remove(&path) {
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
        let mut file = AtomicFile::begin(dir.path(), "a").unwrap();
        file.write_all(b"new").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(dir.path().join("a")).unwrap(), "old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_error_names_the_file() {
        let Err(error) = AtomicFile::begin(Path::new("/no/such/folder"), "a") else {
            panic!("there is no such folder")
        };
        assert!(error.to_string().starts_with("cannot write /no/such/folder/a: "), "{error}");
    }
}
