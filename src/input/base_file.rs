//! Reads the base of a run: the file that its change files were made from, in any form that these may have, or a
//! snapshot of the referrals.

use std::path::Path;

use super::base_row::{BaseRow, ReadAs};
use super::context::InputContext;
use super::error::{InputError, Problem, Unusable};
use super::key_index::KeyIndex;
use super::line_locator::LineLocator;
use super::object::{self, Dictionary};
use super::options::{Matching, Options};
use super::read::read;
use super::record::{Read, Record};
use super::row::RowBuilder;
use super::snapshot::{SnapshotFileError, read_pinned_snapshot};
use super::{form, gzip};
use crate::domain::account::RowText;
use crate::domain::change::Rejected;
use crate::domain::fields::SERVER_MANAGED;
use crate::domain::finding::Finding;
use crate::domain::format::Format;
use crate::domain::referral::ReferralId;
use crate::domain::snapshot::Snapshot;

/// What is known of a base once it has been read to its end.
#[derive(Debug)]
pub struct ReadBase {
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// The names of its columns, in the order of the cells of its rows; none for JSON.
    pub columns: Vec<String>,
    /// Why no number of it that has a point or a comma in it can be trusted, where that is so.
    pub contradiction: Option<String>,
    /// Why no day that it names can be trusted, where that is so.
    pub date_contradiction: Option<String>,
}

/// Why a base can't be used.
#[derive(Debug)]
pub enum BaseFileError<E> {
    /// The file as a whole, or a row of it, is none.
    Unusable(Unusable),
    /// The file holds JSON, and is no file of referrals.
    Snapshot(SnapshotFileError<E>),
    /// The receiver of the rows failed.
    Sink(E),
}

/// Receives one row after the other, and returns whether it wants more.
type RowSink<'a, E> = &'a mut dyn FnMut(ReferralId, BaseRow) -> Result<bool, E>;

/// Reads a base and hands its rows to `sink`, until that wants no more; returns `None` then. Its values are read as
/// `options` say for the change files.
///
/// # Errors
/// Where the file can't be read, or a row of it names no referral or is broken: the file isn't what was exported then.
/// With the error of `sink`.
pub fn read_base<E>(
    path: &Path,
    options: &Options,
    sink: RowSink<'_, E>,
) -> Result<Option<ReadBase>, BaseFileError<E>> {
    let index = options.matching.as_ref().and_then(|matching| matching.index.clone());
    // Without the index, the rows give what they name their referrals by.
    let matching = options.matching.clone().map(|matching| Matching { index: None, ..matching });
    let options = Options { read_as: ReadAs::Base, format: None, clear: true, matching, ..options.clone() };
    let unpacked = gzip::inner(path);
    let extension = unpacked.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if matches!(extension.as_str(), "json" | "jsonl" | "ndjson") {
        return json(path, &options, sink);
    }
    let name = path.to_string_lossy();
    let context = InputContext::new(&name, 0, &options);
    // Whatever its name says, a base that is no other form is a table.
    let format = form::declared(&context).is_err().then_some(Format::Csv);
    table(path, &Options { format, ..options }, index.as_deref(), sink)
}

/// Why the reading of a table ends before its end.
enum Ended<E> {
    /// The receiver of the rows wants no more.
    Enough,
    Failed(E),
    Broken(Problem),
}

fn table<E>(
    path: &Path,
    options: &Options,
    index: Option<&KeyIndex>,
    sink: RowSink<'_, E>,
) -> Result<Option<ReadBase>, BaseFileError<E>> {
    let Some(name) = path.to_str() else {
        let problem = Problem {
            place: path.to_string_lossy().into_owned(),
            message: "the name of this file is not UTF-8".to_owned(),
            hint: Some("rename it: a run could not remember it by this name".into()),
        };
        return Err(BaseFileError::Unusable(problem.into()));
    };
    let mut take = |record: Record| {
        let place = (name, record.place.line);
        let (ids, row) = match index {
            Some(index) => keyed_entry(record, place, index).map_err(Ended::Broken)?,
            None => entry(record, place).map(|(id, row)| (vec![id], row)).map_err(Ended::Broken)?,
        };
        for id in ids {
            match sink(id, row.clone()) {
                Ok(true) => {}
                Ok(false) => return Err(Ended::Enough),
                Err(error) => return Err(Ended::Failed(error)),
            }
        }
        Ok(())
    };
    match read(name, None, 0, options, &mut take) {
        Ok(read) => {
            let Read { info, contradiction, date_contradiction, .. } = read;
            let (sha256, columns) = (info.sha256, info.columns);
            Ok(Some(ReadBase { sha256, columns, contradiction, date_contradiction }))
        }
        Err(InputError::Sink(Ended::Enough)) => Ok(None),
        Err(InputError::Sink(Ended::Failed(error))) => Err(BaseFileError::Sink(error)),
        Err(InputError::Sink(Ended::Broken(problem))) => Err(BaseFileError::Unusable(problem.into())),
        Err(InputError::Unusable(unusable)) => Err(BaseFileError::Unusable(unusable)),
    }
}

/// Returns the row of a record, and the referral that it is for.
///
/// # Errors
/// The first thing that keeps it from being one.
fn entry(record: Record, place: (&str, u64)) -> Result<(ReferralId, BaseRow), Problem> {
    let Record { parsed, base, .. } = record;
    let (id, finding) = match parsed {
        Ok(draft) => (Some(draft.id), None),
        Err(Rejected { id, findings, .. }) => (id, findings.into_iter().next()),
    };
    if let (Some(id), Some(row)) = (id, base) {
        return Ok((id, *row));
    }
    Err(broken(finding, place))
}

/// Returns the row of a record that names its referral by a key, and the referrals that it may be for. None of the
/// change files asks for those of any other key.
///
/// # Errors
/// The first thing that keeps it from being a row.
fn keyed_entry(
    record: Record,
    place: (&str, u64),
    index: &KeyIndex,
) -> Result<(Vec<ReferralId>, BaseRow), Problem> {
    let Record { parsed, base, names, .. } = record;
    match base {
        Some(row) => Ok((index.meant(&names), *row)),
        None => Err(broken(parsed.err().and_then(|rejected| rejected.findings.into_iter().next()), place)),
    }
}

fn broken(finding: Option<Finding>, (name, line): (&str, u64)) -> Problem {
    let column = finding.as_ref().map_or(1, |finding| finding.place.column);
    let message = finding.map_or_else(|| "the row names no referral".to_owned(), |finding| finding.message);
    let hint = Some("give the file as it was exported or downloaded, or take this row out of it".into());
    Problem { place: format!("{name}:{line}:{column}"), message, hint }
}

fn json<E>(
    path: &Path,
    options: &Options,
    sink: RowSink<'_, E>,
) -> Result<Option<ReadBase>, BaseFileError<E>> {
    let name = path.to_string_lossy();
    let context = InputContext::new(&name, 0, options);
    let mut dictionary = Dictionary::new(options);
    let read = read_pinned_snapshot(path, &mut |referral| {
        let row = if is_referral(referral) {
            BaseRow::of_referral(referral.json(), referral.etag())
        } else {
            change_line(&context, &mut dictionary, referral)
        };
        sink(referral.id(), row)
    });
    match read {
        Ok(Some(sha256)) => {
            let (columns, contradiction, date_contradiction) = (Vec::new(), None, None);
            Ok(Some(ReadBase { sha256, columns, contradiction, date_contradiction }))
        }
        Ok(None) => Ok(None),
        Err(SnapshotFileError::Sink(error)) => Err(BaseFileError::Sink(error)),
        Err(error) => Err(BaseFileError::Snapshot(error)),
    }
}

/// Whether an object is a referral as the service shows it, rather than a line of a change file: that has nothing in
/// it that the service alone writes.
fn is_referral(object: &Snapshot<'_>) -> bool {
    let is_key = |name: &str| matches!(name, "id" | "eTag");
    object.members().iter().any(|(name, _)| SERVER_MANAGED.contains(&name) && !is_key(name))
}

/// Returns the row of a line of a change file.
fn change_line(context: &InputContext<'_>, dictionary: &mut Dictionary<'_>, line: &Snapshot<'_>) -> BaseRow {
    let mut row = RowBuilder::new(context.options, context.place(0, 1));
    let at = LineLocator { context, text: line.json(), line: 0 };
    object::fill(&mut row, dictionary, &at, line.members());
    let mut base = row.finish().base.map_or_else(|| BaseRow::new(0), |base| *base);
    base.set_text(RowText::Line(line.json().to_owned()));
    base
}
