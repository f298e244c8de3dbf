//! The table of paths: which parts of a referral may be changed, by which JSON Pointer, and of which type.
//!
//! The patchable ones are the paths of Microsoft's own connector definition. Members that the service
//! manages by itself are never sent. Every other path is unconfirmed: no documentation says that the
//! service accepts it, so the user opts in path by path.

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::pointer::Pointer;

/// A field of a referral that is documented as patchable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the wire name in the table below")]
pub enum Field {
    StatusReason,
    SalesStage,
    CampaignId,
    ExternalReferenceId,
    ReferralProgram,
    Notes,
    DealValue,
    Currency,
    ClosingDateTime,
    Solutions,
    Team,
    CustomerTeam,
    ShareConsent,
    Status,
    Substatus,
}

/// The type of a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A JSON string.
    Text,
    /// A decimal number, which keeps all its digits.
    Decimal,
    /// An ISO 4217 code.
    Currency,
    /// A point in time, written in UTC.
    DateTime,
    /// `true` or `false`.
    Boolean,
    /// An array of team members, told apart by e-mail address.
    Members,
    /// An array of solutions, told apart by id.
    Solutions,
    /// Any JSON value: a path of unknown type that the user opted into.
    Any,
}

impl Kind {
    /// Whether values of this type are neither objects nor lists. Services write `null` for a missing scalar, so a
    /// `null` that was seen in part means "no value" for these types alone.
    pub fn is_scalar(self) -> bool {
        match self {
            Self::Text | Self::Decimal | Self::Currency | Self::DateTime | Self::Boolean => true,
            Self::Members | Self::Solutions | Self::Any => false,
        }
    }

    /// Returns the member of a list's elements that tells one from another; `None` for a type that is no list.
    pub fn key_member(self) -> Option<&'static str> {
        match self {
            Self::Members => Some("email"),
            Self::Solutions => Some("id"),
            Self::Text | Self::Decimal | Self::Currency | Self::DateTime | Self::Boolean | Self::Any => None,
        }
    }
}

/// An entry of the table of fields.
struct FieldEntry {
    field: Field,
    pointer: &'static str,
    kind: Kind,
}

/// The fields in the order in which a document changes them: status and substatus together and last, as
/// docs/api-facts.md has it.
const TABLE: [FieldEntry; 15] = {
    const fn row(field: Field, pointer: &'static str, kind: Kind) -> FieldEntry {
        FieldEntry { field, pointer, kind }
    }
    [
        row(Field::StatusReason, "/statusReason", Kind::Text),
        row(Field::SalesStage, "/salesStage", Kind::Text),
        row(Field::CampaignId, "/campaignId", Kind::Text),
        row(Field::ExternalReferenceId, "/externalReferenceId", Kind::Text),
        row(Field::ReferralProgram, "/referralProgram", Kind::Text),
        row(Field::Notes, "/details/notes", Kind::Text),
        row(Field::DealValue, "/details/dealValue", Kind::Decimal),
        row(Field::Currency, "/details/currency", Kind::Currency),
        row(Field::ClosingDateTime, "/details/closingDateTime", Kind::DateTime),
        row(Field::Solutions, "/details/requirements/solutions", Kind::Solutions),
        row(Field::Team, "/team", Kind::Members),
        row(Field::CustomerTeam, "/customerProfile/team", Kind::Members),
        row(Field::ShareConsent, "/consent/consentToShareReferralWithMicrosoftSellers", Kind::Boolean),
        row(Field::Status, "/status", Kind::Text),
        row(Field::Substatus, "/substatus", Kind::Text),
    ]
};

/// Members that the service alone writes. Those whose names begin with `@odata.` belong to them, too.
pub const SERVER_MANAGED: [&str; 22] = [
    "id",
    "engagementId",
    "organizationId",
    "organizationName",
    "createdDateTime",
    "updatedDateTime",
    "expirationDateTime",
    "acceptedDateTime",
    "closedDateTime",
    "eTag",
    "links",
    "direction",
    "quality",
    "isSpam",
    "tags",
    "registrationStatus",
    "registrations",
    "trackingInfo",
    "lastModifiedVia",
    "lastRunId",
    "createdVia",
    "mpnId",
];

/// Known members of a referral that are not documented as patchable, with their types.
const UNCONFIRMED: [(&str, Kind); 24] = [
    ("/name", Kind::Text),
    ("/qualification", Kind::Text),
    ("/type", Kind::Text),
    ("/target", Kind::Any),
    ("/customerProfile/name", Kind::Text),
    ("/customerProfile/size", Kind::Text),
    ("/customerProfile/ids", Kind::Any),
    ("/customerProfile/address/addressLine1", Kind::Text),
    ("/customerProfile/address/addressLine2", Kind::Text),
    ("/customerProfile/address/city", Kind::Text),
    ("/customerProfile/address/state", Kind::Text),
    ("/customerProfile/address/region", Kind::Text),
    ("/customerProfile/address/postalCode", Kind::Text),
    ("/customerProfile/address/country", Kind::Text),
    ("/inviteContext/notes", Kind::Text),
    ("/inviteContext/invitedBy", Kind::Any),
    ("/inviteContext/assistanceRequestCode", Kind::Text),
    ("/consent/consentToContact", Kind::Boolean),
    // The double "To" is how the service spells it.
    ("/consent/consentToToShareInfoWithOthers", Kind::Boolean),
    ("/details/customerAction", Kind::Text),
    ("/details/customerRequestedContact", Kind::Boolean),
    ("/details/requirements/industries", Kind::Any),
    ("/details/requirements/services", Kind::Any),
    ("/details/requirements/additionalRequirements", Kind::Text),
];

/// The unconfirmed paths that are lists.
const UNCONFIRMED_LISTS: [&str; 3] =
    ["/customerProfile/ids", "/details/requirements/industries", "/details/requirements/services"];

/// The pointers of the table, parsed once.
static POINTERS: LazyLock<Vec<Pointer>> = LazyLock::new(|| {
    TABLE.iter().map(|row| Pointer::parse(row.pointer).expect("the table holds valid pointers")).collect()
});

impl Field {
    /// Iterates over all fields in the order in which a document changes them.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.field)
    }

    /// Returns the field's JSON Pointer.
    pub fn pointer(self) -> &'static Pointer {
        &POINTERS[self as usize]
    }

    /// Returns the type of the field's value.
    pub fn kind(self) -> Kind {
        TABLE[self as usize].kind
    }

    /// Whether the field is an array to whose end elements can be added (`…/-`).
    pub fn is_list(self) -> bool {
        matches!(self.kind(), Kind::Members | Kind::Solutions)
    }
}

/// A path that a change may set: a documented field, or one that the user opted into.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Path {
    /// One of the documented fields.
    Known(Field),
    /// An unconfirmed path that the user opted into.
    Opted(Pointer),
}

impl Path {
    /// Returns the path's JSON Pointer.
    pub fn pointer(&self) -> &Pointer {
        match self {
            Self::Known(field) => field.pointer(),
            Self::Opted(pointer) => pointer,
        }
    }

    /// Returns the type of the value at this path.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Known(field) => field.kind(),
            Self::Opted(pointer) => unconfirmed_kind(pointer.as_str()).unwrap_or(Kind::Any),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pointer().fmt(out)
    }
}

/// What a pointer in a change file refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// A documented field as a whole.
    Field(Field),
    /// The end of a documented list, as in `/team/-`.
    Append(Field),
    /// An element of this list, something within one, or the end of a list that isn't documented. The service
    /// has no indexed paths; and adding to a list of unknown elements could not be repeated without adding
    /// them twice. A number elsewhere may be the name of a member.
    Indexed(Pointer),
    /// A member that the service alone writes; it is never sent.
    ServerManaged,
    /// A path, known or not, that isn't documented as patchable.
    Unconfirmed,
}

/// Returns what a pointer refers to.
pub fn resolve(pointer: &Pointer) -> Resolved {
    let text = pointer.as_str();
    for row in &TABLE {
        if text == row.pointer {
            return Resolved::Field(row.field);
        }
        if row.field.is_list()
            && let Some(rest) = text.strip_prefix(row.pointer).and_then(|rest| rest.strip_prefix('/'))
        {
            let list = || row.field.pointer().clone();
            return if rest == "-" { Resolved::Append(row.field) } else { Resolved::Indexed(list()) };
        }
    }
    let outermost = pointer.tokens().next().unwrap_or_default();
    let managed = SERVER_MANAGED.contains(&outermost.as_ref()) || outermost.starts_with("@odata.");
    if managed {
        return Resolved::ServerManaged;
    }
    indexed_list(pointer).map_or(Resolved::Unconfirmed, Resolved::Indexed)
}

/// Returns the list of which a pointer names an element or the end.
fn indexed_list(pointer: &Pointer) -> Option<Pointer> {
    let is_known = |list: &Pointer| UNCONFIRMED_LISTS.contains(&list.as_str());
    let mut within = pointer.parents().zip(pointer.tokens().skip(1));
    within.find(|(list, token)| token == "-" || is_known(list)).map(|(list, _)| list)
}

/// Returns the type of a known but unconfirmed path; `None` for a path that no source mentions.
pub fn unconfirmed_kind(pointer: &str) -> Option<Kind> {
    UNCONFIRMED.iter().find(|(known, _)| *known == pointer).map(|(_, kind)| *kind)
}

/// Returns a known path that lies within this one, which is then known to be an object.
pub fn known_within(pointer: &Pointer) -> Option<&'static str> {
    let known = TABLE.iter().map(|row| row.pointer).chain(UNCONFIRMED.iter().map(|(known, _)| *known));
    known
        .into_iter()
        .find(|known| known.strip_prefix(pointer.as_str()).is_some_and(|rest| rest.starts_with('/')))
}

/// Iterates over all pointers that any source mentions, patchable ones first. Names that a user typed are
/// looked up among them.
pub fn known_pointers() -> impl Iterator<Item = String> {
    TABLE
        .iter()
        .map(|row| row.pointer.to_owned())
        .chain(UNCONFIRMED.iter().map(|(pointer, _)| (*pointer).to_owned()))
        .chain(SERVER_MANAGED.iter().map(|name| format!("/{name}")))
}

impl Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.pointer().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PathVisitor;
        impl serde::de::Visitor<'_> for PathVisitor {
            type Value = Path;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a JSON Pointer")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Path, E> {
                match TABLE.iter().find(|row| row.pointer == text) {
                    Some(row) => Ok(Path::Known(row.field)),
                    None => Pointer::parse(text).map(Path::Opted).map_err(E::custom),
                }
            }
        }
        deserializer.deserialize_str(PathVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_its_fields() {
        for (at, row) in TABLE.iter().enumerate() {
            assert_eq!(row.field as usize, at, "{}", row.pointer);
        }
    }

    #[test]
    fn resolves_every_sort_of_path() {
        for (text, wanted) in [
            ("/status", Resolved::Field(Field::Status)),
            ("/details/dealValue", Resolved::Field(Field::DealValue)),
            ("/team/-", Resolved::Append(Field::Team)),
            ("/customerProfile/team/-", Resolved::Append(Field::CustomerTeam)),
            ("/team/0", Resolved::Indexed(Field::Team.pointer().clone())),
            ("/team/0/email", Resolved::Indexed(Field::Team.pointer().clone())),
            ("/customerProfile/ids/-", Resolved::Indexed(Pointer::parse("/customerProfile/ids").unwrap())),
            ("/customerProfile/ids/0", Resolved::Indexed(Pointer::parse("/customerProfile/ids").unwrap())),
            ("/a/b/-/c", Resolved::Indexed(Pointer::parse("/a/b").unwrap())),
            // A number is the name of a member, unless it is known to stand in a list.
            ("/a/b/12/c", Resolved::Unconfirmed),
            ("/a/-1", Resolved::Unconfirmed),
            ("/a/b/1c", Resolved::Unconfirmed),
            ("/a//b", Resolved::Unconfirmed),
            ("/7", Resolved::Unconfirmed),
            ("/links/0", Resolved::ServerManaged),
            ("/details/requirements/solutions/-", Resolved::Append(Field::Solutions)),
            ("/id", Resolved::ServerManaged),
            ("/links/self", Resolved::ServerManaged),
            ("/@odata.context", Resolved::ServerManaged),
            ("/mpnId", Resolved::ServerManaged),
            ("/name", Resolved::Unconfirmed),
            ("/details", Resolved::Unconfirmed),
            ("/teams", Resolved::Unconfirmed),
        ] {
            assert_eq!(resolve(&Pointer::parse(text).unwrap()), wanted, "{text}");
        }
    }

    #[test]
    fn eighteen_paths_are_patchable() {
        let appends = Field::all().filter(|field| field.is_list()).count();
        assert_eq!(Field::all().count() + appends, 18);
    }
}
