//! Single rows and items, looked up: what is told of them is what a reader tells, and every attempt and step.

use std::sync::Arc;
use std::time::Duration;

use super::fixtures::*;
use super::verified::part;
use crate::domain::account::{InputInfo, Phase, RowAccount, RowRecord, RunStats};
use crate::domain::approval::Approval;
use crate::domain::finding::Location;
use crate::domain::item::Item;
use crate::domain::outcome::Outcome;
use crate::domain::step::{Found, Look, NextMove, Step, StepKind, StepTaken, Waits};
use crate::ledger::{Address, AttemptResult, LineOfInput, Lookup, create, look_up, open, read};

fn line(input: u32, line: u64) -> LineOfInput {
    LineOfInput { input, line, column: None }
}

fn ordinals(rows: &[RowAccount]) -> Vec<u64> {
    rows.iter().map(|row| row.row).collect()
}

async fn looked_up(run: &Address) -> Lookup {
    look_up(run).await.unwrap()
}

/// Rows of several inputs, with lines in between on which none begins, and lines on which several do.
async fn a_row_is_found_by_its_place(home: Home) {
    let run = home.run("run");
    let mut planning = create(&run, &about()).await.unwrap();
    let places = [(0, 2, 1), (0, 3, 1), (0, 7, 1), (1, 1, 2), (1, 1, 40), (1, 1, 80), (1, 9, 1), (4, 5, 1)];
    for number in 0..5 {
        let rows = places.iter().filter(|place| place.0 == number).count() as u64;
        planning.input(number, &InputInfo { rows, ..input("changes.csv") }).unwrap();
    }
    for (at, (input, line, column)) in places.into_iter().enumerate() {
        let number = at as u64 + 1;
        let place = Location { input, line, column };
        planning.row(&RowRecord { place, ..row(number, Some(number)) }).unwrap();
        planning.item(&item(number), None, None, None).unwrap();
    }
    drop(planning.seal(&RunStats::default()).await.unwrap());
    let lookup = looked_up(&run).await;
    for input in 0..6 {
        for number in 0..12 {
            let at = line(input, number);
            let of_input = || (1..).zip(places).filter(|(_, place)| place.0 == input);
            let wanted: Vec<u64> =
                of_input().filter(|(_, place)| place.1 == number).map(|(row, _)| row).collect();
            assert_eq!(ordinals(&lookup.rows_at(at, 10).await.unwrap()), wanted, "{at:?}");
            assert_eq!(lookup.lacks(at).await.unwrap(), wanted.is_empty(), "{at:?}");
            let before = of_input().filter(|(_, place)| place.1 < number).last();
            let behind = of_input().find(|(_, place)| place.1 > number);
            let beside = lookup.rows_beside(at).await.unwrap();
            let wanted = [before, behind].map(|found| found.map(|(row, _)| row));
            assert_eq!(beside.map(|row| row.map(|row| row.row)), wanted, "{at:?}");
        }
    }
    assert_eq!(ordinals(&lookup.rows_at(line(1, 1), 2).await.unwrap()), [4, 5]);
    for (column, wanted) in [(2, &[4][..]), (40, &[5]), (41, &[]), (80, &[6])] {
        let at = LineOfInput { column: Some(column), ..line(1, 1) };
        assert_eq!(ordinals(&lookup.rows_at(at, 10).await.unwrap()), wanted, "{column}");
        assert_eq!(lookup.lacks(at).await.unwrap(), wanted.is_empty(), "{column}");
    }
}

async fn what_is_looked_up_is_what_a_reader_tells(home: Home) {
    let run = home.run("run");
    let mut planning = create(&run, &about()).await.unwrap();
    planning.input(0, &input("changes.csv")).unwrap();
    for number in 1..=4 {
        let matched = Some(matched(number));
        planning.row(&RowRecord { matched, ..row(number, Some(number)) }).unwrap();
        planning.item(&item(number), None, None, Some(&subject())).unwrap();
    }
    planning.row(&row(5, Some(2))).unwrap();
    let nobodys = RowRecord { verdict: Some(settled(Outcome::Invalid).verdict), ..row(6, None) };
    planning.row(&nobodys).unwrap();
    drop(planning.seal(&RunStats::default()).await.unwrap());
    for consented in [None, Some(consent(1)), Some(consent(2))] {
        let told = rows(&run).await;
        let lookup = looked_up(&run).await;
        for row in &told {
            let found = lookup.rows_at(line(0, row.place.line), 10).await.unwrap();
            assert_eq!(format!("{found:?}"), format!("{:?}", [row]));
        }
        for number in 1..=4 {
            let named = lookup.rows_naming(referral(number)).await.unwrap();
            let wanted: Vec<_> = told.iter().filter(|row| row.id == Some(referral(number))).collect();
            assert_eq!(format!("{named:?}"), format!("{wanted:?}"));
            let life = lookup.item_life(number).await.unwrap().unwrap();
            assert_eq!(life.account.rows, wanted.iter().map(|row| row.place).collect::<Vec<_>>());
            assert_eq!(life.attempts.len(), wanted[0].request_ids.len());
        }
        assert!(lookup.rows_naming(referral(9)).await.unwrap().is_empty());
        let mut names = Vec::new();
        lookup.each_name(&mut |id, place| names.push((Some(id), place))).await.unwrap();
        let wanted = told.iter().filter(|row| row.id.is_some()).map(|row| (row.id, row.place));
        assert_eq!(names, wanted.collect::<Vec<_>>());
        let engagement = subject().engagement.unwrap();
        let of_it = lookup.of_engagement(engagement).await.unwrap();
        assert_eq!(of_it, [1, 2, 3, 4].map(referral));
        assert_eq!(lookup.of_engagement(referral(1)).await.unwrap(), []);
        assert!(lookup.item_life(9).await.unwrap().is_none());
        assert_eq!(lookup.inputs().await.unwrap(), [input("changes.csv")]);
        drop(lookup);
        let ledger = match &consented {
            None => continue,
            Some(_) => open(&run).await.unwrap().consented(consented.clone()),
        };
        let (journal, _backlog) = ledger.start(clock()).await.unwrap();
        let ticket = journal.intend(&Arc::new(item(1))).await.unwrap();
        journal.answered(ticket.attempt(), answer(AttemptResult::Throttled));
        journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    }
}

async fn every_consent_and_approval_is_told(home: Home) {
    let run = home.run("run");
    drop(planned(&run, 1).await);
    assert!(looked_up(&run).await.consents().await.unwrap().is_empty());
    for second in [1, 2] {
        let ledger = open(&run).await.unwrap().consented(Some(consent(second)));
        let (journal, _backlog) = ledger.start(clock()).await.unwrap();
        journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    }
    let lookup = looked_up(&run).await;
    assert_eq!(lookup.consents().await.unwrap(), [consent(1), consent(2)]);
    assert_eq!(lookup.approvals().await.unwrap(), [] as [Approval; 0]);
}

async fn attempts_and_steps_come_back_as_they_were(home: Home) {
    let run = home.run("run");
    let (journal, _backlog) = planned(&run, 2).await.start(clock()).await.unwrap();
    let ms = Duration::from_millis;
    let waits = Waits { rate: ms(1_500), pause: ms(2), ..Waits::default() };
    let look = Look {
        found: Found::Conflict,
        etag: Some(etag("v2")),
        status: Some(200),
        client_request_id: Some(uuid::Uuid::from_u128(5)),
        again: false,
        waits: Waits { held_back: ms(7), back_off: ms(500), ..Waits::default() },
    };
    let rebased = Item { etag: Some(etag("v2")), patch: raw("[1]"), ..item(1) };
    let first = journal.intend_after(waits, &Arc::new(item(1))).await.unwrap().attempt();
    journal.answered(first, answer(AttemptResult::Mismatched));
    let steps = [
        (Some(first), StepKind::Decided { next: NextMove::Recheck }),
        (Some(first), StepKind::Looked(look)),
        (Some(first), StepKind::Rebased { from: Some(etag("v1")), to: Some(etag("v2")) }),
    ];
    for (attempt, kind) in &steps {
        journal.stepped(1, *attempt, kind.clone());
    }
    // Not worth a record.
    let short = Waits { rate: Duration::from_micros(999), ..Waits::default() };
    let second = journal.intend_after(short, &Arc::new(rebased)).await.unwrap().attempt();
    let withdrawn = journal.intend(&Arc::new(item(2))).await.unwrap();
    journal.withdrawn(withdrawn);
    journal.stepped(2, None, StepKind::Withdrawn);
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();

    let lookup = looked_up(&run).await;
    let life = lookup.item_life(1).await.unwrap().unwrap();
    let attempts: Vec<_> = life
        .attempts
        .iter()
        .map(|attempt| (attempt.number, attempt.etag.clone(), attempt.document.as_ref().map(|it| it.get())))
        .collect();
    let number = |attempt: crate::ledger::AttemptId| attempt.number().cast_unsigned();
    assert_eq!(
        attempts,
        [(number(first), Some(etag("v1")), None), (number(second), Some(etag("v2")), Some("[1]"))]
    );
    assert_eq!(life.attempts[0].answer, Some(answer(AttemptResult::Mismatched)));
    assert_eq!(life.attempts[1].answer, None);
    let step = |attempt: Option<u64>, kind: &StepKind| Step {
        attempt,
        taken: StepTaken { at: at(0), kind: kind.clone() },
    };
    let waited = step(Some(number(first)), &StepKind::Waited(waits));
    let others = steps.iter().map(|(attempt, kind)| step(attempt.map(number), kind));
    assert_eq!(life.steps, [waited].into_iter().chain(others).collect::<Vec<_>>());
    let other = lookup.item_life(2).await.unwrap().unwrap();
    assert!(other.attempts.is_empty());
    assert_eq!(other.steps, [step(None, &StepKind::Withdrawn)]);
    // They change nothing about what is due, nor about what a report tells.
    assert_eq!(read(&run).await.unwrap().stats().await.unwrap().patch, 2);
    assert_eq!(open(&run).await.unwrap().plan_totals().await.unwrap().remaining, 2);
}

async fn what_was_verified_last_is_told(home: Home) {
    let run = home.run("run");
    let (journal, _backlog) = planned(&run, 1).await.start(clock()).await.unwrap();
    journal.settled(1, settled(Outcome::Applied)).await.unwrap();
    journal.finish(Phase::Finished, &RunStats::default()).await.unwrap();
    assert!(looked_up(&run).await.item_life(1).await.unwrap().unwrap().verified.is_none());
    open(&run).await.unwrap().keep_verified(&part(1, 7, &[1])).await.unwrap();
    let told = looked_up(&run).await.item_life(1).await.unwrap().unwrap().verified;
    let (_, wanted) = read(&run).await.unwrap().last_verified(1).await.unwrap().unwrap();
    assert_eq!(format!("{told:?}"), format!("{:?}", Some(wanted)));
}

async fn a_step_of_no_item_is_not_written(home: Home) {
    let run = home.run("run");
    let (journal, _backlog) = planned(&run, 1).await.start(clock()).await.unwrap();
    journal.stepped(9, None, StepKind::Withdrawn);
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap_err();
}

on_every_backend!(
    a_row_is_found_by_its_place,
    what_is_looked_up_is_what_a_reader_tells,
    every_consent_and_approval_is_told,
    attempts_and_steps_come_back_as_they_were,
    what_was_verified_last_is_told,
    a_step_of_no_item_is_not_written,
);
