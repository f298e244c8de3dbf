//! Payloads as properties: whatever the referral and whatever was edited, the document makes of the
//! referral what the payload says, by a model that shares nothing with the program but its types.

mod meaning;
mod wording;

use meaning::{beside, means};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{RngSeed, TestCaseResult};
use referral_bulk::domain::audit::Class;
use referral_bulk::domain::change::{Located, Payload};
use referral_bulk::domain::finding::Location;
use referral_bulk::domain::level::Level;
use referral_bulk::domain::outcome::Outcome;
use referral_bulk::domain::pointer::Pointer;
use referral_bulk::domain::referral::ETag;
use referral_bulk::domain::rules::{Levels, Rule};
use referral_bulk::domain::snapshot::Snapshot;
use referral_bulk::plan::{Judging, Migrated, Terms, migrate};
use serde_json::{Value, json};
use wording::in_other_words;

use crate::support::json::Json;
use crate::support::model::{FIELDS, OPTED, is_list, key};
use crate::support::referrals::{ID, referral};
use crate::support::wishes::{Wishes, wishes};

/// A change to what a list holds.
#[derive(Debug, Clone)]
enum Edit {
    Remove(Index),
    Rotate(Index),
    Phone(Index, u8),
    /// Forget a sub-field that the service knows.
    Forget(Index),
}

fn edits() -> impl Strategy<Value = Vec<(&'static str, Edit)>> {
    let edit = prop_oneof![
        any::<Index>().prop_map(Edit::Remove),
        any::<Index>().prop_map(Edit::Rotate),
        (any::<Index>(), any::<u8>()).prop_map(|(at, digit)| Edit::Phone(at, digit)),
        any::<Index>().prop_map(Edit::Forget),
    ];
    let lists: Vec<&str> =
        FIELDS.iter().filter(|(_, kind)| is_list(*kind)).map(|(pointer, _)| *pointer).collect();
    proptest::collection::vec((proptest::sample::select(lists), edit), 0..4)
}

/// The referral as an integration would have written it back after these edits.
fn edited(referral: &Json, wishes: &Wishes, edits: &[(&'static str, Edit)]) -> Json {
    let mut payload = referral.clone();
    for (pointer, _, value) in wishes.sets.iter().filter(|(pointer, ..)| is_patchable(pointer)) {
        payload.put(pointer, value.clone());
    }
    for (pointer, edit) in edits {
        if let Some(list @ Json::List(_)) = payload.at(pointer) {
            let list = edit_list(list, edit);
            payload.put(pointer, list);
        }
    }
    for (pointer, kind, element) in &wishes.appends {
        let mut list = payload.at(pointer).map_or(&[][..], Json::elements).to_vec();
        if list.iter().all(|known| key(*kind, known) != key(*kind, element)) {
            list.push(element.clone());
            payload.put(pointer, Json::List(list));
        }
    }
    if let Some((status, substatus)) = wishes.stage {
        payload.put("/status", Json::text(status));
        payload.put("/substatus", Json::text(substatus));
    }
    payload
}

fn is_patchable(pointer: &str) -> bool {
    FIELDS.iter().any(|(known, _)| *known == pointer)
}

fn edit_list(list: &Json, edit: &Edit) -> Json {
    // A list that is set as a whole can't hold what nothing tells apart.
    let known = |element: &&Json| element.get("email").is_none_or(|email| email.as_text() != Some(""));
    let mut elements: Vec<Json> = list.elements().iter().filter(known).cloned().collect();
    if elements.is_empty() {
        return Json::List(elements);
    }
    let all = elements.len();
    match edit {
        Edit::Remove(at) => drop(elements.remove(at.index(all))),
        Edit::Rotate(at) => elements.rotate_left(at.index(all)),
        Edit::Phone(at, digit) => {
            elements[at.index(all)].put("/phoneNumber", Json::Text(format!("+1 {digit}")))
        }
        Edit::Forget(at) => {
            if let Json::Object(members) = &mut elements[at.index(all)] {
                members.retain(|(name, _)| matches!(name.as_str(), "email" | "id" | "name"));
            }
        }
    }
    Json::List(elements)
}

/// Plans with every rule that can be softened at `warn`, so that only what must never be sent is held
/// back.
fn plan(current: &str, body: &str, terms: &Terms) -> Migrated {
    let mut levels = Levels::default();
    for rule in Rule::all().filter(|rule| !rule.is_fixed()) {
        levels.set(rule, Level::Warn).unwrap();
    }
    let judging = Judging {
        levels,
        now: "2026-11-20T12:00:00Z".parse().unwrap(),
        new_id: uuid::Uuid::nil,
        inputs: vec!["archive.jsonl".to_owned()],
    };
    let place = Location { input: 0, line: 1, column: 1 };
    let etag = value(body)["eTag"].as_str().and_then(|etag| ETag::from_input(etag).ok());
    let current = Snapshot::whole(current).unwrap();
    let payload = Payload {
        id: ID.parse().unwrap(),
        place,
        // A referral that came without its version has one all the same.
        etag: etag.or_else(|| ETag::from_input("v1").ok()).map(|value| Located { value, place }),
        body: body.into(),
    };
    migrate(&payload, None, &current, None, terms, &judging, 1)
}

fn clearing() -> Terms {
    Terms { clear: true, ..Terms::default() }
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn operations(migrated: &Migrated) -> Vec<Value> {
    serde_json::from_str(migrated.planned.item.patch.get()).unwrap()
}

fn applied(current: &str, migrated: &Migrated) -> Value {
    let patch: json_patch::Patch = serde_json::from_str(migrated.planned.item.patch.get()).unwrap();
    let mut after = value(current);
    json_patch::patch(&mut after, &patch).unwrap();
    after
}

/// `add` and `replace` of patchable fields and the objects around them, each once.
fn is_what_the_service_takes(migrated: &Migrated, current: &Value) -> TestCaseResult {
    let operations = operations(migrated);
    for operation in &operations {
        let (op, path) = (operation["op"].as_str().unwrap(), operation["path"].as_str().unwrap());
        let exists = current.pointer(path).is_some();
        if let Some(list) = path.strip_suffix("/-") {
            prop_assert!(op == "add" && FIELDS.iter().any(|(field, kind)| *field == list && is_list(*kind)));
        } else if is_patchable(path) || matches!(path, "/status" | "/substatus") {
            prop_assert_eq!(op, if exists { "replace" } else { "add" });
        } else {
            prop_assert!(matches!(op, "add" | "replace"));
            prop_assert_eq!(&operation["value"], &json!({}), "{} is no field", path);
            prop_assert!(FIELDS.iter().any(|(field, _)| field.starts_with(&format!("{path}/"))), "{}", path);
            prop_assert!(current.pointer(path).is_none_or(Value::is_null), "{} is emptied", path);
        }
    }
    let moves = |name: &str| operations.iter().any(|operation| operation["path"] == name);
    prop_assert_eq!(moves("/status"), moves("/substatus"));
    Ok(())
}

fn explained(migrated: &Migrated, pointer: &str) -> bool {
    migrated
        .left
        .iter()
        .any(|left| left.pointer.as_str() == pointer || pointer.starts_with(&format!("{}/", left.pointer)))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500, failure_persistence: None, rng_seed: RngSeed::Fixed(6904), ..ProptestConfig::default()
    })]

    #[test]
    fn the_document_makes_of_the_referral_what_the_payload_says(
        referral in referral(), wishes in wishes(), edits in edits(),
    ) {
        let payload = edited(&referral, &wishes, &edits);
        let (current, body) = (referral.to_string(), payload.to_string());
        let migrated = plan(&current, &body, &clearing());
        let outcome = migrated.planned.verdict.as_ref().map(|verdict| verdict.outcome);
        prop_assert!(outcome.is_none_or(|outcome| outcome == Outcome::Unchanged), "{:?}", migrated.planned.item.findings);
        let (was, said, is) = (value(&current), value(&body), applied(&current, &migrated));
        is_what_the_service_takes(&migrated, &was)?;
        let none = Value::Null;
        for (pointer, kind) in FIELDS {
            let [was, is, said] = [&was, &is, &said].map(|referral| referral.pointer(pointer).unwrap_or(&none));
            prop_assert!(means(kind, was, is, said), "{}: {} for {}", pointer, is, said);
        }
        for word in ["/status", "/substatus"] {
            let [is, said] = [&is, &said].map(|referral| referral.pointer(word).and_then(Value::as_str).map(str::to_lowercase));
            prop_assert!(said.is_none() || is == said, "{}: {:?} for {:?}", word, is, said);
        }
        prop_assert_eq!(beside(&is), beside(&was));
        // Once it is made, there is nothing left to do.
        let mut after = is;
        after["eTag"] = said["eTag"].clone();
        let again = plan(&after.to_string(), &body, &clearing());
        // A tree of floats keeps no more digits than these.
        let is_exact = !current.contains("12345678901234567890")
            && payload.at("/details/dealValue").is_none_or(|digits| digits.to_string().len() < 16);
        prop_assert!(!is_exact || again.planned.item.patch.get() == "[]", "{} after {}", again.planned.item.patch, migrated.planned.item.patch);
    }

    #[test]
    fn nothing_is_sent_for_a_payload_without_an_edit(referral in referral(), turn in 0_usize..30, clear: bool) {
        let current = referral.to_string();
        for body in [current.clone(), in_other_words(&referral, turn).to_string()] {
            let terms = Terms { clear, ..Terms::default() };
            let migrated = plan(&current, &body, &terms);
            prop_assert_eq!(migrated.planned.audit.as_ref().unwrap().class, Class::NoChange, "{} {:?}", body, migrated.planned.item.findings);
            prop_assert_eq!(migrated.planned.item.patch.get(), "[]");
            let is_noise = |rule| rule == Rule::OrderOnly;
            prop_assert!(migrated.left.iter().all(|left| is_noise(left.rule)), "{:?}", migrated.left);
        }
    }

    #[test]
    fn any_payload_at_all_is_sent_within_the_patchable_paths_or_said(
        referral in referral(), other in referral(), clear: bool, opted: bool, take: bool, version in 0..3_u8,
    ) {
        let mut other = other;
        other.put("/eTag", match version { 0 => Json::text(r#""v0""#), _ => referral.get("eTag").cloned().unwrap_or(Json::Null) });
        let (current, body) = (referral.to_string(), other.to_string());
        let terms = Terms {
            allow_paths: OPTED.iter().filter(|_| opted).map(|(path, _)| Pointer::parse(path).unwrap()).collect(),
            clear,
            take: ["/details", "/team"].into_iter().filter(|_| take).map(|path| Pointer::parse(path).unwrap()).collect(),
        };
        let migrated = plan(&current, &body, &terms);
        let rules: Vec<Rule> = migrated.planned.item.findings.iter().map(|finding| finding.rule).collect();
        prop_assert!(!rules.contains(&Rule::Proof), "{:?}", migrated.planned.item.findings);
        let outcome = migrated.planned.verdict.as_ref().map(|verdict| verdict.outcome);
        let is_stale = rules.contains(&Rule::StaleEtag) || rules.contains(&Rule::MissingEtag);
        prop_assert!(!is_stale || take || outcome == Some(Outcome::Conflict));
        if outcome.is_some() {
            prop_assert_eq!(migrated.planned.item.patch.get(), "[]");
            return Ok(());
        }
        if !opted {
            is_what_the_service_takes(&migrated, &value(&current))?;
            prop_assert_eq!(beside(&applied(&current, &migrated)), beside(&value(&current)));
        }
        // What is not as the payload says is listed.
        let (was, said, is) = (value(&current), value(&body), applied(&current, &migrated));
        let none = Value::Null;
        for (pointer, kind) in FIELDS {
            let [was, is, said] = [&was, &is, &said].map(|referral| referral.pointer(pointer).unwrap_or(&none));
            prop_assert!(
                means(kind, was, is, said) || explained(&migrated, pointer),
                "{}: {} for {}, left {:?}", pointer, is, said, migrated.left
            );
        }
    }
}
