//! Signals and times that end a run, while it plans and while it sends.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{World, names_resume};
use crate::support::program::{Ended, through};
use crate::support::random::Random;
use crate::support::waiting::until;

#[test]
fn the_first_signal_stops_in_good_order() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let world = World::new(40, &[]);
        world.tap.let_patches_through(4);
        let sending = world.apply(&["--rate", "100000/s"]);
        world.tap.has_seen_patches(8);
        sending.signal(signal);
        sending.says("stopping:");
        world.tap.release();
        let ended = sending.wait().expect(4);
        assert!(ended.stderr.contains("stopping: requests in flight are awaited"), "{}", ended.stderr);
        assert!(ended.stderr.contains("stopped: interrupted"), "{}", ended.stderr);
        names_resume(&ended);
        let (applied, unknown) = world.is_booked();
        assert_eq!(world.tap.count("PATCH"), 8, "nothing is begun after the signal");
        assert_eq!((applied, unknown), (8, 0), "what was in flight is awaited");
        let run = world.home.run_of("run");
        assert_eq!(run.summary()["state"], "stopped");
        let log = fs::read_to_string(world.home.path("run/run.log")).unwrap();
        assert!(log.contains(r#"stopped reason="interrupted""#), "{log}");
        assert_eq!(run.count("/rows/unsent"), 40 - applied);
        assert_eq!(run.lines("pending.jsonl").len() as u64, 40 - applied);
        world.resume_to_the_end();
        assert_eq!(world.tap.count("PATCH"), 40, "none was sent twice");
    }
}

/// What a server says that asks for more than the ten minutes that are granted.
const LONG_PAUSE: &str = "warning: the server asks for a longer pause than 600 s";

#[test]
fn a_signal_ends_a_pause_of_minutes() {
    let world = World::new(12, &["patch#3=429:3600"]);
    let sending = world.apply(&["--rate", "100000/s"]);
    sending.says(LONG_PAUSE);
    sending.signal(Signal::SIGINT);
    // Whoever sat the pause out would be waited for in vain.
    let ended = sending.wait().expect(4);
    assert!(ended.stderr.contains("stopped: interrupted"), "{}", ended.stderr);
    names_resume(&ended);
    let (applied, unknown) = world.is_booked();
    let sent = world.tap.count("PATCH") as u64;
    assert_eq!((applied, unknown), (sent - 1, 0), "all but the throttled one are applied");
    assert_eq!(world.home.run_of("run").count("/requests/throttled"), 1);
    world.resume_to_the_end();
    assert_eq!(world.tap.count("PATCH"), 13, "the throttled one twice");
}

/// Reading back waits for the pause as well. It is left to `resume`.
#[test]
fn a_signal_leaves_in_doubt_what_a_pause_keeps_from_being_settled() {
    let world = World::new(2, &["patch#1=429:3600", "patch#2=500+applied"]);
    world.tap.let_patches_through(0);
    let sending = world.apply(&["--rate", "100000/s"]);
    // Both are on their way before the first is answered: once the pause has begun nothing leaves.
    world.tap.has_seen_patches(2);
    world.tap.let_patches_through(1);
    sending.says(LONG_PAUSE);
    let reads = world.tap.count("GET");
    world.tap.release();
    world.tap.all_answered();
    sending.signal(Signal::SIGTERM);
    let ended = sending.wait().expect(4);
    names_resume(&ended);
    assert_eq!(world.home.run_of("run").outcomes(), "1 unknown, 1 unsent");
    assert_eq!(world.tap.count("GET"), reads, "nothing gets through a pause");
    world.resume_to_the_end();
    assert_eq!(world.tap.count("GET"), reads + 1);
    assert_eq!(world.tap.count("PATCH"), 3, "the throttled one twice, the one in doubt once");
}

#[test]
fn a_signal_ends_a_pause_while_planning() {
    let world = World::new(3, &["list=429:3600"]);
    let planning = world.apply(&[]);
    planning.says(LONG_PAUSE);
    planning.signal(Signal::SIGINT);
    planning.wait().expect(4);
    assert_eq!(world.home.run_of("run").outcomes(), "3 unsent");
    assert_eq!((world.tap.count("GET"), world.tap.count("PATCH")), (1, 0));
}

/// Whatever it is in the middle of when the time has come, be it before its first request.
#[test]
fn a_time_that_comes_ends_what_cannot_be_done_by_then() {
    for (rate, fault) in [("1/s", "patch#99=500"), ("100000/s", "patch#*=429:3600")] {
        let world = World::new(40, &[fault]);
        // However long that takes, the time comes while it is sent, or has come when that begins.
        world.apply(&["--plan", "--rate", "100000/s"]).wait().expect(0);
        let soon = Timestamp::try_from(SystemTime::now() + Duration::from_secs(4)).unwrap();
        let sending = world.resume(&["--rate", rate, "--finish-by", &soon.to_string()]);
        let ended = sending.wait().expect(4);
        let told = format!("stopped: the time set by --finish-by has come: {soon}");
        assert!(ended.stderr.contains(&told), "{fault}: {}", ended.stderr);
        names_resume(&ended);
        let (applied, unknown) = world.is_booked();
        assert!(applied < 40 && unknown == 0, "{fault}: {applied} applied, {unknown} unknown");
        assert_eq!(world.home.run_of("run").count("/rows/unsent"), 40 - applied);
    }
}

/// What standard output says is what stands in the run.
fn tells_the_summary(world: &World, ended: &Ended) {
    assert_eq!(ended.stdout, world.home.run_of("run").text("summary.json"));
}

#[test]
fn the_second_signal_leaves_without_waiting_and_with_reports() {
    for (first, second) in [(Signal::SIGINT, Signal::SIGINT), (Signal::SIGTERM, Signal::SIGINT)] {
        let world = World::new(12, &[]);
        world.tap.let_patches_through(3);
        let mut sending = world.apply(&["--rate", "100000/s", "--summary", "json"]);
        // Three are answered, and four are in flight.
        world.tap.has_seen_patches(7);
        sending.signal(first);
        sending.says("stopping:");
        assert!(sending.is_running(), "it waits for what is in flight");
        sending.signal(second);
        let ended = sending.wait().expect(4);
        assert!(ended.stderr.contains("leaving: requests in flight are not awaited"), "{}", ended.stderr);
        assert!(ended.stderr.contains("stopped: interrupted"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("at once"), "{}", ended.stderr);
        names_resume(&ended);
        tells_the_summary(&world, &ended);
        assert_eq!(world.is_booked(), (3, 4));
        let run = world.home.run_of("run");
        assert_eq!(run.outcomes(), "3 applied, 4 unknown, 5 unsent");
        assert_eq!(run.lines("pending.jsonl").len(), 9);
        // A crash would have left the same ledger behind.
        let before = run.lines("outcomes.jsonl");
        world.home.run(&["report", "run"]).expect(4);
        assert_eq!(run.lines("outcomes.jsonl"), before);

        // What was in flight arrives when nobody is there any more.
        world.tap.release();
        world.tap.all_answered();
        world.resume_to_the_end();
        assert_eq!(world.tap.count("PATCH"), 12, "none was sent twice");
    }
}

#[test]
fn the_second_signal_leaves_a_plan_without_waiting() {
    let world = World::new(3, &[]);
    world.tap.hold(&["GET"]);
    let planning = world.apply(&["--rate", "100000/s", "--summary", "json"]);
    until("the first page is asked for", || (world.tap.count("GET") > 0).then_some(()));
    planning.signal(Signal::SIGINT);
    planning.says("stopping:");
    planning.signal(Signal::SIGINT);
    let ended = planning.wait().expect(4);
    assert!(ended.stderr.contains("stopped: interrupted"), "{}", ended.stderr);
    let next = "next: referral-bulk resume run --rate 100000/s --timeout 10m";
    assert_eq!(ended.last_line(), next, "{}", ended.stderr);
    tells_the_summary(&world, &ended);
    let run = world.home.run_of("run");
    assert_eq!(run.outcomes(), "3 unsent");
    assert_eq!(run.summary()["plan_sha256"], Value::Null);
    world.tap.release();
    world.resume_to_the_end();
    assert_eq!(world.tap.count("PATCH"), 3);
}

/// Nothing ends the wait for somebody who writes into a pipe.
#[test]
fn the_third_signal_leaves_whatever_keeps_the_process() {
    let world = World::new(3, &[]);
    let changes = world.home.path("changes.jsonl");
    let rows = fs::read_to_string(&changes).unwrap();
    fs::remove_file(&changes).unwrap();
    assert!(Command::new("mkfifo").arg(&changes).status().unwrap().success());
    let reading = world.apply(&["--rate", "100000/s", "--summary", "json"]);
    // It is opened once the other side is.
    let _writer = File::options().write(true).open(&changes).unwrap();
    for said in ["stopping:", "leaving: requests"] {
        reading.signal(Signal::SIGINT);
        reading.says(said);
    }
    reading.signal(Signal::SIGTERM);
    let ended = reading.wait().expect(4);
    assert!(ended.stderr.contains("leaving at once:"), "{}", ended.stderr);
    let next = "next: referral-bulk resume run --rate 100000/s --timeout 10m";
    assert_eq!(ended.last_line(), next, "{}", ended.stderr);
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (&told["state"], &told["exit_code"], &told["run"]),
        (&json!("stopped"), &json!(4), &json!("run"))
    );
    fs::remove_file(&changes).unwrap();
    fs::write(&changes, rows).unwrap();
    world.resume_to_the_end();
}

/// A pipe of this name that is full, as where its reader has stopped to read. It stays so as long as what is
/// answered lives.
fn full_pipe(path: &Path) -> File {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    // Whoever opens both ends waits for nobody.
    let both_ends = File::options().read(true).write(true).open(path).unwrap();
    let (mut filled, pages) = (both_ends.try_clone().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&pages);
    thread::spawn(move || {
        while filled.write_all(&[b' '; 4096]).is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut before = 0;
    until("a full pipe", || {
        let now = pages.load(Ordering::Relaxed);
        (std::mem::replace(&mut before, now) == now && now > 0).then_some(())
    });
    both_ends
}

/// The reports are there by then.
#[test]
fn the_third_signal_leaves_where_nobody_reads_the_summary() {
    let world = World::new(12, &[]);
    let _full = full_pipe(&world.home.path("summary"));
    world.tap.let_patches_through(3);
    let mut command = through("sh", &["-c", "exec \"$0\" \"$@\" > summary"]);
    command.args(["apply", "changes.jsonl", "--out", "run"]);
    command.args(world.arguments(&[], &["--rate", "100000/s", "--summary", "json"]));
    let sending = world.home.start_command(command);
    world.tap.has_seen_patches(7);
    sending.signal(Signal::SIGINT);
    sending.says("stopping:");
    world.tap.release();
    sending.says("stopped: interrupted");
    sending.signal(Signal::SIGINT);
    sending.says("leaving: requests");
    sending.signal(Signal::SIGINT);
    let ended = sending.wait().expect(4);
    assert!(ended.stderr.contains("leaving at once:"), "{}", ended.stderr);
    names_resume(&ended);
    assert_eq!(world.is_booked(), (7, 0));
    world.resume_to_the_end();
}

#[test]
fn kills_at_any_time_lose_nothing_and_repeat_nothing() {
    const COUNT: usize = 200;
    // Every change takes effect a little later, often after the process that sent it is gone.
    let world = World::new(COUNT, &["patch#*=slow:12"]);
    world.apply(&["--plan", "--rate", "100000/s"]).wait().expect(0);
    let mut random = Random(20_260_331);
    let mut kills = 0;
    while kills < 10 {
        let mut sending = world.resume(&["--rate", "100000/s", "--concurrency", "6"]);
        let target = world.tap.count("PATCH") + 1 + random.below(24);
        // However slow this process is, the other one does not get much further. What is held back
        // arrives when a later process is at work on the same referrals.
        world.tap.let_patches_through(target + 3);
        until("PATCHes, or the end", || {
            (world.tap.count("PATCH") >= target || !sending.is_running()).then_some(())
        });
        std::thread::sleep(Duration::from_micros(random.below(15_000) as u64));
        if !sending.is_running() {
            break;
        }
        sending.signal(Signal::SIGKILL);
        assert_eq!(sending.wait().code, None);
        kills += 1;
        world.home.run(&["report", "run", "--summary", "none"]).expect(4);
        // What was on the wire may still arrive; afterwards the books must explain it.
        world.tap.all_answered();
        world.is_booked();
    }
    assert!(kills >= 5, "killed only {kills} times");
    world.tap.release();
    world.resume_to_the_end();
    world.tap.all_answered();
    world.is_done();
    let patches = world.tap.count("PATCH") as u64;
    assert!(patches >= COUNT as u64);
    // A kill can come between the intent and the request.
    let attempts = world.home.run_of("run").count("/requests/patch");
    assert!((patches..=patches + 6 * kills).contains(&attempts), "{attempts} on record, {patches} sent");
}
