//! Workbooks as spreadsheet programs write them, and the reports of such. `tests/workbooks/make.py` made them.

use std::fs;
use std::path::Path;

use super::{BAD, GOOD};
use crate::support::case::{Ran, Test, golden};
use crate::support::samples::sample;
use rust_xlsxwriter::{Format, Workbook};

const PLAN: &str = "--plan --state s.jsonl --summary none --progress none";

fn workbook(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workbooks").join(name)).unwrap()
}

fn plan(words: &str, files: &[(&str, &[u8])], code: i32) -> Ran {
    let test = Test::new(&format!("apply {words} {PLAN}")).file("s.jsonl", sample("referrals.jsonl"));
    let test = files.iter().fold(test, |test, (name, bytes)| test.file(name, bytes));
    test.code(code).told_elsewhere().run()
}

/// The documents of a plan, without where they come from.
fn documents(ran: &Ran, run: &str) -> Vec<String> {
    let plan = ran.place.raw(&format!("{run}/plan.jsonl"));
    let lines = plan.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.map(|line| format!("{} {}", line["id"], line["operations"])).collect()
}

#[test]
fn of_real_programs_are_read_and_what_nobody_sees_is_told() {
    let mut told = String::new();
    for (words, code) in [
        ("openpyxl.xlsx", 3),
        ("openpyxl-1904.xlsx", 3),
        ("libreoffice.xlsx", 3),
        ("unseen.xlsx", 0),
        ("libreoffice-unseen.xlsx", 0),
        ("unseen.xlsx --sheet 'old deals'", 3),
        ("unseen.xlsx --sheet Older", 1),
        ("unseen.xlsx --sheet Figures", 1),
        ("dynamics.xlsx", 0),
        ("chart-only.xlsx", 1),
        ("protected.xlsx", 1),
        ("old.xls", 1),
        ("old.xls --format xlsx", 1),
        ("open.ods", 1),
    ] {
        let name = words.split(' ').next().unwrap();
        let ran = plan(&format!("{words} --out run"), &[(name, &workbook(name))], code);
        let documents = if code == 1 { Vec::new() } else { documents(&ran, "run") };
        told += &format!("## {words}\n{}{}\n\n", ran.stderr(), documents.join("\n"));
    }
    golden("workbooks", &told);
}

/// Whoever keeps the list in a workbook gets what the same list as CSV gets.
#[test]
fn a_list_is_planned_alike_as_csv_and_in_a_workbook() {
    let sheet = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/quarter-end.xlsx")).unwrap();
    let csv = plan("a.csv --out run", &[("a.csv", sample("quarter-end.csv").as_bytes())], 3);
    let xlsx = plan("a.xlsx --out run", &[("a.xlsx", &sheet)], 3);
    assert_eq!(xlsx.outcomes("run"), csv.outcomes("run"));
    assert_eq!(documents(&xlsx, "run"), documents(&csv, "run"));
    let unnamed = plan("changes --out run", &[("changes", &sheet)], 3);
    assert_eq!(documents(&unnamed, "run"), documents(&csv, "run"), "its content tells what it is");
}

/// A workbook with a sound row, and one in which the deal value is a text.
fn mixed(value: &dyn Fn(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("My deals").unwrap();
    for (column, name) in (0..).zip(["id", "Close Date", "dealValue", "notes"]) {
        sheet.write_string(0, column, name).unwrap();
    }
    let date = Format::new().set_num_format("dd.mm.yyyy");
    for (row, id) in (1..).zip([GOOD, BAD]) {
        sheet.write_string(row, 0, id).unwrap();
        sheet.write_number_with_format(row, 1, 46_418, &date).unwrap();
        sheet.write_string(row, 3, "-5 % = a lot").unwrap();
    }
    sheet.write_number(1, 2, 12.125).unwrap();
    value(sheet);
    book.save_to_buffer().unwrap()
}

#[test]
fn a_report_is_a_workbook_that_is_judged_as_its_input_was() {
    let file = mixed(&|sheet| {
        sheet.write_string(2, 2, "12.125").unwrap();
    });
    let first = plan("a.xlsx --sheet 'MY DEALS' --out run", &[("a.xlsx", &file)], 3);
    assert_eq!(first.outcomes("run"), "1 planned, 1 invalid");
    assert!(first.stderr().contains("  --> a.xlsx:C3\n"), "{}", first.stderr());
    let names: Vec<String> = first.place.files().into_keys().filter(|name| name.contains("run/")).collect();
    let is_table = |name: &&String| name.ends_with(".csv") && !name.ends_with("/plan.csv");
    assert_eq!(names.iter().find(is_table), None, "the rows stand in workbooks alone");
    let wanted = documents(&first, "run");

    // Followed to the letter, what was refused is refused again, and what was planned is planned again.
    let error =
        first.then("apply run/error.xlsx --sheet 'MY DEALS' --plan --state s.jsonl --out e --summary none");
    let error = error.code(3).told_elsewhere().run();
    assert_eq!(error.outcomes("e"), "1 invalid");
    let success = error.then("apply run/success.xlsx --plan --state s.jsonl --out s --summary none");
    let success = success.told_elsewhere().run();
    assert_eq!(documents(&success, "s"), wanted[..1]);

    // Reports that are written again are the same; one that somebody saved meanwhile is kept.
    let before = ["success", "conflict", "error"]
        .map(|name| fs::read(success.place.path(format!("run/{name}.xlsx"))).unwrap());
    success.then("report run --summary none").code(3).told_elsewhere().run();
    let after = ["success", "conflict", "error"]
        .map(|name| fs::read(success.place.path(format!("run/{name}.xlsx"))).unwrap());
    assert!(before == after, "the same run makes the same bytes");
    let mended = mixed(&|sheet| {
        sheet.write_number(2, 2, 12.125).unwrap();
    });
    fs::write(success.place.path("run/error.xlsx"), &mended).unwrap();
    let again = success.then("report run --summary none").code(3).told_elsewhere().run();
    assert_eq!(fs::read(again.place.path("run/error.edited-1.xlsx")).unwrap(), mended);
    assert_eq!(fs::read(again.place.path("run/error.xlsx")).unwrap(), after[2]);
    let last = again.then("apply run/error.edited-1.xlsx --plan --state s.jsonl --out last --summary none");
    assert_eq!(last.told_elsewhere().run().outcomes("last"), "2 planned");
}

/// A sheet that no file can have is told; a base may have it.
#[test]
fn a_sheet_is_one_of_a_workbook() {
    let csv = format!("id,notes\n{GOOD},x\n");
    let told = "note: none of the files is a workbook, so --sheet 'My deals' says nothing of them\n";
    let ran = plan("a.csv --sheet 'My deals' --out run", &[("a.csv", csv.as_bytes())], 0);
    assert!(ran.stderr().contains(told), "{}", ran.stderr());
    let files = [("a.csv", csv.as_bytes()), ("was.xlsx", &mixed(&|_| {}))];
    // The base's sheet was found, and says something else than the referral.
    let ran = plan("a.csv --base was.xlsx --sheet 'My deals' --out run", &files, 3);
    assert!(!ran.stderr().contains(told) && ran.stderr().contains("error[changed-since-base]"));
}

#[test]
fn inputs_of_several_forms_have_reports_of_each() {
    let file = mixed(&|_| {});
    let csv = format!("id,notes\n{GOOD},x\n");
    let ran = plan("a.xlsx b.csv --out run", &[("a.xlsx", &file), ("b.csv", csv.as_bytes())], 3);
    for name in ["success.xlsx", "error.xlsx", "conflict.xlsx", "success.csv", "error.csv", "conflict.csv"] {
        assert!(ran.place.path("run").join(name).exists(), "{name}");
    }
    assert_eq!(
        ran.place.raw("run/error.csv").lines().next().unwrap().split(",result").next(),
        Some("id,notes")
    );
    assert!(
        ran.stderr().ends_with("error.csv error.xlsx\n") || ran.stderr().contains("error.xlsx"),
        "{}",
        ran.stderr()
    );
}
