//! Ways back over the whole domain: every kind of field, every value from before, every outcome.

use serde_json::value::RawValue;
use uuid::Uuid;

use super::*;
use crate::domain::item::Effect;
use crate::domain::outcome::Verdict;
use crate::domain::referral::ETag;

const ID: &str = "5a1e0001-0000-4000-8000-000000000001";
const ANN: &str = r#"{"email":"ann@example.com","title":"Lead"}"#;
const BO: &str = r#"{"email":"bo@example.com"}"#;

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

/// A change from one value to another; `absent` and `null` are the two ways of having none before.
fn change(pointer: &str, before: &str, after: &str) -> (Change, bool) {
    let path: Path = serde_json::from_str(json::raw(pointer).get()).unwrap();
    let known = (!matches!(before, "absent" | "null")).then(|| raw(before));
    let change =
        Change { path, before: known, after: raw(after), appended: Vec::new(), base: None, is_whole: true };
    (change, before != "absent")
}

fn item(changes: &[(Change, bool)]) -> Item {
    let operation = |(change, was_there): &(Change, bool)| {
        let op = if *was_there { "replace" } else { "add" };
        format!(r#"{{"op":"{op}","path":"{}","value":{}}}"#, change.path, change.after)
    };
    Item {
        number: 1,
        id: ID.parse().unwrap(),
        etag: Some(ETag::from_service("\"planned\"").unwrap()),
        is_bound: false,
        request_id: Uuid::nil(),
        patch: raw(&format!("[{}]", changes.iter().map(operation).collect::<Vec<_>>().join(","))),
        changes: changes.iter().map(|(change, _)| change.clone()).collect(),
        effect: Effect::Reversible,
        findings: Vec::new(),
    }
}

fn settled(outcome: Outcome, theirs: Option<&str>) -> Settled {
    Settled {
        verdict: Verdict::new(outcome, "code", ""),
        etag: Some(ETag::from_service("\"made\"").unwrap()),
        theirs: theirs.map(raw),
        at: Timestamp::UNIX_EPOCH,
    }
}

fn terms() -> ReturnTerms {
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    ReturnTerms { levels: Levels::default(), was_read: true, now }
}

/// What goes back, and what stays and why: `/path=value`, with a `!` where that clears, and `/path:code`.
fn told(back: &WayBack) -> String {
    let fields = back.fields.iter().map(|FieldBack { path, wanted, clears, .. }| {
        format!("{path}={wanted}{}", if *clears { "!" } else { "" })
    });
    let stuck = back.stuck.iter().map(|stuck| format!("{}:{}", stuck.path, stuck.obstacle.code()));
    let rules = back.let_pass.iter().map(|rule| format!("pass {rule}"));
    fields.chain(stuck).chain(rules).collect::<Vec<_>>().join(" ")
}

fn way_back(item: &Item, settled: Option<&Settled>, terms: &ReturnTerms) -> String {
    told(&inverse(SentChange { item, settled, subject: None }, terms))
}

#[test]
fn every_kind_of_value_goes_back_as_it_was_or_is_told() {
    let list = |elements: &[&str]| format!("[{}]", elements.join(","));
    let titled = r#"{"email":"bo@example.com","title":"Boss","contactPreference":{"locale":"de-de"}}"#;
    let blanked = r#"{"email":"bo@example.com","title":null,"contactPreference":null}"#;
    let deep = format!(r#"{{"email":"ann@example.com","x":{}{}}}"#, "[".repeat(61), "]".repeat(61));
    for (pointer, before, after, wanted) in [
        // Texts, to the letter.
        ("/details/notes", r#""Zoë \"x\"\n""#, r#""y""#, r#"="Zoë \"x\"\n""#),
        ("/details/notes", r#"" padded ""#, r#""y""#, r#"=" padded ""#),
        ("/details/notes", r#""""#, r#""y""#, r#"=""!"#),
        ("/details/notes", r#""  ""#, r#""y""#, r#"="  "!"#),
        ("/details/notes", "null", r#""y""#, "=null!"),
        ("/details/notes", "absent", r#""y""#, ":did-not-exist"),
        ("/details/notes", r#""x""#, "null", r#"="x""#),
        ("/details/notes", r##""#N/A""##, r#""y""#, r##"="#N/A" pass spreadsheet-error"##),
        ("/details/notes", r#""M?ller""#, r#""Müller""#, r#"="M?ller" pass lost-characters"#),
        ("/details/notes", r#""'=1""#, r#""=1""#, r#"="'=1" pass kept-guard"#),
        ("/externalReferenceId", r#""123""#, r#""00123""#, r#"="123" pass lost-zeros"#),
        ("/details/notes", "\"a\u{fffd}b\"", r#""y""#, ":type"),
        ("/details/notes", r#""a\ufffdb""#, r#""y""#, ":type"),
        ("/details/notes", r#""\ud800""#, r#""y""#, ":type"),
        ("/details/notes", r#""a\u0000b""#, r#""y""#, ":type"),
        ("/details/notes", "5", r#""y""#, ":type"),
        // Amounts, to the digit.
        ("/details/dealValue", "0.10", "5", "=0.10"),
        ("/details/dealValue", "12345678901234567890.12", "5", "=12345678901234567890.12"),
        ("/details/dealValue", r#""50000.00""#, "5", "=50000.00"),
        ("/details/dealValue", "5e4", "5", "=50000"),
        ("/details/dealValue", r#""1.5E-3""#, "5", "=0.0015"),
        ("/details/dealValue", "1e400", "5", ":type"),
        ("/details/dealValue", "0", "5", "=0"),
        ("/details/dealValue", r#""""#, "5", ":type"),
        ("/details/dealValue", "null", "5", "=null!"),
        ("/details/dealValue", "absent", "5", ":did-not-exist"),
        ("/details/currency", r#""EUR""#, r#""USD""#, r#"="EUR""#),
        ("/details/currency", r#""eur""#, r#""USD""#, ":type"),
        ("/details/currency", r#""""#, r#""USD""#, ":no-null"),
        ("/details/currency", "null", r#""USD""#, ":no-null"),
        // Times, to the instant.
        (
            "/details/closingDateTime",
            r#""2027-01-31T23:59:59.1234567Z""#,
            r#""2027-03-01T00:00:00Z""#,
            r#"="2027-01-31T23:59:59.1234567Z""#,
        ),
        ("/details/closingDateTime", r#""9999-12-31T23:59:59Z""#, "null", r#"="9999-12-31T23:59:59Z""#),
        ("/details/closingDateTime", r#""soon""#, "null", ":type"),
        ("/details/closingDateTime", "null", r#""2027-03-01T00:00:00Z""#, "=null!"),
        // Flags.
        ("/consent/consentToShareReferralWithMicrosoftSellers", "true", "false", "=true"),
        ("/consent/consentToShareReferralWithMicrosoftSellers", "false", "true", "=false"),
        ("/consent/consentToShareReferralWithMicrosoftSellers", "null", "true", ":no-null"),
        ("/consent/consentToShareReferralWithMicrosoftSellers", "absent", "true", ":did-not-exist"),
        // Lists, as a whole and in their order.
        ("/team", &list(&[ANN, BO]), &list(&[BO, ANN]), &format!("={}", list(&[ANN, BO]))),
        ("/team", &list(&[ANN]), &list(&[ANN, BO]), &format!("={}", list(&[ANN]))),
        ("/team", &list(&[ANN]), "[]", &format!("={}", list(&[ANN]))),
        ("/team", "[]", &list(&[ANN]), "=[]!"),
        ("/team", "null", &list(&[ANN]), "=[]!"),
        ("/team", "absent", &list(&[ANN]), ":did-not-exist"),
        // What an element didn't have is emptied in it.
        ("/team", &list(&[BO]), &list(&[titled]), &format!("={}!", list(&[blanked]))),
        ("/team", &list(&[ANN, r#"{"firstName":"Kim"}"#]), "[]", ":type"),
        ("/team", &list(&[BO, BO]), "[]", ":type"),
        ("/team", &list(&[r#"{"email":"ann@example.com","x":1e400}"#]), "[]", ":type"),
        ("/team", &list(&[&deep]), "[]", ":type"),
        (
            "/details/requirements/solutions",
            r#"[{"id":"S1","weight":0.10}]"#,
            r#"[{"id":"S2"}]"#,
            r#"=[{"id":"S1","weight":0.10}]"#,
        ),
        ("/details/requirements/solutions", r#"[{"type":"Name"}]"#, "[]", ":type"),
        // Whatever the user opted into.
        ("/target", r#"{"a":[1,{"b":0.10}]}"#, "5", r#"={"a":[1,{"b":0.10}]}"#),
        ("/target", "null", "5", "=null!"),
        ("/target", "absent", "5", ":did-not-exist"),
        ("/customerProfile/address", "5", "{}", ":type"),
    ] {
        let wanted: Vec<String> = wanted.split(" pass ").map(ToOwned::to_owned).collect();
        let wanted = wanted.join(" pass ");
        let item = item(&[change(pointer, before, after)]);
        let got = way_back(&item, Some(&settled(Outcome::Applied, None)), &terms());
        assert_eq!(got, format!("{pointer}{wanted}"), "{before} → {after}");
    }
}

/// A stage to another one; each as `Status/Substatus`, with nothing in place of what isn't there.
fn step(from: &str, to: &str) -> Vec<(Change, bool)> {
    let [from, to] = [from, to].map(|stage| stage.split_once('/').unwrap());
    let word = |word: &str| if word.is_empty() { "null".to_owned() } else { format!("\"{word}\"") };
    vec![change("/status", &word(from.0), &word(to.0)), change("/substatus", &word(from.1), &word(to.1))]
}

#[test]
fn a_stage_goes_back_where_the_table_of_transitions_leads_back() {
    for (from, to, wanted) in [
        ("New/Pending", "New/Received", Ok("New/Pending")),
        ("New/Pending", "Active/Accepted", Err("transition")),
        ("Active/Accepted", "New/Received", Ok("Active/Accepted")),
        ("active/accepted", "New/Received", Ok("Active/Accepted")),
        ("Active/Accepted", "Closed/Won", Err("closed")),
        ("New/Pending", "Closed/Declined", Err("closed")),
        ("Paused/Waiting", "Closed/Won", Err("closed")),
        ("Closed/Won", "Closed/Lost", Ok("Closed/Won")),
        ("Closed/Won", "Active/Accepted", Ok("Closed/Won")),
        ("Closed/Error", "Closed/Lost", Err("unknown-stage")),
        ("Active/", "Active/Accepted", Err("unknown-stage")),
        ("Paused/Waiting", "Active/Accepted", Err("unknown-stage")),
    ] {
        let got = way_back(&item(&step(from, to)), Some(&settled(Outcome::Applied, None)), &terms());
        let wanted = match wanted {
            Ok(stage) => {
                let (status, substatus) = stage.split_once('/').unwrap();
                format!("/status=\"{status}\" /substatus=\"{substatus}\"")
            }
            Err(code) => format!("/status:{code} /substatus:{code}"),
        };
        assert_eq!(got, wanted, "{from} → {to}");
    }
}

#[test]
fn of_a_referral_that_was_closed_nothing_goes_back_and_else_each_field_by_itself() {
    let reason = change("/statusReason", r#""""#, r#""Budget""#);
    let value = change("/details/dealValue", "5", "6");
    let gone = change("/details/notes", "absent", r#""x""#);
    for (steps, wanted) in [
        (
            step("Active/Accepted", "Closed/Lost"),
            "/statusReason:closed /details/notes:closed /details/dealValue:closed /status:closed /substatus:closed",
        ),
        (
            step("New/Pending", "Active/Accepted"),
            r#"/statusReason=""! /details/dealValue=5 /details/notes:did-not-exist /status:transition /substatus:transition"#,
        ),
    ] {
        let mut changes = vec![reason.clone(), gone.clone(), value.clone()];
        changes.extend(steps);
        let got = way_back(&item(&changes), Some(&settled(Outcome::Applied, None)), &terms());
        assert_eq!(got, wanted);
    }
}

#[test]
fn only_what_was_written_is_taken_back() {
    let all = "/statusReason=\"x\" /details/notes=\"a\" /status=\"New\" /substatus=\"Pending\"";
    let none = "/statusReason:in-doubt /details/notes:in-doubt /status:in-doubt /substatus:in-doubt";
    for (outcome, theirs, wanted) in [
        (Some(Outcome::Applied), None, all),
        // Of others, values that the service has are those of somebody else.
        (Some(Outcome::Applied), Some(r#"{"/details/notes":"z"}"#), all),
        (Some(Outcome::Conflict), Some(r#"{"/details/notes":"z"}"#), ""),
        (Some(Outcome::Refused), None, ""),
        (Some(Outcome::Failed), None, ""),
        (Some(Outcome::Unchanged), None, ""),
        (Some(Outcome::Unknown), None, none),
        (None, None, none),
        (
            Some(Outcome::Partial),
            Some(r#"{"/details/notes":"a"}"#),
            "/statusReason=\"x\" /status=\"New\" /substatus=\"Pending\"",
        ),
        (
            Some(Outcome::Partial),
            Some(r#"{"/details/notes":"b, cut","/status":"New","/substatus":"Pending"}"#),
            "/statusReason=\"x\" /details/notes:kept-otherwise",
        ),
        (
            Some(Outcome::Partial),
            Some(r#"{"/details/notes":null,"/substatus":"Pending"}"#),
            "/statusReason=\"x\" /status=\"New\" /substatus=\"Pending\" /details/notes:kept-otherwise",
        ),
        (
            Some(Outcome::Partial),
            Some(r#"{"/statusReason":"x","/details/notes":"a","/status":"New","/substatus":"Pending"}"#),
            "",
        ),
    ] {
        let mut changes =
            vec![change("/statusReason", r#""x""#, r#""y""#), change("/details/notes", r#""a""#, r#""b""#)];
        changes.extend(step("New/Pending", "New/Received"));
        let settled = outcome.map(|outcome| settled(outcome, theirs));
        let got = way_back(&item(&changes), settled.as_ref(), &terms());
        assert_eq!(got, wanted, "{outcome:?} {theirs:?}");
    }
    // A field that the service took, of a stage that it closed.
    let settled = settled(Outcome::Partial, Some(r#"{"/substatus":"Error"}"#));
    let got = way_back(&item(&step("Active/Accepted", "Closed/Lost")), Some(&settled), &terms());
    assert_eq!(got, "/status:closed /substatus:closed");
}

#[test]
fn what_nobody_saw_and_what_is_bound_to_no_version_stays() {
    let unseen = ReturnTerms { was_read: false, ..terms() };
    let applied = settled(Outcome::Applied, None);
    let notes = change("/details/notes", "absent", r#""x""#);
    let (mut team, was_there) = change("/team", "absent", &format!("[{ANN}]"));
    team.appended = vec![raw(ANN)];
    let blind = item(&[notes.clone(), (team, was_there)]);
    assert_eq!(way_back(&blind, Some(&applied), &unseen), "/details/notes:not-seen /team:list-not-read");
    let kept = settled(Outcome::Partial, Some(r#"{"/details/notes":null}"#));
    assert_eq!(way_back(&item(&[notes]), Some(&kept), &unseen), "/details/notes:not-seen");
    let blind = item(&step("/", "Active/Accepted"));
    assert_eq!(way_back(&blind, Some(&applied), &unseen), "/status:not-seen /substatus:not-seen");

    let (mut team, was_there) = change("/team", &format!("[{BO}]"), &format!("[{BO},{ANN}]"));
    team.appended = vec![raw(ANN)];
    let grown = item(&[(team, was_there)]);
    assert_eq!(way_back(&grown, Some(&applied), &terms()), format!("/team=[{BO}]"));
    // What a part showed of somebody who was taken off a list may not be all of them; who stays keeps the rest.
    for (after, wanted) in
        [("[]", "/team:seen-in-part".to_owned()), (&*format!("[{ANN},{BO}]"), format!("/team=[{BO}]"))]
    {
        let (mut team, was_there) = change("/team", &format!("[{BO}]"), after);
        team.is_whole = false;
        assert_eq!(way_back(&item(&[(team, was_there)]), Some(&applied), &terms()), wanted);
    }
    let unbound = Settled { etag: None, ..applied };
    assert_eq!(way_back(&grown, Some(&unbound), &terms()), "/team:no-version");
    for (etag, wanted) in
        [("W/\"made\"", format!("/team=[{BO}]")), ("\"a\"b\"", "/team:no-version".to_owned())]
    {
        let etag = Some(ETag::from_service(etag).unwrap());
        assert_eq!(way_back(&grown, Some(&Settled { etag, ..unbound.clone() }), &terms()), wanted);
    }
}

#[test]
fn what_a_rule_denies_stays_and_the_rest_goes_back() {
    let changes = [
        change("/details/notes", r#""a""#, r#""b""#),
        change("/details/closingDateTime", r#""2020-01-01T00:00:00Z""#, r#""2027-01-01T00:00:00Z""#),
        change("/consent/consentToShareReferralWithMicrosoftSellers", "false", "true"),
    ];
    let all = [changes.to_vec(), step("New/Pending", "New/Received")].concat();
    let subject = |status: &str| Subject { status: Some(status.to_owned()), ..Subject::default() };
    let consent = "/consent/consentToShareReferralWithMicrosoftSellers";
    for (rules, status, wanted) in [
        (&[][..], "New", String::new()),
        (&[Rule::ClosingDatePast], "New", "/details/closingDateTime:closing-date-past".to_owned()),
        (&[Rule::ConsentWithdrawn], "New", format!("{consent}:consent-withdrawn")),
        (
            &[Rule::BackwardsSubstatus],
            "New",
            "/status:backwards-substatus /substatus:backwards-substatus".to_owned(),
        ),
        (&[Rule::ClosedEdit], "Active", String::new()),
    ] {
        let mut terms = terms();
        rules.iter().for_each(|rule| terms.levels.set(*rule, Level::Deny).unwrap());
        let (item, settled, subject) = (item(&all), settled(Outcome::Applied, None), subject(status));
        let back =
            inverse(SentChange { item: &item, settled: Some(&settled), subject: Some(&subject) }, &terms);
        let stuck: Vec<String> =
            back.stuck.iter().map(|stuck| format!("{}:{}", stuck.path, stuck.obstacle.code())).collect();
        assert_eq!(stuck.join(" "), wanted);
        assert_eq!(back.fields.len() + back.stuck.len(), all.len());
    }
    // A referral that was closed before: by default the service may be asked, and it took an edit already.
    let (item, settled, subject) = (item(&changes[..1]), settled(Outcome::Applied, None), subject("Closed"));
    let sent = SentChange { item: &item, settled: Some(&settled), subject: Some(&subject) };
    assert_eq!(told(&inverse(sent, &terms())), "/details/notes=\"a\"");
    let mut terms = terms();
    terms.levels.set(Rule::ClosedEdit, Level::Deny).unwrap();
    assert_eq!(told(&inverse(sent, &terms)), "/details/notes:closed-edit");
}
