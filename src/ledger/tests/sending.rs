//! The journal: what is acknowledged stays, what fails stops everything.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use futures::future::join_all;
use tempfile::tempdir;
use tokio::sync::oneshot;

use super::super::sqlite::lock::Lock;
use super::super::sqlite::schema::Store;
use super::super::writer::{Record, Request, Ticket, Writer};
use super::super::{LedgerError, open, read};
use super::*;
use crate::domain::account::Phase;
use crate::domain::exchange::Journaled;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_at_once_get_a_ticket_each() {
    let folder = tempdir().unwrap();
    let (journal, backlog) = planned(folder.path(), 10_000).start(clock()).unwrap();
    let page = backlog.outstanding(0, 10_000).unwrap();
    let tickets = join_all(page.iter().map(|left| journal.intend(&left.item))).await;
    let mut attempts = BTreeSet::new();
    let mut requests = BTreeSet::new();
    for (ticket, left) in tickets.into_iter().zip(&page) {
        let ticket = ticket.unwrap();
        assert_eq!(ticket.id(), left.item.id);
        attempts.insert(ticket.attempt());
        requests.insert(ticket.client_request_id());
    }
    assert_eq!((attempts.len(), requests.len()), (10_000, 10_000));
    let later = journal.intend(&page[0].item).await.unwrap();
    assert!(Some(&later.attempt()) > attempts.last());
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(read(folder.path()).unwrap().figures().unwrap().patch, 10_001);
}

/// Copies a run as a crash would leave it: whatever is on disk, the log after the database.
fn crash(dir: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in ["run.sqlite", "run.sqlite-wal"] {
        // By another process: closing a file here would drop SQLite's locks on it.
        assert!(Command::new("cp").arg(dir.join(file)).arg(to).status().unwrap().success());
    }
    lock(to);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_missing_after_a_crash() {
    let folder = tempdir().unwrap();
    let dir = folder.path().join("run");
    let (journal, _backlog) = planned(&dir, 400).start(clock()).unwrap();
    let (next, acknowledged) = (AtomicU64::new(1), Mutex::new(Vec::new()));
    let worker = async || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number > 400 {
                return;
            }
            let ticket = journal.intend(&Arc::new(item(number))).await.unwrap();
            acknowledged.lock().unwrap().push((number, ticket.client_request_id()));
            // While the writer is busy with what the others asked for.
            if number % 50 == 0 {
                let before = acknowledged.lock().unwrap().clone();
                let copy = folder.path().join(format!("crash-{number}"));
                crash(&dir, &copy);
                check_crash(&copy, &before);
            }
            journal.answered(ticket.attempt(), answer(AttemptResult::Applied));
            journal.settled(number, settled(Outcome::Applied)).await.unwrap();
        }
    };
    join_all((0..32).map(|_| worker())).await;
    drop(journal);
    let done = rows(&dir);
    assert!(done.iter().all(|row| row.verdict.outcome == Outcome::Applied && row.attempts == 1));
    assert_eq!(read(&dir).unwrap().phase(), Phase::Stopped);
}

fn check_crash(copy: &Path, acknowledged: &[(u64, Uuid)]) {
    // As a report would see it, and after that as a resumed run does.
    let told = rows(copy);
    assert_eq!(told.len(), 400);
    for (number, request) in acknowledged {
        let row = &told[usize::try_from(*number).unwrap() - 1];
        assert_eq!(row.request_ids, [*request]);
        assert!(matches!(row.verdict.outcome, Outcome::Applied | Outcome::Unknown), "{:?}", row.verdict);
    }
    let ledger = open(copy).unwrap();
    assert_eq!(ledger.phase(), Phase::Stopped);
    let settled = told.iter().filter(|row| row.verdict.outcome == Outcome::Applied).count() as u64;
    assert_eq!(ledger.plan_totals().unwrap().remaining, 400 - settled);
}

/// A power cut leaves what was synced, and of what was being written any part, with anything behind it.
#[cfg(unix)]
#[tokio::test]
async fn a_torn_tail_costs_nothing_that_was_acknowledged() {
    let folder = tempdir().unwrap();
    let dir = folder.path().join("run");
    drop(planned(&dir, 30));
    let (journal, _backlog) = open(&dir).unwrap().start(clock()).unwrap();
    let first = journal.intend(&Arc::new(item(1))).await.unwrap();
    let synced = std::fs::metadata(dir.join("run.sqlite-wal")).unwrap().len() as usize;
    journal.answered(first.attempt(), answer(AttemptResult::Applied));
    journal.settled(1, settled(Outcome::Applied)).await.unwrap();
    let second = journal.intend(&Arc::new(item(2))).await.unwrap();
    let copy = folder.path().join("copy");
    crash(&dir, &copy);
    let log = std::fs::read(copy.join("run.sqlite-wal")).unwrap();
    assert!(log.len() > synced + 8_192, "{} bytes after {synced}", log.len());

    // Every frame's end and whereabouts, and every sector of 512 bytes.
    let frames = (32..=log.len()).step_by(24 + 8_192).flat_map(|end| [end - 1, end, end + 1, end + 24]);
    let ends: BTreeSet<usize> = (synced..=log.len()).step_by(512).chain(frames).collect();
    for end in ends.range(synced..=log.len()) {
        for behind in [None, Some(0), Some(0xA5)] {
            let mut torn = log[..*end].to_vec();
            torn.resize(if behind.is_some() { log.len() } else { *end }, behind.unwrap_or(0));
            let place = folder.path().join("torn");
            std::fs::create_dir(&place).unwrap();
            std::fs::copy(copy.join("run.sqlite"), place.join("run.sqlite")).unwrap();
            std::fs::write(place.join("run.sqlite-wal"), torn).unwrap();
            lock(&place);
            check_torn(&place, &first, (*end == log.len()).then_some(&second));
            std::fs::remove_dir_all(&place).unwrap();
        }
    }
}

fn check_torn(dir: &Path, first: &Ticket, second: Option<&Ticket>) {
    let left = open(dir).unwrap().plan_totals().unwrap().remaining;
    let told = rows(dir);
    assert_eq!(told[0].request_ids, [first.client_request_id()]);
    let outcomes = [&told[0], &told[1]].map(|row| row.verdict.outcome);
    // What was being written is there from its beginning up to some record, and nothing without what was
    // written before it.
    let (was_settled, was_intended) = (outcomes[0] == Outcome::Applied, outcomes[1] == Outcome::Unknown);
    assert!(was_settled || outcomes[0] == Outcome::Unknown, "{outcomes:?}");
    assert!(was_intended || outcomes[1] == Outcome::Unsent, "{outcomes:?}");
    assert!(was_settled || !was_intended, "{outcomes:?}");
    assert_eq!(left, 30 - u64::from(was_settled));
    if let Some(second) = second {
        assert_eq!(told[1].request_ids, [second.client_request_id()]);
    }
}

#[tokio::test]
async fn dropping_the_journal_loses_nothing() {
    let folder = tempdir().unwrap();
    let (journal, _) = planned(folder.path(), 300).start(clock()).unwrap();
    for number in 1..=300 {
        journal.settled(number, settled(Outcome::Refused)).await.unwrap();
    }
    drop(journal);
    assert_eq!(read(folder.path()).unwrap().phase(), Phase::Stopped);
    assert!(rows(folder.path()).iter().all(|row| row.verdict.outcome == Outcome::Refused));
}

#[tokio::test]
async fn after_a_failed_write_nothing_is_sent() {
    let folder = tempdir().unwrap();
    let (journal, _) = planned(folder.path(), 4).start(clock()).unwrap();
    meddle(folder.path())
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON attempt WHEN NEW.item = 3
             BEGIN SELECT RAISE(ABORT, 'disk full'); END",
        )
        .unwrap();
    let first = journal.intend(&Arc::new(item(1))).await.unwrap();
    let check = |error: LedgerError| {
        assert!(matches!(error, LedgerError::Poisoned { .. }), "{error:?}");
        assert!(error.to_string().ends_with("nothing more is sent: disk full"), "{error}");
    };
    check(journal.intend(&Arc::new(item(3))).await.unwrap_err());
    check(journal.intend(&Arc::new(item(2))).await.unwrap_err());
    journal.answered(first.attempt(), answer(AttemptResult::Applied));
    check(journal.settled(1, settled(Outcome::Applied)).await.unwrap_err());
    check(journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap_err());
    let told: Vec<_> = rows(folder.path()).into_iter().map(|row| row.attempts).collect();
    assert_eq!(told, [1, 0, 0, 0]);
    assert_eq!(open(folder.path()).unwrap().phase(), Phase::Stopped);
}

#[test]
fn a_batch_is_written_whole_or_not_at_all() {
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 3));
    meddle(folder.path())
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON attempt WHEN NEW.item = 3
             BEGIN SELECT RAISE(ABORT, 'disk full'); END",
        )
        .unwrap();
    let (requests, received) = mpsc::channel();
    // All of it waits before the writer begins, so that it is one batch.
    let tickets: Vec<_> = (1..=3)
        .map(|number| {
            let (reply, ticket) = oneshot::channel();
            let (item, client_request_id) = (Arc::new(item(number)), Uuid::nil());
            let intent = Record::Intent { item, client_request_id, at: at(0), reply };
            requests.send(Request::Write(intent)).unwrap();
            ticket
        })
        .collect();
    drop(requests);
    let (lock, store) = (Lock::take(folder.path()).unwrap(), Store::open(folder.path()).unwrap());
    Writer::new(received, store, lock, Arc::default()).unwrap().run();
    for ticket in tickets {
        assert!(matches!(ticket.blocking_recv().unwrap(), Err(LedgerError::Poisoned { .. })));
    }
    assert_eq!(read(folder.path()).unwrap().figures().unwrap().patch, 0);
}

#[tokio::test]
async fn what_cannot_be_true_is_not_written() {
    for defect in ["settled twice", "settled, of no item", "an intent of no item"] {
        let folder = tempdir().unwrap();
        let (journal, _) = planned(folder.path(), 2).start(clock()).unwrap();
        match defect {
            "settled twice" => {
                journal.settled(1, settled(Outcome::Applied)).await.unwrap();
                journal.settled(1, settled(Outcome::Failed)).await.unwrap();
            }
            "settled, of no item" => journal.settled(9, settled(Outcome::Applied)).await.unwrap(),
            _ => drop(journal.intend(&Arc::new(item(9))).await.unwrap_err()),
        }
        let ended = journal.finish(Phase::Stopped, &RunStats::default()).await;
        assert!(matches!(ended, Err(LedgerError::Poisoned { .. })), "{defect}: {ended:?}");
    }
}

#[tokio::test]
async fn a_run_with_open_items_is_not_finished() {
    let folder = tempdir().unwrap();
    let (journal, _) = planned(folder.path(), 2).start(clock()).unwrap();
    journal.settled(1, settled(Outcome::Applied)).await.unwrap();
    let ended = journal.finish(Phase::Finished, &RunStats::default()).await;
    assert!(matches!(ended, Err(LedgerError::Unsettled { items: 1, .. })), "{ended:?}");
    assert_eq!(open(folder.path()).unwrap().phase(), Phase::Stopped);
}

#[tokio::test]
async fn the_end_is_the_end_for_every_clone() {
    let folder = tempdir().unwrap();
    let (journal, _) = planned(folder.path(), 1).start(clock()).unwrap();
    let other = journal.clone();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    let late = other.intend(&Arc::new(item(1))).await;
    assert!(matches!(late, Err(LedgerError::Ended { .. })), "{late:?}");
    open(folder.path()).unwrap();
}
