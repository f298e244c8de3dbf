//! What a PUT means, by a model that shares nothing with the planner.

use referral_bulk::domain::fields::Kind;
use serde_json::{Map, Value, json};

use crate::support::model::{FIELDS, is_list};

/// Whether a value says nothing.
fn is_unset(kind: Kind, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => is_list(kind) && list.is_empty(),
        _ => false,
    }
}

/// Whether a field of the result says what the payload does. `was` is what the referral said.
pub fn means(kind: Kind, was: &Value, is: &Value, said: &Value) -> bool {
    match (is_unset(kind, is), is_unset(kind, said)) {
        (true, true) => return true,
        (false, false) => {}
        _ => return false,
    }
    match kind {
        Kind::Members | Kind::Solutions => means_list(kind, was, is, said),
        Kind::Decimal => {
            let number = |value: &Value| match value {
                Value::String(text) => text.parse::<f64>().unwrap(),
                other => other.as_f64().unwrap(),
            };
            number(is).to_bits() == number(said).to_bits() || number(is) == 0.0 && number(said) == 0.0
        }
        Kind::DateTime => {
            let instant = |value: &Value| {
                let text = value.as_str().unwrap().trim_end_matches('Z').to_owned();
                if text.contains('.') {
                    text.trim_end_matches('0').trim_end_matches('.').to_owned()
                } else {
                    text
                }
            };
            instant(is) == instant(said)
        }
        _ => is == said,
    }
}

fn means_list(kind: Kind, was: &Value, is: &Value, said: &Value) -> bool {
    let none = Vec::new();
    let (was, is, said) = (was.as_array().unwrap_or(&none), is.as_array().unwrap(), said.as_array().unwrap());
    is.len() == said.len()
        && said.iter().all(|said| {
            let name = name_of(kind, said);
            let known = was.iter().find(|was| name_of(kind, was) == name);
            is.iter().any(|is| name_of(kind, is) == name && means_element(kind, known, is, said))
        })
}

fn name_of(kind: Kind, element: &Value) -> Option<String> {
    let text = |name: &str| element[name].as_str().filter(|text| !text.is_empty());
    if kind == Kind::Members {
        return text("email").map(str::to_lowercase);
    }
    text("id").or(text("name")).map(str::to_owned)
}

/// Whether there is nothing to be read in a part of an element.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().all(says_nothing),
        Value::Array(list) => list.is_empty(),
        other => is_unset(Kind::Text, other),
    }
}

/// Whether an element says all that the payload says of it, and beyond that what the referral said.
fn means_element(kind: Kind, was: Option<&Value>, is: &Value, said: &Value) -> bool {
    let nothing = json!({});
    let was = was.unwrap_or(&nothing);
    let names = [was, is, said].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
    names.filter(|name| !(kind == Kind::Members && *name == "email")).all(|name| {
        match (said.get(name), is.get(name), was.get(name)) {
            (Some(said @ Value::Object(_)), Some(is @ Value::Object(_)), was) => {
                means_element(Kind::Any, was, is, said)
            }
            (Some(said), is, _) => {
                let is = is.unwrap_or(&Value::Null);
                is == said || says_nothing(is) && says_nothing(said)
            }
            (None, is, was) => is == was,
        }
    })
}

/// The referral without its patchable fields, and without objects that hold nothing else.
pub fn beside(referral: &Value) -> Value {
    let mut referral = referral.clone();
    let pointers = FIELDS.iter().map(|(pointer, _)| *pointer).chain(["/status", "/substatus"]);
    for pointer in pointers {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        if let Some(Value::Object(members)) = referral.pointer_mut(parent) {
            members.remove(name);
        }
    }
    for parent in ["/details/requirements", "/details", "/customerProfile", "/consent"] {
        let (around, name) = parent.rsplit_once('/').unwrap();
        if let Some(Value::Object(members)) = referral.pointer_mut(around) {
            let says_nothing =
                |value: &Value| value.is_null() || value.as_object().is_some_and(Map::is_empty);
            if members.get(name).is_some_and(says_nothing) {
                members.remove(name);
            }
        }
    }
    referral
}
