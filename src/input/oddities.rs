//! What is odd about a CSV and no mistake: counted while it is read, and said at its end.

use std::collections::BTreeSet;

use ::csv::ByteRecord;

use super::shape::letters;
use super::sheet::{Sheet, is_blank};

/// What was skipped or taken for what it isn't, to be said once the file is read.
#[derive(Default)]
pub(super) struct Oddities {
    empty: Counted,
    short: Counted,
    /// Columns without a name that hold something all the same.
    filled: BTreeSet<usize>,
}

/// How many lines there are of a sort, and the first of them.
#[derive(Default)]
struct Counted {
    count: u64,
    first: u64,
}

impl Counted {
    fn add(&mut self, line: u64) {
        self.count += 1;
        if self.count == 1 {
            self.first = line;
        }
    }
}

impl Oddities {
    /// A record without content was skipped.
    pub(super) fn empty(&mut self, line: u64) {
        self.empty.add(line);
    }

    /// A record was taken for a row whose last cells are empty.
    pub(super) fn short(&mut self, line: u64) {
        self.short.add(line);
    }

    /// A record was read.
    pub(super) fn seen(&mut self, sheet: &Sheet<'_>, cells: &ByteRecord) {
        let is_filled = |at: &usize| cells.get(*at).is_some_and(|cell| !is_blank(cell));
        self.filled.extend(sheet.nameless().filter(is_filled));
    }

    /// All of it, for people.
    pub(super) fn told(&self, sheet: &Sheet<'_>) -> Vec<String> {
        let mut told = Vec::new();
        if let Counted { count: count @ 1.., first } = self.empty {
            let rows = if count == 1 { "1 row" } else { &format!("{count} rows") };
            told.push(format!("skipped {rows} without content, the first in line {first}"));
        }
        if let Counted { count: count @ 1.., first } = self.short {
            let rows = if count == 1 { "1 row ends" } else { &format!("{count} rows end") };
            told.push(format!(
                "{rows} before the last column, the first in line {first}: what is missing is taken as empty"
            ));
        }
        let skipped: Vec<usize> = sheet.nameless().filter(|at| !self.filled.contains(at)).collect();
        if let Some(first) = skipped.first() {
            let columns = if skipped.len() == 1 { "1 column" } else { &format!("{} columns", skipped.len()) };
            told.push(format!(
                "skipped {columns} without name and content, the first is {}",
                letters(*first)
            ));
        }
        told
    }
}
