//! Names and directories that are still there after a power cut, and that their owner alone can read.
//!
//! A file that is synced is of no use while its directory doesn't know its name: that is on disk only when the
//! directory is synced, too, and so up to the first directory that was there before. Whatever of a run is made,
//! renamed or removed, is so by what stands here; `tests/architecture.rs` holds the code to it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

use tempfile::NamedTempFile;

/// Sees to it that a directory knows what is in it. Elsewhere than on Unix a directory can't be asked to, and one
/// that may be written to and not be read can't be either.
///
/// # Errors
/// Where it isn't there, or the disk says no.
#[cfg(unix)]
pub fn sync(dir: &Path) -> io::Result<()> {
    match File::open(or_here(dir)) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        opened => opened?.sync_all(),
    }
}

/// Sees to it that a directory knows what is in it, which only Unix can be asked to.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The directory that a file's name stands in.
fn parent(path: &Path) -> &Path {
    or_here(path.parent().unwrap_or(path))
}

/// A relative path of one name has an empty parent, which is the current directory.
fn or_here(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() { Path::new(".") } else { dir }
}

/// Makes a directory where there is none, and those on the way to it. They are as the system makes directories:
/// they may hold what is meant for others.
///
/// # Errors
/// Where one can't be made, or something else has its name.
pub fn make_directories(dir: &Path) -> io::Result<()> {
    if or_here(dir).is_dir() {
        return Ok(());
    }
    make_directories(parent(dir))?;
    match fs::create_dir(dir) {
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync(parent(dir)),
    }
}

/// Makes a directory for its owner alone. The one that it lies in must be there.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] where something has its name; else where it can't be made.
pub fn make_private_directory(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    sync(parent(dir))
}

/// Makes a directory for its owner alone, with any that it lacks on the way, or takes an empty one from
/// everybody else. One that holds other things is the user's own to protect.
///
/// # Errors
/// Where it can't be made.
pub fn take_private_directory(dir: &Path) -> io::Result<()> {
    make_directories(parent(dir))?;
    match make_private_directory(dir) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => {
            if fs::read_dir(dir)?.next().is_some() { Ok(()) } else { restrict(dir, 0o700) }
        }
        made => made,
    }
}

/// Takes a file or directory from everybody but its owner.
///
/// # Errors
/// Where it isn't there, or isn't one's own.
#[cfg(unix)]
pub fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path)?.permissions().mode() & 0o777 == mode {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Elsewhere than on Unix there are no such modes.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn restrict(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

/// Opens a file for its owner alone, to write behind what is in it; makes it where it isn't there.
///
/// # Errors
/// Where it can't be opened, or isn't one's own.
pub fn append_privately(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    restrict(path, 0o600)?;
    Ok(file)
}

/// Gives a file another name in its directory, in the place of whatever has that.
///
/// # Errors
/// As [`fs::rename`].
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync(parent(to))
}

/// Removes a file.
///
/// # Errors
/// As [`fs::remove_file`].
pub fn remove(file: &Path) -> io::Result<()> {
    fs::remove_file(file)?;
    sync(parent(file))
}

/// Gives what was written its name, in the place of whatever has that: whole and on disk, or not at all.
///
/// # Errors
/// Where the disk has no room, or the name can't be given.
pub fn put(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync(parent(path))
}

/// The same where nothing may have that name.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] where something has it; else as [`put`].
pub fn put_new(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    sync(parent(path))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn directories_are_made_with_all_on_the_way() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b/c");
        make_directories(&deep).unwrap();
        make_directories(&deep).unwrap();
        assert!(deep.is_dir());
        let run = deep.join("d/run");
        take_private_directory(&run).unwrap();
        take_private_directory(&run).unwrap();
        assert_eq!(make_private_directory(&run).unwrap_err().kind(), ErrorKind::AlreadyExists);
        fs::write(root.path().join("file"), "").unwrap();
        assert!(make_directories(&root.path().join("file/a")).is_err());
        assert!(take_private_directory(&root.path().join("file")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_private_directory_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let mode = |dir: &Path| fs::metadata(dir).unwrap().permissions().mode() & 0o777;
        let (new, empty, full) =
            (root.path().join("new"), root.path().join("empty"), root.path().join("full"));
        for dir in [&empty, &full] {
            fs::create_dir(dir).unwrap();
            fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(full.join("theirs"), "").unwrap();
        for (dir, wanted) in [(new, 0o700), (empty, 0o700), (full, 0o755)] {
            take_private_directory(&dir).unwrap();
            assert_eq!(mode(&dir), wanted, "{dir:?}");
        }
    }

    #[test]
    fn files_are_put_whole() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a");
        let written = |text: &str| {
            let mut file = NamedTempFile::new_in(root.path()).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file
        };
        put_new(written("first"), &path).unwrap();
        assert_eq!(put_new(written("second"), &path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        put(written("third"), &path).unwrap();
        rename(&path, &root.path().join("b")).unwrap();
        assert_eq!(fs::read_to_string(root.path().join("b")).unwrap(), "third");
        remove(&root.path().join("b")).unwrap();
        assert_eq!(remove(&path).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
