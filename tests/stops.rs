//! Runs that end early: signals, kills, a second process, a disk that fills up, a directory that is
//! gone, a line that is cut. Whatever it is, the books balance, `resume` carries on, and every change is
//! made exactly once: the referrals end at the very versions that an undisturbed run leads to.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::place::Place;
use support::program::{Ended, Started, through};
use support::random::Random;
use support::referrals::{id, referral};
use support::sandbox::Sandbox;
use support::tap::Tap;
use support::waiting::until;

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

#[test]
fn a_run_is_worked_on_by_one_process() {
    let world = World::new(9, &[]);
    world.tap.let_patches_through(2);
    let first = world.apply(&["--rate", "100000/s"]);
    world.tap.has_seen_patches(3);

    let second = world.resume(&[]).wait().expect(1);
    let busy = "error: the run in run is being worked on by another process; wait for it to end";
    assert!(second.stderr.contains(busy), "{}", second.stderr);
    let second = world.apply(&[]).wait().expect(2);
    assert!(second.stderr.contains("error: run holds a run already"), "{}", second.stderr);
    world.home.run(&["report", "run"]).expect(4);

    world.tap.release();
    first.wait().expect(0);
    world.is_done();
    assert_eq!(world.tap.count("PATCH"), 9);
}

/// A copy of a run's directory as it is, by another program.
fn copy_run(world: &World, to: &str) {
    let run = world.home.path("run");
    assert!(Command::new("cp").arg("-a").arg(run).arg(world.home.path(to)).status().unwrap().success());
}

/// Whatever is sent from a copy the first one never hears of.
#[test]
fn a_copy_of_a_run_at_work_sends_nothing_as_long_as_the_first_is_there() {
    let world = World::new(9, &[]);
    world.tap.let_patches_through(2);
    let first = world.apply(&["--rate", "100000/s"]);
    world.tap.has_seen_patches(3);
    copy_run(&world, "copy");
    let resume = || world.home.start(&world.arguments(&["resume", "copy"], &[])).wait();

    let at_work = resume().expect(1);
    assert!(at_work.stderr.contains("is being worked on by another process"), "{}", at_work.stderr);
    world.tap.release();
    first.wait().expect(0);
    let ended = resume().expect(1);
    assert!(ended.stderr.contains("copy is a copy of the run in "), "{}", ended.stderr);
    assert_eq!(world.tap.count("PATCH"), 9);
    world.is_done();

    // Nobody can tell any more what was sent after the copy was made, so all of it is looked at first.
    fs::rename(world.home.path("run"), world.home.path("away")).unwrap();
    let moved = resume().expect(0);
    assert!(moved.stderr.contains("every change without an outcome may have been made"), "{}", moved.stderr);
    assert_eq!(world.tap.count("PATCH"), 9, "all of it had been made");
    assert_eq!(world.home.run_of("copy").outcomes(), "9 applied");
}

/// Nothing in such a copy tells that there is a first one.
#[test]
fn a_copy_without_its_lock_makes_nothing_twice() {
    let world = World::new(9, &[]);
    world.tap.let_patches_through(2);
    let first = world.apply(&["--rate", "100000/s"]);
    world.tap.has_seen_patches(3);
    copy_run(&world, "copy");
    fs::remove_file(world.home.path("copy/run.lock")).unwrap();
    world.tap.release();
    first.wait().expect(0);
    world.is_done();

    // A look at it makes no lock that would tell otherwise, and neither does a process that is refused.
    world.home.run(&["report", "copy"]).expect(4);
    let refused = world.home.start(&world.arguments(&["resume", "copy"], &["--confirm-closing", "7"])).wait();
    refused.expect(2);
    let resumed = world.home.start(&world.arguments(&["resume", "copy"], &[])).wait().expect(0);
    let warning = "warning: copy is a copy, was moved, or its run.lock was taken away";
    assert!(resumed.stderr.contains(warning), "{}", resumed.stderr);
    assert_eq!(world.tap.count("PATCH"), 9, "all of it had been made");
    assert_eq!(world.home.run_of("copy").outcomes(), "9 applied");
}

/// A plan that was copied is carried out once; one that was moved is another matter.
#[test]
fn a_copy_of_a_plan_is_not_carried_out_beside_it() {
    let world = World::new(3, &[]);
    world.apply(&["--plan", "--rate", "100000/s"]).wait().expect(0);
    copy_run(&world, "copy");
    let resume = |run| world.home.start(&world.arguments(&["resume", run], &["--rate", "100000/s"])).wait();
    let copied = resume("copy").expect(1);
    assert!(copied.stderr.contains("copy is a copy of the run in "), "{}", copied.stderr);
    fs::rename(world.home.path("run"), world.home.path("moved")).unwrap();
    resume("moved").expect(0);
    assert_eq!(world.tap.count("PATCH"), 3);
    assert_eq!(world.home.run_of("moved").outcomes(), "3 applied");
}

/// Under another name the ledger has another log and another lock.
#[test]
fn a_ledger_with_two_names_sends_nothing() {
    let world = World::new(3, &[]);
    world.apply(&["--plan", "--rate", "100000/s"]).wait().expect(0);
    fs::create_dir(world.home.path("linked")).unwrap();
    let other = world.home.path("linked/run.sqlite");
    fs::hard_link(world.home.path("run/run.sqlite"), &other).unwrap();
    for run in ["linked", "run"] {
        let refused = world.home.start(&world.arguments(&["resume", run], &[])).wait().expect(1);
        assert!(refused.stderr.contains("has another name besides (a hard link)"), "{}", refused.stderr);
    }
    assert_eq!(world.tap.count("PATCH"), 0);
    fs::remove_file(other).unwrap();
    world.resume_to_the_end();
}

/// Whoever takes the lock away lets another process in, so the first one sends nothing more.
#[test]
fn a_run_whose_lock_is_taken_away_sends_nothing_more() {
    let world = World::new(30, &[]);
    world.tap.let_patches_through(2);
    let first = world.apply(&["--rate", "100000/s", "--concurrency", "2"]);
    world.tap.has_seen_patches(4);
    fs::remove_file(world.home.path("run/run.lock")).unwrap();
    world.tap.release();
    let stopped = first.wait();
    assert!(stopped.stderr.contains("its run.lock was moved or removed meanwhile"), "{}", stopped.stderr);
    assert_eq!(world.tap.count("PATCH"), 4, "what was in flight alone: {}", stopped.stderr);
    world.resume_to_the_end();
    assert_eq!(world.tap.count("PATCH"), 30);
}

/// A process that is killed leaves no report that says how things stood before it.
#[test]
fn what_told_of_the_plan_is_gone_once_the_run_is_sent() {
    let world = World::new(12, &[]);
    world.apply(&["--plan", "--rate", "100000/s"]).wait().expect(0);
    let run = world.home.run_of("run");
    let reports = ["success.jsonl", "conflict.jsonl", "error.jsonl", "outcomes.jsonl", "summary.json"];
    assert!(reports.iter().all(|report| run.has(report)));
    fs::write(run.path().join("error.jsonl"), "mine\n").unwrap();
    let plan = run.text("plan.jsonl");
    world.tap.let_patches_through(3);
    let sending = world.resume(&["--rate", "100000/s"]);
    world.tap.has_seen_patches(4);
    sending.signal(Signal::SIGKILL);
    assert_eq!(sending.wait().code, None);
    assert!(!reports.iter().any(|report| run.has(report)));
    assert_eq!((run.text("plan.jsonl"), run.text("error.edited-1.jsonl")), (plan, "mine\n".to_owned()));

    world.home.run(&["report", "run", "--summary", "none"]).expect(4);
    world.is_booked();
    world.tap.release();
    world.tap.all_answered();
    world.resume_to_the_end();
}

#[test]
fn a_disk_that_fills_up_stops_the_run() {
    let world = World::new(400, &[]);
    world.apply(&["--plan", "--rate", "100000/s"]).wait().expect(0);
    let run = world.home.run_of("run");
    // Room for what is there, and little more.
    let kib = fs::metadata(run.path().join("run.sqlite")).unwrap().len() / 1024 + 128;
    let resume = world.arguments(&["resume", "run"], &["--rate", "500/s", "--concurrency", "2"]);
    let ended = world.home.start_cramped(kib, &resume).wait().expect(4);
    assert!(ended.stderr.contains("the run's ledger failed, so nothing more was sent"), "{}", ended.stderr);
    assert!(ended.stderr.contains("run.sqlite"), "{}", ended.stderr);
    let next = "then: referral-bulk resume run --rate 500/s --concurrency 2 --timeout 10m\n";
    assert!(ended.stderr.contains(next), "{}", ended.stderr);
    let sent = world.tap.count("PATCH");
    assert!((1..400).contains(&sent), "{sent} sent");

    world.home.run(&["report", "run", "--summary", "none"]).expect(4);
    world.is_booked();
    world.resume_to_the_end();
}

/// Nothing is left to make a summary from, so that what the process knows by itself is told.
#[test]
fn a_directory_that_is_gone_stops_the_run() {
    for form in ["text", "json"] {
        let world = World::new(60, &[]);
        world.tap.let_patches_through(5);
        let sending = world.apply(&["--rate", "100000/s", "--summary", form]);
        world.tap.has_seen_patches(6);
        fs::remove_dir_all(world.home.path("run")).unwrap();
        world.tap.release();
        let ended = sending.wait().expect(4);
        let sent = world.tap.count("PATCH");
        assert!(sent < 20, "{sent} were sent with no record of them");
        let [note, known, error, hint] = ended.stderr.lines().collect::<Vec<_>>()[..] else {
            panic!("{}", ended.stderr)
        };
        // With four in flight the sixth is sent once two are settled; how many more is the scheduler's affair.
        let settled: usize = (2..=sent).find(|count| note.contains(&format!(", {count} applied, "))).unwrap();
        let wanted = format!(
            "note: there is no summary without the ledger; as far as this process knows, it settled {settled} of 60 \
             referrals, {settled} applied, with {sent} PATCH requests"
        );
        assert_eq!(note, wanted);
        let wanted = "hint: put the run's directory back, and this tells the rest: referral-bulk report run; where it \
                      is gone for good, plan the same input again with another --out, which finds unchanged what was \
                      written already";
        assert_eq!(known, wanted);
        assert!(
            error.starts_with("error: the run's ledger failed, so nothing more was sent: run/run.sqlite"),
            "{error}"
        );
        let next = "then: referral-bulk resume run --rate 100000/s --timeout 10m";
        assert!(hint.ends_with(next), "{hint}");
        if form == "text" {
            assert_eq!(ended.stdout, "");
        } else {
            let told: Value = serde_json::from_str(&ended.stdout).unwrap();
            assert_eq!((&told["run"], &told["rows"]["total"]), (&json!("run"), &json!(0)));
        }
    }
}

/// As where a file system disappears, and comes back: what is written meanwhile would be found by nobody.
#[test]
fn a_directory_that_is_moved_away_stops_the_run_until_it_is_back() {
    for is_replaced in [false, true] {
        let world = World::new(60, &[]);
        world.tap.let_patches_through(5);
        let sending = world.apply(&["--rate", "100000/s"]);
        world.tap.has_seen_patches(6);
        let (run, away) = (world.home.path("run"), world.home.path("away"));
        fs::rename(&run, &away).unwrap();
        if is_replaced {
            fs::create_dir(&run).unwrap();
            for file in ["run.sqlite", "run.sqlite-wal", "run.sqlite-shm", "run.lock"] {
                fs::copy(away.join(file), run.join(file)).unwrap();
            }
        }
        world.tap.release();
        let ended = sending.wait().expect(4);
        assert!(ended.stderr.contains("so nothing more was sent"), "{}", ended.stderr);
        assert!(ended.stderr.contains("run/run.sqlite"), "{}", ended.stderr);
        assert!(ended.stderr.contains("moved or removed meanwhile"), "{}", ended.stderr);
        let sent = world.tap.count("PATCH");
        assert!(sent < 20, "{sent} were sent with no record of them");
        world.tap.all_answered();

        if is_replaced {
            fs::remove_dir_all(&run).unwrap();
        }
        fs::rename(&away, &run).unwrap();
        world.home.run(&["report", "run", "--summary", "none"]).expect(4);
        world.is_booked();
        world.resume_to_the_end();
    }
}

/// Nothing is sent from a directory that cannot be written to, and the directory is what is told.
#[test]
fn a_directory_that_is_read_only_stops_the_run_before_it_begins() {
    let world = World::new(6, &[]);
    world.apply(&["--plan", "--rate", "100000/s"]).wait().expect(0);
    let run = world.home.path("run");
    let resume = world.arguments(&["resume", "run"], &["--rate", "100000/s"]);
    let ended = world.home.run_where_read_only(&run, &resume).expect(1);
    assert!(ended.stderr.starts_with("error: run/run."), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("hint: see to space and permissions in the run's directory"),
        "{}",
        ended.stderr
    );
    assert_eq!(world.tap.count("PATCH"), 0);
    world.resume_to_the_end();
}

/// What a run came to can be read wherever it lies. Only what a run that was killed left has to be put in order
/// first, and that takes a copy.
#[test]
fn a_run_in_a_read_only_directory_tells_its_summary() {
    const UNWRITTEN: &str = "hint: not written: success.jsonl, conflict.jsonl, error.jsonl, outcomes.jsonl, plan.jsonl, \
                             summary.json (what is there by that name is of an earlier time); see to space and \
                             permissions in the run's directory, then: ";
    let world = World::new(6, &[]);
    let name = "r ?#%41";
    let run = world.home.path(name);
    let arguments = ["apply", "changes.jsonl", "--plan", "--out", name];
    world.home.run(&world.arguments(&arguments, &["--rate", "100000/s"])).expect(0);
    for (state, code, next) in [("planned", 1, "report"), ("stopped", 4, "resume"), ("finished", 1, "report")]
    {
        let late = ["--finish-by", "2020-01-01T00:00:00Z", "--rate", "100000/s"];
        match state {
            "stopped" => drop(world.home.run(&world.arguments(&["resume", name], &late)).expect(4)),
            "finished" => drop(world.home.run(&world.arguments(&["resume", name], &late[2..])).expect(0)),
            _ => {}
        }
        let pending = if state == "stopped" { "error.jsonl, pending.jsonl, " } else { "error.jsonl, " };
        let unwritten = UNWRITTEN.replace("error.jsonl, ", pending);
        let before = fs::read(run.join("outcomes.jsonl")).unwrap();
        let text = world.home.run_where_read_only(&run, &["report", name]).expect(code);
        assert!(text.stdout.starts_with(&format!("apply {name}: {state}")), "{}", text.stdout);
        let json = world.home.run_where_read_only(&run, &["report", name, "--summary", "json"]).expect(code);
        let told: Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!((&told["state"], &told["rows"]["total"]), (&json!(state), &json!(6)));
        assert_eq!(told["exit_code"], code);
        for ended in [text, json] {
            let [error, hint] = ended.stderr.lines().collect::<Vec<_>>()[..] else {
                panic!("{}", ended.stderr)
            };
            let denied = format!("error: cannot write {name}/success.jsonl: Permission denied (os error 13)");
            assert!(error.starts_with(&denied), "{error}");
            assert_eq!(hint, format!("{unwritten}referral-bulk {next} '{name}'"));
        }
        assert_eq!(fs::read(run.join("outcomes.jsonl")).unwrap(), before);
        assert!(!run.join("run.sqlite-wal").exists());
    }

    fs::write(run.join("run.sqlite-wal"), "what a process left that was killed").unwrap();
    let ended = world.home.run_where_read_only(&run, &["report", name]).expect(1);
    let wanted = "hint: see to space and permissions in the run's directory, or copy it to where you may write, and \
                  report the copy";
    assert_eq!(ended.last_line(), wanted, "{}", ended.stderr);
}

/// A run whose planning is interrupted at its first request.
fn interrupted_while_planned(world: &World, more: &[&str]) -> Ended {
    world.tap.hold(&["GET"]);
    let planning = world.apply(more);
    until("the first page is asked for", || (world.tap.count("GET") > 0).then_some(()));
    planning.signal(Signal::SIGINT);
    planning.says("stopping:");
    world.tap.release();
    let ended = planning.wait().expect(4);
    assert!(ended.stderr.contains("stopped: interrupted"), "{}", ended.stderr);
    let run = world.home.run_of("run");
    assert_eq!(run.outcomes(), format!("{} unsent", world.service.referrals().len()));
    assert_eq!(run.summary()["state"], "stopped");
    assert_eq!(run.summary()["plan_sha256"], Value::Null);
    ended
}

#[test]
fn a_plan_that_was_interrupted_is_made_again_before_it_is_sent() {
    let world = World::new(250, &[]);
    let ended = interrupted_while_planned(&world, &["--rate", "1000/s"]);
    let next = "next: referral-bulk resume run --rate 1000/s --timeout 10m";
    assert_eq!(ended.last_line(), next, "{}", ended.stderr);
    let asked = world.tap.count("GET");
    world.resume_to_the_end();
    assert_eq!(world.tap.count("PATCH"), 250);
    let run = world.home.run_of("run");
    let all = run.count("/requests/get") + run.count("/requests/list");
    assert_eq!(all as usize, world.tap.count("GET"), "what was asked for in vain counts too");
    assert!(all as usize > asked);
}

/// From another directory the inputs are still the ones that the run was begun with.
#[test]
fn a_plan_that_was_interrupted_is_made_again_from_elsewhere() {
    let world = World::new(3, &[]);
    interrupted_while_planned(&world, &["--rate", "1000/s"]);
    world.home.write("elsewhere/changes.jsonl", "another\n");
    let resume = world.arguments(&["resume", "../run"], &["--rate", "1000/s"]);
    world.home.start_inside("elsewhere", &resume).wait().expect(0);
    world.is_done();
}

#[test]
fn a_plan_that_was_interrupted_stays_a_plan() {
    let world = World::new(3, &[]);
    interrupted_while_planned(&world, &["--plan"]);
    world.resume(&[]).wait().expect(0);
    assert_eq!(world.home.run_of("run").outcomes(), "3 planned");
    assert_eq!(world.tap.count("PATCH"), 0);
    world.resume_to_the_end();
}

/// What standard input held is gone with the process, so that whoever has it gives it again.
#[test]
fn a_plan_from_standard_input_that_was_interrupted_is_begun_anew() {
    for (signals, plan) in [(1, ""), (3, ""), (1, " --plan")] {
        let world = World::new(3, &[]);
        let endpoint = world.tap.endpoint();
        let apply = format!("apply - --format jsonl{plan} --reason 'spring cleaning' --endpoint {endpoint}");
        let piped = |command: &str, input: &str| {
            world.home.start_command(through("sh", &["-c", &format!("exec \"$0\" {command} < {input}")]))
        };
        world.tap.hold(&["GET"]);
        let begin = format!("{apply} --out run --rate 100000/s --progress none");
        let pipe = world.home.path("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let (planning, writer) = if signals == 1 {
            let planning = piped(&begin, "changes.jsonl");
            until("the first page is asked for", || (world.tap.count("GET") > 0).then_some(()));
            (planning, None)
        } else {
            // Nothing ends the wait for somebody who writes into a pipe.
            let planning = piped(&begin, "pipe");
            let mut writer = File::options().write(true).open(&pipe).unwrap();
            // More than a pipe holds: once it is taken, the input is being read.
            writer.write_all("\n".repeat(1 << 20).as_bytes()).unwrap();
            (planning, Some(writer))
        };
        for (_, said) in (0..signals).zip(["stopping:", "leaving: requests", "leaving at once:"]) {
            planning.signal(Signal::SIGINT);
            planning.says(said);
        }
        world.tap.release();
        let ended = planning.wait().expect(4);
        drop(writer);
        let anew = "nothing was sent; give standard input the same again: referral-bulk ";
        let next = format!("{anew}{apply} --rate 100000/s");
        assert_eq!(ended.last_line(), format!("next: {next}"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("referral-bulk resume"), "{}", ended.stderr);

        let (what, next_hint) = (
            "error: the run was stopped while it was planned, and standard input cannot be read again",
            next.replace(" --rate 100000/s", ""),
        );
        let ended = world.home.run(&["resume", "run"]).expect(1);
        assert_eq!(ended.stderr, format!("{what}\nhint: {next_hint}\n"));
        let ended = world.home.run(&["report", "run"]).expect(4);
        assert_eq!(ended.last_line(), format!("next: {next_hint}"));
        let ended = piped(&format!("{apply} --out run"), "changes.jsonl").wait().expect(2);
        let taken = "error: run holds a run already\nhint: name another directory with --out\n";
        assert_eq!(ended.stderr, taken);

        // The one that was said does what the first was asked for.
        let typed = next.strip_prefix(anew).unwrap();
        let ended = piped(&format!("{typed} --yes --progress none"), "changes.jsonl").wait().expect(0);
        let wanted = if plan.is_empty() { "finished" } else { "planned, nothing was sent" };
        assert!(ended.stdout.lines().next().unwrap().ends_with(wanted), "{}", ended.stdout);
        assert_eq!(world.tap.count("PATCH"), if plan.is_empty() { 3 } else { 0 });
    }
}

#[test]
fn a_plan_is_not_made_again_from_other_rows() {
    let world = World::new(3, &[]);
    interrupted_while_planned(&world, &[]);
    let path = world.home.path("changes.jsonl");
    let rows = fs::read_to_string(&path).unwrap();
    fs::write(&path, rows.replace("Active", "Closed")).unwrap();
    let ended = world.resume(&[]).wait().expect(1);
    assert!(
        ended.stderr.contains("changes.jsonl is not what it was when the run was begun"),
        "{}",
        ended.stderr
    );
    assert_eq!(world.tap.count("PATCH"), 0);
    fs::write(&path, rows).unwrap();
    world.resume_to_the_end();
}

/// Reading a large input takes long, and nothing of a plan is of use before its end.
#[test]
fn an_interrupt_ends_the_reading_of_an_input() {
    for command in ["apply", "migrate"] {
        let world = World::new(1, &[]);
        let pipe = world.home.path("pipe.jsonl");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let more = ["--out", "run", "--rate", "100000/s"];
        let planning = world.home.start(&world.arguments(&[command, "pipe.jsonl"], &more));
        // Opening it waits for the other end.
        let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
        let mut rows = (0..).map(|number| format!("{}\n", row(number)));
        // As much as is looked at before the first row is read.
        let head: String = rows.by_ref().take(2_000).collect();
        writer.write_all(head.as_bytes()).unwrap();
        planning.signal(Signal::SIGINT);
        planning.says("stopping:");
        // Rows without end: only who reads no more of them comes to an end.
        while writer.write_all(rows.next().unwrap().as_bytes()).is_ok() {}
        let ended = planning.wait().expect(4);
        assert!(ended.stderr.contains("stopped: interrupted"), "{}", ended.stderr);
        let run = world.home.run_of("run");
        assert_eq!((run.outcomes(), &run.summary()["inputs"]), (String::new(), &json!([])));
        assert_eq!(world.tap.count("GET"), 0);

        fs::remove_file(&pipe).unwrap();
        fs::write(&pipe, format!("{}\n", row(0))).unwrap();
        world.resume(&["--rate", "100000/s"]).wait();
        assert_eq!(world.home.run_of("run").count("/rows/total"), 1, "{command}");
    }
}

/// What the inputs were is on record before the first request, and stays so until they are read again.
#[test]
fn a_plan_that_was_killed_is_not_made_again_from_other_rows() {
    let world = World::new(3, &[]);
    world.tap.hold(&["GET"]);
    let planning = world.apply(&[]);
    until("the first page is asked for", || (world.tap.count("GET") > 0).then_some(()));
    planning.signal(Signal::SIGKILL);
    planning.wait();
    let path = world.home.path("changes.jsonl");
    let rows = fs::read_to_string(&path).unwrap();
    fs::write(&path, rows.replace("Active", "Closed")).unwrap();
    for _ in 0..2 {
        let ended = world.resume(&[]).wait().expect(1);
        assert!(ended.stderr.contains("is not what it was when the run was begun"), "{}", ended.stderr);
    }
    assert_eq!(world.tap.count("PATCH"), 0);
    world.tap.release();
    fs::write(&path, rows).unwrap();
    world.resume_to_the_end();
}

#[test]
fn a_line_that_is_cut_leaves_nothing_unknown() {
    let mut world = World::new(30, &[]);
    world.tap.let_patches_through(10);
    let sending = world.apply(&["--rate", "100000/s"]);
    world.tap.has_seen_patches(11);
    world.tap.down();
    let ended = sending.wait().expect(4);
    assert!(ended.stderr.contains("stopped: the service cannot be reached"), "{}", ended.stderr);
    names_resume(&ended);
    world.is_booked();
    world.tap.up();
    world.resume_to_the_end();
}

/// A request arrives after it was read back as lost, the next one is refused for it, and right then the
/// process dies. The refusal tells that the first one arrived.
#[test]
fn a_refusal_that_we_caused_ourselves_is_no_conflict() {
    let world = World::new(1, &[]);
    world.tap.let_patches_through(0);
    let sending = world.apply(&["--rate", "100000/s"]);
    world.tap.has_seen_patches(1);
    world.tap.hang_up_on_patch(1);
    world.tap.has_seen_patches(2);
    world.tap.hold(&["GET"]);
    let reads = world.tap.count("GET");
    world.tap.let_patches_through(1);
    until("the first arrives", || {
        let after = world.service.referrals()[&id(0)].clone();
        (after["eTag"] != seed_etag(&after)).then_some(())
    });
    world.tap.let_patches_through(2);
    until("the refusal is looked into", || (world.tap.count("GET") > reads).then_some(()));
    sending.signal(Signal::SIGKILL);
    sending.wait();
    world.home.run(&["report", "run"]).expect(4);
    assert_eq!(world.home.run_of("run").outcomes(), "1 unknown");
    world.tap.release();
    world.resume_to_the_end();
}
