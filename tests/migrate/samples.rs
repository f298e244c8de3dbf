//! The samples of legacy payloads, sent to a sandbox in another process, end as a model says that
//! shares nothing with the program: it reads the same two files by its own means, and knows the
//! documented paths.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::support::case::Test;
use crate::support::samples::sample;
use crate::support::sandbox::Sandbox;

/// What can be patched, and by what the elements of a list are told apart.
const PATCHABLE: [(&str, Option<&str>); 15] = [
    ("/status", None),
    ("/substatus", None),
    ("/statusReason", None),
    ("/salesStage", None),
    ("/campaignId", None),
    ("/externalReferenceId", None),
    ("/referralProgram", None),
    ("/details/notes", None),
    ("/details/dealValue", None),
    ("/details/currency", None),
    ("/details/closingDateTime", None),
    ("/details/requirements/solutions", Some("id")),
    ("/team", Some("email")),
    ("/customerProfile/team", Some("email")),
    ("/consent/consentToShareReferralWithMicrosoftSellers", None),
];

/// What the service writes by itself, some of it whenever anything is written.
const ITS_OWN: [&str; 8] = [
    "/eTag",
    "/links",
    "/createdDateTime",
    "/updatedDateTime",
    "/acceptedDateTime",
    "/closedDateTime",
    "/expirationDateTime",
    "/lastModifiedVia",
];

const SUBSTATUSES: [&str; 7] = ["Pending", "Received", "Accepted", "Won", "Lost", "Declined", "Expired"];

#[test]
fn the_archive_ends_as_the_model_says() {
    let outcomes = compare("legacy-puts.jsonl", sample("legacy-puts.jsonl").lines().map(from_line).collect());
    let different: BTreeSet<&str> = outcomes.iter().map(String::as_str).collect();
    assert_eq!(Vec::from_iter(different), ["applied", "conflict", "invalid", "unchanged"]);
}

#[test]
fn the_requests_end_as_the_model_says() {
    let text = sample("put-request.http");
    let outcomes = compare("put-request.http", text.split("###").skip(1).map(from_request).collect());
    assert_eq!(outcomes, ["applied", "applied"]);
}

/// Migrates a sample, and compares what the service then has and what each payload came to with what the
/// model makes of them. Answers the model's outcomes.
#[track_caller]
fn compare(name: &str, payloads: Vec<Value>) -> Vec<String> {
    let sandbox = Sandbox::start("");
    let mut model = Model { referrals: sandbox.referrals(), ..Model::default() };
    let wanted: Vec<String> = payloads.into_iter().map(|payload| model.put(payload).to_owned()).collect();
    let done = wanted.iter().all(|outcome| matches!(outcome.as_str(), "applied" | "unchanged"));
    let consent = format!("--yes --confirm-closing {}", model.closed);
    let ran = Test::new(&format!("migrate {name} {consent} --rate 1000/s --out run --progress none"))
        .sample(name)
        .service(&sandbox.base)
        .code(if done { 0 } else { 3 })
        .told_elsewhere()
        .run();
    let told: Vec<Value> =
        ran.place.raw("run/outcomes.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<&str> = told.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(told, wanted, "{name}");
    for (id, now) in sandbox.referrals() {
        assert_eq!(without_its_own(now), without_its_own(model.referrals[&id].clone()), "{name}: {id}");
    }
    wanted
}

fn without_its_own(mut referral: Value) -> Value {
    for pointer in ITS_OWN {
        referral.as_object_mut().unwrap().remove(&pointer[1..]);
    }
    referral
}

/// What a service would make of the payloads that only takes PATCH.
#[derive(Default)]
struct Model {
    referrals: BTreeMap<String, Value>,
    seen: BTreeSet<String>,
    /// Referrals that were closed.
    closed: u64,
}

impl Model {
    fn put(&mut self, payload: Value) -> &'static str {
        let Some(id) = payload["id"].as_str() else { return "invalid" };
        if !self.seen.insert(id.to_owned()) {
            return "invalid";
        }
        let current = &self.referrals[id];
        let mut wanted = current.clone();
        for (pointer, key) in PATCHABLE {
            let (now, new) = (current.pointer(pointer), payload.pointer(pointer));
            if let Some(new) = new.filter(|new| !is_empty(new) && !alike(now, Some(new))) {
                let value = key.map_or_else(|| new.clone(), |key| merged(now, new, key));
                if now.is_none_or(|now| !same_elements(now, &value)) {
                    put_at(&mut wanted, pointer, value);
                }
            }
        }
        let is_stale = payload.get("eTag") != current.get("eTag");
        let differs = &wanted != current;
        if is_stale && differs {
            return "conflict";
        }
        if !beyond_patch(current, &payload, "").is_empty() {
            return "invalid";
        }
        if !differs {
            return "unchanged";
        }
        self.closed += u64::from(wanted["status"] == "Closed");
        self.referrals.insert(id.to_owned(), wanted);
        "applied"
    }
}

/// The places that no PATCH reaches where the payload has a value of its own.
fn beyond_patch(current: &Value, payload: &Value, at: &str) -> Vec<String> {
    let is_known = |pointer: &str| PATCHABLE.iter().any(|(known, _)| *known == pointer);
    let mut places = Vec::new();
    for (name, new) in payload.as_object().into_iter().flatten() {
        let (pointer, now) = (format!("{at}/{name}"), current.get(name));
        if is_known(&pointer) || ITS_OWN.contains(&pointer.as_str()) || is_empty(new) {
            continue;
        }
        match now {
            Some(now) if now.is_object() && new.is_object() => {
                places.extend(beyond_patch(now, new, &pointer))
            }
            now if !alike(now, Some(new)) => places.push(pointer),
            _ => {}
        }
    }
    places
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Null) || value == "" || value == &json!([]) || value == &json!({})
}

/// Whether two values mean the same: what is unset, however it is written; numbers with other digits or
/// in quotes; instants to the second, which is as fine as the samples are.
fn alike(now: Option<&Value>, new: Option<&Value>) -> bool {
    let (now, new) = (now.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
    let number = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse::<f64>().ok(),
        _ => None,
    };
    let second = |value: &Value| {
        let text = value.as_str().filter(|text| text.len() >= 20 && text.ends_with('Z'))?;
        Some(text[..19].to_owned())
    };
    now == new
        || (is_empty(now) && is_empty(new))
        || number(now).is_some_and(|now| Some(now) == number(new))
        || second(now).is_some_and(|now| Some(now) == second(new))
}

/// The payload's list, each element with what the service knows of it besides.
fn merged(now: Option<&Value>, new: &Value, key: &str) -> Value {
    let name = |element: &Value| element[key].as_str().unwrap().to_lowercase();
    let known = now.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let merge = |element: &Value| {
        let Some(theirs) = known.iter().find(|theirs| name(theirs) == name(element)) else {
            return element.clone();
        };
        let mut merged = theirs.clone();
        for (member, value) in element.as_object().unwrap().iter().filter(|(member, _)| *member != key) {
            if !alike(theirs.get(member), Some(value)) {
                merged[member] = value.clone();
            }
        }
        merged
    };
    new.as_array().unwrap().iter().map(merge).collect()
}

/// Whether two lists hold the same in any order, or two values are the same.
fn same_elements(now: &Value, value: &Value) -> bool {
    match (now, value) {
        (Value::Array(now), Value::Array(value)) => {
            now.len() == value.len() && value.iter().all(|element| now.contains(element))
        }
        _ => now == value,
    }
}

fn put_at(referral: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    referral.pointer_mut(parent).unwrap()[name] = value;
}

/// A line of the archive: one has a comma too many, one is as .NET writes it.
fn from_line(line: &str) -> Value {
    let commas = Regex::new(r",\s*([}\]])").unwrap();
    let mut payload: Value = serde_json::from_str(&commas.replace_all(line, "$1")).unwrap();
    if payload.get("Id").is_some() {
        payload = camel(payload);
    }
    if let Some(number) = payload["status"].as_u64() {
        payload["status"] = json!(["New", "Active", "Closed"][usize::try_from(number).unwrap() - 1]);
    }
    if let Some(number) = payload["substatus"].as_u64() {
        payload["substatus"] = json!(SUBSTATUSES[usize::try_from(number).unwrap() - 1]);
    }
    payload
}

fn camel(value: Value) -> Value {
    let lower = |name: String| name[..1].to_lowercase() + &name[1..];
    match value {
        Value::Object(members) => Value::Object(
            members.into_iter().map(|(name, value)| (lower(name), camel(value))).collect::<Map<_, _>>(),
        ),
        Value::Array(elements) => elements.into_iter().map(camel).collect(),
        other => other,
    }
}

/// A request: its body, with the version of its header where it has none.
fn from_request(request: &str) -> Value {
    let (head, body) = request.split_once("\n\n").unwrap();
    let mut payload = from_line(body.trim());
    let etag = head.lines().find_map(|line| line.strip_prefix("If-Match: ")).unwrap();
    payload.as_object_mut().unwrap().entry("eTag").or_insert_with(|| json!(etag));
    payload
}
