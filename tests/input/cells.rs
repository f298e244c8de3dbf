//! What cells mean in files as people have them: numbers, names of columns, what a spreadsheet makes of a text,
//! eTags that went through another program. Each is planned against the samples' referrals.

use std::fmt::Write;

use serde_json::Value;

use super::GOOD;
use super::support::case::{Ran, Test, golden};
use super::support::waiting::each;

const OTHER: &str = "5a1e0001-0000-4000-8000-000000000016";
const THIRD: &str = "5a1e0001-0000-4000-8000-000000000017";
/// The eTag of the first, without its quotes.
const ETAG: &str = "e7a90001-0000-4000-8000-000000000015";

/// One file: what it is called and holds, with which options it is planned, and what becomes of its rows, in
/// their order: the value that would be sent last, or the rules that stand against it. Behind ` !`, what is
/// warned of.
struct Case {
    name: &'static str,
    file: &'static str,
    text: String,
    options: &'static str,
    rows: &'static [&'static str],
}

fn case(
    name: &'static str,
    file: &'static str,
    text: &str,
    options: &'static str,
    rows: &'static [&'static str],
) -> Case {
    let text =
        text.replace("GOOD", GOOD).replace("OTHER", OTHER).replace("THIRD", THIRD).replace("ETAG", ETAG);
    Case { name, file, text, options, rows }
}

const THOUSANDS: &str = "id;dealValue\nGOOD;12.500\nOTHER;3.000\nTHIRD;1.234,56\n";
const IN_DOUBT: &[&str] = &["decimal-sign", "decimal-sign", "decimal-sign"];

fn numbers() -> Vec<Case> {
    let sep = |text: &str, separator: &str| text.replace(';', separator);
    vec![
        case("points that may set thousands apart", "a.csv", THOUSANDS, "", IN_DOUBT),
        case("the same in tabs", "a.tsv", &sep(THOUSANDS, "\t"), "", IN_DOUBT),
        case(
            "the same, by a decimal comma",
            "a.csv",
            THOUSANDS,
            "--decimal comma",
            &["12500", "3000", "1234.56"],
        ),
        case("the same, by a decimal point", "a.csv", THOUSANDS, "--decimal point", &["12.5", "3.0", "type"]),
        case("a decimal comma", "a.csv", "id;dealValue\nGOOD;12500,50\nOTHER;5\n", "", &["12500.5", "5"]),
        case(
            "both signs in one file",
            "a.csv",
            "id,dealValue\nGOOD,12500.50\nOTHER,\"12500,50\"\nTHIRD,5\n",
            "",
            &["decimal-sign", "decimal-sign", "5"],
        ),
        case(
            "one in doubt among others",
            "a.csv",
            "id,dealValue\nGOOD,12500.50\nOTHER,\"12,500\"\n",
            "",
            &["12500.5", "decimal-sign"],
        ),
        case(
            "thousands set apart by what is no decimal sign",
            "a.csv",
            "id;dealValue\nGOOD;12\u{a0}500,50\nOTHER;12'500\nTHIRD;1\u{202f}234\u{202f}567\n",
            "",
            &["12500.5", "12500", "1234567"],
        ),
        case(
            "currencies",
            "a.csv",
            "id;dealValue\nGOOD;12500 €\nOTHER;$5\nTHIRD;EUR 5\n",
            "",
            &["type", "type", "type"],
        ),
    ]
}

fn names() -> Vec<Case> {
    vec![
        case("Close Date", "a.csv", "id,Close Date\nGOOD,2099-01-31\n", "", &["\"2099-01-31T00:00:00Z\""]),
        case("Reason", "a.csv", "id,Reason\nGOOD,x\n", "", &["\"x\""]),
        case(
            "a CRM's names",
            "a.csv",
            "Referral ID,CRM ID,Marketing Campaign ID,Est. Close Date,Amount\nGOOD,,,,5\n",
            "",
            &["5"],
        ),
        case(
            "columns for people, left alone",
            "a.csv",
            "id,Customer,Owner,dealValue\nGOOD,Harbour Lane Foods,Kim,5\n",
            "--ignore-column customer --ignore-column Owner",
            &["5"],
        ),
        case(
            "a member of JSON lines, left alone",
            "a.jsonl",
            "{\"id\":\"GOOD\",\"Owner\":\"Kim\",\"salesStage\":\"Propose\"}\n",
            "--ignore-column Owner",
            &["\"Propose\""],
        ),
    ]
}

fn texts() -> Vec<Case> {
    vec![
        case(
            "words of a spreadsheet",
            "a.csv",
            "id,externalReferenceId,notes\nGOOD,#N/A,#REF!\nOTHER,4.68769E+17,nan\nTHIRD,4.68769E+17,NULL\n",
            "",
            &[
                "spreadsheet-error spreadsheet-error",
                "\"nan\" !rewritten-number empty-word",
                "\"NULL\" !rewritten-number empty-word",
            ],
        ),
        case(
            "the same, at other levels",
            "a.csv",
            "id,externalReferenceId,notes\nGOOD,#N/A,#REF!\nOTHER,4.68769E+17,nan\nTHIRD,,NULL\n",
            "--rule spreadsheet-error=warn --rule rewritten-number=deny --rule empty-word=allow",
            &["\"#REF!\" !spreadsheet-error spreadsheet-error", "rewritten-number", "\"NULL\""],
        ),
        case(
            "numbers that a spreadsheet rewrote",
            "a.csv",
            "id,campaignId,externalReferenceId\nGOOD,1.23456789012346E+019,1.23457E+11\n",
            "",
            &["\"1.23457E+11\" !rewritten-number rewritten-number"],
        ),
        case(
            "UTF-8 taken for Windows-1252",
            "a.csv",
            "id,notes,dealValue,result.code\nGOOD,Angebot f\u{c3}\u{bc}r M\u{c3}\u{bc}ller,1234.56,type\n",
            "",
            &["1234.56 !misread-text"],
        ),
        case(
            "characters that cannot be seen, or look like others",
            "a.csv",
            "id,dealValue,notes\nGOOD\u{200b},5,\n5a1e0001\u{2010}0000\u{2010}4000\u{2010}8000\u{2010}000000000016,5,\nGOOD,\u{2212}5,\nOTHER,\u{feff}5,\nTHIRD,,a\u{200b}b\n",
            "",
            &["id", "id", "type", "type", "\"a\u{200b}b\" !hidden-character"],
        ),
        case(
            "a date without signs",
            "a.csv",
            "id,closingDateTime\nGOOD,20991231\nOTHER,9999-12-31\nTHIRD,03/04/2099\n",
            "",
            &["type", "\"9999-12-31T00:00:00Z\"", "type"],
        ),
        case(
            "addresses with a name",
            "a.csv",
            "id,team.add\nGOOD,\"Kim, Park,, Kim Park <kim.park@partner.example.com>\"\nOTHER,\"Kim, Park,, mailto:kim.park@partner.example.com\"\n",
            "",
            &["type", "type"],
        ),
    ]
}

fn etags_and_clearings() -> Vec<Case> {
    vec![
        case(
            "eTags that went through another program",
            "a.csv",
            "id,eTag,dealValue\nGOOD,\"W/\"\"ETAG\"\"\",5\nGOOD,\\\"ETAG\\\",5\nGOOD,'\"ETAG\"',5\nGOOD,ETAG,5\n",
            "",
            &["5", "5", "5", "5"],
        ),
        case(
            "eTags that are none",
            "a.csv",
            "id,eTag,dealValue\nGOOD,NULL,5\nOTHER,#N/A,5\nTHIRD,\"\"\"ETAG\"\", \"\"ETAG\"\"\",5\n",
            "",
            &["type", "type", "type"],
        ),
        case(
            "values that leave nothing",
            "a.jsonl",
            "{\"id\":\"GOOD\",\"details\":{\"notes\":\"\",\"dealValue\":5},\"team\":[],\"externalReferenceId\":\" \"}\n",
            "",
            &["clear clear clear"],
        ),
        case(
            "operations that leave nothing",
            "a.jsonl",
            "{\"id\":\"GOOD\",\"patch\":[{\"op\":\"replace\",\"path\":\"/team\",\"value\":[]}]}\n",
            "",
            &["clear"],
        ),
        case(
            "a member's value that leaves nothing",
            "a.jsonl",
            "{\"id\":\"GOOD\",\"team\":[{\"email\":\"tomas.obriain@partner.example.com\",\"firstName\":\"\"}]}\n",
            "",
            &["clear incomplete-state"],
        ),
        case("an empty list in a cell", "a.csv", "id,team\nGOOD,[]\n", "", &["clear"]),
        case("the same with leave", "a.csv", "id,team\nGOOD,[]\n", "--clear", &["[]"]),
        case(
            "what no reader keeps, within a member",
            "a.jsonl",
            "{\"id\":\"GOOD\",\"team\":[{\"email\":\"kim.park@partner.example.com\",\"rank\":1e400}]}\n{\"id\":\"OTHER\",\"team.add\":[{\"email\":\"kim.park@partner.example.com\",\"title\":\"\\ud800\"}]}\n",
            "",
            &["type", "type"],
        ),
    ]
}

#[test]
fn mean_one_thing_or_are_found() {
    let cases = [numbers(), names(), texts(), etags_and_clearings()].into_iter().flatten();
    let told = each(&cases.collect::<Vec<_>>(), |case| {
        let bad = case.rows.iter().any(|row| row.starts_with(|c: char| c.is_ascii_lowercase()));
        let command = format!(
            "apply {} --plan --state referrals.jsonl --out run --summary none --progress none {}",
            case.file, case.options
        );
        let test = Test::new(&command).sample("referrals.jsonl").file(case.file, &case.text);
        let ran = test.code(if bad { 3 } else { 0 }).told_elsewhere().run();
        assert_eq!(rows(&ran), case.rows, "{}: {}", case.name, ran.stderr);
        assert!(!ran.stderr.contains("defect"), "{}: {}", case.name, ran.stderr);
        let next = |line: &&str| !line.starts_with("next: ") && !line.starts_with("hint: conflict.csv");
        let said = ran.stderr();
        let said: Vec<&str> = said.lines().filter(next).collect();
        format!("## {}\n{}\n", case.name, said.join("\n"))
    });
    golden("cells", &told.join("\n"));
}

/// What became of every row.
fn rows(ran: &Ran) -> Vec<String> {
    let lines = |name: &str| -> Vec<Value> {
        ran.place.raw(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let plan = lines("run/plan.jsonl");
    let rules = |row: &Value, level: &str| -> String {
        let findings = row["findings"].as_array().into_iter().flatten();
        let of_level = findings.filter(|finding| finding["level"] == level);
        of_level.map(|finding| finding["rule"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
    };
    let told = |row: &Value| {
        let mut told = match row["outcome"].as_str() {
            Some("planned") => {
                let item = plan.iter().find(|item| item["id"] == row["id"]).unwrap();
                let operations = item["operations"].as_array().unwrap();
                operations.last().unwrap()["value"].to_string()
            }
            Some("unchanged") => "unchanged".to_owned(),
            _ => rules(row, "deny"),
        };
        let warned = rules(row, "warn");
        if !warned.is_empty() {
            let _ = write!(told, " !{warned}");
        }
        told
    };
    lines("run/outcomes.jsonl").iter().map(told).collect()
}

/// Columns that nobody knows are refused, and the hint says how they can stay.
#[test]
fn under_columns_for_people_are_left_alone_by_name() {
    let text = format!("id,Customer,Owner,dealValue\n{GOOD},Harbour Lane Foods,Kim,many\n");
    let plan = "apply a.csv --plan --state referrals.jsonl --summary none --progress none";
    let told = [
        "",
        "--ignore-column Onwer",
        "--ignore-column Customer --ignore-column Owner --ignore-column Priority",
        "--ignore-column Customer --ignore-column Owner --ignore-column dealValu",
        "--ignore-column ''",
    ]
    .map(|options| {
        let test = Test::new(&format!("{plan} --out run {options}")).sample("referrals.jsonl");
        let code = if options.is_empty() || options.ends_with("Onwer") { 1 } else { 2 };
        let ran = test.file("a.csv", &text).code(code).told_elsewhere().run();
        assert!(!ran.place.path("run").exists(), "{options}");
        format!("$ {options}\n{}", ran.stderr())
    });
    golden("columns_for_people", &told.join("\n"));

    // They come back in the reports, and the next command says again that they change nothing.
    let options = "--decimal comma --ignore-column Customer --ignore-column Owner";
    let test = Test::new(&format!("{plan} --out run {options}")).sample("referrals.jsonl");
    let ran = test.file("a.csv", &text).code(3).told_elsewhere().run();
    assert!(ran.place.raw("run/error.csv").contains(",Harbour Lane Foods,Kim,many,"));
    let next = ran.stderr.lines().last().unwrap().rsplit_once("referral-bulk ").unwrap().1.to_owned();
    assert!(next.contains(options), "{next}");
    let mended = ran.place.raw("run/error.csv").replace(",many,", ",\"12500,50\",");
    ran.place.write("run/error.csv", mended);
    let again = format!("{next} --out again --summary none --progress none");
    let again = ran.then(&again).told_elsewhere().run();
    assert_eq!(rows_of(&again, "again"), "12500.5");
}

/// What would be sent for the only row of a run.
fn rows_of(ran: &Ran, run: &str) -> String {
    let plan: Value = serde_json::from_str(&ran.place.raw(&format!("{run}/plan.jsonl"))).unwrap();
    plan["operations"][0]["value"].to_string()
}
