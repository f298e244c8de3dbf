//! `outcomes.jsonl`: one line per input row, in the order of the run, for programs.

use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
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

/// What became of one row.
#[derive(Serialize, JsonSchema)]
pub(super) struct OutcomeLine<'a> {
    /// The input, as the user gave it.
    file: &'a str,
    /// The line of it on which the row begins, counted from 1.
    line: u64,
    /// The referral; null where the row names none.
    id: Option<ReferralId>,
    /// The name of the deal; left out where planning did not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "&str")]
    name: Option<&'a str>,
    /// The customer; left out where planning did not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "&str")]
    customer: Option<&'a str>,
    /// The key that led from the row to the referral; left out where the row gives its id.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MatchLine<'_>")]
    matched: Option<MatchLine<'a>>,
    /// What became of it.
    outcome: Outcome,
    /// Why, in a stable word to group by: the id of a rule, an error code of the service, or a word of this program.
    code: &'a str,
    /// The same for people.
    message: &'a str,
    /// The HTTP status of the deciding answer; null where none decided.
    status: Option<u16>,
    /// The number of PATCHes that were sent for its referral.
    attempts: u32,
    /// The ids that the service knows them by (`client-request-id`).
    request_ids: &'a [Uuid],
    /// When the first of them was sent; null where none was.
    first_sent: Option<Timestamp>,
    /// When the outcome was known; null where nothing was sent.
    at: Option<Timestamp>,
    /// Of `migrate`, the class of the payload in the audit; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Class")]
    class: Option<Class>,
    /// Of a `partial` row, the values by pointer that the service kept in the fields that it did not take; left out
    /// otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Map<String, Value>")]
    kept: Option<Box<RawValue>>,
    /// What rules say of the row; left out where that is nothing.
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
