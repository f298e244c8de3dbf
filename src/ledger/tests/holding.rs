//! Who may write a run, and what others see of it meanwhile.

use super::fixtures::*;
use crate::domain::account::{Phase, RunStats};
use crate::domain::outcome::Outcome;
use crate::ledger::{LedgerError, create, discard, is_taken, is_worked_on, open, read};

async fn one_process_holds_a_run(home: Home) {
    let run = home.run("run");
    let busy = async || {
        let error = open(&run).await.unwrap_err();
        assert!(matches!(error, LedgerError::Busy { .. }), "{error:?}");
        assert!(error.to_string().contains(&home.told("run")), "{error}");
        assert!(matches!(create(&run, &about()).await, Err(LedgerError::Busy { .. })));
        assert!(is_worked_on(&run).await);
        read(&run).await.unwrap();
    };
    let mut planning = create(&run, &about()).await.unwrap();
    busy().await;
    planning.row(&row(1, Some(1))).unwrap();
    planning.item(&item(1), None, None, None).unwrap();
    let ledger = planning.seal(&RunStats::default()).await.unwrap();
    busy().await;
    let (journal, backlog) = ledger.start(clock()).await.unwrap();
    busy().await;
    let clone = journal.clone();
    drop(journal);
    busy().await;
    drop(clone);
    let (journal, _) = open(&run).await.unwrap().start(clock()).await.unwrap();
    assert_eq!(backlog.claim(9).await.unwrap().len(), 1);
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    drop(open(&run).await.unwrap());
    assert!(matches!(create(&run, &about()).await, Err(LedgerError::Exists { .. })));
    assert!(!is_worked_on(&run).await);
}

async fn a_reader_sees_the_run_as_it_stood(home: Home) {
    let run = home.run("run");
    let (journal, _) = planned(&run, 2).await.start(clock()).await.unwrap();
    let reader = read(&run).await.unwrap();
    journal.settled(1, settled(Outcome::Applied)).await.unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(reader.referrals().await.unwrap().changed, 0);
    assert_eq!(read(&run).await.unwrap().referrals().await.unwrap().changed, 1);
}

async fn what_came_to_nothing_leaves_room(home: Home) {
    let run = home.run("run");
    assert!(!is_taken(&run).await);
    for error in [open(&run).await.map(drop).unwrap_err(), read(&run).await.map(drop).unwrap_err()] {
        assert!(matches!(error, LedgerError::Absent { .. }), "{error}");
    }
    let planning = create(&run, &about()).await.unwrap();
    assert!(is_taken(&run).await);
    drop(planning);
    discard(&run).await;
    assert!(!is_taken(&run).await);
    create(&run, &about()).await.unwrap();
}

on_every_backend!(
    one_process_holds_a_run,
    a_reader_sees_the_run_as_it_stood,
    what_came_to_nothing_leaves_room,
);
