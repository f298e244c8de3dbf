//! One process at a time, and copies of a run at work.

use std::fs;
use std::process::Command;

use nix::sys::signal::Signal;

use super::World;

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
