//! Half a payload is none: whatever a file holds beside payloads, or lacks of them, nothing is sent of one
//! that may not be whole.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use serde_json::Value;
use support::sandbox::Sandbox;
use support::{Ran, Test};

const QUIET: &str = "--yes --confirm-closing 0 --rate 1000/s --out run --summary none --progress none";

const ID: &str = "5a1e0001-0000-4000-8000-000000000015";

/// A payload that gives a referral another reference.
fn referring(number: u32) -> String {
    format!(
        r#"{{"id":"5a1e0001-0000-4000-8000-0000000000{number}","eTag":"\"e7a90001-0000-4000-8000-0000000000{number}\"","externalReferenceId":"NEW-{number}"}}"#
    )
}

/// The findings of a run's rows, and of its items, as `line rule level`.
fn findings(ran: &Ran) -> Vec<String> {
    let outcomes = ran.place.raw("run/outcomes.jsonl");
    let rows = outcomes.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| {
        format!("{} {} {}", row["line"], row["outcome"].as_str().unwrap(), row["code"].as_str().unwrap())
    })
    .collect()
}

/// Migrates a file against a service, and answers with what became of its rows.
fn check(name: &str, text: &str, flags: &str, code: i32, wanted: &[&str]) -> Ran {
    let sandbox = Sandbox::start("");
    let before = sandbox.referrals();
    let test = Test::new(&format!("migrate {name} {QUIET} {flags}")).file(name, text);
    let ran = test.service(&sandbox.base).code(code).told_elsewhere().run();
    assert_eq!(findings(&ran), wanted, "{text}");
    let is_untouched = sandbox.referrals() == before;
    assert_eq!(is_untouched, !wanted.iter().any(|wanted| wanted.contains("applied")), "{text}");
    ran
}

/// One brace too many in line 2 once closed the referral for good, and lost its deal value.
#[test]
fn a_brace_too_many_sends_nothing() {
    let text = format!(
        "{{\"id\":\"{ID}\",\"eTag\":\"\\\"e7a90001-0000-4000-8000-000000000015\\\"\",\n \
         \"status\":\"Closed\",\"substatus\":\"Won\"}},\n \"details\":{{\"dealValue\":125000.50,\"currency\":\"EUR\"}}}}\n"
    );
    for name in ["a.json", "a.jsonl"] {
        let rows: &[&str] = if name == "a.json" {
            &["1 invalid json"]
        } else {
            &["1 invalid json", "2 invalid json", "3 invalid json"]
        };
        let ran = check(name, &text, "", 3, rows);
        assert!(ran.stderr().contains("a.json:2:41") || name != "a.json", "{}", ran.stderr());
    }
}

#[test]
fn an_array_that_ends_early_is_told_and_never_a_success() {
    let text = format!("[{},\n", referring(15));
    let condemned = ["1 invalid cut-off", "2 invalid json"];
    check("a.json", &text, "", 3, &condemned);
    check("a.json", &text, "--rule cut-off=deny", 3, &condemned);
    for level in ["warn", "allow"] {
        check("a.json", &text, &format!("--rule cut-off={level}"), 3, &["1 applied ", "2 invalid json"]);
    }
    check("a.json", "[", "", 3, &["1 invalid json"]);
    check("a.json", &text[..text.len() - 20], "", 3, &["1 invalid json"]);
}
