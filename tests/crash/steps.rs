//! Processes that die at a step of the ledger.

use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use referral_bulk::domain::account::Phase;
use referral_bulk::{Process, ledger};
use serde_json::Value;

use super::{World, awaited};
use crate::support::program::TOKEN;
use crate::support::raw::deadly::{Doom, Moment, Trouble};
use crate::support::referrals::id;
use crate::support::waiting::each;

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
        match awaited(ledger::read(&world.home.path("run"))) {
            Ok(reader) if reader.header().phase != Phase::Planning => world.is_booked(),
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
    let rooms: Vec<u64> = (2..=250).step_by(6).collect();
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

/// Is started by [`crate::World::go_on_to_step`]; by itself, there is nothing for it to do.
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
        pages: false,
        clock: || Timestamp::UNIX_EPOCH,
        new_id: uuid::Uuid::new_v4,
        user: Some(rustix::process::geteuid().as_raw()),
        watch: Some(die_at_last),
    })
}
