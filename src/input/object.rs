//! The members of a JSON line.
//!
//! Fields may be nested as in the referral, and an outermost member may have any name that a CSV column may
//! have. Values stay in the text that they were written in, so that numbers lose no digits.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::assign::{assign, indexed};
use super::base_row::BaseRow;
use super::decode::{has_lost_character, lost_character};
use super::duplicates::{RepeatedName, duplicates};
use super::line_locator::LineLocator;
use super::name_hints::no_field;
use super::names::NameResolver;
use super::naming;
use super::options::Options;
use super::patch;
use super::row::{MAX_CHANGES, RowBuilder};
use super::value_target::{Unresolved, ValueTarget};
use crate::domain::equality;
use crate::domain::excerpt::{excerpt, excerpt_json};
use crate::domain::fields::Kind;
use crate::domain::finding::{Finding, Location};
use crate::domain::json::{self, Object};
use crate::domain::oddity::{Oddity, oddities};
use crate::domain::pointer::{Pointer, PointerError};
use crate::domain::referral::ReferralId;
use crate::domain::rules::Rule;
use crate::domain::type_error::TypeError;

/// The number of names whose meaning is remembered. Files repeat a few dozen in every line; a file that doesn't
/// must not fill the memory.
const MAX_NAMES: usize = 1_000;

/// The number of repeated names of one line that get a finding.
const MAX_DUPLICATES: usize = 20;

/// The member that holds JSON Patch operations.
const PATCH: &str = "patch";

/// What the names of members mean. Files repeat the same few names in every line, so the answers are kept.
pub(super) struct Dictionary<'a> {
    pub names: NameResolver<'a>,
    meanings: HashMap<String, MemberMeaning>,
}

/// What the name of a member means.
#[derive(Debug, Clone)]
enum MemberMeaning {
    /// An object that holds known fields, by its pointer.
    Parent(String),
    /// Something that takes a value.
    Target(ValueTarget),
    /// No field; why.
    Nothing(Unresolved),
}

impl<'a> Dictionary<'a> {
    pub fn new(options: &'a Options) -> Self {
        Self { names: NameResolver::new(options), meanings: HashMap::new() }
    }

    /// Returns the meaning of a name, and remembers it.
    fn look_up(&mut self, name: &str) -> MemberMeaning {
        if let Some(meaning) = self.meanings.get(name) {
            return meaning.clone();
        }
        let meaning = match (self.names.parent(name), self.names.resolve(name)) {
            (Some(parent), _) => MemberMeaning::Parent(parent.to_owned()),
            (None, Ok(target)) => MemberMeaning::Target(target),
            (None, Err(_)) if self.names.is_order_member(name) => {
                MemberMeaning::Target(ValueTarget::LeftAlone)
            }
            (None, Err(unresolved)) => MemberMeaning::Nothing(unresolved),
        };
        if self.meanings.len() < MAX_NAMES {
            self.meanings.insert(name.to_owned(), meaning.clone());
        }
        meaning
    }
}

/// Returns the referral that a line names, and where; `None` where it names none.
pub(super) fn referral(
    dictionary: &mut Dictionary<'_>,
    at: &LineLocator<'_>,
    members: &Object<'_>,
) -> Option<(Location, ReferralId)> {
    if at.context.options.matching.is_some() {
        let named = members.iter().filter_map(|(name, value)| match dictionary.look_up(name) {
            MemberMeaning::Target(target) => Some((at.of(value), target, json::string(value)?.into_owned())),
            MemberMeaning::Parent(_) | MemberMeaning::Nothing(_) => None,
        });
        return naming::found(naming::named(RowBuilder::new(at.context.options, at.start()), named));
    }
    members.iter().find_map(|(name, value)| {
        let is_id = matches!(dictionary.look_up(name), MemberMeaning::Target(ValueTarget::Id));
        let id = json::string(value).filter(|_| is_id)?.parse().ok()?;
        Some((at.of(value), id))
    })
}

/// Puts all members of a line into its row.
pub(super) fn fill(
    row: &mut RowBuilder<'_>,
    dictionary: &mut Dictionary<'_>,
    at: &LineLocator<'_>,
    members: &Object<'_>,
) {
    let base = row.base().row().cloned();
    let base = base.as_ref().and_then(BaseRow::object);
    // First: two values under one name are a repeated name, and then no contradiction as well (see `row`).
    find_duplicates(row, at, members);
    let is_as_in_base = |name: &str, value: &RawValue| is_in(base.as_ref(), name, value);
    find_lost_characters(row, dictionary, at, members, &is_as_in_base);
    let operations = members.get(PATCH);
    let mut reader = MemberReader {
        row,
        dictionary,
        at,
        seen: 0,
        engagement: None,
        has_patch: operations.is_some(),
        has_refused_mixture: false,
        is_as_in_base: &is_as_in_base,
    };
    for (name, value) in members.iter().filter(|(name, _)| *name != PATCH && *name != "result") {
        reader.member(name, value);
    }
    reader.refuse_engagement();
    if let Some(operations) = operations {
        patch::fill(row, &dictionary.names, at, operations);
    }
    // Last: a value that was refused for its type needs no finding about its text as well.
    find_oddities(row, dictionary, at, members, &is_as_in_base);
}

/// Whether an object has the same member of a name, which may be its pointer.
fn is_in(base: Option<&Object<'_>>, name: &str, value: &RawValue) -> bool {
    let Some(base) = base else { return false };
    let nested =
        || pointer_of(name).ok().filter(|_| name.starts_with('/')).and_then(|pointer| base.at(&pointer));
    base.get(name).or_else(nested).is_some_and(|known| equality::same(Kind::Any, Some(known), value))
}

/// Puts the members of one line into its row.
struct MemberReader<'f, 'o, 'a> {
    row: &'f mut RowBuilder<'o>,
    dictionary: &'f mut Dictionary<'a>,
    at: &'f LineLocator<'f>,
    /// The number of members so far, at any level.
    seen: usize,
    /// Where an `engagementId` stands.
    engagement: Option<Location>,
    /// Whether the line holds operations, beside which no field may stand.
    has_patch: bool,
    /// Whether it was said that the line holds both.
    has_refused_mixture: bool,
    /// Whether the base has the same member of this name for the referral.
    is_as_in_base: &'f dyn Fn(&str, &RawValue) -> bool,
}

impl MemberReader<'_, '_, '_> {
    /// Puts in a member: an outermost one by its name, a nested one by its pointer.
    fn member(&mut self, name: &str, value: &RawValue) {
        self.seen += 1;
        if self.seen > MAX_CHANGES {
            return self.refuse_excess(value);
        }
        let meaning = self.dictionary.look_up(name);
        if self.is_as_in_base(name, value, &meaning) {
            return;
        }
        let goes_with_patch = matches!(
            meaning,
            MemberMeaning::Target(
                ValueTarget::Id
                    | ValueTarget::Key
                    | ValueTarget::Identifier
                    | ValueTarget::ETag
                    | ValueTarget::Guards
                    | ValueTarget::Ignored
                    | ValueTarget::LeftAlone
            )
        );
        if self.has_patch && !goes_with_patch {
            return self.refuse_mixture(name, value);
        }
        let place = self.at.of(value);
        match meaning {
            MemberMeaning::Parent(pointer) => self.parent(&pointer, value),
            MemberMeaning::Target(ValueTarget::ReadOnly(pointer)) if pointer.as_str() == "/engagementId" => {
                self.engagement = Some(place);
            }
            MemberMeaning::Target(target) => assign(self.row, self.at, &target, value, Rule::DuplicateKey),
            MemberMeaning::Nothing(unresolved) => self.unresolved(name, value, &unresolved),
        }
    }

    /// Returns whether a member is as in the base, and counts it if it is one that could change something. The id is
    /// read all the same.
    fn is_as_in_base(&mut self, name: &str, value: &RawValue, meaning: &MemberMeaning) -> bool {
        let is_open = match meaning {
            // The members of an object are compared one by one.
            MemberMeaning::Parent(_) => value.get().starts_with('{'),
            MemberMeaning::Target(target) => *target == ValueTarget::Id,
            MemberMeaning::Nothing(_) => false,
        };
        if !is_open && self.row.base().is_lacking() {
            return true;
        }
        if is_open || !(self.is_as_in_base)(name, value) {
            return false;
        }
        if let MemberMeaning::Target(target) = meaning {
            self.row.base().count(target);
        }
        true
    }

    /// Puts in the members of an object that holds fields.
    fn parent(&mut self, pointer: &str, value: &RawValue) {
        if let Some(members) = Object::from_raw(value) {
            for (name, value) in members.iter() {
                let name = name.replace('~', "~0").replace('/', "~1");
                self.member(&format!("{pointer}/{name}"), value);
            }
        } else if let Ok(ValueTarget::Set(path)) = self.dictionary.names.resolve(pointer) {
            assign(self.row, self.at, &ValueTarget::Set(path), value, Rule::DuplicateKey);
        } else {
            let message = format!("{} is no JSON object", excerpt_json(value));
            let error = TypeError::new(message, "name the fields in it one by one");
            self.row.mistyped(self.at.of(value), pointer, error);
        }
    }

    /// Adds the finding for a name that means no field, or tries it as an unconfirmed path.
    fn unresolved(&mut self, name: &str, value: &RawValue, unresolved: &Unresolved) {
        let place = self.at.of(value);
        match unresolved {
            Unresolved::Indexed(list) => self.row.add_finding(indexed(place, name, list)),
            Unresolved::Ambiguous(paths) => {
                let message = format!("{} may be any of {}", excerpt(name), paths.join(", "));
                let finding = Finding::deny(Rule::UnconfirmedPath, place, message);
                self.row.add_finding(finding.hint("write the one you mean"));
            }
            Unresolved::NoField(why) => {
                let finding = Finding::deny(Rule::UnconfirmedPath, place, no_field(name));
                self.row.add_finding(finding.hint(*why));
            }
            Unresolved::Empty | Unresolved::Unknown => match pointer_of(name) {
                Ok(pointer) => self.unknown(&pointer, value),
                Err(error) => self.row.add_finding(Finding::deny(Rule::Operation, place, error.to_string())),
            },
        }
    }

    /// Puts in a value for a path that no table of fields holds.
    fn unknown(&mut self, pointer: &Pointer, value: &RawValue) {
        let names = &self.dictionary.names;
        match names.meaning(pointer) {
            Ok(ValueTarget::Unconfirmed(pointer)) => {
                self.row.refuse_unconfirmed(self.at.of(value), &pointer, names.member_hint(&pointer));
            }
            Ok(target) => assign(self.row, self.at, &target, value, Rule::DuplicateKey),
            Err(list) => self.row.add_finding(indexed(self.at.of(value), pointer.as_str(), &list)),
        }
    }

    /// Adds the finding for an `engagementId`. In place of the id it is a mistake of its own; beside the id it
    /// is a read-only member.
    fn refuse_engagement(&mut self) {
        let Some(place) = self.engagement else { return };
        if self.row.names_referral() {
            if let Ok(ValueTarget::ReadOnly(pointer)) = self.dictionary.names.resolve("engagementId") {
                self.row.refuse_read_only(place, &pointer);
            }
            return;
        }
        self.row.excuse_id();
        let finding =
            Finding::deny(Rule::Id, place, "engagementId is not the referral's id, and there is no id");
        self.row.add_finding(
            finding.hint("several referrals can share one engagement: give the referral's own id"),
        );
    }

    /// Adds the finding, once a line, that a line holds both operations and fields.
    fn refuse_mixture(&mut self, name: &str, value: &RawValue) {
        if !std::mem::replace(&mut self.has_refused_mixture, true) {
            let message = format!("the line holds both operations (patch) and fields ({})", excerpt(name));
            let finding = Finding::deny(Rule::Json, self.at.of(value), message);
            self.row.add_finding(finding.hint("use one or the other"));
        }
    }

    /// Adds the finding, once a line, that a line has too many members.
    fn refuse_excess(&mut self, value: &RawValue) {
        if self.seen == MAX_CHANGES + 1 {
            let message = format!("the line has more than {MAX_CHANGES} members");
            let finding = Finding::deny(Rule::Size, self.at.of(value), message);
            self.row.add_finding(finding.hint("a referral has a few dozen"));
        }
    }
}

/// Returns the pointer that a name spells: a pointer as it is, or that of an outermost member.
fn pointer_of(name: &str) -> Result<Pointer, PointerError> {
    if name.starts_with('/') {
        return Pointer::parse(name);
    }
    Pointer::parse(&format!("/{}", name.replace('~', "~0").replace('/', "~1")))
}

/// Adds a finding for each member that holds U+FFFD, the mark of a lost character. Members that a report added
/// are left out: they are not sent, and a server's message may well hold one.
fn find_lost_characters(
    row: &mut RowBuilder<'_>,
    dictionary: &mut Dictionary<'_>,
    at: &LineLocator<'_>,
    members: &Object<'_>,
    is_as_in_base: &dyn Fn(&str, &RawValue) -> bool,
) {
    if !has_lost_character(at.text) {
        return;
    }
    for (name, value) in
        members.iter().filter(|(name, value)| *name != "result" && !is_as_in_base(name, value))
    {
        let is_marked = name.contains(char::REPLACEMENT_CHARACTER) || has_lost_character(value.get());
        let is_sent = |meaning| {
            !matches!(meaning, MemberMeaning::Target(ValueTarget::Ignored | ValueTarget::LeftAlone))
        };
        if is_marked && is_sent(dictionary.look_up(name)) {
            row.add_finding(lost_character(at.of(value), &excerpt(name)));
        }
    }
}

/// Adds a finding for each value that JSON parsers can't take as it is meant, such as `1e400` or half a
/// surrogate pair. Left out is what a report added, and what was refused for its type already.
fn find_oddities(
    row: &mut RowBuilder<'_>,
    dictionary: &mut Dictionary<'_>,
    at: &LineLocator<'_>,
    members: &Object<'_>,
    is_as_in_base: &dyn Fn(&str, &RawValue) -> bool,
) {
    for (name, value) in members.iter().filter(|(name, _)| *name != "result") {
        let odd = oddities(value.get());
        if odd.is_empty()
            || is_as_in_base(name, value)
            || matches!(dictionary.look_up(name), MemberMeaning::Target(ValueTarget::Ignored))
        {
            continue;
        }
        let start = (value.get().as_ptr() as usize).saturating_sub(at.text.as_ptr() as usize);
        if row.has_found_between(at.of_offset(start), at.of_offset(start + value.get().len())) {
            continue;
        }
        for (offset, oddity) in odd {
            let rule = if oddity == Oddity::Number { Rule::Type } else { Rule::Encoding };
            let place = at.of_offset(start + offset);
            row.add_finding(Finding::deny(rule, place, oddity.to_string()).hint(oddity.hint()));
        }
    }
}

/// Adds a finding for each name that stands twice in one object, at any level.
fn find_duplicates(row: &mut RowBuilder<'_>, at: &LineLocator<'_>, members: &Object<'_>) {
    for RepeatedName { name, value } in duplicates(at.text, members).into_iter().take(MAX_DUPLICATES) {
        let message = format!("{} stands twice in one object", excerpt(&name));
        row.add_finding(
            Finding::deny(Rule::DuplicateKey, at.of_offset(value), message).hint("keep one of them"),
        );
    }
}
