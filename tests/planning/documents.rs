//! Documents as properties: whatever the referral and whatever the wish, applying the document gives
//! what an independent model says, and nothing but what the service takes is ever sent.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseResult};
use referral_bulk::domain::change::Draft;
use referral_bulk::domain::fields::Kind;
use referral_bulk::domain::item::Effect;
use referral_bulk::domain::level::Level;
use referral_bulk::domain::outcome::Outcome;
use referral_bulk::domain::referral::ETag;
use referral_bulk::domain::rules::{Levels, Rule};
use referral_bulk::domain::snapshot::Snapshot;
use referral_bulk::plan::{Judging, Planned, Planner};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::support::json::Json;
use crate::support::model::{FIELDS, OPTED, Outlook, alike, is_list, outlook};
use crate::support::referrals::{ID, referral};
use crate::support::wishes::{Spread, Wishes, rows, spread, wishes};

/// One operation as it is sent, its value as text.
#[derive(Debug, Deserialize)]
struct Operation {
    op: String,
    path: String,
    value: Box<RawValue>,
}

/// Plans with every rule that can be softened at `warn`, so that only what must never be sent is held
/// back.
fn plan(rows: Vec<Draft>, current: Option<&str>) -> Planned {
    plan_from(rows, current.map(|text| Snapshot::whole(text).unwrap()).as_ref())
}

fn plan_from(rows: Vec<Draft>, current: Option<&Snapshot<'_>>) -> Planned {
    let mut levels = Levels::default();
    for rule in Rule::all().filter(|rule| !rule.is_fixed()) {
        levels.set(rule, Level::Warn).unwrap();
    }
    let mut planner = Planner::new(Judging {
        levels,
        now: "2026-11-20T12:00:00Z".parse().unwrap(),
        new_id: uuid::Uuid::nil,
        inputs: vec!["changes.csv".to_owned()],
    });
    for (row, draft) in (1..).zip(rows) {
        assert_eq!(planner.add(row, draft), Ok(1));
    }
    assert_eq!(planner.decided().unwrap().len(), 0, "the rows do not contradict each other");
    let planned = planner.plan(ID.parse().unwrap(), current, |_| false).unwrap().unwrap();
    assert_eq!(planner.remaining(), 0);
    planned
}

fn operations(planned: &Planned) -> Vec<Operation> {
    serde_json::from_str(planned.item.patch.get()).unwrap()
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn kind_of(pointer: &str) -> Option<Kind> {
    FIELDS.iter().chain(&OPTED).find(|(known, _)| *known == pointer).map(|(_, kind)| *kind)
}

/// The version that a change must be bound to.
fn guard(referral: &Json, wishes: &Wishes) -> Option<ETag> {
    let current = referral.get("eTag").and_then(Json::as_text).and_then(|etag| ETag::from_input(etag).ok());
    wishes.etag.map(|etag| ETag::from_input(etag).unwrap()).or(current)
}

fn is_stale(referral: &Json, wishes: &Wishes) -> bool {
    let current = guard(referral, &Wishes { etag: None, ..wishes.clone() });
    wishes.etag.is_some() && current.is_some() && guard(referral, wishes) != current
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500, failure_persistence: None, rng_seed: RngSeed::Fixed(6902), ..ProptestConfig::default()
    })]

    #[test]
    fn a_document_makes_what_is_wanted_of_any_referral(
        referral in referral(), wishes in wishes(), spread in spread(),
    ) {
        let text = referral.to_string();
        let planned = plan(rows(&wishes, &spread), Some(&text));
        let outlook = outlook(&referral, &wishes);
        if outlook.changed.is_empty() {
            prop_assert_eq!(planned.verdict.unwrap().outcome, Outcome::Unchanged);
            prop_assert_eq!(planned.item.effect, Effect::Unchanged);
            prop_assert_eq!(planned.item.patch.get(), "[]");
            return Ok(());
        }
        if is_stale(&referral, &wishes) {
            prop_assert_eq!(planned.verdict.unwrap().outcome, Outcome::Conflict);
            prop_assert_eq!(planned.item.patch.get(), "[]");
            return Ok(());
        }
        prop_assert_eq!(&planned.verdict, &None, "{:?}", planned.item.findings);
        gives_what_is_wanted(&planned, &text, &outlook)?;
        is_what_the_service_takes(&planned)?;
        repeats_nothing(&planned, &referral)?;
        tells_what_it_is(&planned, &referral, &wishes, &outlook)?;
        is_at_rest(&planned, &wishes, &spread, &text, &outlook)?;
    }

    /// What a part of a referral gives is what the whole would have given, or it is said to hang on the rest.
    #[test]
    fn a_part_gives_the_plan_of_the_whole_or_none(
        referral in referral(), hidden in vec(0_u8..10, 1..40), wishes in wishes(), spread in spread(),
    ) {
        let part = shown(&referral, &mut hidden.iter().copied().cycle()).to_string();
        let part = Snapshot::in_part(&part).unwrap();
        let whole = referral.to_string();
        let whole = Snapshot::whole(&whole).unwrap();
        let [of_part, of_whole] = [&part, &whole].map(|seen| plan_from(rows(&wishes, &spread), Some(seen)));
        prop_assert!(of_whole.incomplete.is_empty());
        if of_part.incomplete.holds_back() {
            prop_assert_eq!(of_part.item.patch.get(), "[]");
            prop_assert!(of_part.verdict.is_some_and(|verdict| verdict.outcome != Outcome::Unchanged));
            return Ok(());
        }
        prop_assert_eq!(of_part.item.patch.get(), of_whole.item.patch.get(), "by {}", part.json());
        prop_assert_eq!(&of_part.item.etag, &of_whole.item.etag);
        prop_assert_eq!(of_part.item.effect, of_whole.item.effect);
        let [of_part, of_whole] = [of_part, of_whole].map(|planned| planned.verdict.map(|verdict| verdict.outcome));
        prop_assert_eq!(of_part, of_whole);
    }

    #[test]
    fn an_unseen_referral_gets_additions_only(wishes in wishes(), spread in spread()) {
        let planned = plan(rows(&wishes, &spread), None);
        if wishes.sets.is_empty() && wishes.appends.is_empty() && wishes.stage.is_none() {
            prop_assert_eq!(planned.verdict.unwrap().outcome, Outcome::Unchanged);
            return Ok(());
        }
        prop_assert_eq!(&planned.verdict, &None, "{:?}", planned.item.findings);
        let operations = operations(&planned);
        prop_assert!(operations.iter().all(|operation| operation.op == "add"));
        let paths: Vec<&str> = operations.iter().map(|operation| operation.path.as_str()).collect();
        for (pointer, _, value) in &wishes.sets {
            prop_assert!(paths.contains(pointer), "{} is not in {:?}", pointer, paths);
            if *value == Json::Null && wishes.appends.iter().all(|(list, ..)| list != pointer) {
                let clears = |operation: &Operation| operation.path == *pointer && operation.value.get() == "null";
                prop_assert!(operations.iter().any(clears));
            }
        }
        for (pointer, ..) in &wishes.appends {
            let whole = wishes.sets.iter().any(|(set, ..)| set == pointer);
            let path = if whole { (*pointer).to_owned() } else { format!("{pointer}/-") };
            prop_assert!(paths.contains(&path.as_str()), "{} is not in {:?}", path, paths);
        }
        prop_assert_eq!(paths.contains(&"/status"), wishes.stage.is_some());
        prop_assert_eq!(planned.item.effect == Effect::OneWay, wishes.stage.is_some_and(|(to, _)| to == "Closed"));
        prop_assert_eq!(planned.item.etag, wishes.etag.map(|etag| ETag::from_input(etag).unwrap()));
    }
}

/// A part of a value: members are left out of it, and objects and lists are shown as null. The id and the
/// version stay.
fn shown(json: &Json, chance: &mut impl Iterator<Item = u8>) -> Json {
    match json {
        Json::Object(members) => Json::Object(
            members
                .iter()
                .filter_map(|(name, value)| {
                    let is_nested = matches!(value, Json::Object(_) | Json::List(_));
                    let value = match chance.next().unwrap() {
                        _ if matches!(name.as_str(), "id" | "eTag") => value.clone(),
                        0 | 1 => return None,
                        2 if is_nested => Json::Null,
                        _ => shown(value, chance),
                    };
                    Some((name.clone(), value))
                })
                .collect(),
        ),
        Json::List(elements) => Json::List(elements.iter().map(|element| shown(element, chance)).collect()),
        other => other.clone(),
    }
}

/// Applied by another implementation of RFC 6902, the document gives the model's referral, member
/// for member.
fn gives_what_is_wanted(planned: &Planned, before: &str, outlook: &Outlook) -> TestCaseResult {
    let patch: json_patch::Patch = serde_json::from_str(planned.item.patch.get()).unwrap();
    let mut after = value(before);
    json_patch::patch(&mut after, &patch).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(after, value(&outlook.referral.to_string()), "by {}", planned.item.patch);
    Ok(())
}

/// `add` and `replace` of the documented paths, what the user opted into, and the objects around
/// those; parents before children, status before substatus, and both at the end.
fn is_what_the_service_takes(planned: &Planned) -> TestCaseResult {
    let operations = operations(planned);
    let paths: Vec<&str> = operations.iter().map(|operation| operation.path.as_str()).collect();
    for (at, operation) in operations.iter().enumerate() {
        prop_assert!(matches!(operation.op.as_str(), "add" | "replace"), "{:?}", operation);
        let path = operation.path.as_str();
        let is_field = kind_of(path).is_some() || matches!(path, "/status" | "/substatus");
        let is_end = path.strip_suffix("/-").and_then(kind_of).is_some_and(is_list);
        if is_end {
            prop_assert_eq!(&operation.op, "add");
        } else if !is_field {
            prop_assert_eq!(operation.value.get(), "{}", "{} is no field", path);
            let child = paths.iter().position(|other| other.starts_with(&format!("{path}/")));
            prop_assert!(child.is_some_and(|child| child > at), "{} has no child behind it", path);
        }
        prop_assert!(is_end || !paths[..at].contains(&path), "{} stands twice", path);
    }
    let moves = paths.iter().filter(|path| path.ends_with("tatus")).count();
    match moves {
        0 => {}
        _ => prop_assert_eq!(&paths[paths.len() - 2..], &["/status", "/substatus"]),
    }
    prop_assert!(moves == 0 || moves == 2);
    Ok(())
}

/// No operation gives a field the meaning it has, and none adds an element that is there.
fn repeats_nothing(planned: &Planned, before: &Json) -> TestCaseResult {
    for operation in operations(planned) {
        if let Some(list) = operation.path.strip_suffix("/-").filter(|list| kind_of(list).is_some()) {
            let known = value(&before.at(list).unwrap().to_string());
            let email = |element: &Value| element["email"].as_str().map(str::to_lowercase);
            let same = |one: &Value, other: &Value| {
                email(one).is_some() && email(one) == email(other)
                    || one["id"].is_string() && one["id"] == other["id"]
            };
            let element = value(operation.value.get());
            prop_assert!(!known.as_array().unwrap().iter().any(|known| same(known, &element)));
        } else if let Some(kind) = kind_of(&operation.path) {
            let current = before.at(&operation.path);
            let sent = json(&value(operation.value.get()));
            // Through a tree of floats only what is far apart can be told apart.
            let precise = kind != Kind::Decimal || operation.value.get().len() < 16;
            prop_assert!(!precise || !alike(kind, current, &sent), "{} is so already", operation.path);
        }
    }
    let change = |name: &str| {
        let path = format!("/{name}");
        operations(planned).iter().any(|operation| {
            operation.path == path
                && before.get(name).map(Json::to_string).as_deref() != Some(operation.value.get())
        })
    };
    let moves = planned.item.changes.iter().any(|change| change.path.pointer().as_str() == "/status");
    prop_assert!(!moves || change("status") || change("substatus"));
    Ok(())
}

fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(number) => Json::Number(number.to_string()),
        Value::String(text) => Json::Text(text.clone()),
        Value::Array(elements) => Json::List(elements.iter().map(json).collect()),
        Value::Object(members) => {
            Json::Object(members.iter().map(|(name, value)| (name.clone(), json(value))).collect())
        }
    }
}

/// The item says of itself what is so: its version, its effect, what it changes, from what to what.
fn tells_what_it_is(planned: &Planned, before: &Json, wishes: &Wishes, outlook: &Outlook) -> TestCaseResult {
    let item = &planned.item;
    prop_assert_eq!(item.effect, if outlook.closes { Effect::OneWay } else { Effect::Reversible });
    prop_assert_eq!(&item.etag, &guard(before, wishes));
    prop_assert!(item.is_repeatable());
    let mut changed: Vec<&str> = item.changes.iter().map(|change| change.path.pointer().as_str()).collect();
    changed.sort_unstable();
    prop_assert_eq!(changed, outlook.changed.iter().map(String::as_str).collect::<Vec<_>>());
    for change in &item.changes {
        let pointer = change.path.pointer().as_str();
        let was = before.at(pointer).filter(|was| **was != Json::Null).map(Json::to_string);
        prop_assert_eq!(change.before.as_ref().map(|before| value(before.get())), was.as_deref().map(value));
        let wanted = outlook.referral.at(pointer).unwrap().to_string();
        prop_assert_eq!(value(change.after.get()), value(&wanted));
    }
    for (pointer, kind, wanted) in &wishes.sets {
        let sent = operations(planned).into_iter().find(|operation| operation.path == *pointer);
        if let (Kind::Decimal, Some(sent)) = (kind, sent) {
            prop_assert_eq!(sent.value.get(), wanted.to_string(), "the digits are not the user's");
        }
    }
    keeps_what_the_server_knows(planned, before, wishes)
}

/// Where elements are appended, what was in the list stays in front of them and as it was, to the
/// last digit.
fn keeps_what_the_server_knows(planned: &Planned, before: &Json, wishes: &Wishes) -> TestCaseResult {
    for change in &planned.item.changes {
        let pointer = change.path.pointer().as_str();
        let grows = wishes.appends.iter().any(|(list, ..)| *list == pointer)
            && wishes.sets.iter().all(|(set, ..)| *set != pointer);
        if !grows {
            continue;
        }
        let known = before.at(pointer).map_or(&[][..], Json::elements);
        let after: Vec<&RawValue> = serde_json::from_str(change.after.get()).unwrap();
        prop_assert!(after.len() > known.len());
        for (known, kept) in known.iter().zip(after) {
            prop_assert_eq!(known.to_string(), kept.get());
        }
    }
    Ok(())
}

/// Once it is made, the item recognises its work, and the same rows change nothing.
fn is_at_rest(
    planned: &Planned,
    wishes: &Wishes,
    spread: &Spread,
    before: &str,
    outlook: &Outlook,
) -> TestCaseResult {
    let after = outlook.referral.to_string();
    let (before, now) = (Snapshot::whole(before).unwrap(), Snapshot::whole(&after).unwrap());
    prop_assert!(planned.item.is_untouched_in(&before));
    prop_assert!(!planned.item.is_shown_by(&before));
    prop_assert!(planned.item.is_carried_by(&now));
    prop_assert!(planned.item.is_shown_by(&now));
    prop_assert!(!planned.item.is_untouched_in(&now));
    let again = plan(rows(wishes, spread), Some(&after));
    prop_assert_eq!(again.verdict.map(|verdict| verdict.outcome), Some(Outcome::Unchanged));
    prop_assert_eq!(again.item.patch.get(), "[]");
    Ok(())
}
