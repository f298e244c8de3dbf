//! Files of JSON lines.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::domain::json;
use crate::domain::text_form::{LineEnd, TextForm};

use super::atomic_file::{AtomicFile, BUFFER, Filed, ReportError};
use super::form::FormedFile;
use super::shelf::Shelf;

/// Writes a file with one JSON document per line.
pub(super) struct LineWriter {
    path: PathBuf,
    writer: BufWriter<FormedFile>,
    line_end: LineEnd,
}

impl LineWriter {
    /// Begins a file in plain form: UTF-8, with LF.
    pub(super) fn begin(dir: &Path, name: &str) -> Result<Self, ReportError> {
        Self::begin_as(dir, name, &TextForm::default())
    }

    /// Begins a file with the encoding and the line ends of a form.
    pub(super) fn begin_as(dir: &Path, name: &str, form: &TextForm) -> Result<Self, ReportError> {
        let file = AtomicFile::begin(dir, name)?;
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

    /// Writes the members of `more` behind those of `object`, which is the text of an object with at least one
    /// member.
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
        whole.into_atomic().put(shelf)
    }
}
