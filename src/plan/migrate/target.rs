//! Makes the desired change of a payload, which the rules judge.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::super::merge::Merged;
use super::difference::{Difference, Resolution};
use super::stage::{self, StageNames};
use crate::domain::change::Payload;
use crate::domain::change::{Append, Desired, Draft, Joining, Located};
use crate::domain::fields::{Field, Kind};
use crate::domain::finding::Finding;
use crate::domain::json::{self, Object};
use crate::domain::referral::ETag;
use crate::domain::rules::Rule;
use crate::domain::suspect;
use crate::domain::type_error::TypeError;
use crate::domain::value::{Wanted, checked_element, element_key};

/// Makes the desired change of the wanted differences, bound to a version if one is given.
///
/// # Errors
/// Findings about values that are not of their field's type, and about a status and substatus that are no pair.
pub(super) fn desired(
    payload: &Payload,
    etag: Option<Located<ETag>>,
    given: &Object<'_>,
    wanted: &[&Difference<'_>],
    inputs: &[String],
) -> Result<Desired, Vec<Finding>> {
    let draft = Draft {
        id: payload.id,
        place: payload.place,
        etag,
        status: None,
        substatus: None,
        sets: Vec::new(),
        appends: Vec::new(),
        shown: Vec::new(),
        provisos: Vec::new(),
        bases: Vec::new(),
    };
    let mut builder = DraftBuilder { draft, findings: Vec::new() };
    wanted.iter().for_each(|difference| builder.difference(difference));
    if wanted.iter().any(|difference| matches!(difference.resolution, Resolution::Stage)) {
        builder.stage(given);
    }
    let mut merged = Merged::new(payload.id);
    merged.add(builder.draft, inputs);
    let merged = merged.desired(inputs).cloned();
    match (builder.findings.is_empty(), merged) {
        (true, merged) => merged,
        (false, Ok(_)) => Err(builder.findings),
        (false, Err(findings)) => Err([builder.findings, findings].concat()),
    }
}

/// Collects the wanted differences as a draft, like that of a change file's row.
struct DraftBuilder {
    draft: Draft,
    findings: Vec<Finding>,
}

impl DraftBuilder {
    fn difference(&mut self, difference: &Difference<'_>) {
        match &difference.resolution {
            Resolution::Set(path, value) => match typed(path.kind(), value, difference.current) {
                Ok(wanted) => {
                    let value = (path.clone(), wanted);
                    self.draft.sets.push(Located { value, place: self.draft.place });
                }
                Err(error) => self.mistyped(difference, error),
            },
            Resolution::Append(field, elements) => {
                elements.iter().for_each(|element| self.append(difference, *field, element));
            }
            Resolution::Stage | Resolution::Left(..) => {}
        }
    }

    fn append(&mut self, difference: &Difference<'_>, field: Field, element: &RawValue) {
        match checked_element(field.kind(), element) {
            Ok(key) => {
                let value =
                    Append { field, key, element: element.to_owned(), joining: Joining::Append, sign: None };
                self.draft.appends.push(Located { value, place: self.draft.place });
            }
            Err(error) => self.mistyped(difference, error),
        }
    }

    fn stage(&mut self, given: &Object<'_>) {
        let place = self.draft.place;
        match stage::stage_names(given, place) {
            Ok(StageNames { status, substatus }) => {
                self.draft.status = status.map(|value| Located { value, place });
                self.draft.substatus = substatus.map(|value| Located { value, place });
            }
            Err(findings) => self.findings.extend(findings),
        }
    }

    fn mistyped(&mut self, difference: &Difference<'_>, error: TypeError) {
        let error = match json::string(difference.given) {
            Some(text) => suspect::explained(&text, error),
            None => error,
        };
        let message = format!("{}: {}", difference.pointer, error.message);
        let finding = Finding::deny(Rule::Type, self.draft.place, message);
        self.findings.push(Finding { hint: error.hint, ..finding });
    }
}

/// Checks the type of a value. Elements that are new to the referral's list are checked as those that a user
/// appends; the service's own are not, since they stay as they are.
fn typed(kind: Kind, value: &RawValue, current: Option<&RawValue>) -> Result<Wanted, TypeError> {
    let wanted = Wanted::from_json(kind, value)?;
    if matches!(kind, Kind::Members | Kind::Solutions) {
        let keys = |list| -> HashSet<String> {
            let elements = json::elements(list).unwrap_or_default();
            elements.into_iter().filter_map(|element| element_key(kind, element).ok()).collect()
        };
        let known = current.map(keys).unwrap_or_default();
        for element in json::elements(wanted.raw()).unwrap_or_default() {
            if element_key(kind, element).is_ok_and(|key| !known.contains(&key)) {
                checked_element(kind, element)?;
            }
        }
    }
    Ok(wanted)
}
