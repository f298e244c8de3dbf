//! Commands, settings and rows that documents show.

use std::fs;

use regex::Regex;

use super::{CHANGE_FILES, README, RUNNING, directory_with_samples, documents, entries, read, root, run};

#[test]
fn commands_that_are_shown_end_as_it_is_said() {
    let dir = directory_with_samples();
    let mut ran = 0;
    // The README first: others go on with what its commands leave behind.
    for Shown { line, arguments, exits } in documents().iter().flat_map(|file| shown_in(file)) {
        let Some(exits) = exits else { continue };
        let output = run(dir.path(), &arguments);
        assert_eq!(output.code, Some(exits), "{line}\n{}{}", output.stdout, output.stderr);
        ran += 1;
    }
    assert!(ran >= 11, "it is said of {ran} commands how they end");
    let runs = fs::read_dir(dir.path().join("reports")).unwrap().count();
    assert!(runs > 2, "runs lie below reports");
}

#[test]
fn commands_that_are_shown_can_be_typed() {
    for file in documents() {
        for Shown { line, mut arguments, .. } in shown_in(&file) {
            // Everything before it is parsed by then, and nothing is done.
            arguments.push("--help".to_owned());
            let output = run(&root(), &arguments);
            assert!(output.code == Some(0), "{file}: {line}\n{}", output.stderr);
        }
    }
}

#[test]
fn the_two_commands_come_first() {
    let readme = read(README);
    let first = fences(&readme, "sh").find(|fence| fence.contains("cargo run")).unwrap();
    let commands: Vec<&str> = first.lines().map(|line| line.split('#').next().unwrap().trim()).collect();
    assert_eq!(commands, ["cargo run --release -- apply samples/quarter-end.csv --sandbox", "cargo test"]);
}

#[test]
fn change_files_and_settings_that_are_shown_are_sound() {
    let dir = directory_with_samples();
    let (change_files, running) = (read(CHANGE_FILES), read(RUNNING));
    let mut examples = Vec::new();
    for form in ["csv", "jsonl"] {
        for fence in fences(&change_files, form) {
            let name = format!("{}.{form}", examples.len());
            fs::write(dir.path().join(&name), fence).unwrap();
            examples.push(name);
        }
    }
    assert!(examples.len() >= 3, "{examples:?}");
    let settings = fences(&running, "toml").next().unwrap();
    fs::write(dir.path().join("referral-bulk.toml"), settings).unwrap();
    let profile = Regex::new(r"\[profile\.(\w+)\]").unwrap().captures(settings).unwrap()[1].to_owned();
    for (number, example) in examples.iter().enumerate() {
        let number = format!("run{number}");
        let arguments = ["apply", example, "--plan", "--sandbox=samples/referrals.jsonl", "--clear"];
        let output = run(dir.path(), &[&arguments[..], &["--profile", &profile, "--out", &number]].concat());
        assert!(output.code == Some(0), "{example}: {}{}", output.stdout, output.stderr);
    }
}

#[test]
fn every_sample_has_its_use() {
    let documents = documents();
    let shown = documents.iter().flat_map(|file| shown_in(file));
    let commands: Vec<Shown> = shown.filter(|shown| shown.exits.is_some()).collect();
    let told = read("samples/README.md");
    for name in entries(&root().join("samples")).into_iter().filter(|name| name != "README.md") {
        assert!(told.contains(&format!("`{name}`")), "samples/README.md doesn't tell what {name} is for");
        let path = format!("samples/{name}");
        let used = commands.iter().any(|shown| shown.arguments.contains(&path));
        assert!(used, "no command that is shown uses {path}");
    }
}

/// A command that a document shows.
struct Shown {
    line: String,
    arguments: Vec<String>,
    /// The exit code, where the document says it: `# exits 3`.
    exits: Option<i32>,
}

fn shown_in(file: &str) -> impl Iterator<Item = Shown> {
    let text = read(file);
    let lines: Vec<String> = fences(&text, "sh").flat_map(str::lines).map(str::to_owned).collect();
    lines.into_iter().filter_map(|line| {
        let prefixes = ["cargo run --release -- ", "cargo run -- ", "referral-bulk "];
        let arguments = prefixes.iter().find_map(|prefix| line.strip_prefix(prefix))?;
        let arguments = shlex::split(arguments).unwrap_or_else(|| panic!("{line}"));
        let exits = line.split_once("# exits ").map(|(_, exits)| exits.trim().parse().unwrap());
        Some(Shown { line, arguments, exits })
    })
}

/// The fenced blocks of a language.
pub fn fences<'t>(text: &'t str, language: &str) -> impl Iterator<Item = &'t str> {
    let begin = format!("```{language}\n");
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(&begin) {
        let (block, after) = after.split_once("```").unwrap();
        blocks.push(block);
        rest = after;
    }
    blocks.into_iter()
}
