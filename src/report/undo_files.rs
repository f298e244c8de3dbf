//! The files of an undo: a change file of JSON lines that takes a run back, and beside it the list of what can't be
//! taken back and why.
//!
//! A line of the change file holds one referral: its id, the version that the run made, and the values from before as
//! operations, which name every path without doubt. Name and customer are there for people, under names that a change
//! file doesn't read. The list is there in any case, so that a script finds it.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use csv::QuoteStyle;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::disk;
use crate::domain::account::InputInfo;
use crate::domain::finding::Location;
use crate::domain::formula::defused;
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::subject::{self, Subject};
use crate::domain::way_back::{FieldBack, StuckField, WayBack};

use super::atomic_file::{AtomicFile, BUFFER, ReportError};
use super::csv::{says_separator, writer};
use super::findings::on_one_line;
use super::form::{FormedFile, SharedForms};
use super::names::InputNames;
use super::plan_table::cell;

const HEADER: [&str; 10] =
    ["id", "name", "customer", "file", "line", "field", "before", "wrote", "reason", "message"];

/// Both files while they are written.
pub struct UndoFiles {
    changes: BufWriter<AtomicFile>,
    stuck: csv::Writer<FormedFile>,
    names: InputNames,
    path: PathBuf,
}

#[derive(Serialize)]
struct UndoLine<'a> {
    id: ReferralId,
    #[serde(rename = "eTag", skip_serializing_if = "Option::is_none")]
    etag: Option<&'a ETag>,
    #[serde(rename = "result.name", skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(rename = "result.customer", skip_serializing_if = "Option::is_none")]
    customer: Option<&'a str>,
    patch: Vec<UndoOperation<'a>>,
}

#[derive(Serialize)]
struct UndoOperation<'a> {
    op: &'static str,
    path: &'a str,
    value: Cow<'a, RawValue>,
}

/// Returns the path of the list beside a change file.
pub fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".cannot.csv");
    name.into()
}

impl UndoFiles {
    /// Begins both. They have other names until [`UndoFiles::finish`].
    ///
    /// # Errors
    /// Where they can't be created in the directory of the file, which must exist.
    pub fn begin(file: &Path, inputs: &[InputInfo]) -> Result<Self, ReportError> {
        let form = SharedForms::of(inputs).csv();
        let list = beside(file);
        let changes = BufWriter::with_capacity(BUFFER, named(file)?);
        let formed = named(&list)?;
        let begun = || -> io::Result<_> {
            let mut formed = FormedFile::begin(formed, &form)?;
            formed.write_all(says_separator(&form).as_bytes())?;
            let mut stuck = writer(&form, QuoteStyle::Necessary).from_writer(formed);
            stuck.write_record(HEADER)?;
            Ok(stuck)
        };
        let stuck = begun().map_err(|source| failed(&list, source))?;
        Ok(Self { changes, stuck, names: InputNames::of(inputs), path: file.to_owned() })
    }

    /// Adds the way back of a referral. `place` is where its first row begins.
    ///
    /// # Errors
    /// Where writing fails, or the place is in no input of the run.
    pub fn add(
        &mut self,
        back: &WayBack,
        subject: Option<&Subject>,
        place: Option<Location>,
    ) -> Result<(), ReportError> {
        if !back.fields.is_empty() {
            self.line(back, subject).map_err(|source| failed(&self.path, source))?;
        }
        let (file, line) = match place {
            Some(place) => (self.names.file(place)?, place.line.to_string()),
            None => ("", String::new()),
        };
        let id = back.id.to_string();
        let [name, customer] = subject::names(subject).map(Option::unwrap_or_default);
        for StuckField { path, before, wrote, obstacle, message } in &back.stuck {
            let cells = [
                Cow::Borrowed(id.as_str()),
                defused(name),
                defused(customer),
                defused(file),
                Cow::Borrowed(&line),
                defused(path.pointer().as_str()),
                cell(before.as_deref()),
                cell(Some(wrote)),
                Cow::Borrowed(obstacle.code()),
                defused(message),
            ];
            let written = self.stuck.write_record(cells.iter().map(|cell| cell.as_bytes()));
            written.map_err(|error| failed(&beside(&self.path), error.into()))?;
        }
        Ok(())
    }

    fn line(&mut self, back: &WayBack, subject: Option<&Subject>) -> io::Result<()> {
        let [name, customer] = subject::names(subject);
        let operations = back.fields.iter().map(|FieldBack { path, wanted, .. }| UndoOperation {
            op: "replace",
            path: path.pointer().as_str(),
            value: on_one_line(wanted),
        });
        let patch = operations.collect();
        let line = UndoLine { id: back.id, etag: back.etag.as_ref(), name, customer, patch };
        serde_json::to_writer(&mut self.changes, &line)?;
        self.changes.write_all(b"\n")
    }

    /// Gives both their names. Files that have them already are replaced where `replace` says so. The list comes
    /// first: a change file without it would look like the whole way back.
    ///
    /// # Errors
    /// Where writing fails, or another file has one of the names by now.
    pub fn finish(self, replace: bool) -> Result<(), ReportError> {
        let Self { changes, stuck, path, .. } = self;
        let list = beside(&path);
        let changes = changes.into_inner().map_err(|error| failed(&path, error.into_error()))?;
        let stuck = stuck.into_inner().map_err(|error| {
            failed(&list, io::Error::new(error.error().kind(), error.error().to_string()))
        })?;
        let stuck = stuck.into_atomic();
        if replace {
            stuck.replace()?;
            return changes.replace().map(drop);
        }
        let listed = stuck.put_new()?;
        changes.put_new().map(drop).inspect_err(|_| {
            // It was made here, and belongs to a file that is not there. If it can't be taken away, it stays.
            let _ = disk::remove(&listed);
        })
    }
}

/// Begins a file of this name.
fn named(file: &Path) -> Result<AtomicFile, ReportError> {
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    AtomicFile::begin(dir, &file.file_name().unwrap_or_default().to_string_lossy())
}

fn failed(path: &Path, source: io::Error) -> ReportError {
    ReportError::Write { path: path.to_owned(), source }
}
