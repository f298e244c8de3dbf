//! What `-v`, `-vv` and a run's `run.log` tell, and what they never tell.

use std::fs;

use serde_json::{Value, json};

use crate::support::case::{Ran, Test};
use crate::support::program::TOKEN;
use crate::support::samples::{notes_csv, sample, sample_referral};
use crate::support::wire::{self, Request, Wire};

const ONE: &str = "5a1e0001-0000-4000-8000-000000000015";
const TWO: &str = "5a1e0001-0000-4000-8000-000000000027";
const THREE: &str = "5a1e0001-0000-4000-8000-000000000016";

const QUIET: &str = "--out run --rate 1000/s --summary none --progress none --yes";

/// The lines of diagnostics in a text, which begin with a time.
fn diagnostics(text: &str) -> Vec<&str> {
    let is_one = |line: &&str| {
        line.split_once(' ').is_some_and(|(time, rest)| {
            time.ends_with('Z') && time.contains('T') && rest.contains("referral_bulk::")
        })
    };
    text.lines().filter(is_one).collect()
}

fn log(ran: &Ran) -> String {
    ran.place.raw("run/run.log")
}

#[test]
fn every_request_is_told_where_it_is_asked_for_twice() {
    let service = Wire::serve(wire::sound);
    let ran = Test::new(&format!("apply a.csv -vv {QUIET}"))
        .file("a.csv", notes_csv(&[ONE, TWO]))
        .service(&service.base)
        .told_elsewhere()
        .run();
    let told = diagnostics(&ran.stderr);
    for request in service.asked() {
        let id = request.header("client-request-id").unwrap();
        let about = if request.about() == "referrals" { "" } else { request.about() };
        let span = format!("request{{method={} id={id}}}", request.method);
        let is_it = |line: &&&str| line.contains(&span) && line.contains(about);
        assert_eq!(told.iter().filter(is_it).count(), 1, "{span}: {}", ran.stderr);
    }
    let requests = told.iter().filter(|line| line.contains("answered status=200")).count();
    assert_eq!(requests, service.asked().len(), "{}", ran.stderr);
    assert_eq!(log(&ran).lines().collect::<Vec<_>>(), told, "the file holds what is shown");
}

#[test]
fn decisions_are_kept_in_any_case_and_shown_where_they_are_asked_for() {
    let refusing = |request: &Request| match request.about() {
        TWO if request.method == "PATCH" => wire::answer("400 x", "", r#"{"code":"x"}"#),
        _ => wire::sound(request),
    };
    for (flag, shown) in [("", false), ("-v", true)] {
        let service = Wire::serve(refusing);
        let ran = Test::new(&format!("apply a.csv {flag} {QUIET}"))
            .file("a.csv", notes_csv(&[ONE, TWO]))
            .service(&service.base)
            .code(3)
            .told_elsewhere()
            .run();
        let log = log(&ran);
        let kept: Vec<&str> = log.lines().collect();
        assert_eq!(diagnostics(&log), kept);
        let told = diagnostics(&ran.stderr);
        assert_eq!(told, if shown { kept.clone() } else { Vec::new() }, "{}", ran.stderr);
        let refused = format!("referral{{id={TWO}}}");
        let refusals = kept.iter().filter(|line| line.contains(&refused) && line.contains("status=400"));
        assert_eq!(refusals.count(), 1, "{log}");
        assert!(!log.contains("request{"), "single requests are asked for: {log}");
    }
}

#[test]
fn a_run_that_goes_on_adds_to_what_is_there() {
    let service = Wire::serve(wire::sound);
    let first = Test::new(&format!("apply a.csv --plan {QUIET}"))
        .file("a.csv", notes_csv(&[ONE]))
        .service(&service.base)
        .told_elsewhere()
        .run();
    let before = log(&first);
    let second = first
        .then("resume run --rate 1000/s --summary none --progress none --yes")
        .service(&service.base)
        .told_elsewhere()
        .run();
    let after = log(&second);
    assert!(after.len() > before.len() && after.starts_with(&before), "{after}");
    let run = |text: &str| text[text.find("run{id=").unwrap()..][..44].to_owned();
    assert_eq!(run(&before), run(&after[before.len()..]), "both are the same run: {after}");
}

#[test]
fn a_plan_that_fails_leaves_none() {
    let ran = Test::new(&format!("apply missing.csv --sandbox {QUIET}")).code(1).told_elsewhere().run();
    assert_eq!(ran.place.files().into_keys().collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_log_that_cannot_be_written_costs_the_run_nothing() {
    let service = Wire::serve(wire::sound);
    let planned = Test::new(&format!("apply a.csv --plan {QUIET}"))
        .file("a.csv", notes_csv(&[ONE]))
        .service(&service.base)
        .told_elsewhere()
        .run();
    fs::remove_file(planned.place.path("run/run.log")).unwrap();
    let resumed = planned.then("resume run --rate 1000/s --summary none --progress none --yes");
    let ran = resumed.folder_in_the_way("run/run.log").service(&service.base).told_elsewhere().run();
    let note = "note: diagnostics are not kept: cannot write run/run.log: ";
    assert!(ran.stderr.contains(note), "{}", ran.stderr);
    assert_eq!(ran.outcomes("run"), "1 applied");
}

/// Each of these stands in a place of its own: in an input, a referral, an answer.
fn marked(place: &str) -> String {
    format!("Mx{place}xM")
}

/// A referral of which every text that people write is marked.
fn personal(id: &str) -> Value {
    fn mark(value: &mut Value, path: &str) {
        match value {
            Value::Object(members) => {
                let is_free = |name: &str| {
                    !matches!(name, "id" | "eTag" | "status" | "substatus" | "currency" | "closingDateTime")
                        && !name.ends_with("DateTime")
                        && !name.starts_with('@')
                };
                for (name, value) in members.iter_mut().filter(|(name, _)| is_free(name)) {
                    mark(value, &format!("{path}.{name}"));
                }
            }
            Value::Array(elements) => elements.iter_mut().for_each(|element| mark(element, path)),
            Value::String(text) => *text = marked(path),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut referral = sample_referral(id);
    mark(&mut referral, "");
    referral
}

#[test]
fn nothing_of_a_person_and_no_secret_is_told() {
    let spoilt = |request: &Request| {
        let error = json!({"code": marked("code"), "description": marked("description"), "message": marked("message")});
        let headers = format!("x-note: {}\r\n", marked("header"));
        match (request.method.as_str(), request.about()) {
            ("PATCH", TWO) => wire::answer("400 x", &headers, error.to_string()),
            ("PATCH", THREE) => wire::answer("412 x", &headers, error.to_string()),
            ("PATCH", id) => wire::carry_out(request, personal(id)),
            (_, "referrals") => wire::answer("404 x", &headers, error.to_string()),
            (_, id) => wire::answer("200 x", &headers, personal(id).to_string()),
        }
    };
    let service = Wire::serve(spoilt);
    let rows = [ONE, TWO, THREE, "no-guid"].map(|id| {
        let cells = ["reason", "notes", "crm", "member"].map(marked);
        format!("{id},{},{},{},\"{},x,,a@example.com\"\n", cells[0], cells[1], cells[2], cells[3])
    });
    let ran = Test::new(&format!("apply a.csv -vv --reason {} {QUIET}", marked("why")))
        .file("a.csv", format!("id,statusReason,notes,externalReferenceId,team.add\n{}", rows.concat()))
        .service(&service.base)
        .code(3)
        .told_elsewhere()
        .run();
    let log = log(&ran);
    assert!(log.contains("status=400") && log.contains("status=412"), "{log}\n{}", ran.stderr);
    let shown = diagnostics(&ran.stderr).join("\n");
    for text in [&log, &shown] {
        let told = text.lines().find(|line| line.contains("Mx") || line.contains(TOKEN));
        assert_eq!(told, None);
    }
    // What is looked for is there to be found.
    let everything: String = ran
        .place
        .files()
        .into_values()
        .map(|file| String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned())
        .collect();
    for place in ["code", "message", "reason", "notes", "crm", "why", ".details.notes"] {
        assert!(everything.contains(&marked(place)), "{place} was not met");
    }
}

#[test]
fn a_log_that_is_there_already_is_nobodys_to_take() {
    let place = Test::new("apply missing.csv --sandbox --out run --summary none --progress none")
        .file("run/run.log", "mine")
        .code(2)
        .told_elsewhere()
        .run()
        .place;
    assert_eq!(place.raw("run/run.log"), "mine");
}

#[test]
fn where_a_run_goes_is_told_without_its_name() {
    let seed = "Ann Lee/referrals.jsonl";
    let ran = Test::new(&format!("apply a.csv --sandbox='{seed}' {QUIET}"))
        .file("a.csv", notes_csv(&[ONE]))
        .file(seed, sample("referrals.jsonl"))
        .told_elsewhere()
        .run();
    let log = log(&ran);
    assert!(log.contains("target=\"sandbox\"") && !log.contains("Ann"), "{log}");
}
