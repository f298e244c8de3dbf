//! A run over every outcome against a sandbox in another process, compared with a model of what a row
//! means that shares nothing with the program: rows, reports, counts, requests, and every referral.

mod classes;
mod lives;
mod model;

use std::collections::BTreeMap;
use std::rc::Rc;

use classes::{CLASSES, COLUMNS, Cells, Class, End};
use lives::lives_are_as_seen;
use model::{
    closes, outcomes_are_as_modelled, referrals_are_as_modelled, reports_are_as_modelled,
    summary_is_as_modelled,
};
use serde_json::{Map, Value, json};

use crate::support::place::Place;
use crate::support::random::Random;
use crate::support::referrals::{id, referral};
use crate::support::sandbox::Sandbox;
use crate::support::schemas;
use crate::support::tap::Tap;

/// A row of the file, and what is to become of it.
struct Row {
    number: usize,
    class: &'static Class,
    cells: BTreeMap<&'static str, String>,
    wanted: &'static str,
}

#[test]
fn three_hundred_rows_over_every_outcome() {
    let (seed, rows) = world();
    assert_eq!(rows.len(), 300);
    let home = Place::new();
    home.write("changes.csv", csv(&rows));
    let faults = numbered().flat_map(|(number, class)| {
        class.faults.iter().flat_map(move |fault| ["--fault".to_owned(), about(fault, number)])
    });
    let service = Sandbox::seeded(&home, &seed, &faults.collect::<Vec<_>>());
    let tap = Tap::on(&service);
    let closing = numbered().filter(|(number, class)| class.patches > 0 && closes(*number, class)).count();
    let (closing, endpoint) = (closing.to_string(), tap.endpoint());
    home.run(&[
        "apply",
        "changes.csv",
        "--out",
        "run",
        "--endpoint",
        &endpoint,
        "--yes",
        "--confirm-closing",
        &closing,
        "--rule",
        "transition=warn",
        "--rate",
        "100000/s",
        "--concurrency",
        "64",
        "--timeout",
        "10s",
        "--progress",
        "none",
    ])
    .expect(3);

    let (run, seen, after) = (home.run_of("run"), tap.seen(), service.referrals());
    referrals_are_as_modelled(&seed, &after, &seen);
    outcomes_are_as_modelled(&run, &rows, &seen);
    reports_are_as_modelled(&run, &rows, &after);
    summary_is_as_modelled(&run, &rows, &seen, seed.len());
    schemas::check_run(run.path());
    lives_are_as_seen(&home, &run, &rows, &seen);
}

fn numbered() -> impl Iterator<Item = (usize, &'static Class)> {
    CLASSES.iter().flat_map(|class| std::iter::repeat_n(class, class.count)).enumerate()
}

/// The referrals and the rows, each in an order that has nothing to do with the other's.
fn world() -> (Vec<Value>, Vec<Row>) {
    let mut seed: Vec<Value> = numbered()
        .filter(|(_, class)| class.end != End::Nowhere)
        .map(|(number, class)| seeded(number, class))
        .collect();
    let mut rows: Vec<Row> = numbered()
        .flat_map(|(number, class)| {
            class.rows.iter().enumerate().map(move |(at, cells)| Row {
                number,
                class,
                cells: filled(number, cells),
                wanted: class.wanted.get(at).unwrap_or(&class.wanted[0]),
            })
        })
        .collect();
    Random(1).shuffle(&mut seed);
    Random(2).shuffle(&mut rows);
    (seed, rows)
}

fn seeded(number: usize, class: &Class) -> Value {
    let mut seeded = referral(number, class.stands.0, class.stands.1);
    let members = seeded.as_object_mut().unwrap();
    for (name, value) in class.with {
        match *value {
            "-" => drop(members.remove(*name)),
            text => drop(members.insert((*name).to_owned(), serde_json::from_str(text).unwrap())),
        }
    }
    seeded
}

fn filled(number: usize, cells: Cells) -> BTreeMap<&'static str, String> {
    let (n, value) = (number.to_string(), (1000 + number).to_string());
    let mut filled = BTreeMap::from([("id", id(number))]);
    filled
        .extend(cells.iter().map(|(name, text)| (*name, text.replace("{n}", &n).replace("{value}", &value))));
    filled
}

fn csv(rows: &[Row]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).unwrap();
    for row in rows {
        let cell = |name| row.cells.get(name).map_or("", String::as_str);
        writer.write_record(COLUMNS.map(cell)).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// A fault that meets one referral alone: `patch#2=500` becomes `patch@ID#2=500`.
fn about(fault: &str, number: usize) -> String {
    let at = fault.find(['#', '=']).unwrap();
    format!("{}@{}{}", &fault[..at], id(number), &fault[at..])
}

/// The model: what a row means for a referral.
fn apply(referral: &mut Value, cells: &BTreeMap<&str, String>) {
    for (name, text) in cells {
        match *name {
            "status" => {
                referral["status"] = text.as_str().into();
                if text == "Active" {
                    referral["substatus"] = "Accepted".into();
                }
            }
            "substatus" => {
                referral["substatus"] = text.as_str().into();
                let closed = ["Won", "Lost", "Declined", "Expired"].contains(&text.as_str());
                referral["status"] = if closed { "Closed" } else { "New" }.into();
            }
            "statusReason" | "salesStage" => referral[*name] = text.as_str().into(),
            "dealValue" => details(referral)[*name] = serde_json::from_str(text).unwrap(),
            "currency" => details(referral)[*name] = text.as_str().into(),
            "closingDateTime" => details(referral)[*name] = text.replace('Z', ".0000000Z").into(),
            "details.notes" => details(referral)["notes"] = text.as_str().into(),
            "team.add" => text.split(';').for_each(|member| join(referral, member)),
            _ => {}
        }
    }
}

fn details(referral: &mut Value) -> &mut Value {
    let details = &mut referral["details"];
    if details.is_null() {
        *details = json!({});
    }
    details
}

fn join(referral: &mut Value, member: &str) {
    let parts: Vec<&str> = member.split(',').map(str::trim).collect();
    let mut joining = Map::new();
    for (name, part) in ["firstName", "lastName", "phoneNumber", "email"].into_iter().zip(&parts) {
        if !part.is_empty() {
            joining.insert(name.to_owned(), (*part).into());
        }
    }
    let team = &mut referral["team"];
    if team.is_null() {
        *team = json!([]);
    }
    let team = team.as_array_mut().unwrap();
    if !team.iter().any(|other| other["email"].as_str().unwrap().eq_ignore_ascii_case(parts[3])) {
        team.push(joining.into());
    }
}

/// `--max-errors` ends a run, and what was not sent by then is on record for `resume`.
#[test]
fn what_was_not_sent_is_carried_out_later() {
    let (home, service) = begin(30, &[4, 8, 11]);
    let endpoint = &service.base;
    let ended = home
        .run(&[
            "apply",
            "changes.csv",
            "--out",
            "run",
            "--endpoint",
            endpoint,
            "--yes",
            "--rate",
            "100000/s",
            "--concurrency",
            "1",
            "--max-errors",
            "3",
        ])
        .expect(4);
    assert!(
        ended.stderr.contains("stopped: 3 rows were refused, failed or taken in part"),
        "{}",
        ended.stderr
    );
    let run = home.run_of("run");
    assert_eq!(run.outcomes(), "9 applied, 3 refused, 18 unsent");
    assert_eq!(run.summary()["state"], "stopped");
    let ids: Vec<String> = run.records("pending.csv").iter().map(|record| record["id"].clone()).collect();
    assert_eq!(ids, (12..30).map(id).collect::<Vec<_>>());
    let untouched = service.referrals().values().filter(|after| after["salesStage"].is_null()).count();
    assert_eq!(untouched, 21);

    let ended = home.run(&["resume", "run", "--endpoint", endpoint, "--yes", "--rate", "100000/s"]).expect(3);
    assert_eq!(run.outcomes(), "27 applied, 3 refused");
    assert_eq!(run.summary()["state"], "finished");
    assert!(!run.has("pending.csv"), "nothing is pending any more");
    assert!(ended.last_line().contains("error.csv"), "{}", ended.stderr);
}

/// A run whose very last row is one error too many has nothing left to resume: it is finished.
#[test]
fn the_last_error_of_a_run_does_not_stop_it() {
    for _ in 0..8 {
        let (home, service) = begin(1, &[0]);
        home.run(&[
            "apply",
            "changes.csv",
            "--out",
            "run",
            "--endpoint",
            &service.base,
            "--yes",
            "--max-errors",
            "1",
        ])
        .expect(3);
        assert_eq!(home.run_of("run").summary()["state"], "finished");
    }
}

/// So many referrals and a row for each, some of which the service refuses.
fn begin(count: usize, refused: &[usize]) -> (Rc<Place>, Sandbox) {
    let home = Place::new();
    let seed: Vec<Value> = (0..count).map(|number| referral(number, "Active", "Accepted")).collect();
    let lines: String = (0..count).map(|number| format!("{},Develop\n", id(number))).collect();
    home.write("changes.csv", format!("id,salesStage\n{lines}"));
    let faults = refused.iter().flat_map(|number| ["--fault".to_owned(), about("patch=403", *number)]);
    let service = Sandbox::seeded(&home, &seed, &faults.collect::<Vec<_>>());
    (home, service)
}
