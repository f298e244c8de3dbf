//! From a file's bytes to text: what encoding, which separator, which line ends.
//!
//! Only a byte order mark decides on an encoding. Without one the bytes go through untouched, so that
//! a cell that is no UTF-8 is seen where it stands: guessing an old code page would turn a mistake into
//! wrong letters.

use std::cell::RefCell;
use std::io::{self, BufReader, Cursor, Read};

use encoding_rs_io::DecodeReaderBytesBuilder;
use sha2::{Digest, Sha256};

use super::context::InputContext;
use super::error::Unusable;
use super::{form, separator};
use crate::domain::account::Format;
use crate::domain::finding::{Finding, Location};
use crate::domain::rules::Rule;
use crate::domain::text_form::{Encoding, LineEnd, Separator, TextForm};

/// How much is read at a time, and looked at in front to see what the file is.
const BLOCK: usize = 64 * 1024;

/// Within so many bytes, a NUL gives a file of another sort away whatever its form.
const MAGIC: usize = 16;

/// The text of a file.
pub(super) struct Text<'a> {
    /// The text, without byte order mark and without a line that is about the separator; UTF-8 unless the
    /// file holds something else unmarked.
    pub reader: BufReader<Box<dyn Read + 'a>>,
    /// How the file is written.
    pub form: TextForm,
    /// How many lines of the file are before the text.
    pub lines_before: u64,
}

impl Text<'_> {
    /// Whether the text was made from UTF-16, where what could not be decoded is U+FFFD by now.
    pub fn is_transcoded(&self) -> bool {
        matches!(self.form.encoding, Encoding::Utf16Le | Encoding::Utf16Be)
    }

    /// Whether it began with a byte order mark of UTF-8.
    pub fn is_marked(&self) -> bool {
        self.form.encoding == Encoding::Utf8Marked
    }
}

/// Why a file holds no text. All of it went into the hash, unless it cannot be read.
pub(super) enum NoText {
    Unreadable(io::Error),
    Empty,
    Binary,
    Other(Unusable),
}

impl NoText {
    /// What was found.
    pub fn told(&self) -> &'static str {
        match self {
            Self::Unreadable(_) | Self::Other(_) => "the file cannot be read",
            Self::Empty => "the file is empty",
            Self::Binary => "the file is not text: it begins with NUL bytes",
        }
    }

    /// The same as the reason why a file is unusable.
    pub fn into_unusable(self, context: &InputContext<'_>) -> Unusable {
        match self {
            Self::Other(unusable) => unusable,
            Self::Unreadable(error) => context.unreadable(&error),
            Self::Empty => context.unusable(self.told(), None),
            Self::Binary => {
                let hint = "give a file in UTF-8, or in UTF-16 with a byte order mark";
                context.unusable(self.told(), Some(hint.into()))
            }
        }
    }
}

/// Looks at the beginning of a file and makes its text readable. All bytes that are read go into the
/// hash as they are.
///
/// # Errors
/// See [`NoText`]. `change_file` is the file whose form is compared with what it is said to be.
pub(super) fn open<'a>(
    bytes: Box<dyn Read + 'a>,
    hash: &'a RefCell<Sha256>,
    format: Format,
    change_file: Option<&InputContext<'_>>,
) -> Result<Text<'a>, NoText> {
    let mut bytes = HashingReader { bytes, hash };
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
    // Asked for less than a character, the decoder loses part of the mark for what is missing at the end.
    let mut text = BufReader::with_capacity(BLOCK, text);
    let mut head = Vec::new();
    text.by_ref().take(BLOCK as u64).read_to_end(&mut head).map_err(NoText::Unreadable)?;
    // Files that were joined or saved twice carry a second mark, which is no part of a name either.
    while head.starts_with(b"\xef\xbb\xbf") {
        head.drain(..3);
    }
    if let (Some(context), Format::Csv, true) = (change_file, format, head.is_empty()) {
        let hint = "the first line names the columns, as in id,status,substatus";
        return Err(NoText::Other(context.unusable("the file is empty", Some(hint.into()))));
    }
    // No line of JSON is no change; no payload is none.
    if head.is_empty() && change_file.is_none() {
        return Err(NoText::Empty);
    }
    if let Some(context) = change_file {
        form::refuse_others(context, &head).map_err(NoText::Other)?;
    }
    let said = match (change_file, format) {
        (Some(context), Format::Csv) => separator::said(context, &head).map_err(NoText::Other)?,
        _ => None,
    };
    head.drain(..said.map_or(0, |said| said.length));
    let seen = FirstLine::of(&head, format);
    if seen.binary {
        if let Some(context) = change_file {
            return Err(NoText::Other(form::binary(context, &head, encoding != Encoding::Utf8)));
        }
        io::copy(&mut text, &mut io::sink()).map_err(NoText::Unreadable)?;
        return Err(NoText::Binary);
    }
    if let Some(context) = change_file {
        form::compare(context, format, &head).map_err(NoText::Other)?;
    }
    let form = TextForm {
        encoding,
        line_end: seen.line_end.or(said.and_then(|said| said.line_end)).unwrap_or_default(),
        separator: said.map_or(seen.separator, |said| said.separator),
        says_separator: said.is_some(),
    };
    let whole = Cursor::new(head).chain(text);
    let reader: Box<dyn Read + 'a> = match form.line_end {
        LineEnd::Cr => Box::new(LineFeeds { text: whole, after_cr: false }),
        LineEnd::Lf | LineEnd::CrLf => Box::new(whole),
    };
    let lines_before = said.map_or(0, |said| said.lines);
    Ok(Text { reader: BufReader::with_capacity(BLOCK, reader), form, lines_before })
}

/// What is wrong with text that holds U+FFFD: another program could not decode it and wrote it like
/// this. Sent, the mark would take the place of what was meant.
pub(super) fn lost_character(place: Location, what: &str) -> Finding {
    let message = format!("{what} holds U+FFFD, the mark of a lost character");
    Finding::deny(Rule::Encoding, place, message)
        .hint("a character was lost when the file was saved in another encoding: type it again")
}

/// Whether JSON text holds that mark, as it is or escaped.
pub(super) fn has_lost_character(json: &str) -> bool {
    let is_escape = |at: usize| {
        let digits = json.get(at + 2..at + 6);
        let before = json[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        before % 2 == 0 && digits.is_some_and(|digits| digits.eq_ignore_ascii_case("fffd"))
    };
    json.contains(char::REPLACEMENT_CHARACTER) || json.match_indices("\\u").any(|(at, _)| is_escape(at))
}

/// What the first line gives away.
struct FirstLine {
    separator: Separator,
    /// What ends it, or the blank lines before it, if anything does.
    line_end: Option<LineEnd>,
    binary: bool,
}

impl FirstLine {
    fn of(head: &[u8], format: Format) -> Self {
        let early = head.iter().take(MAGIC).any(|byte| *byte == 0);
        let (line, line_end) = first_line(head);
        match format {
            Format::Csv => {
                let binary = early || line.contains(&0);
                Self { separator: separator::most_frequent(line), line_end, binary }
            }
            Format::Jsonl | Format::Json | Format::Http => {
                Self { separator: Separator::default(), line_end, binary: early }
            }
        }
    }
}

/// The first line that isn't empty, and what ends it, or else the line before it. A line end in quotes ends
/// no line.
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

/// Bytes that are hashed as they pass.
struct HashingReader<'a> {
    bytes: Box<dyn Read + 'a>,
    hash: &'a RefCell<Sha256>,
}

impl Read for HashingReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.bytes.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.hash.borrow_mut().update(&buffer[..count]);
                    return Ok(count);
                }
            }
        }
    }
}

/// Text whose lines end in CR alone, given on with LF. A CRLF among them is one line end too.
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
            // Nothing kept of something read is not yet the end of the text.
            if kept > 0 || count == 0 {
                return Ok(kept);
            }
        }
    }
}
