//! What still stands of a run: every standing, in few requests, whatever lists leave out; and what is said of runs that
//! can't be verified.

mod account;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::rc::Rc;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use self::account::Account;
use crate::support::place::Place;
use crate::support::program::Ended;
use crate::support::referrals::id;
use crate::support::schemas;

/// A run that sent notes to the first so many referrals of an account.
fn applied(account: &Account, changed: usize) -> Rc<Place> {
    let home = Place::new();
    let rows: String = (0..changed).map(|number| format!("{},ours {number}\n", id(number))).collect();
    home.write("changes.csv", format!("id,notes\n{rows}"));
    apply(&home, account, &[]).expect(0);
    account.forget();
    home
}

fn apply(home: &Place, account: &Account, more: &[&str]) -> Ended {
    let base = account.base();
    let usual = ["apply", "changes.csv", "--out", "run", "--yes", "--rate", "100000/s", "--endpoint", &base];
    home.run(&[&usual[..], more].concat())
}

fn verify(home: &Place, more: &[&str]) -> Ended {
    home.run(&[&["verify", "run", "--rate", "100000/s", "--progress", "none"][..], more].concat())
}

/// The standings in `verify.jsonl`, by the number of the referral, each with the fields that changed.
fn standings(home: &Place) -> Vec<(String, String)> {
    let lines = home.run_of("run").lines("verify.jsonl");
    let of = |line: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let fields = line["fields"].as_array().unwrap().iter();
        let fields =
            fields.map(|field| format!(" {}: {} -> {}", text(&field["path"]), field["wrote"], field["now"]));
        (text(&line["id"]), format!("{}{}", text(&line["standing"]), fields.collect::<String>()))
    };
    lines.iter().map(of).collect()
}

#[test]
fn every_standing_is_told_with_what_changed_and_when() {
    let account = Account::of(8);
    let home = applied(&account, 8);
    account.edit(1, |referral| referral["details"]["notes"] = json!("=theirs"));
    account.edit(2, |referral| referral["details"]["dealValue"] = json!(1));
    account.edit(3, |referral| referral["details"]["notes"] = json!("Note 3"));
    account.edit(4, |referral| drop(referral["details"].as_object_mut().unwrap().remove("notes")));
    account.remove(5);
    account.forbid(6);
    let ended = verify(&home, &[]).expect(3);
    let wanted = [
        "still-ours",
        r#"changed-since /details/notes: "ours 1" -> "=theirs""#,
        "still-ours",
        r#"changed-since /details/notes: "ours 3" -> "Note 3""#,
        r#"changed-since /details/notes: "ours 4" -> null"#,
        "gone",
        "not-readable",
        "still-ours",
    ];
    let wanted: Vec<_> = wanted.iter().enumerate().map(|(at, word)| (id(at), (*word).to_owned())).collect();
    assert_eq!(standings(&home), wanted);
    schemas::check_run(home.run_of("run").path());
    for line in [
        "referrals written  8",
        "still-ours       3",
        "changed-since    3",
        "gone             1",
        "not-readable     1",
        &format!("{} “Deal 1”: changed-since, last updated 20", id(1)),
        r#"/details/notes: "ours 1" → "=theirs""#,
        r#"/details/notes: "ours 4" → nothing"#,
    ] {
        assert!(ended.stdout.contains(line), "{line}\n{}", ended.stdout);
    }
    assert_eq!(
        ended.last_line(),
        format!("next: see what the run did with the first of them: referral-bulk explain run {}", id(1))
    );
    let life = home.run(&["explain", "run", &id(1)]).expect(0).stdout;
    assert!(life.contains("changed-since") && life.contains("=theirs"), "{life}");
    let run = home.run_of("run");
    let line = &run.lines("verify.jsonl")[1];
    assert_eq!(line["name"], "Deal 1");
    assert_eq!(line["rows"], json!([{"file": "changes.csv", "line": 3}]));
    assert_eq!(line["etag"], account.referral(1)["eTag"]);
    assert_eq!(line["updated"], account.referral(1)["updatedDateTime"]);
    let row = &run.records("verify.csv")[1];
    let cell = |name: &str| row[name].as_str();
    assert_eq!(
        [cell("id"), cell("line"), cell("standing"), cell("fields"), cell("wrote"), cell("now")],
        [&id(1), "3", "changed-since", "/details/notes", "ours 1", "'=theirs"]
    );
    for name in ["verify.jsonl", "verify.csv"] {
        let mode = fs::metadata(run.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    // They are made again from the ledger, and listed with the other reports.
    let before = ["verify.jsonl", "verify.csv"].map(|name| run.text(name));
    for name in ["verify.jsonl", "verify.csv"] {
        fs::remove_file(run.path().join(name)).unwrap();
    }
    home.run(&["report", "run"]).expect(0);
    assert_eq!(["verify.jsonl", "verify.csv"].map(|name| run.text(name)), before);
    let files = run.summary()["files"].to_string();
    assert!(files.contains("verify.jsonl") && files.contains("verify.csv"), "{files}");
}

#[test]
fn where_all_of_it_stands_nothing_is_left_to_do() {
    let account = Account::of(3);
    let home = applied(&account, 2);
    let ended = verify(&home, &["--summary", "json"]).expect(0);
    let summary: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(summary["state"], "finished");
    assert_eq!(summary["exit_code"], 0);
    let counts = json!({
        "written": 2, "still_ours": 2, "changed_since": 0, "gone": 0, "not_readable": 0, "left": 0, "unknown": 0
    });
    assert_eq!(summary["referrals"], counts);
    assert_eq!(summary["requests"], json!({"total": 1, "get": 0, "list": 1}));
    assert_eq!(ended.stderr, "");
    assert_eq!(account.asked("PATCH"), 0);
    // What was found later replaces what was found before.
    account.edit(0, |referral| referral["details"]["notes"] = json!("theirs"));
    verify(&home, &[]).expect(3);
    account.edit(0, |referral| referral["details"]["notes"] = json!("ours 0"));
    verify(&home, &[]).expect(0);
    assert!(standings(&home).iter().all(|(_, standing)| standing == "still-ours"));
}

/// What lists leave out, and the pages and single reads that a verification of 130 changes takes then.
#[test]
fn pages_are_read_as_long_as_they_tell() {
    for (what, list, wanted) in [
        ("whole elements", account::Lists { omits: "", etags: true }, (2, 0)),
        ("whole elements without eTags", account::Lists { omits: "", etags: false }, (2, 0)),
        (
            "without the field, at the version that the run made",
            account::Lists { omits: "details", etags: true },
            (2, 0),
        ),
        ("without field and eTag", account::Lists { omits: "details", etags: false }, (2, 130)),
    ] {
        let account = Account::of(130);
        let home = applied(&account, 130);
        account.list_so(list);
        verify(&home, &[]).expect(0);
        let singles = account.asked_singly();
        assert_eq!((account.asked("GET") - singles, singles), wanted, "{what}");
        // Of one whose version moved, the page says nothing that counts unless it shows the field.
        account.forget();
        account.edit(7, |referral| referral["salesStage"] = json!("Develop"));
        verify(&home, &[]).expect(0);
        let further = usize::from(list.omits == "details" && list.etags);
        assert_eq!(account.asked_singly(), wanted.1 + further, "{what}");
    }
}

#[test]
fn one_that_two_pages_show_in_different_ways_is_read_by_itself() {
    let account = Account::of(130);
    let home = applied(&account, 130);
    account.show_again_on_every_page(0, |referral| referral["details"]["notes"] = json!("as it was"));
    verify(&home, &[]).expect(0);
    assert_eq!((account.asked("GET"), account.asked_singly()), (3, 1));
}

/// The list is older than the run, and so are the first single reads.
#[test]
fn what_is_older_than_the_run_is_read_again() {
    let account = Account::of(3);
    let home = Place::new();
    home.write("changes.csv", format!("id,notes\n{},ours 0\n{},ours 1\n", id(0), id(1)));
    let before = account.referral(0);
    apply(&home, &account, &[]).expect(0);
    account.forget();
    account.lag(0, before, 2);
    verify(&home, &[]).expect(0);
    assert_eq!(account.asked_singly(), 2, "once as it was, once as it is");
}

/// What the service made of a change is what the run wrote: a form of its own, or a part of it.
#[test]
fn what_the_service_made_of_a_change_is_ours() {
    for (code, keeps, other) in [
        (
            0,
            (|_, after| {
                let notes = after["details"]["notes"].as_str().unwrap().to_uppercase();
                after["details"]["notes"] = json!(notes);
            }) as fn(&Value, &mut Value),
            "OURS 0, AND MORE",
        ),
        (3, |before, after| after["salesStage"] = before["salesStage"].clone(), "ours 0, and more"),
    ] {
        let account = Account::of(2);
        let home = Place::new();
        let row = |number| format!("{},ours {number},Develop\n", id(number));
        home.write("changes.csv", format!("id,notes,salesStage\n{}{}", row(0), row(1)));
        account.keep(keeps);
        apply(&home, &account, &[]).expect(code);
        verify(&home, &[]).expect(0);
        account.edit(1, |referral| referral["salesStage"] = json!("Close"));
        account.edit(0, |referral| referral["details"]["notes"] = json!(other));
        verify(&home, &[]).expect(3);
        let standings = standings(&home);
        assert!(standings[0].1.starts_with("changed-since /details/notes: \"ours 0\""), "{standings:?}");
        let is_taken = code == 0;
        assert_eq!(standings[1].1.starts_with("changed-since /salesStage"), is_taken, "{standings:?}");
    }
}

#[test]
fn what_may_have_been_written_is_not_compared() {
    let account = Account::of(3);
    let home = Place::new();
    home.write("changes.csv", format!("id,notes\n{},ours 0\n{},ours 1\n", id(0), id(1)));
    account.doubt(1);
    apply(&home, &account, &[]).expect(3);
    assert_eq!(home.run_of("run").outcomes(), "1 applied, 1 unknown");
    account.show_all();
    let ended = verify(&home, &[]).expect(3);
    assert!(ended.stdout.contains("outcome unknown    1"), "{}", ended.stdout);
    let hint = "hint: 1 referral may have been written, and nothing says so: not compared; what to do about it is told \
                by: referral-bulk report run";
    assert_eq!(ended.stderr.trim_end(), hint);
    assert_eq!(standings(&home), [(id(0), "still-ours".to_owned())]);
}

#[test]
fn a_run_that_is_at_work_is_left_alone() {
    let account = Account::of(3);
    let home = Place::new();
    home.write("changes.csv", format!("id,notes\n{},ours 0\n{},ours 1\n", id(0), id(1)));
    account.hold_after_pages(1);
    let base = account.base();
    let applying = home.start(&["apply", "changes.csv", "--out", "run", "--yes", "--endpoint", &base]);
    account.is_held();
    let ended = verify(&home, &[]).expect(1);
    assert!(ended.stderr.contains("another process"), "{}", ended.stderr);
    account.release();
    applying.wait().expect(0);
    verify(&home, &[]).expect(0);
}

#[test]
fn runs_that_cannot_be_verified() {
    let account = Account::of(40);
    let home = applied(&account, 40);
    let planned = Place::new();
    planned.write("changes.csv", format!("id,notes\n{},x\n", id(0)));
    apply(&planned, &account, &["--plan"]).expect(0);
    account.forget();
    for (home, words, code, told) in [
        (&home, vec!["verify", "nowhere"], 1, "nowhere holds no run"),
        (&planned, vec!["verify", "run"], 2, "hint: carry it out first: referral-bulk resume run"),
        (&home, vec!["verify", "run", "--endpoint", "http://127.0.0.1:9/v1.0"], 2, "the run was planned for"),
    ] {
        let ended = home.run(&words).expect(code);
        assert!(ended.stderr.contains(told), "{told}\n{}", ended.stderr);
    }
    assert_eq!(account.asked("GET"), 0);
    assert!(!home.run_of("run").has("verify.jsonl"));

    // Neither the list nor any of the first may be read: the others are not asked for, and told of all the same.
    account.forbid_all(403);
    let ended = verify(&home, &["--concurrency", "1"]).expect(3);
    assert!(ended.stdout.contains("not-readable     40"), "{}", ended.stdout);
    assert!(account.asked("GET") < 20, "{}", account.asked("GET"));
    // A service that has no list at all is another one, or gone: nothing is said of the referrals.
    account.forget();
    account.forbid_all(404);
    let lines = home.run_of("run").text("verify.jsonl");
    let ended = verify(&home, &["--concurrency", "1"]).expect(1);
    assert!(ended.stderr.contains("has neither a list of referrals"), "{}", ended.stderr);
    assert_eq!(home.run_of("run").text("verify.jsonl"), lines);
}

#[test]
fn a_sandbox_inside_the_process_is_gone_with_it() {
    let home = Place::new();
    home.write("changes.csv", crate::support::samples::notes_csv(&["5a1e0001-0000-4000-8000-000000000002"]));
    home.run(&["apply", "changes.csv", "--out", "run", "--sandbox"]).expect(0);
    let ended = home.run(&["verify", "run"]).expect(1);
    assert!(ended.stderr.contains("a sandbox inside its own process"), "{}", ended.stderr);
}

#[test]
fn an_interrupted_one_says_how_far_it_came() {
    let account = Account::of(230);
    let home = applied(&account, 230);
    account.hold_after_pages(1);
    let verifying = home.start(&["verify", "run", "--rate", "100000/s", "--progress", "none"]);
    account.is_held();
    verifying.signal(Signal::SIGINT);
    verifying.says("stopping: requests in flight");
    account.release();
    let ended = verifying.wait().expect(4);
    assert!(
        ended.last_line().starts_with("next: verify all of it: referral-bulk verify run"),
        "{}",
        ended.stderr
    );
    assert_eq!(standings(&home).len() % 100, 0);
    verify(&home, &[]).expect(0);
    assert_eq!(standings(&home).len(), 230);
}
