//! Ways out that no run is carried out on: whatever is wrong with what was typed, with the settings, with an
//! input or with a run's directory. A script that waits for a summary on standard output gets one on each.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::program::plainly;
use crate::support::run_dir::OUTCOMES;
use crate::support::samples::sample;
use crate::support::waiting::each;

const ACTIVE: &str = "5a1e0001-0000-4000-8000-000000000015";
const CLOSING: &str = "id,status,substatus,statusReason\n\
    5a1e0001-0000-4000-8000-000000000027,Closed,Lost,No budget\n";
/// Nobody listens there.
const NOWHERE: &str = "--endpoint http://127.0.0.1:9/v1.0";

/// Files to go wrong with, a run that is planned, and directories that hold none.
fn place() -> Rc<Place> {
    let place = Place::new();
    place.write("a.csv", format!("id,notes\n{ACTIVE},Called\n"));
    place.write("b.csv", format!("id,notes\n{ACTIVE},Called\n"));
    place.write("closing.csv", CLOSING);
    place.write("unknown.csv", "id,colour\n");
    place.write("open.csv", "id,\"no\n");
    place.write("empty.csv", "");
    place.write("nothing.txt", "");
    place.write("payload.json", "{\"id\":\"x\"}");
    place.write("referrals.jsonl", sample("referrals.jsonl"));
    place.write("token.txt", "a-token");
    place.write("used/error.csv", "my own");
    place.write(
        "foreign/run.sqlite",
        "no database, and longer than a header of one would be: no ledger at all",
    );
    let planned =
        format!("apply b.csv --out planned --plan --state referrals.jsonl {NOWHERE} --summary none");
    assert_eq!(plainly(&place, &planned).0, Some(0));
    place.write("b.csv", "id,notes\n");
    place
}

/// The summary of a command that has no account of any run to give.
fn nothing(command: &str, exit_code: i32) -> Value {
    let zeros = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), json!(0))).collect::<Value>();
    let rows = [&["total"], &OUTCOMES[..]].concat();
    json!({
        "version": 1, "run": "", "command": command, "state": "stopped", "exit_code": exit_code, "inputs": [],
        "rows": zeros(&rows),
        "referrals": {"total": 0, "to_change": null, "to_close": null, "changed": 0, "closed": 0},
        "requests": zeros(&["total", "get", "list", "patch", "token", "throttled", "retried"]),
        "seconds": {"total": 0.0, "waiting_for_rate": 0.0, "paused_by_server": 0.0},
        "plan_sha256": null, "consent": null, "reason": null, "files": [],
    })
}

/// A summary but for its checksum, which `tests/apply/kept.rs` is about.
fn summary(line: &str) -> Value {
    let mut summary: Value = serde_json::from_str(line).unwrap();
    assert_eq!(summary.as_object_mut().unwrap().remove("sha256").unwrap().as_str().unwrap().len(), 64);
    summary
}

/// Runs a command with every form of the summary. Answers what the summaries say as JSON and as text.
fn every_form(place: &Place, command: &str, code: i32) -> (Value, String) {
    let [json, text, none] = ["json", "text", "none"].map(|form| {
        let (ended, stdout, stderr) = plainly(place, &format!("{command} --summary {form}"));
        assert_eq!(ended, Some(code), "{command} --summary {form}: {stdout}{stderr}");
        assert!(stderr.contains("error: "), "{command} --summary {form}: {stderr}");
        stdout
    });
    assert_eq!(none, "", "{command}");
    assert!(json.ends_with('\n') && json.lines().count() == 1, "{command}: {json}");
    (summary(&json), text)
}

/// Runs a command that ends with this code, and has nothing to tell.
fn tells_nothing(place: &Place, command: &str, code: i32) {
    let (json, text) = every_form(place, command, code);
    assert_eq!(json, nothing(command.split(' ').next().unwrap(), code), "{command}");
    assert_eq!(text, "", "{command}");
}

#[test]
fn a_command_without_a_run_tells_a_summary_of_nothing() {
    let cases = [
        // What was typed is none of what can be typed.
        ("apply", 2),
        ("apply a.csv --bogus", 2),
        ("apply a.csv --rate fast", 2),
        ("apply a.csv --concurrency 0", 2),
        ("apply a.csv --max-changes many", 2),
        ("apply a.csv --sandbox --endpoint http://127.0.0.1:9/v1.0", 2),
        ("apply a.csv --token-command x --token-file token.txt", 2),
        ("migrate payload.json --on-conflict maybe", 2),
        ("migrate payload.json --format csv", 2),
        ("migrate", 2),
        ("resume", 2),
        ("resume planned another", 2),
        ("report", 2),
        ("report planned --rate 1/s", 2),
        // It can be typed, and means nothing.
        ("apply a.csv --timeout soon", 2),
        ("apply a.csv --max-errors some", 2),
        ("apply a.csv --finish-by noon", 2),
        ("apply a.csv --rule nothing=warn", 2),
        ("apply a.csv --allow-path status", 2),
        ("apply a.csv --token-command \"'\"", 2),
        ("apply a.csv --endpoint nowhere", 2),
        ("apply a.csv --profile nobody", 2),
        ("apply - - --format csv", 2),
        ("migrate payload.json --state none", 2),
        ("migrate payload.json --patches -", 2),
        ("migrate payload.json --take status", 2),
        // The inputs.
        ("apply missing.csv --sandbox", 1),
        ("apply empty.csv --sandbox", 1),
        ("apply unknown.csv --sandbox", 1),
        ("apply open.csv --sandbox", 1),
        ("apply nothing.txt --sandbox", 1),
        ("apply - --sandbox", 2),
        ("apply a.csv --plan --state missing.jsonl", 1),
        ("apply a.csv --sandbox=missing.jsonl", 1),
        ("apply a.csv --sandbox=a.csv", 1),
        ("migrate missing.json --sandbox", 1),
        ("migrate payload.json --sandbox --base missing.jsonl", 1),
        // The run's directory, and what is to be put into it.
        ("apply a.csv --sandbox --out planned", 2),
        ("apply a.csv --sandbox --out used", 2),
        ("apply a.csv --sandbox --out a.csv", 1),
        ("apply a.csv --sandbox --out a.csv/run", 1),
        ("migrate payload.json --sandbox --patches a.csv", 2),
        ("migrate payload.json --sandbox --patches missing/a.jsonl", 2),
        // The service.
        ("apply a.csv", 1),
        ("apply a.csv --token-file missing.txt", 1),
        ("apply a.csv --token-command missing-program", 1),
        // Runs that are none.
        ("resume missing", 1),
        ("resume used", 1),
        ("resume foreign", 1),
        ("resume a.csv", 1),
        ("report missing", 1),
        ("report used", 1),
        ("report foreign", 1),
        ("report a.csv", 1),
    ];
    let place = place();
    let place = &*place;
    each(&cases, |(command, code)| tells_nothing(place, command, *code));
}

/// One after another: a run is worked on by one process.
#[test]
fn a_run_that_may_not_be_carried_on_with_is_not_told() {
    let place = place();
    for (command, code) in [
        ("resume planned --timeout soon", 2),
        ("resume planned --profile nobody", 2),
        ("resume planned --sandbox", 2),
        ("resume planned", 1),
    ] {
        tells_nothing(&place, command, code);
    }
}

/// Asking for long enough takes seconds.
#[test]
fn a_service_that_is_not_there_is_no_reason_to_say_nothing() {
    let command = format!("apply a.csv --token-file token.txt {NOWHERE} --summary json");
    let (code, stdout, _) = plainly(&place(), &command);
    assert_eq!((code, summary(&stdout)), (Some(1), nothing("apply", 1)));
}

#[test]
fn settings_that_mean_nothing_are_no_reason_to_say_nothing() {
    for (settings, cases) in [
        (
            "profile = 7",
            &[
                ("apply a.csv --sandbox", 2),
                ("migrate x --sandbox", 2),
                ("resume planned", 2),
                ("report planned", 2),
            ][..],
        ),
        ("[rules]\nnothing = \"warn\"", &[("apply a.csv --sandbox", 2), ("migrate x --sandbox", 2)]),
        ("[profile.default]\nrate = \"fast\"", &[("apply a.csv --sandbox", 2), ("resume planned", 2)]),
    ] {
        let place = place();
        place.write("referral-bulk.toml", settings);
        cases.iter().for_each(|(command, code)| tells_nothing(&place, command, *code));
    }
}

/// What the run comes to is known by then.
#[test]
fn a_command_that_may_not_send_tells_of_its_plan() {
    let place = place();
    let plan = format!("apply closing.csv --out run --plan --state referrals.jsonl {NOWHERE} --summary none");
    assert_eq!(plainly(&place, &plan).0, Some(0));
    for command in [
        "resume run",
        "resume run --yes",
        "resume run --yes --confirm-closing 7",
        "resume run --yes --confirm-closing 1 --max-changes 0",
    ] {
        let (json, text) = every_form(&place, &format!("{command} --token-file token.txt"), 2);
        assert_eq!(
            (&json["run"], &json["state"], &json["exit_code"]),
            (&json!("run"), &json!("planned"), &json!(2))
        );
        assert_eq!((&json["rows"]["total"], &json["rows"]["planned"]), (&json!(1), &json!(1)), "{command}");
        assert!(text.starts_with("apply run: planned, nothing was sent\n"), "{command}: {text}");
    }
}

/// Help and what the other commands print is no summary.
#[test]
fn help_is_followed_by_no_summary() {
    for command in ["apply --help --summary json", "apply --summary json --help", "report --summary=json -h"]
    {
        let (code, stdout, _) = plainly(&place(), command);
        assert_eq!(code, Some(0), "{command}");
        assert!(
            stdout.contains("Usage: referral-bulk ") && !stdout.contains("\"version\""),
            "{command}: {stdout}"
        );
    }
    for command in ["sandbox --summary json", "man --summary json", "--summary json", "bogus --summary json"]
    {
        let (code, stdout, _) = plainly(&place(), command);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{command}");
    }
}
