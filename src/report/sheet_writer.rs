//! A workbook with one sheet, written a row at a time.
//!
//! Rows go to a file without a name first, so that memory doesn't grow with them. The same cells give the same bytes:
//! the document's date is the caller's.

use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};

use crate::domain::sheet_cell::{CellType, LONGEST_TEXT, SheetCell, has_room};

/// What stands behind a text that was cut off.
const CUT: &str = "… [cut: a cell of a workbook holds no more]";

/// A workbook while it is written. Lines and columns count from 0; no line comes before one that was written.
pub(super) struct SheetWriter {
    workbook: Workbook,
    /// The types that were announced for the columns.
    columns: Vec<CellType>,
    formats: Formats,
}

/// How cells are shown.
struct Formats {
    day: Format,
    time: Format,
    duration: Format,
    text: Format,
}

impl SheetWriter {
    /// Begins a workbook. `dir` is where rows are put aside.
    ///
    /// # Errors
    /// Where nothing can be written there.
    pub(super) fn begin(dir: &Path, name: Option<&str>, created: Timestamp) -> io::Result<Self> {
        let begun = || {
            let mut workbook = Workbook::new();
            let created = ExcelDateTime::from_timestamp(created.as_second())?;
            workbook.set_properties(&DocProperties::new().set_creation_datetime(&created));
            workbook.set_tempdir(dir)?;
            let sheet = workbook.add_worksheet_with_constant_memory()?;
            if let Some(name) = name {
                // A name that a workbook can't have is not given: the sheet is the only one anyway.
                let _ = sheet.set_name(name);
            }
            sheet.set_freeze_panes(1, 0)?;
            Ok(workbook)
        };
        let format = |code: &str| Format::new().set_num_format(code);
        let formats = Formats {
            day: format("yyyy-mm-dd"),
            time: format("yyyy-mm-dd hh:mm:ss.000"),
            duration: format("[h]:mm:ss"),
            text: format("@"),
        };
        Ok(Self { workbook: begun().map_err(failed)?, columns: Vec::new(), formats })
    }

    /// Says of which type the cells of each column are, before the first is written. A spreadsheet takes what is typed
    /// into an empty cell for that then: `007` stays a text.
    ///
    /// # Errors
    /// Where there are more columns than a sheet has.
    pub(super) fn announce(&mut self, types: impl IntoIterator<Item = CellType>) -> io::Result<()> {
        self.columns = types.into_iter().collect();
        let sheet = self.workbook.worksheet_from_index(0).map_err(failed)?;
        for (column, kind) in self.columns.iter().enumerate() {
            let format = match kind {
                CellType::Text => &self.formats.text,
                CellType::Date => &self.formats.day,
                CellType::Number | CellType::Boolean | CellType::Time | CellType::Formula => continue,
            };
            let (_, column) = place(0, column)?;
            sheet.set_column_format(column, format).map_err(failed)?;
        }
        Ok(())
    }

    /// Writes a cell, and returns whether it will be read again as what it is.
    ///
    /// # Errors
    /// Where writing fails, or the sheet has no such place.
    pub(super) fn cell(&mut self, line: u64, column: usize, cell: &SheetCell) -> io::Result<bool> {
        let text = cell.text.as_str();
        let (row, at) = place(line, column)?;
        let sheet = self.workbook.worksheet_from_index(0).map_err(failed)?;
        let written = match cell.kind {
            CellType::Text => return self.text(line, column, text),
            CellType::Number => text.parse().ok().map(|number: f64| sheet.write_number(row, at, number)),
            CellType::Boolean => Some(sheet.write_boolean(row, at, text == "true")),
            CellType::Date => ExcelDateTime::parse_from_str(text).ok().map(|date| {
                let format = if text.contains('T') { &self.formats.time } else { &self.formats.day };
                sheet.write_datetime_with_format(row, at, &date, format)
            }),
            CellType::Time => text
                .parse()
                .ok()
                .map(|days: f64| sheet.write_number_with_format(row, at, days, &self.formats.duration)),
            CellType::Formula => {
                self.text(line, column, &format!("={text}"))?;
                return Ok(false);
            }
        };
        match written {
            Some(written) => written.map(|_| true).map_err(failed),
            None => self.text(line, column, text).map(|_| false),
        }
    }

    /// Writes a text as text, and returns whether the cell holds all of it.
    ///
    /// # Errors
    /// As [`SheetWriter::cell`].
    pub(super) fn text(&mut self, line: u64, column: usize, text: &str) -> io::Result<bool> {
        if text.is_empty() {
            return Ok(true);
        }
        let (row, at) = place(line, column)?;
        let sheet = self.workbook.worksheet_from_index(0).map_err(failed)?;
        let is_whole = has_room(text);
        let cut;
        let text = if is_whole {
            text
        } else {
            cut = cut_off(text);
            &cut
        };
        match self.columns.get(column) {
            Some(CellType::Text) => sheet.write_string_with_format(row, at, text, &self.formats.text),
            _ => sheet.write_string(row, at, text),
        }
        .map_err(failed)?;
        Ok(is_whole)
    }

    /// Writes the workbook into a file.
    ///
    /// # Errors
    /// Where writing fails.
    pub(super) fn save(mut self, file: &mut (impl Write + Send)) -> io::Result<()> {
        self.workbook.save_to_writer(file).map_err(failed)
    }
}

/// Returns the beginning of a text that no cell has room for, and says that it is one.
fn cut_off(text: &str) -> String {
    let (mut room, mut end) = (LONGEST_TEXT - CUT.len(), 0);
    for c in text.chars() {
        let Some(rest) = room.checked_sub(c.len_utf16()) else { break };
        (room, end) = (rest, end + c.len_utf8());
    }
    format!("{}{CUT}", &text[..end])
}

/// Returns a place as workbooks count.
fn place(line: u64, column: usize) -> io::Result<(u32, u16)> {
    match (u32::try_from(line), u16::try_from(column)) {
        (Ok(line), Ok(column)) => Ok((line, column)),
        _ => Err(failed(XlsxError::RowColumnLimitError)),
    }
}

/// Returns the error of a workbook that can't be written.
fn failed(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) => error,
        error => io::Error::other(error),
    }
}
