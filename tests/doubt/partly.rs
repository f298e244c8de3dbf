//! What the service takes in part, or says yes to and doesn't show: against a sandbox in another process that
//! plays each, and what the reports, the summary and the next run make of it.

use serde_json::{Value, json};

use crate::support::case::{Ran, Test};
use crate::support::place::Place;
use crate::support::samples::sample_referral;
use crate::support::sandbox::Sandbox;
use crate::support::waiting::each;
use crate::support::wire::{self, Wire};

const ID: &str = "5a1e0001-0000-4000-8000-000000000015";
const QUIET: &str = "--rate 1000/s --summary none --progress none --out run --yes";
/// A closing with its reason, as a team writes it at the end of a quarter.
const CLOSING: &str =
    "id,status,substatus,statusReason\n5a1e0001-0000-4000-8000-000000000015,Closed,Lost,Budget cut\n";

/// The one row of a run, as `outcomes.jsonl` has it.
fn row(ran: &Ran, run: &str) -> Value {
    serde_json::from_str(ran.place.raw(&format!("{run}/outcomes.jsonl")).trim_end()).unwrap()
}

/// `OUTCOME CODE STATUS`
fn told(row: &Value) -> String {
    let status = row["status"].as_u64().map_or("-".to_owned(), |status| status.to_string());
    format!("{} {} {status}", row["outcome"].as_str().unwrap(), row["code"].as_str().unwrap())
}

fn faulty(faults: &[&str]) -> Sandbox {
    Sandbox::start(&faults.iter().map(|fault| format!("--fault {fault} ")).collect::<String>())
}

/// Faults, the change file, what its row comes to, what the message says, and how many referrals were changed
/// and closed.
type Case = (&'static [&'static str], &'static str, &'static str, &'static str, [u64; 2]);

#[test]
fn what_is_not_taken_is_named() {
    let text = "id,notes,salesStage\n5a1e0001-0000-4000-8000-000000000015,Called,Propose\n";
    let member = "id,notes,team.add\n5a1e0001-0000-4000-8000-000000000015,Called,\"Kim, Park, , kim.park@partner.example.com\"\n";
    let value = "id,dealValue\n5a1e0001-0000-4000-8000-000000000015,7\n";
    let cases: [Case; 10] = [
        (
            &["patch=ignores:/statusReason"],
            CLOSING,
            "partial partly-taken 200",
            "the service took only some of it: /statusReason: sent \"Budget cut\", kept ",
            [1, 1],
        ),
        // Half a stage is none.
        (&["patch=ignores:/status"], CLOSING, "refused SubstatusNotOfStatus 400", "", [0, 0]),
        (
            &["patch=ignores:/details"],
            text,
            "partial partly-taken 200",
            "the service took only some of it: /details/notes: sent \"Called\", kept ",
            [1, 0],
        ),
        (
            &["patch=ignores:/team"],
            member,
            "partial partly-taken 200",
            "the service took only some of it: /team: sent [{\"firstName\":\"Kim\",",
            [1, 0],
        ),
        // None of it: nobody else wrote at this version.
        (
            &["patch=ignores:/details/dealValue"],
            value,
            "partial partly-taken 200",
            "the service said yes and took none of it: /details/dealValue: sent 7, kept ",
            [1, 0],
        ),
        // After an answer that was lost.
        (
            &["patch#1=502", "patch#2=ignores:/details"],
            text,
            "partial partly-taken 200",
            "the service took only some of it: /details/notes: sent \"Called\", kept ",
            [1, 0],
        ),
        // All of it is there, or nothing.
        (&["patch=ignores:/campaignId"], text, "applied applied 200", "", [1, 0]),
        (&["patch=echo+applied"], text, "applied applied 200", "", [1, 0]),
        (&["patch=error+applied"], text, "applied applied 200", "", [1, 0]),
        (&["patch=503:0+applied"], text, "applied applied 200", "", [1, 0]),
    ];
    each(&cases, |(faults, changes, wanted, message, [changed, closed])| {
        let sandbox = faulty(faults);
        let closing = if changes.contains("Closed") { "--confirm-closing 1" } else { "" };
        let ran = Test::new(&format!("apply a.csv {QUIET} {closing}"))
            .file("a.csv", changes)
            .service(&sandbox.base)
            .code(if wanted.starts_with("applied") { 0 } else { 3 })
            .told_elsewhere()
            .run();
        let row = row(&ran, "run");
        assert_eq!(told(&row), *wanted, "{faults:?}: {row}");
        let said = row["message"].as_str().unwrap();
        assert!(said.starts_with(message), "{faults:?}: {said}");
        let referrals = ran.summary("run")["referrals"].clone();
        assert_eq!(
            (&referrals["changed"], &referrals["closed"]),
            (&json!(changed), &json!(closed)),
            "{faults:?}"
        );
        let is_closed = sandbox.referral(ID)["status"] == "Closed";
        assert_eq!(is_closed, *closed == 1, "{faults:?}");
    });
}

/// Told on the terminal, in the reports and in the summary; and what is fed back is planned from the referral
/// as it is now: the closing, which went through, is not made again.
#[test]
fn what_was_taken_in_part_can_be_fed_back() {
    let sandbox = faulty(&["patch=ignores:/statusReason"]);
    let place = Place::new();
    let first = Test::at(&place, &format!("apply a.csv {QUIET} --confirm-closing 1 --state state.jsonl"))
        .file("a.csv", CLOSING)
        .file("state.jsonl", sample_referral(ID).to_string())
        .service(&sandbox.base)
        .code(3)
        .told_elsewhere()
        .run();
    let kept = "/statusReason: sent \"Budget cut\", kept ";
    assert!(
        first.stderr.contains(&format!(
            "warning: 1 row taken in part, the first at a.csv:2: the service took only some of it: {kept}"
        )),
        "{}",
        first.stderr
    );
    // Not from the file, which shows the referral as it was.
    let next = first.stderr.lines().last().unwrap();
    assert!(next.starts_with("next: correct error.csv and feed it back: referral-bulk apply run/error.csv"));
    assert!(!next.contains("--state"), "{next}");
    let summary = first.summary("run");
    assert_eq!((&summary["rows"]["partial"], &summary["exit_code"]), (&json!(1), &json!(3)));
    let kept_there = sample_referral(ID)["statusReason"].clone();
    assert_eq!(row(&first, "run")["kept"], json!({ "/statusReason": kept_there }));
    let error = place.raw("run/error.csv");
    assert!(error.contains(",partial,partly-taken,\"the service took only some of it: "), "{error}");

    let second = Test::at(&place, &format!("apply run/error.csv {}", QUIET.replace("run", "again")))
        .service(&sandbox.base)
        .told_elsewhere()
        .run();
    assert_eq!(told(&row(&second, "again")), "applied applied 200");
    let plan: Value = serde_json::from_str(place.raw("again/plan.jsonl").trim_end()).unwrap();
    let paths: Vec<&Value> =
        plan["operations"].as_array().unwrap().iter().map(|operation| &operation["path"]).collect();
    assert_eq!((paths, &plan["effect"]), (vec![&json!("/statusReason")], &json!("reversible")));
    assert_eq!(sandbox.referral(ID)["statusReason"], "Budget cut");
    assert_eq!(second.summary("again")["referrals"]["closed"], 0);
}

/// A service that takes only part of a change does so with the next one, too.
#[test]
fn it_counts_against_max_errors() {
    let sandbox = faulty(&["patch#*=ignores:/details"]);
    let ids = ["15", "16", "17", "18"].map(|number| format!("5a1e0001-0000-4000-8000-0000000000{number}"));
    let rows: String = ids.iter().map(|id| format!("{id},Called,Propose\n")).collect();
    let ran = Test::new(&format!("apply a.csv {QUIET} --max-errors 2 --concurrency 1"))
        .file("a.csv", format!("id,notes,salesStage\n{rows}"))
        .service(&sandbox.base)
        .code(4)
        .told_elsewhere()
        .run();
    assert_eq!(ran.outcomes("run"), "2 partial, 2 unsent");
    let why = "stopped: 2 rows were refused, failed or taken in part, and --max-errors allows no more";
    assert!(ran.stderr.contains(why), "{}", ran.stderr);
}

/// Reads that show the referral as it was before our change. What was made is not made again, nor held against
/// anybody; what no look shows in the end is not known.
#[test]
fn reads_that_lag_behind() {
    let text = "id,notes\n5a1e0001-0000-4000-8000-000000000015,Called\n";
    // Faults, and the outcome with the number of PATCHes. The first GET is the plan's.
    let cases: [(&[&str], &str); 7] = [
        (&["patch=500+applied", "get#1-3=stale"], "applied applied 200 2"),
        (&["patch=bare+applied", "get=stale"], "applied applied 200 1"),
        (&["patch=bare+applied", "get#1-3=stale"], "applied applied 200 2"),
        (&["patch=503:0+applied", "get#1-2=stale"], "applied applied 200 2"),
        (&["patch=cut+applied", "get#*=stale"], "unknown in-doubt 412 2"),
        (&["patch=500+applied", "patch#2=400", "get#1-4=stale"], "applied applied 200 2"),
        (&["patch=echo+applied", "get#1-2=stale"], "applied applied 200 2"),
    ];
    each(&cases, |(faults, wanted)| {
        let sandbox = faulty(faults);
        let ran = Test::new(&format!("apply a.csv {QUIET} --state state.jsonl"))
            .file("a.csv", text)
            .file("state.jsonl", sample_referral(ID).to_string())
            .service(&sandbox.base)
            .code(if wanted.starts_with("applied") { 0 } else { 3 })
            .told_elsewhere()
            .run();
        let row = row(&ran, "run");
        assert_eq!(format!("{} {}", told(&row), row["attempts"]), *wanted, "{faults:?}: {row}");
        if wanted.starts_with("applied") {
            assert_eq!(sandbox.referral(ID)["details"]["notes"], "Called");
        }
    });
}

/// A yes whose body is an error: what it says is told, of a change, a referral and a list.
#[test]
fn an_error_under_a_yes_is_told() {
    let said = "200 holds an error: BackendUnavailable: something went wrong, and the status doesn't say so";
    let read =
        "200 with an error in it: BackendUnavailable: something went wrong, and the status doesn't say so";
    for (fault, state, wanted, message) in [
        ("patch#*=error", "live", "failed gave-up 200", said),
        ("any#*=error", "live", "failed no-answer -", read),
    ] {
        let sandbox = faulty(&[fault]);
        let ran = Test::new(&format!("apply a.csv {QUIET} --state {state}"))
            .file("a.csv", "id,notes\n5a1e0001-0000-4000-8000-000000000015,Called\n")
            .service(&sandbox.base)
            .code(3)
            .told_elsewhere()
            .run();
        let row = row(&ran, "run");
        assert_eq!(told(&row), wanted, "{fault}: {row}");
        assert!(row["message"].as_str().unwrap().contains(message), "{fault}: {row}");
    }
}

/// Error bodies that name the field: it ends in the message with the reason, harmless and of bounded length.
#[test]
fn the_field_that_is_to_blame_is_named() {
    let long = format!(r#"{{"errors":{{"/details/dealValue":["{}"]}}}}"#, "no ".repeat(2_000));
    let bodies: [(String, &str); 5] = [
        (
            r#"{"Message":"The request is invalid.","ModelState":{"details.dealValue":["Must be between 1 and 100."]}}"#
                .to_owned(),
            "The request is invalid; details.dealValue: Must be between 1 and 100.",
        ),
        (
            r#"{"title":"One or more validation errors occurred.","status":400,"errors":{"/details/dealValue":["must be positive"]}}"#
                .to_owned(),
            "One or more validation errors occurred; /details/dealValue: must be positive",
        ),
        (
            r#"{"error":{"code":"invalid","message":"See details","details":[{"target":"/details/dealValue","message":"=too low\u0007"}],"innererror":{"code":"deep","message":"inner"}}}"#
                .to_owned(),
            "See details; /details/dealValue: =too low\u{fffd}; inner",
        ),
        (r#"{"errors":{"a":["=cmd()"]},"detail":"=1+1"}"#.to_owned(), "=1+1; a: =cmd()"),
        (long, "/details/dealValue: no no "),
    ];
    each(&bodies, |(body, wanted)| {
        let answer = body.clone();
        let service = Wire::serve(move |request| match request.method.as_str() {
            "PATCH" => wire::answer("400 Bad Request", "", &answer),
            _ => wire::answer("200 OK", "", sample_referral(ID).to_string()),
        });
        let ran = Test::new(&format!("apply a.csv {QUIET}"))
            .file("a.csv", "id,dealValue\n5a1e0001-0000-4000-8000-000000000015,12500\n")
            .service(&service.base)
            .code(3)
            .told_elsewhere()
            .run();
        let row = row(&ran, "run");
        let message = row["message"].as_str().unwrap();
        assert!(message.starts_with(wanted) && message.chars().count() <= 500, "{message}");
        let error = ran.place.raw("run/error.csv");
        assert!(!error.contains(",=") && !error.contains("\"="), "{error}");
    });
}
