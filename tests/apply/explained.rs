//! `explain` of rows of workbooks and payloads, and of runs that are at work, were killed, or are not as they were left.

use nix::sys::signal::Signal;

use super::*;

const SEND: &str = "--yes --rate 1000/s --concurrency 1 --summary none --progress none";

/// The life of a row as it is told to programs.
fn explained(place: &Rc<Place>, what: &str) -> Value {
    let ran = Test::at(place, &format!("explain run {what} --json")).told_elsewhere().run();
    let mut told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["lives"].as_array().map(Vec::len), Some(1), "{told}");
    let run = told["run"].take();
    let mut life = told["lives"][0].take();
    life["run"] = run;
    life
}

/// What an attempt was answered with, and what followed.
fn attempts(life: &Value) -> Vec<(Option<u64>, Option<&str>)> {
    let attempts = life["attempts"].as_array().unwrap().iter();
    attempts.map(|attempt| (attempt["status"].as_u64(), attempt["result"].as_str())).collect()
}

#[test]
fn a_row_of_a_workbook_is_told_with_its_sheet_and_cells() {
    let workbook = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/workbooks/plain.xlsx")).unwrap();
    let place = Test::new(&format!("apply plain.xlsx {QUIET}"))
        .file("plain.xlsx", workbook)
        .told_elsewhere()
        .run()
        .place;
    let life = explained(&place, "plain.xlsx:2");
    let row = &life["rows"][0];
    let cells =
        serde_json::json!([{"column": "id", "value": ACTIVE}, {"column": "notes", "value": "Called"}]);
    assert_eq!((&row["cells"], &row["sheet"], &row["outcome"]), (&cells, &"Sheet".into(), &"applied".into()));
    assert_eq!(row["file_sha256"], sha256(fs::read(place.path("plain.xlsx")).unwrap()));
    assert_eq!(attempts(&life), [(Some(200), Some("applied"))]);
    let told = Test::at(&place, "explain run 2").told_elsewhere().run().stdout;
    assert!(told.contains("plain.xlsx:2, sheet \"Sheet\"\n"), "{told}");
}

#[test]
fn a_payload_is_told_with_its_text_and_its_class() {
    let payloads = sample("legacy-puts.jsonl");
    let place = Test::new(&format!(
        "migrate legacy-puts.jsonl {QUIET} --plan --rule early-win=allow --rule closing-date-past=allow"
    ))
    .sample("legacy-puts.jsonl")
    .code(3)
    .told_elsewhere()
    .run()
    .place;
    let outcomes = place.run_of("run").lines("outcomes.jsonl");
    for (text, outcome) in payloads.lines().zip(&outcomes) {
        let life = explained(&place, &outcome["line"].to_string());
        let row = &life["rows"][0];
        // A comma too many is read as if it weren't there.
        let text = text.replace(",}", " }");
        assert_eq!((&row["text"], &row["outcome"]), (&text.into(), &outcome["outcome"]));
    }
    assert_eq!(outcomes.len(), payloads.lines().count());
}

#[test]
fn a_row_that_changes_nothing_is_told_without_a_request() {
    let sandbox = Sandbox::start("");
    let notes = notes(&[ACTIVE]);
    let apply = |out: &str| format!("apply a.csv {SEND} --out {out}");
    let first =
        Test::new(&apply("first")).file("a.csv", &notes).service(&sandbox.base).told_elsewhere().run();
    let place = first.then(&apply("run")).service(&sandbox.base).told_elsewhere().run().place;
    let life = explained(&place, "2");
    assert_eq!(life["rows"][0]["outcome"], "unchanged");
    assert_eq!((&life["attempts"], &life["steps"]), (&serde_json::json!([]), &serde_json::json!([])));
    Test::at(&place, "explain run 2").snapshot("explain_unchanged", []).run();
}

/// While a change is on its way, after the process was killed, and when another one has carried the run on.
#[test]
fn a_run_is_told_while_it_is_at_work_and_after_it_was_killed() {
    let sandbox = Sandbox::start("");
    let tap = Tap::on(&sandbox);
    let place = Place::new();
    place.write("a.csv", notes(&[ACTIVE, OTHER]));
    tap.let_patches_through(1);
    let apply = format!("apply a.csv --endpoint {} --out run {SEND}", tap.endpoint());
    let sending = place.start(&apply.split(' ').collect::<Vec<_>>());
    tap.has_seen_patches(2);
    let at_work = Test::at(&place, "explain run 3").told_elsewhere().run();
    assert_eq!(at_work.stderr, "note: another process is at work on this run: this is how far it has come\n");
    for (line, wanted) in [("2", &[(Some(200), Some("applied"))][..]), ("3", &[(None, None)])] {
        let life = explained(&place, line);
        assert_eq!((&life["run"]["at_work"], attempts(&life).as_slice()), (&true.into(), wanted), "{line}");
    }
    sending.signal(Signal::SIGKILL);
    drop(sending);
    let killed = explained(&place, "3");
    assert_eq!((&killed["run"]["at_work"], &killed["run"]["phase"]), (&false.into(), &"stopped".into()));
    assert_eq!((&killed["rows"][0]["outcome"], attempts(&killed)), (&"unknown".into(), vec![(None, None)]));
    tap.release();
    tap.all_answered();
    let resume = "resume run --rate 1000/s --concurrency 1 --summary none --progress none";
    Test::at(&place, resume).service(&tap.endpoint()).told_elsewhere().run();
    let resumed = explained(&place, "3");
    // What had arrived meanwhile was seen, and not sent again.
    assert_eq!((&resumed["rows"][0]["outcome"], attempts(&resumed)), (&"applied".into(), vec![(None, None)]));
    assert_eq!(resumed["steps"][0]["step"], "looked");
    assert_eq!(resumed["attempts"][0]["client_request_id"], killed["attempts"][0]["client_request_id"]);
    assert_eq!(tap.count("PATCH"), 2);
}

/// What a newer version wrote is told as far as it is understood; what is damaged is refused by its name, whether the
/// record is told itself, or is beside the place where no row is.
#[test]
fn a_ledger_that_is_not_as_it_was_left_is_told_or_refused() {
    let place = Test::new(&format!("apply a.csv {QUIET} --plan"))
        .file("a.csv", format!("id,notes\n{ACTIVE},one\n\n{OTHER},two\n"))
        .told_elsewhere()
        .run()
        .place;
    let path = place.path("run/run.sqlite");
    let sound = fs::read(&path).unwrap();
    let told = Test::at(&place, "explain run 2").told_elsewhere().run().stdout;
    let mut newer = sound.clone();
    newer[60..64].copy_from_slice(&9_u32.to_be_bytes());
    fs::write(&path, newer).unwrap();
    let ran = Test::at(&place, "explain run 2").told_elsewhere().run();
    assert_eq!(ran.stdout, told);
    assert!(ran.stderr.starts_with("note: a newer version of this program wrote this run"), "{}", ran.stderr);
    // One letter of a cell, in a file that is sound to SQLite.
    let mut damaged = sound;
    let at = damaged.windows(5).position(|bytes| bytes == b"\"two\"").unwrap() + 1;
    damaged[at] = b'T';
    fs::write(&path, damaged).unwrap();
    assert_eq!(Test::at(&place, "explain run 2").told_elsewhere().run().stdout, told);
    for what in ["4", OTHER, "3", "5"] {
        let ran = Test::at(&place, &format!("explain run {what}")).code(1).told_elsewhere().run();
        assert!(
            ran.stderr.contains("run.sqlite is damaged: row 2 is not as it was written"),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.stdout, "");
    }
}
