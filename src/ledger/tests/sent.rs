//! What was sent of a run, as it was sent last.

use std::sync::Arc;

use super::fixtures::*;
use crate::domain::account::{Phase, RunStats, Settled};
use crate::domain::item::Item;
use crate::domain::outcome::Outcome;
use crate::ledger::{AttemptResult, LedgerError, Reader, SentItem, create, read};

/// Returns the items that a reader tells, which it tells one by one as well.
async fn sent(reader: &Reader) -> Vec<SentItem> {
    let mut told = Vec::new();
    let each = &mut |item: SentItem| {
        told.push(item);
        Ok::<_, LedgerError>(())
    };
    reader.sent(each).await.unwrap();
    for one in &told {
        let alone = reader.sent_item(one.item.id).await.unwrap();
        assert_eq!(format!("{alone:?}"), format!("{:?}", Some(one)));
    }
    told
}

async fn what_was_sent_is_told_as_it_was_sent_last(home: Home) {
    use AttemptResult::{Applied, InDoubt, Throttled};
    let run = home.run("run");
    let mut planning = create(&run, &about()).await.unwrap();
    for number in 1..=9 {
        planning.row(&row(number, Some(number))).unwrap();
        let unchanged = (number == 9).then(|| settled(Outcome::Unchanged));
        let named = (number == 1).then(subject);
        planning.item(&item(number), unchanged.as_ref(), None, named.as_ref()).unwrap();
    }
    planning.row(&row(10, Some(1))).unwrap();
    let ledger = planning.seal(&RunStats::default()).await.unwrap();
    assert!(sent(&read(&run).await.unwrap()).await.is_empty());

    let (journal, _backlog) = ledger.start(clock()).await.unwrap();
    let rebased = Item { etag: Some(etag("v2")), patch: raw("[1]"), ..item(1) };
    for (item, result) in [
        (item(1), Some(AttemptResult::Mismatched)),
        (rebased, Some(Applied)),
        (item(2), Some(Applied)),
        (item(3), Some(Throttled)),
        (item(4), Some(InDoubt)),
        (item(5), None),
        (item(6), Some(InDoubt)),
    ] {
        let ticket = journal.intend(&Arc::new(item)).await.unwrap();
        if let Some(result) = result {
            journal.answered(ticket.attempt(), answer(result));
        }
    }
    let applied = Settled { etag: Some(etag("v3")), ..settled(Outcome::Applied) };
    let partial = Settled { theirs: Some(raw("{\"/x\":null}")), ..settled(Outcome::Partial) };
    for (number, settled) in
        [(1, applied), (2, partial), (6, settled(Outcome::Unknown)), (7, settled(Outcome::Conflict))]
    {
        journal.settled(number, settled).await.unwrap();
    }
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();

    let reader = read(&run).await.unwrap();
    let told = sent(&reader).await;
    let outcome = |item: &SentItem| item.settled.as_ref().map(|settled| settled.verdict.outcome);
    let shown: Vec<_> =
        told.iter().map(|item| (item.item.number, outcome(item), item.is_in_doubt())).collect();
    let wanted = [
        (1, Some(Outcome::Applied), false),
        (2, Some(Outcome::Partial), false),
        (4, None, true),
        (5, None, true),
        (6, Some(Outcome::Unknown), true),
        (7, Some(Outcome::Conflict), false),
    ];
    assert_eq!(shown, wanted, "nothing of 3 and 8 can have been written, and 9 was decided by planning");
    let first = &told[0];
    assert_eq!((first.item.etag.as_ref(), first.item.patch.get()), (Some(&etag("v2")), "[1]"));
    assert_eq!(first.settled.as_ref().unwrap().etag, Some(etag("v3")));
    assert_eq!(first.rows, [place(2), place(11)]);
    assert_eq!(first.subject, Some(subject()));
    assert_eq!((&told[1].rows, &told[1].subject), (&vec![place(3)], &None));
    assert_eq!(told[1].settled.as_ref().unwrap().theirs.as_ref().unwrap().get(), "{\"/x\":null}");
    assert_eq!(reader.written_ids().await.unwrap(), [referral(1), referral(2)]);
    for other in [3, 8, 9, 77] {
        assert!(reader.sent_item(referral(other)).await.unwrap().is_none(), "{other}");
    }
}

on_every_backend!(what_was_sent_is_told_as_it_was_sent_last);
