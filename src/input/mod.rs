//! Change files: from bytes to one [`Draft`] or [`Rejected`] a row.
//!
//! | file | what |
//! |---|---|
//! | [`error`] | why a file as a whole is no change file |
//! | `form` | what sort of file is said to be here, and whether it is one |
//! | `decode` | bytes → text: hash, byte order marks, UTF-16, line ends |
//! | `separator` | what separates the cells of a CSV |
//! | `watch` | looks at a CSV on its way to the parser: unclosed quotes, sizes, line numbers |
//! | `names` | what a typed column or member name means, and the nearest known one |
//! | `likeness` | how like two names are |
//! | `header` | a CSV's header → its columns |
//! | `no_header` | what a first line is that is none |
//! | `csv` | records → rows |
//! | `shape` | whether a record is a row as the header describes it, and what else it may be |
//! | `taken` | rows that a quote took in |
//! | `oddities` | what is odd about a CSV and no mistake |
//! | `cell` | one cell → its row |
//! | `jsonl` | lines → rows |
//! | `lines` | the lines of a text, bounded |
//! | `object` | the members of a JSONL line |
//! | `patch` | the operations of a JSONL line |
//! | `assign` | one JSON value → its row |
//! | `duplicates` | names that stand twice in one JSON object |
//! | `row` | one row while it is being read: values in, a draft or its findings out |
//! | [`legacy`] | legacy PUT payloads: whole referrals, from files of four forms |
//! | `snapshot` | referrals as they stood |
//! | `told` | what a report told of a row that is fed back |
//!
//! What always holds: every data row reaches the sink exactly once, in file order, with everything
//! that is wrong with it and not only the first thing; and however large the file, only a row's worth
//! of it is in memory. A file that is unusable as a whole may have delivered rows before that shows.

mod assign;
mod cell;
mod csv;
mod decode;
mod duplicates;
pub mod error;
mod form;
mod header;
mod jsonl;
pub mod legacy;
mod likeness;
mod lines;
mod names;
mod no_header;
mod object;
mod oddities;
mod patch;
mod row;
mod separator;
mod shape;
mod snapshot;
mod taken;
mod told;
mod watch;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;

use sha2::{Digest, Sha256};

use crate::domain::account::{Format, InputInfo, RowText, input_name};
use crate::domain::change::{Draft, Rejected};
use crate::domain::decimal::DecimalSign;
use crate::domain::excerpt::beginning;
use crate::domain::finding::{Finding, Place};
use crate::domain::outcome::Outcome;
use crate::domain::pointer::Pointer;
use crate::domain::rules::Levels;
use crate::domain::text_form::TextForm;
pub use error::{InputError, Problem, Unusable};
pub use likeness::{is_same_name, nearest_of};
pub use names::is_etag;
pub use snapshot::{SnapshotError, read_pinned_snapshot, read_snapshot};

/// How to read change files.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The form, where the user named one; else the file's extension says it.
    pub format: Option<Format>,
    /// Unconfirmed paths that the user opted into.
    pub allow_paths: BTreeSet<Pointer>,
    /// Whether fields may be cleared.
    pub clear: bool,
    /// The level of every rule.
    pub levels: Levels,
    /// The decimal sign in the numbers of CSV files, where the user said it.
    pub decimal: Option<DecimalSign>,
    /// Columns, and outermost members of JSON lines, that are kept in the reports and change nothing.
    pub left_alone: Vec<String>,
}

/// One data row.
#[derive(Debug, Clone)]
pub struct Record {
    /// Where it begins.
    pub place: Place,
    /// What was read, for the reports. What is too large is cut, and says so.
    pub text: RowText,
    /// What it asks for, or what is wrong with it.
    pub parsed: Result<Draft, Rejected>,
    /// What else was found about a row that is sound: warnings.
    pub notes: Vec<Finding>,
    /// What became of it in an earlier run, where a report of that run gave it back.
    pub told: Option<Outcome>,
}

/// What is known of a file once it has been read to its end.
#[derive(Debug, Clone)]
pub struct Read {
    /// The file, for the ledger.
    pub info: InputInfo,
    /// What was detected that a user may not expect, for people.
    pub notes: Vec<String>,
    /// Why no number of the file that has a point or a comma in it can be trusted, where that is so. It shows
    /// when the file was read to its end, and then concerns rows that were delivered.
    pub contradiction: Option<String>,
}

/// What every part of reading one file needs to know.
struct Context<'a> {
    path: &'a str,
    input: u32,
    options: &'a Options,
}

impl Context<'_> {
    fn place(&self, line: u64, column: usize) -> Place {
        Place { input: self.input, line, column: u32::try_from(column).unwrap_or(u32::MAX) }
    }

    /// A problem of the file at a place in it.
    fn problem(&self, line: u64, column: usize, message: impl Into<String>) -> Problem {
        let place = format!("{}:{line}:{column}", self.name());
        Problem { place, message: message.into(), hint: None }
    }

    /// A problem of the file as a whole.
    fn unusable(&self, message: impl Into<String>, hint: Option<&str>) -> Unusable {
        let hint = hint.map(ToOwned::to_owned);
        Unusable::from(Problem { place: self.name().to_owned(), message: message.into(), hint })
    }

    fn unreadable(&self, error: &io::Error) -> Unusable {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => Some("check its name, and in which directory you are"),
            io::ErrorKind::PermissionDenied => Some("ask for leave to read it, or give a copy that is yours"),
            _ => None,
        };
        self.unusable(format!("cannot read the file: {error}"), hint)
    }

    /// The file's name for people.
    fn name(&self) -> &str {
        input_name(self.path)
    }

    /// Opens the file. What is there is looked at before its name: that it isn't there goes before that
    /// it has no extension.
    fn open(&self) -> Result<File, Unusable> {
        let unreadable = |error| self.unreadable(&error);
        if std::fs::metadata(self.path).map_err(unreadable)?.is_dir() {
            let hint = "name the change files in it one by one, as in changes/*.csv";
            return Err(self.unusable("this is a directory, not a change file", Some(hint)));
        }
        File::open(self.path).map_err(unreadable)
    }

    /// The bytes of the file, or of standard input.
    fn bytes<'r>(&self, stdin: Option<&'r mut dyn io::Read>) -> Result<Box<dyn io::Read + 'r>, Unusable> {
        match (self.path, stdin) {
            ("-", Some(stdin)) => Ok(Box::new(stdin)),
            ("-", None) => Err(self.unusable("there is no standard input", None)),
            _ => Ok(Box::new(File::open(self.path).map_err(|error| self.unreadable(&error))?)),
        }
    }

    /// What goes on record of the file.
    fn info(&self, hash: &RefCell<Sha256>, format: Format, form: TextForm, rows: Rows) -> InputInfo {
        let sha256 = hex(hash.borrow().clone());
        let path = self.path.to_owned();
        InputInfo { path, sha256, rows: rows.count, format, form, columns: rows.columns }
    }
}

/// The SHA-256 of a file, as it goes on record when the file is read as an input.
///
/// # Errors
/// Where it can't be read.
pub fn sha256(path: &str) -> io::Result<String> {
    let (mut file, mut hash) = (File::open(path)?, Sha256::new());
    io::copy(&mut file, &mut hash)?;
    Ok(hex(hash))
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What reading the rows of one file leads to, besides the rows.
struct Rows {
    count: u64,
    columns: Vec<String>,
    ignored: Vec<String>,
    /// What was skipped, or taken for what it may not be, for people.
    notes: Vec<String>,
    /// Why its numbers can't be trusted.
    contradiction: Option<String>,
}

/// Reads one change file and hands its data rows to `sink`, in file order.
///
/// The path `-` reads `stdin`, and needs `options.format`. `input` is the file's number in the run,
/// for the rows' places.
///
/// # Errors
/// [`InputError::Unusable`] where the file as a whole is no change file; rows may have been delivered
/// before. [`InputError::Sink`] with whatever `sink` answered, after which nothing more is read.
pub fn read<E>(
    path: &str,
    stdin: Option<&mut dyn io::Read>,
    input: u32,
    options: &Options,
    sink: &mut dyn FnMut(Record) -> Result<(), E>,
) -> Result<Read, InputError<E>> {
    let context = Context { path, input, options };
    let bytes = match path {
        "-" => context.bytes(stdin)?,
        _ => Box::new(context.open()?),
    };
    let format = form::said(&context)?;
    let hash = RefCell::new(Sha256::new());
    let text =
        decode::open(bytes, &hash, format, Some(&context)).map_err(|none| none.into_unusable(&context))?;
    let form = text.form;
    let detected = form.told();
    let rows = match format {
        Format::Csv => csv::read(&context, text, sink)?,
        Format::Jsonl => jsonl::read(&context, text, sink)?,
        Format::Json | Format::Http => {
            let message = "this form holds legacy payloads, and apply reads CSV and JSONL";
            return Err(context.unusable(message, Some("give the file to migrate")).into());
        }
    };
    let mut notes = Vec::new();
    let name = context.name();
    if !detected.is_empty() {
        notes.push(format!("{name}: {}", detected.join(", ")));
    }
    if !rows.ignored.is_empty() {
        let ignored: Vec<String> = rows.ignored.iter().map(|column| beginning(column)).collect();
        notes.push(format!("{name}: ignored {}", ignored.join(", ")));
    }
    notes.extend(rows.notes.iter().map(|note| format!("{name}: {note}")));
    if rows.count == 0 {
        notes.push(format!("{name}: the file has no rows, so it changes nothing"));
    }
    let contradiction = rows.contradiction.clone();
    Ok(Read { info: context.info(&hash, format, form, rows), notes, contradiction })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            Ok(_) => "ok".to_owned(),
            Err(rejected) => told(rejected.findings.iter().filter(|finding| finding.is_deny())),
        }
    }

    /// What a row is warned of, as `rule@column`.
    pub fn warnings(row: &Record) -> String {
        let rejected = row.parsed.as_ref().err().into_iter().flat_map(|rejected| &rejected.findings);
        told(row.notes.iter().chain(rejected).filter(|finding| !finding.is_deny()))
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
            assert_eq!(
                rows[0].place,
                Place { input: 0, line: if says_separator { 3 } else { 2 }, column: 1 }
            );
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
            let told =
                rows.into_iter().filter_map(|row| row.parsed.err()).flat_map(|rejected| rejected.findings);
            let mut told: Vec<String> = told.map(|finding| finding.sentence()).collect();
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
        let error = read("-", Some(&mut bytes), 0, &options(Format::Csv), &mut |_| Err("full".to_owned()))
            .unwrap_err();
        assert!(matches!(error, InputError::Sink(ref told) if told == "full"));
        assert_eq!(error.to_string(), "full");
    }

    #[test]
    fn an_unusable_file_says_what_where_and_what_would_help() {
        let (_, end) = read_bytes(b"id,dealVlaue\n", &options(Format::Csv));
        let unusable = Unusable::of(end.unwrap_err()).unwrap();
        assert_eq!(
            unusable.to_string(),
            "unknown column \"dealVlaue\"\n  --> standard input:1:2\nhint: did you mean details.dealValue? – else keep it out of the change with --ignore-column dealVlaue"
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
}
