//! Whatever a server answers: a clear message, no panic, and nothing concluded that the answer does not bear out.
//!
//! How a run ends and what becomes of its row stands in the tables; the words are in the snapshots.

mod changes;
mod elsewhere;
mod looks;

use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use changes::{doubt, no, yes};
use looks::{CLAIMS, looks, stops};
use serde_json::{Value, json};

use crate::support::case::{Test, golden};
use crate::support::program::TOKEN;
use crate::support::samples::sample_referral;
use crate::support::waiting::each;
use crate::support::wire::{self, Request, Wire};

/// The row beside the bad one; it is applied in any case.
const GOOD: &str = "5a1e0001-0000-4000-8000-000000000015";

/// The referral that bad rows are about.
const BAD: &str = "5a1e0001-0000-4000-8000-000000000027";

const APPLY: &str = "--rate 1000/s --out run --summary none --progress none --yes";

/// What a server says to a request, given how many of its method came before.
type Says = Box<dyn Fn(&Request, u32) -> Vec<u8> + Send + Sync>;

struct Case {
    name: &'static str,
    /// What is said to every PATCH.
    patch: Says,
    /// What is said to every GET of the referral.
    get: Says,
    code: i32,
    outcome: &'static str,
    /// PATCHes that are sent in all.
    patches: usize,
}

fn always(bytes: impl Into<Vec<u8>>) -> Says {
    let bytes = bytes.into();
    Box::new(move |_, _| bytes.clone())
}

fn status(status: &str) -> Says {
    always(wire::answer(status, "", ""))
}

/// The first so many times; then yes.
fn first(times: u32, bytes: impl Into<Vec<u8>>) -> Says {
    let bytes = bytes.into();
    Box::new(move |request, before| match before {
        _ if before < times => bytes.clone(),
        _ => wire::carry_out(request, sample_referral(GOOD)),
    })
}

fn stands() -> Says {
    always(wire::answer("200 OK", "", sample_referral(GOOD).to_string()))
}

/// The referral as planned from when it is first looked at, and changed in this way from then on.
fn becomes(notes: &'static str) -> Says {
    let mut changed = sample_referral(GOOD);
    changed["details"]["notes"] = json!(notes);
    changed["eTag"] = json!("\"e7a90001-0000-4000-8000-0000000000ff\"");
    Box::new(move |_, before| {
        let referral = if before == 0 { sample_referral(GOOD) } else { changed.clone() };
        wire::answer("200 OK", "", referral.to_string())
    })
}

/// The referral as planned from, and this from then on.
fn then(bytes: Vec<u8>) -> Says {
    Box::new(move |_, before| match before {
        0 => wire::answer("200 OK", "", sample_referral(GOOD).to_string()),
        _ => bytes.clone(),
    })
}

fn on_patch(name: &'static str, patch: Says, outcome: &'static str, patches: usize) -> Case {
    let code = if outcome == "1 applied" { 0 } else { 3 };
    Case { name, patch, get: stands(), code, outcome, patches }
}

fn on_get(name: &'static str, get: Says, outcome: &'static str) -> Case {
    Case { name, patch: status("500 x"), get, code: 3, outcome, patches: 0 }
}

const HTML: &str = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";

#[test]
fn that_say_yes() {
    check("answers_yes", yes());
}

#[test]
fn that_say_no() {
    check("answers_no", no());
}

#[test]
fn that_leave_it_in_doubt() {
    check("answers_in_doubt", doubt());
}

#[test]
fn to_a_look() {
    check("answers_to_a_look", looks());
}

#[test]
fn that_stop_a_run() {
    check("answers_that_stop", stops());
}

fn check(name: &str, cases: Vec<Case>) {
    let cases: Vec<_> = cases
        .into_iter()
        .map(|Case { name, patch, get, code, outcome, patches }| {
            let (gets, patches_before) = (AtomicU32::new(0), AtomicU32::new(0));
            let service = Wire::serve(move |request| match request.method.as_str() {
                "PATCH" => patch(request, patches_before.fetch_add(1, Ordering::SeqCst)),
                _ => get(request, gets.fetch_add(1, Ordering::SeqCst)),
            });
            (name, service, code, outcome, patches)
        })
        .collect();
    let told = each(&cases, |(name, service, code, outcome, patches)| {
        let ran = Test::new(&format!("apply a.csv {APPLY} --timeout 20s"))
            .file("a.csv", format!("id,notes\n{GOOD},Called\n"))
            .service(&service.base)
            .code(*code)
            .told_elsewhere()
            .run();
        assert_eq!(ran.outcomes("run"), *outcome, "{name}: {}", ran.stderr);
        assert_eq!(service.ids("PATCH").len(), *patches, "{name}: {:?}", service.ids("PATCH"));
        for request in service.asked() {
            assert_eq!(request.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()), "{name}");
        }
        for told in [&ran.stderr, &ran.place.raw("run/outcomes.jsonl"), &ran.place.raw("run/error.csv")] {
            assert!(told.len() < 5_000, "{name} is told in {} bytes", told.len());
            assert!(!told.contains('\u{1b}'), "{name}: an escape sequence got through: {told:?}");
            assert!(!told.contains(CLAIMS), "{name}: the challenge is told: {told}");
        }
        defused(&ran.place.raw("run/error.csv"));
        let outcomes = ran.place.read("run/outcomes.jsonl");
        let row: Value = serde_json::from_str(outcomes.trim_end()).unwrap();
        let mut text = format!("## {name}\n{} {}: {}\n", row["outcome"], row["code"], row["message"]);
        let _ = write!(text, "{}", ran.stderr());
        text
    });
    golden(name, &told.join("\n"));
}

/// What a server says is no formula in a spreadsheet.
fn defused(report: &str) {
    let mut reader = csv::Reader::from_reader(report.as_bytes());
    let columns = reader.headers().unwrap().clone();
    for record in reader.records() {
        for (column, cell) in columns.iter().zip(&record.unwrap()) {
            let signs = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'];
            let is_formula = cell.split(';').any(|cell| cell.trim_start_matches(' ').starts_with(signs));
            assert!(!is_formula, "{column} is a formula: {cell}");
        }
    }
}
