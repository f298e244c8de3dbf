//! What documents explain, and that their links lead somewhere.

use std::collections::BTreeSet;
use std::fs;

use calamine::Reader;
use referral_bulk::domain::outcome::{Bucket, Outcome};
use regex::Regex;

use super::session::{example_as_kept, names};
use super::{EXAMPLE, README, RUN_DIRECTORY, documents, entries, read, root};

#[test]
fn the_codes_that_the_program_gives_are_listed() {
    let document = read(RUN_DIRECTORY);
    let listed = document.split_once("otherwise a word of this program: ").unwrap().1.lines().next().unwrap();
    // A word begins with a letter; an option that the text names doesn't.
    let word = Regex::new("`([a-z][a-z-]*)`").unwrap();
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
        ("src/plan/planner.rs", verdict),
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

/// Whoever has five minutes reads all of it.
#[test]
fn the_readme_is_short() {
    let length = read(README).len();
    assert!(length <= 12 * 1024, "{length} bytes: what of it belongs in docs/?");
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
fn nobody_in_the_samples_exists() {
    let example = Regex::new(r"(^|\.)example\.(com|net|org)$").unwrap();
    let address = Regex::new(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)").unwrap();
    let host = Regex::new(r#"https?://([^/"\s:]+)"#).unwrap();
    let phone = Regex::new(r"\+\d[\d ()-]{6,}\d").unwrap();
    let fictional = Regex::new(r"^\+1 555 01\d\d$").unwrap();
    let mut addresses = 0;
    for folder in ["samples", EXAMPLE] {
        for name in entries(&root().join(folder)) {
            let text = text_of(&format!("{folder}/{name}"));
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

/// The text of a file, or of all cells of a workbook.
fn text_of(file: &str) -> String {
    if !file.ends_with(".xlsx") {
        return read(file);
    }
    let mut workbook = calamine::open_workbook_auto(root().join(file)).unwrap();
    let sheets = workbook.worksheets();
    let cells = sheets.iter().flat_map(|(_, sheet)| sheet.used_cells());
    cells.map(|(_, _, cell)| format!("{cell}\n")).collect()
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

/// The headings of a document as links name them.
fn anchors(text: &str) -> BTreeSet<String> {
    let slug = |heading: &str| -> String {
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    text.lines().filter(|line| line.starts_with('#')).map(|line| slug(line.trim_start_matches('#'))).collect()
}

#[test]
fn every_suite_is_in_the_table() {
    let tests = root().join("tests");
    let suites = entries(&tests).into_iter().filter_map(|name| match name.strip_suffix(".rs") {
        Some(suite) => Some(suite.to_owned()),
        None => tests.join(&name).join("main.rs").exists().then_some(name),
    });
    let text = read("CONTRIBUTING.md");
    let (_, table) = text.split_once("\n| suite | what | seconds |\n").unwrap();
    let firsts =
        table.lines().take_while(|line| line.starts_with('|')).map(|line| line.split('|').nth(1).unwrap());
    let told: BTreeSet<&str> = firsts.flat_map(|first| first.split('`').skip(1).step_by(2)).collect();
    assert_eq!(told, suites.collect::<Vec<_>>().iter().map(String::as_str).chain(["--lib"]).collect());
}
