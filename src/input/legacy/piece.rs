//! The text of one payload as it lies in its file, and where in the file each of its characters stands.

use serde_json::value::RawValue;

use super::super::context::InputContext;
use super::super::lines::{MAX_LINE, beginning};
use crate::domain::finding::{Finding, Location};
use crate::domain::rules::Rule;

/// A place in a text. Lines and columns count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub line: u64,
    /// The column, in characters.
    pub column: usize,
}

impl Position {
    /// The beginning of a text.
    pub const START: Self = Self { line: 1, column: 1 };

    /// Returns the place behind a text that begins here.
    pub fn behind(self, text: &[u8]) -> Self {
        // Counting bytes is vectorised and much faster than splitting, and most texts have no line break.
        let breaks = count(text, |byte| byte == b'\n') as u64;
        if breaks == 0 {
            return Self { line: self.line, column: self.column + characters(text) };
        }
        let last = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        Self { line: self.line + breaks, column: characters(last) + 1 }
    }
}

/// Returns the number of characters that begin in these bytes, if they are UTF-8.
fn characters(bytes: &[u8]) -> usize {
    count(bytes, |byte| byte & 0xc0 != 0x80)
}

/// Returns the number of bytes for which `is_so` is true.
pub(super) fn count(bytes: &[u8], is_so: impl Fn(u8) -> bool) -> usize {
    // In chunks whose count fits a byte, so that the compiler counts many bytes at a time.
    let parts = bytes.chunks(usize::from(u8::MAX));
    parts.map(|part| usize::from(part.iter().map(|byte| u8::from(is_so(*byte))).sum::<u8>())).sum()
}

/// The bytes of one payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub bytes: &'a [u8],
    /// Where they begin.
    pub start: Position,
    /// Whether the payload was too large, so that its end is missing.
    pub cut: bool,
}

impl<'a> Piece<'a> {
    /// Returns the text.
    ///
    /// # Errors
    /// The finding about it, and what the reports can show of it: that is no JSON object, so that no reader
    /// takes it for the payload.
    pub fn text(&self, context: &InputContext<'_>, transcoded: bool) -> Result<&'a str, (Finding, String)> {
        let start = context.place(self.start.line, self.start.column);
        if self.cut {
            let message = format!("the payload is larger than {} MiB", MAX_LINE >> 20);
            let shown = format!("{}… [cut: {message}]", beginning(self.bytes));
            return Err((
                Finding::deny(Rule::Size, start, message).hint("a referral has a few kilobytes"),
                shown,
            ));
        }
        let (finding, sound) = match std::str::from_utf8(self.bytes) {
            Ok(text) if transcoded && text.contains(char::REPLACEMENT_CHARACTER) => {
                (Finding::deny(Rule::Encoding, start, "the payload holds what is not valid UTF-16"), "")
            }
            Ok(text) => return Ok(text),
            Err(error) => {
                let (sound, rest) = self.bytes.split_at(error.valid_up_to());
                let at = self.start.behind(sound);
                let message = format!("the payload is not valid UTF-8: byte 0x{:02x}", rest[0]);
                let finding = Finding::deny(Rule::Encoding, context.place(at.line, at.column), message);
                (finding, std::str::from_utf8(sound).unwrap_or_default())
            }
        };
        let shown = format!("{sound}… [cut: {}]", finding.message);
        Err((finding.hint("save the file as UTF-8"), shown))
    }
}

/// Tells where in the file a part of a payload's text stands.
#[derive(Clone, Copy)]
pub(super) struct PayloadLocator<'a> {
    pub context: &'a InputContext<'a>,
    /// Where the payload begins.
    pub start: Position,
    /// The text as it was written.
    pub text: &'a str,
    /// The text as it was parsed: of the same length, each byte at the same offset.
    pub parsed: &'a str,
}

impl PayloadLocator<'_> {
    /// Returns the place of the byte at an offset.
    pub fn at(&self, offset: usize) -> Location {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let Position { line, column } = self.start.behind(before);
        self.context.place(line, column)
    }

    /// Returns the place of a value, which must borrow from [`Self::parsed`]: its address tells the offset.
    pub fn of(&self, value: &RawValue) -> Location {
        self.at((value.get().as_ptr() as usize).saturating_sub(self.parsed.as_ptr() as usize))
    }

    /// Returns the place of the last byte that the parser read.
    pub fn of_error(&self, error: &serde_json::Error) -> Location {
        let lines = self.parsed.split_inclusive('\n').take(error.line().saturating_sub(1));
        let before: usize = lines.map(str::len).sum();
        self.at((before + error.column()).min(self.parsed.len()).saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        for (text, line, column) in
            [("", 3, 5), ("ab", 3, 7), ("é€", 3, 7), ("a\n", 4, 1), ("a\r\né\nxy", 5, 3), ("\n\n", 5, 1)]
        {
            let start = Position { line: 3, column: 5 };
            assert_eq!(start.behind(text.as_bytes()), Position { line, column }, "{text:?}");
        }
    }
}
