//! The proof of a document: applied to the referral by an independent implementation of RFC 6902, it must give
//! exactly what was wanted and change nothing else.
//!
//! Only the outermost members that the document names are compared: no other member can change.

use std::borrow::Cow;

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, PatchOperation, ReplaceOperation};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::patch::Document;
use crate::domain::json::{self, Object};
use crate::domain::pointer::Pointer;
use crate::domain::snapshot::Snapshot;

/// Applies the document to the referral and compares the result with what was wanted.
///
/// # Errors
/// A message that says what is wrong: the document is no JSON Patch, holds an operation other than `add`
/// and `replace`, could not be applied, or gives something other than wanted. Each would be a defect
/// of this program.
pub fn prove(document: &Document, current: &Snapshot<'_>) -> Result<(), String> {
    let operations: Vec<ParsedOperation<'_>> =
        serde_json::from_str(document.patch.get()).map_err(|error| format!("no JSON Patch: {error}"))?;
    let patch: Vec<PatchOperation> =
        operations.into_iter().map(ParsedOperation::known).collect::<Result<_, _>>()?;
    let before = touched(document, current);
    let mut wanted = before.clone();
    for change in &document.changes {
        put(&mut wanted, change.path.pointer(), value(&change.after));
    }
    let mut after = before;
    // `patch` would undo its operations if one fails; here a failed result is dropped, so that would be wasted.
    json_patch::patch_unsafe(&mut after, &patch).map_err(|error| error.to_string())?;
    if after == wanted { Ok(()) } else { Err("applied, it gives another referral than wanted".to_owned()) }
}

/// An operation as it stands in the document; any other member is an error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParsedOperation<'a> {
    op: &'a str,
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow)]
    value: &'a RawValue,
}

impl ParsedOperation<'_> {
    /// Converts it for the other implementation.
    fn known(self) -> Result<PatchOperation, String> {
        let path = PointerBuf::parse(self.path).map_err(|error| format!("no JSON Pointer: {error}"))?;
        let value = value(self.value);
        match self.op {
            "add" => Ok(PatchOperation::Add(AddOperation { path, value })),
            "replace" => Ok(PatchOperation::Replace(ReplaceOperation { path, value })),
            _ => Err("an operation other than add and replace".to_owned()),
        }
    }
}

/// Returns the outermost members of the referral that the document names, as far as they matter.
fn touched(document: &Document, current: &Snapshot<'_>) -> Value {
    let paths: Vec<Vec<Cow<'_, str>>> =
        document.changes.iter().map(|change| change.path.pointer().tokens().collect()).collect();
    let paths: Vec<&[Cow<'_, str>]> = paths.iter().map(Vec::as_slice).collect();
    let mut members = Map::new();
    for (name, raw) in current.members().iter() {
        if !paths.iter().any(|path| path.first().is_some_and(|first| first == name)) {
            continue;
        }
        let inside = inside(name, &paths);
        // Of a name that stands twice the last counts, as it does where the members of the object are asked for.
        let object = if inside.iter().any(|path| path.is_empty()) { None } else { current.object(name) };
        members.insert(
            name.to_owned(),
            object.map_or_else(|| value(raw), |object| members_of(&object, &inside)),
        );
    }
    Value::Object(members)
}

/// Returns a value reduced to the given paths, and to one member beside them in every object on the way.
///
/// That one member stands for all others: an operation on one of those would fail or add a member, and an
/// operation on the object as a whole would remove this one.
fn outline(raw: &RawValue, paths: &[&[Cow<'_, str>]]) -> Value {
    if paths.iter().any(|path| path.is_empty()) {
        return value(raw);
    }
    Object::from_raw(raw).map_or_else(|| value(raw), |object| members_of(&object, paths))
}

/// Returns the members of an object, reduced likewise.
fn members_of(object: &Object<'_>, paths: &[&[Cow<'_, str>]]) -> Value {
    let (mut members, mut beside) = (Map::new(), None);
    for (name, raw) in object.iter() {
        let inside = inside(name, paths);
        if !inside.is_empty() {
            members.insert(name.to_owned(), outline(raw, &inside));
        } else if beside.is_none() {
            beside = Some(name);
            members.insert(name.to_owned(), Value::String(raw.get().to_owned()));
        }
    }
    Value::Object(members)
}

/// Returns the rest of each path that leads through a member.
fn inside<'p, 'a>(name: &str, paths: &[&'p [Cow<'a, str>]]) -> Vec<&'p [Cow<'a, str>]> {
    paths
        .iter()
        .filter_map(|path| path.split_first().filter(|(first, _)| *first == name))
        .map(|(_, rest)| rest)
        .collect()
}

/// Converts a value for the other implementation. A part of the service's value that it cannot parse, a number beyond
/// the range of a double or half a surrogate pair, is represented by its text.
fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_else(|_| by_parts(raw))
}

/// Converts a value part by part, so that only what cannot be parsed is represented by its text.
fn by_parts(raw: &RawValue) -> Value {
    if let Some(object) = Object::from_raw(raw) {
        return object.iter().map(|(name, raw)| (name.to_owned(), value(raw))).collect();
    }
    match json::elements(raw) {
        Some(elements) => elements.into_iter().map(value).collect(),
        None => Value::String(format!("\0{}", raw.get())),
    }
}

/// Sets a member, and makes an object of every parent that is absent or null.
fn put(document: &mut Value, pointer: &Pointer, value: Value) {
    let mut here = document;
    for token in pointer.tokens() {
        if here.is_null() {
            *here = Value::Object(Map::new());
        }
        let Value::Object(members) = here else { return };
        here = members.entry(token.into_owned()).or_insert(Value::Null);
    }
    *here = value;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fields::{Field, Path};
    use crate::domain::item::Change;

    const CURRENT: &str = r#"{"id":"5a1e0001-0000-4000-8000-000000000001","name":"A","status":"New",
        "details":{"notes":"as it is","dealValue":1,"currency":"EUR","requirements":{"services":[]}}}"#;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    /// A document that should set the deal value to 2 and do nothing else.
    fn check(operations: &str, holds: bool) {
        let change = Change {
            path: Path::Known(Field::DealValue),
            before: None,
            after: raw("2"),
            appended: Vec::new(),
            base: None,
            is_whole: false,
        };
        let document = Document { patch: raw(&format!("[{operations}]")), changes: vec![change] };
        let proved = prove(&document, &Snapshot::whole(CURRENT).unwrap());
        assert_eq!(proved.is_ok(), holds, "{operations}: {proved:?}");
    }

    #[test]
    fn a_document_does_what_is_wanted_and_nothing_beside_it() {
        let right = r#"{"op":"replace","path":"/details/dealValue","value":2}"#;
        check(right, true);
        check(&right.replace("replace", "add"), true);
        check("", false);
        check(&right.replace('2', "3"), false);
        for beside in [
            r#"{"op":"replace","path":"/details","value":{"dealValue":2}}"#,
            r#"{"op":"add","path":"/details","value":{}}"#,
            r#"{"op":"replace","path":"/details/notes","value":"other"}"#,
            r#"{"op":"add","path":"/details/notes","value":"other"}"#,
            r#"{"op":"replace","path":"/details/currency","value":"USD"}"#,
            r#"{"op":"add","path":"/details/currency","value":"EUR"}"#,
            r#"{"op":"add","path":"/details/requirements/services/-","value":{}}"#,
            r#"{"op":"replace","path":"/name","value":"B"}"#,
            r#"{"op":"add","path":"/name","value":"B"}"#,
            r#"{"op":"replace","path":"","value":{}}"#,
            r#"{"op":"remove","path":"/details/notes"}"#,
            r#"{"op":"test","path":"/details/dealValue","value":2}"#,
        ] {
            check(&format!("{right},{beside}"), false);
            check(&format!("{beside},{right}"), false);
        }
    }
}
