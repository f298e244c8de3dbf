//! What is written for people is true: help, tables, commands, links, samples and the example report.
//!
//! Text that follows from the program stands between `<!-- BEGIN name -->` and `<!-- END name -->`.
//! `cargo test --test docs -- --ignored` writes all of it again, and `reports/example/` too.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use referral_bulk::commands::next_command::spelled;
use referral_bulk::domain::aliases::{Meaning, TABLE};
use referral_bulk::domain::exit::Exit;
use referral_bulk::domain::fields::{Field, Kind};
use referral_bulk::domain::outcome::{Bucket, Outcome};
use referral_bulk::domain::rules::{Rule, transitions};
use referral_bulk::domain::status::{Stage, Status};
use regex::Regex;
use support::program::{self, Ended, program};
use support::rates;
use support::sha256::sha256;

const README: &str = "README.md";
const RUNNING: &str = "docs/running.md";
const CHANGE_FILES: &str = "docs/change-files.md";
const MIGRATE: &str = "docs/migrate.md";
const RULES: &str = "docs/rules.md";
const RUN_DIRECTORY: &str = "docs/run-directory.md";
const CLI: &str = "docs/cli.md";
const EXAMPLE: &str = "reports/example";
const COMMANDS: [&str; 7] = ["apply", "migrate", "resume", "report", "sandbox", "completions", "man"];
/// What the README's first two commands read, and about how long each takes at the default rate.
const GOOD: (&str, &str) = ("samples/quarter-end.csv", "11.6  11.5 waiting");
const MISTAKES: (&str, &str) = ("samples/quarter-end-mistakes.csv", "3.6  3.5 waiting");

#[test]
fn generated_text_is_what_the_program_says() {
    let mut wrong = Vec::new();
    for Block { file, name, text } in blocks() {
        let document = read(file);
        if with_block(&document, name, &text) != document {
            wrong.push(format!("{file} should hold, as {name}:\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{AGAIN}", wrong.join("\n"));
}

#[test]
fn the_example_is_what_the_readme_says_makes_it() {
    let (made, kept) = (example(), example_as_kept());
    assert_eq!(names(&made), names(&kept), "{AGAIN}");
    for (name, text) in &made {
        let differing = text.lines().zip(kept[name].lines()).find(|(made, kept)| made != kept);
        assert!(text == &kept[name], "{EXAMPLE}/{name} differs: {differing:#?}\n{AGAIN}");
    }
}

#[test]
fn the_codes_that_the_program_gives_are_listed() {
    let document = read(RUN_DIRECTORY);
    let listed = document.split_once("otherwise a word of this program: ").unwrap().1.lines().next().unwrap();
    let word = Regex::new("`([a-z-]+)`").unwrap();
    let listed: BTreeSet<&str> = word.captures_iter(listed).map(|found| found.extract::<1>().1[0]).collect();
    let verdict = r#"Outcome::\w+,\s*"([a-z-]+)""#;
    let failure = r#"=> "([a-z-]+)"\.to_owned\(\)"#;
    let mut given = BTreeSet::new();
    for (file, code) in [
        ("src/domain/outcome.rs", verdict),
        ("src/engine/item_task.rs", verdict),
        ("src/engine/item_task/doubt.rs", verdict),
        ("src/engine/fetch.rs", verdict),
        ("src/engine/settle.rs", verdict),
        ("src/plan/judging.rs", verdict),
        ("src/ledger/verdict.rs", verdict),
        ("src/domain/exchange.rs", failure),
    ] {
        let source = read(file);
        let shipped = source.split("#[cfg(test)]").next().unwrap();
        let found = Regex::new(code).unwrap();
        given.extend(found.captures_iter(shipped).map(|found| found.extract::<1>().1[0].to_owned()));
    }
    assert_eq!(listed, given.iter().map(String::as_str).collect());
}

const AGAIN: &str = "`cargo test --test docs -- --ignored` writes it again; read the difference";

#[test]
#[ignore = "writes README.md, docs/ and reports/example/ again"]
fn write_all_of_it_again() {
    for Block { file, name, text } in blocks() {
        fs::write(root().join(file), with_block(&read(file), name, &text)).unwrap();
    }
    let kept = root().join(EXAMPLE);
    let _ = fs::remove_dir_all(&kept);
    fs::create_dir_all(&kept).unwrap();
    for (name, text) in example() {
        fs::write(kept.join(name), text).unwrap();
    }
}

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

/// Whoever has five minutes reads all of it.
#[test]
fn the_readme_is_short() {
    let length = read(README).len();
    assert!(length <= 12 * 1024, "{length} bytes: what of it belongs in docs/?");
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
fn outcomes_and_members_are_explained() {
    let document = read(RUN_DIRECTORY);
    let mut place = 0;
    for outcome in Outcome::ALL {
        let file = match outcome.bucket() {
            Bucket::Success => "success",
            Bucket::Conflict => "conflict",
            Bucket::Error => "error",
            Bucket::Pending => "pending",
        };
        let row = format!("| `{}` | {file} |", outcome.name());
        let found = document.find(&row).unwrap_or_else(|| panic!("no row {row}"));
        assert!(found > place, "{row} stands where reports don't put it");
        place = found;
    }
    let summary: serde_json::Value = serde_json::from_str(&read("reports/example/summary.json")).unwrap();
    for name in summary.as_object().unwrap().keys() {
        assert!(document.contains(&format!("`{name}`")), "summary.json's {name}");
    }
    for name in names(&example_as_kept()) {
        assert!(document.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn links_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    for file in documents() {
        let text = read(&file);
        for found in link.captures_iter(&text).map(|found| found[1].to_owned()) {
            if found.starts_with("https://") {
                continue;
            }
            let (path, anchor) = found.split_once('#').unwrap_or((&found, ""));
            let target = match path {
                "" => root().join(&file),
                path => root().join(&file).parent().unwrap().join(path),
            };
            assert!(target.exists(), "{file} links to {found}, which isn't there");
            let known = anchor.is_empty() || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor);
            assert!(known, "{file} links to {found}, and there is no such heading");
        }
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

#[test]
fn nobody_in_the_samples_exists() {
    let example = Regex::new(r"(^|\.)example\.(com|net|org)$").unwrap();
    let address = Regex::new(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)").unwrap();
    let host = Regex::new(r#"https?://([^/"\s:]+)"#).unwrap();
    let phone = Regex::new(r"\+\d[\d ()-]{6,}\d").unwrap();
    let fictional = Regex::new(r"^\+1 555 01\d\d$").unwrap();
    let mut addresses = 0;
    for folder in ["samples", EXAMPLE] {
        for name in entries(&root().join(folder)) {
            let text = read(&format!("{folder}/{name}"));
            for found in address.captures_iter(&text) {
                assert!(example.is_match(&found[1]), "{folder}/{name}: {}", &found[0]);
                addresses += 1;
            }
            for found in host.captures_iter(&text) {
                let known = example.is_match(&found[1]) || &found[1] == "api.partner.microsoft.com";
                assert!(known, "{folder}/{name}: {}", &found[0]);
            }
            for found in phone.find_iter(&text) {
                assert!(fictional.is_match(found.as_str()), "{folder}/{name}: {}", found.as_str());
            }
        }
    }
    assert!(addresses > 50, "the samples have people in them");
}

#[test]
fn runs_are_ignored_and_the_example_is_not() {
    let ignored = read(".gitignore");
    let lines: Vec<&str> = ignored.lines().collect();
    let place =
        |line: &str| lines.iter().position(|found| *found == line).unwrap_or_else(|| panic!("{line}"));
    assert!(place("/reports/*") < place("!/reports/example/"));
    let kept = entries(&root().join(EXAMPLE));
    assert!(!kept.iter().any(|name| name.starts_with("run.")), "{kept:?}");
}

/// A piece of a document that follows from the program.
struct Block {
    file: &'static str,
    name: &'static str,
    text: String,
}

fn blocks() -> Vec<Block> {
    let block = |file, name, text| Block { file, name, text };
    let (good, mistakes) = (session(GOOD), session(MISTAKES));
    let first_finding: Vec<&str> = mistakes.errors.lines().take(3).collect();
    let lines: Vec<&str> = mistakes.errors.lines().collect();
    let last_lines = lines[lines.len() - 2..].join("\n");
    let mut blocks = vec![
        block(README, "good", fenced(&good.told)),
        block(README, "finding", fenced(&first_finding.join("\n"))),
        block(RUNNING, "mistakes", fenced(&mistakes.told)),
        block(README, "next", fenced(&last_lines)),
        block(CHANGE_FILES, "fields", field_table()),
        block(CHANGE_FILES, "names", name_table(false)),
        block(CHANGE_FILES, "refused-names", name_table(true)),
        block(MIGRATE, "audit", fenced(&audit())),
        block(RULES, "rules", rule_table(false)),
        block(RULES, "fixed-rules", rule_table(true)),
        block(RULES, "transitions", transition_table()),
        block(RUNNING, "exit-codes", exit_code_table()),
        block(RUNNING, "rates", rate_table()),
        block(CLI, "help", fenced(&help(&["--help"]))),
    ];
    blocks.extend(COMMANDS.map(|name| block(CLI, name, fenced(&help(&[name, "--help"])))));
    blocks
}

fn with_block(document: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- BEGIN {name} -->\n"), format!("<!-- END {name} -->"));
    let (before, rest) = document.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
    format!("{before}{begin}{}\n{end}{after}", text.trim_end())
}

fn rule_table(fixed: bool) -> String {
    let rules = Rule::all().filter(|rule| rule.is_fixed() == fixed);
    if fixed {
        let rows = rules.map(|rule| format!("| `{rule}` | {} |\n", spelled(&rule.about())));
        return format!("| rule | about |\n|---|---|\n{}", rows.collect::<String>());
    }
    let rows = rules
        .map(|rule| format!("| `{rule}` | {} | {} |\n", rule.default_level().name(), spelled(&rule.about())));
    format!("| rule | level | about |\n|---|---|---|\n{}", rows.collect::<String>())
}

fn transition_table() -> String {
    let names =
        |statuses: &[Status]| statuses.iter().map(|status| status.name()).collect::<Vec<_>>().join(", ");
    let rows = transitions::TABLE.map(|(status, followers)| {
        let substatuses: Vec<&str> = status.stages().map(Stage::substatus).collect();
        format!("| {} | {} | {} |\n", status.name(), names(followers), substatuses.join(", "))
    });
    format!("| status | may become | its substatuses |\n|---|---|---|\n{}", rows.concat())
}

fn rate_table() -> String {
    let runs = rates::run_all();
    assert!(rates::missed(&runs).is_empty(), "{}", rates::table(&runs));
    rates::table(&runs)
}

fn exit_code_table() -> String {
    let rows = Exit::ALL.map(|exit| format!("| {} | {} |\n", exit.code(), spelled(&exit.about())));
    format!("| code | meaning |\n|---|---|\n{}", rows.concat())
}

/// What the README's archive comes to, as its plan tells it.
fn audit() -> String {
    let dir = directory_with_samples();
    let output = run(dir.path(), &["migrate", "samples/legacy-puts.jsonl", "--sandbox", "--plan"]);
    let told = output.stdout;
    let (_, audit) = told.split_once("\nwhat the payloads come to\n").unwrap();
    let (audit, _) = audit.split_once("\nwhat went wrong\n").unwrap();
    format!("what the payloads come to\n{audit}")
}

fn field_table() -> String {
    let row = |field: Field| {
        let takes = match field.kind() {
            Kind::Text | Kind::Any => "text",
            Kind::Decimal => "a number; see [Numbers](#numbers)",
            Kind::Currency => "an ISO 4217 code, such as EUR",
            Kind::DateTime => {
                "`2026-12-31` (midnight UTC), or a time with its zone: `2026-12-31T17:00:00+01:00`"
            }
            Kind::Boolean => "`true` or `false`",
            Kind::Members => "a JSON array of members, each with an `email`",
            Kind::Solutions => "a JSON array of solutions, each with an `id` or a `name`",
        };
        let takes = match field {
            Field::Status => "New, Active or Closed",
            Field::Substatus => "see the table of transitions",
            _ => takes,
        };
        let pointer = field.pointer().as_str();
        format!("| `{pointer}` | `{}` | {takes} |\n", pointer[1..].replace('/', "."))
    };
    format!("| field | or | takes |\n|---|---|---|\n{}", Field::all().map(row).collect::<String>())
}

/// What people call the fields; or what is like that and is refused.
fn name_table(refused: bool) -> String {
    let rows = TABLE.iter().filter_map(|(meaning, names)| {
        let meant = match meaning {
            Meaning::Id => "`id`".to_owned(),
            Meaning::Field(field) => format!("`{}`", &field.pointer().as_str()[1..].replace('/', ".")),
            Meaning::Any(names) => format!("any of `{}`", names.join("`, `")),
            Meaning::Nothing(why) => (*why).to_owned(),
        };
        let is_refused = matches!(meaning, Meaning::Any(_) | Meaning::Nothing(_));
        (is_refused == refused).then(|| format!("| {} | {meant} |\n", names.join(", ")))
    });
    let heads = if refused { "| name | why |" } else { "| name | means |" };
    format!("{heads}\n|---|---|\n{}", rows.collect::<String>())
}

fn help(arguments: &[&str]) -> String {
    let output = run(&root(), arguments);
    assert!(output.code == Some(0), "{arguments:?}");
    output.stdout.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn fenced(text: &str) -> String {
    format!("```text\n{}\n```", text.trim_end())
}

/// What one of the README's commands says, with what differs from run to run made the same.
struct Session {
    told: String,
    errors: String,
    files: BTreeMap<String, String>,
}

fn example() -> BTreeMap<String, String> {
    session(MISTAKES).files
}

fn example_as_kept() -> BTreeMap<String, String> {
    let text = |name: String| {
        let text = read(&format!("{EXAMPLE}/{name}"));
        (name, text)
    };
    entries(&root().join(EXAMPLE)).into_iter().map(text).collect()
}

fn session((file, seconds): (&str, &str)) -> Session {
    let dir = directory_with_samples();
    let path = dir.path().join("run");
    let run_dir = path.to_str().unwrap();
    let output = run(dir.path(), &["apply", file, "--sandbox", "--progress", "none", "--out", run_dir]);
    let entries = entries(&path).into_iter().filter(|name| !name.starts_with("run."));
    let files = entries.map(|name| {
        let text = fs::read_to_string(path.join(&name)).unwrap();
        (name, same_every_time(&text.replace(run_dir, EXAMPLE)))
    });
    let files = with_checksums(files.collect());
    let [told, errors] = [output.stdout, output.stderr]
        .map(|text| text.replace(run_dir, "reports/2026-01-31T09-00-00Z-apply"));
    // The rate that comes from the settings here is not what is shown.
    let used = "note: referral-bulk.toml of the current directory is used: [profile.default]\n";
    let errors = errors.strip_prefix(used).expect("the settings are told").to_owned();
    Session { told: with_seconds(&told, seconds), errors, files }
}

/// The files with a summary that knows them as they are here.
fn with_checksums(mut files: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut summary = files["summary.json"].clone();
    for (name, text) in &files {
        let told = Regex::new(&format!(r#"("path":"{name}","rows":\w+,"sha256":")\w+"#)).unwrap();
        summary = told.replace(&summary, format!("${{1}}{}", sha256(text))).into_owned();
    }
    let (before, _) = summary.rsplit_once(",\"sha256\":").unwrap();
    let summary = format!("{before},\"sha256\":\"{}\"}}\n", sha256(before));
    files.insert("summary.json".to_owned(), summary);
    files
}

/// Times, the GUIDs of requests and durations, made the same. The samples' own GUIDs are made up and
/// stay: none is random.
fn same_every_time(text: &str) -> String {
    // A time of which the thousandths are zero has none.
    let time = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z").unwrap();
    let guid = Regex::new(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").unwrap();
    let seconds = Regex::new(r#""seconds":\{[^}]*\}"#).unwrap();
    let text = time.replace_all(text, "2026-01-31T09:00:00Z");
    let text = guid.replace_all(&text, |found: &regex::Captures<'_>| {
        let own = found[0].contains("-4000-8000-");
        if own { found[0].to_owned() } else { "00000000-0000-4000-8000-000000000000".to_owned() }
    });
    let same = r#""seconds":{"total":3.6,"waiting_for_rate":3.5,"paused_by_server":0.0,"held_back":0.0}"#;
    seconds.replace_all(&text, same).into_owned()
}

/// The summary with such seconds as it shows at the default rate; the numbers stay below each other.
fn with_seconds(told: &str, seconds: &str) -> String {
    let figure = Regex::new(r"^ (\s*[a-z]+)\s+([\d,.]+)(  .*)?$").unwrap();
    let figures: Vec<_> = told.lines().filter_map(|line| figure.captures(line)).collect();
    let number = |found: &regex::Captures<'_>| match &found[1] {
        "seconds" => seconds.split(' ').next().unwrap().len(),
        _ => found[2].len(),
    };
    let widths = (figures.iter().map(|found| found[1].len()).max(), figures.iter().map(number).max());
    let (Some(names), Some(numbers)) = widths else { panic!("no figures in {told}") };
    let mut lines = Vec::new();
    for line in told.lines() {
        let Some(found) = figure.captures(line) else {
            lines.push(line.to_owned());
            continue;
        };
        let (number, rest) = match &found[1] {
            "seconds" => seconds.split_once(' ').unwrap(),
            _ => (&found[2], found.get(3).map_or("", |rest| rest.as_str())),
        };
        let rest = match &found[1] {
            "seconds" => format!(" {rest} for the rate, 0.0 paused by the server"),
            _ => rest.to_owned(),
        };
        lines.push(format!(" {:names$}  {number:>numbers$}{rest}", &found[1]));
    }
    lines.join("\n")
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
fn fences<'t>(text: &'t str, language: &str) -> impl Iterator<Item = &'t str> {
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

/// The headings of a document as links name them.
fn anchors(text: &str) -> BTreeSet<String> {
    let slug = |heading: &str| -> String {
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    text.lines().filter(|line| line.starts_with('#')).map(|line| slug(line.trim_start_matches('#'))).collect()
}

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

fn names(files: &BTreeMap<String, String>) -> Vec<&String> {
    files.keys().collect()
}
