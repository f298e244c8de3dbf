//! What every part of reading one file needs to know: which file it is, and how to read it.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io;
use std::path::Path;

use sha2::Sha256;

use super::error::{Problem, Unusable};
use super::gzip::{self, Content, GzipError};
use super::hashing::{HashingReader, hex};
use super::options::Options;
use crate::domain::account::{InputInfo, input_name};
use crate::domain::day_doubt::DateColumns;
use crate::domain::finding::Location;
use crate::domain::format::Format;
use crate::domain::text_form::TextForm;
use crate::domain::wording::Wording;

/// One file while it is read, whatever its format.
pub(super) struct InputContext<'a> {
    /// The path as the user gave it; `-` is standard input.
    pub path: &'a str,
    /// The file's number in the run, counted from 0.
    pub input: u32,
    /// How the user wants it read.
    pub options: &'a Options,
    /// Its format, once that is known: it says how places are named.
    pub format: Cell<Format>,
}

impl<'a> InputContext<'a> {
    /// Begins with a file of which no more is known than its name.
    pub fn new(path: &'a str, input: u32, options: &'a Options) -> Self {
        Self { path, input, options, format: Cell::new(Format::Csv) }
    }

    /// Returns a place in the file. Lines and columns count from 1; a column is a cell of a CSV, else a
    /// character.
    pub fn place(&self, line: u64, column: usize) -> Location {
        Location { input: self.input, line, column: u32::try_from(column).unwrap_or(u32::MAX) }
    }

    /// Returns a problem at a place in the file.
    pub fn problem(&self, line: u64, column: usize, message: impl Into<String>) -> Problem {
        let place = self.place(line, column);
        let place = format!("{}:{}", self.name(), self.format.get().place(place.line, place.column));
        Problem { place, message: message.into(), hint: None }
    }

    /// Returns a problem of the file as a whole.
    pub fn unusable(&self, message: impl Into<String>, hint: Option<Wording>) -> Unusable {
        Unusable::from(Problem { place: self.name().to_owned(), message: message.into(), hint })
    }

    /// Returns the problem that the file can't be opened or read.
    pub fn unreadable(&self, error: &io::Error) -> Unusable {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => Some("check its name, and in which directory you are"),
            io::ErrorKind::PermissionDenied => Some("get permission to read it, or give a copy that you own"),
            _ => GzipError::of(error).map(GzipError::remedy),
        };
        self.unusable(format!("cannot read the file: {error}"), hint.map(Wording::from))
    }

    /// Returns the file's name for people.
    pub fn name(&self) -> &str {
        input_name(self.path)
    }

    /// Opens the file. Whether it exists is checked before its name: "no such file" helps more than "no
    /// extension".
    pub fn open(&self) -> Result<File, Unusable> {
        let unreadable = |error| self.unreadable(&error);
        if std::fs::metadata(self.path).map_err(unreadable)?.is_dir() {
            let hint = "name the change files in it one by one, as in changes/*.csv";
            return Err(self.unusable("this is a directory, not a change file", Some(hint.into())));
        }
        File::open(self.path).map_err(unreadable)
    }

    /// Returns the content of a file, unpacked where it is compressed. The file's own bytes go into the hash.
    pub fn content<'r>(
        &self,
        file: impl io::Read + 'r,
        hash: &'r RefCell<Sha256>,
    ) -> Result<Content<'r>, Unusable> {
        let file = HashingReader { bytes: file, hash };
        gzip::open(Path::new(self.path), file).map_err(|error| self.unreadable(&error))
    }

    /// Returns the bytes of the file, or of standard input where the path is `-`.
    pub fn bytes<'r>(&self, stdin: Option<&'r mut dyn io::Read>) -> Result<Box<dyn io::Read + 'r>, Unusable> {
        match (self.path, stdin) {
            ("-", Some(stdin)) => Ok(Box::new(stdin)),
            ("-", None) => Err(self.unusable("there is no standard input", None)),
            _ => Ok(Box::new(File::open(self.path).map_err(|error| self.unreadable(&error))?)),
        }
    }

    /// Returns what the ledger records of the file.
    pub fn info(
        &self,
        hash: &RefCell<Sha256>,
        format: Format,
        form: TextForm,
        rows: RowsSummary,
    ) -> InputInfo {
        let sha256 = hex(hash);
        let path = self.path.to_owned();
        InputInfo {
            path,
            sha256,
            rows: rows.count,
            format,
            form,
            columns: rows.columns,
            is_portal: rows.is_portal,
            dates: rows.dates,
            sheet: rows.sheet,
        }
    }
}

/// What reading the rows of one file leads to, besides the rows.
#[derive(Default)]
pub(super) struct RowsSummary {
    /// The number of data rows.
    pub count: u64,
    /// The names of the columns that the reports give back, in order; none for JSON.
    pub columns: Vec<String>,
    /// The names of the columns that an earlier report added, which are not read.
    pub ignored: Vec<String>,
    /// What was skipped or is unusual, for people.
    pub notes: Vec<String>,
    /// Why the numbers of the file can't be trusted, where that is so.
    pub contradiction: Option<String>,
    /// Why its dates can't be trusted, where that is so.
    pub date_contradiction: Option<String>,
    /// Its columns of Partner Center's dates.
    pub dates: DateColumns,
    /// Whether the file is one of Partner Center's own.
    pub is_portal: bool,
    /// Whether its text was read as Windows-1252.
    pub is_windows_1252: bool,
    /// The sheet that was read of a workbook.
    pub sheet: Option<String>,
}
