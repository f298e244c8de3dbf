//! What a run has on disk is there after a power cut: each name that is given, changed or taken away is synced with
//! the directory that it stands in before anything else is, and no file gets its name before its bytes are synced.
//! Needs `strace` on the path; `.ci/run` sees to it.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use support::place::Place;
use support::program::through;
use support::referrals::{id, referral};

/// The calls that change what stands in a directory, and those that sync.
const CALLS: &str = "fsync,fdatasync,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,link,linkat";

/// Each after the other, in one directory; how often a name is given, changed or taken away at least.
const COMMANDS: [(&str, i32, usize); 4] = [
    ("apply changes.jsonl --plan --sandbox=seed.jsonl --out deep/down/run", 0, 11),
    // Its plan was edited meanwhile, and is moved aside; the other reports are taken away before it sends.
    ("resume deep/down/run", 0, 12),
    ("migrate payloads.json --sandbox=seed.jsonl --patches out/patches.jsonl --out migrated", 0, 9),
    // It makes its directory by itself.
    ("apply changes.jsonl --sandbox=seed.jsonl", 0, 9),
];

#[test]
#[ignore = "needs strace"]
fn names_and_files_are_synced() {
    let home = Place::new();
    home.write("seed.jsonl", format!("{}\n", referral(0, "Active", "Accepted")));
    home.write("changes.jsonl", format!("{}\n", json!({ "id": id(0), "details": { "notes": "Ours" } })));
    let mut payload = referral(0, "Active", "Accepted");
    payload["details"]["notes"] = "Theirs".into();
    home.write("payloads.json", json!([payload]).to_string());
    fs::create_dir(home.path("out")).unwrap();
    let mut wrong = Vec::new();
    for (line, exit, least) in COMMANDS {
        if line.starts_with("resume") {
            home.write("deep/down/run/plan.jsonl", "Somebody's work\n");
        }
        let calls = format!("trace={CALLS}");
        let mut strace = through("strace", &["-f", "-y", "-qq", "-s", "4096", "-o", "trace", "-e", &calls]);
        strace.args(line.split(' ')).args(["--progress", "none"]);
        home.start_command(strace).wait().expect(exit);
        let trace = fs::read_to_string(home.path("trace")).unwrap();
        let here = fs::canonicalize(home.root()).unwrap();
        let Told { names, unsynced } = told(&trace, &here);
        wrong.extend(unsynced.into_iter().map(|what| format!("{line}: {what}")));
        if names < least {
            wrong.push(format!("{line}: {names} names were seen, and there are {least}\n{trace}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a trace says.
struct Told {
    /// How often a name was given, changed or taken away.
    names: usize,
    unsynced: Vec<String>,
}

/// What a thread did.
#[derive(Debug)]
enum Call {
    /// The bytes of a file, or the names in a directory.
    Sync(PathBuf),
    /// A name was given to a directory, or taken away.
    Name(PathBuf),
    /// A file got another name.
    Rename(PathBuf, PathBuf),
}

/// Goes through what was done in the directory `here` and below.
fn told(trace: &str, here: &Path) -> Told {
    let mut told = Told { names: 0, unsynced: Vec::new() };
    let (mut synced, mut waiting) = (BTreeSet::new(), BTreeMap::<&str, PathBuf>::new());
    for (thread, call) in trace.lines().filter_map(|line| call(line, here)) {
        let waits = waiting.remove(thread);
        match (waits, &call) {
            (Some(name), Call::Sync(what)) if *what == name.parent().unwrap() => {}
            (Some(name), _) => {
                told.unsynced.push(format!("{} is not synced before {call:?}", name.display()))
            }
            (None, _) => {}
        }
        let name = match call {
            Call::Sync(what) => {
                synced.insert(what);
                continue;
            }
            Call::Name(name) => name,
            Call::Rename(from, to) => {
                // What somebody edited is theirs to sync.
                let is_known = synced.contains(&from) || to.to_string_lossy().contains(".edited-");
                if !is_known {
                    told.unsynced.push(format!("{} gets its name before its bytes are synced", to.display()));
                }
                // What stood there is another file from now on.
                synced.remove(&from);
                synced.insert(to.clone());
                to
            }
        };
        told.names += 1;
        waiting.insert(thread, name);
    }
    let left = waiting.into_values().map(|name| format!("{} is never synced", name.display()));
    told.unsynced.extend(left);
    told
}

/// Reads a line of a trace: the thread, the call and what it is about. What SQLite does with its own files beside
/// the database is its own matter, and what came to nothing nobody's.
fn call<'t>(line: &'t str, here: &Path) -> Option<(&'t str, Call)> {
    let (thread, rest) = line.split_once(' ')?;
    let (name, rest) = rest.trim_start().split_once('(')?;
    if rest.contains(" = -1 ") {
        return None;
    }
    // Texts are names as they were given; what stands behind a number is what the system makes of it.
    let texts: Vec<PathBuf> = rest.split('"').skip(1).step_by(2).map(|text| here.join(text)).collect();
    let number =
        || rest.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(path, _)| path.into());
    let call = match (name, texts.as_slice()) {
        ("fsync" | "fdatasync", _) => Call::Sync(number()?),
        (_, [from, to]) => Call::Rename(from.clone(), to.clone()),
        (_, [name]) => Call::Name(name.clone()),
        _ => return None,
    };
    let of_sqlite = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        ["-wal", "-shm", "-journal"].iter().any(|end| name.ends_with(end))
    };
    match &call {
        Call::Name(name) if of_sqlite(name) || !name.starts_with(here) => None,
        _ => Some((thread, call)),
    }
}
