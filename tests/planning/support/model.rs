//! What a wish makes of a referral, said a second time and in another way.

use referral_bulk::domain::fields::Kind;

use super::json::Json;
use super::wishes::Wishes;

/// The documented fields but for status and substatus.
pub const FIELDS: [(&str, Kind); 13] = [
    ("/statusReason", Kind::Text),
    ("/salesStage", Kind::Text),
    ("/campaignId", Kind::Text),
    ("/externalReferenceId", Kind::Text),
    ("/referralProgram", Kind::Text),
    ("/details/notes", Kind::Text),
    ("/details/dealValue", Kind::Decimal),
    ("/details/currency", Kind::Currency),
    ("/details/closingDateTime", Kind::DateTime),
    ("/details/requirements/solutions", Kind::Solutions),
    ("/team", Kind::Members),
    ("/customerProfile/team", Kind::Members),
    ("/consent/consentToShareReferralWithMicrosoftSellers", Kind::Boolean),
];

/// Paths that the user opts into.
pub const OPTED: [(&str, Kind); 7] = [
    ("/name", Kind::Text),
    ("/customerProfile/name", Kind::Text),
    ("/customerProfile/ids", Kind::Any),
    ("/inviteContext/notes", Kind::Text),
    ("/consent/consentToContact", Kind::Boolean),
    ("/unheard~1of/m~0n/deep \"ü\"", Kind::Any),
    ("/target", Kind::Any),
];

/// What should come of it.
pub struct Outlook {
    /// The referral as it should be afterwards.
    pub referral: Json,
    /// Which paths should change.
    pub changed: Vec<String>,
    /// Whether this closes it.
    pub closes: bool,
}

pub fn outlook(referral: &Json, wishes: &Wishes) -> Outlook {
    let mut after = referral.clone();
    let mut changed = Vec::new();
    let mut change = |pointer: &str, value: Json| {
        after.put(pointer, value);
        changed.push(pointer.to_owned());
    };
    for (pointer, kind, value) in &wishes.sets {
        let current = referral.at(pointer);
        if !is_list(*kind) && !alike(*kind, current, value) {
            change(pointer, value.clone());
        }
    }
    for (pointer, kind) in FIELDS.into_iter().filter(|(_, kind)| is_list(*kind)) {
        let current = referral.at(pointer);
        if let Some(list) = list(pointer, kind, current, wishes) {
            change(pointer, list);
        }
    }
    let mut closes = false;
    if let Some((status, substatus)) = wishes.stage
        && !stands_at(referral, status, substatus)
    {
        change("/status", Json::text(status));
        change("/substatus", Json::text(substatus));
        let was = referral.get("status").and_then(Json::as_text).unwrap_or_default();
        closes = status == "Closed" && !was.eq_ignore_ascii_case("closed");
    }
    changed.sort();
    Outlook { referral: after, changed, closes }
}

/// What a list should become, from what it is set to and what is appended; `None` where it stays.
fn list(pointer: &str, kind: Kind, current: Option<&Json>, wishes: &Wishes) -> Option<Json> {
    let set = wishes.sets.iter().find(|(set, ..)| *set == pointer).map(|(.., value)| value);
    let base = |set: &Json| match set {
        Json::List(wanted) => Json::List(completed(kind, current, wanted)),
        _ => Json::Null,
    };
    let set = set.map(base).filter(|set| !alike(kind, current, set));
    let start = set.as_ref().or(current).map_or(&[][..], Json::elements);
    let mut list = start.to_vec();
    for (_, _, element) in wishes.appends.iter().filter(|(list, ..)| *list == pointer) {
        if list.iter().all(|known| key(kind, known) != key(kind, element)) {
            list.push(element.clone());
        }
    }
    let is_longer = list.len() > start.len();
    match set {
        Some(set) if !is_longer => Some(set),
        Some(_) => {
            Some(Json::List(completed(kind, current, &list))).filter(|list| !alike(kind, current, list))
        }
        None => is_longer.then_some(Json::List(list)),
    }
}

pub fn is_list(kind: Kind) -> bool {
    matches!(kind, Kind::Members | Kind::Solutions)
}

/// What tells an element from its neighbours; `None` where nothing does.
pub fn key(kind: Kind, element: &Json) -> Option<String> {
    let text = |name| element.get(name).and_then(Json::as_text).filter(|text| !text.is_empty());
    if kind == Kind::Members {
        return text("email").map(str::to_lowercase);
    }
    text("id").or_else(|| text("name")).map(str::to_owned)
}

fn stands_at(referral: &Json, status: &str, substatus: &str) -> bool {
    [("status", status), ("substatus", substatus)].iter().all(|(name, wanted)| {
        referral.get(name).and_then(Json::as_text).is_some_and(|text| text.eq_ignore_ascii_case(wanted))
    })
}

/// The wanted elements, each with what the service knows about it and the wish doesn't mention.
fn completed(kind: Kind, current: Option<&Json>, wanted: &[Json]) -> Vec<Json> {
    let known = current.map_or(&[][..], Json::elements);
    wanted
        .iter()
        .map(|element| {
            let mut whole = known
                .iter()
                .find(|known| key(kind, known) == key(kind, element))
                .cloned()
                .unwrap_or(Json::Object(Vec::new()));
            put_over(&mut whole, element);
            whole
        })
        .collect()
}

/// Puts the members of one object over those of another, and of the objects within them likewise.
fn put_over(old: &mut Json, new: &Json) {
    match (&mut *old, new) {
        (Json::Object(members), Json::Object(given)) => {
            for (name, value) in given {
                match members.iter_mut().find(|(known, _)| known == name) {
                    Some((_, old)) => put_over(old, value),
                    None => members.push((name.clone(), value.clone())),
                }
            }
        }
        _ => *old = new.clone(),
    }
}

/// Whether a field has the wanted meaning already.
pub fn alike(kind: Kind, current: Option<&Json>, wanted: &Json) -> bool {
    let is_unset = |value: &Json| match value {
        Json::Null => true,
        Json::Text(text) => text.is_empty() && matches!(kind, Kind::Text | Kind::Currency | Kind::DateTime),
        Json::List(elements) => elements.is_empty() && is_list(kind),
        Json::Bool(_) | Json::Number(_) | Json::Object(_) => false,
    };
    match (current.filter(|current| !is_unset(current)), is_unset(wanted)) {
        (None, unset) => unset,
        (Some(_), true) => false,
        (Some(current), false) => match (kind, current, wanted) {
            (Kind::Decimal, Json::Text(one) | Json::Number(one), Json::Number(other)) => {
                number(one) == number(other)
            }
            (Kind::DateTime, Json::Text(one), Json::Text(other)) => instant(one) == instant(other),
            _ => equal(current, wanted),
        },
    }
}

/// Equality that takes an absent member for a null one, and a number for its value.
fn equal(one: &Json, other: &Json) -> bool {
    let member = |object: &Json, name: &str| object.get(name).cloned().unwrap_or(Json::Null);
    match (one, other) {
        (Json::Object(mine), Json::Object(yours)) => {
            mine.iter().chain(yours).all(|(name, _)| equal(&member(one, name), &member(other, name)))
        }
        (Json::List(mine), Json::List(yours)) => {
            mine.len() == yours.len() && mine.iter().zip(yours).all(|(one, other)| equal(one, other))
        }
        (Json::Number(one), Json::Number(other)) => number(one) == number(other),
        (one, other) => one == other,
    }
}

/// A number as its sign, its digits without zeros around them, and the power of ten of the last one.
fn number(text: &str) -> (bool, String, i64) {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return (false, String::new(), 0);
    }
    let dropped = digits.len() as i64 - kept.len() as i64;
    let power = exponent.parse::<i64>().unwrap() - fraction.len() as i64 + dropped;
    (negative, kept.trim_start_matches('0').to_owned(), power)
}

/// A UTC date-time without the zeros at the end of its fraction.
fn instant(text: &str) -> &str {
    let text = text.trim_end_matches('Z');
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[test]
fn the_model_can_count() {
    for (one, other, same) in [
        ("50000", "5e4", true),
        ("0.0015", "1.5e-3", true),
        ("-0", "0.00", true),
        ("100", "1E+2", true),
        ("-1", "1", false),
        ("12345678901234567890.12", "12345678901234567890.13", false),
    ] {
        assert_eq!(number(one) == number(other), same, "{one} {other}");
    }
    assert_eq!(instant("2026-12-31T00:00:00.500Z"), instant("2026-12-31T00:00:00.5Z"));
    assert_eq!(instant("2026-12-31T00:00:00.000Z"), instant("2026-12-31T00:00:00Z"));
    assert_ne!(instant("2026-12-31T00:00:00Z"), instant("2026-12-31T00:00:10Z"));
}
