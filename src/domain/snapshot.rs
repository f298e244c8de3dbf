//! Snapshots: referrals as they were read, whole or in part.
//!
//! Only the answer to a single GET shows a whole referral. A list element, a snapshot file, the base of a
//! migration and the answer to a change may show a part of one: a member that such a part lacks, or shows as
//! `null` where an object or a list belongs, or what every referral has, is *unseen*. It is neither empty nor
//! absent. A list is unseen, too, where an element of it lacks the member that tells it from the others: whom such an
//! element is about is unknown, and so is who else is on the list.
//!
//! Two things always hold. Every read of a member answers with a [`Presence`], so an unseen member cannot pass
//! for an absent one. And a document creates an object only for an [`Absence`], which only a snapshot of a whole
//! referral can give.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde_json::value::RawValue;

use super::fields::{Field, Kind, Path};
use super::json::{self, Object};
use super::pointer::Pointer;
use super::referral::{ETag, ReferralId};
use super::status::{Standing, Status};

/// A referral as it was when it was read, members that this program doesn't know included.
#[derive(Debug, Clone)]
pub struct Snapshot<'a> {
    id: ReferralId,
    etag: Option<ETag>,
    is_whole: bool,
    json: &'a str,
    members: Object<'a>,
    /// The members of [`DETAILS`], parsed when they are first asked for.
    details: OnceCell<Option<Object<'a>>>,
}

/// The object that holds most fields. It is parsed once for all reads of a field in it.
const DETAILS: &str = "details";

/// Members that every referral has. Where a part shows one as `null`, it leaves it out.
const NEVER_NULL: [&str; 4] = ["/status", "/substatus", "/createdDateTime", "/updatedDateTime"];

/// The members that may hold a referral's version: its own, and OData's.
const ETAGS: [&str; 2] = ["eTag", "@odata.etag"];

/// The reason why a text cannot be read as a referral.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It is no JSON, or no object.
    #[error("no JSON object")]
    NoObject,
    /// There is no `id`, or it is no GUID.
    #[error("no \"id\" that is a GUID")]
    NoId,
    /// It has more levels than any referral.
    #[error("nested more than {} levels deep", json::MAX_DEPTH)]
    TooDeep,
}

/// What a snapshot shows at a place of a referral.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub enum Presence<'a> {
    /// A value other than `null`.
    Value(&'a RawValue),
    /// A member that is `null`.
    Null,
    /// No member: the whole referral was seen, and lacks it.
    Absent,
    /// Unknown: the snapshot is a part of the referral that doesn't show the member.
    Unseen,
}

/// The error that the snapshot doesn't show a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unseen;

impl<'a> Presence<'a> {
    /// Returns the value, or `None` where it is known that there is none: `null` counts as absent.
    ///
    /// # Errors
    /// [`Unseen`] if the snapshot doesn't show whether there is one.
    pub fn known(self) -> Result<Option<&'a RawValue>, Unseen> {
        match self {
            Self::Value(raw) => Ok(Some(raw)),
            Self::Null | Self::Absent => Ok(None),
            Self::Unseen => Err(Unseen),
        }
    }
}

/// A proof that a referral, seen whole, has no object at a place where a change needs one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    pointer: Pointer,
    is_null: bool,
}

impl Absence {
    /// Returns the place of the missing object.
    pub fn pointer(&self) -> &Pointer {
        &self.pointer
    }

    /// Whether a `null` stands in its place, rather than nothing.
    pub fn is_null(&self) -> bool {
        self.is_null
    }
}

/// The state of the place that a change writes to: whether its member exists, and which objects around it are
/// missing. It decides between `add` and `replace`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathState {
    is_seen: bool,
    is_there: bool,
    missing: Vec<Absence>,
}

impl PathState {
    /// Returns the state of a place in a referral that was not read. The objects around the member are taken to
    /// exist: creating one could replace an object that was not seen.
    pub fn unlooked() -> Self {
        Self { is_seen: false, is_there: false, missing: Vec::new() }
    }

    /// Whether the referral was read.
    pub fn is_seen(&self) -> bool {
        self.is_seen
    }

    /// Whether the member is known to exist, as `null` or with a value.
    pub fn is_there(&self) -> bool {
        self.is_there
    }

    /// Returns the missing objects around the member, the outermost first.
    pub fn missing(&self) -> &[Absence] {
        &self.missing
    }
}

/// Returns the version that a referral's members hold, if they hold one.
pub fn etag_in(members: &Object<'_>) -> Option<ETag> {
    ETAGS.into_iter().find_map(|name| ETag::from_service(&json::string(members.get(name)?)?).ok())
}

impl<'a> Snapshot<'a> {
    /// Reads a whole referral from the body of an answer to a single GET of it: a member that it lacks is
    /// absent. No other text may be read as a whole referral.
    ///
    /// # Errors
    /// See [`SnapshotError`]. An eTag that could not be sent back in a header counts as absent.
    pub fn whole(text: &'a str) -> Result<Self, SnapshotError> {
        Self::read(text, true)
    }

    /// Reads a part of a referral from any other text: a member that it lacks is unseen.
    ///
    /// # Errors
    /// As [`Snapshot::whole`].
    pub fn in_part(text: &'a str) -> Result<Self, SnapshotError> {
        Self::read(text, false)
    }

    fn read(text: &'a str, is_whole: bool) -> Result<Self, SnapshotError> {
        // Only these four characters are white space in JSON (RFC 8259, section 2).
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        let members = Object::parse(text).ok_or(SnapshotError::NoObject)?;
        if json::is_too_deep(text) {
            return Err(SnapshotError::TooDeep);
        }
        let text_of = |name: &str| members.get(name).and_then(json::string);
        let id = text_of("id").and_then(|id| id.parse().ok()).ok_or(SnapshotError::NoId)?;
        let etag = etag_in(&members);
        Ok(Self { id, etag, is_whole, json: text, members, details: OnceCell::new() })
    }

    /// Adds the version from the `ETag` header, unless the body holds one.
    #[must_use]
    pub fn or_etag(mut self, header: Option<&ETag>) -> Self {
        self.etag = self.etag.or_else(|| header.cloned());
        self
    }

    /// Whether the whole referral was seen.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Returns the referral's id.
    pub fn id(&self) -> ReferralId {
        self.id
    }

    /// Returns the version; some list pages and files have none.
    pub fn etag(&self) -> Option<&ETag> {
        self.etag.as_ref()
    }

    /// Returns the id of its engagement, by which a message can tell that an input gives that instead of the
    /// referral's id.
    pub fn engagement(&self) -> Option<ReferralId> {
        self.members.get("engagementId").and_then(json::string)?.parse().ok()
    }

    /// Returns its status and substatus.
    ///
    /// # Errors
    /// [`Unseen`] if the snapshot doesn't show both.
    pub fn standing(&self) -> Result<Standing, Unseen> {
        Ok(Standing::of(&self.word(Field::Status)?, &self.word(Field::Substatus)?))
    }

    /// Returns its status; `None` for one that this program doesn't know.
    ///
    /// # Errors
    /// [`Unseen`] if the snapshot doesn't show it.
    pub fn status(&self) -> Result<Option<Status>, Unseen> {
        self.word(Field::Status).map(|word| Status::parse(&word))
    }

    /// Returns status or substatus as a text; an absent one is the empty text.
    fn word(&self, field: Field) -> Result<Cow<'a, str>, Unseen> {
        let raw = self.at(&Path::Known(field)).known()?;
        Ok(raw.and_then(json::string).unwrap_or_default())
    }

    /// Returns what the snapshot shows at a path.
    pub fn at(&self, path: &Path) -> Presence<'a> {
        self.find(path.pointer(), path.kind())
    }

    /// Returns what the snapshot shows at a pointer, where a value of type `kind` belongs. Elements of lists
    /// cannot be addressed: see [`Object::at`].
    pub fn find(&self, pointer: &Pointer, kind: Kind) -> Presence<'a> {
        match self.shown(pointer) {
            Some(raw) if !self.is_whole && unkeyed(kind, raw).is_some() => Presence::Unseen,
            Some(raw) if !json::is_null(raw) => Presence::Value(raw),
            Some(_) if self.is_whole => Presence::Null,
            Some(_) if kind.is_scalar() && !NEVER_NULL.contains(&pointer.as_str()) => Presence::Null,
            None if self.is_whole => Presence::Absent,
            Some(_) | None => Presence::Unseen,
        }
    }

    /// Returns the pointer by which a message names what is unseen at a path: the key that an element of a list lacks,
    /// or else the path itself.
    pub fn unseen_at(&self, path: &Path) -> Pointer {
        let list = self.shown(path.pointer()).filter(|_| !self.is_whole);
        let hidden = list.and_then(|list| unkeyed(path.kind(), list));
        let key = hidden.zip(path.kind().key_member());
        let pointer = key.and_then(|(at, key)| Pointer::parse(&format!("{path}/{at}/{key}")).ok());
        pointer.unwrap_or_else(|| path.pointer().clone())
    }

    /// Returns the state of the place that a change of this path writes to.
    ///
    /// # Errors
    /// [`Unseen`] if the snapshot doesn't show the member, or an object around it.
    pub fn path_state(&self, path: &Path) -> Result<PathState, Unseen> {
        let mut missing = Vec::new();
        for pointer in path.pointer().parents() {
            let is_null = match self.find(&pointer, Kind::Any) {
                Presence::Value(_) => continue,
                Presence::Null => true,
                Presence::Absent => false,
                Presence::Unseen => return Err(Unseen),
            };
            missing.push(Absence { pointer, is_null });
        }
        let is_there = match self.at(path) {
            Presence::Value(_) | Presence::Null => true,
            Presence::Absent => false,
            Presence::Unseen => return Err(Unseen),
        };
        Ok(PathState { is_seen: true, is_there, missing })
    }

    /// Returns the member at a pointer, which may be `null`, as far as it was seen.
    pub fn shown(&self, pointer: &Pointer) -> Option<&'a RawValue> {
        // Nearly every pointer is the name of a member, or of one of the details, and is not taken apart.
        let outer = &pointer.as_str()[1..];
        let is_name = |text: &str| !text.bytes().any(|byte| matches!(byte, b'/' | b'~'));
        if is_name(outer) {
            return self.members.get(outer);
        }
        match outer.strip_prefix(DETAILS).and_then(|rest| rest.strip_prefix('/')) {
            Some(inner) if is_name(inner) => self.details()?.get(inner),
            Some(_) => self.details()?.follow(pointer.tokens().skip(1)),
            None => self.members.at(pointer),
        }
    }

    fn details(&self) -> Option<&Object<'a>> {
        let details = || self.members.get(DETAILS).and_then(Object::from_raw);
        self.details.get_or_init(details).as_ref()
    }

    /// Returns the members of an object that was seen, which is one of the outermost; `None` where it is no object.
    pub fn object(&self, name: &str) -> Option<Cow<'_, Object<'a>>> {
        match name {
            DETAILS => self.details().map(Cow::Borrowed),
            name => self.members.get(name).and_then(Object::from_raw).map(Cow::Owned),
        }
    }

    /// Returns the JSON text that the snapshot was read from.
    pub fn json(&self) -> &'a str {
        self.json
    }

    /// Returns the outermost members that were seen. A member that is not among them is absent only if
    /// [`Snapshot::is_whole`] holds.
    pub fn members(&self) -> &Object<'a> {
        &self.members
    }
}

/// Returns the index of the first element of a list that doesn't show the member that tells it from the others.
///
/// A part that leaves out the id of a solution may show its name all the same, so one without an id is taken for one
/// that hides it.
pub fn unkeyed(kind: Kind, list: &RawValue) -> Option<usize> {
    let key = kind.key_member()?;
    let shows_key = |element: &RawValue| {
        Object::from_raw(element)
            .is_some_and(|members| members.get(key).is_some_and(|raw| !json::is_null(raw)))
    };
    json::elements(list)?.into_iter().position(|element| !shows_key(element))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0c9b9f4e-6a9f-4d9e-9d0e-1f2a3b4c5d6e";

    fn word(presence: Presence<'_>) -> &str {
        match presence {
            Presence::Value(raw) => raw.get(),
            Presence::Null => "null",
            Presence::Absent => "absent",
            Presence::Unseen => "unseen",
        }
    }

    #[test]
    fn what_a_part_lacks_is_unseen_and_what_the_whole_lacks_is_absent() {
        for (members, field, whole, in_part) in [
            ("", Field::Notes, "absent", "unseen"),
            (r#","details":null"#, Field::Notes, "absent", "unseen"),
            (r#","details":{}"#, Field::Notes, "absent", "unseen"),
            (r#","details":"none""#, Field::Notes, "absent", "unseen"),
            (r#","details":{"notes":null}"#, Field::Notes, "null", "null"),
            (r#","details":{"notes":"x"}"#, Field::Notes, r#""x""#, r#""x""#),
            (r#","details":{"notes":""}"#, Field::Notes, r#""""#, r#""""#),
            (r#","details":{"dealValue":null}"#, Field::DealValue, "null", "null"),
            ("", Field::SalesStage, "absent", "unseen"),
            (r#","salesStage":null"#, Field::SalesStage, "null", "null"),
            (r#","status":null"#, Field::Status, "null", "unseen"),
            (r#","substatus":null"#, Field::Substatus, "null", "unseen"),
            ("", Field::Team, "absent", "unseen"),
            (r#","team":null"#, Field::Team, "null", "unseen"),
            (r#","team":[]"#, Field::Team, "[]", "[]"),
            // An element without its key hides whom it is about.
            (
                r#","team":[{"email":"a@b.c"}]"#,
                Field::Team,
                r#"[{"email":"a@b.c"}]"#,
                r#"[{"email":"a@b.c"}]"#,
            ),
            (r#","team":[{"title":"x"}]"#, Field::Team, r#"[{"title":"x"}]"#, "unseen"),
            (r#","team":[{"email":null}]"#, Field::Team, r#"[{"email":null}]"#, "unseen"),
            (r#","team":[{"email":""}]"#, Field::Team, r#"[{"email":""}]"#, r#"[{"email":""}]"#),
            (r#","team":[{"email":"a@b.c"},{}]"#, Field::Team, r#"[{"email":"a@b.c"},{}]"#, "unseen"),
            (r#","team":[null]"#, Field::Team, "[null]", "unseen"),
            (r#","team":"none""#, Field::Team, r#""none""#, r#""none""#),
            (
                r#","customerProfile":{"team":[{"firstName":"A"}]}"#,
                Field::CustomerTeam,
                r#"[{"firstName":"A"}]"#,
                "unseen",
            ),
            (
                r#","details":{"requirements":{"solutions":[{"id":"S1"}]}}"#,
                Field::Solutions,
                r#"[{"id":"S1"}]"#,
                r#"[{"id":"S1"}]"#,
            ),
            (
                r#","details":{"requirements":{"solutions":[{"name":"One"}]}}"#,
                Field::Solutions,
                r#"[{"name":"One"}]"#,
                "unseen",
            ),
            (r#","customerProfile":null"#, Field::CustomerTeam, "absent", "unseen"),
            (r#","customerProfile":{"team":null}"#, Field::CustomerTeam, "null", "unseen"),
        ] {
            let text = format!(r#"{{"id":"{ID}"{members}}}"#);
            let seen = [Snapshot::whole(&text).unwrap(), Snapshot::in_part(&text).unwrap()];
            let words = seen.each_ref().map(|seen| word(seen.at(&Path::Known(field))));
            assert_eq!(words, [whole, in_part], "{field:?} in {text}");
        }
    }

    #[test]
    fn what_is_unseen_is_named_down_to_the_key() {
        for (members, field, wanted) in [
            ("", Field::Team, "/team"),
            (r#","team":[{"email":"a@b.c"},{"email":null}]"#, Field::Team, "/team/1/email"),
            (
                r#","details":{"requirements":{"solutions":[{"name":"One"}]}}"#,
                Field::Solutions,
                "/details/requirements/solutions/0/id",
            ),
            ("", Field::Notes, "/details/notes"),
        ] {
            let text = format!(r#"{{"id":"{ID}"{members}}}"#);
            let unseen = Snapshot::in_part(&text).unwrap().unseen_at(&Path::Known(field));
            assert_eq!(unseen.as_str(), wanted, "{text}");
        }
    }

    #[test]
    fn only_the_whole_proves_that_an_object_is_missing() {
        let missing = |path_state: PathState| {
            let missing =
                path_state.missing.iter().map(|absence| format!("{} {}", absence.pointer, absence.is_null));
            (path_state.is_there, missing.collect::<Vec<_>>().join(", "))
        };
        let none = String::new();
        for (members, field, whole, in_part) in [
            ("", Field::Notes, (false, "/details false".to_owned()), None),
            (r#","details":null"#, Field::Notes, (false, "/details true".to_owned()), None),
            (
                r#","details":null"#,
                Field::Solutions,
                (false, "/details true, /details/requirements false".to_owned()),
                None,
            ),
            (r#","details":{}"#, Field::Notes, (false, none.clone()), None),
            (r#","details":{"notes":null}"#, Field::Notes, (true, none.clone()), Some((true, none.clone()))),
            (r#","team":null"#, Field::Team, (true, none.clone()), None),
            (r#","team":[]"#, Field::Team, (true, none.clone()), Some((true, none.clone()))),
        ] {
            let text = format!(r#"{{"id":"{ID}"{members}}}"#);
            let [of_whole, of_part] = [Snapshot::whole(&text).unwrap(), Snapshot::in_part(&text).unwrap()]
                .map(|seen| seen.path_state(&Path::Known(field)).ok().map(missing));
            assert_eq!((of_whole, of_part), (Some(whole), in_part), "{field:?} in {text}");
        }
    }

    #[test]
    fn a_version_stands_in_any_of_three_places() {
        let header = ETag::from_service("\"h\"").unwrap();
        for (members, header, wanted) in [
            (r#","eTag":"\"v1\"""#, None, Some("\"v1\"")),
            (r#","@odata.etag":"W/\"v1\"""#, None, Some("W/\"v1\"")),
            (r#","@odata.etag":"\"o\"","eTag":"\"v1\"""#, Some(&header), Some("\"v1\"")),
            (r#","@odata.etag":"\"o\"","eTag":null"#, Some(&header), Some("\"o\"")),
            (r#","@odata.etag":"\"o\"","eTag":"*""#, Some(&header), Some("\"o\"")),
            ("", Some(&header), Some("\"h\"")),
            (r#","eTag":"""#, Some(&header), Some("\"h\"")),
            ("", None, None),
        ] {
            let text = format!(r#"{{"id":"{ID}"{members}}}"#);
            let snapshot = Snapshot::in_part(&text).unwrap().or_etag(header);
            assert_eq!(snapshot.etag().map(ETag::as_str), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_referral_is_refused() {
        assert_eq!(Snapshot::whole("[]").unwrap_err(), SnapshotError::NoObject);
        assert_eq!(Snapshot::in_part("{}").unwrap_err(), SnapshotError::NoId);
    }
}
