//! Runs that end early: signals, kills, a second process, a disk that fills up, a directory that is
//! gone, a line that is cut. Whatever it is, the books balance, `resume` carries on, and every change is
//! made exactly once: the referrals end at the very versions that an undisturbed run leads to.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod copies;
mod disks;
mod lines;
mod plans;
mod signals;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::program::{Ended, Started};
use crate::support::referrals::{id, referral};
use crate::support::sandbox::Sandbox;
use crate::support::tap::Tap;

/// A service, a line to it, and a change file.
struct World {
    home: Rc<Place>,
    service: Sandbox,
    tap: Tap,
}

impl World {
    fn new(count: usize, faults: &[&str]) -> Self {
        let home = Place::new();
        let seed: Vec<Value> = (0..count).map(|number| referral(number, "New", "Received")).collect();
        let lines: String = (0..count).map(|number| format!("{}\n", row(number))).collect();
        home.write("changes.jsonl", &lines);
        let options: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
        let service = Sandbox::seeded(&home, &seed, &options);
        let tap = Tap::on(&service);
        Self { home, service, tap }
    }

    /// No request is given up while a test holds it back, however long the machine takes.
    fn arguments(&self, command: &[&str], more: &[&str]) -> Vec<String> {
        let endpoint = self.tap.endpoint();
        let common = ["--endpoint", &endpoint, "--yes", "--progress", "none", "--timeout", "10m"];
        [command, &common, more].concat().into_iter().map(str::to_owned).collect()
    }

    fn apply(&self, more: &[&str]) -> Started {
        self.home.start(&self.arguments(&["apply", "changes.jsonl", "--out", "run"], more))
    }

    fn resume(&self, more: &[&str]) -> Started {
        self.home.start(&self.arguments(&["resume", "run"], more))
    }

    /// Resumes, and is done with everything.
    fn resume_to_the_end(&self) {
        self.resume(&["--rate", "100000/s"]).wait().expect(0);
        self.is_done();
    }

    /// Every change was made exactly once.
    fn is_done(&self) {
        let run = self.home.run_of("run");
        let after = self.service.referrals();
        assert_eq!(run.outcomes(), format!("{} applied", after.len()));
        assert_eq!(run.summary()["state"], "finished");
        let wanted = undisturbed(after.len());
        for (id, after) in &after {
            let emails: Vec<&str> = after["team"]
                .as_array()
                .unwrap()
                .iter()
                .map(|member| member["email"].as_str().unwrap())
                .collect();
            let mut once = emails.clone();
            once.dedup();
            assert_eq!(emails, once, "{id} has a member twice");
            assert_eq!(stampless(after), wanted[id], "{id}");
        }
    }

    /// What stands in the reports is what happened: every row once, and `applied` no less than the
    /// referrals that changed, but for what is in doubt.
    fn is_booked(&self) -> (u64, u64) {
        let run = self.home.run_of("run");
        for report in ["success.jsonl", "conflict.jsonl", "error.jsonl", "plan.jsonl", "summary.json"] {
            assert!(run.has(report), "{report}");
        }
        let after = self.service.referrals();
        let changed = after.values().filter(|after| after["eTag"] != seed_etag(after)).count() as u64;
        let (applied, unknown) = (run.count("/rows/applied"), run.count("/rows/unknown"));
        assert_eq!(run.count("/rows/total"), after.len() as u64);
        assert_eq!(run.lines("outcomes.jsonl").len(), after.len());
        assert!(applied <= changed && changed <= applied + unknown, "{changed} changed, {}", run.outcomes());
        (applied, unknown)
    }
}

fn row(number: usize) -> Value {
    match number % 3 {
        0 => json!({ "id": id(number), "status": "Active" }),
        1 => json!({ "id": id(number), "details": { "dealValue": 7, "notes": "Ours" } }),
        _ => json!({ "id": id(number), "team.add": "Ann, Lee, +49 30 1, ann@example.com" }),
    }
}

fn seed_etag(referral: &Value) -> String {
    let number = usize::from_str_radix(&referral["id"].as_str().unwrap()[24..], 16).unwrap();
    format!("\"seed-{number}\"")
}

/// Everything but when it happened. The eTag stays: it follows from the changes, one after another.
fn stampless(referral: &Value) -> Value {
    let mut referral = referral.clone();
    for name in ["updatedDateTime", "acceptedDateTime"] {
        referral[name] = Value::Null;
    }
    referral
}

/// How the referrals end where nothing disturbs the run.
fn undisturbed(count: usize) -> BTreeMap<String, Value> {
    let world = World::new(count, &[]);
    world.apply(&["--rate", "100000/s"]).wait().expect(0);
    assert_eq!(world.tap.count("PATCH"), count);
    world.service.referrals().into_iter().map(|(id, after)| (id, stampless(&after))).collect()
}

/// The last line of standard error is the command that carries on.
fn names_resume(ended: &Ended) {
    let next = "next: referral-bulk resume run --rate ";
    assert!(ended.last_line().starts_with(next), "{}", ended.stderr);
}
