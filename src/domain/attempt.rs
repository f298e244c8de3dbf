//! Attempts at sending an item: what goes on record of each, and what its answer means for sending again.
//!
//! A result serialises with `serde`, so the names of its variants are part of the ledger's format.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::referral::ETag;
use super::step::Waits;

/// The result of one attempt, as far as sending again is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptResult {
    /// The service confirmed that the change was written.
    Applied,
    /// The service refused the change; nothing was written.
    Refused,
    /// The service answered that the referral has another version than was sent. This attempt wrote nothing.
    Mismatched,
    /// Refused for another version, but a read shows the version that was sent: it is unknown whether it was
    /// applied.
    Contradicted,
    /// The change is not written, for a reason that may pass. The code tells who reported that; without a
    /// code, the referral was read back and the change not found.
    NotApplied,
    /// The service limited the rate (it asked to slow down). Nothing was written.
    Throttled,
    /// The change may have been written.
    InDoubt,
    /// The service said yes and didn't show the referral, as with a 204: to be confirmed by a look at it.
    Answered,
}

/// The answer to an attempt, as it goes on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptAnswer {
    /// What the answer means for sending again.
    pub result: AttemptResult,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// A stable code for grouping, where the attempt failed.
    pub code: Option<String>,
    /// When the answer came.
    pub at: Timestamp,
}

/// One attempt in short: the request, when it was made, and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Try {
    /// The `client-request-id` of the request.
    pub client_request_id: Uuid,
    /// When the intent was recorded.
    pub at: Timestamp,
    /// The HTTP status of the answer, where there was one and it is on record.
    pub status: Option<u16>,
    /// When the answer came, or it was found that there is none; `None` where neither is on record.
    pub answered: Option<Timestamp>,
}

/// When a request that could have changed something was made, or what was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaceRecord {
    /// An attempt.
    Attempt(Try),
    /// A wait before a request.
    Waits {
        /// When it was over.
        at: Timestamp,
        /// How long it was, by reason: what came first was to back off, then a pause or being held back, and then the
        /// wait for the rate.
        waits: Waits,
    },
}

/// One attempt at sending an item, as it is on record.
#[derive(Debug, Clone)]
pub struct AttemptAccount {
    /// The number of the attempt in the run: a later one has a greater number.
    pub number: u64,
    /// When the intent was recorded.
    pub at: Timestamp,
    /// The `client-request-id` of the request.
    pub client_request_id: Uuid,
    /// The version that it was bound to.
    pub etag: Option<ETag>,
    /// The document, where that is another than the plan's, as after a rebase.
    pub document: Option<Box<RawValue>>,
    /// The answer, where it is on record.
    pub answer: Option<AttemptAnswer>,
}
