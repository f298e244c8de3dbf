//! The cells of a sheet → its rows.

use std::fs::File;
use std::io::BufReader;

use calamine::{XlsxCellReader, XlsxError, XlsxFormulaMetadata};

use super::cell_value;
use super::survey::Seen;
use crate::domain::sheet_cell::{CellType, SheetCell, cell_name};

/// A row in which something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SheetRow {
    /// Its number, counted from 1.
    pub number: u64,
    /// Its cells, from the first column to the last one in which something stands.
    pub cells: Vec<SheetCell>,
}

/// The rows of a sheet, in order.
pub(super) struct SheetRows<'w> {
    cells: XlsxCellReader<'w, BufReader<File>>,
    is_1904: bool,
    /// The first cell of the next row, where it was read already.
    ahead: Option<PlacedCell>,
    /// Whether the last cell was read.
    has_ended: bool,
    /// The place of the cell that was read last.
    last: Option<(u32, u32)>,
    /// The cells that have formulas.
    formulas: Seen<String>,
}

/// A cell with its row and column, counted from 0.
struct PlacedCell {
    place: (u32, u32),
    cell: SheetCell,
}

/// Why the rows of a sheet can't be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowsError {
    #[error(transparent)]
    Sheet(#[from] XlsxError),
    #[error("its cells are not in order")]
    Order,
}

impl<'w> SheetRows<'w> {
    pub fn of(cells: XlsxCellReader<'w, BufReader<File>>, is_1904: bool) -> Self {
        Self { cells, is_1904, ahead: None, has_ended: false, last: None, formulas: Seen::default() }
    }

    /// Returns the next row in which something stands; `None` at the end of the sheet.
    ///
    /// # Errors
    /// Where the sheet is damaged. Its other rows are unknown then.
    pub fn next(&mut self) -> Result<Option<SheetRow>, RowsError> {
        let Some(first) = self.cell()? else { return Ok(None) };
        let row = first.place.0;
        let mut cells = Vec::new();
        put(&mut cells, first);
        while let Some(next) = self.cell()? {
            if next.place.0 != row {
                self.ahead = Some(next);
                break;
            }
            put(&mut cells, next);
        }
        Ok(Some(SheetRow { number: u64::from(row) + 1, cells }))
    }

    /// Returns the name of the cell that was read last, for errors.
    pub fn place(&self) -> Option<String> {
        self.last.map(|(row, column)| cell_name(u64::from(row) + 1, column + 1))
    }

    /// Returns the cells that have formulas.
    pub fn formulas(&self) -> &Seen<String> {
        &self.formulas
    }

    /// Reads the next cell in which something stands.
    fn cell(&mut self) -> Result<Option<PlacedCell>, RowsError> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        // Asked once more behind the end, the reader would miss it.
        while !self.has_ended {
            let Some(record) = self.cells.next_cell_with_formula_metadata()? else {
                self.has_ended = true;
                break;
            };
            let place = record.pos;
            // What comes twice or out of order may stand elsewhere than a person sees it.
            if self.last.is_some_and(|last| last >= place) {
                return Err(RowsError::Order);
            }
            self.last = Some(place);
            let formula = record.formula.as_ref().map(text_of);
            if let Some(cell) = cell_value::of(&record.value, formula, self.is_1904) {
                if formula.is_some() && cell.kind != CellType::Formula {
                    self.formulas.add(|| cell_name(u64::from(place.0) + 1, place.1 + 1));
                }
                return Ok(Some(PlacedCell { place, cell }));
            }
        }
        Ok(None)
    }
}

/// Puts a cell in its column.
fn put(cells: &mut Vec<SheetCell>, PlacedCell { place, cell }: PlacedCell) {
    cells.resize_with(place.1 as usize, || SheetCell::text(""));
    cells.push(cell);
}

/// Returns the text of a formula; empty where it is another cell's, in other words.
fn text_of(formula: &XlsxFormulaMetadata) -> &str {
    match formula {
        XlsxFormulaMetadata::Normal { formula } | XlsxFormulaMetadata::Shared { formula, .. } => formula,
        _ => "",
    }
}
