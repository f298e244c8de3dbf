//! What holds of all that the program says, whatever it was asked for and whoever started it.
//!
//! What it says to type next can be typed: a shell makes words of it, and the program's own parser takes them.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex};

use referral_bulk::cli::args;
use regex::Regex;
use serde_json::Value;

use super::program::start;

/// What a terminal carries out and doesn't show.
static STEERING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\x1b\[[0-9;?]*[A-Za-z]").unwrap());

/// Lines that were typed already.
static TYPED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Holds what the program said on its streams to it.
#[track_caller]
pub fn check(stdout: &str, stderr: &str) {
    for text in [stdout, stderr] {
        for line in STEERING.replace_all(text, "").split(['\n', '\r']) {
            let event = next_event(line);
            if let Some(next) = event.as_deref().or_else(|| line.strip_prefix("next: ")) {
                assert!(can_be_typed(next), "no command is named: {line}");
            }
        }
    }
}

/// What an event of `--progress json` says to type next.
fn next_event(line: &str) -> Option<String> {
    let event: Value = serde_json::from_str(line.starts_with('{').then_some(line)?).ok()?;
    let next = if event["event"] == "next" { &event["text"] } else { &event["next"] };
    next.as_str().map(str::to_owned)
}

/// Types the command that a line ends with. Answers whether there is one.
#[track_caller]
fn can_be_typed(next: &str) -> bool {
    let Some(at) = next.find("referral-bulk ") else { return false };
    let command = &next[at..];
    if !TYPED.lock().unwrap().contains(command) {
        let words = words(command).unwrap_or_else(|why| panic!("no shell takes {command}\n{why}"));
        args::check(words).unwrap_or_else(|why| panic!("this can't be typed: {command}\n{why}"));
        TYPED.lock().unwrap().insert(command.to_owned());
    }
    true
}

/// The words that a shell makes of a line. Where it would do more than that, it is an error: a pattern of names
/// fits nothing here, no variable is set, and nothing but words may stand in a list.
pub fn words(line: &str) -> Result<Vec<OsString>, String> {
    let nowhere = tempfile::tempdir().unwrap();
    let script = format!("set -u\nshopt -s failglob\nwords=({line})\nprintf '%s\\0' \"${{words[@]}}\"");
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--restricted", "-c", &script]).current_dir(nowhere.path()).env_clear();
    bash.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = start(&mut bash).wait_with_output().unwrap();
    if !output.status.success() || !output.stderr.is_empty() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let words = output.stdout.split(|byte| *byte == 0).map(|word| OsStr::from_bytes(word).to_owned());
    let mut words: Vec<OsString> = words.collect();
    words.pop();
    Ok(words)
}
