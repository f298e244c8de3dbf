//! What was consented to is on record before anything is sent.

use super::fixtures::*;
use crate::domain::account::{Phase, RunStats};
use crate::ledger::{open, read};

async fn a_consent_is_on_record_before_there_is_any_intent(home: Home) {
    let run = home.run("run");
    let ledger = planned(&run, 3).await;
    assert_eq!(ledger.consent().await.unwrap(), None);
    let (journal, _backlog) = ledger.consented(Some(consent(1))).start(clock()).await.unwrap();
    // As whoever looks at it now would find it, and after a kill.
    assert_eq!(read(&run).await.unwrap().consent().await.unwrap(), Some(consent(1)));
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();

    let again = open(&run).await.unwrap();
    assert_eq!(again.consent().await.unwrap(), Some(consent(1)));
    let (journal, _backlog) = again.start(clock()).await.unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(open(&run).await.unwrap().consent().await.unwrap(), Some(consent(1)), "nothing new was said");

    let (journal, _backlog) =
        open(&run).await.unwrap().consented(Some(consent(2))).start(clock()).await.unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(read(&run).await.unwrap().consent().await.unwrap(), Some(consent(2)), "the last word counts");
}

on_every_backend!(a_consent_is_on_record_before_there_is_any_intent,);
