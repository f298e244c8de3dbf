//! What is left of a run, and what is due for it.

use std::sync::Arc;

use super::fixtures::*;
use crate::domain::account::{Phase, RunStats};
use crate::domain::item::Item;
use crate::domain::outcome::Outcome;
use crate::ledger::{AttemptAnswer, AttemptResult, Due, open};

async fn a_rebased_item_comes_back_as_it_was_last_sent(home: Home) {
    let run = home.run("run");
    let (journal, _) = planned(&run, 2).await.start(clock()).await.unwrap();
    journal.intend(&Arc::new(item(1))).await.unwrap();
    let mut rebased = Item { etag: Some(etag("v2")), patch: raw("[1]"), ..item(1) };
    rebased.changes[0].before = None;
    let ticket = journal.intend(&Arc::new(rebased)).await.unwrap();
    journal.answered(ticket.attempt(), answer(AttemptResult::Throttled));
    drop(journal);

    let ledger = open(&run).await.unwrap();
    let (_journal, backlog) = ledger.start(clock()).await.unwrap();
    let page = backlog.claim(10).await.unwrap();
    let first = &page[0].item;
    assert_eq!((first.etag.as_ref(), first.patch.get()), (Some(&etag("v2")), "[1]"));
    assert!(first.changes[0].before.is_none());
    assert_eq!(page[0].due, Due::Send);
    assert_eq!(
        (page[1].item.etag.as_ref(), page[1].item.patch.get()),
        (Some(&etag("v1")), item(2).patch.get())
    );
}

/// The last attempt says what comes next, and all of them whether something may be on its way still.
async fn what_remains_says_whether_it_may_have_been_made(home: Home) {
    use AttemptResult::{Contradicted, InDoubt, Mismatched, NotApplied, Refused, Throttled};
    let code = |code: &str| Some(code.to_owned());
    let cases = [
        (vec![], false),
        (vec![None], true),
        (vec![Some((NotApplied, code("not-sent")))], false),
        (vec![Some((Throttled, code("http-429")))], false),
        (vec![Some((Refused, code("http-400")))], false),
        (vec![Some((Mismatched, code("http-412")))], false),
        (vec![Some((Contradicted, code("http-412")))], true),
        (vec![Some((InDoubt, code("http-502"))), Some((Mismatched, code("http-412")))], true),
        (vec![Some((InDoubt, code("http-502")))], true),
        // Read back, and not found.
        (vec![Some((NotApplied, None))], true),
        (vec![Some((NotApplied, None)), Some((Throttled, code("http-429")))], true),
        (vec![Some((Throttled, code("http-429"))), Some((NotApplied, code("http-423")))], false),
    ];
    let run = home.run("run");
    let (journal, _) = planned(&run, cases.len() as u64).await.start(clock()).await.unwrap();
    for (number, (attempts, _)) in (1..).zip(&cases) {
        for told in attempts {
            let ticket = journal.intend(&Arc::new(item(number))).await.unwrap();
            if let Some((result, code)) = told.clone() {
                journal.answered(ticket.attempt(), AttemptAnswer { code, ..answer(result) });
            }
        }
    }
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    let (_journal, backlog) = open(&run).await.unwrap().start(clock()).await.unwrap();
    let page = backlog.claim(20).await.unwrap();
    for (left, (attempts, doubted)) in page.iter().zip(&cases) {
        assert_eq!((left.sent, left.doubted), (!attempts.is_empty(), *doubted), "{attempts:?}");
    }
    assert_eq!(page.len(), cases.len());
}

async fn what_remains_says_what_comes_next(home: Home) {
    let run = home.run("run");
    let (journal, _) = planned(&run, 8).await.start(clock()).await.unwrap();
    for (number, result) in [
        (7, Some(AttemptResult::Mismatched)),
        (8, Some(AttemptResult::Contradicted)),
        (2, None),
        (3, Some(AttemptResult::InDoubt)),
        (4, Some(AttemptResult::NotApplied)),
        (5, Some(AttemptResult::Applied)),
        (6, Some(AttemptResult::Applied)),
    ] {
        let ticket = journal.intend(&Arc::new(item(number))).await.unwrap();
        if let Some(result) = result {
            journal.answered(ticket.attempt(), answer(result));
        }
    }
    journal.settled(6, settled(Outcome::Applied)).await.unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();

    let ledger = open(&run).await.unwrap();
    assert_eq!(ledger.header().phase, Phase::Stopped);
    let totals = ledger.plan_totals().await.unwrap();
    assert_eq!((totals.to_send, totals.closing), (8, 4));
    assert_eq!((totals.remaining, totals.remaining_closing), (7, 3));
    let (_journal, backlog) = ledger.start(clock()).await.unwrap();
    let page = backlog.claim(10).await.unwrap();
    let next: Vec<_> = page.iter().map(|left| (left.item.number, left.due)).collect();
    let (settle, recheck) = (Due::Settle, Due::Recheck);
    assert_eq!(next[..5], [(1, Due::Send), (2, settle), (3, settle), (4, Due::Send), (5, settle)]);
    assert_eq!(next[5..], [(7, recheck), (8, recheck)]);
    assert!(backlog.claim(10).await.unwrap().is_empty());

    let codes: Vec<_> = rows(&run).await.into_iter().map(|row| row.verdict.code).collect();
    assert_eq!(
        codes,
        ["unsent", "in-doubt", "in-doubt", "unsent", "in-doubt", "by-applied", "in-doubt", "in-doubt"]
    );
}

on_every_backend!(
    a_rebased_item_comes_back_as_it_was_last_sent,
    what_remains_says_whether_it_may_have_been_made,
    what_remains_says_what_comes_next,
);
