//! A change whose answer was lost, or says yes and shows something else: what reading back says, what the
//! second look says where a repeated change is refused, and how many requests that takes.
//!
//! The first attempt may take effect late: between the look that found it lost and the refusal of the
//! next. So a refusal is believed only where the referral does not carry the change by then. And a look may lag
//! behind a write: what ends a row is believed only after looks that come ever later, and a refusal for another
//! version, where looks show the one that was sent, is held against nobody.

mod cases;

use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use Look::{Another, Before, Beside, Echo, Ours, Status, Theirs};
use Says::{Bare, With};
use cases::{BOUND, Case, LOST, Look, REBASED, Says, UNBOUND};
use serde_json::{Value, json};

use crate::support::case::{Ran, Test, golden};
use crate::support::place::Place;
use crate::support::samples::sample;
use crate::support::waiting::each;
use crate::support::wire::{self, Wire};

const ID: &str = "5a1e0001-0000-4000-8000-000000000015";
const ANOTHER: &str = "5a1e0001-0000-4000-8000-000000000027";

#[test]
fn of_a_change_that_is_bound_to_a_version() {
    check("bound", &BOUND, "live", "");
}

#[test]
fn of_a_change_that_is_bound_to_none() {
    check("unbound", &UNBOUND, "state.jsonl", "");
}

#[test]
fn of_a_change_that_may_be_rebased() {
    check("rebased", &REBASED, "live", " --on-conflict rebase");
}

/// Others keep changing the referral, and never what the row touches.
#[test]
fn rebasing_comes_to_an_end() {
    let version = AtomicUsize::new(0);
    let service = Wire::serve(move |request| {
        if request.method == "PATCH" {
            return wire::answer("412 x", "", "");
        }
        let mut referral = sampled(ID);
        referral["eTag"] = json!(format!("\"{}\"", version.fetch_add(1, Ordering::SeqCst)));
        wire::answer("200 x", "", referral.to_string())
    });
    let ran = apply(&Place::new(), "--on-conflict rebase", &service, 3);
    let (got, message) = told(&ran, &service, 1);
    assert_eq!(got, "conflict http-412 412 4+4");
    assert!(message.ends_with("; not sent again: it was changed 3 times more"), "{message}");
}

fn check(name: &str, cases: &[Case], state: &str, options: &str) {
    let planning = usize::from(state == "live");
    let told = each(cases, |(says, looks, wanted)| {
        let service = service(says, looks, planning);
        let place = Place::new();
        let mut unbound = sampled(ID);
        unbound.as_object_mut().unwrap().remove("eTag");
        place.write("state.jsonl", unbound.to_string());
        let ran = apply(&place, &format!("--state {state}{options}"), &service, code(wanted));
        let (got, message) = told(&ran, &service, planning);
        assert_eq!(got, *wanted, "{says:?}, then {looks:?}");
        let message = if message.is_empty() { message } else { format!("    {message}\n") };
        format!("{says:?}, then {looks:?}: {wanted}\n{message}")
    });
    golden(name, &told.concat());
}

/// The doubt outlives the process: an attempt of an earlier one can take effect late as well.
#[test]
fn of_a_change_that_an_earlier_process_sent() {
    // The token is refused in place of a look, or in place of the next attempt.
    let cases: [Case; 18] = [
        (&[LOST, Bare("400 x")], &[Status("401 x"), Before, Ours], "applied applied 200 2+3"),
        (&[LOST, Bare("412 x")], &[Status("401 x"), Before, Theirs], "conflict http-412 412 2+7"),
        (&[LOST], &[Status("401 x"), Ours], "applied applied 200 1+2"),
        (&[LOST], &[Status("401 x"), Another], "unknown in-doubt - 1+2"),
        // The look may have come too early: the next process looks again before it sends anything.
        (&[LOST, Bare("401 x"), Bare("400 x")], &[Before, Before, Ours], "applied applied 200 3+3"),
        (&[LOST, Bare("401 x"), Bare("404 x")], &[Before], "refused http-404 404 3+7"),
        (
            &[LOST, Bare("401 x"), Bare("404 x")],
            &[Before, Before, Status("404 x")],
            "unknown in-doubt 404 3+3",
        ),
        (&[Bare("204 x")], &[Status("401 x"), Ours], "applied applied 200 1+2"),
        (&[Bare("204 x")], &[Status("401 x"), Theirs], "conflict changed-meanwhile - 1+6"),
        // Whoever said no to all of them has made none: a refusal is believed, and need not be looked into.
        (&[Bare("401 x"), Bare("400 x")], &[Ours], "refused http-400 400 2+0"),
        (&[Bare("401 x"), Bare("404 x")], &[Status("404 x")], "refused http-404 404 2+0"),
        // Refused as one for another version: it is never sent again, whatever is read, whoever reads it.
        (&[Bare("412 x")], &[Status("401 x"), Before], "unknown in-doubt 412 1+6"),
        (&[Bare("412 x")], &[Before, Status("401 x"), Before], "unknown in-doubt 412 1+7"),
        (&[Bare("412 x")], &[Before, Before, Status("401 x"), Before, Ours], "applied applied 200 1+5"),
        (&[Bare("409 x")], &[Status("401 x"), Theirs], "conflict http-409 409 1+2"),
        (&[Bare("412 x")], &[Before, Status("401 x"), Theirs], "conflict http-412 412 1+7"),
        (&[LOST, Bare("412 x")], &[Before, Status("401 x"), Before], "unknown in-doubt 412 2+7"),
        (&[LOST, Bare("412 x")], &[Before, Before, Status("401 x"), Ours], "applied applied 200 2+4"),
    ];
    each(&cases, |(says, looks, wanted)| {
        let service = service(says, looks, 1);
        let place = Place::new();
        let stopped = apply(&place, "", &service, 4);
        let outcome = stopped.outcomes("run");
        assert_eq!(outcome, if matches!(says[0], Bare("401 x")) { "1 unsent" } else { "1 unknown" });
        let resumed = stopped
            .then("resume run --rate 1000/s --summary none --progress none --yes")
            .service(&service.base)
            .code(code(wanted))
            .told_elsewhere()
            .run();
        assert_eq!(told(&resumed, &service, 1).0, *wanted, "{says:?}, then {looks:?}");
    });
}

/// Bound to a version, and nobody saw what stood there: some of it may be ours, or have been so before.
#[test]
fn of_a_change_that_nobody_looked_at_before() {
    let etag = sampled(ID)["eTag"].as_str().unwrap().replace('"', "\"\"");
    let cases: [Case; 3] = [
        (&[LOST, Bare("412 x")], &[Before, Beside], "unknown in-doubt 412 2+6"),
        (&[LOST, Bare("400 x")], &[Before, Beside], "unknown in-doubt 400 2+6"),
        (&[LOST, Bare("412 x")], &[Before, Before, Theirs], "conflict http-412 412 2+6"),
    ];
    each(&cases, |(says, looks, wanted)| {
        let service = service(says, looks, 0);
        let options = "--state none --rate 1000/s --out run --summary none --progress none --yes";
        let ran = Test::new(&format!("apply a.csv {options}"))
            .file("a.csv", format!("id,eTag,notes,salesStage\n{ID},\"{etag}\",Called,Propose\n"))
            .service(&service.base)
            .code(code(wanted))
            .told_elsewhere()
            .run();
        assert_eq!(told(&ran, &service, 0).0, *wanted, "{says:?}, then {looks:?}");
    });
}

/// The service takes a document and keeps some of it in a form of its own. That is no doubt, and nobody
/// else's doing.
#[test]
fn a_yes_may_show_another_form_of_some_values() {
    let text = format!("id,status,substatus,notes,dealValue\n{ID},Closed,Won,Called,12500.50\n");
    for (notes, value, status, moved, wanted) in [
        ("Called", json!(12500.5), "Closed", true, "applied applied 1+0"),
        ("Called", json!(12501), "Closed", true, "applied kept-otherwise 1+0"),
        ("Call", json!(12501), "Closed", true, "applied kept-otherwise 1+0"),
        // Not closed: the service took the rest.
        ("Called", json!(12500.50), "Active", true, "partial partly-taken 1+0"),
        // At the same version: it says yes and shows that it is not so.
        ("Called", json!(12501), "Closed", false, "failed gave-up 5+13"),
    ] {
        let service = Wire::serve(move |request| {
            let mut referral = sampled(ID);
            let read = request.method == "GET";
            if !read || status == "Active" {
                referral["details"]["notes"] = json!(notes);
                referral["details"]["dealValue"] = value.clone();
                referral["status"] = json!(status);
                referral["substatus"] = json!(if status == "Closed" { "Won" } else { "Accepted" });
            }
            if moved && (!read || status == "Active") {
                referral["eTag"] = json!("\"moved\"");
            }
            wire::answer("200 x", "", referral.to_string())
        });
        let state = sampled(ID).to_string();
        let options = "--rate 1000/s --out run --summary none --progress none --yes --confirm-closing 1";
        let ran = Test::new(&format!("apply a.csv {options} --state state.jsonl"))
            .file("a.csv", &text)
            .file("state.jsonl", state)
            .service(&service.base)
            .code(code(wanted))
            .told_elsewhere()
            .run();
        let row: Value = serde_json::from_str(ran.place.raw("run/outcomes.jsonl").trim_end()).unwrap();
        let count = |method: &str| service.ids(method).len();
        let told = format!(
            "{} {} {}+{}",
            row["outcome"].as_str().unwrap(),
            row["code"].as_str().unwrap(),
            count("PATCH"),
            count("GET")
        );
        assert_eq!(told, wanted, "{notes} {value} {status} {moved}: {row}", value = row["message"]);
        if wanted.contains("kept-otherwise") {
            let message = row["message"].as_str().unwrap();
            assert!(message.contains("/details/dealValue"), "{message}");
            assert_eq!(message.contains("/details/notes"), notes == "Call", "{message}");
            assert_eq!(ran.summary("run")["referrals"]["closed"], 1);
        }
    }
}

/// The only value of a change is kept in another form, or not taken: a look at the very version that the yes came
/// with tells. At another version it may be somebody else's.
#[test]
fn a_yes_may_show_nothing_of_the_only_value() {
    let before = sampled(ID)["details"]["dealValue"].clone();
    for (kept, found, wanted) in [
        (json!(12501), "ours", "applied kept-otherwise 1+1"),
        (before.clone(), "ours", "partial partly-taken 1+1"),
        (before.clone(), "theirs", "conflict changed-meanwhile 1+5"),
        (json!(12501), "theirs", "conflict changed-meanwhile 1+5"),
    ] {
        let service = Wire::serve(move |request| {
            let mut referral = sampled(ID);
            referral["details"]["dealValue"] = kept.clone();
            let version = if request.method == "PATCH" { "ours" } else { found };
            referral["eTag"] = json!(format!("\"{version}\""));
            wire::answer("200 x", "", referral.to_string())
        });
        let options = "--rate 1000/s --out run --summary none --progress none --yes";
        let ran = Test::new(&format!("apply a.csv {options} --state state.jsonl"))
            .file("a.csv", format!("id,dealValue\n{ID},12500.50\n"))
            .file("state.jsonl", sampled(ID).to_string())
            .service(&service.base)
            .code(code(wanted))
            .told_elsewhere()
            .run();
        let row: Value = serde_json::from_str(ran.place.raw("run/outcomes.jsonl").trim_end()).unwrap();
        let [patches, gets] = ["PATCH", "GET"].map(|method| service.ids(method).len());
        let [outcome, code] = ["outcome", "code"].map(|member| row[member].as_str().unwrap());
        assert_eq!(format!("{outcome} {code} {patches}+{gets}"), wanted, "{found}: {row}");
    }
}

/// Read back after a lost answer, some of the change is there: that was written, whoever is to blame for the
/// rest, and a closing among it is one. Where nothing of it is there, somebody else changed the referral.
#[test]
fn some_of_a_change_may_be_there() {
    let text = format!("id,status,substatus,notes\n{ID},Closed,Won,Called\n");
    let cases = [
        ("Closed", "Called", "applied applied 1"),
        ("Closed", "Before", "partial partly-taken 1"),
        ("Closed", "Theirs", "partial partly-taken 1"),
        ("Active", "Called", "partial partly-taken 0"),
        ("Active", "Theirs", "conflict changed-meanwhile 0"),
        ("Active", "Before", "conflict changed-meanwhile 0"),
    ];
    each(&cases, |(status, notes, wanted)| {
        let mut before = sampled(ID);
        before["details"]["notes"] = json!("Before");
        let mut after = before.clone();
        after["details"]["notes"] = json!(notes);
        after["status"] = json!(status);
        after["substatus"] = json!(if *status == "Closed" { "Won" } else { "Accepted" });
        after["eTag"] = json!("\"moved\"");
        let service = Wire::serve(move |request| match request.method.as_str() {
            "PATCH" => wire::answer("502 x", "", ""),
            _ => wire::answer("200 x", "", after.to_string()),
        });
        let options = "--rate 1000/s --out run --summary none --progress none --yes --confirm-closing 1";
        let ran = Test::new(&format!("apply a.csv {options} --state state.jsonl"))
            .file("a.csv", &text)
            .file("state.jsonl", before.to_string())
            .service(&service.base)
            .code(code(wanted))
            .told_elsewhere()
            .run();
        let row: Value = serde_json::from_str(ran.place.raw("run/outcomes.jsonl").trim_end()).unwrap();
        let (outcome, code) = (row["outcome"].as_str().unwrap(), row["code"].as_str().unwrap());
        let closed = &ran.summary("run")["referrals"]["closed"];
        assert_eq!(format!("{outcome} {code} {closed}"), *wanted, "{status} {notes}: {row}");
        if outcome == "partial" {
            let told = if *status == "Closed" {
                format!("/details/notes: sent \"Called\", kept \"{notes}\"")
            } else {
                "/status: sent \"Closed\", kept \"Active\"; /substatus: sent \"Won\", kept \"Accepted\""
                    .to_owned()
            };
            let message = row["message"].as_str().unwrap();
            assert!(
                message.ends_with(&format!("; read back, only some of it is there: {told}")),
                "{message}"
            );
        }
    });
}

/// Where nothing can be read back any more, all that is sent would end in doubt.
#[test]
fn doubt_that_nothing_can_settle_stops_the_run() {
    let well = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = std::sync::Arc::clone(&well);
    let service = Wire::serve(move |request| {
        if !seen.load(Ordering::SeqCst) {
            return wire::answer("502 x", "", "");
        }
        let id = request.about();
        let mut referral = sampled(id);
        if request.method == "PATCH" {
            referral["details"]["notes"] = json!("Called");
            referral["eTag"] = json!("\"moved\"");
        }
        wire::answer("200 x", "", referral.to_string())
    });
    // What a snapshot doesn't show isn't changed by it.
    let shows_notes = |line: &&str| {
        let referral: Value = serde_json::from_str(line).unwrap();
        referral["details"].get("notes").is_some()
    };
    let samples = sample("referrals.jsonl");
    let ids: Vec<String> =
        samples.lines().filter(shows_notes).take(20).map(|line| line[7..43].to_owned()).collect();
    let rows: String = ids.iter().map(|id| format!("{id},Called\n")).collect();
    let options = "--rate 1000/s --concurrency 6 --out run --summary none --progress none --yes";
    let stopped = Test::new(&format!("apply a.csv {options} --state state.jsonl"))
        .file("a.csv", format!("id,notes\n{rows}"))
        .file("state.jsonl", sample("referrals.jsonl"))
        .service(&service.base)
        .code(4)
        .told_elsewhere()
        .run();
    assert!(stopped.stderr.contains("stopped: nothing can be read back"), "{}", stopped.stderr);
    let sent = service.ids("PATCH").len();
    assert!(sent < 20, "{sent} of 20 were sent");
    assert_eq!(stopped.outcomes("run"), format!("{sent} unknown, {} unsent", 20 - sent));
    well.store(true, Ordering::SeqCst);
    let resumed = stopped
        .then("resume run --rate 1000/s --summary none --progress none --yes")
        .service(&service.base)
        .told_elsewhere()
        .run();
    assert_eq!(resumed.outcomes("run"), "20 applied");
}

fn code(wanted: &str) -> i32 {
    if wanted.starts_with("applied") { 0 } else { 3 }
}

fn apply(place: &std::rc::Rc<Place>, more: &str, service: &Wire, code: i32) -> Ran {
    let options = "--rate 1000/s --out run --summary none --progress none --yes";
    Test::at(place, &format!("apply a.csv {options} {more}"))
        .file("a.csv", format!("id,notes\n{ID},Called\n"))
        .service(&service.base)
        .code(code)
        .told_elsewhere()
        .run()
}

/// A service that says and shows these in turn, after so many looks of the plan.
fn service(says: &'static [Says], looks: &'static [Look], planning: usize) -> Wire {
    let (patches, gets) = (AtomicUsize::new(0), AtomicUsize::new(0));
    Wire::serve(move |request| {
        if request.method == "PATCH" {
            let turn = patches.fetch_add(1, Ordering::SeqCst);
            return match says[turn.min(says.len() - 1)] {
                Bare(status) => wire::answer(status, "", ""),
                With(status, look) => shown(look, status),
            };
        }
        match gets.fetch_add(1, Ordering::SeqCst).checked_sub(planning) {
            None => shown(Before, "200 x"),
            Some(turn) => shown(looks[turn.min(looks.len() - 1)], "200 x"),
        }
    })
}

fn shown(look: Look, status: &str) -> Vec<u8> {
    let mut referral = sampled(if matches!(look, Another) { ANOTHER } else { ID });
    match look {
        Before | Another => {}
        Ours | Echo => referral["details"]["notes"] = json!("Called"),
        Theirs => referral["details"]["notes"] = json!("Called by somebody else"),
        Beside => referral["salesStage"] = json!("Propose"),
        Status(status) => return wire::answer(status, "", ""),
    }
    if matches!(look, Ours | Theirs | Beside) {
        referral["eTag"] = json!(format!("\"{look:?}\""));
    }
    wire::answer(status, "", referral.to_string())
}

fn sampled(id: &str) -> Value {
    let samples = sample("referrals.jsonl");
    let mut samples = samples.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    samples.find(|referral| referral["id"] == id).unwrap()
}

/// What the row came to, in the words of a [`Case`], and its message. What is counted is what came over
/// the wire.
fn told(ran: &Ran, service: &Wire, planning: usize) -> (String, String) {
    let row: Value = serde_json::from_str(ran.place.raw("run/outcomes.jsonl").trim_end()).unwrap();
    let count = |method: &str| service.ids(method).len();
    let (patches, gets) = (count("PATCH"), count("GET") - planning);
    assert_eq!(row["attempts"], patches, "attempts on record and on the wire: {row}");
    let mut told = format!("{} {}", row["outcome"].as_str().unwrap(), row["code"].as_str().unwrap());
    let status = row["status"].as_u64().map_or("-".to_owned(), |status| status.to_string());
    let _ = write!(told, " {status} {patches}+{gets}");
    (told, row["message"].as_str().unwrap().to_owned())
}
