//! Durable file names: files and directories that survive a power cut, readable by their owner alone.
//!
//! Syncing a file is not enough, since its name is part of its directory: the name is on disk only once the
//! directory is synced too, and so on up to the first directory that existed before. All files and directories
//! of a run are made, renamed and removed through this module; `tests/architecture.rs` checks that.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

use tempfile::NamedTempFile;

/// Syncs a directory, so that the names in it are on disk.
///
/// A directory that may be written to but not read cannot be opened for that, and is passed over.
///
/// # Errors
/// If the directory does not exist, or the disk reports an error.
#[cfg(unix)]
pub fn sync(dir: &Path) -> io::Result<()> {
    match File::open(or_here(dir)) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        opened => opened?.sync_all(),
    }
}

/// Does nothing: a directory can be synced on Unix only.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Returns the directory that holds a file's name.
fn parent(path: &Path) -> &Path {
    or_here(path.parent().unwrap_or(path))
}

/// Returns the path of a directory, `.` for an empty one: a relative path of one name has an empty parent.
fn or_here(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() { Path::new(".") } else { dir }
}

/// Makes a directory and its missing parents, with the system's default permissions: they may also hold files
/// that are meant for other users.
///
/// # Errors
/// If one cannot be made, or its name belongs to something other than a directory.
pub fn make_directories(dir: &Path) -> io::Result<()> {
    if or_here(dir).is_dir() {
        return Ok(());
    }
    make_directories(parent(dir))?;
    match fs::create_dir(dir) {
        // Another process made it in the meantime.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync(parent(dir)),
    }
}

/// Makes a directory that its owner alone can read (mode 0700). Its parent must exist.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if the name is taken; otherwise if it cannot be made.
pub fn make_private_directory(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    sync(parent(dir))
}

/// Makes a directory that its owner alone can read, with its missing parents; restricts an empty one that exists.
///
/// A directory that holds files already keeps its permissions: the user may share those files on purpose.
///
/// # Errors
/// If it cannot be made.
pub fn take_private_directory(dir: &Path) -> io::Result<()> {
    make_directories(parent(dir))?;
    match make_private_directory(dir) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => {
            if fs::read_dir(dir)?.next().is_some() { Ok(()) } else { restrict(dir, 0o700) }
        }
        made => made,
    }
}

/// Sets the permission bits of a file or directory, unless it has them already.
///
/// # Errors
/// If it does not exist, or belongs to another user.
#[cfg(unix)]
pub fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path)?.permissions().mode() & 0o777 == mode {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Does nothing: there are no permission bits outside Unix.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn restrict(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

/// Opens a regular file in a directory that may come from somebody else: a link is not followed and a pipe not
/// waited for.
///
/// # Errors
/// Where it can't be opened, or is no regular file.
pub fn open_regular(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    let no_file = || io::Error::other("it is no regular file");
    let file = options.open(path).map_err(|error| if is_link_or_pipe(&error) { no_file() } else { error })?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(no_file()) }
}

/// Whether a file could not be opened because it is a link, or a pipe from which no process reads.
#[cfg(unix)]
fn is_link_or_pipe(error: &io::Error) -> bool {
    use rustix::io::Errno;
    error
        .raw_os_error()
        .is_some_and(|code| [Errno::LOOP, Errno::NXIO].contains(&Errno::from_raw_os_error(code)))
}

/// Outside Unix, links and pipes are opened like files.
#[cfg(not(unix))]
fn is_link_or_pipe(_: &io::Error) -> bool {
    false
}

/// Reads a text from a regular file, as [`open_regular`] opens it.
///
/// # Errors
/// Where it can't be opened or read, is no regular file, or holds no text.
pub fn read_regular(path: &Path) -> io::Result<String> {
    io::read_to_string(open_regular(File::options().read(true), path)?)
}

/// Opens a regular file for its owner alone, as [`open_regular`] does; makes it where `options` say so.
///
/// # Errors
/// Where it can't be opened, is no regular file, or isn't one's own.
pub fn open_privately(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = open_regular(options, path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if file.metadata()?.permissions().mode() & 0o777 != 0o600 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(file)
}

/// Returns whether an open file is the one of this name.
#[cfg(unix)]
pub fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |found: fs::Metadata| (found.dev(), found.ino());
    let open = file.metadata().map(identity);
    open.is_ok_and(|open| fs::symlink_metadata(path).map(identity).is_ok_and(|there| there == open))
}

/// Returns true: outside of Unix, an open file can't be removed.
#[cfg(not(unix))]
pub fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Returns whether two names lead to the same file, through links as well. A file that isn't there is none.
#[cfg(unix)]
pub fn is_same(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path| fs::metadata(path).map(|found| (found.dev(), found.ino()));
    identity(one).is_ok_and(|one| identity(other).is_ok_and(|other| one == other))
}

/// Returns whether two names lead to the same file, through symbolic links as well. A file that isn't there is none.
#[cfg(not(unix))]
pub fn is_same(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// Renames a file within its directory, replacing any file of the new name.
///
/// # Errors
/// See [`fs::rename`].
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync(parent(to))
}

/// Removes a file.
///
/// # Errors
/// See [`fs::remove_file`].
pub fn remove(file: &Path) -> io::Result<()> {
    fs::remove_file(file)?;
    sync(parent(file))
}

/// Gives a temporary file its final name, replacing any file of that name. Either all of it is on disk under
/// that name afterwards, or nothing changed.
///
/// # Errors
/// If the disk has no room, or the name cannot be given.
pub fn put(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync(parent(path))
}

/// Gives a temporary file its final name, which must be free.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if the name is taken; otherwise as [`put`].
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

    #[cfg(target_os = "linux")]
    #[test]
    fn only_a_regular_file_is_opened() {
        use std::os::unix::fs::PermissionsExt;
        let append_privately = |path: &Path| open_privately(File::options().append(true).create(true), path);
        let root = tempfile::tempdir().unwrap();
        let (plain, link, pipe) = (root.path().join("a"), root.path().join("b"), root.path().join("c"));
        fs::write(&plain, "first ").unwrap();
        fs::set_permissions(&plain, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&plain, &link).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        for refused in [&link, &pipe, &root.path().to_owned()] {
            assert!(append_privately(refused).is_err(), "{refused:?}");
            assert!(read_regular(refused).is_err(), "{refused:?}");
        }
        assert_eq!(fs::metadata(&plain).unwrap().permissions().mode() & 0o777, 0o640, "what a link names");
        append_privately(&plain).unwrap().write_all(b"second").unwrap();
        assert_eq!(fs::read_to_string(&plain).unwrap(), "first second");
        assert_eq!(fs::metadata(&plain).unwrap().permissions().mode() & 0o777, 0o600);
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
