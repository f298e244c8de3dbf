//! A file against its base: of every field there are three values, that of the base, the file's and the referral's.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use referral_bulk::domain::outcome::Outcome;
use serde_json::{Value, json};

use crate::support::based::{Compared, compare};
use crate::support::referrals::ID;

/// A field of the model, with values that differ by meaning. The first of them is none.
struct ModelField {
    pointer: &'static str,
    values: [Value; 4],
    /// For each value, what else a spreadsheet makes of it in a CSV.
    rewritten: [&'static str; 4],
}

fn fields() -> Vec<ModelField> {
    let field = |pointer, values, rewritten| ModelField { pointer, values, rewritten };
    let member = |email: &str, title: &str| json!({ "email": email, "title": title });
    let (ann, bo) = (member("ann@example.com", "CTO"), member("bo@example.com", ""));
    vec![
        field(
            "/statusReason",
            [json!(null), json!("price"), json!("a\nb"), json!("Zoë")],
            ["", "price", "a\r\nb", "Zoë"],
        ),
        field(
            "/details/notes",
            [json!(null), json!("=1+1"), json!("two"), json!("7")],
            ["", "=1+1", "two", "7"],
        ),
        field(
            "/details/dealValue",
            [json!(null), json!(12563.5), json!(0.1), json!(7)],
            ["", "12563.50", "0.100", "7.0"],
        ),
        field(
            "/details/currency",
            [json!(null), json!("EUR"), json!("USD"), json!("JPY")],
            ["", "EUR", "USD", "JPY"],
        ),
        field(
            "/details/closingDateTime",
            [
                json!(null),
                json!("2026-12-31T00:00:00.0000000Z"),
                json!("2027-01-15T15:30:00Z"),
                json!("2027-03-01T00:00:00Z"),
            ],
            ["", "2026-12-31", "2027-01-15", "2027-03-01T01:00:00+01:00"],
        ),
        field(
            "/consent/consentToShareReferralWithMicrosoftSellers",
            [json!(null), json!(true), json!(false), json!(true)],
            ["", "TRUE", "False", "true"],
        ),
        field("/team", [json!(null), json!([ann]), json!([ann, bo]), json!([bo])], ["", "", "", ""]),
    ]
}

/// The two values of a field are the same.
fn is_same(field: &ModelField, one: usize, other: usize) -> bool {
    field.values[one] == field.values[other]
}

/// A value at the service is still that of the base: whether a flag is false or isn't there makes no difference.
fn is_still(field: &ModelField, base: usize, now: usize) -> bool {
    let is_unset = |value: usize| matches!(field.values[value], Value::Null | Value::Bool(false));
    let is_flag = field.values.iter().any(Value::is_boolean);
    is_same(field, base, now) || is_flag && is_unset(base) && is_unset(now)
}

/// What somebody did to a cell of the file.
#[derive(Debug, Clone, Copy)]
enum Edit {
    Kept,
    /// A program wrote it anew.
    Rewritten,
    /// Made empty, which leaves the field alone.
    Emptied,
    /// Set to one of the values, maybe to none.
    Set(usize),
}

/// One field, as a seed makes it.
#[derive(Debug, Clone, Copy)]
struct Cell {
    base: usize,
    edit: Edit,
    /// Its value at the service.
    now: usize,
}

fn cell() -> impl Strategy<Value = Cell> {
    let edit = prop_oneof![
        4 => Just(Edit::Kept),
        2 => Just(Edit::Rewritten),
        1 => Just(Edit::Emptied),
        3 => (0..4_usize).prop_map(Edit::Set),
    ];
    let moved = prop_oneof![4 => Just(None), 1 => (0..4_usize).prop_map(Some)];
    (0..4_usize, edit, moved).prop_map(|(base, edit, moved)| Cell { base, edit, now: moved.unwrap_or(base) })
}

/// A referral with values of the fields, and with more in its lists than any file shows.
fn referral(fields: &[ModelField], values: impl Iterator<Item = usize>, is_live: bool) -> String {
    let mut referral = json!({
        "id": ID, "eTag": if is_live { "\"v2\"" } else { "\"v1\"" }, "createdDateTime": "2026-01-05T09:00:00Z",
        "engagementId": "e6000000-0000-4000-8000-000000000001", "status": "Active", "substatus": "Accepted",
        "details": { "customerAction": null }, "consent": {}, "team": [],
    });
    for (field, value) in fields.iter().zip(values) {
        let (parent, name) = field.pointer.rsplit_once('/').unwrap();
        let mut value = field.values[value].clone();
        for element in value.as_array_mut().into_iter().flatten().filter(|_| is_live) {
            element["isValid"] = json!(true);
        }
        referral.pointer_mut(parent).unwrap()[name] = value;
    }
    referral.to_string()
}

fn csv(fields: &[ModelField], etag: &str, cells: impl Iterator<Item = String>) -> String {
    let quoted = |text: String| format!("\"{}\"", text.replace('"', "\"\""));
    let names: Vec<String> = fields.iter().map(|field| field.pointer.to_owned()).collect();
    let cells: Vec<String> = cells.map(quoted).collect();
    format!("eTag,id,{}\n{etag},{ID},{}\n", names.join(","), cells.join(","))
}

fn cell_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// The base in a form: a CSV, a line of changes, or a snapshot.
fn base_file(form: usize, fields: &[ModelField], cells: &[Cell]) -> (&'static str, String) {
    let values = cells.iter().map(|cell| cell.base);
    match form {
        0 => {
            let texts = fields.iter().zip(values).map(|(field, value)| cell_text(&field.values[value]));
            ("base.csv", csv(fields, "v1", texts))
        }
        1 => {
            let mut line = json!({ "id": ID, "eTag": "v1" });
            for (field, value) in fields.iter().zip(values) {
                line[field.pointer] = field.values[value].clone();
            }
            ("base.jsonl", format!("{line}\n"))
        }
        _ => ("base.json", referral(fields, values, false)),
    }
}

/// The edited file in a form: a CSV, or a line of changes.
fn edited_file(form: usize, fields: &[ModelField], cells: &[Cell]) -> (&'static str, String) {
    let pairs = || fields.iter().zip(cells);
    if form == 0 {
        let texts = pairs().map(|(field, cell)| match cell.edit {
            Edit::Kept => cell_text(&field.values[cell.base]),
            Edit::Rewritten if field.rewritten[cell.base].is_empty() => cell_text(&field.values[cell.base]),
            Edit::Rewritten => field.rewritten[cell.base].to_owned(),
            Edit::Emptied => String::new(),
            Edit::Set(value) if field.values[value].is_null() => "\\N".to_owned(),
            Edit::Set(value) => cell_text(&field.values[value]),
        });
        return ("edited.csv", csv(fields, "v1", texts));
    }
    let mut line = json!({ "eTag": "v1", "createdDateTime": "2026-01-05T09:00:00Z", "id": ID });
    // The service alone writes this member, and only a snapshot has it: elsewhere it would be refused.
    if form == 1 {
        line.as_object_mut().unwrap().remove("createdDateTime");
    }
    for (field, cell) in pairs() {
        match cell.edit {
            Edit::Kept | Edit::Rewritten => line[field.pointer] = field.values[cell.base].clone(),
            Edit::Emptied => {}
            Edit::Set(value) => line[field.pointer] = field.values[value].clone(),
        }
    }
    ("edited.jsonl", format!("{line}\n"))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1200, failure_persistence: None, rng_seed: RngSeed::Fixed(333), ..ProptestConfig::default()
    })]

    /// Whatever the form of either file: what differs from the base is a change, unless it is so already; what somebody
    /// else changed as well is a conflict; and nothing else is touched.
    #[test]
    fn a_file_edited_against_its_base_plans_exactly_the_edits(
        cells in proptest::collection::vec(cell(), 7), base in 0..3_usize, file in any::<Index>(),
    ) {
        let fields = fields();
        // A line with what the service alone writes is fit for a snapshot of it only.
        let file = file.index(if base == 2 { 3 } else { 2 });
        let folder = tempfile::tempdir().unwrap();
        let (base, edited) = (base_file(base, &fields, &cells), edited_file(file, &fields, &cells));
        let now = referral(&fields, cells.iter().map(|cell| cell.now), true);
        let got = compare(folder.path(), (base.0, &base.1), (edited.0, &edited.1), &now);

        let wishes = fields.iter().zip(&cells).filter_map(|(field, cell)| match cell.edit {
            Edit::Set(value) if !is_same(field, value, cell.base) => Some((field, cell, value)),
            _ => None,
        });
        let wishes: Vec<_> = wishes.collect();
        let open: Vec<_> = wishes.iter().filter(|(field, cell, value)| !is_same(field, *value, cell.now)).collect();
        let moved = open.iter().any(|(field, cell, _)| !is_still(field, cell.base, cell.now));
        let wanted: Vec<&str> = {
            let mut pointers: Vec<&str> = open.iter().map(|(field, ..)| field.pointer).collect();
            pointers.sort_unstable();
            pointers
        };
        let Compared { planned, without_a_look, as_in_base, lacks, .. } = got;
        prop_assert_eq!(lacks, Vec::<String>::new());
        prop_assert_eq!(without_a_look, wishes.is_empty(), "{} against {}", edited.1, base.1);
        let outcome = planned.verdict.as_ref().map(|verdict| verdict.outcome);
        let mut told: Vec<&str> = planned.item.changes.iter().map(|change| change.path.pointer().as_str()).collect();
        told.sort_unstable();
        let why = format!("{} against {}, now {now}: {:?}", edited.1, base.1, planned.item.findings);
        match (open.is_empty(), moved) {
            (true, _) => prop_assert_eq!(outcome, Some(Outcome::Unchanged), "{}", why),
            (false, true) => {
                prop_assert_eq!(outcome, Some(Outcome::Conflict), "{}", why);
                prop_assert_eq!(planned.item.patch.get(), "[]");
                prop_assert_eq!(told, wanted, "{}", why);
                // The sides of the conflict are those of the base and of the referral.
                let theirs: Value = serde_json::from_str(planned.theirs.unwrap().get()).unwrap();
                for (field, cell, _) in open {
                    let change = planned.item.changes.iter().find(|change| change.path.pointer().as_str() == field.pointer);
                    let (change, is_none) = (change.unwrap(), |value: &Value| value.is_null());
                    prop_assert_eq!(change.before.is_none(), is_none(&field.values[cell.now]));
                    let base = change.base.as_ref().map(|base| base.value.is_none());
                    prop_assert_eq!(base, Some(is_none(&field.values[cell.base])));
                    prop_assert_eq!(theirs[field.pointer].is_null(), field.values[cell.now] == json!(null));
                }
            }
            (false, false) => {
                prop_assert_eq!(outcome, None, "{}", why);
                prop_assert_eq!(told, wanted, "{}", why);
                let etag = planned.item.etag.unwrap();
                prop_assert_eq!(etag.as_str(), "\"v2\"", "the eTag of the base binds nothing");
            }
        }
        let kept = fields.iter().zip(&cells).filter(|(field, cell)| {
            let is_there = |value: usize| field.values[value] != json!(null);
            match cell.edit {
                Edit::Kept | Edit::Rewritten => is_there(cell.base) || file > 0,
                Edit::Set(value) => is_same(field, value, cell.base),
                Edit::Emptied => false,
            }
        });
        prop_assert_eq!(as_in_base, kept.count() as u64, "{}", why);
    }
}

/// The outcome, the paths of the changes, and the rules that have something to say.
fn told(base: &str, file: &str, referral: &Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    let got = compare(folder.path(), ("base.csv", base), ("file.csv", file), &referral.to_string());
    let outcome = got.planned.verdict.as_ref().map_or("planned", |verdict| verdict.outcome.name());
    let paths = got.planned.item.changes.iter().map(|change| format!(" {}", change.path.pointer()));
    let rules = got.rules.into_iter().chain(got.planned.item.findings.iter().map(|finding| finding.rule));
    let mut rules: Vec<String> = rules.map(|rule| format!(" {}", rule.id())).collect();
    rules.dedup();
    let lacks = got.lacks.iter().map(|path| format!(" lacks {path}"));
    std::iter::once(outcome.to_owned()).chain(paths).chain(rules).chain(lacks).collect()
}

/// Of one field: what the base has, what the file has, and what the referral has.
#[test]
fn every_case_of_three_values_has_its_answer() {
    for (base, file, now, wanted) in [
        ("a", "a", "a", "unchanged"),
        ("a", "a", "b", "unchanged"),
        ("a", "b", "a", "planned /details/notes"),
        ("a", "b", "b", "unchanged"),
        ("a", "b", "c", "conflict /details/notes changed-since-base"),
        ("a", "b", "", "conflict /details/notes changed-since-base"),
        ("", "", "a", "unchanged"),
        ("", "b", "", "planned /details/notes"),
        ("", "b", "b", "unchanged"),
        ("", "b", "c", "conflict /details/notes changed-since-base"),
        ("a", "", "a", "unchanged emptied-cell"),
        ("a", "", "b", "unchanged emptied-cell"),
        ("a", "\\N", "a", "planned /details/notes"),
        ("a", "\\N", "", "unchanged"),
        ("a", "\\N", "b", "conflict /details/notes changed-since-base"),
        ("", "\\N", "a", "unchanged"),
        ("\\N", "", "a", "unchanged emptied-cell"),
        // What can't be read is no matter as long as nobody touched it.
        ("\u{fffd}", "\u{fffd}", "a", "unchanged"),
        ("\u{fffd}", "b", "a", "invalid base-unreadable"),
        ("#REF!", "#REF!", "a", "unchanged"),
        ("#REF!", "b", "#REF!", "planned /details/notes"),
    ] {
        let text = |cell: &str| format!("id,notes\n{ID},\"{cell}\"\n");
        let referral = json!({
            "id": ID, "eTag": "\"v2\"", "status": "Active", "substatus": "Accepted", "details": { "notes": now },
        });
        assert_eq!(told(&text(base), &text(file), &referral), wanted, "{base:?}, {file:?}, {now:?}");
    }
}

/// Status and substatus are one change of two cells.
#[test]
fn an_edited_stage_is_compared_in_both_of_its_parts() {
    let moved = "conflict /status /substatus changed-since-base";
    for (base, file, now, wanted) in [
        ("Active,Accepted", "Active,Accepted", "Closed,Won", "unchanged"),
        // The cell that nobody touched asks for nothing, so the other one decides.
        ("Active,Accepted", "Active,Lost", "Active,Accepted", "planned /status /substatus reason-missing"),
        ("Active,Accepted", "Closed,Lost", "Active,Accepted", "planned /status /substatus reason-missing"),
        ("Active,Accepted", "Closed,Lost", "Closed,Lost", "unchanged"),
        ("Active,Accepted", "Closed,Lost", "Closed,Won", moved),
        ("New,Pending", "Active,Accepted", "New,Received", moved),
        ("New,Pending", ",Accepted", "New,Pending", "planned /status /substatus emptied-cell"),
        ("Active,Accepted", "Closed,Accepted", "Active,Accepted", "invalid substatus-pair"),
    ] {
        let text = |cells: &str| format!("id,status,substatus\n{ID},{cells}\n");
        let (status, substatus) = now.split_once(',').unwrap();
        let referral = json!({ "id": ID, "eTag": "\"v2\"", "status": status, "substatus": substatus });
        assert_eq!(told(&text(base), &text(file), &referral), wanted, "{base} {file} {now}");
    }
}

#[test]
fn what_is_in_one_of_the_files_alone_is_told() {
    let referral = json!({
        "id": ID, "eTag": "\"v2\"", "status": "Active", "substatus": "Accepted",
        "details": { "notes": "now", "dealValue": 5 },
    });
    let other = ID.replace("0001", "0002");
    for (base, file, wanted) in [
        // A column of the file's own is a wish as it would be without a base.
        (
            format!("id,notes\n{ID},a\n"),
            format!("id,notes,dealValue\n{ID},a,7\n"),
            "planned /details/dealValue lacks /details/dealValue",
        ),
        (format!("id,notes,dealValue\n{ID},a,7\n"), format!("id,notes\n{ID},a\n"), "unchanged"),
        // A column that nobody knows is of no account in a base.
        (format!("id,what,notes\n{ID},x,a\n"), format!("id,notes\n{ID},a\n"), "unchanged"),
        (
            format!("id,notes\n{other},a\n"),
            format!("id,notes,dealValue\n{ID},b,much\n"),
            "invalid not-in-base",
        ),
        // Under another name, it is compared by what it means.
        (format!("id,Deal Value\n{ID},5.00\n"), format!("id,details.dealValue\n{ID},5\n"), "unchanged"),
        (format!("id;dealValue\n{ID};\"5,50\"\n"), format!("id,dealValue\n{ID},5.50\n"), "unchanged"),
        // An eTag that somebody changed binds the row, the base's own doesn't.
        (
            format!("id,eTag,notes\n{ID},v1,now\n"),
            format!("id,eTag,notes\n{ID},v1,b\n"),
            "planned /details/notes",
        ),
        (
            format!("id,eTag,notes\n{ID},v1,now\n"),
            format!("id,eTag,notes\n{ID},v0,b\n"),
            "conflict /details/notes stale-etag",
        ),
        (
            format!("id,notes\n{ID},now\n"),
            format!("id,eTag,notes\n{ID},v0,b\n"),
            "conflict /details/notes stale-etag",
        ),
        // Members to add are compared as they are written.
        (
            format!("id,team.add\n{ID},\"Ann, Lee, 1, ann@example.com\"\n"),
            format!("id,team.add\n{ID},\"Ann,Lee,1,ann@example.com\"\n"),
            "unchanged",
        ),
        (
            format!("id,team.add\n{ID},\n"),
            format!("id,team.add\n{ID},\"Ann, Lee, 1, ann@example.com\"\n"),
            "planned /team",
        ),
        // What a conflict report shows counts as seen.
        (
            format!("id,notes\n{ID},a\n"),
            format!(
                "id,notes,result.outcome,result.theirs\n{ID},b,conflict,\"{{\"\"/details/notes\"\":\"\"now\"\"}}\"\n"
            ),
            "planned /details/notes",
        ),
        (
            format!("id,notes\n{ID},a\n"),
            format!(
                "id,notes,result.outcome,result.theirs\n{ID},b,conflict,\"{{\"\"/details/notes\"\":\"\"old\"\"}}\"\n"
            ),
            "conflict /details/notes changed-since-base",
        ),
    ] {
        assert_eq!(told(&base, &file, &referral), wanted, "{base} {file}");
    }
}

/// A base that knows no more than the day of a time: every time of that day is it.
#[test]
fn a_day_is_any_time_of_it() {
    for (base, file, now, wanted) in [
        ("2026-12-31", "2026-12-31", "2026-12-31T15:30:00Z", "unchanged"),
        ("2026-12-31", "2027-01-31", "2026-12-31T15:30:00Z", "planned /details/closingDateTime"),
        (
            "2026-12-31",
            "2027-01-31",
            "2026-12-30T15:30:00Z",
            "conflict /details/closingDateTime changed-since-base",
        ),
        ("2026-12-31T15:30:00Z", "2026-12-31", "2026-12-31T15:30:00Z", "unchanged"),
        ("2026-12-31T15:30:00Z", "2026-12-31T16:30:00+01:00", "2026-12-31T15:30:00Z", "unchanged"),
        (
            "2026-12-31T15:30:00Z",
            "2026-12-31T12:00:00Z",
            "2026-12-31T15:30:00Z",
            "planned /details/closingDateTime",
        ),
        (
            "2026-12-31T15:30:00Z",
            "2027-01-31",
            "2026-12-31T16:30:00Z",
            "conflict /details/closingDateTime changed-since-base",
        ),
    ] {
        let text = |cell: &str| format!("id,closingDateTime\n{ID},{cell}\n");
        let referral = json!({
            "id": ID, "eTag": "\"v2\"", "status": "Active", "substatus": "Accepted",
            "details": { "closingDateTime": now },
        });
        assert_eq!(told(&text(base), &text(file), &referral), wanted, "{base} {file} {now}");
    }
}

/// A file of Partner Center's own against the download that it was: what the portal's cells mean is compared, and of
/// lists each element by itself.
#[test]
fn a_portal_file_is_compared_with_its_download() {
    const COLUMNS: [&str; 14] = [
        "Referral ID",
        "Deal Name",
        "Partner Referral Status",
        "Partner Referral Substatus",
        "Declined/Lost/Error reason",
        "Sales Stage",
        "Estimated Deal Value",
        "Estimated Close Date",
        "Notes",
        "Solution 1",
        "Team member 1",
        "Team member 2",
        "Share with Microsoft sales team",
        "Engagement ID",
    ];
    let was = [
        ID,
        "Deal",
        "Active",
        "Accepted",
        "",
        "40",
        "1000.50",
        "12/31/2026",
        "a",
        "S1,EUR,5,1",
        "Ann,Lee,1,ann@example.com",
        "Bo,Ek,2,bo@example.com",
        "No",
        "e6000000-0000-4000-8000-000000000001",
    ];
    let now = json!({
        "id": ID, "engagementId": "e6000000-0000-4000-8000-000000000001", "eTag": "\"v2\"", "name": "Deal", "status": "Active", "substatus": "Accepted", "salesStage": "40",
        "statusReason": "", "consent": { "consentToShareReferralWithMicrosoftSellers": false },
        "details": {
            "dealValue": 1000.5, "closingDateTime": "2026-12-31T17:30:00Z", "notes": "a",
            "requirements": { "solutions": [{ "id": "S1", "currency": "EUR", "price": 5, "quantity": 1, "name": "One" }] },
        },
        "team": [
            { "firstName": "Ann", "lastName": "Lee", "phoneNumber": "1", "email": "ann@example.com", "title": "CTO" },
            { "firstName": "Bo", "lastName": "Ek", "phoneNumber": "2", "email": "bo@example.com" },
        ],
    });
    let text = |cells: &[&str]| {
        let quoted =
            |cells: &[&str]| cells.iter().map(|cell| format!("\"{cell}\"")).collect::<Vec<_>>().join(",");
        format!("{}\r\n{}\r\n", quoted(&COLUMNS), quoted(cells))
    };
    let check = |base: &[(usize, &str)], edits: &[(usize, &str)], moved: &[(&str, Value)], wanted: &str| {
        let edited = |of: &[&'static str], edits: &[(usize, &'static str)]| {
            let mut cells = of.to_vec();
            edits.iter().for_each(|(at, cell)| cells[*at] = cell);
            cells
        };
        let mut referral = now.clone();
        for (pointer, value) in moved {
            *referral.pointer_mut(pointer).unwrap() = value.clone();
        }
        let leak = |edits: &[(usize, &str)]| -> Vec<(usize, &'static str)> {
            edits.iter().map(|(at, cell)| (*at, &*Box::leak((*cell).to_owned().into_boxed_str()))).collect()
        };
        let base = edited(&was, &leak(base));
        let file = edited(&base, &leak(edits));
        assert_eq!(told(&text(&base), &text(&file), &referral), wanted, "{edits:?} {moved:?}");
    };
    let team = "/team";
    let ann = |title: &str, phone: &str| json!([{ "firstName": "Ann", "lastName": "Lee", "phoneNumber": phone, "email": "ann@example.com", "title": title }]);
    check(&[], &[], &[], "unchanged");
    check(
        &[],
        &[],
        &[("/details/dealValue", json!(7)), ("/team", json!([])), ("/name", json!("Other"))],
        "unchanged",
    );
    // What a spreadsheet makes of a cell, and members in other columns, are no edits.
    check(&[], &[(6, "1000.5"), (7, "12/31/2026"), (5, "40%")], &[], "unchanged");
    check(&[], &[(10, was[11]), (11, was[10])], &[], "unchanged");
    check(&[], &[(11, "")], &[], "unchanged emptied-cell");
    // What can't be changed is compared with the referral where somebody edited it.
    check(&[], &[(1, "Another")], &[], "planned /name unconfirmed-path");
    check(&[], &[(13, "another")], &[], "unchanged portal-read-only");
    check(&[(13, "another")], &[], &[], "unchanged");
    // Edits.
    check(&[], &[(7, "01/31/2027")], &[], "planned /details/closingDateTime");
    check(
        &[],
        &[(7, "01/31/2027")],
        &[("/details/closingDateTime", json!("2026-12-30T17:30:00Z"))],
        "conflict /details/closingDateTime changed-since-base",
    );
    check(&[], &[(12, "Yes")], &[], "planned /consent/consentToShareReferralWithMicrosoftSellers");
    check(&[], &[(3, "Lost"), (4, "1")], &[], "planned /statusReason /status /substatus");
    check(
        &[],
        &[(3, "Lost"), (4, "1")],
        &[("/status", json!("Closed")), ("/substatus", json!("Won"))],
        "conflict /statusReason /status /substatus changed-since-base",
    );
    // One member of the team: what others did to another one, or put into the list, is no matter.
    let edit = [(10, "Ann,Lee,9,ann@example.com")];
    check(&[], &edit, &[], "planned /team");
    check(&[], &edit, &[(team, ann("CEO", "1"))], "planned /team");
    check(&[], &edit, &[(team, ann("CTO", "9"))], "unchanged");
    check(&[], &edit, &[(team, ann("CTO", "8"))], "conflict /team changed-since-base");
    check(&[], &edit, &[(team, json!([]))], "conflict /team changed-since-base");
    check(&[], &[(11, "Cy,Ro,3,cy@example.com")], &[], "planned /team");
    check(&[(11, "")], &[(11, "Bo,Ek,7,bo@example.com")], &[], "conflict /team changed-since-base");
    check(&[], &[(9, "S1,EUR,6,1")], &[], "planned /details/requirements/solutions");
    // What can't be read is no matter as long as nobody touched it.
    check(&[(2, "Closed"), (3, "Error"), (7, "31.12.2026")], &[], &[], "unchanged");
    check(&[(7, "31.12.2026")], &[(7, "01/31/2027")], &[], "invalid base-unreadable");
}
