//! Keeps texts that planning needs once more before the plan is complete, and that are too many for memory.
//!
//! They are stored in the run's directory, in a file without a name: only this process can read it, and it is
//! gone with the process, however that ends.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::error::LedgerError;

/// Bytes that are collected before they are written to the file.
const BUFFER: usize = 1 << 16;

/// Bytes up to which nothing is written: most plans need no more, and reading them back from the file would take a call
/// of the system for each text.
const HELD: usize = 8 << 20;

/// The storage that texts are written to: a file, or memory.
trait Medium: Read + Write + Seek + Send + fmt::Debug {
    /// Reads as many bytes as `into` has, from a place.
    fn read_from(&mut self, start: u64, into: &mut [u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(start))?;
        self.read_exact(into)
    }
}

impl Medium for File {
    /// Takes one call of the system in place of two.
    #[cfg(unix)]
    fn read_from(&mut self, start: u64, into: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, into, start)
    }
}

impl Medium for Cursor<Vec<u8>> {}

/// Texts that were put aside until planning needs them again.
#[derive(Debug)]
pub struct Spill {
    /// The directory that errors name.
    dir: PathBuf,
    file: Box<dyn Medium>,
    /// Bytes of the file that are written.
    written: u64,
    /// Bytes that follow the written ones and are not in the file yet.
    pending: Vec<u8>,
}

/// The position of a text in a [`Spill`].
#[derive(Debug, Clone, Copy)]
pub struct SpillRef {
    start: u64,
    length: usize,
}

impl Spill {
    /// Begins an empty spill in a directory.
    pub(super) fn begin(dir: &Path) -> Result<Self, LedgerError> {
        let file = tempfile::tempfile_in(dir).map_err(|error| LedgerError::file(dir, error))?;
        Ok(Self::new(dir, Box::new(file)))
    }

    /// Begins an empty spill in memory.
    pub(super) fn in_memory(dir: &Path) -> Self {
        Self::new(dir, Box::new(Cursor::new(Vec::new())))
    }

    fn new(dir: &Path, file: Box<dyn Medium>) -> Self {
        Self { dir: dir.to_owned(), file, written: 0, pending: Vec::new() }
    }

    /// Puts a text aside; returns where to find it.
    ///
    /// # Errors
    /// Where the run's directory has no room for it.
    pub fn put(&mut self, text: &str) -> Result<SpillRef, LedgerError> {
        self.put_bytes(text.as_bytes())
    }

    /// Puts bytes aside that need not be a text.
    ///
    /// # Errors
    /// Where the run's directory has no room for them.
    pub fn put_bytes(&mut self, bytes: &[u8]) -> Result<SpillRef, LedgerError> {
        let start = self.written + self.pending.len() as u64;
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= if self.written == 0 { HELD } else { BUFFER } {
            self.write().map_err(|error| LedgerError::file(&self.dir, error))?;
        }
        Ok(SpillRef { start, length: bytes.len() })
    }

    /// Reads a text that was put aside.
    ///
    /// # Errors
    /// Where the file can't be written or read.
    pub fn text(&mut self, at: SpillRef) -> Result<String, LedgerError> {
        let mut bytes = Vec::new();
        self.bytes(at, &mut bytes)?;
        String::from_utf8(bytes).map_err(|error| LedgerError::file(&self.dir, io::Error::other(error)))
    }

    /// Reads bytes that were put aside, in place of what `into` holds.
    ///
    /// # Errors
    /// Where the file can't be written or read.
    pub fn bytes(&mut self, at: SpillRef, into: &mut Vec<u8>) -> Result<(), LedgerError> {
        self.read(at, into).map_err(|error| LedgerError::file(&self.dir, error))
    }

    /// Returns the error that something comes back otherwise than it was put aside.
    pub fn garbled(&self) -> LedgerError {
        let what = io::Error::new(io::ErrorKind::InvalidData, "what was put aside comes back otherwise");
        LedgerError::file(&self.dir, what)
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.written))?;
        self.file.write_all(&self.pending)?;
        self.written += self.pending.len() as u64;
        self.pending.clear();
        self.pending.shrink_to(2 * BUFFER);
        Ok(())
    }

    fn read(&mut self, SpillRef { start, length }: SpillRef, into: &mut Vec<u8>) -> io::Result<()> {
        into.clear();
        if let Some(start) = start.checked_sub(self.written) {
            let start = usize::try_from(start).map_err(io::Error::other)?;
            let pending = self.pending.get(start..).and_then(|pending| pending.get(..length));
            into.extend_from_slice(pending.ok_or(io::ErrorKind::UnexpectedEof)?);
            return Ok(());
        }
        into.resize(length, 0);
        self.file.read_from(start, into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_aside_comes_back_in_any_order() {
        let dir = tempfile::tempdir().unwrap();
        for spill in [Spill::begin(dir.path()).unwrap(), Spill::in_memory(dir.path())] {
            comes_back(spill);
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "it has no name");
        }
    }

    fn comes_back(mut spill: Spill) {
        // More than is held, and than is collected once that is exceeded.
        let texts = [String::new(), "é".to_owned(), "x".repeat(HELD / 16), "last".to_owned()];
        let mut places = Vec::new();
        for text in texts.iter().cycle().take(100) {
            places.push((spill.put(text).unwrap(), text));
            // Between two of them, one that was put aside long ago.
            let (place, earlier) = places[places.len() / 2];
            assert_eq!(spill.text(place).unwrap(), *earlier);
        }
        let mut bytes = Vec::new();
        for (place, text) in places.into_iter().rev() {
            assert_eq!(spill.text(place).unwrap(), *text);
            spill.bytes(place, &mut bytes).unwrap();
            assert_eq!(bytes, text.as_bytes());
        }
    }

    #[test]
    fn where_it_cannot_be_the_directory_is_named() {
        let error = Spill::begin(Path::new("/no/such/run")).unwrap_err();
        assert!(error.to_string().starts_with("/no/such/run: "), "{error}");
    }
}
