//! One row while it is read: typed values go in, a [`Draft`] or everything that is wrong with the row comes out.
//!
//! Here is decided what depends on the row as a whole: whether a value contradicts an earlier one, whether fields may
//! be cleared, whether the row asks for too much. A value is typed before, in [`super::assign`].

use serde_json::value::RawValue;

use super::base_row::BaseRow;
use super::base_side::{BaseSide, FinishedSide};
use super::earlier_result::EarlierResult;
use super::key_index::RowNames;
use super::options::Options;
use super::value_target::ValueTarget;
use crate::domain::change::{Append, Draft, Located, Proviso, Rejected, Shown};
use crate::domain::equality;
use crate::domain::excerpt::{excerpt, excerpt_json};
use crate::domain::fields::{self, Field, Kind, Path};
use crate::domain::finding::{Finding, Location};
use crate::domain::json;
use crate::domain::level::Level;
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::rules::Rule;
use crate::domain::setting::Setting;
use crate::domain::status::{Stage, Status};
use crate::domain::suspect::{self, Suspicion};
use crate::domain::type_error::TypeError;
use crate::domain::value::{self, Condition, Wanted};
use crate::domain::wording::Wording;

/// The most changes that one row may ask for. A referral has fewer fields; the rest are list elements.
pub(super) const MAX_CHANGES: usize = 1_000;

/// Collects the values and findings of one row.
pub(super) struct RowBuilder<'o> {
    pub(super) options: &'o Options,
    pub(super) place: Location,
    pub(super) id: Option<ReferralId>,
    /// What it names its referral by, where rows do so by a key.
    pub(super) names: RowNames,
    etag: Option<Located<ETag>>,
    pub(super) status: Option<Located<Status>>,
    pub(super) substatus: Option<Located<Stage>>,
    sets: Vec<Located<(Path, Wanted)>>,
    appends: Vec<Located<Append>>,
    shown: Vec<Located<Shown>>,
    /// What the base of the run says of the row.
    base: BaseSide<'o>,
    /// What is to be said of its cells, unless they show what the referral has.
    pub(super) provisos: Vec<Located<Proviso>>,
    /// What denies the row.
    pub(super) findings: Vec<Finding>,
    /// What is only warned of.
    pub(super) notes: Vec<Finding>,
    /// Whether an id was given, or a finding says already why there is none.
    pub(super) names_referral: bool,
    /// Whether a finding says already why the row has no id, so that none is looked for.
    pub(super) is_excused: bool,
    /// Whether it was said that the row asks for too many changes.
    is_full: bool,
}

/// A row that was read to its end.
pub(super) struct FinishedRow {
    /// What it asks for, or what is wrong with it.
    pub parsed: Result<Draft, Rejected>,
    /// Warnings about a row that is otherwise sound.
    pub notes: Vec<Finding>,
    /// The number of values that are as in the base.
    pub as_in_base: u64,
    /// The row as a base has it, of a file that is one.
    pub base: Option<Box<BaseRow>>,
}

impl<'o> RowBuilder<'o> {
    pub fn new(options: &'o Options, place: Location) -> Self {
        Self {
            options,
            place,
            id: None,
            names: RowNames::default(),
            etag: None,
            status: None,
            substatus: None,
            sets: Vec::new(),
            appends: Vec::new(),
            shown: Vec::new(),
            provisos: Vec::new(),
            base: BaseSide::begin(options, place.line),
            findings: Vec::new(),
            notes: Vec::new(),
            names_referral: false,
            is_excused: false,
            is_full: false,
        }
    }

    /// Adds a finding, which keeps the row from becoming a draft.
    pub fn add_finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Adds what is suspicious about a text (a spreadsheet error, a rewritten number), at the level that the user gave
    /// its rule.
    fn suspect(&mut self, place: Location, name: &str, text: &str) {
        if let Some(Suspicion { rule, message, hint }) = suspect::suspicion(text) {
            self.tell(rule, place, &format!("{name}: {message}"), hint);
        }
    }

    /// Adds a finding at the level that the user gave its rule.
    pub fn tell(&mut self, rule: Rule, place: Location, message: &str, hint: impl Into<Wording>) {
        let level = self.options.levels.of(rule);
        let finding = Finding::new(rule, level, place, message).hint(hint);
        match level {
            Level::Allow => {}
            Level::Warn => self.notes.push(finding),
            Level::Deny => self.findings.push(finding),
        }
    }

    /// Returns what the base of the run says of the row.
    pub fn base(&mut self) -> &mut BaseSide<'o> {
        &mut self.base
    }

    /// Compares the row with what the base has for its referral; see [`BaseSide::compare`].
    pub fn compare(&mut self, place: Location, id: ReferralId, earlier: &EarlierResult) {
        let lacking = self.base.compare(place, id, earlier);
        self.findings.extend(lacking);
    }

    /// Puts in an empty cell; see [`BaseSide::left_empty`].
    pub fn left_empty(&mut self, place: Location, column: &str, target: &ValueTarget) {
        let emptied = self.base.left_empty(place, column, target);
        let (denied, warned): (Vec<_>, Vec<_>) = emptied.into_iter().partition(Finding::is_deny);
        self.findings.extend(denied);
        self.notes.extend(warned);
    }

    /// Returns the number of findings that deny the row so far.
    pub fn denials(&self) -> usize {
        self.findings.len()
    }

    /// Adds a warning.
    pub fn add_note(&mut self, finding: Finding) {
        self.notes.push(finding);
    }

    /// Returns whether there is a finding of a rule.
    pub fn has_found(&self, rule: Rule) -> bool {
        self.findings.iter().any(|finding| finding.rule == rule)
    }

    /// Returns whether there is a finding at one of these places, or between them.
    pub fn has_found_between(&self, from: Location, to: Location) -> bool {
        self.findings.iter().any(|finding| (from..=to).contains(&finding.place))
    }

    /// Adds the finding that the value of `name` is not of its type.
    pub fn mistyped(&mut self, place: Location, name: &str, error: TypeError) {
        let finding = Finding::deny(Rule::Type, place, format!("{name}: {}", error.message));
        self.add_finding(match error.hint {
            Some(hint) => finding.hint(hint),
            None => finding,
        });
    }

    /// Sets the id: of two different ones, neither can be trusted.
    pub fn set_id(&mut self, place: Location, id: ReferralId) {
        self.names_referral = true;
        if self.id.is_some_and(|other| other != id) {
            let finding = Finding::deny(Rule::Id, place, "the row names two referrals");
            return self.add_finding(finding.hint("keep one of the ids"));
        }
        self.id = Some(id);
        self.names.id = Some((place, id));
    }

    /// Sets the id of a row that is refused anyway, if the text is one: the reports tell it then. A text that is none
    /// is no finding of its own.
    pub fn id_if_any(&mut self, text: &str) {
        self.names_referral = true;
        self.id = self.id.or(text.parse().ok());
    }

    /// Takes note that a finding says already why the row has no id.
    pub fn excuse_id(&mut self) {
        self.names_referral = true;
        self.is_excused = true;
    }

    /// Returns what the row names its referral by. Nothing is kept of it but where rows do so by a key.
    pub fn take_names(&self) -> RowNames {
        let is_wanted = self.options.matching.as_ref().is_some_and(|matching| matching.index.is_none());
        if is_wanted { self.names.clone() } else { RowNames::default() }
    }

    /// Returns whether the row gave an id, right or wrong.
    pub fn names_referral(&self) -> bool {
        self.names_referral
    }

    /// Sets the eTag that the row is bound to.
    pub fn set_etag(&mut self, place: Location, value: ETag) {
        if self.base.settles_etag(&value) {
            return;
        }
        if self.etag.as_ref().is_some_and(|other| other.value != value) {
            return self.repeated(place, "eTag", Rule::DuplicateKey);
        }
        self.etag = Some(Located { value, place });
    }

    /// Binds the row to the eTag that an earlier run left behind, where the row names the one before that run.
    pub fn rebind(&mut self, earlier: &EarlierResult) {
        if let (Some(etag), Some(moved)) = (&mut self.etag, earlier.moved_to()) {
            etag.value = moved.clone();
        }
    }

    /// Sets the wanted status. Another one than before is a finding of the rule `repeated`.
    pub fn set_status(&mut self, place: Location, value: Status, repeated: Rule) {
        let path = Path::Known(Field::Status);
        if self.base.settles(&path, &json::raw(value.name()), false) {
            return;
        }
        if self.status.as_ref().is_some_and(|other| other.value != value) {
            return self.repeated(place, "/status", repeated);
        }
        self.status.get_or_insert(Located { value, place });
        let unreadable = self.base.expect(place, &path);
        self.findings.extend(unreadable);
    }

    /// Sets the wanted substatus. Another one than before is a finding of the rule `repeated`.
    pub fn set_substatus(&mut self, place: Location, value: Stage, repeated: Rule) {
        let path = Path::Known(Field::Substatus);
        if self.base.settles(&path, &json::raw(value.substatus()), false) {
            return;
        }
        if self.substatus.as_ref().is_some_and(|other| other.value != value) {
            return self.repeated(place, "/substatus", repeated);
        }
        self.substatus.get_or_insert(Located { value, place });
        let unreadable = self.base.expect(place, &path);
        self.findings.extend(unreadable);
    }

    /// Sets a field. The same value again is dropped; another value for the same path is a finding of the rule
    /// `repeated`. Unless the user allowed clearing, a `null` within the value leaves what is there.
    pub fn set(&mut self, place: Location, path: &Path, wanted: Wanted, repeated: Rule) {
        if self.base.settles(path, wanted.raw(), wanted.sign().is_some()) {
            if wanted.condition() == Condition::OtherDay {
                self.base.keep_day(path, wanted.raw());
            }
            return;
        }
        let wanted = if self.options.clear { wanted } else { wanted.keeping() };
        if let Err(error) = fits(path, &wanted) {
            return self.mistyped(place, path.pointer().as_str(), error);
        }
        // An empty text or list takes away what is there just as null does.
        if !self.options.clear && equality::says_nothing(wanted.raw()) {
            return self.cleared(place, path);
        }
        for text in json::texts(wanted.raw()) {
            self.suspect(place, path.pointer().as_str(), &text);
        }
        let earlier = self.sets.iter().find(|set| set.value.0 == *path);
        match earlier.map(|earlier| same(path, &earlier.value.1, &wanted)) {
            Some(true) => {}
            Some(false) => self.repeated(place, path.pointer().as_str(), repeated),
            None if self.has_room(place) => {
                let unreadable = self.base.expect(place, path);
                self.findings.extend(unreadable);
                self.sets.push(Located { value: (path.clone(), wanted), place });
            }
            None => {}
        }
    }

    /// Clears a field, where the user allowed clearing.
    pub fn clear(&mut self, place: Location, path: &Path, repeated: Rule) {
        if self.base.settles(path, RawValue::NULL, false) {
            return;
        }
        if self.options.clear {
            return self.set(place, path, Wanted::clear(), repeated);
        }
        self.cleared(place, path);
    }

    /// Adds the finding that a field would be cleared without leave.
    fn cleared(&mut self, place: Location, path: &Path) {
        let hint = Wording::from("allow it with ").name(Setting::Clear);
        let hint = hint.say("; to leave the field alone, leave it out");
        self.add_finding(Finding::deny(Rule::Clear, place, format!("{path} would be cleared")).hint(hint));
    }

    /// Puts an element into a list. Its key identifies it there: the same element again is dropped, other data under
    /// the same key is a finding.
    pub fn append(&mut self, place: Location, append: Append) {
        if self.base.settles_append(&append) {
            return;
        }
        let Append { field, key, element, .. } = &append;
        let field = *field;
        for text in json::texts(element) {
            self.suspect(place, field.pointer().as_str(), &text);
        }
        let earlier =
            self.appends.iter().find(|append| append.value.field == field && append.value.key == *key);
        let is_same = |earlier: &Located<Append>| {
            // `holds` allows the other side more members, so only both ways make two elements the same.
            let (one, other) = (&*earlier.value.element, &**element);
            equality::holds(field.kind(), &[one], other) && equality::holds(field.kind(), &[other], one)
        };
        match earlier.map(is_same) {
            Some(true) => {}
            Some(false) => self.add_finding(
                Finding::deny(
                    Rule::Contradiction,
                    place,
                    format!("{} is appended to {} twice, with different data", excerpt(key), field.pointer()),
                )
                .hint("keep one of them"),
            ),
            None if self.has_room(place) => {
                self.base.expect_element(&append);
                self.appends.push(Located { value: append, place });
            }
            None => {}
        }
    }

    /// Notes what the row says of a member that it can't change.
    pub fn show(&mut self, place: Location, shown: Shown) {
        self.shown.push(Located { value: shown, place });
    }

    /// Returns the substatus that the row asks for so far.
    pub fn wanted_substatus(&self) -> Option<Stage> {
        self.substatus.as_ref().map(|substatus| substatus.value)
    }

    /// Returns the row as a draft, with its warnings; or everything that is wrong with it.
    pub fn finish(mut self) -> FinishedRow {
        if self.status.is_some() || self.substatus.is_some() {
            self.base.expect_stage();
        }
        // Drafts stay in memory until their referrals are fetched, by the hundred thousand.
        self.sets.shrink_to_fit();
        self.shown.shrink_to_fit();
        if self.id.is_none() {
            // Nothing tells then what the referral has.
            let said =
                std::mem::take(&mut self.provisos).into_iter().flat_map(|proviso| proviso.value.findings);
            let (denied, warned): (Vec<_>, Vec<_>) = said.partition(Finding::is_deny);
            self.findings.extend(denied);
            self.notes.extend(warned);
        }
        if !self.names_referral {
            let finding = Finding::deny(Rule::Id, self.place, "the row names no referral");
            self.add_finding(finding.hint("give the referral's GUID as id, or remove the row"));
        }
        let FinishedSide { values: bases, as_in_base, row } = self.base.finish();
        let draft = self.id.map(|id| Draft {
            id,
            place: self.place,
            etag: self.etag,
            status: self.status,
            substatus: self.substatus,
            sets: self.sets,
            appends: self.appends,
            shown: self.shown,
            provisos: self.provisos,
            bases,
        });
        let (parsed, notes) = match draft {
            Some(draft) if self.findings.is_empty() => (Ok(draft), self.notes),
            partial => {
                self.findings.append(&mut self.notes);
                let (id, place, findings) = (self.id, self.place, self.findings);
                (Err(Rejected { id, place, findings, partial: partial.map(Box::new) }), Vec::new())
            }
        };
        FinishedRow { parsed, notes, as_in_base, base: row }
    }

    /// Adds the finding that a path has two different values.
    fn repeated(&mut self, place: Location, path: &str, rule: Rule) {
        // A member that stands twice under the same name was found as such before, by `object`.
        if !(rule == Rule::DuplicateKey && self.has_found(rule)) {
            let message = format!("{path} is given twice, with different values");
            self.add_finding(Finding::deny(rule, place, message).hint("keep one of them"));
        }
    }

    /// Returns whether the row may ask for another change, and adds the finding the first time that it may not.
    fn has_room(&mut self, place: Location) -> bool {
        if self.sets.len() + self.appends.len() < MAX_CHANGES {
            return true;
        }
        if !std::mem::replace(&mut self.is_full, true) {
            let message = format!("the row asks for more than {MAX_CHANGES} changes");
            self.add_finding(Finding::deny(Rule::Size, place, message).hint("spread them over several rows"));
        }
        false
    }
}

/// Checks that a value can stand at a path, and that any JSON parser can read it.
fn fits(path: &Path, wanted: &Wanted) -> Result<(), TypeError> {
    if let Some(error) = no_object(path, wanted) {
        return Err(error);
    }
    match path.kind() {
        kind @ (Kind::Members | Kind::Solutions) => {
            let elements = json::elements(wanted.raw()).unwrap_or_default();
            elements.into_iter().try_for_each(|element| value::checked_element(kind, element).map(drop))
        }
        Kind::Any => value::readable(wanted.raw()),
        Kind::Text | Kind::Decimal | Kind::Currency | Kind::DateTime | Kind::Boolean => Ok(()),
    }
}

/// Returns what is wrong with a value that would replace an object with known fields by something else.
fn no_object(path: &Path, wanted: &Wanted) -> Option<TypeError> {
    let Path::Opted(pointer) = path else { return None };
    let within = fields::known_within(pointer)?;
    let fits = wanted.is_clear() || wanted.raw().get().starts_with('{');
    (!fits).then(|| TypeError {
        message: format!("{} is no JSON object", excerpt_json(wanted.raw())),
        hint: Some(format!("name a field in it, as in {within}").into()),
    })
}

fn same(path: &Path, one: &Wanted, other: &Wanted) -> bool {
    one.is_clear() == other.is_clear() && equality::same(path.kind(), Some(one.raw()), other.raw())
}
