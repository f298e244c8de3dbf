//! What the user wants of a referral, before anybody judged it.

use serde_json::value::RawValue;

use super::fields::{Field, Path};
use super::finding::{Finding, Location};
use super::referral::{ETag, ReferralId};
use super::status::{Stage, Status};
use super::value::Wanted;

/// Something the input says, with the place where it says it.
#[derive(Debug, Clone)]
pub struct Located<T> {
    /// What is said.
    pub value: T,
    /// Where.
    pub place: Location,
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
    pub place: Location,
    /// The version it is bound to.
    pub etag: Option<Located<ETag>>,
    /// The wanted status, if named.
    pub status: Option<Located<Status>>,
    /// The wanted substatus, if named, as the stage it belongs to.
    pub substatus: Option<Located<Stage>>,
    /// Fields to be set or, where the value is null, cleared. Never status or substatus.
    pub sets: Vec<Located<(Path, Wanted)>>,
    /// Elements to be appended.
    pub appends: Vec<Located<Append>>,
}

/// A row that is no change: its findings, and the referral it names where it does. Other rows for
/// that referral are held back with it.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// The referral, where the row got that far.
    pub id: Option<ReferralId>,
    /// Where the row begins.
    pub place: Location,
    /// What is wrong; at least one finding denies.
    pub findings: Vec<Finding>,
    /// What could be read of it, where it names its referral: judged too, so that one pass finds
    /// everything, and never sent.
    pub partial: Option<Box<Draft>>,
}

/// All rows for one referral, merged: no two of them contradict each other.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The referral.
    pub id: ReferralId,
    /// Where its first row begins: the place of findings that are about no cell.
    pub place: Location,
    /// The version that a row binds the change to.
    pub etag: Option<Located<ETag>>,
    /// The wanted status and substatus.
    pub stage: Option<Located<Stage>>,
    /// Fields to be set or cleared.
    pub sets: Vec<Located<(Path, Wanted)>>,
    /// Elements to be appended.
    pub appends: Vec<Located<Append>>,
}

/// A legacy PUT payload, read and not yet compared with anything: a referral as a whole, as an integration would
/// have written it.
#[derive(Debug, Clone)]
pub struct Payload {
    /// The referral that it was written for.
    pub id: ReferralId,
    /// Where it begins.
    pub place: Location,
    /// The version that it was made from.
    pub etag: Option<Located<ETag>>,
    /// The referral as a JSON object: member names in camelCase, status and substatus as words, no
    /// name twice in one object, and everything else as it was written.
    pub body: Box<str>,
}
