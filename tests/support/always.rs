//! What holds after every run of the program, whatever it was asked for: it did not panic, the token
//! is found nowhere, the books balance, the files are its owner's alone, what `summary.json` says
//! is what the process says, and what programs read is of the form of the schemas.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::LazyLock;

use calamine::{Reader, Xlsx};
use serde_json::Value;

use super::case::Ran;
use super::place::Place;
use super::program::TOKEN;
use super::samples::sample;
use super::schemas;
use super::sha256::sha256;

/// Every `summary.json` below a directory, by its run's name.
pub fn summaries(place: &Place) -> BTreeMap<String, String> {
    let files = place.files().into_keys();
    let runs = files.filter_map(|name| name.strip_suffix("/summary.json").map(ToOwned::to_owned));
    runs.map(|run| (run.clone(), place.raw(&format!("{run}/summary.json")))).collect()
}

/// Holds a run of the program to it. `before` is what the summaries were when it began.
#[track_caller]
pub fn check(ran: &Ran, before: &BTreeMap<String, String>) {
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    assert!((0..=4).contains(&ran.code), "exit {}: {}", ran.code, ran.stderr);
    assert!(!ran.stdout.contains(TOKEN) && !ran.stderr.contains(TOKEN), "the token was printed");
    no_token_in(&ran.place);
    nobody_in_diagnostics(&ran.place);
    assert!(hidden_in(&ran.stdout).is_empty(), "standard output steers or hides: {:?}", ran.stdout);
    assert!(hidden_in(&ran.stderr).is_empty(), "standard error steers or hides: {:?}", ran.stderr);
    for (run, text) in summaries(&ran.place) {
        let summary: Value = serde_json::from_str(&text).unwrap();
        books(&ran.place, &run, &summary);
        private(&ran.place.path(&run));
        if let Some(before) = before.get(&run) {
            plan_stays(&serde_json::from_str(before).unwrap(), &summary);
        }
        if before.get(&run) != Some(&text) {
            assert_eq!(summary["exit_code"], ran.code, "summary.json and the process tell two exit codes");
            // As it is called from where the program ran.
            let named = ran.place.path(&ran.folder).join(summary["run"].as_str().unwrap());
            let there = ran.place.path(&run);
            assert_eq!(fs::canonicalize(named).unwrap(), fs::canonicalize(there).unwrap(), "{summary}");
            reports(&ran.place, &run, &summary);
            schemas::check_run(&ran.place.path(&run));
            results_show(&ran.place, &run);
        }
    }
}

/// What a plan is about doesn't depend on how far it was carried out.
#[track_caller]
fn plan_stays(before: &Value, now: &Value) {
    let plan = |summary: &Value| {
        (summary["referrals"]["to_change"].clone(), summary["referrals"]["to_close"].clone())
    };
    if before["plan_sha256"].is_string() && before["plan_sha256"] == now["plan_sha256"] {
        assert_eq!(plan(before), plan(now), "the plan of {now}");
    }
}

/// The reports are what the summary tells of them.
#[track_caller]
fn reports(place: &Place, run: &str, summary: &Value) {
    let told = summary["files"].as_array().unwrap().iter();
    let told = told.map(|file| (file["path"].as_str().unwrap(), file["sha256"].as_str().unwrap().to_owned()));
    let folder = place.path(run);
    for (name, sum) in told {
        let bytes = fs::read(folder.join(name)).unwrap();
        assert_eq!(sha256(&bytes), sum, "{name} of {summary}");
    }
}

/// Characters that would steer a terminal, or not be seen, line ends and tabs aside.
pub fn hidden_in(text: &str) -> Vec<String> {
    let hides = |c: &char| {
        let format = matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
        format || (c.is_control() && !matches!(c, '\n' | '\t'))
    };
    text.chars().filter(hides).map(|c| format!("U+{:04X}", u32::from(c))).collect()
}

/// What reports add to the input's own columns can be seen.
#[track_caller]
fn results_show(place: &Place, run: &str) {
    for bucket in ["success", "conflict", "error", "pending"] {
        let Some(records) = records_in(&place.path(run), bucket) else { continue };
        let own = records[0].iter().take_while(|name| !name.starts_with("result.")).count();
        for record in &records[1..] {
            let results: String = record.iter().skip(own).take(12).collect();
            assert!(hidden_in(&results).is_empty(), "{bucket}.csv of {run}: {results:?}");
        }
    }
}

/// The token is in no file. A token file is the one place that it belongs to.
#[track_caller]
fn no_token_in(place: &Place) {
    for (name, path) in place.files() {
        let content = fs::read(path).unwrap();
        let found = content.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes());
        assert!(!found || name == "token.txt", "the token is in {name}");
    }
}

/// Nothing that people wrote into the samples' referrals stands in any run's diagnostics.
#[track_caller]
fn nobody_in_diagnostics(place: &Place) {
    for (name, path) in place.files() {
        if !name.ends_with("run.log") || !path.is_file() {
            continue;
        }
        let log = fs::read_to_string(path).unwrap();
        let told = PERSONAL.iter().find(|text| log.contains(text.as_str()));
        assert_eq!(told, None, "{name}");
    }
}

/// Names, addresses and notes of the samples' referrals, as far as they are long enough to mean somebody.
static PERSONAL: LazyLock<Vec<String>> = LazyLock::new(|| {
    fn collect(value: &Value, is_personal: bool, texts: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let is_personal = is_personal
                        || ["name", "email", "notes", "phone", "address", "customerProfile", "team"]
                            .iter()
                            .any(|word| name.to_lowercase().contains(&word.to_lowercase()));
                    collect(value, is_personal, texts);
                }
            }
            Value::Array(elements) => {
                elements.iter().for_each(|element| collect(element, is_personal, texts));
            }
            Value::String(text) if is_personal && text.len() >= 6 && text.contains(char::is_alphabetic) => {
                texts.push(text.clone())
            }
            _ => {}
        }
    }
    let mut texts = Vec::new();
    for line in sample("referrals.jsonl").lines() {
        collect(&serde_json::from_str(line).unwrap(), false, &mut texts);
    }
    assert!(texts.len() > 100, "the samples hold people");
    texts
});

/// Every row has exactly one outcome, and stands in exactly one row file.
#[track_caller]
fn books(place: &Place, run: &str, summary: &Value) {
    let rows = summary["rows"].as_object().unwrap();
    let total = rows["total"].as_u64().unwrap();
    let outcomes: u64 =
        rows.iter().filter(|(name, _)| *name != "total").map(|(_, n)| n.as_u64().unwrap()).sum();
    let inputs: u64 = summary["inputs"].as_array().unwrap().iter().map(|i| i["rows"].as_u64().unwrap()).sum();
    let told = place.raw(&format!("{run}/outcomes.jsonl")).lines().count() as u64;
    assert_eq!(
        (outcomes, inputs, told),
        (total, total, total),
        "outcomes, inputs and outcomes.jsonl of {summary}"
    );
    if summary["command"] == "migrate" {
        audit(place, run, summary);
    }
    let count = |bucket: &str, members: &[&str]| {
        let wanted: u64 = members.iter().map(|name| rows[*name].as_u64().unwrap()).sum();
        assert_eq!(rows_in(&place.path(run), bucket), wanted, "rows in {bucket} of {summary}");
    };
    count("success", &["applied", "unchanged", "planned"]);
    count("conflict", &["conflict"]);
    count("error", &["invalid", "refused", "failed", "partial"]);
    count("pending", &["unknown", "unsent"]);
}

/// Every payload is of exactly one class, also line by line.
#[track_caller]
fn audit(place: &Place, run: &str, summary: &Value) {
    let total = &summary["rows"]["total"];
    assert_eq!(&summary["audit"]["payloads"], total, "{summary}");
    let mut classes = BTreeMap::new();
    for line in place.raw(&format!("{run}/outcomes.jsonl")).lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        *classes.entry(line["class"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    let told = summary["audit"]["classes"].as_object().unwrap();
    let told = told.iter().map(|(class, payloads)| (class.clone(), payloads.as_u64().unwrap()));
    assert_eq!(told.filter(|(_, payloads)| *payloads > 0).collect::<BTreeMap<_, _>>(), classes, "{summary}");
}

/// The rows of a report.
fn rows_in(run: &Path, bucket: &str) -> u64 {
    let lines =
        fs::read(run.join(format!("{bucket}.jsonl"))).map(|bytes| decoded(&bytes)).unwrap_or_default();
    let lines = lines.split(['\r', '\n']).filter(|line| !line.is_empty()).count();
    let records = records_in(run, bucket).map_or(0, |records| records.len() - 1);
    (lines + records + sheet_rows_in(run, bucket)) as u64
}

/// The rows of a report that is a workbook, where it is there.
fn sheet_rows_in(run: &Path, bucket: &str) -> usize {
    let path = run.join(format!("{bucket}.xlsx"));
    if !path.exists() {
        return 0;
    }
    let mut book: Xlsx<_> = calamine::open_workbook(path).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    sheet.height() - 1
}

/// The header and the records of a CSV report, where it is there, in whatever form: reports have that of their
/// input.
fn records_in(run: &Path, bucket: &str) -> Option<Vec<csv::StringRecord>> {
    let text = decoded(&fs::read(run.join(format!("{bucket}.csv"))).ok()?);
    let table = match text.split_once(['\r', '\n']) {
        Some((line, table)) if line.starts_with("sep=") => table.trim_start_matches('\n'),
        _ => &text,
    };
    let before_results = table.split("result.outcome").next().unwrap().trim_end_matches('"');
    let separator = before_results.bytes().last().unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).delimiter(separator).from_reader(table.as_bytes());
    Some(reader.into_records().map(Result::unwrap).collect())
}

/// The text of a file that says by a byte order mark how it is encoded, or is UTF-8.
fn decoded(bytes: &[u8]) -> String {
    let utf_16 = |bytes: &[u8], order: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks(2).map(|unit| order(unit.try_into().unwrap())).collect();
        String::from_utf16(&units).unwrap()
    };
    match bytes {
        [0xff, 0xfe, text @ ..] => utf_16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => utf_16(text, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] | text => String::from_utf8(text.to_vec()).unwrap(),
    }
}

#[track_caller]
fn private(run: &Path) {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(run), 0o700, "{}", run.display());
    for entry in fs::read_dir(run).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}
