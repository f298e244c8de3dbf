//! Findings, and JSON values, as the lines of a report hold them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::{Error, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::domain::finding::Finding;
use crate::domain::level::Level;
use crate::domain::rules::Rule;
use crate::domain::wording::Wording;

use super::names::InputNames;

/// Findings that are written with the name of their input.
pub(super) struct LocatedFindings<'a> {
    pub(super) findings: &'a [Finding],
    pub(super) names: &'a InputNames,
}

/// What a rule, or the form of the input, says about a row.
#[derive(Serialize, JsonSchema)]
struct FindingLine<'a> {
    /// The rule.
    rule: Rule,
    /// What it leads to in this run.
    level: Level,
    /// The input, as the user gave it.
    file: &'a str,
    /// The line of it on which the record begins, counted from 1.
    line: u64,
    /// The cell of a record, or the character of a JSON line; counted from 1.
    column: u32,
    /// What was found.
    message: &'a str,
    /// What would help; null where nothing is known to.
    hint: Option<&'a str>,
}

impl JsonSchema for LocatedFindings<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Findings".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        <Vec<FindingLine<'_>>>::json_schema(generator)
    }
}

impl LocatedFindings<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }
}

impl Serialize for LocatedFindings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.findings.len()))?;
        for Finding { rule, level, place, message, hint } in self.findings {
            let file = self.names.file(*place).map_err(S::Error::custom)?;
            sequence.serialize_element(&FindingLine {
                rule: *rule,
                level: *level,
                file,
                line: place.line,
                column: place.column,
                message,
                hint: hint.as_ref().map(Wording::as_str),
            })?;
        }
        sequence.end()
    }
}

/// Returns a JSON value as it was written, but on one line: the value may come from a document that spans many,
/// and a line of a report is one record.
pub(super) fn on_one_line(raw: &RawValue) -> Cow<'_, RawValue> {
    if is_on_one_line(raw.get()) { Cow::Borrowed(raw) } else { Cow::Owned(compacted(raw)) }
}

/// Returns whether a text has no line break.
pub(super) fn is_on_one_line(text: &str) -> bool {
    // One search for each, since looking for one byte is much faster than for either of two.
    let bytes = text.as_bytes();
    !bytes.contains(&b'\n') && !bytes.contains(&b'\r')
}

/// Returns a JSON value without white space between its tokens. Digits and escapes stay as they were written.
pub(super) fn compacted(raw: &RawValue) -> Box<RawValue> {
    let mut text = String::with_capacity(raw.get().len());
    let (mut in_string, mut escaped) = (false, false);
    for c in raw.get().chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            ' ' | '\t' | '\n' | '\r' if !in_string => continue,
            _ => {}
        }
        text.push(c);
    }
    RawValue::from_string(text).expect("JSON stays JSON without the white space between its parts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_between_parts_goes() {
        let raw = RawValue::from_string("{ \"a \\\" b\" : [ 1.0 ,\n\t2 ]}".to_owned()).unwrap();
        assert_eq!(compacted(&raw).get(), r#"{"a \" b":[1.0,2]}"#);
        assert_eq!(on_one_line(&raw).get(), r#"{"a \" b":[1.0,2]}"#);
        let flat = RawValue::from_string("[1, 2]".to_owned()).unwrap();
        assert_eq!(on_one_line(&flat).get(), "[1, 2]");
    }
}
