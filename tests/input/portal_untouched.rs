//! Cells of Partner Center's files that show what the referral has ask for nothing, whatever they look like.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::portal::{Deal, PLAN, file, id, planned, shown, written};
use crate::support::case::{Ran, Test};
use crate::support::samples::sample_referral;

/// The sample with this number, with other values at some pointers.
fn referral(number: u8, values: &[(&str, Value)]) -> Value {
    let mut referral = sample_referral(&id(number));
    for (pointer, value) in values {
        *referral.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} of {number}")) = value.clone();
    }
    referral
}

/// Plans a file against these referrals.
fn plan(referrals: &[Value], deals: &[Deal], more: &str, code: i32) -> Ran {
    let lines: String = referrals.iter().map(|referral| format!("{referral}\n")).collect();
    let plan = PLAN.replace(
        "--sandbox=referrals.jsonl",
        if more.contains("--state") { "" } else { "--sandbox=referrals.jsonl" },
    );
    Test::new(&format!("apply a.csv {plan} --out run {more}"))
        .file("referrals.jsonl", lines)
        .file("a.csv", written(&file(deals), b','))
        .code(code)
        .told_elsewhere()
        .run()
}

/// Values that can't be read as what they are, or are suspicious, or are read as another.
fn odd() -> Vec<Vec<(&'static str, Value)>> {
    let mut odd = Vec::new();
    for notes in [
        "=1+1",
        "'=1+1",
        "''=1+1",
        "  lead",
        "-Ltd",
        "NULL",
        "#N/A",
        "a\r\nb",
        "\\N",
        "1.23457E+11",
        "MÃ¼ller",
        "zero\u{200b}width",
        "-",
        "\u{fffd}",
    ] {
        odd.push(vec![("/details/notes", json!(notes))]);
    }
    for (pointer, value) in [
        ("/salesStage", json!("20%")),
        ("/salesStage", json!("0.4")),
        ("/salesStage", json!("140%")),
        ("/details/currency", json!("eur")),
        ("/details/dealValue", json!("10000")),
        ("/details/dealValue", json!(12.563)),
        ("/details/dealValue", json!("about 5")),
        ("/details/closingDateTime", json!("soon")),
        ("/details/closingDateTime", json!("2027-12-31T23:30:00.1234567Z")),
        ("/externalReferenceId", json!("n/a")),
        ("/externalReferenceId", json!("\\N")),
        ("/team/0/phoneNumber", Value::Null),
        ("/team/0/phoneNumber", json!("")),
        ("/team/0/lastName", json!("Park, Jr.")),
        ("/team/0/email", Value::Null),
        ("/team/0/email", json!("nobody")),
        ("/customerProfile/team/0/email", Value::Null),
        ("/customerProfile/team/0/email", json!("nobody")),
        ("/details/requirements/solutions", json!([{"id": "A,B", "name": "x"}])),
        ("/details/requirements/solutions", json!([{"id": "A;B", "name": "x"}])),
        (
            "/team",
            json!([
                {"firstName": "A", "lastName": "B", "phoneNumber": "1", "email": "a@example.com"},
                {"firstName": "C", "lastName": "D", "phoneNumber": "2", "email": "a@example.com"},
            ]),
        ),
    ] {
        odd.push(vec![(pointer, value)]);
    }
    for (status, substatus) in [
        ("Closed", json!("Error")),
        ("New", Value::Null),
        ("Active", json!("Pending")),
        ("Error", json!("Error")),
    ] {
        odd.push(vec![("/status", json!(status)), ("/substatus", substatus)]);
    }
    odd
}

/// The odd values, each in a sample of its own.
fn odd_referrals() -> Vec<Value> {
    let whole = (1..=40).filter(|number| {
        let referral = sample_referral(&id(*number));
        ["/team/0/email", "/customerProfile/team/0/email", "/details/requirements/solutions"]
            .iter()
            .all(|pointer| referral.pointer(pointer).is_some())
    });
    let numbers: Vec<u8> = whole.collect();
    odd().iter().enumerate().map(|(at, values)| referral(numbers[at % numbers.len()], values)).collect()
}

#[test]
fn what_shows_the_referral_asks_for_nothing() {
    let referrals = odd_referrals();
    let mut left: Vec<&Value> = referrals.iter().collect();
    // A referral can be in a file once, so those that share a sample go into another one.
    while !left.is_empty() {
        let mut ids = BTreeSet::new();
        let (now, later): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|referral| ids.insert(referral["id"].to_string()));
        let these: Vec<Value> = now.into_iter().cloned().collect();
        let deals: Vec<Deal> = these.iter().map(shown).collect();
        let ran = plan(&these, &deals, "", 0);
        let (operations, findings) = planned(&ran, "run");
        assert_eq!((operations, findings), (BTreeMap::new(), Vec::new()), "{}", ran.stderr());
        assert_eq!(ran.outcomes("run"), format!("{} unchanged", these.len()));
        left = later;
    }
}

#[test]
fn the_same_cells_count_where_the_referral_has_something_else() {
    for (column, cell, outcome, rule) in [
        ("Notes", "#N/A", "1 invalid", "error[spreadsheet-error]"),
        ("Notes", "NULL", "1 planned", "warning[empty-word]"),
        ("Notes", "'=1+1", "1 planned", ""),
        ("Notes", "\\N", "1 invalid", "error[clear]"),
        ("Sales Stage", "0.4", "1 invalid", "error[type]"),
        ("Sales Stage", "140%", "1 invalid", "error[type]"),
        ("Sales Stage", "60%", "1 planned", ""),
        ("Currency", "eur", "1 invalid", "error[type]"),
        ("Estimated Deal Value", "12.563", "1 invalid", "error[decimal-sign]"),
        ("Partner Referral Substatus", "Error", "1 invalid", "error[type]"),
        ("Partner Referral Substatus", "Pending", "1 invalid", "error[substatus-pair]"),
        ("Partner Referral Status", "New", "1 invalid", "error[substatus-pair]"),
        ("Team member 1", "Kim, Park, , kim@example.com", "1 invalid", "error[type]"),
        ("Team member 1", "Kim, Park, Jr., 1, kim@example.com", "1 invalid", "error[type]"),
        ("Solution 1", "SOL-77;EUR;12;3", "1 invalid", "error[type]"),
        ("Customer Contact Email Address", "nobody", "1 invalid", "error[type]"),
    ] {
        let referral = referral(15, &[]);
        let mut deal = shown(&referral);
        deal.insert(column.to_owned(), cell.to_owned());
        let code = if outcome == "1 invalid" { 3 } else { 0 };
        let ran = plan(&[referral], &[deal], "", code);
        assert_eq!(ran.outcomes("run"), outcome, "{column} {cell}: {}", ran.stderr());
        let told = ran.stderr();
        let told: Vec<&str> =
            told.lines().filter(|line| line.contains("error[") || line.contains("warning[")).collect();
        assert_eq!(told.len(), usize::from(!rule.is_empty()), "{column} {cell}: {told:?}");
        assert!(told.iter().all(|line| line.contains(rule)), "{column} {cell}: {told:?}");
    }
}

/// A snapshot file may leave out members of a list's elements, so only what is added is known to overwrite nothing.
#[test]
fn a_list_is_added_to_by_what_a_snapshot_shows() {
    const KIM: &str = "Kim, Park, +1 555 0142, kim.park@partner.example.com";
    let referral = referral(15, &[]);
    let mut deal = shown(&referral);
    deal.insert("Team member 3".to_owned(), KIM.to_owned());
    for more in ["--state referrals.jsonl", ""] {
        let ran = plan(std::slice::from_ref(&referral), &[deal.clone()], more, 0);
        let (operations, findings) = planned(&ran, "run");
        assert_eq!(operations[&id(15)][0]["path"], "/team/-", "{more}");
        assert_eq!(operations[&id(15)].as_array().unwrap().len(), 1, "{more}");
        assert_eq!(findings, Vec::<String>::new(), "{more}");
    }
    let changed = deal["Team member 1"].replace("Zo", "Joe");
    deal.insert("Team member 1".to_owned(), changed);
    let ran = plan(std::slice::from_ref(&referral), &[deal.clone()], "--state referrals.jsonl", 3);
    let told =
        "error[incomplete-state]: the snapshot may show /team in part, and what it leaves out would be lost";
    assert!(ran.stderr().contains(told), "{}", ran.stderr());
    let ran = plan(std::slice::from_ref(&referral), &[deal.clone()], "", 0);
    let (operations, _) = planned(&ran, "run");
    assert_eq!(operations[&id(15)][0]["path"], "/team");
    assert_eq!(operations[&id(15)][0]["value"].as_array().unwrap().len(), 3);
}

#[test]
fn lists_that_nobody_looked_at_hold_no_row_back() {
    let referral = referral(15, &[("/team/0/phoneNumber", Value::Null)]);
    let mut deal = shown(&referral);
    deal.insert("Notes".to_owned(), "Called".to_owned());
    let ran = plan(&[referral], &[deal], "--state none", 0);
    assert_eq!(ran.outcomes("run"), "1 planned", "{}", ran.stderr());
    let (operations, findings) = planned(&ran, "run");
    let paths =
        operations[&id(15)].as_array().unwrap().iter().map(|operation| operation["path"].as_str().unwrap());
    assert!(paths.clone().any(|path| path == "/details/notes"), "{operations:?}");
    assert!(
        paths.clone().all(|path| !path.contains("team") && !path.contains("solutions")),
        "{operations:?}"
    );
    let told =
        "portal-read-only: /team: what is on the list is not known, and its cells are not sent".to_owned();
    assert!(findings.contains(&told), "{findings:?}");
}

#[test]
fn a_member_that_another_column_adds_is_not_told_as_kept() {
    let referral = referral(15, &[]);
    let mut deal = shown(&referral);
    deal.insert("team.add".to_owned(), "Kim, Park, +1 555 0142, kim.park@partner.example.com".to_owned());
    let ran = plan(&[referral], &[deal], "", 0);
    let (operations, findings) = planned(&ran, "run");
    assert_eq!(operations.len(), 1);
    assert_eq!(findings, Vec::<String>::new());
}

/// Two people may share an address: neither is to take over what the file shows, or changes, of the other.
#[test]
fn of_two_members_with_one_address_neither_is_changed() {
    let boss = json!({ "firstName": "A", "lastName": "B", "phoneNumber": null, "email": "s@example.com", "title": "boss" });
    let dev = json!({ "firstName": "C", "lastName": "D", "phoneNumber": "2", "email": "s@example.com", "title": "dev" });
    let referral = referral(15, &[("/team", json!([boss, dev]))]);
    const UNCLEAR: &str = "portal-read-only: /team: s@example.com is there more than once, and which of them is \
                           meant cannot be told: none is changed";
    for (second, told) in [("C, D, 2, s@example.com", None), ("C, D, 3, s@example.com", Some(UNCLEAR))] {
        let mut deal = shown(&referral);
        deal.insert("Team member 2".to_owned(), second.to_owned());
        let ran = plan(std::slice::from_ref(&referral), &[deal], "", 0);
        let (operations, findings) = planned(&ran, "run");
        assert!(operations.is_empty(), "{second}: {operations:?}");
        assert_eq!(findings, Vec::from_iter(told.map(ToOwned::to_owned)), "{second}");
    }
}
