//! Tests of the data block.

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::domain::account::ItemChange;
use crate::domain::item::Effect;
use crate::domain::rules::Rule;
use crate::report::testing::{csv_input, planned_item, raw, row, warning};

fn start() -> Timestamp {
    "2026-12-31T15:02:11.5Z".parse().unwrap()
}

fn full(ordinal: u64, outcome: Outcome, changes: &[(Field, &str, &str)]) -> FullRow {
    let changes = planned_item(ordinal, Effect::Reversible, changes, None).item.changes;
    let change = Some(ItemChange { changes, effect: Effect::Reversible });
    FullRow { account: row(ordinal, 0, outcome), change, tries: Vec::new() }
}

fn data(no_value: NoValue, rows: &[FullRow]) -> Value {
    let mut data = RowData::new(Texts::new(false), no_value, start());
    rows.iter().for_each(|row| data.add(row));
    read(&data)
}

fn read(data: &RowData) -> Value {
    let inputs = [csv_input("a.csv", &["id"], 1), csv_input("-", &["id"], 1)];
    let head = DataHead { kind: "run", run: "r", explain: "referral-bulk explain r", inputs: &inputs };
    let mut out = Vec::new();
    data.write(&head, &mut out).unwrap();
    assert!(!out.contains(&b'<'));
    serde_json::from_slice(&out).unwrap()
}

/// The changes of the first row, with the texts in place of their numbers.
fn changes(data: &Value) -> Vec<Value> {
    let text = |number: &Value| match number.as_i64().unwrap() {
        -1 => json!(null),
        number => data["strings"][usize::try_from(number).unwrap()].clone(),
    };
    let changes = data["rows"][0][5].as_array().unwrap();
    let told = |change: &Value| {
        let change = change.as_array().unwrap();
        let field = data["fields"][usize::try_from(change[0].as_u64().unwrap()).unwrap()].clone();
        Value::Array(std::iter::once(field).chain(change[1..].iter().map(text)).collect())
    };
    changes.iter().map(told).collect()
}

#[test]
fn a_row_has_all_that_is_known_and_no_empty_end() {
    let mut whole = full(1, Outcome::Applied, &[(Field::DealValue, "10.00", "12.50")]);
    whole.account.verdict.status = Some(200);
    whole.account.verdict.code = "applied".to_owned();
    whole.account.at = Some("2026-12-31T15:02:13Z".parse().unwrap());
    whole.account.subject = Some(crate::report::testing::subject());
    whole.account.findings = vec![warning(Rule::EarlyWin)];
    let made = |status, answered: Option<&str>| Try {
        client_request_id: Uuid::nil(),
        at: start(),
        status,
        answered: answered.map(|at| at.parse().unwrap()),
    };
    whole.tries = vec![made(Some(429), Some("2026-12-31T15:02:11.75Z")), made(None, None)];
    let bare = FullRow { account: row(2, 1, Outcome::Invalid), change: None, tries: Vec::new() };
    let data = data(NoValue::Nothing, &[whole, bare]);
    assert_eq!(data["start"], "2026-12-31T15:02:11.5Z");
    assert_eq!(data["files"], json!(["a.csv", "standard input"]));
    let outcome = |outcome: Outcome| outcome as usize;
    let (id, nil) = ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000000");
    assert_eq!(data["outcomes"][outcome(Outcome::Invalid)], "invalid");
    assert_eq!(
        data["rows"][0],
        json!([
            0,
            2,
            id,
            "Fabrikam rollout",
            outcome(Outcome::Applied),
            [[6, 1, 2]],
            3,
            4,
            5,
            200,
            1500,
            [[nil, 429, 250], [nil, 0, null]],
            [[6, 0, 7]]
        ])
    );
    assert_eq!(data["rows"][1].as_array().unwrap().len(), 8, "{}", data["rows"][1]);
    assert_eq!(
        data["strings"].as_array().unwrap()[..8],
        [
            "",
            "10.00",
            "12.50",
            "applied",
            "applied, as it were",
            "EUR",
            "early-win",
            "early-win is worth a look"
        ]
    );
}

#[test]
fn what_was_not_seen_is_not_empty() {
    let row = full(1, Outcome::Planned, &[(Field::Notes, "", r#""a""#), (Field::Status, r#""New""#, "null")]);
    for (no_value, before) in [(NoValue::Nothing, json!("")), (NoValue::NotSeen, json!(null))] {
        let told = changes(&data(no_value, std::slice::from_ref(&row)));
        assert_eq!(told, [json!(["/details/notes", before, "a"]), json!(["/status", "New", ""])]);
    }
}

#[test]
fn the_other_side_is_told_where_there_is_one() {
    let changed = [(Field::Notes, r#""a""#, r#""b""#), (Field::DealValue, "12.0", "13")];
    let side = |text: &str| Some(raw(text));
    for (outcome, theirs, wanted) in [
        (
            Outcome::Conflict,
            side(r#"{"/details/notes":null,"/details/dealValue":12}"#),
            // The same number in another form has not moved.
            [json!(["/details/notes", "a", "b", ""]), json!(["/details/dealValue", "12.0", "13", "12.0"])],
        ),
        (
            Outcome::Conflict,
            None,
            [json!(["/details/notes", "a", "b", null]), json!(["/details/dealValue", "12.0", "13", null])],
        ),
        (
            Outcome::Partial,
            side(r#"{"/details/dealValue":12.5}"#),
            [json!(["/details/notes", "a", "b"]), json!(["/details/dealValue", "12.0", "13", "12.5"])],
        ),
        (
            Outcome::Applied,
            side(r#"{"/details/notes":"B"}"#),
            [json!(["/details/notes", "a", "b"]), json!(["/details/dealValue", "12.0", "13"])],
        ),
    ] {
        let mut row = full(1, outcome, &changed);
        row.account.theirs = theirs;
        assert_eq!(changes(&data(NoValue::Nothing, &[row])), wanted, "{outcome:?}");
    }
}

/// What planning found in conflict was not planned from: what stands there now is no base.
#[test]
fn a_conflict_of_the_plan_has_no_base_that_was_not_seen() {
    let mut row = full(1, Outcome::Conflict, &[(Field::Notes, r#""a""#, r#""b""#)]);
    row.change.as_mut().unwrap().effect = Effect::Unchanged;
    row.account.theirs = Some(raw(r#"{"/details/notes":"a"}"#));
    assert_eq!(changes(&data(NoValue::Nothing, &[row])), [json!(["/details/notes", null, "b", "a"])]);
}

#[test]
fn sides_that_are_told_alike_and_differ_say_so() {
    let long = "x ".repeat(300);
    let texts =
        |after: &str| [(Field::Notes, format!("\"{long}a\"")), (Field::Notes, format!("\"{long}{after}\""))];
    for (after, differs) in [("b", true), ("a", false)] {
        let [(field, before), (_, after)] = texts(after);
        let told =
            changes(&data(NoValue::Nothing, &[full(1, Outcome::Applied, &[(field, &before, &after)])]));
        assert_eq!(told[0][2].as_str().unwrap().ends_with(" (another value)"), differs);
    }
}

#[test]
fn the_end_of_a_list_and_an_undocumented_path_are_fields_of_their_own() {
    let mut row = full(1, Outcome::Planned, &[(Field::Team, "[]", "[]")]);
    let changes_of_row = &mut row.change.as_mut().unwrap().changes;
    changes_of_row[0].appended = vec![raw(r#"{"firstName":"Kim","lastName":"Park","email":"k@p.example"}"#)];
    let mut opted = changes_of_row[0].clone();
    opted.path = Path::Opted(crate::domain::pointer::Pointer::parse("/a</script>").unwrap());
    (opted.after, opted.appended) = (raw(r#""</script><!--""#), Vec::new());
    changes_of_row.push(opted);
    let data = data(NoValue::Nothing, &[row.clone(), row]);
    assert_eq!(
        changes(&data),
        [json!(["/team/-", "", "K••• P•••, k•••@p.example"]), json!(["/a</script>", "[]", "</script><!--"])]
    );
    assert_eq!(data["fields"].as_array().unwrap().len(), 17);
    assert_eq!(data["labels"].as_array().unwrap()[15..], ["Team", "/a</script>"]);
    assert_eq!(data["rows"][0][5], data["rows"][1][5]);
}

#[test]
fn rows_beyond_the_limits_are_left_out() {
    let rows = |most_rows, most_bytes| {
        let mut data = RowData::new(Texts::new(false), NoValue::Nothing, start());
        (data.most_rows, data.most_bytes) = (most_rows, most_bytes);
        let mut row = full(1, Outcome::Invalid, &[]);
        for ordinal in 0..50 {
            row.account.verdict.message = format!("{ordinal} {}", "x".repeat(100)).into();
            data.add(&row);
        }
        let rows = read(&data)["rows"].as_array().unwrap().len();
        assert_eq!(data.kept(), rows as u64);
        rows
    };
    assert_eq!([rows(50, 1_000_000), rows(49, 1_000_000), rows(0, 1_000_000)], [50, 49, 0]);
    // A row takes some 70 bytes beside its message.
    assert!((5..=8).contains(&rows(50, 1_000)), "{}", rows(50, 1_000));
}
