//! Walks through payload and referral, and compares them member by member.
//!
//! Most members are equal byte by byte, so their texts are compared first, and their meaning only where
//! these differ. The walk descends into objects and stops at what can be set: a documented field, a
//! path that the user opted into, or a value that is no object.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::deep::ObjectMerge;
use super::difference::{Difference, Leftover, PayloadDiff, Resolution};
use super::equivalence::{
    has_value, is_alike, is_annotation, is_nothing, is_same_text, is_unset, takes_away,
};
use super::list::{self, ListChange, ListComparison};
use super::pairs::Pairs;
use super::terms::Terms;
use crate::domain::equality;
use crate::domain::excerpt::excerpt_json;
use crate::domain::fields::{self, Field, Kind, Path, Resolved, SERVER_MANAGED};
use crate::domain::finding::{Finding, Location};
use crate::domain::item::Change;
use crate::domain::json::{self, Object};
use crate::domain::pointer::Pointer;
use crate::domain::rules::{Levels, Rule};
use crate::domain::snapshot::{self, Snapshot};

/// The settings of a comparison, and the place of the payload.
#[derive(Clone, Copy)]
pub(super) struct DiffContext<'t> {
    pub terms: &'t Terms,
    pub levels: &'t Levels,
    /// Where the payload begins.
    pub place: Location,
}

/// The comparison of one payload with its referral, and what it found so far.
pub(super) struct Walk<'a, 't> {
    terms: &'t Terms,
    levels: &'t Levels,
    place: Location,
    /// Whether only a part of the referral was seen.
    in_part: bool,
    changes: &'a [Change],
    met: Vec<bool>,
    pub found: PayloadDiff<'a>,
}

/// What a pointer refers to in a payload.
enum PathClass {
    /// A field that can be set as a whole.
    Path(Path),
    /// An object around such a field.
    Container,
    /// Neither.
    Unconfirmed,
}

impl<'a, 't> Walk<'a, 't> {
    /// Begins a comparison with a referral to which `changes` were made.
    pub fn new(
        current: &Snapshot<'_>,
        changes: &'a [Change],
        DiffContext { terms, levels, place }: DiffContext<'t>,
    ) -> Self {
        let (met, found) = (vec![false; changes.len()], PayloadDiff::default());
        Self { terms, levels, place, in_part: !current.is_whole(), changes, met, found }
    }

    /// Returns the differences, and for each change, whether the payload has a value for its field.
    pub fn finish(self) -> (PayloadDiff<'a>, Vec<bool>) {
        (self.found, self.met)
    }

    /// Compares the members of two objects at a pointer (`at`, empty for the referral itself).
    pub fn object(&mut self, at: &str, given: &Object<'a>, current: &Object<'a>) {
        let mut pairs = Pairs::new(current);
        let changed = self.changed_in(at);
        for (name, given) in given.iter() {
            let Ok(now) = pairs.take(name) else {
                self.twice(at, name);
                continue;
            };
            // In a referral that was seen in part, a null may hide a value: then equal texts prove nothing.
            let is_silent = self.in_part && given.get().contains("null");
            let same = !is_silent && now.is_some_and(|now| is_same_text(now, given));
            if !same || changed.iter().any(|changed| changed == name) {
                self.member(at, name, given, now);
            }
        }
        pairs.rest().for_each(|(name, now)| self.left_out(at, name, now));
    }

    /// Compares one member of an object.
    fn member(&mut self, at: &str, name: &str, given: &'a RawValue, now: Option<&'a RawValue>) {
        let of_stage = at.is_empty() && matches!(name, "status" | "substatus");
        if of_stage || is_annotation(name) {
            return;
        }
        if at.is_empty() && SERVER_MANAGED.contains(&name) {
            return self.managed(name, given, now);
        }
        let pointer = child(at, name);
        match self.spot(&pointer) {
            PathClass::Path(path) => self.path(path, pointer, given, now),
            PathClass::Container => self.around(pointer, given, now),
            PathClass::Unconfirmed => self.unconfirmed(pointer, given, now),
        }
    }

    fn spot(&self, pointer: &Pointer) -> PathClass {
        let text = pointer.as_str();
        let is_around = |inner: &Pointer| is_within(inner, text) && inner.as_str() != text;
        match fields::resolve(pointer) {
            Resolved::Field(field) => PathClass::Path(Path::Known(field)),
            // An object around a documented field is never set as a whole, even if the user opted into it.
            _ if Field::all().any(|field| is_around(field.pointer())) => PathClass::Container,
            _ if self.terms.allow_paths.contains(pointer) => PathClass::Path(Path::Opted(pointer.clone())),
            _ if self.terms.allow_paths.iter().any(is_around) => PathClass::Container,
            _ => PathClass::Unconfirmed,
        }
    }

    /// Compares a member that the service alone writes. Links are left aside, since they change with every answer;
    /// so are id and eTag, which have rules of their own.
    fn managed(&mut self, name: &str, given: &RawValue, now: Option<&RawValue>) {
        if matches!(name, "id" | "eTag" | "links") {
            return;
        }
        let pointer = child("", name);
        let kind = if name.ends_with("DateTime") { Kind::DateTime } else { Kind::Any };
        if self.is_unseen(Kind::DateTime, now) {
            if has_value(given) {
                self.note_unjudged(Rule::ServerManagedDiffers, &pointer);
            }
        } else if !is_alike(pointer.as_str(), kind, now, given) {
            self.found.remarks.push(Leftover::new(Rule::ServerManagedDiffers, &pointer));
        }
    }

    /// Compares an object around a field that can be set.
    fn around(&mut self, pointer: Pointer, given: &'a RawValue, now: Option<&'a RawValue>) {
        let members = Object::from_raw(given);
        let current = match now {
            // Nearly always, and what is read is the same then.
            Some(now) if now.get() == given.get() => members.clone(),
            now => now.and_then(Object::from_raw),
        };
        match (members, current) {
            (Some(given), current) => self.object(pointer.as_str(), &given, &current.unwrap_or_default()),
            (None, _) if is_nothing(given) && self.in_part => self.note_unseen(&pointer, false),
            (None, Some(current)) if is_nothing(given) => self.emptied(&pointer, given, &current),
            (None, None) if is_nothing(given) => {}
            (None, _) => {
                let message = format!("{pointer}: {} is no JSON object", excerpt_json(given));
                let finding = Finding::deny(Rule::Type, self.place, message);
                self.found.problems.push(finding.hint("a PUT holds the referral as the service gave it"));
            }
        }
    }

    /// Compares a null in place of an object, which empties every member of it.
    fn emptied(&mut self, pointer: &Pointer, null: &'a RawValue, current: &Object<'a>) {
        for (name, now) in current.iter() {
            self.member(pointer.as_str(), name, null, Some(now));
        }
    }

    /// Compares a value that isn't documented as patchable, or an object of such values.
    fn unconfirmed(&mut self, pointer: Pointer, given: &'a RawValue, now: Option<&'a RawValue>) {
        let kind = fields::unconfirmed_kind(pointer.as_str()).unwrap_or(Kind::Any);
        if is_alike(pointer.as_str(), kind, now, given) {
            return;
        }
        let is_object = |raw: &RawValue| Object::from_raw(raw).is_some();
        let are_objects = is_object(given) && now.is_none_or(is_object);
        if !are_objects && (self.is_unseen(kind, now) || self.may_be_hidden(kind, now, given)) {
            return self.note_unjudged(Rule::NotMigratable, &pointer);
        }
        let current = now.filter(|now| !json::is_null(now));
        match (Object::from_raw(given), current.map(Object::from_raw)) {
            (Some(given), None) => self.object(pointer.as_str(), &given, &Object::default()),
            (Some(given), Some(Some(current))) => self.object(pointer.as_str(), &given, &current),
            _ => {
                let empties = is_unset(pointer.as_str(), kind, given) && !self.terms.clear;
                let rule = if empties { Rule::NullClear } else { Rule::NotMigratable };
                self.differ(pointer, kind, given, now, Resolution::Left(rule, Vec::new()));
            }
        }
    }

    /// Compares a field that can be set as a whole.
    fn path(&mut self, path: Path, pointer: Pointer, given: &'a RawValue, now: Option<&'a RawValue>) {
        let kind = path.kind();
        let changed = self.now(&pointer);
        let is_set = |raw: &&'a RawValue| !is_unset(pointer.as_str(), kind, raw);
        if changed.is_none() && self.is_unseen(kind, now) {
            return self.note_unseen(&pointer, is_set(&given));
        }
        let now = changed.or(now);
        let current = now.filter(is_set);
        if !is_set(&given) {
            if current.is_some() {
                let resolution = self.clearing(path, kind, given);
                self.differ(pointer, kind, given, now, resolution);
            }
            return;
        }
        match path {
            Path::Known(field) if field.is_list() => self.list(field, given, now),
            path if kind == Kind::Any => self.whole(path, pointer, given, now),
            _ if is_alike(pointer.as_str(), kind, current, given) => {}
            path => self.differ(pointer, kind, given, now, Resolution::Set(path, given.to_owned())),
        }
    }

    /// Returns what a PATCH does about a field that the payload empties.
    fn clearing(&self, path: Path, kind: Kind, given: &RawValue) -> Resolution {
        if !self.terms.clear {
            return Resolution::Left(Rule::NullClear, Vec::new());
        }
        let own = kind == Kind::Text || !is_nothing(given);
        Resolution::Set(path, if own { given } else { RawValue::NULL }.to_owned())
    }

    /// Compares a list of members or solutions.
    fn list(&mut self, field: Field, given: &'a RawValue, now: Option<&'a RawValue>) {
        // The same elements in the same order leave nothing to be told, whatever else the service knows of them.
        if given.get().starts_with('[') && now.is_some_and(|now| now.get() == given.get()) {
            return;
        }
        let (kind, pointer) = (field.kind(), field.pointer());
        let Some(wanted) = json::elements(given) else {
            // It is no list; the check of its type reports that.
            let resolution = Resolution::Set(Path::Known(field), given.to_owned());
            return self.differ(pointer.clone(), kind, given, now, resolution);
        };
        let current = now.and_then(json::elements).unwrap_or_default();
        let ListComparison { outcome, omitted, kept, empties_unseen } =
            list::compare(kind, self.terms.clear, &current, &wanted);
        if self.in_part && empties_unseen {
            self.note_unseen(pointer, false);
        }
        if matches!(outcome, ListChange::Other(_)) && self.may_be_hidden(kind, now, given) {
            return self.note_unseen(pointer, true);
        }
        self.parts(Rule::OmittedKept, pointer, &omitted);
        let resolution = match outcome {
            ListChange::Grown(elements) => Resolution::Append(field, elements),
            ListChange::Other(whole) => Resolution::Set(Path::Known(field), whole),
            ListChange::Same | ListChange::Reordered if !kept.is_empty() => {
                let resolution = Resolution::Left(Rule::NullClear, kept);
                return self.differ(pointer.clone(), kind, given, now, resolution);
            }
            ListChange::Reordered => return self.found.remarks.push(Leftover::new(Rule::OrderOnly, pointer)),
            ListChange::Same => return,
        };
        self.parts(Rule::NullClear, pointer, &kept);
        self.differ(pointer.clone(), kind, given, now, resolution);
    }

    /// Compares a path of unknown type that the user opted into.
    fn whole(&mut self, path: Path, pointer: Pointer, given: &'a RawValue, now: Option<&'a RawValue>) {
        if self.may_be_hidden(Kind::Any, now, given) {
            return self.note_unseen(&pointer, true);
        }
        let both_objects =
            now.filter(|now| Object::from_raw(now).is_some() && Object::from_raw(given).is_some());
        let Some(current) = both_objects else {
            if !is_alike(pointer.as_str(), Kind::Any, now, given) {
                let is_kept = !self.terms.clear && now.is_some_and(|now| takes_away(now, given));
                let resolution = match is_kept {
                    true => Resolution::Left(Rule::NullClear, Vec::new()),
                    false => Resolution::Set(path, given.to_owned()),
                };
                self.differ(pointer, Kind::Any, given, now, resolution);
            }
            return;
        };
        let mut deep = ObjectMerge::new(self.terms.clear);
        let merged = deep.object("", current, given);
        self.parts(Rule::OmittedKept, &pointer, &deep.omitted);
        match merged {
            Some(merged) => {
                self.parts(Rule::NullClear, &pointer, &deep.kept);
                self.differ(pointer, Kind::Any, given, now, Resolution::Set(path, merged));
            }
            None if !deep.kept.is_empty() => {
                let resolution = Resolution::Left(Rule::NullClear, deep.kept);
                self.differ(pointer, Kind::Any, given, now, resolution);
            }
            None => {}
        }
    }

    /// Notes parts of a value that are left.
    fn parts(&mut self, rule: Rule, pointer: &Pointer, parts: &[String]) {
        if !parts.is_empty() {
            self.found.remarks.extend(Leftover::each(rule, pointer, parts));
        }
    }

    /// Adds a difference.
    pub fn differ(
        &mut self,
        pointer: Pointer,
        kind: Kind,
        given: &'a RawValue,
        current: Option<&'a RawValue>,
        resolution: Resolution,
    ) {
        self.found.differences.push(Difference { pointer, kind, given, current, resolution });
    }

    /// Notes a member that the payload leaves out, unless it has no value or is compared elsewhere.
    fn left_out(&mut self, at: &str, name: &str, now: &RawValue) {
        let of_stage_or_service =
            at.is_empty() && (SERVER_MANAGED.contains(&name) || matches!(name, "status" | "substatus"));
        if !of_stage_or_service && !is_annotation(name) && has_value(now) {
            self.found.remarks.push(Leftover::new(Rule::OmittedKept, &child(at, name)));
        }
    }

    /// Adds the problem that the payload names a member twice.
    fn twice(&mut self, at: &str, name: &str) {
        let message = format!("{} is given twice", child(at, name));
        self.problem(Finding::deny(Rule::DuplicateKey, self.place, message).hint("keep one of them"));
    }

    /// Whether the referral doesn't show a value of this type: it was seen in part, and the value is missing or null, or
    /// a list of which an element lacks its key.
    pub fn is_unseen(&self, kind: Kind, now: Option<&RawValue>) -> bool {
        let hides = |now: &RawValue| {
            json::is_null(now) && !kind.is_scalar() || snapshot::unkeyed(kind, now).is_some()
        };
        self.in_part && now.is_none_or(hides)
    }

    /// Whether setting a value depends on members of it that were not seen.
    fn may_be_hidden(&self, kind: Kind, now: Option<&RawValue>, given: &RawValue) -> bool {
        self.in_part && equality::may_be_hidden(kind, now, given)
    }

    /// Notes an unseen member that the payload sets (`is_set`) or empties. Unless clearing is allowed, a member that it
    /// empties keeps its value in any case, so only the finding about that depends on it.
    pub fn note_unseen(&mut self, pointer: &Pointer, is_set: bool) {
        if is_set || self.terms.clear {
            self.found.incomplete.change(self.place, pointer);
        } else {
            self.note_unjudged(Rule::NullClear, pointer);
        }
    }

    /// Notes that a rule cannot be judged, since a member was not seen.
    fn note_unjudged(&mut self, rule: Rule, pointer: &Pointer) {
        self.found.incomplete.rule(rule, self.levels, self.place, pointer);
    }

    /// Adds a reason why the payload is no referral.
    pub fn problem(&mut self, finding: Finding) {
        self.found.problems.push(finding);
    }

    pub fn place(&self) -> Location {
        self.place
    }

    pub fn clears(&self) -> bool {
        self.terms.clear
    }

    /// Returns the value that a change gives a field, and marks the change as one that the payload has a value for.
    pub fn now(&mut self, pointer: &Pointer) -> Option<&'a RawValue> {
        let at = self.changes.iter().position(|change| change.path.pointer() == pointer)?;
        self.met[at] = true;
        Some(&self.changes[at].after)
    }

    /// Whether one of the changes sets this field.
    pub fn is_changed(&self, pointer: &Pointer) -> bool {
        self.changes.iter().any(|change| change.path.pointer() == pointer)
    }

    /// Returns the names of an object's members that changes set, or set something in.
    fn changed_in(&self, at: &str) -> Vec<String> {
        let within = |change: &Change| {
            let rest = change.path.pointer().as_str().strip_prefix(at)?.strip_prefix('/')?;
            rest.split('/').next().map(unescaped)
        };
        self.changes.iter().filter_map(within).collect()
    }
}

/// Whether a pointer is equal to another one, or leads into it.
pub(super) fn is_within(pointer: &Pointer, outer: &str) -> bool {
    pointer.as_str().strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// Returns the pointer of a member of an object.
fn child(at: &str, name: &str) -> Pointer {
    let name = match name.contains(['~', '/']) {
        true => Cow::Owned(name.replace('~', "~0").replace('/', "~1")),
        false => Cow::Borrowed(name),
    };
    Pointer::parse(&format!("{at}/{name}")).expect("a name without bare '~' and '/' makes a pointer")
}
