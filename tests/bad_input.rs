//! Whatever a file holds and whatever a server answers: a clear message at the right place, no panic,
//! books that balance, and nothing sent for a row that is not sound.
//!
//! How a run ends and what becomes of its rows stands in the tables; the words are in the snapshots.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "bad_input/cells.rs"]
mod cells;
mod support;

use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use support::case::{Test, golden};
use support::place::Place;
use support::program::TOKEN;
use support::samples::sample_referral;
use support::waiting::each;
use support::wire::{self, Request, Wire};

/// The row beside the bad one; it is applied in any case.
const GOOD: &str = "5a1e0001-0000-4000-8000-000000000015";
/// The referral that bad rows are about.
const BAD: &str = "5a1e0001-0000-4000-8000-000000000027";
/// What the service says its engagement is.
const ENGAGEMENT: &str = "e6000001-0000-4000-8000-000000000027";

const APPLY: &str = "--rate 1000/s --out run --summary none --progress none --yes";

/// A service that knows the two referrals, and takes whatever it is sent.
fn service() -> Wire {
    let page = json!({ "value": [sample_referral(GOOD), sample_referral(BAD)] }).to_string();
    Wire::serve(move |request| match (request.method.as_str(), request.about()) {
        ("PATCH", id) => wire::carry_out(request, sample_referral(id)),
        (_, GOOD) => wire::answer("200 OK", "", sample_referral(GOOD).to_string()),
        (_, BAD) => wire::answer("200 OK", "", sample_referral(BAD).to_string()),
        (_, "referrals") => wire::answer("200 OK", "", &page),
        _ => wire::answer("404 Not Found", "", ""),
    })
}

mod whole_files {
    use super::*;

    /// A file that is no change file: its name, its bytes.
    fn cases() -> Vec<(&'static str, &'static str, Vec<u8>)> {
        let text = |text: &str| text.replace("GOOD", GOOD).replace("BAD", BAD).into_bytes();
        let utf16: Vec<u8> = "id,status\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        vec![
            ("unknown column", "a.csv", text("id,stauts\nGOOD,Active\n")),
            ("several unknown columns", "a.csv", text("id,stauts,Deal Valu,zzz\nGOOD,Active,1,\n")),
            ("engagementId in place of id", "a.csv", text("engagementId,status\nGOOD,Active\n")),
            ("no id at all", "a.csv", text("status,notes\nActive,x\n")),
            ("a foreign column", "a.csv", text("id,foo\nGOOD,x\n")),
            ("a pointer that nobody knows", "a.csv", text("id,/custom/rank\nGOOD,x\n")),
            ("one name twice", "a.csv", text("id,dealValue,dealValue\nGOOD,1,2\n")),
            ("an element of a list", "a.csv", text("id,team/0/email\nGOOD,x\n")),
            ("an element of a list as pointer", "a.csv", text("id,/team/0\nGOOD,x\n")),
            ("a comment above the header", "a.csv", text("# made by a tool\nid,status\nGOOD,Active\n")),
            ("a title above the header", "a.csv", text("Referrals of Q4\n\nid;status\nGOOD;Active\n")),
            ("whole rows in quotes", "a.csv", text("\"id,status\"\n\"GOOD,Active\"\n")),
            ("a separator that the header doesn't have", "a.csv", text("sep=;\nid,status\nGOOD,Active\n")),
            ("a separator that is none", "a.csv", text("sep=x\nid,status\nGOOD,Active\n")),
            ("an ambiguous column", "a.csv", text("id,email\nGOOD,x\n")),
            ("no header", "a.csv", text("GOOD,Active\nBAD,Active\n")),
            ("empty", "a.csv", Vec::new()),
            ("nothing but a byte order mark", "a.csv", b"\xef\xbb\xbf".to_vec()),
            ("nothing but line ends", "a.csv", b"\r\n\n\r\n".to_vec()),
            ("binary", "a.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\0".to_vec()),
            ("binary lines", "a.jsonl", b"PK\x03\x04\0\0\0\0\0\0\0\0".to_vec()),
            ("UTF-16 without a mark", "a.csv", utf16),
            ("a spreadsheet", "a.csv", b"PK\x03\x04\x14\0\x06\0\x08\0".to_vec()),
            ("an old spreadsheet", "a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec()),
            ("gzip", "a.csv", b"\x1f\x8b\x08\0\0\0".to_vec()),
            ("PDF", "a.csv", b"%PDF-1.7\n%\xe2\xe3".to_vec()),
            ("a web page", "a.csv", b"<!DOCTYPE html>\n<html>sign in</html>\n".to_vec()),
            (
                "JSON lines in a CSV file",
                "a.csv",
                text("{\"id\":\"GOOD\",\"status\":\"Active\"}\n").repeat(1_000),
            ),
            ("a JSON array in a CSV file", "a.csv", text("[{\"id\":\"GOOD\"},\n{\"id\":\"BAD\"}]\n")),
            (
                "CSV in a file of JSON lines",
                "a.jsonl",
                [text("id,status\n"), text("GOOD,Active\n").repeat(1_000)].concat(),
            ),
            ("an object over several lines", "a.jsonl", text("{\n  \"id\": \"GOOD\"\n}\n")),
            ("an array over several lines", "a.jsonl", text("[\n  {\"id\": \"GOOD\"}\n]\n")),
            ("a header that is not UTF-8", "a.csv", b"id,d\xe9tails\nx,y\n".to_vec()),
            ("a header of 20 MB", "a.csv", [b"id,".to_vec(), vec![b'x'; 20 << 20], b"\n".to_vec()].concat()),
            (
                "a quote that is never closed",
                "a.csv",
                text("id,notes\nGOOD,fine\nBAD,\"never closed\nGOOD,x\n"),
            ),
            ("a header's quote that is never closed", "a.csv", text("id,\"status\nGOOD,Active\n")),
            ("text after a header's quote", "a.csv", text("id,\"sta\"tus\nGOOD,Active\n")),
            ("a spreadsheet's extension", "a.xlsx", text("id\n")),
            ("a packed file's extension", "a.csv.gz", text("id\n")),
            ("JSON's extension", "a.json", text("[]\n")),
            ("an unknown extension", "a.dat", text("id\n")),
            ("no extension", "changes", text("id\n")),
        ]
    }

    #[test]
    fn are_one_clear_error_and_leave_nothing_behind() {
        let service = service();
        let told = each(&cases(), |(name, file, bytes)| {
            let ran = Test::new(&format!("apply {file} {APPLY}"))
                .file(file, bytes)
                .service(&service.base)
                .code(1)
                .told_elsewhere()
                .run();
            assert_eq!(ran.stdout, "", "{name}");
            assert!(ran.stderr.contains(&format!("\n  --> {file}")), "{name} has no place: {}", ran.stderr);
            assert_eq!(ran.place.files().into_keys().collect::<Vec<_>>(), [*file], "{name}");
            format!("## {name}\n{}", ran.stderr())
        });
        assert_eq!(service.asked().len(), 0, "a service is asked before the files are read");
        golden("whole_files", &told.join("\n"));
    }

    #[test]
    fn that_are_none_are_told() {
        let told =
            ["apply none.csv", "apply folder.csv", "apply folder --format csv", "apply good.csv none.csv"]
                .map(|command| {
                    let place = Place::new();
                    place.write("folder.csv/x", "");
                    place.write("folder/x", "");
                    place.write("good.csv", format!("id,status\n{GOOD},Active\n"));
                    let ran = Test::at(&place, &format!("{command} --sandbox {APPLY}"))
                        .code(1)
                        .told_elsewhere()
                        .run();
                    assert!(!place.path("run").exists(), "{command}");
                    format!("$ {command}\n{}", ran.stderr())
                });
        golden("files_that_are_none", &told.join("\n"));
    }

    #[test]
    fn without_rows_are_no_mistake() {
        for (file, text) in [
            ("a.csv", "id,status\n"),
            ("a.csv", "id"),
            ("a.csv", "id\n\n\n"),
            ("a.jsonl", "\n\n"),
            ("a.jsonl", ""),
        ] {
            let note = format!("note: {file}: the file has no rows, so it changes nothing\n");
            let test = Test::new(&format!("apply {file} --sandbox {APPLY}")).file(file, text);
            let ran = test.stderr(&note).run();
            assert_eq!(ran.summary("run")["rows"]["total"], 0, "{text:?}");
        }
    }

    /// The same two rows in every guise that spreadsheets give them.
    #[test]
    fn in_other_guises_are_read_and_said() {
        let text = format!("id,details.notes\n{GOOD},Grüße\n{BAD},\"two\nlines\"\n");
        let semicolons = text.replace(',', ";");
        let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
        };
        for (file, bytes, note) in [
            ("a.csv", text.clone().into_bytes(), ""),
            ("a.csv", format!("\u{feff}{text}").into_bytes(), "UTF-8 with byte order mark"),
            ("a.csv", utf16(u16::to_le_bytes), "UTF-16LE"),
            ("a.csv", utf16(u16::to_be_bytes), "UTF-16BE"),
            ("a.csv", semicolons.clone().into_bytes(), "separated by ';'"),
            ("a.tsv", text.replace(',', "\t").into_bytes(), "separated by tabs"),
            ("a.csv", text.replace('\n', "\r\n").into_bytes(), "CRLF line ends"),
            ("a.csv", text.replace("\"two\nlines\"", "two").replace('\n', "\r").into_bytes(), "CR line ends"),
            (
                "a.csv",
                format!("\u{feff}{}", semicolons.replace('\n', "\r\n")).into_bytes(),
                "UTF-8 with byte order mark, separated by ';', CRLF line ends",
            ),
        ] {
            let note = if note.is_empty() { String::new() } else { format!("note: {file}: {note}\n") };
            let ran =
                Test::new(&format!("apply {file} --sandbox {APPLY}")).file(file, bytes).stderr(&note).run();
            assert_eq!(ran.outcomes("run"), "2 applied", "{note}");
            assert!(ran.place.raw("run/plan.jsonl").contains("Grüße"), "{note}");
        }
    }
}

mod lines_that_are_no_rows {
    use super::*;

    /// A file, what comes of its rows, and what is noted of it.
    #[test]
    fn are_skipped_and_counted_or_have_an_outcome() {
        let nameless = "skipped 2 columns without name and content, the first is C";
        let short =
            "1 row ends before the last column, the first in line 2: what is missing is taken as empty";
        let empty = "skipped 2 rows without content, the first in line 2";
        let cases = [
            ("id,notes,,\nGOOD,x,,\n", "1 planned", &[nameless][..]),
            ("id,notes,dealValue\nGOOD,x\nBAD,y,1\n", "2 planned", &[short]),
            ("id,notes\n,\nGOOD,x\n \n", "1 planned", &[empty]),
            ("id,notes\nGOOD,x,,\n", "1 planned", &[]),
            ("id, notes\nGOOD, \"x\" \n", "1 planned", &[]),
            // Three rows of which a quote took in two.
            ("id,dealValue,notes\nGOOD,5,\"x\nBAD,6,y\nGOOD,7,z\"\n", "3 invalid", &[]),
            // One whose line was broken.
            ("id,notes,dealValue\nGOOD,x\ny,1\nBAD,z,1\n", "1 planned, 2 invalid", &[]),
        ];
        each(&cases, |(text, outcomes, notes)| {
            let code = if outcomes.contains("invalid") { 3 } else { 0 };
            let text = text.replace("GOOD", GOOD).replace("BAD", BAD);
            let planning = "--plan --state referrals.jsonl --summary none --progress none";
            let test = Test::new(&format!("apply a.csv --out run {planning}")).sample("referrals.jsonl");
            let ran = test.file("a.csv", &text).code(code).told_elsewhere().run();
            assert_eq!(ran.outcomes("run"), *outcomes, "{text}");
            let noted = ran.stderr.lines().filter_map(|line| line.strip_prefix("note: a.csv: "));
            assert_eq!(noted.collect::<Vec<_>>(), *notes, "{text}");
            if *outcomes == "1 planned" {
                assert!(ran.place.raw("run/plan.jsonl").contains(r#""value":"x""#), "{text}");
            }
            if *outcomes == "3 invalid" {
                let again = ran.then(&format!("apply run/error.csv --out again {planning}"));
                assert_eq!(again.code(3).told_elsewhere().run().outcomes("again"), "3 invalid", "{text}");
            }
        });
    }
}

mod rows {
    use super::*;

    /// A bad row's name, the header it stands under, and its bytes.
    fn cells() -> Vec<(&'static str, &'static str, Vec<u8>)> {
        let cell = |value: &[u8]| [BAD.as_bytes(), b",,", value].concat();
        let text = |value: &str| cell(value.as_bytes());
        let deep = format!("\"{}{}\"", "[".repeat(10_000), "]".repeat(10_000));
        vec![
            ("no decimal", "id,externalReferenceId,dealValue", text("many")),
            ("thousands", "id,externalReferenceId,dealValue", text("\"12,500\"")),
            ("1e400", "id,externalReferenceId,dealValue", text("1e400")),
            ("infinite", "id,externalReferenceId,dealValue", text("inf")),
            ("too many digits", "id,externalReferenceId,dealValue", text(&"9".repeat(60))),
            ("no currency", "id,externalReferenceId,currency", text("EURO")),
            ("no date", "id,externalReferenceId,closingDateTime", text("31.12.2026")),
            ("no such day", "id,externalReferenceId,closingDateTime", text("2026-02-30")),
            (
                "no boolean",
                "id,externalReferenceId,consentToShareReferralWithMicrosoftSellers",
                text("perhaps"),
            ),
            ("no status", "id,externalReferenceId,status", text("Activ")),
            ("a substatus as status", "id,externalReferenceId,status", text("Won")),
            ("no substatus", "id,externalReferenceId,substatus", text("Lots")),
            ("Closed alone", "id,externalReferenceId,status", text("Closed")),
            ("None", "id,externalReferenceId,status", text("None")),
            ("no e-mail", "id,externalReferenceId,team.add", text("\"Ann, Lee, , nobody\"")),
            ("no member", "id,externalReferenceId,team.add", text("Ann")),
            ("no JSON", "id,externalReferenceId,/team", text("[{")),
            ("no list", "id,externalReferenceId,/team", text("7")),
            ("JSON nested 10,000 deep", "id,externalReferenceId,/team", text(&deep)),
            ("an appended element nested 10,000 deep", "id,externalReferenceId,/team/-", text(&deep)),
            ("a bad eTag", "id,externalReferenceId,eTag", text("\"\"\"a\nb\"\"\"")),
            ("to clear what cannot be", "id,externalReferenceId,status", text("\\N")),
            ("to clear without --clear", "id,externalReferenceId,notes", text("\\N")),
            ("read-only", "id,externalReferenceId,engagementId", text(ENGAGEMENT)),
            ("unconfirmed", "id,externalReferenceId,name", text("x")),
            ("bad GUID", "id,externalReferenceId,notes", b"5a1e0001-0000-4000-8000-00000000002,,x".to_vec()),
            ("no id", "id,externalReferenceId,notes", b",,x".to_vec()),
            (
                "ids that differ by a formula",
                "id,externalReferenceId,notes",
                format!("={BAD},,x").into_bytes(),
            ),
            ("two columns that differ", "id,notes,/details/notes", [BAD, ",1,2"].concat().into()),
            ("two ids that differ", "id,notes,Referral ID", format!("{BAD},,{ENGAGEMENT}").into()),
            ("a comment", "id,externalReferenceId,notes", b"# the rest, later".to_vec()),
            ("a line of totals", "id,externalReferenceId,dealValue", b"Total,,12500".to_vec()),
            ("a footer", "id,externalReferenceId,notes", b"\"Confidential - do not distribute\"".to_vec()),
            ("the header again", "id,externalReferenceId,notes", b"id,externalReferenceId,notes".to_vec()),
            ("other separators", "id,externalReferenceId,notes", format!("{BAD};x;y").into()),
            ("a row in quotes", "id,externalReferenceId,notes", format!("\"{BAD},x,y\"").into()),
            ("content without a name", "id,notes,", text("x")),
            ("too many cells", "id,externalReferenceId,notes", text("x,y")),
            ("text after a quote", "id,externalReferenceId,notes", text("\"x\"y")),
            ("invalid UTF-8", "id,externalReferenceId,notes", cell(b"caf\xe9")),
            ("an id that is not UTF-8", "id,externalReferenceId,notes", b"5a1e\xff,,x".to_vec()),
            ("NUL bytes", "id,externalReferenceId,dealValue", cell(b"1\x002")),
            ("a cell of 20 MB", "id,externalReferenceId,notes", cell(&vec![b'x'; 20 << 20])),
            (
                "a quoted cell of 20 MB with line ends",
                "id,externalReferenceId,notes",
                cell(&[b"\"", &b"x\n".repeat(10 << 20)[..], b"\""].concat()),
            ),
            ("100,000 cells", "id,externalReferenceId,notes", text(&",".repeat(100_000))),
        ]
    }

    #[test]
    fn of_csv_are_found_where_they_stand() {
        check("rows_of_csv", &cells(), "a.csv", |header, row| {
            let good = format!("{header}\n{GOOD},sound,\n");
            [good.as_bytes(), row, b"\n"].concat()
        });
    }

    fn lines() -> Vec<(&'static str, &'static str, Vec<u8>)> {
        let with = |members: &str| format!("{{\"id\":\"{BAD}\",{members}}}").into_bytes();
        let patch = |operation: &str| with(&format!("\"patch\":[{operation}]"));
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        let objects = "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000);
        vec![
            ("unknown member", "", with(r#""stauts":"Active""#)),
            ("unknown member below", "", with(r#""details":{"note":"x"}"#)),
            ("wrong type", "", with(r#""details":{"dealValue":true}"#)),
            ("a number as text", "", with(r#""details":{"notes":7}"#)),
            ("1e400", "", with(r#""details":{"dealValue":1e400}"#)),
            ("a parent that is no object", "", with(r#""details":"x""#)),
            ("bad GUID", "", br#"{"id":"5a1e","details":{"notes":"x"}}"#.to_vec()),
            ("an id that is a number", "", br#"{"id":7,"details":{"notes":"x"}}"#.to_vec()),
            ("an id that is null", "", br#"{"id":null,"details":{"notes":"x"}}"#.to_vec()),
            ("no id", "", br#"{"details":{"notes":"x"}}"#.to_vec()),
            (
                "engagementId in place of id",
                "",
                format!(r#"{{"engagementId":"{ENGAGEMENT}","status":"Active"}}"#).into(),
            ),
            ("an object without members", "", b"{}".to_vec()),
            ("duplicate keys", "", with(r#""details":{"notes":"x","notes":"y"}"#)),
            ("duplicate keys that agree", "", with(r#""status":"Active","status":"Active""#)),
            ("duplicate ids", "", with(&format!(r#""id":"{GOOD}","salesStage":"x""#))),
            ("the same field under two names", "", with(r#""details":{"notes":"x"},"details.notes":"y""#)),
            ("a field that is null", "", with(r#""details":{"notes":null}"#)),
            ("nested 10,000 deep", "", with(&format!("\"team\":{deep}"))),
            ("objects nested 10,000 deep", "", with(&format!("\"details\":{objects}"))),
            ("nothing but nesting", "", deep.clone().into_bytes()),
            ("nesting that is never closed", "", "[".repeat(10_000).into_bytes()),
            ("remove", "", patch(r#"{"op":"remove","path":"/details/notes"}"#)),
            ("test", "", patch(r#"{"op":"test","path":"/status","value":"New"}"#)),
            ("move", "", patch(r#"{"op":"move","from":"/a","path":"/status"}"#)),
            ("copy", "", patch(r#"{"op":"copy","from":"/a","path":"/status"}"#)),
            ("no operation", "", patch(r#"{"path":"/status","value":"New"}"#)),
            ("an unknown operation", "", patch(r#"{"op":"set","path":"/status","value":"New"}"#)),
            ("an operation that is no text", "", patch(r#"{"op":1,"path":"/status","value":"New"}"#)),
            ("a path that is no pointer", "", patch(r#"{"op":"replace","path":"status","value":"Active"}"#)),
            ("a path with a bad escape", "", patch(r#"{"op":"replace","path":"/details/~2","value":"x"}"#)),
            ("a path that is no text", "", patch(r#"{"op":"replace","path":7,"value":"x"}"#)),
            ("no path", "", patch(r#"{"op":"replace","value":"x"}"#)),
            ("an empty path", "", patch(r#"{"op":"replace","path":"","value":{}}"#)),
            ("no value", "", patch(r#"{"op":"replace","path":"/details/notes"}"#)),
            ("an element by its place", "", patch(r#"{"op":"replace","path":"/team/0","value":{}}"#)),
            ("a read-only path", "", patch(r#"{"op":"replace","path":"/organizationName","value":"x"}"#)),
            ("an unconfirmed path", "", patch(r#"{"op":"replace","path":"/name","value":"x"}"#)),
            (
                "operations that contradict",
                "",
                patch(
                    r#"{"op":"replace","path":"/details/notes","value":"x"},{"op":"replace","path":"/details/notes","value":"y"}"#,
                ),
            ),
            (
                "an element appended before its list is set",
                "",
                patch(
                    r#"{"op":"add","path":"/team/-","value":{"email":"ann@example.com"}},{"op":"replace","path":"/team","value":[]}"#,
                ),
            ),
            ("an operation that is no object", "", patch("7")),
            ("a patch that is no list", "", with(r#""patch":{"op":"replace"}"#)),
            ("operations and fields", "", with(r#""patch":[],"status":"Active""#)),
            ("no JSON", "", b"id: 7".to_vec()),
            ("half a line", "", format!("{{\"id\":\"{BAD}\"").into()),
            ("a comma too many", "", with(r#""status":"Active","#)),
            ("two objects", "", format!("{{\"id\":\"{BAD}\"}} {{}}").into()),
            ("an array", "", b"[1,2]".to_vec()),
            ("a single value", "", b"7".to_vec()),
            ("half a surrogate pair", "", with(r#""details":{"notes":"\ud800"}"#)),
            (
                "invalid UTF-8",
                "",
                with("\"details\":{\"notes\":\"caf\u{e9}\"}")
                    .into_iter()
                    .filter(|byte| *byte != 0xc3)
                    .collect(),
            ),
            ("NUL bytes", "", with("\"details\":{\"notes\":\"a\0b\"}")),
            ("a NUL that is escaped", "", with(r#""closingDateTime":"2026\u0000""#)),
            ("20 MB", "", with(&format!("\"details\":{{\"notes\":\"{}\"}}", "x".repeat(20 << 20)))),
            (
                "more members than any referral",
                "",
                with(&(0..2_000).map(|n| format!("\"f{n}\":1")).collect::<Vec<_>>().join(",")),
            ),
        ]
    }

    #[test]
    fn of_json_lines_are_found_where_they_stand() {
        check("rows_of_jsonl", &lines(), "a.jsonl", |_, row| {
            let good = format!("{{\"id\":\"{GOOD}\",\"details\":{{\"notes\":\"sound\"}}}}\n");
            [good.as_bytes(), row, b"\n"].concat()
        });
    }

    /// Applies each row beside a good one: the good one goes through, the other is invalid, and no
    /// request of any sort was made that could have changed its referral.
    fn check(
        name: &str,
        cases: &[(&'static str, &'static str, Vec<u8>)],
        file: &str,
        write: impl Fn(&str, &[u8]) -> Vec<u8> + Sync,
    ) {
        let told = each(cases, |(name, header, row)| {
            let service = service();
            let ran = Test::new(&format!("apply {file} {APPLY} --reason '{name}'"))
                .file(file, write(header, row))
                .service(&service.base)
                .code(3)
                .told_elsewhere()
                .run();
            assert_eq!(ran.stdout, "", "{name}");
            let outcomes = ran.outcomes("run");
            assert_eq!(outcomes, "1 applied, 1 invalid", "{name}: {}", ran.stderr);
            assert_eq!(service.ids("PATCH"), [GOOD], "{name}");
            let line = if file.ends_with("csv") { 3 } else { 2 };
            assert!(!ran.stderr.contains(&format!("{file}:{}:", line - 1)), "{name}: {}", ran.stderr);
            assert!(ran.stderr.contains(&format!("  --> {file}:{line}:")), "{name}: {}", ran.stderr);
            assert!(ran.stderr.len() < 10_000, "{name} is told in {} bytes", ran.stderr.len());
            let next = "next: ";
            let found = ran
                .stderr()
                .lines()
                .take_while(|line| !line.starts_with(next))
                .fold(String::new(), |text, line| text + line + "\n");
            format!("## {name}\n{found}")
        });
        golden(name, &told.join("\n"));
    }

    #[test]
    fn that_ask_for_nothing_are_unchanged() {
        let lines = format!("{{\"id\":\"{GOOD}\",\"patch\":[]}}\n{{\"id\":\"{BAD}\"}}\n");
        let ran = Test::new(&format!("apply a.jsonl b.csv --sandbox {APPLY}"))
            .file("a.jsonl", lines)
            .file("b.csv", format!("id,notes\n{GOOD},\n"))
            .run();
        assert_eq!(ran.outcomes("run"), "3 unchanged");
    }

    /// An id that no rule can tell from a referral's: the service says that it knows no such referral.
    #[test]
    fn with_an_engagement_in_place_of_an_id_are_refused() {
        let service = service();
        let ran = Test::new(&format!("apply a.csv {APPLY}"))
            .file("a.csv", format!("id,notes\n{GOOD},sound\n{ENGAGEMENT},x\n"))
            .service(&service.base)
            .code(3)
            .told_elsewhere()
            .run();
        assert_eq!(ran.outcomes("run"), "1 applied, 1 refused");
        assert_eq!(service.ids("PATCH"), [GOOD]);
    }

    /// What two files with other names for the same columns come to is a file with both columns.
    #[test]
    fn of_files_with_other_names_can_be_fed_back() {
        let place = Place::new();
        place.write("a.csv", format!("id,dealValue,eTag\n{GOOD},10,\n{BAD},many,\n"));
        place.write("b.csv", format!("Referral ID,/details/dealValue,If-Match\n{GOOD},10,\n{BAD},20,\n"));
        let first = format!("apply a.csv b.csv --sandbox {APPLY}");
        let ran = Test::at(&place, &first).code(3).told_elsewhere().run();
        assert_eq!(ran.outcomes("run"), "2 applied, 2 invalid");
        let mended = place.raw("run/error.csv").replace("many", "20");
        assert!(
            mended.starts_with("id,dealValue,eTag,Referral ID,/details/dealValue,If-Match,result."),
            "{mended}"
        );
        place.write("mended.csv", mended);
        let again = format!("apply mended.csv --sandbox {APPLY}").replace("--out run", "--out two");
        let ran = Test::at(&place, &again).told_elsewhere().run();
        assert_eq!(ran.outcomes("two"), "2 applied");
    }

    /// A row that could not be read as it was meant must not come back as a sound one.
    #[test]
    fn that_were_mangled_stay_bad_when_they_are_fed_back() {
        for (name, row) in [
            ("other separators", format!("{BAD};x").into_bytes()),
            ("too many cells", format!("{BAD},x,y").into_bytes()),
            ("text after a quote", format!("{BAD},\"x\"y").into_bytes()),
            ("invalid UTF-8", [BAD.as_bytes(), b",caf\xe9"].concat()),
            ("a cell of 2 MB", [BAD.as_bytes(), b",", &vec![b'x'; 2 << 20]].concat()),
        ] {
            let service = service();
            let text = [b"id,notes\n".as_slice(), &row, b"\n"].concat();
            let first = Test::new(&format!("apply a.csv {APPLY}")).file("a.csv", text).service(&service.base);
            let first = first.code(3).told_elsewhere().run();
            let again =
                first.then(&format!("apply run/error.csv {APPLY} --out two").replace("--out run", ""));
            let again = again.service(&service.base).code(3).told_elsewhere().run();
            assert_eq!(again.outcomes("two"), "1 invalid", "{name}: {}", again.place.raw("run/error.csv"));
            assert_eq!(service.ids("PATCH"), [""; 0], "{name}");
        }
    }
}

mod answers {
    use super::*;

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

    /// Answers that say yes, in ways that no reader need understand. One that shows nothing is read back.
    fn yes() -> Vec<Case> {
        let shown = |name, patch| Case { get: becomes("Called"), ..on_patch(name, patch, "1 applied", 1) };
        vec![
            shown("204", status("204 No Content")),
            shown(
                "204 with an eTag that is none",
                always(wire::answer("204 No Content", "etag: \x01\x02\r\n", "").into_iter().filter(|b| *b > 2).collect::<Vec<_>>()),
            ),
            shown(
                "204 with headers in any bytes",
                always([b"HTTP/1.1 204 No Content\r\nx-odd: \xff\xfe\xe9\r\nretry-after: \xff\r\nconnection: close\r\n\r\n".to_vec()].concat()),
            ),
            shown("100 before 204", always([b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), wire::answer("204 No Content", "", "")].concat())),
            shown("HTTP/1.0", always("HTTP/1.0 204 No Content\r\n\r\n")),
            on_patch("429 without a pause", first(1, wire::answer("429 Too Many Requests", "", "")), "1 applied", 2),
            on_patch("429 with a pause in words", first(1, wire::answer("429 x", "retry-after: soon\r\n", HTML)), "1 applied", 2),
            on_patch("429 with a pause below zero", first(1, wire::answer("429 x", "retry-after: -5\r\n", "")), "1 applied", 2),
            on_patch("429 until a day that is past", first(1, wire::answer("429 x", "retry-after: Thu, 01 Jan 1970 00:00:00 GMT\r\n", "")), "1 applied", 2),
            on_patch("509", first(2, wire::answer("509 x", "retry-after: 0\r\n", "")), "1 applied", 3),
            on_patch("503 with a pause", first(1, wire::answer("503 x", "retry-after: 0\r\n", "")), "1 applied", 2),
            on_patch("423 once", first(1, wire::answer("423 Locked", "", "")), "1 applied", 2),
            on_patch("502 once", first(1, wire::answer("502 Bad Gateway", "", HTML)), "1 applied", 2),
            Case { name: "502, and applied all the same", patch: status("502 x"), get: becomes("Called"), code: 0, outcome: "1 applied", patches: 1 },
            Case { name: "412 after a 502 that was applied", patch: Box::new(|_, before| wire::answer(if before == 0 { "502 x" } else { "412 x" }, "", "")), get: Box::new(|_, before| {
                let mut referral = sample_referral(GOOD);
                if before > 1 {
                    referral["details"]["notes"] = json!("Called");
                    referral["eTag"] = json!("\"moved\"");
                }
                wire::answer("200 OK", "", referral.to_string())
            }), code: 0, outcome: "1 applied", patches: 2 },
        ]
    }

    /// Answers that say no.
    fn no() -> Vec<Case> {
        let refused = |name, patch| on_patch(name, patch, "1 refused", 1);
        // Somebody else changed it; and nobody did, as far as looks show.
        let conflict =
            |name, patch| Case { get: becomes("Another"), ..on_patch(name, patch, "1 conflict", 1) };
        let contradiction = |name, patch| on_patch(name, patch, "1 unknown", 1);
        vec![
            refused("400 without a body", status("400 Bad Request")),
            refused("400 with a page", always(wire::answer("400 Bad Request", "", HTML))),
            refused("400 with half a JSON", always(wire::answer("400 x", "", r#"{"error":{"code":"#))),
            refused("400 with a list", always(wire::answer("400 x", "", "[1,2,3]"))),
            refused("400 with bytes", always(wire::answer("400 x", "", b"\xff\xfe\x00\x01"))),
            refused(
                "400 with JSON nested 10,000 deep",
                always(wire::answer("400 x", "", "{\"error\":".repeat(10_000))),
            ),
            refused("400 in 8 MB", always(wire::answer("400 x", "", "x".repeat(8 << 20)))),
            refused(
                "400 that moves the cursor",
                always(wire::answer(
                    "400 x",
                    "",
                    "{\"code\":\"\\u001b[2J\",\"message\":\"\\u001b[31mred\\r\\n\\u0000end\"}",
                )),
            ),
            refused(
                "400 that is a formula",
                always(wire::answer("400 x", "", r#"{"code":"=1+1","message":"=HYPERLINK(\"http://x\")"}"#)),
            ),
            refused(
                "400 that is a formula where lists are separated by semicolons",
                always(wire::answer(
                    "400 x",
                    "",
                    r#"{"code":"a;@x","message":"no; =cmd|'/C calc'!A0; ＋1"}"#,
                )),
            ),
            refused(
                "400 that repeats the token",
                Box::new(|request, _| {
                    let told = request.header("authorization").unwrap().to_owned();
                    wire::answer(
                        "400 x",
                        &format!("www-authenticate: {told}\r\n"),
                        json!({"code": told, "message": told}).to_string(),
                    )
                }),
            ),
            refused("403", status("403 Forbidden")),
            refused("404", status("404 Not Found")),
            refused("405", status("405 x")),
            refused("406", status("406 x")),
            refused("410", status("410 Gone")),
            refused("411", status("411 x")),
            refused("413", status("413 x")),
            refused("415", status("415 x")),
            refused("418", status("418 I'm a teapot")),
            refused(
                "422",
                always(wire::answer(
                    "422 x",
                    "content-type: application/problem+json\r\n",
                    r#"{"title":"no","detail":"not so"}"#,
                )),
            ),
            refused("499", status("499 x")),
            refused("300", status("300 x")),
            refused("304", always("HTTP/1.1 304 Not Modified\r\nconnection: close\r\n\r\n")),
            contradiction("412, and nothing has changed", status("412 Precondition Failed")),
            contradiction("409, and nothing has changed", status("409 Conflict")),
            conflict("409", status("409 Conflict")),
            conflict("412", status("412 Precondition Failed")),
            conflict(
                "400 with the code 2055",
                always(wire::answer("400 x", "", r#"{"code":"2055","description":"changed"}"#)),
            ),
            conflict(
                "400 with a deep 99918",
                always(wire::answer(
                    "400 x",
                    "",
                    r#"{"error":{"code":"x","innererror":{"code":"y","innerError":{"code":99918}}}}"#,
                )),
            ),
            Case {
                name: "502, and somebody else changed it",
                patch: status("502 x"),
                get: becomes("Another"),
                code: 3,
                outcome: "1 conflict",
                patches: 1,
            },
        ]
    }

    /// Answers after which nobody knows: read back, and sent again while nothing has changed.
    fn doubt() -> Vec<Case> {
        let doubt = |name, patch| on_patch(name, patch, "1 failed", 5);
        let unknown =
            |name, get| Case { name, patch: status("500 x"), get, code: 3, outcome: "1 unknown", patches: 1 };
        let ok = |headers: &str, body: &[u8]| {
            [format!("HTTP/1.1 200 OK\r\n{headers}connection: close\r\n\r\n").as_bytes(), body].concat()
        };
        let headers: String = (0..300).map(|n| format!("x-{n}: 1\r\n")).collect();
        vec![
            doubt("500", status("500 x")),
            doubt(
                "502 with a page",
                always(wire::answer("502 Bad Gateway", "content-type: text/html\r\n", HTML)),
            ),
            doubt("503 without a pause", status("503 x")),
            doubt("504", status("504 x")),
            doubt("599", status("599 x")),
            doubt("999", status("999 x")),
            doubt("408", status("408 x")),
            doubt("204 and nothing done", status("204 No Content")),
            doubt("200 without a body", status("200 OK")),
            doubt("200 with blanks", always(wire::answer("200 OK", "", " \r\n "))),
            doubt("200 with a page", always(wire::answer("200 OK", "", HTML))),
            doubt("200 with garbage", always(wire::answer("200 OK", "", b"\xff\x00garbage"))),
            doubt(
                "200 with another referral",
                always(wire::answer("200 OK", "", sample_referral(BAD).to_string())),
            ),
            doubt("200 with the referral unchanged", stands()),
            doubt("200 with null", always(wire::answer("200 OK", "", "null"))),
            doubt("200 in 8 MB", always(wire::answer("200 OK", "", "x".repeat(8 << 20)))),
            doubt("half a body", always(ok("content-length: 1000\r\n", b"{\"id\":"))),
            doubt("a broken chunk", always(ok("transfer-encoding: chunked\r\n", b"zz\r\n{}\r\n"))),
            doubt("a chunk without end", always(ok("transfer-encoding: chunked\r\n", b"5\r\n{\"id\"\r\n"))),
            doubt(
                "gzip that is none",
                always(ok("content-encoding: gzip\r\ncontent-length: 5\r\n", b"plain")),
            ),
            doubt("two lengths", always(ok("content-length: 1\r\ncontent-length: 2\r\n", b"{}"))),
            doubt("a length in words", always(ok("content-length: many\r\n", b"{}"))),
            doubt("300 headers", always(ok(&headers, b""))),
            doubt("a header of 1 MB", always(ok(&format!("x-long: {}\r\n", "x".repeat(1 << 20)), b""))),
            doubt("a header without a colon", always(ok("nonsense\r\n", b""))),
            doubt("a status that is none", always("HTTP/1.1 0 x\r\n\r\n")),
            doubt("another protocol", always("SSH-2.0-OpenSSH_9.6\r\n")),
            doubt("HTTP/2 unasked", always("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")),
            doubt(
                "101",
                always("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
            ),
            doubt("nothing but 100", always("HTTP/1.1 100 Continue\r\n\r\n")),
            doubt("nothing", always("")),
            unknown("500, and then it is gone", then(wire::answer("404 x", "", ""))),
            unknown("500, and then a list", then(wire::answer("302 x", "location: /\r\n", "[]"))),
        ]
    }

    /// What a look at a referral can meet. What may be repeated is, which takes seconds.
    fn looks() -> Vec<Case> {
        vec![
            on_get("GET 404", status("404 x"), "1 refused"),
            on_get("GET 403", status("403 x"), "1 refused"),
            on_get(
                "GET 403 for want of a scope",
                always(wire::answer("403 x", "www-authenticate: Bearer error=insufficient_scope\r\n", "")),
                "1 refused",
            ),
            on_get(
                "GET 302",
                always(wire::answer("302 x", "location: https://example.com/\r\n", "")),
                "1 refused",
            ),
            on_get("GET 412", status("412 x"), "1 refused"),
            on_get("GET 500", always(wire::answer("500 x", "", HTML)), "1 failed"),
            on_get("GET 200 with a page", always(wire::answer("200 OK", "", HTML)), "1 failed"),
            on_get("GET 200 without a body", status("200 OK"), "1 failed"),
            on_get("GET 204", status("204 No Content"), "1 failed"),
            on_get(
                "GET 200 with another referral",
                always(wire::answer("200 OK", "", sample_referral(BAD).to_string())),
                "1 failed",
            ),
            on_get("GET 200 with a list", always(wire::answer("200 OK", "", "[]")), "1 failed"),
            on_get(
                "GET 200 in 8 MB",
                always(wire::answer(
                    "200 OK",
                    "",
                    format!("{{\"id\":\"{GOOD}\",\"x\":\"{}\"}}", "x".repeat(8 << 20)),
                )),
                "1 failed",
            ),
            on_get(
                "GET nested 100,000 deep",
                always(wire::answer(
                    "200 OK",
                    "",
                    format!("{{\"id\":\"{GOOD}\",\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000)),
                )),
                "1 failed",
            ),
            on_get(
                "GET not UTF-8",
                always(wire::answer(
                    "200 OK",
                    "",
                    [format!("{{\"id\":\"{GOOD}\",\"x\":\"").as_bytes(), b"\xff\"}"].concat(),
                )),
                "1 failed",
            ),
            on_patch("423 for ever", status("423 Locked"), "1 failed", 5),
        ]
    }

    /// What a policy asks for, in base64; nobody but a sign-in is to see it.
    const CLAIMS: &str = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ==";

    /// A status, headers and a body that ask for another sign-in.
    fn challenges() -> Vec<(&'static str, &'static str, String, String)> {
        let header = format!(
            "www-authenticate: Basic realm=\"x\"\r\n\
             www-authenticate: Bearer realm=\"\", authorization_uri=\"https://login.example.com/\", \
             error=\"insufficient_claims\", claims=\"{CLAIMS}\"\r\n"
        );
        let nested = |code: &str| {
            format!(r#"{{"error":{{"code":"x","message":"{CLAIMS}","innererror":{{"code":"{code}"}}}}}}"#)
        };
        let plain = format!(r#"{{"error":"insufficient_claims","claims":"{CLAIMS}"}}"#);
        vec![
            ("401 with a challenge", "401 x", header.clone(), String::new()),
            ("403 with a challenge", "403 x", header, nested("accessDenied")),
            ("401 with a nested code", "401 x", String::new(), nested("insufficient_claims")),
            ("403 with a nested code", "403 x", String::new(), nested("Insufficient_Claims")),
            ("403 as OAuth has it", "403 x", String::new(), plain),
        ]
    }

    fn stops() -> Vec<Case> {
        let stop =
            |name, patch, patches| Case { name, patch, get: stands(), code: 4, outcome: "1 unsent", patches };
        let stop_look =
            |name, get| Case { name, patch: status("500 x"), get, code: 4, outcome: "1 unsent", patches: 0 };
        let mfa = || always(wire::answer("401 x", "", r#"{"error":{"code":"900421","message":"no MFA"}}"#));
        let mut cases = vec![
            stop("401", status("401 Unauthorized"), 1),
            stop("401 with the code 900421", mfa(), 1),
            stop_look("GET 401", status("401 x")),
            stop_look("GET 401 with the code 900421", mfa()),
        ];
        for (name, status, headers, body) in challenges() {
            let says = || always(wire::answer(status, &headers, &body));
            cases.push(stop(name, says(), 1));
            cases.push(stop_look(name, says()));
        }
        cases
    }

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
                assert_eq!(
                    request.header("authorization"),
                    Some(format!("Bearer {TOKEN}").as_str()),
                    "{name}"
                );
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

    #[test]
    fn that_lead_elsewhere_are_not_followed() {
        let elsewhere = Wire::serve(|_| wire::answer("204 No Content", "", ""));
        for code in ["301", "302", "303", "307", "308"] {
            let location = format!("location: {}/engagements/referrals/{GOOD}\r\n", elsewhere.base);
            let service = Wire::serve(move |request| match request.method.as_str() {
                "PATCH" => wire::answer(&format!("{code} x"), &location, ""),
                _ => wire::answer("200 OK", "", sample_referral(GOOD).to_string()),
            });
            let ran = Test::new(&format!("apply a.csv {APPLY}"))
                .file("a.csv", format!("id,notes\n{GOOD},Called\n"))
                .service(&service.base)
                .code(3)
                .told_elsewhere()
                .run();
            assert_eq!(ran.outcomes("run"), "1 refused", "{code}");
        }
        assert_eq!(elsewhere.asked().len(), 0);
    }

    /// A referral that may not be seen, or cannot be, is its own row's trouble; however many there are.
    #[test]
    fn to_a_look_at_one_referral_are_about_its_row_alone() {
        const COUNT: usize = 40;
        let page = json!({ "value": [sample_referral(GOOD)] }).to_string();
        let hidden = (0..COUNT).map(|number| format!("0c0ffee0-0000-4000-8000-{number:012},Called\n"));
        let file = format!("id,notes\n{}{GOOD},Called\n", hidden.collect::<String>());
        let unread = "the referral could not be read: not for you";
        for (status, message) in [
            (403, unread),
            (404, "not there, or not visible to this user (not for you)"),
            (400, unread),
            (302, unread),
        ] {
            let page = page.clone();
            let service = Wire::serve(move |request| match request.about() {
                GOOD if request.method == "PATCH" => wire::carry_out(request, sample_referral(GOOD)),
                GOOD => wire::answer("200 OK", "", sample_referral(GOOD).to_string()),
                "referrals" => wire::answer("200 OK", "", &page),
                _ => wire::answer(&format!("{status} x"), "", r#"{"code":"no","description":"not for you"}"#),
            });
            let ran = Test::new(&format!("apply a.csv {APPLY}"))
                .file("a.csv", &file)
                .service(&service.base)
                .code(3)
                .told_elsewhere()
                .run();
            assert_eq!(ran.outcomes("run"), format!("1 applied, {COUNT} refused"), "{}", ran.stderr);
            assert_eq!(service.ids("PATCH"), [GOOD]);
            let outcomes = ran.place.raw("run/outcomes.jsonl");
            for row in outcomes.lines().take(COUNT).map(|row| serde_json::from_str::<Value>(row).unwrap()) {
                let wanted = json!(["refused", "no", message, status]);
                assert_eq!(json!([row["outcome"], row["code"], row["message"], row["status"]]), wanted);
            }
        }
    }

    /// Pages of the list: what is of no use is done without, and nobody is led away or round in circles.
    #[test]
    fn of_pages_are_used_as_far_as_they_go() {
        let elsewhere = Wire::serve(|_| wire::answer("200 OK", "", "{\"value\":[]}"));
        let good = sample_referral(GOOD);
        let cases = [
            ("no page", json!([1]).to_string(), 5),
            ("a page without a list", json!({"value": "x"}).to_string(), 5),
            ("things that are no referrals", json!({"value": [1, null, {"id": 7}, {}]}).to_string(), 1),
            (
                "a link elsewhere",
                json!({"value": [good], "@odata.nextLink": format!("{}?$skip=1", elsewhere.base)})
                    .to_string(),
                1,
            ),
            (
                "a link in circles",
                json!({"value": [], "@odata.nextLink": format!("{}?$skip=1", elsewhere.base)}).to_string(),
                1,
            ),
        ];
        each(&cases, |(name, page, lists)| {
            let page = page.clone();
            let service = Wire::serve(move |request| match (request.method.as_str(), request.about()) {
                ("PATCH", id) => wire::carry_out(request, sample_referral(id)),
                (_, GOOD) => wire::answer("200 OK", "", sample_referral(GOOD).to_string()),
                (_, BAD) => wire::answer("200 OK", "", sample_referral(BAD).to_string()),
                _ => wire::answer("200 OK", "", &page),
            });
            let ran = Test::new(&format!("apply a.csv {APPLY}"))
                .file("a.csv", format!("id,notes\n{GOOD},Called\n{BAD},Called\n"))
                .service(&service.base)
                .told_elsewhere()
                .run();
            assert_eq!(ran.outcomes("run"), "2 applied", "{name}");
            assert_eq!(ran.summary("run")["requests"]["list"], *lists, "{name}");
        });
        assert_eq!(elsewhere.asked().len(), 0);
    }
}
