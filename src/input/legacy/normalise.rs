//! What old exports write in their own way: member names in PascalCase, status and substatus as numbers.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::domain::fields::known_pointers;
use crate::domain::json::{self, Object};
use crate::domain::status::{Stage, Status};

/// Every member name that any source documents, by its lower-case form.
static KNOWN: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let names = |pointer: String| pointer[1..].split('/').map(str::to_owned).collect::<Vec<_>>();
    known_pointers().flat_map(names).map(|name| (name.to_lowercase(), name)).collect()
});

/// Returns whether a name shows that its object was written in PascalCase.
pub(super) fn is_pascal(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase()) && KNOWN.contains_key(&name.to_lowercase())
}

/// Returns a member name as the API spells it.
pub(super) fn camel(name: &str) -> Cow<'_, str> {
    if let Some(known) = KNOWN.get(&name.to_lowercase()) {
        return Cow::Borrowed(known);
    }
    match name.split_at_checked(1) {
        Some((first, rest)) if first.as_bytes()[0].is_ascii_uppercase() => {
            Cow::Owned(first.to_lowercase() + rest)
        }
        _ => Cow::Borrowed(name),
    }
}

/// Returns a value with all member names in it as the API spells them; `None` where it holds none. Its nesting
/// must have been checked before: this recurses.
pub(super) fn camel_value(value: &RawValue) -> Option<Box<RawValue>> {
    if let Some(object) = Object::from_raw(value) {
        let members: Vec<_> =
            object.iter().map(|(name, value)| (camel(name), camel_or_same(value))).collect();
        return Some(object_of(members.iter().map(|(name, value)| (&**name, &**value))));
    }
    let elements = json::elements(value)?;
    Some(json::raw(&elements.into_iter().map(camel_or_same).collect::<Vec<_>>()))
}

/// Returns the same, or the value itself.
fn camel_or_same(value: &RawValue) -> Cow<'_, RawValue> {
    camel_value(value).map_or(Cow::Borrowed(value), Cow::Owned)
}

/// Returns a JSON object of these members, each value in the text it was written in.
pub(super) fn object_of<'m>(members: impl Iterator<Item = (&'m str, &'m RawValue)> + Clone) -> Box<RawValue> {
    struct OrderedMembers<I>(I);
    impl<'m, I: Iterator<Item = (&'m str, &'m RawValue)> + Clone> Serialize for OrderedMembers<I> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.clone())
        }
    }
    json::raw(&OrderedMembers(members))
}

/// Returns the status that old exports write as this number.
pub(super) fn status_of(number: &str) -> Option<&'static str> {
    let position = number.parse::<usize>().ok()?.checked_sub(1)?;
    Status::ALL.get(position).map(|status| status.name())
}

/// Returns the substatus that old exports write as this number.
pub(super) fn substatus_of(number: &str) -> Option<&'static str> {
    let position = number.parse::<usize>().ok()?.checked_sub(1)?;
    Stage::ALL.get(position).map(|stage| stage.substatus())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelt_as_the_service_does() {
        for (name, wanted, pascal) in [
            ("Id", "id", true),
            ("ID", "id", true),
            ("ETag", "eTag", true),
            ("MPNId", "mpnId", true),
            ("CustomerProfile", "customerProfile", true),
            ("FirstName", "firstName", false),
            ("ConsentToToShareInfoWithOthers", "consentToToShareInfoWithOthers", true),
            ("id", "id", false),
            ("etag", "eTag", false),
            ("X", "x", false),
            ("Über", "Über", false),
            ("@odata.context", "@odata.context", false),
            ("", "", false),
        ] {
            assert_eq!(camel(name), wanted);
            assert_eq!(is_pascal(name), pascal, "{name}");
        }
    }

    #[test]
    fn every_name_below_is_spelt_so_and_values_stay() {
        for (text, wanted) in [
            (
                r#"{"Details": {"DealValue":10.50,"X y":[{"A":"A"}, 1 ]}}"#,
                r#"{"details":{"dealValue":10.50,"x y":[{"a":"A"},1]}}"#,
            ),
            (r#"[{"Email":"A\u0041"},[]]"#, r#"[{"email":"A\u0041"},[]]"#),
        ] {
            let value: Box<RawValue> = serde_json::from_str(text).unwrap();
            assert_eq!(camel_value(&value).unwrap().get(), wanted);
        }
        let scalar: Box<RawValue> = serde_json::from_str("\"Id\"").unwrap();
        assert!(camel_value(&scalar).is_none());
    }

    #[test]
    fn numbers_stand_for_words() {
        let words = |of: fn(&str) -> Option<&'static str>| {
            let numbers =
                ["-1", "0", "1", "2", "3", "4", "5", "6", "7", "8", "1.0", "x", "18446744073709551616"];
            numbers.map(|number| of(number).unwrap_or("-")).join(" ")
        };
        assert_eq!(words(status_of), "- - New Active Closed - - - - - - - -");
        assert_eq!(words(substatus_of), "- - Pending Received Accepted Won Lost Declined Expired - - - -");
    }
}
