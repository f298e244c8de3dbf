//! The account of a run: what the ledger holds and the reports tell.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::audit::Audit;
use super::decimal::DecimalSign;
use super::finding::{Finding, Location};
use super::item::Item;
use super::outcome::Verdict;
use super::pointer::Pointer;
use super::referral::{ETag, ReferralId};
use super::rules::Levels;
use super::text_form::TextForm;

/// What a run is, as said when it was planned.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunSpec {
    /// The program's version that planned it.
    pub program: String,
    /// `apply` or `migrate`.
    pub command: String,
    /// When it was planned.
    pub created: Timestamp,
    /// A GUID shared by all calls of the run (`MS-CorrelationId`).
    pub correlation_id: Uuid,
    /// Where it would send: the API's base URL, or `sandbox`.
    pub target: String,
    /// How its rows are read and judged.
    pub asked: PlanSpec,
    /// Whether it was asked to be planned, and no more.
    pub plan_only: bool,
    /// Why, in the user's words.
    pub reason: Option<String>,
    /// The directory that relative paths go out from. Ledgers of an earlier version don't have it. It need not be
    /// text, which a path on record would have to be.
    #[serde(default)]
    pub directory: Option<OsString>,
}

/// How the rows of a run are read and judged: all that it takes to plan it again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanSpec {
    /// The inputs as the user named them; `-` is standard input.
    pub files: Vec<String>,
    /// Their form; by extension where there is none.
    pub format: Option<Format>,
    /// Where the referrals' current state comes from.
    pub state: StateSource,
    /// The level of every rule.
    pub levels: Levels,
    /// Unconfirmed paths that may be patched.
    pub allow_paths: BTreeSet<Pointer>,
    /// Whether null may be sent.
    pub clear: bool,
    /// How legacy payloads are compared, where the inputs hold those; else they are change files.
    pub migrating: Option<Migrating>,
    /// What follows where somebody else changed a referral after the plan.
    pub on_conflict: OnConflict,
    /// The decimal sign in the numbers of CSV files, where the user said it. Ledgers of an earlier version
    /// don't have it.
    #[serde(default)]
    pub decimal: Option<DecimalSign>,
    /// Columns that change nothing. Ledgers of an earlier version don't have them.
    #[serde(default)]
    pub left_alone: Vec<String>,
}

/// What follows where somebody else changed a referral after the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// Nothing is sent, and the report tells both sides.
    Report,
    /// The change is judged again and sent again, where nothing that it touches was changed.
    Rebase,
}

impl PlanSpec {
    /// The new file that the documents are written to as well.
    pub fn patches(&self) -> Option<&Path> {
        self.migrating.as_ref()?.patches.as_deref()
    }
}

/// How legacy payloads are compared with the referrals.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Migrating {
    /// The fields that are taken from a stale payload all the same.
    pub take: BTreeSet<Pointer>,
    /// The referrals as they were when the payloads were made, where the user has them.
    pub base: Option<Base>,
    /// The new file that the documents are written to as well, for `apply`, where the user names one.
    pub patches: Option<PathBuf>,
}

/// A snapshot file of the referrals as they were.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Base {
    /// The file as the user named it.
    pub path: PathBuf,
    /// Of its bytes, in hexadecimal, once it was read to its end.
    pub sha256: Option<String>,
}

/// Where the referrals' current state comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum StateSource {
    /// The API.
    Live,
    /// Nowhere.
    None,
    /// A snapshot file.
    File(PathBuf),
}

impl From<String> for StateSource {
    fn from(text: String) -> Self {
        match text.as_str() {
            "live" => Self::Live,
            "none" => Self::None,
            _ => Self::File(PathBuf::from(text)),
        }
    }
}

impl From<StateSource> for String {
    fn from(state: StateSource) -> Self {
        match state {
            StateSource::Live => "live".to_owned(),
            StateSource::None => "none".to_owned(),
            StateSource::File(path) => path.to_string_lossy().into_owned(),
        }
    }
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Rows and items are still being written: nothing of it may be sent.
    Planning,
    /// Planned completely; nothing was sent.
    Planned,
    /// Sending began, and has not come to its end.
    Stopped,
    /// Every item has its outcome.
    Finished,
}

/// The form of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A header and records.
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// A JSON array of objects, or objects over any number of lines. Of legacy payloads only.
    Json,
    /// Requests as an `.http` file holds them. Of legacy payloads only.
    Http,
}

impl Format {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Json => "json",
            Self::Http => "http",
        }
    }
}

/// One input of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputInfo {
    /// As the user named it; `-` is standard input.
    pub path: String,
    /// Of its bytes, in hexadecimal.
    pub sha256: String,
    /// Data rows, the bad ones included.
    pub rows: u64,
    /// Its form.
    pub format: Format,
    /// How it is written. Ledgers of an earlier version don't have it.
    #[serde(default)]
    pub form: TextForm,
    /// A CSV's header cells as written, `result.*` left out; empty for other forms.
    pub columns: Vec<String>,
}

/// What an input is called where people read it: its path as the user named it, or standard input.
pub fn input_name(path: &str) -> &str {
    if path == "-" { "standard input" } else { path }
}

/// A row as it was read, so that reports can give it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RowText {
    /// A CSV record's cells, in the order of [`InputInfo::columns`] (a ragged row has more or
    /// fewer), `result.*` left out.
    Cells(Vec<String>),
    /// A JSON document on one line.
    Line(String),
}

/// What a CSV report writes behind a row that wasn't sound when it was read and would look so. A reader takes no
/// row that has it. Nothing in it separates cells in any file.
pub const UNSOUND: &str = "broken row: mend it and then empty this cell";

impl RowText {
    /// How many bytes it takes.
    pub fn size(&self) -> usize {
        match self {
            Self::Cells(cells) => cells.iter().map(String::len).sum(),
            Self::Line(line) => line.len(),
        }
    }
}

impl<'de> Deserialize<'de> for RowText {
    /// Reads it at once, where an untagged enum would be held as a tree first.
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

            fn visit_seq<A: SeqAccess<'de>>(self, cells: A) -> Result<RowText, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(cells)).map(RowText::Cells)
            }
        }
        deserializer.deserialize_any(RowTextVisitor)
    }
}

/// One input row as it is put on record while planning.
#[derive(Debug, Clone)]
pub struct RowRecord {
    /// Its ordinal in the run, counted from 1 over all inputs.
    pub row: u64,
    /// Where it begins.
    pub place: Location,
    /// The referral it names, where it got that far.
    pub id: Option<ReferralId>,
    /// What was read.
    pub text: RowText,
    /// The item it belongs to, by number. `None` for a row that names no referral.
    pub item: Option<u64>,
    /// Its own verdict, where it is decided without its item.
    pub verdict: Option<Verdict>,
    /// What was found about the row by itself.
    pub findings: Vec<Finding>,
}

/// How an item, and with it its rows, came out.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The outcome and its reason.
    pub verdict: Verdict,
    /// The referral's version afterwards, where it is known.
    pub etag: Option<ETag>,
    /// An object by pointer. On a conflict: the current values of the fields the item touches. Where the
    /// service took only some of them: what it kept in the others.
    pub theirs: Option<Box<RawValue>>,
    /// When it was decided.
    pub at: Timestamp,
}

/// An item with how it came out; what is not settled is to be sent.
#[derive(Debug, Clone)]
pub struct ItemAccount {
    /// The item.
    pub item: Item,
    /// Where its rows begin, in file order.
    pub rows: Vec<Location>,
    /// What planning decided, where there is nothing to send.
    pub planned: Option<Verdict>,
    /// What its legacy payload adds to the audit; `None` for the rows of a change file.
    pub audit: Option<Audit>,
}

/// All that is known of one input row, for the reports.
#[derive(Debug, Clone)]
pub struct RowAccount {
    /// Its ordinal in the run.
    pub row: u64,
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
    /// Requests made for its item that could have changed something.
    pub attempts: u32,
    /// The `client-request-id` of each attempt, in order.
    pub request_ids: Vec<Uuid>,
    /// When the first attempt was written down.
    pub first_sent: Option<Timestamp>,
    /// When it was settled.
    pub at: Option<Timestamp>,
    /// On a conflict: values that were planned from, an object by pointer.
    pub base: Option<Box<RawValue>>,
    /// On a conflict: values that were wanted.
    pub ours: Option<Box<RawValue>>,
    /// On a conflict: values that were found. Where the service took only some of the fields: what it kept in
    /// the others.
    pub theirs: Option<Box<RawValue>>,
    /// What was found about the row and its item.
    pub findings: Vec<Finding>,
    /// What a legacy payload adds to the audit; `None` for the row of a change file.
    pub audit: Option<Audit>,
}

/// Requests made and time spent, added up over all processes that worked on a run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RunStats {
    /// GETs of one referral.
    pub get: u64,
    /// List pages.
    pub list: u64,
    /// PATCHes, as counted by the ledger's attempts.
    pub patch: u64,
    /// Requests for a token.
    pub token: u64,
    /// Answers that said: slow down.
    pub throttled: u64,
    /// Requests that repeated an earlier one.
    pub retried: u64,
    /// Wall time of planning and sending.
    pub seconds: f64,
    /// Of it, the time in which requests waited for the rate limit alone.
    pub waiting_for_rate: f64,
    /// Of it, the time in which the server had asked for a pause.
    pub paused_by_server: f64,
    /// Of it, the time in which requests were held back because one had failed after another. Ledgers of
    /// an earlier version don't have it.
    #[serde(default)]
    pub held_back: f64,
}
