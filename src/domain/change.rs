//! What the user wants of a referral, before anybody judged it.

use serde_json::value::RawValue;

use super::fields::{Field, Path};
use super::finding::{Finding, Place};
use super::referral::{ETag, ReferralId};
use super::status::{Stage, Status};
use super::value::Wanted;

/// Something the input says, with the place where it says it.
#[derive(Debug, Clone)]
pub struct Placed<T> {
    /// What is said.
    pub value: T,
    /// Where.
    pub place: Place,
}

/// An element to be put at the end of a list, `/team/-` for example.
#[derive(Debug, Clone)]
pub struct Append {
    /// The list.
    pub field: Field,
    /// What tells it from its neighbours; see [`super::value::element_key`].
    pub key: String,
    /// The element itself, a JSON object.
    pub element: Box<RawValue>,
}

/// One input row: typed, and unjudged.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The referral it is about.
    pub id: ReferralId,
    /// Where the row begins.
    pub place: Place,
    /// The version it is bound to.
    pub etag: Option<Placed<ETag>>,
    /// The wanted status, if named.
    pub status: Option<Placed<Status>>,
    /// The wanted substatus, if named, as the stage it belongs to.
    pub substatus: Option<Placed<Stage>>,
    /// Fields to be set or, where the value is null, cleared. Never status or substatus.
    pub sets: Vec<Placed<(Path, Wanted)>>,
    /// Elements to be appended.
    pub appends: Vec<Placed<Append>>,
}

/// A row that is no change: its findings, and the referral it names where it does. Other rows for
/// that referral are held back with it.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// The referral, where the row got that far.
    pub id: Option<ReferralId>,
    /// Where the row begins.
    pub place: Place,
    /// What is wrong; at least one finding denies.
    pub findings: Vec<Finding>,
    /// What could be read of it, where it names its referral: judged too, so that one pass finds
    /// everything, and never sent.
    pub partial: Option<Box<Draft>>,
}

/// All rows for one referral, merged: no two of them contradict each other.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The referral.
    pub id: ReferralId,
    /// Where its first row begins: the place of findings that are about no cell.
    pub place: Place,
    /// The version that a row binds the change to.
    pub etag: Option<Placed<ETag>>,
    /// The wanted status and substatus.
    pub stage: Option<Placed<Stage>>,
    /// Fields to be set or cleared.
    pub sets: Vec<Placed<(Path, Wanted)>>,
    /// Elements to be appended.
    pub appends: Vec<Placed<Append>>,
}
