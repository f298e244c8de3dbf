//! Reports that are given back: what the next command says, followed to the letter, loses no row and makes no
//! change twice.

use serde_json::{Value, json};

use crate::support::case::Test;
use crate::support::place::Place;
use crate::support::samples::{notes_csv, sample, sample_referral};
use crate::support::sandbox::Sandbox;
use crate::support::waiting::each;

const QUIET: &str = "--sandbox --rate 1000/s --summary none --progress none";
const ACTIVE: &str = "5a1e0001-0000-4000-8000-000000000027";

/// A row of a report by its outcome, in either form.
fn report(outcome: &str) -> [(&'static str, String); 2] {
    let csv = format!("id,notes,result.outcome,result.code\n{ACTIVE},Called,{outcome},x\n");
    let json = format!(
        "{{\"id\":\"{ACTIVE}\",\"details\":{{\"notes\":\"Called\"}},\"result.outcome\":\"{outcome}\"}}\n"
    );
    [("report.csv", csv), ("report.jsonl", json)]
}

/// What was there before a run tells nothing of a row that it wrote, or may have: by it, a member would be appended
/// once more, or somebody else's work be overwritten.
#[test]
fn rows_that_an_earlier_run_may_have_written_are_planned_live() {
    for (outcome, is_refused) in [
        ("applied", true),
        ("conflict", true),
        ("partial", true),
        ("unknown", true),
        ("Unsent ", true),
        ("unchanged", false),
        ("planned", false),
        ("invalid", false),
        ("refused", false),
        ("failed", false),
        ("", false),
        ("another", false),
    ] {
        for (name, text) in report(outcome) {
            for state in ["none", "referrals.jsonl", "live"] {
                let place = Place::new();
                place.write("referrals.jsonl", sample("referrals.jsonl"));
                let test = Test::at(&place, &format!("apply {name} --state {state} --out run {QUIET}"));
                let test = test.file(name, &text).told_elsewhere();
                if !is_refused || state == "live" {
                    assert_eq!(test.run().outcomes("run"), "1 applied", "{outcome} {state}");
                    continue;
                }
                let ran = test.code(2).run();
                let line = if name == "report.csv" { 2 } else { 1 };
                let outcome = outcome.trim().to_lowercase();
                let wanted = format!(
                    "error: {name} comes from a report, and tells of a row that is {outcome}: it has to be planned from \
                     its referral as it stands\n  --> {name}:{line}\nhint: leave out --state, so that what was applied \
                     is found unchanged; nothing was sent\n"
                );
                assert!(ran.stderr.ends_with(&wanted), "{}", ran.stderr);
                assert!(!place.path("run").exists());
            }
        }
    }
}

/// A payload that somebody else's change made stale.
#[test]
fn payloads_of_a_report_are_planned_live_too() {
    let mut payload = sample_referral(ACTIVE);
    payload["result.outcome"] = "conflict".into();
    Test::new(&format!("migrate a.jsonl --state referrals.jsonl --out run {QUIET}"))
        .file("a.jsonl", format!("{payload}\n"))
        .sample("referrals.jsonl")
        .code(2)
        .stderr(
            "error: a.jsonl comes from a report, and tells of a row that is conflict: it has to be planned from its \
             referral as it stands\n  --> a.jsonl:1\nhint: leave out --state, so that what was applied is found \
             unchanged; nothing was sent\n",
        )
        .run();
}

/// Whoever corrected the report would send what it has lost.
#[test]
fn text_that_could_not_be_decoded_is_mended_in_the_input() {
    let latin = [
        &b"id,notes\n5a1e0001-0000-4000-8000-000000000027,caf\xe9\n"[..],
        b"5a1e0001-0000-4000-8000-000000000015,tea\n",
    ];
    let ran = Test::new(&format!("apply a.csv --out run {QUIET}")).file("a.csv", latin.concat());
    let ran = ran.code(3).told_elsewhere().run();
    let next = "next: mend in a.csv the text that could not be read, for the error report has lost it, and give it again, \
                which changes only what was not applied: referral-bulk apply a.csv --sandbox --rate 1000/s\n";
    assert!(ran.stderr.ends_with(next), "{}", ran.stderr);
    assert_eq!(ran.outcomes("run"), "1 applied, 1 invalid");
}

/// A report can give back only the text of what was no JSON. As long as nobody corrects that, it fails as it did.
#[test]
fn lines_that_were_no_json_fail_as_before() {
    for (command, name) in [("apply", "a.jsonl"), ("migrate", "a.jsonl"), ("migrate", "a.json")] {
        let place = Place::new();
        place.write(name, format!("{{\"id\":\"{ACTIVE}\",\"details\":{{\"notes\":\"Called\"}}"));
        let mut input = name.to_owned();
        for run in ["first", "second", "third"] {
            let test = Test::at(&place, &format!("{command} {input} --out {run} {QUIET}"));
            let ran = test.code(3).told_elsewhere().run();
            assert_eq!(ran.outcomes(run), "1 invalid", "{command} {input}");
            let outcome = place.raw(&format!("{run}/outcomes.jsonl"));
            assert!(outcome.contains("\"code\":\"json\""), "{command} {input}: {outcome}");
            input = format!("{run}/error.jsonl");
        }
        let [first, third] = ["first", "third"].map(|run| place.raw(&format!("{run}/error.jsonl")));
        let text = |report: &str| report.split("\"result.outcome\"").next().unwrap().to_owned();
        assert_eq!(text(&first), text(&third), "{command} {name}");
    }
}

/// Our own change moved the version that the row names: nobody else made it stale.
#[test]
fn a_row_that_was_taken_in_part_is_bound_to_what_that_led_to() {
    let referral = sample_referral(ACTIVE);
    let etag = referral["eTag"].as_str().unwrap();
    let fields = ["Closed", "Lost", "Budget cut"];
    let csv = format!(
        "id,eTag,status,substatus,statusReason\n{ACTIVE},\"{}\",{}\n",
        etag.replace('"', "\"\""),
        fields.join(",")
    );
    let row = json!({
        "id": ACTIVE, "eTag": etag, "status": fields[0], "substatus": fields[1], "statusReason": fields[2],
    });
    let mut payload = referral.clone();
    for (name, value) in ["status", "substatus", "statusReason"].into_iter().zip(fields) {
        payload[name] = json!(value);
    }
    let cases = [
        ("apply a.csv", csv),
        ("apply a.jsonl", format!("{row}\n")),
        ("migrate a.jsonl", format!("{payload}\n")),
    ];
    each(&cases, |(command, text)| {
        let (_, name) = command.split_once(' ').unwrap();
        for is_changed_since in [false, true] {
            let mut faults = "--fault patch=ignores:/statusReason".to_owned();
            if is_changed_since {
                faults += " --fault get#4=edited";
            }
            let sandbox = Sandbox::start(&faults);
            let options = "--rate 1000/s --summary none --progress none --yes --confirm-closing 1";
            let ran = Test::new(&format!("{command} --out run {options}")).file(name, text);
            let ran = ran.service(&sandbox.base).code(3).told_elsewhere().run();
            assert_eq!(ran.outcomes("run"), "1 partial", "{command}: {}", ran.stderr);
            let moved = sandbox.referral(ACTIVE)["eTag"].clone();
            // A payload is of no version but its own, so that what is sent again is named.
            let next = ran.next().replace("--take POINTER", "--take /statusReason");
            let next = format!("{next} --out again --summary none --yes");
            if is_changed_since {
                sandbox.referral(ACTIVE);
                assert_ne!(sandbox.referral(ACTIVE)["eTag"], moved, "somebody else changed it");
            }
            let is_stale = is_changed_since && !command.starts_with("migrate");
            let again = ran.then(&next).service(&sandbox.base).code(if is_stale { 3 } else { 0 });
            let again = again.told_elsewhere().run();
            let wanted = if is_stale { "1 conflict" } else { "1 applied" };
            assert_eq!(again.outcomes("again"), wanted, "{command}, then {next}: {}", again.stderr);
            let reason = if is_stale { Value::Null } else { json!("Budget cut") };
            assert_eq!(sandbox.referral(ACTIVE)["statusReason"], reason, "{command}");
        }
    });
}

/// Whoever reports a run, or carries on with it, may stand in another directory than whoever planned it.
#[test]
fn what_is_named_is_found_from_wherever_somebody_stands() {
    let latin = b"id,notes\n5a1e0001-0000-4000-8000-000000000027,caf\xe9\n";
    let wrong = format!("id,closingDateTime\n{ACTIVE},tomorrow\n");
    let mut payload = sample_referral(ACTIVE);
    payload["status"] = json!("Closing");
    let sent = "--rate 1000/s --summary none --progress none";
    for (command, wanted) in [
        ("apply in/latin.csv --sandbox=in/seed.jsonl", "apply ../in/latin.csv --sandbox=../in/seed.jsonl"),
        (
            "apply in/wrong.csv --plan --state in/seed.jsonl --sandbox",
            "apply ../run/error.csv --state ../in/seed.jsonl --plan --sandbox",
        ),
        (
            "migrate in/payload.jsonl --base in/seed.jsonl --sandbox",
            "migrate ../run/error.jsonl --base ../in/seed.jsonl --sandbox",
        ),
    ] {
        let ran = Test::new(&format!("{command} --out run {sent}"))
            .file("in/latin.csv", latin)
            .file("in/wrong.csv", &wrong)
            .file("in/payload.jsonl", format!("{payload}\n"))
            .file("in/seed.jsonl", sample("referrals.jsonl"));
        let ran = ran.code(3).told_elsewhere().run();
        // A file of that name that is none of the run's.
        ran.place.write("elsewhere/in/seed.jsonl", "another\n");
        let report =
            ran.then("report ../run --summary none").inside("elsewhere").code(3).told_elsewhere().run();
        let place = std::fs::canonicalize(ran.place.root()).unwrap();
        let next = report.next().replace(&format!("{}/", place.display()), "../");
        assert_eq!(next, wanted, "{command}");
        let again = format!("{} --out again {sent}", report.next());
        let again = report.then(&again).inside("elsewhere").code(3).told_elsewhere().run();
        let place = &again.place;
        let home = ran.outcomes("run");
        assert_eq!(again.outcomes("elsewhere/again"), home, "{command}: {}", again.stderr);
        let moved = place.path("moved");
        std::fs::create_dir(&moved).unwrap();
        for name in ["in", "run"] {
            std::fs::rename(place.path(name), moved.join(name)).unwrap();
        }
        // All of it was moved together: the old names lead there.
        let report = ran.then("report run --summary none").inside("moved").code(3).told_elsewhere().run();
        assert_eq!(report.next(), wanted.replace("../", ""), "{command}");
    }
}

/// Whoever changes a file and carries on believes that the change counts.
#[test]
fn an_input_that_was_changed_is_noticed_from_elsewhere() {
    let ran = Test::new(&format!("apply a.csv --plan --out run {QUIET}")).file("a.csv", notes_csv(&[ACTIVE]));
    let ran = ran.told_elsewhere().run();
    ran.place.write("a.csv", format!("id,notes\n{ACTIVE},Another\n"));
    let resume = || ran.then("resume ../run --summary none --progress none").inside("elsewhere");
    let place = std::fs::canonicalize(ran.place.root()).unwrap();
    let refused = resume().code(1).told_elsewhere().run();
    let wanted = format!("error: {}/a.csv is not what it was when the run was planned\n", place.display());
    assert!(refused.stderr.starts_with(&wanted), "{}", refused.stderr);

    // Another file of that name is none of the run's.
    ran.place.write("a.csv", notes_csv(&[ACTIVE]));
    ran.place.write("elsewhere/a.csv", "another\n");
    resume().told_elsewhere().run();
}
