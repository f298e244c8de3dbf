//! Ledgers and inputs that are not as they should be.

use std::fs;

use rusqlite::Connection;

use super::World;
use crate::support::raw::deadly::{Doom, Moment};

/// A ledger that cannot be carried on with is refused by its name. Nothing is sent, and it stays as it is;
/// what a newer version wrote can be read.
#[test]
fn a_ledger_that_is_not_as_it_should_be_is_refused_by_name() {
    let newer =
        "was written by a newer version of this program: its format is 9, this version knows 6; use the";
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

/// Of a large run that stopped, most is checked while it is sent. What is damaged there stops it, and it is not finished
/// before it is as it was; nothing is then sent twice.
#[test]
fn what_is_damaged_in_a_large_run_stops_it() {
    // One request at a time, so that none of a process that died arrives after its end.
    let world = World { concurrency: "1", ..World::new(60, "live") };
    world.home.run(&[world.arguments(), vec!["--plan".to_owned()]].concat()).expect(0);
    let path = world.home.path("run/run.sqlite");
    // What is no longer needed leaves its room in the file.
    let large = "CREATE TABLE large AS SELECT zeroblob(70000000) AS room; DROP TABLE large";
    Connection::open(&path).unwrap().execute_batch(large).unwrap();
    let doom = Doom { at_a_look: false, at_page: None, at_change: 5, moment: Moment::CarriedOut };
    assert_eq!(world.go_on(Some(doom)).code, None);
    let resume = world.arguments();
    let rows = fs::read_to_string(world.home.path("changes.jsonl")).unwrap();
    let row = rows.lines().nth(6).unwrap().as_bytes();
    let bytes = fs::read(&path).unwrap();
    // Where it is no longer needed it may stand, too.
    let places: Vec<usize> =
        bytes.windows(row.len()).enumerate().filter(|(_, window)| *window == row).map(|(at, _)| at).collect();
    let flip = || {
        let mut bytes = fs::read(&path).unwrap();
        places.iter().for_each(|at| bytes[at + row.len() / 2] ^= 1);
        fs::write(&path, bytes).unwrap();
    };
    flip();
    let ended = world.home.run(&resume).expect(4);
    let told = "run/run.sqlite is damaged: row 7 is not as it was written";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    flip();
    world.home.run(&resume).expect(0);
    assert_eq!(world.is_done(), 0);
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
