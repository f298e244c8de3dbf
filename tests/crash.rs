//! Processes that are killed at any instant: at random, at every moment of a request, and at every step of
//! the ledger. Whatever is left, the ledger can be read, the books balance, and `resume` goes on until every
//! change was made exactly once, as the service's own log tells.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, ExitCode};
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use referral_bulk::domain::account::Phase;
use referral_bulk::{Process, ledger};
use serde_json::{Value, json};
use support::place::Place;
use support::program::{Ended, TOKEN};
use support::random::Random;
use support::raw::api::Api;
use support::raw::deadly::{Deadly, Doom, Moment, Trouble};
use support::referrals::{id, referral};
use support::waiting::each;

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
            true => (vec!["resume", "run"], ledger::open(&run).unwrap().phase() == Phase::Stopped),
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
        command.args(["--exact", "a_process_that_dies", "--ignored", "--nocapture", "--test-threads=1"]);
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

/// Where and when a process is killed.
fn doom(random: &mut Random) -> Doom {
    let moment = match random.below(7) {
        0 => Moment::Arrived,
        1 => Moment::Late(random.below(40)),
        2 => Moment::CarriedOut,
        3 => Moment::HalfHead,
        4 => Moment::HalfBody,
        5 => Moment::Answered,
        _ => Moment::Soon(Duration::from_micros(random.below(20_000) as u64)),
    };
    Doom { at_a_look: random.below(4) == 0, at_page: None, at_change: 1 + random.below(60), moment }
}

/// How many changes a run has, and how often it is killed at least.
const CHANGES: usize = 1_000;
const KILLS: usize = 21;

/// Ten thousand changes in ten runs, two of them planned without a look.
#[test]
fn every_change_is_made_once_however_often_the_process_is_killed() {
    let runs: Vec<(u64, &'static str)> =
        (0..10).map(|run| (run, if run < 8 { "live" } else { "none" })).collect();
    let kills: usize = each(&runs, |(run, state)| kill_again_and_again(*run, state)).iter().sum();
    assert!(kills >= 200, "killed {kills} times in {} runs", runs.len());
}

/// Answers how often.
fn kill_again_and_again(seed: u64, state: &'static str) -> usize {
    let world = World::new(CHANGES, state);
    let mut random = Random(20_261_121 + seed);
    let mut kills = 0;
    if state == "live" {
        // While it is planned, it begins again each time.
        for at_page in [3, 10] {
            let doom = Doom { at_page: Some(at_page), ..doom(&mut random) };
            kills += usize::from(world.go_on(Some(doom)).code.is_none());
        }
    }
    while kills < KILLS {
        let doom = Some(doom(&mut random));
        let ended = match random.below(4) {
            0 => world.go_on_to_step(1 + random.below(150), None, doom),
            _ => world.go_on(doom),
        };
        if ended.code.is_some() {
            panic!("it ended before its doom: {}", ended.stderr);
        }
        kills += 1;
        world.is_booked();
    }
    let ended = world.go_on(None);
    let unknown = world.is_done();
    assert_eq!(ended.code, Some(if unknown > 0 { 3 } else { 0 }), "{}", ended.stderr);
    kills
}

/// The steps of a ledger.
const STEPS: [&str; 13] = [
    "Founding", "Founded", "Planning", "Planned", "Marking", "Marked", "Writing", "Written", "Told",
    "Folding", "Folded", "Closing", "Closed",
];

/// A run of a few changes, two of them in trouble, is killed at its first step of each kind, another at its
/// second, and so on, until there are no more; and the process that carries on, at a step of its own.
#[test]
fn a_process_may_die_at_every_step_of_the_ledger() {
    let mut cases: Vec<(&str, &'static str)> = Vec::new();
    for state in ["live", "none"] {
        cases.extend(STEPS.map(|step| (step, state)));
    }
    let deaths = each(&cases, |(step, state)| (1..).take_while(|turn| dies_at(*turn, step, state)).count());
    let told: Vec<_> = cases.iter().zip(&deaths).collect();
    assert!(deaths.iter().all(|deaths| *deaths > 0), "{told:?}");
    assert!(deaths.iter().sum::<usize>() >= 40, "{told:?}");
}

/// Answers whether it died: whether it came that far.
fn dies_at(turn: usize, step: &str, state: &'static str) -> bool {
    let world = World::new(6, state);
    world.service.trouble(id(1), Trouble::Lost);
    world.service.trouble(id(2), Trouble::Unanswered);
    let first = world.go_on_to_step(turn, Some(step), None);
    let died = first.code.is_none();
    if died {
        match ledger::read(&world.home.path("run")) {
            Ok(reader) if reader.phase() != Phase::Planning => world.is_booked(),
            // What isn't planned yet may have no rows yet.
            Ok(_) => {}
            Err(error) => {
                assert!(step == "Founding", "{step} {turn}: {error}");
                world.is_no_run();
            }
        }
        let second = world.go_on_to_step(1 + turn % 13, None, None);
        assert!(matches!(second.code, None | Some(0 | 101)), "{}", second.stderr);
        let last = world.go_on(None);
        let unknown = world.is_done();
        let wanted = if unknown > 0 { 3 } else { 0 };
        assert_eq!(last.code, Some(wanted), "{step} {turn} {state}: {}", last.stderr);
    } else {
        world.is_done();
    }
    died
}

/// A disk that has no room for the ledger, or for a part of it alone. What is left is no run, and as soon as there
/// is room one comes to its end in the same directory.
#[test]
fn a_ledger_that_there_is_no_room_for_is_no_run() {
    let rooms: Vec<u64> = (2..=160).step_by(6).collect();
    let left = each(&rooms, |kib| {
        let world = World::new(3, "live");
        let ended = world.home.start_cramped(*kib, &world.arguments()).wait();
        if ended.code == Some(0) {
            return "all";
        }
        assert_eq!(ended.code, Some(1), "{kib}: {}", ended.stderr);
        assert!(ended.stderr.contains("\nhint: see to space and permissions"), "{kib}: {}", ended.stderr);
        let run = world.home.path("run");
        assert!(!run.join("run.sqlite").exists(), "{kib}: what can't be planned is taken back");
        let left = if run.exists() { "no ledger" } else { "no plan" };
        if left == "no ledger" {
            world.is_no_run();
        }
        assert_eq!(world.go_on(None).code, Some(0), "{kib}");
        assert_eq!(world.is_done(), 0);
        left
    });
    // The more room, the farther it comes.
    let kinds = ["no ledger", "no plan", "all"].map(|kind| left.iter().filter(|left| **left == kind).count());
    let [no_ledger, no_plan, _] = kinds;
    assert!(no_ledger > 8 && left[..no_ledger].iter().all(|left| *left == "no ledger"), "{left:?}");
    assert!(no_plan > 0 && left[no_ledger..][..no_plan].iter().all(|left| *left == "no plan"), "{left:?}");
}

/// Two processes that begin at the same time where there is nothing yet: one has the directory, and the other
/// one is told what anybody is told who comes later.
#[test]
fn one_of_two_that_begin_at_once_has_the_directory() {
    each(&[(); 8], |()| {
        let world = World::new(3, "live");
        // Both say the same, whatever the first has done by the time that the second is started.
        let arguments = world.arguments();
        let both = [(); 2].map(|()| world.home.start(&arguments));
        let [first, second] = both.map(|one| one.wait());
        let (winner, loser) = if first.code == Some(0) { (first, second) } else { (second, first) };
        assert_eq!((winner.code, loser.code), (Some(0), Some(2)), "{} {}", winner.stderr, loser.stderr);
        let told = "error: run holds a run already\nhint: name another directory with --out, or ";
        assert!(loser.stderr.starts_with(told), "{}", loser.stderr);
        assert_eq!(world.is_done(), 0);
    });
}

/// The same, where SQLite's log is taken away from what the first process leaves, and maybe of the second.
#[test]
fn a_log_that_is_lost_leads_to_nothing_done_twice_wherever_the_process_died() {
    let cases: Vec<(&str, &'static str)> =
        STEPS.iter().flat_map(|step| ["live", "none"].map(|state| (*step, state))).collect();
    let deaths =
        each(&cases, |(step, state)| (1..).take_while(|turn| dies_and_loses(*turn, step, state)).count());
    assert!(deaths.iter().all(|deaths| *deaths > 0), "{deaths:?}");
}

/// Answers whether it died: whether it came that far.
fn dies_and_loses(turn: usize, step: &str, state: &'static str) -> bool {
    let mut world = World::new(6, state);
    world.service.trouble(id(1), Trouble::Lost);
    world.service.trouble(id(2), Trouble::Unanswered);
    if world.go_on_to_step(turn, Some(step), None).code.is_some() {
        return false;
    }
    world.take_log();
    let sent = world.service.look(|api| api.asked().iter().any(|asked| asked.method == "PATCH"));
    if sent {
        world.is_booked();
    }
    let second = world.go_on_to_step(3 + turn % 9, None, None);
    assert!(matches!(second.code, None | Some(0 | 3 | 101)), "{}", second.stderr);
    if second.code.is_none() && turn.is_multiple_of(2) {
        world.take_log();
    }
    let last = world.go_on(None);
    let wanted = if world.is_done() > 0 { 3 } else { 0 };
    assert_eq!(last.code, Some(wanted), "{step} {turn} {state}: {}", last.stderr);
    true
}

/// A power cut while the next intent is being written: what the kill left of the log is cut at every place
/// of its last commit, which nobody has been told of, with or without something else behind the cut.
#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let cuts: Vec<(usize, Option<u8>)> =
        (0..=8).flat_map(|part| [None, Some(0), Some(0xA5)].map(|behind| (part, behind))).collect();
    each(&cuts, |(part, behind)| cut_the_power(*part, *behind));
}

/// After so many eighths of the last commit.
fn cut_the_power(part: usize, behind: Option<u8>) {
    let world = World { concurrency: "1", ..World::new(8, "live") };
    let doom = Doom { at_a_look: false, at_page: None, at_change: 5, moment: Moment::Arrived };
    assert_eq!(world.go_on(Some(doom)).code, None);
    let path = world.home.path("run/run.sqlite-wal");
    let log = fs::read(&path).unwrap();
    let commits = commits(&log);
    let [.., before, last] = commits[..] else { panic!("{commits:?}") };
    let end = before + (last - before) * part / 8;
    let mut torn = log[..end].to_vec();
    torn.resize(if behind.is_some() { last } else { end }, behind.unwrap_or(0));
    fs::write(&path, torn).unwrap();
    if end < last {
        // Nobody was told that this intent is on disk, so it was not sent either.
        world.service.look(|api| api.forget_last());
    }
    world.is_booked();
    assert_eq!(world.go_on(None).code, Some(0), "{part} {behind:?}");
    assert_eq!(world.is_done(), 0);
}

/// Where the commits of a log end. The format: <https://www.sqlite.org/fileformat2.html#walformat>.
fn commits(log: &[u8]) -> Vec<usize> {
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap()) as usize;
    let frame = 24 + number(8);
    let ends_a_commit = |at: &usize| number(at + 4) > 0;
    (32..log.len()).step_by(frame).filter(ends_a_commit).map(|at| at + frame).collect()
}

/// A ledger that cannot be carried on with is refused by its name. Nothing is sent, and it stays as it is;
/// what a newer version wrote can be read.
#[test]
fn a_ledger_that_is_not_as_it_should_be_is_refused_by_name() {
    let newer =
        "was written by a newer version of this program: its format is 9, this version knows 2; use the";
    for (harm, wanted, read_with) in [
        ("newer", newer, Some(0)),
        ("torn", "run/run.sqlite is damaged: ", None),
        ("cut off", "run/run.sqlite is damaged: ", None),
        ("text", "run/run.sqlite is damaged: ", Some(1)),
        ("gone", "run holds no run", Some(1)),
        ("empty", "run/run.sqlite is damaged: it is empty", Some(1)),
    ] {
        let world = World::new(400, "live");
        let plan = [world.arguments(), vec!["--plan".to_owned()]].concat();
        world.home.run(&plan).expect(0);
        let path = world.home.path("run/run.sqlite");
        let mut bytes = fs::read(&path).unwrap();
        let middle = (bytes.len() / 2) & !8_191;
        match harm {
            // Where SQLite keeps `user_version`, and with it who wrote last.
            "newer" => bytes[60..64].copy_from_slice(&9_u32.to_be_bytes()),
            "torn" => bytes[middle..middle + 8_192].fill(0xA5),
            "cut off" => bytes.truncate(middle),
            "empty" => bytes.clear(),
            _ => bytes = "this is a text, and not a short one".repeat(100).into_bytes(),
        }
        let resume = world.arguments();
        if harm == "gone" {
            fs::remove_file(&path).unwrap()
        } else {
            fs::write(&path, &bytes).unwrap()
        }
        let ended = world.home.run(&resume).expect(1);
        assert!(ended.stderr.contains(wanted), "{harm}: {}", ended.stderr);
        if let Some(code) = read_with {
            let reported = world.home.run(&["report", "run"]).expect(code);
            let note = "note: a newer version of this program wrote this run";
            assert_eq!(reported.stderr.contains(note), harm == "newer", "{harm}: {}", reported.stderr);
        }
        assert_eq!(fs::read(&path).ok(), (harm != "gone").then_some(bytes), "{harm}");
        world.service.look(|api| assert!(api.asked().iter().all(|asked| asked.method == "GET"), "{harm}"));
    }
}

/// One byte that changed within the value of an operation, in a file that is sound to SQLite. Nothing is sent, and
/// no report is written over.
#[test]
fn a_byte_that_changed_in_a_plan_is_refused_by_name() {
    let world = World::new(3, "live");
    world.home.run(&[world.arguments(), vec!["--plan".to_owned()]].concat()).expect(0);
    let path = world.home.path("run/run.sqlite");
    let mut bytes = fs::read(&path).unwrap();
    let value = b"\"path\":\"/details/notes\",\"value\":\"Ours\"";
    let at = bytes.windows(value.len()).position(|window| window == value).unwrap();
    let resume = world.arguments();
    bytes[at + value.len() - 2] = b'Z';
    fs::write(&path, &bytes).unwrap();
    let reports =
        || ["plan.jsonl", "summary.json"].map(|file| fs::read(world.home.path("run").join(file)).unwrap());
    let before = reports();
    let told = "error: run/run.sqlite is damaged: item 2 is not as it was written\n\
                hint: nothing more is sent from it: put the run's directory back from a copy, or plan the same \
                input again with another --out, which finds unchanged what was written already\n";
    assert_eq!(world.home.run(&["report", "run"]).expect(1).stderr, told);
    assert_eq!(world.home.run(&resume).expect(1).stderr, told);
    assert!(reports() == before && fs::read(&path).unwrap() == bytes, "something was written");
    world.service.look(|api| assert!(api.asked().iter().all(|asked| asked.method == "GET")));
}

/// Whoever changes a file before carrying on believes that the change counts. It is refused by its hash,
/// until the file is as it was or out of the way.
#[test]
fn a_run_is_not_carried_on_with_from_an_input_that_changed() {
    for begun in [false, true] {
        // One request at a time, so that none of a process that died arrives after its end.
        let world = World { concurrency: "1", ..World::new(20, "live") };
        let path = world.home.path("changes.jsonl");
        let rows = fs::read_to_string(&path).unwrap();
        if begun {
            let doom = Doom { at_a_look: false, at_page: None, at_change: 5, moment: Moment::CarriedOut };
            assert_eq!(world.go_on(Some(doom)).code, None);
        } else {
            world.home.run(&[world.arguments(), vec!["--plan".to_owned()]].concat()).expect(0);
        }
        let asked = world.service.look(|api| api.asked().len());
        fs::write(&path, rows.replace("Closed", "Active")).unwrap();
        let refused = world.home.run(&world.arguments()).expect(1);
        let wanted =
            "error: changes.jsonl is not what it was when the run was planned\nhint: nothing was sent";
        assert!(refused.stderr.contains(wanted), "{}", refused.stderr);
        assert_eq!(world.service.look(|api| api.asked().len()), asked, "nothing is even asked for");
        if begun {
            fs::write(&path, rows).unwrap()
        } else {
            fs::remove_file(&path).unwrap()
        }
        world.home.run(&world.arguments()).expect(0);
        assert_eq!(world.is_done(), 0);
    }
}

/// Is started by [`World::go_on_to_step`]; by itself, there is nothing for it to do.
#[test]
#[ignore = "a process that the others start, and that dies"]
fn a_process_that_dies() -> ExitCode {
    /// How many are left of the kind; of all kinds where there is none.
    static LEFT: AtomicUsize = AtomicUsize::new(0);
    static KIND: OnceLock<Option<String>> = OnceLock::new();
    fn die_at_last(step: ledger::CrashPoint) {
        let counts = KIND.wait().as_ref().is_none_or(|kind| *kind == format!("{step:?}"));
        if counts && LEFT.fetch_sub(1, Ordering::SeqCst) == 1 {
            kill(Pid::this(), Signal::SIGKILL).unwrap();
        }
    }
    let Ok(process) = fs::read_to_string("process.json") else { return ExitCode::SUCCESS };
    let process: Value = serde_json::from_str(&process).unwrap();
    LEFT.store(process["turn"].as_u64().unwrap().try_into().unwrap(), Ordering::SeqCst);
    KIND.set(process["of"].as_str().map(ToOwned::to_owned)).unwrap();
    let typed = process["arguments"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().into());
    referral_bulk::run(Process {
        arguments: std::iter::once("referral-bulk".into()).chain(typed).collect(),
        variables: BTreeMap::from([("PARTNER_CENTER_TOKEN".to_owned(), TOKEN.to_owned())]),
        directory: ".".into(),
        stdin: Box::new(std::io::empty()),
        stdout: Box::new(std::io::stdout()),
        stderr: Box::new(std::io::stderr()),
        person: None,
        terminal: false,
        clock: || Timestamp::UNIX_EPOCH,
        new_id: uuid::Uuid::new_v4,
        user: Some(rustix::process::geteuid().as_raw()),
        watch: Some(die_at_last),
    })
}
