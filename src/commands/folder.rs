//! A run's directory.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Trouble;
use crate::report::Next;

/// A directory that a run is about to be put into.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Whether it was made here, and may be removed here if nothing comes of the run.
    made: bool,
}

impl Folder {
    /// Makes the directory the user named, or one below `reports` named by time and command. An
    /// existing one is taken where it holds no run.
    ///
    /// # Errors
    /// Where it can't be made, or holds a run already.
    pub fn make(named: Option<&Path>, command: &str, now: Timestamp) -> Result<Self, Trouble> {
        let path = match named {
            Some(path) => path.to_owned(),
            None => free_name(command, now),
        };
        if path.join("run.sqlite").exists() {
            let resume = Next::Resume { run: path.clone() }.command();
            return Err(Trouble::usage(format!("{} holds a run already", path.display()))
                .hint(format!("name another directory with --out, or carry on with that run: {resume}")));
        }
        let made = !path.exists();
        private_directory(&path).map_err(|error| {
            Trouble::could_not_run(format!("cannot make the run's directory {}: {error}", path.display()))
                .hint("name a directory you may write to with --out")
        })?;
        Ok(Self { path, made })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes back what was made, for a run that could not even be planned.
    pub fn discard(self) {
        for name in ["run.sqlite", "run.sqlite-wal", "run.sqlite-shm", "run.lock"] {
            // What isn't there, or can't be removed, is no reason to hide the error behind this.
            let _ = fs::remove_file(self.path.join(name));
        }
        if self.made {
            let _ = fs::remove_dir(&self.path);
        }
    }
}

fn free_name(command: &str, now: Timestamp) -> PathBuf {
    let time = now.strftime("%Y-%m-%dT%H-%M-%SZ");
    let base = PathBuf::from("reports").join(format!("{time}-{command}"));
    let numbered = (2..).map(|number| PathBuf::from(format!("{}-{number}", base.display())));
    std::iter::once(base.clone()).chain(numbered).find(|path| !path.exists()).unwrap_or(base)
}

#[cfg(unix)]
fn private_directory(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

    if path.is_dir() {
        return fs::set_permissions(path, fs::Permissions::from_mode(0o700));
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn private_directory(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path)
}
