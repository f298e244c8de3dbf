//! What a reader of change files makes of a cell.

use crate::domain::change::Draft;
use crate::domain::decimal::DecimalSign;
use crate::domain::equality;
use crate::domain::fields::Path;
use crate::domain::finding::{Finding, Location};
use crate::domain::referral::ReferralId;
use crate::domain::sheet_cell::{CellType, SheetCell};
use crate::domain::text_form::Separator;
use crate::input::cell::{Numbers, fill};
use crate::input::options::Options;
use crate::input::row::RowBuilder;
use crate::input::shape::is_row_like;
use crate::input::value_target::ValueTarget;
use crate::input::watch::MAX_CELL;
use serde_json::value::RawValue;

/// A place that no message shows: what is read back stands in no file yet.
const NOWHERE: Location = Location { input: 0, line: 1, column: 1 };

/// Reads a row with this one cell, as a row of a change file is read.
///
/// # Errors
/// What is wrong with the cell.
pub(super) fn read(
    options: &Options,
    id: ReferralId,
    target: &ValueTarget,
    cell: &SheetCell,
) -> Result<Draft, Vec<Finding>> {
    let mut row = RowBuilder::new(options, NOWHERE);
    row.set_id(NOWHERE, id);
    // The decimal sign of a number that is typed as one is a point.
    let sign = (cell.kind == CellType::Number).then_some(DecimalSign::Point);
    fill(&mut row, &mut Numbers::new(sign, Separator::COMMA), NOWHERE, ("", target), &cell.text);
    row.finish().parsed.map_err(|rejected| rejected.findings)
}

/// Returns whether a cell says that a path has the value that it has, and nothing else.
pub(super) fn says(
    options: &Options,
    id: ReferralId,
    path: &Path,
    cell: &SheetCell,
    value: &RawValue,
) -> bool {
    if cell.text.len() > MAX_CELL || takes_in_rows(&cell.text) {
        return false;
    }
    let target = ValueTarget::Set(path.clone());
    let Ok(draft) = read(options, id, &target, cell) else { return false };
    match &draft.sets[..] {
        [set] => equality::same(path.kind(), Some(value), set.value.1.raw()),
        // A text of blanks is read as an empty cell.
        [] => cell.text.trim().is_empty(),
        _ => false,
    }
}

/// Returns whether a reader would find rows within the cell, as where a quote was never closed.
fn takes_in_rows(text: &str) -> bool {
    text.contains('\n') && text.lines().any(|line| is_row_like(line.as_bytes(), &Separator::USUAL))
}
