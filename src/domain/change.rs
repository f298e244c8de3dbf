//! Wanted changes, as the input gives them and before the rules judge them.

use serde_json::value::RawValue;

use super::decimal::DecimalSign;
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

/// An element that a list is to have, beside those that it has.
#[derive(Debug, Clone)]
pub struct Append {
    /// The list.
    pub field: Field,
    /// The key that tells it from other elements; see [`super::value::element_key`].
    pub key: String,
    /// The element itself, a JSON object.
    pub element: Box<RawValue>,
    /// What becomes of it where the list has elements already.
    pub joining: Joining,
    /// The only decimal sign that a number in it can have been written with; `None` where it was not read from the
    /// text of a cell, or has neither point nor comma.
    pub sign: Option<DecimalSign>,
}

/// How an element joins a list that has elements already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joining {
    /// It is added at the end, as by `/team/-`. One of the same key stays as it is.
    Append,
    /// It is added at the end. One of the same key takes over the members that this one has, and keeps its others.
    Update,
    /// It joins an empty list only.
    First,
}

/// What a row says of a member that it can't change.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The name of its column.
    pub column: &'static str,
    /// The member of the referral that the column shows.
    pub counterpart: Counterpart,
    /// The text of the cell.
    pub text: Box<str>,
}

/// A member of a referral that a column shows, by its pointer, and how the two are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counterpart {
    /// A text.
    Text(&'static str),
    /// An id, whose letter case makes no difference.
    Id(&'static str),
    /// A time, of which the column shows the day in UTC.
    Day(&'static str),
    /// A flag, which the column shows as Yes or No.
    Flag(&'static str),
}

impl Counterpart {
    /// Returns the member's JSON Pointer.
    pub fn pointer(self) -> &'static str {
        match self {
            Self::Text(pointer) | Self::Id(pointer) | Self::Day(pointer) | Self::Flag(pointer) => pointer,
        }
    }
}

/// What is to be said of cells of a row, unless all of them show what the referral has: then they ask for nothing.
#[derive(Debug, Clone)]
pub struct Proviso {
    /// The fields, each with the text of its cell.
    pub cells: Vec<(Path, Box<str>)>,
    /// What was found in them.
    pub findings: Vec<Finding>,
}

/// The value that a field has in the base of a run: the file that the input was made from.
#[derive(Debug, Clone)]
pub struct BaseValue {
    /// The field.
    pub path: Path,
    /// The key of the element of its list that is to be changed; `None` where the field is changed as a whole.
    pub key: Option<Box<str>>,
    /// Its value, or that element; `null` where it has none.
    pub value: Box<RawValue>,
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
    /// Elements that lists are to have.
    pub appends: Vec<Located<Append>>,
    /// What it says of members that it can't change.
    pub shown: Vec<Located<Shown>>,
    /// What is to be said of its cells, unless they show what the referral has.
    pub provisos: Vec<Located<Proviso>>,
    /// What the base has for the fields that the row changes. A field that isn't among them is changed whatever
    /// value it has now.
    pub bases: Vec<BaseValue>,
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
    /// The status, where no row gives a substatus. Without a stage it asks for nothing where the referral has it.
    pub status_alone: Option<Located<Status>>,
    /// Fields to be set or cleared.
    pub sets: Vec<Located<(Path, Wanted)>>,
    /// Elements that lists are to have.
    pub appends: Vec<Located<Append>>,
    /// What it says of members that it can't change.
    pub shown: Vec<Located<Shown>>,
    /// What is to be said of its cells, unless they show what the referral has.
    pub provisos: Vec<Located<Proviso>>,
    /// What the base has for the fields that the row changes. A field that isn't among them is changed whatever
    /// value it has now.
    pub bases: Vec<BaseValue>,
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

impl Draft {
    /// Whether the row changes nothing, and nothing is to be said of it, whatever its referral looks like.
    pub fn asks_for_nothing(&self) -> bool {
        let Self { status, substatus, sets, appends, shown, provisos, .. } = self;
        let has_stage = status.is_some() || substatus.is_some();
        !has_stage && sets.is_empty() && appends.is_empty() && shown.is_empty() && provisos.is_empty()
    }
}
