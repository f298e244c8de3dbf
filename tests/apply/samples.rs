//! The samples, carried out and looked at to the letter.

use super::*;

#[test]
fn a_quarter_end_goes_through() {
    let ran = Test::new(&format!("apply quarter-end.csv {REHEARSE}"))
        .sample("quarter-end.csv")
        .snapshot("quarter_end_csv", ROW_FILES)
        .run();
    assert_eq!(ran.outcomes("run"), "23 applied, 1 unchanged");
}

#[test]
fn as_json_lines_it_is_the_same_plan() {
    let lines = Test::new(&format!("apply quarter-end.jsonl {REHEARSE}"))
        .sample("quarter-end.jsonl")
        .snapshot("quarter_end_jsonl", ["run/success.jsonl", "run/conflict.jsonl", "run/error.jsonl"])
        .run();
    assert_eq!(lines.outcomes("run"), "23 applied, 1 unchanged");
    let cells = Test::new(&format!("apply quarter-end.csv {QUIET}"))
        .sample("quarter-end.csv")
        .stderr("warning[set-expired]: 1 row, the first at quarter-end.csv:10: the service expires referrals by itself (“Device refresh – Blue Kite Logistics”, Blue Kite Logistics)\n")
        .run();
    let plan = |ran: &Ran| -> Vec<Value> {
        let mut items = json_lines(&ran.place.raw("run/plan.jsonl"));
        items.iter_mut().for_each(|item| drop(item.as_object_mut().unwrap().remove("rows")));
        items.iter_mut().for_each(|item| drop(item.as_object_mut().unwrap().remove("findings")));
        items
    };
    assert!(plan(&lines) == plan(&cells), "the two plans differ");
}

#[test]
fn mistakes_are_told_and_the_rest_is_applied() {
    Test::new(&format!("apply quarter-end-mistakes.csv {REHEARSE}"))
        .sample("quarter-end-mistakes.csv")
        .code(3)
        .snapshot("mistakes", ROW_FILES)
        .run();
}

#[test]
fn most_rules_are_broken_once() {
    Test::new("apply invalid.csv --sandbox --rate 1000/s --out run --rule early-win=allow")
        .sample("invalid.csv")
        .code(3)
        .snapshot("invalid", ROW_FILES)
        .run();
}
