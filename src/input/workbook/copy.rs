//! A copy of a file's bytes, for a reader that goes back and forth.
//!
//! The directory of a workbook stands at its end, and a compressed file or standard input can be read only
//! once. So the bytes go into a file without a name first. That also makes sure that what is judged is what was
//! hashed, whoever saves the workbook meanwhile.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use super::super::context::InputContext;
use super::super::error::Unusable;

/// The number of bytes that are copied at a time.
const BLOCK: usize = 64 * 1024;

/// Copies all bytes into a file without a name, in the system's directory for temporary files. It is readable
/// for its owner only, and gone with the process.
///
/// # Errors
/// Where the bytes can't be read, or there is no room for them.
pub(super) fn of(context: &InputContext<'_>, mut bytes: impl Read) -> Result<File, Unusable> {
    let no_room = |error: io::Error| {
        let message = format!("cannot keep a copy of the workbook while it is read: {error}");
        let hint = "make room for temporary files, or name another directory for them in TMPDIR";
        context.unusable(message, Some(hint.into()))
    };
    let mut copy = tempfile::tempfile().map_err(no_room)?;
    let mut block = vec![0; BLOCK];
    loop {
        let count = bytes.read(&mut block).map_err(|error| context.unreadable(&error))?;
        if count == 0 {
            copy.rewind().map_err(no_room)?;
            return Ok(copy);
        }
        copy.write_all(&block[..count]).map_err(no_room)?;
    }
}
