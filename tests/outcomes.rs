//! A run over every outcome against a sandbox in another process, compared with a model of what a row
//! means that shares nothing with the program: rows, reports, counts, requests, and every referral.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value, json};
use support::place::Place;
use support::random::Random;
use support::referrals::{EDITED, id, referral, timeless};
use support::run_dir::Run;
use support::sandbox::Sandbox;
use support::tap::{Seen, Tap};

const COLUMNS: [&str; 11] = [
    "id",
    "eTag",
    "status",
    "substatus",
    "statusReason",
    "dealValue",
    "currency",
    "closingDateTime",
    "salesStage",
    "details.notes",
    "team.add",
];

/// What a row says, by column; `{n}` is its referral's number.
type Cells = &'static [(&'static str, &'static str)];

/// How a referral ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// As it was.
    Before,
    /// As its rows want it.
    Ours,
    /// As somebody else wrote it.
    Theirs,
    /// There is none.
    Nowhere,
}

/// Referrals that are alike, what rows want of them, and what becomes of that.
struct Class {
    count: usize,
    stands: (&'static str, &'static str),
    /// Members that the referral has instead of the usual ones; `null` for an absent one is `"-"`.
    with: &'static [(&'static str, &'static str)],
    rows: &'static [Cells],
    faults: &'static [&'static str],
    /// `OUTCOME CODE STATUS`, of every row or of each; `-` is no status.
    wanted: &'static [&'static str],
    end: End,
    patches: usize,
    gets: usize,
}

const ACTIVE: (&str, &str) = ("Active", "Accepted");
const RECEIVED: (&str, &str) = ("New", "Received");
const PENDING: (&str, &str) = ("New", "Pending");
const LOST: (&str, &str) = ("Closed", "Lost");

const MEMBER: &str = "Ann, Lee, +49 30 1, ann@example.com";
const NOTES: Cells = &[("details.notes", "Called {n} again; \"yes\", she said – grüß Gott")];

const APPLIED: Class = Class {
    count: 0,
    stands: ACTIVE,
    with: &[],
    rows: &[NOTES],
    faults: &[],
    wanted: &["applied applied 200"],
    end: End::Ours,
    patches: 1,
    gets: 0,
};
const NOT_SENT: Class = Class { end: End::Before, patches: 0, ..APPLIED };
const REFUSED: Class = Class { end: End::Before, ..APPLIED };

const CLASSES: [Class; 41] = [
    Class { count: 42, ..APPLIED },
    Class {
        count: 30,
        rows: &[&[
            ("status", "Closed"),
            ("substatus", "Won"),
            ("dealValue", "125{n}.5"),
            ("currency", "USD"),
            ("closingDateTime", "2031-03-31T00:00:00Z"),
        ]],
        ..APPLIED
    },
    Class { count: 15, rows: &[&[("substatus", "Lost"), ("statusReason", "Lost, on price")]], ..APPLIED },
    Class {
        count: 10,
        stands: RECEIVED,
        rows: &[&[("substatus", "Declined"), ("statusReason", "-5 is no budget")]],
        ..APPLIED
    },
    Class { count: 25, stands: RECEIVED, rows: &[&[("status", "Active")]], ..APPLIED },
    Class { count: 5, stands: PENDING, rows: &[&[("substatus", "Received")]], ..APPLIED },
    Class { count: 5, stands: LOST, ..APPLIED },
    Class { count: 10, rows: &[&[("team.add", MEMBER)]], ..APPLIED },
    Class {
        count: 5,
        rows: &[&[(
            "team.add",
            "Zoë, Ørsted, +1 555 0141, ZOE@partner.example.com; Bo, Ek, , bo@example.org",
        )]],
        ..APPLIED
    },
    Class { count: 5, with: &[("team", "-")], rows: &[&[("team.add", MEMBER)]], gets: 1, ..APPLIED },
    Class { count: 5, with: &[("team", "null")], rows: &[&[("team.add", MEMBER)]], gets: 1, ..APPLIED },
    Class {
        count: 3,
        with: &[("details", "-")],
        rows: &[&[("dealValue", "0.10"), ("details.notes", "New")]],
        gets: 1,
        ..APPLIED
    },
    Class { count: 3, with: &[("details", "null")], gets: 1, ..APPLIED },
    Class { count: 6, rows: &[NOTES, &[("substatus", "Won"), ("salesStage", "Close")]], ..APPLIED },
    Class { count: 8, rows: &[&[("eTag", "\"seed-{n}\""), ("salesStage", "Develop")]], ..APPLIED },
    Class { count: 3, faults: &["patch=500"], patches: 2, gets: 1, ..APPLIED },
    Class { count: 3, faults: &["patch=hang+applied"], gets: 1, ..APPLIED },
    Class { count: 2, faults: &["patch=cut"], patches: 2, gets: 1, ..APPLIED },
    Class { count: 2, faults: &["patch=429:1"], patches: 2, ..APPLIED },
    // Unchanged.
    Class {
        count: 20,
        rows: &[&[("status", "Active"), ("dealValue", "{value}.00"), ("details.notes", "Note {n}")]],
        wanted: &["unchanged unchanged -"],
        ..NOT_SENT
    },
    Class {
        count: 5,
        stands: LOST,
        rows: &[&[("status", "closed"), ("substatus", "Lost")]],
        wanted: &["unchanged unchanged -"],
        ..NOT_SENT
    },
    // Conflict.
    Class {
        count: 10,
        rows: &[&[("eTag", "\"older\""), ("salesStage", "Develop"), ("details.notes", "Ours")]],
        wanted: &["conflict stale-etag -"],
        ..NOT_SENT
    },
    Class {
        count: 10,
        rows: &[&[("salesStage", "Develop"), ("details.notes", "Ours")]],
        faults: &["patch=edited"],
        wanted: &["conflict resourceModified 412"],
        end: End::Theirs,
        gets: 1,
        ..APPLIED
    },
    // Invalid.
    Class { count: 6, rows: &[&[("dealValue", "12,x")]], wanted: &["invalid type -"], ..NOT_SENT },
    Class {
        count: 5,
        rows: &[&[("status", "Active"), ("substatus", "Won")]],
        wanted: &["invalid substatus-pair -"],
        ..NOT_SENT
    },
    Class {
        count: 4,
        rows: &[&[("salesStage", "Develop")], &[("salesStage", "Propose")]],
        wanted: &["invalid contradiction -"],
        ..NOT_SENT
    },
    Class {
        count: 3,
        rows: &[&[("id", "R-{n}"), ("salesStage", "Develop")]],
        wanted: &["invalid id -"],
        ..NOT_SENT
    },
    Class { count: 3, rows: &[&[("currency", "EURO")]], wanted: &["invalid type -"], ..NOT_SENT },
    Class {
        count: 3,
        rows: &[&[("salesStage", "Develop")], &[("dealValue", "much")]],
        wanted: &["invalid held -", "invalid type -"],
        ..NOT_SENT
    },
    // Refused.
    Class { count: 5, wanted: &["refused ReferralNotFound 404"], end: End::Nowhere, gets: 1, ..NOT_SENT },
    Class { count: 6, faults: &["patch=403"], wanted: &["refused Forbidden 403"], ..REFUSED },
    Class {
        count: 6,
        stands: LOST,
        rows: &[&[("status", "Active")]],
        wanted: &["refused TransitionNotAllowed 400"],
        ..REFUSED
    },
    // Failed.
    Class {
        count: 4,
        faults: &["patch#1-5=423"],
        wanted: &["failed ResourceLocked 423"],
        patches: 5,
        ..REFUSED
    },
    Class {
        count: 3,
        faults: &["patch#*=500"],
        wanted: &["failed gave-up 500"],
        patches: 5,
        gets: 9,
        ..REFUSED
    },
    // Unknown.
    Class {
        count: 3,
        faults: &["patch=hang+applied", "get#*=500"],
        wanted: &["unknown in-doubt 500"],
        gets: 5,
        ..APPLIED
    },
    Class {
        count: 2,
        faults: &["patch=cut+applied", "get#*=503"],
        wanted: &["unknown in-doubt 503"],
        gets: 5,
        ..APPLIED
    },
    Class {
        count: 2,
        faults: &["patch=504", "get#*=garbage"],
        wanted: &["unknown in-doubt -"],
        gets: 5,
        ..REFUSED
    },
    // Referrals that no row is about.
    Class { count: 11, rows: &[], ..NOT_SENT },
    Class { count: 7, stands: RECEIVED, rows: &[], ..NOT_SENT },
    Class { count: 3, stands: PENDING, rows: &[], ..NOT_SENT },
    Class { count: 4, stands: LOST, rows: &[], ..NOT_SENT },
];

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

/// A referral as its class has it in the end, and without what the service sets by itself.
fn modelled(number: usize, class: &Class) -> Value {
    let mut referral = seeded(number, class);
    match class.end {
        End::Ours => class.rows.iter().for_each(|cells| apply(&mut referral, &filled(number, cells))),
        End::Theirs => details(&mut referral)["notes"] = EDITED.into(),
        End::Before | End::Nowhere => {}
    }
    timeless(&referral)
}

fn closes(number: usize, class: &Class) -> bool {
    let mut after = seeded(number, class);
    class.rows.iter().for_each(|cells| apply(&mut after, &filled(number, cells)));
    class.stands.0 != "Closed" && after["status"] == "Closed"
}

fn referrals_are_as_modelled(seed: &[Value], after: &BTreeMap<String, Value>, seen: &[Seen]) {
    assert_eq!(after.len(), seed.len());
    let before: BTreeMap<&str, &Value> =
        seed.iter().map(|referral| (referral["id"].as_str().unwrap(), referral)).collect();
    for (number, class) in numbered() {
        let id = id(number);
        let count =
            |method: &str| seen.iter().filter(|seen| seen.method == method && seen.is_about(&id)).count();
        let about = format!("referral {number}: {:?} {:?}", class.rows, class.faults);
        assert_eq!((count("PATCH"), count("GET")), (class.patches, class.gets), "{about}");
        let Some(after) = after.get(&id) else {
            assert_eq!(class.end, End::Nowhere, "{about}");
            continue;
        };
        assert_eq!(timeless(after), modelled(number, class), "{about}");
        if class.end == End::Before {
            assert_eq!(after, before[id.as_str()], "{about}");
            continue;
        }
        assert_ne!(after["eTag"], before[id.as_str()]["eTag"], "{about}");
        let became = |status: &str| after["status"] == status && class.stands.0 != status;
        assert_eq!(after["closedDateTime"].is_null(), !became("Closed"), "{about}");
        assert_eq!(after["acceptedDateTime"].is_null(), !became("Active"), "{about}");
    }
}

fn outcomes_are_as_modelled(run: &Run, rows: &[Row], seen: &[Seen]) {
    let outcomes = run.lines("outcomes.jsonl");
    assert_eq!(outcomes.len(), rows.len());
    for ((row, outcome), line) in rows.iter().zip(&outcomes).zip(2..) {
        let status = outcome["status"].as_u64().map_or("-".to_owned(), |status| status.to_string());
        let text = |name: &str| outcome[name].as_str().unwrap().to_owned();
        let told = format!("{} {} {status}", text("outcome"), text("code"));
        assert_eq!(told, row.wanted, "{outcome}");
        assert_eq!((&outcome["line"], &outcome["file"]), (&json!(line), &json!("changes.csv")));
        let known = row.cells["id"] == id(row.number);
        assert_eq!(outcome["id"], if known { id(row.number).into() } else { Value::Null }, "{outcome}");
        assert_eq!(outcome["attempts"], row.class.patches, "{outcome}");
        assert_eq!(outcome["request_ids"].as_array().unwrap().len(), row.class.patches, "{outcome}");
    }
    let documents = seen.iter().filter(|seen| seen.method == "PATCH");
    assert!(documents.clone().all(|patch| patch.if_match.is_some()), "every change is protected");
    assert!(documents.clone().all(|patch| patch.body.starts_with("[{\"op\":\"")));
}

fn reports_are_as_modelled(run: &Run, rows: &[Row], after: &BTreeMap<String, Value>) {
    let mut reported = 0;
    for (file, outcomes) in [
        ("success.csv", &["applied", "unchanged", "planned"][..]),
        ("conflict.csv", &["conflict"]),
        ("error.csv", &["invalid", "refused", "failed", "partial"]),
        ("pending.csv", &["unknown", "unsent"]),
    ] {
        let outcome = |row: &Row| row.wanted.split(' ').next().unwrap().to_owned();
        let due: Vec<&Row> = rows.iter().filter(|row| outcomes.contains(&outcome(row).as_str())).collect();
        let records = run.records(file);
        assert_eq!(records.len(), due.len(), "{file}");
        for (row, record) in due.into_iter().zip(&records) {
            for column in COLUMNS {
                assert_eq!(&record[column], row.cells.get(column).map_or("", String::as_str), "{file}");
            }
            assert_eq!(record["result.outcome"], outcome(row), "{file}");
            match outcome(row).as_str() {
                "applied" | "unchanged" => {
                    assert_eq!(record["result.etag"], after[&id(row.number)]["eTag"].as_str().unwrap());
                }
                "conflict" => sides_are_as_modelled(row, record),
                _ => {}
            }
            reported += 1;
        }
    }
    assert_eq!(reported, rows.len());
}

/// The three sides of a conflict. Of a row that is bound to an older version nobody has seen the values.
fn sides_are_as_modelled(row: &Row, record: &BTreeMap<String, String>) {
    let side = |name: &str| serde_json::from_str::<Value>(&record[name]).unwrap();
    let sides = |stage: Value, notes: Value| json!({ "/salesStage": stage, "/details/notes": notes });
    let note = format!("Note {}", row.number);
    let (base, theirs) = match row.class.end {
        End::Theirs => (sides(Value::Null, note.into()), sides(Value::Null, EDITED.into())),
        _ => (sides(Value::Null, Value::Null), sides(Value::Null, note.into())),
    };
    assert_eq!(side("result.base"), base);
    assert_eq!(side("result.ours"), sides("Develop".into(), "Ours".into()));
    assert_eq!(side("result.theirs"), theirs);
}

fn summary_is_as_modelled(run: &Run, rows: &[Row], seen: &[Seen], referrals: usize) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(row.wanted.split(' ').next().unwrap()).or_default() += 1;
    }
    for (outcome, count) in &counts {
        assert_eq!(run.count(&format!("/rows/{outcome}")), *count as u64, "{outcome}");
    }
    assert_eq!(run.count("/rows/total"), 300);
    assert_eq!((run.count("/rows/planned"), run.count("/rows/unsent")), (0, 0));
    assert_eq!(run.summary()["state"], "finished");
    assert_eq!(run.count("/exit_code"), 3);

    let sum = |of: fn(&Class) -> usize| numbered().map(|(_, class)| of(class) as u64).sum::<u64>();
    let patches = sum(|class| class.patches);
    assert_eq!(run.count("/requests/patch"), patches);
    assert_eq!(run.count("/requests/get"), sum(|class| class.gets));
    assert_eq!(run.count("/requests/list"), referrals.div_ceil(100) as u64);
    assert_eq!(run.count("/requests/total"), seen.len() as u64);
    assert_eq!(run.count("/requests/throttled"), 2);
    let again = sum(|class| {
        class.patches.saturating_sub(1) + if class.gets == 5 && class.patches < 5 { 4 } else { 0 }
    });
    assert_eq!(run.count("/requests/retried"), again);

    let applied = |class: &Class| !class.rows.is_empty() && class.wanted[0].starts_with("applied ");
    let changed = numbered().filter(|(_, class)| applied(class)).count() as u64;
    let closed = numbered().filter(|(number, class)| applied(class) && closes(*number, class)).count() as u64;
    let named = |class: &Class| !class.rows.is_empty() && !class.wanted[0].starts_with("invalid id");
    assert_eq!(run.count("/referrals/total"), numbered().filter(|(_, class)| named(class)).count() as u64);
    assert_eq!((run.count("/referrals/changed"), run.count("/referrals/closed")), (changed, closed));
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
