//! The shape of a CSV record: whether it is a row as the header describes it, and what it may be where it
//! isn't.
//!
//! Real files end in footers and totals, were joined, or lost a quote. Such a line gets a finding that says
//! what it looks like. None is dropped silently but a line without any content: every other line that is no row
//! counts as a malformed one, with an outcome of its own.

use ::csv::ByteRecord;

use super::footer;
use super::header::Column;
use super::sheet::{Sheet, is_blank, is_referral};
use super::value_target::ValueTarget;
use super::watch::{MAX_CELLS, MAX_RECORD, RecordSpan};
use crate::domain::excerpt::excerpt;
use crate::domain::finding::Finding;
use crate::domain::rules::Rule;
use crate::domain::sheet_cell::letters;
use crate::domain::text_form::Separator;

/// The first words of a line of totals, in the languages of those who make such files.
const TOTALS: [&str; 13] = [
    "total",
    "totals",
    "subtotal",
    "grand",
    "sum",
    "summe",
    "gesamt",
    "gesamtsumme",
    "zwischensumme",
    "totale",
    "somme",
    "totaal",
    "suma",
];

impl Sheet<'_> {
    /// Returns whether no cell of a record holds anything, apart from the columns that a report added.
    pub(super) fn is_empty(&self, cells: &ByteRecord, mark: RecordSpan) -> bool {
        let is_added = |at: usize| self.columns.get(at).is_some_and(Column::is_left_out);
        mark.stray.is_none()
            && !mark.cut
            && cells.iter().enumerate().all(|(at, cell)| is_blank(cell) || is_added(at))
    }

    /// Returns whether a record ends before its last column.
    pub(super) fn is_short(&self, cells: &ByteRecord) -> bool {
        cells.len() < self.columns.len()
    }

    /// Returns why the cells of a record can't be trusted: they may stand under the wrong columns, or the
    /// record is no row.
    pub(super) fn malformed(&self, cells: &ByteRecord, mark: RecordSpan) -> Option<Finding> {
        if mark.cut {
            let limit = MAX_RECORD / (1024 * 1024);
            let message = format!("the row has more than {limit} MiB or more than {MAX_CELLS} cells");
            let finding = Finding::deny(Rule::Size, self.context.place(mark.line, 1), message);
            return Some(finding.hint("look for a quote that is not closed where it should be"));
        }
        if let Some(quote) = mark.stray {
            let message = format!(
                "text follows the quote that closes cell {}, which opened on line {}",
                quote.cell, quote.line
            );
            let hint = "a quote inside a quoted cell is written twice; is one missing before it?";
            return Some(self.ragged(mark, quote.cell, message).hint(hint));
        }
        if let Some(at) = self.mark_of_unsound(cells) {
            let message = "the row is marked as malformed, as it was in the input that this report is about";
            return Some(self.ragged(mark, at + 1, message).hint("correct the row, then empty this cell"));
        }
        self.no_row(cells, mark).or_else(|| self.misplaced(cells, mark))
    }

    /// Returns the finding for content beyond the last column, or under a column without a name.
    fn misplaced(&self, cells: &ByteRecord, mark: RecordSpan) -> Option<Finding> {
        let (found, wanted) = (cells.len(), self.columns.len());
        let beyond = (wanted..found).find(|at| !is_blank(&cells[*at]));
        if beyond.is_some() && !self.is_workbook {
            let message = format!("the row has {found} cells, the header has {wanted}");
            let hint = "put a cell that holds the separator in quotes";
            return Some(self.ragged(mark, wanted + 1, message).hint(hint));
        }
        let is_filled = |at: &usize| cells.get(*at).is_some_and(|cell| !is_blank(cell));
        let nameless = self.nameless().find(is_filled).or(beyond)?;
        let shown = String::from_utf8_lossy(&cells[nameless]);
        let message =
            format!("column {} has no name, and holds {}", letters(nameless), excerpt(shown.trim()));
        let hint = if self.is_workbook {
            "name the column in the header, or empty the cell"
        } else {
            "name the column in the header, or empty the cell; a cell that holds the separator is put in quotes"
        };
        Some(self.ragged(mark, nameless + 1, message).hint(hint))
    }

    /// Returns the finding for a record that names no referral and looks like something else than a row: a
    /// comment, the header again, a line of totals, a note, a row in one quoted cell.
    fn no_row(&self, cells: &ByteRecord, mark: RecordSpan) -> Option<Finding> {
        if self.names_referral(cells) {
            return None;
        }
        let filled = |(at, cell): &(usize, &[u8])| {
            !is_blank(cell) && !self.columns.get(*at).is_some_and(Column::is_left_out)
        };
        let mut filled = cells.iter().enumerate().filter(filled);
        let (at, first) = filled.next()?;
        let first = String::from_utf8_lossy(first);
        let (first, is_alone) = (first.trim(), filled.next().is_none());
        let told = |rule, what: &str, hint: &str| {
            let line = if self.is_workbook { "row" } else { "line" };
            let message = format!("{line} {} is no row: {what}", mark.line);
            Some(Finding::deny(rule, self.context.place(mark.line, at + 1), message).hint(hint))
        };
        if is_alone && let Some(separator) = self.separator_within(first) {
            if self.is_workbook {
                let what = format!("all of it stands in one cell, separated by {}", separator.name());
                return told(Rule::RaggedRow, &what, "split it into columns in the spreadsheet");
            }
            if separator == self.separator {
                let hint = "take away the quotes around the line, and write two quotes within it as one";
                return told(Rule::RaggedRow, "all of it is one quoted cell", hint);
            }
            let own = self.separator.name();
            let what =
                format!("its cells are separated by {}, those of the header by {own}", separator.name());
            return told(Rule::RaggedRow, &what, "separate them as those of the header are");
        }
        let looks_like = match first {
            _ if at == 0 && is_comment(first) => "it looks like a comment",
            _ if self.repeats_header(cells) => "it repeats the header",
            _ if is_total(first) => "it looks like a line of totals",
            _ if is_alone && first.contains(char::is_whitespace) => {
                "it looks like a note, such as a title or a footer"
            }
            _ => return None,
        };
        told(
            Rule::Id,
            looks_like,
            "remove it, or give it a referral's id and as many cells as the header has",
        )
    }

    /// Returns the separator that splits a text into cells of which one holds a referral's id.
    fn separator_within(&self, text: &str) -> Option<Separator> {
        let all = [self.separator].into_iter().chain(Separator::USUAL);
        let names_referral = |separator: &Separator| is_row_like(text.as_bytes(), &[*separator]);
        all.into_iter().find(names_referral)
    }

    /// Returns whether a record names the referral that it is about.
    pub(super) fn names_referral(&self, cells: &ByteRecord) -> bool {
        if self.context.options.matching.is_some() {
            return self.has_key(cells);
        }
        let is_id =
            |at: usize| self.columns.get(at).is_some_and(|column| column.target == Some(ValueTarget::Id));
        cells.iter().enumerate().any(|(at, cell)| is_id(at) && is_referral(cell))
    }

    /// Returns whether a record has a key and something else. Any text may be a key, so that of a footer or a title,
    /// which stands alone, counts as none.
    fn has_key(&self, cells: &ByteRecord) -> bool {
        let is_filled = |at: &usize| cells.get(*at).is_some_and(|cell| !is_blank(cell));
        let filled: Vec<usize> = (0..self.columns.len()).filter(is_filled).collect();
        let is_key =
            |at: &usize| matches!(self.columns[*at].target, Some(ValueTarget::Key | ValueTarget::Identifier));
        filled.len() > 1 && filled.iter().any(is_key)
    }

    /// Returns whether a record repeats the header.
    fn repeats_header(&self, cells: &ByteRecord) -> bool {
        let is_name = |(at, cell): (usize, &[u8])| {
            self.columns.get(at).is_none_or(|column| column.name.trim().as_bytes() == cell.trim_ascii())
        };
        cells.iter().enumerate().all(is_name)
    }

    /// Returns the finding for a short record that may be the first half of a row whose line was broken: the next
    /// record with content, however far below and however long, names no referral that there is.
    pub(super) fn broken(
        &self,
        cells: &ByteRecord,
        mark: RecordSpan,
        (next, next_mark): (&ByteRecord, RecordSpan),
    ) -> Option<Finding> {
        let is_row = self.names_referral(next) && self.leads_to_referral(next, next_mark);
        let first = next.get(0).map(String::from_utf8_lossy).unwrap_or_default();
        let is_known = is_comment(first.trim())
            || is_total(first.trim())
            || footer::begins(next, next_mark)
            || self.repeats_header(next);
        if is_row || is_known {
            return None;
        }
        let message = format!(
            "the row ends in cell {} of {}, and line {} names no referral: was the line broken?",
            cells.len(),
            self.columns.len(),
            next_mark.line
        );
        let hint = "put a cell that holds a line end in quotes, or write an empty cell as one";
        Some(self.ragged(mark, cells.len(), message).hint(hint))
    }

    /// Returns a finding of the rule for rows whose cells don't fit the header.
    pub(super) fn ragged(&self, mark: RecordSpan, cell: usize, message: impl Into<String>) -> Finding {
        Finding::deny(Rule::RaggedRow, self.context.place(mark.line, cell), message)
    }
}

/// Returns whether a line has several cells of which one holds a referral's id. The id may stand in any of
/// them: a report may have it elsewhere than its input.
pub(super) fn is_row_like(line: &[u8], separators: &[Separator]) -> bool {
    let ends = |byte: &u8| separators.iter().any(|separator| separator.byte() == *byte);
    let names_referral = |cell: &[u8]| {
        let cell = cell.trim_ascii();
        let cell = cell.strip_prefix(b"\"").unwrap_or(cell);
        is_referral(cell.strip_suffix(b"\"").unwrap_or(cell))
    };
    line.iter().any(ends) && line.split(ends).any(names_referral)
}

/// Returns whether a text looks like a comment.
pub(super) fn is_comment(text: &str) -> bool {
    text.starts_with('#') || text.starts_with("//")
}

/// Returns whether a text begins with a word for a total.
fn is_total(text: &str) -> bool {
    let word: String = text.chars().take_while(|c| c.is_alphabetic()).take(20).collect();
    TOTALS.contains(&word.to_lowercase().as_str())
}
