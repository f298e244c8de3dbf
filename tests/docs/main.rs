//! What is written for people is true: help, tables, commands, links, samples and the example report.
//!
//! Text that follows from the program stands between `<!-- BEGIN name -->` and `<!-- END name -->`.
//! `cargo test --test docs -- --ignored` writes all of it again, and `reports/example/` too.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod explained;
#[path = "../../benches/speed/figures.rs"]
#[expect(dead_code, reason = "the bench makes the figures")]
mod figures;
mod generated;
mod quarter_end;
mod schemas;
mod session;
mod shown;
#[path = "../support/mod.rs"]
mod support;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::program::{self, Ended, program};

const README: &str = "README.md";
const RUNNING: &str = "docs/running.md";
const CHANGE_FILES: &str = "docs/change-files.md";
const PORTAL_FILES: &str = "docs/portal-files.md";
const PERFORMANCE: &str = "docs/performance.md";
const MIGRATE: &str = "docs/migrate.md";
const RULES: &str = "docs/rules.md";
const RUN_DIRECTORY: &str = "docs/run-directory.md";
const CLI: &str = "docs/cli.md";
const EXAMPLE: &str = "reports/example";
const COMMANDS: [&str; 21] = [
    "apply",
    "migrate",
    "resume",
    "report",
    "undo",
    "export",
    "show",
    "explain",
    "login",
    "logout",
    "check",
    "approve",
    "verify",
    "config show",
    "ledger init",
    "ledger upgrade",
    "ledger check",
    "ledger forget",
    "sandbox",
    "completions",
    "man",
];

/// Everything that is written for people.
fn documents() -> Vec<String> {
    let below = |folder: &str| {
        let names = entries(&root().join(folder)).into_iter().filter(|name| name.ends_with(".md"));
        names.map(|name| format!("{folder}/{name}")).collect::<Vec<_>>()
    };
    let own = [README.to_owned(), "CONTRIBUTING.md".to_owned(), "CHANGELOG.md".to_owned()];
    own.into_iter().chain(below("docs")).chain(below("samples")).collect()
}

/// A directory with what the README's commands read; what they leave behind goes with it.
fn directory_with_samples() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["samples", EXAMPLE] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
        for name in entries(&root().join(folder)) {
            fs::copy(root().join(folder).join(&name), dir.path().join(folder).join(&name)).unwrap();
        }
    }
    // What is shown says nothing of a rate: here it comes from the settings, so that nobody waits.
    fs::write(dir.path().join("referral-bulk.toml"), "[profile.default]\nrate = \"1000/s\"\n").unwrap();
    dir
}

fn run<S: AsRef<OsStr>>(directory: &Path, arguments: &[S]) -> Ended {
    let mut command = program();
    command.args(arguments).current_dir(directory).env("COLUMNS", "100");
    program::run(command, "")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
