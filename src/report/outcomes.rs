//! `outcomes.jsonl`: one line per input row, in the order of the run, for programs.

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::domain::account::RowAccount;
use crate::domain::audit::Class;
use crate::domain::outcome::Outcome;
use crate::domain::referral::ReferralId;
use crate::domain::subject;

use super::atomic_file::{Filed, ReportError};
use super::findings::{LocatedFindings, compacted};
use super::line_writer::LineWriter;
use super::match_line::MatchLine;
use super::names::InputNames;
use super::shelf::Shelf;

/// The file's name in a run's directory.
pub const NAME: &str = "outcomes.jsonl";

/// `outcomes.jsonl` while it is written.
pub(super) struct Outcomes(LineWriter);

#[derive(Serialize)]
struct OutcomeLine<'a> {
    file: &'a str,
    line: u64,
    id: Option<ReferralId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'a str>,
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    matched: Option<MatchLine<'a>>,
    outcome: Outcome,
    code: &'a str,
    message: &'a str,
    status: Option<u16>,
    attempts: u32,
    request_ids: &'a [Uuid],
    first_sent: Option<Timestamp>,
    at: Option<Timestamp>,
    /// The class of a legacy payload in the audit.
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<Class>,
    /// For `partial`, the values by pointer that the service kept in the fields that it did not take.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "LocatedFindings::is_empty")]
    findings: LocatedFindings<'a>,
}

impl Outcomes {
    pub(super) fn begin(dir: &Path) -> Result<Self, ReportError> {
        LineWriter::begin(dir, NAME).map(Self)
    }

    pub(super) fn row(&mut self, row: &RowAccount, names: &InputNames) -> Result<(), ReportError> {
        let [name, customer] = subject::names(row.subject.as_ref());
        self.0.line(&OutcomeLine {
            file: names.file(row.place)?,
            line: row.place.line,
            id: row.id,
            name,
            customer,
            matched: row.matched.as_ref().map(|matched| MatchLine::of(matched, row.id)),
            outcome: row.verdict.outcome,
            code: &row.verdict.code,
            message: row.verdict.message.as_str(),
            status: row.verdict.status,
            attempts: row.attempts,
            request_ids: &row.request_ids,
            first_sent: row.first_sent,
            at: row.at,
            class: row.audit.as_ref().map(|audit| audit.class),
            kept: row.theirs.as_deref().filter(|_| row.verdict.outcome == Outcome::Partial).map(compacted),
            findings: LocatedFindings { findings: &row.findings, names },
        })
    }

    pub(super) fn finish(self, shelf: &Shelf) -> Result<Filed, ReportError> {
        self.0.finish(shelf)
    }
}
