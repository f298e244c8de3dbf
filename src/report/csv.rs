//! Row files as CSV: the input's own columns, followed by the results of the row.
//!
//! **The own columns are given back verbatim.** A file that is fed back must ask for what the user wrote, and
//! an escaped cell no longer does: `-5` would become text, a note another note. The `result.*` columns, on the
//! other hand, are ignored when fed back and hold text from elsewhere, so there a leading `'` goes before
//! whatever a spreadsheet would run as a formula. Where the system's settings separate lists by semicolons,
//! spreadsheets split at those even within quotes: what follows one counts as a cell, too.
//!
//! **A date in doubt stays in doubt.** Where an input leaves open which part of a date is the month, the files of its
//! errors have another column, with the dates of each row that are in doubt: the row that showed it may not be there
//! when they are fed back.
//!
//! **A malformed row stays malformed.** Of a row with the wrong number of cells, as many as there are columns
//! stand under them; the surplus cells follow at the very end of the row, beyond the header. A row that is
//! malformed in another way and would look sound (text behind a closing quote, a cell that was cut, half a
//! line) has a [mark](UNSOUND) there instead. So nothing is lost, the results stand under their columns, and
//! the row is refused when fed back until a user corrects it: only a user knows which cell belongs under which
//! column, and otherwise values would be sent that nobody looked at. Spreadsheets pad rows with empty cells and
//! keep what is in a cell, so a mark survives where a missing cell would not.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::{QuoteStyle, Terminator};
use serde_json::value::RawValue;

use crate::domain::account::{InputInfo, RowAccount, UNSOUND};
use crate::domain::characters::visible_json;
use crate::domain::day_doubt::{DateColumns, DateDoubt, IN_DOUBT};
use crate::domain::format::Format;
use crate::domain::formula::{defused, defused_json};
use crate::domain::outcome::Bucket;
use crate::domain::subject;
use crate::domain::text_form::{LineEnd, Separator, TextForm};

use super::atomic_file::{AtomicFile, BUFFER, ReportError};
use super::findings::compacted;
use super::form::FormedFile;
use super::in_doubt;
use super::row_file::{FiledRows, RowFile, is_mangled, name};
use super::shelf::Shelf;

/// The columns behind the own ones; the last five in files of conflicts only.
pub(super) const RESULTS: [&str; 12] = [
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
    "result.name",
    "result.customer",
];

/// Returns how many of [`RESULTS`] a row file has.
pub(super) fn results_in(bucket: Bucket) -> usize {
    if bucket == Bucket::Conflict { RESULTS.len() } else { RESULTS.len() - 5 }
}

/// Returns the names of the columns of results: in a file of errors with dates in doubt, those have one, too.
pub(super) fn result_columns(bucket: Bucket, columns: &Columns) -> Vec<&'static str> {
    let in_doubt = columns.tells_doubts(bucket).then_some(IN_DOUBT);
    RESULTS.into_iter().take(results_in(bucket)).chain(in_doubt).collect()
}

/// The own columns of all inputs together, by exact name in the order of first appearance. A name that one
/// input has twice is there twice.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) header: Vec<String>,
    inputs: Vec<InputColumns>,
    form: TextForm,
}

/// The columns of one input among those of all.
#[derive(Debug)]
pub(super) struct InputColumns {
    /// The number of the input's columns.
    pub(super) count: usize,
    /// For each column of the file, the input's cell that belongs there.
    pub(super) cells: Vec<Option<usize>>,
    /// The columns without a name: a row that has something there is refused for it.
    pub(super) nameless: Vec<usize>,
    /// The columns of Partner Center's dates.
    pub(super) dates: DateColumns,
}

/// Returns whether all of these cells are blank.
pub(super) fn is_empty<'c>(cells: impl IntoIterator<Item = &'c str>) -> bool {
    cells.into_iter().all(|cell| cell.trim().is_empty())
}

impl Columns {
    /// Unites the columns of the inputs of these formats. Those of the others have no place in the file.
    pub(super) fn of(inputs: &[InputInfo], of: impl Fn(Format) -> bool, form: TextForm) -> Self {
        let mut header: Vec<String> = Vec::new();
        let mut places: Vec<Vec<usize>> = Vec::new();
        for InputInfo { columns, format, .. } in inputs {
            let columns = if of(*format) { columns.as_slice() } else { &[] };
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
        let own = |(own, input): (&Vec<usize>, &InputInfo)| InputColumns {
            count: own.len(),
            cells: cells_of(own),
            nameless: nameless(own),
            dates: if of(input.format) { input.dates.clone() } else { DateColumns::default() },
        };
        let inputs = places.iter().zip(inputs).map(own).collect();
        Self { header, inputs, form }
    }

    /// Whether a file has a column of the dates that are in doubt.
    pub(super) fn tells_doubts(&self, bucket: Bucket) -> bool {
        bucket == Bucket::Error && self.inputs.iter().any(|input| input.dates.doubt != DateDoubt::None)
    }

    /// Returns the columns of an input.
    pub(super) fn of_input(&self, input: u32) -> &InputColumns {
        let own = self.inputs.get(input as usize);
        own.expect("a row's input is looked up before its file is chosen")
    }
}

/// A CSV row file while it is written.
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
        let file = AtomicFile::begin(dir, &name(bucket, "csv"))?;
        let path = file.path().to_owned();
        let begun = || {
            let mut file = FormedFile::begin(file, &columns.form)?;
            file.write_all(&header(&columns, bucket)?)?;
            Ok(writer(&columns.form, QuoteStyle::Necessary).from_writer(file))
        };
        let writer = begun().map_err(|source| ReportError::Write { path: path.clone(), source })?;
        Ok(Self { bucket, columns, writer, path, rows: 0 })
    }

    /// Writes a row.
    fn record(&mut self, row: &RowAccount) -> Result<(), csv::Error> {
        let columns = Arc::clone(&self.columns);
        let own = columns.of_input(row.place.input);
        let cells = row.text.cells();
        for cell in &own.cells {
            let cell = cell.and_then(|at| cells.get(at)).copied().unwrap_or_default();
            self.writer.write_field(cell)?;
        }
        let results = results(row);
        for result in &results[..results_in(self.bucket)] {
            self.writer.write_field(result.as_ref())?;
        }
        if columns.tells_doubts(self.bucket) {
            self.writer.write_field(in_doubt::told(row, &own.dates))?;
        }
        let surplus = cells.get(own.count..).unwrap_or_default();
        if !is_empty(surplus.iter().copied()) {
            surplus.iter().try_for_each(|cell| self.writer.write_field(cell))?;
        } else if is_mangled(row) && own.nameless.iter().all(|at| is_empty(cells.get(*at).copied())) {
            // Where something stands in a column without a name, the row is refused for that and needs no mark.
            self.writer.write_field(UNSOUND)?;
        }
        self.writer.write_record(None::<&[u8]>)
    }

    fn error(&self, error: csv::Error) -> ReportError {
        ReportError::Write { path: self.path.clone(), source: error.into() }
    }
}

/// Returns a CSV writer for a form.
pub(super) fn writer(form: &TextForm, quotes: QuoteStyle) -> csv::WriterBuilder {
    let mut writer = csv::WriterBuilder::new();
    let terminator = match form.line_end {
        LineEnd::Lf => Terminator::Any(b'\n'),
        LineEnd::CrLf => Terminator::CRLF,
        LineEnd::Cr => Terminator::Any(b'\r'),
    };
    // Surplus cells make a row longer than the header.
    writer.flexible(true).delimiter(form.separator.byte()).terminator(terminator).quote_style(quotes);
    writer.buffer_capacity(BUFFER);
    writer
}

/// Returns the line that names the separator, where the input has one.
pub(super) fn says_separator(form: &TextForm) -> String {
    if !form.says_separator {
        return String::new();
    }
    format!("sep={}{}", char::from(form.separator), form.line_end.text())
}

/// Returns the header, behind the line that names the separator where the input has one. If a name holds a
/// character that separates other files, all names are quoted, so that the character is not taken for the
/// separator.
fn header(columns: &Columns, bucket: Bucket) -> io::Result<Vec<u8>> {
    let Columns { header, form, .. } = columns;
    let text = says_separator(form).into_bytes();
    let misleads = |name: &String| Separator::USUAL.iter().any(|usual| name.contains(char::from(*usual)));
    let quotes = if header.iter().any(misleads) { QuoteStyle::Always } else { QuoteStyle::Necessary };
    let mut writer = writer(form, quotes).from_writer(text);
    let own = header.iter().map(String::as_str);
    writer.write_record(own.chain(result_columns(bucket, columns)))?;
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

impl RowFile for CsvFile {
    fn row(&mut self, row: &RowAccount) -> Result<(), ReportError> {
        self.rows += 1;
        self.record(row).map_err(|error| self.error(error))
    }

    fn finish(self: Box<Self>, shelf: &Shelf) -> Result<FiledRows, ReportError> {
        let path = self.path;
        let whole = self.writer.into_inner().map_err(|error| ReportError::Write {
            path,
            source: io::Error::new(error.error().kind(), error.error().to_string()),
        })?;
        Ok(FiledRows { filed: whole.into_atomic().put(shelf)?, rows: self.rows, bucket: self.bucket })
    }
}

/// Returns the results of a row, in the order of [`RESULTS`].
pub(super) fn results(row: &RowAccount) -> [Cow<'_, str>; RESULTS.len()] {
    let verdict = &row.verdict;
    let [name, customer] = subject::names(row.subject.as_ref());
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
        defused(name.unwrap_or_default()),
        defused(customer.unwrap_or_default()),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::testing::{csv_input, jsonl_input};
    use super::*;

    #[test]
    fn columns_are_united_by_exact_text() {
        let inputs = [
            csv_input("a.csv", &["id", "notes", "notes"], 0),
            jsonl_input("b.jsonl", 0),
            csv_input("c.csv", &["Notes", "notes", "id"], 0),
        ];
        let columns = Columns::of(&inputs, |format| format == Format::Csv, TextForm::default());
        assert_eq!(columns.header, ["id", "notes", "notes", "Notes"]);
        assert_eq!(columns.inputs[0].cells, [Some(0), Some(1), Some(2), None]);
        assert_eq!(columns.inputs[1].cells, [None; 4]);
        assert_eq!(columns.inputs[2].cells, [Some(2), Some(1), None, Some(0)]);
    }
}
