//! The lines of a text, one at a time, each of bounded size.

use std::io::{self, BufRead, Read};

/// The largest line, or JSON document of several lines, in bytes.
pub(super) const MAX_LINE: usize = 16 * 1024 * 1024;

/// The number of bytes that are kept of a text that is too large, for the reports.
const EXCERPT: usize = 200;

/// Reads a text line by line. Of a line larger than [`MAX_LINE`], only the beginning is kept.
pub(super) struct BoundedLines<R> {
    text: R,
    /// The number of the line that was read last, counted from 1.
    pub line: u64,
    /// The line, without its end.
    pub bytes: Vec<u8>,
    /// Whether the line was too large, so that its end is missing.
    pub cut: bool,
}

impl<R: BufRead> BoundedLines<R> {
    /// Begins before the first line.
    pub fn of(text: R) -> Self {
        Self { text, line: 0, bytes: Vec::new(), cut: false }
    }

    /// Reads the next line, which ends in LF or CRLF. Returns false at the end of the text.
    pub fn next(&mut self) -> io::Result<bool> {
        self.bytes.clear();
        let read = self.text.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut self.bytes)?;
        if read == 0 {
            return Ok(false);
        }
        self.line += 1;
        let ended = self.bytes.last() == Some(&b'\n');
        if ended {
            self.bytes.pop();
        }
        self.cut = self.bytes.len() > MAX_LINE;
        if self.cut {
            self.text.skip_until(b'\n')?;
        } else if self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
        Ok(true)
    }
}

/// Returns the beginning of a text that is too large, for the reports.
pub(super) fn beginning(bytes: &[u8]) -> String {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(EXCERPT)]);
    shown.trim_end_matches(char::REPLACEMENT_CHARACTER).to_owned()
}
