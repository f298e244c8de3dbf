//! Row files as CSV: the input's own columns, then what became of the row.
//!
//! **The own columns are given back verbatim.** Whatever the user wrote is what a file that is fed
//! back must say, and a cell that is defused no longer says it: `-5` would become text, a note
//! another note. What comes from elsewhere, the `result.*` columns, is ignored when fed back, so
//! there whatever a spreadsheet would run as a formula gets a leading `'`. Where the system separates lists
//! by semicolons, spreadsheets split at those, in quotes or not: what follows on one is a cell, too.
//!
//! **A row that is not sound stays so.** Of a row with the wrong number of cells, as many as fit
//! stand under their columns; surplus ones follow at the row's very end, beyond the header. A row that is broken
//! otherwise and would look sound (text behind a quote, a cell that was cut, half of a line) has a
//! [mark](UNSOUND) there instead. Nothing is lost, results stand where they belong, and the row, fed back, is
//! refused until somebody mends it: nobody else knows which cell belongs under which column, and a
//! row that became sound by itself would send values that nobody looked at. A spreadsheet pads rows and keeps
//! what is in a cell, so a mark survives where a missing cell would not.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::{QuoteStyle, Terminator};
use serde_json::value::RawValue;

use crate::domain::account::{InputInfo, RowAccount, RowText, UNSOUND};
use crate::domain::characters::{is_hidden, visible_json};
use crate::domain::outcome::Bucket;
use crate::domain::text_form::{LineEnd, Separator, TextForm};

use super::atomic_file::{BUFFER, ReportError, WholeFile};
use super::findings::compacted;
use super::form::FormedFile;
use super::row_file::{RowFile, RowsFiled, is_mangled, name};
use super::shelf::Shelf;

/// What follows the own columns, the last three on conflicts only.
const RESULTS: [&str; 10] = [
    "result.outcome",
    "result.code",
    "result.message",
    "result.status",
    "result.request_id",
    "result.etag",
    "result.at",
    "result.base",
    "result.ours",
    "result.theirs",
];

/// How many of [`RESULTS`] a row file has.
fn results_in(bucket: Bucket) -> usize {
    if bucket == Bucket::Conflict { RESULTS.len() } else { RESULTS.len() - 3 }
}

/// The own columns of all inputs together, by exact text in the order of first appearance. A header
/// that one input has twice is there twice.
#[derive(Debug)]
pub(super) struct Columns {
    header: Vec<String>,
    inputs: Vec<InputColumns>,
    form: TextForm,
}

/// One input's columns among those of all.
#[derive(Debug)]
struct InputColumns {
    /// How many there are.
    count: usize,
    /// For each column of the file, which of the input's cells belongs there.
    cells: Vec<Option<usize>>,
    /// Those without a name: a row that has something there is refused for it.
    nameless: Vec<usize>,
}

/// Whether nothing is in any of these cells.
fn is_empty<'c>(cells: impl IntoIterator<Item = &'c String>) -> bool {
    cells.into_iter().all(|cell| cell.trim().is_empty())
}

impl Columns {
    pub(super) fn of(inputs: &[InputInfo], form: TextForm) -> Self {
        let mut header: Vec<String> = Vec::new();
        let mut places: Vec<Vec<usize>> = Vec::new();
        for InputInfo { columns, .. } in inputs {
            let mut own = Vec::with_capacity(columns.len());
            for (at, column) in columns.iter().enumerate() {
                let earlier = columns[..at].iter().filter(|other| *other == column).count();
                let mut same = (0..header.len()).filter(|place| header[*place] == *column);
                own.push(same.nth(earlier).unwrap_or(header.len()));
                if own[at] == header.len() {
                    header.push(column.clone());
                }
            }
            places.push(own);
        }
        let cells_of = |own: &Vec<usize>| {
            (0..header.len()).map(|column| own.iter().position(|place| *place == column)).collect()
        };
        let nameless = |own: &Vec<usize>| {
            (0..own.len()).filter(|at| header[own[*at]].trim().is_empty()).collect::<Vec<_>>()
        };
        let own = |own: &Vec<usize>| InputColumns {
            count: own.len(),
            cells: cells_of(own),
            nameless: nameless(own),
        };
        let inputs = places.iter().map(own).collect();
        Self { header, inputs, form }
    }
}

/// One row file.
pub(super) struct CsvFile {
    bucket: Bucket,
    columns: Arc<Columns>,
    writer: csv::Writer<FormedFile>,
    path: PathBuf,
    rows: u64,
}

impl CsvFile {
    /// Begins the file with its header.
    pub(super) fn begin(dir: &Path, bucket: Bucket, columns: Arc<Columns>) -> Result<Self, ReportError> {
        let file = WholeFile::begin(dir, &name(bucket, "csv"))?;
        let path = file.path().to_owned();
        let begun = || {
            let mut file = FormedFile::begin(file, &columns.form)?;
            file.write_all(&header(&columns, bucket)?)?;
            Ok(writer(&columns.form, QuoteStyle::Necessary).from_writer(file))
        };
        let writer = begun().map_err(|source| ReportError::Write { path: path.clone(), source })?;
        Ok(Self { bucket, columns, writer, path, rows: 0 })
    }

    fn record(&mut self, row: &RowAccount) -> Result<(), csv::Error> {
        let columns = Arc::clone(&self.columns);
        let own = columns.inputs.get(row.place.input as usize);
        let own = own.expect("a row's input is looked up before its file is chosen");
        let cells = match &row.text {
            RowText::Cells(cells) => cells.as_slice(),
            // A record that could not be split into cells is one cell.
            RowText::Line(line) => std::slice::from_ref(line),
        };
        for cell in &own.cells {
            let cell = cell.and_then(|at| cells.get(at)).map_or("", String::as_str);
            self.writer.write_field(cell)?;
        }
        let results = results(row);
        for result in &results[..results_in(self.bucket)] {
            self.writer.write_field(result.as_ref())?;
        }
        let surplus = cells.get(own.count..).unwrap_or_default();
        if !is_empty(surplus) {
            surplus.iter().try_for_each(|cell| self.writer.write_field(cell))?;
        } else if is_mangled(row) && own.nameless.iter().all(|at| is_empty(cells.get(*at))) {
            self.writer.write_field(UNSOUND)?;
        }
        self.writer.write_record(None::<&[u8]>)
    }

    fn error(&self, error: csv::Error) -> ReportError {
        ReportError::Write { path: self.path.clone(), source: error.into() }
    }
}

/// Writes CSV in a form.
fn writer(form: &TextForm, quotes: QuoteStyle) -> csv::WriterBuilder {
    let mut writer = csv::WriterBuilder::new();
    let terminator = match form.line_end {
        LineEnd::Lf => Terminator::Any(b'\n'),
        LineEnd::CrLf => Terminator::CRLF,
        LineEnd::Cr => Terminator::Any(b'\r'),
    };
    writer.flexible(true).delimiter(form.separator.byte()).terminator(terminator).quote_style(quotes);
    writer.buffer_capacity(BUFFER);
    writer
}

/// The header, behind the line that names the separator where the input has one. Its names are quoted where
/// one of them holds what separates other files, so that nobody takes it for the separator.
fn header(columns: &Columns, bucket: Bucket) -> io::Result<Vec<u8>> {
    let Columns { header, form, .. } = columns;
    let mut text = Vec::new();
    if form.says_separator {
        write!(text, "sep={}{}", char::from(form.separator), form.line_end.text())?;
    }
    let misleads = |name: &String| Separator::USUAL.iter().any(|usual| name.contains(char::from(*usual)));
    let quotes = if header.iter().any(misleads) { QuoteStyle::Always } else { QuoteStyle::Necessary };
    let mut writer = writer(form, quotes).from_writer(text);
    let own = header.iter().map(String::as_str);
    writer.write_record(own.chain(RESULTS.into_iter().take(results_in(bucket))))?;
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

impl RowFile for CsvFile {
    fn row(&mut self, row: &RowAccount) -> Result<(), ReportError> {
        self.rows += 1;
        self.record(row).map_err(|error| self.error(error))
    }

    fn finish(self: Box<Self>, shelf: &Shelf) -> Result<RowsFiled, ReportError> {
        let path = self.path;
        let whole = self.writer.into_inner().map_err(|error| ReportError::Write {
            path,
            source: io::Error::new(error.error().kind(), error.error().to_string()),
        })?;
        Ok(RowsFiled { filed: whole.into_whole().keep(shelf)?, rows: self.rows, bucket: self.bucket })
    }
}

fn results(row: &RowAccount) -> [Cow<'_, str>; RESULTS.len()] {
    let verdict = &row.verdict;
    let text = |value: Option<String>| Cow::Owned(value.unwrap_or_default());
    let json = |value: &Option<Box<RawValue>>| {
        text(value.as_ref().map(|raw| defused_json(&visible_json(compacted(raw).get()))))
    };
    [
        Cow::Borrowed(verdict.outcome.name()),
        defused(&verdict.code),
        defused(verdict.message.as_str()),
        text(verdict.status.map(|status| status.to_string())),
        text(row.request_ids.last().map(ToString::to_string)),
        defused(row.etag.as_ref().map_or("", |etag| etag.as_str())),
        text(row.at.map(|at| at.to_string())),
        json(&row.base),
        json(&row.ours),
        json(&row.theirs),
    ]
}

/// What ends a cell for one spreadsheet or another, whatever separates the cells here.
const ENDS: [char; 5] = [',', ';', '\t', '\r', '\n'];

/// Text that a spreadsheet takes for text, also where it splits it.
fn defused(text: &str) -> Cow<'_, str> {
    let pieces = || text.split_inclusive(ENDS);
    if !pieces().any(is_formula) {
        return Cow::Borrowed(text);
    }
    let safe = pieces().flat_map(|piece| [if is_formula(piece) { "'" } else { "" }, piece]);
    Cow::Owned(safe.collect())
}

/// JSON that means the same and is text to a spreadsheet, also where it splits it. In a string, what it splits
/// at is escaped where a formula would follow; a comma between strings stays, and the sign behind it is escaped.
fn defused_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    let (mut in_string, mut is_escaped, mut is_first) = (false, false, false);
    for (at, c) in json.char_indices() {
        let ends = matches!(c, ',' | ';') && is_formula(&json[at + 1..]);
        let must_escape = in_string && (ends || is_first && is_formula(&json[at..]));
        is_first = if in_string { false } else { ends || is_first && c == '"' };
        if c == '"' && !is_escaped {
            in_string = !in_string;
        }
        is_escaped = c == '\\' && !is_escaped;
        if must_escape {
            safe.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Whether a spreadsheet may take a cell for a formula: some look past blanks, and past a quote where they
/// split in the middle of a cell; some take the wide forms of the signs, which Chinese and Japanese have.
fn is_formula(cell: &str) -> bool {
    let is_passed_over =
        |c: char| matches!(c, ' ' | '\u{a0}' | '\u{3000}' | '"') || (is_hidden(c) && !ENDS.contains(&c));
    let cell = cell.trim_start_matches(is_passed_over);
    cell.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::super::testing::{csv_input, jsonl_input};
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_defused() {
        for (text, wanted) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("", ""),
            ("plain = text", "plain = text"),
            ("\nx", "'\nx"),
            (" =1", "' =1"),
            ("\u{feff}\u{a0}=1", "'\u{feff}\u{a0}=1"),
            ("＝1", "'＝1"),
            ("＋1", "'＋1"),
            ("－1", "'－1"),
            ("＠SUM(A1)", "'＠SUM(A1)"),
            ("a;=1;b", "a;'=1;b"),
            ("a; \"=1\";;-1", "a;' \"=1\";;'-1"),
            ("a\t@x", "a\t'@x"),
            ("a\n+x", "a\n'+x"),
            ("a;b - c", "a;b - c"),
            ("a,=1", "a,'=1"),
            ("'=1", "'=1"),
            ("\"v1\"", "\"v1\""),
        ] {
            assert_eq!(defused(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn what_a_spreadsheet_would_run_of_json_is_defused_and_means_the_same() {
        for (json, wanted) in [
            (r#"{"notes":"a;=cmd|'/C calc'!A0;b"}"#, r#"{"notes":"a\u003b=cmd|'/C calc'!A0;b"}"#),
            (r#"{"notes":";\"=1\";@x"}"#, r#"{"notes":";\"=1\"\u003b@x"}"#),
            (r#"{"notes":"a; -1"}"#, r#"{"notes":"a\u003b -1"}"#),
            (r#"{"notes":"=1,=1;b"}"#, r#"{"notes":"=1\u002c=1;b"}"#),
            (r#"{"notes":"a, b","x":[-1,-2]}"#, r#"{"notes":"a, b","x":[-1,-2]}"#),
            (r#"{"x":["a","=1","+\"1,@b"]}"#, r#"{"x":["a","\u003d1","\u002b\"1\u002c@b"]}"#),
            (r#"{"x":["a\\","=1",-5]}"#, r#"{"x":["a\\","\u003d1",-5]}"#),
        ] {
            let safe = defused_json(json);
            assert_eq!(safe, wanted);
            let parse = |json| serde_json::from_str::<serde_json::Value>(json).unwrap();
            assert_eq!(parse(&safe), parse(json));
        }
    }

    #[test]
    fn columns_are_united_by_exact_text() {
        let inputs = [
            csv_input("a.csv", &["id", "notes", "notes"], 0),
            jsonl_input("b.jsonl", 0),
            csv_input("c.csv", &["Notes", "notes", "id"], 0),
        ];
        let columns = Columns::of(&inputs, TextForm::default());
        assert_eq!(columns.header, ["id", "notes", "notes", "Notes"]);
        assert_eq!(columns.inputs[0].cells, [Some(0), Some(1), Some(2), None]);
        assert_eq!(columns.inputs[1].cells, [None; 4]);
        assert_eq!(columns.inputs[2].cells, [Some(2), Some(1), None, Some(0)]);
    }
}
