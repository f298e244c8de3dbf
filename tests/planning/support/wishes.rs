//! Random wishes, and the rows that say them.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use referral_bulk::domain::change::{Append, Draft, Joining, Located};
use referral_bulk::domain::fields::{Field, Kind, Path};
use referral_bulk::domain::finding::Location;
use referral_bulk::domain::pointer::Pointer;
use referral_bulk::domain::referral::ETag;
use referral_bulk::domain::status::{Stage, Status};
use referral_bulk::domain::value::{Wanted, element_key};
use serde_json::value::RawValue;

use super::json::Json;
use super::model::{FIELDS, OPTED, is_list};
use super::referrals::{self, ID};

/// What is wanted of a referral; nothing in it contradicts anything else in it.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// By pointer; null clears.
    pub sets: Vec<(&'static str, Kind, Json)>,
    /// To the ends of lists, each element once.
    pub appends: Vec<(&'static str, Kind, Json)>,
    /// Status and substatus.
    pub stage: Option<(&'static str, &'static str)>,
    /// The version they are bound to, quotes included.
    pub etag: Option<&'static str>,
}

/// How wishes are spread over rows: a number for each, that says where it stands and whether it is
/// said twice.
pub type Spread = Vec<u8>;

/// So many rows at most.
const ROWS: usize = 3;

pub fn wishes() -> impl Strategy<Value = Wishes> {
    let targets: Vec<(&str, Kind)> = FIELDS.into_iter().chain(OPTED).collect();
    let most = targets.len();
    let sets = prop_oneof![
        3 => subsequence(targets.clone(), 0..=4),
        1 => subsequence(targets, 0..=most),
    ];
    let sets = sets.prop_flat_map(|targets| {
        targets
            .into_iter()
            .map(|(pointer, kind)| {
                prop_oneof![1 => Just(Json::Null), 6 => wanted(kind)]
                    .prop_map(move |value| (pointer, kind, value))
            })
            .collect::<Vec<_>>()
    });
    let appends: Vec<_> = FIELDS
        .into_iter()
        .filter(|(_, kind)| is_list(*kind))
        .map(|(pointer, kind)| {
            prop_oneof![2 => Just(Json::Null), 1 => wanted(kind)].prop_map(move |list| {
                list.elements().iter().map(|element| (pointer, kind, element.clone())).collect::<Vec<_>>()
            })
        })
        .collect();
    let stages = vec![
        ("New", "Pending"),
        ("New", "Received"),
        ("Active", "Accepted"),
        ("Closed", "Won"),
        ("Closed", "Lost"),
        ("Closed", "Declined"),
        ("Closed", "Expired"),
    ];
    let stage = prop_oneof![Just(None), select(stages).prop_map(Some)];
    let etag = prop_oneof![6 => Just(None), 1 => Just(Some(r#""v1""#)), 1 => Just(Some(r#""v9""#))];
    (sets, appends, stage, etag).prop_map(|(sets, appends, stage, etag)| Wishes {
        sets,
        appends: appends.concat(),
        stage,
        etag,
    })
}

pub fn spread() -> impl Strategy<Value = Spread> {
    proptest::collection::vec(any::<u8>(), 40)
}

/// A value that a person may want for a field of a kind.
fn wanted(kind: Kind) -> BoxedStrategy<Json> {
    match kind {
        Kind::Text => referrals::text(),
        Kind::Any => referrals::exotic(),
        Kind::Boolean => any::<bool>().prop_map(Json::Bool).boxed(),
        Kind::Currency => select(vec!["USD", "EUR", "JPY"]).prop_map(Json::text).boxed(),
        Kind::DateTime => {
            select(vec!["2026-12-31T00:00:00Z", "2026-11-30T08:15:00.5Z", "2025-01-01T00:00:00Z"])
                .prop_map(Json::text)
                .boxed()
        }
        Kind::Decimal => referrals::digits().prop_map(Json::Number).boxed(),
        Kind::Members => list(member),
        Kind::Solutions => list(solution),
    }
}

fn list(element: fn(usize) -> BoxedStrategy<Json>) -> BoxedStrategy<Json> {
    subsequence((0..7).collect::<Vec<_>>(), 0..=4)
        .prop_shuffle()
        .prop_flat_map(move |chosen| chosen.into_iter().map(element).collect::<Vec<_>>())
        .prop_map(Json::List)
        .boxed()
}

fn member(person: usize) -> BoxedStrategy<Json> {
    let first = select(vec![Json::text("Zoë"), Json::text("Li"), Json::Null]);
    let locale =
        select(vec![Json::text("fr-fr"), Json::Null]).prop_map(|locale| Json::object([("locale", locale)]));
    let preference = proptest::option::of(prop_oneof![locale, Just(Json::object([])), Just(Json::Null)]);
    (first, referrals::address(person), proptest::option::of(referrals::text()), preference)
        .prop_map(|(first, address, phone, preference)| {
            let mut member = Json::object([("firstName", first), ("email", address)]);
            if let Some(phone) = phone {
                member.put("/phoneNumber", phone);
            }
            if let Some(preference) = preference {
                member.put("/contactPreference", preference);
            }
            member
        })
        .boxed()
}

fn solution(which: usize) -> BoxedStrategy<Json> {
    let (name, value) = referrals::solution_key(which);
    let kinds = select(vec![None, Some("Name"), Some("Category")]);
    kinds
        .prop_map(move |kind| {
            let mut solution = Json::object([(name, Json::text(&value))]);
            if let Some(kind) = kind {
                solution.put("/type", Json::text(kind));
            }
            solution
        })
        .boxed()
}

/// The rows that say it, in the order of their lines: each wish in one of them, some in two.
pub fn rows(wishes: &Wishes, spread: &Spread) -> Vec<Draft> {
    let mut rows: Vec<Draft> = (0..ROWS as u64).map(|at| draft(at + 2)).collect();
    let mut spread = spread.iter().cycle().map(|number| usize::from(*number));
    let mut place = || {
        let number = spread.next().unwrap();
        let first = number % ROWS;
        let second = (number / ROWS) % (2 * ROWS);
        if second < ROWS { vec![first, second] } else { vec![first] }
    };
    for (pointer, kind, value) in &wishes.sets {
        let wanted = Wanted::from_json(*kind, &raw(value)).unwrap();
        for row in place() {
            let set = Located { value: (path(pointer), wanted.clone()), place: rows[row].place };
            rows[row].sets.push(set);
        }
    }
    // Elements are appended in the order of the rows, so they stand in the order of the wish.
    let mut earliest = 0;
    for (pointer, kind, element) in &wishes.appends {
        let element = raw(element);
        let key = element_key(*kind, &element).unwrap();
        let field = Field::all().find(|field| field.pointer().as_str() == *pointer).unwrap();
        for row in place().into_iter().map(|row| row.max(earliest)).collect::<Vec<_>>() {
            earliest = earliest.max(row);
            let append = Append {
                field,
                key: key.clone(),
                element: element.clone(),
                joining: Joining::Append,
                sign: None,
            };
            let place = rows[row].place;
            rows[row].appends.push(Located { value: append, place });
        }
    }
    if let Some((status, substatus)) = wishes.stage {
        let (status, stage) = (Status::parse(status).unwrap(), Stage::of_substatus(substatus).unwrap());
        let (of_status, of_substatus) = (place(), place());
        // A substatus alone says it all, and so does Active.
        let alone = of_status[0] == 0 && status == Status::Active;
        if of_status[0] != 1 {
            of_status.iter().for_each(|row| {
                rows[*row].status = Some(Located { value: status, place: rows[*row].place });
            });
        }
        if !alone {
            of_substatus.iter().for_each(|row| {
                rows[*row].substatus = Some(Located { value: stage, place: rows[*row].place });
            });
        }
    }
    if let Some(etag) = wishes.etag {
        for row in place() {
            let etag = ETag::from_input(etag).unwrap();
            rows[row].etag = Some(Located { value: etag, place: rows[row].place });
        }
    }
    rows
}

fn draft(line: u64) -> Draft {
    Draft {
        id: ID.parse().unwrap(),
        place: Location { input: 0, line, column: 1 },
        etag: None,
        status: None,
        substatus: None,
        sets: Vec::new(),
        appends: Vec::new(),
        shown: Vec::new(),
        provisos: Vec::new(),
        bases: Vec::new(),
    }
}

fn path(pointer: &str) -> Path {
    match Field::all().find(|field| field.pointer().as_str() == pointer) {
        Some(field) => Path::Known(field),
        None => Path::Opted(Pointer::parse(pointer).unwrap()),
    }
}

fn raw(value: &Json) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}
