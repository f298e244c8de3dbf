//! Equality of values by meaning, whatever their bytes.
//!
//! There are two measures. Before sending: is the wanted value already there ([`same`])? After sending: does
//! the referral carry the change ([`carries`])? The second is more lenient, since the service adds members of
//! its own, may keep numbers as floats (amounts, and numbers within an element), and may trim the blanks around
//! a text.
//!
//! Lists compare as bags of elements, which are paired by their keys. Elements that share a key are paired in
//! order, so that one of them cannot match two.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use super::fields::Kind;
use super::instant::Instant;
use super::json::{self, Object};
use super::number::{Number, as_number, same_float};
use super::value;

/// How the numbers within a value are compared.
#[derive(Debug, Clone, Copy)]
enum Digits {
    /// To the last digit.
    All,
    /// As far as a float keeps them.
    OfFloats,
}

/// Whether a file's value is the one of its base, whatever a spreadsheet made of its form: line ends within a text, or
/// a time of which the day alone is left.
pub fn is_unedited(kind: Kind, base: Option<&RawValue>, given: &RawValue) -> bool {
    if same(kind, base, given) {
        return true;
    }
    match kind {
        Kind::Text => equal_some(base.and_then(with_line_feeds), with_line_feeds(given)),
        Kind::DateTime => match (base.and_then(value::as_instant), value::as_instant(given)) {
            (Some(base), Some(given)) => given.is_midnight() && given.date() == base.date(),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a field still has the value of the base, as far as the base shows it: with no more than its day, a time is
/// any time of that day.
pub fn is_still(kind: Kind, current: Option<&RawValue>, base: &RawValue) -> bool {
    let is_day = || json::string(base).is_some_and(|text| !text.contains(':'));
    if kind == Kind::DateTime && is_day() {
        let day = |raw| value::as_instant(raw).map(Instant::date);
        return equal_some(current.and_then(day), day(base)) || same(kind, current, base);
    }
    // Where a flag isn't set, one form says that it is false and another says nothing.
    let is_unset = |raw: Option<&RawValue>| raw.is_none_or(|raw| matches!(raw.get(), "false" | "null"));
    carries(kind, current, base) || kind == Kind::Boolean && is_unset(current) && is_unset(Some(base))
}

/// Returns a text with line feeds as its line ends.
fn with_line_feeds(raw: &RawValue) -> Option<String> {
    json::string(raw).map(|text| text.replace("\r\n", "\n"))
}

/// Whether the current value means the same as the wanted one. `current` is `None` where it is absent.
///
/// Null and absent are the same, and so are null and an empty text or list. Decimals compare by
/// value, dates as points in time.
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
        Kind::Decimal => equal_some(as_number(current), as_number(wanted)),
        Kind::DateTime => equal_some(value::as_instant(current), value::as_instant(wanted)),
        Kind::Text | Kind::Currency => equal_some(json::string(current), json::string(wanted)),
        Kind::Boolean => false,
        Kind::Members | Kind::Solutions | Kind::Any => {
            covers(current, wanted, Digits::All) && covers(wanted, current, Digits::All)
        }
    }
}

/// Whether a value that was read back (`theirs`) carries the one that was sent (`ours`).
pub fn carries(kind: Kind, theirs: Option<&RawValue>, ours: &RawValue) -> bool {
    if same(kind, theirs, ours) {
        return true;
    }
    if kind == Kind::Text {
        return equal_some(as_stored(theirs), as_stored(Some(ours)));
    }
    let Some(theirs) = theirs else { return false };
    match kind {
        Kind::Decimal => same_float(&decimal(theirs), &decimal(ours)),
        Kind::Members | Kind::Solutions => carries_list(kind, theirs, ours),
        Kind::Any => covers(ours, theirs, Digits::OfFloats),
        Kind::Text | Kind::Currency | Kind::DateTime | Kind::Boolean => false,
    }
}

/// Whether a list holds the same elements as ours in any order, each with at least the members that ours has.
fn carries_list(kind: Kind, theirs: &RawValue, ours: &RawValue) -> bool {
    let (Some(ours), Some(theirs)) = (json::elements(ours), json::elements(theirs)) else {
        return false;
    };
    let theirs = by_key(kind, theirs);
    let ours = by_key(kind, ours);
    let covered = |(key, ours): (&Option<String>, &Vec<&RawValue>)| {
        let theirs = theirs.get(key).map_or(&[][..], Vec::as_slice);
        let mut pairs = ours.iter().zip(theirs);
        ours.len() == theirs.len() && pairs.all(|(ours, theirs)| covers_element(kind, ours, theirs))
    };
    ours.len() == theirs.len() && ours.iter().all(covered)
}

/// Groups the elements of a list by their keys, each group in the order of the list. Elements without a key
/// form one group.
fn by_key(kind: Kind, list: Vec<&RawValue>) -> HashMap<Option<String>, Vec<&RawValue>> {
    let mut elements: HashMap<_, Vec<_>> = HashMap::new();
    for element in list {
        elements.entry(value::element_key(kind, element).ok()).or_default().push(element);
    }
    elements
}

/// Whether a list has an element of the same key as ours, with at least the members that ours has.
pub fn holds(kind: Kind, list: &[&RawValue], ours: &RawValue) -> bool {
    let Ok(key) = value::element_key(kind, ours) else {
        return false;
    };
    let has_key = |theirs: &&&RawValue| value::element_key(kind, theirs).is_ok_and(|theirs| theirs == key);
    list.iter().filter(has_key).any(|theirs| covers_element(kind, ours, theirs))
}

/// Returns the list to send where `wanted` replaces `current`: an element that is on the list already keeps
/// the members that the user didn't give, since the service adds some that must survive.
pub fn overlay(kind: Kind, current: Option<&RawValue>, wanted: &RawValue) -> Box<RawValue> {
    let wanted = json::elements(wanted).unwrap_or_default();
    let olds = paired(kind, current.and_then(json::elements).unwrap_or_default(), &wanted);
    let merged: Vec<Box<RawValue>> = wanted
        .into_iter()
        .zip(olds)
        .map(|(element, old)| old.map_or_else(|| element.to_owned(), |old| merge(old, element)))
        .collect();
    json::raw(&merged)
}

/// Returns, for each wanted element, the one of the list that it stands for, which is nobody else's. Of several with
/// one key it is one that already is as wanted, else the first that is left: two people may share an address, and
/// none is to have what the service keeps of the other.
fn paired<'c>(kind: Kind, current: Vec<&'c RawValue>, wanted: &[&RawValue]) -> Vec<Option<&'c RawValue>> {
    let mut left = by_key(kind, current);
    let keys: Vec<Option<String>> =
        wanted.iter().map(|element| value::element_key(kind, element).ok()).collect();
    let mut olds: Vec<Option<&RawValue>> = vec![None; wanted.len()];
    for is_exact in [true, false] {
        for ((element, key), old) in wanted.iter().zip(&keys).zip(&mut olds).filter(|(_, old)| old.is_none())
        {
            // What has no key stands for nothing on the list.
            let Some(left) = left.get_mut(key).filter(|_| key.is_some()) else { continue };
            let fits = |known: &&RawValue| !is_exact || holds(kind, &[*known], element);
            if let Some(at) = left.iter().position(fits) {
                *old = Some(left.remove(at));
            }
        }
    }
    olds
}

/// Returns an element of a list with the members of another one of the same key in it. Its others, and the member
/// that holds the key, stay as they are.
pub fn updated(kind: Kind, old: &RawValue, new: &RawValue) -> Box<RawValue> {
    let given = Object::from_raw(new).map(|new| {
        let beside = new.iter().filter(|(name, _)| Some(*name) != kind.key_member());
        json::raw(&beside.collect::<std::collections::BTreeMap<_, _>>())
    });
    merge(old, given.as_deref().unwrap_or(new))
}

/// Merges an object into another one, recursively: the members of `old`, with those that `new` has replaced or
/// added. Values other than objects are replaced as a whole.
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
        match given.get(name) {
            Some(given) => push(name, &merge(raw, given)),
            None => push(name, raw),
        }
    }
    for (name, raw) in given.iter().filter(|(name, _)| was.get(name).is_none()) {
        push(name, raw);
    }
    text.push('}');
    RawValue::from_string(text).expect("members of JSON objects form a JSON object")
}

/// Whether replacing a value that was seen in part may depend on members that it doesn't show. Objects within it
/// may have more members than are shown: setting the value would remove those, and comparing it would ignore
/// them.
///
/// It doesn't depend on them if all known elements of a list are removed, or if a list is wanted exactly as it is
/// shown.
pub fn may_be_hidden(kind: Kind, shown: Option<&RawValue>, wanted: &RawValue) -> bool {
    let Some(shown) = shown else { return false };
    match kind {
        Kind::Members | Kind::Solutions => {
            let list = |raw| json::elements(raw).unwrap_or_default();
            let (shown, wanted) = (list(shown), list(wanted));
            let as_shown = shown.len() == wanted.len()
                && shown.iter().zip(&wanted).all(|(shown, wanted)| shows_all_of(shown, wanted));
            let key = |element: &&RawValue| value::element_key(kind, element).ok();
            let known: HashSet<String> = shown.iter().filter_map(key).collect();
            !as_shown && wanted.iter().filter_map(key).any(|key| known.contains(&key))
        }
        Kind::Any => shown.get().contains('{'),
        Kind::Text | Kind::Decimal | Kind::Currency | Kind::DateTime | Kind::Boolean => false,
    }
}

/// Whether `old` shows every member that `new` has, with the same value.
fn shows_all_of(old: &RawValue, new: &RawValue) -> bool {
    match (Object::from_raw(old), Object::from_raw(new)) {
        (Some(old), Some(new)) => new.iter().all(|(name, new)| {
            old.get(name).is_some_and(|old| !json::is_null(old) && shows_all_of(old, new))
        }),
        _ => covers(new, old, Digits::All),
    }
}

/// Whether setting this value leaves none: `null`, an empty list or object, or a text of blanks alone, of which a
/// service that trims texts keeps nothing.
pub fn says_nothing(raw: &RawValue) -> bool {
    json::is_null(raw)
        || is_blank(raw)
        || json::elements(raw).is_some_and(|list| list.is_empty())
        || Object::from_raw(raw).is_some_and(|members| members.is_empty())
}

/// Whether a value is a text without anything but blanks.
pub fn is_blank(raw: &RawValue) -> bool {
    json::string(raw).is_some_and(|text| text.trim().is_empty())
}

/// Returns the first member of `before` that an empty value within `after` would clear, named for a message as in
/// `title of ann@example.com`; `None` where nothing is cleared. If `before` is `None`, the referral was not read,
/// and any empty value may clear something.
pub fn cleared(kind: Kind, before: Option<&RawValue>, after: &RawValue) -> Option<String> {
    let Some(elements) = json::elements(after).filter(|_| matches!(kind, Kind::Members | Kind::Solutions))
    else {
        return cleared_member(before, after);
    };
    let mut known = before.map(|before| by_key(kind, json::elements(before).unwrap_or_default()));
    elements.into_iter().find_map(|element| {
        let key = value::element_key(kind, element).ok()?;
        let old = match &mut known {
            None => None,
            Some(known) => {
                let same_key = known.get_mut(&Some(key.clone())).filter(|list| !list.is_empty())?;
                Some(same_key.remove(0))
            }
        };
        cleared_member(old, element).map(|name| format!("{name} of {key}"))
    })
}

/// Returns the path, within an object, of the first member that an empty value clears.
fn cleared_member(before: Option<&RawValue>, after: &RawValue) -> Option<String> {
    let after = Object::from_raw(after)?;
    let old = match before {
        Some(before) => Some(Object::from_raw(before)?),
        None => None,
    };
    after.iter().find_map(|(name, raw)| {
        let was = match &old {
            Some(old) => Some(old.get(name).filter(|was| !says_nothing(was))?),
            None => None,
        };
        if says_nothing(raw) {
            return Some(name.to_owned());
        }
        cleared_member(was, raw).map(|inner| format!("{name}.{inner}"))
    })
}

/// Whether a value of this type counts as absent.
fn is_empty(kind: Kind, raw: &RawValue) -> bool {
    match kind {
        _ if json::is_null(raw) => true,
        Kind::Text | Kind::Currency | Kind::DateTime => raw.get() == "\"\"",
        Kind::Members | Kind::Solutions => json::elements(raw).is_some_and(|list| list.is_empty()),
        Kind::Decimal | Kind::Boolean | Kind::Any => false,
    }
}

/// Whether both are there and equal.
fn equal_some<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.is_some() && one == other
}

/// Returns a text as a service may store it: trimmed, and with line feeds as line ends. Null and absent
/// are the empty text.
fn as_stored(raw: Option<&RawValue>) -> Option<String> {
    match raw.filter(|raw| !json::is_null(raw)) {
        None => Some(String::new()),
        Some(raw) => json::string(raw).map(|text| text.trim().replace("\r\n", "\n")),
    }
}

/// Returns the digits of a number, or of a string that holds one.
fn decimal(raw: &RawValue) -> Cow<'_, str> {
    json::string(raw).unwrap_or_else(|| raw.get().into())
}

/// Whether `theirs` has everything that `ours` has, and maybe more members. A null member of ours counts as
/// absent.
fn covers(ours: &RawValue, theirs: &RawValue, digits: Digits) -> bool {
    if let (Some(ours), Some(theirs)) = (Object::from_raw(ours), Object::from_raw(theirs)) {
        return covers_members(&ours, &theirs, None, digits);
    }
    if let (Some(ours), Some(theirs)) = (json::elements(ours), json::elements(theirs)) {
        return ours.len() == theirs.len()
            && ours.iter().zip(theirs).all(|(ours, theirs)| covers(ours, theirs, digits));
    }
    let (one, other) = (ours.get(), theirs.get());
    one == other
        || equal_some(json::string(ours), json::string(theirs))
        || equal_some(Number::parse(one), Number::parse(other))
        || matches!(digits, Digits::OfFloats) && same_float(one, other)
}

/// As [`covers`] for an element that was sent. The `email` of a member is left aside: it is the key by which the
/// two were paired, and keys ignore letter case.
fn covers_element(kind: Kind, ours: &RawValue, theirs: &RawValue) -> bool {
    let beside = (kind == Kind::Members).then_some("email");
    match (Object::from_raw(ours), Object::from_raw(theirs)) {
        (Some(ours), Some(theirs)) => covers_members(&ours, &theirs, beside, Digits::OfFloats),
        _ => covers(ours, theirs, Digits::OfFloats),
    }
}

/// Whether every member of ours other than `beside` is covered.
fn covers_members(ours: &Object<'_>, theirs: &Object<'_>, beside: Option<&str>, digits: Digits) -> bool {
    ours.iter().filter(|(name, _)| Some(*name) != beside).all(|(name, ours)| match theirs.get(name) {
        Some(theirs) => covers(ours, theirs, digits),
        None => json::is_null(ours),
    })
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
            (Kind::DateTime, "\"2026-12-31T00:00:00.0000000Z\"", "\"2026-12-31\"", true),
            (Kind::DateTime, "\"2026-12-31T00:00:00Z\"", "\"2026-12-30\"", false),
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
            (Kind::Any, "9007199254740993", "9007199254740992", false),
            (Kind::Any, r#"{"a":[9007199254740993]}"#, r#"{"a":[9007199254740992]}"#, false),
            (Kind::Any, "1e400", "1e401", false),
            (Kind::Any, r#"{"a":"\u0061"}"#, r#"{ "a" : "a" }"#, true),
            (Kind::Any, r#"{"a":"1"}"#, r#"{"a":1}"#, false),
            (Kind::Any, r#"{"a":{"b":null}}"#, r#"{"a":{}}"#, true),
            (Kind::Decimal, "0.12345678901234567890123456789012", "0.12345678901234567890123456789", false),
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
            (Kind::Any, "9007199254740992", "9007199254740993", true),
            (Kind::Any, "9007199254740992", "9007199254740994", false),
            (Kind::Any, r#"{"a":[{"b":1}]}"#, r#"{"a":[{"b":1.000000000000000005}]}"#, true),
            (Kind::Any, "1e400", "1e401", false),
            (Kind::Decimal, "1", "1.000000000000000005", true),
            (Kind::Decimal, "\"1.0\"", "1.000000000000000005", true),
            (Kind::Decimal, "\"inf\"", "1e400", false),
            (
                Kind::Solutions,
                r#"[{"id":"S1","share":1.0,"more":{"of":[2]}}]"#,
                r#"[{"id":"S1","share":1.000000000000000005,"more":{"of":[2.0000000000000000001]}}]"#,
                true,
            ),
            (
                Kind::Solutions,
                r#"[{"id":"S1","share":1.1}]"#,
                r#"[{"id":"S1","share":1.000000000000000005}]"#,
                false,
            ),
            (
                Kind::Members,
                r#"[{"email":"A@example.com","n":9007199254740992}]"#,
                r#"[{"email":"a@example.com","n":9007199254740993}]"#,
                true,
            ),
            // Elements that share a key don't pass for one another, nor for others.
            (
                Kind::Members,
                r#"[{"email":"a@example.com"},{"email":"x@example.com"},{"email":"b@example.com"}]"#,
                r#"[{"email":"a@example.com"},{"email":"A@example.com"},{"email":"b@example.com"}]"#,
                false,
            ),
            (
                Kind::Members,
                r#"[{"email":"b@example.com"},{"email":"A@example.com"},{"email":"a@example.com"}]"#,
                r#"[{"email":"a@example.com"},{"email":"A@example.com"},{"email":"b@example.com"}]"#,
                true,
            ),
            (Kind::Solutions, r#"[{"id":"S1"},{"id":"S2"}]"#, r#"[{"id":"S1"},{"id":"S1"}]"#, false),
            (
                Kind::Solutions,
                r#"[{"type":"None"},{"id":"S1","x":1}]"#,
                r#"[{"id":"S1"},{"type":"None"}]"#,
                true,
            ),
            (Kind::Solutions, r#"[{"type":"Name"},{"id":"S1"}]"#, r#"[{"id":"S1"},{"type":"None"}]"#, false),
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

    #[test]
    fn of_two_people_with_one_address_none_gets_what_is_kept_of_the_other() {
        const BOSS: &str = r#"{"firstName":"A","email":"s@example.com","title":"boss"}"#;
        const DEV: &str = r#"{"firstName":"C","email":"S@example.com","phoneNumber":"2","title":"dev"}"#;
        let both = format!("[{BOSS},{DEV}]");
        let dev = r#"{"firstName":"C","email":"s@example.com","phoneNumber":"2"}"#;
        let kept_dev = r#"{"firstName":"C","email":"s@example.com","phoneNumber":"2","title":"dev"}"#;
        let boss = r#"{"firstName":"A","email":"s@example.com"}"#;
        let third = r#"{"firstName":"E","email":"s@example.com"}"#;
        for (wanted, merged) in [
            (format!("[{boss}]"), format!("[{BOSS}]")),
            (format!("[{dev}]"), format!("[{kept_dev}]")),
            (format!("[{dev},{boss}]"), format!("[{kept_dev},{BOSS}]")),
            (format!("[{dev},{boss},{third}]"), format!("[{kept_dev},{BOSS},{third}]")),
        ] {
            assert_eq!(overlay(Kind::Members, Some(&raw(&both)), &raw(&wanted)).get(), merged, "{wanted}");
        }
    }

    #[test]
    fn what_lies_deeper_in_an_element_survives_too() {
        for (current, wanted, merged) in [
            (r#"{"a":{"b":1,"c":{"d":2}}}"#, r#"{"a":{"c":{"e":3}}}"#, r#"{"a":{"b":1,"c":{"d":2,"e":3}}}"#),
            (r#"{"a":{"b":1}}"#, r#"{"a":null}"#, r#"{"a":null}"#),
            (r#"{"a":null}"#, r#"{"a":{"b":1}}"#, r#"{"a":{"b":1}}"#),
            (r#"{"a":[{"b":1}]}"#, r#"{"a":[{"c":1}]}"#, r#"{"a":[{"c":1}]}"#),
            (r#"{"a":{"b":1}}"#, r#"{"a":{}}"#, r#"{"a":{"b":1}}"#),
        ] {
            let element = |members: &str| raw(&format!(r#"[{{"id":"S1",{}]"#, &members[1..]));
            let got = overlay(Kind::Solutions, Some(&element(current)), &element(wanted));
            assert_eq!(got.get(), element(merged).get(), "{current} {wanted}");
        }
    }

    #[test]
    fn what_a_null_takes_away_is_named() {
        let team =
            r#"[{"email":"a@example.com","title":"CTO","p":{"q":1,"r":null}},{"email":"b@example.com"}]"#;
        for (kind, before, after, wanted) in [
            (
                Kind::Members,
                Some(team),
                r#"[{"email":"A@example.com","title":null}]"#,
                Some("title of a@example.com"),
            ),
            (
                Kind::Members,
                Some(team),
                r#"[{"email":"a@example.com","p":{"q":null}}]"#,
                Some("p.q of a@example.com"),
            ),
            (
                Kind::Members,
                Some(team),
                r#"[{"email":"a@example.com","p":null}]"#,
                Some("p of a@example.com"),
            ),
            (Kind::Members, Some(team), r#"[{"email":"a@example.com","p":{"r":null,"s":null}}]"#, None),
            (Kind::Members, Some(team), r#"[{"email":"b@example.com","title":null}]"#, None),
            (Kind::Members, Some(team), r#"[{"email":"c@example.com","title":null}]"#, None),
            (Kind::Members, Some("null"), r#"[{"email":"a@example.com","title":null}]"#, None),
            (
                Kind::Members,
                None,
                r#"[{"email":"a@example.com","title":null}]"#,
                Some("title of a@example.com"),
            ),
            (Kind::Members, None, r#"[{"email":"a@example.com"}]"#, None),
            (Kind::Any, Some(r#"{"a":{"b":1}}"#), r#"{"a":{"b":null}}"#, Some("a.b")),
            (Kind::Any, Some(r#"{"a":null}"#), r#"{"a":null,"b":null}"#, None),
            (Kind::Any, Some("5"), r#"{"a":null}"#, None),
            (Kind::Any, None, r#"{"a":{"b":null}}"#, Some("a.b")),
            (Kind::Text, Some("\"x\""), "\"y\"", None),
        ] {
            let before = before.map(raw);
            assert_eq!(
                cleared(kind, before.as_deref(), &raw(after)).as_deref(),
                wanted,
                "{before:?} {after}"
            );
        }
    }

    /// The two questions once more, asked of parsed values: a list carries another if there is any way to
    /// pair their elements.
    mod model {
        use proptest::prelude::*;
        use proptest::sample::select;
        use proptest::test_runner::RngSeed;
        use serde_json::{Map, Value};

        use super::*;

        fn without_nulls(value: &Value) -> Value {
            match value {
                Value::Object(members) => {
                    let kept = members.iter().filter(|(_, value)| !value.is_null());
                    Value::Object(kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
                }
                Value::Array(elements) => Value::Array(elements.iter().map(without_nulls).collect()),
                other => other.clone(),
            }
        }

        fn says(ours: &Value, theirs: &Value) -> bool {
            match (ours, theirs) {
                (Value::Object(ours), Value::Object(theirs)) => {
                    ours.iter().all(|(name, ours)| says(ours, theirs.get(name).unwrap_or(&Value::Null)))
                }
                (ours, theirs) => ours == theirs,
            }
        }

        fn in_lower_case(element: &Value) -> Value {
            let mut element = element.clone();
            if let Some(Value::String(email)) = element.get_mut("email") {
                *email = email.to_lowercase();
            }
            element
        }

        fn pairs(ours: &[Value], theirs: &[Value]) -> bool {
            let Some((first, rest)) = ours.split_first() else { return theirs.is_empty() };
            (0..theirs.len()).any(|at| {
                let mut others = theirs.to_vec();
                let theirs = others.remove(at);
                says(first, &theirs) && pairs(rest, &others)
            })
        }

        fn element() -> impl Strategy<Value = Value> {
            let nested = proptest::option::of(select(vec!["{}", r#"{"c":1}"#, r#"{"c":null}"#, "null", "1"]));
            let address = select(vec!["a@example.com", "A@example.com", "b@example.com", "c@example.com"]);
            (address, nested).prop_map(|(address, nested)| {
                let mut members = Map::new();
                members.insert("email".into(), address.into());
                if let Some(nested) = nested {
                    members.insert("n".into(), serde_json::from_str(nested).unwrap());
                }
                Value::Object(members)
            })
        }

        fn list() -> impl Strategy<Value = Vec<Value>> {
            proptest::collection::vec(element(), 1..5)
        }

        fn has_twins(list: &[Value]) -> bool {
            let keys: std::collections::HashSet<String> =
                list.iter().map(|element| in_lower_case(element)["email"].to_string()).collect();
            keys.len() < list.len()
        }

        proptest! {
            #![proptest_config(ProptestConfig {
                cases: 3000, failure_persistence: None, rng_seed: RngSeed::Fixed(6903), ..ProptestConfig::default()
            })]

            #[test]
            fn lists_compare_as_bags(ours in list(), theirs in prop_oneof![list(), Just(Vec::new())], turn in 0_usize..5) {
                // Often the very elements in another order, or nearly.
                let mut theirs = if theirs.is_empty() { ours.clone() } else { theirs };
                let turn = turn % theirs.len();
                theirs.rotate_left(turn);
                let text = |list: &[Value]| raw(&Value::Array(list.to_vec()).to_string());
                let (our_text, their_text) = (text(&ours), text(&theirs));
                let plain = |list: &[Value]| list.iter().map(without_nulls).collect::<Vec<_>>();
                let is_same = same(Kind::Members, Some(&their_text), &our_text);
                prop_assert_eq!(is_same, plain(&ours) == plain(&theirs));
                let lower = |list: &[Value]| list.iter().map(in_lower_case).collect::<Vec<_>>();
                let is_carried = carries(Kind::Members, Some(&their_text), &our_text);
                let can_be_paired = pairs(&lower(&ours), &lower(&theirs));
                prop_assert!(!is_carried || can_be_paired, "{} passes for {}", their_text, our_text);
                if !has_twins(&ours) {
                    prop_assert_eq!(is_carried, can_be_paired, "{} and {}", their_text, our_text);
                }
            }
        }
    }
}
