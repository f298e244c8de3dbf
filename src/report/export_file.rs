//! Files that are made of referrals: a snapshot, or a change file to look through and fill in.
//!
//! A referral may be taken back while the file is made, or come later than those behind it. So its line is put
//! aside at first. When all is known, the lines are copied in their order, and the file appears under its name.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use csv::QuoteStyle;
use jiff::Timestamp;

use crate::domain::cell_text::CellText;
use crate::domain::sheet_cell::{CellType, MOST_ROWS, SheetCell};

use super::atomic_file::{AtomicFile, BUFFER, ReportError};
use super::findings::{compacted, is_on_one_line};
use super::sheet_writer::SheetWriter;
use super::spool::{ExportSlot, Spool};

/// The name of the sheet.
const SHEET: &str = "Referrals";

/// What UTF-8 begins with where a spreadsheet is to take it for that.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A cell as it is written.
#[derive(Debug, Clone, Copy)]
pub struct WrittenCell<'a> {
    /// Its text.
    pub text: &'a CellText,
    /// Whether a reader takes it for a value, so that it has to know where guards stand.
    pub is_read: bool,
}

/// What such a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportForm {
    /// A referral a line, as the service sent it.
    Snapshot,
    /// A row a referral, as text under a header.
    Csv(ExportHeader),
    /// The same in a sheet of typed cells.
    Workbook {
        /// The header of the sheet.
        header: ExportHeader,
        /// The types of the cells in each column.
        types: Vec<CellType>,
        /// When it is made.
        created: Timestamp,
    },
}

/// The header of a change file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportHeader {
    /// The names of the columns.
    pub names: Vec<String>,
    /// The name of the column that names those in whose cells guards stand, which is added where any do.
    pub guarded: &'static str,
    /// What separates the names in it.
    pub between: &'static str,
}

impl ExportHeader {
    /// Returns the names of the columns in whose cells guards stand; `None` where none do.
    fn guards(&self, cells: &[WrittenCell<'_>]) -> Option<Box<str>> {
        let has_guard = |cell: &WrittenCell<'_>| {
            cell.is_read && matches!(cell.text, CellText::Text(plain) if *plain != cell.text.defused())
        };
        let guarded = cells.iter().zip(&self.names).filter(|(cell, _)| has_guard(cell));
        let guarded: Vec<&str> = guarded.map(|(_, name)| name.as_str()).collect();
        (!guarded.is_empty()).then(|| guarded.join(self.between).into_boxed_str())
    }

    /// Returns the names of the columns of a file that has guards, or has none.
    fn all(&self, has_guards: bool) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str).chain(has_guards.then_some(self.guarded))
    }
}

/// Such a file while it is made.
pub struct ExportFile {
    path: PathBuf,
    form: ExportForm,
    /// The lines of the file, or the cells of a sheet as JSON; with each the names of the columns in whose cells
    /// guards stand.
    spool: Spool<Option<Box<str>>>,
    /// Whether all of it is ASCII so far.
    is_ascii: bool,
}

impl ExportFile {
    /// Begins a file. Nothing has its name until [`ExportFile::finish`].
    ///
    /// # Errors
    /// Where nothing can be written in its directory, which must exist.
    pub fn begin(path: &Path, form: ExportForm) -> Result<Self, ReportError> {
        match Spool::begin(directory(path)) {
            Ok(spool) => Ok(Self { path: path.to_owned(), form, spool, is_ascii: true }),
            Err(source) => Err(ReportError::Write { path: path.to_owned(), source }),
        }
    }

    /// Returns the place of another referral, behind all others.
    pub fn slot(&mut self) -> ExportSlot {
        self.spool.slot()
    }

    /// Puts a referral in its place, as JSON, instead of what was there.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn snapshot(&mut self, slot: ExportSlot, json: &str) -> Result<(), ReportError> {
        let line = if is_on_one_line(json) {
            format!("{json}\n")
        } else {
            let raw = serde_json::from_str(json).map_err(|error| self.error(error.into()))?;
            format!("{}\n", compacted(raw))
        };
        self.spool.put(slot, line.as_bytes(), None).map_err(|source| self.error(source))
    }

    /// Puts a row in its place, instead of what was there. It has a cell for each column.
    ///
    /// # Errors
    /// Where writing fails, or a sheet has no room for one more row.
    pub fn row(&mut self, slot: ExportSlot, cells: &[WrittenCell<'_>]) -> Result<(), ReportError> {
        let (header, line) = match &self.form {
            ExportForm::Snapshot => return Ok(()),
            ExportForm::Csv(header) => {
                let texts: Vec<_> = cells.iter().map(|cell| cell.text.defused()).collect();
                self.is_ascii &= texts.iter().all(|text| text.is_ascii());
                (header, record(texts.iter().map(AsRef::as_ref)))
            }
            ExportForm::Workbook { header, .. } => {
                let cells: Vec<SheetCell> = cells.iter().map(|cell| cell.text.typed()).collect();
                (header, serde_json::to_vec(&cells).map_err(io::Error::from))
            }
        };
        let guards = header.guards(cells);
        line.and_then(|line| self.spool.put(slot, &line, guards)).map_err(|source| self.error(source))?;
        if matches!(self.form, ExportForm::Workbook { .. }) && self.spool.count() > MOST_ROWS {
            return Err(ReportError::FullSheet { path: self.path.clone() });
        }
        Ok(())
    }

    /// Takes a referral out again.
    pub fn take_out(&mut self, slot: ExportSlot) {
        self.spool.take_out(slot);
    }

    /// Writes the file, and gives it its name. One that has the name already is replaced where that is allowed.
    /// Returns the number of referrals in it.
    ///
    /// # Errors
    /// Where writing fails, or another file has the name by now.
    pub fn finish(mut self, replace: bool) -> Result<u64, ReportError> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let whole = AtomicFile::begin(directory(&self.path), &name)?;
        let mut whole = BufWriter::with_capacity(BUFFER, whole);
        self.copy(&mut whole).map_err(|source| self.error(source))?;
        let whole = whole.into_inner().map_err(|error| self.error(error.into_error()))?;
        if replace {
            whole.replace()?
        } else {
            whole.put_new()?
        };
        Ok(self.spool.count())
    }

    /// Copies all lines in their order.
    fn copy(&mut self, whole: &mut (impl Write + Send)) -> io::Result<()> {
        let has_guards = self.spool.notes().any(Option::is_some);
        match &self.form {
            ExportForm::Snapshot => self.spool.each(|line, _| whole.write_all(line)),
            ExportForm::Csv(header) => {
                // A spreadsheet takes UTF-8 for its own old encoding unless it is marked; readers drop the mark.
                if !self.is_ascii {
                    whole.write_all(MARK)?;
                }
                whole.write_all(&record(header.all(has_guards))?)?;
                self.spool.each(|line, guards| {
                    if has_guards {
                        line.pop();
                        let cell = record(["", guards.as_deref().unwrap_or_default()])?;
                        line.extend_from_slice(cell.strip_prefix(b"\"\"").unwrap_or(&cell));
                    }
                    whole.write_all(line)
                })
            }
            ExportForm::Workbook { header, types, created } => {
                let mut sheet = SheetWriter::begin(directory(&self.path), Some(SHEET), *created)?;
                sheet.announce(types.iter().copied())?;
                for (column, name) in header.all(has_guards).enumerate() {
                    sheet.text(0, column, name)?;
                }
                let mut row = 0;
                self.spool.each(|line, guards| {
                    row += 1;
                    let cells: Vec<SheetCell> = serde_json::from_slice(line)?;
                    for (column, cell) in cells.iter().enumerate() {
                        sheet.cell(row, column, cell)?;
                    }
                    sheet.text(row, cells.len(), guards.as_deref().unwrap_or_default())?;
                    Ok(())
                })?;
                sheet.save(whole)
            }
        }
    }

    fn error(&self, source: io::Error) -> ReportError {
        ReportError::Write { path: self.path.clone(), source }
    }
}

/// Returns a record of CSV, with its line end.
fn record<'c>(cells: impl IntoIterator<Item = &'c str>) -> io::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().quote_style(QuoteStyle::Necessary).from_writer(Vec::new());
    writer.write_record(cells)?;
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// Returns the directory of a file; `.` where its path names none.
fn directory(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn table() -> ExportForm {
        let names = ["id", "notes", "result.name"].map(str::to_owned).into();
        ExportForm::Csv(ExportHeader { names, guarded: "export.guarded", between: "; " })
    }

    fn put(file: &mut ExportFile, slot: ExportSlot, notes: &str, name: &str) {
        let texts = [
            CellText::Plain("1".to_owned()),
            CellText::Text(notes.to_owned()),
            CellText::Text(name.to_owned()),
        ];
        let cell = |at: usize| WrittenCell { text: &texts[at], is_read: at < 2 };
        file.row(slot, &[cell(0), cell(1), cell(2)]).unwrap();
    }

    /// What a file holds of these notes, each with a name.
    fn written(rows: &[(&str, &str)]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let mut file = ExportFile::begin(&path, table()).unwrap();
        for (notes, name) in rows {
            let slot = file.slot();
            put(&mut file, slot, notes, name);
        }
        assert_eq!(file.finish(false).unwrap(), rows.len() as u64);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn guards_are_told_where_a_reader_has_to_know() {
        for (rows, wanted) in [
            (&[][..], "id,notes,result.name\n"),
            (&[("a\nb", "=1")], "id,notes,result.name\n1,\"a\nb\",'=1\n"),
            (
                &[("=1", "x"), ("plain", "y")],
                "id,notes,result.name,export.guarded\n1,'=1,x,notes\n1,plain,y,\n",
            ),
        ] {
            assert_eq!(written(rows), wanted, "{rows:?}");
        }
    }

    #[test]
    fn what_comes_later_stands_in_its_place_and_what_is_taken_out_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        let mut file = ExportFile::begin(&path, ExportForm::Snapshot).unwrap();
        let slots = [file.slot(), file.slot(), file.slot()];
        for (slot, json) in
            [(2, r#"{"c":1}"#), (0, "{\n\"a\": \"x y\"}"), (1, r#"{"b":1}"#), (2, r#"{"c":2}"#)]
        {
            file.snapshot(slots[slot], json).unwrap();
        }
        file.take_out(slots[1]);
        assert!(!path.exists());
        assert_eq!(file.finish(false).unwrap(), 2);
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":\"x y\"}\n{\"c\":2}\n");
    }

    #[test]
    fn a_file_of_that_name_is_replaced_where_that_is_allowed_and_else_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        fs::write(&path, "mine").unwrap();
        let begun = || ExportFile::begin(&path, table()).unwrap();
        assert!(begun().finish(false).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        drop(begun());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(begun().finish(true).unwrap(), 0);
        assert_eq!(fs::read_to_string(&path).unwrap(), "id,notes,result.name\n");
    }

    #[test]
    fn a_file_is_marked_as_utf_8_where_a_spreadsheet_would_take_it_for_another() {
        assert_eq!(written(&[("Zoe", "x")]), "id,notes,result.name\n1,Zoe,x\n");
        assert_eq!(
            written(&[("Zoe", "x"), ("Zoë", "x")]),
            "\u{feff}id,notes,result.name\n1,Zoe,x\n1,Zoë,x\n"
        );
    }

    #[test]
    fn a_sheet_holds_as_many_referrals_as_it_has_rows() {
        let dir = tempfile::tempdir().unwrap();
        let ExportForm::Csv(header) = table() else { panic!("a table is text") };
        let workbook =
            ExportForm::Workbook { header, types: vec![CellType::Text; 3], created: Timestamp::UNIX_EPOCH };
        let mut file = ExportFile::begin(&dir.path().join("a.xlsx"), workbook).unwrap();
        for _ in 1..MOST_ROWS {
            let slot = file.slot();
            file.spool.put(slot, b"[]", None).unwrap();
        }
        let texts = [(); 3].map(|()| CellText::Plain("x".to_owned()));
        let cells = [0, 1, 2].map(|at| WrittenCell { text: &texts[at], is_read: true });
        let last = file.slot();
        file.row(last, &cells).unwrap();
        file.row(last, &cells).unwrap();
        let more = file.slot();
        let error = file.row(more, &cells).unwrap_err().to_string();
        assert!(
            error.ends_with("a.xlsx: a sheet of a workbook has room for 1,048,575 rows, and there are more"),
            "{error}"
        );
    }
}
