//! The file that a command writes for its user: whether it can be put in its place, and what it must not replace.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::CommandError;
use super::next_command::flag;
use super::run_dir;
use crate::disk;
use crate::domain::characters::visible_path;
use crate::domain::setting::Setting;
use crate::ledger;

/// Makes sure that a file can be put in its place, so that nothing is made in vain: it replaces no file without `force`,
/// and none of a run's own with it either.
///
/// # Errors
/// Returns a usage error where it can't, or may not.
pub async fn check(file: &Path, force: bool) -> Result<(), CommandError> {
    let name = visible_path(file);
    if file.is_dir() {
        return Err(CommandError::usage(format!("{name} is a directory"))
            .hint(format!("name a file in it with {}", flag(Setting::Out))));
    }
    if !force && file.symlink_metadata().is_ok() {
        return Err(there_already(file));
    }
    if !directory(file).is_dir() {
        return Err(CommandError::usage(format!("{name}: its directory is not there"))
            .hint("make the directory first, or name another file"));
    }
    // Where it is a link, both count: the link, and what it leads to.
    for place in file.canonicalize().ok().into_iter().chain([file.to_owned()]) {
        if run_dir::is_reserved(&place) && ledger::is_taken(directory(&place)).await {
            let message = format!("{name} is a name that the run gives to a file of its own");
            return Err(CommandError::usage(message).hint(name_another()));
        }
    }
    Ok(())
}

/// Makes sure that a file stands in place of none of `sources`, which a command was made from or reads. `what` says what
/// they are.
///
/// # Errors
/// Returns a usage error where it is one of them, under whichever name, or lies in a directory that is one.
pub fn spare<P: AsRef<Path>>(
    file: &Path,
    sources: impl IntoIterator<Item = P>,
    what: &str,
) -> Result<(), CommandError> {
    let place = place(file);
    let is_one = |source: &Path| {
        disk::is_same(file, source)
            || place.as_ref().is_some_and(|place| {
                self::place(source).as_ref() == Some(place)
                    || source.is_dir()
                        && source.canonicalize().is_ok_and(|source| place.0.starts_with(source))
            })
    };
    if sources.into_iter().any(|source| is_one(source.as_ref())) {
        return Err(CommandError::usage(format!("{} is {what}", visible_path(file))).hint(name_another()));
    }
    Ok(())
}

/// Returns the error of a file whose name is taken.
pub fn there_already(file: &Path) -> CommandError {
    CommandError::usage(format!("{} is there already", visible_path(file))).hint(format!(
        "name another file with {}, or have it replaced with {}",
        flag(Setting::Out),
        flag(Setting::Force)
    ))
}

fn name_another() -> String {
    format!("name another file with {}", flag(Setting::Out))
}

/// Returns the directory that a file lies in.
fn directory(file: &Path) -> &Path {
    file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns the directory that a file lies in, whatever leads there, and its name. The file need not be there.
fn place(file: &Path) -> Option<(PathBuf, OsString)> {
    Some((directory(file).canonicalize().ok()?, file.file_name()?.to_owned()))
}
