//! Processes that are killed at any instant: at random, at every moment of a request, and at every step of
//! the ledger. Whatever is left, the ledger can be read, the books balance, and `resume` goes on until every
//! change was made exactly once, as the service's own log tells.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod kills;
mod lost_log;
mod refused;
mod steps;
#[path = "../support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use referral_bulk::domain::account::Phase;
use referral_bulk::ledger;
use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::program::{Ended, alone};
use crate::support::raw::api::Api;
use crate::support::raw::deadly::{Deadly, Doom};
use crate::support::referrals::{id, referral};

/// A service, and a run over all that it holds.
struct World {
    home: Rc<Place>,
    service: Deadly,
    count: usize,
    /// Where the state of the referrals comes from: `live`, or `none`.
    state: &'static str,
    concurrency: &'static str,
    /// Whether what a process had sent last is on record nowhere.
    log_was_taken: bool,
}

/// SQLite's log of the ledger.
const LOG: &str = "run.sqlite-wal";

/// What a row asks for, and the document that does it.
fn change(number: usize, state: &str) -> (Value, Value) {
    // Nobody knows what is there where nobody looked, and `add` works whatever it is.
    let set = if state == "none" { "add" } else { "replace" };
    let member = json!({
        "firstName": "Ann", "lastName": "Lee", "phoneNumber": "+49 30 1", "email": "ann@example.com",
    });
    let (wants, document) = match if state == "none" { 2 } else { number % 5 } {
        0 => (
            json!({ "status": "Active", "substatus": "Accepted" }),
            json!([
                { "op": set, "path": "/status", "value": "Active" },
                { "op": set, "path": "/substatus", "value": "Accepted" },
            ]),
        ),
        1 => (
            json!({ "details": { "notes": "Ours" } }),
            json!([{ "op": set, "path": "/details/notes", "value": "Ours" }]),
        ),
        2 => (
            json!({ "team.add": "Ann, Lee, +49 30 1, ann@example.com" }),
            json!([{ "op": "add", "path": "/team/-", "value": member }]),
        ),
        3 => {
            (json!({ "campaignId": "C-1" }), json!([{ "op": "add", "path": "/campaignId", "value": "C-1" }]))
        }
        _ => (
            json!({ "status": "Closed", "substatus": "Lost", "statusReason": "No budget" }),
            json!([
                { "op": set, "path": "/statusReason", "value": "No budget" },
                { "op": set, "path": "/status", "value": "Closed" },
                { "op": set, "path": "/substatus", "value": "Lost" },
            ]),
        ),
    };
    let mut row = json!({ "id": id(number) });
    row.as_object_mut().unwrap().extend(wants.as_object().unwrap().clone());
    (row, document)
}

impl World {
    fn new(count: usize, state: &'static str) -> Self {
        let home = Place::new();
        let lines: String = (0..count).map(|number| format!("{}\n", change(number, state).0)).collect();
        home.write("changes.jsonl", &lines);
        let referrals = (0..count).map(|number| referral(number, "New", "Received"));
        let service = Deadly::serve(Api::new(referrals));
        Self { home, service, count, state, concurrency: "6", log_was_taken: false }
    }

    /// `apply` where there is no run yet, else `resume`. Once anything may have been sent, what was consented to
    /// is on record, and no process needs to be told.
    fn arguments(&self) -> Vec<String> {
        let run = self.home.path("run");
        let (command, is_consented) = match run.join("run.sqlite").exists() {
            false => (vec!["apply", "changes.jsonl", "--out", "run", "--state", self.state], false),
            true => (vec!["resume", "run"], phase(&run) == Phase::Stopped),
        };
        let closing = self.closing().to_string();
        let consent = ["--yes", "--confirm-closing", &closing];
        let consent = if is_consented { &[][..] } else { &consent };
        let more = ["--endpoint", self.service.endpoint()];
        let pace = ["--rate", "100000/s", "--concurrency", self.concurrency];
        let show = ["--progress", "none", "--summary", "none"];
        [&command, consent, &more, &pace, &show].concat().into_iter().map(str::to_owned).collect()
    }

    fn closing(&self) -> u64 {
        let closing = |number: &usize| change(*number, self.state).0["status"] == "Closed";
        (0..self.count).filter(closing).count() as u64
    }

    /// Goes on with the run until its end or its doom. No log is missed that nobody took.
    fn go_on(&self, doom: Option<Doom>) -> Ended {
        let ended = self.service.watch(self.home.start(&self.arguments()), doom);
        assert!(self.log_was_taken || !ended.stderr.contains(LOG), "{}", ended.stderr);
        ended
    }

    /// Goes on with the run in a process that dies at a step of the ledger: the first, second or any other
    /// one of all, or of this kind.
    fn go_on_to_step(&self, turn: usize, of: Option<&str>, doom: Option<Doom>) -> Ended {
        let process = json!({ "arguments": self.arguments(), "turn": turn, "of": of });
        self.home.write("process.json", process.to_string());
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([
            "--exact",
            "steps::a_process_that_dies",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ]);
        let ended = self.service.watch(self.home.start_command(command), doom);
        assert!(self.log_was_taken || !ended.stderr.contains(LOG), "{}", ended.stderr);
        ended
    }

    /// Takes away what of the run is in SQLite's log alone.
    fn take_log(&mut self) {
        self.log_was_taken = true;
        for file in [LOG, "run.sqlite-shm"] {
            // A process may have died before it made it.
            let _ = fs::remove_file(self.home.path("run").join(file));
        }
    }

    /// Whatever a process left behind: it can be read, and every row is told once. Nothing is told that is
    /// not so: what counts as applied took effect, what counts as unsent did not.
    fn is_booked(&self) {
        let (_, told) = self.told();
        self.service.look(|api| {
            for (id, row) in &told {
                let (outcome, effects) = (row["outcome"].as_str().unwrap(), api.applied(id).len());
                let fits = match outcome {
                    "applied" => effects == 1,
                    "planned" | "unsent" => effects == 0,
                    "unknown" => effects <= 1,
                    _ => false,
                };
                assert!(fits, "{outcome} and applied {effects} times: {row}");
            }
        });
    }

    /// Nothing was asked for that anybody could carry on with, and it is said what to type.
    fn is_no_run(&self) {
        self.service.look(|api| assert!(api.asked().is_empty(), "{:?}", api.asked()));
        for command in ["resume", "report"] {
            let ended = self.home.run(&[command, "run"]).expect(1);
            assert_eq!(
                ended.stderr,
                "error: run holds no run yet: none came as far as to read or send anything\n\
                 hint: begin it again: referral-bulk apply FILE --out run\n"
            );
        }
    }

    /// The outcomes, and the rows of the report, by id.
    fn told(&self) -> (String, BTreeMap<String, Value>) {
        let reported = self.home.run(&["report", "run", "--summary", "none"]);
        assert!(matches!(reported.code, Some(0 | 3 | 4)), "{}", reported.stderr);
        let run = self.home.run_of("run");
        let rows = run.lines("outcomes.jsonl");
        assert_eq!(rows.len(), self.count);
        let rows = rows.into_iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row)).collect();
        (run.outcomes(), rows)
    }

    /// The run is finished. Every change was made exactly once, or the report doesn't know, as it may where
    /// nobody looked beforehand. And every PATCH that came over the wire stands in the ledger, as one of its
    /// own, unless its log was taken. Answers how many are unknown.
    fn is_done(&self) -> usize {
        self.service.is_over();
        let (_, told) = self.told();
        let mut unknown = 0;
        self.service.look(|api| {
            for number in 0..self.count {
                let (id, row) = (id(number), &told[&id(number)]);
                let applied = api.applied(&id);
                assert!(applied.len() <= 1, "{id} was changed {} times: {applied:?}", applied.len());
                let wanted = change(number, self.state).1;
                assert!(applied.iter().all(|document| **document == wanted), "{applied:?}");
                if row["outcome"] == "unknown" && self.state == "none" {
                    unknown += 1;
                } else {
                    assert_eq!((row["outcome"].as_str(), applied.len()), (Some("applied"), 1), "{row}");
                }
            }
            let mut calls = BTreeSet::new();
            for asked in api.asked().iter().filter(|asked| asked.method == "PATCH") {
                assert!(calls.insert(&asked.call), "two requests for one attempt: {asked:?}");
                let on_record = told[&asked.id]["request_ids"].as_array().unwrap();
                let is_on_record = on_record.contains(&json!(asked.call));
                assert!(is_on_record || self.log_was_taken, "not on record: {asked:?}");
                assert_eq!(asked.if_match.is_some(), self.state == "live", "{asked:?}");
            }
        });
        unknown
    }
}

/// How far a run has come.
fn phase(run: &Path) -> Phase {
    alone(|| awaited(ledger::open(run)).unwrap().header().phase)
}

/// What a ledger in files answers, which waits for nothing but the disk.
fn awaited<T>(asked: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(asked)
}
