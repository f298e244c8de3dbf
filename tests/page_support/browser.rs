//! A headless Chromium that Node.js drives, and what it is asked.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::program::start;

/// Where the scripts are that it is driven by.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/page/browser");

/// A page, what is to be checked of it, and what the checks are to know besides.
pub struct Looked<'a> {
    page: PathBuf,
    checks: &'a [&'a str],
    facts: Value,
}

impl<'a> Looked<'a> {
    /// The page of a run.
    pub fn at(run: &Path, checks: &'a [&'a str]) -> Self {
        Self { page: run.join("report.html"), checks, facts: json!({}) }
    }

    pub fn knowing(mut self, facts: Value) -> Self {
        self.facts = facts;
        self
    }
}

/// Looks at pages in one browser; answers what was said of them. Fails unless every check of every page was made, and
/// holds.
#[track_caller]
pub fn look(pages: &[Looked<'_>]) -> String {
    let lines: String = pages
        .iter()
        .map(|looked| {
            format!("{}\n", json!({ "page": looked.page, "checks": looked.checks, "facts": looked.facts }))
        })
        .collect();
    let said = node("check.js", &[], &lines);
    println!("{said}");
    for looked in pages {
        for check in looked.checks {
            let held = format!("ok {check} {} (", looked.page.display());
            assert!(said.lines().any(|line| line.starts_with(&held)), "{check} was not made: {said}");
        }
    }
    said
}

/// The commands that pages say can be typed. Fails where there is none.
#[track_caller]
pub fn typed(said: &str) -> Vec<String> {
    let commands = said.lines().filter_map(|line| line.strip_prefix("typed "));
    let commands: Vec<String> = commands.map(|command| serde_json::from_str(command).unwrap()).collect();
    assert!(!commands.is_empty(), "{said}");
    commands
}

/// Runs one of the scripts, or of the programs that came with them, to its end; answers what it said. Fails unless it
/// was content.
#[track_caller]
pub fn node(script: &str, arguments: &[&str], stdin: &str) -> String {
    let mut command = Command::new("node");
    command.current_dir(folder()).arg(script).args(arguments);
    let mut child = start(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// The scripts, beside what was installed for them.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let installed = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("page-browser");
        assert!(
            installed.join("node_modules").is_dir(),
            "what drives the browser is to be installed: see tests/page_support/mod.rs"
        );
        copy(Path::new(SCRIPTS), &installed);
        installed
    })
}

/// Copies scripts. Each appears whole, for another process may be reading it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let there = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &there);
        } else {
            let new = tempfile::NamedTempFile::new_in(to).unwrap();
            fs::copy(entry.path(), new.path()).unwrap();
            new.persist(there).unwrap();
        }
    }
}
