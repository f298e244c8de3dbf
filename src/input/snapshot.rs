//! Snapshot files: referrals as they stood when a user downloaded them.
//!
//! A file holds JSON lines with one referral or one list page per line, a JSON array of referrals, or a single
//! list page, pretty-printed or not. Nothing may follow: the rest could be the other half of what was read.
//! Only one line, or one element of an array, is in memory at a time, and the ids of all referrals with their
//! places: no referral may stand in a file twice, since nothing tells which of the two counts.

use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::gzip::{self, GzipError};
use super::hashing::{HashingReader, hex};
use crate::domain::characters::visible_path;
use crate::domain::id_list::{Added, IdList};
use crate::domain::json::{self, Object};
use crate::domain::referral::ReferralId;
use crate::domain::snapshot::Snapshot;

/// The largest line, in bytes, that is read as a referral or a page; also the largest pretty-printed page.
const LONGEST_LINE: u64 = 64 << 20;

/// The number of bytes that are read at a time.
const BUFFER: usize = 1 << 18;

/// Why a snapshot can't be read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotFileError<E> {
    /// The file can't be opened or read.
    #[error("cannot read {}: {error}", visible_path(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is not valid JSON, or goes on behind it.
    #[error("{}:{line}:{column}: {message}", visible_path(path))]
    Json {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The byte in the line, counted from 1.
        column: u64,
        /// What is wrong.
        message: String,
    },
    /// An entry is no referral.
    #[error("{}: {spot}: {message}", visible_path(path))]
    Form {
        /// The file.
        path: PathBuf,
        /// Where it stands.
        spot: SnapshotPlace,
        /// What is wrong.
        message: String,
    },
    /// Two entries are for one referral.
    #[error("{}: referral {id} stands in it twice: {first}, and {second}", visible_path(path))]
    Twice {
        /// The file.
        path: PathBuf,
        /// The referral.
        id: ReferralId,
        /// Where it stands first.
        first: SnapshotPlace,
        /// Where it stands again.
        second: SnapshotPlace,
    },
    /// The receiver of the referrals failed.
    #[error("the reader of the snapshot gave up")]
    Sink(E),
}

impl<E> SnapshotFileError<E> {
    /// Returns what would help, where the error is one of the file's own: it is compressed, and not whole.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Io { error, .. } => GzipError::of(error).map(GzipError::remedy),
            _ => None,
        }
    }
}

/// A place in a snapshot, as a person would look for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotPlace {
    /// The line, or the element's number in an array.
    place: u64,
    /// Whether `place` counts lines.
    is_line: bool,
    /// The element's number on a list page; `None` where the entry is a referral.
    on_page: Option<u32>,
}

impl fmt::Display for SnapshotPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(element) = self.on_page {
            write!(out, "element {element} of ")?;
        }
        write!(out, "{} {}", if self.is_line { "line" } else { "element" }, self.place)
    }
}

/// Receives one referral after the other, and returns whether it wants more.
type ReferralSink<'a, E> = &'a mut dyn FnMut(&Snapshot<'_>) -> Result<bool, E>;

/// The state of reading one file.
struct SnapshotReader<'a, E> {
    path: &'a Path,
    sink: ReferralSink<'a, E>,
    place: u64,
    is_line: bool,
    on_page: Option<u32>,
    /// The referrals so far.
    ids: IdList,
    /// Where each stands: its `place` and `on_page`.
    spots: Vec<(u64, Option<u32>)>,
    /// Whether the sink wants more.
    more: bool,
    /// What went wrong within an array, which serde has no type for.
    failure: Option<SnapshotFileError<E>>,
}

/// Reads every referral of a file and hands it to `sink`, until that wants no more.
///
/// # Errors
/// At the first entry that is no referral, since a plan from half a snapshot would treat the other half as
/// unknown. At the second entry for one referral. With the error of `sink`.
pub fn read_snapshot<E>(path: &Path, sink: ReferralSink<'_, E>) -> Result<(), SnapshotFileError<E>> {
    read_from(path, &mut content(path, open(path)?)?, sink).map(drop)
}

/// Does the same, and returns the SHA-256 of the file's bytes in hexadecimal; `None` where the sink wanted no
/// more before the end of the file.
///
/// # Errors
/// As [`read_snapshot`].
pub fn read_pinned_snapshot<E>(
    path: &Path,
    sink: ReferralSink<'_, E>,
) -> Result<Option<String>, SnapshotFileError<E>> {
    let hash = RefCell::new(Sha256::new());
    let mut reader = content(path, HashingReader { bytes: open(path)?, hash: &hash })?;
    if !read_from(path, &mut reader, sink)? {
        return Ok(None);
    }
    // The checksum is that of the whole file, so white space behind the referrals counts, too.
    let rest = io::copy(&mut reader, &mut io::sink());
    rest.map_err(|error| SnapshotFileError::Io { path: path.to_owned(), error })?;
    Ok(Some(hex(&hash)))
}

/// Reads the text of a snapshot, or of any other file of JSON, into memory.
///
/// # Errors
/// Where it can't be read, or is no text.
pub fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    gzip::open(path, File::open(path)?)?.bytes.read_to_string(&mut text)?;
    Ok(text)
}

fn open<E>(path: &Path) -> Result<File, SnapshotFileError<E>> {
    File::open(path).map_err(|error| SnapshotFileError::Io { path: path.to_owned(), error })
}

/// Returns a file's content, unpacked where it is compressed.
fn content<'a, E>(
    path: &Path,
    file: impl Read + 'a,
) -> Result<BufReader<Box<dyn Read + 'a>>, SnapshotFileError<E>> {
    let content = gzip::open(path, file);
    let content = content.map_err(|error| SnapshotFileError::Io { path: path.to_owned(), error })?;
    Ok(BufReader::with_capacity(BUFFER, content.bytes))
}

/// Reads to the end, or until the sink wants no more. Returns whether it would take more.
fn read_from<E>(
    path: &Path,
    reader: &mut impl BufRead,
    sink: ReferralSink<'_, E>,
) -> Result<bool, SnapshotFileError<E>> {
    let start = start(reader).map_err(|error| SnapshotFileError::Io { path: path.to_owned(), error })?;
    let is_line = start.byte != Some(b'[');
    let mut reading = SnapshotReader {
        path,
        sink,
        place: 0,
        is_line,
        on_page: None,
        ids: IdList::default(),
        spots: Vec::new(),
        more: true,
        failure: None,
    };
    match start.byte {
        None => {}
        Some(b'[') => reading.array(reader, &start)?,
        Some(_) => reading.lines(reader, &start)?,
    }
    Ok(reading.more)
}

/// Where a JSON text begins in its file.
struct Start {
    /// Its first byte; `None` at the end of the file.
    byte: Option<u8>,
    /// The number of lines that end before it.
    lines: u64,
    /// The number of bytes before it on its own line.
    bytes: u64,
}

/// Skips white space and byte order marks.
fn start(reader: &mut impl BufRead) -> io::Result<Start> {
    let mut start = Start { byte: None, lines: 0, bytes: 0 };
    loop {
        let Some(byte) = reader.fill_buf()?.first().copied() else { return Ok(start) };
        match byte {
            b'\n' => (start.lines, start.bytes) = (start.lines + 1, 0),
            _ if byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf) => start.bytes += 1,
            _ => return Ok(Start { byte: Some(byte), ..start }),
        }
        reader.consume(1);
    }
}

impl<E> SnapshotReader<'_, E> {
    /// Returns the error for an entry that is no referral.
    fn form(&self, message: impl Into<String>) -> SnapshotFileError<E> {
        SnapshotFileError::Form { path: self.path.to_owned(), spot: self.spot(), message: message.into() }
    }

    fn spot(&self) -> SnapshotPlace {
        SnapshotPlace { place: self.place, is_line: self.is_line, on_page: self.on_page }
    }

    /// Returns the error for a text that begins at `start` and is not valid JSON.
    fn json(&self, start: &Start, error: &serde_json::Error) -> SnapshotFileError<E> {
        let (line, column) = (error.line() as u64, error.column() as u64);
        let before = if line <= 1 { start.bytes } else { 0 };
        let told = error.to_string();
        let told = told.split(" at line ").next().unwrap_or_default();
        SnapshotFileError::Json {
            path: self.path.to_owned(),
            line: start.lines + line.max(1),
            column: before + column.max(1),
            message: format!("no valid JSON: {told}"),
        }
    }

    fn io(&self, error: io::Error) -> SnapshotFileError<E> {
        SnapshotFileError::Io { path: self.path.to_owned(), error }
    }

    /// Reads a referral or a page from each line; or one page from all lines together.
    fn lines(&mut self, mut reader: impl BufRead, start: &Start) -> Result<(), SnapshotFileError<E>> {
        let mut line = String::new();
        self.place = start.lines;
        let (mut before, mut is_first) = (start.bytes, true);
        while self.more {
            line.clear();
            let read =
                reader.by_ref().take(LONGEST_LINE).read_line(&mut line).map_err(|error| self.io(error))?;
            if read == 0 {
                return Ok(());
            }
            self.place += 1;
            if read as u64 == LONGEST_LINE {
                return Err(self.form("the line is longer than 64 MiB"));
            }
            let start = Start { byte: None, lines: self.place - 1, bytes: std::mem::take(&mut before) };
            if line.trim_ascii().is_empty() {
                continue;
            }
            if std::mem::take(&mut is_first) && Object::parse(&line).is_none() {
                // Not one object a line: perhaps one object over several lines.
                let mut whole = std::mem::take(&mut line);
                let rest = reader.take(LONGEST_LINE).read_to_string(&mut whole);
                rest.map_err(|error| self.io(error))?;
                return self.object(&whole, &start);
            }
            self.object(&line, &start)?;
        }
        Ok(())
    }

    /// Takes a referral or a page of them.
    fn object(&mut self, text: &str, start: &Start) -> Result<(), SnapshotFileError<E>> {
        // Nearly every line is a referral, so it is read as one first.
        match Snapshot::in_part(text) {
            Ok(referral) if elements(referral.members()).is_none() => self.hand_over(&referral),
            _ => self.page(text, start),
        }
    }

    /// Takes an element of an array, which is known to be valid JSON.
    fn element(&mut self, text: &str) -> Result<(), SnapshotFileError<E>> {
        self.object(text, &Start { byte: None, lines: 0, bytes: 0 })
    }

    /// Takes a list page, or says what is wrong with a referral.
    fn page(&mut self, text: &str, start: &Start) -> Result<(), SnapshotFileError<E>> {
        let object = match Object::read(text) {
            Ok(object) => object,
            Err(error) if text.trim_start().starts_with('{') => return Err(self.json(start, &error)),
            Err(_) => return Err(self.form("no JSON object")),
        };
        let Some(elements) = elements(&object) else { return self.referral(text) };
        for (number, element) in (1..).zip(elements) {
            if self.more {
                self.on_page = Some(number);
                self.referral(element.get())?;
            }
        }
        self.on_page = None;
        Ok(())
    }

    fn referral(&mut self, text: &str) -> Result<(), SnapshotFileError<E>> {
        let referral = Snapshot::in_part(text).map_err(|error| self.form(format!("no referral: {error}")))?;
        self.hand_over(&referral)
    }

    /// Hands a referral to the sink, unless there was one of the same id.
    fn hand_over(&mut self, referral: &Snapshot<'_>) -> Result<(), SnapshotFileError<E>> {
        let id = referral.id();
        if let Added::There(at) = self.ids.add(id) {
            let (place, on_page) = self.spots[at];
            let (first, second) = (SnapshotPlace { place, on_page, ..self.spot() }, self.spot());
            return Err(SnapshotFileError::Twice { path: self.path.to_owned(), id, first, second });
        }
        self.spots.push((self.place, self.on_page));
        self.more = (self.sink)(referral).map_err(SnapshotFileError::Sink)?;
        Ok(())
    }

    /// Reads an array of referrals or pages.
    fn array(&mut self, reader: impl BufRead, start: &Start) -> Result<(), SnapshotFileError<E>> {
        let mut deserializer = serde_json::Deserializer::from_reader(reader);
        let read = ArrayElements(self).deserialize(&mut deserializer);
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if !self.more {
            return Ok(());
        }
        read.and_then(|()| deserializer.end()).map_err(|error| match error.classify() {
            Category::Io => self.io(error.into()),
            Category::Syntax | Category::Data | Category::Eof => self.json(start, &error),
        })
    }
}

/// Returns the referrals of a list page; `None` where the object is none.
fn elements<'a>(object: &Object<'a>) -> Option<Vec<&'a RawValue>> {
    object.get("value").and_then(json::elements)
}

/// Hands the elements of an array over one by one while they are read.
struct ArrayElements<'a, 'b, E>(&'a mut SnapshotReader<'b, E>);

impl<'de, E> DeserializeSeed<'de> for ArrayElements<'_, '_, E> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, E> Visitor<'de> for ArrayElements<'_, '_, E> {
    type Value = ();

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("an array of referrals")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let reading = self.0;
        while reading.more && reading.failure.is_none() {
            let Some(element) = elements.next_element_seed(Raw)? else { return Ok(()) };
            reading.place += 1;
            if let Err(failure) = reading.element(element.get()) {
                reading.failure = Some(failure);
            }
        }
        Ok(())
    }
}

/// Reads one element as text.
struct Raw;

impl<'de> DeserializeSeed<'de> for Raw {
    type Value = Box<RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Box::<RawValue>::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::gzip;
    use super::*;

    const A: &str = r#"{"id":"5a1e0001-0000-4000-8000-000000000001"}"#;
    const B: &str = r#"{"id":"5a1e0001-0000-4000-8000-000000000002"}"#;

    fn ids(text: &str, most: usize) -> Result<Vec<String>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.jsonl");
        std::fs::write(&path, text).unwrap();
        let mut ids = Vec::new();
        let read = read_snapshot::<()>(&path, &mut |referral| {
            ids.push(referral.id().to_string()[35..].to_owned());
            Ok(ids.len() < most)
        });
        read.map(|()| ids).map_err(|error| error.to_string().rsplit('/').next().unwrap().to_owned())
    }

    #[test]
    fn every_form_of_a_snapshot_is_read() {
        let pretty = "{\n \"value\": [\n".to_owned() + A + ",\n" + B + "\n]}\n";
        for (text, wanted) in [
            (format!("{A}\n{B}\n"), "12"),
            (format!("\u{feff}{A}\r\n\r\n{B}"), "12"),
            (format!("[{A},\n{B}]"), "12"),
            (format!("{{\"value\":[{A}]}}\n{{\"value\":[{B}],\"@odata.nextLink\":\"x\"}}"), "12"),
            (pretty, "12"),
            (format!("[{{\"value\":[{A},{B}]}}]"), "12"),
            (String::new(), ""),
            ("[]".to_owned(), ""),
        ] {
            assert_eq!(ids(&text, 9).map(|ids| ids.concat()).as_deref(), Ok(wanted), "{text}");
        }
        assert_eq!(ids(&format!("{A}\n{B}\n"), 1).unwrap(), ["1"]);
        assert_eq!(ids(&format!("[{A},{B}, what]"), 1).unwrap(), ["1"]);
        assert_eq!(ids(&format!("[{A},{B}] what"), 1).unwrap(), ["1"]);
    }

    /// Whatever stands beside the referrals may be the other half of one.
    #[test]
    fn a_file_holds_nothing_beside_its_referrals() {
        let page = format!("{{\"value\":[{A}]}}");
        let open = page.replace(':', ":\n");
        let array = format!("[{A}]");
        for rest in [
            "garbage", "}", "]", "[", "{", ",", "\"", ":", "null", "\0", "\u{feff}", "\u{a0}", "// x", &array,
        ] {
            for whole in [&array, &page, &open, &A.to_owned()] {
                for text in
                    [format!("{whole}{rest}"), format!("{whole} {rest}\n"), format!("{whole}\n\n{rest}")]
                {
                    assert!(ids(&text, 9).is_err(), "{text}");
                }
                let is_mark = rest == "\u{feff}";
                assert_eq!(ids(&format!("{rest}{whole}"), 9).is_err(), !is_mark, "{rest}{whole}");
            }
        }
        for (text, wanted) in [
            (format!("{array}garbage"), "s.jsonl:1:48: no valid JSON: trailing characters"),
            (format!("\n  {array}\n\n {array}"), "s.jsonl:4:2: no valid JSON: trailing characters"),
            (format!("\n  [{A}}}"), "s.jsonl:2:49: no valid JSON: expected `,` or `]`"),
            (format!("{open}\n}}"), "s.jsonl:4:1: no valid JSON: trailing characters"),
            (format!("\n {A}}}"), "s.jsonl:2:47: no valid JSON: trailing characters"),
            (format!("{A}\n{B}}}\n"), "s.jsonl:2:46: no valid JSON: trailing characters"),
        ] {
            assert_eq!(ids(&text, 9), Err(wanted.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_file_is_pinned_by_all_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.jsonl");
        let texts = [format!("{A}\n{B}\n"), format!("[{A}]\n\n "), String::new()].map(String::into_bytes);
        let packed = texts.clone().map(|text| gzip(&text));
        for text in texts.into_iter().chain(packed) {
            std::fs::write(&path, &text).unwrap();
            let sum: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
            let read = read_pinned_snapshot::<()>(&path, &mut |_| Ok(true));
            assert_eq!(read.unwrap(), Some(sum), "{}", String::from_utf8_lossy(&text));
        }
        std::fs::write(&path, format!("{A}\n{B}\n")).unwrap();
        assert_eq!(read_pinned_snapshot::<()>(&path, &mut |_| Ok(false)).unwrap(), None);
    }

    #[test]
    fn a_compressed_file_that_ends_early_is_half_a_snapshot() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("s.jsonl.gz", format!("{A}\n{B}\n")), ("s.json", format!("[{A},{B}]"))] {
            let (path, whole) = (dir.path().join(name), gzip(text.as_bytes()));
            for length in 2..whole.len() {
                std::fs::write(&path, &whole[..length]).unwrap();
                let error = read_snapshot::<()>(&path, &mut |_| Ok(true)).unwrap_err();
                assert!(error.to_string().ends_with("its compressed data ends early"), "{error}");
                assert_eq!(error.remedy(), Some(GzipError::EndsEarly.remedy()));
            }
        }
    }

    #[test]
    fn two_entries_for_one_referral_are_named_by_their_places() {
        let page = |elements: &str| format!("{{\"value\":[{elements}]}}");
        let other = A.replace('}', ",\"status\":\"New\"}");
        let id = A.split('"').nth(3).unwrap();
        for (text, wanted) in [
            (format!("{A}\n{B}\n\n{A}\n"), "line 1, and line 4"),
            (format!("{A}\n{other}\n"), "line 1, and line 2"),
            (format!("[{A},{B},{}]", A.to_uppercase().replace("ID", "id")), "element 1, and element 3"),
            (
                format!("{}\n{}\n", page(&format!("{B},{A}")), page(A)),
                "element 2 of line 1, and element 1 of line 2",
            ),
            (format!("{A}\n{}\n", page(A)), "line 1, and element 1 of line 2"),
            (format!("[{},{A}]", page(A)), "element 1 of element 1, and element 2"),
            (format!("{{\n\"value\":[{A},\n{B},{A}]\n}}"), "element 1 of line 1, and element 3 of line 1"),
        ] {
            assert_eq!(
                ids(&text, 9),
                Err(format!("s.jsonl: referral {id} stands in it twice: {wanted}")),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_referral_is_named_by_its_line() {
        for (text, wanted) in [
            (format!("{A}\n{{"), "s.jsonl:2:1: no valid JSON: EOF while parsing an object"),
            (format!("{A}\n{{\"a\":1}}"), "s.jsonl: line 2: no referral: no \"id\" that is a GUID"),
            (format!("[{A},{{}}]"), "s.jsonl: element 2: no referral: no \"id\" that is a GUID"),
            (
                format!("{{\"value\":[{A},{{}}]}}"),
                "s.jsonl: element 2 of line 1: no referral: no \"id\" that is a GUID",
            ),
            ("id,status".to_owned(), "s.jsonl: line 1: no JSON object"),
            (format!("[{A}"), "s.jsonl:1:46: no valid JSON: EOF while parsing a list"),
        ] {
            assert_eq!(ids(&text, 9), Err(wanted.to_owned()), "{text}");
        }
    }
}
