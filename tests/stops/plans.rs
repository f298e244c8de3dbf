//! Plans that were interrupted, and are made again.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{World, row};
use crate::support::program::{Ended, through};
use crate::support::waiting::until;

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
