//! `verify.jsonl` and `verify.csv`: how the referrals that a run wrote stand by now, a line per referral, in the order
//! of the run.
//!
//! A line tells the last that was found of its referral, and when that was: a later verification that did not come so
//! far leaves it as it is. No cell of the table runs as a formula.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::PathBuf;

use csv::QuoteStyle;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::domain::account::InputInfo;
use crate::domain::characters::{visible_json, visible_lines};
use crate::domain::finding::Location;
use crate::domain::formula::defused;
use crate::domain::json;
use crate::domain::pointer::Pointer;
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::subject::{self, Subject};
use crate::domain::verification::{FieldNow, Verified, VerifiedStanding};

use super::atomic_file::{AtomicFile, Filed, ReportError};
use super::csv::{says_separator, writer};
use super::findings::{compacted, on_one_line};
use super::form::{FormedFile, SharedForms};
use super::line_writer::LineWriter;
use super::names::InputNames;
use super::plan_line::RowPlaces;
use super::plan_table::cell;
use super::shelf::Shelf;

/// The name of the table in a run's directory.
pub const TABLE: &str = "verify.csv";

/// The names of both files.
pub(super) const NAMES: [&str; 2] = ["verify.jsonl", TABLE];

const HEADER: [&str; 12] = [
    "id", "name", "customer", "file", "line", "standing", "fields", "wrote", "now", "updated", "at",
    "message",
];

/// What was found last of one referral.
#[derive(Debug, Clone, Copy)]
pub struct VerifiedReferral<'a> {
    /// The referral.
    pub id: ReferralId,
    /// What people know it by.
    pub subject: Option<&'a Subject>,
    /// Where its rows begin.
    pub rows: &'a [Location],
    /// What was found.
    pub verified: &'a Verified,
}

/// Both files while they are written.
pub struct VerifiedReport {
    names: InputNames,
    lines: LineWriter,
    path: PathBuf,
    table: csv::Writer<FormedFile>,
    shelf: Shelf,
}

/// The files of a verification, in their places.
#[derive(Debug)]
pub struct FiledVerification {
    /// `verify.jsonl`.
    pub lines: Filed,
    /// `verify.csv`, which says the same to people.
    pub table: Filed,
}

/// How one referral stood when it was last looked at.
#[derive(Serialize, JsonSchema)]
pub(super) struct VerifiedLine<'a> {
    /// The referral.
    id: ReferralId,
    /// The name of the deal; left out where planning did not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "&str")]
    name: Option<&'a str>,
    /// The customer; left out where planning did not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "&str")]
    customer: Option<&'a str>,
    /// The rows that the run wrote it for.
    rows: RowPlaces<'a>,
    /// How it stands.
    standing: VerifiedStanding,
    /// The fields that have another value than the run wrote.
    #[serde(serialize_with = "fields")]
    #[schemars(with = "Vec<FieldLine<'_>>")]
    fields: &'a [FieldNow],
    /// The version that it has now, as the service spells it; null where that was not shown.
    etag: Option<&'a ETag>,
    /// When the service last updated it, as it tells that; null where it does not.
    updated: Option<&'a str>,
    /// When it was looked at.
    at: Timestamp,
    /// What else there is to say, for people; may be empty.
    message: &'a str,
}

/// A field that no longer has the value that the run wrote.
#[derive(Serialize, JsonSchema)]
struct FieldLine<'a> {
    /// The field.
    #[schemars(with = "Pointer")]
    path: &'a str,
    /// What the run wrote; of an append, the elements that it added.
    wrote: Cow<'a, RawValue>,
    /// What is there now; null where there is nothing.
    now: Option<Cow<'a, RawValue>>,
}

fn fields<S: Serializer>(fields: &[FieldNow], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(fields.iter().map(|field| FieldLine {
        path: field.path.pointer().as_str(),
        wrote: on_one_line(&field.wrote),
        now: field.now.as_deref().map(on_one_line),
    }))
}

impl VerifiedReport {
    /// Begins the files. They have other names until [`VerifiedReport::finish`].
    ///
    /// # Errors
    /// Where a file can't be created in the run's directory, which must exist.
    pub fn begin(shelf: &Shelf, inputs: &[InputInfo]) -> Result<Self, ReportError> {
        let [lines, table] = NAMES;
        let lines = LineWriter::begin(shelf.dir(), lines)?;
        let form = SharedForms::of(inputs).csv();
        let file = AtomicFile::begin(shelf.dir(), table)?;
        let path = file.path().to_owned();
        let begun = || {
            let mut file = FormedFile::begin(file, &form)?;
            file.write_all(says_separator(&form).as_bytes())?;
            let mut writer = writer(&form, QuoteStyle::Necessary).from_writer(file);
            writer.write_record(HEADER)?;
            Ok(writer)
        };
        let begun: io::Result<_> = begun();
        let table = begun.map_err(|source| ReportError::Write { path: path.clone(), source })?;
        Ok(Self { names: InputNames::of(inputs), lines, path, table, shelf: shelf.clone() })
    }

    /// Adds the next referral of the run.
    ///
    /// # Errors
    /// Where writing fails, or a row lies in an input that the run does not have.
    pub fn referral(&mut self, referral: VerifiedReferral<'_>) -> Result<(), ReportError> {
        let VerifiedReferral { id, subject, rows, verified } = referral;
        // Checked first: found while serialising, an unknown input would look like a failure to write.
        rows.iter().try_for_each(|place| self.names.file(*place).map(drop))?;
        let Verified { standing, fields, etag, updated, message, at } = verified;
        let [name, customer] = subject::names(subject);
        self.lines.line(&VerifiedLine {
            id,
            name,
            customer,
            rows: RowPlaces { rows, keys: &[], names: &self.names },
            standing: *standing,
            fields,
            etag: etag.as_ref(),
            updated: updated.as_deref(),
            at: *at,
            message,
        })?;
        let (file, line) = match rows.first() {
            Some(first) => (self.names.file(*first)?, first.line.to_string()),
            None => ("", String::new()),
        };
        let paths: Vec<&str> = fields.iter().map(|field| field.path.pointer().as_str()).collect();
        let cells = [
            Cow::Owned(id.to_string()),
            defused(name.unwrap_or_default()),
            defused(customer.unwrap_or_default()),
            defused(file),
            Cow::Borrowed(line.as_str()),
            Cow::Borrowed(standing.name()),
            Cow::Owned(defused(&paths.join("\n")).into_owned()),
            values(fields, |field| Some(&*field.wrote)),
            values(fields, |field| field.now.as_deref()),
            Cow::Borrowed(updated.as_deref().unwrap_or_default()),
            Cow::Owned(at.to_string()),
            Cow::Owned(defused(&visible_lines(message)).into_owned()),
        ];
        let written = self.table.write_record(cells.iter().map(|cell| cell.as_bytes()));
        written.map_err(|error| ReportError::Write { path: self.path.clone(), source: error.into() })
    }

    /// Puts both files in their places.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn finish(self) -> Result<FiledVerification, ReportError> {
        let Self { lines, path, table, shelf, .. } = self;
        let table = table.into_inner().map_err(|error| ReportError::Write {
            path,
            source: io::Error::new(error.error().kind(), error.error().to_string()),
        })?;
        Ok(FiledVerification { lines: lines.finish(&shelf)?, table: table.into_atomic().put(&shelf)? })
    }
}

/// Returns one side of the fields that changed: the value itself where it is one field, else a line for each, in the
/// order of their names.
fn values<'a>(fields: &'a [FieldNow], side: fn(&'a FieldNow) -> Option<&'a RawValue>) -> Cow<'a, str> {
    if let [field] = fields {
        return cell(side(field));
    }
    let lines: Vec<String> = fields
        .iter()
        .map(|field| match side(field).filter(|value| !json::is_null(value)) {
            None => String::new(),
            // Texts keep their quotes, so that a line break in one doesn't look like the next value.
            Some(value) => visible_json(compacted(value).get()).into_owned(),
        })
        .collect();
    Cow::Owned(defused(&lines.join("\n")).into_owned())
}
