//! Kills, power cuts and a disk that says no: what is acknowledged is there.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::join_all;
use tempfile::tempdir;
use uuid::Uuid;

use super::{lock, meddle};
use crate::domain::account::{Phase, RunStats};
use crate::domain::exchange::Journaled;
use crate::domain::outcome::Outcome;
use crate::ledger::tests::fixtures::*;
use crate::ledger::{AttemptResult, LedgerError, Ticket, open, read};

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
    let (journal, _backlog) = planned(&dir, 400).await.start(clock()).await.unwrap();
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
                check_crash(&copy, &before).await;
            }
            journal.answered(ticket.attempt(), answer(AttemptResult::Applied));
            journal.settled(number, settled(Outcome::Applied)).await.unwrap();
        }
    };
    join_all((0..32).map(|_| worker())).await;
    drop(journal);
    let done = rows(&dir).await;
    assert!(done.iter().all(|row| row.verdict.outcome == Outcome::Applied && row.attempts == 1));
    assert_eq!(read(&dir).await.unwrap().header().phase, Phase::Stopped);
}

async fn check_crash(copy: &Path, acknowledged: &[(u64, Uuid)]) {
    // As a report would see it, and after that as a resumed run does.
    let told = rows(copy).await;
    assert_eq!(told.len(), 400);
    for (number, request) in acknowledged {
        let row = &told[usize::try_from(*number).unwrap() - 1];
        assert_eq!(row.request_ids, [*request]);
        assert!(matches!(row.verdict.outcome, Outcome::Applied | Outcome::Unknown), "{:?}", row.verdict);
    }
    let ledger = open(copy).await.unwrap();
    assert_eq!(ledger.header().phase, Phase::Stopped);
    let settled = told.iter().filter(|row| row.verdict.outcome == Outcome::Applied).count() as u64;
    assert_eq!(ledger.plan_totals().await.unwrap().remaining, 400 - settled);
}

/// A power cut leaves what was synced, and of what was being written any part, with anything behind it.
#[cfg(unix)]
#[tokio::test]
async fn a_torn_tail_costs_nothing_that_was_acknowledged() {
    let folder = tempdir().unwrap();
    let dir = folder.path().join("run");
    drop(planned(&dir, 30).await);
    let (journal, _backlog) = open(&dir).await.unwrap().start(clock()).await.unwrap();
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
            check_torn(&place, &first, (*end == log.len()).then_some(&second)).await;
            std::fs::remove_dir_all(&place).unwrap();
        }
    }
}

async fn check_torn(dir: &Path, first: &Ticket, second: Option<&Ticket>) {
    let left = open(dir).await.unwrap().plan_totals().await.unwrap().remaining;
    let told = rows(dir).await;
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

/// The disk, and not this program, says no in the middle of a batch.
#[tokio::test]
async fn after_a_write_that_the_disk_refused_nothing_is_sent() {
    let folder = tempdir().unwrap();
    let (journal, _) = planned(folder.path(), 4).await.start(clock()).await.unwrap();
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
    let told: Vec<_> = rows(folder.path()).await.into_iter().map(|row| row.attempts).collect();
    assert_eq!(told, [1, 0, 0, 0]);
    assert_eq!(open(folder.path()).await.unwrap().header().phase, Phase::Stopped);
}
