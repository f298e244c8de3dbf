//! Files that are made of referrals: a snapshot, or a change file to look through and fill in.
//!
//! A referral may be taken back while the file is made, or come later than those behind it. So its line is put
//! aside at first, in a file without a name: only this process can read it, and it is gone with the process,
//! however that ends. When all is known, the lines are copied in their order, and the file appears under its name.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use csv::QuoteStyle;

use crate::domain::cell_text::CellText;

use super::atomic_file::{AtomicFile, BUFFER, ReportError};
use super::findings::{compacted, is_on_one_line};

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
    /// A row a referral, under a header.
    Table {
        /// The names of the columns.
        names: Vec<String>,
        /// The name of the column that names those in whose cells guards stand, which is added where any do.
        guarded: &'static str,
        /// What separates the names in it.
        between: &'static str,
    },
}

/// The place of a referral among those of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExportSlot(usize);

/// Such a file while it is made.
pub struct ExportFile {
    path: PathBuf,
    form: ExportForm,
    spool: BufWriter<File>,
    written: u64,
    lines: Vec<Option<SpooledLine>>,
}

/// A line that was put aside.
struct SpooledLine {
    start: u64,
    length: u32,
    /// The names of the columns in whose cells guards stand.
    guards: Option<Box<str>>,
}

impl ExportFile {
    /// Begins a file. Nothing has its name until [`ExportFile::finish`].
    ///
    /// # Errors
    /// Where nothing can be written in its directory, which must exist.
    pub fn begin(path: &Path, form: ExportForm) -> Result<Self, ReportError> {
        let spool = tempfile::tempfile_in(directory(path));
        let spool = spool.map_err(|source| ReportError::Write { path: path.to_owned(), source })?;
        let spool = BufWriter::with_capacity(BUFFER, spool);
        Ok(Self { path: path.to_owned(), form, spool, written: 0, lines: Vec::new() })
    }

    /// Returns the place of another referral, behind all others.
    pub fn slot(&mut self) -> ExportSlot {
        self.lines.push(None);
        ExportSlot(self.lines.len() - 1)
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
        self.put(slot, line.as_bytes(), None)
    }

    /// Puts a row in its place, instead of what was there. It has a cell for each column.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn row(&mut self, slot: ExportSlot, cells: &[WrittenCell<'_>]) -> Result<(), ReportError> {
        let ExportForm::Table { names, between, .. } = &self.form else { return Ok(()) };
        let texts: Vec<_> = cells.iter().map(|cell| cell.text.defused()).collect();
        let has_guard = |(cell, text): (&WrittenCell<'_>, &_)| {
            cell.is_read && matches!(cell.text, CellText::Text(plain) if plain != text)
        };
        let guarded: Vec<&str> = (cells.iter().zip(&texts).zip(names))
            .filter(|(cell, _)| has_guard(*cell))
            .map(|(_, name)| name.as_str())
            .collect();
        let guards = (!guarded.is_empty()).then(|| guarded.join(between).into_boxed_str());
        let record = record(texts.iter().map(AsRef::as_ref)).map_err(|source| self.error(source))?;
        self.put(slot, &record, guards)
    }

    /// Takes a referral out again.
    pub fn take_out(&mut self, slot: ExportSlot) {
        self.lines[slot.0] = None;
    }

    fn put(&mut self, slot: ExportSlot, line: &[u8], guards: Option<Box<str>>) -> Result<(), ReportError> {
        self.spool.write_all(line).map_err(|source| self.error(source))?;
        let length = u32::try_from(line.len()).map_err(|error| self.error(io::Error::other(error)))?;
        self.lines[slot.0] = Some(SpooledLine { start: self.written, length, guards });
        self.written += u64::from(length);
        Ok(())
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
        let count = self.copy(&mut whole).map_err(|source| self.error(source))?;
        let whole = whole.into_inner().map_err(|error| self.error(error.into_error()))?;
        if replace {
            whole.replace()?
        } else {
            whole.put_new()?
        };
        Ok(count)
    }

    /// Copies all lines in their order.
    fn copy(&mut self, whole: &mut impl Write) -> io::Result<u64> {
        self.spool.flush()?;
        let spool = self.spool.get_mut();
        let has_guards = self.lines.iter().flatten().any(|line| line.guards.is_some());
        if let ExportForm::Table { names, guarded, .. } = &self.form {
            let names = names.iter().map(String::as_str).chain(has_guards.then_some(*guarded));
            whole.write_all(&record(names)?)?;
        }
        let (mut count, mut at, mut line) = (0, u64::MAX, Vec::new());
        for SpooledLine { start, length, guards } in self.lines.iter().flatten() {
            if at != *start {
                spool.seek(SeekFrom::Start(*start))?;
            }
            line.resize(*length as usize, 0);
            spool.read_exact(&mut line)?;
            at = start + u64::from(*length);
            if has_guards {
                line.pop();
                let cell = record(["", guards.as_deref().unwrap_or_default()])?;
                line.extend_from_slice(cell.strip_prefix(b"\"\"").unwrap_or(&cell));
            }
            whole.write_all(&line)?;
            count += 1;
        }
        Ok(count)
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
        ExportForm::Table { names, guarded: "export.guarded", between: "; " }
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
}
