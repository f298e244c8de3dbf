//! Wanted changes, as the input gives them and before the rules judge them.

use serde_json::value::RawValue;

use super::fields::{Field, Path};
use super::finding::{Finding, Location};
use super::referral::{ETag, ReferralId};
use super::status::{Stage, Status};
use super::value::Wanted;

/// A value from the input, with its place.
#[derive(Debug, Clone)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its place in the input.
    pub place: Location,
}

/// An element to be added at the end of a list, as by `/team/-`.
#[derive(Debug, Clone)]
pub struct Append {
    /// The list.
    pub field: Field,
    /// The key that tells it from other elements; see [`super::value::element_key`].
    pub key: String,
    /// The element itself, a JSON object.
    pub element: Box<RawValue>,
}

/// One input row: typed, and not yet judged.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The referral it is about.
    pub id: ReferralId,
    /// Where the row begins.
    pub place: Location,
    /// The version that the row is bound to.
    pub etag: Option<Located<ETag>>,
    /// The wanted status, if given.
    pub status: Option<Located<Status>>,
    /// The wanted substatus, if given, as the stage that it belongs to.
    pub substatus: Option<Located<Stage>>,
    /// Fields to be set or, where the value is null, cleared. Never status or substatus.
    pub sets: Vec<Located<(Path, Wanted)>>,
    /// Elements to be appended.
    pub appends: Vec<Located<Append>>,
}

/// A row that is no valid change, with its findings. Other rows for the same referral are held back with it.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// The referral; `None` where it could not be read.
    pub id: Option<ReferralId>,
    /// Where the row begins.
    pub place: Location,
    /// The findings; at least one of them denies.
    pub findings: Vec<Finding>,
    /// The part of the row that could be read, if it names its referral. It is judged too, so that one pass finds
    /// everything that is wrong, and is never sent.
    pub partial: Option<Box<Draft>>,
}

/// All rows for one referral, merged: no two of them contradict each other.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The referral.
    pub id: ReferralId,
    /// Where its first row begins: the place of findings that are about no single cell.
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

/// A legacy PUT payload, read and not yet compared: a whole referral, as an integration would have sent it.
#[derive(Debug, Clone)]
pub struct Payload {
    /// The referral that it was written for.
    pub id: ReferralId,
    /// Where it begins in the input.
    pub place: Location,
    /// The version that it was made from.
    pub etag: Option<Located<ETag>>,
    /// The referral as a JSON object: member names in camelCase, status and substatus as words, no
    /// name twice in one object, and all values as they were written.
    pub body: Box<str>,
}
