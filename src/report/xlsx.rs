//! Row files as workbooks: the input's own columns, followed by the results of the row.
//!
//! The cells of the input come back in the type that they had: text as text, whatever it looks like, so that no
//! id loses a zero and nothing runs as a formula; numbers as numbers, dates as dates. So a workbook that is fed
//! back asks for what the user wrote, and what was refused for its type is refused again. What can't be given
//! back so (a formula that was never computed, a text beyond what a cell holds) leaves the row with the mark of a
//! malformed one, as in [`super::csv`].
//!
//! The same rows give the same bytes: the document's date is that of the run.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::account::{RowAccount, RowText, UNSOUND};
use crate::domain::outcome::Bucket;
use crate::domain::sheet_cell::SheetCell;

use super::atomic_file::{AtomicFile, ReportError};
use super::csv::{Columns, is_empty, result_columns, results, results_in};
use super::in_doubt;
use super::row_file::{FiledRows, RowFile, is_mangled, name};
use super::sheet_writer::SheetWriter;
use super::shelf::Shelf;

/// What the workbooks of a run have in common.
#[derive(Debug)]
pub(super) struct WorkbookForm {
    pub(super) columns: Columns,
    /// The name of the sheet, as that of the input.
    pub(super) sheet: Option<String>,
    /// When the run was planned.
    pub(super) created: Timestamp,
}

/// A workbook of rows while it is written.
pub(super) struct XlsxFile {
    bucket: Bucket,
    form: Arc<WorkbookForm>,
    sheet: SheetWriter,
    file: AtomicFile,
    path: PathBuf,
    rows: u64,
}

impl XlsxFile {
    /// Begins the workbook with its header.
    pub(super) fn begin(dir: &Path, bucket: Bucket, form: Arc<WorkbookForm>) -> Result<Self, ReportError> {
        let file = AtomicFile::begin(dir, &name(bucket, "xlsx"))?;
        let path = file.path().to_owned();
        let begun = || {
            let mut sheet = SheetWriter::begin(dir, form.sheet.as_deref(), form.created)?;
            let own = form.columns.header.iter().map(String::as_str);
            for (column, name) in own.chain(result_columns(bucket, &form.columns)).enumerate() {
                sheet.text(0, column, name)?;
            }
            Ok(sheet)
        };
        match begun() {
            Ok(sheet) => Ok(Self { bucket, form, sheet, file, path, rows: 0 }),
            Err(source) => Err(ReportError::Write { path, source }),
        }
    }

    fn record(&mut self, row: &RowAccount) -> io::Result<()> {
        let form = Arc::clone(&self.form);
        let own = form.columns.of_input(row.place.input);
        let (text, typed);
        let cells: &[SheetCell] = match &row.text {
            RowText::Sheet(cells) => cells,
            other => {
                text = other.cells();
                typed = text.into_iter().map(SheetCell::text).collect::<Vec<_>>();
                &typed
            }
        };
        let (line, sheet) = (self.rows, &mut self.sheet);
        let mut is_whole = true;
        for (column, cell) in own.cells.iter().enumerate() {
            if let Some(cell) = cell.and_then(|at| cells.get(at)) {
                is_whole &= sheet.cell(line, column, cell)?;
            }
        }
        let mut column = own.cells.len();
        let results = results(row);
        for result in &results[..results_in(self.bucket)] {
            sheet.text(line, column, result)?;
            column += 1;
        }
        if form.columns.tells_doubts(self.bucket) {
            sheet.text(line, column, &in_doubt::told(row, &own.dates))?;
            column += 1;
        }
        let surplus = cells.get(own.count..).unwrap_or_default();
        if !is_empty(surplus.iter().map(|cell| cell.text.as_str())) {
            for (column, cell) in (column..).zip(surplus) {
                sheet.text(line, column, &cell.text)?;
            }
        } else if !is_whole || is_mangled(row) && own.nameless.iter().all(|at| is_blank(cells.get(*at))) {
            sheet.text(line, column, UNSOUND)?;
        }
        Ok(())
    }
}

impl RowFile for XlsxFile {
    fn row(&mut self, row: &RowAccount) -> Result<(), ReportError> {
        self.rows += 1;
        self.record(row).map_err(|source| ReportError::Write { path: self.path.clone(), source })
    }

    fn finish(self: Box<Self>, shelf: &Shelf) -> Result<FiledRows, ReportError> {
        let Self { bucket, sheet, mut file, path, rows, .. } = *self;
        sheet.save(&mut file).map_err(|source| ReportError::Write { path, source })?;
        Ok(FiledRows { filed: file.put(shelf)?, rows, bucket })
    }
}

fn is_blank(cell: Option<&SheetCell>) -> bool {
    cell.is_none_or(|cell| cell.text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::super::testing::{csv_input, row};
    use super::*;
    use crate::domain::account::InputInfo;
    use crate::domain::finding::Finding;
    use crate::domain::format::Format as InputFormat;
    use crate::domain::outcome::Outcome;
    use crate::domain::rules::Rule;
    use crate::domain::sheet_cell::{CellType, MOST_ROWS, has_room};
    use crate::input;

    const COLUMNS: [&str; 3] = ["id", "notes", "Owner"];

    /// Writes the rows of one input as errors. Returns the workbook's bytes.
    fn written(dir: &Path, rows: &[RowAccount]) -> Vec<u8> {
        let input = InputInfo {
            format: InputFormat::Xlsx,
            sheet: Some("Deals & more".to_owned()),
            ..csv_input("a.xlsx", &COLUMNS, rows.len() as u64)
        };
        let columns = Columns::of(std::slice::from_ref(&input), |_| true, Default::default());
        let created = "2026-11-29T10:00:00Z".parse().unwrap();
        let form = Arc::new(WorkbookForm { columns, sheet: input.sheet, created });
        let mut file = Box::new(XlsxFile::begin(dir, Bucket::Error, form).unwrap());
        rows.iter().for_each(|row| file.row(row).unwrap());
        let filed = file.finish(&Shelf::take(dir, || {})).unwrap();
        assert_eq!(filed.rows, rows.len() as u64);
        fs::read(filed.filed.path).unwrap()
    }

    /// The rows of a workbook that is fed back, none of its columns being read, and what keeps each from being so.
    fn fed_back(bytes: &[u8]) -> Vec<(RowText, bool)> {
        let options = input::Options {
            format: Some(InputFormat::Xlsx),
            left_alone: vec!["notes".to_owned(), "Owner".to_owned()],
            ..input::Options::default()
        };
        let mut rows = Vec::new();
        let mut take = |record: input::Record| {
            let is_marked = record.parsed.is_err_and(|rejected| {
                rejected.findings.iter().any(|finding| finding.rule == Rule::RaggedRow)
            });
            rows.push((record.text, is_marked));
            Ok::<_, std::convert::Infallible>(())
        };
        let mut bytes = bytes;
        let read = input::read("-", Some(&mut bytes), 0, &options, &mut take).unwrap();
        assert_eq!(read.info.sheet.as_deref(), Some("Deals & more"));
        assert_eq!(read.info.columns, COLUMNS);
        rows
    }

    fn account(ordinal: u64, cells: Vec<SheetCell>) -> RowAccount {
        RowAccount { text: RowText::of(cells), ..row(ordinal, 0, Outcome::Invalid) }
    }

    fn cell() -> impl Strategy<Value = SheetCell> {
        let of = |kind| move |text: String| SheetCell { kind, text };
        let number = any::<f64>().prop_filter("finite", |number| number.is_finite() && *number != 0.0);
        let day = (1901..9999_i16, 1..13_i8, 1..29_i8).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}"));
        let time = (day.clone(), 0..24, 0..60, 1..60)
            .prop_map(|(day, h, m, s)| format!("{day}T{h:02}:{m:02}:{s:02}Z"));
        prop_oneof![
            "[=+@\t \"',;a-z0-9_xé日𝄞<>&-]{1,12}"
                .prop_filter("content", |text| !text.trim().is_empty())
                .prop_map(of(CellType::Text)),
            "_x00[0-9A-F]{2}_".prop_map(of(CellType::Text)),
            "0[0-9]{1,20}".prop_map(of(CellType::Text)),
            number.prop_map(|number| number.to_string()).prop_map(of(CellType::Number)),
            (1..100_000_000_i64)
                .prop_map(|cents| format!("{}.{:02}", cents / 100, cents % 100 / 10 * 10 + 5))
                .prop_map(of(CellType::Number)),
            any::<bool>().prop_map(|truth| truth.to_string()).prop_map(of(CellType::Boolean)),
            day.prop_map(of(CellType::Date)),
            time.prop_map(of(CellType::Date)),
            Just(of(CellType::Time)("0.5".to_owned())),
            Just(of(CellType::Text)(String::new())),
        ]
    }

    proptest! {
        #[test]
        fn own_cells_come_back_as_what_they_were(
            rows in prop::collection::vec(prop::collection::vec(cell(), 3), 1..9)
        ) {
            let dir = tempfile::tempdir().unwrap();
            let accounts: Vec<RowAccount> = (1..).zip(&rows).map(|(at, cells)| account(at, cells.clone())).collect();
            let bytes = written(dir.path(), &accounts);
            let trimmed = |cells: &[SheetCell]| {
                let filled = cells.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1);
                cells[..filled].iter().map(|cell| serde_json::to_string(cell).unwrap()).collect::<Vec<_>>()
            };
            let again: Vec<Vec<String>> = fed_back(&bytes).into_iter().map(|(text, _)| match text {
                RowText::Sheet(cells) => trimmed(&cells),
                text => trimmed(&text.cells().into_iter().map(SheetCell::text).collect::<Vec<_>>()),
            }).collect();
            let own: Vec<Vec<String>> = rows.iter().map(|cells| trimmed(cells)).filter(|cells| !cells.is_empty()).collect();
            prop_assert_eq!(again, own);
            prop_assert_eq!(written(dir.path(), &accounts), bytes, "the same rows are the same bytes");
        }
    }

    #[test]
    fn what_cannot_come_back_leaves_its_row_marked() {
        let long = "𝄞é".repeat(20_000);
        let dir = tempfile::tempdir().unwrap();
        let with = |kind, text: &str| vec![SheetCell::text("x"), SheetCell { kind, text: text.to_owned() }];
        let mut surplus = with(CellType::Text, "a");
        surplus.extend(["", "beyond"].map(SheetCell::text));
        let mut ragged = account(4, surplus);
        ragged.findings = vec![Finding::deny(Rule::RaggedRow, ragged.place, "odd")];
        let rows = [
            account(1, with(CellType::Text, "=1+1")),
            account(2, with(CellType::Formula, "A1&\"x\"")),
            account(3, with(CellType::Text, &long)),
            ragged,
        ];
        let again = fed_back(&written(dir.path(), &rows));
        assert_eq!(again.iter().map(|(_, marked)| *marked).collect::<Vec<_>>(), [false, true, true, true]);
        let cells = |at: usize| again[at].0.cells().into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cells(0)[..2], ["x", "=1+1"]);
        assert_eq!(cells(1)[..2], ["x", "=A1&\"x\""]);
        let cut = &cells(2)[1];
        assert!(cut.starts_with("𝄞é") && cut.ends_with("[cut: a cell of a workbook holds no more]"));
        assert!(has_room(cut));
        assert_eq!(cells(3).last().map(String::as_str), Some("beyond"));
    }

    /// Planning takes no more rows than fit: one more would be an error, and no row is lost in silence.
    #[test]
    fn a_sheet_has_its_rows_and_not_one_more() {
        let dir = tempfile::tempdir().unwrap();
        let columns = Columns::of(&[csv_input("a.xlsx", &COLUMNS, 1)], |_| true, Default::default());
        let form = Arc::new(WorkbookForm { columns, sheet: None, created: Timestamp::UNIX_EPOCH });
        let mut file = Box::new(XlsxFile::begin(dir.path(), Bucket::Error, form).unwrap());
        file.rows = MOST_ROWS - 1;
        file.row(&account(1, vec![SheetCell::text("the last")])).unwrap();
        let error = file.row(&account(2, vec![SheetCell::text("one more")])).unwrap_err();
        assert!(error.to_string().contains("error.xlsx"), "{error}");
    }

    #[test]
    fn only_its_owner_reads_it_and_half_of_it_is_never_there() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        written(dir.path(), &[account(1, vec![SheetCell::text("x")])]);
        let mode = fs::metadata(dir.path().join("error.xlsx")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let columns = Columns::of(&[], |_| true, Default::default());
        let form = Arc::new(WorkbookForm { columns, sheet: None, created: Timestamp::UNIX_EPOCH });
        drop(XlsxFile::begin(dir.path(), Bucket::Success, form).unwrap());
        let names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!names.iter().any(|name| name.to_string_lossy().contains("success")), "{names:?}");
    }
}
