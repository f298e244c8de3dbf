//! `migrate` as a user meets it: legacy PUT payloads go the way of every change, from the file to the
//! service.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Value, json};

use super::{lines, payload};
use crate::support::case::{Ran, Test};
use crate::support::checksums;
use crate::support::program::plainly;
use crate::support::sandbox::Sandbox;

const QUIET: &str = "--rate 1000/s --out run --summary none --progress none";

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
    // What is named does not differ, and the rest is as stale as ever.
    assert_eq!(test("--take /details/notes", 3).outcomes("run"), "1 conflict");
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

/// A payload, and what it must come to.
struct Audited {
    line: String,
    class: &'static str,
    /// The document that is sent instead, to the letter; nothing where none is.
    patch: &'static str,
    overwritten: &'static [&'static str],
}

/// The sample of that number with other values by pointer; null takes a member out.
fn edited(number: usize, edits: &Value) -> String {
    let mut payload = payload(number);
    for (pointer, value) in edits.as_object().unwrap() {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = payload.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if value.is_null() {
            parent.remove(name)
        } else {
            parent.insert(name.to_owned(), value.clone())
        };
    }
    payload.to_string()
}

/// Payloads of every class, in the order in which they are read. `taken` is sent of the third stale one.
fn of_every_class(taken: &'static str) -> Vec<Audited> {
    let audited = |line, class, patch, overwritten| Audited { line, class, patch, overwritten };
    let older = r#""older""#;
    vec![
        audited(payload(15).to_string(), "no-change", "", &[]),
        audited(edited(16, &json!({"/eTag": older})), "no-change", "", &[]),
        audited(
            edited(17, &json!({"/details/dealValue": 4711})),
            "safe",
            r#"[{"op":"replace","path":"/details/dealValue","value":4711}]"#,
            &[],
        ),
        audited(
            edited(18, &json!({"/details/dealValue": 4712, "/salesStage": "Propose"})),
            "safe",
            r#"[{"op":"replace","path":"/salesStage","value":"Propose"},{"op":"replace","path":"/details/dealValue","value":4712}]"#,
            &[],
        ),
        audited(
            edited(
                19,
                &json!({"/eTag": older, "/details/dealValue": 1, "/details/notes": "x", "/name": "y"}),
            ),
            "stale",
            "",
            &["/details/dealValue", "/details/notes", "/name"],
        ),
        audited(
            edited(20, &json!({"/eTag": null, "/details/dealValue": 2})),
            "stale",
            "",
            &["/details/dealValue"],
        ),
        audited(
            edited(22, &json!({"/eTag": older, "/details/dealValue": 3, "/campaignId": "AUTUMN"})),
            "stale",
            taken,
            &["/campaignId", "/details/dealValue"],
        ),
        audited(
            edited(33, &json!({"/details/notes": "late"})),
            "closed",
            r#"[{"op":"replace","path":"/details/notes","value":"late"}]"#,
            &[],
        ),
        audited(
            edited(34, &json!({"/eTag": older, "/details/notes": "late"})),
            "closed",
            "",
            &["/details/notes"],
        ),
        audited(edited(23, &json!({"/name": "Another name"})), "not-expressible", "", &[]),
        audited(edited(24, &json!({"/substatus": "Won"})), "invalid", "", &[]),
        audited(edited(26, &json!({"/details": 7})), "invalid", "", &[]),
        audited("7".to_owned(), "invalid", "", &[]),
        audited(edited(17, &json!({"/details/dealValue": 4713})), "invalid", "", &[]),
        audited(edited(25, &json!({"/id": "5a1e0001-0000-4000-8000-00000000ffff"})), "not-compared", "", &[]),
    ]
}

/// How often each of them occurs, the most frequent first, and by name.
fn counted<'a>(fields: impl Iterator<Item = &'a str>) -> Value {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    fields.for_each(|field| *counts.entry(field).or_default() += 1);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, payloads)| Reverse(*payloads));
    counts.into_iter().map(|(field, payloads)| json!({"field": field, "payloads": payloads})).collect()
}

/// The section of `summary.json` that payloads must come to.
fn audit_of(payloads: &[Audited]) -> Value {
    let classes = ["no-change", "safe", "stale", "closed", "not-expressible", "invalid", "not-compared"];
    let of_class = |class: &str| payloads.iter().filter(|payload| payload.class == class).count();
    let replaced: Vec<&Audited> =
        payloads.iter().filter(|payload| payload.class == "no-change" || !payload.patch.is_empty()).collect();
    let put: usize = replaced.iter().map(|payload| payload.line.len()).sum();
    let patch: usize = replaced.iter().map(|payload| payload.patch.len()).sum();
    let per_myriad = u32::try_from(10_000 * (put - patch) / put).unwrap();
    let paths = Regex::new(r#""path":"([^"]+)""#).unwrap();
    let changed = payloads.iter().flat_map(|payload| paths.captures_iter(payload.patch));
    json!({
        "payloads": payloads.len(),
        "classes": classes.map(|class| (class.to_owned(), of_class(class).into())).into_iter().collect::<serde_json::Map<_, _>>(),
        "bytes": {"payloads": replaced.len(), "put": put, "patch": patch, "saved": f64::from(per_myriad) / 10_000.0},
        "changed": counted(changed.map(|found| found.extract::<1>().1[0])),
        "overwritten": counted(payloads.iter().flat_map(|payload| payload.overwritten.iter().copied())),
    })
}

/// The audit is the plan's: made again, reported again and carried out, it stays the same.
#[track_caller]
fn stays(flags: &str, payloads: &[Audited], [planned, sent]: [&str; 2]) -> Ran {
    let wanted = audit_of(payloads);
    let archive: String = payloads.iter().map(|payload| payload.line.clone() + "\n").collect();
    // The first request is refused, so that the plan has to be made again.
    let sandbox = Sandbox::start("--fault list#1=401");
    let ran = Test::new(&format!("migrate a.jsonl --plan {flags} {QUIET}"))
        .file("a.jsonl", archive)
        .sample("referrals.jsonl")
        .service(&sandbox.base)
        .code(4)
        .told_elsewhere()
        .run();
    let audit = ran.summary("run")["audit"].clone();
    let not_compared = json!(payloads.len() - 2);
    assert_eq!((&audit["classes"]["not-compared"], &audit["classes"]["invalid"]), (&not_compared, &json!(2)));
    assert_eq!(audit["bytes"], json!({"payloads": 0, "put": 0, "patch": 0, "saved": null}));

    let mut plan = None;
    for (command, outcomes) in
        [("resume run", planned), ("report run", planned), ("resume run --yes", sent), ("report run", sent)]
    {
        let test = ran.then(&format!("{command} --summary json")).service(&sandbox.base).code(3);
        let again = test.told_elsewhere().run();
        assert_eq!(again.outcomes("run"), outcomes, "{command}");
        let printed: Value = serde_json::from_str(&again.stdout).unwrap();
        assert_eq!((&printed["audit"], &again.summary("run")["audit"]), (&wanted, &wanted), "{command}");
        let now = again.place.raw("run/plan.jsonl");
        assert_eq!(plan.get_or_insert_with(|| now.clone()), &now, "{command}");
        for (payload, line) in payloads.iter().zip(again.place.raw("run/outcomes.jsonl").lines()) {
            assert_eq!(serde_json::from_str::<Value>(line).unwrap()["class"], payload.class, "{line}");
        }
    }
    told_line_by_line(payloads, &plan.unwrap());
    ran
}

#[test]
fn the_audit_of_a_plan_stays_as_it_is() {
    let payloads = of_every_class("");
    let planned = "2 unchanged, 3 planned, 4 conflict, 5 invalid, 1 refused";
    let sent = "3 applied, 2 unchanged, 4 conflict, 5 invalid, 1 refused";
    let ran = stays("", &payloads, [planned, sent]);
    let seen = ran.then("migrate a.jsonl --plan --state referrals.jsonl --out seen");
    let seen = seen.code(3).snapshot("audit", []).run();
    assert_eq!(seen.summary("seen")["audit"], audit_of(&payloads));
}

#[test]
fn what_is_taken_is_in_the_audit() {
    let payloads = of_every_class(r#"[{"op":"replace","path":"/campaignId","value":"AUTUMN"}]"#);
    let planned = "2 unchanged, 4 planned, 3 conflict, 5 invalid, 1 refused";
    let sent = "4 applied, 2 unchanged, 3 conflict, 5 invalid, 1 refused";
    stays("--take /campaignId", &payloads, [planned, sent]);
}

/// Every line of the plan tells its payload's part.
fn told_line_by_line(payloads: &[Audited], plan: &str) {
    for line in plan.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let row = usize::try_from(line["rows"][0]["line"].as_u64().unwrap()).unwrap();
        let Audited { line: body, class, patch, overwritten } = &payloads[row - 1];
        let mut told: Vec<&str> = line["audit"]["overwritten"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field.as_str().unwrap())
            .collect();
        told.sort_unstable();
        let put = if *class == "not-compared" { 0 } else { body.len() };
        let audit = &line["audit"];
        assert_eq!((&audit["class"], told.as_slice()), (&json!(class), *overwritten), "{line}");
        assert_eq!(
            (&audit["put_bytes"], &audit["patch_bytes"]),
            (&json!(put), &json!(patch.len())),
            "{line}"
        );
    }
    // All but the two that never became one.
    assert_eq!(plan.lines().count(), payloads.len() - 2);
}

#[test]
fn a_payload_that_the_audit_misses_is_a_defect() {
    let ran = Test::new(&format!("migrate a.jsonl --plan --state referrals.jsonl {QUIET}"))
        .sample("referrals.jsonl")
        .file("a.jsonl", lines(&[payload(15), payload(16)]))
        .told_elsewhere()
        .run();
    let ledger = rusqlite::Connection::open(ran.place.path("run/run.sqlite")).unwrap();
    ledger.execute("UPDATE item SET audit = NULL WHERE number = 2", []).unwrap();
    checksums::renew(&ledger).unwrap();
    drop(ledger);
    let (code, _, said) = plainly(&ran.place, "report run --summary none");
    assert_eq!(code, Some(5), "{said}");
    let told = "error: the books do not balance: the inputs hold 2 payloads, and the audit has 1\n";
    assert!(said.starts_with(told), "{said}");
}
