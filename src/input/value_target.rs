//! What the value of a column or member is for.

use super::portal::PortalTarget;
use crate::domain::fields::{Field, Path};
use crate::domain::pointer::Pointer;

/// What a value is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum ValueTarget {
    /// The referral's id.
    Id,
    /// The key of the referral, where rows name those by one.
    Key,
    /// The referral's id or that of its engagement, as Microsoft's connector writes it into a CRM, where rows name
    /// their referrals by a key.
    Identifier,
    /// The eTag of the version that the row is bound to.
    ETag,
    /// The wanted status.
    Status,
    /// The wanted substatus.
    Substatus,
    /// A field, or an unconfirmed path that may be patched all the same.
    Set(Path),
    /// Team members to append, written as `First, Last, phone, email`.
    AddMembers(Field),
    /// One JSON object to append to a list.
    Append(Field),
    /// A member that only the service writes.
    ReadOnly(Pointer),
    /// A path that no source confirms to be patchable, and that the user did not opt into.
    Unconfirmed(Pointer),
    /// A column of a file of Partner Center's own, whose cells are read in a way of their own.
    Portal(PortalTarget),
    /// The columns of the row in whose cells a guard stands before what a spreadsheet would run.
    Guards,
    /// A column or member that a report added.
    Ignored,
    /// A column or member that is kept out of the change, by the user or since nothing is in it that can be changed;
    /// the reports give it back.
    LeftAlone,
}

impl ValueTarget {
    /// Returns whether it says which referral, or which version of it, a row is about.
    pub fn names_referral(&self) -> bool {
        matches!(self, Self::Id | Self::Key | Self::Identifier | Self::ETag)
    }

    /// Returns the field that a value for this target may change; `None` for one that changes none.
    pub fn path(&self) -> Option<Path> {
        match self {
            Self::Status => Some(Path::Known(Field::Status)),
            Self::Substatus => Some(Path::Known(Field::Substatus)),
            Self::Set(path) => Some(path.clone()),
            Self::AddMembers(field) | Self::Append(field) => Some(Path::Known(*field)),
            Self::Portal(target) => target.field().map(Path::Known),
            Self::Id
            | Self::Key
            | Self::Identifier
            | Self::ETag
            | Self::ReadOnly(_)
            | Self::Unconfirmed(_)
            | Self::Guards
            | Self::Ignored
            | Self::LeftAlone => None,
        }
    }

    /// Whether a value for it is one of several for its field, or a part of one.
    pub fn is_partial(&self) -> bool {
        match self {
            Self::AddMembers(_) | Self::Append(_) => true,
            Self::Portal(target) => target.is_partial(),
            _ => false,
        }
    }
}

/// Why a name means no field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unresolved {
    /// The name is empty.
    Empty,
    /// Several known pointers end in it.
    Ambiguous(Vec<String>),
    /// It addresses one element of this list, which the service can't patch alone.
    Indexed(Pointer),
    /// It is a name that people use for something that can't be changed; why.
    NoField(&'static str),
    /// No table holds it.
    Unknown,
}
