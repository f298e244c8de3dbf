//! The proof: a document, applied to the referral by an implementation of RFC 6902 that isn't ours,
//! must give exactly what was wanted, and touch nothing else.
//!
//! Only the outermost members that the document names are looked at: nothing else can change.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::patch::Document;
use crate::domain::json::Object;
use crate::domain::pointer::Pointer;
use crate::domain::referral::Snapshot;

/// Applies the document to the referral and compares.
///
/// # Errors
/// What went wrong, for people: the document is no JSON Patch, holds an operation other than `add`
/// and `replace`, could not be applied, or gives something else than wanted. Each would be a defect
/// of this program, or a referral of a shape that nobody has seen.
pub fn prove(document: &Document, current: &Snapshot<'_>) -> Result<(), String> {
    let patch: json_patch::Patch =
        serde_json::from_str(document.patch.get()).map_err(|error| format!("no JSON Patch: {error}"))?;
    let only_known = patch.0.iter().all(|operation| {
        matches!(operation, json_patch::PatchOperation::Add(_) | json_patch::PatchOperation::Replace(_))
    });
    if !only_known {
        return Err("an operation other than add and replace".to_owned());
    }
    let before = touched(document, current)?;
    let mut wanted = before.clone();
    for change in &document.changes {
        put(&mut wanted, change.path.pointer(), value(&change.after)?);
    }
    let mut after = before;
    json_patch::patch(&mut after, &patch).map_err(|error| error.to_string())?;
    if after == wanted { Ok(()) } else { Err("applied, it gives another referral than wanted".to_owned()) }
}

/// The outermost members of the referral that the document names. What lies beside the way to a change
/// is kept as the text it was written in: it must not change, and need not be understood.
fn touched(document: &Document, current: &Snapshot<'_>) -> Result<Value, String> {
    let paths: Vec<Vec<Cow<'_, str>>> =
        document.changes.iter().map(|change| change.path.pointer().tokens().collect()).collect();
    let paths: Vec<&[Cow<'_, str>]> = paths.iter().map(Vec::as_slice).collect();
    let mut members = Map::new();
    for (name, raw) in current.members().iter() {
        let inside = inside(name, &paths);
        if !inside.is_empty() {
            members.insert(name.to_owned(), outline(raw, &inside)?);
        }
    }
    Ok(Value::Object(members))
}

/// The value with what lies on the given paths as it is, and all else as text.
fn outline(raw: &RawValue, paths: &[&[Cow<'_, str>]]) -> Result<Value, String> {
    if paths.iter().any(|path| path.is_empty()) {
        return value(raw);
    }
    let Some(object) = Object::from_raw(raw) else { return value(raw) };
    let mut members = Map::new();
    for (name, raw) in object.iter() {
        let inside = inside(name, paths);
        let member =
            if inside.is_empty() { Value::String(raw.get().to_owned()) } else { outline(raw, &inside)? };
        members.insert(name.to_owned(), member);
    }
    Ok(Value::Object(members))
}

/// Of the paths, those that go through this member, from there on.
fn inside<'p, 'a>(name: &str, paths: &[&'p [Cow<'a, str>]]) -> Vec<&'p [Cow<'a, str>]> {
    paths
        .iter()
        .filter_map(|path| path.split_first().filter(|(first, _)| *first == name))
        .map(|(_, rest)| rest)
        .collect()
}

fn value(raw: &RawValue) -> Result<Value, String> {
    serde_json::from_str(raw.get()).map_err(|error| error.to_string())
}

/// Sets a member, making every parent that is absent or null an object.
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
