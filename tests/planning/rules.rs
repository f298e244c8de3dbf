//! The rules as tables: every pair of stages, every level, every piece of advice.

use referral_bulk::domain::change::{Desired, Located};
use referral_bulk::domain::fields::{Field, Path};
use referral_bulk::domain::finding::Location;
use referral_bulk::domain::level::Level;
use referral_bulk::domain::rules::{Judged, Judgement, Levels, Rule, judge};
use referral_bulk::domain::snapshot::Snapshot;
use referral_bulk::domain::status::{Stage, Status};
use referral_bulk::domain::value::Wanted;

const ID: &str = "5a1e0001-0000-4000-8000-000000000001";
const NOW: &str = "2026-11-20T12:00:00Z";
const PLACE: Location = Location { input: 0, line: 2, column: 1 };

fn wish(stage: Option<Stage>, sets: &[(Field, &str)]) -> Desired {
    Desired {
        id: ID.parse().unwrap(),
        place: PLACE,
        etag: None,
        stage: stage.map(|value| Located { value, place: PLACE }),
        status_alone: None,
        sets: sets
            .iter()
            .map(|(field, json)| {
                let wanted = Wanted::from_json(field.kind(), serde_json::from_str(json).unwrap()).unwrap();
                Located { value: (Path::Known(*field), wanted), place: PLACE }
            })
            .collect(),
        appends: Vec::new(),
        shown: Vec::new(),
        provisos: Vec::new(),
        bases: Vec::new(),
    }
}

/// A referral with everything that advice asks for, at a status.
fn referral(status: &str, substatus: &str, more: &str) -> String {
    format!(
        r#"{{"id":"{ID}","eTag":"\"v1\"","status":"{status}","substatus":"{substatus}",
            "statusReason":"why","createdDateTime":"2026-01-01T00:00:00Z",
            "details":{{"dealValue":1000,"closingDateTime":"2027-01-01T00:00:00Z"}},
            "consent":{{"consentToShareReferralWithMicrosoftSellers":true}}{more}}}"#
    )
}

/// What judging comes to, and the rules that had something to say: `ok: closed-edit`.
fn verdict(wish: &Desired, referral: Option<&str>, levels: &Levels) -> String {
    let snapshot = referral.map(|text| Snapshot::whole(text).unwrap());
    let Judgement { judged, findings, .. } = judge(wish, snapshot.as_ref(), levels, NOW.parse().unwrap());
    let rules: Vec<&str> = findings.iter().map(|finding| finding.rule.id()).collect();
    let verdict = match judged {
        Judged::Approved(approved) if approved.closes() => "closes".to_owned(),
        Judged::Approved(_) => "ok".to_owned(),
        Judged::Unchanged => "same".to_owned(),
        Judged::Rejected(verdict, _) => verdict.outcome.name().to_owned(),
    };
    if rules.is_empty() { verdict } else { format!("{verdict}: {}", rules.join(" ")) }
}

#[test]
fn every_step_from_every_stage_has_its_answer() {
    let mut table = String::new();
    let unknown = [("Paused", "Waiting"), ("Closed", ""), ("", "")];
    let known = Stage::ALL.map(|stage| (stage.status().name(), stage.substatus()));
    for (status, substatus) in known.into_iter().chain(unknown) {
        for to in Stage::ALL {
            let text = referral(status, substatus, "");
            let verdict = verdict(&wish(Some(to), &[]), Some(&text), &Levels::default());
            table += &format!("{status}/{substatus} -> {to}: {verdict}\n");
        }
    }
    insta::assert_snapshot!("steps", table);
}

#[test]
fn every_step_that_nobody_looked_at_is_said_to_be_so() {
    for to in Stage::ALL {
        let verdict = verdict(&wish(Some(to), &[]), None, &Levels::default());
        let begin = if to.is_closed() { "closes" } else { "ok" };
        let advice = if to.substatus() == "Expired" { " set-expired" } else { "" };
        assert_eq!(verdict, format!("{begin}: unseen{advice} unbound"), "{to}");
    }
}

#[test]
fn every_advice_is_given_where_it_belongs() {
    use referral_bulk::domain::status::ClosedSubstatus::{Declined, Lost, Won};
    let active = referral("Active", "Accepted", "");
    let bare = |more: &str| {
        format!(r#"{{"id":"{ID}","eTag":"\"v1\"","status":"Active","substatus":"Accepted"{more}}}"#)
    };
    let young = bare(r#","createdDateTime":"2026-11-18T12:00:00Z","details":{"dealValue":5}"#);
    let old = bare(r#","createdDateTime":"2026-11-17T11:59:59Z","details":{"dealValue":5}"#);
    let ahead = |time: &str| young.replace("2026-11-18T12:00:00Z", time);
    let won = Some(Stage::Closed(Won));
    for (stage, sets, current, wanted) in [
        (won, &[][..], bare(""), "closes: deal-value-missing"),
        (won, &[(Field::DealValue, "5")], bare(""), "closes"),
        (won, &[(Field::DealValue, "5")], young.clone(), "closes: early-win"),
        (won, &[], old, "closes"),
        // By a clock that is behind the service's it is not created yet.
        (won, &[(Field::DealValue, "5")], ahead("2026-11-20T12:00:01Z"), "closes"),
        (won, &[(Field::DealValue, "5")], ahead("9999-12-31T23:59:59.9999999Z"), "closes"),
        (won, &[(Field::DealValue, "5")], ahead("soon"), "closes"),
        (Some(Stage::Closed(Lost)), &[], bare(""), "closes: reason-missing"),
        (
            Some(Stage::Closed(Lost)),
            &[(Field::StatusReason, "\"\"")],
            bare(r#","statusReason":"x""#),
            "closes: reason-missing",
        ),
        (Some(Stage::Closed(Lost)), &[(Field::StatusReason, "\"price\"")], bare(""), "closes"),
        (Some(Stage::Closed(Declined)), &[], bare(""), "closes: decline-accepted reason-missing"),
        (
            None,
            &[(Field::ClosingDateTime, "\"2026-11-19T23:59:59Z\"")],
            active.clone(),
            "ok: closing-date-past",
        ),
        (None, &[(Field::ClosingDateTime, "\"2026-11-20T00:00:00Z\"")], active.clone(), "ok"),
        (None, &[(Field::ShareConsent, "false")], active.clone(), "ok: consent-withdrawn"),
        (None, &[(Field::ShareConsent, "false")], bare(""), "ok"),
        (None, &[(Field::DealValue, "1000.00")], active.clone(), "same"),
        (None, &[(Field::DealValue, "1001")], referral("Closed", "Won", ""), "ok: closed-edit"),
        (None, &[(Field::DealValue, "1000")], referral("Closed", "Won", ""), "same"),
        (
            None,
            &[(Field::SalesStage, "\"Close\"")],
            format!(r#"{{"id":"{ID}","status":"Active","substatus":"Accepted"}}"#),
            "ok: unbound",
        ),
        // Text of the referral's own that lost characters on its way through a spreadsheet, also within a list.
        (
            None,
            &[(Field::CampaignId, "\"??-1\"")],
            bare(r#","campaignId":"見本-1""#),
            "invalid: lost-characters",
        ),
        (None, &[(Field::CampaignId, "\"??-2\"")], bare(r#","campaignId":"見本-1""#), "ok"),
        (None, &[(Field::CampaignId, "\"ok?\"")], bare(r#","campaignId":"ok!""#), "ok"),
        // A reference of the referral's own that a spreadsheet took for a number.
        (
            None,
            &[(Field::ExternalReferenceId, "\"7\"")],
            bare(r#","externalReferenceId":"007""#),
            "invalid: lost-zeros",
        ),
        (None, &[(Field::CampaignId, "\"7\"")], bare(r#","campaignId":"07""#), "invalid: lost-zeros"),
        (None, &[(Field::ExternalReferenceId, "\"007\"")], bare(r#","externalReferenceId":"7""#), "ok"),
        (None, &[(Field::ExternalReferenceId, "\"8\"")], bare(r#","externalReferenceId":"007""#), "ok"),
        (None, &[(Field::ExternalReferenceId, "\"7\"")], bare(""), "ok"),
        // Text of the referral's own with the sign in front by which an export guards it.
        (None, &[(Field::CampaignId, "\"'=1\"")], bare(r#","campaignId":"=1""#), "invalid: kept-guard"),
        (
            None,
            &[(Field::SalesStage, "\"'- a\\n'- b\"")],
            bare(r#","salesStage":"- a\n- b""#),
            "invalid: kept-guard",
        ),
        (None, &[(Field::SalesStage, "\"'\\tx\"")], bare(r#","salesStage":"\tx""#), "invalid: kept-guard"),
        (None, &[(Field::SalesStage, "\"'=2\"")], bare(r#","salesStage":"=1""#), "ok"),
        (None, &[(Field::SalesStage, "\"'a\"")], bare(r#","salesStage":"a""#), "ok"),
        (None, &[(Field::SalesStage, "\"=1\"")], bare(r#","salesStage":"'=1""#), "ok"),
        (None, &[(Field::SalesStage, "\"'=1\"")], bare(r#","salesStage":"'=1""#), "same"),
        (
            None,
            &[(Field::Team, r#"[{"email":"a@example.com","firstName":"?"}]"#)],
            bare(r#","team":[{"email":"a@example.com","firstName":"花"}]"#),
            "invalid: lost-characters",
        ),
        (
            None,
            &[(Field::Team, r#"[{"email":"a@example.com"},{"email":"b@example.com","firstName":"?"}]"#)],
            bare(
                r#","team":[{"email":"a@example.com","firstName":"花"},{"email":"b@example.com","firstName":"?"}]"#,
            ),
            "same",
        ),
        (None, &[], active, "same"),
    ] {
        assert_eq!(
            verdict(&wish(stage, sets), Some(&current), &Levels::default()),
            wanted,
            "{stage:?} {sets:?} {current}"
        );
    }
}

#[test]
fn a_status_alone_asks_for_nothing_where_the_referral_has_it() {
    let (new, closed) = (referral("New", "Received", ""), referral("Closed", "Lost", ""));
    let odd = referral("Active", "Engaged", "");
    for (status, sets, current, wanted) in [
        (Status::New, &[][..], Some(&new), "same"),
        (Status::New, &[(Field::DealValue, "1")], Some(&new), "ok"),
        (Status::Closed, &[], Some(&closed), "same"),
        (Status::Closed, &[(Field::DealValue, "1")], Some(&closed), "ok: closed-edit"),
        (Status::Closed, &[], Some(&new), "invalid: substatus-pair"),
        (Status::Closed, &[(Field::DealValue, "1")], Some(&new), "invalid: substatus-pair"),
        (Status::New, &[], Some(&odd), "invalid: substatus-pair"),
        (Status::New, &[], None, "invalid: substatus-pair unbound"),
    ] {
        let status_alone = Some(Located { value: status, place: PLACE });
        let wish = Desired { status_alone, ..wish(None, sets) };
        let got = verdict(&wish, current.map(String::as_str), &Levels::default());
        assert_eq!(got, wanted, "{status:?} {sets:?} {current:?}");
    }
}

#[test]
fn levels_decide_what_a_finding_leads_to() {
    let text = referral("Active", "Accepted", "");
    let back = wish(Some(Stage::New(referral_bulk::domain::status::NewSubstatus::Received)), &[]);
    for (level, wanted) in
        [(Level::Deny, "invalid: transition"), (Level::Warn, "ok: transition"), (Level::Allow, "ok")]
    {
        let mut levels = Levels::default();
        levels.set(Rule::Transition, level).unwrap();
        assert_eq!(verdict(&back, Some(&text), &levels), wanted);
    }
}

#[test]
fn a_row_bound_to_another_version_is_a_conflict() {
    let text = referral("Active", "Accepted", "");
    for (etag, wanted) in [("\"v1\"", "ok"), ("\"v0\"", "conflict: stale-etag")] {
        let etag = referral_bulk::domain::referral::ETag::from_input(etag).unwrap();
        let bound = Desired {
            etag: Some(Located { value: etag, place: PLACE }),
            ..wish(None, &[(Field::DealValue, "1")])
        };
        assert_eq!(verdict(&bound, Some(&text), &Levels::default()), wanted);
    }
}

#[test]
fn status_and_substatus_go_together_and_last() {
    let text = referral("Active", "Accepted", "");
    let snapshot = Snapshot::whole(&text).unwrap();
    let wish = wish(
        Some(Stage::Closed(referral_bulk::domain::status::ClosedSubstatus::Won)),
        &[(Field::DealValue, "7"), (Field::StatusReason, "\"x\"")],
    );
    let Judgement { judged, .. } = judge(&wish, Some(&snapshot), &Levels::default(), NOW.parse().unwrap());
    let Judged::Approved(approved) = judged else { panic!("not approved") };
    let etag = approved.etag().expect("the referral has one");
    assert_eq!(etag.as_str(), "\"v1\"");
    let changes = approved.into_changes();
    let paths: Vec<&str> = changes.iter().map(|change| change.path.pointer().as_str()).collect();
    assert_eq!(paths, ["/statusReason", "/details/dealValue", "/status", "/substatus"]);
}
