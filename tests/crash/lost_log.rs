//! Runs whose log, `run.sqlite-wal`, is lost after their process was killed: what was sent last is on record
//! nowhere. It is noticed and told, nothing is made twice, and no outcome says what isn't so. Where nothing
//! is lost, nothing is missed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::program::Ended;
use crate::support::raw::api::Api;
use crate::support::raw::deadly::{Deadly, Doom, Moment};
use crate::support::referrals::{id, referral};
use crate::support::waiting::{each, until};

const COUNT: usize = 60;

const FOUND: &str = "\
warning: run/run.sqlite-wal is gone or is no log, and what this run sent last may stand in it alone
hint: put that very file back, if it is somewhere, before anything is sent; later it would do harm
";
const ELSEWHERE: &str = "\
warning: run is a copy, was moved, or its run.lock was taken away: what was sent of it from elsewhere is not on \
record here
hint: if the first one is somewhere, put that back and carry on with it
";
const RECORDED: &str = "note: it was found before that what this run had sent last is not on record\n";
const MEANING: &str = "\
note: so every change without an outcome may have been made: resume reads its referral before it sends anything \
for it, and what that cannot tell becomes unknown
";

/// A service, and a run over all that it holds: every other row adds a member to a team, the rest set a
/// field.
struct World {
    home: Rc<Place>,
    service: Deadly,
    /// Where the state of the referrals comes from: `live`, or `none`, where no eTag guards a change.
    state: &'static str,
}

impl World {
    fn new(state: &'static str) -> Self {
        let home = Place::new();
        let row = |number: usize| match number % 2 {
            0 => json!({ "id": id(number), "team.add": "Ann, Lee, +49 30 1, ann@example.com" }),
            _ => json!({ "id": id(number), "campaignId": "C-1" }),
        };
        home.write(
            "changes.jsonl",
            (0..COUNT).map(|number| format!("{}\n", row(number))).collect::<String>(),
        );
        let service = Deadly::serve(Api::new((0..COUNT).map(|number| referral(number, "New", "Received"))));
        Self { home, service, state }
    }

    fn arguments(&self, command: &[&str]) -> Vec<String> {
        let target = ["--endpoint", self.service.endpoint(), "--yes"];
        let pace = ["--rate", "100000/s", "--concurrency", "4"];
        let show = ["--progress", "none", "--summary", "none"];
        [command, &target, &pace, &show].concat().into_iter().map(str::to_owned).collect()
    }

    fn apply(&self) -> Vec<String> {
        self.arguments(&["apply", "changes.jsonl", "--out", "run", "--state", self.state])
    }

    fn resume(&self) -> Ended {
        self.home.run(&self.arguments(&["resume", "run"]))
    }

    /// Plans the run and has it killed when so many changes have come, the last of which is carried out.
    fn killed_at(&self, change: usize) {
        let doom = Doom { at_a_look: false, at_page: None, at_change: change, moment: Moment::CarriedOut };
        let ended = self.service.watch(self.home.start(&self.apply()), Some(doom));
        assert_eq!(ended.code, None, "{}", ended.stderr);
    }

    fn bytes(&self, file: &str) -> Option<Vec<u8>> {
        fs::read(self.home.path("run").join(file)).ok()
    }

    /// What the reports tell of every row, by id.
    fn told(&self) -> BTreeMap<String, Value> {
        let rows = self.home.run_of("run").lines("outcomes.jsonl");
        assert_eq!(rows.len(), COUNT);
        rows.into_iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row)).collect()
    }

    /// How often a row's change was made.
    fn made(&self, id: &str) -> usize {
        self.service.look(|api| api.applied(id).len())
    }

    /// Whether the message that stands before all others is there, once, or none is.
    #[track_caller]
    fn says(ended: &Ended, words: &str) {
        let message = if words.is_empty() { String::new() } else { format!("{words}{MEANING}") };
        let (said, rest) = ended.stderr.split_at_checked(message.len()).unwrap_or(("", ""));
        assert_eq!(said, message, "{}", ended.stderr);
        assert!(!rest.contains("run.sqlite-wal"), "{}", ended.stderr);
    }
}

/// What happens to a run's directory.
type Loss = fn(&Path);

/// How a log is lost.
const LOSSES: [(&str, Loss); 5] = [
    ("removed", |run| fs::remove_file(run.join("run.sqlite-wal")).unwrap()),
    ("removed with its index", |run| {
        for file in ["run.sqlite-wal", "run.sqlite-shm"] {
            fs::remove_file(run.join(file)).unwrap();
        }
    }),
    ("emptied", |run| fs::write(run.join("run.sqlite-wal"), "").unwrap()),
    ("another file", |run| fs::write(run.join("run.sqlite-wal"), "a note\n".repeat(900)).unwrap()),
    ("left behind", |run| {
        let away = run.with_extension("away");
        fs::rename(run, &away).unwrap();
        fs::create_dir(run).unwrap();
        fs::copy(away.join("run.sqlite"), run.join("run.sqlite")).unwrap();
    }),
];

#[test]
fn what_was_sent_last_is_never_made_twice() {
    let cases: Vec<_> =
        LOSSES.into_iter().flat_map(|loss| ["live", "none"].map(|state| (loss, state))).collect();
    each(&cases, |((name, lose), state)| {
        let world = World::new(state);
        world.killed_at(31);
        lose(&world.home.path("run"));
        is_told_by_report(&world);
        is_remembered(&world);
        is_settled(&world, name);
    });
}

/// A report tells it and changes nothing. Nothing counts as unsent, and what counts as applied is.
fn is_told_by_report(world: &World) {
    let before = world.bytes("run.sqlite");
    for _ in 0..2 {
        let reported = world.home.run(&["report", "run", "--summary", "none"]).expect(4);
        World::says(&reported, FOUND);
        assert_eq!(world.bytes("run.sqlite"), before, "a report changed it");
        for (id, row) in world.told() {
            match row["outcome"].as_str().unwrap() {
                "applied" => assert_eq!(world.made(&id), 1, "{row}"),
                outcome => {
                    assert_eq!(outcome, "unknown", "{row}");
                    assert_eq!(
                        row["message"],
                        "the ledger's last records are lost, and this change may have been sent",
                        "{row}"
                    );
                }
            }
        }
    }
}

/// Closes nothing, so it is refused before anything is written or sent.
const WRONG: [&str; 4] = ["resume", "run", "--confirm-closing", "7"];

/// A process that finds it and is refused changes nothing. One that goes on and is killed leaves word of it.
fn is_remembered(world: &World) {
    let refused = world.home.run(&world.arguments(&WRONG)).expect(2);
    World::says(&refused, FOUND);
    let doom = Doom { at_a_look: true, at_page: None, at_change: 1, moment: Moment::Arrived };
    let ended = world.service.watch(world.home.start(&world.arguments(&["resume", "run"])), Some(doom));
    assert_eq!(ended.code, None, "{}", ended.stderr);
    World::says(&ended, FOUND);
}

/// Carried on with to the end, every change was made once, or was not and nobody can tell.
fn is_settled(world: &World, name: &str) {
    let ended = world.resume();
    World::says(&ended, RECORDED);
    world.service.is_over();
    let mut unknown = 0;
    for (id, row) in world.told() {
        let made = world.made(&id);
        if row["outcome"] == "unknown" {
            unknown += 1;
            assert_eq!((world.state, made), ("none", 0), "{name}: {row}");
            // Of some rows a part was so before anybody sent it.
            let is_there = ["it is not there", "not all of it is there"].map(|is_there| {
                format!(
                    "the ledger's last records are lost, and this change may have been sent; read back, {is_there}, \
                     and nothing tells whether sending it again would overwrite or repeat something"
                )
            });
            assert!(is_there.iter().any(|message| row["message"] == message.as_str()), "{row}");
        } else {
            assert_eq!((row["outcome"].as_str(), made), (Some("applied"), 1), "{name}: {row}");
        }
    }
    let wanted = if world.state == "none" { 3 } else { 0 };
    assert_eq!((ended.code, unknown > 0), (Some(wanted), wanted == 3), "{name}: {}", ended.stderr);
    // Nothing is left to be missed.
    assert_eq!(world.bytes("run.sqlite-wal"), None);
    World::says(&world.home.run(&["report", "run", "--summary", "none"]).expect(wanted), "");
}

/// Killed, a run keeps its log, whoever looks at it, and wherever it is moved to. Of a copy nobody can tell
/// whether it was made before the last change was sent.
#[test]
fn a_log_that_is_there_is_not_missed() {
    let cases =
        [("live", "mv", ""), ("none", "mv", ""), ("live", "cp", ELSEWHERE), ("none", "cp", ELSEWHERE)];
    each(&cases, |(state, carry, words)| {
        let world = World::new(state);
        world.killed_at(31);
        let log = world.bytes("run.sqlite-wal");
        assert!(log.as_ref().is_some_and(|log| !log.is_empty()));
        World::says(&world.home.run(&["report", "run", "--summary", "none"]).expect(4), "");
        World::says(&world.home.run(&world.arguments(&WRONG)).expect(2), "");
        assert!(world.bytes("run.sqlite-wal") == log, "whoever looked at it changed the log");

        let (run, away) = (world.home.path("run"), world.home.path("away"));
        fs::rename(&run, &away).unwrap();
        let options: &[&str] = if *carry == "cp" { &["-r"] } else { &[] };
        assert!(Command::new(carry).args(options).args([&away, &run]).status().unwrap().success());
        let ended = world.resume();
        World::says(&ended, words);
        world.service.is_over();
        for (id, row) in world.told() {
            let (outcome, made) = (row["outcome"].as_str().unwrap(), world.made(&id));
            assert!(outcome == "applied" && made == 1 || outcome == "unknown" && *state == "none", "{row}");
        }
    });
}

/// Stopped in order, a run has all in one file, which can be carried anywhere alone.
#[test]
fn a_run_that_was_stopped_in_order_needs_no_log() {
    let world = World::new("none");
    world.service.let_changes_through(Some(4));
    let sending = world.home.start(&world.apply());
    until("the first changes", || (world.service.look(|api| api.all_applied().len()) == 4).then_some(()));
    sending.signal(Signal::SIGINT);
    sending.says("stopping:");
    world.service.let_changes_through(None);
    World::says(&sending.wait().expect(4), "");
    assert_eq!(world.bytes("run.sqlite-wal"), None);

    let (run, away) = (world.home.path("run"), world.home.path("away"));
    fs::rename(&run, &away).unwrap();
    fs::create_dir(&run).unwrap();
    fs::copy(away.join("run.sqlite"), run.join("run.sqlite")).unwrap();
    World::says(&world.home.run(&["report", "run", "--summary", "none"]).expect(4), "");
    let ended = world.resume().expect(0);
    World::says(&ended, "");
    for (id, row) in world.told() {
        assert_eq!((row["outcome"].as_str(), world.made(&id)), (Some("applied"), 1), "{row}");
    }
}
