//! When two values mean the same, whatever their bytes.
//!
//! Two questions are asked of a value on the wire. Before sending: is what the user wants already
//! there ([`same`])? After sending: does the referral carry our change ([`carries`])? The second is
//! the more lenient one, since the service adds members of its own, may keep numbers as floats, and
//! may cut the blanks around a text.

use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::fields::Kind;
use super::json::{self, Object};
use super::value;

/// Whether the current value, `None` where it is absent, already means what is wanted.
///
/// Null and absent are the same, and so are null and an empty text or list. Decimals compare by
/// value, dates by instant.
pub fn same(kind: Kind, current: Option<&RawValue>, wanted: &RawValue) -> bool {
    let current = match (current.filter(|raw| !is_empty(kind, raw)), is_empty(kind, wanted)) {
        (None, empty) => return empty,
        (Some(_), true) => return false,
        (Some(current), false) => current,
    };
    if current.get() == wanted.get() {
        return true;
    }
    match kind {
        Kind::Decimal => equal_some(value::as_decimal(current), value::as_decimal(wanted)),
        Kind::DateTime => equal_some(value::as_instant(current), value::as_instant(wanted)),
        Kind::Text | Kind::Currency => equal_some(json::string(current), json::string(wanted)),
        Kind::Boolean => false,
        Kind::Members | Kind::Solutions | Kind::Any => match (tree(current), tree(wanted)) {
            (Some(current), Some(wanted)) => covers(&current, &wanted) && covers(&wanted, &current),
            _ => false,
        },
    }
}

/// Whether a value read back carries what was sent.
pub fn carries(kind: Kind, theirs: Option<&RawValue>, ours: &RawValue) -> bool {
    if same(kind, theirs, ours) {
        return true;
    }
    if kind == Kind::Text {
        return equal_some(as_stored(theirs), as_stored(Some(ours)));
    }
    let Some(theirs) = theirs else { return false };
    match kind {
        Kind::Decimal => equal_some(as_float(theirs), as_float(ours)),
        Kind::Members | Kind::Solutions => {
            let (Some(ours), Some(theirs)) = (json::elements(ours), json::elements(theirs)) else {
                return false;
            };
            ours.len() == theirs.len() && ours.iter().all(|element| holds(kind, &theirs, element))
        }
        Kind::Any => match (tree(ours), tree(theirs)) {
            (Some(ours), Some(theirs)) => covers(&ours, &theirs),
            _ => false,
        },
        Kind::Text | Kind::Currency | Kind::DateTime | Kind::Boolean => false,
    }
}

/// Whether a list has an element that carries all that ours says.
pub fn holds(kind: Kind, list: &[&RawValue], ours: &RawValue) -> bool {
    let Ok(key) = value::element_key(kind, ours) else {
        return false;
    };
    list.iter().filter(|theirs| value::element_key(kind, theirs).is_ok_and(|their_key| their_key == key)).any(
        |theirs| match (tree(ours), tree(theirs)) {
            (Some(ours), Some(theirs)) => covers_element(&ours, &theirs),
            _ => false,
        },
    )
}

/// The list that replacing `current` by `wanted` should send: elements that are known already keep
/// the members the user didn't mention, since the service adds some that must survive.
pub fn overlay(kind: Kind, current: Option<&RawValue>, wanted: &RawValue) -> Box<RawValue> {
    let known: HashMap<String, &RawValue> = current
        .and_then(json::elements)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|element| Some((value::element_key(kind, element).ok()?, element)))
        .collect();
    let merged: Vec<Box<RawValue>> = json::elements(wanted)
        .unwrap_or_default()
        .into_iter()
        .map(|element| {
            let old = value::element_key(kind, element).ok().and_then(|key| known.get(&key));
            match old {
                Some(old) => merge(old, element),
                None => element.to_owned(),
            }
        })
        .collect();
    json::raw(&merged)
}

/// The members of `old`, with those that `new` gives another meaning replaced, and its own added.
fn merge(old: &RawValue, new: &RawValue) -> Box<RawValue> {
    let (Some(was), Some(given)) = (Object::from_raw(old), Object::from_raw(new)) else {
        return new.to_owned();
    };
    let mut text = String::from("{");
    let mut push = |name: &str, raw: &RawValue| {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(json::raw(name).get());
        text.push(':');
        text.push_str(raw.get());
    };
    for (name, raw) in was.iter() {
        push(name, given.get(name).unwrap_or(raw));
    }
    for (name, raw) in given.iter().filter(|(name, _)| was.get(name).is_none()) {
        push(name, raw);
    }
    text.push('}');
    RawValue::from_string(text).expect("members of JSON objects form a JSON object")
}

fn is_empty(kind: Kind, raw: &RawValue) -> bool {
    match kind {
        _ if json::is_null(raw) => true,
        Kind::Text | Kind::Currency | Kind::DateTime => raw.get() == "\"\"",
        Kind::Members | Kind::Solutions => json::elements(raw).is_some_and(|list| list.is_empty()),
        Kind::Decimal | Kind::Boolean | Kind::Any => false,
    }
}

fn equal_some<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.is_some() && one == other
}

/// A text as a service may keep it: without the blanks around it, and with one sort of line end.
/// Nothing at all is the empty text.
fn as_stored(raw: Option<&RawValue>) -> Option<String> {
    match raw.filter(|raw| !json::is_null(raw)) {
        None => Some(String::new()),
        Some(raw) => json::string(raw).map(|text| text.trim().replace("\r\n", "\n")),
    }
}

fn as_float(raw: &RawValue) -> Option<f64> {
    json::string(raw).unwrap_or_else(|| raw.get().into()).parse().ok()
}

fn tree(raw: &RawValue) -> Option<Value> {
    serde_json::from_str(raw.get()).ok()
}

/// Whether `theirs` says all that `ours` says. A null member of ours is the same as none.
fn covers(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.iter().all(|(name, ours)| covers(ours, theirs.get(name).unwrap_or(&Value::Null)))
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| covers(ours, theirs))
        }
        (Value::Number(ours), Value::Number(theirs)) => ours.as_f64() == theirs.as_f64(),
        (ours, theirs) => ours == theirs,
    }
}

/// As [`covers`], with the letter case of an e-mail address left aside.
fn covers_element(ours: &Value, theirs: &Value) -> bool {
    let (Value::Object(ours), Value::Object(theirs)) = (ours, theirs) else {
        return covers(ours, theirs);
    };
    ours.iter()
        .filter(|(name, _)| *name != "email")
        .all(|(name, ours)| covers(ours, theirs.get(name).unwrap_or(&Value::Null)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn check(
        question: fn(Kind, Option<&RawValue>, &RawValue) -> bool,
        kind: Kind,
        theirs: &str,
        ours: &str,
    ) -> bool {
        let theirs = (!theirs.is_empty()).then(|| raw(theirs));
        question(kind, theirs.as_deref(), &raw(ours))
    }

    #[test]
    fn the_same_meaning_in_other_words() {
        for (kind, current, wanted, equal) in [
            (Kind::Text, "", "null", true),
            (Kind::Text, "\"\"", "null", true),
            (Kind::Text, "null", "\"\"", true),
            (Kind::Text, "\"a\"", "\"\\u0061\"", true),
            (Kind::Text, "\"a\"", "\"A\"", false),
            (Kind::Text, "\"a\"", "\"a \"", false),
            (Kind::Text, "\"\"", "\" \"", false),
            (Kind::Text, "\"Zo\\u00eb\"", "\"Zoë\"", true),
            (Kind::Text, "5", "\"5\"", false),
            (Kind::Currency, "\"EUR\"", "\"EUR\"", true),
            (Kind::Currency, "\"eur\"", "\"EUR\"", false),
            (Kind::Currency, "\"\"", "null", true),
            (Kind::Decimal, "50000", "50000.00", true),
            (Kind::Decimal, "\"50000\"", "50000.00", true),
            (Kind::Decimal, "5e4", "50000", true),
            (Kind::Decimal, "0.1", "0.11", false),
            (Kind::Decimal, "12345678901234567890.12", "12345678901234567890.13", false),
            (Kind::Decimal, "null", "0", false),
            (Kind::Decimal, "-0", "0", true),
            (Kind::Decimal, "\"1E+2\"", "100.0", true),
            (Kind::Decimal, "\"\"", "0", false),
            (Kind::Decimal, "\"ten\"", "10", false),
            (Kind::Decimal, "1e400", "10", false),
            (Kind::DateTime, "\"2026-12-31T00:00:00.0000000Z\"", "\"2026-12-31T00:00:00Z\"", true),
            (Kind::DateTime, "\"2026-12-31T00:00:01Z\"", "\"2026-12-31T00:00:00Z\"", false),
            (Kind::DateTime, "\"2026-12-31T00:00:00.1234560Z\"", "\"2026-12-31T00:00:00.123456Z\"", true),
            (Kind::DateTime, "\"2026-12-31T00:00:00.0000001Z\"", "\"2026-12-31T00:00:00Z\"", false),
            (Kind::DateTime, "\"2026-12-31T01:00:00+01:00\"", "\"2026-12-31T00:00:00Z\"", true),
            (Kind::DateTime, "\"\"", "null", true),
            (Kind::DateTime, "\"soon\"", "\"2026-12-31T00:00:00Z\"", false),
            (Kind::Boolean, "true", "true", true),
            (Kind::Boolean, "null", "null", true),
            (Kind::Boolean, "true", "false", false),
            (Kind::Boolean, "", "false", false),
            (Kind::Members, "null", "[]", true),
            (Kind::Members, r#"[{"email":"a@b.c"}]"#, r#"[ {"email":"a@b.c", "title":null} ]"#, true),
            (Kind::Members, r#"[{"email":"a@b.c","title":"x"}]"#, r#"[{"email":"a@b.c"}]"#, false),
            (
                Kind::Members,
                r#"[{"email":"a@b.c"},{"email":"b@b.c"}]"#,
                r#"[{"email":"b@b.c"},{"email":"a@b.c"}]"#,
                false,
            ),
            (Kind::Members, r#"[{"email":"a@b.c"}]"#, r#"[{"email":"A@b.c"}]"#, false),
            (Kind::Members, "{}", "[]", false),
            (Kind::Solutions, "[]", "null", true),
            (Kind::Solutions, r#"[{"id":"S1","name":null}]"#, r#"[{"id":"S1"}]"#, true),
            (Kind::Solutions, r#"[{"id":"S1"}]"#, r#"[{"id":"s1"}]"#, false),
            (Kind::Any, r#"{"a":1,"b":null}"#, r#"{"a":1.0}"#, true),
            (Kind::Any, "[]", "null", false),
            (Kind::Any, "\"\"", "null", false),
        ] {
            assert_eq!(check(same, kind, current, wanted), equal, "{kind:?} {current} {wanted}");
        }
    }

    #[test]
    fn what_was_sent_is_recognised() {
        for (kind, theirs, ours, carried) in [
            (Kind::Decimal, "12345678901234567000", "12345678901234567001", true),
            (Kind::Decimal, "5", "6", false),
            (
                Kind::Members,
                r#"[{"email":"A@example.com","firstName":"A","v":1}]"#,
                r#"[{"firstName":"A","email":"a@example.com"}]"#,
                true,
            ),
            (
                Kind::Members,
                r#"[{"email":"a@example.com","firstName":"B"}]"#,
                r#"[{"firstName":"A","email":"a@example.com"}]"#,
                false,
            ),
            (
                Kind::Members,
                r#"[{"email":"a@example.com"},{"email":"b@example.com"}]"#,
                r#"[{"email":"a@example.com"}]"#,
                false,
            ),
            (Kind::Any, r#"{"a":1,"b":2}"#, r#"{"a":1}"#, true),
            (Kind::Text, "", "\"x\"", false),
            (Kind::Text, "\"x\\ny\"", "\" x\\r\\ny \"", true),
            (Kind::Text, "\"X\"", "\"x\"", false),
            (Kind::Text, "\"x y\"", "\" x y\\n\"", true),
            (Kind::Text, "\"xy\"", "\"x y\"", false),
            (Kind::Text, "null", "\"  \"", true),
            (Kind::Text, "5", "\"5\"", false),
            (Kind::Text, "\"x\"", "null", false),
            (Kind::Currency, "\"eur\"", "\"EUR\"", false),
            (Kind::DateTime, "\"2026-12-31T00:00:00.0000000Z\"", "\"2026-12-31T00:00:00Z\"", true),
            (Kind::Decimal, "\"10000.00\"", "10000", true),
            (Kind::Decimal, "null", "10000", false),
            (
                Kind::Members,
                r#"[{"email":"b@example.com"},{"email":"a@example.com"}]"#,
                r#"[{"email":"a@example.com"},{"email":"b@example.com"}]"#,
                true,
            ),
            (Kind::Solutions, r#"[{"id":"S1","name":"Azure","type":"Name"}]"#, r#"[{"id":"S1"}]"#, true),
            (Kind::Solutions, r#"[{"name":"Azure","id":"S1"}]"#, r#"[{"name":"Azure"}]"#, false),
            (Kind::Solutions, "null", "[]", true),
        ] {
            assert_eq!(check(carries, kind, theirs, ours), carried, "{kind:?} {theirs} {ours}");
        }
    }

    #[test]
    fn members_keep_what_the_user_did_not_mention() {
        let current =
            raw(r#"[{"email":"a@example.com","title":"CTO","phoneNumber":"1"},{"email":"b@example.com"}]"#);
        let wanted = raw(r#"[{"email":"A@example.com","phoneNumber":"2"},{"email":"c@example.com"}]"#);
        assert_eq!(
            overlay(Kind::Members, Some(&current), &wanted).get(),
            r#"[{"email":"A@example.com","title":"CTO","phoneNumber":"2"},{"email":"c@example.com"}]"#
        );
    }
}
