//! What is unusual about a CSV without being a mistake: counted while it is read, and noted at its end.

use std::collections::BTreeSet;

use ::csv::ByteRecord;

use super::sheet::{Sheet, is_blank};
use crate::domain::sheet_cell::letters;

/// What was skipped, or read in a way that a user may not expect.
#[derive(Default)]
pub(super) struct Oddities {
    /// Records without content, which are skipped.
    empty: LineCount,
    /// Records that end before the last column.
    short: LineCount,
    /// Columns without a name that hold something all the same.
    filled: BTreeSet<usize>,
}

/// The number of lines of a sort, and the first of them.
#[derive(Default)]
struct LineCount {
    count: u64,
    first: u64,
}

impl LineCount {
    fn add(&mut self, line: u64) {
        self.count += 1;
        if self.count == 1 {
            self.first = line;
        }
    }
}

impl Oddities {
    /// Counts a record without content, which is skipped.
    pub(super) fn empty(&mut self, line: u64) {
        self.empty.add(line);
    }

    /// Counts a record that was read as a row whose last cells are empty.
    pub(super) fn short(&mut self, line: u64) {
        self.short.add(line);
    }

    /// Takes note of a record that was read.
    pub(super) fn seen(&mut self, sheet: &Sheet<'_>, cells: &ByteRecord) {
        let is_filled = |at: &usize| cells.get(*at).is_some_and(|cell| !is_blank(cell));
        self.filled.extend(sheet.nameless().filter(is_filled));
    }

    /// Returns the notes for people.
    pub(super) fn notes(&self, sheet: &Sheet<'_>) -> Vec<String> {
        let mut notes = Vec::new();
        if let LineCount { count: count @ 1.., first } = self.empty {
            let rows = if count == 1 { "1 row" } else { &format!("{count} rows") };
            let line = if sheet.is_workbook { "row" } else { "line" };
            notes.push(format!("skipped {rows} without content, the first in {line} {first}"));
        }
        if let LineCount { count: count @ 1.., first } = self.short {
            let rows = if count == 1 { "1 row ends" } else { &format!("{count} rows end") };
            notes.push(format!(
                "{rows} before the last column, the first in line {first}: what is missing is taken as empty"
            ));
        }
        let skipped: Vec<usize> = sheet.nameless().filter(|at| !self.filled.contains(at)).collect();
        if let Some(first) = skipped.first() {
            let columns = if skipped.len() == 1 { "1 column" } else { &format!("{} columns", skipped.len()) };
            notes.push(format!(
                "skipped {columns} without name and content, the first is {}",
                letters(*first)
            ));
        }
        notes
    }
}
