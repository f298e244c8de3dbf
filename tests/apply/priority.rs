//! `--priority`: in which order changes are sent, whatever says it, and whoever carries the run out.

use std::path::Path;

use nix::sys::signal::Signal;

use super::*;
use crate::support::waiting::until;

const SEND: &str = "--yes --rate 1000/s --concurrency 1 --out run --summary none --progress none";

/// Referrals as `number value date` each, where `-` is null.
fn seed(of: &[(usize, &str, &str)]) -> Vec<Value> {
    of.iter()
        .map(|(number, value, date)| {
            let mut referral = referral(*number, "Active", "Accepted");
            referral["externalReferenceId"] = format!("K{number}").into();
            let member = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
            referral["details"]["dealValue"] = if *value == "-" { Value::Null } else { member(value) };
            referral["details"]["closingDateTime"] = if *date == "-" { Value::Null } else { member(date) };
            referral
        })
        .collect()
}

const SEED: [(usize, &str, &str); 5] = [
    (1, "500", "2030-03-01T00:00:00Z"),
    (2, "-", "2030-01-01T00:00:00Z"),
    (3, "1000.5", "-"),
    (4, "1000.25", "2030-02-01T00:00:00Z"),
    (5, "70", "2029-12-31T23:00:00Z"),
];

/// The numbers of the referrals in the order in which their PATCHes came.
fn sent(tap: &Tap) -> String {
    let number = |path: &str| (0..100).find(|number| path.ends_with(&id(*number))).unwrap().to_string();
    let patches = tap.seen().into_iter().filter(|seen| seen.method == "PATCH");
    patches.map(|seen| number(&seen.path)).collect::<Vec<_>>().join("")
}

/// A CSV of notes, with one more column.
fn csv(column: &str, values: &[(usize, &str)]) -> String {
    let rows = values.iter().map(|(number, value)| format!("{},Called,\"{value}\"\n", id(*number)));
    format!("id,notes,{column}\n") + &rows.collect::<String>()
}

struct Case {
    what: &'static str,
    files: Vec<(&'static str, String)>,
    command: &'static str,
    wanted: &'static str,
    /// What is told of the order.
    told: &'static str,
}

fn cases() -> Vec<Case> {
    let case = |what, files, command, wanted, told| Case { what, files, command, wanted, told };
    let numbers = csv("Priority", &[(1, "3"), (2, "-1"), (3, ""), (4, "10"), (5, "3.0")]);
    let notes = csv("Owner", &[(1, "Zed"), (2, "ann"), (3, ""), (4, "Bob"), (5, "Ann")]);
    let days = csv("Due", &[(1, "2026-12-01"), (2, "2026-01-01"), (3, "2027-01-01T00:00:00+01:00")]);
    let lines: String = [(1, "5"), (2, "12"), (3, "null"), (4, "\"7\"")]
        .iter()
        .map(|(number, due)| {
            format!("{{\"id\":\"{}\",\"details\":{{\"notes\":\"x\"}},\"due\":{due}}}\n", id(*number))
        })
        .collect();
    let twice = csv("Priority", &[(1, "5"), (2, "4"), (1, "1"), (3, "9")]);
    let keys = "Deal,Comment,Rank\nK3,x,2\nK1,x,1\nK5,x,10\n".to_owned();
    let own: String = (1..)
        .zip(seed(&SEED[..4]))
        .map(|(number, mut payload)| {
            payload["details"]["notes"] = "Called".into();
            payload["Rank"] = (9 - number).into();
            format!("{payload}\n")
        })
        .collect();
    let nested: String = (1..5)
        .map(|number| {
            let id = id(number);
            let own = 9 - number;
            format!("{{\"id\":\"{id}\",\"Prio\":{{\"x\":{own}}},\"details\":{{\"notes\":\"q\"}}}}\n")
        })
        .collect();
    let unsent: String = ["a", "b", "c"].map(|word| format!("{},Called,{word},more\n", id(5))).concat();
    let payloads: String = seed(&SEED[..4])
        .into_iter()
        .map(|mut payload| {
            payload["details"]["notes"] = "Called".into();
            format!("{payload}\n")
        })
        .collect();
    vec![
        case(
            "numbers",
            vec![("a.csv", numbers.clone())],
            "apply a.csv --priority priority",
            "21543",
            "by the column \"priority\" (numbers, lowest first); 1 without a value comes last",
        ),
        case(
            "numbers, the highest first",
            vec![("a.csv", numbers.clone())],
            "apply a.csv --priority Priority:desc",
            "41523",
            "by the column \"Priority\" (numbers, highest first); 1 without a value comes last",
        ),
        case(
            "text",
            vec![("a.csv", notes)],
            "apply a.csv --priority Owner",
            "25413",
            "by the column \"Owner\" (text, from A to Z); 1 without a value comes last",
        ),
        case(
            "dates",
            vec![("a.csv", days)],
            "apply a.csv --priority Due:desc",
            "312",
            "by the column \"Due\" (dates, latest first)",
        ),
        case(
            "JSON lines",
            vec![("a.jsonl", lines)],
            "apply a.jsonl --priority Due",
            "1423",
            "by the column \"Due\" (numbers, lowest first); 1 without a value comes last",
        ),
        case(
            "several rows of one referral",
            vec![("a.csv", twice)],
            "apply a.csv --priority Priority",
            "123",
            "by the column \"Priority\" (numbers, lowest first)",
        ),
        case(
            "several files",
            vec![
                ("a.csv", csv("P", &[(1, "2"), (2, "8")])),
                ("b.csv", csv("P", &[(3, "1"), (4, "9")])),
                ("c.csv", notes_of(5)),
            ],
            "apply c.csv a.csv b.csv --priority P",
            "31245",
            "by the column \"P\" (numbers, lowest first); 1 without a value comes last",
        ),
        case(
            "a mapped column, by keys",
            vec![("a.csv", keys)],
            "apply a.csv --match externalReferenceId --map Deal=externalReferenceId --map Comment=notes --priority Rank:desc",
            "531",
            "by the column \"Rank\" (numbers, highest first)",
        ),
        case(
            "the referrals' value",
            vec![("a.csv", numbers.clone())],
            "apply a.csv --ignore-column Priority --priority dealValue:desc",
            "34152",
            "by the referrals' dealValue (numbers, highest first); 1 without a value comes last",
        ),
        case(
            "the referrals' date",
            vec![("a.csv", numbers.clone())],
            "apply a.csv --ignore-column Priority --priority details.closingDateTime",
            "52413",
            "by the referrals' closingDateTime (dates, earliest first); 1 without a value comes last",
        ),
        case(
            "a column in front of the referrals' value",
            vec![("a.csv", csv("dealValue", &[(1, "1"), (2, "3"), (3, "2")]))],
            "apply a.csv --priority dealValue",
            "132",
            "by the column \"dealValue\" (numbers, lowest first)",
        ),
        case(
            "the value behind that",
            vec![("a.csv", csv("dealValue", &[(1, "1"), (2, "3"), (3, "2")]))],
            "apply a.csv --priority /details/dealValue",
            "132",
            "by the referrals' dealValue (numbers, lowest first); 1 without a value comes last",
        ),
        case(
            "payloads",
            vec![("a.jsonl", payloads)],
            "migrate a.jsonl --priority closingDateTime:desc",
            "1423",
            "by the referrals' closingDateTime (dates, latest first); 1 without a value comes last",
        ),
        case(
            "a member of payloads that is there for the order alone",
            vec![("a.jsonl", own)],
            "migrate a.jsonl --priority Rank",
            "4321",
            "by the column \"Rank\" (numbers, lowest first)",
        ),
        case(
            "a member within another one that is there for the order alone",
            vec![("a.jsonl", nested.clone())],
            "apply a.jsonl --priority Prio.x",
            "4321",
            "by the column \"Prio.x\" (numbers, lowest first)",
        ),
        case(
            "the same, as a pointer",
            vec![("a.jsonl", nested)],
            "apply a.jsonl --priority /prio/x:desc",
            "1234",
            "by the column \"/prio/x\" (numbers, highest first)",
        ),
        case(
            "a row that is never sent decides nothing",
            vec![("a.csv", csv("Rank", &[(1, "10"), (2, "9")]) + &unsent)],
            "apply a.csv --priority Rank",
            "21",
            "by the column \"Rank\" (numbers, lowest first)",
        ),
        case("no order", vec![("a.csv", numbers)], "apply a.csv --ignore-column Priority", "12345", ""),
    ]
}

/// A CSV without a column to go by.
fn notes_of(number: usize) -> String {
    format!("id,notes\n{},Called\n", id(number))
}

#[test]
fn changes_are_sent_in_the_order_that_was_asked_for() {
    for Case { what, files, command, wanted, told } in cases() {
        let code = if what.contains("never sent") { 3 } else { 0 };
        let place = Place::new();
        let sandbox = Sandbox::seeded(&place, &seed(&SEED), &[] as &[&str]);
        let tap = Tap::on(&sandbox);
        let mut test = Test::at(&place, &format!("{command} {SEND}"))
            .service(&tap.endpoint())
            .code(code)
            .told_elsewhere();
        for (name, content) in files {
            test = test.file(name, content);
        }
        let ran = test.run();
        assert_eq!(sent(&tap), wanted, "{what}: {}", ran.stderr);
        let summary = ran.summary("run");
        assert_eq!(summary["order"].is_object(), !told.is_empty(), "{what}");
        let shown = ran.then("show run").told_elsewhere().run().stdout();
        let line = shown.lines().find_map(|line| line.strip_prefix("order of sending: "));
        assert_eq!(line.unwrap_or_default(), told, "{what}");
    }
}

/// What a list doesn't show is asked for, so that it isn't taken for nothing; `null` is shown.
#[test]
fn a_value_that_the_list_leaves_out_is_looked_at() {
    for (sandbox, wanted, gets, without) in [
        ("--list-omits details", "34152", 5, 1),
        ("--list-nulls details", "34152", 5, 1),
        ("--list-omits details.dealValue", "34152", 5, 1),
        ("--list-nulls details.dealValue", "12345", 0, 5),
        ("--list-omits details.closingDateTime", "34152", 0, 1),
    ] {
        for key in ["id", "externalReferenceId"] {
            let place = Place::new();
            let sandbox_args: Vec<&str> = sandbox.split(' ').collect();
            let service = Sandbox::seeded(&place, &seed(&SEED), &sandbox_args);
            let tap = Tap::on(&service);
            let name = |number| if key == "id" { id(number) } else { format!("K{number}") };
            let rows: String = (1..=5).map(|number| format!("{},zz\n", name(number))).collect();
            let matching = if key == "id" { "" } else { "--match externalReferenceId " };
            let command = format!("apply a.csv --priority dealValue:desc {matching}{SEND}");
            let ran = Test::at(&place, &command)
                .file("a.csv", format!("{key},salesStage\n{rows}"))
                .service(&tap.endpoint())
                .told_elsewhere()
                .run();
            assert_eq!(sent(&tap), wanted, "{sandbox} {key}: {}", ran.stderr);
            let order = &ran.summary("run")["order"];
            assert_eq!((&order["without"], order.get("unseen")), (&without.into(), None), "{sandbox} {key}");
            assert_eq!(ran.summary("run")["requests"]["get"], gets, "{sandbox} {key}");
        }
    }
}

/// A file can't be asked for more: what it doesn't show is told apart from what is not there.
#[test]
fn a_value_that_a_file_leaves_out_is_warned_of() {
    let mut states = seed(&SEED);
    for state in &mut states[2..4] {
        state["details"].as_object_mut().unwrap().remove("dealValue");
    }
    let state: String = states.iter().map(|state| format!("{state}\n")).collect();
    let rows = csv("Rank", &[(1, ""), (2, ""), (3, ""), (4, ""), (5, "")]);
    let ran = Test::new(&format!(
        "apply a.csv --state s.jsonl --plan --ignore-column Rank --priority dealValue {REHEARSE}"
    ))
    .file("a.csv", rows)
    .file("s.jsonl", state)
    .told_elsewhere()
    .run();
    let warning = "warning: --priority dealValue: the file of --state doesn't show dealValue of 2 referrals, which come \
                   last; without --state, the service is asked\n";
    assert!(ran.stderr.contains(warning), "{}", ran.stderr);
    let order = &ran.summary("run")["order"];
    assert_eq!((&order["without"], &order["unseen"]), (&1.into(), &2.into()));
}

/// The cells of a workbook have types, and those of a CSV don't: the order is one.
#[test]
fn a_workbook_is_sent_in_the_order_of_the_same_csv() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let orders = ["quarter-end.csv", "quarter-end.xlsx"].map(|name| {
        let sandbox = Sandbox::start("");
        let tap = Tap::on(&sandbox);
        let command = format!("apply {name} {SEND} --confirm-closing 10 --priority dealValue:desc");
        let ran = Test::new(&command)
            .file(name, fs::read(samples.join(name)).unwrap())
            .service(&tap.endpoint())
            .told_elsewhere()
            .run();
        assert_eq!(ran.summary("run")["order"]["kind"], "numbers", "{name}");
        let patches = tap.seen().into_iter().filter(|seen| seen.method == "PATCH");
        patches.map(|seen| seen.path).collect::<Vec<_>>()
    });
    assert!(orders[0].len() > 10);
    assert_eq!(orders[0], orders[1]);
}

/// A process is killed with a change on its way, and the next one goes on with the one after it.
#[test]
fn a_killed_run_is_carried_on_in_its_order() {
    let place = Place::new();
    let sandbox = Sandbox::seeded(&place, &seed(&SEED), &[] as &[&str]);
    let tap = Tap::on(&sandbox);
    place.write("a.csv", csv("P", &[(1, "3"), (2, "5"), (3, "1"), (4, "4"), (5, "2")]));
    tap.let_patches_through(2);
    let apply = format!("apply a.csv --priority P:desc --endpoint {} {SEND}", tap.endpoint());
    let sending = place.start(&apply.split(' ').collect::<Vec<_>>());
    tap.has_seen_patches(3);
    sending.signal(Signal::SIGKILL);
    drop(sending);
    tap.release();
    tap.all_answered();
    let resume = "resume run --rate 1000/s --concurrency 1 --summary none --progress plain";
    let resumed = Test::at(&place, resume).service(&tap.endpoint()).told_elsewhere().run();
    assert_eq!(sent(&tap), "24153");
    assert_eq!(resumed.outcomes("run"), "5 applied");
    assert!(
        resumed.stderr.contains("order of sending: by the column \"P\" (numbers, highest first)\n"),
        "{}",
        resumed.stderr
    );
}

/// A run that is killed while it is planned has the same order when it is planned again, from another directory too.
#[test]
fn a_plan_that_is_made_again_has_the_same_order() {
    let place = Place::new();
    let sandbox = Sandbox::seeded(&place, &seed(&SEED), &[] as &[&str]);
    let tap = Tap::on(&sandbox);
    place.write("a.csv", csv("P", &[(1, "3"), (2, ""), (3, "low"), (4, "high"), (5, "2")]));
    tap.hold(&["GET"]);
    let apply = format!("apply a.csv --priority P --endpoint {} {SEND}", tap.endpoint());
    let planning = place.start(&apply.split(' ').collect::<Vec<_>>());
    until("a look", || (tap.count("GET") > 0).then_some(()));
    planning.signal(Signal::SIGKILL);
    drop(planning);
    tap.release();
    let resume = "resume ../run --yes --rate 1000/s --concurrency 1 --summary none --progress plain";
    let resumed =
        Test::at(&place, resume).inside("elsewhere").service(&tap.endpoint()).told_elsewhere().run();
    assert_eq!(sent(&tap), "51432");
    let note = "a.csv:4) is neither a number nor a date\n";
    assert!(resumed.stderr.contains(note), "{}", resumed.stderr);
}

/// What was refused is corrected and fed back, with the column and the order that it had.
#[test]
fn a_report_that_is_fed_back_is_sent_in_the_same_order() {
    let place = Place::new();
    let sandbox = Sandbox::seeded(&place, &seed(&SEED), &["--fault", "patch#1-5=400"]);
    let tap = Tap::on(&sandbox);
    let rows = csv("Priority", &[(1, "1"), (2, "3"), (3, "2"), (4, ""), (5, "4")]);
    let command = format!("apply a.csv --priority Priority:desc {SEND}");
    let refused = Test::at(&place, &command)
        .file("a.csv", rows)
        .service(&tap.endpoint())
        .code(3)
        .told_elsewhere()
        .run();
    assert_eq!(refused.outcomes("run"), "5 refused");
    let next = refused.next().to_owned();
    assert!(next.contains(" --priority Priority:desc "), "{next}");
    tap.forget();
    let next = format!("{next} --yes --out again --summary none --progress none");
    refused.then(&next).service(&tap.endpoint()).told_elsewhere().run();
    assert_eq!(sent(&tap), "52314");
}

/// What is consented to is the order, too: where time runs out, it decides what is sent at all.
#[test]
fn the_checksum_of_a_plan_covers_its_order() {
    let rows = csv("Rank", &[(1, "2"), (2, "1"), (3, "")]);
    let planned = |order: &str| {
        let place = Place::new();
        let service = Sandbox::seeded(&place, &seed(&SEED), &[] as &[&str]);
        let tap = Tap::on(&service);
        let command = format!("apply a.csv --plan --out run --summary none {order}");
        let ran =
            Test::at(&place, &command).file("a.csv", &rows).service(&tap.endpoint()).told_elsewhere().run();
        let lines = ran.place.raw("run/plan.jsonl");
        let mut lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let turns = lines.iter_mut().map(|line| line.as_object_mut().unwrap().remove("turn"));
        let turns: Vec<Option<u64>> = turns.map(|turn| turn.and_then(|turn| turn.as_u64())).collect();
        (turns, ran.summary("run")["plan_sha256"].clone(), lines)
    };
    let (turns, unordered, lines) = planned("--ignore-column Rank");
    assert_eq!(turns, [None; 3]);
    let (turns, rising, same) = planned("--priority Rank");
    assert_eq!((turns, &same), (vec![Some(2), Some(1), Some(3)], &lines));
    let (turns, falling, same) = planned("--priority Rank:desc");
    assert_eq!((turns, &same), (vec![Some(1), Some(2), Some(3)], &lines));
    assert!(unordered != rising && rising != falling);
}

/// Rows that are refused themselves are told, whatever they are to be ordered by; a mistyped column is one all the same.
#[test]
fn an_order_of_rows_that_are_all_refused_is_no_mistake_in_itself() {
    let line = format!("{{\"id\":\"{}\",\"dealVlaue\":5,\"Rank\":1}}\n", id(1));
    for (name, content, order, code) in [
        ("a.jsonl", line.as_str(), "Rank", 3),
        ("a.jsonl", line.as_str(), "dealValue", 3),
        ("a.csv", "id,notes\nx,Called\n", "Rank", 2),
        ("a.csv", "id,notes\nx,Called\n", "dealValue", 3),
    ] {
        let command = format!("apply {name} {QUIET} --plan --priority {order}");
        Test::new(&command).file(name, content).code(code).told_elsewhere().run();
    }
}

#[test]
fn a_plan_tells_its_order() {
    let rows = format!("id,notes,Rank\n{ACTIVE},Called,2\n{OTHER},Called,1\n");
    let ran = Test::new(&format!("apply a.csv {REHEARSE} --plan --priority Rank:desc"))
        .file("a.csv", rows)
        .snapshot("priority_planned", ["run/summary.json"])
        .run();
    let log = ran.place.raw("run/run.log");
    assert!(
        log.contains("put in order by=\"column\" kind=\"numbers\" direction=\"desc\" without=0"),
        "{log}"
    );
}

#[test]
fn what_names_no_order_is_refused_before_anything_is_asked_of_the_service() {
    let rows = csv("Priority,Due,due ", &[(1, "1"), (2, "2")])
        .replace("\"1\"", "\"1\",5,5")
        .replace("\"2\"", "\"2,500\",5,5");
    let rows = rows.as_str();
    // Neither dates nor numbers become texts because of one odd word.
    for (values, wanted) in [
        (
            ["12/31/2026", "01/05/2027", "TBD"],
            "error: --priority P: \"12/31/2026\" is no date that reads in one way only\n  --> a.csv:2\n\
             hint: write 2026-12-31\n\
             error: --priority P: most values are numbers or dates, and \"TBD\" is neither\n  --> a.csv:4\n\
             hint: write it as they are, or nothing: what has no value comes last\n",
        ),
        (
            ["12,500", "high", "9,000.50"],
            "error: --priority P: \"12,500\" may be 12.5 or 12500\n  --> a.csv:2\n\
             hint: say how the file writes numbers: --decimal point or --decimal comma\n\
             error: --priority P: most values are numbers or dates, and \"high\" is neither\n  --> a.csv:3\n\
             hint: write it as they are, or nothing: what has no value comes last\n",
        ),
        (
            ["7", "2026-01-31", "8"],
            "error: --priority P: \"2026-01-31\" is a date, and \"7\" on line 2 a number\n  --> a.csv:3\n\
             hint: write it as they are, or nothing: what has no value comes last\n",
        ),
    ] {
        let rows = csv("P", &[1, 2, 3].map(|number| (number, values[number - 1])));
        Test::new(&format!("apply a.csv {QUIET} --priority P"))
            .file("a.csv", &rows)
            .code(2)
            .stderr(wanted)
            .run();
    }
    for (command, wanted) in [
        (
            "--priority result.Rank --ignore-column Priority",
            "error: --priority result.Rank: there is no such column\nhint: what a report adds to a row tells of an earlier run, and is not read: name a column of the row itself\n",
        ),
        (
            "--priority Priorty --ignore-column Priority",
            "error: --priority Priorty: there is no such column\nhint: did you mean Priority?\n",
        ),
        (
            "--priority x --ignore-column Priority",
            "error: --priority x: there is no such column\nhint: name a column of the input as its header does, or dealValue or closingDateTime\n",
        ),
        (
            "--priority DUE --ignore-column Priority",
            "error: --priority DUE: a.csv has Due and 'due '\nhint: write the name to the letter as the header does, or rename one of them\n",
        ),
        (
            "--priority Priority",
            "error: --priority Priority: \"2,500\" may be 2.5 or 2500\n  --> a.csv:3\nhint: say how the file writes numbers: --decimal point or --decimal comma\n",
        ),
        (
            "--priority dealValue --ignore-column Priority --state none",
            "error: --priority dealValue: without the referrals as they stand, none has a dealValue\nhint: name a column of the input, or leave out --state none\n",
        ),
        (
            "--priority :desc",
            "error: --priority :desc: this names no column\nhint: name it as the header does, as in --priority Amount:desc\n",
        ),
    ] {
        let command = format!("apply a.csv {QUIET} --ignore-column Due {command}");
        Test::new(&command).file("a.csv", rows).code(2).stderr(wanted).run();
    }
}
