//! Files with one JSON document a line.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::domain::json;
use crate::domain::text_form::{LineEnd, TextForm};

use super::atomic_file::{BUFFER, Filed, ReportError, WholeFile};
use super::form::FormedFile;
use super::shelf::Shelf;

/// Writes one JSON document a line into a whole file.
pub(super) struct LineWriter {
    path: PathBuf,
    writer: BufWriter<FormedFile>,
    line_end: LineEnd,
}

impl LineWriter {
    /// Begins a file that is no row file, in the plain form.
    pub(super) fn begin(dir: &Path, name: &str) -> Result<Self, ReportError> {
        Self::begin_as(dir, name, &TextForm::default())
    }

    /// Begins a file in a form.
    pub(super) fn begin_as(dir: &Path, name: &str, form: &TextForm) -> Result<Self, ReportError> {
        let file = WholeFile::begin(dir, name)?;
        let path = file.path().to_owned();
        match FormedFile::begin(file, form) {
            Ok(file) => {
                let writer = BufWriter::with_capacity(BUFFER, file);
                Ok(Self { path, writer, line_end: form.line_end })
            }
            Err(source) => Err(ReportError::Write { path, source }),
        }
    }

    /// Writes a document.
    pub(super) fn line<T: Serialize>(&mut self, line: &T) -> Result<(), ReportError> {
        let written = serde_json::to_writer(&mut self.writer, line).map_err(Into::into);
        self.end_line(written)
    }

    /// Writes an object, whose text this is and which isn't empty, with the members of another one behind its
    /// own.
    pub(super) fn extended<T: Serialize>(&mut self, object: &str, more: &T) -> Result<(), ReportError> {
        let more = json::raw(more);
        let parts = [&object[..object.len() - 1], ",", &more.get()[1..]];
        let written = parts.iter().try_for_each(|part| self.writer.write_all(part.as_bytes()));
        self.end_line(written)
    }

    fn end_line(&mut self, written: io::Result<()>) -> Result<(), ReportError> {
        written
            .and_then(|()| self.writer.write_all(self.line_end.text().as_bytes()))
            .map_err(|source| ReportError::Write { path: self.path.clone(), source })
    }

    /// Puts the file in its place.
    pub(super) fn finish(self, shelf: &Shelf) -> Result<Filed, ReportError> {
        let Self { path, writer, .. } = self;
        let whole =
            writer.into_inner().map_err(|error| ReportError::Write { path, source: error.into_error() })?;
        whole.into_whole().keep(shelf)
    }
}
