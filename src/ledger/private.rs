//! Files and directories that only their owner reads.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use super::LedgerError;

/// Makes a run's directory, with any parents it lacks. Only the directory itself is private: a
/// parent may hold the runs of others.
///
/// A directory that exists is made private only while it is empty; one that holds other things is
/// the user's own to protect, and the files of the run are private wherever they lie.
pub(super) fn folder(dir: &Path) -> Result<(), LedgerError> {
    let made = parents(dir).and_then(|()| match new_folder(dir) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if fs::read_dir(dir)?.next().is_none() {
                restrict(dir, 0o700)
            } else {
                Ok(())
            }
        }
        Ok(()) => {
            sync(dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
        }
        Err(error) => Err(error),
    });
    made.map_err(|error| told(dir, error))
}

/// Opens a file for its owner, and makes it where it isn't there.
pub(super) fn file(path: &Path) -> Result<File, LedgerError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options.open(path).and_then(|file| restrict(path, 0o600).map(|()| file));
    opened.map_err(|error| told(path, error))
}

/// Takes a file, where it is there, from everybody but its owner: a copy may have opened it up.
pub(super) fn tighten(path: &Path) -> Result<(), LedgerError> {
    match restrict(path, 0o600) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(told(path, error)),
        _ => Ok(()),
    }
}

/// Whether an open file is the one that stands at a path.
#[cfg(unix)]
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let open = file.metadata().map(|found| (found.dev(), found.ino()));
    open.is_ok_and(|open| identity(path).is_ok_and(|there| there == open))
}

/// Here an open file cannot be taken away.
#[cfg(not(unix))]
pub(super) fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// What tells a file from any other one that comes to stand in its place.
#[cfg(unix)]
pub(super) fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

/// Here an open file cannot be taken away.
#[cfg(not(unix))]
pub(super) fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|_| (0, 0))
}

/// A failure with the path it is about.
pub(super) fn told(path: &Path, error: io::Error) -> LedgerError {
    LedgerError::File { path: path.to_owned(), source: Arc::new(error) }
}

fn parents(dir: &Path) -> io::Result<()> {
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => fs::create_dir_all(parent),
        _ => Ok(()),
    }
}

fn new_folder(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Sees to it that a directory knows what is in it. SQLite does so for files that it makes, and for no
/// directories or names.
#[cfg(unix)]
pub(super) fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path)?.permissions().mode() & 0o777 == mode {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}
