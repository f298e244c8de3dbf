//! Large runs that stopped and go on before all of their ledger was checked: nothing is sent that was not checked, what is
//! wrong anywhere is found, and nothing is finished before. Here every run counts as large.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;
use rusqlite::Connection;
use tempfile::{TempDir, tempdir};

use super::super::{LARGE, run};
use super::{TABLES, meddle, renew_checksums};
use crate::domain::account::{Phase, RowRecord, RunStats};
use crate::domain::item::Item;
use crate::domain::outcome::Outcome;
use crate::domain::priority::Direction;
use crate::domain::sort_key::SortKey;
use crate::domain::subject::Subject;
use crate::ledger::run::Run;
use crate::ledger::tests::fixtures::*;
use crate::ledger::tests::turns::ordered;
use crate::ledger::{
    AttemptResult, Backlog, Due, Journal, KeySource, Ledger, LedgerError, OrderKeys, create, open,
    open_to_send, read,
};

/// The items of the run: the first three have their outcome, the fourth is in doubt, the fifth was throttled and then left
/// in doubt, and the others were never sent.
const ITEMS: u64 = 9;

/// Whether the run has an order of its own, in which the last item comes first.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    OfInputs,
    OfTurns,
}

async fn stopped(order: Order) -> TempDir {
    let folder = tempdir().unwrap();
    let spec = if order == Order::OfTurns { ordered(Direction::Asc) } else { about() };
    let mut planning = create(folder.path(), &spec).await.unwrap();
    for number in 1..=ITEMS {
        planning.row(&RowRecord { matched: Some(matched(number)), ..row(number, Some(number)) }).unwrap();
        let subject = Subject { value: Some(format!("{}", 100 - number)), ..subject() };
        planning.item(&item(number), None, None, Some(&subject)).unwrap();
    }
    planning.input(0, &input("changes.csv")).unwrap();
    if order == Order::OfTurns {
        let of = |subject: &Subject| subject.value.as_deref().map(SortKey::of_text);
        let keys = OrderKeys { of: KeySource::Subjects(Box::new(of)), direction: Direction::Asc };
        planning.put_in_order(keys).await.unwrap();
    }
    let planned = planning.seal(&RunStats::default()).await.unwrap();
    let (journal, _backlog) = planned.consented(Some(consent(0))).start(clock()).await.unwrap();
    for number in 1..=5 {
        let ticket = journal.intend(&Arc::new(item(number))).await.unwrap();
        match number {
            4 => {}
            5 => {
                journal.answered(ticket.attempt(), answer(AttemptResult::Throttled));
                journal.intend(&Arc::new(item(number))).await.unwrap();
            }
            _ => {
                journal.answered(ticket.attempt(), answer(AttemptResult::Applied));
                journal.settled(number, settled(Outcome::Applied)).await.unwrap();
            }
        }
    }
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    folder
}

/// Opens a run to send it, as if it were large.
fn open_at_once(dir: &Path) -> Result<Ledger, LedgerError> {
    run::Run::open_to_send(dir, 0).map(|run| Ledger::new(Run::Sqlite(Box::new(run))))
}

/// What was handed out of a run, and where it was found to be damaged.
#[derive(Debug, Default)]
struct Sent {
    items: Vec<u64>,
    opening: Option<LedgerError>,
    claiming: Option<LedgerError>,
    checking: Option<LedgerError>,
}

impl Sent {
    fn errors(&self) -> impl Iterator<Item = &LedgerError> {
        [&self.opening, &self.claiming, &self.checking].into_iter().flatten()
    }

    /// Where it was found first, and what.
    fn told(&self) -> String {
        let (place, error) = match self {
            Self { opening: Some(error), .. } => ("opening", error),
            Self { claiming: Some(error), .. } => ("claiming", error),
            Self { checking: Some(error), .. } => ("checking", error),
            _ => return "nothing".to_owned(),
        };
        let told = error.to_string();
        format!("{place}: {}", told.split_once(" is damaged: ").map_or(told.as_str(), |(_, detail)| detail))
    }
}

/// Sends all that is handed out, awaits the check, and finishes. Every item that is handed out is the one that was planned,
/// and is due as it is in the whole run.
async fn send(dir: &Path) -> Sent {
    let mut sent = Sent::default();
    let begun = match open_at_once(dir) {
        Ok(ledger) => ledger.start(clock()).await,
        Err(error) => Err(error),
    };
    let (journal, backlog) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            sent.opening = Some(error);
            return sent;
        }
    };
    sent.claiming = send_items(&journal, &backlog, &mut sent.items).await.err();
    sent.checking = backlog.whole().await.err();
    backlog.stop_checking();
    let phase = if sent.errors().next().is_some() { Phase::Stopped } else { Phase::Finished };
    let ended = journal.finish(phase, &RunStats::default()).await.err();
    sent.claiming = sent.claiming.or(ended);
    sent
}

async fn send_items(journal: &Journal, backlog: &Backlog, sent: &mut Vec<u64>) -> Result<(), LedgerError> {
    loop {
        let page = backlog.claim(2).await?;
        if page.is_empty() {
            return Ok(());
        }
        for left in page {
            let number = left.item.number;
            assert_eq!(planned_text(&left.item), planned_text(&item(number)));
            let due = if matches!(number, 4 | 5) { Due::Settle } else { Due::Send };
            assert_eq!((left.due, left.sent), (due, due == Due::Settle), "{number}");
            assert!(!sent.contains(&number), "{number} is handed out twice");
            sent.push(number);
            journal.settled(number, settled(Outcome::Applied)).await?;
        }
    }
}

fn planned_text(item: &Item) -> String {
    format!("{} {} {:?} {} {:?}", item.number, item.id, item.etag, item.patch, item.changes)
}

fn phase(dir: &Path) -> String {
    meddle(dir).query_row("SELECT phase FROM run", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_run_goes_on_where_it_stopped_and_is_finished_once_it_is_checked() {
    for (order, wanted) in [(Order::OfInputs, [4, 5, 6, 7, 8, 9]), (Order::OfTurns, [9, 8, 7, 6, 5, 4])] {
        let folder = stopped(order).await;
        let totals = open(folder.path()).await.unwrap().plan_totals().await.unwrap();
        let ledger = open_at_once(folder.path()).unwrap();
        assert_eq!(ledger.plan_totals().await.unwrap(), totals);
        assert_eq!((totals.remaining, totals.remaining_closing), (6, 3));
        drop(ledger);
        let sent = send(folder.path()).await;
        assert_eq!((sent.told().as_str(), &sent.items[..]), ("nothing", &wanted[..]));
        assert_eq!(phase(folder.path()), "finished");
        read(folder.path()).await.unwrap().check_pages().await.unwrap();
    }
}

/// A stop doesn't wait for the check. What was not checked is then not finished, though nothing is left to send.
#[tokio::test]
async fn what_was_not_checked_is_not_finished() {
    let folder = stopped(Order::OfInputs).await;
    let (journal, backlog) = open_at_once(folder.path()).unwrap().start(clock()).await.unwrap();
    let mut sent = Vec::new();
    send_items(&journal, &backlog, &mut sent).await.unwrap();
    backlog.stop_checking();
    let is_checked = matches!(backlog.whole().now_or_never(), Some(Ok(())));
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    // It may have been done in so short a time.
    assert_eq!(phase(folder.path()), if is_checked { "finished" } else { "stopped" });
    if !is_checked {
        assert_eq!(send(folder.path()).await.told(), "nothing");
        assert_eq!(phase(folder.path()), "finished");
    }
}

/// Runs that are small, are only planned, or lack records are checked first.
#[tokio::test]
async fn other_runs_are_checked_before_they_are_sent() {
    let folder = stopped(Order::OfInputs).await;
    meddle(folder.path()).execute("UPDATE row SET findings = '[ ]' WHERE row = 1", []).unwrap();
    assert!(fs::metadata(folder.path().join("run.sqlite")).unwrap().len() < LARGE);
    assert!(open_to_send(folder.path()).await.unwrap_err().is_damage());
    assert!(open_at_once(folder.path()).is_ok());
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 3).await);
    meddle(folder.path()).execute("UPDATE row SET findings = '[ ]' WHERE row = 1", []).unwrap();
    assert!(open_at_once(folder.path()).unwrap_err().is_damage());
}

/// What a defect did, or a page that is gone, with checksums that fit; where it is found, and what.
const HARMS: [(&str, &str); 18] = [
    ("DELETE FROM item WHERE number = 2", "checking: item 2 is missing"),
    ("DELETE FROM item WHERE number = 6", "claiming: item 6 is missing"),
    ("DELETE FROM outcome WHERE item = 2", "checking: outcome 2 is missing"),
    (
        "INSERT INTO outcome SELECT 6, planned, outcome, code, message, status, etag, at, 0, theirs FROM outcome \
      WHERE item = 2",
        "checking: outcome 6 was never carried out",
    ),
    (
        "DELETE FROM attempt WHERE item = 2",
        "claiming: the attempts at items 0 to 1023 are not those that were made",
    ),
    (
        "DELETE FROM attempt WHERE item = 4",
        "claiming: the attempts at items 0 to 1023 are not those that were made",
    ),
    (
        "DELETE FROM attempt WHERE id = 6",
        "claiming: the attempts at items 0 to 1023 are not those that were made",
    ),
    (
        "UPDATE attempt SET item = 6 WHERE item = 4",
        "claiming: the attempts at items 0 to 1023 are not those that were made",
    ),
    ("UPDATE item SET effect = 'one-way' WHERE number = 7", "checking: item 7 is not as it was sealed"),
    (
        "INSERT INTO item SELECT 10, 'x', effect, etag, bound, request_id, 0, findings, audit, changes, patch FROM item \
      WHERE number = 1",
        "checking: item 10 is not in the plan that was sealed",
    ),
    ("DELETE FROM sealed", "opening: sealed or carried 0 is missing"),
    ("DELETE FROM carried", "opening: sealed or carried 0 is missing"),
    (
        "INSERT INTO carried SELECT 1, 0, attempts, settled FROM carried",
        "opening: sealed or carried 1 is missing",
    ),
    (
        "UPDATE sealed SET sent = zeroblob(128), closing = zeroblob(128)",
        "checking: item 1 is not as it was sealed",
    ),
    ("UPDATE carried SET settled = zeroblob(128)", "checking: outcome 1 was never carried out"),
    (
        "UPDATE carried SET attempts = attempts + 1",
        "claiming: the attempts at items 0 to 1023 are not those that were made",
    ),
    ("UPDATE sealed SET block = 9007199254740993", "opening: sealed or carried 0 is missing"),
    ("DELETE FROM session", "nothing"),
];

#[tokio::test]
async fn what_is_gone_or_was_never_there_is_found_before_the_run_is_finished() {
    for order in [Order::OfInputs, Order::OfTurns] {
        let folder = stopped(order).await;
        let whole = fs::read(folder.path().join("run.sqlite")).unwrap();
        for (harm, wanted) in HARMS {
            meddled(folder.path(), &whole, |connection| {
                connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {harm}")).unwrap();
                renew_checksums(connection);
            });
            let refused = open(folder.path()).await.err().map(|error| error.is_damage());
            assert_eq!(refused, (wanted != "nothing").then_some(true), "{harm}");
            let sent = send(folder.path()).await;
            assert_eq!(sent.told(), wanted, "{harm}");
            assert!(sent.errors().all(LedgerError::is_damage), "{harm}");
            assert_eq!(phase(folder.path()) == "finished", wanted == "nothing", "{harm}");
        }
    }
}

/// Another value in any column of any record: of one that is behind what was sent, or before, or of nothing that is sent.
#[tokio::test]
async fn another_value_anywhere_is_found_before_the_run_is_finished() {
    for order in [Order::OfInputs, Order::OfTurns] {
        let folder = stopped(order).await;
        let whole = fs::read(folder.path().join("run.sqlite")).unwrap();
        let mut tables = BTreeSet::new();
        let values = values(&meddle(folder.path()));
        for (table, column, number) in values {
            if (table.as_str(), column.as_str()) == ("run", "only") {
                continue;
            }
            let what = format!("{table}.{column} of {number}");
            meddled(folder.path(), &whole, |connection| {
                let other = match column.as_str() {
                    "bound" | "planned" | "read" | "valued" if table != "sealed" => format!("1 - {column}"),
                    "phase" => "'planned'".to_owned(),
                    "item" | "status" | "lost_after" | "attempt" => format!("coalesce({column}, 0) + 1000"),
                    "planned" | "sent" | "closing" | "settled" => "randomblob(128)".to_owned(),
                    _ => format!("CASE typeof({column}) WHEN 'integer' THEN {column} + 1000 ELSE 'Q' END"),
                };
                let change = format!("UPDATE {table} SET {column} = {other} WHERE rowid = {number}");
                connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {change}")).unwrap();
            });
            let sent = send(folder.path()).await;
            assert!(sent.errors().next().is_some(), "{what} is taken for what was written");
            assert!(sent.errors().all(LedgerError::is_damage), "{what}: {sent:?}");
            assert_ne!(phase(folder.path()), "finished", "{what}");
            tables.insert(table);
        }
        assert!(tables.len() >= 10, "{tables:?}");
    }
}

/// The columns of the records of an item that is done, of one in doubt and of one that was never sent, and of the first
/// block and input, with their numbers.
fn values(connection: &Connection) -> Vec<(String, String, i64)> {
    let mut values = Vec::new();
    for table in TABLES {
        let all = format!(
            "SELECT info.name, {table}.rowid FROM pragma_table_info('{table}') AS info CROSS JOIN {table}
             WHERE {table}.rowid IN (0, 1, 4, 6)"
        );
        let mut all = connection.prepare(&all).unwrap();
        let found = all.query_map([], |row| Ok((table.to_owned(), row.get(0)?, row.get(1)?))).unwrap();
        values.extend(found.map(Result::unwrap));
    }
    values
}

/// Pages of zeroes and single bytes, of tables and of indexes.
#[tokio::test]
async fn a_page_that_is_gone_is_found_before_the_run_is_finished() {
    const PAGE: usize = 8_192;
    for order in [Order::OfInputs, Order::OfTurns] {
        let folder = stopped(order).await;
        let file = folder.path().join("run.sqlite");
        let whole = fs::read(&file).unwrap();
        for page in 1..whole.len() / PAGE {
            for harm in [
                (|page: &mut [u8]| page.fill(0)) as fn(&mut [u8]),
                |page| page[4] ^= 1,
                |page| page[8] ^= 1,
                |page| page[PAGE - 1] ^= 1,
            ] {
                let mut harmed = whole.clone();
                harm(&mut harmed[page * PAGE..][..PAGE]);
                meddled(folder.path(), &harmed, |_| {});
                let first = open(folder.path()).await.err();
                meddled(folder.path(), &harmed, |_| {});
                let sent = send(folder.path()).await;
                // A free page may hold anything.
                assert_eq!(first.is_some(), sent.errors().next().is_some(), "page {}: {first:?}", page + 1);
            }
        }
    }
}

/// Puts a ledger back as it was, and does something to it.
fn meddled(dir: &Path, whole: &[u8], harm: impl FnOnce(&Connection)) {
    for beside in ["run.sqlite-wal", "run.sqlite-shm"] {
        drop(fs::remove_file(dir.join(beside)));
    }
    // In place: the file is the same one.
    fs::write(dir.join("run.sqlite"), whole).unwrap();
    harm(&meddle(dir));
}
