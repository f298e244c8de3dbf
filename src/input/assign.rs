//! Types a value and puts it into its row.
//!
//! A value comes as text, from a cell, or as JSON, from a member or an operation. Here it becomes a value of the
//! type that its [`ValueTarget`] has, or a finding that says why it can't. [`RowBuilder`] keeps it from then on: what
//! was set before, and whether fields may be cleared, is its business. Both forms of change files end here, so that
//! a value is typed and refused in the same words whichever file it stands in.

use serde_json::value::RawValue;

use super::line_locator::LineLocator;
use super::name_hints::{opt_in, whole_list};
use super::row::RowBuilder;
use super::value_target::ValueTarget;
use crate::domain::change::{Append, Joining};
use crate::domain::excerpt::{excerpt, excerpt_json};
use crate::domain::fields::Field;
use crate::domain::finding::{Finding, Location};
use crate::domain::json::{self, MAX_DEPTH};
use crate::domain::pointer::Pointer;
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::rules::Rule;
use crate::domain::status::{Stage, Status};
use crate::domain::suspect;
use crate::domain::type_error::TypeError;
use crate::domain::value::{self, Wanted};
use crate::domain::wording::Wording;

/// Puts a JSON value into the row. Where the row has another value for the same target already, that is a finding
/// of the rule `repeated`.
pub(super) fn assign(
    row: &mut RowBuilder<'_>,
    at: &LineLocator<'_>,
    target: &ValueTarget,
    value: &RawValue,
    repeated: Rule,
) {
    if row.base().settles_json(target, value) {
        return;
    }
    let place = at.of(value);
    match target {
        ValueTarget::Id => id(row, place, value),
        ValueTarget::Key => text(row, place, "the key", value, |row, text| row.key(place, text)),
        ValueTarget::Identifier => {
            text(row, place, "the key", value, |row, text| row.identifier(place, text));
        }
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
        ValueTarget::ReadOnly(pointer) => row.refuse_read_only(place, pointer),
        ValueTarget::Unconfirmed(pointer) => row.refuse_unconfirmed(place, pointer, opt_in(pointer)),
        // Only a header has columns of a Partner Center file.
        ValueTarget::Portal(_) | ValueTarget::Guards | ValueTarget::Ignored | ValueTarget::LeftAlone => {}
    }
}

/// Returns the finding for a name or pointer that addresses one element of a list.
pub(super) fn indexed(place: Location, name: &str, list: &Pointer) -> Finding {
    let message = format!("{} names one element of a list, which cannot be patched alone", excerpt(name));
    Finding::deny(Rule::Operation, place, message).hint(whole_list(list))
}

/// Puts in the id, which must be a JSON string.
fn id(row: &mut RowBuilder<'_>, place: Location, value: &RawValue) {
    match json::string(value) {
        Some(text) => row.id(place, &text),
        None if json::is_null(value) => {
            row.excuse_id();
            row.refuse_clearing(place, "id");
        }
        None => {
            row.excuse_id();
            let message = format!("the id {} is no JSON string", excerpt_json(value));
            row.add_finding(
                Finding::deny(Rule::Id, place, message).hint("give the referral's GUID in quotes"),
            );
        }
    }
}

/// Hands the text of a JSON string to `take`. Any other JSON value is a finding.
fn text<'o>(
    row: &mut RowBuilder<'o>,
    place: Location,
    name: &str,
    value: &RawValue,
    take: impl FnOnce(&mut RowBuilder<'o>, &str),
) {
    match json::string(value) {
        Some(text) => take(row, &text),
        None if json::is_null(value) => row.refuse_clearing(place, name),
        None => {
            let message = format!("{} is no JSON string", excerpt_json(value));
            row.mistyped(place, name, TypeError::new(message, "put it in quotes"));
        }
    }
}

/// Appends members to a list: a JSON array of objects, or one text as in a CSV cell.
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

impl RowBuilder<'_> {
    /// Puts in the id of the referral that the row is about: a GUID, or a URL that ends in one.
    pub fn id(&mut self, place: Location, text: &str) {
        match text.parse::<ReferralId>() {
            Ok(id) => self.set_id(place, id),
            Err(error) => {
                self.excuse_id();
                let hint =
                    suspect::remedy(text).unwrap_or("a referral's id is a GUID, or a URL that ends in one");
                self.add_finding(Finding::deny(Rule::Id, place, error.to_string()).hint(hint));
            }
        }
    }

    /// Puts in the eTag of the version that the row is bound to.
    pub fn etag(&mut self, place: Location, text: &str) {
        if let Some(hint) = suspect::remedy(text) {
            let message = format!("{} is no eTag", excerpt(text));
            return self.mistyped(place, "eTag", TypeError::new(message, hint));
        }
        match ETag::from_input(text) {
            Ok(etag) => self.set_etag(place, etag),
            Err(error) => {
                let hint = "copy the eTag as the service gave it, or leave it out";
                self.mistyped_text(place, "eTag", text, TypeError::new(error.to_string(), hint));
            }
        }
    }

    /// Puts in the wanted status by its name.
    pub fn status(&mut self, place: Location, text: &str, repeated: Rule) {
        let Some(value) = Status::parse(text.trim()) else {
            let names: Vec<&str> = Status::ALL.iter().map(|status| status.name()).collect();
            let mut finding = unknown_name(place, "status", text, &names);
            if let Some(stage) = Stage::of_substatus(text.trim()) {
                finding = finding.hint(format!(
                    "{} is a substatus, of {}",
                    stage.substatus(),
                    stage.status().name()
                ));
            }
            return self.add_finding(finding);
        };
        self.set_status(place, value, repeated);
    }

    /// Puts in the wanted substatus by its name.
    pub fn substatus(&mut self, place: Location, text: &str, repeated: Rule) {
        let Some(value) = Stage::of_substatus(text.trim()) else {
            let names = Stage::ALL.map(Stage::substatus);
            let mut finding = unknown_name(place, "substatus", text, &names);
            if let Some(status) = Status::parse(text.trim()) {
                let of: Vec<&str> = status.stages().map(Stage::substatus).collect();
                finding = finding.hint(format!(
                    "{} is a status; its substatuses are {}",
                    status.name(),
                    of.join(", ")
                ));
            }
            return self.add_finding(finding);
        };
        self.set_substatus(place, value, repeated);
    }

    /// Adds the finding that a text is not of its type. Where the text itself tells why (a spreadsheet error, an odd
    /// character), message and hint say so.
    pub fn mistyped_text(&mut self, place: Location, name: &str, text: &str, error: TypeError) {
        self.mistyped(place, name, suspect::explained(text, error));
    }

    /// Adds the finding for a request to clear what cannot be cleared.
    pub fn refuse_clearing(&mut self, place: Location, name: &str) {
        self.add_finding(
            Finding::deny(Rule::Type, place, format!("{name} cannot be cleared"))
                .hint("leave it out to leave it as it is"),
        );
    }

    /// Appends a JSON object to a list, if it is an element that the list can hold.
    pub fn append_object(&mut self, place: Location, field: Field, element: &RawValue) {
        match value::checked_element(field.kind(), element) {
            Ok(key) => {
                let (element, joining) = (element.to_owned(), Joining::Append);
                self.append(place, Append { field, key, element, joining, sign: None });
            }
            Err(error) => self.mistyped(place, field.pointer().as_str(), error),
        }
    }

    /// Appends members written as `First, Last, phone, email`.
    pub fn append_members(&mut self, place: Location, field: Field, text: &str) {
        match value::members(text) {
            Ok(members) => {
                for (key, element) in members {
                    self.append(place, Append { field, key, element, joining: Joining::Append, sign: None });
                }
            }
            Err(TypeError { message, hint }) => {
                let hint = suspect::remedy(text).map(Wording::from).or(hint);
                // Only invisible characters are blamed: one that looks like a hyphen may be a hyphen in a name.
                let message = suspect::with_reason(message, suspect::unseen(text));
                self.mistyped(place, field.pointer().as_str(), TypeError { message, hint });
            }
        }
    }

    /// Adds the finding for a value of a field that only the service writes.
    pub fn refuse_read_only(&mut self, place: Location, pointer: &Pointer) {
        self.add_finding(
            Finding::deny(Rule::ReadOnlyPath, place, format!("{pointer} is written by the service alone"))
                .hint("leave it out"),
        );
    }

    /// Adds the finding for a path that no source confirms to be patchable.
    pub fn refuse_unconfirmed(&mut self, place: Location, pointer: &Pointer, hint: Wording) {
        let message = format!("{} is not documented as patchable", excerpt(pointer.as_str()));
        self.add_finding(Finding::deny(Rule::UnconfirmedPath, place, message).hint(hint));
    }

    /// Adds the finding for JSON with more levels than a parser may follow.
    pub fn refuse_depth(&mut self, place: Location) {
        let message = format!("the JSON is nested more than {MAX_DEPTH} levels deep");
        self.add_finding(Finding::deny(Rule::Size, place, message).hint("a referral nests five levels"));
    }
}

/// Returns the finding for a name that is none of these, with the likeliest of them in its hint.
fn unknown_name(place: Location, what: &str, text: &str, names: &[&str]) -> Finding {
    let legal = names.join(", ");
    let likely = names
        .iter()
        .map(|name| (strsim::jaro_winkler(&start_of(text), &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let hint = match likely {
        Some((_, name)) => format!("did you mean {name}? known are {legal}"),
        None => format!("known are {legal}"),
    };
    let message = suspect::with_reason(format!("{} is no {what}", excerpt(text)), suspect::oddity(text));
    Finding::deny(Rule::Type, place, message).hint(hint)
}

/// Returns as much of a typed name as is compared: longer than any status or substatus, and cheap.
fn start_of(text: &str) -> String {
    text.trim().chars().take(40).collect::<String>().to_lowercase()
}
