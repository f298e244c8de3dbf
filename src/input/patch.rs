//! The operations of a JSON line: JSON Patch (RFC 6902), of which `add` and `replace` are allowed. They are all
//! that the Partner API knows.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::assign::{assign, indexed};
use super::line_locator::LineLocator;
use super::names::NameResolver;
use super::row::{MAX_CHANGES, RowBuilder};
use super::value_target::ValueTarget;
use crate::domain::excerpt::{excerpt, excerpt_json};
use crate::domain::fields::{Field, Path};
use crate::domain::finding::Finding;
use crate::domain::json::{self, Object};
use crate::domain::pointer::Pointer;
use crate::domain::rules::Rule;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// Puts all operations into the row.
///
/// What counts is the state that they lead to, since planning writes a document of its own: `add` and `replace`
/// of a field mean the same, and elements are appended to the list that the same document sets.
pub(super) fn fill(
    row: &mut RowBuilder<'_>,
    names: &NameResolver<'_>,
    at: &LineLocator<'_>,
    operations: &RawValue,
) {
    let Some(list) = json::elements(operations) else {
        let message = format!("patch is {}, not an array of operations", excerpt_json(operations));
        return row.add_finding(Finding::deny(Rule::Json, at.of(operations), message).hint(FORM));
    };
    if list.len() > MAX_CHANGES {
        let message = format!("the patch has more than {MAX_CHANGES} operations");
        let finding = Finding::deny(Rule::Size, at.of(operations), message);
        return row.add_finding(finding.hint("spread them over several lines"));
    }
    let mut appended = HashSet::new();
    for operation in list {
        if let Err(finding) = apply(row, names, at, operation, &mut appended) {
            row.add_finding(finding);
        }
    }
}

/// The hint that shows what an operation looks like.
const FORM: &str = "an operation looks like {\"op\":\"replace\",\"path\":\"/status\",\"value\":\"Closed\"}";

/// Puts one operation into the row. `appended` holds the lists to which earlier operations appended.
///
/// # Errors
/// The finding about an operation that can't be understood, or that contradicts an earlier one.
fn apply(
    row: &mut RowBuilder<'_>,
    names: &NameResolver<'_>,
    at: &LineLocator<'_>,
    operation: &RawValue,
    appended: &mut HashSet<Field>,
) -> Result<(), Finding> {
    let here = at.of(operation);
    let wrong = |place, message: String| Finding::deny(Rule::Operation, place, message);
    let Some(members) = Object::from_raw(operation) else {
        let message = format!("{} is no operation", excerpt_json(operation));
        return Err(wrong(here, message).hint(FORM));
    };
    let op = OperationKind::of(&members).map_err(|message| {
        let place = members.get("op").map_or(here, |op| at.of(op));
        let hint = "add and replace are all the service knows; to clear a field, replace it with null, with ";
        wrong(place, message).hint(Wording::from(hint).name(Setting::Clear))
    })?;
    let Some(raw_path) = members.get("path") else {
        return Err(wrong(here, "the operation has no path".to_owned()).hint(FORM));
    };
    let place = at.of(raw_path);
    let path = json::string(raw_path).ok_or_else(|| {
        wrong(place, format!("the path {} is no JSON string", excerpt_json(raw_path))).hint(FORM)
    })?;
    let pointer = Pointer::parse(&path)
        .map_err(|error| wrong(place, format!("the path {}: {error}", excerpt(&path))).hint(FORM))?;
    let target = match names.meaning(&pointer) {
        Ok(target) => target,
        Err(list) => return Err(indexed(place, &path, &list)),
    };
    if let Some(matching) = row.options.matching.as_ref()
        && pointer.as_str().strip_prefix('/') == Some(matching.field.name())
    {
        let message = format!("{pointer} is what the row names its referral by, so nothing changes it");
        return Err(wrong(place, message).hint("leave the operation out, or name the referral by its id"));
    }
    if matches!(target, ValueTarget::Append(_)) && op == OperationKind::Replace {
        let message = format!("{pointer} is the end of a list, where there is nothing to replace");
        return Err(wrong(place, message).hint("append with add"));
    }
    let Some(value) = members.get("value") else {
        return Err(wrong(here, format!("the operation on {pointer} has no value")).hint(FORM));
    };
    match target {
        ValueTarget::ReadOnly(pointer) => row.refuse_read_only(place, &pointer),
        ValueTarget::Unconfirmed(pointer) => row.refuse_unconfirmed(place, &pointer, names.hint(&pointer)),
        ValueTarget::Set(Path::Known(field)) if appended.contains(&field) => {
            let message = format!("{pointer} is set after an element was appended to it, which undoes that");
            let finding = Finding::deny(Rule::Contradiction, place, message);
            return Err(finding.hint("set the list first, with the element in it or appended behind"));
        }
        target => {
            appended.extend(match target {
                ValueTarget::Append(field) => Some(field),
                _ => None,
            });
            assign(row, at, &target, value, Rule::Contradiction);
        }
    }
    Ok(())
}

/// The kind of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OperationKind {
    Add,
    Replace,
}

impl OperationKind {
    /// Reads the member `op`.
    ///
    /// # Errors
    /// What is wrong with it.
    fn of(members: &Object<'_>) -> Result<Self, String> {
        let Some(raw) = members.get("op") else {
            return Err("the operation has no op".to_owned());
        };
        match json::string(raw).as_deref() {
            Some("add") => Ok(Self::Add),
            Some("replace") => Ok(Self::Replace),
            _ => Err(format!("the operation {} is neither add nor replace", excerpt_json(raw))),
        }
    }
}
