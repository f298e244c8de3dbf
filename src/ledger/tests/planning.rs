//! Plans: what is taken in is what is read, and nothing of one that is not complete can be sent.

use std::collections::BTreeSet;

use super::fixtures::*;
use crate::domain::account::{InputInfo, Phase, RowRecord, RowText, RunStats};
use crate::domain::audit::{Audit, Class};
use crate::domain::finding::Location;
use crate::domain::item::Item;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::run_spec::{Migrating, RunSpec};
use crate::ledger::{Address, LedgerError, create, open, read};

async fn what_was_read_of_a_row_comes_back_to_the_letter(home: Home) {
    let lines = [
        "",
        "{}",
        r#"{"a":"\"\\\n\u0000é","b":[1.0,null]}"#,
        " {\"a\":1}",
        "{not JSON\r\n",
        "{\"a\":\"\0\"}",
        "[\"a\"]",
        "\"a\"",
        "null",
        "\u{feff}{}",
    ];
    let mut texts: Vec<RowText> = lines.map(|line| RowText::Line(line.to_owned())).to_vec();
    texts.push(RowText::Cells(lines.map(str::to_owned).to_vec()));
    texts.push(RowText::Cells(Vec::new()));
    let run = home.run("run");
    let mut planning = create(&run, &about()).await.unwrap();
    for (number, text) in (1..).zip(&texts) {
        let verdict = Some(Verdict::new(Outcome::Invalid, "id", "no id"));
        planning.row(&RowRecord { verdict, text: text.clone(), ..row(number, None) }).unwrap();
    }
    for (number, text) in (1..).zip(&texts) {
        assert_eq!(&planning.text_of(number).unwrap(), text);
    }
    drop(planning.seal(&RunStats::default()).await.unwrap());
    let told: Vec<RowText> = rows(&run).await.into_iter().map(|row| row.text).collect();
    assert_eq!(told, texts);
}

async fn a_plan_that_is_not_complete_cannot_be_sent(home: Home) {
    let run = home.run("abandoned");
    let mut planning = create(&run, &about()).await.unwrap();
    planning.row(&row(1, Some(1))).unwrap();
    planning.input(0, &input("a.csv")).unwrap();
    planning.row(&RowRecord { place: Location { input: 1, ..place(2) }, ..row(2, None) }).unwrap();
    planning.abandon(&stats_of(2, 1.0)).await.unwrap();
    let told = rows(&run).await;
    assert_eq!(told.len(), 1, "the second input was not read to its end");
    assert_eq!(told[0].verdict.code, "not-planned");
    assert_eq!(read(&run).await.unwrap().stats().await.unwrap().get, 2);
    let ledger = open(&run).await.unwrap();
    assert_eq!(ledger.header().phase, Phase::Planning);
    assert!(matches!(ledger.start(clock()).await, Err(LedgerError::Unplanned { .. })));

    let run = home.run("dropped");
    let mut planning = create(&run, &about()).await.unwrap();
    planning.row(&row(1, Some(1))).unwrap();
    drop(planning);
    assert!(rows(&run).await.is_empty());
    assert_eq!(read(&run).await.unwrap().header().phase, Phase::Planning);

    let run = home.run("loose");
    let mut planning = create(&run, &about()).await.unwrap();
    planning.row(&row(1, Some(1))).unwrap();
    planning.item(&item(1), None, None, None).unwrap();
    planning.row(&row(2, Some(2))).unwrap();
    let error = planning.seal(&RunStats::default()).await.unwrap_err();
    assert!(matches!(error, LedgerError::Loose { row: 2, .. }), "{error}");
    assert_eq!(read(&run).await.unwrap().header().phase, Phase::Planning);
}

async fn a_plan_that_is_not_complete_can_be_made_again(home: Home) {
    let run = home.run("run");
    let mut planning = create(&run, &about()).await.unwrap();
    planning.row(&row(1, Some(1))).unwrap();
    planning.row(&row(2, Some(2))).unwrap();
    planning.item(&item(1), None, None, None).unwrap();
    planning.input(0, &input("a.csv")).unwrap();
    planning.abandon(&stats_of(2, 1.0)).await.unwrap();

    // Whatever happens before the new plan is written leaves the old one.
    let (planning, before) = open(&run).await.unwrap().plan_again().await.unwrap();
    assert_eq!(before, [input("a.csv")]);
    drop(planning);
    assert_eq!(rows(&run).await.len(), 2);

    // Nor is it forgotten what the inputs were, as often as it is begun.
    for _ in 0..2 {
        let (mut planning, before) = open(&run).await.unwrap().plan_again().await.unwrap();
        assert_eq!(before, [input("a.csv")]);
        planning.row(&row(1, Some(1))).unwrap();
        planning.keep().await.unwrap();
    }
    assert!(rows(&run).await.is_empty(), "no input was read to its end");

    let (mut planning, before) = open(&run).await.unwrap().plan_again().await.unwrap();
    assert_eq!(before, [input("a.csv")]);
    assert_eq!(planning.header().spec.correlation_id, about().correlation_id);
    planning.row(&row(1, Some(1))).unwrap();
    planning.item(&item(1), None, None, None).unwrap();
    planning.input(0, &InputInfo { rows: 1, ..input("a.csv") }).unwrap();
    planning.seal(&stats_of(3, 1.0)).await.unwrap();
    assert_eq!(rows(&run).await.len(), 1);
    assert_eq!(
        read(&run).await.unwrap().stats().await.unwrap().get,
        5,
        "what was asked for twice counts twice"
    );
    let error = open(&run).await.unwrap().plan_again().await.unwrap_err();
    assert!(matches!(error, LedgerError::Exists { .. }), "{error}");
}

async fn items_come_in_any_order_and_are_told_in_theirs(home: Home) {
    let run = home.run("run");
    let mut planning = create(&run, &about()).await.unwrap();
    for number in [3, 1, 5, 2, 4] {
        planning.row(&row(number, Some(number))).unwrap();
        let etag = (number != 2).then(|| etag(&format!("v{number}")));
        let unchanged = (number == 5).then(|| settled(Outcome::Unchanged));
        planning.item(&Item { etag, ..item(number) }, unchanged.as_ref(), None, None).unwrap();
    }
    drop(planning.seal(&RunStats::default()).await.unwrap());
    let mut told = Vec::new();
    let read = read(&run)
        .await
        .unwrap()
        .items::<LedgerError>(&mut |account| {
            let etag = account.item.etag.map(|etag| etag.to_string());
            assert_eq!((account.item.id, account.rows.len()), (referral(account.item.number), 1));
            told.push((account.item.number, etag, account.planned.map(|verdict| verdict.outcome)));
            Ok(())
        })
        .await;
    read.unwrap();
    let version = |number| Some(format!("\"v{number}\""));
    let wanted = [
        (1, version(1), None),
        (2, None, None),
        (3, version(3), None),
        (4, version(4), None),
        (5, version(5), Some(Outcome::Unchanged)),
    ];
    assert_eq!(told, wanted);
}

async fn one_item_a_referral_and_one_row_an_ordinal(home: Home) {
    let run = home.run("rows");
    let mut planning = create(&run, &about()).await.unwrap();
    planning.row(&row(1, Some(1))).unwrap();
    planning.row(&row(1, Some(1))).unwrap_err();
    planning.item(&item(1), None, None, None).unwrap();
    planning.seal(&RunStats::default()).await.unwrap();
    assert_eq!(rows(&run).await.len(), 1);

    let others = [Item { id: referral(1), ..item(2) }, Item { id: referral(2), ..item(1) }];
    for (other, name) in others.into_iter().zip(["one referral", "one number"]) {
        let run = home.run(name);
        let mut planning = create(&run, &about()).await.unwrap();
        planning.item(&item(1), None, None, None).unwrap();
        planning.item(&other, None, None, None).unwrap();
        planning.seal(&RunStats::default()).await.unwrap_err();
        assert_eq!(read(&run).await.unwrap().header().phase, Phase::Planning);
    }
}

/// What the rows of a plan that was given up come to in the audit: an item with an audit, one without,
/// no item because of a verdict, no item yet.
async fn audited(run: &Address, about: &RunSpec) -> Vec<Option<Audit>> {
    let mut planning = create(run, about).await.unwrap();
    let verdict = Some(Verdict::new(Outcome::Invalid, "json", "cut off"));
    for row in [row(1, Some(1)), row(2, Some(2)), RowRecord { verdict, ..row(3, None) }, row(4, Some(4))] {
        planning.row(&row).unwrap();
    }
    planning.input(0, &input("a.jsonl")).unwrap();
    planning.item(&item(1), None, Some(&audit()), None).unwrap();
    planning.item(&item(2), None, None, None).unwrap();
    planning.abandon(&RunStats::default()).await.unwrap();
    rows(run).await.into_iter().map(|row| row.audit).collect()
}

async fn every_payload_has_its_part_in_the_audit_and_a_missing_one_shows(home: Home) {
    let mut about = about();
    assert_eq!(audited(&home.run("changes"), &about).await, [Some(audit()), None, None, None]);
    about.asked.migrating = Some(Migrating { take: BTreeSet::new(), base: None, patches: None });
    let [invalid, left] = [Class::Invalid, Class::NotCompared].map(|class| Some(Audit::uncompared(class)));
    assert_eq!(audited(&home.run("payloads"), &about).await, [Some(audit()), None, invalid, left]);
}

on_every_backend!(
    what_was_read_of_a_row_comes_back_to_the_letter,
    a_plan_that_is_not_complete_cannot_be_sent,
    a_plan_that_is_not_complete_can_be_made_again,
    items_come_in_any_order_and_are_told_in_theirs,
    one_item_a_referral_and_one_row_an_ordinal,
    every_payload_has_its_part_in_the_audit_and_a_missing_one_shows,
);
