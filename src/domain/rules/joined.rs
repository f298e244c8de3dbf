//! Elements that join a list and leave alone what else is on it.
//!
//! A file of Partner Center's own shows a list in a cell for each element. Whether such a file shows all of them is
//! documented nowhere, so what it lacks is kept, and told.

use serde_json::value::RawValue;

use super::catalogue::Rule;
use crate::domain::change::{Append, Joining, Located};
use crate::domain::equality;
use crate::domain::finding::Location;
use crate::domain::json;
use crate::domain::value::element_key;

/// The most elements that a finding names.
const MOST_NAMED: usize = 3;

/// A list with the elements that joined it.
pub(super) struct Joined {
    /// All of it, as a JSON array.
    pub list: Box<RawValue>,
    /// The elements that came to its end.
    pub added: Vec<Box<RawValue>>,
    /// Whether an element that was on it took over anything.
    pub is_updated: bool,
    /// What was kept, or stayed out: the place of the element or cell, the rule and the message.
    pub told: Vec<(Location, Rule, String)>,
}

/// Joins elements to a list: one of the same key takes over what differs, others come to the end. `shown` are the keys
/// of elements that the file shows as they are.
pub(super) fn joined(list: &[&RawValue], elements: &[&Located<Append>], shown: &[&str]) -> Joined {
    let was_empty = list.is_empty();
    let mut whole: Vec<Box<RawValue>> = list.iter().map(|element| (*element).to_owned()).collect();
    let (mut told, mut is_updated) = (Vec::new(), false);
    for Located { value: Append { field, key, element, joining, .. }, place } in elements {
        let kind = field.kind();
        let is_it = |known: &RawValue| element_key(kind, known).is_ok_and(|known| known == *key);
        let known = whole.iter().position(|known| is_it(known));
        let of_key = || list.iter().filter(|known| is_it(known));
        // Of several with one key, the one that the element shows may be any.
        let is_so = known.is_some_and(|at| equality::holds(kind, &[&whole[at]], element))
            || of_key().any(|known| equality::holds(kind, &[known], element));
        match (joining, known) {
            _ if is_so => {}
            (Joining::Update, _) if of_key().nth(1).is_some() => {
                let what =
                    "is there more than once, and which of them is meant cannot be told: none is changed";
                told.push((*place, Rule::PortalReadOnly, format!("{}: {key} {what}", field.pointer())));
            }
            (Joining::Update, Some(at)) => {
                whole[at] = equality::updated(kind, &whole[at], element);
                is_updated |= at < list.len();
            }
            (Joining::First, _) if !was_empty => {
                let why = if known.is_some() { "has other data of" } else { "has members already beside" };
                let message = format!("{} {why} {key}, who is not sent", field.pointer());
                told.push((*place, Rule::PortalReadOnly, message));
            }
            _ => whole.push(element.clone()),
        }
    }
    told.extend(kept(list, elements, shown));
    Joined { list: json::raw(&whole), added: whole.split_off(list.len()), is_updated, told }
}

/// Returns what to tell of the elements that the file lacks, where it shows any of the list.
fn kept(
    list: &[&RawValue],
    elements: &[&Located<Append>],
    shown: &[&str],
) -> Option<(Location, Rule, String)> {
    let updates = || elements.iter().filter(|element| element.value.joining == Joining::Update);
    let Located { value: Append { field, .. }, place } = updates().next()?;
    let keys = list.iter().filter_map(|element| element_key(field.kind(), element).ok());
    let is_lacking =
        |key: &String| !shown.contains(&key.as_str()) && updates().all(|element| element.value.key != *key);
    let lacking: Vec<String> = keys.filter(is_lacking).collect();
    let (named, more) = lacking.split_at(lacking.len().min(MOST_NAMED));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    let message = format!("{}: {}{more} not in the row, and kept", field.pointer(), named.join(", "));
    (!lacking.is_empty()).then_some((*place, Rule::OmittedKept, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fields::Field;

    const PLACE: Location = Location { input: 0, line: 2, column: 3 };

    /// Joins elements, each after its mark, to a list, and returns the list and what is told.
    fn join(field: Field, list: &str, elements: &[(Joining, &str)]) -> (String, Vec<String>) {
        let list: Box<RawValue> = serde_json::from_str(list).unwrap();
        let list = json::elements(&list).unwrap();
        let elements: Vec<Located<Append>> = elements
            .iter()
            .map(|(joining, element)| {
                let element: Box<RawValue> = serde_json::from_str(element).unwrap();
                let key = element_key(field.kind(), &element).unwrap();
                Located { value: Append { field, key, element, joining: *joining, sign: None }, place: PLACE }
            })
            .collect();
        let joined = joined(&list, &elements.iter().collect::<Vec<_>>(), &[]);
        let told = joined.told.into_iter().map(|(_, rule, message)| format!("{rule}: {message}"));
        (joined.list.get().to_owned(), told.collect())
    }

    #[test]
    fn a_list_keeps_what_a_file_lacks() {
        use Joining::{First, Update};
        const ANN: &str = r#"{"email":"Ann@example.com","phoneNumber":"1","title":"CTO"}"#;
        const BO: &str = r#"{"email":"bo@example.com"}"#;
        let both = format!("[{ANN},{BO}]");
        for (list, elements, wanted, told) in [
            (both.as_str(), vec![(Update, ANN), (Update, BO)], both.as_str(), ""),
            (
                &both,
                vec![(Update, r#"{"email":"ann@example.com","phoneNumber":"1"}"#), (Update, BO)],
                &both,
                "",
            ),
            (
                &both,
                vec![(Update, r#"{"email":"ann@example.com","phoneNumber":"2"}"#), (Update, BO)],
                r#"[{"email":"Ann@example.com","phoneNumber":"2","title":"CTO"},{"email":"bo@example.com"}]"#,
                "",
            ),
            (
                &both,
                vec![(Update, r#"{"email":"new@example.com"}"#), (Update, ANN)],
                r#"[{"email":"Ann@example.com","phoneNumber":"1","title":"CTO"},{"email":"bo@example.com"},{"email":"new@example.com"}]"#,
                "omitted-kept: /team: bo@example.com not in the row, and kept",
            ),
            ("[]", vec![(Update, BO)], r#"[{"email":"bo@example.com"}]"#, ""),
            ("[]", vec![(First, BO)], r#"[{"email":"bo@example.com"}]"#, ""),
            (&format!("[{BO}]"), vec![(First, BO)], r#"[{"email":"bo@example.com"}]"#, ""),
            (
                &format!("[{ANN}]"),
                vec![(First, BO)],
                &format!("[{ANN}]"),
                "portal-read-only: /team has members already beside bo@example.com, who is not sent",
            ),
        ] {
            let got = join(Field::Team, list, &elements);
            assert_eq!((got.0.as_str(), got.1.join("; ").as_str()), (wanted, told), "{list} {elements:?}");
        }
    }

    #[test]
    fn of_several_elements_with_one_key_none_takes_over_what_another_shows() {
        use Joining::Update;
        const BOSS: &str = r#"{"firstName":"A","email":"s@example.com","title":"boss"}"#;
        const DEV: &str = r#"{"firstName":"C","email":"s@example.com","phoneNumber":"2","title":"dev"}"#;
        let both = format!("[{BOSS},{DEV}]");
        let unclear = "portal-read-only: /team: s@example.com is there more than once, and which of them is meant \
                       cannot be told: none is changed";
        for (elements, told) in [
            (vec![(Update, r#"{"firstName":"C","email":"S@example.com","phoneNumber":"2"}"#)], ""),
            (vec![(Update, r#"{"firstName":"A","email":"s@example.com"}"#), (Update, DEV)], ""),
            (vec![(Update, r#"{"firstName":"C","email":"s@example.com","phoneNumber":"3"}"#)], unclear),
        ] {
            let got = join(Field::Team, &both, &elements);
            assert_eq!((got.0.as_str(), got.1.join("; ").as_str()), (both.as_str(), told), "{elements:?}");
        }
    }

    #[test]
    fn a_solution_is_found_by_its_id() {
        let known = r#"{"id":"S1","name":"One","type":"Name","quantity":null}"#;
        let (list, told) = join(
            Field::Solutions,
            &format!("[{known}]"),
            &[(Joining::Update, r#"{"id":"S1","quantity":3}"#), (Joining::Update, r#"{"id":"S2"}"#)],
        );
        assert_eq!(list, r#"[{"id":"S1","name":"One","type":"Name","quantity":3},{"id":"S2"}]"#);
        assert_eq!(told, Vec::<String>::new());
    }
}
