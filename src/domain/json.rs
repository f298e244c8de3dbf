//! JSON that is read one level at a time, with every value kept as the text it was written in.
//!
//! Amounts must keep all their digits, and `null` must be told from absent. A tree of parsed values loses
//! the first and a typed struct the second. [`Object`] keeps both: its members are raw text, which is
//! parsed only when the level below is asked for.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::pointer::Pointer;

/// The deepest nesting that is accepted, in levels. The service itself nests five.
pub const MAX_DEPTH: usize = 64;

/// Up to this many names are compared one by one, which is faster than hashing them.
const FEW: usize = 16;

/// The members of one JSON object in the order they were written, with their values as raw text.
///
/// A name that occurs twice is kept twice; see [`Object::duplicate`]. [`Object::get`] answers with
/// the last value, as most parsers do.
#[derive(Debug, Clone, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Parses an object. Returns `None` where the text is no JSON object.
    pub fn parse(text: &'a str) -> Option<Self> {
        Self::read(text).ok()
    }

    /// Parses an object.
    ///
    /// # Errors
    /// If the text is no JSON, or no object.
    pub fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        // Growing the vector step by step would take longer than the parsing itself for an object with as many
        // members as a referral, which take some fifty bytes each.
        let members = ObjectVisitor { room: (text.len() / 48).min(64) };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let object = deserializer.deserialize_map(members)?;
        deserializer.end().map(|()| object)
    }

    /// Parses a raw value. Returns `None` where the value is no object.
    pub fn from_raw(raw: &'a RawValue) -> Option<Self> {
        raw.get().starts_with('{').then(|| Self::parse(raw.get()))?
    }

    /// Returns the value of a member of a raw value as [`Object::get`] does. It takes less time than parsing all of the
    /// object where the member is its first, and nothing else in it could be of the same name.
    pub fn member_of(raw: &'a RawValue, name: &str) -> Option<&'a RawValue> {
        let first =
            raw.get().strip_prefix("{\"").and_then(|text| text.strip_prefix(name)?.strip_prefix("\":"));
        let alone = first.and_then(|text| {
            let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
            let value = values.next()?.ok()?;
            let rest = &text[values.byte_offset()..];
            // An escape may spell the name in another way.
            let is_alone = !rest.contains('\\') && !rest.contains(&format!("\"{name}\""));
            is_alone.then_some(value)
        });
        alone.or_else(|| Self::from_raw(raw)?.get(name))
    }

    /// Returns the value of a member, which may be `null`; `None` where the member is absent.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// Iterates over the members in the order they were written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), *value))
    }

    /// Returns the number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the object has no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the text that these members were parsed from has no white space between them and no escape in a
    /// name, so that writing them again would give the same text.
    pub fn is_compact(&self, text: &str) -> bool {
        // Four characters per member: the quotes of its name, the colon, and the comma or closing brace.
        let lengths = self.0.iter().map(|(name, value)| match name {
            Cow::Borrowed(name) => Some(name.len() + value.get().len() + 4),
            Cow::Owned(_) => None,
        });
        lengths.sum::<Option<usize>>().is_some_and(|length| length + 1 == text.len())
    }

    /// Returns the first name that occurs more than once.
    pub fn duplicate(&self) -> Option<&str> {
        if self.0.len() <= FEW {
            let is_there = |at: &usize| self.0[..*at].iter().any(|(key, _)| *key == self.0[*at].0);
            return (1..self.0.len()).find(is_there).map(|at| self.0[at].0.as_ref());
        }
        let mut seen = std::collections::HashSet::new();
        self.0.iter().map(|(key, _)| key.as_ref()).find(|key| !seen.insert(*key))
    }

    /// Returns the value at a pointer; `None` where it or an object around it is absent, or a parent is no object.
    /// Array elements cannot be addressed: the service has no indexed paths.
    pub fn at(&self, pointer: &Pointer) -> Option<&'a RawValue> {
        self.follow(pointer.tokens())
    }

    /// Returns the value that a sequence of member names leads to, the outermost first; see [`Object::at`].
    pub fn follow<'t>(&self, mut tokens: impl Iterator<Item = Cow<'t, str>>) -> Option<&'a RawValue> {
        let mut value = self.get(&tokens.next()?)?;
        for token in tokens {
            value = Object::from_raw(value)?.get(&token)?;
        }
        Some(value)
    }
}

/// Collects the members of an object while it is parsed.
struct ObjectVisitor {
    /// The number of members to reserve room for.
    room: usize,
}

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(self.room);
        while let Some(Name(name)) = map.next_key()? {
            members.push((name, map.next_value()?));
        }
        Ok(Object(members))
    }
}

/// A member's name, borrowed from the text unless it holds an escape.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a member name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// Returns the elements of a JSON array as raw text; `None` where the value is no array.
pub fn elements(raw: &RawValue) -> Option<Vec<&RawValue>> {
    raw.get().starts_with('[').then(|| serde_json::from_str(raw.get()).ok())?
}

/// Returns the text of a JSON string, unescaped; `None` where the value is no string.
pub fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?;
    if !inner.as_bytes().contains(&b'\\') {
        // Nearly every text; what is raw was found to be JSON before.
        return inner.strip_suffix('"').map(Cow::Borrowed);
    }
    serde_json::from_str::<Name<'_>>(raw.get()).ok().map(|Name(text)| text)
}

/// Returns all texts in a value, at any depth. Names of members are not among them.
pub fn texts(raw: &RawValue) -> Vec<Cow<'_, str>> {
    let mut texts = Vec::new();
    let mut left = vec![raw];
    while let Some(raw) = left.pop() {
        if let Some(text) = string(raw) {
            texts.push(text);
        } else if let Some(members) = Object::from_raw(raw) {
            left.extend(members.0.into_iter().rev().map(|(_, value)| value));
        } else if let Some(elements) = elements(raw) {
            left.extend(elements.into_iter().rev());
        }
    }
    texts
}

/// Whether a value is the literal `null`.
pub fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}

/// Serialises a value as JSON text.
///
/// # Panics
/// Never for the types of this crate: none of them has a map with keys other than strings, nor a
/// serialiser of its own that fails.
pub fn raw<T: serde::Serialize + ?Sized>(value: &T) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("a value of this crate serialises")
}

/// Whether a JSON text is nested deeper than [`MAX_DEPTH`].
///
/// Raw values are taken without descending into them, so a document of any depth arrives here; what
/// reads it later must not run out of stack.
pub fn is_too_deep(text: &str) -> bool {
    // Counting all brackets is much faster than telling which of them stand in strings, and most documents
    // have fewer brackets than the limit has levels.
    let opens = |byte: &u8| u8::from(matches!(byte, b'{' | b'['));
    let brackets = |part: &[u8]| usize::from(part.iter().map(opens).sum::<u8>());
    // The count of such a chunk fits a byte, so the compiler can count many bytes at a time.
    let brackets: usize = text.as_bytes().chunks(usize::from(u8::MAX)).map(brackets).sum();
    brackets > MAX_DEPTH && depth(text) > MAX_DEPTH
}

/// Returns the deepest nesting of arrays and objects in a JSON text, passing over strings.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;
    use serde_json::Value;

    use super::*;

    #[test]
    fn members_keep_their_text_and_null_is_not_absent() {
        let object = Object::parse(r#"{"a":0.10,"b":null,"c":{"d\u0041":[1, 2]}}"#).unwrap();
        assert_eq!(object.get("a").unwrap().get(), "0.10");
        assert!(is_null(object.get("b").unwrap()));
        assert!(object.get("x").is_none());
        let at = |text: &str| object.at(&Pointer::parse(text).unwrap()).map(RawValue::get);
        assert_eq!(at("/c/dA"), Some("[1, 2]"));
        assert_eq!(at("/c/x"), None);
        assert_eq!(at("/a/x"), None);
    }

    #[test]
    fn a_member_is_found_without_its_object_as_with_it() {
        for text in [
            r#"{"a":"x","b":1}"#,
            r#"{"a":null,"b":1}"#,
            r#"{"a":1.50}"#,
            r#"{"a":{"a":2},"b":[]}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":"1","\u0061":2}"#,
            r#"{"a":"\"","b":{"a":2}}"#,
            r#"{"aa":1,"a":2}"#,
            r#"{ "a" : 1 }"#,
            r#"{"a": "x" , "b": 2}"#,
            r#"{"b":1,"a":2}"#,
            r#"{"b":1}"#,
            "{}",
            "[]",
            r#""a""#,
            "null",
        ] {
            let raw: &RawValue = serde_json::from_str(text).unwrap();
            let wanted = Object::from_raw(raw).and_then(|object| object.get("a")).map(RawValue::get);
            assert_eq!(Object::member_of(raw, "a").map(RawValue::get), wanted, "{text}");
        }
    }

    #[test]
    fn texts_are_found_at_any_depth_and_in_their_order() {
        for (text, wanted) in [
            (r#""a""#, &["a"][..]),
            (r#"{"x":"a","y":["b",{"z":"\u0063"},1,null]}"#, &["a", "b", "c"]),
            ("5", &[]),
            (r#"["\ud800"]"#, &[]),
        ] {
            let raw: &RawValue = serde_json::from_str(text).unwrap();
            assert_eq!(texts(raw), wanted, "{text}");
        }
    }

    #[test]
    fn duplicates_are_seen() {
        assert_eq!(Object::parse(r#"{"a":1,"b":2,"a":3}"#).unwrap().duplicate(), Some("a"));
        assert_eq!(Object::parse(r#"{"a":1,"b":2}"#).unwrap().duplicate(), None);
    }

    #[test]
    fn compact_is_what_members_are_written_as() {
        for (text, wanted) in [
            (r#"{"a":1}"#, true),
            (r#"{"é":"ü\n","":{ "c" : [1, 2]},"a":null}"#, true),
            (r#"{"a":1 }"#, false),
            (r#"{"a": 1}"#, false),
            (r#"{ "a":1}"#, false),
            (r#"{"a":1, "b":2}"#, false),
            (" {\"a\":1}", false),
            ("{\"a\":1}\n", false),
            (r#"{"\u0061":1}"#, false),
            ("{}", false),
        ] {
            let object = Object::parse(text).unwrap();
            assert_eq!(object.is_compact(text), wanted, "{text}");
            let members: Vec<_> =
                object.iter().map(|(name, value)| format!("{}:{value}", raw(name).get())).collect();
            assert!(!wanted || format!("{{{}}}", members.join(",")) == text, "{text}");
        }
    }

    #[test]
    fn depth_passes_over_strings() {
        assert_eq!(depth(r#"{"a":"[[[\"[","b":[1,{}]}"#), 3);
        assert_eq!(depth(&"[".repeat(10_000)), 10_000);
        assert_eq!(depth("1"), 0);
    }

    #[test]
    fn too_deep_is_one_level_more_than_there_may_be() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(!is_too_deep(&nested(MAX_DEPTH)));
        assert!(is_too_deep(&nested(MAX_DEPTH + 1)));
        assert!(!is_too_deep(&format!("[{}]", vec!["[\"[[\"]"; MAX_DEPTH].join(","))));
    }

    /// Trees of objects with few names, so that pointers meet them, and awkward ones among those.
    fn trees() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-c\"\\\\ü\n]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map(name(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn name() -> impl Strategy<Value = String> {
        let names = ["a", "b", "", "~", "/", "~1", "a/b", "m~n", "\"", "\\", "ü", "\u{1f980}", " "];
        proptest::sample::select(names.to_vec()).prop_map(str::to_owned)
    }

    fn pointer(names: &[String]) -> Pointer {
        let text: String =
            names.iter().map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1"))).collect();
        Pointer::parse(&text).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(6901), ..ProptestConfig::default()
        })]

        #[test]
        fn pointers_find_what_another_reader_finds(
            tree in proptest::collection::btree_map(name(), trees(), 0..5),
            names in proptest::collection::vec(name(), 1..4),
            pretty: bool,
        ) {
            let tree = Value::Object(tree.into_iter().collect());
            let text = if pretty { format!("{tree:#}") } else { tree.to_string() };
            let pointer = pointer(&names);
            let ours = Object::parse(&text).unwrap().at(&pointer).map(|raw| {
                serde_json::from_str::<Value>(raw.get()).unwrap()
            });
            prop_assert_eq!(ours.as_ref(), tree.pointer(pointer.as_str()), "{} in {}", pointer, text);
            prop_assert_eq!(pointer.tokens().collect::<Vec<_>>(), names);
            prop_assert_eq!(pointer.parents().count(), pointer.tokens().count() - 1);
            prop_assert!(depth(&text) >= 1);
        }
    }
}
