//! Reports that are given back: what the next command says, followed to the letter, loses no row and makes no
//! change twice.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use support::{Place, Test, sample};

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
                assert!(!place.path().join("run").exists());
            }
        }
    }
}

/// A payload that somebody else's change made stale.
#[test]
fn payloads_of_a_report_are_planned_live_too() {
    let mut payload = support::sample_referral(ACTIVE);
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
