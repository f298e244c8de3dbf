//! The ledger from outside: what is written is what is read, whatever happens in between.

mod checksums;
mod consents;
mod files;
mod run;
mod sending;
mod verdicts;
mod wal;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::sqlite::checksum;
use super::sqlite::holder::Holder;
use super::sqlite::lock::Lock;
use super::{AttemptAnswer, AttemptResult, Clock, Ledger, create, read};
use crate::domain::account::{
    OnConflict, PlanSpec, RowAccount, RowRecord, RowText, RunSpec, RunStats, Settled, StateSource,
};
use crate::domain::audit::{Audit, Class};
use crate::domain::consent::{Consent, Way};
use crate::domain::fields::{Field, Path as FieldPath};
use crate::domain::finding::Location;
use crate::domain::item::{Change, Effect, Item};
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::rules::Levels;

fn at(second: i64) -> Timestamp {
    Timestamp::new(1_800_000_000 + second, 123_456_789).unwrap()
}

fn clock() -> Clock {
    Arc::new(|| at(0))
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn etag(text: &str) -> ETag {
    ETag::from_input(text).unwrap()
}

fn referral(number: u64) -> ReferralId {
    Uuid::from_u64_pair(7, number).to_string().parse().unwrap()
}

fn place(line: u64) -> Location {
    Location { input: 0, line, column: 1 }
}

fn about() -> RunSpec {
    RunSpec {
        program: "1.2.3".to_owned(),
        command: "apply".to_owned(),
        created: at(-60),
        correlation_id: Uuid::from_u128(9),
        target: "sandbox".to_owned(),
        asked: PlanSpec {
            files: vec!["changes.csv".to_owned()],
            format: None,
            state: StateSource::Live,
            levels: Levels::default(),
            allow_paths: BTreeSet::new(),
            clear: false,
            migrating: None,
            on_conflict: OnConflict::Report,
            decimal: None,
            left_alone: Vec::new(),
        },
        plan_only: false,
        reason: Some("quarter's end".to_owned()),
        directory: None,
    }
}

/// An item that sets the notes; one with an even number closes its referral.
fn item(number: u64) -> Item {
    Item {
        number,
        id: referral(number),
        etag: Some(etag("v1")),
        is_bound: number.is_multiple_of(3),
        request_id: Uuid::from_u64_pair(8, number),
        patch: raw(r#"[{"op":"replace","path":"/details/notes","value":"new"}]"#),
        changes: vec![Change {
            path: FieldPath::Known(Field::Notes),
            before: Some(raw("\"old\"")),
            after: raw("\"new\""),
            appended: Vec::new(),
        }],
        effect: if number.is_multiple_of(2) { Effect::OneWay } else { Effect::Reversible },
        findings: Vec::new(),
    }
}

/// The audit of a payload that became such an item.
fn audit() -> Audit {
    Audit {
        class: Class::Stale,
        put_bytes: 3_000,
        patch_bytes: 58,
        changed: vec![Field::Notes.pointer().clone()],
        overwritten: vec![Field::Notes.pointer().clone(), Field::Team.pointer().clone()],
    }
}

/// A row that begins one line below its ordinal, as under a header.
fn row(row: u64, item: Option<u64>) -> RowRecord {
    RowRecord {
        row,
        place: place(row + 1),
        id: item.map(referral),
        text: RowText::Cells(vec![format!("row {row}"), "a \"cell\"\0\n".to_owned()]),
        item,
        verdict: None,
        findings: Vec::new(),
    }
}

/// What a user consented to when `second` had come.
fn consent(second: i64) -> Consent {
    Consent {
        at: at(second),
        how: [Way::Yes, Way::ConfirmClosing].into(),
        plan_sha256: "ab".repeat(32),
        changing: 3,
        closing: 1,
        target: "https://api.example.com/v1.0".to_owned(),
        user: Some(1_000),
    }
}

fn settled(outcome: Outcome) -> Settled {
    let verdict = Verdict::new(outcome, format!("by-{}", outcome.name()), "because");
    Settled { verdict, etag: None, theirs: None, at: at(5) }
}

/// Gives a ledger that stands for one which nobody copied the lock of such.
fn lock(dir: &Path) {
    Lock::take(dir).unwrap().say(&Holder::of(dir).unwrap()).unwrap();
}

fn answer(result: AttemptResult) -> AttemptAnswer {
    AttemptAnswer { result, status: Some(200), code: None, at: at(1) }
}

/// A run with one row an item, all to be sent.
fn planned(dir: &Path, items: u64) -> Ledger {
    let mut planning = create(dir, &about()).unwrap();
    for number in 1..=items {
        planning.row(&row(number, Some(number))).unwrap();
        planning.item(&item(number), None, None).unwrap();
    }
    planning.seal(&RunStats::default()).unwrap()
}

/// All rows of a run, as a reader tells them.
fn rows(dir: &Path) -> Vec<RowAccount> {
    let mut told = Vec::new();
    read(dir)
        .unwrap()
        .rows::<super::LedgerError>(&mut |row| {
            told.push(row);
            Ok(())
        })
        .unwrap();
    told
}

/// A connection of somebody else, to do harm with.
fn meddle(dir: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(dir.join("run.sqlite")).unwrap()
}

/// All tables of a ledger, but for those that are SQLite's own.
const TABLES: [&str; 8] = ["run", "input", "row", "item", "attempt", "outcome", "session", "consent"];

/// Makes the checksums fit what is there, as where a defect had written it.
fn renew_checksums(connection: &rusqlite::Connection) {
    checksum::offer(connection).unwrap();
    for table in TABLES {
        // A table that was taken away has no columns.
        if let Ok(columns) = checksum::columns(connection, table) {
            let renew = format!("UPDATE {table} SET checksum = checksum_of({columns})");
            connection.execute_batch(&renew).unwrap();
        }
    }
}
