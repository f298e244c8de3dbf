//! `export`: which referrals it writes, what it asks the service for, and what comes of the file when it is given
//! back.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::rc::Rc;

use calamine::Reader;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::case::Test;
use crate::support::place::Place;
use crate::support::random::Random;
use crate::support::referrals::{id, referral};
use crate::support::run_dir::Run;
use crate::support::sandbox::Sandbox;
use crate::support::tap::Tap;

const FAST: &str = "--rate 100000/s --progress none";

/// All columns that a change file can have which hold something.
const ALL: &str = "status,substatus,statusReason,salesStage,campaignId,externalReferenceId,referralProgram,notes,\
                   dealValue,currency,closingDateTime,solutions,team,customerProfile.team,\
                   consentToShareReferralWithMicrosoftSellers,team.add,name,engagementId,customerProfile.address.city";

/// Texts that are awkward in one way or another.
const TEXTS: [&str; 34] = [
    "plain",
    "",
    " ",
    " padded ",
    "a, b; \"c\"",
    "one\ntwo",
    "one\r\ntwo",
    "one\rtwo",
    "=1+1",
    "+49 170 1234567",
    "-5",
    "- called\n- sent an offer",
    "@home",
    "a;=1",
    "'=1",
    "'=1;=2",
    "'quoted'",
    "\\N",
    "NULL",
    "#REF!",
    "#N/A",
    "-",
    "1.00E+10",
    "Angebot f\u{c3}\u{bc}r M\u{c3}\u{bc}ller",
    "Ørsted & Zoë",
    "a\u{200b}b",
    "\u{feff}=1",
    "5eed0000-0000-4000-8000-00000000ffff",
    "x\n5eed0000-0000-4000-8000-00000000ffff,Closed\ny",
    "[]",
    "null",
    "2026-12-31",
    "broken row: mend it and then empty this cell",
    "\tindented",
];

fn pick(random: &mut Random, values: &[Value]) -> Value {
    values[random.below(values.len())].clone()
}

fn text(random: &mut Random) -> Value {
    match random.below(8) {
        0 => Value::Null,
        _ => json!(TEXTS[random.below(TEXTS.len())]),
    }
}

/// A list of members or solutions with awkward texts in it.
fn list(random: &mut Random, key: &str) -> Value {
    let element = |random: &mut Random, number: usize| json!({ key: format!("kim{number}@example.com"), "firstName": text(random), "title": text(random), "isValid": true });
    match random.below(6) {
        0 => Value::Null,
        1 => json!([]),
        2 => json!([element(random, 1), element(random, 1)]),
        3 => json!([{ "firstName": "Kim" }]),
        _ => json!([element(random, 1), element(random, 2)]),
    }
}

/// A referral that has something awkward in every field.
fn awkward(random: &mut Random, number: usize) -> Value {
    let stages = [
        ("New", "Pending"),
        ("New", "Received"),
        ("Active", "Accepted"),
        ("Closed", "Won"),
        ("Closed", "Lost"),
        ("Closed", "Error"),
        ("Active", ""),
        ("Paused", "Waiting"),
    ];
    let (status, substatus) = stages[random.below(stages.len())];
    let mut made = referral(number, status, substatus);
    for name in ["statusReason", "salesStage", "campaignId", "externalReferenceId", "referralProgram", "name"]
    {
        made[name] = text(random);
    }
    made["eTag"] =
        pick(random, &[json!("\"v1\""), json!("W/\"v1\""), json!("\"=v1\""), json!("v1"), json!("\"a,b\"")]);
    made["details"]["notes"] = text(random);
    made["details"]["dealValue"] = pick(
        random,
        &[
            json!(null),
            json!(0),
            json!(12500.5),
            json!("12.500"),
            json!(1234.567),
            json!(-3.125),
            json!("50000"),
            json!(1e5),
            json!("1e400"),
            json!("many"),
        ],
    );
    made["details"]["currency"] =
        pick(random, &[json!("EUR"), json!("eur"), json!(""), json!(null), json!("XYZ")]);
    made["details"]["closingDateTime"] = pick(
        random,
        &[
            json!("2030-01-31T00:00:00.0000000Z"),
            json!("2030-01-31"),
            json!("2030-01-31T12:00:00+02:00"),
            json!("9999-12-31T23:59:59.9999999Z"),
            json!("soon"),
            json!(null),
        ],
    );
    made["details"]["requirements"] = json!({ "solutions": list(random, "id") });
    made["team"] = list(random, "email");
    made["customerProfile"] =
        json!({ "name": text(random), "team": list(random, "email"), "address": { "city": text(random) } });
    made["consent"]["consentToShareReferralWithMicrosoftSellers"] =
        pick(random, &[json!(true), json!(false), json!("true"), json!(null)]);
    made
}

fn seeded(seed: &[Value]) -> Rc<Place> {
    let place = Place::new();
    place.write("seed.jsonl", seed.iter().map(|referral| format!("{referral}\n")).collect::<String>());
    place
}

/// The rows of a CSV, by column.
fn rows(place: &Place, name: &str) -> Vec<BTreeMap<String, String>> {
    Run::at(place.root().to_owned()).records(name)
}

#[test]
fn a_file_that_is_given_back_untouched_asks_for_nothing() {
    for seed in 1..=4 {
        let mut random = Random(seed);
        let place = seeded(&(0..60).map(|number| awkward(&mut random, number)).collect::<Vec<_>>());
        let all = format!("--columns '{ALL}'");
        let files = [("csv", ""), ("csv", &all), ("xlsx", ""), ("xlsx", &all)];
        for (at, (form, columns)) in files.into_iter().enumerate() {
            let export = format!("export --out {at}.{form} {columns} --sandbox=seed.jsonl {FAST}");
            let exported = Test::at(&place, &export).told_elsewhere().run();
            let next = format!("{} --progress none --out run{at}", exported.next());
            let planned = exported.then(&next).told_elsewhere().run();
            assert_eq!(
                planned.outcomes(&format!("run{at}")),
                "60 unchanged",
                "{seed} {form} {columns}: {}",
                planned.stderr
            );
        }
    }
}

/// A workbook asks for what the same table asks for as a CSV, whatever its columns are filled with.
#[test]
fn a_workbook_asks_for_what_the_same_csv_asks_for() {
    let mut random = Random(7);
    let place = seeded(&(0..60).map(|number| awkward(&mut random, number)).collect::<Vec<_>>());
    for (at, set) in [
        "--set substatus=Lost --set 'statusReason==cmd; - no budget'",
        "--set dealValue=12500.50 --set currency=EUR --set closingDateTime=2031-01-31 --columns notes",
        "--set closingDateTime=2031-01-31T17:00:00+01:00 --set dealValue=12345678901234567.25 --set currency=EUR",
        r"--set 'notes=\N' --set 'externalReferenceId=00123' --set consentToShareReferralWithMicrosoftSellers=true",
        "--set 'team.add=Kim, Lee, 1, kim.lee@example.com'",
    ]
    .into_iter()
    .enumerate()
    {
        let documents = ["csv", "xlsx"].map(|form| {
            let export = format!("export --out {at}.{form} {set} --sandbox=seed.jsonl {FAST}");
            let exported = Test::at(&place, &export).told_elsewhere().run();
            let run = format!("run-{at}-{form}");
            let next = format!("{} --progress none --out {run}", exported.next());
            place.run(&shlex::split(&next).unwrap());
            let lines = place.run_of(&run).lines("plan.jsonl");
            let document = |line: Value| (line["id"].clone(), line["operations"].clone(), line["outcome"].clone());
            lines.into_iter().map(document).collect::<Vec<_>>()
        });
        assert!(documents[0].iter().any(|(_, _, outcome)| outcome == "planned"), "{set}");
        assert_eq!(documents[0], documents[1], "{set}");
    }
}

/// A workbook and a CSV of the same referrals are each the other's base: what was edited is all that is planned.
#[test]
fn an_export_is_a_base_in_either_form() {
    let mut random = Random(11);
    let mut seed: Vec<Value> = (1..30).map(|number| awkward(&mut random, number)).collect();
    seed.insert(0, referral(0, "Active", "Accepted"));
    let place = seeded(&seed);
    for form in ["csv", "xlsx"] {
        let export = format!("export --out a.{form} --columns '{ALL}' --sandbox=seed.jsonl {FAST}");
        Test::at(&place, &export).told_elsewhere().run();
    }
    let plan = |file: &str, base: &str, run: &str| {
        let plan = format!(
            "apply {file} --base {base} --plan --sandbox=seed.jsonl --out {run} --summary none {FAST}"
        );
        let planned = Test::at(&place, &plan).told_elsewhere().run();
        let lines = place.run_of(run).lines("plan.jsonl").into_iter();
        let lines = lines.filter(|line| line["outcome"] == "planned");
        (planned.outcomes(run), lines.map(|line| line["operations"].to_string()).collect::<Vec<_>>())
    };
    assert_eq!(plan("a.xlsx", "a.csv", "one"), ("30 unchanged".to_owned(), vec![]));
    assert_eq!(plan("a.csv", "a.xlsx", "two"), ("30 unchanged".to_owned(), vec![]));
    place.write("b.csv", place.raw("a.csv").replacen("Note 0", "Edited", 1));
    let edited = json!([{"op": "replace", "path": "/details/notes", "value": "Edited"}]).to_string();
    assert_eq!(plan("b.csv", "a.xlsx", "three"), ("29 unchanged, 1 planned".to_owned(), vec![edited]));
}

/// Cells are numbers and dates where nothing is lost so, and text where something would be.
#[test]
fn a_workbook_has_typed_cells() {
    let mut seed = referral(1, "Active", "Accepted");
    seed["externalReferenceId"] = json!("007");
    seed["details"]["dealValue"] = json!(12500.5);
    seed["details"]["closingDateTime"] = json!("2030-01-31T00:00:00.0000000Z");
    seed["details"]["notes"] = json!("=1+1\n\u{1}_x0041_");
    let mut other = referral(2, "Active", "Accepted");
    other["details"]["dealValue"] = json!(9007199254740993_u64);
    other["details"]["closingDateTime"] = json!("2030-01-31T17:00:00+01:00");
    let place = seeded(&[seed, other]);
    let export = format!(
        "export --out a.xlsx --columns externalReferenceId,dealValue,closingDateTime,notes \
         --set consentToShareReferralWithMicrosoftSellers=true --sandbox=seed.jsonl {FAST}"
    );
    Test::at(&place, &export).told_elsewhere().run();
    assert_eq!(fs::metadata(place.path("a.xlsx")).unwrap().permissions().mode() & 0o777, 0o600);
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(place.path("a.xlsx")).unwrap();
    let sheet = book.worksheet_range("Referrals").unwrap();
    let told = |cell: &calamine::Data| match cell {
        calamine::Data::DateTime(time) => format!("day {}", time.as_f64()),
        cell => format!("{cell:?}"),
    };
    let rows = sheet.rows().map(|row| row[2..].iter().map(told).collect::<Vec<_>>().join(" "));
    let wanted = [
        r#"String("externalReferenceId") String("dealValue") String("closingDateTime") String("notes") String("consentToShareReferralWithMicrosoftSellers") String("export.guarded")"#,
        r#"String("007") Float(12500.5) day 47514 String("'=1+1\n\u{1}_x0041_") Bool(true) String("notes")"#,
        r#"Empty String("9007199254740993") String("2030-01-31T17:00:00+01:00") String("Note 2") Bool(true) Empty"#,
    ];
    assert_eq!(rows.collect::<Vec<_>>(), wanted);
}

/// What an edited cell asks for is what it says, guard or not, and nothing else.
#[test]
fn what_is_edited_is_all_that_is_planned() {
    let place = seeded(&[referral(1, "Active", "Accepted"), {
        let mut other = referral(2, "Active", "Accepted");
        other["details"]["notes"] = json!("=SUM(A1)\n- first");
        other
    }]);
    let export =
        format!("export --out a.csv --columns 'Close Date,notes,dealValue' --sandbox=seed.jsonl {FAST}");
    let exported = Test::at(&place, &export).told_elsewhere().run();
    let text = place.raw("a.csv");
    assert!(text.starts_with("id,eTag,details.closingDateTime,notes,dealValue,export.guarded\n"), "{text}");
    assert!(text.contains("'=SUM(A1)\n'- first"), "{text}");
    place.write("a.csv", text.replace("'- first", "'- second").replace("Note 1,1001", "Note 1,7"));
    let next = format!("{} --progress none --out run", exported.next());
    exported.then(&next).told_elsewhere().run();
    let changes: Vec<Value> =
        place.run_of("run").lines("plan.jsonl").into_iter().map(|line| line["operations"].clone()).collect();
    assert_eq!(changes[0][0], json!({"op": "replace", "path": "/details/dealValue", "value": 7}));
    assert_eq!(changes[1][0]["value"], json!("=SUM(A1)\n- second"));
    assert_eq!(changes.iter().map(|change| change.as_array().unwrap().len()).sum::<usize>(), 2);
}

#[test]
fn a_quarter_ends_in_two_commands() {
    let mut seed: Vec<Value> = (0..8).map(|number| referral(number, "Active", "Accepted")).collect();
    seed[1]["details"]["closingDateTime"] = json!("2026-12-30T23:00:00Z");
    seed[2]["details"]["closingDateTime"] = json!("2026-12-31T00:30:00+01:00");
    seed[3]["details"]["closingDateTime"] = json!("2026-12-31T00:00:00Z");
    seed[4]["details"]["closingDateTime"] = json!(null);
    seed[5] = referral(5, "New", "Received");
    seed[5]["details"]["closingDateTime"] = json!("2026-11-30T00:00:00Z");
    let place = seeded(&seed);
    let export = "export --status Active --closing-before 2026-12-31 --set substatus=Lost --set 'statusReason=No budget'";
    let exported = Test::at(&place, &format!("{export} --out close.csv --sandbox=seed.jsonl {FAST}"))
        .told_elsewhere()
        .run();
    assert_eq!(exported.stdout, "");
    assert_eq!(fs::metadata(place.path("close.csv")).unwrap().permissions().mode() & 0o777, 0o600);
    let closed: Vec<(String, String)> = rows(&place, "close.csv")
        .into_iter()
        .map(|row| (row["id"].clone(), row["result.stage"].clone()))
        .collect();
    let active = |number| (id(number), "Active/Accepted".to_owned());
    assert_eq!(closed, [active(1), active(2)]);
    let next = format!("{} --progress none --out run", exported.next());
    let planned = exported.then(&next).told_elsewhere().run();
    assert_eq!(planned.summary("run")["referrals"]["to_close"], 2);
    for line in place.run_of("run").lines("plan.jsonl") {
        let paths: Vec<&str> =
            line["operations"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
        assert_eq!(paths, ["/statusReason", "/status", "/substatus"]);
    }
}

/// What lists leave out, what is asked for, and what that takes.
#[test]
fn what_a_list_does_not_show_is_looked_up_where_something_hangs_on_it() {
    let count = 130;
    let all = count as u64;
    for (lists, asked, pages, gets, chosen) in [
        ("", "", 2, 0, all),
        ("", "--status Active", 2, 0, all),
        ("", "--status New", 1, 0, 0),
        ("--list-omits status", "--status Active", 2, all, all),
        ("--list-omits status", "--out a.jsonl", 2, 0, all),
        ("--list-omits status", "--out a.jsonl --status Active --substatus Won", 1, 0, 0),
        ("--list-without-etags", "", 2, all, all),
        ("--list-without-etags", "--out a.jsonl", 2, 0, all),
        ("--etags-in odata", "", 2, 0, all),
        ("--etags-in header", "--closing-before 2030-01-01", 2, 0, 0),
        ("--list-nulls details", "--closing-before 2031-01-01", 2, all, all),
        // A criterion can hang on what a list shows as null, be it never so.
        ("--list-nulls status", "--status Active", 2, all, all),
        ("--list-nulls substatus", "--substatus Accepted --out a.jsonl", 2, all, all),
        ("--list-nulls updatedDateTime", "--updated-since 2020-01-01", 2, all, all),
        ("--list-nulls details.closingDateTime", "--closing-before 2031-01-01", 2, all, all),
        ("--list-nulls details.dealValue", "--filter \"details/dealValue lt 2000\"", 2, all, all),
        ("--list-omits details", "--closing-before 2031-01-01 --out a.jsonl", 2, all, all),
        ("--list-omits details.dealValue", "--columns dealValue", 2, all, all),
        ("--list-omits details.dealValue", "--columns notes", 2, 0, all),
        // Nobody named this column, and three looks tell that lists leave it out.
        ("--list-omits details.dealValue", "", 2, all, all),
        // Three looks tell that there is nothing to leave out.
        ("--list-omits statusReason", "", 2, 3, all),
        ("--list-omits name", "", 2, 0, all),
        // Whoever names a column wants what is in it, be it for people to read.
        ("--list-omits name", "--columns name", 2, all, all),
        ("--list-omits engagementId", "--columns engagementId", 2, all, all),
        ("--list-nulls updatedDateTime", "--columns updatedDateTime", 2, all, all),
        ("--list-omits customerProfile", "--columns customerProfile.address.city", 2, all, all),
        ("--list-nulls customerProfile", "--columns customerProfile.name", 2, all, all),
        ("--list-omits name", "--columns engagementId,notes", 2, 0, all),
        // How a deal stands now is to be looked through.
        ("--list-omits status", "--set substatus=Lost", 2, all, all),
        ("--fault list#1=400", "--status Active", 3, 0, all),
        ("", "--filter \"details/dealValue ge 1100 and contains(name,'12')\"", 1, 0, 11),
    ] {
        let place = Place::new();
        let mut seed: Vec<Value> = (0..count).map(|number| referral(number, "Active", "Accepted")).collect();
        seed.iter_mut().for_each(|referral| referral["statusReason"] = json!(null));
        seed.iter_mut().for_each(|referral| referral["externalReferenceId"] = json!("CRM"));
        let lists: Vec<&str> = lists.split(' ').filter(|word| !word.is_empty()).collect();
        let service = Sandbox::seeded(&place, &seed, &lists);
        let tap = Tap::on(&service);
        let (out, out_option) =
            if asked.contains("--out") { ("a.jsonl", "") } else { ("a.csv", "--out a.csv") };
        let export = format!("export {asked} {out_option} --endpoint {} {FAST}", tap.endpoint());
        place.run(&shlex::split(&export).unwrap()).expect(0);
        let seen = tap.seen();
        let is_page = |path: &&str| !path.contains("referrals/");
        let paths: Vec<&str> = seen.iter().map(|seen| seen.path.as_str()).collect();
        let got = (
            paths.iter().filter(|path| is_page(path)).count(),
            paths.iter().filter(|path| !is_page(path)).count() as u64,
        );
        assert!(seen.iter().all(|seen| seen.method == "GET"), "{lists:?} {asked}");
        assert_eq!(got, (pages, gets), "pages and GETs: {lists:?} {asked}");
        let lines = place.raw(out).lines().count() as u64 - u64::from(out == "a.csv");
        assert_eq!(lines, chosen, "{lists:?} {asked}");
        if out == "a.csv" && asked.is_empty() {
            for row in rows(&place, out) {
                assert!(row["eTag"].starts_with("\"seed-"), "{row:?}");
                assert!(row["dealValue"].starts_with('1'), "{row:?}");
            }
        }
    }
}

/// The command that is proposed allows what the columns are filled with, and nothing else.
#[test]
fn a_column_that_is_filled_with_nothing_may_clear() {
    let mut seed = referral(1, "Active", "Accepted");
    seed["team"] =
        json!([{ "email": "kim@example.com", "firstName": "Kim", "lastName": "Lee", "phoneNumber": "1" }]);
    seed["statusReason"] = json!("New");
    let place = seeded(&[seed]);
    for (at, (filled, clears)) in
        [("'team=[]'", true), (r"'statusReason=\N'", true), ("salesStage=Won", false)].into_iter().enumerate()
    {
        let export = format!("export --set {filled} --out {at}.csv --sandbox=seed.jsonl {FAST}");
        let exported = Test::at(&place, &export).told_elsewhere().run();
        assert_eq!(exported.next().contains(" --clear"), clears, "{filled}: {}", exported.next());
        let next = format!("{} --progress none --out run{at}", exported.next());
        let planned = exported.then(&next).told_elsewhere().run();
        assert_eq!(planned.outcomes(&format!("run{at}")), "1 planned", "{filled}: {}", planned.stderr);
    }
}

/// The column that tells where guards stand goes by what a column means; without it, no guard is sent.
#[test]
fn a_guard_is_not_sent_whatever_becomes_of_its_column() {
    let mut seed = referral(1, "Active", "Accepted");
    seed["externalReferenceId"] = json!("+49-1234");
    seed["salesStage"] = json!("-5");
    let place = seeded(&[seed]);
    let export =
        format!("export --columns externalReferenceId,salesStage --out a.csv --sandbox=seed.jsonl {FAST}");
    let exported = Test::at(&place, &export).told_elsewhere().run();
    let text = place.raw("a.csv");
    let edit = |pairs: &[(&str, &str)]| {
        pairs.iter().fold(text.clone(), |text, (from, to)| text.replacen(from, to, 1))
    };
    let renamed = [("externalReferenceId", "CRM ID"), ("salesStage", "/salesStage")];
    place.write("renamed.csv", edit(&renamed));
    place.write("unguarded.csv", edit(&[("export.guarded", "result.guarded")]));
    place.write("deleted.csv", edit(&[("externalReferenceId", "result.x")]));
    for (at, (options, code, told)) in [
        ("renamed.csv", 0, ""),
        ("renamed.csv --base a.csv", 0, ""),
        ("renamed.csv --map 'CRM ID=externalReferenceId' --map /salesStage=salesStage", 0, ""),
        (
            "unguarded.csv",
            3,
            r#"error[kept-guard]: /salesStage: "'-5" is "-5" with the ' that an export puts in front"#,
        ),
        ("deleted.csv", 3, r#"error[kept-guard]: export.guarded names "externalReferenceId""#),
    ]
    .into_iter()
    .enumerate()
    {
        let apply = format!("apply {options} --plan --sandbox=seed.jsonl --out run{at} {FAST}");
        let planned = exported.then(&apply).code(code).told_elsewhere().run();
        let outcome = if code == 0 { "1 unchanged" } else { "1 invalid" };
        assert_eq!(planned.outcomes(&format!("run{at}")), outcome, "{options}");
        assert!(planned.stderr.contains(told), "{options}: {}", planned.stderr);
    }
}

/// A status says nothing where the referral has it, though the file lacks its substatus.
#[test]
fn an_export_of_the_status_alone_changes_nothing_until_it_is_edited() {
    let stages = [("New", "Received"), ("Active", "Accepted"), ("Closed", "Won")];
    let seeds =
        stages.iter().zip(1..).map(|((status, substatus), number)| referral(number, status, substatus));
    let place = seeded(&seeds.collect::<Vec<_>>());
    let export = format!("export --columns status,salesStage --out a.csv --sandbox=seed.jsonl {FAST}");
    let exported = Test::at(&place, &export).told_elsewhere().run();
    let rows = place.raw("a.csv");
    place.write("stage.csv", rows.replace(",New,", ",New,q"));
    place.write("closed.csv", rows.replace(",New,", ",Closed,"));
    for (at, (file, code, outcomes)) in [
        ("a.csv", 0, "3 unchanged"),
        ("stage.csv", 0, "2 unchanged, 1 planned"),
        ("closed.csv", 3, "2 unchanged, 1 invalid"),
    ]
    .into_iter()
    .enumerate()
    {
        let apply = format!("apply {file} --plan --sandbox=seed.jsonl --out run{at} {FAST}");
        let planned = exported.then(&apply).code(code).told_elsewhere().run();
        assert_eq!(planned.outcomes(&format!("run{at}")), outcomes, "{file}: {}", planned.stderr);
    }
}

/// A spreadsheet that saves a file takes `007` for a number.
#[test]
fn a_reference_that_lost_its_zeros_is_not_sent() {
    let mut seed = referral(1, "Active", "Accepted");
    seed["externalReferenceId"] = json!("007");
    let place = seeded(&[seed]);
    let export = format!("export --columns externalReferenceId --out a.csv --sandbox=seed.jsonl {FAST}");
    let exported = Test::at(&place, &export).told_elsewhere().run();
    place.write("a.csv", place.raw("a.csv").replace(",007", ",7"));
    let next = format!("{} --progress none --out run", exported.next());
    let planned = exported.then(&next).code(3).told_elsewhere().run();
    assert!(planned.stderr.contains("\"7\" is \"007\" without its leading zeros"), "{}", planned.stderr);
    let allowed = exported.then(&format!("{next}2 --rule lost-zeros=allow")).told_elsewhere().run();
    assert_eq!(allowed.outcomes("run2"), "1 planned", "{}", allowed.stderr);
}

/// A date that can't be read is neither before nor after another, so it neither chooses nor leaves out in silence.
#[test]
fn a_criterion_that_cannot_be_judged_is_told() {
    for (dates, asked, code, chosen, wanted) in [
        (
            ["2026-12-30", "soon", "2027-01-01T00:00:00Z"],
            "--closing-before 2026-12-31",
            3,
            vec![0],
            Some(id(1)),
        ),
        (
            ["2026-12-30T12:00:00", "2026-12-30", "31.12.2026"],
            "--closing-before 2026-12-31",
            3,
            vec![1],
            Some(format!("2 referrals (such as {})", id(0))),
        ),
        (
            ["soon", "2026-12-30", "soon"],
            "--filter \"not (details/closingDateTime ge 2026-12-31)\"",
            3,
            vec![1],
            Some("2 referrals".to_owned()),
        ),
        (["soon", "2026-12-30", "soon"], "--closing-before 2026-12-31 --status New", 0, vec![], None),
        (["soon", "soon", "soon"], "--status Active", 0, vec![0, 1, 2], None),
    ] {
        let mut seed: Vec<Value> = (0..3).map(|number| referral(number, "Active", "Accepted")).collect();
        for (referral, date) in seed.iter_mut().zip(dates) {
            referral["details"]["closingDateTime"] = json!(date);
        }
        let place = seeded(&seed);
        let export = format!("export {asked} --columns notes --out a.csv --sandbox=seed.jsonl {FAST}");
        let ran = Test::at(&place, &export).code(code).told_elsewhere().run();
        let ids: Vec<String> = rows(&place, "a.csv").into_iter().map(|row| row["id"].clone()).collect();
        assert_eq!(ids, chosen.into_iter().map(id).collect::<Vec<_>>(), "{dates:?} {asked}");
        let told =
            ran.stderr.lines().find(|line| line.contains("a value that the criteria compare cannot be read"));
        assert_eq!(told.is_some(), wanted.is_some(), "{}", ran.stderr);
        if let (Some(told), Some(wanted)) = (told, wanted) {
            assert!(told.starts_with(&format!("warning: {wanted} ")), "{told}");
        }
    }
}

/// Only those that a list names are asked for, in the fewest requests.
#[test]
fn a_list_of_ids_is_read_as_planning_would() {
    for (listed, asked, pages, gets, code, chosen) in [
        (&[7][..], "", 0, 1, 0, vec![7]),
        (&[120, 7, 3], "", 1, 1, 0, vec![3, 7, 120]),
        (&[7, 7, 999], "", 1, 1, 3, vec![7]),
        (&[1, 2, 3], "--filter \"details/dealValue gt 1001\"", 1, 0, 0, vec![2, 3]),
    ] {
        let place = Place::new();
        let seed: Vec<Value> = (0..130).map(|number| referral(number, "Active", "Accepted")).collect();
        let service = Sandbox::seeded(&place, &seed, &[""; 0]);
        let tap = Tap::on(&service);
        place.write(
            "list.csv",
            listed.iter().fold("Owner,Referral ID\n".to_owned(), |text, number| {
                text + &format!("Kim,{}\n", id(*number))
            }),
        );
        let export = format!(
            "export --ids list.csv {asked} --columns notes --out a.csv --endpoint {} {FAST}",
            tap.endpoint()
        );
        let ended = place.run(&shlex::split(&export).unwrap()).expect(code);
        let seen = tap.seen();
        let singles = seen.iter().filter(|seen| seen.path.contains("referrals/")).count();
        assert_eq!((seen.len() - singles, singles), (pages, gets), "{listed:?}");
        let mut ids: Vec<String> = rows(&place, "a.csv").into_iter().map(|row| row["id"].clone()).collect();
        ids.sort();
        assert_eq!(ids, chosen.into_iter().map(id).collect::<Vec<_>>());
        assert_eq!(
            ended.stderr.contains(&format!("warning: {} is not in the file", id(999))),
            code == 3,
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn a_snapshot_holds_what_the_service_sent() {
    let seed: Vec<Value> = (0..130).map(|number| referral(number, "Active", "Accepted")).collect();
    let place = seeded(&seed);
    let export = format!("export --out b.jsonl --sandbox=seed.jsonl {FAST}");
    let exported = Test::at(&place, &export).stderr("b.jsonl: 130 referrals, 2 requests\n").run();
    let lines: Vec<Value> =
        place.raw("b.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, seed);
    // It is what plans, and sandboxes, are made from.
    place.write("a.csv", format!("id,notes\n{},Called\n", id(7)));
    for state in ["--state b.jsonl", "--sandbox=b.jsonl"] {
        let plan = format!("apply a.csv --plan {state} --out 'run {state}' {FAST}");
        let planned = exported.then(&plan).told_elsewhere().run();
        assert_eq!(planned.outcomes(&format!("run {state}")), "1 planned");
    }
}

#[test]
fn what_was_mistyped_asks_nothing_and_leaves_nothing() {
    let mut wrong = Vec::new();
    for (typed, wanted) in [
        ("--out -", "--out ./-: an export is a file"),
        ("--out a", "--out a: the extension does not tell what to write"),
        ("--out a.parquet", "the extension does not tell what to write"),
        ("--out a.xlsx.gz", "--out a.xlsx.gz: an export is not compressed\nhint: leave .gz out"),
        ("--out nowhere/a.xlsx", "nowhere/a.xlsx: its directory is not there"),
        (
            "--out there.csv",
            "there.csv is there already\nhint: name another file with --out, or have it replaced with --force",
        ),
        ("--out nowhere/a.csv", "nowhere/a.csv: its directory is not there"),
        (
            "--ids list.csv --out ./list.csv --force",
            "./list.csv is the list of what is to be exported\nhint: name another file with --out",
        ),
        (
            "--out run/plan.jsonl --force",
            "run/plan.jsonl is a name that the run gives to a file of its own\nhint: name another file with --out",
        ),
        ("--out folder.csv --force", "folder.csv is a directory"),
        ("--out a.jsonl --columns notes", "--columns: a snapshot has no columns"),
        ("--out a.jsonl --set notes=x", "--set: a snapshot has no columns"),
        (
            "--out a.csv --columns notes,dealVlaue",
            "--columns dealVlaue: unknown column \"dealVlaue\"\nhint: did you mean details.dealValue?",
        ),
        ("--out a.csv --columns Stage", "\"Stage\" may be any of salesStage, status, substatus"),
        ("--out a.csv --columns result.code", "is a column that this program adds by itself"),
        (
            "--out a.csv --columns /foo/bar",
            "--columns /foo/bar: unknown column \"/foo/bar\"\nhint: known are",
        ),
        ("--out a.csv --set notes", "--set notes: there is no value"),
        ("--out a.csv --set notes=", "there is no value to fill the column with"),
        ("--out a.csv --set id=1", "it names the referral and its version"),
        ("--out a.csv --set name=x", "--set name: this cannot be changed"),
        ("--out a.csv --set notes=a --set Notes=b", "--set Notes: this column is filled twice"),
        (
            "--out a.csv --set substatus=Lots",
            "--set substatus: \"Lots\" is no substatus\nhint: did you mean Lost?",
        ),
        (
            "--out a.csv --set status=Closed",
            "Closed alone doesn't say which substatus\nhint: fill substatus instead, with one of Won, Lost, Declined, Expired",
        ),
        ("--out a.csv --set status=New --set substatus=Won", "Won is a substatus of Closed, not of New"),
        ("--out a.csv --set dealValue=12.500", "may be 12.5 or 12500"),
        ("--out a.csv --set currency=eur", "hint: write EUR"),
        ("--out a.csv --set closingDateTime=31.12.2026", "hint: write 2026-12-31"),
        (
            "--out a.csv --status Open",
            "--status Open: this is none that is known\nhint: known are New, Active, Closed",
        ),
        ("--out a.csv --substatus Lots", "--substatus Lots: this is none that is known"),
        (
            "--out a.csv --closing-before 12/31/2026",
            "--closing-before 12/31/2026: this is no date\nhint: write 2026-12-31",
        ),
        ("--out a.csv --updated-since yesterday", "--updated-since yesterday: this is no date"),
        (
            "--out a.csv --filter \"stauts eq 'New'\"",
            "--filter: \"stauts\" is no member of a referral\nhint: did you mean status?",
        ),
        (
            "--out a.csv --filter \"not (details/dealValue ge '50000')\"",
            "--filter: details/dealValue ge '50000': details/dealValue is a number, and never a text\nhint: write a \
             number without quotes",
        ),
        (
            "--out a.csv --filter \"status eq 'active'\"",
            "--filter: status eq 'active': this is no status that is known\nhint: did you mean 'Active'?",
        ),
    ] {
        let place = Place::new();
        place.write("there.csv", "mine");
        place.write("folder.csv/a", "");
        place.write("list.csv", format!("id\n{}\n", id(1)));
        place.write("run/run.sqlite", "mine");
        let before = place.files();
        let ran = Test::at(&place, &format!("export {typed} --endpoint http://127.0.0.1:9/v1.0"))
            .env("PARTNER_CENTER_TOKEN", "a-token")
            .code(2)
            .told_elsewhere()
            .run();
        if !ran.stderr.contains(wanted) {
            wrong.push(format!("{typed}: {}", ran.stderr));
        }
        assert_eq!(place.files(), before, "{typed}");
        assert_eq!(place.raw("there.csv"), "mine");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn whatever_goes_wrong_leaves_no_file() {
    for (faults, code, wanted) in [
        ("--fault list#2=404", 1, "page 2 of the list of referrals cannot be read"),
        ("--fault list#1=403", 1, "hint: sign in as somebody with the role"),
        ("--fault list#1=401 --fault list#2=401", 1, "the service does not take the token"),
    ] {
        let place = Place::new();
        let seed: Vec<Value> = (0..130).map(|number| referral(number, "Active", "Accepted")).collect();
        let service = Sandbox::seeded(&place, &seed, &faults.split(' ').collect::<Vec<_>>());
        let before = place.files().len();
        let ran = Test::at(&place, &format!("export --out a.csv {FAST}"))
            .service(&service.base)
            .code(code)
            .told_elsewhere()
            .run();
        assert!(ran.stderr.contains(wanted), "{faults}: {}", ran.stderr);
        assert_eq!(place.files().len(), before, "{faults}");
    }
}

#[test]
fn a_referral_that_cannot_be_read_is_told_and_the_others_are_written() {
    let place = Place::new();
    let seed: Vec<Value> = (0..4).map(|number| referral(number, "Active", "Accepted")).collect();
    let service = Sandbox::seeded(
        &place,
        &seed,
        &["--list-omits", "details", "--fault", &format!("get@{}#*=404", id(2))],
    );
    let export = format!("export --out a.csv --columns dealValue {FAST}");
    let ran = Test::at(&place, &export).service(&service.base).code(3).told_elsewhere().run();
    assert!(ran.stderr.contains(&format!("warning: {} is not in the file", id(2))), "{}", ran.stderr);
    let ids: Vec<String> = rows(&place, "a.csv").into_iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids, [id(0), id(1), id(3)]);
}

#[test]
fn an_interrupt_leaves_nothing() {
    let place = Place::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = format!("http://{}/v1.0", listener.local_addr().unwrap());
    let export =
        ["export", "--out", "a.csv", "--endpoint", &endpoint, "--timeout", "10m", "--progress", "none"];
    let started = place.start(&export);
    // A request that is never answered.
    let (mut service, _) = listener.accept().unwrap();
    assert!(service.read(&mut [0; 100]).unwrap() > 0);
    started.signal(Signal::SIGINT);
    started.says("requests in flight are awaited");
    started.signal(Signal::SIGINT);
    let ended = started.wait().expect(4);
    assert!(ended.stderr.contains("interrupted: nothing was written"), "{}", ended.stderr);
    let names = place.files().into_keys().filter(|name| !name.starts_with("std")).collect::<Vec<_>>();
    assert_eq!(names, [""; 0]);
}
