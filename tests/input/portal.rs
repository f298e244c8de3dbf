//! Files of Partner Center's own: what a download means, whatever a spreadsheet made of it.

use std::collections::BTreeMap;
use std::fs;

use calamine::Reader;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use serde_json::Value;

use crate::support::case::{Ran, Test};
use crate::support::samples::{sample, sample_referral};
use crate::support::waiting::each;

pub const PLAN: &str = "--plan --sandbox=referrals.jsonl --rate 1000/s --summary none --progress none";

/// A cell for each column, by name.
pub type Deal = BTreeMap<String, String>;

/// The text of a file of these rows.
pub fn written(rows: &[Vec<String>], separator: u8) -> String {
    let mut file = csv::WriterBuilder::new()
        .flexible(true)
        .delimiter(separator)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    rows.iter().for_each(|row| file.write_record(row).unwrap());
    String::from_utf8(file.into_inner().unwrap()).unwrap()
}

/// A deal as a download shows it: what the sample with this number holds.
pub fn download(number: u8) -> Deal {
    shown(&sample_referral(&id(number)))
}

/// What a referral holds, in the columns of generation B.
pub fn shown(referral: &Value) -> Deal {
    let text = |pointer: &str| match referral.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let day = |pointer: &str| {
        let time = text(pointer);
        time.get(..10).map_or(String::new(), |day| format!("{}/{}/{}", &day[5..7], &day[8..], &day[..4]))
    };
    let contact = |name: &str| text(&format!("/customerProfile/team/0/{name}"));
    let mut deal: Deal = [
        ("Errors", String::new()),
        ("Engagement ID", text("/engagementId")),
        ("Referral ID", text("/id")),
        ("Deal Name", text("/name")),
        ("Customer Name", text("/customerProfile/name")),
        ("Customer Address Line 1", text("/customerProfile/address/addressLine1")),
        ("Customer Address Line 2", text("/customerProfile/address/addressLine2")),
        ("Customer City", text("/customerProfile/address/city")),
        ("Customer State", text("/customerProfile/address/state")),
        ("Customer Postal Code", text("/customerProfile/address/postalCode")),
        ("Customer Country", text("/customerProfile/address/country")),
        ("Customer Contact First Name", contact("firstName")),
        ("Customer Contact Last Name", contact("lastName")),
        ("Customer Contact Phone number", contact("phoneNumber")),
        ("Customer Contact Email Address", contact("email")),
        ("Partner Referral Status", text("/status")),
        ("Partner Referral Substatus", text("/substatus")),
        ("Microsoft Referral Status", "Active".to_owned()),
        ("Declined/Lost/Error reason", String::new()),
        ("Sales Stage", text("/salesStage")),
        ("Estimated Deal Value", text("/details/dealValue")),
        ("Currency", text("/details/currency")),
        ("Estimated Close Date", day("/details/closingDateTime")),
        ("CRM ID", text("/externalReferenceId")),
        ("Marketing Campaign ID", text("/campaignId")),
        ("Notes", text("/details/notes")),
        ("Created Date", day("/createdDateTime")),
        ("MPN Id", text("/mpnId")),
    ]
    .map(|(name, cell)| (name.to_owned(), cell))
    .into();
    let shares = text("/consent/consentToShareReferralWithMicrosoftSellers") == "true";
    deal.insert("Share with Microsoft sales team".to_owned(), if shares { "Yes" } else { "No" }.to_owned());
    for at in 0..3 {
        let member = |name: &str| text(&format!("/team/{at}/{name}"));
        let parts = ["firstName", "lastName", "phoneNumber", "email"].map(member);
        let cell = if parts.iter().all(String::is_empty) { String::new() } else { parts.join(", ") };
        deal.insert(format!("Team member {}", at + 1), cell);
        let solution = text(&format!("/details/requirements/solutions/{at}/id"));
        deal.insert(format!("Solution {}", at + 1), solution);
    }
    deal
}

pub fn id(number: u8) -> String {
    format!("5a1e0001-0000-4000-8000-0000000000{number:02}")
}

/// A file of these deals.
pub fn file(deals: &[Deal]) -> Vec<Vec<String>> {
    let header: Vec<String> = deals[0].keys().cloned().collect();
    let rows = deals.iter().map(|deal| header.iter().map(|name| deal[name].clone()).collect());
    [header.clone()].into_iter().chain(rows).collect()
}

fn plan(run: &str, file: &str, content: impl AsRef<[u8]>, more: &str, code: i32) -> Ran {
    Test::new(&format!("apply {file} {PLAN} --out {run} {more}"))
        .sample("referrals.jsonl")
        .file(file, content)
        .code(code)
        .told_elsewhere()
        .run()
}

/// The operations of a plan by referral, and its findings as `rule: message`.
pub fn planned(ran: &Ran, run: &str) -> (BTreeMap<String, Value>, Vec<String>) {
    let (mut operations, mut findings) = (BTreeMap::new(), Vec::new());
    for line in ran.place.raw(&format!("{run}/plan.jsonl")).lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["operations"].as_array().is_some_and(|operations| !operations.is_empty()) {
            operations.insert(line["id"].as_str().unwrap().to_owned(), line["operations"].clone());
        }
        for finding in line["findings"].as_array().unwrap() {
            findings.push(format!(
                "{}: {}",
                finding["rule"].as_str().unwrap(),
                finding["message"].as_str().unwrap()
            ));
        }
    }
    (operations, findings)
}

#[test]
fn an_untouched_download_changes_nothing_in_whatever_form_it_is_saved() {
    // Of closed deals too: what a download says of them is so already.
    let deals: Vec<Deal> = (1..=40).map(download).collect();
    let rows = file(&deals);
    let marked = |text: String| format!("\u{feff}{text}");
    let utf_16 =
        |text: String| -> Vec<u8> { marked(text).encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let windows_1252 = |text: String| -> Vec<u8> {
        let text: String = text.chars().filter(|c| *c != 'Ł').collect();
        encoding_rs::WINDOWS_1252.encode(&text).0.into_owned()
    };
    let forms: [(&str, Vec<u8>); 5] = [
        ("commas", written(&rows, b',').into_bytes()),
        ("semicolons", marked(written(&rows, b';')).into_bytes()),
        ("tabs in UTF-16", utf_16(written(&rows, b'\t'))),
        ("line feeds", written(&rows, b',').replace("\r\n", "\n").into_bytes()),
        ("Windows-1252", windows_1252(written(&file(&[download(19), download(27)]), b';'))),
    ];
    each(&forms, |(name, content)| {
        let ran = plan("run", "a.csv", content, "", 0);
        let (operations, findings) = planned(&ran, "run");
        assert_eq!((operations.len(), findings), (0, Vec::new()), "{name}");
        let summary: Value = serde_json::from_str(&ran.place.raw("run/summary.json")).unwrap();
        assert_eq!(summary["rows"]["unchanged"], summary["rows"]["total"], "{name}");
    });
}

/// One edit of a download, and the same as a line of a change file.
type Edit = (u8, &'static [(&'static str, &'static str)], &'static str);

const EDITS: [Edit; 12] = [
    (
        15,
        &[("Estimated Deal Value", "99.50"), ("Currency", "USD")],
        r#""details":{"dealValue":99.50,"currency":"USD"}"#,
    ),
    (16, &[("Estimated Close Date", "1/30/2028")], r#""details":{"closingDateTime":"2028-01-30T00:00:00Z"}"#),
    (
        17,
        &[
            ("Partner Referral Status", "Closed"),
            ("Partner Referral Substatus", "Lost"),
            ("Declined/Lost/Error reason", "2"),
        ],
        r#""substatus":"Lost","statusReason":"No response""#,
    ),
    (
        18,
        &[("Partner Referral Status", "Closed"), ("Partner Referral Substatus", "Won")],
        r#""substatus":"Won""#,
    ),
    (20, &[("Sales Stage", "60%")], r#""salesStage":"60""#),
    (
        22,
        &[("CRM ID", "000123"), ("Marketing Campaign ID", "C-9")],
        r#""externalReferenceId":"000123","campaignId":"C-9""#,
    ),
    (23, &[("Notes", "'-5 % agreed")], r#""details":{"notes":"-5 % agreed"}"#),
    (24, &[("Notes", ""), ("Sales Stage", "")], ""),
    (
        8,
        &[("Partner Referral Status", "Active"), ("Partner Referral Substatus", "Accepted")],
        r#""status":"Active""#,
    ),
    (
        9,
        &[("Share with Microsoft sales team", "Yes")],
        r#""consent":{"consentToShareReferralWithMicrosoftSellers":true}"#,
    ),
    (
        19,
        &[("Team member 1", "Kim, Park, +1 555 0142, kim.park@partner.example.com")],
        r#""team":[{"firstName":"Kim","lastName":"Park","phoneNumber":"+1 555 0142","email":"kim.park@partner.example.com"}]"#,
    ),
    (
        4,
        &[("Solution 1", "SOL-01,EUR,1250.50,3")],
        r#""details":{"requirements":{"solutions":[{"id":"SOL-01","currency":"EUR","price":1250.50,"quantity":3}]}}"#,
    ),
];

#[test]
fn an_edited_download_plans_what_the_same_changes_plan_as_a_change_file() {
    let deals: Vec<Deal> = EDITS
        .iter()
        .map(|(number, cells, _)| {
            let mut deal = download(*number);
            cells.iter().for_each(|(name, cell)| drop(deal.insert((*name).to_owned(), (*cell).to_owned())));
            deal
        })
        .collect();
    let lines = EDITS.iter().map(|(number, _, members)| {
        let comma = if members.is_empty() { "" } else { "," };
        format!("{{\"id\":\"{}\"{comma}{members}}}\n", id(*number))
    });
    let (one, other) = (
        plan("run", "a.csv", written(&file(&deals), b','), "", 0),
        plan("run", "a.jsonl", lines.collect::<String>(), "", 0),
    );
    let (operations, findings) = planned(&one, "run");
    assert_eq!(operations, planned(&other, "run").0);
    assert_eq!(operations.len(), EDITS.len() - 1);
    assert!(findings.iter().all(|finding| !finding.starts_with("portal")), "{findings:?}");
}

#[test]
fn columns_that_change_nothing_are_counted_by_column() {
    let mut deals: Vec<Deal> = (15..=18).map(download).collect();
    for deal in &mut deals[..3] {
        deal.insert("Customer Name".to_owned(), "Another".to_owned());
    }
    deals[3].insert("Deal Name".to_owned(), "A new name".to_owned());
    let content = written(&file(&deals), b',');
    let ran = plan("run", "a.csv", &content, "", 0);
    let told = ran.stderr();
    let warned: Vec<&str> = told.lines().filter(|line| line.contains("portal-read-only")).collect();
    assert_eq!(warned.len(), 2, "{told}");
    assert!(warned[0].contains("3 rows") && warned[0].contains("\"Customer Name\""), "{told}");
    assert!(warned[1].contains("1 row,") && warned[1].contains("\"Deal Name\""), "{told}");
    let denied = plan("run", "a.csv", &content, "--rule portal-read-only=deny", 3);
    assert_eq!(denied.outcomes("run"), "4 invalid");
    let opted = plan("run", "a.csv", &content, "--allow-path /name", 0);
    assert_eq!(opted.outcomes("run"), "3 unchanged, 1 planned");
}

/// Of deals that are closed already, as after a closing of which the service left the reason out.
#[test]
fn a_reason_counts_by_the_stage_that_a_deal_is_in() {
    let column = "Declined/Lost/Error reason";
    for (number, stage, told) in [
        (36, &["Closed", "Lost"], "1 planned"),
        (36, &["", ""], "1 planned"),
        (38, &["Closed", "Declined"], "1 planned"),
        (38, &["", "Declined"], "1 planned"),
        (33, &["Closed", "Won"], "1 unchanged"),
        (40, &["", ""], "1 unchanged"),
        (15, &["", ""], "1 unchanged"),
        (15, &["Active", "Accepted"], "1 unchanged"),
        (15, &["Active", ""], "1 unchanged"),
    ] {
        let mut deal = download(number);
        deal.insert(column.to_owned(), "2".to_owned());
        for (name, cell) in ["Partner Referral Status", "Partner Referral Substatus"].into_iter().zip(stage) {
            deal.insert(name.to_owned(), (*cell).to_owned());
        }
        let ran = plan("run", "a.csv", written(&file(&[deal]), b','), "", 0);
        assert_eq!(ran.outcomes("run"), told, "{number} {stage:?}: {}", ran.stderr());
        let rule = if told == "1 planned" { "closed-edit" } else { "portal-read-only" };
        assert!(ran.stderr().contains(&format!("warning[{rule}]")), "{number} {stage:?}: {}", ran.stderr());
    }
}

#[test]
fn a_date_with_the_day_in_front_holds_back_every_date() {
    let mut deals: Vec<Deal> = (15..=17).map(download).collect();
    deals[0].insert("Estimated Close Date".to_owned(), "03/04/2028".to_owned());
    deals[1].insert("Estimated Close Date".to_owned(), "31/12/2028".to_owned());
    deals[2].insert("Estimated Close Date".to_owned(), String::new());
    let ran = plan("run", "a.csv", written(&file(&deals), b','), "", 3);
    assert_eq!(ran.outcomes("run"), "1 unchanged, 2 invalid");
    assert!(
        ran.stderr()
            .contains("error[date-order]: /details/closingDateTime: how the file writes dates is in doubt")
    );
}

/// A day-first spreadsheet makes a date of `05/01/2028`, of the first of May, and leaves `12/31/2028` as text.
#[test]
fn dates_of_a_workbook_are_in_doubt_beside_texts_that_only_a_month_in_front_makes_dates() {
    for (dates, told, code) in [
        (["2028-01-05", "12/31/2028", ""], "1 unchanged, 2 invalid", 3),
        (["2028-01-05", "12/01/2028", ""], "1 unchanged, 2 planned", 0),
        (["2028-01-05", "2028-12-31", ""], "1 unchanged, 2 planned", 0),
        (["01/05/2028", "12/31/2028", ""], "1 unchanged, 2 planned", 0),
    ] {
        let mut deals: Vec<Deal> = (15..=17).map(download).collect();
        for (deal, date) in deals.iter_mut().zip(dates) {
            deal.insert("Estimated Close Date".to_owned(), date.to_owned());
        }
        let ran = plan("run", "a.xlsx", workbook(&file(&deals)), "", code);
        assert_eq!(ran.outcomes("run"), told, "{dates:?}: {}", ran.stderr());
        assert_eq!(ran.stderr().matches("error[date-order]").count(), if code == 3 { 2 } else { 0 });
    }
}

/// A note whose lines nobody put in quotes breaks its row, also where one of the lines is blank.
#[test]
fn a_row_whose_note_breaks_it_is_not_sent_by_half() {
    for between in ["\r\n", "\r\n\r\n", "\r\n \r\n", "\r\n\r\n\r\n"] {
        let mut deals: Vec<Deal> = (15..=16).map(download).collect();
        deals[0].insert("Notes".to_owned(), "@@".to_owned());
        let text = written(&file(&deals), b',').replace("@@", &format!("first paragraph{between}second"));
        let ran = plan("run", "a.csv", text, "", 3);
        assert_eq!(ran.outcomes("run"), "1 unchanged, 2 invalid", "{between:?}: {}", ran.stderr());
        assert!(ran.stderr().contains("error[ragged-row]"), "{}", ran.stderr());
    }
}

/// The row that shows it may lie in another file, or be corrected first.
#[test]
fn dates_in_doubt_stay_so_without_the_row_that_shows_it() {
    const DATE: &str = "Estimated Close Date";
    let mut deals: Vec<Deal> = (15..=18).map(download).collect();
    for (deal, date) in deals.iter_mut().zip(["03/04/2028", "31/12/2028", "03/04/2028", ""]) {
        deal.insert(DATE.to_owned(), date.to_owned());
    }
    // Refused for something else, before it is known that its date is in doubt.
    deals[2].insert("Currency".to_owned(), "euro".to_owned());
    deals[3].insert("Currency".to_owned(), "euro".to_owned());
    let first = plan("run", "a.csv", written(&file(&deals), b';'), "", 3);
    assert_eq!(first.outcomes("run"), "4 invalid");
    for name in ["error.portal-1.csv", "error.csv"] {
        let report = first.place.raw(&format!("run/{name}")).replace("euro", "EUR");
        let without: Vec<&str> = report.lines().filter(|line| !line.contains(&id(16))).collect();
        let without = without.join("\r\n");
        assert_eq!(
            without.matches("03/04/2028").count(),
            if name == "error.csv" { 4 } else { 2 },
            "{without}"
        );
        let alone = plan("again", name, &without, "", 3);
        assert_eq!(alone.outcomes("again"), "1 planned, 2 invalid", "{name}: {}", alone.stderr());
        // Fed back as it is, it stays so; what was corrected is sent, also beside one that wasn't.
        let again = alone.place.raw(&format!("again/{name}"));
        assert_eq!(plan("last", name, &again, "", 3).outcomes("last"), "2 invalid", "{name}");
        let half =
            again.replacen("03/04/2028 ?", "04/03/2028", 1).replacen(";03/04/2028;", ";04/03/2028;", 1);
        assert_ne!(half, again);
        let half = plan("half", name, half, "", 3);
        assert_eq!(half.outcomes("half"), "1 planned, 1 invalid", "{name}");
        assert!(half.place.raw("half/plan.jsonl").contains("2028-04-03T00:00:00Z"), "{name}");
        // Somebody may say that a date is right as it stands.
        let said = again.replace("03/04/2028 ?", "03/04/2028").replace(";03/04/2028\r", ";\r");
        let said = plan("said", name, said, "", 0);
        assert_eq!(said.outcomes("said"), "2 planned", "{name}: {}", said.stderr());
        assert!(said.place.raw("said/plan.jsonl").contains("2028-03-04T00:00:00Z"), "{name}");
    }
}

/// A workbook of these texts, in which the dates that are written with the year in front are typed as dates.
fn workbook(rows: &[Vec<String>]) -> Vec<u8> {
    let mut book = Workbook::new();
    let (sheet, day) = (book.add_worksheet(), Format::new().set_num_format("yyyy-mm-dd"));
    for (line, row) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(row) {
            match ExcelDateTime::parse_from_str(cell) {
                Ok(date) if cell.starts_with("2028-") => {
                    sheet.write_datetime_with_format(line, column, &date, &day).unwrap()
                }
                _ => sheet.write_string(line, column, cell).unwrap(),
            };
        }
    }
    book.save_to_buffer().unwrap()
}

#[test]
fn dates_in_doubt_stay_so_in_a_workbook() {
    let mut deals: Vec<Deal> = (15..=18).map(download).collect();
    for (deal, date) in deals.iter_mut().zip(["03/04/2028", "31/12/2028", "2028-04-03", "2028-04-03"]) {
        deal.insert("Estimated Close Date".to_owned(), date.to_owned());
    }
    let ran = plan("run", "a.xlsx", workbook(&file(&deals)), "", 3);
    assert_eq!(ran.outcomes("run"), "4 invalid");
    let portal = ran.place.raw("run/error.portal-1.csv").replace("31/12/2028", "12/31/2028");
    assert_eq!(plan("again", "b.csv", portal, "", 3).outcomes("again"), "1 planned, 3 invalid");
    let mut report: calamine::Xlsx<_> = calamine::open_workbook(ran.place.path("run/error.xlsx")).unwrap();
    let range = report.worksheet_range_at(0).unwrap().unwrap();
    let text = |cell: &calamine::Data| match cell {
        calamine::Data::DateTime(_) => "2028-04-03".to_owned(),
        cell => cell.to_string(),
    };
    let mut rows: Vec<Vec<String>> = range.rows().map(|row| row.iter().map(text).collect()).collect();
    assert_eq!(rows.len(), 5);
    rows.remove(2);
    let date = rows[0].iter().position(|name| name == "Estimated Close Date").unwrap();
    let doubt = rows[0].iter().position(|name| name == "result.in_doubt").unwrap();
    let told = |edits: &[(usize, usize, &str)], code| {
        let mut rows = rows.clone();
        edits.iter().for_each(|(row, column, text)| rows[*row][*column] = (*text).to_owned());
        plan("again", "b.xlsx", workbook(&rows), "", code).outcomes("again")
    };
    assert_eq!(told(&[], 3), "3 invalid");
    assert_eq!(told(&[(1, date, "04/03/2028")], 3), "1 planned, 2 invalid");
    assert_eq!(told(&[(1, date, "2028-04-03")], 3), "3 invalid", "as a spreadsheet would make of it");
    assert_eq!(told(&[(1, date, "2028-04-03"), (1, doubt, "")], 3), "1 planned, 2 invalid");
    assert_eq!(told(&[(2, date, "2028-03-04"), (3, doubt, "")], 3), "2 planned, 1 invalid");
}

#[test]
fn any_date_with_the_day_in_front_condemns_the_column() {
    for date in ["31/12/2029", "31-Dec-29", "'31.12.2029 00:00", "Monday, 31/12/2029"] {
        let mut deals: Vec<Deal> = (15..=16).map(download).collect();
        for (deal, date) in deals.iter_mut().zip(["03/04/2028", date]) {
            deal.insert("Estimated Close Date".to_owned(), date.to_owned());
        }
        let ran = plan("run", "a.csv", written(&file(&deals), b','), "", 3);
        assert_eq!(ran.outcomes("run"), "2 invalid", "{date}");
    }
}

#[test]
fn the_samples_do_what_they_are_for() {
    for (name, code, outcomes) in [
        ("portal-a.csv", 0, "1 unchanged, 3 planned"),
        ("portal-b.csv", 0, "1 unchanged, 5 planned"),
        ("portal-c.csv", 3, "3 planned, 1 invalid"),
    ] {
        let ran = plan("run", name, sample(name), "", code);
        assert_eq!(ran.outcomes("run"), outcomes, "{name}: {}", ran.stderr());
        assert!(fs::metadata(ran.place.path("run/plan.jsonl")).is_ok());
    }
}

#[test]
fn what_failed_can_be_corrected_in_the_form_of_partner_center() {
    let mut deals: Vec<Deal> = (15..=17).map(download).collect();
    deals[0].insert("Sales Stage".to_owned(), "0.4".to_owned());
    deals[1].insert("Currency".to_owned(), "euro".to_owned());
    deals[2].insert("Notes".to_owned(), "Called".to_owned());
    let first = plan("run", "a.csv", written(&file(&deals), b';'), "", 3);
    assert_eq!(first.outcomes("run"), "1 planned, 2 invalid");
    let report = first.place.raw("run/error.portal-1.csv");
    assert!(report.starts_with('\u{feff}') && report.matches("\r\n").count() == 3, "{report}");
    assert!(report.contains("\"0.4\"\" is no sales stage"), "{report}");
    let again = plan("again", "error.portal-1.csv", &report, "", 3);
    assert_eq!(again.outcomes("again"), "2 invalid");
    assert_eq!(again.place.raw("again/error.portal-1.csv"), report);
    let mended = report.replace(",0.4,", ",40%,").replace(",euro,", ",EUR,");
    let last = plan("last", "error.portal-1.csv", mended, "", 0);
    assert_eq!(last.outcomes("last"), "2 planned");
    assert!(!last.place.path("last/error.portal-1.csv").exists());
}

#[test]
fn a_corrected_file_in_another_language_is_read_as_the_file_was() {
    let content = format!("Verweis,Status,Teilstatus,Grund\n{},Closed,Lost,77\n", id(15));
    let maps = "--map Verweis=id --map Teilstatus=substatus --map Grund=statusReason";
    let ran = plan("run", "a.csv", content, &format!("--format portal-csv {maps}"), 3);
    assert_eq!(ran.outcomes("run"), "1 invalid");
    let next = ran.next().to_owned();
    assert!(next.starts_with("apply run/error.csv --format portal-csv "), "{next}");
    let report = ran.place.raw("run/error.csv");
    let again = ran.then(&format!("{next} --out again --summary none --progress none"));
    let again = again.file("run/error.csv", report.replace(",77,", ",2,")).code(0).told_elsewhere().run();
    let (operations, _) = planned(&again, "again");
    assert_eq!(operations[&id(15)][0]["value"], "No response");
}

#[test]
fn an_old_download_is_warned_of() {
    let told = |cells: &[(&str, &str)]| {
        let mut deals: Vec<Deal> = (15..=18).map(download).collect();
        let edit = |deal: &mut Deal| {
            cells.iter().for_each(|(name, cell)| drop(deal.insert((*name).to_owned(), (*cell).to_owned())))
        };
        deals.iter_mut().for_each(edit);
        plan("run", "a.csv", written(&file(&deals), b','), "", 0).stderr()
    };
    let few = [("Notes", "x"), ("Sales Stage", "60"), ("CRM ID", "x"), ("Estimated Deal Value", "1")];
    let rest = [
        ("Marketing Campaign ID", "x"),
        ("Estimated Close Date", "1/1/2030"),
        ("Customer Name", "x"),
        ("Deal Name", "x"),
        ("Customer Address Line 1", "x"),
        ("Customer City", "x"),
        ("Customer Postal Code", "x"),
        ("Customer State", "x"),
        ("MPN Id", "x"),
        ("Created Date", "1/1/2020"),
    ];
    assert!(!told(&few).contains("most cells"));
    let all: Vec<_> = few.iter().chain(&rest).copied().collect();
    let told = told(&all);
    assert!(told.contains("warning: most cells of the Partner Center file differ"), "{told}");
}

#[test]
fn the_settings_file_replaces_a_reason() {
    let mut deal = download(15);
    for (name, cell) in [
        ("Partner Referral Status", "Closed"),
        ("Partner Referral Substatus", "Lost"),
        ("Declined/Lost/Error reason", "2"),
    ] {
        deal.insert(name.to_owned(), cell.to_owned());
    }
    let content = written(&file(&[deal]), b',');
    let reason = |ran: &Ran| {
        let (operations, _) = planned(ran, "run");
        operations[&id(15)][0]["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(reason(&plan("run", "a.csv", &content, "", 0)), "No response");
    let set = |table: &str, code| {
        Test::new(&format!("apply a.csv {PLAN} --out run"))
            .sample("referrals.jsonl")
            .file("a.csv", &content)
            .file("referral-bulk.toml", format!("[portal-reasons]\n{table}\n"))
            .code(code)
            .told_elsewhere()
            .run()
    };
    assert_eq!(reason(&set("2 = \"Customer did not answer\"", 0)), "Customer did not answer");
    assert!(set("9 = \"Test\"", 2).stderr().contains("there is no such number"));
}
