//! The JSON Schemas in `docs/schemas` are those of the types that are written, and what isn't so is refused by them.
//!
//! That they take what is written is held by every run of the suites: see `support::always`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use referral_bulk::report::schemas;
use serde_json::{Map, Value, json};

use super::generated::AGAIN;
use super::{directory_with_samples, entries, read, root};
use crate::support::program::{self, TOKEN, program};
use crate::support::sandbox::Sandbox;
use crate::support::schemas::{NAMES, Schema, check_run};

const SCHEMAS: &str = "docs/schemas";

#[test]
fn the_schemas_are_those_of_what_is_written() {
    let mut names = schemas().map(|(name, _)| name);
    names.sort_unstable();
    assert_eq!(entries(&root().join(SCHEMAS)), names, "{AGAIN}");
    for (name, text) in schemas() {
        assert!(text == read(&format!("{SCHEMAS}/{name}")), "{SCHEMAS}/{name} differs: {AGAIN}");
        assert!(!text.contains("[`"), "{name} has a link that leads nowhere");
    }
}

/// Every member says what it is, but for counts of outcomes and classes, whose names say it.
#[test]
fn every_member_of_the_schemas_is_described() {
    fn undescribed(schema: &Value, place: &str, found: &mut Vec<String>) {
        match schema {
            Value::Object(members) => {
                for (name, property) in
                    members.get("properties").and_then(Value::as_object).into_iter().flatten()
                {
                    if property.get("description").is_none() && name != "event" {
                        found.push(format!("{place}.{name}"));
                    }
                }
                for (name, inner) in members {
                    undescribed(inner, &format!("{place}/{name}"), found);
                }
            }
            Value::Array(forms) => forms.iter().for_each(|inner| undescribed(inner, place, found)),
            _ => {}
        }
    }
    for name in NAMES {
        let mut found = Vec::new();
        undescribed(&Schema::kept(name), "", &mut found);
        found.retain(|place| {
            !["/Rows.", "/OutcomeCounts.", "/ClassCounts."].iter().any(|of| place.contains(of))
        });
        assert_eq!(found, [""; 0], "{name}");
    }
}

/// Writes them again.
pub fn write() {
    let kept = root().join(SCHEMAS);
    let _ = fs::remove_dir_all(&kept);
    fs::create_dir_all(&kept).unwrap();
    for (name, text) in schemas() {
        fs::write(kept.join(name), text).unwrap();
    }
}

/// Members that may be left out, by schema and, of events, by event; in those of others they may not.
const MAY_LACK: [&str; 33] = [
    "summary.kept_otherwise",
    "summary.approvals",
    "summary.order",
    "summary.order.unseen",
    "summary.waves",
    "summary.audit",
    "summary.seconds.held_back",
    "summary.consent.by",
    "plan.name",
    "plan.customer",
    "plan.match",
    "plan.turn",
    "plan.wave",
    "plan.audit",
    "plan.code",
    "plan.message",
    "plan.rows.key",
    "plan.changes.base",
    "outcomes.name",
    "outcomes.customer",
    "outcomes.match",
    "outcomes.class",
    "outcomes.kept",
    "outcomes.findings",
    "verify.name",
    "verify.customer",
    "progress.progress.rows_read",
    "progress.progress.outcomes",
    "progress.progress.unconfirmed",
    "progress.progress.message",
    "progress.error.rule",
    "progress.warning.rule",
    "progress.finished.verified",
];

/// Members that hold what somebody wrote into a referral, whatever that is.
const ANYTHING: [&str; 7] = [
    "plan.operations.value",
    "plan.changes.before",
    "plan.changes.after",
    "plan.changes.base",
    "outcomes.kept",
    "verify.fields.wrote",
    "verify.fields.now",
];

#[test]
fn a_line_that_lacks_a_member_is_refused_unless_it_may_be_left_out() {
    let mut lacked = BTreeSet::new();
    for (schema, lines) in written() {
        for line in &lines {
            let place = match line["event"].as_str() {
                Some(event) => format!("{schema}.{event}"),
                None => schema.to_owned(),
            };
            for (pointer, place) in members(line, "", &place) {
                let mut without = line.clone();
                remove(&mut without, &pointer);
                let may_lack = MAY_LACK.contains(&place.as_str());
                assert_eq!(Schema::of(schema).takes(&without), may_lack, "without {pointer}: {line}");
                lacked.insert(place);
            }
        }
    }
    // Enough was written to hold most of it to this.
    let seen = MAY_LACK.iter().filter(|place| lacked.contains(**place)).count();
    assert!(seen >= 20, "{seen} of those that may be left out");
    assert!(lacked.len() > 120, "{} members", lacked.len());
}

/// Where the members of a value are, by pointer, and what they are called: without the numbers of elements.
fn members(value: &Value, pointer: &str, place: &str) -> Vec<(String, String)> {
    if ANYTHING.contains(&place) {
        return Vec::new();
    }
    match value {
        Value::Object(object) => object
            .iter()
            .flat_map(|(name, inner)| {
                let (pointer, place) = (format!("{pointer}/{name}"), format!("{place}.{name}"));
                let below = members(inner, &pointer, &place);
                [(pointer, place)].into_iter().chain(below)
            })
            .collect(),
        Value::Array(elements) => (0..)
            .zip(elements)
            .flat_map(|(at, inner)| members(inner, &format!("{pointer}/{at}"), place))
            .collect(),
        _ => Vec::new(),
    }
}

fn remove(value: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
}

#[test]
fn a_line_with_a_wrong_value_is_refused() {
    let written = written();
    let applied = json!("applied");
    for (schema, pointer, wrong) in [
        ("summary", "/version", json!(2)),
        ("summary", "/state", json!("running")),
        ("summary", "/state", Value::Null),
        ("summary", "/exit_code", json!(-1)),
        ("summary", "/exit_code", json!("0")),
        ("summary", "/rows/applied", json!(1.5)),
        ("summary", "/rows/partial", Value::Null),
        ("summary", "/referrals/changed", json!("1")),
        ("summary", "/seconds/total", json!("5.1")),
        ("summary", "/plan_sha256", json!("ab12")),
        ("summary", "/sha256", json!("")),
        ("summary", "/files/0/sha256", json!("A".repeat(64))),
        ("summary", "/files/0/rows", json!("1")),
        ("summary", "/inputs/0/path", Value::Null),
        ("summary", "/inputs", json!({})),
        ("plan", "/id", json!("17")),
        ("plan", "/outcome", json!("done")),
        ("plan", "/outcome", json!("Planned")),
        ("plan", "/effect", json!("reversable")),
        ("plan", "/operations/0/op", json!("remove")),
        ("plan", "/operations/0/path", json!("details")),
        ("plan", "/changes/0/path", json!("")),
        ("plan", "/rows/0/line", json!(-1)),
        ("plan", "/rows/0/line", json!("2")),
        ("plan", "/eTag", json!(7)),
        ("plan", "/reversible", json!("yes")),
        ("plan", "/findings", Value::Null),
        ("outcomes", "/outcome", json!("lost")),
        ("outcomes", "/id", json!("5a1e")),
        ("outcomes", "/at", json!("yesterday")),
        ("outcomes", "/first_sent", json!("2026-11-30")),
        ("outcomes", "/status", json!("200")),
        ("outcomes", "/attempts", Value::Null),
        ("outcomes", "/request_ids", json!(["x"])),
        ("outcomes", "/code", Value::Null),
        ("verify", "/standing", applied.clone()),
        ("verify", "/standing", json!("ours")),
        ("verify", "/at", Value::Null),
        ("verify", "/fields", json!([{"path":"/a"}])),
        ("verify", "/rows", json!([{"file":"a.csv"}])),
        ("progress", "/event", json!("begun")),
        ("progress", "/event", json!("finished")),
        ("progress", "/event", applied),
        ("progress", "/at", json!(0)),
        ("progress", "/run", json!(1)),
        ("progress", "/version", json!("1")),
    ] {
        let line = written[schema].iter().find(|line| line.pointer(pointer).is_some());
        let mut line = line.unwrap_or_else(|| panic!("no {pointer} in {schema}")).clone();
        *line.pointer_mut(pointer).unwrap() = wrong;
        assert!(!Schema::of(schema).takes(&line), "{schema} takes {line}");
    }
}

#[test]
fn events_of_another_form_are_refused() {
    let event = |members: Value| {
        let stamped = json!({"version":1,"at":"2026-11-30T12:00:00Z","run":null});
        let both =
            stamped.as_object().unwrap().clone().into_iter().chain(members.as_object().unwrap().clone());
        Value::Object(both.collect::<Map<_, _>>())
    };
    for (members, is_right) in [
        (json!({"event":"released"}), true),
        (json!({"event":"released","added":"later"}), true),
        (json!({"event":"throttled","scope":"referral"}), true),
        (json!({"event":"throttled","scope":"all"}), false),
        (json!({"event":"paused","seconds":1.5,"capped":false}), true),
        (json!({"event":"paused","seconds":"1.5","capped":false}), false),
        (json!({"event":"quiet","seconds":60.0,"waiting":"a PATCH"}), true),
        (json!({"event":"quiet","seconds":60.0}), false),
        (json!({"event":"question","text":"Type y to go on:"}), true),
        (json!({"event":"question"}), false),
        (json!({"event":"warning","text":"x"}), true),
        (json!({"event":"warning","rule":null,"text":"x"}), false),
        (json!({"event":"finished","exit_code":0}), false),
        (json!({}), false),
        (json!({"event":null}), false),
    ] {
        let event = event(members);
        assert_eq!(Schema::of("progress").takes(&event), is_right, "{event}");
    }
}

/// What was written, by schema.
type Written = BTreeMap<&'static str, Vec<Value>>;

/// What was written by real runs: a plan, runs that fail in part and in waves, a migration, and a verification of what
/// was changed again; and what was told meanwhile.
fn written() -> Written {
    let service = Sandbox::start("");
    let dir = directory_with_samples();
    let notes = |ids: [u8; 3], text: &str| {
        let rows = ids.map(|id| format!("5a1e0001-0000-4000-8000-0000000000{id},{text}\n"));
        format!("id,notes\n{}", rows.concat())
    };
    fs::write(dir.path().join("ours.csv"), notes([15, 27, 24], "ours")).unwrap();
    fs::write(dir.path().join("theirs.csv"), notes([24, 25, 26], "theirs")).unwrap();
    let mut written = Written::new();
    for (command, run_dir) in [
        ("apply samples/quarter-end.csv --sandbox --plan --priority dealValue --out a", "a"),
        ("apply samples/invalid.csv --sandbox --out b", "b"),
        ("migrate samples/legacy-puts.jsonl --sandbox --out c", "c"),
        ("apply ours.csv --waves 1,rest --yes --reason Trial --out d", "d"),
        ("apply theirs.csv --yes --out e --finish-by 2020-01-01T00:00:00Z", "e"),
        ("resume e", "e"),
        ("verify d", "d"),
    ] {
        let mut run = program();
        run.args(shlex::split(&format!("{command} --progress json --summary none")).unwrap());
        run.env("PARTNER_CENTER_TOKEN", TOKEN).env("REFERRAL_BULK_ENDPOINT", &service.base);
        let ended = program::run(with_directory(run, dir.path()), "");
        let events = Schema::of("progress").check_lines(&ended.stderr);
        written.entry("progress").or_default().extend(events);
        let run_dir = dir.path().join(run_dir);
        check_run(&run_dir);
        for schema in ["summary", "plan", "outcomes", "verify"] {
            let file =
                if schema == "summary" { "summary.json".to_owned() } else { format!("{schema}.jsonl") };
            if let Ok(text) = fs::read_to_string(run_dir.join(file)) {
                written.entry(schema).or_default().extend(Schema::of(schema).check_lines(&text));
            }
        }
    }
    written
}

fn with_directory(mut command: std::process::Command, directory: &Path) -> std::process::Command {
    command.current_dir(directory);
    command
}
