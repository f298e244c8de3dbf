//! What every part of reading one file needs to know.

use std::cell::RefCell;
use std::fs::File;
use std::io;

use sha2::{Digest, Sha256};

use super::error::{Problem, Unusable};
use super::options::Options;
use crate::domain::account::{Format, InputInfo, input_name};
use crate::domain::finding::Location;
use crate::domain::text_form::TextForm;
use crate::domain::wording::Wording;

/// What every part of reading one file needs to know.
pub(super) struct InputContext<'a> {
    pub path: &'a str,
    pub input: u32,
    pub options: &'a Options,
}

impl InputContext<'_> {
    pub fn place(&self, line: u64, column: usize) -> Location {
        Location { input: self.input, line, column: u32::try_from(column).unwrap_or(u32::MAX) }
    }

    /// A problem of the file at a place in it.
    pub fn problem(&self, line: u64, column: usize, message: impl Into<String>) -> Problem {
        let place = format!("{}:{line}:{column}", self.name());
        Problem { place, message: message.into(), hint: None }
    }

    /// A problem of the file as a whole.
    pub fn unusable(&self, message: impl Into<String>, hint: Option<Wording>) -> Unusable {
        Unusable::from(Problem { place: self.name().to_owned(), message: message.into(), hint })
    }

    pub fn unreadable(&self, error: &io::Error) -> Unusable {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => Some("check its name, and in which directory you are"),
            io::ErrorKind::PermissionDenied => Some("ask for leave to read it, or give a copy that is yours"),
            _ => None,
        };
        self.unusable(format!("cannot read the file: {error}"), hint.map(Wording::from))
    }

    /// The file's name for people.
    pub fn name(&self) -> &str {
        input_name(self.path)
    }

    /// Opens the file. What is there is looked at before its name: that it isn't there goes before that
    /// it has no extension.
    pub fn open(&self) -> Result<File, Unusable> {
        let unreadable = |error| self.unreadable(&error);
        if std::fs::metadata(self.path).map_err(unreadable)?.is_dir() {
            let hint = "name the change files in it one by one, as in changes/*.csv";
            return Err(self.unusable("this is a directory, not a change file", Some(hint.into())));
        }
        File::open(self.path).map_err(unreadable)
    }

    /// The bytes of the file, or of standard input.
    pub fn bytes<'r>(&self, stdin: Option<&'r mut dyn io::Read>) -> Result<Box<dyn io::Read + 'r>, Unusable> {
        match (self.path, stdin) {
            ("-", Some(stdin)) => Ok(Box::new(stdin)),
            ("-", None) => Err(self.unusable("there is no standard input", None)),
            _ => Ok(Box::new(File::open(self.path).map_err(|error| self.unreadable(&error))?)),
        }
    }

    /// What goes on record of the file.
    pub fn info(
        &self,
        hash: &RefCell<Sha256>,
        format: Format,
        form: TextForm,
        rows: RowsSummary,
    ) -> InputInfo {
        let sha256 = hex(hash.borrow().clone());
        let path = self.path.to_owned();
        InputInfo { path, sha256, rows: rows.count, format, form, columns: rows.columns }
    }
}

/// The SHA-256 of a file, as it goes on record when the file is read as an input.
///
/// # Errors
/// Where it can't be read.
pub fn sha256(path: &str) -> io::Result<String> {
    let (mut file, mut hash) = (File::open(path)?, Sha256::new());
    io::copy(&mut file, &mut hash)?;
    Ok(hex(hash))
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What reading the rows of one file leads to, besides the rows.
pub(super) struct RowsSummary {
    pub count: u64,
    pub columns: Vec<String>,
    pub ignored: Vec<String>,
    /// What was skipped, or taken for what it may not be, for people.
    pub notes: Vec<String>,
    /// Why its numbers can't be trusted.
    pub contradiction: Option<String>,
}
