//! `undo`: the change file that takes a run back, carried out to the letter, and what it says can't be taken back.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::case::{Ran, Test};
use crate::support::place::Place;
use crate::support::referrals::{id, referral, timeless};
use crate::support::sandbox::Sandbox;
use crate::support::tap::Tap;

const QUIET: &str = "--rate 1000/s --summary none --progress none";

/// Referrals that are awkward in every field, and the line for each that changes them.
fn awkward() -> (Vec<Value>, Vec<Value>) {
    let mut seed: Vec<Value> = (0..9).map(|number| referral(number, "Active", "Accepted")).collect();
    let member =
        |name: &str| json!({ "firstName": name, "lastName": "Lee", "email": format!("{name}@example.com") });
    let mut lines: Vec<Value> = Vec::new();
    let mut line = |number: usize, members: Value| {
        let mut line = members;
        line["id"] = id(number).into();
        lines.push(line);
    };
    // Amounts keep their digits, and texts whatever is in them.
    seed[0]["details"]["dealValue"] = json!("1000.50");
    seed[0]["details"]["notes"] = json!(" Zoë 北京 \"x\"\n\t#1 ");
    seed[0]["externalReferenceId"] = json!("123");
    line(
        0,
        json!({ "dealValue": 7.25, "notes": "Called", "externalReferenceId": "00123", "currency": "USD" }),
    );
    // Nothing, in each of its forms.
    seed[1]["details"]["notes"] = json!("");
    seed[1]["details"]["dealValue"] = Value::Null;
    seed[1]["details"]["closingDateTime"] = Value::Null;
    seed[1]["details"]["currency"] = Value::Null;
    seed[1]["campaignId"] = Value::Null;
    line(
        1,
        json!({ "notes": "x", "dealValue": 1, "closingDateTime": "2030-05-01", "currency": "USD", "campaignId": "C",
                "referralProgram": "P", "salesStage": "Develop", "statusReason": "y" }),
    );
    // Lists: shortened, grown, in another order, changed within.
    seed[2]["team"].as_array_mut().unwrap().push(member("kim"));
    line(2, json!({ "team": [member("kim")] }));
    line(3, json!({ "team.add": [member("ann"), member("bo")] }));
    seed[4]["team"] = json!([]);
    seed[4]["details"]["requirements"] =
        json!({ "solutions": [{ "id": "S1", "weight": 0.10 }, { "id": "S2" }] });
    line(
        4,
        json!({ "team": [member("ann")], "/details/requirements/solutions": [{ "id": "S2", "type": "Name" }, { "id": "S1" }],
                "customerProfile.team.add": [member("cy")] }),
    );
    seed[4]["customerProfile"] = json!({ "team": [member("bo")] });
    // Stages, and what goes with a closing.
    seed[5]["status"] = json!("New");
    seed[5]["substatus"] = json!("Received");
    line(5, json!({ "status": "Active", "notes": "Accepted" }));
    line(6, json!({ "status": "Closed", "substatus": "Lost", "statusReason": "Budget", "dealValue": 5 }));
    seed[7]["status"] = json!("Closed");
    seed[7]["substatus"] = json!("Lost");
    line(7, json!({ "status": "Closed", "substatus": "Won", "notes": "Won after all" }));
    // What was cleared, and a flag.
    seed[8]["consent"]["consentToShareReferralWithMicrosoftSellers"] = json!(false);
    line(8, json!({ "notes": null, "team": [], "consentToShareReferralWithMicrosoftSellers": true }));
    (seed, lines)
}

fn json_lines(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Fields, each with its referral.
type Fields = BTreeSet<(String, String)>;

/// The fields that a change file tells of, and those that the list beside it does.
fn told(ran: &Ran, file: &str) -> (Fields, Fields) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let lines = ran.place.raw(file);
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let back = lines.flat_map(|line| {
        let operations = line["patch"].as_array().unwrap().clone();
        operations.into_iter().map(move |operation| (text(&line["id"]), text(&operation["path"])))
    });
    let list = ran.place.raw(&format!("{file}.cannot.csv"));
    let mut list = csv::Reader::from_reader(list.as_bytes());
    let stuck = list.records().map(|record| {
        let record = record.unwrap();
        (record[0].to_owned(), record[5].to_owned())
    });
    (back.collect(), stuck.collect())
}

/// What stands at a place; nothing, null, an empty text and an empty list are one, and so are an amount and its text.
fn at(referral: &Value, pointer: &str) -> Option<Value> {
    let unset = [json!(null), json!(""), json!([])];
    let value = referral.pointer(pointer).filter(|value| !unset.contains(value))?;
    let amount = value.as_str().filter(|_| pointer.ends_with("dealValue"));
    Some(amount.map_or_else(|| without_nulls(value), |digits| serde_json::from_str(digits).unwrap()))
}

/// A value in which null members are as good as none.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(without_nulls).collect(),
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            members.map(|(name, value)| (name.clone(), without_nulls(value))).collect()
        }
        other => other.clone(),
    }
}

/// Plans a change file by the command that is said to be next, and carries it out by the one after that.
fn carried_out(ran: &Ran, service: &Sandbox, run: &str, rows: &str) -> Ran {
    let plan = format!("{} --out {run} {QUIET}", ran.next());
    let planned = ran.then(&plan).service(&service.base).told_elsewhere().run();
    assert_eq!(planned.outcomes(run), format!("{rows} planned"), "{}", planned.stderr);
    let resume = format!("{} --yes --summary none --progress none", planned.next());
    let carried = planned.then(&resume).service(&service.base).told_elsewhere().run();
    assert_eq!(carried.outcomes(run), format!("{rows} applied"), "{}", carried.stderr);
    carried
}

#[test]
fn every_field_that_was_touched_goes_back_or_is_told() {
    let (seed, lines) = awkward();
    let place = Place::new();
    let service = Sandbox::seeded::<&str>(&place, &seed, &[]);
    let before = service.referrals();
    let levels = "--rule early-win=allow --rule deal-value-missing=allow";
    let apply = format!("apply a.jsonl --clear --out run --yes --confirm-closing 1 {levels} {QUIET}");
    let test = Test::at(&place, &apply).file("a.jsonl", json_lines(&lines)).service(&service.base);
    let ran = test.told_elsewhere().run();
    assert_eq!(ran.outcomes("run"), "9 applied", "{}", ran.stderr);
    let made = service.referrals();

    let undone = ran.then("undo run --out back.jsonl").code(3).told_elsewhere().run();
    let (back, stuck) = told(&undone, "back.jsonl");
    let plan = place.run_of("run").lines("plan.jsonl");
    let touched: BTreeSet<(String, String)> = plan
        .iter()
        .flat_map(|line| {
            let id = line["id"].as_str().unwrap().to_owned();
            let paths = line["changes"].as_array().unwrap().iter();
            paths.map(move |change| (id.clone(), change["path"].as_str().unwrap().to_owned()))
        })
        .collect();
    assert!(back.is_disjoint(&stuck));
    assert_eq!(back.union(&stuck).cloned().collect::<BTreeSet<_>>(), touched);
    let reasons: BTreeSet<String> = place
        .raw("back.jsonl.cannot.csv")
        .lines()
        .skip(1)
        .filter_map(|line| {
            line.split(',').find(|cell| ["closed", "transition", "did-not-exist", "no-null"].contains(cell))
        })
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(reasons.len(), 4, "{reasons:?}");

    // As it stands in the service, every field is as it was, but for those that were told.
    let carried = carried_out(&undone, &service, "undo", "8");
    for (referral, was) in &before {
        let now = service.referral(referral);
        for (_, pointer) in touched.iter().filter(|(touched, _)| touched == referral) {
            let key = (referral.clone(), pointer.clone());
            let wanted = if stuck.contains(&key) { &made[referral] } else { was };
            assert_eq!(at(&now, pointer), at(wanted, pointer), "{referral} {pointer}");
        }
        if stuck.iter().all(|(stuck, _)| stuck != referral) {
            let [mut now, mut was] = [&now, was].map(timeless);
            for (_, pointer) in touched.iter().filter(|(touched, _)| touched == referral) {
                for state in [&mut now, &mut was] {
                    let (parent, name) = pointer.rsplit_once('/').unwrap();
                    state.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
                }
            }
            assert_eq!(now, was, "nothing else was touched");
        }
    }

    // The undo of the undo makes the run's own change again.
    let again = carried.then("undo undo --out again.jsonl --summary json").told_elsewhere().run();
    let summary: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!((&summary["fields"]["cannot"], &summary["exit_code"]), (&json!(0), &json!(0)), "{summary}");
    assert_eq!(told(&again, "again.jsonl").0, back);
    carried_out(&again, &service, "again", "8");
    for (referral, was) in &made {
        let now = service.referral(referral);
        for (_, pointer) in touched.iter().filter(|(touched, _)| touched == referral) {
            assert_eq!(at(&now, pointer), at(was, pointer), "{referral} {pointer}");
        }
    }
}

/// Notes of some referrals, and a service that has them.
fn noted(count: usize) -> (std::rc::Rc<Place>, Sandbox) {
    let place = Place::new();
    let seed: Vec<Value> = (0..count).map(|number| referral(number, "Active", "Accepted")).collect();
    let rows: String = (0..count).map(|number| format!("{},Called\n", id(number))).collect();
    place.write("a.csv", format!("id,notes\n{rows}"));
    let service = Sandbox::seeded::<&str>(&place, &seed, &[]);
    (place, service)
}

fn applied(place: &std::rc::Rc<Place>, service: &Sandbox, options: &str) -> Ran {
    let apply = format!("apply a.csv --out run --yes {options} {QUIET}");
    Test::at(place, &apply).service(&service.base).told_elsewhere().run()
}

#[test]
fn what_somebody_changed_since_is_overwritten_by_no_undo() {
    let (place, service) = noted(2);
    let ran = applied(&place, &service, "");
    let undone = ran.then("undo run --out back.jsonl").told_elsewhere().run();
    place.write("theirs.csv", format!("id,notes\n{},Theirs\n", id(0)));
    let theirs = format!("apply theirs.csv --out theirs --yes {QUIET}");
    ran.then(&theirs).service(&service.base).told_elsewhere().run();
    let plan = format!("{} --out undo {QUIET}", undone.next());
    let planned = ran.then(&plan).service(&service.base).code(3).told_elsewhere().run();
    assert_eq!(planned.outcomes("undo"), "1 planned, 1 conflict");
    // What was verified meanwhile is known beforehand.
    let verify = ran.then("verify run --rate 1000/s").service(&service.base);
    verify.code(3).told_elsewhere().run();
    let told_now = ran.then("undo run --out told.jsonl").code(3).told_elsewhere().run();
    let (back, stuck) = told(&told_now, "told.jsonl");
    assert_eq!((back.len(), stuck.len()), (1, 1));
    assert!(place.raw("told.jsonl.cannot.csv").contains(",Note 0,Called,changed-since,"));
    let resume = format!("resume undo --yes {QUIET}");
    ran.then(&resume).service(&service.base).code(3).told_elsewhere().run();
    assert_eq!(service.referral(&id(0))["details"]["notes"], "Theirs");
    assert_eq!(service.referral(&id(1))["details"]["notes"], "Note 1");
}

/// Where list pages show no version, what a verification found is known all the same.
#[test]
fn what_was_seen_to_be_changed_is_held_back_whatever_version_was_shown() {
    let place = Place::new();
    let seed: Vec<Value> = (0..3).map(|number| referral(number, "Active", "Accepted")).collect();
    let rows: String = (0..3).map(|number| format!("{},Called,7\n", id(number))).collect();
    place.write("a.csv", format!("id,notes,dealValue\n{rows}"));
    let service = Sandbox::seeded(&place, &seed, &["--list-without-etags"]);
    let ran = applied(&place, &service, "");
    place.write("theirs.csv", format!("id,notes\n{},Theirs\n", id(0)));
    let theirs = format!("apply theirs.csv --out theirs --yes {QUIET}");
    ran.then(&theirs).service(&service.base).told_elsewhere().run();
    let verify = ran.then("verify run --rate 1000/s").service(&service.base);
    verify.code(3).told_elsewhere().run();
    let lines = place.run_of("run").lines("verify.jsonl");
    let changed = lines.iter().find(|line| line["id"] == id(0)).unwrap();
    assert_eq!((&changed["standing"], &changed["etag"]), (&json!("changed-since"), &Value::Null));
    let undone = ran.then("undo run --out back.jsonl").code(3).told_elsewhere().run();
    let (back, stuck) = told(&undone, "back.jsonl");
    assert_eq!((back.len(), stuck.len()), (4, 2));
    assert!(stuck.iter().all(|(referral, _)| *referral == id(0)), "the whole of it");
    assert_eq!(place.raw("back.jsonl.cannot.csv").matches(",changed-since,").count(), 2);
    carried_out(&undone, &service, "undo", "2");
}

/// Neither file stands in place of what the run was made from, or has of its own, under whichever name.
#[cfg(unix)]
#[test]
fn what_the_run_needs_is_never_replaced() {
    let (place, service) = noted(1);
    let seed = place.raw("seed.jsonl");
    place.write("in/a.jsonl", json_lines(&[json!({ "id": id(0), "notes": "Called" })]));
    place.write("b.jsonl.cannot.csv", format!("id,campaignId\n{},C\n", id(0)));
    let apply = format!("apply in/a.jsonl b.jsonl.cannot.csv --base base.jsonl --out run --yes {QUIET}");
    place.write("base.jsonl", &seed);
    let ran = Test::at(&place, &apply).service(&service.base).told_elsewhere().run();
    assert_eq!(ran.outcomes("run"), "2 applied", "{}", ran.stderr);
    std::os::unix::fs::symlink("in/a.jsonl", place.path("symbolic.jsonl")).unwrap();
    std::os::unix::fs::symlink("run/plan.jsonl", place.path("own.jsonl")).unwrap();
    std::fs::hard_link(place.path("in/a.jsonl"), place.path("hard.jsonl")).unwrap();
    std::fs::hard_link(place.path("run/plan.jsonl"), place.path("plan.jsonl")).unwrap();
    let before: Vec<(String, String)> = ["in/a.jsonl", "b.jsonl.cannot.csv", "base.jsonl", "run/plan.jsonl"]
        .map(|file| (file.to_owned(), place.raw(file)))
        .into();
    let input = "is an input of the run itself";
    for (out, wanted) in [
        ("in/a.jsonl", format!("in/a.jsonl {input}")),
        ("run/../in/./a.jsonl", format!("run/../in/./a.jsonl {input}")),
        ("symbolic.jsonl", format!("symbolic.jsonl {input}")),
        ("hard.jsonl", format!("hard.jsonl {input}")),
        ("b.jsonl", format!("b.jsonl.cannot.csv {input}")),
        ("base.jsonl", "base.jsonl is what the run itself was planned with".to_owned()),
        ("plan.jsonl", "plan.jsonl is a file of the run itself".to_owned()),
        ("own.jsonl", "own.jsonl is a name that the run gives to a file of its own".to_owned()),
    ] {
        let stderr = format!("error: {wanted}\nhint: name another file with --out\n");
        Test::at(&place, &format!("undo run --out {out} --force")).code(2).stderr(&stderr).run();
        assert!(before.iter().all(|(file, text)| place.raw(file) == *text), "{out}");
    }
    // One that was moved away is put back under its name.
    std::fs::remove_file(place.path("symbolic.jsonl")).unwrap();
    std::fs::rename(place.path("in/a.jsonl"), place.path("moved.jsonl")).unwrap();
    let stderr = format!("error: in/a.jsonl {input}\nhint: name another file with --out\n");
    Test::at(&place, "undo run --out in/a.jsonl").code(2).stderr(&stderr).run();
    Test::at(&place, "undo run --out back.jsonl --force").code(3).told_elsewhere().run();
}

#[test]
fn a_name_that_would_be_read_as_something_else_is_refused() {
    let (place, service) = noted(1);
    let ran = applied(&place, &service, "");
    for (out, wanted) in [
        ("back.jsonl.gz", "it is not compressed"),
        ("back.GZ", "it is not compressed"),
        ("back.csv", "by this name it would be read as csv"),
        ("back.txt", "by this name it would be read as csv"),
        ("back.XLSX", "by this name it would be read as xlsx"),
    ] {
        let stderr = format!(
            "error: {out}: the way back is JSON lines, and {wanted}\nhint: name a file that ends in .jsonl, as in \
             back.jsonl\n"
        );
        Test::at(&place, &format!("undo run --out {out}")).code(2).stderr(&stderr).run();
        assert!(!place.path(out).exists());
    }
    for (at, out) in ["back.ndjson", "back.changes", "back"].into_iter().enumerate() {
        let undone = ran.then(&format!("undo run --out {out}")).told_elsewhere().run();
        let plan = format!("{} --out plan{at} {QUIET}", undone.next());
        let planned = undone.then(&plan).service(&service.base).told_elsewhere().run();
        assert_eq!(planned.outcomes(&format!("plan{at}")), "1 planned", "{out}");
    }
}

/// A script that waits for a summary gets one of this command, whatever went wrong.
#[test]
fn a_failure_has_a_summary_of_its_own_form() {
    let (place, service) = noted(1);
    applied(&place, &service, "");
    for (line, run, code) in [
        ("undo run --out back.csv", "run", 2),
        ("undo nowhere --out back.jsonl", "nowhere", 1),
        ("undo run --bogus", "run", 2),
        ("undo --out back.jsonl", "", 2),
    ] {
        let ran = Test::at(&place, &format!("{line} --summary json")).code(code).told_elsewhere().run();
        let zeros = json!({
            "version": 1, "run": run, "command": "undo", "exit_code": code,
            "referrals": { "total": 0, "back": 0, "in_part": 0, "not_at_all": 0 },
            "fields": { "total": 0, "back": 0, "cannot": 0 }, "reasons": {}, "files": [],
        });
        assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap(), zeros, "{line}");
    }
    for (line, run, code) in
        [("verify nowhere", "nowhere", 1), ("verify run --rate never", "run", 2), ("verify", "", 2)]
    {
        let ran = Test::at(&place, &format!("{line} --summary json")).code(code).told_elsewhere().run();
        let mut summary: Value = serde_json::from_str(&ran.stdout).unwrap();
        let at = summary.as_object_mut().unwrap().remove("at").unwrap();
        assert!(at.is_string());
        let zeros = json!({
            "version": 1, "run": run, "command": "verify", "state": "stopped", "exit_code": code,
            "referrals": { "written": 0, "still_ours": 0, "changed_since": 0, "gone": 0, "not_readable": 0, "left": 0,
                           "unknown": 0 },
            "requests": { "total": 0, "get": 0, "list": 0 }, "files": [],
        });
        assert_eq!(summary, zeros, "{line}");
    }
}

#[test]
fn what_nobody_looked_at_is_told() {
    let (place, service) = noted(2);
    let ran = applied(&place, &service, "--state none");
    let undone = ran.then("undo run --out back.jsonl").code(3).told_elsewhere().run();
    assert_eq!(place.raw("back.jsonl"), "");
    let list = place.raw("back.jsonl.cannot.csv");
    assert_eq!(list.matches(",/details/notes,,Called,not-seen,").count(), 2, "{list}");
    assert!(!undone.stderr.contains("next:"), "{}", undone.stderr);
    // What the service didn't take was not written.
    let ran = ran
        .then(&format!("apply a.csv --out none --yes {QUIET}"))
        .service(&service.base)
        .told_elsewhere()
        .run();
    assert_eq!(ran.outcomes("none"), "2 unchanged");
    let stdout = "undo none: nothing was written, so there is nothing to take back\n\n referrals  0  written, or may \
                  have been\n fields     0\n\nfiles\n none.lines             0 lines\n none.lines.cannot.csv  0 rows\n";
    ran.then("undo none --out none.lines").stdout(stdout).run();
}

#[test]
fn a_run_that_is_at_work_is_waited_for() {
    let (place, service) = noted(3);
    let tap = Tap::on(&service);
    tap.let_patches_through(1);
    let endpoint = tap.endpoint();
    let apply =
        "apply a.csv --yes --out run --rate 1000/s --concurrency 1 --timeout 10m --progress plain --endpoint";
    let arguments: Vec<&str> = apply.split(' ').chain([endpoint.as_str()]).collect();
    let sending = place.start(&arguments);
    sending.says("\n1 of 3 referrals, ");
    let stderr = "error: another process is at work on the run in run, and may write more of it\n\
                  hint: wait for its end, or interrupt it, and then undo what it wrote\n";
    Test::at(&place, "undo run --out back.jsonl").code(1).stderr(stderr).run();
    assert!(!place.path("back.jsonl").exists());
    tap.release();
    sending.wait().expect(0);
    let undone = Test::at(&place, "undo run --out back.jsonl").told_elsewhere().run();
    assert_eq!(told(&undone, "back.jsonl").0.len(), 3);
}

#[test]
fn a_run_that_stopped_is_undone_as_far_as_it_came() {
    let (place, service) = noted(3);
    let faults = ["--fault", "patch#2=400"];
    let seed: Vec<Value> = (0..3).map(|number| referral(number, "Active", "Accepted")).collect();
    let service = {
        drop(service);
        Sandbox::seeded(&place, &seed, &faults)
    };
    let apply = format!("apply a.csv --out run --yes --max-errors 1 --concurrency 1 {QUIET}");
    let ran = Test::at(&place, &apply).service(&service.base).code(4).told_elsewhere().run();
    let undone = ran.then("undo run --out back.jsonl").told_elsewhere().run();
    assert_eq!(told(&undone, "back.jsonl").0.len(), 1);
    let note = "note: the run stopped before its end, with 1 referral left: referral-bulk resume run goes on with it; what \
                that writes is no part of this file\n";
    assert!(undone.stderr.starts_with(note), "{}", undone.stderr);
}

#[test]
fn what_cannot_be_undone_says_why_and_writes_nothing() {
    let (place, service) = noted(1);
    let plan = format!("apply a.csv --plan --out plan {QUIET}");
    Test::at(&place, &plan).service(&service.base).told_elsewhere().run();
    applied(&place, &service, "");
    place.write("there.jsonl", "mine");
    place.write("list.jsonl.cannot.csv", "mine");
    std::fs::create_dir(place.path("folder")).unwrap();
    let another = "hint: name another file with --out, or have it replaced with --force\n";
    for (line, code, stderr) in [
        (
            "plan --out b.jsonl",
            2,
            "error: the run in plan was only planned: nothing was written, so there is nothing to take back\n\
             hint: to carry it out: referral-bulk resume plan\n".to_owned(),
        ),
        ("nowhere --out b.jsonl", 1, "error: nowhere holds no run\n".to_owned()),
        ("run --out there.jsonl", 2, format!("error: there.jsonl is there already\n{another}")),
        ("run --out list.jsonl", 2, format!("error: list.jsonl.cannot.csv is there already\n{another}")),
        (
            "run --out folder",
            2,
            "error: folder is a directory\nhint: name a file in it with --out\n".to_owned(),
        ),
        (
            "run --out no/b.jsonl",
            2,
            "error: no/b.jsonl: its directory is not there\nhint: make the directory first, or name another file\n"
                .to_owned(),
        ),
        (
            "run --out run/plan.jsonl --force",
            2,
            "error: run/plan.jsonl is a name that the run gives to a file of its own\n\
             hint: name another file with --out\n".to_owned(),
        ),
        (
            "run --out -",
            2,
            "error: --out -: the way back is a file, with a list beside it\nhint: name a new file, as in back.jsonl\n"
                .to_owned(),
        ),
    ] {
        let files = place.files().into_keys().collect::<Vec<_>>();
        Test::at(&place, &format!("undo {line}")).code(code).stderr(&stderr).run();
        assert_eq!(place.files().into_keys().collect::<Vec<_>>(), files, "{line}");
    }
    assert_eq!(place.raw("there.jsonl"), "mine");
    Test::at(&place, "undo run --out there.jsonl --force").told_elsewhere().run();
    assert!(place.raw("there.jsonl").contains("\"Note 0\""));
}

/// A sandbox within a process is gone with it.
#[test]
fn a_rehearsal_leaves_nothing_to_take_back() {
    let place = Place::new();
    place.write("a.csv", crate::support::samples::notes_csv(&["5a1e0001-0000-4000-8000-000000000027"]));
    Test::at(&place, &format!("apply a.csv --sandbox --out run {QUIET}")).told_elsewhere().run();
    let undone = Test::at(&place, "undo run --out back.jsonl").told_elsewhere().run();
    let note = "note: the run was a rehearsal: its sandbox began anew with it and is gone, so nothing is left there to take \
                back\n";
    assert_eq!(undone.stderr, note);
}
