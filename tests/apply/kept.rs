//! Reports that somebody changed in place, and that `report` and `resume` write again: no file is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::case::{Ran, Test};
use crate::support::place::Place;
use crate::support::sha256::sha256;

const OPTIONS: &str = "--sandbox --rate 1000/s --summary none --progress none";
/// Two rows are sound. Of the third somebody mistyped the substatus.
const CHANGES: &str = "id,status,substatus,notes\n\
    5a1e0001-0000-4000-8000-000000000015,,,Called\n\
    5a1e0001-0000-4000-8000-000000000027,,,Called\n\
    5a1e0001-0000-4000-8000-000000000028,Active,Acepted,\n";
const CORRECT: &str = "next: correct error.csv and feed it back: \
    referral-bulk apply run/error.csv --sandbox --rate 1000/s\n";

/// A run that is over, of which one row went wrong.
fn finished() -> Ran {
    let test = Test::new(&format!("apply a.csv --out run {OPTIONS}")).file("a.csv", CHANGES);
    test.code(3).told_elsewhere().run()
}

/// A run that stopped before anything was sent.
fn stopped() -> Ran {
    let apply = format!("apply a.csv --out run {OPTIONS} --finish-by 2020-01-01T00:00:00Z");
    Test::new(&apply).file("a.csv", CHANGES).code(4).told_elsewhere().run()
}

fn note(report: &str, kept: &str) -> String {
    format!("note: run/{report} may hold somebody's changes: it is kept as run/{kept}\n")
}

fn report(ran: &Ran) -> Test {
    ran.then("report run --summary none").code(3)
}

/// What `report` says at the end: it knows of no rate.
const REPORTED: &str =
    "next: correct error.csv and feed it back: referral-bulk apply run/error.csv --sandbox\n";

/// The same where rows were corrected in place: neither file need hold all of them.
fn edited(number: u32) -> String {
    let kept = format!("error.edited-{number}.csv");
    format!(
        "hint: {kept} is error.csv as somebody left it: of a row that both hold, keep the one that is right\n\
         next: correct {kept} and error.csv and feed them back: \
         referral-bulk apply run/{kept} run/error.csv --sandbox\n"
    )
}

fn names(place: &Place) -> Vec<String> {
    let names = place.files().into_keys();
    names.filter(|name| name.starts_with("run/") && !name.starts_with("run/run.")).collect()
}

#[test]
fn a_report_that_nobody_changed_is_written_again_and_nothing_is_said() {
    let ran = finished();
    let (before, summary) = (names(&ran.place), ran.place.raw("run/summary.json"));
    report(&ran).stderr(REPORTED).run();
    report(&ran).stderr(REPORTED).run();
    assert_eq!(names(&ran.place), before);
    assert_eq!(ran.place.raw("run/summary.json"), summary);
}

#[test]
fn rows_that_were_corrected_in_place_are_kept_and_can_be_fed_back() {
    let ran = finished();
    let made = ran.place.raw("run/error.csv");
    let corrected = made.replace("Acepted", "Accepted");
    ran.place.write("run/error.csv", &corrected);
    report(&ran).stderr(&(note("error.csv", "error.edited-1.csv") + &edited(1))).run();
    assert_eq!(ran.place.raw("run/error.csv"), made);
    assert_eq!(ran.place.raw("run/error.edited-1.csv"), corrected);
    // It has been told once.
    report(&ran).stderr(REPORTED).run();

    ran.place.write("run/error.csv", "mine");
    report(&ran).stderr(&(note("error.csv", "error.edited-2.csv") + &edited(2))).run();
    assert_eq!(ran.place.raw("run/error.edited-1.csv"), corrected);

    let ignored = "note: run/error.edited-1.csv: ignored result.outcome, result.code, result.message, \
                   result.status, result.request_id, result.etag, result.at\n";
    let again = ran.then(&format!("apply run/error.edited-1.csv --out again {OPTIONS}"));
    let again = again.stderr(ignored).run();
    assert_eq!(again.outcomes("again"), "1 unchanged");
}

#[test]
fn every_report_is_kept_and_only_its_owner_reads_it() {
    let ran = stopped();
    let reports = ["success.csv", "conflict.csv", "error.csv", "pending.csv", "outcomes.jsonl", "plan.jsonl"];
    let kept = reports.map(|name| name.replace('.', ".edited-1."));
    let path = |name: &str| ran.place.path("run").join(name);
    for name in reports {
        // As an editor does that writes a new file.
        fs::remove_file(path(name)).unwrap();
        fs::write(path(name), format!("my {name}")).unwrap();
        fs::set_permissions(path(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let told = ran.place.raw("run/summary.json").replace("\"reason\":null", "\"reason\":\"mine\"");
    ran.place.write("run/summary.json", &told);
    let notes: String = reports.iter().zip(&kept).map(|(report, kept)| note(report, kept)).collect();
    let notes = notes + &note("summary.json", "summary.edited-1.json");
    // The private mode of all files is looked at after every run.
    let reported = ran.then("report run --summary none").code(4).told_elsewhere().run();
    assert!(reported.stderr().starts_with(&notes), "{}", reported.stderr());
    for (name, kept) in reports.iter().zip(&kept) {
        assert_eq!(ran.place.raw(&format!("run/{kept}")), format!("my {name}"));
    }
    assert_eq!(ran.place.raw("run/summary.edited-1.json"), told);
}

#[test]
fn what_resume_writes_again_is_kept_too() {
    let ran = stopped();
    let mine = ran.place.raw("run/pending.csv") + "mine\n";
    ran.place.write("run/pending.csv", &mine);
    ran.place.write("run/plan.jsonl", "mine\n");
    let sum = ran.summary("run")["plan_sha256"].clone();
    let notes = note("pending.csv", "pending.edited-1.csv") + &note("plan.jsonl", "plan.edited-1.jsonl");
    let resumed = ran.then("resume run --rate 1000/s --summary none --progress none").code(3);
    let resumed = resumed.stderr(&(notes + CORRECT)).run();
    assert_eq!(resumed.outcomes("run"), "2 applied, 1 invalid");
    assert_eq!(resumed.summary("run")["plan_sha256"], sum);
    assert!(!names(&ran.place).contains(&"run/pending.csv".to_owned()), "no row is pending");
    assert_eq!(ran.place.raw("run/pending.edited-1.csv"), mine);
    assert_eq!(ran.place.raw("run/plan.edited-1.jsonl"), "mine\n");
}

/// As where a process is killed between two reports, or the disk fills up: what it had written by then is known as
/// its own, whatever the summary tells, and what somebody changed then is known as theirs.
#[test]
fn what_a_process_wrote_that_came_to_no_summary_is_known() {
    let ran = finished();
    // The reports of an earlier moment, of which the last process left word before it died.
    let (error, success) = ("id,notes,result.outcome\n", "id\n");
    let word = format!("{} error.csv\n{} success.csv\n", sha256(error), sha256(success));
    for (name, text) in [("error.csv", error), ("success.csv", success), ("run.reports", word.as_str())] {
        ran.place.write(&format!("run/{name}"), text);
    }
    fs::set_permissions(ran.place.path("run/run.reports"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(ran.place.path("run/summary.json")).unwrap();
    ran.place.write("run/conflict.csv", "mine");
    report(&ran).stderr(&(note("conflict.csv", "conflict.edited-1.csv") + REPORTED)).run();
    assert!(!ran.place.files().contains_key("run/run.reports"), "the summary tells it all");
    report(&ran).stderr(REPORTED).run();
}

/// Without checksums, as where the summary is gone, or an earlier version of this program wrote it, whatever
/// isn't written again byte by byte may be somebody's work.
#[test]
fn what_has_no_checksum_is_kept_unless_it_is_the_same() {
    for is_older in [false, true] {
        let ran = finished();
        if is_older {
            let mut summary = ran.summary("run");
            let members = summary.as_object_mut().unwrap();
            members.retain(|name, _| !["files", "sha256"].contains(&name.as_str()));
            ran.place.write("run/summary.json", format!("{summary}\n"));
        } else {
            fs::remove_file(ran.place.path("run/summary.json")).unwrap();
        }
        ran.place.write("run/error.csv", "mine");
        let older = if is_older { note("summary.json", "summary.edited-1.json") } else { String::new() };
        // The page tells what is to be fed back, the edited report among it.
        let page = note("report.html", "report.edited-1.html");
        let notes = note("error.csv", "error.edited-1.csv") + &page + &older;
        report(&ran).stderr(&(notes + &edited(1))).run();
        assert_eq!(ran.place.raw("run/error.edited-1.csv"), "mine");
        report(&ran).stderr(REPORTED).run();
    }
}

#[test]
fn the_summary_tells_the_files_that_were_written() {
    let ran = stopped();
    let files = ran.summary("run")["files"].clone();
    let told = |file: &Value| (file["path"].clone(), file["rows"].clone());
    let told: Vec<(Value, Value)> = files.as_array().unwrap().iter().map(told).collect();
    let wanted = [
        (json!("success.csv"), json!(0)),
        (json!("conflict.csv"), json!(0)),
        (json!("error.csv"), json!(1)),
        (json!("pending.csv"), json!(2)),
        (json!("outcomes.jsonl"), Value::Null),
        (json!("plan.jsonl"), Value::Null),
        (json!("plan.csv"), Value::Null),
        (json!("report.html"), Value::Null),
    ];
    assert_eq!(told, wanted);
}
