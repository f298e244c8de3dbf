//! The index against a model that says of every referral whether it fits a row.

use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use super::*;

/// Keys of which some are one in two spellings, and some are nearly one.
const KEYS: [&str; 13] = [
    "A",
    "a",
    "0A",
    "0065e00000AbCdE",
    "0065e00000AbCdEAAV",
    "0065e00000AbCdEAAW",
    "0065e00000aBcDe",
    "6f1e0001-0000-4000-8000-0000000000ab",
    "{6F1E0001-0000-4000-8000-0000000000AB}",
    "{6F1E0001-0000-4000-8000-0000000000AC}",
    "é",
    "0065E00000ABCDEAAV",
    "0065e00000aBcDeAAK",
];

/// The keys that the model takes for the same, by their places; every key is the same as itself.
const SAME: [(usize, usize); 4] = [(3, 4), (3, 11), (6, 12), (7, 8)];

fn are_same(one: usize, other: usize) -> bool {
    one == other || SAME.contains(&(one, other)) || SAME.contains(&(other, one))
}

/// The id of a referral, and of the engagement that it shares with its neighbour.
fn id(number: usize) -> ReferralId {
    Uuid::from_u128(0x5eed_0000 + number as u128).to_string().parse().unwrap()
}

fn engagement(number: usize) -> ReferralId {
    id(1_000 + number / 2)
}

fn place(column: u32) -> Location {
    Location { input: 0, line: 2, column }
}

/// A referral with a key by its place, `null`, or one that isn't shown.
#[derive(Debug, Clone, Copy)]
enum Shown {
    Key(usize),
    Null,
    Unseen,
}

/// What a row has: a key, an identifier, an id.
#[derive(Debug, Clone, Copy)]
struct Row {
    key: Option<usize>,
    identifier: Option<ReferralId>,
    id: Option<ReferralId>,
}

fn text(number: usize, shown: Shown) -> String {
    let key = match shown {
        Shown::Key(key) => format!(r#","externalReferenceId":" {} ""#, KEYS[key]),
        Shown::Null => r#","externalReferenceId":null"#.to_owned(),
        Shown::Unseen => String::new(),
    };
    let (id, engagement) = (id(number), engagement(number));
    format!(r#"{{"id":"{id}","engagementId":"{engagement}","name":"Deal {number}"{key}}}"#)
}

/// Says of every referral whether it fits all that the row has, and counts. The rule of what is wrong, or the
/// referral.
fn model(referrals: &[Shown], row: Row) -> Result<usize, Rule> {
    let all = 0..referrals.len();
    let has_key = |number: usize, key| matches!(referrals[number], Shown::Key(own) if are_same(own, key));
    let is_own = |identifier| all.clone().any(|number| id(number) == identifier);
    let is_meant = |number: usize, identifier| {
        if is_own(identifier) { id(number) == identifier } else { engagement(number) == identifier }
    };
    if row.key.is_none() && row.identifier.is_none() {
        return Err(Rule::NoMatch);
    }
    let is_lost = row.key.is_some_and(|key| !all.clone().any(|number| has_key(number, key)))
        || row.identifier.is_some_and(|meant| !all.clone().any(|number| is_meant(number, meant)));
    if is_lost {
        return Err(Rule::NoMatch);
    }
    let fits = |number: &usize| {
        row.key.is_none_or(|key| has_key(*number, key))
            && row.identifier.is_none_or(|meant| is_meant(*number, meant))
            && row.id.is_none_or(|named| named == id(*number))
    };
    let fitting: Vec<usize> = all.clone().filter(fits).collect();
    let is_named = row.id.is_some() || row.identifier.is_some_and(is_own);
    // A null is none only where the same list shows a key.
    let shows_keys = referrals.iter().any(|shown| matches!(shown, Shown::Key(_)));
    let is_unseen = |shown: &Shown| match shown {
        Shown::Key(_) => false,
        Shown::Null => !shows_keys,
        Shown::Unseen => true,
    };
    let are_unseen = row.key.is_some() && referrals.iter().any(is_unseen);
    match fitting[..] {
        [] => Err(Rule::Contradiction),
        [_] if are_unseen && !is_named => Err(Rule::UnseenKey),
        [one] => Ok(one),
        _ => Err(Rule::AmbiguousMatch),
    }
}

fn shown() -> impl Strategy<Value = Shown> {
    prop_oneof![
        20 => (0..KEYS.len()).prop_map(Shown::Key),
        3 => Just(Shown::Null),
        1 => Just(Shown::Unseen),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let key = prop_oneof![5 => (0..KEYS.len()).prop_map(Some), 1 => Just(None)];
    let named = (0..8_usize).prop_map(id);
    let identifiers = prop_oneof![named.clone(), (0..8_usize).prop_map(engagement)];
    let identifier = prop_oneof![3 => Just(None), 1 => identifiers.prop_map(Some)];
    let id = prop_oneof![3 => Just(None), 1 => named.prop_map(Some)];
    (key, identifier, id).prop_map(|(key, identifier, id)| Row { key, identifier, id })
}

proptest! {
    #[test]
    fn a_row_is_about_the_one_that_fits_all_it_says(
        referrals in proptest::collection::vec(shown(), 0..8),
        rows in proptest::collection::vec(row(), 1..8),
        level in select(vec![Level::Deny, Level::Warn, Level::Allow]),
    ) {
        let mut index = KeyIndex::new(MatchField::ExternalReferenceId, level);
        let names: Vec<RowNames> = rows.iter().map(|row| RowNames {
            key: row.key.and_then(|key| Some((place(1), Key::new(KEYS[key])?))),
            identifier: row.identifier.map(|identifier| (place(2), identifier)),
            id: row.id.map(|id| (place(3), id)),
        }).collect();
        names.iter().for_each(|names| index.want(names));
        let mut sights = Vec::new();
        for (number, shown) in referrals.iter().enumerate() {
            let text = text(number, *shown);
            sights.push(index.add(&Snapshot::in_part(&text).unwrap()));
        }
        let is_unseen = |sight: &&Sight| match sight.key {
            NameSight::Shown => false,
            NameSight::Null => !index.believes_null(),
            NameSight::Unseen => true,
        };
        let keys = sights.iter().filter(is_unseen).count();
        index.set_unseen(UnseenNames { keys, engagements: 0 });
        for (row, names) in rows.iter().zip(&names) {
            let got = index.resolve(place(0), names);
            let wanted = model(&referrals, *row);
            match (&got, wanted) {
                (Ok((found, _, None)), Ok(number)) => prop_assert_eq!(*found, id(number)),
                (Ok((_, _, Some(warned))), Err(Rule::UnseenKey)) => {
                    prop_assert_eq!((warned.rule, warned.level, level), (Rule::UnseenKey, level, Level::Warn));
                }
                (Ok((_, _, None)), Err(Rule::UnseenKey)) => prop_assert_eq!(level, Level::Allow),
                (Err(finding), Err(rule)) => {
                    prop_assert_eq!(finding.rule, rule);
                    prop_assert!(finding.is_deny() && finding.hint.is_some());
                    prop_assert!(rule != Rule::UnseenKey || level == Level::Deny);
                }
                (got, wanted) => prop_assert!(false, "{got:?}, wanted {wanted:?}"),
            }
        }
    }
}
