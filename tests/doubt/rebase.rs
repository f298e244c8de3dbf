//! `--on-conflict rebase` against a sandbox in another process, where somebody else changes the same
//! referrals between the plan and its carrying out: nobody's work is overwritten, and what can be sent is.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::support::case::{Ran, Test};
use crate::support::sandbox::Sandbox;

const QUIET: &str = "--rate 1000/s --summary none --progress none";

/// A referral, what the plan wants of it, what somebody else does meanwhile; and what becomes of it with
/// rebasing, and why where that is told.
struct Case {
    number: usize,
    ours: Value,
    theirs: Value,
    wanted: &'static str,
    why: &'static str,
}

fn case(number: usize, ours: Value, theirs: Value, wanted: &'static str, why: &'static str) -> Case {
    Case { number, ours, theirs, wanted, why }
}

fn member(email: &str) -> Value {
    json!([{"op": "add", "path": "/team/-", "value": {"firstName": "Kim", "email": email}}])
}

fn cases() -> Vec<Case> {
    let notes = |text: &str| json!({"details": {"notes": text}});
    let value = json!({"details": {"dealValue": 4711}});
    let won = json!({"status": "Closed", "substatus": "Won"});
    let lost = json!({"status": "Closed", "substatus": "Lost", "statusReason": "Budget"});
    let bound = json!({"eTag": "\"e7a90001-0000-4000-8000-000000000027\"", "details": {"dealValue": 1}});
    let (kim, lee) = ("kim@partner.example.com", "lee@partner.example.com");
    vec![
        case(15, value.clone(), notes("theirs"), "applied rebased", ""),
        case(16, notes("ours"), notes("theirs"), "conflict", "/details/notes was changed"),
        case(17, won.clone(), json!({"salesStage": "Close"}), "applied rebased", ""),
        case(18, lost.clone(), won.clone(), "conflict", "/status was changed"),
        case(22, value.clone(), lost, "conflict", "the referral is closed (rule closed-edit)"),
        case(25, json!({"patch": member(kim)}), notes("theirs"), "applied rebased", ""),
        case(
            24,
            json!({"patch": member(kim)}),
            json!({"patch": member(lee)}),
            "conflict",
            "/team was changed",
        ),
        case(27, bound, notes("theirs"), "conflict", "its row names the version it is for"),
        // The stage was accepted meanwhile, which this row does not touch.
        case(3, value, json!({"status": "Active", "substatus": "Accepted"}), "applied rebased", ""),
        // It was closed as Declined meanwhile, and this one was to be accepted.
        case(
            9,
            json!({"status": "Active", "substatus": "Accepted"}),
            json!({"status": "Closed", "substatus": "Declined", "statusReason": "No"}),
            "conflict",
            "/status was changed",
        ),
    ]
}

fn id(number: usize) -> String {
    format!("5a1e0001-0000-4000-8000-{number:012}")
}

fn lines(cases: &[Case], side: fn(&Case) -> &Value) -> String {
    cases.iter().fold(String::new(), |mut lines, case| {
        let mut row = side(case).clone();
        row["id"] = json!(id(case.number));
        let _ = writeln!(lines, "{row}");
        lines
    })
}

/// Plans, lets somebody else change every referral, and carries the plan out.
fn meanwhile(sandbox: &Sandbox, cases: &[Case], options: &str) -> Ran {
    let planned = Test::new(&format!("apply ours.jsonl --plan --out run {QUIET} {options}"))
        .file("ours.jsonl", lines(cases, |case| &case.ours))
        .file("theirs.jsonl", lines(cases, |case| &case.theirs))
        .service(&sandbox.base)
        .told_elsewhere()
        .run();
    let closing = cases.iter().filter(|case| case.theirs["status"] == "Closed").count();
    let others =
        planned.then(&format!("apply theirs.jsonl --yes --confirm-closing {closing} --out others {QUIET}"));
    others.service(&sandbox.base).told_elsewhere().run();
    let closing = cases.iter().filter(|case| case.ours["status"] == "Closed").count();
    let resumed = planned.then(&format!("resume run --yes --confirm-closing {closing} {QUIET}"));
    resumed.service(&sandbox.base).code(3).told_elsewhere().run()
}

fn outcomes(ran: &Ran) -> Vec<(String, String)> {
    let line = |line: &str| -> (String, String) {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let rebased = if text("code") == "rebased" { " rebased" } else { "" };
        (text("outcome") + rebased, text("message"))
    };
    ran.place.raw("run/outcomes.jsonl").lines().map(line).collect()
}

#[test]
fn what_nobody_else_touched_is_sent_again() {
    let sandbox = Sandbox::start("");
    let cases = cases();
    let ran = meanwhile(&sandbox, &cases, "--on-conflict rebase");
    for (case, (outcome, message)) in cases.iter().zip(outcomes(&ran)) {
        assert_eq!(outcome, case.wanted, "{}: {message}", case.number);
        if !case.why.is_empty() {
            let why = format!("; not sent again: {}", case.why);
            assert!(message.ends_with(&why), "{}: {message}", case.number);
        }
        let now = sandbox.referral(&id(case.number));
        let holds = |side: &Value| holds(&now, side);
        assert!(holds(&case.theirs), "{}: {now}", case.number);
        assert_eq!(holds(&case.ours), outcome == "applied rebased", "{}: {now}", case.number);
    }
}

#[test]
fn without_it_every_one_of_them_is_a_conflict() {
    let sandbox = Sandbox::start("");
    let cases = cases();
    let ran = meanwhile(&sandbox, &cases, "");
    for (case, (outcome, message)) in cases.iter().zip(outcomes(&ran)) {
        assert_eq!(outcome, "conflict", "{}: {message}", case.number);
        let now = sandbox.referral(&id(case.number));
        assert!(holds(&now, &case.theirs) && !holds(&now, &case.ours), "{}: {now}", case.number);
    }
}

/// Whether a referral has what a row wants; an element that is appended, exactly once.
fn holds(now: &Value, row: &Value) -> bool {
    if let Some(patch) = row["patch"].as_array() {
        let email = &patch[0]["value"]["email"];
        return now["team"].as_array().unwrap().iter().filter(|member| member["email"] == *email).count()
            == 1;
    }
    let fields = row.as_object().unwrap().iter().filter(|(name, _)| *name != "eTag" && *name != "id");
    fields.into_iter().all(|(name, value)| match value.as_object() {
        Some(members) => members.iter().all(|(member, value)| now[name][member] == *value),
        None => now[name] == *value,
    })
}
