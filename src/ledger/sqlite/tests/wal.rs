//! The log: missed wherever it may hold what the database lacks, and never anywhere else.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tempfile::tempdir;

use super::super::store::Store;
use super::super::wal;
use super::{lock, meddle};
use crate::domain::account::{Phase, RunStats};
use crate::domain::outcome::Outcome;
use crate::ledger::tests::fixtures::*;
use crate::ledger::{AttemptAnswer, AttemptResult, Backlog, Due, Journal, LedgerError, Loss, open, read};

/// What a crash would leave: the database, and the log where it is to be kept.
fn copy(dir: &Path, to: &Path, with_log: bool) {
    fs::create_dir(to).unwrap();
    let log = with_log && dir.join("run.sqlite-wal").exists();
    for file in std::iter::once("run.sqlite").chain(log.then_some("run.sqlite-wal")) {
        // By another process: closing a file here would drop SQLite's locks on it.
        assert!(Command::new("cp").arg(dir.join(file)).arg(to).status().unwrap().success());
    }
    lock(to);
}

/// What is missed of a copy, which a reader and a writer agree about, and which a look doesn't change.
async fn missed(dir: &Path, with_log: bool) -> Option<Loss> {
    let folder = tempdir().unwrap();
    let there = folder.path().join("copy");
    copy(dir, &there, with_log);
    let mut told = Vec::new();
    for _ in 0..2 {
        let loss = read(&there).await.unwrap().header().loss();
        assert_eq!(open(&there).await.unwrap().header().loss(), loss);
        told.push(loss);
    }
    assert_eq!(told[0], told[1]);
    told[0]
}

async fn send(journal: &Journal, number: u64, result: Option<AttemptAnswer>) {
    let ticket = journal.intend(&Arc::new(item(number))).await.unwrap();
    result.into_iter().for_each(|result| journal.answered(ticket.attempt(), result));
}

/// How far a run has come, and whether its database alone is one that lacks something.
#[tokio::test]
async fn it_is_missed_from_before_the_first_intent_until_all_is_in_the_database() {
    let folder = tempdir().unwrap();
    let dir = folder.path();
    let is = async |moment: &str, wanted| {
        assert_eq!(missed(dir, false).await, wanted, "the database alone, {moment}");
        assert_eq!(missed(dir, true).await, None, "with its log, {moment}");
    };
    let ledger = planned(dir, 5).await;
    is("planned", None).await;
    let (journal, backlog) = ledger.start(clock()).await.unwrap();
    is("begun", Some(Loss::Found)).await;
    send(&journal, 1, None).await;
    is("sending", Some(Loss::Found)).await;
    assert!(Store::open(dir).unwrap().checkpoint().unwrap());
    is("all brought in", Some(Loss::Found)).await;
    send(&journal, 2, Some(answer(AttemptResult::Applied))).await;
    is("the log begun again", Some(Loss::Found)).await;
    drop((journal, backlog));
    is("given up", Some(Loss::Found)).await;
    let (journal, backlog) = open(dir).await.unwrap().start(clock()).await.unwrap();
    is("begun again", Some(Loss::Found)).await;
    send(&journal, 3, None).await;
    let reader = read(dir).await.unwrap();
    send(&journal, 4, None).await;
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    is("ended while somebody reads", Some(Loss::Found)).await;
    drop((backlog, reader));
    is("ended, and nobody reads any more", Some(Loss::Found)).await;
    let (journal, backlog) = open(dir).await.unwrap().start(clock()).await.unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    is("ended", None).await;
    drop(backlog);
    is("closed", None).await;
    assert!(!dir.join("run.sqlite-wal").exists());
}

/// A process may die when it has begun the log again and written none of it: all is in the database then.
#[tokio::test]
async fn one_that_was_begun_again_and_holds_nothing_yet_is_not_missed() {
    let folder = tempdir().unwrap();
    let dir = folder.path().join("run");
    let (journal, _backlog) = planned(&dir, 2).await.start(clock()).await.unwrap();
    send(&journal, 1, None).await;
    assert!(Store::open(&dir).unwrap().checkpoint().unwrap());
    let whole = folder.path().join("whole");
    copy(&dir, &whole, true);
    let mut log = fs::read(whole.join("run.sqlite-wal")).unwrap();
    // Another salt, and a checksum that doesn't fit it, as where the header itself is torn.
    log[16..32].fill(0x5A);
    fs::write(whole.join("run.sqlite-wal"), log).unwrap();
    assert_eq!(missed(&whole, true).await, None);
    assert_eq!(rows(&whole).await[0].attempts, 1);
}

/// One that loses its log each time before anything is sent says the same each time, which has to reach the
/// log all the same.
#[tokio::test]
async fn whoever_begins_leaves_a_log_though_nothing_else_is_new() {
    let folder = tempdir().unwrap();
    let mut dir = folder.path().join("run");
    let mut ledger = planned(&dir, 2).await;
    for turn in 0..4 {
        let begun = ledger.start(clock()).await.unwrap();
        assert_ne!(missed(&dir, true).await, Some(Loss::Found), "{turn}");
        let next = folder.path().join(turn.to_string());
        copy(&dir, &next, false);
        drop(begun);
        ledger = open(&next).await.unwrap();
        assert_eq!(ledger.header().loss(), Some(Loss::Found), "{turn}");
        dir = next;
    }
}

/// What is left to do, an item a line.
async fn left(backlog: &Backlog) -> Vec<(u64, Due, bool, bool)> {
    let page = backlog.claim(100).await.unwrap();
    page.iter().map(|left| (left.item.number, left.due, left.lost, left.doubted)).collect()
}

async fn outcomes(dir: &Path) -> Vec<Outcome> {
    rows(dir).await.iter().map(|row| row.verdict.outcome).collect()
}

/// Whatever has no outcome may have been sent, until it is settled; an attempt that is made afterwards says
/// what became of it itself.
#[tokio::test]
async fn a_loss_is_remembered_until_all_is_settled() {
    use Outcome::{Applied, Unknown, Unsent};
    let folder = tempdir().unwrap();
    let dir = |name: &str| folder.path().join(name);
    let (journal, _backlog) = planned(&dir("run"), 4).await.start(clock()).await.unwrap();
    send(&journal, 1, Some(answer(AttemptResult::Applied))).await;
    journal.settled(1, settled(Applied)).await.unwrap();
    send(&journal, 2, Some(answer(AttemptResult::Throttled))).await;
    // Whatever was written is on disk once a later intent is.
    send(&journal, 2, Some(answer(AttemptResult::Throttled))).await;
    send(&journal, 3, None).await;
    assert!(Store::open(&dir("run")).unwrap().checkpoint().unwrap());
    copy(&dir("run"), &dir("lost"), false);

    let lost = dir("lost");
    assert_eq!(outcomes(&lost).await, [Applied, Unknown, Unknown, Unknown]);
    let (journal, backlog) = open(&lost).await.unwrap().start(clock()).await.unwrap();
    // It is on record before anything is sent, and not in the log alone.
    copy(&lost, &dir("begun"), false);
    let recorded = meddle(&dir("begun")).query_row("SELECT lost_after FROM run", [], |row| row.get(0));
    assert_eq!(recorded, Ok(4));
    assert_eq!(left(&backlog).await, [2, 3, 4].map(|number| (number, Due::Settle, true, true)));
    let refused = AttemptAnswer { code: Some("http-503".to_owned()), ..answer(AttemptResult::NotApplied) };
    send(&journal, 2, Some(refused)).await;
    send(&journal, 3, None).await;

    copy(&lost, &dir("killed"), true);
    let killed = open(&dir("killed")).await.unwrap();
    assert_eq!(killed.header().loss(), Some(Loss::Recorded));
    assert_eq!(outcomes(&dir("killed")).await, [Applied, Unsent, Unknown, Unknown]);
    let (_journal, backlog) = killed.start(clock()).await.unwrap();
    let wanted = [(2, Due::Send, false, true), (3, Due::Settle, false, true), (4, Due::Settle, true, true)];
    assert_eq!(left(&backlog).await, wanted);

    copy(&lost, &dir("lost again"), false);
    let again = open(&dir("lost again")).await.unwrap();
    assert_eq!(again.header().loss(), Some(Loss::Found));
    assert_eq!(outcomes(&dir("lost again")).await, [Applied, Unknown, Unknown, Unknown]);
    let (_journal, backlog) = again.start(clock()).await.unwrap();
    assert_eq!(left(&backlog).await, [2, 3, 4].map(|number| (number, Due::Settle, true, true)));

    for number in 2..=4 {
        journal.settled(number, settled(Applied)).await.unwrap();
    }
    journal.finish(Phase::Finished, &RunStats::default()).await.unwrap();
    assert_eq!(outcomes(&lost).await, [Applied; 4]);
}

/// Nobody sends anything before the database says that there is a log; who reads an older state of it stands in
/// the way of that.
#[tokio::test]
async fn nothing_is_sent_before_the_mark_is_in_the_database() {
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 2).await);
    let mut store = Store::open(folder.path()).unwrap();
    store.connection.busy_timeout(Duration::ZERO).unwrap();
    let reader = read(folder.path()).await.unwrap();
    let error = wal::begin(&mut store, None, None).unwrap_err();
    assert!(matches!(error, LedgerError::Busy { .. }), "{error}");
    drop(reader);
    wal::begin(&mut store, None, None).unwrap();
}
