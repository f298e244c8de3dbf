//! The way back from a change that was sent: what can be taken back of it, and what can't and why.

use serde_json::value::RawValue;

use super::fields::Path;
use super::referral::{ETag, ReferralId};
use super::rules::Rule;

/// The way back from what a run did to one referral. Every field that was touched, or may have been, is in exactly one
/// of the two lists.
#[derive(Debug, Clone)]
pub struct WayBack {
    /// The referral.
    pub id: ReferralId,
    /// The version that the run made, as far as it is on record.
    pub etag: Option<ETag>,
    /// The fields that can be taken back, in the order of the document.
    pub fields: Vec<FieldBack>,
    /// The fields that can't, in the same order.
    pub stuck: Vec<StuckField>,
    /// The rules that would deny the old values for what a file may have made of them. The values are the service's
    /// own, so they have to be let pass.
    pub let_pass: Vec<Rule>,
}

/// A field that can be taken back.
#[derive(Debug, Clone)]
pub struct FieldBack {
    /// The field.
    pub path: Path,
    /// The value to be set, which means what the field had before.
    pub wanted: Box<RawValue>,
    /// What the field had before; `None` for null.
    pub before: Option<Box<RawValue>>,
    /// What the run left there.
    pub wrote: Box<RawValue>,
    /// Whether setting it needs leave to clear fields.
    pub clears: bool,
}

/// A field that can't be taken back.
#[derive(Debug, Clone)]
pub struct StuckField {
    /// The field.
    pub path: Path,
    /// What it had before; `None` where it had none, or that is not known.
    pub before: Option<Box<RawValue>>,
    /// What the run wrote.
    pub wrote: Box<RawValue>,
    /// Why it stays.
    pub obstacle: Obstacle,
    /// The same for people: lower case, no full stop.
    pub message: String,
}

/// Why a field can't be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// It isn't known whether the service took it.
    InDoubt,
    /// The run closed the referral.
    Closed,
    /// The version that the run made is not on record, or no file can name it, so nothing could be bound to it.
    NoVersion,
    /// A verification found the referral at another version.
    ChangedSince,
    /// A verification did not find the referral any more.
    Gone,
    /// Nothing leads back to the status from before.
    Transition,
    /// Status and substatus from before are no pair that can be set.
    UnknownStage,
    /// What the field had before was not read.
    NotSeen,
    /// Elements of a list were dropped that were not seen as a whole.
    SeenInPart,
    /// Elements were added to a list that was not read.
    ListNotRead,
    /// The field did not exist before.
    NotThere,
    /// The field was null before, which its type has no accepted form for.
    NoNull,
    /// The service kept another value than the one that was sent.
    KeptOtherwise,
    /// A rule denies the old value, or it can't be written into a change file.
    Denied(Rule),
}

impl Obstacle {
    /// Returns a stable word to group by.
    pub fn code(self) -> &'static str {
        match self {
            Self::InDoubt => "in-doubt",
            Self::Closed => "closed",
            Self::NoVersion => "no-version",
            Self::ChangedSince => "changed-since",
            Self::Gone => "gone",
            Self::Transition => "transition",
            Self::UnknownStage => "unknown-stage",
            Self::NotSeen => "not-seen",
            Self::SeenInPart => "seen-in-part",
            Self::ListNotRead => "list-not-read",
            Self::NotThere => "did-not-exist",
            Self::NoNull => "no-null",
            Self::KeptOtherwise => "kept-otherwise",
            Self::Denied(rule) => rule.id(),
        }
    }

    /// Describes it in one line.
    pub fn about(self) -> &'static str {
        match self {
            Self::InDoubt => "whether the service took it is not known",
            Self::Closed => {
                "the run closed the referral: no status leads back, and closed referrals take no further edit"
            }
            Self::NoVersion => {
                "no change file can name the version that the run made, or it is not on record: nothing would notice what \
                 somebody changed since"
            }
            Self::ChangedSince => {
                "somebody changed the referral since: it is at another version than the run made"
            }
            Self::Gone => "the referral is not there any more, or not visible to this user",
            Self::Transition => "no transition leads back to the status from before",
            Self::UnknownStage => "status and substatus from before are no pair that can be set",
            Self::NotSeen => "the run was planned without looking at it, so what it had before is not known",
            Self::SeenInPart => {
                "elements were dropped that a list page or a snapshot showed, which may leave out members of them"
            }
            Self::ListNotRead => "added to a list that was not read, so what else is on it is not known",
            Self::NotThere => "it did not exist before, and the service takes no field away",
            Self::NoNull => {
                "it was null before, and nothing says that the service takes that for such a field"
            }
            Self::KeptOtherwise => "the service kept another value than the one that was sent",
            Self::Denied(_) => "a rule denies the value from before",
        }
    }
}

impl WayBack {
    /// Makes the way back from what nobody knows of yet.
    pub fn begin(id: ReferralId, etag: Option<ETag>) -> Self {
        Self { id, etag, fields: Vec::new(), stuck: Vec::new(), let_pass: Vec::new() }
    }

    /// Whether nothing was touched.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.stuck.is_empty()
    }

    /// Keeps fields from being taken back: those that `why` has a reason for.
    pub fn hold_back(&mut self, why: impl Fn(&FieldBack) -> Option<(Obstacle, String)>) {
        let mut kept = Vec::with_capacity(self.fields.len());
        for field in std::mem::take(&mut self.fields) {
            match why(&field) {
                None => kept.push(field),
                Some((obstacle, message)) => {
                    let FieldBack { path, before, wrote, .. } = field;
                    self.stuck.push(StuckField { path, before, wrote, obstacle, message });
                }
            }
        }
        self.fields = kept;
        self.stuck.sort_by(|one, other| one.path.cmp(&other.path));
    }
}
