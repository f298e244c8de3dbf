//! Every form of input with every fault that it can have.

mod any;
mod files;
mod payloads;
mod requests;

use super::super::options::Options;
use super::super::record::Read;
use super::*;
use crate::domain::account::RowText;
use crate::domain::change::Rejected;
use crate::domain::finding::{Finding, Location};
use crate::domain::format::Format;
use crate::domain::level::Level;
use crate::domain::rules::Rule;
use crate::domain::wording::Wording;

const ID: &str = "5a1e0001-0000-4000-8000-000000000001";
const OTHER: &str = "5a1e0001-0000-4000-8000-000000000002";

/// A text with its settings as they are typed.
fn spelled(wording: &Wording) -> String {
    wording.spelled(|setting| format!("--{}", setting.name()))
}

fn options(format: Format) -> Options {
    Options { format: Some(format), ..Options::default() }
}

fn read_bytes(bytes: &[u8], options: &Options) -> (Vec<PayloadRecord>, Result<Read, String>) {
    let mut records = Vec::new();
    let mut take = |record| {
        records.push(record);
        Ok::<(), std::convert::Infallible>(())
    };
    let end = read("-", Some(&mut &*bytes), 0, options, &mut take).map_err(|error| error.to_string());
    let end = end.map(|PayloadFile { read, rejection }| {
        assert_eq!(read.info.rows, records.len() as u64);
        rejection
            .iter()
            .for_each(|rejection| records.iter_mut().for_each(|record| condemn(record, rejection)));
        read
    });
    (records, end)
}

/// What becomes of a payload whose file is not taken.
fn condemn(record: &mut PayloadRecord, rejection: &FileRejection) {
    if let Ok(payload) = &record.parsed {
        let findings = vec![rejection.finding(record.place)];
        record.parsed = Err(Rejected { id: Some(payload.id), place: record.place, findings, partial: None });
        record.notes.clear();
    }
}

fn records(text: &str, options: &Options) -> Vec<PayloadRecord> {
    let (records, end) = read_bytes(text.as_bytes(), options);
    assert!(end.is_ok(), "{text}: {end:?}");
    records
}

/// Findings as `rule@line:column message; hint`, a line each.
fn told(findings: &[Finding]) -> String {
    let told = |finding: &Finding| {
        let Location { line, column, .. } = finding.place;
        let warns = if finding.is_deny() { "" } else { "warn " };
        format!("{warns}{}@{line}:{column} {}", finding.rule, spelled(&finding.sentence()))
    };
    findings.iter().map(told).collect::<Vec<_>>().join("\n")
}

/// What a payload came to: the last digit of its id, its eTag, and what was found.
fn outcome(record: &PayloadRecord) -> String {
    let Location { line, column, .. } = record.place;
    let (what, findings) = match &record.parsed {
        Ok(payload) => {
            assert_eq!(payload.place, record.place);
            assert!(!record.notes.iter().any(Finding::is_deny));
            let etag = payload.etag.as_ref().map_or(String::new(), |etag| format!(" {}", etag.value));
            (format!("ok {}{etag}", &payload.id.to_string()[35..]), &record.notes)
        }
        Err(rejected) => {
            assert!(record.notes.is_empty() && rejected.findings.iter().any(Finding::is_deny));
            let id = rejected.id.map_or(String::new(), |id| format!(" {}", &id.to_string()[35..]));
            (format!("rejected{id}"), &rejected.findings)
        }
    };
    format!("{line}:{column} {what}\n{}", told(findings)).trim_end().to_owned()
}

fn check(format: Format, text: &str, wanted: &str) {
    let text = text.replace("{ID}", ID).replace("{OTHER}", OTHER);
    let got: Vec<String> = records(&text, &options(format)).iter().map(outcome).collect();
    assert_eq!(got.join("\n"), wanted, "{text}");
}

fn body(record: &PayloadRecord) -> &str {
    record.parsed.as_ref().unwrap_or_else(|rejected| panic!("{rejected:?}")).body.as_ref()
}

fn line(record: &PayloadRecord) -> &str {
    let RowText::Line(line) = &record.text else { panic!() };
    line
}
