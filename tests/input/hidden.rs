//! Text of others, whatever way it takes, neither steers the terminal of whoever reads it nor hides there.
//! Every run of the program is held to that by `support::always`; here are the ways.

use serde_json::json;

use crate::support::case::{Ran, Test};
use crate::support::samples::sample_referral;
use crate::support::wire::{self, Request, Wire};

const ONE: &str = "5a1e0001-0000-4000-8000-000000000015";

/// Sets a terminal's title, clears it, turns the direction, and hides: none of it may arrive.
const HOSTILE: &str = "seen\u{1b}]0;title\u{7}\u{1b}[2J\u{202e}desrever\u{2066}\u{200b}\u{ad}\u{2028}\u{e0041}\u{feff}\u{9b}end";

/// What is left of it.
const SEEN: &str = "seen\u{fffd}]0;title\u{fffd}\u{fffd}[2J\u{fffd}desrever";

const QUIET: &str = "--rate 1000/s --progress none --yes";

fn csv(notes: &str) -> String {
    format!("id,notes\n{ONE},\"{notes}\"\n")
}

#[track_caller]
fn is_shown(ran: &Ran, what: &str) {
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert!(told.contains(SEEN), "{what} is told, with marks: {told}");
}

/// A service that says no with a hostile text, in whatever form.
fn refusing(body: String) -> Wire {
    Wire::serve(move |request: &Request| match (request.method.as_str(), request.about()) {
        ("PATCH", _) => wire::answer("400 x", "", body.clone()),
        (_, "referrals") => wire::answer("200 x", "", r#"{"value":[]}"#),
        (_, id) => wire::answer("200 x", "", sample_referral(id).to_string()),
    })
}

#[test]
fn of_an_answer() {
    for (form, body) in [
        ("message", json!({"error": {"code": "bad", "message": HOSTILE}}).to_string()),
        ("description", json!({"code": "x", "description": HOSTILE}).to_string()),
        ("title", format!("<html><title>{HOSTILE}</title></html>")),
        ("text", HOSTILE.to_owned()),
    ] {
        let service = refusing(body);
        let ran = Test::new(&format!("apply a.csv --out run {QUIET}"))
            .file("a.csv", csv("Called"))
            .service(&service.base)
            .code(3)
            .told_elsewhere()
            .run();
        is_shown(&ran, form);
        assert_eq!(ran.outcomes("run"), "1 refused");
        assert!(ran.place.raw("run/error.csv").contains(SEEN), "{form}");
    }
}

#[test]
fn of_a_code() {
    let service = refusing(json!({"error": {"code": HOSTILE, "message": "no"}}).to_string());
    let ran = Test::new(&format!("apply a.csv --out run {QUIET}"))
        .file("a.csv", csv("Called"))
        .service(&service.base)
        .code(3)
        .told_elsewhere()
        .run();
    assert!(ran.place.raw("run/error.csv").contains("seen\u{fffd}]0;title"));
}

/// Values of the referral, of which a conflict tells base, ours and theirs.
#[test]
fn of_a_referral() {
    let theirs = |id: &str| {
        let mut referral = sample_referral(id);
        referral["details"]["notes"] = json!(HOSTILE);
        referral.to_string()
    };
    let service = Wire::serve(move |request: &Request| match (request.method.as_str(), request.about()) {
        ("PATCH", _) => wire::answer("412 x", "", "{}"),
        (_, "referrals") => wire::answer("200 x", "", r#"{"value":[]}"#),
        (_, id) => wire::answer("200 x", "", theirs(id)),
    });
    let stale = format!("id,eTag,notes\n{ONE},\"\"\"another\"\"\",Called\n");
    let ran = Test::new(&format!("apply a.csv --out run {QUIET}"))
        .file("a.csv", stale)
        .service(&service.base)
        .code(3)
        .told_elsewhere()
        .run();
    assert_eq!(ran.outcomes("run"), "1 conflict");
    assert!(ran.place.raw("run/conflict.csv").contains("seen\\u001b]0;title\\u0007"));
}

/// Names that the user typed, or was handed: of files, directories, columns, settings.
#[test]
fn of_a_name() {
    let name = HOSTILE.replace('/', "");
    let typed = shlex::try_quote(&name).unwrap().into_owned();
    let missing = format!("apply {typed}.csv --out run --sandbox {QUIET}");
    is_shown(&Test::new(&missing).code(1).told_elsewhere().run(), "a file that is not there");

    let there = Test::new(&format!("apply {typed}.csv --out run --sandbox {QUIET}"))
        .file(&format!("{name}.csv"), format!("id,notes,substatus\n{ONE},Called,Nowhere\n"))
        .code(3)
        .told_elsewhere()
        .run();
    is_shown(&there, "a file whose row is wrong");

    let run = Test::new(&format!("apply a.csv --out {typed} --sandbox {QUIET}"))
        .file("a.csv", csv("Called"))
        .told_elsewhere()
        .run();
    is_shown(&run, "the run's directory");
    let json = run.then(&format!("report {typed} --summary json")).told_elsewhere().run();
    let summary: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(summary["run"], name.as_str(), "JSON means the same, and shows nothing hidden");

    let column = Test::new(&format!("apply a.csv --out run --sandbox {QUIET}"))
        .file("a.csv", format!("id,notes,{HOSTILE}\n{ONE},Called,x\n"))
        .code(1)
        .told_elsewhere()
        .run();
    is_shown(&column, "an unknown column");

    for (flags, code, what) in [
        (format!("--sandbox --rule {typed}=warn"), 2, "a rule"),
        (format!("--sandbox --state {typed}"), 1, "a snapshot"),
        (format!("--sandbox --profile {typed}"), 2, "a profile"),
        (format!("--sandbox={typed}"), 1, "a seed"),
    ] {
        let ran = Test::new(&format!("apply a.csv --out run {flags} {QUIET}"))
            .file("a.csv", csv("Called"))
            .code(code)
            .told_elsewhere()
            .run();
        is_shown(&ran, what);
    }

    let reason = Test::new(&format!("apply a.csv --out run --sandbox --reason {typed} {QUIET}"))
        .file("a.csv", csv("Called"))
        .told_elsewhere()
        .run();
    is_shown(&reason, "the reason");
}

/// Cells: the row's own text is given back as it was, and what is said of it shows.
#[test]
fn of_a_cell() {
    for text in [
        format!("id,dealValue\n{ONE},{HOSTILE}\n"),
        format!("id,substatus\n{ONE},{HOSTILE}\n"),
        format!("id,notes\n{HOSTILE},Called\n"),
        format!("id,eTag,notes\n{ONE},{HOSTILE},Called\n"),
    ] {
        let ran = Test::new(&format!("apply a.csv --out run --sandbox {QUIET}"))
            .file("a.csv", &text)
            .code(3)
            .told_elsewhere()
            .run();
        assert_eq!(ran.outcomes("run"), "1 invalid", "{text:?}");
        assert!(ran.place.raw("run/error.csv").contains(HOSTILE), "{text:?}");
    }
}

/// What a command prints that was to give a token, and what a settings file holds.
#[test]
fn of_a_program_or_a_setting() {
    let script = format!("#!/bin/sh\nprintf '%s' '{HOSTILE}' >&2\nexit 3\n");
    let ran = Test::new(&format!("apply a.csv --out run --token-command 'sh fails.sh' {QUIET}"))
        .file("a.csv", csv("Called"))
        .file("fails.sh", script)
        .env("REFERRAL_BULK_ENDPOINT", "http://127.0.0.1:9/v1.0")
        .env("PATH", "/usr/bin:/bin")
        .code(1)
        .told_elsewhere()
        .run();
    assert!(!ran.stderr.contains("seen"), "what a token's command says may be a token: {}", ran.stderr);

    let key: String = HOSTILE.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect();
    let ran = Test::new(&format!("apply a.csv --out run --sandbox {QUIET}"))
        .file("a.csv", csv("Called"))
        .file("referral-bulk.toml", format!("[profile.default]\n\"{key}\" = 1\n"))
        .code(2)
        .told_elsewhere()
        .run();
    is_shown(&ran, "a setting");
}
