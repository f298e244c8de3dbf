//! What was consented to is on record before anything is sent.

use tempfile::tempdir;

use super::super::sqlite::schema::VERSION;
use super::super::{open, read};
use super::*;
use crate::domain::account::Phase;

#[tokio::test]
async fn a_consent_is_on_disk_before_there_is_any_intent() {
    let folder = tempdir().unwrap();
    let ledger = planned(folder.path(), 3);
    assert_eq!(ledger.consent().unwrap(), None);
    let (journal, _backlog) = ledger.consented(Some(consent(1))).start(clock()).unwrap();
    // As whoever looks at it now would find it, and after a kill.
    assert_eq!(read(folder.path()).unwrap().consent().unwrap(), Some(consent(1)));
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();

    let again = open(folder.path()).unwrap();
    assert_eq!(again.consent().unwrap(), Some(consent(1)));
    let (journal, _backlog) = again.start(clock()).unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(open(folder.path()).unwrap().consent().unwrap(), Some(consent(1)), "nothing new was said");

    let (journal, _backlog) =
        open(folder.path()).unwrap().consented(Some(consent(2))).start(clock()).unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(read(folder.path()).unwrap().consent().unwrap(), Some(consent(2)), "the last word counts");
}

/// A ledger of the first format has no place for a consent until it is sent again. Its log may be lost, and must
/// not come back before that is on record.
#[tokio::test]
async fn a_ledger_of_the_first_format_is_brought_up_once_it_is_sent() {
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 3));
    meddle(folder.path()).execute_batch("DROP TABLE consent; PRAGMA user_version = 1").unwrap();
    let format = || {
        let version = meddle(folder.path()).pragma_query_value(None, "user_version", |row| row.get(0));
        version.unwrap_or(-1)
    };
    assert_eq!(read(folder.path()).unwrap().consent().unwrap(), None);
    assert_eq!(rows(folder.path()).len(), 3);
    let ledger = open(folder.path()).unwrap();
    assert_eq!(ledger.consent().unwrap(), None);
    assert_eq!(format(), 1, "it was only looked at");
    let (journal, _backlog) = ledger.consented(Some(consent(1))).start(clock()).unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(format(), VERSION);
    assert_eq!(open(folder.path()).unwrap().consent().unwrap(), Some(consent(1)));
}
