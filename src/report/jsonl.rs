//! Row files of JSON lines: the input's own object, followed by the results as flat members.
//!
//! The own members are given back in their order and in the text they were written in, so that numbers keep
//! their digits. `result` and `result.*` of an earlier report are left out. A line that is no object, or was
//! cut, becomes the member `input`, which no change file has: fed back, it is refused again.

use std::path::Path;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::domain::account::{RowAccount, RowText};
use crate::domain::json::Object;
use crate::domain::outcome::Bucket;
use crate::domain::rules::Rule;
use crate::domain::subject;
use crate::domain::text_form::TextForm;

use super::atomic_file::ReportError;
use super::findings::{compacted, is_on_one_line, on_one_line};
use super::line_writer::LineWriter;
use super::row_file::{FiledRows, RowFile, is_mangled, name};
use super::shelf::Shelf;

/// A row file of JSON lines while it is written.
pub(super) struct JsonlFile {
    bucket: Bucket,
    writer: LineWriter,
    rows: u64,
}

impl JsonlFile {
    pub(super) fn begin(dir: &Path, bucket: Bucket, form: &TextForm) -> Result<Self, ReportError> {
        Ok(Self { bucket, writer: LineWriter::begin_as(dir, &name(bucket, "jsonl"), form)?, rows: 0 })
    }
}

impl RowFile for JsonlFile {
    fn row(&mut self, row: &RowAccount) -> Result<(), ReportError> {
        self.rows += 1;
        let bucket = self.bucket;
        let (line, object) = match &row.text {
            RowText::Line(line) => (line.as_str(), Object::parse(line)),
            RowText::Cells(_) | RowText::Sheet(_) => ("", None),
        };
        match object.filter(|object| stays_so(row, line, object)) {
            // Written member by member it would be the same, and take longer.
            Some(object) if is_as_written(line, &object) => {
                self.writer.extended(line, &RowLine { own: OwnMembers::Written, row, bucket })
            }
            Some(object) => self.writer.line(&RowLine { own: OwnMembers::Members(&object), row, bucket }),
            None => self.writer.line(&RowLine { own: OwnMembers::Input, row, bucket }),
        }
    }

    fn finish(self: Box<Self>, shelf: &Shelf) -> Result<FiledRows, ReportError> {
        Ok(FiledRows { filed: self.writer.finish(shelf)?, rows: self.rows, bucket: self.bucket })
    }
}

/// The line of one row.
struct RowLine<'a> {
    own: OwnMembers<'a>,
    row: &'a RowAccount,
    bucket: Bucket,
}

/// What stands in front of the results.
enum OwnMembers<'a> {
    /// Nothing: the row's own members are written already.
    Written,
    /// The row's own members.
    Members(&'a Object<'a>),
    /// The text that was read: it is no object, or must not be given back as one.
    Input,
}

impl Serialize for RowLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.row;
        let mut map = serializer.serialize_map(None)?;
        match self.own {
            OwnMembers::Written => {}
            OwnMembers::Members(object) => own_members(&mut map, object)?,
            OwnMembers::Input => map.serialize_entry("input", &row.text)?,
        }
        map.serialize_entry("result.outcome", &row.verdict.outcome)?;
        map.serialize_entry("result.code", &row.verdict.code)?;
        map.serialize_entry("result.message", &row.verdict.message)?;
        map.serialize_entry("result.status", &row.verdict.status)?;
        map.serialize_entry("result.request_id", &row.request_ids.last())?;
        map.serialize_entry("result.etag", &row.etag)?;
        map.serialize_entry("result.at", &row.at)?;
        if self.bucket == Bucket::Conflict {
            map.serialize_entry("result.base", &row.base.as_deref().map(compacted))?;
            map.serialize_entry("result.ours", &row.ours.as_deref().map(compacted))?;
            map.serialize_entry("result.theirs", &row.theirs.as_deref().map(compacted))?;
            let [name, customer] = subject::names(row.subject.as_ref());
            map.serialize_entry("result.name", &name)?;
            map.serialize_entry("result.customer", &customer)?;
        }
        map.end()
    }
}

/// Returns whether a row that was refused is refused again where its own members are given back. Text that
/// could not be decoded may stand only in members that are left out.
fn stays_so(row: &RowAccount, line: &str, object: &Object<'_>) -> bool {
    let is_marked = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
    let keeps_mark = || own(object).any(|(name, value)| is_marked(name) || is_marked(value.get()));
    let undecoded = row.findings.iter().any(|finding| finding.is_deny() && finding.rule == Rule::Encoding);
    let is_kept = !undecoded || !is_marked(line) || keeps_mark();
    is_kept && !is_mangled(row)
}

/// Returns whether a line consists of its own members only, in the text in which they would be written.
fn is_as_written(line: &str, object: &Object<'_>) -> bool {
    object.is_compact(line) && is_on_one_line(line) && own(object).count() == object.len()
}

fn own_members<M: SerializeMap>(map: &mut M, object: &Object<'_>) -> Result<(), M::Error> {
    own(object).try_for_each(|(name, value)| map.serialize_entry(name, &on_one_line(value)))
}

/// Returns the members of a row without those of an earlier report.
fn own<'o>(object: &'o Object<'_>) -> impl Iterator<Item = (&'o str, &'o RawValue)> {
    object.iter().filter(|(name, _)| *name != "result" && !name.starts_with("result."))
}
