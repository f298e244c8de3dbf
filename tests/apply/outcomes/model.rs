//! What a model says of a run, compared with its reports.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::classes::{COLUMNS, Class, End};
use super::{Row, apply, details, filled, numbered, seeded};
use crate::support::referrals::{EDITED, id, timeless};
use crate::support::run_dir::Run;
use crate::support::tap::Seen;

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

pub fn closes(number: usize, class: &Class) -> bool {
    let mut after = seeded(number, class);
    class.rows.iter().for_each(|cells| apply(&mut after, &filled(number, cells)));
    class.stands.0 != "Closed" && after["status"] == "Closed"
}

pub fn referrals_are_as_modelled(seed: &[Value], after: &BTreeMap<String, Value>, seen: &[Seen]) {
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

pub fn outcomes_are_as_modelled(run: &Run, rows: &[Row], seen: &[Seen]) {
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

pub fn reports_are_as_modelled(run: &Run, rows: &[Row], after: &BTreeMap<String, Value>) {
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

pub fn summary_is_as_modelled(run: &Run, rows: &[Row], seen: &[Seen], referrals: usize) {
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
