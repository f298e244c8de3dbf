//! A second person's yes is kept with the run.

use super::fixtures::*;
use crate::domain::account::{Phase, RunStats};
use crate::domain::approval::{Accounts, Approval};
use crate::ledger::{open, read};

/// What somebody approved when `second` had come.
pub(in crate::ledger) fn approval(second: i64) -> Approval {
    let accounts = Accounts { service: Some("dana@example.com".to_owned()), machine: None, user: Some(7) };
    Approval {
        at: at(second),
        name: "Dana \"D\" Example".to_owned(),
        accounts,
        plan_sha256: "cd".repeat(32),
        changing: 3,
        closing: 1,
    }
}

async fn approvals_are_kept_in_their_order(home: Home) {
    let run = home.run("run");
    let mut ledger = planned(&run, 3).await;
    assert!(ledger.approvals().await.unwrap().is_empty());
    for second in [1, 2] {
        ledger.approve(&approval(second)).await.unwrap();
        assert_eq!(ledger.approvals().await.unwrap().last(), Some(&approval(second)));
    }
    assert_eq!(ledger.header().phase, Phase::Planned);
    drop(ledger);
    assert_eq!(read(&run).await.unwrap().approvals().await.unwrap(), [approval(1), approval(2)]);
    assert_eq!(read(&run).await.unwrap().header().phase, Phase::Planned);

    let (journal, _backlog) = open(&run).await.unwrap().start(clock()).await.unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    let mut ledger = open(&run).await.unwrap();
    ledger.approve(&approval(3)).await.unwrap();
    let all = [approval(1), approval(2), approval(3)];
    assert_eq!(ledger.approvals().await.unwrap(), all);
    let (journal, backlog) = ledger.start(clock()).await.unwrap();
    assert_eq!(backlog.claim(9).await.unwrap().len(), 3);
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(read(&run).await.unwrap().approvals().await.unwrap(), all);
}

on_every_backend!(approvals_are_kept_in_their_order);
