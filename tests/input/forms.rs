//! Reports have the form of their input: what a spreadsheet wrote it opens again, and a round through it changes
//! nothing but what a person changed.

use std::fs;

use serde_json::Value;

use crate::support::case::{Ran, Test};
use crate::support::waiting::each;

/// Two referrals of the samples.
const GOOD: &str = "5a1e0001-0000-4000-8000-000000000015";
const BAD: &str = "5a1e0001-0000-4000-8000-000000000027";

const PLAN: &str = "--plan --state referrals.jsonl --summary none --progress none";

/// Text with all that separates cells somewhere.
const NOTES: &str = "Grüße; \"so\", sagt sie,\tund – 日本 𝄞\nzweite Zeile";

/// How a file is written.
#[derive(Debug, Clone, Copy)]
struct Form {
    separator: char,
    encoding: Encoding,
    line_end: &'static str,
    /// Whether a line before the header says what separates the cells.
    says: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf8Marked,
    Utf16Le,
    Utf16Be,
}

impl Form {
    /// Every form that there is.
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for encoding in [Encoding::Utf8, Encoding::Utf8Marked, Encoding::Utf16Le, Encoding::Utf16Be] {
            for separator in [',', ';', '\t'] {
                for line_end in ["\n", "\r\n", "\r"] {
                    all.extend([false, true].map(|says| Self { separator, encoding, line_end, says }));
                }
            }
        }
        all.push(Self { separator: '|', encoding: Encoding::Utf8, line_end: "\n", says: true });
        all
    }

    fn write(self, rows: &[Vec<String>]) -> Vec<u8> {
        let says = if self.says { format!("sep={}{}", self.separator, self.line_end) } else { String::new() };
        let lines = rows.iter().map(|row| {
            let cells = row.iter().map(|cell| self.cell(cell)).collect::<Vec<_>>();
            cells.join(&self.separator.to_string()) + self.line_end
        });
        self.encode(&(says + &lines.collect::<String>()))
    }

    fn cell(self, cell: &str) -> String {
        if cell.contains([self.separator, '"', '\n', '\r']) {
            return format!("\"{}\"", cell.replace('"', "\"\""));
        }
        cell.to_owned()
    }

    fn encode(self, text: &str) -> Vec<u8> {
        let marked = format!("\u{feff}{text}");
        match self.encoding {
            Encoding::Utf8 => text.as_bytes().to_vec(),
            Encoding::Utf8Marked => marked.into_bytes(),
            Encoding::Utf16Le => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf16Be => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }

    fn decode(self, bytes: &[u8]) -> String {
        let units = |order: fn([u8; 2]) -> u16| {
            let units: Vec<u16> = bytes.chunks(2).map(|unit| order(unit.try_into().unwrap())).collect();
            String::from_utf16(&units).unwrap()
        };
        let text = match self.encoding {
            Encoding::Utf8 => return String::from_utf8(bytes.to_vec()).unwrap(),
            Encoding::Utf8Marked => String::from_utf8(bytes.to_vec()).unwrap(),
            Encoding::Utf16Le => units(u16::from_le_bytes),
            Encoding::Utf16Be => units(u16::from_be_bytes),
        };
        text.strip_prefix('\u{feff}').expect("a byte order mark").to_owned()
    }

    /// The rows of a file of this form. A line end within a cell is a line feed, whatever ends the rows.
    fn read(self, bytes: &[u8]) -> Vec<Vec<String>> {
        let text = self.decode(bytes);
        let says = if self.says { format!("sep={}{}", self.separator, self.line_end) } else { String::new() };
        let text = text.strip_prefix(&says).expect("a line that names the separator");
        assert!(text.ends_with(self.line_end), "{text:?}");
        let outside: String = text.split('"').step_by(2).collect();
        let other = if self.line_end == "\n" { '\r' } else { '\0' };
        assert!(!outside.replace(self.line_end, "").contains(['\r', '\n', other]), "{text:?}");
        let mut reader = csv::ReaderBuilder::new();
        let reader =
            reader.has_headers(false).flexible(true).delimiter(u8::try_from(self.separator).unwrap());
        let records = reader.from_reader(text.as_bytes()).into_records();
        records.map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }
}

/// What the rows of a file hold in columns that no report added, the header included.
fn own(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let own: Vec<usize> = (0..rows[0].len()).filter(|at| !rows[0][*at].starts_with("result.")).collect();
    rows.iter().map(|row| own.iter().map(|at| row[*at].clone()).collect()).collect()
}

/// Every row as long as the longest, as a spreadsheet saves them.
fn padded(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let width = rows.iter().map(Vec::len).max().unwrap_or_default();
    rows.iter_mut().for_each(|row| row.resize(width, String::new()));
    rows
}

fn apply(file: &str, content: Vec<u8>, run: &str, code: i32) -> Ran {
    Test::new(&format!("apply {file} {PLAN} --out {run}"))
        .sample("referrals.jsonl")
        .file(file, content)
        .code(code)
        .told_elsewhere()
        .run()
}

fn strings(rows: &[&[&str]]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

/// What a plan wants of a referral's notes.
fn notes_of(ran: &Ran, run: &str, id: &str) -> String {
    let plan = ran.place.raw(&format!("{run}/plan.jsonl"));
    let mut lines = plan.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let line = lines.find(|line| line["id"] == id).unwrap();
    let operations = line["operations"].as_array().unwrap();
    let notes = operations.iter().find(|operation| operation["path"] == "/details/notes").unwrap();
    notes["value"].as_str().unwrap().to_owned()
}

#[test]
fn a_report_comes_back_from_a_spreadsheet_as_it_was() {
    each(&Form::all(), |form| {
        let input = strings(&[&["id", "notes", "dealValue"], &[GOOD, NOTES, "5"], &[BAD, NOTES, "ten"]]);
        let first = apply("a.csv", form.write(&input), "run", 3);
        assert_eq!(first.outcomes("run"), "1 planned, 1 invalid", "{form:?}");
        assert_eq!(notes_of(&first, "run", GOOD), NOTES, "{form:?}");
        let report = |ran: &Ran, name: &str| form.read(&fs::read(ran.place.path(name)).unwrap());
        let (success, error) = (report(&first, "run/success.csv"), report(&first, "run/error.csv"));
        assert_eq!(own(&success), [input[0].clone(), input[1].clone()], "{form:?}");
        assert_eq!(own(&error), [input[0].clone(), input[2].clone()], "{form:?}");
        assert_eq!(report(&first, "run/conflict.csv").len(), 1, "{form:?}");

        let saved = padded(error.clone());
        let again = apply("error.csv", form.write(&saved), "again", 3);
        assert_eq!(own(&report(&again, "again/error.csv")), own(&error), "{form:?}");

        let mut mended = saved;
        mended[1][2] = "10".to_owned();
        let last = apply("error.csv", form.write(&mended), "last", 0);
        assert_eq!(last.outcomes("last"), "1 planned", "{form:?}");
        assert_eq!(notes_of(&last, "last", BAD), NOTES, "{form:?}");
    });
}

#[test]
fn json_lines_are_given_back_in_their_form() {
    let forms: Vec<Form> =
        Form::all().into_iter().filter(|form| form.separator == ',' && !form.says).collect();
    each(&forms, |form| {
        let line = |id: &str, value: &str| {
            format!(
                "{{\"id\":\"{id}\",\"details\":{{\"notes\":\"Grüße\",\"dealValue\":{value}}}}}{}",
                form.line_end
            )
        };
        let first = apply("a.jsonl", form.encode(&(line(GOOD, "5") + &line(BAD, "true"))), "run", 3);
        let error = form.decode(&fs::read(first.place.path("run/error.jsonl")).unwrap());
        let (own, end) = (line(BAD, "true"), form.line_end);
        assert!(error.starts_with(own.strip_suffix(&format!("}}{end}")).unwrap()), "{form:?}: {error}");
        assert!(error.ends_with(&format!("}}{end}")), "{form:?}: {error:?}");
        assert_eq!(error.matches(['\r', '\n']).count(), end.len(), "{form:?}: {error:?}");
        let mended = form.encode(&error.replace("true", "10"));
        assert_eq!(apply("error.jsonl", mended, "again", 0).outcomes("again"), "1 planned", "{form:?}");
    });
}

#[test]
fn of_several_inputs_the_first_decides_and_that_is_said() {
    let semicolons = format!("id;notes\r\n{GOOD};ab\r\n");
    let ran = Test::new(&format!("apply a.csv b.csv {PLAN} --out run"))
        .sample("referrals.jsonl")
        .file("a.csv", semicolons)
        .file("b.csv", format!("notes,id\nx;y,{BAD}\n"))
        .stderr(
            "note: a.csv: separated by ';', CRLF line ends\n\
             note: the inputs differ in form; reports are written as a.csv is: separated by ';', CRLF line ends\n\
             next: referral-bulk resume run\n",
        )
        .run();
    let success = ran.place.raw("run/success.csv");
    let own: Vec<&str> = success.lines().map(|line| line.split(";planned").next().unwrap()).collect();
    assert_eq!(own[1..], [format!("{GOOD};ab"), format!("{BAD};\"x;y\"")]);
    assert!(success.starts_with("id;notes;result.outcome;") && success.ends_with("\r\n"), "{success}");
}
