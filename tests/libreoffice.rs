//! A report goes through LibreOffice Calc and comes back: opened and saved as a workbook, and saved as CSV. Needs
//! `soffice` on the path; `.ci/run` sees to it.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::fs;
use std::process::Command;

use rust_xlsxwriter::{Format, Workbook};
use support::case::{Ran, Test};

/// Two referrals of the samples.
const GOOD: &str = "5a1e0001-0000-4000-8000-000000000015";
const BAD: &str = "5a1e0001-0000-4000-8000-000000000027";

/// What a spreadsheet would run, if it were no text.
const NOTES: &str = "=1+1; \"Grüße\" – 日本 𝄞";

/// A workbook with a sound row, and one whose deal value is in doubt, since it is a text.
fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Deals").unwrap();
    for (column, name) in (0..).zip(["id", "Close Date", "dealValue", "CRM ID", "notes"]) {
        sheet.write_string(0, column, name).unwrap();
    }
    let date = Format::new().set_num_format("dd.mm.yyyy");
    for (row, id) in (1..).zip([GOOD, BAD]) {
        sheet.write_string(row, 0, id).unwrap();
        sheet.write_number_with_format(row, 1, 46_418, &date).unwrap();
        sheet.write_string(row, 3, "000123").unwrap();
        sheet.write_string(row, 4, NOTES).unwrap();
    }
    sheet.write_number(1, 2, 12.125).unwrap();
    sheet.write_string(2, 2, "12.125").unwrap();
    book.save_to_buffer().unwrap()
}

/// Has LibreOffice open a file and save it in a form, and returns what it wrote.
fn saved(ran: &Ran, file: &str, form: &str, extension: &str) -> Vec<u8> {
    let out = ran.place.path("saved");
    let profile = format!("-env:UserInstallation=file://{}", ran.place.path("profile").to_str().unwrap());
    let status = Command::new("soffice")
        .args([&profile, "--headless", "--convert-to", form, "--outdir"])
        .args([&out, &ran.place.path(file)])
        .output()
        .unwrap()
        .status;
    assert!(status.success(), "{status}");
    let name = file.rsplit('/').next().unwrap().replace("xlsx", extension);
    fs::read(out.join(name)).unwrap()
}

fn plan(ran: &Ran, file: &str, content: Vec<u8>, run: &str, code: i32) -> Ran {
    let command =
        format!("apply {file} --plan --state referrals.jsonl --out {run} --summary none --progress none");
    ran.then(&command).file(file, content).code(code).told_elsewhere().run()
}

fn documents(ran: &Ran, run: &str) -> Vec<String> {
    let plan = ran.place.raw(&format!("{run}/plan.jsonl"));
    let lines = plan.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.map(|line| format!("{} {}", line["id"], line["operations"])).collect()
}

#[test]
#[ignore = "needs LibreOffice Calc"]
fn a_report_that_libreoffice_saved_is_judged_as_it_was() {
    let first =
        Test::new("apply a.xlsx --plan --state referrals.jsonl --out run --summary none --progress none")
            .sample("referrals.jsonl")
            .file("a.xlsx", workbook())
            .code(3)
            .told_elsewhere()
            .run();
    assert_eq!(first.outcomes("run"), "1 planned, 1 invalid");
    let wanted = documents(&first, "run");

    let success = saved(&first, "run/success.xlsx", "xlsx", "xlsx");
    assert_eq!(documents(&plan(&first, "success.xlsx", success, "again", 0), "again"), wanted[..1]);
    let error = saved(&first, "run/error.xlsx", "xlsx", "xlsx");
    let refused = plan(&first, "error.xlsx", error, "refused", 3);
    assert_eq!(refused.outcomes("refused"), "1 invalid");
    assert!(refused.stderr().contains("  --> error.xlsx:C2\n"), "{}", refused.stderr());

    // In UTF-8, with commas and every text in quotes; dates as they are shown.
    let csv =
        saved(&first, "run/success.xlsx", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true", "csv");
    let as_csv = plan(&first, "success.csv", csv, "csv", 3);
    let told = as_csv.stderr();
    assert!(
        told.contains("12.125") && told.contains("decimal-sign"),
        "as text it can be read in two ways: {told}"
    );
}

/// Whoever only looks through an export, and saves it, asks for nothing.
#[test]
#[ignore = "needs LibreOffice Calc"]
fn an_export_that_libreoffice_saved_asks_for_nothing() {
    let exported = Test::new(
        "export --out a.xlsx --sandbox=referrals.jsonl --progress none --rate 1000/s \
         --columns status,substatus,statusReason,externalReferenceId,notes,dealValue,currency,closingDateTime,team",
    )
    .sample("referrals.jsonl")
    .told_elsewhere()
    .run();
    for (form, extension) in
        [("xlsx", "xlsx"), ("csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true", "csv")]
    {
        let file = format!("b.{extension}");
        let command = format!(
            "apply {file} --plan --sandbox=referrals.jsonl --rate 1000/s --out {extension} --summary none --progress none"
        );
        let planned = exported.then(&command).file(&file, saved(&exported, "a.xlsx", form, extension));
        let planned = planned.told_elsewhere().run();
        let outcomes = planned.outcomes(extension);
        assert!(
            outcomes.ends_with(" unchanged") && !outcomes.contains(','),
            "{outcomes}: {}",
            planned.stderr()
        );
    }
}
