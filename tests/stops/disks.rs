//! Disks that fill up, and directories that are gone or read-only.

use std::fs;

use serde_json::{Value, json};

use super::World;

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
                             plan.csv, report.html, summary.json (what is there by that name is of an earlier time); see to space and \
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
