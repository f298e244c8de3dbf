//! From a file's bytes to text: what encoding, which delimiter, which line ends.
//!
//! Only a byte order mark decides on an encoding. Without one the bytes go through untouched, so that
//! a cell that is no UTF-8 is seen where it stands: guessing an old code page would turn a mistake into
//! wrong letters.

use std::cell::RefCell;
use std::io::{self, BufReader, Cursor, Read};

use encoding_rs_io::DecodeReaderBytesBuilder;
use sha2::{Digest, Sha256};

use super::error::Unusable;
use super::{Context, form};
use crate::domain::account::Format;
use crate::domain::finding::{Finding, Place};
use crate::domain::rules::Rule;

/// How much is read at a time, and looked at in front to see what the file is.
const BLOCK: usize = 64 * 1024;

/// Within so many bytes, a NUL gives a file of another sort away whatever its form.
const MAGIC: usize = 16;

/// The text of a file.
pub(super) struct Text<'a> {
    /// The text, without byte order mark; UTF-8 unless the file holds something else unmarked.
    pub reader: BufReader<Box<dyn Read + 'a>>,
    /// What separates the cells of its first line.
    pub delimiter: u8,
    encoding: Encoding,
    line_end: LineEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf8Marked,
    Utf16Le,
    Utf16Be,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Lf,
    CrLf,
    Cr,
}

impl Text<'_> {
    /// Whether the text was made from UTF-16, where what could not be decoded is U+FFFD by now.
    pub fn is_transcoded(&self) -> bool {
        matches!(self.encoding, Encoding::Utf16Le | Encoding::Utf16Be)
    }

    /// Whether it began with a byte order mark of UTF-8.
    pub fn is_marked(&self) -> bool {
        self.encoding == Encoding::Utf8Marked
    }

    /// What deviates from plain UTF-8 with commas and line feeds.
    pub fn detected(&self) -> Vec<&'static str> {
        let encoding = match self.encoding {
            Encoding::Utf8 => None,
            Encoding::Utf8Marked => Some("UTF-8 with byte order mark"),
            Encoding::Utf16Le => Some("UTF-16LE"),
            Encoding::Utf16Be => Some("UTF-16BE"),
        };
        let delimiter = match self.delimiter {
            b';' => Some("separated by ';'"),
            b'\t' => Some("separated by tabs"),
            _ => None,
        };
        let line_end = match self.line_end {
            LineEnd::Lf => None,
            LineEnd::CrLf => Some("CRLF line ends"),
            LineEnd::Cr => Some("CR line ends"),
        };
        [encoding, delimiter, line_end].into_iter().flatten().collect()
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
    pub fn into_unusable(self, context: &Context<'_>) -> Unusable {
        match self {
            Self::Other(unusable) => unusable,
            Self::Unreadable(error) => context.unreadable(&error),
            Self::Empty => context.unusable(self.told(), None),
            Self::Binary => {
                let hint = "give a file in UTF-8, or in UTF-16 with a byte order mark";
                context.unusable(self.told(), Some(hint))
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
    change_file: Option<&Context<'_>>,
) -> Result<Text<'a>, NoText> {
    let mut bytes = Hashing { bytes, hash };
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
        return Err(NoText::Other(context.unusable("the file is empty", Some(hint))));
    }
    // No line of JSON is no change; no payload is none.
    if head.is_empty() && change_file.is_none() {
        return Err(NoText::Empty);
    }
    if let Some(context) = change_file {
        form::refuse_others(context, &head).map_err(NoText::Other)?;
    }
    let seen = Seen::of(&head, format);
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
    let whole = Cursor::new(head).chain(text);
    let reader: Box<dyn Read + 'a> = match seen.line_end {
        LineEnd::Cr => Box::new(LineFeeds { text: whole, after_cr: false }),
        LineEnd::Lf | LineEnd::CrLf => Box::new(whole),
    };
    Ok(Text {
        reader: BufReader::with_capacity(BLOCK, reader),
        delimiter: seen.delimiter,
        encoding,
        line_end: seen.line_end,
    })
}

/// What is wrong with text that holds U+FFFD: another program could not decode it and wrote it like
/// this. Sent, the mark would take the place of what was meant.
pub(super) fn lost_character(place: Place, what: &str) -> Finding {
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
struct Seen {
    delimiter: u8,
    line_end: LineEnd,
    binary: bool,
}

impl Seen {
    fn of(head: &[u8], format: Format) -> Self {
        let (mut quoted, mut line_end, mut nul) = (false, LineEnd::Lf, false);
        let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
        let mut begun = false;
        for (at, &byte) in head.iter().enumerate() {
            match byte {
                b'\n' | b'\r' if !quoted => {
                    line_end = match (byte, head.get(at + 1)) {
                        (b'\n', _) => LineEnd::Lf,
                        (_, Some(b'\n')) => LineEnd::CrLf,
                        _ => LineEnd::Cr,
                    };
                    if begun {
                        break;
                    }
                    continue;
                }
                b'"' => quoted = !quoted,
                0 => nul = true,
                _ if quoted => {}
                _ => counts.iter_mut().filter(|(sign, _)| *sign == byte).for_each(|(_, count)| *count += 1),
            }
            begun = true;
        }
        let early = head.iter().take(MAGIC).any(|byte| *byte == 0);
        match format {
            Format::Csv => {
                let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
                Self { delimiter: most.map_or(b',', |(sign, _)| sign), line_end, binary: early || nul }
            }
            Format::Jsonl | Format::Json | Format::Http => Self { delimiter: b',', line_end, binary: early },
        }
    }
}

/// Bytes that are hashed as they pass.
struct Hashing<'a> {
    bytes: Box<dyn Read + 'a>,
    hash: &'a RefCell<Sha256>,
}

impl Read for Hashing<'_> {
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
