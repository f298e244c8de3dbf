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

/// Where a referral has the id of its engagement. Every referral is of one.
const ENGAGEMENT: &str = "/engagementId";

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
    /// What shows of its key.
    pub key: NameSight,
    /// What shows of its engagement.
    pub engagement: NameSight,
}

/// What shows of something that a referral may be named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameSight {
    /// Which it is, or that there is none.
    Shown,
    /// A `null` that may stand for what is left out: the whole referral was not seen.
    Null,
    /// Nothing.
    Unseen,
}

/// The numbers of referrals that may have any name, since nobody has seen which they have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnseenNames {
    /// Those whose key is unseen.
    pub keys: usize,
    /// Those whose engagement is unseen.
    pub engagements: usize,
}

/// The index.
#[derive(Debug)]
pub struct KeyIndex {
    field: MatchField,
    /// Where a referral has its key.
    pointer: Pointer,
    /// Where it has its engagement.
    engagement: Pointer,
    /// What follows where other referrals may have a key, too.
    unseen_level: Level,
    /// The referrals with each wanted key, by its stem.
    wanted: HashMap<Box<str>, Vec<Candidate>>,
    /// A key of a referral that is like a wanted one, by the outline of both.
    outlines: HashMap<Box<str>, Option<Key>>,
    /// The referrals that a wanted identifier may mean, by that.
    identified: HashMap<ReferralId, Vec<Candidate>>,
    /// Whether any referral is shown with a key.
    shows_keys: bool,
    unseen: UnseenNames,
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

/// What leads from a row to referrals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// What Microsoft's connector wrote.
    Identifier,
    /// The key.
    Key,
}

/// The referrals that one of a row's names leads to.
struct Lead<'a> {
    way: Way,
    place: Location,
    /// The name as the row gives it.
    name: String,
    candidates: Vec<&'a Candidate>,
}

/// What a row is about: the referral, the key that led there, and what is warned of.
pub(super) type Found = (ReferralId, Matched, Option<Finding>);

impl KeyIndex {
    /// Makes an index without rows or referrals. `unseen_level` is the level of [`Rule::UnseenKey`].
    pub fn new(field: MatchField, unseen_level: Level) -> Self {
        let engagement = Pointer::parse(ENGAGEMENT).expect("it is a pointer");
        let pointer = match field {
            MatchField::ExternalReferenceId => Field::ExternalReferenceId.pointer().clone(),
            MatchField::EngagementId => engagement.clone(),
        };
        Self {
            field,
            pointer,
            engagement,
            unseen_level,
            wanted: HashMap::new(),
            outlines: HashMap::new(),
            identified: HashMap::new(),
            shows_keys: false,
            unseen: UnseenNames::default(),
        }
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
        let (key, key_sight) = look(referral, &self.pointer);
        let (_, engagement_sight) = look(referral, &self.engagement);
        self.shows_keys |= key.is_some();
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
        Sight { is_wanted, key: key_sight, engagement: engagement_sight }
    }

    /// Whether a `null` in place of a key says that there is none. Lists may write it for what they leave out. One
    /// that shows a key elsewhere doesn't leave it out; but every referral is of an engagement.
    pub fn believes_null(&self) -> bool {
        self.field == MatchField::ExternalReferenceId && self.shows_keys
    }

    /// Whether any row has a key.
    pub fn asks_for_keys(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Whether any row may name an engagement, so far as the referrals are known that were taken in.
    pub fn asks_for_engagements(&self) -> bool {
        let is_referral = |candidates: &Vec<Candidate>| candidates.iter().any(|one| one.way == MatchWay::Id);
        self.identified.values().any(|candidates| !is_referral(candidates))
    }

    /// Takes a referral out: what it was taken in by turned out not to count.
    pub fn take_out(&mut self, id: ReferralId) {
        for candidates in self.wanted.values_mut().chain(self.identified.values_mut()) {
            candidates.retain(|candidate| candidate.id != id);
        }
    }

    /// Records of how many referrals nobody has seen what they may be named by.
    pub fn set_unseen(&mut self, unseen: UnseenNames) {
        self.unseen = unseen;
    }

    /// Returns which referral a row is about, with what is warned of.
    ///
    /// # Errors
    /// The finding that there is none, or that there are several.
    pub(super) fn resolve(&self, row: Location, names: &RowNames) -> Result<Found, Finding> {
        let leads = self.leads(names);
        let Some(lead) = leads.first() else {
            let message = format!("the row has no {} to match by", self.field.name());
            return Err(Finding::deny(Rule::NoMatch, row, message).hint("fill it, or remove the row"));
        };
        if let Some(lost) = leads.iter().find(|lead| lead.candidates.is_empty()) {
            return Err(self.none(lost));
        }
        let fits = |other: &Lead<'_>, id| other.candidates.iter().any(|other| other.id == id);
        let mut candidates = lead.candidates.clone();
        if let Some(other) = leads.get(1) {
            candidates.retain(|candidate| fits(other, candidate.id));
            if candidates.is_empty() {
                return Err(elsewhere(other.place, &lead.name, &other.name));
            }
        }
        if let Some((place, id)) = names.id {
            candidates.retain(|candidate| candidate.id == id);
            if candidates.is_empty() {
                return Err(elsewhere(place, &lead.name, &id.to_string()));
            }
        }
        let [Candidate { id, way, .. }] = candidates[..] else {
            return Err(several(lead, &candidates));
        };
        let is_named = names.id.is_some() || *way == MatchWay::Id;
        let doubted = leads.iter().find(|lead| !is_named && self.unseen_by(lead.way).1 > 0);
        let warned = doubted.map_or(Ok(None), |lead| self.doubt(lead))?;
        Ok((*id, Matched { key: lead.name.clone(), way: *way }, warned))
    }

    /// Whether each of these names leads to a referral. Of what no row was read with, nothing is known.
    pub(super) fn knows(&self, names: &RowNames) -> bool {
        let leads = self.leads(names);
        !leads.is_empty() && leads.iter().all(|lead| !lead.candidates.is_empty())
    }

    /// Returns every referral that a row with these names may be about: where the rows of a base have no more than a key
    /// that several share, each of those has the row as its base.
    pub(super) fn meant(&self, names: &RowNames) -> Vec<ReferralId> {
        let leads = self.leads(names);
        let fits = |id| leads.iter().all(|lead| lead.candidates.iter().any(|candidate| candidate.id == id));
        let is_named = |id: &ReferralId| names.id.is_none_or(|(_, named)| named == *id);
        let candidates = leads.first().into_iter().flat_map(|lead| &lead.candidates);
        candidates.map(|candidate| candidate.id).filter(|id| fits(*id) && is_named(id)).collect()
    }

    /// Returns where the names of a row lead, what the connector wrote first: it is the service's own.
    fn leads(&self, names: &RowNames) -> Vec<Lead<'_>> {
        let identified = names.identifier.map(|(place, id)| Lead {
            way: Way::Identifier,
            place,
            name: id.to_string(),
            candidates: self.by_identifier(id),
        });
        let keyed = names.key.as_ref().map(|(place, key)| Lead {
            way: Way::Key,
            place: *place,
            name: key.as_str().to_owned(),
            candidates: self.by_key(key),
        });
        identified.into_iter().chain(keyed).collect()
    }

    /// Returns the field by which a way leads to referrals, and the number of those that may have any value there.
    fn unseen_by(&self, way: Way) -> (&'static str, usize) {
        match way {
            Way::Identifier => (MatchField::EngagementId.name(), self.unseen.engagements),
            Way::Key => (self.field.name(), self.unseen.keys),
        }
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

    /// Returns the finding that a name leads to no referral.
    fn none(&self, Lead { way, place, name, .. }: &Lead<'_>) -> Finding {
        let (field, unseen) = self.unseen_by(*way);
        let shown = excerpt(name);
        let mut message = match way {
            Way::Identifier => format!("neither a referral nor an engagement has the id {shown}"),
            Way::Key => format!("no referral has the {field} {shown}"),
        };
        if unseen > 0 {
            message.push_str(", as far as it is shown");
        }
        let near = Key::new(name).filter(|_| *way == Way::Key);
        let near = near.and_then(|key| self.outlines.get(&key.outline())?.as_ref());
        let near = near.filter(|near| near.as_str() != name);
        let hint: Wording = match near {
            Some(near) => format!(
                "{} is like it but for zeros in front, letter case or spaces: if that is meant, write it so",
                excerpt(near.as_str())
            )
            .into(),
            None if unseen > 0 => {
                format!("of {} the {field} isn't shown: name the row's referral by its id", others(unseen))
                    .into()
            }
            // Nobody but the service writes an engagement.
            None if field == MatchField::EngagementId.name() => "correct it, or remove the row".into(),
            None => {
                format!("correct it, write it into the referral's {field} first, or remove the row").into()
            }
        };
        Finding::deny(Rule::NoMatch, *place, message).hint(hint)
    }

    /// Returns what is warned of where a name leads to one referral, and others may have it, too.
    ///
    /// # Errors
    /// The finding, where it denies.
    fn doubt(&self, Lead { way, place, name, .. }: &Lead<'_>) -> Result<Option<Finding>, Finding> {
        if self.unseen_level == Level::Allow {
            return Ok(None);
        }
        let (field, unseen) = self.unseen_by(*way);
        let message = format!(
            "one referral has the {} {}, and of {} the {field} isn't shown",
            way.word(),
            excerpt(name),
            others(unseen)
        );
        let hint = Wording::from(format!(
            "name the referral by its id, or, where no other can have this {}, say ",
            way.word()
        ))
        .name(Setting::Rule)
        .say(format!(" {}=warn", Rule::UnseenKey));
        let finding = Finding::new(Rule::UnseenKey, self.unseen_level, *place, message).hint(hint);
        if finding.is_deny() { Err(finding) } else { Ok(Some(finding)) }
    }
}

impl Way {
    /// Returns the word for a name that leads so.
    fn word(self) -> &'static str {
        match self {
            Self::Identifier => "engagement",
            Self::Key => "key",
        }
    }
}

/// Returns a number of other referrals in words.
fn others(number: usize) -> String {
    if number == 1 { "1 other".to_owned() } else { format!("{number} others") }
}

/// Returns the text that a referral has at a place, as a key, and what shows there.
fn look(referral: &Snapshot<'_>, pointer: &Pointer) -> (Option<Key>, NameSight) {
    match referral.find(pointer, Kind::Text) {
        Presence::Value(raw) => {
            (Key::new(json::string(raw).as_deref().unwrap_or(raw.get())), NameSight::Shown)
        }
        Presence::Null if !referral.is_whole() => (None, NameSight::Null),
        Presence::Null | Presence::Absent => (None, NameSight::Shown),
        Presence::Unseen => (None, NameSight::Unseen),
    }
}

/// Returns the finding that a name leads to several referrals.
fn several(Lead { way, place, name, .. }: &Lead<'_>, candidates: &[&Candidate]) -> Finding {
    let told = candidates.iter().take(MOST_TOLD);
    let told: Vec<String> = told.map(|Candidate { id, told, .. }| format!("{id} ({told})")).collect();
    let more = match candidates.len().saturating_sub(MOST_TOLD) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (count, word, name) = (candidates.len(), way.word(), excerpt(name));
    let message = format!("{count} referrals have the {word} {name}: {}{more}", told.join(", "));
    let hint = "add a column id with the id of the one that is meant";
    Finding::deny(Rule::AmbiguousMatch, *place, message).hint(hint)
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
mod tests;
