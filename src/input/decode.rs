//! From a file's bytes to text: encoding, byte order marks, line ends.
//!
//! Only a byte order mark decides on an encoding. Without one the bytes pass unchanged, so that a cell that is
//! not UTF-8 gets a finding where it stands: guessing an old code page would turn a mistake into wrong letters.

use std::io::{self, BufReader, Cursor, Read};

use super::context::InputContext;
use super::error::Unusable;
use super::{form, separator};
use crate::domain::finding::{Finding, Location};
use crate::domain::format::Format;
use crate::domain::rules::Rule;
use crate::domain::text_form::{Encoding, LineEnd, Separator, TextForm};
use encoding_rs_io::DecodeReaderBytesBuilder;

/// The number of bytes that are read at a time. As many are looked at first, to see what the file is.
const BLOCK: usize = 64 * 1024;

/// The number of bytes at the beginning in which a NUL shows that a file is no text, whatever its format.
const MAGIC: usize = 16;

/// The text of a file, ready to be read.
pub(super) struct DecodedText<'a> {
    /// The text, without byte order mark and without a line that names the separator. It is UTF-8, unless the
    /// file holds other bytes and no mark.
    pub reader: BufReader<Box<dyn Read + 'a>>,
    /// How the file is written: encoding, line ends, separator.
    pub form: TextForm,
    /// The number of the file's lines before the text.
    pub lines_before: u64,
}

impl DecodedText<'_> {
    /// Returns whether the text was UTF-16, in which U+FFFD now stands for what could not be decoded.
    pub fn is_transcoded(&self) -> bool {
        matches!(self.form.encoding, Encoding::Utf16Le | Encoding::Utf16Be)
    }

    /// Returns whether the text began with the byte order mark of UTF-8.
    pub fn has_byte_order_mark(&self) -> bool {
        self.form.encoding == Encoding::Utf8Marked
    }
}

/// Why a file holds no text. All of its bytes were read, unless it can't be.
pub(super) enum NoText {
    Unreadable(io::Error),
    Empty,
    Binary,
    Other(Unusable),
}

impl NoText {
    /// Returns what was found, for people.
    pub fn message(&self) -> &'static str {
        match self {
            Self::Unreadable(_) | Self::Other(_) => "the file cannot be read",
            Self::Empty => "the file is empty",
            Self::Binary => "the file is not text: it begins with NUL bytes",
        }
    }

    /// Returns the same as the reason why the file can't be used.
    pub fn into_unusable(self, context: &InputContext<'_>) -> Unusable {
        match self {
            Self::Other(unusable) => unusable,
            Self::Unreadable(error) => context.unreadable(&error),
            Self::Empty => context.unusable(self.message(), None),
            Self::Binary => {
                let hint = "give a file in UTF-8, or in UTF-16 with a byte order mark";
                context.unusable(self.message(), Some(hint.into()))
            }
        }
    }
}

/// Looks at the beginning of a file and makes its text readable.
///
/// `change_file` is given for a change file alone: then the text is checked against the format that the file is
/// declared to have. Legacy payloads have their own checks.
///
/// # Errors
/// See [`NoText`].
pub(super) fn open<'a>(
    mut bytes: Box<dyn Read + 'a>,
    format: Format,
    change_file: Option<&InputContext<'_>>,
) -> Result<DecodedText<'a>, NoText> {
    let mut mark = Vec::new();
    bytes.by_ref().take(3).read_to_end(&mut mark).map_err(NoText::Unreadable)?;
    let encoding = match mark[..] {
        [0xef, 0xbb, 0xbf] => Encoding::Utf8Marked,
        [0xff, 0xfe, ..] => Encoding::Utf16Le,
        [0xfe, 0xff, ..] => Encoding::Utf16Be,
        _ => Encoding::Utf8,
    };
    let text = DecodeReaderBytesBuilder::new()
        .utf8_passthru(true)
        .strip_bom(true)
        .build_with_buffer(Cursor::new(mark).chain(bytes), vec![0; BLOCK])
        .map_err(NoText::Unreadable)?;
    // Read through a buffer: asked for fewer than four bytes at the end of malformed UTF-16, the decoder gives one
    // part of U+FFFD and loses the rest.
    let mut text = BufReader::with_capacity(BLOCK, text);
    let mut head = Vec::new();
    text.by_ref().take(BLOCK as u64).read_to_end(&mut head).map_err(NoText::Unreadable)?;
    // Files that were joined, or saved twice, carry a second mark. Left in, it would be part of the first column's name.
    while head.starts_with(b"\xef\xbb\xbf") {
        head.drain(..3);
    }
    if let (Some(context), true, true) = (change_file, format.is_table(), head.is_empty()) {
        let hint = "the first line names the columns, as in id,status,substatus";
        return Err(NoText::Other(context.unusable("the file is empty", Some(hint.into()))));
    }
    // An empty file of JSON lines changes nothing, and is allowed; an empty file holds no payload.
    if head.is_empty() && change_file.is_none() {
        return Err(NoText::Empty);
    }
    if let Some(context) = change_file {
        form::refuse_others(context, &head).map_err(NoText::Other)?;
    }
    let declared = match (change_file, format) {
        (Some(context), Format::Csv | Format::PortalCsv) => {
            separator::declared(context, &head).map_err(NoText::Other)?
        }
        _ => None,
    };
    head.drain(..declared.map_or(0, |declared| declared.length));
    let seen = FirstLine::of(&head, format);
    if seen.binary {
        if let Some(context) = change_file {
            return Err(NoText::Other(form::binary(context, &head, encoding != Encoding::Utf8)));
        }
        // The rest is read for its checksum: a file of no text is an input, too.
        io::copy(&mut text, &mut io::sink()).map_err(NoText::Unreadable)?;
        return Err(NoText::Binary);
    }
    if let Some(context) = change_file {
        form::compare(context, format, &head).map_err(NoText::Other)?;
    }
    let form = TextForm {
        encoding,
        line_end: seen.line_end.or(declared.and_then(|declared| declared.line_end)).unwrap_or_default(),
        separator: declared.map_or(seen.separator, |declared| declared.separator),
        says_separator: declared.is_some(),
    };
    let whole = Cursor::new(head).chain(text);
    let reader: Box<dyn Read + 'a> = match form.line_end {
        // What reads the text counts lines by LF.
        LineEnd::Cr => Box::new(LineFeeds { text: whole, after_cr: false }),
        LineEnd::Lf | LineEnd::CrLf => Box::new(whole),
    };
    let lines_before = declared.map_or(0, |declared| declared.lines);
    Ok(DecodedText { reader: BufReader::with_capacity(BLOCK, reader), form, lines_before })
}

/// Returns the finding for text with U+FFFD: another program could not decode a character and wrote the mark
/// instead. If it were sent, it would replace what was meant.
pub(super) fn lost_character(place: Location, what: &str) -> Finding {
    let message = format!("{what} holds U+FFFD, the mark of a lost character");
    Finding::deny(Rule::Encoding, place, message)
        .hint("a character was lost when the file was saved in another encoding: type it again")
}

/// Returns whether JSON text holds U+FFFD, as a character or as an escape.
pub(super) fn has_lost_character(json: &str) -> bool {
    let is_escape = |at: usize| {
        let digits = json.get(at + 2..at + 6);
        let before = json[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        before % 2 == 0 && digits.is_some_and(|digits| digits.eq_ignore_ascii_case("fffd"))
    };
    json.contains(char::REPLACEMENT_CHARACTER) || json.match_indices("\\u").any(|(at, _)| is_escape(at))
}

/// What the first line of a text shows.
struct FirstLine {
    separator: Separator,
    /// What ends it, or the blank lines before it; `None` where the file has no line end.
    line_end: Option<LineEnd>,
    /// Whether NUL bytes show that it is no text.
    binary: bool,
}

impl FirstLine {
    /// Looks at the first line of a text that begins like this.
    fn of(head: &[u8], format: Format) -> Self {
        let early = head.iter().take(MAGIC).any(|byte| *byte == 0);
        let (line, line_end) = first_line(head);
        match format {
            Format::Csv | Format::PortalCsv => {
                let binary = early || line.contains(&0);
                Self { separator: separator::most_frequent(line), line_end, binary }
            }
            Format::Xlsx | Format::Jsonl | Format::Json | Format::Http => {
                Self { separator: Separator::default(), line_end, binary: early }
            }
        }
    }
}

/// Returns the first line that isn't empty, and what ends it or else the line before it. A line end within
/// quotes ends no line.
fn first_line(head: &[u8]) -> (&[u8], Option<LineEnd>) {
    let (mut start, mut quoted, mut line_end) = (0, false, None);
    for (at, &byte) in head.iter().enumerate() {
        quoted ^= byte == b'"';
        if quoted || !matches!(byte, b'\n' | b'\r') {
            continue;
        }
        let is_second_half = byte == b'\n' && at == start && head[..at].ends_with(b"\r");
        if !is_second_half {
            line_end = separator::line_end_at(head, at);
        }
        if at > start {
            return (&head[start..at], line_end);
        }
        start = at + 1;
    }
    (&head[start..], line_end)
}

/// Text whose lines end in CR alone, passed on with LF. A CRLF in it is one line end, too.
struct LineFeeds<R> {
    text: R,
    after_cr: bool,
}

impl<R: Read> Read for LineFeeds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.text.read(buffer)?;
            let mut kept = 0;
            for at in 0..count {
                let byte = buffer[at];
                let second_half = byte == b'\n' && self.after_cr;
                self.after_cr = byte == b'\r';
                if !second_half {
                    buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
            }
            // To return 0 means the end of the text, so a block of which nothing was kept needs another read.
            if kept > 0 || count == 0 {
                return Ok(kept);
            }
        }
    }
}
