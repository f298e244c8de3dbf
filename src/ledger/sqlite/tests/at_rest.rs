//! What is written into a run that nothing is being sent of.

use std::fs;
use std::sync::Arc;

use tempfile::tempdir;

use super::super::schema::VERSION;
use super::formats::taken_back_to;
use super::{lock, meddle};
use crate::domain::account::{Phase, RunStats};
use crate::ledger::tests::approvals::approval;
use crate::ledger::tests::fixtures::*;
use crate::ledger::{LedgerError, Loss, open, read};

/// A ledger of an earlier format has no place for it before.
#[tokio::test]
async fn a_ledger_of_an_earlier_format_is_brought_up_by_it() {
    for format in 1..VERSION {
        let folder = tempdir().unwrap();
        drop(planned(folder.path(), 3).await);
        meddle(folder.path()).execute_batch(&taken_back_to(format)).unwrap();
        let mut ledger = open(folder.path()).await.unwrap();
        assert!(ledger.approvals().await.unwrap().is_empty(), "{format}");
        ledger.approve(&approval(1)).await.unwrap();
        drop(ledger);
        let ledger = open(folder.path()).await.unwrap();
        assert_eq!(ledger.approvals().await.unwrap(), [approval(1)], "{format}");
        assert_eq!(rows(folder.path()).await.len(), 3);
        let (journal, _backlog) = ledger.start(clock()).await.unwrap();
        journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
        let now: i32 =
            meddle(folder.path()).pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(now, VERSION, "{format}");
    }
}

/// A write would make a new log, which would hide that the old one is gone.
#[tokio::test]
async fn nothing_is_written_where_a_log_is_lost() {
    let folder = tempdir().unwrap();
    let dir = folder.path().join("run");
    let (journal, _backlog) = planned(&*dir, 3).await.start(clock()).await.unwrap();
    journal.intend(&Arc::new(item(1))).await.unwrap();
    // What a kill leaves, without the log.
    let killed = folder.path().join("killed");
    fs::create_dir(&killed).unwrap();
    fs::copy(dir.join("run.sqlite"), killed.join("run.sqlite")).unwrap();
    lock(&killed);
    for _ in 0..2 {
        let mut ledger = open(&*killed).await.unwrap();
        assert_eq!(ledger.header().loss(), Some(Loss::Found));
        let error = ledger.approve(&approval(1)).await.unwrap_err();
        assert!(matches!(error, LedgerError::LogLost { .. }), "{error}");
    }
    assert_eq!(read(&*killed).await.unwrap().header().loss(), Some(Loss::Found), "it can still be noticed");
    assert!(read(&*killed).await.unwrap().approvals().await.unwrap().is_empty());
}
