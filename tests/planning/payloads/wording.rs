//! The same payload in other words.

use referral_bulk::domain::fields::Kind;

use crate::support::json::Json;
use crate::support::model::FIELDS;

/// The same referral in other words: members in another order, numbers in other digits or in quotes,
/// instants with other fractions, addresses in another letter case, lists turned round, and nothing said
/// in other ways.
pub fn in_other_words(referral: &Json, turn: usize) -> Json {
    let mut payload = referral.clone();
    for (at, (pointer, kind)) in FIELDS.into_iter().enumerate() {
        let Some(now) = payload.at(pointer).cloned() else { continue };
        payload.put(pointer, reworded(kind, &now, turn + at));
    }
    for (pointer, _) in FIELDS {
        let parent = pointer.rsplit_once('/').unwrap().0;
        let is_absent = turn.is_multiple_of(2) && payload.at(pointer).is_none();
        if is_absent && (parent.is_empty() || matches!(payload.at(parent), Some(Json::Object(_)))) {
            payload.put(pointer, Json::Null);
        }
    }
    for word in ["/status", "/substatus"] {
        if let Some(Json::Text(text)) = payload.at(word) {
            let text = Json::Text(if turn.is_multiple_of(3) { text.to_uppercase() } else { text.clone() });
            payload.put(word, text);
        }
    }
    turned(&payload, turn)
}

fn reworded(kind: Kind, now: &Json, turn: usize) -> Json {
    match (kind, now) {
        (Kind::Text | Kind::Currency | Kind::DateTime, Json::Null) => Json::text(""),
        (Kind::Text | Kind::Currency | Kind::DateTime, Json::Text(text)) if text.is_empty() => Json::Null,
        (Kind::DateTime, Json::Text(text)) => {
            let text = text.trim_end_matches('Z');
            Json::Text(if text.contains('.') { format!("{text}00Z") } else { format!("{text}.000Z") })
        }
        (Kind::Decimal, Json::Number(digits)) if turn.is_multiple_of(2) => Json::Text(digits.clone()),
        (Kind::Decimal, Json::Text(digits)) if turn.is_multiple_of(2) => Json::Number(digits.clone()),
        (Kind::Decimal, Json::Number(digits)) if !digits.contains(['e', 'E']) => {
            Json::Number(if digits.contains('.') { format!("{digits}0") } else { format!("{digits}.0") })
        }
        (Kind::Members | Kind::Solutions, Json::Null) => Json::List(Vec::new()),
        (Kind::Members | Kind::Solutions, Json::List(elements)) if elements.is_empty() => Json::Null,
        (Kind::Members | Kind::Solutions, Json::List(elements)) => {
            let mut elements: Vec<Json> =
                elements.iter().map(|element| element_in_other_words(element, turn)).collect();
            let all = elements.len();
            elements.rotate_left(turn % all);
            Json::List(elements)
        }
        _ => now.clone(),
    }
}

fn element_in_other_words(element: &Json, turn: usize) -> Json {
    let mut element = element.clone();
    if let Some(Json::Text(email)) = element.get("email").filter(|_| turn.is_multiple_of(2)) {
        let email = Json::Text(email.to_uppercase());
        element.put("/email", email);
    }
    if let Json::Object(members) = &mut element {
        members.retain(|(_, value)| !turn.is_multiple_of(3) || *value != Json::Null);
        if turn.is_multiple_of(5) {
            members.push(("unheardOf".to_owned(), Json::Null));
        }
    }
    element
}

/// The members of every object in another order.
fn turned(value: &Json, turn: usize) -> Json {
    match value {
        Json::Object(members) => {
            let mut members: Vec<_> =
                members.iter().map(|(name, value)| (name.clone(), turned(value, turn))).collect();
            let all = members.len().max(1);
            members.rotate_left(turn % all);
            Json::Object(members)
        }
        Json::List(elements) => Json::List(elements.iter().map(|element| turned(element, turn)).collect()),
        other => other.clone(),
    }
}
