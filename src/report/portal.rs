//! `error.portal-N.csv`: rows of Partner Center files that failed, to be uploaded there instead.
//!
//! They have the form that Partner Center takes: UTF-8 with a byte order mark, commas, CRLF, the header of their
//! input, and no more rows than an upload may have. Cells are given back as they were read; why a row failed stands
//! in its column `Errors`. A row in conflict isn't among them: Partner Center would overwrite what somebody else
//! changed. Rows of two inputs are never in one file, since each has the header of one. A date that is in doubt has a
//! mark in its own cell, so that it can't be uploaded, or fed back, before somebody looked at it.

use std::borrow::Cow;
use std::fs;
use std::io;

use csv::{Terminator, Writer, WriterBuilder};

use crate::domain::account::{InputInfo, RowAccount, RowText, UNSOUND};
use crate::domain::aliases::folded;
use crate::domain::day_doubt::{self, DateColumns};
use crate::domain::finding::Finding;
use crate::domain::formula::defused;
use crate::domain::outcome::Bucket;
use crate::domain::rules::Rule;
use crate::domain::sheet_cell::{CellType, SheetCell, as_portal_day};
use crate::domain::text_form::{Encoding, LineEnd, Separator, TextForm};

use super::atomic_file::{AtomicFile, BUFFER, Filed, ReportError, remove_stale};
use super::form::FormedFile;
use super::in_doubt;
use super::row_file::is_mangled;
use super::shelf::Shelf;
use super::written::Written;

/// The most rows that Partner Center takes in one upload.
const MOST_ROWS: u64 = 1_000;

/// The column in which Partner Center gives the reasons.
const ERRORS: &str = "Errors";

/// What a row says whose date is marked.
const IN_DOUBT: &str =
    "the date with a question mark is in doubt: write the day that is meant, without the mark";

/// The form that Partner Center takes.
const FORM: TextForm = TextForm {
    encoding: Encoding::Utf8Marked,
    line_end: LineEnd::CrLf,
    separator: Separator::COMMA,
    says_separator: false,
};

/// Returns the name of the file with this number, counted from 1.
fn name(number: u64) -> String {
    format!("error.portal-{number}.csv")
}

/// Returns whether a file has such a name.
pub(super) fn is_one(name: &str) -> bool {
    let number = name.strip_prefix("error.portal-").and_then(|rest| rest.strip_suffix(".csv"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns the names of such files in a run's directory, in no particular order.
pub(super) fn names_in(shelf: &Shelf) -> Result<Vec<String>, ReportError> {
    let unread = |source| ReportError::Write { path: shelf.dir().to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(shelf.dir()).map_err(unread)? {
        let name = entry.map_err(unread)?.file_name().to_string_lossy().into_owned();
        names.extend(is_one(&name).then_some(name));
    }
    names.sort();
    Ok(names)
}

/// The files of a run while they are written. One that is full is put in its place at once, so that a run of any size
/// has one open.
pub(super) struct PortalErrors {
    shelf: Shelf,
    /// The columns of every input; `None` for one that is no file of Partner Center's.
    inputs: Vec<Option<PortalColumns>>,
    open: Option<PortalErrorFile>,
    done: Vec<(Filed, u64)>,
}

/// The columns of an input.
struct PortalColumns {
    header: Vec<String>,
    /// Where the column of errors stands among them, or behind them.
    errors: usize,
    /// The columns of dates.
    dates: DateColumns,
}

/// A file while it is written.
struct PortalErrorFile {
    input: u32,
    rows: u64,
    writer: Writer<FormedFile>,
}

impl PortalErrors {
    /// Begins without any file: the first row that failed begins one.
    pub(super) fn begin(shelf: &Shelf, inputs: &[InputInfo]) -> Self {
        let inputs = inputs.iter().map(|input| input.is_portal.then(|| PortalColumns::of(input))).collect();
        Self { shelf: shelf.clone(), inputs, open: None, done: Vec::new() }
    }

    /// Adds a row, if it failed and comes from a file of Partner Center's.
    pub(super) fn row(&mut self, row: &RowAccount) -> Result<(), ReportError> {
        let input = row.place.input;
        let Some(Some(columns)) = self.inputs.get(input as usize) else { return Ok(()) };
        if row.verdict.outcome.bucket() != Bucket::Error {
            return Ok(());
        }
        let has_room = |file: &PortalErrorFile| file.input == input && file.rows < MOST_ROWS;
        let mut file = match self.open.take() {
            Some(open) if has_room(&open) => open,
            full => {
                self.done.extend(full.map(|full| full.put(&self.shelf, self.done.len())).transpose()?);
                PortalErrorFile::begin(&self.shelf, self.done.len(), input, columns)?
            }
        };
        file.rows += 1;
        let written = columns.record(&mut file.writer, row);
        self.open = Some(file);
        written.map_err(|error| self.unwritten(error.into()))
    }

    /// Puts the last file in its place, adds all to `written`, and removes those of an earlier report for which this
    /// one has no rows.
    pub(super) fn finish(mut self, written: &mut Written) -> Result<(), ReportError> {
        let last = self.open.take().map(|last| last.put(&self.shelf, self.done.len()));
        self.done.extend(last.transpose()?);
        let files = self.done.len();
        for (filed, rows) in self.done {
            written.report(filed, Some(rows), None);
        }
        let own: Vec<String> = (1..).take(files).map(name).collect();
        for stale in names_in(&self.shelf)?.into_iter().filter(|name| !own.contains(name)) {
            written.keep(remove_stale(&self.shelf, &stale)?.into_iter().collect());
        }
        Ok(())
    }

    fn unwritten(&self, source: io::Error) -> ReportError {
        ReportError::Write { path: self.shelf.dir().join(numbered(self.done.len())), source }
    }
}

/// Returns the name of the file behind this many others.
fn numbered(before: usize) -> String {
    name(before as u64 + 1)
}

impl PortalErrorFile {
    /// Begins the file behind this many others with the header of its input.
    fn begin(shelf: &Shelf, before: usize, input: u32, columns: &PortalColumns) -> Result<Self, ReportError> {
        let file = AtomicFile::begin(shelf.dir(), &numbered(before))?;
        let path = file.path().to_owned();
        let begun = || {
            let mut writer = WriterBuilder::new()
                .flexible(true)
                .terminator(Terminator::CRLF)
                .buffer_capacity(BUFFER)
                .from_writer(FormedFile::begin(file, &FORM)?);
            columns.header(&mut writer)?;
            Ok(writer)
        };
        let writer = begun().map_err(|source| ReportError::Write { path, source })?;
        Ok(Self { input, rows: 0, writer })
    }

    /// Puts the file behind this many others in its place.
    fn put(self, shelf: &Shelf, before: usize) -> Result<(Filed, u64), ReportError> {
        let whole = self.writer.into_inner().map_err(|error| ReportError::Write {
            path: shelf.dir().join(numbered(before)),
            source: io::Error::new(error.error().kind(), error.error().to_string()),
        })?;
        Ok((whole.into_atomic().put(shelf)?, self.rows))
    }
}

impl PortalColumns {
    fn of(input: &InputInfo) -> Self {
        let header = input.columns.clone();
        let errors = header.iter().position(|name| folded(name) == folded(ERRORS)).unwrap_or(header.len());
        Self { header, errors, dates: input.dates.clone() }
    }

    /// Writes the header: as it was, with a column of errors behind it where it has none.
    fn header(&self, writer: &mut Writer<FormedFile>) -> io::Result<()> {
        let added = (self.errors == self.header.len()).then_some(ERRORS);
        let names = self.header.iter().map(String::as_str).chain(added);
        Ok(writer.write_record(names)?)
    }

    /// Writes a row, its surplus cells behind the last column.
    fn record(&self, writer: &mut Writer<FormedFile>, row: &RowAccount) -> Result<(), csv::Error> {
        let mut cells = texts(&row.text);
        let in_doubt = in_doubt::cells(row, &self.dates);
        in_doubt.iter().for_each(|at| cells[*at] = day_doubt::marked(&cells[*at]).into());
        let width = self.header.len().max(self.errors + 1);
        for at in 0..width {
            if at == self.errors {
                writer.write_field(defused(&errors(row, !in_doubt.is_empty())).as_ref())?;
            } else {
                writer.write_field(cells.get(at).map_or("", AsRef::as_ref))?;
            }
        }
        let surplus = cells.get(self.header.len()..).unwrap_or_default();
        if surplus.iter().any(|cell| !cell.trim().is_empty()) {
            surplus.iter().try_for_each(|cell| writer.write_field(cell.as_ref()))?;
        } else if is_mangled(row) || has_lost_types(row) {
            writer.write_field(UNSOUND)?;
        }
        writer.write_record(None::<&[u8]>)
    }
}

/// Returns the cells of a row as text. A day has the form of Partner Center's.
fn texts(text: &RowText) -> Vec<Cow<'_, str>> {
    match text {
        RowText::Sheet(cells) => {
            let text = |cell: &SheetCell| match cell.kind {
                CellType::Date => as_portal_day(&cell.text).into(),
                _ => cell.text.clone().into(),
            };
            cells.iter().map(text).collect()
        }
        _ => text.cells().into_iter().map(Cow::Borrowed).collect(),
    }
}

/// Returns whether a row of a workbook was refused for the type of a cell, which text alone doesn't tell.
fn has_lost_types(row: &RowAccount) -> bool {
    let is_typed = |finding: &Finding| finding.is_deny() && matches!(finding.rule, Rule::Type | Rule::Id);
    matches!(row.text, RowText::Sheet(_)) && row.findings.iter().any(is_typed)
}

/// Returns why a row failed: what denies it, or else what became of it; and what is to be done about dates in doubt.
fn errors(row: &RowAccount, is_in_doubt: bool) -> String {
    let denied = row.findings.iter().filter(|finding| finding.is_deny());
    let mut denied: Vec<&str> = denied.map(|finding| finding.message.as_str()).collect();
    if denied.is_empty() {
        denied.push(row.verdict.message.as_str());
    }
    denied.extend(is_in_doubt.then_some(IN_DOUBT));
    denied.join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{cells, csv_input, row};
    use super::*;
    use crate::domain::outcome::Outcome;

    fn portal(path: &str, columns: &[&str]) -> InputInfo {
        InputInfo { is_portal: true, ..csv_input(path, columns, 1) }
    }

    /// Writes the files of these rows, and returns their names with the number of rows that is told of each.
    fn write(shelf: &Shelf, inputs: &[InputInfo], rows: &[RowAccount]) -> Vec<(String, Option<u64>)> {
        let mut files = PortalErrors::begin(shelf, inputs);
        rows.iter().for_each(|row| files.row(row).unwrap());
        let mut written = Written::default();
        files.finish(&mut written).unwrap();
        let name = |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        written.files().iter().map(|file| (name(&file.path), file.rows)).collect()
    }

    #[test]
    fn what_failed_is_written_as_partner_center_takes_it() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::take(dir.path(), || {});
        let inputs = [
            portal("a.csv", &["Errors", "Referral ID", "Notes"]),
            csv_input("b.csv", &["id"], 1),
            portal("c.csv", &["Referral ID", "Notes"]),
        ];
        let mut rows = Vec::new();
        for outcome in Outcome::ALL {
            for input in 0..3 {
                let ordinal = rows.len() as u64 + 1;
                let mut row = row(ordinal, input, outcome);
                row.text = if input == 0 { cells(&["old", "R", "-5, é"]) } else { cells(&["R"]) };
                rows.push(row);
            }
        }
        rows.sort_by_key(|row| row.place.input);
        let denied = |message: &str| Finding::deny(Rule::Type, rows[0].place, message);
        let findings = vec![denied("=a"), denied("b")];
        let invalid = rows.iter_mut().find(|row| row.verdict.outcome == Outcome::Invalid).unwrap();
        invalid.findings = findings;
        let got = write(&shelf, &inputs, &rows);
        let wanted = [("error.portal-1.csv".to_owned(), Some(4)), ("error.portal-2.csv".to_owned(), Some(4))];
        assert_eq!(got, wanted);
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(
            read("error.portal-1.csv"),
            "\u{feff}Errors,Referral ID,Notes\r\n'=a; b,R,\"-5, é\"\r\n\"refused, as it were\",R,\"-5, é\"\r\n\
             \"failed, as it were\",R,\"-5, é\"\r\n\"partial, as it were\",R,\"-5, é\"\r\n"
        );
        assert!(read("error.portal-2.csv").starts_with("\u{feff}Referral ID,Notes,Errors\r\nR,,\"invalid"));
    }

    #[test]
    fn a_file_has_no_more_rows_than_an_upload_may_have() {
        let dir = tempfile::tempdir().unwrap();
        let inputs = [portal("a.csv", &["Referral ID"]), portal("b.csv", &["Referral ID"])];
        let rows: Vec<RowAccount> =
            (1..=2_300).map(|ordinal| row(ordinal, u32::from(ordinal > 2_200), Outcome::Refused)).collect();
        let told = |rows: &[RowAccount]| {
            let written = write(&Shelf::take(dir.path(), || {}), &inputs, rows);
            written.into_iter().map(|(_, rows)| rows.unwrap()).collect::<Vec<_>>()
        };
        let there = || names_in(&Shelf::take(dir.path(), || {})).unwrap();
        assert_eq!(told(&rows), [1_000, 1_000, 200, 100]);
        assert_eq!(there().len(), 4);
        fs::write(dir.path().join("error.portal-4.csv"), "edited").unwrap();
        assert_eq!(told(&rows[..1_001]), [1_000, 1]);
        assert_eq!(there(), ["error.portal-1.csv", "error.portal-2.csv"]);
        assert_eq!(fs::read(dir.path().join("error.portal-4.edited-1.csv")).unwrap(), b"edited");
        assert_eq!(told(&[]), Vec::<u64>::new());
        assert_eq!(there(), Vec::<String>::new());
    }
}
