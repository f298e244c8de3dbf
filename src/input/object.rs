//! The members of a JSONL line.
//!
//! Fields may be nested as in the referral, and the outermost members may have any name that a CSV's
//! column may have. Values stay the text they were written in.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::assign::{LineLocator, assign, indexed};
use super::decode::{has_lost_character, lost_character};
use super::duplicates::{RepeatedName, duplicates};
use super::names::{NameResolver, Unresolved, ValueTarget, refused};
use super::options::Options;
use super::patch;
use super::row::{MAX_CHANGES, RowBuilder};
use crate::domain::excerpt::{excerpt, excerpt_json};
use crate::domain::finding::{Finding, Location};
use crate::domain::json::Object;
use crate::domain::oddity::{Oddity, oddities};
use crate::domain::pointer::{Pointer, PointerError};
use crate::domain::rules::Rule;
use crate::domain::type_error::TypeError;

/// So many resolved names are remembered; a file has a few dozen, whoever wrote it.
const MAX_NAMES: usize = 1_000;

/// So many duplicate members of one line are told.
const MAX_DUPLICATES: usize = 20;

/// The member that holds operations.
const PATCH: &str = "patch";

/// What members' names mean. Files repeat the same few in every line, so the answers are kept.
pub(super) struct Dictionary<'a> {
    pub names: NameResolver<'a>,
    meanings: HashMap<String, MemberMeaning>,
}

#[derive(Debug, Clone)]
enum MemberMeaning {
    /// A parent of fields, by its pointer.
    Parent(String),
    /// Something that takes a value.
    Target(ValueTarget),
    Nothing(Unresolved),
}

impl<'a> Dictionary<'a> {
    pub fn new(options: &'a Options) -> Self {
        Self { names: NameResolver::new(options), meanings: HashMap::new() }
    }

    fn look_up(&mut self, name: &str) -> MemberMeaning {
        if let Some(meaning) = self.meanings.get(name) {
            return meaning.clone();
        }
        let meaning = match (self.names.parent(name), self.names.resolve(name)) {
            (Some(parent), _) => MemberMeaning::Parent(parent.to_owned()),
            (None, Ok(target)) => MemberMeaning::Target(target),
            (None, Err(unresolved)) => MemberMeaning::Nothing(unresolved),
        };
        if self.meanings.len() < MAX_NAMES {
            self.meanings.insert(name.to_owned(), meaning.clone());
        }
        meaning
    }
}

/// Takes all members of a line into its row.
pub(super) fn fill(
    row: &mut RowBuilder<'_>,
    dictionary: &mut Dictionary<'_>,
    at: &LineLocator<'_>,
    members: &Object<'_>,
) {
    find_duplicates(row, at, members);
    find_lost_characters(row, dictionary, at, members);
    let operations = members.get(PATCH);
    let mut filling = Filling {
        row,
        dictionary,
        at,
        seen: 0,
        engagement: None,
        has_patch: operations.is_some(),
        told_mixture: false,
    };
    for (name, value) in members.iter().filter(|(name, _)| *name != PATCH && *name != "result") {
        filling.member(name, value);
    }
    filling.tell_engagement();
    if let Some(operations) = operations {
        patch::fill(row, &dictionary.names, at, operations);
    }
    find_oddities(row, dictionary, at, members);
}

struct Filling<'f, 'o, 'a> {
    row: &'f mut RowBuilder<'o>,
    dictionary: &'f mut Dictionary<'a>,
    at: &'f LineLocator<'f>,
    seen: usize,
    engagement: Option<Location>,
    has_patch: bool,
    told_mixture: bool,
}

impl Filling<'_, '_, '_> {
    /// Takes a member: an outermost one by its name, one further in by its pointer.
    fn member(&mut self, name: &str, value: &RawValue) {
        self.seen += 1;
        if self.seen > MAX_CHANGES {
            return self.tell_crowd(value);
        }
        let meaning = self.dictionary.look_up(name);
        let goes_with_patch = matches!(
            meaning,
            MemberMeaning::Target(
                ValueTarget::Id | ValueTarget::ETag | ValueTarget::Ignored | ValueTarget::LeftAlone
            )
        );
        if self.has_patch && !goes_with_patch {
            return self.tell_mixture(name, value);
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

    fn unresolved(&mut self, name: &str, value: &RawValue, unresolved: &Unresolved) {
        let place = self.at.of(value);
        match unresolved {
            Unresolved::Indexed(list) => self.row.find(indexed(place, name, list)),
            Unresolved::Ambiguous(paths) => {
                let message = format!("{} may be any of {}", excerpt(name), paths.join(", "));
                let finding = Finding::deny(Rule::UnconfirmedPath, place, message);
                self.row.find(finding.hint("write the one you mean"));
            }
            Unresolved::Nothing(why) => {
                let finding = Finding::deny(Rule::UnconfirmedPath, place, refused(name));
                self.row.find(finding.hint(*why));
            }
            Unresolved::Empty | Unresolved::Unknown => match pointer_of(name) {
                Ok(pointer) => self.unknown(&pointer, value),
                Err(error) => self.row.find(Finding::deny(Rule::Operation, place, error.to_string())),
            },
        }
    }

    /// Takes a value for a path that no table holds.
    fn unknown(&mut self, pointer: &Pointer, value: &RawValue) {
        let names = &self.dictionary.names;
        match names.meaning(pointer) {
            Ok(ValueTarget::Unconfirmed(pointer)) => {
                self.row.unconfirmed(self.at.of(value), &pointer, names.member_hint(&pointer));
            }
            Ok(target) => assign(self.row, self.at, &target, value, Rule::DuplicateKey),
            Err(list) => self.row.find(indexed(self.at.of(value), pointer.as_str(), &list)),
        }
    }

    /// An `engagementId` in place of the id is a mistake of its own; beside it, a read-only member.
    fn tell_engagement(&mut self) {
        let Some(place) = self.engagement else { return };
        if self.row.names_referral() {
            if let Ok(ValueTarget::ReadOnly(pointer)) = self.dictionary.names.resolve("engagementId") {
                self.row.read_only(place, &pointer);
            }
            return;
        }
        self.row.excuse_id();
        let finding =
            Finding::deny(Rule::Id, place, "engagementId is not the referral's id, and there is no id");
        self.row.find(finding.hint("several referrals can share one engagement: give the referral's own id"));
    }

    fn tell_mixture(&mut self, name: &str, value: &RawValue) {
        if !std::mem::replace(&mut self.told_mixture, true) {
            let message = format!("the line holds both operations (patch) and fields ({})", excerpt(name));
            let finding = Finding::deny(Rule::Json, self.at.of(value), message);
            self.row.find(finding.hint("use one or the other"));
        }
    }

    fn tell_crowd(&mut self, value: &RawValue) {
        if self.seen == MAX_CHANGES + 1 {
            let message = format!("the line has more than {MAX_CHANGES} members");
            let finding = Finding::deny(Rule::Size, self.at.of(value), message);
            self.row.find(finding.hint("a referral has a few dozen"));
        }
    }
}

/// The pointer that a name spells: an outermost member's name, or a pointer as it is.
fn pointer_of(name: &str) -> Result<Pointer, PointerError> {
    if name.starts_with('/') {
        return Pointer::parse(name);
    }
    Pointer::parse(&format!("/{}", name.replace('~', "~0").replace('/', "~1")))
}

/// Finds members that hold the mark of a lost character, but for what a report added: that is not
/// sent, and a server's message may well hold one.
fn find_lost_characters(
    row: &mut RowBuilder<'_>,
    dictionary: &mut Dictionary<'_>,
    at: &LineLocator<'_>,
    members: &Object<'_>,
) {
    if !has_lost_character(at.text) {
        return;
    }
    for (name, value) in members.iter().filter(|(name, _)| *name != "result") {
        let is_marked = name.contains(char::REPLACEMENT_CHARACTER) || has_lost_character(value.get());
        let is_sent = |meaning| {
            !matches!(meaning, MemberMeaning::Target(ValueTarget::Ignored | ValueTarget::LeftAlone))
        };
        if is_marked && is_sent(dictionary.look_up(name)) {
            row.find(lost_character(at.of(value), &excerpt(name)));
        }
    }
}

/// Finds what no reader can take, but for what a report added, and what was refused for its type already.
fn find_oddities(
    row: &mut RowBuilder<'_>,
    dictionary: &mut Dictionary<'_>,
    at: &LineLocator<'_>,
    members: &Object<'_>,
) {
    for (name, value) in members.iter().filter(|(name, _)| *name != "result") {
        let odd = oddities(value.get());
        if odd.is_empty() || matches!(dictionary.look_up(name), MemberMeaning::Target(ValueTarget::Ignored)) {
            continue;
        }
        let start = (value.get().as_ptr() as usize).saturating_sub(at.text.as_ptr() as usize);
        if row.has_found_between(at.of_offset(start), at.of_offset(start + value.get().len())) {
            continue;
        }
        for (offset, oddity) in odd {
            let rule = if oddity == Oddity::Number { Rule::Type } else { Rule::Encoding };
            let place = at.of_offset(start + offset);
            row.find(Finding::deny(rule, place, oddity.to_string()).hint(oddity.hint()));
        }
    }
}

/// Finds members that stand twice in one object, at any level.
fn find_duplicates(row: &mut RowBuilder<'_>, at: &LineLocator<'_>, members: &Object<'_>) {
    for RepeatedName { name, value } in duplicates(at.text, members).into_iter().take(MAX_DUPLICATES) {
        let message = format!("{} stands twice in one object", excerpt(&name));
        row.find(Finding::deny(Rule::DuplicateKey, at.of_offset(value), message).hint("keep one of them"));
    }
}
