//! One run from its first row to its report.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::fixtures::*;
use crate::domain::account::{
    FullRow, ItemAccount, Phase, RowRecord, RowStanding, RowText, RunStats, Settled,
};
use crate::domain::exchange::Journaled;
use crate::domain::finding::Finding;
use crate::domain::item::Item;
use crate::domain::level::Level;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::rules::Rule;
use crate::ledger::{
    Address, AttemptResult, Due, Ledger, LedgerError, PlanTotals, ReferralTotals, create, open, read,
};

/// Rows 1 and 4 share an item that is contradictory, 2 is to be applied, 3 to conflict, 5 names no
/// referral, 6 has findings of its own.
async fn plan(run: &Address) -> Ledger {
    let mut planning = create(run, &about()).await.unwrap();
    for (number, of) in [(1, Some(1)), (2, Some(2)), (3, Some(3)), (4, Some(1))] {
        let matched = (number != 3).then(|| matched(number));
        planning.row(&RowRecord { matched, ..row(number, of) }).unwrap();
    }
    let verdict = Some(Verdict::new(Outcome::Invalid, "id", "no id"));
    planning.row(&RowRecord { verdict, text: RowText::Line("{}".to_owned()), ..row(5, None) }).unwrap();
    planning.input(1, &input("b.csv")).unwrap();
    planning.input(0, &input("a.csv")).unwrap();

    let verdict = Some(Verdict::new(Outcome::Invalid, "encoding", "row 6").with_status(Some(400)));
    let findings = vec![
        Finding::deny(Rule::Encoding, place(7), "one"),
        Finding::deny(Rule::Json, place(7), "two").hint("x"),
    ];
    planning.row(&RowRecord { verdict, findings, ..row(6, None) }).unwrap();

    let contradiction = |line, message| Finding::deny(Rule::Contradiction, place(line), message);
    let findings = vec![contradiction(2, "line 5 differs"), contradiction(5, "line 2 differs")];
    planning.item(&Item { findings, ..item(1) }, Some(&settled(Outcome::Invalid)), None, None).unwrap();
    planning.item(&item(2), None, Some(&audit()), Some(&subject())).unwrap();
    planning.item(&item(3), None, None, None).unwrap();
    planning.seal(&stats_of(3, 1.5)).await.unwrap()
}

async fn what_is_written_is_what_is_read(home: Home) {
    let run = home.run("run");
    let ledger = plan(&run).await;
    assert_eq!(ledger.header().phase, Phase::Planned);
    assert_eq!(
        ledger.plan_totals().await.unwrap(),
        PlanTotals { rows: 6, items: 3, to_send: 2, closing: 1, remaining: 2, remaining_closing: 1 }
    );
    drop(ledger);
    let outcomes = async || {
        let told = rows(&run).await.into_iter();
        told.map(|row| row.verdict.code).collect::<Vec<_>>()
    };
    assert_eq!(outcomes().await, ["contradiction", "planned", "planned", "contradiction", "id", "encoding"]);

    let (journal, backlog) = open(&run).await.unwrap().start(clock()).await.unwrap();
    let page = backlog.claim(1).await.unwrap();
    assert_eq!((page[0].item.number, page[0].due, page.len()), (2, Due::Send, 1));
    let rest = backlog.claim(9).await.unwrap();
    assert_eq!((rest[0].item.number, rest.len()), (3, 1));

    let first = journal.intend(&page[0].item).await.unwrap();
    assert_eq!((first.id(), first.etag()), (referral(2), Some(&etag("v1"))));
    assert_eq!(first.document(), item(2).patch.get());
    assert_eq!(first.request_id(), item(2).request_id);
    journal.answered(first.attempt(), answer(AttemptResult::InDoubt));
    let second = journal.intend(&page[0].item).await.unwrap();
    assert!(second.attempt() > first.attempt());
    assert_ne!(second.client_request_id(), first.client_request_id());
    journal.answered(second.attempt(), answer(AttemptResult::Applied));
    let applied = Settled { etag: Some(etag("v2")), ..settled(Outcome::Applied) };
    journal.settled(2, applied).await.unwrap();
    let third = journal.intend(&rest[0].item).await.unwrap();
    journal.answered(third.attempt(), answer(AttemptResult::Refused));
    let theirs = Some(raw(r#"{"/details/notes": 0.10}"#));
    journal.settled(3, Settled { theirs, ..settled(Outcome::Conflict) }).await.unwrap();
    journal.finish(Phase::Finished, &stats_of(4, 2.0)).await.unwrap();
    drop(backlog);

    let told = rows(&run).await;
    assert_eq!(outcomes().await[1..3], ["by-applied", "by-conflict"]);
    let applied = &told[1];
    assert_eq!((applied.attempts, applied.etag.as_ref()), (2, Some(&etag("v2"))));
    assert_eq!(applied.request_ids, [first.client_request_id(), second.client_request_id()]);
    assert_eq!((applied.first_sent, applied.at), (Some(at(0)), Some(at(5))));
    assert_eq!((applied.text.clone(), applied.id), (row(2, None).text, Some(referral(2))));
    assert!(applied.base.is_none() && applied.ours.is_none() && applied.theirs.is_none());
    let side = |side: &Option<Box<RawValue>>| side.as_ref().unwrap().get().to_owned();
    assert_eq!(side(&told[2].base), r#"{"/details/notes":"old"}"#);
    assert_eq!(side(&told[2].ours), r#"{"/details/notes":"new"}"#);
    assert_eq!(side(&told[2].theirs), r#"{"/details/notes": 0.10}"#);
    assert_eq!(
        (told[0].verdict.message.as_str(), told[3].verdict.message.as_str()),
        ("line 5 differs", "line 2 differs")
    );
    assert_eq!((told[0].attempts, told[0].first_sent), (0, None));
    let keys: Vec<_> = told.iter().map(|row| row.matched.clone()).collect();
    assert_eq!(keys, [Some(matched(1)), Some(matched(2)), None, Some(matched(4)), None, None]);
    let mut keys = Vec::new();
    let each = &mut |item: ItemAccount| {
        keys.push(item.matched);
        Ok::<_, LedgerError>(())
    };
    read(&run).await.unwrap().items(each).await.unwrap();
    assert_eq!(keys, [vec![matched(1), matched(4)], vec![matched(2)], vec![]]);
    let subjects: Vec<_> = told.iter().map(|row| row.subject.clone()).collect();
    assert_eq!(subjects, [None, Some(subject()), None, None, None, None]);
    assert_eq!((told[4].text.clone(), told[4].id), (RowText::Line("{}".to_owned()), None));
    assert_eq!((told[5].verdict.status, told[5].findings.len()), (Some(400), 2));

    let reader = read(&run).await.unwrap();
    assert_eq!(reader.header().phase, Phase::Finished);
    assert_eq!(reader.header().spec.correlation_id, about().correlation_id);
    assert_eq!(reader.header().spec.created, about().created);
    assert_eq!(reader.inputs().await.unwrap(), [input("a.csv"), input("b.csv")]);
    let sum = RunStats { get: 7, list: 2, patch: 3, throttled: 4, seconds: 3.5, ..RunStats::default() };
    assert_eq!(reader.stats().await.unwrap(), sum);
    assert_eq!(reader.referrals().await.unwrap(), ReferralTotals { total: 3, changed: 1, closed: 1 });
    assert!(matches!(open(&run).await.unwrap().start(clock()).await, Err(LedgerError::Finished { .. })));
}

async fn the_account_of_the_plan_does_not_change_as_the_run_goes_on(home: Home) {
    let run = home.run("run");
    let account = async || {
        let mut told = Vec::new();
        let reader = read(&run).await.unwrap();
        reader
            .items::<LedgerError>(&mut |item| {
                told.push(format!("{item:?}"));
                Ok(())
            })
            .await
            .unwrap();
        told
    };
    let ledger = plan(&run).await;
    let before = account().await;
    assert_eq!(before.len(), 3);
    assert!(before[1].contains(&format!("{:?}", audit())) && before[2].contains("audit: None"));
    assert!(
        before[0].contains("by-invalid") && before[0].contains("line: 2,") && before[0].contains("line: 5,")
    );
    let (journal, _) = ledger.start(clock()).await.unwrap();
    let rebased = Item { etag: Some(etag("v7")), patch: raw("[]"), ..item(2) };
    journal.intend(&Arc::new(rebased)).await.unwrap();
    journal.settled(2, settled(Outcome::Applied)).await.unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(account().await, before);
}

/// Whoever shows a run needs an item and its rows at a time, and nothing of the others.
async fn an_item_is_told_with_its_rows_as_they_stand(home: Home) {
    let run = home.run("run");
    let ledger = plan(&run).await;
    let told = async || {
        let mut told = Vec::new();
        let each = &mut |item: ItemAccount, rows: Vec<RowStanding>| {
            assert_eq!(item.rows, rows.iter().map(|row| row.place).collect::<Vec<_>>());
            let rows = rows.iter().map(|row| format!("{} {}", row.place.line, row.verdict.code));
            told.push((item.item.number, rows.collect::<Vec<_>>().join(", ")));
            Ok::<_, LedgerError>(())
        };
        read(&run).await.unwrap().items_with_rows(each).await.unwrap();
        told
    };
    let of = |number, rows: &str| (number, rows.to_owned());
    let invalid = of(1, "2 contradiction, 5 contradiction");
    assert_eq!(told().await, [invalid.clone(), of(2, "3 planned"), of(3, "4 planned")]);
    let (journal, backlog) = ledger.start(clock()).await.unwrap();
    let page = backlog.claim(9).await.unwrap();
    let ticket = journal.intend(&page[0].item).await.unwrap();
    journal.answered(ticket.attempt(), answer(AttemptResult::Applied));
    journal.settled(2, settled(Outcome::Applied)).await.unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(told().await, [invalid, of(2, "3 by-applied"), of(3, "4 unsent")]);

    let run = home.run("abandoned");
    let mut planning = create(&run, &about()).await.unwrap();
    planning.input(0, &input("a.csv")).unwrap();
    for (number, of) in [(1, 1), (2, 3), (3, 2), (4, 3)] {
        planning.row(&row(number, Some(of))).unwrap();
    }
    planning.item(&item(1), None, None, None).unwrap();
    planning.item(&item(3), None, None, None).unwrap();
    planning.abandon(&RunStats::default()).await.unwrap();
    let mut told = Vec::new();
    let each = &mut |item: ItemAccount, rows: Vec<RowStanding>| {
        told.push((item.item.number, rows.len()));
        Ok::<_, LedgerError>(())
    };
    read(&run).await.unwrap().items_with_rows(each).await.unwrap();
    assert_eq!(told, [(1, 1), (3, 2)]);
}

/// Returns what is told of rows and items together, and makes sure that it is what is told of them one after the other.
async fn together(run: &Address) -> [Vec<String>; 2] {
    let reader = read(run).await.unwrap();
    let (mut rows, mut items) = (Vec::new(), Vec::new());
    let each_row = &mut |row: &FullRow| {
        rows.push(format!("{row:?}"));
        Ok::<_, LedgerError>(())
    };
    let each_item = &mut |item: &ItemAccount| {
        items.push(format!("{item:?}"));
        Ok(())
    };
    reader.rows_and_items(each_row, each_item).await.unwrap();
    let (mut apart, mut items_apart) = (Vec::new(), Vec::new());
    let each_row = &mut |row: FullRow| {
        apart.push(format!("{row:?}"));
        Ok::<_, LedgerError>(())
    };
    reader.full_rows(each_row).await.unwrap();
    let each_item = &mut |item: ItemAccount| {
        items_apart.push(format!("{item:?}"));
        Ok::<_, LedgerError>(())
    };
    reader.items(each_item).await.unwrap();
    assert_eq!(rows, apart);
    assert_eq!(items, items_apart);
    [rows, items]
}

async fn rows_and_items_can_be_told_together(home: Home) {
    let run = home.run("run");
    let ledger = plan(&run).await;
    assert_eq!(together(&run).await.each_ref().map(Vec::len), [6, 3]);
    let (journal, backlog) = ledger.start(clock()).await.unwrap();
    let page = backlog.claim(9).await.unwrap();
    let ticket = journal.intend(&page[0].item).await.unwrap();
    journal.answered(ticket.attempt(), answer(AttemptResult::Applied));
    journal.settled(2, settled(Outcome::Applied)).await.unwrap();
    journal.settled(3, settled(Outcome::Conflict)).await.unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(together(&run).await.each_ref().map(Vec::len), [6, 3]);

    // Findings of the item and of each of its rows, which are not beside each other.
    let run = home.run("findings");
    let mut planning = create(&run, &about()).await.unwrap();
    planning.input(0, &input("a.csv")).unwrap();
    let warning =
        |line| Finding { level: Level::Warn, ..Finding::deny(Rule::EarlyWin, place(line), "early") };
    for (number, of) in [(1, 1), (2, 2), (3, 1), (4, 2), (5, 1)] {
        let findings = vec![warning(number + 1)];
        planning.row(&RowRecord { findings, ..row(number, Some(of)) }).unwrap();
    }
    for number in [2, 1] {
        let findings = vec![warning(number + 1), warning(number + 3)];
        planning.item(&Item { findings, ..item(number) }, None, None, None).unwrap();
    }
    drop(planning.seal(&RunStats::default()).await.unwrap());
    assert_eq!(together(&run).await.each_ref().map(Vec::len), [5, 2]);

    // Where an item lacks its first row, and where not all rows were read.
    let run = home.run("loose");
    let mut planning = create(&run, &about()).await.unwrap();
    planning.item(&item(2), None, None, None).unwrap();
    drop(planning.seal(&RunStats::default()).await.unwrap());
    assert_eq!(together(&run).await.each_ref().map(Vec::len), [0, 1]);
    let run = home.run("abandoned");
    let mut planning = create(&run, &about()).await.unwrap();
    planning.row(&row(1, Some(1))).unwrap();
    planning.item(&item(1), None, None, None).unwrap();
    planning.abandon(&RunStats::default()).await.unwrap();
    assert_eq!(together(&run).await.each_ref().map(Vec::len), [0, 1]);
}

async fn whoever_listens_can_stop_the_telling(home: Home) {
    let run = home.run("run");
    drop(planned(&run, 3).await);
    let mut told = 0;
    let stopped = read(&run)
        .await
        .unwrap()
        .rows::<std::io::Error>(&mut |_| {
            told += 1;
            Err(std::io::Error::other("the disk is full"))
        })
        .await;
    assert_eq!((told, stopped.unwrap_err().to_string().as_str()), (1, "the disk is full"));
}

/// What was taken in part changed its referral, and closed it unless the stage is among what was not taken.
async fn a_closing_that_went_through_is_one_though_other_fields_were_not_taken(home: Home) {
    let cases = [
        (Outcome::Applied, None, 1, 1),
        (Outcome::Partial, Some(r#"{"/statusReason":null}"#), 1, 1),
        (Outcome::Partial, Some(r#"{"/substatus":"Won"}"#), 1, 1),
        (Outcome::Partial, Some(r#"{"/status":"Active","/substatus":"Accepted"}"#), 1, 0),
        (Outcome::Partial, Some(r#"{"/status":null}"#), 1, 0),
        (Outcome::Conflict, Some(r#"{"/statusReason":null}"#), 0, 0),
        (Outcome::Failed, None, 0, 0),
    ];
    for (number, (outcome, theirs, changed, closed)) in cases.into_iter().enumerate() {
        let run = home.run(&number.to_string());
        let mut planning = create(&run, &about()).await.unwrap();
        planning.item(&item(2), None, None, None).unwrap();
        let (journal, _) = planning.seal(&RunStats::default()).await.unwrap().start(clock()).await.unwrap();
        let settled = Settled { theirs: theirs.map(raw), ..settled(outcome) };
        journal.settled(2, settled).await.unwrap();
        journal.finish(Phase::Finished, &RunStats::default()).await.unwrap();
        let told = read(&run).await.unwrap().referrals().await.unwrap();
        assert_eq!(told, ReferralTotals { total: 1, changed, closed }, "{outcome:?} {theirs:?}");
    }
}

on_every_backend!(
    what_is_written_is_what_is_read,
    the_account_of_the_plan_does_not_change_as_the_run_goes_on,
    an_item_is_told_with_its_rows_as_they_stand,
    rows_and_items_can_be_told_together,
    whoever_listens_can_stop_the_telling,
    a_closing_that_went_through_is_one_though_other_fields_were_not_taken,
);
