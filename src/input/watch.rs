//! Follows the quoting of CSV text on its way to the parser.
//!
//! The parser accepts anything: a quote that is never closed takes the rest of the file into one cell, a cell
//! may have any size, and its line numbers are wrong after blank lines and CRLF. The watcher follows the same
//! quoting rules in front of it, and
//!
//! - counts lines, and queues one [`RecordSpan`] for every record that the parser will find,
//! - knows at the end of the file whether a quote is open, and where it opened,
//! - passes on no more of a cell or record than the limits below, so that memory is bounded,
//! - leaves out blanks between a quote and the end of its cell, as in `a, "b" ,c`, which would make the quotes
//!   part of the text,
//! - ends every record with one LF, and leaves blank lines out.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

/// The largest cell in bytes. Of a larger one, one byte more than this is passed on, which shows that it is too
/// large.
pub(super) const MAX_CELL: usize = 1024 * 1024;

/// The largest record in bytes.
pub(super) const MAX_RECORD: usize = 16 * 1024 * 1024;

/// The most cells of a record: as many columns as a spreadsheet has.
pub(super) const MAX_CELLS: usize = 16_384;

/// What is known of a record before the parser has seen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordSpan {
    /// The line on which it begins.
    pub line: u64,
    /// The line on which it ends: another one where a quoted cell holds line ends.
    pub end: u64,
    /// Whether its end was cut off, because it has too many bytes or cells.
    pub cut: bool,
    /// The first quoted cell in which text follows the closing quote.
    pub stray: Option<QuoteStart>,
}

/// Where a quote opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuoteStart {
    /// The line.
    pub line: u64,
    /// The number of the cell, counted from 1.
    pub cell: usize,
}

/// A reader that passes CSV text from `source` to the parser.
pub(super) struct QuoteWatcher<R> {
    source: R,
    follower: QuoteFollower,
    ready: Vec<u8>,
    served: usize,
    ended: bool,
}

impl<R: BufRead> QuoteWatcher<R> {
    /// Watches a CSV with this delimiter. `lines_before` is the number of lines of the file before the text.
    pub fn new(source: R, delimiter: u8, lines_before: u64) -> Self {
        let follower = QuoteFollower::new(delimiter, lines_before + 1);
        Self { source, follower, ready: Vec::new(), served: 0, ended: false }
    }

    /// Returns the span of the next record that the parser has read.
    pub fn next_mark(&mut self) -> Option<RecordSpan> {
        self.follower.marks.pop_front()
    }

    /// Returns where a quote opened that the file never closes.
    pub fn unclosed(&self) -> Option<QuoteStart> {
        self.follower.unclosed
    }
}

impl<R: BufRead> Read for QuoteWatcher<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.served == self.ready.len() && !self.ended {
            self.ready.clear();
            self.served = 0;
            let chunk = self.source.fill_buf()?;
            let length = chunk.len();
            if length == 0 {
                self.follower.end(&mut self.ready);
                self.ended = true;
            } else {
                self.follower.follow(chunk, &mut self.ready);
                self.source.consume(length);
            }
        }
        let count = buffer.len().min(self.ready.len() - self.served);
        buffer[..count].copy_from_slice(&self.ready[self.served..self.served + count]);
        self.served += count;
        Ok(count)
    }
}

/// Where in a record the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum QuoteState {
    /// Before the first byte of a record, where blank lines may be.
    BetweenRecords,
    /// Before the first byte of a cell.
    CellStart,
    /// Behind the blanks at the beginning of a cell. Before a quote they are no part of the cell.
    Leading,
    /// In a cell without quotes.
    Bare,
    /// In a quoted cell.
    Quoted,
    /// Behind a quote in a quoted cell: its end, or the first half of an escaped quote.
    QuoteInQuoted,
    /// Behind the closing quote, where blanks are no part of the cell.
    Closed,
}

/// Follows the quoting rules, byte by byte, and writes what the parser may see.
struct QuoteFollower {
    delimiter: u8,
    state: QuoteState,
    after_cr: bool,
    /// The line of the next byte.
    line: u64,
    mark: RecordSpan,
    opened: QuoteStart,
    /// Whether the parser has seen the quote that is open.
    quote_shown: bool,
    /// Blanks around a quote, or where one may come.
    held: Vec<u8>,
    cell_bytes: usize,
    record_bytes: usize,
    marks: VecDeque<RecordSpan>,
    unclosed: Option<QuoteStart>,
}

impl QuoteFollower {
    fn new(delimiter: u8, line: u64) -> Self {
        Self {
            delimiter,
            state: QuoteState::BetweenRecords,
            after_cr: false,
            line,
            mark: RecordSpan { line, end: line, cut: false, stray: None },
            opened: QuoteStart { line, cell: 1 },
            quote_shown: false,
            held: Vec::new(),
            cell_bytes: 0,
            record_bytes: 0,
            marks: VecDeque::new(),
            unclosed: None,
        }
    }

    /// Takes the next bytes of the text.
    fn follow(&mut self, mut chunk: &[u8], out: &mut Vec<u8>) {
        while let Some(&byte) = chunk.first() {
            let after_cr = std::mem::take(&mut self.after_cr);
            let taken = match self.state {
                QuoteState::BetweenRecords if byte == b'\n' && after_cr => 1,
                QuoteState::BetweenRecords if matches!(byte, b'\n' | b'\r') => self.line_end(byte),
                QuoteState::BetweenRecords => self.begin_record(),
                QuoteState::CellStart | QuoteState::Leading if byte == b'"' => self.open_quote(out),
                QuoteState::CellStart | QuoteState::Leading if self.is_blank(byte) => {
                    self.hold(byte, QuoteState::Leading)
                }
                QuoteState::CellStart => self.go_to(QuoteState::Bare),
                QuoteState::Leading => self.go_bare(out),
                QuoteState::Bare => self.bare(chunk, out),
                QuoteState::Quoted => self.quoted(chunk, out),
                QuoteState::QuoteInQuoted if byte == b'"' => self.escaped_quote(out),
                QuoteState::QuoteInQuoted => self.close_quote(out),
                QuoteState::Closed if self.is_blank(byte) => self.hold(byte, QuoteState::Closed),
                QuoteState::Closed if self.is_separator(byte) => self.separate(byte, out),
                QuoteState::Closed => self.go_astray(out),
            };
            chunk = &chunk[taken..];
        }
    }

    /// Takes the end of the text.
    fn end(&mut self, out: &mut Vec<u8>) {
        match self.state {
            QuoteState::BetweenRecords => return,
            QuoteState::Quoted => {
                // No span is queued: the record that the parser finds here is what the open quote took in.
                self.unclosed = Some(self.opened);
                return;
            }
            QuoteState::QuoteInQuoted => {
                self.close_quote(out);
            }
            QuoteState::Leading => self.show_held(out),
            QuoteState::CellStart | QuoteState::Bare | QuoteState::Closed => {}
        }
        self.hand_out_mark();
    }

    /// Queues the span of the record that ends here.
    fn hand_out_mark(&mut self) {
        self.mark.end = self.line;
        self.marks.push_back(self.mark);
    }

    // Each step returns the number of bytes that it has dealt with.

    fn go_to(&mut self, state: QuoteState) -> usize {
        self.state = state;
        0
    }

    fn begin_record(&mut self) -> usize {
        self.mark = RecordSpan { line: self.line, end: self.line, cut: false, stray: None };
        self.held.clear();
        self.opened.cell = 1;
        self.cell_bytes = 0;
        self.record_bytes = 0;
        self.go_to(QuoteState::CellStart)
    }

    fn line_end(&mut self, byte: u8) -> usize {
        self.line += 1;
        self.after_cr = byte == b'\r';
        1
    }

    /// Holds a blank back until it is clear whether it belongs to the cell.
    fn hold(&mut self, byte: u8, state: QuoteState) -> usize {
        // More would be cut off anyway.
        if self.held.len() <= MAX_CELL {
            self.held.push(byte);
        }
        self.state = state;
        1
    }

    fn show_held(&mut self, out: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        self.content(&held, out);
    }

    fn go_bare(&mut self, out: &mut Vec<u8>) -> usize {
        self.show_held(out);
        self.go_to(QuoteState::Bare)
    }

    fn open_quote(&mut self, out: &mut Vec<u8>) -> usize {
        self.held.clear();
        self.opened.line = self.line;
        self.quote_shown = !self.mark.cut;
        if self.quote_shown {
            out.push(b'"');
        }
        self.state = QuoteState::Quoted;
        1
    }

    fn close_quote(&mut self, out: &mut Vec<u8>) -> usize {
        if self.quote_shown {
            out.push(b'"');
        }
        self.go_to(QuoteState::Closed)
    }

    fn escaped_quote(&mut self, out: &mut Vec<u8>) -> usize {
        if self.room() > 0 {
            out.extend_from_slice(b"\"\"");
            self.grow(1);
        }
        self.state = QuoteState::Quoted;
        1
    }

    fn bare(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        let run = chunk.iter().position(|byte| self.is_separator(*byte)).unwrap_or(chunk.len());
        self.content(&chunk[..run], out);
        match chunk.get(run) {
            Some(separator) => run + self.separate(*separator, out),
            None => run,
        }
    }

    fn quoted(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        let run = chunk.iter().position(|byte| *byte == b'"').unwrap_or(chunk.len());
        self.line += chunk[..run].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.content(&chunk[..run], out);
        if run == chunk.len() {
            return run;
        }
        self.state = QuoteState::QuoteInQuoted;
        run + 1
    }

    fn go_astray(&mut self, out: &mut Vec<u8>) -> usize {
        self.mark.stray = self.mark.stray.or(Some(self.opened));
        self.go_bare(out)
    }

    fn is_blank(&self, byte: u8) -> bool {
        matches!(byte, b' ' | b'\t') && byte != self.delimiter
    }

    fn is_separator(&self, byte: u8) -> bool {
        byte == self.delimiter || matches!(byte, b'\n' | b'\r')
    }

    fn separate(&mut self, byte: u8, out: &mut Vec<u8>) -> usize {
        if byte != self.delimiter {
            out.push(b'\n');
            self.hand_out_mark();
            self.state = QuoteState::BetweenRecords;
            return self.line_end(byte);
        }
        self.mark.cut |= self.opened.cell >= MAX_CELLS;
        self.opened.cell += 1;
        self.cell_bytes = 0;
        self.held.clear();
        if !self.mark.cut {
            out.push(byte);
            self.record_bytes += 1;
        }
        self.state = QuoteState::CellStart;
        1
    }

    fn content(&mut self, run: &[u8], out: &mut Vec<u8>) -> usize {
        let kept = run.len().min(self.room());
        out.extend_from_slice(&run[..kept]);
        self.grow(kept);
        run.len()
    }

    /// Returns how many more bytes of the cell may be passed on.
    fn room(&self) -> usize {
        if self.mark.cut { 0 } else { (MAX_CELL + 1).saturating_sub(self.cell_bytes) }
    }

    fn grow(&mut self, bytes: usize) {
        self.cell_bytes += bytes;
        self.record_bytes += bytes;
        self.mark.cut |= self.record_bytes > MAX_RECORD;
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    /// The parser's records and the watcher's marks, read through buffers of this size.
    fn run(text: &[u8], buffer: usize) -> (Vec<Vec<Vec<u8>>>, Vec<RecordSpan>, Option<QuoteStart>) {
        let watch = QuoteWatcher::new(BufReader::with_capacity(buffer, text), b',', 0);
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(buffer)
            .from_reader(watch);
        let (mut records, mut marks) = (Vec::new(), Vec::new());
        let mut record = ::csv::ByteRecord::new();
        while reader.read_byte_record(&mut record).unwrap() {
            records.push(record.iter().map(<[u8]>::to_vec).collect());
            marks.extend(reader.get_mut().next_mark());
        }
        assert_eq!(reader.get_mut().next_mark(), None);
        (records, marks, reader.get_ref().unclosed())
    }

    proptest! {
        #[test]
        fn the_parser_finds_what_it_would_find_alone(
            text in "[a\",\n\r]{0,40}",
            buffer in 1_usize..9,
        ) {
            let (records, marks, unclosed) = run(text.as_bytes(), buffer);
            let mut alone =
                ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let alone: Vec<Vec<Vec<u8>>> = alone
                .byte_records()
                .map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect())
                .collect();
            prop_assert_eq!(&records, &alone);
            prop_assert_eq!(marks.len() + usize::from(unclosed.is_some()), records.len());
            prop_assert!(marks.is_sorted_by_key(|mark| mark.line));
        }

        #[test]
        fn blanks_around_a_quoted_cell_are_no_part_of_it(
            rows in prop::collection::vec(
                prop::collection::vec(("[a,\\n\\r ]{0,4}", any::<bool>(), "[ \\t]{0,3}", "[ \\t]{0,3}"), 1..4),
                0..6,
            ),
            buffer in 1_usize..9,
        ) {
            let written = |(text, quoted, before, after): &(String, bool, String, String)| match quoted {
                true => (format!("{before}\"{text}\"{after}"), text.clone()),
                // A blank line is none.
                false => (format!("{before}x{after}"), format!("{before}x{after}")),
            };
            let rows: Vec<Vec<(String, String)>> =
                rows.iter().map(|row| row.iter().map(written).collect()).collect();
            let line = |row: &Vec<(String, String)>| {
                row.iter().map(|(written, _)| written.as_str()).collect::<Vec<_>>().join(",") + "\n"
            };
            let text: String = rows.iter().map(line).collect();
            let (records, marks, unclosed) = run(text.as_bytes(), buffer);
            let wanted: Vec<Vec<Vec<u8>>> = rows
                .iter()
                .map(|row| row.iter().map(|(_, cell)| cell.clone().into_bytes()).collect())
                .collect();
            prop_assert_eq!(records, wanted);
            prop_assert!(marks.iter().all(|mark| mark.stray.is_none() && mark.line <= mark.end));
            prop_assert_eq!(unclosed, None);
        }
    }
}
