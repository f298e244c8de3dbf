//! Values that are others than those that were written, each as sound as the one that it replaces: no table and
//! no column has one that is taken for what was planned, attempted or found.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::{TempDir, tempdir};

use super::{TABLES, meddle};
use crate::domain::account::{InputInfo, Phase, RowRecord, RunStats, Settled};
use crate::domain::characters::visible_path;
use crate::domain::day_doubt::DateColumns;
use crate::domain::finding::Finding;
use crate::domain::format::Format;
use crate::domain::item::Item;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::priority::Direction;
use crate::domain::rules::Rule;
use crate::domain::sort_key::SortKey;
use crate::domain::step::Waits;
use crate::domain::subject::Subject;
use crate::domain::text_form::TextForm;
use crate::ledger::tests::approvals::approval;
use crate::ledger::tests::fixtures::*;
use crate::ledger::tests::verified::part;
use crate::ledger::{
    AttemptAnswer, AttemptResult, KeySource, LedgerError, LineOfInput, OrderKeys, create, look_up, open, read,
};

/// A run that stopped, with every column of every table filled in some record.
async fn stopped() -> TempDir {
    let folder = tempdir().unwrap();
    let mut planning = create(folder.path(), &about()).await.unwrap();
    let input = InputInfo {
        path: "changes.csv".to_owned(),
        sha256: "0".repeat(64),
        rows: 4,
        format: Format::Csv,
        is_portal: false,
        dates: DateColumns::default(),
        form: TextForm::default(),
        columns: vec!["id".to_owned()],
        sheet: None,
    };
    planning.input(0, &input).unwrap();
    for number in 1..=3 {
        planning.row(&RowRecord { matched: Some(matched(number)), ..row(number, Some(number)) }).unwrap();
        planning.item(&item(number), None, Some(&audit()), Some(&subject())).unwrap();
    }
    let findings = vec![Finding::deny(Rule::Id, place(5), "the row names no referral")];
    let verdict = Some(Verdict::invalid(&findings));
    planning.row(&RowRecord { verdict, findings, ..row(4, None) }).unwrap();
    let of = |subject: &Subject| subject.value.as_deref().map(SortKey::of_text);
    let keys = OrderKeys { of: KeySource::Subjects(Box::new(of)), direction: Direction::Asc };
    planning.put_in_order(keys).await.unwrap();
    let planned = planning.seal(&RunStats::default()).await.unwrap();
    let (journal, _backlog) = planned.consented(Some(consent(0))).start(clock()).await.unwrap();
    for number in 1..=3 {
        let rebased = raw(r#"[{"op":"replace","path":"/details/notes","value":"rebased"}]"#);
        let item = Item { patch: rebased, changes: Vec::new(), ..item(number) };
        let waits = Waits { rate: Duration::from_millis(20), ..Waits::default() };
        let ticket = journal.intend_after(waits, &Arc::new(item)).await.unwrap();
        let code = Some("http-412".to_owned());
        journal.answered(ticket.attempt(), AttemptAnswer { code, ..answer(AttemptResult::Refused) });
    }
    for number in 1..=2 {
        let (etag, theirs) = (Some(etag("v2")), Some(raw(r#"{"/details/notes":"theirs"}"#)));
        let verdict = settled(Outcome::Conflict).verdict.with_status(Some(412));
        journal.settled(number, Settled { verdict, etag, theirs, at: at(5) }).await.unwrap();
    }
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    let mut ledger = open(folder.path()).await.unwrap();
    ledger.approve(&approval(6)).await.unwrap();
    ledger.keep_verified(&part(1, 7, &[1, 2])).await.unwrap();
    drop(ledger);
    folder
}

fn columns(connection: &Connection, table: &str) -> Vec<String> {
    let mut names = connection.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid").unwrap();
    names.query_map([table], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

/// All tables of a ledger, but for those that are SQLite's own.
fn tables(connection: &Connection) -> BTreeSet<String> {
    let of = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut names = connection.prepare(of).unwrap();
    names.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

/// Another value, as sound as this.
fn another(column: &str, value: &Value) -> Value {
    match value {
        Value::Text(word) if column == "phase" => {
            Value::Text(if word == "stopped" { "planned" } else { "stopped" }.to_owned())
        }
        Value::Text(text) => {
            let at = text.len() / 2;
            let byte = if text.as_bytes()[at] == b'Q' { "R" } else { "Q" };
            Value::Text(format!("{}{byte}{}", &text[..at], &text[at + 1..]))
        }
        Value::Integer(flag @ 0..=1) if matches!(column, "bound" | "planned" | "read" | "valued") => {
            Value::Integer(1 - flag)
        }
        Value::Integer(number) => Value::Integer(number + 1_000),
        Value::Null if matches!(column, "item" | "status" | "lost_after") => Value::Integer(0),
        Value::Null => Value::Text("Q".to_owned()),
        Value::Blob(bits) => {
            let mut bits = bits.clone();
            bits[0] ^= 1;
            Value::Blob(bits)
        }
        Value::Real(_) => panic!("no column has {value:?}"),
    }
}

/// What both say that open a ledger.
async fn refused(folder: &TempDir) -> String {
    let sending = open(folder.path()).await.map(drop).unwrap_err();
    let reading = read(folder.path()).await.map(drop).unwrap_err();
    assert!(sending.is_damage() && reading.is_damage(), "{sending} | {reading}");
    assert_eq!(sending.to_string(), reading.to_string());
    let file = format!("{} is damaged: ", visible_path(&folder.path().join("run.sqlite")));
    sending.to_string().strip_prefix(&file).unwrap().to_owned()
}

#[tokio::test]
async fn another_value_in_any_column_of_any_table_is_refused_by_name() {
    let folder = stopped().await;
    let file = folder.path().join("run.sqlite");
    let whole = fs::read(&file).unwrap();
    let mut never_filled = BTreeSet::new();
    assert_eq!(tables(&meddle(folder.path())), BTreeSet::from(TABLES.map(ToOwned::to_owned)));
    for table in TABLES {
        let (names, numbers) = {
            let connection = meddle(folder.path());
            let mut numbers = connection.prepare(&format!("SELECT rowid FROM {table}")).unwrap();
            let numbers = numbers.query_map([], |row| row.get(0)).unwrap();
            (columns(&connection, table), numbers.collect::<rusqlite::Result<Vec<i64>>>().unwrap())
        };
        assert!(!numbers.is_empty(), "{table} is empty");
        for name in names {
            let mut filled = false;
            for number in &numbers {
                let meddling = meddle(folder.path());
                meddling.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
                let value = format!("SELECT {name} FROM {table} WHERE rowid = ?1");
                let value: Value = meddling.query_row(&value, [number], |row| row.get(0)).unwrap();
                filled |= value != Value::Null;
                let other = another(&name, &value);
                let set = format!("UPDATE {table} SET {name} = ?1 WHERE rowid = ?2");
                // There is one record of the run, whatever it holds.
                if (table, name.as_str()) == ("run", "only") {
                    assert!(meddling.execute(&set, (&other, number)).is_err());
                    continue;
                }
                meddling.execute(&set, (&other, number)).unwrap();
                drop(meddling);
                let told = refused(&folder).await;
                let moved = *number + 1_000;
                let is_key = other == Value::Integer(moved) && told.contains(&moved.to_string());
                let now = if is_key { moved } else { *number };
                assert_eq!(told, format!("{table} {now} is not as it was written"), "{name}");
                if !NOT_LOOKED_UP.contains(&table) && !is_looked_up_by(table, &name) {
                    let error = looked_up(&folder).await.unwrap_err();
                    assert!(error.is_damage(), "{table}.{name}: {error}");
                }
                fs::write(&file, &whole).unwrap();
            }
            if !filled {
                never_filled.insert(format!("{table}.{name}"));
            }
        }
    }
    looked_up(&folder).await.unwrap();
    // Only a log that was lost fills it.
    assert_eq!(never_filled, BTreeSet::from(["run.lost_after".to_owned()]));
    open(folder.path()).await.unwrap();
}

/// Tables that nobody looks single records up in.
const NOT_LOOKED_UP: [&str; 4] = ["session", "verification", "sealed", "carried"];

/// Whether records of a table are found by a column: one that has another value there is not found.
fn is_looked_up_by(table: &str, name: &str) -> bool {
    match table {
        "attempt" | "outcome" | "subject" | "turn" | "step" | "verified" => name == "item",
        "matched" => name == "row",
        _ => false,
    }
}

/// Looks up all that there is to be looked up of the run. Where it isn't certain that what is not found is not there, a
/// reader looks for it.
async fn looked_up(folder: &TempDir) -> Result<(), LedgerError> {
    let lookup = look_up(folder.path()).await?;
    let (_, _, inputs) = (lookup.consents().await?, lookup.approvals().await?, lookup.inputs().await?);
    assert_eq!(inputs.len(), 1);
    for number in 1..=4 {
        let at = LineOfInput { input: 0, line: number + 1, column: None };
        let found = lookup.rows_at(at, 10).await?;
        if found.is_empty() {
            lookup.rows_beside(at).await?;
            if !lookup.lacks(at).await? {
                read(folder.path()).await?;
            }
        }
        for item in found.into_iter().filter_map(|row| row.item) {
            lookup.item_life(item).await?;
        }
    }
    for number in 1..=3 {
        if lookup.rows_naming(referral(number)).await?.is_empty() {
            lookup.each_name(&mut |_, _| {}).await?;
        }
    }
    Ok(())
}

/// The least that a disk can do: a byte within a text, which leaves every page of the file sound.
#[tokio::test]
async fn another_byte_in_any_text_of_the_file_is_refused() {
    let folder = stopped().await;
    let file = folder.path().join("run.sqlite");
    let whole = fs::read(&file).unwrap();
    let mut texts = BTreeSet::new();
    for table in TABLES {
        let connection = meddle(folder.path());
        for name in columns(&connection, table) {
            let mut found = connection
                .prepare(&format!("SELECT {name} FROM {table} WHERE typeof({name}) = 'text'"))
                .unwrap();
            let found = found.query_map([], |row| row.get::<_, String>(0)).unwrap();
            texts.extend(found.map(Result::unwrap).filter(|text| text.len() > 3));
        }
    }
    assert!(texts.len() > 20, "{texts:?}");
    for text in texts {
        let places = whole.windows(text.len()).enumerate().filter(|(_, window)| *window == text.as_bytes());
        let places: Vec<usize> = places.map(|(at, _)| at).collect();
        assert!(!places.is_empty(), "{text} is nowhere");
        for at in places {
            let mut harmed = whole.clone();
            harmed[at + text.len() / 2] ^= 1;
            fs::write(&file, &harmed).unwrap();
            are_refused(&folder, &format!("{text} at {at}")).await;
        }
    }
}

/// What an index tells is what is found, so it has to be what its table tells.
#[tokio::test]
async fn another_byte_in_any_index_is_refused() {
    const PAGE: usize = 8_192;
    let folder = stopped().await;
    let file = folder.path().join("run.sqlite");
    let whole = fs::read(&file).unwrap();
    for index in ["attempt_of_item", "row_of_item", "item_of_referral", "turn_by_place", "step_of_item"] {
        let page = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
        let page: u32 = meddle(folder.path()).query_row(page, [index], |row| row.get(0)).unwrap();
        let mut harmed = whole.clone();
        // Its first entry ends where the page ends.
        harmed[page as usize * PAGE - 1] ^= 1;
        fs::write(&file, &harmed).unwrap();
        are_refused(&folder, index).await;
    }
}

/// Neither whoever would send nor whoever would report takes the ledger.
async fn are_refused(folder: &TempDir, what: &str) {
    let sending = open(folder.path()).await.map(drop).unwrap_err();
    let reporting = match read(folder.path()).await {
        Ok(reader) => reader.check_pages().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(sending.is_damage() && reporting.is_damage(), "{what}: {sending} | {reporting}");
}
