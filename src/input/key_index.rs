//! Which referral each row is about, where rows name their referrals by a key: an index from the keys of the
//! rows to the referrals as they stand.
//!
//! First all rows say which keys they have, then all referrals are shown, then each row is resolved. Of a
//! referral that no row wants nothing is kept, and of the others no more than a message needs, so the index
//! grows with the number of rows alone.

use std::collections::HashMap;

use crate::domain::excerpt::{beginning, excerpt};
use crate::domain::fields::{Field, Kind};
use crate::domain::finding::{Finding, Location};
use crate::domain::json;
use crate::domain::key::{Key, MatchField, MatchWay, Matched};
use crate::domain::level::Level;
use crate::domain::pointer::Pointer;
use crate::domain::referral::ReferralId;
use crate::domain::rules::Rule;
use crate::domain::setting::Setting;
use crate::domain::snapshot::{Presence, Snapshot};
use crate::domain::wording::Wording;

/// The most candidates that a message tells one by one.
const MOST_TOLD: usize = 5;

/// What a row names its referral by.
#[derive(Debug, Clone, Default)]
pub struct RowNames {
    /// The key.
    pub key: Option<(Location, Key)>,
    /// What Microsoft's connector writes into a CRM: the referral's id, or that of its engagement.
    pub identifier: Option<(Location, ReferralId)>,
    /// The referral's own id.
    pub id: Option<(Location, ReferralId)>,
}

/// What was seen of a referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// Whether a row may be about it.
    pub is_wanted: bool,
    /// Whether it is shown which key it has, if any.
    pub is_key_shown: bool,
}

/// The index.
#[derive(Debug)]
pub struct KeyIndex {
    field: MatchField,
    pointer: Pointer,
    /// What follows where other referrals may have a key, too.
    unseen_level: Level,
    /// The referrals with each wanted key, by its stem.
    wanted: HashMap<Box<str>, Vec<Candidate>>,
    /// A key of a referral that is like a wanted one, by the outline of both.
    outlines: HashMap<Box<str>, Option<Key>>,
    /// The referrals that a wanted identifier may mean, by that.
    identified: HashMap<ReferralId, Vec<Candidate>>,
    /// The number of referrals of which nobody has seen the key.
    unseen: usize,
}

/// A referral that a row may be about.
#[derive(Debug, Clone)]
struct Candidate {
    id: ReferralId,
    key: Option<Key>,
    way: MatchWay,
    /// What people know it by.
    told: Box<str>,
}

/// What a row is about: the referral, the key that led there, and what is warned of.
pub(super) type Found = (ReferralId, Matched, Option<Finding>);

impl KeyIndex {
    /// Makes an index without rows or referrals. `unseen_level` is the level of [`Rule::UnseenKey`].
    pub fn new(field: MatchField, unseen_level: Level) -> Self {
        let pointer = match field {
            MatchField::ExternalReferenceId => Field::ExternalReferenceId.pointer().clone(),
            MatchField::EngagementId => Pointer::parse("/engagementId").expect("it is a pointer"),
        };
        let (wanted, outlines, identified) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { field, pointer, unseen_level, wanted, outlines, identified, unseen: 0 }
    }

    /// Takes note of what a row names its referral by.
    pub fn want(&mut self, names: &RowNames) {
        if let Some((_, key)) = &names.key {
            self.wanted.entry(key.stem()).or_default();
            self.outlines.entry(key.outline()).or_default();
        }
        if let Some((_, identifier)) = names.identifier {
            self.identified.entry(identifier).or_default();
        }
    }

    /// Takes in a referral, once.
    pub fn add(&mut self, referral: &Snapshot<'_>) -> Sight {
        let id = referral.id();
        let shown = referral.find(&self.pointer, Kind::Text);
        let key = match shown {
            Presence::Value(raw) => Key::new(json::string(raw).as_deref().unwrap_or(raw.get())),
            Presence::Null | Presence::Absent | Presence::Unseen => None,
        };
        let candidate = |way| Candidate { id, key: key.clone(), way, told: told(referral) };
        let mut is_wanted = false;
        if let Some(key) = &key {
            if let Some(candidates) = self.wanted.get_mut(&key.stem()) {
                candidates.push(candidate(self.field.into()));
                is_wanted = true;
            }
            if let Some(near) = self.outlines.get_mut(&key.outline()) {
                near.get_or_insert_with(|| key.clone());
            }
        }
        let engagement = referral.engagement().map(|engagement| (engagement, MatchWay::EngagementId));
        for (named, way) in [(id, MatchWay::Id)].into_iter().chain(engagement) {
            if let Some(candidates) = self.identified.get_mut(&named) {
                candidates.push(candidate(way));
                is_wanted = true;
            }
        }
        Sight { is_wanted, is_key_shown: !matches!(shown, Presence::Unseen) }
    }

    /// Takes a referral out: what it was taken in by turned out not to count.
    pub fn take_out(&mut self, id: ReferralId) {
        for candidates in self.wanted.values_mut().chain(self.identified.values_mut()) {
            candidates.retain(|candidate| candidate.id != id);
        }
    }

    /// Records how many referrals there are whose key nobody has seen.
    pub fn set_unseen(&mut self, referrals: usize) {
        self.unseen = referrals;
    }

    /// Returns which referral a row is about, with what is warned of.
    ///
    /// # Errors
    /// The finding that there is none, or that there are several.
    pub(super) fn resolve(&self, row: Location, names: &RowNames) -> Result<Found, Finding> {
        // What the connector wrote goes first: it is the service's own.
        let identified = names.identifier.map(|(place, id)| (place, id.to_string(), self.by_identifier(id)));
        let keyed =
            names.key.as_ref().map(|(place, key)| (*place, key.as_str().to_owned(), self.by_key(key)));
        let mut ways = identified.into_iter().chain(keyed);
        let Some((place, key, mut candidates)) = ways.next() else {
            let message = format!("the row has no {} to match by", self.field.name());
            return Err(Finding::deny(Rule::NoMatch, row, message).hint("fill it, or remove the row"));
        };
        if candidates.is_empty() {
            return Err(self.none(place, &key));
        }
        if let Some((place, other, others)) = ways.next() {
            if others.is_empty() {
                return Err(self.none(place, &other));
            }
            candidates.retain(|candidate| others.iter().any(|other| other.id == candidate.id));
            if candidates.is_empty() {
                return Err(elsewhere(place, &key, &other));
            }
        }
        if let Some((place, id)) = names.id {
            candidates.retain(|candidate| candidate.id == id);
            if candidates.is_empty() {
                return Err(elsewhere(place, &key, &id.to_string()));
            }
        }
        let [Candidate { id, way, .. }] = candidates[..] else {
            return Err(several(place, &key, &candidates));
        };
        let is_named = names.id.is_some() || *way == MatchWay::Id;
        let warned = if is_named { None } else { self.doubt(place, &key)? };
        Ok((*id, Matched { key, way: *way }, warned))
    }

    /// Returns the referrals that have a key.
    fn by_key(&self, key: &Key) -> Vec<&Candidate> {
        let candidates = self.wanted.get(&key.stem()).into_iter().flatten();
        candidates.filter(|candidate| candidate.key.as_ref().is_some_and(|own| own.fits(key))).collect()
    }

    /// Returns the referral that has an id, or else those whose engagement has it.
    fn by_identifier(&self, id: ReferralId) -> Vec<&Candidate> {
        let candidates: Vec<&Candidate> = self.identified.get(&id).into_iter().flatten().collect();
        let is_referral = candidates.iter().any(|candidate| candidate.way == MatchWay::Id);
        let counts = |candidate: &&Candidate| !is_referral || candidate.way == MatchWay::Id;
        candidates.into_iter().filter(counts).collect()
    }

    /// Returns the finding that no referral has a key.
    fn none(&self, place: Location, key: &str) -> Finding {
        let field = self.field.name();
        let message = format!("no referral has the {field} {}", excerpt(key));
        let near = Key::new(key).and_then(|key| self.outlines.get(&key.outline())?.as_ref());
        let near = near.filter(|near| near.as_str() != key);
        let hint: Wording = match near {
            Some(near) => format!(
                "{} is like it but for zeros in front, letter case or spaces: if that is meant, write it so",
                excerpt(near.as_str())
            )
            .into(),
            None if self.unseen > 0 => {
                format!("of {} it isn't shown: name the row's referral by its id", self.told_unseen()).into()
            }
            None => {
                format!("correct it, write it into the referral's {field} first, or remove the row").into()
            }
        };
        Finding::deny(Rule::NoMatch, place, message).hint(hint)
    }

    /// Returns what is warned of where a key leads to one referral, and others may have it, too.
    ///
    /// # Errors
    /// The finding, where it denies.
    fn doubt(&self, place: Location, key: &str) -> Result<Option<Finding>, Finding> {
        if self.unseen == 0 || self.unseen_level == Level::Allow {
            return Ok(None);
        }
        let message = format!(
            "one referral has the key {}, and of {} the {} isn't shown",
            excerpt(key),
            self.told_unseen(),
            self.field.name()
        );
        let hint = Wording::from("name the referral by its id, or, where no other can have this key, say ")
            .name(Setting::Rule)
            .say(format!(" {}=warn", Rule::UnseenKey));
        let finding = Finding::new(Rule::UnseenKey, self.unseen_level, place, message).hint(hint);
        if finding.is_deny() { Err(finding) } else { Ok(Some(finding)) }
    }

    fn told_unseen(&self) -> String {
        match self.unseen {
            1 => "1 other".to_owned(),
            others => format!("{others} others"),
        }
    }
}

/// Returns the finding that several referrals have a key.
fn several(place: Location, key: &str, candidates: &[&Candidate]) -> Finding {
    let told = candidates.iter().take(MOST_TOLD);
    let told: Vec<String> = told.map(|Candidate { id, told, .. }| format!("{id} ({told})")).collect();
    let more = match candidates.len().saturating_sub(MOST_TOLD) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (count, key) = (candidates.len(), excerpt(key));
    let message = format!("{count} referrals have the key {key}: {}{more}", told.join(", "));
    let hint = "add a column id with the id of the one that is meant";
    Finding::deny(Rule::AmbiguousMatch, place, message).hint(hint)
}

/// Returns the finding that two names of a row lead to different referrals.
fn elsewhere(place: Location, one: &str, other: &str) -> Finding {
    let message = format!("{} and {} lead to different referrals", excerpt(one), excerpt(other));
    Finding::deny(Rule::Contradiction, place, message)
        .hint("correct the one that is wrong, or empty its cell")
}

/// Returns what people know a referral by: its status, name and stage, as far as they are shown.
fn told(referral: &Snapshot<'_>) -> Box<str> {
    let text = |pointer: &Pointer| match referral.find(pointer, Kind::Text) {
        Presence::Value(raw) => json::string(raw).filter(|text| !text.trim().is_empty()),
        Presence::Null | Presence::Absent | Presence::Unseen => None,
    };
    let standing = text(Field::Status.pointer()).map(|status| match text(Field::Substatus.pointer()) {
        Some(substatus) => format!("{status}/{substatus}"),
        None => status.into_owned(),
    });
    let name = Pointer::parse("/name").ok().and_then(|name| text(&name));
    let stage = text(Field::SalesStage.pointer());
    let parts = [
        standing.map(|standing| beginning(&standing)),
        name.map(|name| excerpt(&name)),
        stage.map(|stage| format!("stage {}", excerpt(&stage))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ").into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use uuid::Uuid;

    use super::*;

    /// Keys of which some are one in two spellings, and some are nearly one.
    const KEYS: [&str; 11] = [
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
    ];

    /// The keys that the model takes for the same, by their places; every key is the same as itself.
    const SAME: [(usize, usize); 3] = [(3, 4), (3, 5), (7, 8)];

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
        let are_unseen = referrals.iter().any(|shown| matches!(shown, Shown::Unseen));
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
            let mut unseen = 0;
            for (number, shown) in referrals.iter().enumerate() {
                let text = text(number, *shown);
                let sight = index.add(&Snapshot::in_part(&text).unwrap());
                unseen += usize::from(!sight.is_key_shown);
            }
            index.set_unseen(unseen);
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
}
