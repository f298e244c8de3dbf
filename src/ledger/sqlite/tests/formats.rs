//! Ledgers that another version of this program wrote.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use super::super::schema::VERSION;
use super::{meddle, renew_checksums};
use crate::domain::account::{ItemAccount, Phase, RowRecord, RunStats};
use crate::ledger::tests::fixtures::*;
use crate::ledger::{LedgerError, create, open, read};

/// Returns the SQL that makes an empty ledger's tables those of an earlier format.
pub(super) fn taken_back_to(format: i32) -> String {
    let tables = [
        (2, "consent"),
        (3, "subject"),
        (3, "matched"),
        (3, "turn"),
        (4, "approval"),
        (4, "step"),
        (4, "verified"),
        (4, "verification"),
        (6, "sealed"),
        (6, "carried"),
    ];
    let later = tables.into_iter().filter(|(since, _)| *since > format);
    let dropped: String = later.map(|(_, table)| format!("DROP TABLE {table}; ")).collect();
    format!("{dropped}PRAGMA user_version = {format}")
}

/// What a newer version wrote can be read as far as it is understood, and stays as it is to the byte, with
/// whatever lies in the log.
#[tokio::test]
async fn a_run_of_a_newer_version_is_read_and_never_written() {
    const NEWER: &str =
        "was written by a newer version of this program: its format is 7, this version knows 6";
    let of = async |change: &str| {
        let folder = tempdir().unwrap();
        drop(planned(folder.path(), 3).await);
        let newer = meddle(folder.path());
        newer.execute_batch(&format!("{change}; PRAGMA user_version = 7")).unwrap();
        (folder, newer)
    };
    let bytes = |dir: &Path| ["run.sqlite", "run.sqlite-wal"].map(|file| fs::read(dir.join(file)).unwrap());

    let (folder, newer) = of("ALTER TABLE item ADD COLUMN mood TEXT; CREATE TABLE more (x)").await;
    // Both come from another process as a rule: the log stays when this one is done with it.
    let before = bytes(folder.path());
    assert!(!before[1].is_empty());
    let error = open(folder.path()).await.unwrap_err();
    assert!(matches!(error, LedgerError::Newer { .. }) && error.to_string().contains(NEWER), "{error}");
    assert!(matches!(create(folder.path(), &about()).await, Err(LedgerError::Exists { .. })));
    assert_eq!(read(folder.path()).await.unwrap().newer(), Some(7));
    assert_eq!(rows(folder.path()).await.len(), 3);
    assert_eq!(bytes(folder.path()), before);
    drop(newer);
    let before = fs::read(folder.path().join("run.sqlite")).unwrap();
    assert_eq!(rows(folder.path()).await.len(), 3);
    drop(open(folder.path()).await.unwrap_err());
    assert_eq!(fs::read(folder.path().join("run.sqlite")).unwrap(), before);

    // What isn't understood is no damage.
    for change in ["ALTER TABLE outcome RENAME code TO word", "UPDATE run SET about = '{}'"] {
        let (folder, _newer) = of(change).await;
        let reader = read(folder.path()).await;
        let told = match &reader {
            Ok(reader) => reader.rows::<LedgerError>(&mut |_| Ok(())).await,
            Err(error) => Err(error.clone()),
        };
        assert!(told.unwrap_err().to_string().contains(NEWER), "{change}");
    }
}

/// A ledger of the first format has no place for a consent until it is sent again. Its log may be lost, and must
/// not come back before that is on record.
#[tokio::test]
async fn a_ledger_of_the_first_format_is_brought_up_once_it_is_sent() {
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 3).await);
    meddle(folder.path()).execute_batch(&taken_back_to(1)).unwrap();
    let format = || {
        let version = meddle(folder.path()).pragma_query_value(None, "user_version", |row| row.get(0));
        version.unwrap_or(-1)
    };
    assert_eq!(read(folder.path()).await.unwrap().consent().await.unwrap(), None);
    assert_eq!(rows(folder.path()).await.len(), 3);
    let ledger = open(folder.path()).await.unwrap();
    assert_eq!(ledger.consent().await.unwrap(), None);
    assert_eq!(format(), 1, "it was only looked at");
    let (journal, _backlog) = ledger.consented(Some(consent(1))).start(clock()).await.unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(format(), VERSION);
    assert_eq!(open(folder.path()).await.unwrap().consent().await.unwrap(), Some(consent(1)));
}

/// What people know referrals by has no place in a ledger of an earlier format, and its plan stays the same without.
#[tokio::test]
async fn a_ledger_of_an_earlier_format_names_nobody_and_is_planned_again_as_it_was() {
    let folder = tempdir().unwrap();
    let mut planning = create(folder.path(), &about()).await.unwrap();
    planning.item(&item(1), None, None, None).unwrap();
    planning.abandon(&RunStats::default()).await.unwrap();
    meddle(folder.path()).execute_batch(&taken_back_to(2)).unwrap();
    let (mut planning, _) = open(folder.path()).await.unwrap().plan_again().await.unwrap();
    planning.row(&RowRecord { matched: Some(matched(1)), ..row(1, Some(1)) }).unwrap();
    planning.item(&item(1), None, None, Some(&subject())).unwrap();
    planning.retract(1).unwrap();
    planning.item(&item(1), None, None, Some(&subject())).unwrap();
    let ledger = planning.seal(&RunStats::default()).await.unwrap();
    let subjects = async || {
        let mut told = Vec::new();
        let each = &mut |item: ItemAccount| {
            told.push(item.subject);
            Ok::<_, LedgerError>(())
        };
        read(folder.path()).await.unwrap().items(each).await.unwrap();
        told
    };
    assert_eq!(subjects().await, [None]);
    let (journal, _backlog) = ledger.start(clock()).await.unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(subjects().await, [None]);
    assert_eq!(rows(folder.path()).await[0].subject, None);
    assert_eq!(rows(folder.path()).await[0].matched, None);
}

/// A format that is not the one that was written would hide what later ones added.
#[tokio::test]
async fn a_format_that_lacks_a_table_which_is_there_is_damage() {
    for format in [1, 2, 3] {
        let folder = tempdir().unwrap();
        drop(planned(folder.path(), 3).await);
        meddle(folder.path()).pragma_update(None, "user_version", format).unwrap();
        let error = open(folder.path()).await.unwrap_err();
        assert!(error.is_damage(), "{error}");
        assert!(error.to_string().contains(&format!("its format is {format}, which has no ")), "{error}");
    }
}

/// The figures of a damaged ledger may be any numbers.
#[tokio::test]
async fn figures_add_up_to_no_more_than_fits() {
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 1).await);
    let most = u64::MAX;
    let figures =
        RunStats { get: most, list: most, token: most, throttled: most, retried: most, ..stats_of(0, 1.0) };
    let text = serde_json::to_string(&figures).unwrap();
    let meddling = meddle(folder.path());
    for _ in 0..2 {
        meddling.execute("INSERT INTO session (checksum, figures) VALUES (0, ?1)", [&text]).unwrap();
    }
    renew_checksums(&meddling);
    assert_eq!(
        read(folder.path()).await.unwrap().stats().await.unwrap(),
        RunStats { patch: 0, seconds: 2.0, ..figures }
    );
}

#[tokio::test]
async fn figures_of_an_earlier_version_lack_what_it_did_not_count() {
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 1).await);
    let now = serde_json::to_string(&RunStats { held_back: 1.5, ..stats_of(0, 1.0) }).unwrap();
    let then = now.replace(",\"held_back\":1.5", "");
    assert_ne!(now, then);
    let meddling = meddle(folder.path());
    meddling.execute("DELETE FROM session", []).unwrap();
    for text in [&then, &now] {
        meddling.execute("INSERT INTO session (checksum, figures) VALUES (0, ?1)", [text]).unwrap();
    }
    renew_checksums(&meddling);
    let sum = read(folder.path()).await.unwrap().stats().await.unwrap();
    assert_eq!((sum.held_back, sum.seconds), (1.5, 2.0));
}
