//! What verifications found is kept, the last word on each item.

use super::fixtures::*;
use crate::domain::account::{Phase, RunStats};
use crate::domain::exchange::Failure;
use crate::domain::outcome::Outcome;
use crate::domain::verification::{StandingCounts, Verification, Verified};
use crate::ledger::{LedgerError, Reader, VerifiedItem, VerifiedPart, open, read};

/// What was found of an item when `second` had come.
pub(in crate::ledger) fn verified(second: i64) -> Verified {
    Verified { etag: Some(etag("v2")), ..Verified::unread(&gone(), at(second)) }
}

fn gone() -> Failure {
    Failure::NoAnswer { message: "cut \"off\"".to_owned() }
}

/// A part of a verification that found something of these items.
pub(in crate::ledger) fn part(number: u64, second: i64, items: &[u64]) -> VerifiedPart {
    let counts = StandingCounts { not_readable: items.len() as u64, ..StandingCounts::default() };
    let verification = Verification {
        at: at(second),
        ended: None,
        wave: Some(2),
        counts,
        left: 1,
        in_doubt: 0,
        get: 3,
        list: 1,
    };
    VerifiedPart { number, verification, items: items.iter().map(|item| (*item, verified(second))).collect() }
}

/// Returns the items with the verification that told of them last and the time.
async fn told(reader: &Reader) -> Vec<(u64, u64, i64)> {
    let mut told: Vec<VerifiedItem> = Vec::new();
    let each = &mut |item| {
        told.push(item);
        Ok::<_, LedgerError>(())
    };
    reader.verified(each).await.unwrap();
    for item in &told {
        assert_eq!(item.id, referral(item.number));
        assert_eq!(item.rows, [place(item.number + 1)]);
        let (verification, last) = reader.last_verified(item.number).await.unwrap().unwrap();
        assert_eq!(verification, item.verification);
        assert_eq!(format!("{last:?}"), format!("{:?}", item.verified));
    }
    assert!(reader.last_verified(99).await.unwrap().is_none());
    let of = |item: &VerifiedItem| {
        (item.number, item.verification, item.verified.at.as_second() - at(0).as_second())
    };
    told.iter().map(of).collect()
}

async fn the_last_word_on_each_item_is_kept(home: Home) {
    let run = home.run("run");
    let (journal, _backlog) = planned(&run, 3).await.start(clock()).await.unwrap();
    assert!(read(&run).await.unwrap().verifications().await.unwrap().is_empty());
    assert!(told(&read(&run).await.unwrap()).await.is_empty());
    for number in 1..=3 {
        journal.settled(number, settled(Outcome::Applied)).await.unwrap();
    }
    // While the run is sent, and at rest.
    journal.verified(part(1, 1, &[2, 1])).unwrap();
    journal.finish(Phase::Finished, &RunStats::default()).await.unwrap();
    assert_eq!(told(&read(&run).await.unwrap()).await, [(1, 1, 1), (2, 1, 1)]);

    let mut ledger = open(&run).await.unwrap();
    let ended = |part: VerifiedPart| VerifiedPart {
        verification: Verification { ended: Some(at(9)), ..part.verification },
        ..part
    };
    for part in [part(2, 2, &[2]), ended(part(2, 3, &[3])), part(3, 4, &[])] {
        ledger.keep_verified(&part).await.unwrap();
    }
    let reader = read(&run).await.unwrap();
    assert_eq!(told(&reader).await, [(1, 1, 1), (2, 2, 2), (3, 2, 3)]);
    let verifications = reader.verifications().await.unwrap();
    assert_eq!(
        verifications,
        [
            (1, part(1, 1, &[2, 1]).verification),
            (2, ended(part(2, 3, &[3])).verification),
            (3, part(3, 4, &[]).verification)
        ]
    );
    drop(ledger);
    assert!(
        open(&run).await.unwrap().keep_verified(&part(4, 5, &[77])).await.is_err(),
        "there is no such item"
    );
    assert_eq!(read(&run).await.unwrap().verifications().await.unwrap().len(), 3, "all of it or nothing");
}

on_every_backend!(the_last_word_on_each_item_is_kept);
