//! The journal: what is acknowledged stays, what fails stops everything.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::join_all;

use super::fixtures::*;
use crate::domain::account::{Phase, RunStats};
use crate::domain::exchange::Journaled;
use crate::domain::outcome::Outcome;
use crate::ledger::{AttemptResult, LedgerError, open, read};

async fn ten_thousand_at_once_get_a_ticket_each(home: Home) {
    let run = home.run("run");
    let (journal, backlog) = planned(&run, 10_000).await.start(clock()).await.unwrap();
    let page = backlog.claim(10_000).await.unwrap();
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
    assert_eq!(read(&run).await.unwrap().stats().await.unwrap().patch, 10_001);
}

async fn dropping_the_journal_loses_nothing(home: Home) {
    let run = home.run("run");
    let (journal, _) = planned(&run, 300).await.start(clock()).await.unwrap();
    for number in 1..=300 {
        journal.settled(number, settled(Outcome::Refused)).await.unwrap();
    }
    drop(journal);
    assert_eq!(read(&run).await.unwrap().header().phase, Phase::Stopped);
    assert!(rows(&run).await.iter().all(|row| row.verdict.outcome == Outcome::Refused));
}

async fn what_cannot_be_true_is_not_written(home: Home) {
    for defect in ["settled twice", "settled, of no item", "an intent of no item"] {
        let run = home.run(defect);
        let (journal, _) = planned(&run, 2).await.start(clock()).await.unwrap();
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

async fn a_run_with_open_items_is_not_finished(home: Home) {
    let run = home.run("run");
    let (journal, _) = planned(&run, 2).await.start(clock()).await.unwrap();
    journal.settled(1, settled(Outcome::Applied)).await.unwrap();
    let ended = journal.finish(Phase::Finished, &RunStats::default()).await;
    assert!(matches!(ended, Err(LedgerError::Unsettled { items: 1, .. })), "{ended:?}");
    assert_eq!(open(&run).await.unwrap().header().phase, Phase::Stopped);
}

async fn the_end_is_the_end_for_every_clone(home: Home) {
    let run = home.run("run");
    let (journal, _) = planned(&run, 1).await.start(clock()).await.unwrap();
    let other = journal.clone();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    let late = other.intend(&Arc::new(item(1))).await;
    assert!(matches!(late, Err(LedgerError::Ended { .. })), "{late:?}");
    open(&run).await.unwrap();
}

async fn after_a_failed_write_nothing_is_sent(home: Home) {
    let run = home.run("run");
    let (journal, _) = planned(&run, 4).await.start(clock()).await.unwrap();
    let first = journal.intend(&Arc::new(item(1))).await.unwrap();
    let check = |error: LedgerError| {
        assert!(matches!(error, LedgerError::Poisoned { .. }), "{error:?}");
        assert!(error.to_string().contains("could not be written, so nothing more is sent: "), "{error}");
    };
    // Of no item, so it can't be written.
    check(journal.intend(&Arc::new(item(9))).await.unwrap_err());
    check(journal.intend(&Arc::new(item(2))).await.unwrap_err());
    journal.answered(first.attempt(), answer(AttemptResult::Applied));
    check(journal.settled(1, settled(Outcome::Applied)).await.unwrap_err());
    check(journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap_err());
    let told: Vec<_> = rows(&run).await.into_iter().map(|row| row.attempts).collect();
    assert_eq!(told, [1, 0, 0, 0]);
    assert_eq!(open(&run).await.unwrap().header().phase, Phase::Stopped);
}

async fn a_batch_is_written_whole_or_not_at_all(home: Home) {
    let run = home.run("run");
    let ledger = planned(&run, 3).await;
    let (journal, _, mut writer) = ledger.start_by_hand(clock()).await.unwrap();
    let intents = [1, 2, 9].map(|number| {
        let journal = journal.clone();
        async move { journal.intend(&Arc::new(item(number))).await }
    });
    let write = async { assert!(writer.write(3), "all of it waits before it is written") };
    let (intents, ()) = futures::join!(join_all(intents), write);
    for refused in intents {
        assert!(matches!(refused, Err(LedgerError::Poisoned { .. })), "{refused:?}");
    }
    assert_eq!(read(&run).await.unwrap().stats().await.unwrap().patch, 0);
}

async fn what_waits_when_a_process_dies_is_not_on_record(home: Home) {
    let run = home.run("run");
    let (journal, _, mut writer) = planned(&run, 2).await.start_by_hand(clock()).await.unwrap();
    let first = Arc::new(item(1));
    let (ticket, ()) = futures::join!(journal.intend(&first), async { assert!(writer.write(1)) });
    journal.answered(ticket.unwrap().attempt(), answer(AttemptResult::Applied));
    journal.settled(1, settled(Outcome::Applied)).await.unwrap();
    drop(writer);
    let told = rows(&run).await;
    assert_eq!((told[0].attempts, told[0].verdict.outcome), (1, Outcome::Unknown));
    assert_eq!(told[1].verdict.outcome, Outcome::Unsent);
}

on_every_backend!(
    ten_thousand_at_once_get_a_ticket_each,
    dropping_the_journal_loses_nothing,
    what_cannot_be_true_is_not_written,
    a_run_with_open_items_is_not_finished,
    the_end_is_the_end_for_every_clone,
    after_a_failed_write_nothing_is_sent,
    a_batch_is_written_whole_or_not_at_all,
    what_waits_when_a_process_dies_is_not_on_record,
);
