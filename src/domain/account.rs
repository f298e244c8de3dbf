//! The account of a run: the records that the ledger stores and the reports are made from.
//!
//! What is stored serialises with `serde`, so the names of its fields and variants are part of the ledger's
//! format. A field that was added later has a default, by which ledgers of an earlier version can be read.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::attempt::Try;
use super::audit::Audit;
use super::day_doubt::DateColumns;
use super::finding::{Finding, Location};
use super::format::Format;
use super::item::{Change, Effect, Item};
use super::key::Matched;
use super::outcome::Verdict;
use super::referral::{ETag, ReferralId};
use super::sheet_cell::{CellType, SheetCell};
use super::subject::Subject;
use super::text_form::TextForm;

/// The phase of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Rows and items are still being written: nothing may be sent.
    Planning,
    /// The plan is sealed; nothing was sent yet.
    Planned,
    /// Sending began and has not finished.
    Stopped,
    /// Every item has its outcome.
    Finished,
}

/// One input of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputInfo {
    /// The path as the user gave it; `-` is standard input.
    pub path: String,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// The number of data rows, invalid ones included.
    pub rows: u64,
    /// Its format.
    pub format: Format,
    /// Its encoding, line ends and separator; missing from ledgers of an earlier version.
    #[serde(default)]
    pub form: TextForm,
    /// The header cells of a CSV as written, without `result.*`; empty for other formats.
    pub columns: Vec<String>,
    /// Whether its header is that of a file of Partner Center's own; missing from ledgers of an earlier version.
    #[serde(default)]
    pub is_portal: bool,
    /// Its columns of Partner Center's dates; missing from ledgers of an earlier version.
    #[serde(default)]
    pub dates: DateColumns,
    /// The sheet that was read of a workbook; missing from ledgers of an earlier version.
    #[serde(default)]
    pub sheet: Option<String>,
}

/// Returns the name of an input for messages: its path as the user gave it, or "standard input".
pub fn input_name(path: &str) -> &str {
    if path == "-" { "standard input" } else { path }
}

/// A row as it was read, which reports give back unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RowText {
    /// The cells of a CSV record in the order of [`InputInfo::columns`], without `result.*`. A ragged
    /// row has more or fewer cells than columns.
    Cells(Vec<String>),
    /// The cells of a row of a workbook, some of which are no text; all else as above.
    Sheet(Vec<SheetCell>),
    /// A JSON document on one line.
    Line(String),
}

/// The mark that a CSV report writes behind a row that was broken when it was read but would look sound.
///
/// A change file's reader refuses rows with this mark. It holds no character that separates cells in any file.
pub const UNSOUND: &str = "broken row: mend it and then empty this cell";

impl RowText {
    /// Returns the row of these cells.
    pub fn of(cells: Vec<SheetCell>) -> Self {
        if cells.iter().all(|cell| cell.kind == CellType::Text) {
            return Self::Cells(cells.into_iter().map(|cell| cell.text).collect());
        }
        Self::Sheet(cells)
    }

    /// Returns the texts of the cells in order. A record that could not be split into cells is one.
    pub fn cells(&self) -> Vec<&str> {
        match self {
            Self::Cells(cells) => cells.iter().map(String::as_str).collect(),
            Self::Sheet(cells) => cells.iter().map(|cell| cell.text.as_str()).collect(),
            Self::Line(line) => vec![line],
        }
    }

    /// Returns its length in bytes.
    pub fn size(&self) -> usize {
        match self {
            Self::Cells(cells) => cells.iter().map(String::len).sum(),
            Self::Sheet(cells) => cells.iter().map(|cell| cell.text.len()).sum(),
            Self::Line(line) => line.len(),
        }
    }
}

impl<'de> Deserialize<'de> for RowText {
    /// Reads cells or a line directly. The derived implementation of an untagged enum would build a tree of
    /// the whole value first.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RowTextVisitor;
        impl<'de> Visitor<'de> for RowTextVisitor {
            type Value = RowText;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("cells or a line")
            }

            fn visit_str<E>(self, line: &str) -> Result<RowText, E> {
                Ok(RowText::Line(line.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<RowText, A::Error> {
                let mut read = Vec::with_capacity(cells.size_hint().unwrap_or_default());
                while let Some(cell) = cells.next_element()? {
                    read.push(cell);
                }
                Ok(RowText::of(read))
            }
        }
        deserializer.deserialize_any(RowTextVisitor)
    }
}

/// The record of one input row, written while planning.
#[derive(Debug, Clone)]
pub struct RowRecord {
    /// The ordinal of the row in the run, counted from 1 over all inputs.
    pub row: u64,
    /// Where it begins.
    pub place: Location,
    /// The referral that it names; `None` where that could not be read.
    pub id: Option<ReferralId>,
    /// What was read.
    pub text: RowText,
    /// The number of the item it belongs to; `None` for a row that names no referral.
    pub item: Option<u64>,
    /// Its own verdict, if it is decided without its item.
    pub verdict: Option<Verdict>,
    /// The findings about this row alone.
    pub findings: Vec<Finding>,
    /// The key that led to its referral, where rows name those by one.
    pub matched: Option<Matched>,
}

/// The result of an item, and with it of its rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settled {
    /// The outcome and its reason.
    pub verdict: Verdict,
    /// The referral's version afterwards, if it is known.
    pub etag: Option<ETag>,
    /// Values of the service, as a JSON object by pointer. On a conflict: the current values of the fields that
    /// the item touches. Where the service took only some of them: what it kept in the others. Where it keeps some in
    /// another form: that form, which ledgers of an earlier version don't have.
    pub theirs: Option<Box<RawValue>>,
    /// When it was decided.
    pub at: Timestamp,
}

/// A planned item with its rows.
#[derive(Debug, Clone)]
pub struct ItemAccount {
    /// The item.
    pub item: Item,
    /// Where its rows begin, in file order.
    pub rows: Vec<Location>,
    /// The verdict of planning where nothing is to be sent; `None` where the document is to be sent.
    pub planned: Option<Verdict>,
    /// The audit of its legacy payload; `None` for the rows of a change file.
    pub audit: Option<Audit>,
    /// What people know its referral by, where that was seen; ledgers of an earlier version have none.
    pub subject: Option<Subject>,
    /// The keys that led from its rows to its referral, in the order of the rows; none where rows name their
    /// referrals by id.
    pub matched: Vec<Matched>,
    /// Its place among those that are sent, counted from 1, where that is not the order of the inputs.
    pub turn: Option<u64>,
    /// The number of the wave that it is sent in, counted from 1, where the plan has waves.
    pub wave: Option<u32>,
}

/// Everything that is known about one input row, for the reports.
#[derive(Debug, Clone)]
pub struct RowAccount {
    /// The ordinal of the row in the run.
    pub row: u64,
    /// The number of the item it belongs to; `None` for a row that has no part in one.
    pub item: Option<u64>,
    /// Where it begins.
    pub place: Location,
    /// The referral it names.
    pub id: Option<ReferralId>,
    /// What was read.
    pub text: RowText,
    /// Its outcome; `planned` or `unsent` where its item was never settled.
    pub verdict: Verdict,
    /// The referral's version afterwards, where it is known.
    pub etag: Option<ETag>,
    /// The number of requests for its item that could have changed something.
    pub attempts: u32,
    /// The `client-request-id` of each attempt, in order.
    pub request_ids: Vec<Uuid>,
    /// When the intent of the first attempt was recorded.
    pub first_sent: Option<Timestamp>,
    /// When it was settled.
    pub at: Option<Timestamp>,
    /// On a conflict: the values that were planned from, as a JSON object by pointer.
    pub base: Option<Box<RawValue>>,
    /// On a conflict: the values that were to be sent.
    pub ours: Option<Box<RawValue>>,
    /// On a conflict: the values that were found. Where the service took only some of the fields: what it kept
    /// in the others.
    pub theirs: Option<Box<RawValue>>,
    /// The findings about the row and its item.
    pub findings: Vec<Finding>,
    /// The audit of its legacy payload; `None` for the row of a change file.
    pub audit: Option<Audit>,
    /// What people know its referral by, where that was seen; ledgers of an earlier version have none.
    pub subject: Option<Subject>,
    /// The key that led to its referral, where rows name those by one.
    pub matched: Option<Matched>,
}

/// Everything that is known about one input row, with what was to be changed and every attempt at it.
#[derive(Debug, Clone)]
pub struct FullRow {
    /// The row.
    pub account: RowAccount,
    /// What the item of the row is to change; `None` where the row has no part in one.
    pub change: Option<ItemChange>,
    /// The attempts at the item, in their order.
    pub tries: Vec<Try>,
}

impl FullRow {
    /// Whether the row is the first of its item: what is counted by referrals counts it, and no other row of the item.
    pub fn is_first(&self) -> bool {
        self.account.item == Some(self.account.row)
    }
}

/// What an item is to change, as it was planned.
#[derive(Debug, Clone)]
pub struct ItemChange {
    /// The changes, one per field, in the order of the document.
    pub changes: Vec<Change>,
    /// Whether they can be undone.
    pub effect: Effect,
}

/// How a row of an item stands: its outcome so far.
#[derive(Debug, Clone)]
pub struct RowStanding {
    /// Where the row begins.
    pub place: Location,
    /// Its outcome; `planned` or `unsent` where its item was never settled.
    pub verdict: Verdict,
    /// The `client-request-id` of each attempt at its item, in order.
    pub request_ids: Vec<Uuid>,
    /// When the intent of the first attempt was recorded.
    pub first_sent: Option<Timestamp>,
    /// When it was settled.
    pub at: Option<Timestamp>,
}

impl From<RowAccount> for RowStanding {
    fn from(row: RowAccount) -> Self {
        let RowAccount { place, verdict, request_ids, first_sent, at, .. } = row;
        Self { place, verdict, request_ids, first_sent, at }
    }
}

/// The requests made and the time spent, summed over all processes that worked on a run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RunStats {
    /// The number of GETs of one referral.
    pub get: u64,
    /// The number of list pages read.
    pub list: u64,
    /// The number of PATCHes, as counted by the ledger's attempts.
    pub patch: u64,
    /// The number of times a token was asked for.
    pub token: u64,
    /// The number of answers that throttled a request (429, or 503 for load).
    pub throttled: u64,
    /// The number of requests that repeated an earlier one.
    pub retried: u64,
    /// Wall-clock time of planning and sending, in seconds.
    pub seconds: f64,
    /// The part of it in which requests waited for the rate limit alone, in seconds.
    pub waiting_for_rate: f64,
    /// The part of it in which the service had asked for a pause, in seconds.
    pub paused_by_server: f64,
    /// The part of it in which the circuit breaker held requests back, in seconds; missing from ledgers of an
    /// earlier version.
    #[serde(default)]
    pub held_back: f64,
}

impl RunStats {
    /// Returns the figures of both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            get: self.get.saturating_add(other.get),
            list: self.list.saturating_add(other.list),
            patch: self.patch.saturating_add(other.patch),
            token: self.token.saturating_add(other.token),
            throttled: self.throttled.saturating_add(other.throttled),
            retried: self.retried.saturating_add(other.retried),
            seconds: self.seconds + other.seconds,
            waiting_for_rate: self.waiting_for_rate + other.waiting_for_rate,
            paused_by_server: self.paused_by_server + other.paused_by_server,
            held_back: self.held_back + other.held_back,
        }
    }
}
