//! Rows that a quoted cell took in: its quote opens where none should, and the next quote of the file closes
//! it, rows later.
//!
//! To the parser all of that is one cell. It differs from a text of several lines by its content: a line of
//! several cells of which one holds a referral's id. Every such line becomes a row again, so that each has an
//! outcome; all of them are malformed.

use ::csv::ByteRecord;

use super::shape::is_row_like;
use super::sheet::Sheet;
use super::watch::{QuoteStart, RecordSpan};
use crate::domain::finding::Finding;
use crate::domain::text_form::Separator;

/// A line that a quoted cell took in, as a record of its own.
pub(super) struct SwallowedRow {
    pub cells: ByteRecord,
    pub mark: RecordSpan,
    pub finding: Finding,
}

impl Sheet<'_> {
    /// Returns the rows of a record in which a quoted cell took in lines that look like rows; `None` where none
    /// did.
    pub(super) fn taken_in(&self, cells: &ByteRecord, mark: RecordSpan) -> Option<Vec<SwallowedRow>> {
        if mark.cut || mark.end == mark.line {
            return None;
        }
        let mut rows = vec![(mark.line, ByteRecord::new())];
        let (mut line, mut opened) = (mark.line, None);
        for (at, cell) in cells.iter().enumerate() {
            let pieces = self.pieces(cell);
            for (nth, (lines, piece)) in pieces.iter().enumerate() {
                if nth > 0 {
                    rows.push((line + lines, ByteRecord::new()));
                    opened.get_or_insert(QuoteStart { line, cell: at + 1 });
                }
                let row = rows.last_mut().map(|(_, row)| row)?;
                match pieces.len() {
                    1 => row.push_field(piece),
                    _ => piece
                        .split(|byte| *byte == self.separator.byte())
                        .for_each(|cell| row.push_field(cell)),
                }
            }
            line += line_feeds(cell);
        }
        let opened = opened?;
        let more = rows.len() - 1;
        let take = |(line, cells): (u64, ByteRecord)| {
            let mark = RecordSpan { line, end: line, cut: false, stray: None };
            SwallowedRow { cells, mark, finding: self.taken(opened, line, mark, more) }
        };
        Some(rows.into_iter().map(take).collect())
    }

    /// Returns the finding for one of these rows. `more` is the number of rows that the cell took in.
    fn taken(&self, opened: QuoteStart, line: u64, mark: RecordSpan, more: usize) -> Finding {
        let QuoteStart { line: from, cell } = opened;
        if line > from {
            let message = format!("the line stands within the quoted cell {cell} that opens on line {from}");
            return self
                .ragged(mark, 1, message)
                .hint("close that cell where it ends, or take its quote away");
        }
        let lines = if more == 1 {
            "1 line that looks like a row"
        } else {
            &format!("{more} lines that look like rows")
        };
        let message = format!("the quote that opens cell {cell} on line {from} takes in {lines}");
        let hint = "close the cell where it ends, or take its quote away: none of these lines is sent";
        self.ragged(mark, cell, message).hint(hint)
    }

    /// Splits a cell before each line that looks like a row. Returns each piece with the number of lines before
    /// it.
    fn pieces<'c>(&self, cell: &'c [u8]) -> Vec<(u64, &'c [u8])> {
        let separators = [&[self.separator][..], &Separator::USUAL].concat();
        let (mut pieces, mut start, mut begun) = (Vec::new(), 0, 0);
        let mut at = 0;
        for (lines, line) in (0_u64..).zip(cell.split(|byte| *byte == b'\n')) {
            if lines > 0 && is_row_like(line, &separators) {
                pieces.push((begun, trim_end(&cell[start..at - 1])));
                (start, begun) = (at, lines);
            }
            at += line.len() + 1;
        }
        pieces.push((begun, if pieces.is_empty() { cell } else { trim_end(&cell[start..]) }));
        pieces
    }
}

fn line_feeds(cell: &[u8]) -> u64 {
    cell.iter().filter(|byte| **byte == b'\n').count() as u64
}

fn trim_end(piece: &[u8]) -> &[u8] {
    piece.strip_suffix(b"\r").unwrap_or(piece)
}
