//! Reads what an error body says of single fields.
//!
//! Each framework has a form of its own: ASP.NET's `ModelState` and the `errors` of problem+json map a field
//! to its reasons; `details` is a list of errors with a `target` each. They differ in names only, and nest.

use serde_json::value::RawValue;

use crate::domain::json::{self, Object};

/// The number of reasons that are kept, more than a message holds.
const MOST: usize = 20;
/// The number of nested lists that are read; real ones nest two deep.
const DEEPEST: usize = 4;

/// Member names, in any letter case.
const LISTS: [&str; 4] = ["ModelState", "errors", "details", "validationErrors"];
const FIELDS: [&str; 6] = ["target", "field", "property", "propertyName", "pointer", "path"];
const MESSAGES: [&str; 6] = ["message", "description", "detail", "error_description", "reason", "title"];

/// Returns the value of a member, whose name may have any letter case: services spell some names in two ways.
pub(super) fn member<'a>(object: &Object<'a>, name: &str) -> Option<&'a RawValue> {
    object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Returns the message of an error, with the field that it concerns where the text doesn't name it.
pub(super) fn message(error: &Object<'_>) -> Option<String> {
    let message = MESSAGES.iter().filter_map(|name| member(error, name)).find_map(text)?;
    let field = FIELDS.iter().filter_map(|name| member(error, name)).find_map(text);
    Some(about(field.as_deref(), &message))
}

/// Returns what an error says of single fields, each as `FIELD: REASON`, in the order of the body.
pub(super) fn of(error: &Object<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    of_lists(error, &mut reasons, 0);
    reasons
}

fn of_lists(error: &Object<'_>, reasons: &mut Vec<String>, depth: usize) {
    if depth == DEEPEST {
        return;
    }
    for list in LISTS.iter().filter_map(|name| member(error, name)) {
        if let Some(fields) = Object::from_raw(list) {
            fields.iter().for_each(|(field, value)| of_field(Some(field), value, reasons, depth));
        }
        for element in json::elements(list).unwrap_or_default() {
            of_field(None, element, reasons, depth);
        }
    }
}

/// Reads what is said of a field: a text, an error, or a list of these.
fn of_field(field: Option<&str>, value: &RawValue, reasons: &mut Vec<String>, depth: usize) {
    if reasons.len() >= MOST {
        return;
    }
    if let Some(error) = Object::from_raw(value) {
        reasons.extend(message(&error).map(|message| about(field, &message)));
        return of_lists(&error, reasons, depth + 1);
    }
    reasons.extend(text(value).map(|reason| about(field, &reason)));
    // No framework writes a list directly within a list.
    let listed = json::elements(value).unwrap_or_default();
    for one in listed.into_iter().filter(|one| !one.get().starts_with('[')) {
        of_field(field, one, reasons, depth);
    }
}

fn about(field: Option<&str>, reason: &str) -> String {
    match field {
        Some(field) if !field.trim().is_empty() && !reason.contains(field) => format!("{field}: {reason}"),
        _ => reason.to_owned(),
    }
}

/// Returns the text of a JSON string that is not blank.
fn text(raw: &RawValue) -> Option<String> {
    json::string(raw).filter(|text| !text.trim().is_empty()).map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_names_its_fields() {
        for (body, wanted) in [
            (
                r#"{"ModelState":{"details.notes":["too long","and odd"]}}"#,
                &["details.notes: too long", "details.notes: and odd"][..],
            ),
            (
                r#"{"errors":{"/details/dealValue":"must be positive"}}"#,
                &["/details/dealValue: must be positive"],
            ),
            (r#"{"Errors":{"":["nothing at all"],"$.x":[""]}}"#, &["nothing at all"]),
            (
                r#"{"errors":[{"pointer":"/a","detail":"no"},{"field":"b","message":"nor b"}]}"#,
                &["/a: no", "nor b"],
            ),
            (r#"{"errors":{"a":{"message":"no","errors":{"b":["nor this"]}}}}"#, &["a: no", "b: nor this"]),
            (
                r#"{"details":[{"target":"/a","message":"low","details":[{"target":"c","message":"deep"}]},"plain"]}"#,
                &["/a: low", "c: deep", "plain"],
            ),
            (r#"{"details":[{"code":"x"},7,null,[["a"]],{"message":" "}]}"#, &[]),
            (r#"{"details":{"a":[["b"]]},"errors":true}"#, &[]),
            (r#"{"data":["a"]}"#, &[]),
        ] {
            assert_eq!(of(&Object::parse(body).unwrap()), wanted, "{body}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let many = format!(r#"{{"errors":{{{}}}}}"#, [r#""a":["x","y"]"#; 1_000].join(","));
        assert!(of(&Object::parse(&many).unwrap()).len() <= MOST + 1);
        let deep = r#"{"message":"m","details":["#.repeat(20) + "{}" + &"]}".repeat(20);
        assert_eq!(of(&Object::parse(&deep).unwrap()).len(), DEEPEST);
    }
}
