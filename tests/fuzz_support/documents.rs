//! The document for any referral and any rows: applied by another implementation of RFC 6902, it gives
//! what was wanted and nothing beside it.

use std::collections::HashSet;
use std::convert::Infallible;

use referral_bulk::commands::next_command::spelled;
use referral_bulk::domain::change::Draft;
use referral_bulk::domain::equality;
use referral_bulk::domain::fields::{Field, Kind, Path};
use referral_bulk::domain::finding::Finding;
use referral_bulk::domain::format::Format;
use referral_bulk::domain::item::Effect;
use referral_bulk::domain::level::Level;
use referral_bulk::domain::outcome::Outcome;
use referral_bulk::domain::pointer::Pointer;
use referral_bulk::domain::rules::{Levels, Rule};
use referral_bulk::domain::snapshot::Snapshot;
use referral_bulk::input::{self, Options};
use referral_bulk::plan::{Judging, Planned, Planner};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::reading::{InParts, is_for_people};

/// Paths that the user opts into.
const OPTED: [&str; 5] = ["/name", "/customerProfile/name", "/customerProfile/ids", "/target", "/x~1y/m~0n"];

/// A referral on the first line, and rows as JSON lines behind it, whatever referral they name.
pub fn patch(bytes: &[u8]) {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let Ok(referral) = std::str::from_utf8(&bytes[..end]) else { return };
    // Numbers beyond the other implementation's, and names that stand twice, which it takes once.
    let (Ok(snapshot), Ok(before)) = (Snapshot::whole(referral), serde_json::from_str::<Value>(referral))
    else {
        return;
    };
    let drafts = drafts(&bytes[end + 1..], &snapshot);
    for softened in [false, true] {
        if let Some(planned) = plan(&drafts, Some(&snapshot), softened) {
            is_right(&planned, &drafts, &before, &snapshot, softened);
        }
        if let Some(planned) = plan(&drafts, None, softened) {
            is_blind(&planned);
        }
    }
}

/// The sound rows, each about the referral.
fn drafts(bytes: &[u8], snapshot: &Snapshot<'_>) -> Vec<Draft> {
    let allow_paths = OPTED.into_iter().map(|path| Pointer::parse(path).expect("a pointer")).collect();
    let options = Options { format: Some(Format::Jsonl), allow_paths, clear: true, ..Options::default() };
    let mut drafts = Vec::new();
    let mut stdin = InParts { left: bytes, size: usize::MAX };
    let mut take = |record: input::Record| {
        drafts.extend(record.parsed.ok().map(|draft| Draft { id: snapshot.id(), ..draft }));
        Ok::<_, Infallible>(())
    };
    // A file that is none as a whole has no rows, or fewer.
    let _ = input::read("-", Some(&mut stdin), 0, &options, &mut take);
    drafts
}

/// Plans the rows, or tells that they say nothing or contradict each other.
fn plan(drafts: &[Draft], current: Option<&Snapshot<'_>>, softened: bool) -> Option<Planned> {
    let mut levels = Levels::default();
    for rule in Rule::all().filter(|rule| softened && !rule.is_fixed()) {
        levels.set(rule, Level::Warn).expect("the rule can be softened");
    }
    let mut planner = Planner::new(Judging {
        levels,
        now: "2026-11-20T12:00:00Z".parse().expect("a time"),
        new_id: uuid::Uuid::nil,
        inputs: vec!["-".to_owned()],
    });
    let id = drafts.first()?.id;
    for (row, draft) in (1..).zip(drafts) {
        assert_eq!(planner.add(row, draft.clone()), Ok(1));
    }
    for decided in planner.decided().unwrap() {
        sends_nothing(&decided);
    }
    let planned = planner.plan(id, current, |_| false).unwrap();
    assert_eq!(planner.remaining(), 0);
    planned
}

/// Nothing is sent, for a reason.
fn sends_nothing(planned: &Planned) {
    let verdict = planned.verdict.as_ref().expect("nothing is sent for a reason");
    is_for_people(&spelled(&verdict.message));
    assert_eq!(planned.item.patch.get(), "[]");
    assert_eq!(planned.item.effect, Effect::Unchanged);
    let denied = planned.item.findings.iter().any(Finding::is_deny);
    let is_held = matches!(verdict.outcome, Outcome::Invalid | Outcome::Conflict);
    assert_eq!(denied, is_held, "{verdict:?}: {:?}", planned.item.findings);
}

fn is_right(planned: &Planned, drafts: &[Draft], before: &Value, snapshot: &Snapshot<'_>, softened: bool) {
    if let Some(verdict) = &planned.verdict {
        sends_nothing(planned);
        assert_ne!(verdict.code, "proof", "{:?}", planned.item.findings);
        if verdict.outcome == Outcome::Unchanged && verdict.code == "unchanged" {
            carries_all(drafts, snapshot);
        }
        return;
    }
    assert!(!planned.item.findings.iter().any(Finding::is_deny), "{:?}", planned.item.findings);
    is_what_the_service_takes(planned);
    let after = applied(planned, before);
    let mut wanted = before.clone();
    for change in &planned.item.changes {
        put(&mut wanted, change.path.pointer(), value(&change.after));
    }
    assert_eq!(after, wanted, "by {}", planned.item.patch);
    let text = after.to_string();
    let now = Snapshot::whole(&text).expect("a referral stays one");
    carries_all(drafts, &now);
    closes_only_what_was_open(planned, before, &after);
    is_at_rest(planned, drafts, &now, softened);
}

/// `add` and `replace` of documented paths and those opted into, and of the objects around them; no path
/// twice but a list's end.
fn is_what_the_service_takes(planned: &Planned) {
    let known: Vec<&str> = Field::all().map(|field| field.pointer().as_str()).chain(OPTED).collect();
    let mut paths = HashSet::new();
    for (op, path, raw) in operations(planned) {
        assert!(matches!(op.as_str(), "add" | "replace"), "{op}");
        let is_end = path.strip_suffix("/-").is_some_and(|list| known.contains(&list));
        if is_end {
            assert_eq!(op, "add");
            continue;
        }
        assert!(paths.insert(path.clone()), "{path} stands twice");
        if !known.contains(&path.as_str()) {
            let holds_known = known.iter().any(|known| known.starts_with(&format!("{path}/")));
            assert!(holds_known && raw.get() == "{}", "{op} {path} {raw}");
        }
    }
    assert_eq!(paths.contains("/status"), paths.contains("/substatus"));
}

/// The operations, values as they are sent.
fn operations(planned: &Planned) -> Vec<(String, String, Box<RawValue>)> {
    let list: Vec<std::collections::BTreeMap<String, Box<RawValue>>> =
        serde_json::from_str(planned.item.patch.get()).expect("an array of objects");
    assert!(!list.is_empty(), "nothing is no change");
    let text = |raw: &RawValue| serde_json::from_str::<String>(raw.get()).expect("a JSON string");
    let read = |mut operation: std::collections::BTreeMap<String, Box<RawValue>>| {
        assert_eq!(operation.len(), 3, "{operation:?}");
        let value = operation.remove("value").expect("a value");
        (text(&operation["op"]), text(&operation["path"]), value)
    };
    list.into_iter().map(read).collect()
}

/// The referral after the document, by the other implementation.
fn applied(planned: &Planned, before: &Value) -> Value {
    let patch: json_patch::Patch = serde_json::from_str(planned.item.patch.get()).expect("a JSON Patch");
    let mut after = before.clone();
    json_patch::patch(&mut after, &patch).expect("it can be applied");
    after
}

/// Sets a member; objects around it are made where there is nothing.
fn put(document: &mut Value, pointer: &Pointer, value: Value) {
    let mut here = document;
    for name in pointer.tokens() {
        if here.is_null() {
            *here = Value::Object(Map::new());
        }
        here = here.as_object_mut().expect("an object").entry(name.into_owned()).or_insert(Value::Null);
    }
    *here = value;
}

fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).expect("JSON")
}

/// Everything that the rows ask for is so.
fn carries_all(drafts: &[Draft], now: &Snapshot<'_>) {
    for draft in drafts {
        for (path, wanted) in draft.sets.iter().map(|set| &set.value) {
            is_set(drafts, path, wanted.raw(), now);
        }
        for append in draft.appends.iter().map(|append| &append.value) {
            let list = there(now, &Path::Known(append.field)).map(value).unwrap_or_default();
            let wanted = value(&append.element);
            let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
            let key = |element: &Value| key_of(append.field.kind(), element);
            assert!(list.iter().any(|element| key(element) == key(&wanted)), "{wanted} is not in {list:?}");
        }
        let stage = draft.substatus.as_ref().map(|stage| stage.value.substatus());
        if let Some(status) = &draft.status {
            let text = word(now, Field::Status);
            assert!(text.eq_ignore_ascii_case(status.value.name()), "{text}");
        }
        if let Some(substatus) = stage {
            let text = word(now, Field::Substatus);
            assert!(text.eq_ignore_ascii_case(substatus), "{text}");
        }
    }
}

/// The value of a referral that is whole.
fn there<'a>(now: &Snapshot<'a>, path: &Path) -> Option<&'a RawValue> {
    now.at(path).known().expect("all of it is seen")
}

fn word(now: &Snapshot<'_>, field: Field) -> String {
    let word = there(now, &Path::Known(field)).map(value).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

/// A field has the wanted value; a list has all elements that are wanted, with all that is said of them.
fn is_set(drafts: &[Draft], path: &Path, wanted: &RawValue, now: &Snapshot<'_>) {
    let current = there(now, path);
    let there = current.map(value).unwrap_or_default();
    let grows = drafts
        .iter()
        .flat_map(|draft| &draft.appends)
        .any(|append| append.value.field.pointer() == path.pointer());
    match (path.kind(), value(wanted)) {
        (Kind::Members | Kind::Solutions, wanted) => {
            let (wanted, there) = (list(wanted), list(there));
            assert!(grows || wanted.len() == there.len(), "{wanted:?} is {there:?}");
            for element in wanted {
                let covered = there.iter().any(|there| covers(there, &element));
                assert!(covered, "{element} is not in {there:?}");
            }
        }
        (Kind::Text | Kind::Currency, wanted) => {
            assert_eq!(there.as_str().unwrap_or_default(), wanted.as_str().unwrap_or_default());
        }
        (Kind::Boolean, wanted) => assert_eq!(there, wanted),
        (kind @ (Kind::Decimal | Kind::DateTime), _) => {
            assert!(equality::same(kind, current, wanted), "{there} is not {wanted}");
        }
        (Kind::Any, wanted) => {
            assert!(covers(&there, &wanted) && covers(&wanted, &there), "{there} {wanted}")
        }
    }
}

fn list(value: Value) -> Vec<Value> {
    if let Value::Array(elements) = value { elements } else { Vec::new() }
}

/// What tells an element from its neighbours.
fn key_of(kind: Kind, element: &Value) -> Option<String> {
    let text = |name: &str| element[name].as_str().filter(|text| !text.is_empty());
    if kind == Kind::Members {
        return text("email").map(str::to_lowercase);
    }
    text("id").or_else(|| text("name")).map(str::to_owned)
}

/// Whether a value has all that another says; null says as much as nothing.
fn covers(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => wanted.iter().all(|(name, wanted)| {
            there.get(name).map_or_else(|| wanted.is_null(), |there| covers(there, wanted))
        }),
        (Value::Array(there), Value::Array(wanted)) => {
            there.len() == wanted.len()
                && there.iter().zip(wanted).all(|(there, wanted)| covers(there, wanted))
        }
        (Value::Number(there), Value::Number(wanted)) => there.as_f64() == wanted.as_f64(),
        (there, wanted) => there == wanted,
    }
}

/// What cannot be taken back is called so.
fn closes_only_what_was_open(planned: &Planned, before: &Value, after: &Value) {
    let is_closed = |referral: &Value| {
        referral["status"].as_str().is_some_and(|text| text.eq_ignore_ascii_case("closed"))
    };
    let closes = is_closed(after) && !is_closed(before);
    assert_eq!(planned.item.effect == Effect::OneWay, closes, "{:?}", planned.item.effect);
}

/// Once it is made, the item knows its work, and the same rows change nothing.
fn is_at_rest(planned: &Planned, drafts: &[Draft], now: &Snapshot<'_>, softened: bool) {
    assert!(planned.item.is_carried_by(now));
    assert!(planned.item.is_shown_by(now));
    // Rows that are bound to the version before are stale by now, if the service gave another one.
    let again = plan(drafts, Some(now), softened).expect("there were rows");
    sends_nothing(&again);
}

/// Without a look at the referral there are additions only.
fn is_blind(planned: &Planned) {
    if planned.verdict.is_some() {
        return sends_nothing(planned);
    }
    for (op, path, _) in operations(planned) {
        assert_eq!(op, "add", "{path}");
    }
}
