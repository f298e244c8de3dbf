//! The SHA-256 of a file, taken while it is read.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// A reader that hashes the bytes that pass.
pub(super) struct HashingReader<'a, R> {
    pub(super) bytes: R,
    pub(super) hash: &'a RefCell<Sha256>,
}

impl<R: Read> Read for HashingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.bytes.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.hash.borrow_mut().update(&buffer[..count]);
                    return Ok(count);
                }
            }
        }
    }
}

/// Returns the SHA-256 of a file in hexadecimal, as the ledger records it for an input.
///
/// # Errors
/// Where the file can't be read.
pub fn sha256(path: &str) -> io::Result<String> {
    let hash = RefCell::new(Sha256::new());
    let mut file = HashingReader { bytes: File::open(path)?, hash: &hash };
    io::copy(&mut file, &mut io::sink())?;
    Ok(hex(&hash))
}

/// Returns the checksum of what has passed so far, in hexadecimal.
pub(super) fn hex(hash: &RefCell<Sha256>) -> String {
    hash.borrow().clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
