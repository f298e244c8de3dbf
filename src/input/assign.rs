//! One JSON value into its row, whether a member or an operation gives it.

use serde_json::value::RawValue;

use super::context::InputContext;
use super::names::{ValueTarget, opt_in, whole_list};
use super::row::RowBuilder;
use crate::domain::excerpt::{excerpt, excerpt_json};
use crate::domain::fields::Field;
use crate::domain::finding::{Finding, Location};
use crate::domain::json;
use crate::domain::pointer::Pointer;
use crate::domain::rules::Rule;
use crate::domain::type_error::TypeError;
use crate::domain::value::Wanted;

/// Tells where in its line a value stands.
pub(super) struct LineLocator<'a> {
    pub context: &'a InputContext<'a>,
    pub text: &'a str,
    pub line: u64,
}

impl LineLocator<'_> {
    /// The place of a value that was borrowed from the line.
    pub fn of(&self, raw: &RawValue) -> Location {
        self.of_offset((raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize))
    }

    /// The place of what begins at a byte of the line.
    pub fn of_offset(&self, offset: usize) -> Location {
        self.column(self.text.get(..offset).map_or(1, |before| before.chars().count() + 1))
    }

    /// The place of a character, counted from 1.
    pub fn column(&self, column: usize) -> Location {
        self.context.place(self.line, column)
    }

    /// The place of the line as a whole.
    pub fn start(&self) -> Location {
        self.column(1)
    }
}

/// Takes a value for what it is meant for. Another value for the same is a finding of `repeated`.
pub(super) fn assign(
    row: &mut RowBuilder<'_>,
    at: &LineLocator<'_>,
    target: &ValueTarget,
    value: &RawValue,
    repeated: Rule,
) {
    let place = at.of(value);
    match target {
        ValueTarget::Id => id(row, place, value),
        ValueTarget::ETag => text(row, place, "eTag", value, |row, text| row.etag(place, text)),
        ValueTarget::Status => {
            text(row, place, "status", value, |row, text| row.status(place, text, repeated));
        }
        ValueTarget::Substatus => {
            text(row, place, "substatus", value, |row, text| row.substatus(place, text, repeated));
        }
        ValueTarget::Set(path) => match (Wanted::from_json(path.kind(), value), json::string(value)) {
            (Ok(wanted), _) if wanted.is_clear() => row.clear(place, path, repeated),
            (Ok(wanted), _) => row.set(place, path, wanted, repeated),
            (Err(error), None) => row.mistyped(place, path.pointer().as_str(), error),
            (Err(error), Some(text)) => row.mistyped_text(place, path.pointer().as_str(), &text, error),
        },
        ValueTarget::AddMembers(field) => add_members(row, at, *field, value),
        ValueTarget::Append(field) => row.append_object(place, *field, value),
        ValueTarget::ReadOnly(pointer) => row.read_only(place, pointer),
        ValueTarget::Unconfirmed(pointer) => row.unconfirmed(place, pointer, opt_in(pointer)),
        ValueTarget::Ignored | ValueTarget::LeftAlone => {}
    }
}

/// One element of a list is addressed.
pub(super) fn indexed(place: Location, name: &str, list: &Pointer) -> Finding {
    let message = format!("{} names one element of a list, which cannot be patched alone", excerpt(name));
    Finding::deny(Rule::Operation, place, message).hint(whole_list(list))
}

fn id(row: &mut RowBuilder<'_>, place: Location, value: &RawValue) {
    row.excuse_id();
    match json::string(value) {
        Some(text) => row.id(place, &text),
        None if json::is_null(value) => row.uncleared(place, "id"),
        None => {
            let message = format!("the id {} is no JSON string", excerpt_json(value));
            row.find(Finding::deny(Rule::Id, place, message).hint("give the referral's GUID in quotes"));
        }
    }
}

fn text<'o>(
    row: &mut RowBuilder<'o>,
    place: Location,
    name: &str,
    value: &RawValue,
    take: impl FnOnce(&mut RowBuilder<'o>, &str),
) {
    match json::string(value) {
        Some(text) => take(row, &text),
        None if json::is_null(value) => row.uncleared(place, name),
        None => {
            let message = format!("{} is no JSON string", excerpt_json(value));
            row.mistyped(place, name, TypeError::new(message, "put it in quotes"));
        }
    }
}

fn add_members(row: &mut RowBuilder<'_>, at: &LineLocator<'_>, field: Field, value: &RawValue) {
    if let Some(text) = json::string(value) {
        return row.append_members(at.of(value), field, &text);
    }
    if let Some(elements) = json::elements(value) {
        return elements.into_iter().for_each(|element| row.append_object(at.of(element), field, element));
    }
    let message = format!("{} is neither a JSON array nor a text", excerpt_json(value));
    let hint = "give an array of members, or \"First, Last, phone, email\"";
    row.mistyped(at.of(value), "team.add", TypeError::new(message, hint));
}
