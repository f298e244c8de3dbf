//! The parts of a workbook: files in a ZIP archive.
//!
//! Whoever made the archive says how large its parts are, and need not be believed. So each part is unpacked and
//! counted before anything is made of it, to its end, where its checksum is compared.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};

use zip::ZipArchive;

use super::super::context::InputContext;
use super::super::error::Unusable;
use super::kind::{self, AGAIN};

/// How large the parts of a workbook may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The number of unpacked bytes up to which no ratio is looked at.
    pub free: u64,
    /// How many times as large as the file its parts may be, beyond that.
    pub ratio: u64,
    /// The most unpacked bytes of the shared strings, which are held in memory.
    pub strings: u64,
}

impl Limits {
    /// What no workbook of a person reaches: its sheets unpack to between five and fifty times their size.
    pub const USUAL: Self = Self { free: 256 << 20, ratio: 200, strings: 512 << 20 };
}

/// The most bytes between two tags, or within one: a cell has at most 32,767 characters.
const PIECE: usize = 1 << 20;

/// The most parts of an archive.
const PARTS: usize = 20_000;

/// The largest part that is read as a whole: a list of sheets, or of parts.
const LIST: u64 = 16 << 20;

/// Why a part can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum PartError {
    #[error("it unpacks to more than {0} times the size of the file")]
    Absurd(u64),
    #[error("its texts take more than {} MiB", .0 >> 20)]
    Strings(u64),
    #[error("a cell, or a tag, is larger than 1 MiB")]
    Piece,
    #[error("it says that it has more texts than it holds")]
    Count,
}

impl From<PartError> for io::Error {
    fn from(error: PartError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// The parts of a workbook.
pub(super) struct Package<'a> {
    context: &'a InputContext<'a>,
    archive: ZipArchive<BufReader<File>>,
    /// The parts by name, in lower case, and their numbers in the archive.
    parts: BTreeMap<String, usize>,
    limits: Limits,
    /// The most bytes that all parts together may unpack to.
    room: u64,
    /// The bytes that were unpacked so far.
    unpacked: u64,
}

impl<'a> Package<'a> {
    /// Opens an archive and reads its table of parts.
    ///
    /// # Errors
    /// Where it is damaged, or holds no workbook.
    pub fn open(context: &'a InputContext<'a>, mut file: File, limits: Limits) -> Result<Self, Unusable> {
        kind::check(context, &mut file)?;
        let size = file.metadata().map_err(|error| context.unreadable(&error))?.len();
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
            let message = format!("the workbook is damaged, or its end is missing: {error}");
            context.unusable(message, Some(AGAIN.into()))
        })?;
        if archive.len() > PARTS {
            let message = format!("the workbook has more than {PARTS} parts");
            return Err(context.unusable(message, Some(kind::SAVE_AS_XLSX.into())));
        }
        let mut parts = BTreeMap::new();
        for at in 0..archive.len() {
            let name = archive.name_for_index(at).and_then(Result::ok).unwrap_or_default();
            parts.insert(name.replace('\\', "/").to_ascii_lowercase(), at);
        }
        let room = limits.free.max(size.saturating_mul(limits.ratio));
        let mut package = Self { context, archive, parts, limits, room, unpacked: 0 };
        let types = package.text("[content_types].xml")?.unwrap_or_default();
        if !types.contains(".sheet.main+xml")
            && !types.contains("sheet.macroEnabled.main+xml")
            && !types.contains("template.main+xml")
            && !types.contains("template.macroEnabled.main+xml")
        {
            let says = package.text("mimetype")?.unwrap_or_default();
            let names = package.parts.keys().map(String::as_str);
            let (message, hint) = kind::of_archive(names, &types, &says);
            return Err(context.unusable(message, Some(hint.into())));
        }
        Ok(package)
    }

    /// Returns a part as a whole; `None` where there is none of this name.
    ///
    /// # Errors
    /// Where it is damaged, or larger than any list.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Unusable> {
        let Some(at) = self.number(name) else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = self.part(at).and_then(|part| part.take(LIST).read_to_end(&mut bytes));
        read.map_err(|error| self.damaged(name, &error))?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Unpacks every part but one to its end, and throws the bytes away.
    ///
    /// # Errors
    /// Where one is damaged, or beyond measure.
    pub fn check_all_but(&mut self, other: &str) -> Result<(), Unusable> {
        let other = self.number(other);
        let names: Vec<(String, usize)> = self.parts.clone().into_iter().collect();
        for (name, at) in names.into_iter().filter(|(_, at)| Some(*at) != other) {
            let checked = self.part(at).and_then(|mut part| {
                io::copy(&mut part, &mut io::sink())?;
                part.guard.finish()
            });
            checked.map_err(|error| self.damaged(&name, &error))?;
        }
        Ok(())
    }

    /// Opens a part that is read in a stream.
    ///
    /// # Errors
    /// Where there is none of this name, or it can't be read.
    pub fn stream(&mut self, name: &str) -> Result<impl Read, Unusable> {
        let Some(at) = self.number(name) else {
            let message = format!("the workbook is damaged: its part {name} is missing");
            return Err(self.context.unusable(message, Some(AGAIN.into())));
        };
        let context = self.context;
        self.part(at).map_err(|error| damaged(context, name, &error))
    }

    /// Returns the file again, for another reader.
    pub fn into_file(self) -> BufReader<File> {
        self.archive.into_inner()
    }

    /// Returns the error of a part that can't be read.
    pub fn damaged(&self, name: &str, error: &dyn std::fmt::Display) -> Unusable {
        damaged(self.context, name, error)
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.parts.get(&name.trim_start_matches('/').to_ascii_lowercase()).copied()
    }

    fn part(&mut self, at: usize) -> io::Result<Part<'_, impl Read>> {
        let name =
            self.archive.name_for_index(at).and_then(Result::ok).unwrap_or_default().to_ascii_lowercase();
        let bytes = self.archive.by_index(at).map_err(io::Error::from)?;
        let guard = Guard {
            limits: self.limits,
            room: self.room,
            total: &mut self.unpacked,
            own: 0,
            piece: (is_markup(&name)).then_some(0),
            strings: name.ends_with("sharedstrings.xml").then(Vec::new),
        };
        Ok(Part { bytes, guard })
    }
}

fn damaged(context: &InputContext<'_>, name: &str, error: &dyn std::fmt::Display) -> Unusable {
    context.unusable(format!("the workbook is damaged in its part {name}: {error}"), Some(AGAIN.into()))
}

/// Returns whether a part is XML in which no piece is long. Parts of the user's own may hold anything.
fn is_markup(name: &str) -> bool {
    (name.ends_with(".xml") || name.ends_with(".rels")) && !name.starts_with("customxml/")
}

/// A part while it is unpacked.
struct Part<'p, R> {
    bytes: R,
    guard: Guard<'p>,
}

impl<R: Read> Read for Part<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.guard.pass(&buffer[..count])?;
        Ok(count)
    }
}

/// What is counted of the bytes of a part.
struct Guard<'p> {
    limits: Limits,
    /// The most bytes of all parts.
    room: u64,
    /// The bytes of all parts so far.
    total: &'p mut u64,
    /// Those of this part.
    own: u64,
    /// In markup, the bytes since the last tag began.
    piece: Option<usize>,
    /// In the part of the shared strings, how it begins.
    strings: Option<Vec<u8>>,
}

impl Guard<'_> {
    /// Counts bytes that were unpacked.
    fn pass(&mut self, bytes: &[u8]) -> Result<(), PartError> {
        let count = bytes.len() as u64;
        *self.total += count;
        self.own += count;
        if *self.total > self.room {
            return Err(PartError::Absurd(self.limits.ratio));
        }
        if let Some(head) = &mut self.strings {
            const HEAD: usize = 4096;
            head.extend(bytes.iter().take(HEAD - head.len().min(HEAD)));
            if self.own > self.limits.strings {
                return Err(PartError::Strings(self.limits.strings));
            }
        }
        if let Some(piece) = &mut self.piece {
            for run in bytes.split_inclusive(|byte| *byte == b'<') {
                *piece += run.len();
                if *piece > PIECE {
                    return Err(PartError::Piece);
                }
                if run.ends_with(b"<") {
                    *piece = 0;
                }
            }
        }
        Ok(())
    }

    /// Looks at a part that was read to its end. How many strings there are is said at the beginning, and room
    /// would be made for as many; each takes at least five bytes.
    fn finish(&self) -> io::Result<()> {
        let Some(head) = &self.strings else { return Ok(()) };
        let head = String::from_utf8_lossy(head);
        let said = head.split("uniqueCount=").nth(1).map(|rest| rest.trim_start_matches(['"', '\'']));
        let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
        let said = said.map(digits).filter(|digits| !digits.is_empty());
        let is_sound = said.is_none_or(|said| said.parse::<u64>().is_ok_and(|said| said <= self.own / 5 + 1));
        if is_sound { Ok(()) } else { Err(PartError::Count.into()) }
    }
}
