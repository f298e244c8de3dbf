//! Whole files.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::*;
use crate::domain::account::RowText;
use crate::domain::change::Draft;
use crate::domain::finding::{Finding, Location};
use crate::domain::format::Format;
use crate::domain::wording::Wording;

pub const ID: &str = "0c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6e";

pub fn options(format: Format) -> Options {
    Options { format: Some(format), ..Options::default() }
}

/// The rows that were delivered, and how reading ended.
pub fn read_bytes(bytes: &[u8], options: &Options) -> (Vec<Record>, Result<Read, Vec<Problem>>) {
    let mut rows = Vec::new();
    let mut take = |row| {
        rows.push(row);
        Ok::<(), std::convert::Infallible>(())
    };
    let mut bytes = bytes;
    let end = read("-", Some(&mut bytes), 0, options, &mut take);
    let end = end.map_err(|error| match error {
        InputError::Unusable(unusable) => unusable.problems().to_vec(),
        InputError::Sink(never) => match never {},
    });
    (rows, end)
}

/// The bytes of a file that holds this, compressed.
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut file = GzEncoder::new(Vec::new(), Compression::default());
    file.write_all(content).unwrap();
    file.finish().unwrap()
}

/// What the only row of a text came to.
pub fn only(text: &str, options: &Options) -> Record {
    let (mut rows, end) = read_bytes(text.as_bytes(), options);
    assert!(end.is_ok(), "{text}: {end:?}");
    assert_eq!(rows.len(), 1, "{text}");
    rows.remove(0)
}

/// What keeps a row from being a change, as `rule@column`, or `ok`.
pub fn findings(row: &Record) -> String {
    match &row.parsed {
        // What depends on the referral counts as if it had something else.
        Ok(draft) => match told(said(draft).filter(|finding| finding.is_deny())) {
            none if none.is_empty() => "ok".to_owned(),
            denied => denied,
        },
        Err(rejected) => told(rejected.findings.iter().filter(|finding| finding.is_deny())),
    }
}

/// What a row is warned of, as `rule@column`.
pub fn warnings(row: &Record) -> String {
    let rejected = row.parsed.as_ref().err().into_iter().flat_map(|rejected| &rejected.findings);
    let said = row.parsed.as_ref().ok().into_iter().flat_map(said);
    told(row.notes.iter().chain(rejected).chain(said).filter(|finding| !finding.is_deny()))
}

/// A text with its settings as they are typed.
pub fn spelled(wording: &Wording) -> String {
    wording.spelled(|setting| format!("--{}", setting.name()))
}

/// What is found in the cells of a row, unless the referral has just that.
fn said(draft: &Draft) -> impl Iterator<Item = &Finding> {
    draft.provisos.iter().flat_map(|proviso| &proviso.value.findings)
}

fn told<'f>(findings: impl Iterator<Item = &'f Finding>) -> String {
    let told = |finding: &Finding| format!("{}@{}", finding.rule, finding.place.column);
    findings.map(told).collect::<Vec<_>>().join(" ")
}

const CSV: &str = "id,details.dealValue\n0c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6e,10.50\n";

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn the_form_of_the_text_is_detected_and_said() {
    let semicolons = CSV.replace(',', ";");
    let crlf = semicolons.replace('\n', "\r\n");
    for (bytes, note) in [
        (CSV.as_bytes().to_vec(), None),
        (format!("\u{feff}{CSV}").into_bytes(), Some("UTF-8 with byte order mark")),
        (format!("\u{feff}\u{feff}{CSV}").into_bytes(), Some("UTF-8 with byte order mark")),
        (utf16(CSV, false), Some("UTF-16LE")),
        (utf16(CSV, true), Some("UTF-16BE")),
        (utf16(&crlf, false), Some("UTF-16LE, separated by ';', CRLF line ends")),
        (semicolons.clone().into_bytes(), Some("separated by ';'")),
        (CSV.replace(',', "\t").into_bytes(), Some("separated by tabs")),
        (CSV.replace('\n', "\r\n").into_bytes(), Some("CRLF line ends")),
        (CSV.replace('\n', "\r").into_bytes(), Some("CR line ends")),
        (CSV.replace("id,", "\"id\",").into_bytes(), None),
        (
            format!("\u{feff}SEP=;\r\n{crlf}").into_bytes(),
            Some("UTF-8 with byte order mark, separated by ';', as its first line says, CRLF line ends"),
        ),
        (format!("\"sep=,\"\n{CSV}").into_bytes(), Some("separated by commas, as its first line says")),
        (
            utf16(&format!("sep=|\n{}", CSV.replace(',', "|")), false),
            Some("UTF-16LE, separated by '|', as its first line says"),
        ),
    ] {
        let (rows, end) = read_bytes(&bytes, &options(Format::Csv));
        let end = end.unwrap();
        assert_eq!(
            end.notes,
            note.map(|note| format!("standard input: {note}")).into_iter().collect::<Vec<_>>()
        );
        assert_eq!(rows.iter().map(findings).collect::<Vec<_>>(), ["ok"], "{note:?}");
        let says_separator = end.info.form.says_separator;
        assert_eq!(rows[0].place, Location { input: 0, line: if says_separator { 3 } else { 2 }, column: 1 });
        assert_eq!(rows[0].text, RowText::Cells(vec![ID.to_owned(), "10.50".to_owned()]));
        assert_eq!(end.info.columns, ["id", "details.dealValue"]);
        let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(end.info.sha256, digest);
    }
}

#[test]
fn half_a_character_of_utf_16_is_a_finding() {
    let mut bytes = utf16(&CSV.replace("details.dealValue", "salesStage").replace("10.50", "x"), false);
    let at = bytes.len() - 4;
    bytes[at..at + 2].copy_from_slice(&0xd800_u16.to_le_bytes());
    let (rows, _) = read_bytes(&bytes, &options(Format::Csv));
    assert_eq!(findings(&rows[0]), "encoding@2");
}

#[test]
fn half_a_character_at_the_end_is_a_finding_however_the_file_comes() {
    struct ByteByByte<'b>(&'b [u8]);
    impl io::Read for ByteByByte<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let length = room.len().min(1);
            self.0.read(&mut room[..length])
        }
    }
    for length in 1..100 {
        let mut bytes = utf16(&format!("id,notes\n{ID},{}", "x".repeat(length)), false);
        bytes.push(b'x');
        let mut rows = Vec::new();
        let mut take = |row: Record| {
            rows.push(row.parsed.unwrap_err().findings.remove(0).message);
            Ok::<_, std::convert::Infallible>(())
        };
        read("-", Some(&mut ByteByByte(&bytes)), 0, &options(Format::Csv), &mut take).unwrap();
        assert_eq!(rows, ["the cell holds what is not valid UTF-16"], "{length} characters before it");
    }
}

#[test]
fn what_a_report_added_is_left_out_and_said() {
    let text = format!("result.outcome,id,result.code\nerror,{ID},type\n");
    let (rows, end) = read_bytes(text.as_bytes(), &options(Format::Csv));
    let end = end.unwrap();
    assert_eq!(end.notes, ["standard input: ignored result.outcome, result.code"]);
    assert_eq!(end.info.columns, ["id"]);
    assert_eq!(rows[0].text, RowText::Cells(vec![ID.to_owned()]));
}

#[test]
fn names_that_would_steer_a_terminal_are_shown_harmless() {
    for (text, format, wanted) in [
        ("id,result.\u{1b}[31mx", Format::Csv, "ignored result.\u{fffd}[31mx"),
        (
            "id,/x\u{1b}[31m",
            Format::Csv,
            "unknown column \"/x\u{fffd}[31m\": it holds U+001B escape, which cannot be seen\n",
        ),
        ("{\"\\u001b[31mx\":1}", Format::Jsonl, "\"/\u{fffd}[31mx\" is not documented"),
        (
            "{\"patch\":[{\"op\":\"add\",\"path\":\"/x\\u001b\"}]}",
            Format::Jsonl,
            "on /x\u{fffd} has no value",
        ),
    ] {
        let (rows, end) = read_bytes(text.as_bytes(), &options(format));
        let told = rows.into_iter().filter_map(|row| row.parsed.err()).flat_map(|rejected| rejected.findings);
        let mut told: Vec<String> = told.map(|finding| spelled(&finding.sentence())).collect();
        match end {
            Ok(end) => told.extend(end.notes),
            Err(problems) => told.extend(problems.iter().map(ToString::to_string)),
        }
        let told = told.join("\n");
        assert!(told.contains(wanted) && !told.contains('\u{1b}'), "{told:?}");
    }
}

#[test]
fn files_that_are_no_change_files_are_refused_as_a_whole() {
    for (bytes, format, wanted) in [
        (&b""[..], Format::Csv, "the file is empty"),
        (b"\xef\xbb\xbf", Format::Csv, "the file is empty"),
        (b"\xff\xfe", Format::Csv, "the file is empty"),
        (b"\n\n\r\n", Format::Csv, "the file has no header"),
        (b"sep=;\n", Format::Csv, "the file has no header"),
        (b"sep=x\nid", Format::Csv, "the line that says what separates the cells names no single sign"),
    ] {
        let (rows, end) = read_bytes(bytes, &options(format));
        assert!(rows.is_empty());
        assert_eq!(end.unwrap_err()[0].message, wanted);
    }
}

#[test]
fn files_without_rows_are_none_the_less_files() {
    for (bytes, format) in [
        (&b""[..], Format::Jsonl),
        (b"\xef\xbb\xbf", Format::Jsonl),
        (b"\n \n", Format::Jsonl),
        (b"id,status", Format::Csv),
        (b"id\n\n", Format::Csv),
    ] {
        let (rows, end) = read_bytes(bytes, &options(format));
        let end = end.unwrap();
        assert_eq!((rows.len(), end.info.rows), (0, 0));
        let note = "standard input: the file has no rows, so it changes nothing";
        assert_eq!(end.notes.last().map(String::as_str), Some(note));
    }
}

#[test]
fn files_are_read_by_path_and_missing_ones_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changes.csv");
    std::fs::write(&path, CSV).unwrap();
    let path = path.to_str().unwrap();
    let mut lines = Vec::new();
    let mut take = |row: Record| {
        lines.push((row.place.input, row.place.line));
        Ok::<(), String>(())
    };
    let end = read(path, None, 3, &Options::default(), &mut take).unwrap();
    assert_eq!((end.info.path.as_str(), end.info.rows, end.info.format), (path, 1, Format::Csv));
    assert_eq!(lines, [(3, 2)]);
    let directory = folder.path().to_str().unwrap().to_owned();
    for (path, wanted) in [
        (format!("{path}x.csv"), "cannot read the file: "),
        (format!("{directory}/none"), "cannot read the file: "),
        (directory, "this is a directory"),
    ] {
        let error = read(&path, None, 0, &Options::default(), &mut |_| Ok::<(), String>(())).unwrap_err();
        let InputError::Unusable(unusable) = &error else { panic!("{error}") };
        assert_eq!(unusable.problems()[0].place, path);
        assert!(unusable.problems()[0].hint.is_some());
        assert!(error.to_string().starts_with(wanted), "{error}");
    }
}

#[test]
fn the_error_of_whoever_takes_the_rows_comes_back() {
    let mut bytes = CSV.as_bytes();
    let error =
        read("-", Some(&mut bytes), 0, &options(Format::Csv), &mut |_| Err("full".to_owned())).unwrap_err();
    assert!(matches!(error, InputError::Sink(ref told) if told == "full"));
    assert_eq!(error.to_string(), "full");
}

#[test]
fn an_unusable_file_says_what_where_and_what_would_help() {
    let (_, end) = read_bytes(b"id,dealVlaue\n", &options(Format::Csv));
    let unusable = Unusable::of(end.unwrap_err()).unwrap();
    assert_eq!(
        unusable.to_string(),
        "unknown column \"dealVlaue\"\n  --> standard input:1:2\nhint: did you mean details.dealValue? – else keep it out of the change with ignore-column dealVlaue"
    );
    assert_eq!(
        spelled(unusable.problems()[0].hint.as_ref().unwrap()),
        "did you mean details.dealValue? – else keep it out of the change with --ignore-column dealVlaue"
    );
}

mod any {
    use proptest::prelude::*;

    use super::*;

    /// Text that is nearly a change file, and bytes that are none.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let word = prop_oneof![
            Just(ID.to_owned()),
            "[a{}\\[\\]\":,;\t\n\r 0é\\\\]{0,6}",
            Just("\"".to_owned()),
            Just("\n".to_owned()),
            Just("id,status\n".to_owned()),
            Just(format!("{{\"id\":\"{ID}\",\"patch\":[{{\"op\":\"add\"")),
            Just("}]}\n".to_owned()),
        ];
        let text = prop::collection::vec(word, 0..30).prop_map(|words| words.concat().into_bytes());
        prop_oneof![prop::collection::vec(any::<u8>(), 0..200), text]
    }

    fn check(bytes: &[u8], format: Format) {
        let (rows, end) = read_bytes(bytes, &options(format));
        let lines: Vec<u64> = rows.iter().map(|row| row.place.line).collect();
        assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "{lines:?}");
        for row in &rows {
            match &row.parsed {
                Ok(draft) => assert_eq!(draft.place, row.place),
                Err(rejected) => assert!(!rejected.findings.is_empty()),
            }
        }
        if let Ok(end) = end {
            assert_eq!(end.info.rows, rows.len() as u64);
        }
    }

    proptest! {
        #[test]
        fn bytes_never_lead_to_a_panic(bytes in bytes()) {
            for format in [Format::Csv, Format::Jsonl] {
                check(&bytes, format);
                check(&[b"id,salesStage,result.x\n", &bytes[..]].concat(), format);
            }
        }

        #[test]
        fn every_row_comes_once_and_in_order(
            rows in prop::collection::vec(("[a\",;\n\r é]{0,9}", any::<bool>()), 0..20),
            crlf in any::<bool>(),
        ) {
            let end = if crlf { "\r\n" } else { "\n" };
            let (mut text, mut line) = (format!("id,salesStage{end}"), 2);
            let mut wanted = Vec::new();
            for (cell, blank) in &rows {
                if *blank {
                    text.push_str(end);
                    line += 1;
                }
                wanted.push((line, RowText::Cells(vec![ID.to_owned(), cell.clone()])));
                text.push_str(&format!("{ID},\"{}\"{end}", cell.replace('"', "\"\"")));
                line += 1 + cell.matches('\n').count() as u64;
            }
            let (got, end) = read_bytes(text.as_bytes(), &options(Format::Csv));
            prop_assert!(end.is_ok());
            let got: Vec<_> = got.into_iter().map(|row| (row.place.line, row.text)).collect();
            prop_assert_eq!(got, wanted);
        }
    }
}
