//! The specification of a run: everything needed to plan it again, fixed when it is planned.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::decimal::DecimalSign;
use super::format::Format;
use super::key::MatchField;
use super::pointer::Pointer;
use super::priority::{Priority, SendingOrder};
use super::rules::Levels;
use super::waves::{WavePlan, Waves};

/// The specification of a run, fixed when it is planned.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunSpec {
    /// The version of the program that planned it.
    pub program: String,
    /// `apply` or `migrate`.
    pub command: String,
    /// When it was planned.
    pub created: Timestamp,
    /// A GUID that all requests of the run carry (`MS-CorrelationId`).
    pub correlation_id: Uuid,
    /// Where it sends: the API's base URL, or `sandbox`.
    pub target: String,
    /// How its rows are read and judged.
    pub asked: PlanSpec,
    /// Whether it is only planned, and nothing sent.
    pub plan_only: bool,
    /// The reason for the run, in the user's words.
    pub reason: Option<String>,
    /// The directory that relative paths start from; missing from ledgers of an earlier version. It is no `PathBuf`,
    /// which serialises as text alone: a directory's name need not be UTF-8.
    #[serde(default)]
    pub directory: Option<OsString>,
    /// The order of sending, as it follows from the inputs, where that is not theirs; missing from ledgers of an
    /// earlier version.
    #[serde(default)]
    pub order: Option<SendingOrder>,
    /// The waves in which it is sent, where there is more than one; missing from ledgers of an earlier version.
    #[serde(default)]
    pub waves: Option<WavePlan>,
    /// Whether nothing may be sent that no second person has approved; missing from ledgers of an earlier version.
    #[serde(default)]
    pub requires_approval: bool,
}

/// The name, or its beginning, by which a run has a sandbox on record as its target.
pub const SANDBOX: &str = "sandbox";

impl RunSpec {
    /// Whether it is a rehearsal: it sends to a sandbox inside its own process, where writing needs no consent.
    pub fn is_rehearsal(&self) -> bool {
        let seed = self.target.strip_prefix(SANDBOX);
        seed.is_some_and(|seed| seed.is_empty() || seed.starts_with('='))
    }

    /// Whether the ledger holds the place of each item in the order of sending.
    pub fn has_turns(&self) -> bool {
        self.order.is_some() || self.waves.is_some()
    }
}

/// How the rows of a run are read and judged: everything needed to plan it again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanSpec {
    /// The inputs as the user named them; `-` is standard input.
    pub files: Vec<String>,
    /// The format of the inputs; `None` takes it from each file's extension.
    pub format: Option<Format>,
    /// Where the referrals' current state comes from.
    pub state: StateSource,
    /// The level of every rule.
    pub levels: Levels,
    /// Unconfirmed paths that may be patched.
    pub allow_paths: BTreeSet<Pointer>,
    /// Whether fields may be cleared.
    pub clear: bool,
    /// How legacy payloads are compared; `None` where the inputs are change files.
    pub migrating: Option<Migrating>,
    /// How a referral is handled that was changed after the plan.
    pub on_conflict: OnConflict,
    /// The decimal sign of the numbers in CSV files, if the user gave it; missing from ledgers of an earlier version.
    #[serde(default)]
    pub decimal: Option<DecimalSign>,
    /// Columns that are kept in the reports and otherwise ignored; missing from ledgers of an earlier version.
    #[serde(default)]
    pub left_alone: Vec<String>,
    /// What columns of somebody else's files mean; missing from ledgers of an earlier version.
    #[serde(default)]
    pub mapped: Vec<MappedColumn>,
    /// The reasons that Partner Center's files give as numbers, as far as the user sets them; missing from ledgers of
    /// an earlier version.
    #[serde(default)]
    pub portal_reasons: BTreeMap<u8, String>,
    /// The sheet that is read of each workbook, if the user named one; missing from ledgers of an earlier version.
    #[serde(default)]
    pub sheet: Option<String>,
    /// The file that the change files were made from, if the user gave it; missing from ledgers of an earlier version.
    /// The base of a migration is in [`Migrating`].
    #[serde(default)]
    pub base: Option<Base>,
    /// The field that rows name their referrals by; `None` stands for the referral's id. Missing from ledgers of
    /// an earlier version.
    #[serde(default)]
    pub matching: Option<MatchField>,
    /// What changes are sent in the order of, where that is not the order of the inputs; missing from ledgers of an
    /// earlier version.
    #[serde(default)]
    pub priority: Option<Priority>,
    /// The waves in which changes are sent, where the user asks for them; missing from ledgers of an earlier version.
    #[serde(default)]
    pub waves: Option<Waves>,
}

/// What a column of somebody else's file means, as the user says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedColumn {
    /// The name of the column. Letter case and spaces make no difference.
    pub column: String,
    /// What it means, by any name that a column of a change file may have.
    pub field: String,
    /// Whether the settings file says so, which holds for the files of many runs: it may name columns that
    /// this run's files don't have.
    pub from_settings: bool,
}

/// How a referral is handled that was changed after the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// Sends nothing more, and reports the row as a conflict with the values of both sides.
    Report,
    /// Judges the change again at the new version and sends it, if nothing that it touches was changed.
    Rebase,
}

impl PlanSpec {
    /// Returns the file that the patch documents are written to as well, if one was named.
    pub fn patches(&self) -> Option<&Path> {
        self.migrating.as_ref()?.patches.as_deref()
    }
}

/// How legacy PUT payloads are compared with the referrals.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Migrating {
    /// The fields that are sent from a stale payload all the same.
    pub take: BTreeSet<Pointer>,
    /// The referrals as they were when the payloads were made, if the user has them.
    pub base: Option<Base>,
    /// The new file that the patch documents are written to as well, as input for `apply`.
    pub patches: Option<PathBuf>,
}

/// The file that the inputs of a run were made from: the referrals as they were then.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Base {
    /// The file as the user named it.
    pub path: PathBuf,
    /// The SHA-256 of its bytes in hexadecimal; `None` until it was read to its end.
    pub sha256: Option<String>,
}

/// The source of the referrals' current state, which a plan is made against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum StateSource {
    /// The API: every referral is read.
    Live,
    /// No source: nothing is read before sending.
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
