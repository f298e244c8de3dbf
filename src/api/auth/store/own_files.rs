//! Files and directories that must be this user's alone: who could read a refresh token is signed in, and who could
//! replace one decides who is.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::error::{Exposure, StoreError};
use crate::disk;

/// The permission bits by which others could read, change or enter something.
const ANY: u32 = 0o077;
/// Those by which others could change something.
const WRITING: u32 = 0o022;

/// Makes a directory for this user alone where there is none, and the one above it.
pub(super) fn take_directory(dir: &Path) -> Result<(), StoreError> {
    for dir in dir.parent().into_iter().chain([dir]) {
        disk::take_private_directory(dir).map_err(|error| StoreError::file(dir, &error))?;
    }
    check_directory(dir).map(drop)
}

/// Checks that a directory is this user's alone, and that nobody else can put another in its place. Returns whether it
/// is there.
pub(super) fn check_directory(dir: &Path) -> Result<bool, StoreError> {
    if let Some(above) = dir.parent()
        && let Ok(found) = std::fs::metadata(above)
        && let Some(exposure) = exposure(&found, WRITING, Exposure::WideDirectory)
    {
        return Err(StoreError::Exposed { path: above.to_owned(), exposure });
    }
    match std::fs::symlink_metadata(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::file(dir, &error)),
        Ok(found) => match exposure(&found, ANY, Exposure::WideDirectory) {
            Some(exposure) => Err(StoreError::Exposed { path: dir.to_owned(), exposure }),
            None => Ok(true),
        },
    }
}

/// Reads a file of at most `longest` bytes, which must be this user's alone. `None` where there is none.
pub(super) fn read(path: &Path, longest: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match disk::open_regular(File::options().read(true), path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unopened(path, &error)),
    };
    let found = file.metadata().map_err(|error| StoreError::file(path, &error))?;
    if let Some(exposure) = exposure(&found, ANY, Exposure::WideFile) {
        return Err(StoreError::Exposed { path: path.to_owned(), exposure });
    }
    let mut bytes = Vec::new();
    file.take(longest + 1).read_to_end(&mut bytes).map_err(|error| StoreError::file(path, &error))?;
    if bytes.len() as u64 > longest {
        return Err(StoreError::Damaged { path: path.to_owned() });
    }
    Ok(Some(bytes))
}

/// Removes a file, whatever it is. Returns whether there was one.
pub(super) fn remove(path: &Path) -> Result<bool, StoreError> {
    match disk::remove(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::file(path, &error)),
    }
}

/// Returns the error of a file that cannot be opened: maybe because it is none.
fn unopened(path: &Path, error: &io::Error) -> StoreError {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => {
            StoreError::Exposed { path: path.to_owned(), exposure: Exposure::NoFile }
        }
        _ => StoreError::file(path, error),
    }
}

/// Returns what is wrong with a file or directory that should be this user's alone, as far as these permission bits
/// tell.
#[cfg(unix)]
fn exposure(found: &Metadata, bits: u32, wide: impl FnOnce(u32) -> Exposure) -> Option<Exposure> {
    use std::os::unix::fs::MetadataExt;
    let mode = found.mode() & 0o777;
    if found.is_symlink() {
        return Some(Exposure::NoFile);
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Some(Exposure::Foreign);
    }
    (mode & bits != 0).then(|| wide(mode))
}

/// Returns nothing: outside Unix there are no permission bits, and the user's directory is the user's alone.
#[cfg(not(unix))]
fn exposure(_: &Metadata, _: u32, _: impl FnOnce(u32) -> Exposure) -> Option<Exposure> {
    None
}
