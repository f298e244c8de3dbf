//! Worked cases of what becomes of a legacy PUT payload, as data: `tests/migrate/cases/*.json`.
//!
//! A case gives the referral as it stands (`current`), the `payload`, perhaps the `base`, and `flags` as
//! a user types them; and what must come of it: the `operations` to the last digit, the `outcome`, the
//! `class`, the `findings` as level, rule and the places that the message names, and `overwrites`, where
//! the audit says that the PUT would have. What `current`, `payload` and `base` don't say is filled in:
//! the id, and an eTag that is `v1` for all but the base. An `"eTag"` of null takes it out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use referral_bulk::domain::audit::Class;
use referral_bulk::domain::change::{Located, Payload};
use referral_bulk::domain::finding::{Finding, Location};
use referral_bulk::domain::json::Object;
use referral_bulk::domain::level::Level;
use referral_bulk::domain::pointer::Pointer;
use referral_bulk::domain::referral::{ETag, ReferralId};
use referral_bulk::domain::rules::{Levels, Rule};
use referral_bulk::domain::snapshot::Snapshot;
use referral_bulk::plan::{Judging, Migrated, Terms, migrate};
use regex::Regex;
use serde::Deserialize;
use serde_json::value::RawValue;

const ID: &str = "5a1e0001-0000-4000-8000-000000000001";
const PLACE: Location = Location { input: 0, line: 7, column: 1 };

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    current: Box<RawValue>,
    payload: Box<RawValue>,
    base: Option<Box<RawValue>>,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    operations: Vec<Operation>,
    outcome: String,
    class: Class,
    #[serde(default)]
    findings: Vec<String>,
    #[serde(default)]
    overwrites: Vec<String>,
}

/// The value as it is written, so that digits count.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    op: String,
    path: String,
    value: Box<RawValue>,
}

macro_rules! groups {
    ($($name:ident),*) => {
        const GROUPS: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { check(stringify!($name)) })*
    };
}
groups!(values, lists, clearing, stages, kept, unconfirmed, stale, taken, closed, malformed);

#[test]
fn no_group_is_forgotten_and_no_name_used_twice() {
    let files: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(files, GROUPS.iter().map(|group| (*group).to_owned()).collect());
    let names: Vec<String> =
        GROUPS.iter().flat_map(|group| cases(group)).map(|case: Case| case.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert!(names.len() >= 45, "{} cases", names.len());
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/migrate/cases")
}

fn cases(group: &str) -> Vec<Case> {
    let file = folder().join(format!("{group}.json"));
    let text = fs::read_to_string(&file).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Compares all cases of a group at once, so that one run shows everything that differs.
fn check(group: &str) {
    let (mut got, mut wanted) = (String::new(), String::new());
    for case in cases(group) {
        wanted += &told(&case.name, &expected(&case));
        got += &told(&case.name, &actual(&case));
    }
    pretty_equal(&got, &wanted);
}

fn told(name: &str, lines: &[String]) -> String {
    format!("{name}\n{}", lines.iter().map(|line| format!("  {line}\n")).collect::<String>())
}

fn pretty_equal(got: &str, wanted: &str) {
    let differing: Vec<_> = got.lines().zip(wanted.lines()).filter(|(got, wanted)| got != wanted).collect();
    assert!(got == wanted, "first differing lines: {:#?}\ngot:\n{got}\nwanted:\n{wanted}", differing.first());
}

fn expected(case: &Case) -> Vec<String> {
    let mut lines = vec![format!("{} ({})", case.outcome, case.class.name())];
    lines.extend(
        case.operations
            .iter()
            .map(|operation| format!("{} {} {}", operation.op, operation.path, operation.value)),
    );
    lines.extend(case.findings.iter().cloned());
    lines.extend(case.overwrites.iter().map(|pointer| format!("overwrites {pointer}")));
    lines
}

fn actual(case: &Case) -> Vec<String> {
    let current = filled(&case.current, Some("v1"));
    let base = case.base.as_ref().map(|base| filled(base, None));
    let body = filled(&case.payload, Some("v1"));
    let Migrated { planned, .. } = run(&current, &body, base.as_deref(), &case.flags);
    let (item, audit) = (&planned.item, planned.audit.as_ref().unwrap());
    let outcome = planned.verdict.as_ref().map_or("planned", |verdict| verdict.outcome.name());
    let mut lines = vec![format!("{outcome} ({})", audit.class.name())];
    let operations: Vec<Operation> = serde_json::from_str(item.patch.get()).unwrap();
    lines.extend(
        operations.iter().map(|operation| format!("{} {} {}", operation.op, operation.path, operation.value)),
    );
    lines.extend(item.findings.iter().map(places));
    lines.extend(audit.overwritten.iter().map(|pointer| format!("overwrites {pointer}")));

    assert_eq!(audit.put_bytes, body.len() as u64, "{}", case.name);
    let patch_bytes = if outcome == "planned" { item.patch.get().len() } else { 0 };
    assert_eq!(audit.patch_bytes, patch_bytes as u64, "{}", case.name);
    if outcome == "planned" {
        assert_eq!(
            item.etag.as_ref().map(ETag::as_str),
            text(&current, "eTag").or(text(&body, "eTag")).as_deref()
        );
    }
    lines
}

/// A finding as level, rule and the places that its message names.
fn places(finding: &Finding) -> String {
    let pointers = Regex::new(r"(?:^|[ :])(/[A-Za-z@][\w.@/~]*(?: \([^)]*\))?)").unwrap();
    let named = pointers.captures_iter(&finding.message).map(|found| format!(" {}", &found[1]));
    assert_eq!(finding.place, PLACE);
    format!("{} {}{}", finding.level.name(), finding.rule, named.collect::<String>())
}

fn run(current: &str, body: &str, base: Option<&str>, flags: &[String]) -> Migrated {
    let mut terms = Terms::default();
    let mut levels = Levels::default();
    for flag in flags {
        match flag.split_once(' ') {
            None if flag == "--clear" => terms.clear = true,
            Some(("--allow-path", path)) => assert!(terms.allow_paths.insert(Pointer::parse(path).unwrap())),
            Some(("--take", path)) => assert!(terms.take.insert(Pointer::parse(path).unwrap())),
            Some(("--rule", rule)) => {
                let (rule, level) = rule.split_once('=').unwrap();
                levels.set(Rule::parse(rule).unwrap(), Level::parse(level).unwrap()).unwrap();
            }
            _ => panic!("no flag: {flag}"),
        }
    }
    let judging = Judging {
        levels,
        now: "2026-11-20T12:00:00Z".parse().unwrap(),
        new_id: uuid::Uuid::nil,
        inputs: vec!["archive.jsonl".to_owned()],
    };
    let etag =
        text(body, "eTag").map(|etag| Located { value: ETag::from_input(&etag).unwrap(), place: PLACE });
    let payload = Payload { id: ID.parse::<ReferralId>().unwrap(), place: PLACE, etag, body: body.into() };
    let current = Snapshot::whole(current).unwrap();
    let base = base.map(|base| Snapshot::in_part(base).unwrap());
    let members = Object::parse(body);
    migrate(&payload, members.as_ref(), &current, base.as_ref(), &terms, &judging, 1)
}

/// The text of a member of an object.
fn text(object: &str, name: &str) -> Option<String> {
    let members: Option<BTreeMap<String, Box<RawValue>>> = serde_json::from_str(object).ok();
    members?.get(name).and_then(|raw| serde_json::from_str(raw.get()).ok())
}

/// The object with its id, and an eTag where one is given, unless it has its own.
fn filled(object: &RawValue, etag: Option<&str>) -> String {
    let members: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(object.get()).ok();
    let Some(members) = members else { return object.get().to_owned() };
    let own = object.get().trim_start()[1..].trim_start();
    let mut filled = String::from("{");
    if !members.contains_key("id") {
        filled += &format!(r#""id":"{ID}","#);
    }
    if let Some(etag) = etag.filter(|_| !members.contains_key("eTag")) {
        filled += &format!(r#""eTag":"\"{etag}\"","#);
    }
    if members.is_empty() { format!("{}}}", filled.trim_end_matches(',')) } else { filled + own }
}
