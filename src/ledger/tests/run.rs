//! One run from its first row to its report.

use std::sync::Arc;

use tempfile::tempdir;

use super::super::{AttemptResult, LedgerError, Next, PlanTotals, Referrals, create, open, read};
use super::*;
use crate::domain::account::{Format, InputInfo, Migrating, Phase};
use crate::domain::exchange::Journaled;
use crate::domain::finding::Finding;
use crate::domain::rules::Rule;
use crate::domain::text_form::TextForm;

fn input(path: &str) -> InputInfo {
    InputInfo {
        path: path.to_owned(),
        sha256: "00ff".to_owned(),
        rows: 6,
        format: Format::Csv,
        form: TextForm::default(),
        columns: vec!["id".to_owned(), "Ünïcode".to_owned()],
    }
}

fn figures(get: u64, seconds: f64) -> RunStats {
    RunStats { get, list: 1, patch: 99, throttled: 2, seconds, ..RunStats::default() }
}

/// Rows 1 and 4 share an item that is contradictory, 2 is to be applied, 3 to conflict, 5 names no
/// referral, 6 has findings of its own.
fn plan(dir: &std::path::Path) -> Ledger {
    let mut planning = create(dir, &about()).unwrap();
    for (number, of) in [(1, Some(1)), (2, Some(2)), (3, Some(3)), (4, Some(1))] {
        planning.row(&row(number, of)).unwrap();
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
    planning.item(&Item { findings, ..item(1) }, Some(&super::settled(Outcome::Invalid)), None).unwrap();
    planning.item(&item(2), None, Some(&audit())).unwrap();
    planning.item(&item(3), None, None).unwrap();
    planning.seal(&figures(3, 1.5)).unwrap()
}

#[test]
fn what_was_read_of_a_row_comes_back_to_the_letter() {
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
    let folder = tempdir().unwrap();
    let mut planning = create(folder.path(), &about()).unwrap();
    for (number, text) in (1..).zip(&texts) {
        let verdict = Some(Verdict::new(Outcome::Invalid, "id", "no id"));
        planning.row(&RowRecord { verdict, text: text.clone(), ..row(number, None) }).unwrap();
    }
    for (number, text) in (1..).zip(&texts) {
        assert_eq!(&planning.text_of(number).unwrap(), text);
    }
    drop(planning.seal(&RunStats::default()).unwrap());
    let told: Vec<RowText> = rows(folder.path()).into_iter().map(|row| row.text).collect();
    assert_eq!(told, texts);
}

#[tokio::test]
async fn what_is_written_is_what_is_read() {
    let folder = tempdir().unwrap();
    let dir = folder.path().join("run");
    let ledger = plan(&dir);
    assert_eq!(ledger.phase(), Phase::Planned);
    assert_eq!(
        ledger.plan_totals().unwrap(),
        PlanTotals { rows: 6, items: 3, to_send: 2, closing: 1, remaining: 2, remaining_closing: 1 }
    );
    drop(ledger);
    let outcomes = |dir| rows(dir).into_iter().map(|row| row.verdict.code).collect::<Vec<_>>();
    assert_eq!(outcomes(&dir), ["contradiction", "planned", "planned", "contradiction", "id", "encoding"]);

    let (journal, backlog) = open(&dir).unwrap().start(clock()).unwrap();
    let page = backlog.outstanding(0, 1).unwrap();
    assert_eq!((page[0].item.number, page[0].next, page.len()), (2, Next::Send, 1));
    let rest = backlog.outstanding(2, 9).unwrap();
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
    let applied = Settled { etag: Some(etag("v2")), ..super::settled(Outcome::Applied) };
    journal.settled(2, applied).await.unwrap();
    let third = journal.intend(&rest[0].item).await.unwrap();
    journal.answered(third.attempt(), answer(AttemptResult::Refused));
    let theirs = Some(raw(r#"{"/details/notes": 0.10}"#));
    journal.settled(3, Settled { theirs, ..super::settled(Outcome::Conflict) }).await.unwrap();
    journal.finish(Phase::Finished, &figures(4, 2.0)).await.unwrap();
    drop(backlog);

    let told = rows(&dir);
    assert_eq!(outcomes(&dir)[1..3], ["by-applied", "by-conflict"]);
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
    assert_eq!((told[4].text.clone(), told[4].id), (RowText::Line("{}".to_owned()), None));
    assert_eq!((told[5].verdict.status, told[5].findings.len()), (Some(400), 2));

    let reader = read(&dir).unwrap();
    assert_eq!(reader.phase(), Phase::Finished);
    assert_eq!(reader.about().correlation_id, about().correlation_id);
    assert_eq!(reader.about().created, about().created);
    assert_eq!(reader.inputs().unwrap(), [input("a.csv"), input("b.csv")]);
    let sum = RunStats { get: 7, list: 2, patch: 3, throttled: 4, seconds: 3.5, ..RunStats::default() };
    assert_eq!(reader.figures().unwrap(), sum);
    assert_eq!(reader.referrals().unwrap(), Referrals { total: 3, changed: 1, closed: 1 });
    assert!(matches!(open(&dir).unwrap().start(clock()), Err(LedgerError::Finished { .. })));
}

/// The figures of a damaged ledger may be any numbers.
#[test]
fn figures_add_up_to_no_more_than_fits() {
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 1));
    let most = u64::MAX;
    let figures =
        RunStats { get: most, list: most, token: most, throttled: most, retried: most, ..figures(0, 1.0) };
    let text = serde_json::to_string(&figures).unwrap();
    let meddling = meddle(folder.path());
    for _ in 0..2 {
        meddling.execute("INSERT INTO session (checksum, figures) VALUES (0, ?1)", [&text]).unwrap();
    }
    renew_checksums(&meddling);
    assert_eq!(
        read(folder.path()).unwrap().figures().unwrap(),
        RunStats { patch: 0, seconds: 2.0, ..figures }
    );
}

#[test]
fn figures_of_an_earlier_version_lack_what_it_did_not_count() {
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 1));
    let now = serde_json::to_string(&RunStats { held_back: 1.5, ..figures(0, 1.0) }).unwrap();
    let then = now.replace(",\"held_back\":1.5", "");
    assert_ne!(now, then);
    let meddling = meddle(folder.path());
    meddling.execute("DELETE FROM session", []).unwrap();
    for text in [&then, &now] {
        meddling.execute("INSERT INTO session (checksum, figures) VALUES (0, ?1)", [text]).unwrap();
    }
    renew_checksums(&meddling);
    let sum = read(folder.path()).unwrap().figures().unwrap();
    assert_eq!((sum.held_back, sum.seconds), (1.5, 2.0));
}

#[tokio::test]
async fn the_account_of_the_plan_does_not_change_as_the_run_goes_on() {
    let folder = tempdir().unwrap();
    let dir = folder.path();
    let account = || {
        let mut told = Vec::new();
        let reader = read(dir).unwrap();
        reader
            .items::<LedgerError>(&mut |item| {
                told.push(format!("{item:?}"));
                Ok(())
            })
            .unwrap();
        told
    };
    let ledger = plan(dir);
    let before = account();
    assert_eq!(before.len(), 3);
    assert!(before[1].contains(&format!("{:?}", audit())) && before[2].contains("audit: None"));
    assert!(
        before[0].contains("by-invalid") && before[0].contains("line: 2,") && before[0].contains("line: 5,")
    );
    let (journal, _) = ledger.start(clock()).unwrap();
    let rebased = Item { etag: Some(etag("v7")), patch: raw("[]"), ..item(2) };
    journal.intend(&Arc::new(rebased)).await.unwrap();
    journal.settled(2, super::settled(Outcome::Applied)).await.unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(account(), before);
}

#[tokio::test]
async fn a_rebased_item_comes_back_as_it_was_last_sent() {
    let folder = tempdir().unwrap();
    let (journal, _) = planned(folder.path(), 2).start(clock()).unwrap();
    journal.intend(&Arc::new(item(1))).await.unwrap();
    let mut rebased = Item { etag: Some(etag("v2")), patch: raw("[1]"), ..item(1) };
    rebased.changes[0].before = None;
    let ticket = journal.intend(&Arc::new(rebased)).await.unwrap();
    journal.answered(ticket.attempt(), answer(AttemptResult::Throttled));
    drop(journal);

    let ledger = open(folder.path()).unwrap();
    let (_journal, backlog) = ledger.start(clock()).unwrap();
    let page = backlog.outstanding(0, 10).unwrap();
    let first = &page[0].item;
    assert_eq!((first.etag.as_ref(), first.patch.get()), (Some(&etag("v2")), "[1]"));
    assert!(first.changes[0].before.is_none());
    assert_eq!(page[0].next, Next::Send);
    assert_eq!(
        (page[1].item.etag.as_ref(), page[1].item.patch.get()),
        (Some(&etag("v1")), item(2).patch.get())
    );
}

/// The last attempt says what comes next, and all of them whether something may be on its way still.
#[tokio::test]
async fn what_remains_says_whether_it_may_have_been_made() {
    use AttemptResult::{Contradicted, InDoubt, Mismatched, NotApplied, Refused, Throttled};
    let code = |code: &str| Some(code.to_owned());
    let cases = [
        (vec![], false),
        (vec![None], true),
        (vec![Some((NotApplied, code("not-sent")))], false),
        (vec![Some((Throttled, code("http-429")))], false),
        (vec![Some((Refused, code("http-400")))], false),
        (vec![Some((Mismatched, code("http-412")))], false),
        (vec![Some((Contradicted, code("http-412")))], true),
        (vec![Some((InDoubt, code("http-502"))), Some((Mismatched, code("http-412")))], true),
        (vec![Some((InDoubt, code("http-502")))], true),
        // Read back, and not found.
        (vec![Some((NotApplied, None))], true),
        (vec![Some((NotApplied, None)), Some((Throttled, code("http-429")))], true),
        (vec![Some((Throttled, code("http-429"))), Some((NotApplied, code("http-423")))], false),
    ];
    let folder = tempdir().unwrap();
    let (journal, _) = planned(folder.path(), cases.len() as u64).start(clock()).unwrap();
    for (number, (attempts, _)) in (1..).zip(&cases) {
        for told in attempts {
            let ticket = journal.intend(&Arc::new(item(number))).await.unwrap();
            if let Some((result, code)) = told.clone() {
                journal.answered(ticket.attempt(), AttemptAnswer { code, ..answer(result) });
            }
        }
    }
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    let (_journal, backlog) = open(folder.path()).unwrap().start(clock()).unwrap();
    let page = backlog.outstanding(0, 20).unwrap();
    for (left, (attempts, doubted)) in page.iter().zip(&cases) {
        assert_eq!((left.sent, left.doubted), (!attempts.is_empty(), *doubted), "{attempts:?}");
    }
    assert_eq!(page.len(), cases.len());
}

#[tokio::test]
async fn what_remains_says_what_comes_next() {
    let folder = tempdir().unwrap();
    let (journal, _) = planned(folder.path(), 8).start(clock()).unwrap();
    for (number, result) in [
        (7, Some(AttemptResult::Mismatched)),
        (8, Some(AttemptResult::Contradicted)),
        (2, None),
        (3, Some(AttemptResult::InDoubt)),
        (4, Some(AttemptResult::NotApplied)),
        (5, Some(AttemptResult::Applied)),
        (6, Some(AttemptResult::Applied)),
    ] {
        let ticket = journal.intend(&Arc::new(item(number))).await.unwrap();
        if let Some(result) = result {
            journal.answered(ticket.attempt(), answer(result));
        }
    }
    journal.settled(6, super::settled(Outcome::Applied)).await.unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();

    let ledger = open(folder.path()).unwrap();
    assert_eq!(ledger.phase(), Phase::Stopped);
    let totals = ledger.plan_totals().unwrap();
    assert_eq!((totals.to_send, totals.closing), (8, 4));
    assert_eq!((totals.remaining, totals.remaining_closing), (7, 3));
    let (_journal, backlog) = ledger.start(clock()).unwrap();
    let page = backlog.outstanding(0, 10).unwrap();
    let next: Vec<_> = page.iter().map(|left| (left.item.number, left.next)).collect();
    let (settle, recheck) = (Next::Settle, Next::Recheck);
    assert_eq!(next[..5], [(1, Next::Send), (2, settle), (3, settle), (4, Next::Send), (5, settle)]);
    assert_eq!(next[5..], [(7, recheck), (8, recheck)]);
    assert!(backlog.outstanding(8, 10).unwrap().is_empty());

    let codes: Vec<_> = rows(folder.path()).into_iter().map(|row| row.verdict.code).collect();
    assert_eq!(
        codes,
        ["unsent", "in-doubt", "in-doubt", "unsent", "in-doubt", "by-applied", "in-doubt", "in-doubt"]
    );
}

#[test]
fn a_plan_that_is_not_complete_cannot_be_sent() {
    let folder = tempdir().unwrap();
    let dir = folder.path().join("abandoned");
    let mut planning = create(&dir, &about()).unwrap();
    planning.row(&row(1, Some(1))).unwrap();
    planning.input(0, &input("a.csv")).unwrap();
    planning.row(&RowRecord { place: Location { input: 1, ..place(2) }, ..row(2, None) }).unwrap();
    planning.abandon(&figures(2, 1.0)).unwrap();
    let told = rows(&dir);
    assert_eq!(told.len(), 1, "the second input was not read to its end");
    assert_eq!(told[0].verdict.code, "not-planned");
    assert_eq!(read(&dir).unwrap().figures().unwrap().get, 2);
    let ledger = open(&dir).unwrap();
    assert_eq!(ledger.phase(), Phase::Planning);
    assert!(matches!(ledger.start(clock()), Err(LedgerError::Unplanned { .. })));

    let dir = folder.path().join("dropped");
    let mut planning = create(&dir, &about()).unwrap();
    planning.row(&row(1, Some(1))).unwrap();
    drop(planning);
    assert!(rows(&dir).is_empty());
    assert_eq!(read(&dir).unwrap().phase(), Phase::Planning);

    let dir = folder.path().join("loose");
    let mut planning = create(&dir, &about()).unwrap();
    planning.row(&row(1, Some(1))).unwrap();
    planning.item(&item(1), None, None).unwrap();
    planning.row(&row(2, Some(2))).unwrap();
    let error = planning.seal(&RunStats::default()).unwrap_err();
    assert!(matches!(error, LedgerError::Loose { row: 2, .. }), "{error}");
    assert_eq!(read(&dir).unwrap().phase(), Phase::Planning);
}

#[test]
fn a_plan_that_is_not_complete_can_be_made_again() {
    let folder = tempdir().unwrap();
    let dir = folder.path().join("run");
    let mut planning = create(&dir, &about()).unwrap();
    planning.row(&row(1, Some(1))).unwrap();
    planning.row(&row(2, Some(2))).unwrap();
    planning.item(&item(1), None, None).unwrap();
    planning.input(0, &input("a.csv")).unwrap();
    planning.abandon(&figures(2, 1.0)).unwrap();

    // Whatever happens before the new plan is written leaves the old one.
    let (planning, before) = open(&dir).unwrap().plan_again().unwrap();
    assert_eq!(before, [input("a.csv")]);
    drop(planning);
    assert_eq!(rows(&dir).len(), 2);

    // Nor is it forgotten what the inputs were, as often as it is begun.
    for _ in 0..2 {
        let (mut planning, before) = open(&dir).unwrap().plan_again().unwrap();
        assert_eq!(before, [input("a.csv")]);
        planning.row(&row(1, Some(1))).unwrap();
        planning.keep().unwrap();
    }
    assert!(rows(&dir).is_empty(), "no input was read to its end");

    let (mut planning, before) = open(&dir).unwrap().plan_again().unwrap();
    assert_eq!(before, [input("a.csv")]);
    assert_eq!(planning.about().correlation_id, about().correlation_id);
    planning.row(&row(1, Some(1))).unwrap();
    planning.item(&item(1), None, None).unwrap();
    planning.input(0, &InputInfo { rows: 1, ..input("a.csv") }).unwrap();
    planning.seal(&figures(3, 1.0)).unwrap();
    assert_eq!(rows(&dir).len(), 1);
    assert_eq!(read(&dir).unwrap().figures().unwrap().get, 5, "what was asked for twice counts twice");
    let error = open(&dir).unwrap().plan_again().unwrap_err();
    assert!(matches!(error, LedgerError::Exists { .. }), "{error}");
}

#[test]
fn items_come_in_any_order_and_are_told_in_theirs() {
    let folder = tempdir().unwrap();
    let mut planning = create(folder.path(), &about()).unwrap();
    for number in [3, 1, 5, 2, 4] {
        planning.row(&row(number, Some(number))).unwrap();
        let etag = (number != 2).then(|| etag(&format!("v{number}")));
        let unchanged = (number == 5).then(|| super::settled(Outcome::Unchanged));
        planning.item(&Item { etag, ..item(number) }, unchanged.as_ref(), None).unwrap();
    }
    drop(planning.seal(&RunStats::default()).unwrap());
    let mut told = Vec::new();
    let read = read(folder.path()).unwrap().items::<LedgerError>(&mut |account| {
        let etag = account.item.etag.map(|etag| etag.to_string());
        assert_eq!((account.item.id, account.rows.len()), (referral(account.item.number), 1));
        told.push((account.item.number, etag, account.planned.map(|verdict| verdict.outcome)));
        Ok(())
    });
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

#[test]
fn one_item_a_referral_and_one_row_an_ordinal() {
    let folder = tempdir().unwrap();
    let mut planning = create(folder.path(), &about()).unwrap();
    planning.row(&row(1, Some(1))).unwrap();
    planning.row(&row(1, Some(1))).unwrap_err();
    planning.item(&item(1), None, None).unwrap();
    planning.seal(&RunStats::default()).unwrap();
    assert_eq!(rows(folder.path()).len(), 1);

    for other in [Item { id: referral(1), ..item(2) }, Item { id: referral(2), ..item(1) }] {
        let folder = tempdir().unwrap();
        let mut planning = create(folder.path(), &about()).unwrap();
        planning.item(&item(1), None, None).unwrap();
        planning.item(&other, None, None).unwrap();
        planning.seal(&RunStats::default()).unwrap_err();
        assert_eq!(read(folder.path()).unwrap().phase(), Phase::Planning);
    }
}

#[test]
fn whoever_listens_can_stop_the_telling() {
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 3));
    let mut told = 0;
    let stopped = read(folder.path()).unwrap().rows::<std::io::Error>(&mut |_| {
        told += 1;
        Err(std::io::Error::other("the disk is full"))
    });
    assert_eq!((told, stopped.unwrap_err().to_string().as_str()), (1, "the disk is full"));
}

/// What the rows of a plan that was given up come to in the audit: an item with an audit, one without,
/// no item because of a verdict, no item yet.
fn audited(about: &RunSpec) -> Vec<Option<Audit>> {
    let folder = tempdir().unwrap();
    let mut planning = create(folder.path(), about).unwrap();
    let verdict = Some(Verdict::new(Outcome::Invalid, "json", "cut off"));
    for row in [row(1, Some(1)), row(2, Some(2)), RowRecord { verdict, ..row(3, None) }, row(4, Some(4))] {
        planning.row(&row).unwrap();
    }
    planning.input(0, &input("a.jsonl")).unwrap();
    planning.item(&item(1), None, Some(&audit())).unwrap();
    planning.item(&item(2), None, None).unwrap();
    planning.abandon(&RunStats::default()).unwrap();
    rows(folder.path()).into_iter().map(|row| row.audit).collect()
}

#[test]
fn every_payload_has_its_part_in_the_audit_and_a_missing_one_shows() {
    let mut about = about();
    assert_eq!(audited(&about), [Some(audit()), None, None, None]);
    about.asked.migrating = Some(Migrating { take: BTreeSet::new(), base: None, patches: None });
    let [invalid, left] = [Class::Invalid, Class::NotCompared].map(|class| Some(Audit::uncompared(class)));
    assert_eq!(audited(&about), [Some(audit()), None, invalid, left]);
}

/// What was taken in part changed its referral, and closed it unless the stage is among what was not taken.
#[tokio::test]
async fn a_closing_that_went_through_is_one_though_other_fields_were_not_taken() {
    for (outcome, theirs, changed, closed) in [
        (Outcome::Applied, None, 1, 1),
        (Outcome::Partial, Some(r#"{"/statusReason":null}"#), 1, 1),
        (Outcome::Partial, Some(r#"{"/substatus":"Won"}"#), 1, 1),
        (Outcome::Partial, Some(r#"{"/status":"Active","/substatus":"Accepted"}"#), 1, 0),
        (Outcome::Partial, Some(r#"{"/status":null}"#), 1, 0),
        (Outcome::Conflict, Some(r#"{"/statusReason":null}"#), 0, 0),
        (Outcome::Failed, None, 0, 0),
    ] {
        let folder = tempdir().unwrap();
        let mut planning = create(folder.path(), &about()).unwrap();
        planning.item(&item(2), None, None).unwrap();
        let (journal, _) = planning.seal(&RunStats::default()).unwrap().start(clock()).unwrap();
        let settled = Settled { theirs: theirs.map(raw), ..settled(outcome) };
        journal.settled(2, settled).await.unwrap();
        journal.finish(Phase::Finished, &RunStats::default()).await.unwrap();
        let told = read(folder.path()).unwrap().referrals().unwrap();
        assert_eq!(told, Referrals { total: 1, changed, closed }, "{outcome:?} {theirs:?}");
    }
}
