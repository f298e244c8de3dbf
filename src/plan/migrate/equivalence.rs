//! Equivalence of values: when a value of a payload means the same as the referral's.
//!
//! Null, absent and a text of blanks are equivalent, and so are null and an empty list of members or solutions.
//! If the type of a value is known, [`equality::same`] decides; otherwise numbers compare by value, texts
//! unescaped, and objects member by member.

use serde_json::value::RawValue;

use crate::domain::equality;
use crate::domain::fields::Kind;
use crate::domain::json::{self, Object};
use crate::domain::number::Number;

/// The place where null, `[]` and `{}` are equivalent as well.
const IDS: &str = "/customerProfile/ids";

/// Whether a value of this type at a pointer counts as unset.
pub(super) fn is_unset(pointer: &str, kind: Kind, raw: &RawValue) -> bool {
    match kind {
        _ if is_nothing(raw) => true,
        Kind::Members | Kind::Solutions => is_empty_list(raw),
        Kind::Any if pointer == IDS => {
            is_empty_list(raw) || Object::from_raw(raw).is_some_and(|ids| ids.iter().next().is_none())
        }
        _ => false,
    }
}

/// Whether a value is an empty list.
pub(super) fn is_empty_list(raw: &RawValue) -> bool {
    let within = raw.get().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    within.is_some_and(|within| within.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')))
}

/// Whether two values other than lists of members or solutions are equivalent. `current` is `None` where it is
/// absent.
pub(super) fn is_alike(pointer: &str, kind: Kind, current: Option<&RawValue>, given: &RawValue) -> bool {
    match (current.filter(|raw| !is_unset(pointer, kind, raw)), is_unset(pointer, kind, given)) {
        (None, unset) => unset,
        (Some(_), true) => false,
        (Some(current), false) if kind == Kind::Any => is_deeply_alike(current, given),
        (Some(current), false) => equality::same(kind, Some(current), given),
    }
}

/// Whether the texts of two values are equal except for white space between their parts.
pub(super) fn is_same_text(one: &RawValue, other: &RawValue) -> bool {
    if one.get() == other.get() {
        return true;
    }
    let (one, other) = (one.get().as_bytes(), other.get().as_bytes());
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
    // If neither has white space where they first differ, they differ in something else, and the slow
    // comparison below is not needed.
    let same = common(one, other);
    if ![one.get(same), other.get(same)].into_iter().flatten().any(is_blank) {
        return false;
    }
    let (mut one, mut other) = (one.iter(), other.iter());
    let (mut in_string, mut escaped) = (false, false);
    loop {
        let is_meant = |byte: &&u8| in_string || !is_blank(byte);
        match (one.find(is_meant), other.find(is_meant)) {
            (None, None) => return true,
            (Some(byte), Some(same)) if byte == same => {
                in_string ^= *byte == b'"' && !escaped;
                escaped = in_string && *byte == b'\\' && !escaped;
            }
            _ => return false,
        }
    }
}

/// Returns the length of the common prefix, comparing in chunks that the compiler can vectorise.
fn common(one: &[u8], other: &[u8]) -> usize {
    const PART: usize = 32;
    let parts = one.as_chunks::<PART>().0.iter().zip(other.as_chunks::<PART>().0);
    let whole = PART * parts.take_while(|(one, other)| one == other).count();
    whole + one[whole..].iter().zip(&other[whole..]).take_while(|(one, other)| one == other).count()
}

/// Whether two values of unknown type are equivalent.
pub(super) fn is_deeply_alike(one: &RawValue, other: &RawValue) -> bool {
    if is_same_text(one, other) || is_nothing(one) && is_nothing(other) {
        return true;
    }
    if let (Some(one), Some(other)) = (Object::from_raw(one), Object::from_raw(other)) {
        return says_all_of(&one, &other) && says_all_of(&other, &one);
    }
    if let (Some(one), Some(other)) = (json::elements(one), json::elements(other)) {
        return one.len() == other.len()
            && one.iter().zip(other).all(|(one, other)| is_deeply_alike(one, other));
    }
    let equal_text = json::string(one).is_some_and(|text| json::string(other) == Some(text));
    equal_text || Number::parse(one.get()).is_some_and(|number| Number::parse(other.get()) == Some(number))
}

/// Whether `other` has an equivalent value for every member of `one`.
fn says_all_of(one: &Object<'_>, other: &Object<'_>) -> bool {
    one.iter()
        .filter(|(name, _)| !is_annotation(name))
        .all(|(name, one)| is_deeply_alike(one, other.get(name).unwrap_or(RawValue::NULL)))
}

/// Whether a value is null or a text of blanks: such a member counts as absent.
pub(super) fn is_nothing(raw: &RawValue) -> bool {
    json::is_null(raw) || equality::is_blank(raw)
}

/// Whether a value holds anything: objects without values and empty lists don't.
pub(super) fn has_value(raw: &RawValue) -> bool {
    if let Some(members) = Object::from_raw(raw) {
        return members.iter().any(|(name, raw)| !is_annotation(name) && has_value(raw));
    }
    !is_nothing(raw) && !is_empty_list(raw)
}

/// Whether setting a value would clear something that is there: it holds nothing, or is a list that lacks an element
/// of the current one. The elements of such a list have no known key, so one that differs counts as another one.
pub(super) fn takes_away(current: &RawValue, given: &RawValue) -> bool {
    let lists = json::elements(current).zip(json::elements(given));
    let lacks = lists.is_some_and(|(was, wanted)| {
        was.iter().any(|was| !wanted.iter().any(|wanted| is_deeply_alike(was, wanted)))
    });
    has_value(current) && (lacks || !has_value(given))
}

/// Whether a member is an annotation of OData, such as `@odata.type` or `team@odata.count`.
pub(super) fn is_annotation(name: &str) -> bool {
    name.contains("@odata.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_counts_within_texts_only() {
        for (one, other, same) in [
            (r#"{"a":[1,"b c"]}"#, "{ \"a\" :\n\t[ 1 ,\r\n\"b c\" ] } ", true),
            (r#"["b c"]"#, r#"["bc"]"#, false),
            (r#"["\" x"]"#, r#"["\"x"]"#, false),
            (r#"["\\", "x"]"#, r#"["\\","x"]"#, true),
            (r#"["\\\" ", 1]"#, r#"["\\\"", 1]"#, false),
            ("[1]", "[1,2]", false),
            ("[1,2]", "[1]", false),
            ("1", "1 ", true),
            ("1", "12", false),
            (r#""a""#, r#""a ""#, false),
            (
                r#"{"a":"as long as several parts of it","b":1,"c":2}"#,
                r#"{"a":"as long as several parts of it","b":1, "c":2}"#,
                true,
            ),
            (
                r#"{"a":"as long as several parts of it","b":1,"c":2}"#,
                r#"{"a":"as long as several parts of it","b":1, "c":3}"#,
                false,
            ),
            (
                r#"{"a":"as long as several parts of it"}"#,
                r#"{"a":"as long as several parts  of it"}"#,
                false,
            ),
        ] {
            let [one, other] = [one, other].map(|text| serde_json::from_str::<Box<RawValue>>(text).unwrap());
            assert_eq!(is_same_text(&one, &other), same, "{one} {other}");
        }
    }
}
