//! What a plan changes, field by field, as people read it: one value to another, and lists by their members.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::domain::characters::visible_json;
use crate::domain::fields::Kind;
use crate::domain::item::Change;
use crate::domain::json;
use crate::domain::value::element_key;

use super::findings::compacted;
use super::format::{grouped, one_line};

/// The longest value of an excerpt, in characters.
const VALUE: usize = 60;

/// The members of a list that an excerpt names.
const MEMBERS: usize = 5;

/// The word for no value.
pub(super) const NOTHING: &str = "nothing";

/// How much is told of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Its beginning, and of a list the keys of its members.
    Excerpt,
    /// All of it.
    Whole,
}

/// What it means that there is no value from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoValue {
    /// The referral was seen, and has none.
    Nothing,
    /// The referral was not looked at.
    NotSeen,
}

impl NoValue {
    /// Returns the words for deals whose value is not there.
    pub(super) fn of_value(self) -> &'static str {
        match self {
            Self::Nothing => "without a value",
            Self::NotSeen => "not seen",
        }
    }

    /// Returns the words that stand in the value's place.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Nothing => NOTHING,
            Self::NotSeen => "not seen",
        }
    }
}

/// Returns what a change does, as in `"Active" → "Closed"` or `adds ann@example.com`. It is one line, or several where
/// a list changes and all of it is told.
pub(super) fn told(change: &Change, no_value: NoValue, extent: Extent) -> Vec<String> {
    let mut told = changed(change, no_value, extent);
    // The finding about it has an excerpt.
    if let (Some(base), Extent::Whole) = (&change.base, extent) {
        let value = base.value.as_deref().map_or_else(|| NOTHING.to_owned(), |raw| shown(raw, extent));
        told.push(format!("the base has {value}"));
    }
    told
}

fn changed(change: &Change, no_value: NoValue, extent: Extent) -> Vec<String> {
    listed(change, no_value, extent).unwrap_or_else(|| {
        let before = change.before.as_deref();
        let before = before.map_or_else(|| no_value.words().to_owned(), |raw| shown(raw, extent));
        vec![format!("{before} → {}", shown(&change.after, extent))]
    })
}

/// Returns a value on one line. Texts are in quotes, which tell them from words of this program.
pub(super) fn shown(raw: &RawValue, extent: Extent) -> String {
    if json::is_null(raw) {
        return NOTHING.to_owned();
    }
    match (json::string(raw), extent) {
        (Some(text), Extent::Excerpt) => format!("\"{}\"", one_line(&text, VALUE)),
        // Written anew, so that letters stand in place of their escapes.
        (Some(text), Extent::Whole) => visible_json(json::raw(text.as_ref()).get()).into_owned(),
        (None, Extent::Excerpt) => one_line(compacted(raw).get(), VALUE),
        (None, Extent::Whole) => visible_json(compacted(raw).get()).into_owned(),
    }
}

/// Returns how the members of a list change; `None` where the field is no list, or its members can't be told apart.
fn listed(change: &Change, no_value: NoValue, extent: Extent) -> Option<Vec<String>> {
    let kind = change.path.kind();
    if !matches!(kind, Kind::Members | Kind::Solutions) {
        return None;
    }
    let is_unseen = change.before.is_none() && change.appended.is_empty() && no_value == NoValue::NotSeen;
    let adds = if is_unseen { "becomes" } else { "adds" };
    let before = change.before.as_deref().map_or_else(|| Some(Vec::new()), json::elements)?;
    let after = match (&change.before, change.appended.as_slice()) {
        (None, appended @ [_, ..]) => appended.iter().map(AsRef::as_ref).collect(),
        _ => json::elements(&change.after)?,
    };
    let (old, new) = (by_key(kind, &before)?, by_key(kind, &after)?);
    let mut deeds = Vec::new();
    for element in &after {
        let key = element_key(kind, element).ok()?;
        match old.get(&key) {
            None => deeds.push(Deed { what: adds, key, from: None, to: Some(*element) }),
            Some(earlier) if compacted(earlier).get() != compacted(element).get() => {
                deeds.push(Deed { what: "changes", key, from: Some(*earlier), to: Some(*element) });
            }
            Some(_) => {}
        }
    }
    for element in &before {
        let key = element_key(kind, element).ok()?;
        if !new.contains_key(&key) {
            deeds.push(Deed { what: "drops", key, from: Some(*element), to: None });
        }
    }
    Some(match extent {
        _ if deeds.is_empty() => vec!["in another order".to_owned()],
        Extent::Excerpt => vec![named(&deeds)],
        Extent::Whole => deeds.iter().map(Deed::whole).collect(),
    })
}

/// What becomes of one member of a list.
struct Deed<'a> {
    what: &'static str,
    key: String,
    from: Option<&'a RawValue>,
    to: Option<&'a RawValue>,
}

impl Deed<'_> {
    fn whole(&self) -> String {
        let sides: Vec<String> =
            self.from.into_iter().chain(self.to).map(|raw| shown(raw, Extent::Whole)).collect();
        format!("{} {}", self.what, sides.join(" → "))
    }
}

/// Names the members by their keys, as in `adds ann@example.com, bo@example.com; drops cy@example.com`.
fn named(deeds: &[Deed<'_>]) -> String {
    let parts = deeds.chunk_by(|one, other| one.what == other.what).map(|alike| {
        let keys: Vec<String> = alike.iter().take(MEMBERS).map(|deed| one_line(&deed.key, VALUE)).collect();
        let more = match alike.len().saturating_sub(MEMBERS) {
            0 => String::new(),
            more => format!(" and {} more", grouped(more as u64)),
        };
        format!("{} {}{more}", alike[0].what, keys.join(", "))
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// Returns the elements of a list by their keys; `None` where one has no key, or two have the same.
fn by_key<'a>(kind: Kind, elements: &[&'a RawValue]) -> Option<BTreeMap<String, &'a RawValue>> {
    let keyed = elements.iter().map(|element| Some((element_key(kind, element).ok()?, *element)));
    let keyed = keyed.collect::<Option<BTreeMap<_, _>>>()?;
    (keyed.len() == elements.len()).then_some(keyed)
}

#[cfg(test)]
mod tests {
    use super::super::testing::raw;
    use super::*;
    use crate::domain::fields::{Field, Path};

    fn change(field: Field, before: &str, after: &str, appended: &[&str]) -> Change {
        Change {
            path: Path::Known(field),
            before: (!before.is_empty()).then(|| raw(before)),
            after: raw(after),
            appended: appended.iter().map(|element| raw(element)).collect(),
            base: None,
            is_whole: false,
        }
    }

    #[test]
    fn values_stand_on_one_line() {
        let long = format!("\"{}\"", "x".repeat(70));
        let cut = format!("nothing → \"{}…\"", "x".repeat(VALUE - 1));
        for (before, after, excerpt, whole) in [
            (r#""Active""#, r#""Closed""#, r#""Active" → "Closed""#, r#""Active" → "Closed""#),
            ("10.00", "1e4", "10.00 → 1e4", "10.00 → 1e4"),
            ("", "true", "nothing → true", "nothing → true"),
            (r#""x""#, "null", r#""x" → nothing"#, r#""x" → nothing"#),
            ("null", r#""Zo\u00eb""#, r#"nothing → "Zoë""#, r#"nothing → "Zoë""#),
            ("", r#""a\n\u001b[31mb""#, "nothing → \"a \u{fffd}[31mb\"", r#"nothing → "a\n\u001b[31mb""#),
            ("", "{\n\"a\": [1, 2]}", r#"nothing → {"a":[1,2]}"#, r#"nothing → {"a":[1,2]}"#),
            ("", &long, &cut, &format!("nothing → {long}")),
        ] {
            let change = change(Field::Notes, before, after, &[]);
            let got = [Extent::Excerpt, Extent::Whole].map(|extent| told(&change, NoValue::Nothing, extent));
            assert_eq!(got, [[excerpt.to_owned()], [whole.to_owned()]], "{before} {after}");
        }
        let unseen = told(&change(Field::Notes, "", "1", &[]), NoValue::NotSeen, Extent::Whole);
        assert_eq!(unseen, ["not seen → 1"]);
    }

    #[test]
    fn lists_are_told_by_their_members() {
        let ann = r#"{"email":"ann@example.com","title":"CTO"}"#;
        let other = r#"{"email":"Ann@example.com", "title":"CEO"}"#;
        let bo = r#"{"email":"bo@example.com"}"#;
        let list = |elements: &[&str]| format!("[{}]", elements.join(","));
        for (before, after, appended, excerpt) in [
            (list(&[ann]), list(&[ann, bo]), &[bo][..], "adds bo@example.com"),
            (list(&[ann, bo]), list(&[bo]), &[], "drops ann@example.com"),
            (list(&[ann, bo]), list(&[bo, ann]), &[], "in another order"),
            (list(&[ann]), list(&[other, bo]), &[], "changes ann@example.com; adds bo@example.com"),
            (String::new(), list(&[ann, bo]), &[], "adds ann@example.com, bo@example.com"),
            (String::new(), list(&[bo]), &[bo], "adds bo@example.com"),
            (list(&[ann]), "[]".to_owned(), &[], "drops ann@example.com"),
            (
                list(&[ann]),
                "null".to_owned(),
                &[],
                r#"[{"email":"ann@example.com","title":"CTO"}] → nothing"#,
            ),
            // Who can't be told apart is told as it stands.
            ("[1]".to_owned(), list(&[bo]), &[], r#"[1] → [{"email":"bo@example.com"}]"#),
            (
                list(&[bo, bo]),
                list(&[bo]),
                &[],
                r#"[{"email":"bo@example.com"},{"email":"bo@example.com"}] → [{"email":"bo@example.com"}]"#,
            ),
        ] {
            let change = change(Field::Team, &before, &after, appended);
            assert_eq!(told(&change, NoValue::Nothing, Extent::Excerpt), [excerpt], "{before} {after}");
        }
        let both = change(Field::Team, &list(&[ann, bo]), &list(&[other]), &[]);
        let whole = [
            r#"changes {"email":"ann@example.com","title":"CTO"} → {"email":"Ann@example.com","title":"CEO"}"#,
            r#"drops {"email":"bo@example.com"}"#,
        ];
        assert_eq!(told(&both, NoValue::Nothing, Extent::Whole), whole);
        let unseen = change(Field::Team, "", &list(&[ann]), &[]);
        assert_eq!(told(&unseen, NoValue::NotSeen, Extent::Excerpt), ["becomes ann@example.com"]);
        let many: Vec<String> = (1..=8).map(|at| format!(r#"{{"email":"{at}@example.com"}}"#)).collect();
        let many = change(Field::Team, "", &list(&many.iter().map(String::as_str).collect::<Vec<_>>()), &[]);
        let named = told(&many, NoValue::Nothing, Extent::Excerpt);
        assert!(named[0].ends_with("5@example.com and 3 more"), "{named:?}");
    }
}
