//! What was written of one setting → its value, or why it has none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args;
use super::origin::{Origin, Sourced};
use crate::api::Auth;
use crate::commands::{CommandError, MaxErrors, Target, quoted};
use crate::domain::fields::{self, Resolved};
use crate::domain::pointer::Pointer;
use crate::domain::run_spec::{Base, StateSource};
use crate::domain::waves::{Waves, WavesError};
use crate::pace::Pacing;
use crate::secrets::CommandText;

/// Makes the sandbox the target. Its seed must have a UTF-8 name, since a run records it as text.
pub fn seed_of(seed: Option<PathBuf>) -> Result<Target, CommandError> {
    match seed {
        Some(path) if path.to_str().is_none() => Err(CommandError::usage(format!(
            "--sandbox={}: the name of this file is not UTF-8",
            quoted(path)
        ))
        .hint("rename it: a run could not remember it by this name")),
        seed => Ok(Target::Sandbox(seed)),
    }
}

/// Parses a token command. An invalid one isn't shown: it may hold a secret.
pub fn command(text: &CommandText, origin: Origin<'_>) -> Result<Auth, CommandError> {
    Auth::command(text).map_err(|error| {
        origin
            .error(error)
            .hint("write a program and its arguments, as a shell takes them, as in \"token-tool print\"")
    })
}

/// Takes the token file of a profile, which must not be an empty path. Clap refuses an empty path on the command
/// line by itself.
pub fn token_file(file: &Path, origin: Origin<'_>) -> Result<Auth, CommandError> {
    if file.as_os_str().is_empty() {
        return Err(origin
            .error("this names no file")
            .hint("name the file that holds a token, as in token.txt"));
    }
    Ok(Auth::file(file.to_owned()))
}

/// Checks the file that the patch documents are written to.
pub fn new_file(typed: String) -> Result<PathBuf, CommandError> {
    if typed.is_empty() || typed == "-" {
        return Err(CommandError::usage(format!("--patches {}: this names no file", quoted(&typed)))
            .hint("standard output is for the summary: name a new file, as in patches.jsonl"));
    }
    Ok(PathBuf::from(typed))
}

/// Parses the waves in which changes are sent.
pub fn waves(typed: &str) -> Result<Waves, CommandError> {
    typed.parse().map_err(|error: WavesError| {
        CommandError::usage(format!("--waves {}: {error}", quoted(typed)))
            .hint("write numbers or shares of referrals, the last of them rest, as in --waves 1,5%,rest")
    })
}

/// Checks the file that change files were made from. Without the referrals as they stand nothing tells what moved since.
pub fn base(path: String, state: &StateSource) -> Result<Base, CommandError> {
    if path.is_empty() || path == "-" {
        return Err(CommandError::usage(format!("--base {path}: this names no file"))
            .hint("name the export or download that the changes were made from, as in deals.csv"));
    }
    if *state == StateSource::None {
        return Err(CommandError::usage(
            "--base with --state none: what somebody else changed since shows in the referrals as they stand alone",
        )
        .hint("plan against the API, or against a snapshot: --state referrals.jsonl"));
    }
    Ok(Base { path: path.into(), sha256: None })
}

/// The fields named by `--take`, or what holds them. One that isn't confirmed has to be allowed too.
pub fn taken(typed: &[String], allowed: &[String]) -> Result<BTreeSet<Pointer>, CommandError> {
    typed
        .iter()
        .map(|text| {
            let no_field = |why: &str| Err(CommandError::usage(format!("--take {text}: {why}")));
            let Ok(pointer) = Pointer::parse(text) else {
                return no_field("this is no JSON Pointer")
                    .map_err(|trouble| trouble.hint("write it as in /details/dealValue"));
            };
            match fields::resolve(&pointer) {
                Resolved::Field(_) => Ok(pointer),
                Resolved::Unconfirmed if allowed.contains(text) => Ok(pointer),
                Resolved::Unconfirmed if fields::known_within(&pointer).is_some() => Ok(pointer),
                Resolved::Unconfirmed => no_field("this path is not documented as patchable")
                    .map_err(|trouble| trouble.hint(format!("opt in with --allow-path {text}"))),
                Resolved::Append(_) | Resolved::Indexed(_) => no_field("a list is taken as a whole"),
                Resolved::ServerManaged => no_field("the service alone writes this"),
            }
        })
        .collect()
}

/// Parses the unconfirmed paths that may be patched. A path that needs no leave, or gets none, is an error.
pub fn allow_paths(typed: &[String]) -> Result<BTreeSet<Pointer>, CommandError> {
    typed
        .iter()
        .map(|text| {
            let pointer = Pointer::parse(text).map_err(|error| {
                CommandError::usage(format!("--allow-path {text}: {error}"))
                    .hint("write it as in /customerProfile/name")
            })?;
            match fields::resolve(&pointer) {
                Resolved::Unconfirmed => Ok(pointer),
                Resolved::Field(_) | Resolved::Append(_) => {
                    Err(CommandError::usage(format!("--allow-path {text}: this path can be patched anyway")))
                }
                Resolved::ServerManaged | Resolved::Indexed(_) => Err(CommandError::usage(format!(
                    "--allow-path {text}: this path cannot be patched at all"
                ))
                .hint("the service alone writes it, or it names an element of a list by its place")),
            }
        })
        .collect()
}

/// Parses the rate of a profile. Clap parses the flag.
pub fn rate(sourced: &Sourced<'_>) -> Result<Pacing, CommandError> {
    sourced.value.parse().map_err(|error| sourced.wrong(error))
}

/// Checks the number of requests in flight. Only that of a profile can be wrong: clap checks the flag.
pub fn concurrency(sourced: &Sourced<'_, u64>) -> Result<usize, CommandError> {
    let most = args::MOST_IN_FLIGHT;
    let number = u16::try_from(sourced.value).ok().filter(|number| (1..=most).contains(number));
    number.map(usize::from).ok_or_else(|| {
        sourced.wrong(format!("requests in flight are 1 to {most}")).hint("write it as in concurrency = 4")
    })
}

/// Parses the time at which sending stops.
pub fn parse_time(text: &str) -> Result<jiff::Timestamp, CommandError> {
    text.parse().map_err(|_| {
        CommandError::usage(format!("--finish-by {text}: no point in time"))
            .hint("write date, time and zone, as in 2026-12-31T18:00:00+01:00")
    })
}

/// Parses a duration, which must be longer than zero.
pub fn duration(sourced: &Sourced<'_>) -> Result<Duration, CommandError> {
    sourced
        .value
        .parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| sourced.wrong("no length of time").hint("write it as in 30s or 2m"))
}

/// Parses the limit of bad rows: a number, or a percentage.
pub fn parse_max_errors(sourced: &Sourced<'_>) -> Result<MaxErrors, CommandError> {
    let parsed = match sourced.value.strip_suffix('%') {
        Some(percent) => percent
            .parse::<f64>()
            .ok()
            .filter(|percent| (0.0..=100.0).contains(percent))
            .map(MaxErrors::Percent),
        None => sourced.value.parse().ok().filter(|count| *count > 0).map(MaxErrors::Count),
    };
    parsed.ok_or_else(|| {
        sourced.wrong("neither a number of rows nor a share of them").hint("write it as in 100 or 5%")
    })
}
