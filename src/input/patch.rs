//! The operations of a JSONL line: RFC 6902, `add` and `replace` only.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::assign::{LineLocator, assign, indexed};
use super::names::{NameResolver, ValueTarget};
use super::row::{MAX_CHANGES, RowBuilder};
use crate::domain::excerpt::{excerpt, excerpt_json};
use crate::domain::fields::{Field, Path};
use crate::domain::finding::Finding;
use crate::domain::json::{self, Object};
use crate::domain::pointer::Pointer;
use crate::domain::rules::Rule;
use crate::domain::setting::Setting;
use crate::domain::wording::Wording;

/// Takes all operations into the row. What matters is the state they lead to: `add` and `replace` of a
/// field mean the same, and elements are appended to the list that the same document sets.
pub(super) fn fill(
    row: &mut RowBuilder<'_>,
    names: &NameResolver<'_>,
    at: &LineLocator<'_>,
    operations: &RawValue,
) {
    let Some(list) = json::elements(operations) else {
        let message = format!("patch is {}, not an array of operations", excerpt_json(operations));
        return row.find(Finding::deny(Rule::Json, at.of(operations), message).hint(FORM));
    };
    if list.len() > MAX_CHANGES {
        let message = format!("the patch has more than {MAX_CHANGES} operations");
        let finding = Finding::deny(Rule::Size, at.of(operations), message);
        return row.find(finding.hint("spread them over several lines"));
    }
    let mut appended = HashSet::new();
    for operation in list {
        if let Err(finding) = apply(row, names, at, operation, &mut appended) {
            row.find(finding);
        }
    }
}

const FORM: &str = "an operation looks like {\"op\":\"replace\",\"path\":\"/status\",\"value\":\"Closed\"}";

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
    let op = PatchOp::of(&members).map_err(|message| {
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
    if matches!(target, ValueTarget::Append(_)) && op == PatchOp::Replace {
        let message = format!("{pointer} is the end of a list, where there is nothing to replace");
        return Err(wrong(place, message).hint("append with add"));
    }
    let Some(value) = members.get("value") else {
        return Err(wrong(here, format!("the operation on {pointer} has no value")).hint(FORM));
    };
    match target {
        ValueTarget::ReadOnly(pointer) => row.read_only(place, &pointer),
        ValueTarget::Unconfirmed(pointer) => row.unconfirmed(place, &pointer, names.hint(&pointer)),
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PatchOp {
    Add,
    Replace,
}

impl PatchOp {
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
