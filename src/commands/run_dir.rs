//! Makes a run's directory, and removes it again where the run is not begun.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::choices;
use super::error::CommandError;
use super::next_command::{CommandLine, flag};
use super::run_log::RUN_LOG;
use crate::disk;
use crate::domain::account::Phase;
use crate::domain::characters::visible_path;
use crate::domain::setting::Setting;
use crate::ledger::{self, LedgerError, Reader};
use crate::report::is_report;

/// The directory for runs that the user names no directory for.
const RUNS: &str = "reports";

/// A directory that a run is about to be put into.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    /// The directories that were created here, and may be removed again if nothing comes of the run; the
    /// innermost first.
    made: Vec<PathBuf>,
}

impl RunDir {
    /// Makes the directory that the user named, or one below `reports` that is named by time and command. An
    /// existing directory is taken where it holds no run.
    ///
    /// # Errors
    /// Returns an error where the directory can't be made, or holds a run already.
    pub async fn make(named: Option<&Path>, command: &str, now: Timestamp) -> Result<Self, CommandError> {
        if let Some(path) = named {
            let made = missing(path);
            take(path).await?;
            return Ok(Self { path: path.to_owned(), made });
        }
        let made = missing(Path::new(RUNS));
        let path = make_named_by_time(command, now)?;
        Ok(Self { made: std::iter::once(path.clone()).chain(made).collect(), path })
    }

    /// Returns the path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what was made for a run that could not even be planned.
    pub async fn discard(self) {
        // A file that isn't there, or can't be removed, is no reason to hide the error that led here.
        let _ = fs::remove_file(self.path.join(RUN_LOG));
        ledger::discard(&self.path).await;
        self.give_up();
    }

    /// Removes the directories that were made for a run that was not begun.
    pub fn give_up(self) {
        for path in self.made {
            // A directory that isn't empty is in use by another process or user.
            let _ = fs::remove_dir(path);
        }
    }
}

/// Returns a file that has the name of one of a run's own.
fn in_the_way(path: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(path).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    // Diagnostics are added to what is there, and taken back with a run that can't be planned.
    let is_log = |file: &Path| file.file_name().is_some_and(|name| name == RUN_LOG);
    files.filter(|file| is_report(file) || is_log(file)).min()
}

/// Returns whether a file has a name that belongs to a run in its directory: that of its ledger, of a file
/// beside the ledger, or of a report.
pub fn is_reserved(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str());
    is_report(file) || name.is_some_and(|name| name.starts_with("run.") || name == "report.html")
}

/// Returns the directories on the way to a path that don't exist, the innermost first.
fn missing(path: &Path) -> Vec<PathBuf> {
    let there = |path: &Path| path.as_os_str().is_empty() || path.exists();
    path.ancestors().take_while(|path| !there(path)).map(Path::to_owned).collect()
}

/// Takes the directory that the user named.
async fn take(path: &Path) -> Result<(), CommandError> {
    if ledger::is_taken(path).await {
        return Err(taken(path).await);
    }
    if let Some(file) = in_the_way(path) {
        return Err(CommandError::usage(format!(
            "{} is there already and would be overwritten",
            visible_path(&file)
        ))
        .hint(format!("name a new or an empty directory with {}", flag(Setting::Out))));
    }
    disk::take_private_directory(path).map_err(|error| not_made(path, error))
}

/// Returns the error of a run that was not begun in a directory that was taken. Another process may have been
/// faster.
pub async fn not_begun(path: &Path, error: LedgerError) -> CommandError {
    match error {
        LedgerError::Exists { .. } | LedgerError::Busy { .. } => taken(path).await,
        other => other.into(),
    }
}

async fn taken(path: &Path) -> CommandError {
    CommandError::usage(format!("{} holds a run already", visible_path(path))).hint(format!(
        "name another directory with {}{}",
        flag(Setting::Out),
        or_that_run(path).await
    ))
}

/// Returns the hint about what can be done with the run that is there.
async fn or_that_run(path: &Path) -> String {
    match ledger::read(path).await.as_ref().map(Reader::header) {
        // The inputs of its plan can't be read again, so the run can't be resumed.
        Ok(there) if there.phase == Phase::Planning && choices::anew(&there.spec, &[]).is_some() => {
            String::new()
        }
        Ok(there) if there.phase == Phase::Finished => {
            format!(", or see what became of that run: {}", CommandLine::report(path))
        }
        Err(error) if error.is_damage() => String::new(),
        _ => format!(", or carry on with that run: {}", CommandLine::resume(path, Vec::new())),
    }
}

/// Makes a directory that is named by time and command, with a number where another run that begins in the
/// same second takes the name first.
fn make_named_by_time(command: &str, now: Timestamp) -> Result<PathBuf, CommandError> {
    let time = now.strftime("%Y-%m-%dT%H-%M-%SZ");
    let base = format!("{time}-{command}");
    let mut number = 1;
    loop {
        let name = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        let path = Path::new(RUNS).join(name);
        let made = disk::make_directories(Path::new(RUNS)).and_then(|()| disk::make_private_directory(&path));
        match made {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => number += 1,
            Err(error) => return Err(not_made(&path, error)),
        }
    }
}

fn not_made(path: &Path, error: io::Error) -> CommandError {
    CommandError::could_not_run(format!("cannot make the run's directory {}", visible_path(path)))
        .because(error)
        .hint(format!("name a directory you may write to with {}", flag(Setting::Out)))
}
