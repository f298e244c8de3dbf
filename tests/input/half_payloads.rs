//! Half a payload is none: whatever a file holds beside payloads, or lacks of them, nothing is sent of one
//! that may not be whole.

mod beside;
mod edits;

use std::convert::Infallible;

use referral_bulk::domain::account::RowText;
use referral_bulk::domain::format::Format;
use referral_bulk::input::Options;
use referral_bulk::input::legacy::{self, PayloadRecord};
use serde_json::Value;

use crate::support::case::{Ran, Test};
use crate::support::samples::sample;
use crate::support::sandbox::Sandbox;
use crate::support::waiting::each;

const QUIET: &str = "--yes --confirm-closing 0 --rate 1000/s --out run --summary none --progress none";

const ID: &str = "5a1e0001-0000-4000-8000-000000000015";

/// A payload that gives a referral another reference.
fn referring(number: u32) -> String {
    format!(
        r#"{{"id":"5a1e0001-0000-4000-8000-0000000000{number}","eTag":"\"e7a90001-0000-4000-8000-0000000000{number}\"","externalReferenceId":"NEW-{number}"}}"#
    )
}

/// The payloads of a file that would be migrated, as they were written.
fn sound(format: Format, text: &[u8]) -> Vec<String> {
    sound_lines(format, text).into_iter().map(|(_, written)| written).collect()
}

/// Those with the lines in which they begin.
fn sound_lines(format: Format, text: &[u8]) -> Vec<(u64, String)> {
    let options = Options { format: Some(format), ..Options::default() };
    let mut sound = Vec::new();
    let mut take = |record: PayloadRecord| {
        if let (Ok(_), RowText::Line(line)) = (record.parsed, record.text) {
            sound.push((record.place.line, line));
        }
        Ok::<_, Infallible>(())
    };
    let ended = legacy::read("-", Some(&mut &*text), 0, &options, &mut take);
    // Of a file that is none as a whole, or isn't whole, nothing is taken.
    if ended.is_ok_and(|ended| ended.rejection.is_none()) { sound } else { Vec::new() }
}

/// The last two digits of the ids of those.
fn taken(format: Format, text: &str) -> Vec<u32> {
    let id = |line: &String| {
        let payload: Value = serde_json::from_str(line).unwrap();
        payload["id"].as_str().unwrap()[34..].parse().unwrap()
    };
    sound(format, text.as_bytes()).iter().map(id).collect()
}

/// What became of the rows of a run, as `line outcome code`.
fn findings(ran: &Ran) -> Vec<String> {
    findings_in(ran, "run")
}

fn findings_in(ran: &Ran, run: &str) -> Vec<String> {
    let outcomes = ran.place.raw(&format!("{run}/outcomes.jsonl"));
    let rows = outcomes.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| {
        format!("{} {} {}", row["line"], row["outcome"].as_str().unwrap(), row["code"].as_str().unwrap())
    })
    .collect()
}

/// Migrates a file against a service, and answers with what became of its rows.
fn check(name: &str, text: &str, flags: &str, code: i32, wanted: &[&str]) -> Ran {
    let sandbox = Sandbox::start("");
    let before = sandbox.referrals();
    let test = Test::new(&format!("migrate {name} {QUIET} {flags}")).file(name, text);
    let ran = test.service(&sandbox.base).code(code).told_elsewhere().run();
    assert_eq!(findings(&ran), wanted, "{text}");
    let is_untouched = sandbox.referrals() == before;
    assert_eq!(is_untouched, !wanted.iter().any(|wanted| wanted.contains("applied")), "{text}");
    ran
}

/// One brace too many in line 2 once closed the referral for good, and lost its deal value.
#[test]
fn a_brace_too_many_sends_nothing() {
    let text = format!(
        "{{\"id\":\"{ID}\",\"eTag\":\"\\\"e7a90001-0000-4000-8000-000000000015\\\"\",\n \
         \"status\":\"Closed\",\"substatus\":\"Won\"}},\n \"details\":{{\"dealValue\":125000.50,\"currency\":\"EUR\"}}}}\n"
    );
    for name in ["a.json", "a.jsonl"] {
        let ran = check(name, &text, "", 3, &["1 invalid json"]);
        assert!(ran.stderr().contains(&format!("{name}:2:38")), "{}", ran.stderr());
    }
}

#[test]
fn an_array_that_ends_early_is_told_and_never_a_success() {
    let text = format!("[{},\n", referring(15));
    let condemned = ["1 invalid cut-off", "2 invalid json"];
    check("a.json", &text, "", 3, &condemned);
    check("a.json", &text, "--rule cut-off=deny", 3, &condemned);
    for level in ["warn", "allow"] {
        check(
            "a.json",
            &text,
            &format!("--rule cut-off={level}"),
            3,
            &["1 applied applied", "2 invalid json"],
        );
    }
    check("a.json", "[", "", 3, &["1 invalid json"]);
    check("a.json", &text[..text.len() - 20], "", 3, &["1 invalid json"]);
}

/// Whoever follows the next command to the letter, or feeds the error report back as it is, sends nothing of a
/// payload that may be half of one.
#[test]
fn what_comes_next_sends_nothing_of_half_a_payload() {
    let closing = referring(15)
        .replace("\"externalReferenceId\":\"NEW-15\"", "\"status\":\"Closed\",\"substatus\":\"Won\"");
    for (name, text, rows, fed_back) in [
        // A brace too many.
        ("a.json", format!("{closing},\n\"details\":{{\"dealValue\":1}}}}\n"), 1, &["1 invalid json"][..]),
        ("a.jsonl", format!("{closing},\n\"details\":{{\"dealValue\":1}}}}\n"), 1, &["1 invalid json"]),
        // Sound by itself, and behind it something that may be the other half.
        ("a.json", format!("{closing}\n{{\"dealValue\":1}}}}\n"), 2, &["1 invalid json", "2 invalid json"]),
        ("a.json", format!("[{closing}\n{{\"dealValue\":1}}]\n"), 1, &["1 invalid json"]),
        ("a.http", format!("PUT https://x/referrals/{ID}\n\n{closing}\n}}\n"), 1, &["1 invalid json"]),
    ] {
        let sandbox = Sandbox::start("");
        let before = sandbox.referrals();
        let test = Test::new(&format!("migrate {name} {QUIET}")).file(name, &text);
        let ran = test.service(&sandbox.base).code(3).told_elsewhere().run();
        assert_eq!(ran.outcomes("run"), format!("{rows} invalid"), "{text}");
        let next = format!(
            "next: mend in {name} what may be no whole payload, for no line of the error report can show that, and \
             give it again, which changes only what was not applied: referral-bulk migrate {name} --endpoint {} \
             --rate 1000/s\n",
            sandbox.base
        );
        assert!(ran.stderr.ends_with(&next), "{}", ran.stderr);
        for (given, out) in [(name, "again"), ("run/error.jsonl", "fed-back")] {
            let quiet = QUIET.replace("run", out);
            let again = ran.then(&format!("migrate {given} {quiet}")).service(&sandbox.base).code(3);
            let again = again.told_elsewhere().run();
            assert_eq!(again.outcomes(out), format!("{rows} invalid"), "{given} of {text}");
            if out == "fed-back" {
                assert_eq!(findings_in(&again, out), fed_back, "{text}");
            }
        }
        assert!(sandbox.referrals() == before, "{text}");
    }
}

/// What is mended in the input and given again changes what was not applied, and nothing else.
#[test]
fn a_mended_file_is_given_again() {
    let (a, b) = (referring(15), referring(16));
    let broken = format!("[{a},{}]", b.replace("Id\":", "Id\""));
    let sandbox = Sandbox::start("");
    let test = Test::new(&format!("migrate a.json {QUIET}")).file("a.json", &broken).service(&sandbox.base);
    let ran = test.code(3).told_elsewhere().run();
    assert_eq!(ran.outcomes("run"), "1 applied, 1 invalid");
    let quiet = QUIET.replace("run", "again");
    let again = ran.then(&format!("migrate a.json {quiet}")).file("a.json", format!("[{a},{b}]"));
    let again = again.service(&sandbox.base).told_elsewhere().run();
    assert_eq!(again.outcomes("again"), "1 applied, 1 unchanged");
}
