//! What a name means: the header cell of a CSV column, or the name of a member in a JSON line.

use std::collections::BTreeSet;

use super::base_row::ReadAs;
use super::name_hints::opt_in;
use super::options::Options;
use super::order_member;
use super::value_target::{Unresolved, ValueTarget};
use crate::domain::aliases::{self, Meaning};
use crate::domain::fields::{self, Field, Path, Resolved};
use crate::domain::key::MatchField;
use crate::domain::level::Level;
use crate::domain::likeness::{LIKELY, is_same_name, likeness};
use crate::domain::pointer::Pointer;
use crate::domain::rules::Rule;
use crate::domain::run_spec::MappedColumn;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// All names that mean something in a run, for a given set of options.
pub(super) struct NameResolver<'a> {
    known: Vec<KnownName>,
    allowed: &'a BTreeSet<Pointer>,
    left_alone: &'a [String],
    mapped: &'a [MappedColumn],
    /// What the mapped columns of a table mean; none where it has none of them.
    in_use: Vec<ValueTarget>,
    /// Whether nothing but the ids of referrals is read.
    ids_alone: bool,
    matching: Option<MatchField>,
    /// The column that changes are sent in the order of, if the user names one.
    order: Option<&'a str>,
    unconfirmed: Level,
}

/// A pointer that a name may stand for.
struct KnownName {
    pointer: Pointer,
    /// The pointer in lower case.
    lower: String,
}

impl KnownName {
    fn new(pointer: Pointer) -> Self {
        Self { lower: pointer.as_str().to_lowercase(), pointer }
    }

    /// Returns the last segment, in lower case.
    fn last(&self) -> &str {
        self.lower.rsplit('/').next().unwrap_or_default()
    }
}

/// A name as typed, normalised for comparison: without white space, as a pointer.
struct TypedName {
    /// Whether it was typed as a pointer.
    is_pointer: bool,
    /// The pointer that it spells, in the letter case as typed.
    spelt: String,
    /// The same pointer in lower case.
    path: String,
}

impl TypedName {
    fn new(name: &str) -> Self {
        let name: String = name.chars().filter(|c| !c.is_whitespace()).collect();
        let is_pointer = name.starts_with('/');
        let spelt = if is_pointer {
            name
        } else if name.starts_with("@odata.") {
            // Here the dot is part of the name.
            format!("/{name}")
        } else {
            format!("/{}", name.replace('.', "/"))
        };
        Self { is_pointer, path: spelt.to_lowercase(), spelt }
    }
}

impl<'a> NameResolver<'a> {
    pub fn new(options: &'a Options) -> Self {
        let tables = fields::known_pointers().filter_map(|text| Pointer::parse(&text).ok());
        let mut known: Vec<KnownName> = tables.map(KnownName::new).collect();
        // A path that the user opted into may be named in every way that a documented field may.
        for pointer in &options.allow_paths {
            if known.iter().all(|known| known.pointer != *pointer) {
                known.push(KnownName::new(pointer.clone()));
            }
        }
        let unconfirmed = options.levels.of(Rule::UnconfirmedPath);
        let (left_alone, mapped) = (options.left_alone.as_slice(), options.mapped.as_slice());
        let matching = options.matching.as_ref().map(|matching| matching.field);
        let ids_alone = matches!(options.read_as, ReadAs::Ids);
        let (allowed, in_use) = (&options.allow_paths, Vec::new());
        let order = options.order.as_deref();
        Self { known, allowed, left_alone, mapped, in_use, ids_alone, matching, order, unconfirmed }
    }

    /// Resolves names as those of the columns of one table. Where a column of it is mapped, only the mapped ones
    /// and those that say which referral a row is about mean something.
    pub fn of_table<'n>(mut self, columns: impl Iterator<Item = &'n str>) -> Self {
        let fields = columns.filter_map(|column| self.mapped_to(column));
        self.in_use = fields.filter_map(|field| self.meaning_of(field).ok()).collect();
        self
    }

    /// Returns what a name means.
    ///
    /// A name that the user keeps out of the change wins, then one that is mapped.
    ///
    /// # Errors
    /// Where it means no field, or more than one.
    pub fn resolve(&self, name: &str) -> Result<ValueTarget, Unresolved> {
        if self.ids_alone {
            return Ok(self
                .meaning_of(name)
                .ok()
                .filter(|target| *target == ValueTarget::Id)
                .unwrap_or(ValueTarget::LeftAlone));
        }
        if self.left_alone.iter().any(|alone| is_same_name(alone, name)) {
            return Ok(ValueTarget::LeftAlone);
        }
        if self.in_use.is_empty() {
            return self.meaning_of(name);
        }
        if let Some(field) = self.mapped_to(name) {
            return self.meaning_of(field);
        }
        match self.meaning_of(name) {
            Err(Unresolved::Empty) => Err(Unresolved::Empty),
            Ok(target @ (ValueTarget::Guards | ValueTarget::Ignored)) => Ok(target),
            // A mapped column takes the place of the one that has the name.
            Ok(target) if target.names_referral() && !self.in_use.contains(&target) => Ok(target),
            Ok(_) | Err(_) => Ok(ValueTarget::LeftAlone),
        }
    }

    /// Returns the field that a column is mapped to.
    fn mapped_to(&self, column: &str) -> Option<&'a str> {
        let mapped = self.mapped.iter().find(|mapped| is_same_name(&mapped.column, column))?;
        Some(&mapped.field)
    }

    /// Returns whether the user says what a column of this name means.
    pub fn is_mapped(&self, column: &str) -> bool {
        self.mapped_to(column).is_some()
    }

    /// Returns what a name means by itself: it may be a pointer, a dotted path, the last segment of one field
    /// only, one of the names that are no path, or what people call a field.
    ///
    /// # Errors
    /// Where it means no field, or more than one.
    pub fn meaning_of(&self, name: &str) -> Result<ValueTarget, Unresolved> {
        if is_not_to_be_modified(name) {
            let is_key =
                self.matching == Some(MatchField::ExternalReferenceId) && aliases::folded(name) == DEAL;
            return Ok(if is_key { ValueTarget::Key } else { ValueTarget::LeftAlone });
        }
        let meaning = match self.by_path(name) {
            Err(Unresolved::Unknown) => self.by_alias(name),
            resolved => resolved,
        };
        match self.matching {
            Some(field) if is_key(field, &meaning) => Ok(ValueTarget::Key),
            Some(_) if aliases::meaning(name) == Some(Meaning::Id) => Ok(ValueTarget::Identifier),
            _ => meaning,
        }
    }

    /// Whether a column is there for the order alone, if it means nothing else.
    pub fn is_order(&self, column: &str) -> bool {
        self.order.is_some_and(|order| is_same_name(order, column))
    }

    /// Whether a member of a JSON line is the order's or holds it, if it means nothing else. A name that begins with a
    /// slash is its pointer.
    pub fn is_order_member(&self, member: &str) -> bool {
        self.order.is_some_and(|order| order_member::leads(order, member))
    }

    /// Returns the field that rows name their referrals by, where that is not the id.
    pub fn matching(&self) -> Option<MatchField> {
        self.matching
    }

    /// Looks the name up among those that people use for a field.
    fn by_alias(&self, name: &str) -> Result<ValueTarget, Unresolved> {
        // A name that begins with a slash is a pointer, and means just that.
        match aliases::meaning(name).filter(|_| !name.trim_start().starts_with('/')) {
            None => Err(Unresolved::Unknown),
            Some(Meaning::Id) => Ok(ValueTarget::Id),
            Some(Meaning::Field(field)) => self.meaning(field.pointer()).map_err(Unresolved::Indexed),
            Some(Meaning::Any(names)) => {
                Err(Unresolved::Ambiguous(names.iter().map(|name| (*name).to_owned()).collect()))
            }
            Some(Meaning::Nothing(why)) => Err(Unresolved::NoField(why)),
        }
    }

    /// Looks the name up as a pointer or a dotted path.
    fn by_path(&self, name: &str) -> Result<ValueTarget, Unresolved> {
        let typed = TypedName::new(name);
        if typed.spelt == "/" {
            return Err(Unresolved::Empty);
        }
        if let Some(target) = special(&typed) {
            return Ok(target);
        }
        if let Some(known) = self.known.iter().find(|known| known.lower == typed.path) {
            return self.meaning(&known.pointer).map_err(Unresolved::Indexed);
        }
        if let Some(list) = typed.path.strip_suffix("/-")
            && let Some(field) = Field::all()
                .find(|field| field.is_list() && field.pointer().as_str().eq_ignore_ascii_case(list))
        {
            return Ok(ValueTarget::Append(field));
        }
        match Pointer::parse(&typed.spelt).map(|pointer| (fields::resolve(&pointer), pointer)) {
            Ok((Resolved::Indexed(list), _)) => Err(Unresolved::Indexed(list)),
            Ok((Resolved::ServerManaged, pointer)) => Ok(ValueTarget::ReadOnly(pointer)),
            _ if typed.is_pointer => Err(Unresolved::Unknown),
            _ => self.by_last_name(&typed),
        }
    }

    /// Returns what a pointer means that is written out, as in an operation.
    ///
    /// # Errors
    /// The list, where the pointer addresses one element of it.
    pub fn meaning(&self, pointer: &Pointer) -> Result<ValueTarget, Pointer> {
        Ok(match fields::resolve(pointer) {
            Resolved::Field(Field::Status) => ValueTarget::Status,
            Resolved::Field(Field::Substatus) => ValueTarget::Substatus,
            Resolved::Field(field) => ValueTarget::Set(Path::Known(field)),
            Resolved::Append(field) => ValueTarget::Append(field),
            Resolved::Indexed(list) => return Err(list),
            Resolved::ServerManaged => ValueTarget::ReadOnly(pointer.clone()),
            Resolved::Unconfirmed if self.is_allowed(pointer) => {
                ValueTarget::Set(Path::Opted(pointer.clone()))
            }
            Resolved::Unconfirmed => ValueTarget::Unconfirmed(pointer.clone()),
        })
    }

    /// Returns whether the user opted into an unconfirmed path, or into one that it lies within.
    fn is_allowed(&self, pointer: &Pointer) -> bool {
        // Where the rule only warns, every unconfirmed path may be patched.
        self.unconfirmed != Level::Deny
            || self.allowed.contains(pointer)
            || !self.allowed.is_empty() && pointer.parents().any(|parent| self.allowed.contains(&parent))
    }

    /// Returns the columns that the user typed what they mean, and that none of these is.
    pub fn unfound<'n>(&self, columns: impl Iterator<Item = &'n str> + Clone) -> Vec<&'a str> {
        let typed = self.mapped.iter().filter(|mapped| !mapped.from_settings);
        let is_there = |typed: &str| columns.clone().any(|column| is_same_name(typed, column));
        typed.map(|mapped| mapped.column.as_str()).filter(|typed| !is_there(typed)).collect()
    }

    /// Returns a name that the user says something of, where this one was probably meant by it, and what says it.
    pub fn nearly_said(&self, name: &str) -> Option<(Setting, &'a str)> {
        let name = name.to_lowercase();
        let is_like = |typed: &str| likeness(&typed.to_lowercase(), &name) >= LIKELY;
        let left_alone = self.left_alone.iter().map(|typed| (Setting::IgnoreColumn, typed.as_str()));
        let mapped = self.mapped.iter().filter(|mapped| !mapped.from_settings);
        let mapped = mapped.map(|mapped| (Setting::Map, mapped.column.as_str()));
        left_alone.chain(mapped).find(|(_, typed)| is_like(typed))
    }

    /// Returns the pointer of an object that holds known fields, such as `details`, in its known spelling,
    /// where the name spells one.
    pub fn parent(&self, name: &str) -> Option<&str> {
        let typed = TypedName::new(name);
        let below = |known: &&KnownName| {
            known.lower.strip_prefix(&typed.path).is_some_and(|rest| rest.starts_with('/'))
        };
        self.known.iter().find(below).and_then(|known| known.pointer.as_str().get(..typed.path.len()))
    }

    /// Returns the hint for an unconfirmed pointer: how to opt in, and the name that may have been meant where
    /// no source knows the pointer.
    pub fn hint(&self, pointer: &Pointer) -> Wording {
        self.advice(pointer, self.nearest(pointer.as_str()))
    }

    /// Returns the same hint for a member of a JSON object, which may also be meant for an object that holds
    /// fields.
    pub fn member_hint(&self, pointer: &Pointer) -> Wording {
        self.advice(pointer, self.likeliest(pointer.as_str(), true))
    }

    fn advice(&self, pointer: &Pointer, meant: Option<String>) -> Wording {
        let is_known = self.known.iter().any(|known| known.pointer == *pointer);
        match meant.filter(|_| !is_known) {
            Some(name) => Wording::from(format!("did you mean {name}? – ")).append(&opt_in(pointer)),
            None => opt_in(pointer),
        }
    }

    /// Returns the known name that a typed one was probably meant to be.
    pub fn nearest(&self, name: &str) -> Option<String> {
        self.likeliest(name, false)
    }

    fn likeliest(&self, name: &str, with_parents: bool) -> Option<String> {
        let typed: String = TypedName::new(name).path.chars().skip(1).take(100).collect();
        let typed = typed.replace('/', ".");
        let mut nearest = (0.0, String::new());
        let mut consider = |name: &str, shown: &str| {
            let likeness = likeness(&typed, name);
            if likeness > nearest.0 {
                nearest = (likeness, shown.to_owned());
            }
        };
        for name in ["id", "referralId", "eTag", "team.add", "customerProfile.team.add"] {
            consider(&name.to_lowercase(), name);
        }
        for known in &self.known {
            let dotted = known.pointer.as_str()[1..].replace('/', ".");
            consider(&dotted.to_lowercase(), &dotted);
            consider(known.last(), &dotted);
            for parent in known.pointer.parents().filter(|_| with_parents) {
                let dotted = parent.as_str()[1..].replace('/', ".");
                consider(&dotted.to_lowercase(), &dotted);
            }
        }
        Some(nearest).filter(|(likeness, _)| *likeness >= LIKELY).map(|(_, name)| name)
    }

    /// Looks up a name that is the last segment of a pointer. A documented field goes before others with the
    /// same last segment: `notes` is the deal's.
    fn by_last_name(&self, typed: &TypedName) -> Result<ValueTarget, Unresolved> {
        let last = &typed.path[1..];
        let mut found: Vec<&KnownName> = self.known.iter().filter(|known| known.last() == last).collect();
        let documented = |known: &&&KnownName| matches!(fields::resolve(&known.pointer), Resolved::Field(_));
        if let Some(field) = found.iter().find(documented) {
            found = vec![field];
        }
        match found[..] {
            [] => Err(Unresolved::Unknown),
            [one] => self.meaning(&one.pointer).map_err(Unresolved::Indexed),
            _ => {
                let dotted = |known: &&KnownName| known.pointer.as_str()[1..].replace('/', ".");
                Err(Unresolved::Ambiguous(found.iter().map(dotted).collect()))
            }
        }
    }
}

/// The column of Dynamics 365 that holds the key of its own record of a deal.
const DEAL: &str = "donotmodifyopportunity";

/// Returns whether Dynamics 365 added a column to its export: the key of its own record, a checksum, a time.
fn is_not_to_be_modified(name: &str) -> bool {
    let name: String = name.chars().filter(|c| !c.is_whitespace()).take(13).collect();
    name.eq_ignore_ascii_case("(donotmodify)")
}

/// Returns the pointer of the field that a name means, as the header of a change file would.
///
/// # Errors
/// The known name that was probably meant, where it means no field.
pub fn field_named(name: &str) -> Result<Pointer, Option<String>> {
    let options = Options::default();
    let names = NameResolver::new(&options);
    match names.resolve(name) {
        Ok(ValueTarget::Status) => Ok(Field::Status.pointer().clone()),
        Ok(ValueTarget::Substatus) => Ok(Field::Substatus.pointer().clone()),
        Ok(ValueTarget::Set(path)) => Ok(path.pointer().clone()),
        Ok(ValueTarget::AddMembers(field) | ValueTarget::Append(field)) => Ok(field.pointer().clone()),
        Ok(ValueTarget::ReadOnly(pointer) | ValueTarget::Unconfirmed(pointer)) => Ok(pointer),
        Ok(
            ValueTarget::Id
            | ValueTarget::Key
            | ValueTarget::Identifier
            | ValueTarget::ETag
            | ValueTarget::Ignored
            | ValueTarget::LeftAlone
            | ValueTarget::Portal(_)
            | ValueTarget::Guards,
        ) => Err(None),
        // A run may have changed a path that no table holds.
        Err(_) if name.starts_with('/') => Pointer::parse(name).map_err(|_| names.nearest(name)),
        Err(_) => Err(names.nearest(name)),
    }
}

/// Returns whether what a name means is what rows name their referrals by. What may be the id of a deal in a CRM is,
/// where rows go by that: there it can mean nothing else.
fn is_key(field: MatchField, meaning: &Result<ValueTarget, Unresolved>) -> bool {
    match (field, meaning) {
        (MatchField::ExternalReferenceId, Ok(ValueTarget::Set(Path::Known(Field::ExternalReferenceId)))) => {
            true
        }
        (MatchField::ExternalReferenceId, Err(Unresolved::Ambiguous(names))) => {
            names.iter().any(|name| name == field.name())
        }
        (MatchField::EngagementId, Ok(ValueTarget::ReadOnly(pointer))) => pointer.as_str() == "/engagementId",
        _ => false,
    }
}

/// Returns the target of a name that is no path of a field.
fn special(typed: &TypedName) -> Option<ValueTarget> {
    Some(match typed.path.as_str() {
        "/id" | "/referralid" => ValueTarget::Id,
        "/etag" | "/if-match" => ValueTarget::ETag,
        "/team/add" if !typed.is_pointer => ValueTarget::AddMembers(Field::Team),
        "/customerprofile/team/add" if !typed.is_pointer => ValueTarget::AddMembers(Field::CustomerTeam),
        "/export/guarded" if !typed.is_pointer => ValueTarget::Guards,
        path if path.starts_with("/result/") && !typed.is_pointer => ValueTarget::Ignored,
        _ => return None,
    })
}

/// Returns whether a column or member of this name holds the eTag that a row is bound to.
pub fn is_etag(name: &str) -> bool {
    special(&TypedName::new(name)) == Some(ValueTarget::ETag)
}
