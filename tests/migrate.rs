//! `migrate` as a user meets it: legacy PUT payloads go the way of every change, from the file to the
//! service.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use serde_json::{Value, json};
use support::sandbox::Sandbox;
use support::{Test, sample};

const QUIET: &str = "--rate 1000/s --out run --summary none --progress none";

/// The payload that a sample would have been PUT as.
fn payload(number: usize) -> Value {
    let samples = sample("referrals.jsonl");
    serde_json::from_str(samples.lines().nth(number - 1).unwrap()).unwrap()
}

fn lines(payloads: &[Value]) -> String {
    payloads.iter().map(|payload| format!("{payload}\n")).collect()
}

fn id(number: usize) -> String {
    payload(number)["id"].as_str().unwrap().to_owned()
}

#[test]
fn requests_of_the_documentation_become_patches() {
    Test::new("migrate put-request.http --sandbox --rate 1000/s --out run")
        .sample("put-request.http")
        .snapshot("put_request", ["run/success.jsonl", "run/plan.jsonl"])
        .run();
}

#[test]
fn what_was_sent_is_what_the_payload_said() {
    let sandbox = Sandbox::start("");
    let mut changed = payload(15);
    changed["details"]["dealValue"] = json!(4711);
    changed["customerProfile"]["team"].as_array_mut().unwrap().push(json!({
        "firstName": "Kim", "lastName": "Park", "email": "kim.park@partner.example.com"
    }));
    changed.as_object_mut().unwrap().remove("links");
    let ran = Test::new(&format!("migrate a.jsonl --yes {QUIET}"))
        .file("a.jsonl", lines(&[changed, payload(16)]))
        .service(&sandbox.base)
        .told_elsewhere()
        .run();
    assert_eq!(ran.outcomes("run"), "1 applied, 1 unchanged");
    assert_eq!(ran.summary("run")["command"], "migrate");
    let now = sandbox.referral(&id(15));
    assert_eq!(now["details"]["dealValue"], 4711);
    let team = now["customerProfile"]["team"].as_array().unwrap();
    assert_eq!(team.last().unwrap()["email"], "kim.park@partner.example.com");
    assert_eq!(sandbox.referral(&id(16)), payload(16), "what is so already is left alone");
}

#[test]
fn a_stale_payload_overwrites_nothing_but_what_is_taken() {
    let sandbox = Sandbox::start("");
    let mut stale = payload(15);
    stale["eTag"] = json!("\"older\"");
    stale["details"]["dealValue"] = json!(4711);
    stale["salesStage"] = json!("Propose");
    let test = |more: &str, code| {
        Test::new(&format!("migrate a.jsonl --yes {QUIET} {more}"))
            .file("a.jsonl", lines(std::slice::from_ref(&stale)))
            .service(&sandbox.base)
            .code(code)
            .told_elsewhere()
            .run()
    };
    let before = sandbox.referrals();
    assert_eq!(test("", 3).outcomes("run"), "1 conflict");
    assert!(sandbox.referrals() == before, "something was sent");
    assert_eq!(test("--take /details/dealValue", 0).outcomes("run"), "1 applied");
    let now = sandbox.referral(&id(15));
    assert_eq!(
        (&now["details"]["dealValue"], &now["salesStage"]),
        (&json!(4711), &payload(15)["salesStage"])
    );
}

/// One bad payload is one finding, wherever it stands.
#[test]
fn the_rest_of_an_archive_goes_on() {
    let mut good = payload(15);
    good["details"]["dealValue"] = json!(4711);
    let mut nameless = payload(16);
    nameless.as_object_mut().unwrap().remove("id");
    let mut late = payload(15);
    late["details"]["dealValue"] = json!(4712);
    let archive = format!("{good}\n7\n{{\"id\":\n{nameless}\n{late}\n{}\n", payload(17));
    let ran = Test::new(&format!("migrate a.jsonl --sandbox {QUIET}"))
        .file("a.jsonl", archive)
        .code(3)
        .snapshot("archive", ["run/error.jsonl"])
        .run();
    assert_eq!(ran.outcomes("run"), "1 applied, 1 unchanged, 4 invalid");
    // Fed back, they are told the same.
    let again = ran.then("migrate run/error.jsonl --sandbox --rate 1000/s --out again --summary none");
    let again = again.code(3).told_elsewhere().run();
    assert_eq!(again.summary("again")["rows"]["invalid"], 3);
}

#[test]
fn a_folder_is_its_files() {
    let ran = Test::new(&format!("migrate outbox --plan --state referrals.jsonl {QUIET}"))
        .sample("referrals.jsonl")
        .file("outbox/b.json", payload(16).to_string())
        .file("outbox/a/c.json", json!([payload(15), payload(17)]).to_string())
        .file("outbox/notes.txt", "not a payload")
        .run();
    assert_eq!(ran.outcomes("run"), "3 unchanged");
    let inputs = ran.summary("run")["inputs"].clone();
    let paths: Vec<&str> =
        inputs.as_array().unwrap().iter().map(|input| input["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["outbox/a/c.json", "outbox/b.json"]);
}

#[test]
fn settings_that_make_no_sense_are_told() {
    for (flags, said) in [
        ("--state none", "a payload says nothing without the referral"),
        ("--take details", "--take details: this is no JSON Pointer"),
        ("--take /team/-", "--take /team/-: a list is taken as a whole"),
        ("--take /createdDateTime", "--take /createdDateTime: the service alone writes this"),
        ("--take /name", "--take /name: this path is not documented as patchable"),
    ] {
        let ran = Test::new(&format!("migrate a.jsonl --sandbox {QUIET} {flags}"))
            .file("a.jsonl", lines(&[payload(15)]))
            .code(2)
            .told_elsewhere()
            .run();
        assert!(ran.stderr.contains(said), "{flags}: {}", ran.stderr);
        assert_eq!(ran.place.files().into_keys().collect::<Vec<_>>(), ["a.jsonl"]);
    }
}
