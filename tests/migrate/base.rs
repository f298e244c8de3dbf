//! `migrate --base`: the referrals as they were when the payloads were made tell whose values are newer.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;
use std::rc::Rc;
use std::slice::from_ref;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::lines;
use crate::support::case::{Ran, Test};
use crate::support::place::Place;
use crate::support::program::{Ended, Started};
use crate::support::referrals;
use crate::support::samples::sample;
use crate::support::sandbox::Sandbox;
use crate::support::tap::Tap;
use crate::support::waiting::until;

/// A referral as it was at version `v1`, as it is at `v2`, and a payload that was made in between: it
/// changed the sales stage, somebody else the notes, and both the deal value.
struct Edited {
    was: Value,
    is: Value,
    payload: Value,
}

fn edited(number: usize) -> Edited {
    let samples = sample("referrals.jsonl");
    let with = |etag: &str, stage: &str, notes: &str, value: u32| {
        let mut referral: Value = serde_json::from_str(samples.lines().nth(number - 1).unwrap()).unwrap();
        referral["eTag"] = json!(format!("\"{etag}\""));
        referral["salesStage"] = json!(stage);
        referral["details"]["notes"] = json!(notes);
        referral["details"]["dealValue"] = json!(value);
        referral
    };
    Edited {
        was: with("v1", "Qualify", "As it was", 1),
        is: with("v2", "Qualify", "Newer", 2),
        payload: with("v1", "Propose", "As it was", 3),
    }
}

fn test(payloads: &[Value], is: &[Value], base: &str, more: &str) -> Test {
    let command = "migrate a.jsonl --plan --state is.jsonl --base was.jsonl --out run --summary none";
    Test::new(&format!("{command} {more}"))
        .file("a.jsonl", lines(payloads))
        .file("is.jsonl", lines(is))
        .file("was.jsonl", base)
        .code(3)
}

/// The findings of the only payload, with their hints.
fn findings(ran: &Ran) -> String {
    let plan: Value = serde_json::from_str(&ran.place.raw("run/plan.jsonl")).unwrap();
    let told = plan["findings"].as_array().unwrap().iter().map(|finding| {
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        [text("rule"), text("message"), text("hint")].join(" | ")
    });
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn it_tells_whose_values_are_newer() {
    let Edited { was, is, payload } = edited(15);
    let command = "migrate a.jsonl --plan --state is.jsonl --base was.jsonl --out run";
    let ran = Test::new(command)
        .file("a.jsonl", lines(&[payload]))
        .file("is.jsonl", lines(&[is]))
        .file("was.jsonl", lines(&[was]))
        .code(3)
        .snapshot("newer", ["run/plan.jsonl", "run/conflict.jsonl"])
        .run();
    assert_eq!(ran.summary("run")["inputs"].as_array().unwrap().len(), 1, "it is none of the inputs");
    // What the finding offers is what it says.
    let taken = ran.then(&format!("{} --take /salesStage --summary none", command.replace("run", "taken")));
    let taken = taken.told_elsewhere().run();
    assert_eq!(taken.outcomes("taken"), "1 planned");
    let plan: Value = serde_json::from_str(&taken.place.raw("taken/plan.jsonl")).unwrap();
    assert_eq!(plan["operations"], json!([{"op": "replace", "path": "/salesStage", "value": "Propose"}]));
}

#[test]
fn every_form_of_a_snapshot_will_do() {
    let Edited { was, is, payload } = edited(15);
    let other = edited(16).was;
    let all = [other, was];
    let plans = [
        lines(&all),
        json!(all).to_string(),
        format!("{:#}", json!({ "value": all })),
        lines(&[json!({ "value": [all[0]] }), json!({ "value": [all[1]] })]),
    ]
    .map(|base| {
        let ran = test(from_ref(&payload), from_ref(&is), &base, "");
        let ran = ran.told_elsewhere().run();
        assert!(!ran.stderr.contains("note: was.jsonl"), "{}", ran.stderr);
        ran.place.raw("run/plan.jsonl")
    });
    assert!(plans[0].contains("which is newer"), "{}", plans[0]);
    assert_eq!(plans.iter().collect::<std::collections::BTreeSet<_>>().len(), 1);
}

/// What is claimed of the payload of one referral, by what its base and the payload say of their versions.
#[test]
fn nothing_is_claimed_by_a_base_of_another_version() {
    const STALE: &str = r#"stale-etag | the payload was made from eTag "v1", the referral is at "v2" | "#;
    const MISSING: &str = r#"missing-etag | the payload has no eTag, the referral is at "v2" | "#;
    const OTHER: &str = "--base has the referral at eTag \"v0\", which the payload was not made from; \
                         to overwrite all the same: \
                         --take /details/dealValue --take /details/notes --take /salesStage";
    const NONE: &str = "--base SNAPSHOT tells whose values are newer; to overwrite all the same: \
         --take /details/dealValue --take /details/notes --take /salesStage";
    const KNOWN: &str = "what nobody else changed since can be sent: --take /salesStage";
    const SURE: &str = "\n\
        would-overwrite | /details/notes: the PUT would have put \"As it was\" back in place of the newer \"Newer\" | \n\
        would-overwrite | /details/dealValue: the PUT would have overwritten 2, which is newer, with 3 | ";
    const UNSURE: &str = "\n\
        would-overwrite | /salesStage: the PUT would have overwritten \"Qualify\" with \"Propose\" | \n\
        would-overwrite | /details/notes: the PUT would have overwritten \"Newer\" with \"As it was\" | \n\
        would-overwrite | /details/dealValue: the PUT would have overwritten 2 with 3 | ";
    let v = |version: &str| json!(format!("\"{version}\""));
    for (base, payload, wanted) in [
        (v("v1"), v("v1"), [STALE, KNOWN, SURE]),
        (Value::Null, v("v1"), [STALE, KNOWN, SURE]),
        (v("v1"), Value::Null, [MISSING, KNOWN, SURE]),
        (v("v0"), v("v1"), [STALE, OTHER, UNSURE]),
    ] {
        let Edited { mut was, is, payload: mut sent } = edited(15);
        was["eTag"] = base;
        sent["eTag"] = payload;
        let ran = test(&[sent], &[is], &lines(&[was]), "").told_elsewhere().run();
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&findings(&ran)), sorted(&wanted.concat()));
    }
    let Edited { is, payload, .. } = edited(15);
    let ran = test(from_ref(&payload), from_ref(&is), "", "").told_elsewhere().run();
    assert!(findings(&ran).starts_with(&format!("{STALE}{NONE}\n")), "{}", findings(&ran));
    let mut other = edited(15).was;
    other["eTag"] = v("v0");
    let ran = test(&[payload], &[is], &lines(&[other]), "--take /salesStage").code(0).told_elsewhere().run();
    let said = "what --take names is sent, bound to the current eTag; \
                --base has the referral at eTag \"v0\", which the payload was not made from";
    assert!(findings(&ran).lines().next().unwrap().ends_with(said), "{}", findings(&ran));
}

#[test]
fn what_it_lacks_is_said() {
    let [one, two, three] = [15, 16, 17].map(edited);
    let base = lines(&[one.was, edited(18).was]);
    let ran = test(&[one.payload, two.payload, three.payload], &[one.is, two.is, three.is], &base, "");
    let ran = ran.told_elsewhere().run();
    assert!(
        ran.stderr.starts_with(
            "note: was.jsonl lacks 2 of 3 referrals: whose values are newer is not known there\n\
             error[stale-etag]: "
        ),
        "{}",
        ran.stderr
    );
    let plan = ran.place.raw("run/plan.jsonl");
    let told: Vec<bool> = plan.lines().map(|line| line.contains("in place of the newer")).collect();
    assert_eq!(told, [true, false, false]);
}

#[test]
fn what_cannot_be_read_ends_the_command() {
    let Edited { was, is, payload } = edited(15);
    let hint = "hint: --base takes a file of referrals: JSONL, a JSON array, or list pages\n";
    for (base, said) in [
        ("gone.jsonl", "error: cannot read gone.jsonl: No such file or directory (os error 2)\n"),
        (".", "error: cannot read .: Is a directory (os error 21)\n"),
        ("half.jsonl", "error: half.jsonl:2:1: no valid JSON: EOF while parsing an object\n"),
        ("rows.csv", "error: rows.csv: line 1: no JSON object\n"),
    ] {
        let command =
            format!("migrate a.jsonl --plan --state is.jsonl --base {base} --out run --summary none");
        let ran = Test::new(&command)
            .file("a.jsonl", lines(from_ref(&payload)))
            .file("is.jsonl", lines(from_ref(&is)))
            .file("half.jsonl", format!("{was}\n{{"))
            .file("rows.csv", "id,status\n")
            .code(1)
            .stderr(&format!("{said}{hint}"))
            .run();
        assert!(!ran.place.path("run").exists(), "{base}");
    }
}

/// A service with three referrals, a line to it, and what a run needs.
struct World {
    home: Rc<Place>,
    service: Sandbox,
    tap: Tap,
}

impl World {
    fn new() -> Self {
        let home = Place::new();
        let seed: Vec<Value> =
            (0..3).map(|number| referrals::referral(number, "Active", "Accepted")).collect();
        let edit = |version: &str, value: u32| {
            let mut edited = seed.clone();
            edited.iter_mut().for_each(|referral| {
                referral["eTag"] = json!(format!("\"{version}\""));
                referral["details"]["dealValue"] = json!(value);
            });
            lines(&edited)
        };
        home.write("was.jsonl", edit("v1", 1));
        home.write("a.jsonl", edit("v1", 7));
        let service = Sandbox::seeded(&home, &seed, &[] as &[&str]);
        let tap = Tap::on(&service);
        Self { home, service, tap }
    }

    fn start(&self, command: &[&str]) -> Started {
        let endpoint = self.tap.endpoint();
        let common = ["--endpoint", &endpoint, "--progress", "none", "--rate", "1000/s", "--yes"];
        self.home.start(&[command, &common].concat())
    }

    fn resume(&self) -> Ended {
        self.start(&["resume", "run"]).wait()
    }
}

#[test]
fn a_plan_is_not_made_again_from_another_base() {
    let world = World::new();
    world.tap.hold(&["GET"]);
    let planning = world.start(&["migrate", "a.jsonl", "--base", "was.jsonl", "--out", "run"]);
    until("the first page is asked for", || (world.tap.count("GET") > 0).then_some(()));
    planning.signal(Signal::SIGKILL);
    planning.wait();
    world.tap.release();

    let asked = world.tap.count("GET");
    let base = std::fs::read_to_string(world.home.path("was.jsonl")).unwrap();
    world.home.write("was.jsonl", base.replace("Note 1", "Another note"));
    for _ in 0..2 {
        let refused = world.resume().expect(1);
        let said = "error: was.jsonl is not what it was when the run was begun\n\
                    hint: nothing was sent so far: migrate with it as a run of its own\n";
        assert!(refused.stderr.ends_with(said), "{}", refused.stderr);
    }
    assert_eq!(world.tap.count("GET"), asked);
    world.home.write("was.jsonl", &base);
    let planned = world.resume().expect(3);
    assert_eq!(world.home.run_of("run").outcomes(), "3 conflict");
    assert!(world.home.run_of("run").text("plan.jsonl").contains("which is newer, with 7"));
    // Whoever feeds the rows back compares with the same base.
    assert!(
        planned.last_line().contains(" migrate run/conflict.jsonl --base was.jsonl "),
        "{}",
        planned.stderr
    );
    assert_eq!(world.service.referrals().len(), 3);
}

#[test]
fn an_interrupt_ends_the_reading() {
    let world = World::new();
    let base = std::fs::read_to_string(world.home.path("was.jsonl")).unwrap();
    let pipe = world.home.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let planning = world.start(&["migrate", "a.jsonl", "--base", "pipe", "--out", "run"]);
    // Opening it waits for the other end.
    let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
    let mut lines = base.split_inclusive('\n');
    writer.write_all(lines.next().unwrap().as_bytes()).unwrap();
    planning.signal(Signal::SIGINT);
    planning.says("stopping:");
    // It may have ended at the first referral already, and closed the pipe.
    let _ = writer.write_all(lines.next().unwrap().as_bytes());
    // The file has no end yet: who reads it through waits for ever.
    let ended = planning.wait().expect(4);
    assert!(ended.stderr.contains("stopped: interrupted"), "{}", ended.stderr);
    assert!(ended.last_line().starts_with("next: referral-bulk resume run"), "{}", ended.stderr);
    assert_eq!(world.tap.count("GET") + world.tap.count("PATCH"), 0);
    drop(writer);
    assert_eq!(world.home.run_of("run").outcomes(), "3 unsent");
}
