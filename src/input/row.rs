//! One row while it is being read: values go in, a [`Draft`] or all of its findings come out.
//!
//! Both forms of change files end here, so that a value is typed, cleared and refused in the same way
//! and in the same words whichever file it stands in.

use serde_json::value::RawValue;

use super::options::Options;
use super::told::EarlierResult;
use crate::domain::change::{Append, Draft, Located, Rejected};
use crate::domain::equality;
use crate::domain::excerpt::{excerpt, excerpt_json};
use crate::domain::fields::{self, Field, Kind, Path};
use crate::domain::finding::{Finding, Location};
use crate::domain::json::{self, MAX_DEPTH};
use crate::domain::level::Level;
use crate::domain::pointer::Pointer;
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::rules::Rule;
use crate::domain::setting::Setting;
use crate::domain::status::{Stage, Status};
use crate::domain::suspect::{self, Suspicion};
use crate::domain::type_error::TypeError;
use crate::domain::value::{self, Wanted};
use crate::domain::wording::Wording;

/// The most changes that one row may ask for. A referral has fewer fields; the rest are list elements.
pub(super) const MAX_CHANGES: usize = 1_000;

/// A row, half read.
pub(super) struct RowBuilder<'o> {
    options: &'o Options,
    place: Location,
    id: Option<ReferralId>,
    etag: Option<Located<ETag>>,
    status: Option<Located<Status>>,
    substatus: Option<Located<Stage>>,
    sets: Vec<Located<(Path, Wanted)>>,
    appends: Vec<Located<Append>>,
    findings: Vec<Finding>,
    notes: Vec<Finding>,
    names_referral: bool,
    crowded: bool,
}

impl<'o> RowBuilder<'o> {
    pub fn new(options: &'o Options, place: Location) -> Self {
        Self {
            options,
            place,
            id: None,
            etag: None,
            status: None,
            substatus: None,
            sets: Vec::new(),
            appends: Vec::new(),
            findings: Vec::new(),
            notes: Vec::new(),
            names_referral: false,
            crowded: false,
        }
    }

    /// Puts on record what keeps the row from being a change.
    pub fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Puts on record what a text looks like, at the level that the user gave its rule.
    fn suspect(&mut self, place: Location, name: &str, text: &str) {
        let Some(Suspicion { rule, message, hint }) = suspect::suspicion(text) else { return };
        let level = self.options.levels.of(rule);
        let finding = Finding::new(rule, level, place, format!("{name}: {message}")).hint(hint);
        match level {
            Level::Allow => {}
            Level::Warn => self.notes.push(finding),
            Level::Deny => self.findings.push(finding),
        }
    }

    /// Whether a rule has found something already.
    pub fn has_found(&self, rule: Rule) -> bool {
        self.findings.iter().any(|finding| finding.rule == rule)
    }

    /// Whether something was found at one of these places, or between them.
    pub fn has_found_between(&self, from: Location, to: Location) -> bool {
        self.findings.iter().any(|finding| (from..=to).contains(&finding.place))
    }

    /// The value is not of its type, as another part of the program found.
    pub fn mistyped(&mut self, place: Location, name: &str, error: TypeError) {
        let finding = Finding::deny(Rule::Type, place, format!("{name}: {}", error.message));
        self.find(match error.hint {
            Some(hint) => finding.hint(hint),
            None => finding,
        });
    }

    /// The same of a text, which may itself tell why, and what would help.
    pub fn mistyped_text(&mut self, place: Location, name: &str, text: &str, error: TypeError) {
        self.mistyped(place, name, suspect::explained(text, error));
    }

    /// Which referral the row is about.
    pub fn id(&mut self, place: Location, text: &str) {
        self.names_referral = true;
        match text.parse::<ReferralId>() {
            Ok(id) if self.id.is_some_and(|other| other != id) => self.find(
                Finding::deny(Rule::Id, place, "the row names two referrals").hint("keep one of the ids"),
            ),
            Ok(id) => self.id = Some(id),
            Err(error) => self.find(Finding::deny(Rule::Id, place, error.to_string()).hint(
                suspect::remedy(text).unwrap_or("a referral's id is a GUID, or a URL that ends in one"),
            )),
        }
    }

    /// Names the referral of a row that is no good anyway, if the text does; it is no finding where
    /// it doesn't.
    pub fn id_if_any(&mut self, text: &str) {
        self.names_referral = true;
        self.id = self.id.or(text.parse().ok());
    }

    /// The row lacks an id for a reason that a finding tells already.
    pub fn excuse_id(&mut self) {
        self.names_referral = true;
    }

    /// Whether the row said which referral it is about, rightly or not.
    pub fn names_referral(&self) -> bool {
        self.names_referral
    }

    /// The version that the row is bound to.
    pub fn etag(&mut self, place: Location, text: &str) {
        if let Some(hint) = suspect::remedy(text) {
            let message = format!("{} is no eTag", excerpt(text));
            return self.mistyped(place, "eTag", TypeError::new(message, hint));
        }
        match ETag::from_input(text) {
            Ok(etag) if self.etag.as_ref().is_some_and(|other| other.value != etag) => {
                self.repeated(place, "eTag", Rule::DuplicateKey);
            }
            Ok(etag) => self.etag = Some(Located { value: etag, place }),
            Err(error) => {
                let hint = "copy the eTag as the service gave it, or leave it out";
                self.mistyped_text(place, "eTag", text, TypeError::new(error.to_string(), hint));
            }
        }
    }

    /// Where it names a version that an earlier run moved, it is bound to the one that this led to.
    pub fn rebind(&mut self, told: &EarlierResult) {
        if let (Some(etag), Some(moved)) = (&mut self.etag, told.moved_to()) {
            etag.value = moved.clone();
        }
    }

    /// The wanted status by name.
    pub fn status(&mut self, place: Location, text: &str, repeated: Rule) {
        let Some(value) = Status::parse(text.trim()) else {
            let names: Vec<&str> = Status::ALL.iter().map(|status| status.name()).collect();
            let mut finding = unknown_name(place, "status", text, &names);
            if let Some(stage) = Stage::of_substatus(text.trim()) {
                finding = finding.hint(format!(
                    "{} is a substatus, of {}",
                    stage.substatus(),
                    stage.status().name()
                ));
            }
            return self.find(finding);
        };
        if self.status.as_ref().is_some_and(|other| other.value != value) {
            return self.repeated(place, "/status", repeated);
        }
        self.status.get_or_insert(Located { value, place });
    }

    /// The wanted substatus by name.
    pub fn substatus(&mut self, place: Location, text: &str, repeated: Rule) {
        let Some(value) = Stage::of_substatus(text.trim()) else {
            let names = Stage::ALL.map(Stage::substatus);
            let mut finding = unknown_name(place, "substatus", text, &names);
            if let Some(status) = Status::parse(text.trim()) {
                let of: Vec<&str> = status.stages().map(Stage::substatus).collect();
                finding = finding.hint(format!(
                    "{} is a status; its substatuses are {}",
                    status.name(),
                    of.join(", ")
                ));
            }
            return self.find(finding);
        };
        if self.substatus.as_ref().is_some_and(|other| other.value != value) {
            return self.repeated(place, "/substatus", repeated);
        }
        self.substatus.get_or_insert(Located { value, place });
    }

    /// Sets a field. The same once more is no harm; something else under the same path is a finding
    /// of `repeated`. Without leave to clear, a `null` within the value may not take anything away.
    pub fn set(&mut self, place: Location, path: &Path, wanted: Wanted, repeated: Rule) {
        let wanted = if self.options.clear { wanted } else { wanted.keeping() };
        if let Err(error) = fits(path, &wanted) {
            return self.mistyped(place, path.pointer().as_str(), error);
        }
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
            None if self.has_room(place) => self.sets.push(Located { value: (path.clone(), wanted), place }),
            None => {}
        }
    }

    /// Asks for a field to be cleared.
    pub fn clear(&mut self, place: Location, path: &Path, repeated: Rule) {
        if self.options.clear {
            return self.set(place, path, Wanted::clear(), repeated);
        }
        self.cleared(place, path);
    }

    fn cleared(&mut self, place: Location, path: &Path) {
        let hint = Wording::from("allow it with ").name(Setting::Clear);
        let hint = hint.say("; to leave the field alone, leave it out");
        self.find(Finding::deny(Rule::Clear, place, format!("{path} would be cleared")).hint(hint));
    }

    /// The wish to clear what cannot be cleared.
    pub fn uncleared(&mut self, place: Location, name: &str) {
        self.find(
            Finding::deny(Rule::Type, place, format!("{name} cannot be cleared"))
                .hint("leave it out to leave it as it is"),
        );
    }

    /// Appends an element to a list. The same once more is dropped.
    pub fn append(&mut self, place: Location, field: Field, key: String, element: Box<RawValue>) {
        for text in json::texts(&element) {
            self.suspect(place, field.pointer().as_str(), &text);
        }
        let earlier =
            self.appends.iter().find(|append| append.value.field == field && append.value.key == key);
        let is_same = |earlier: &Located<Append>| {
            let (one, other) = (&*earlier.value.element, &*element);
            equality::holds(field.kind(), &[one], other) && equality::holds(field.kind(), &[other], one)
        };
        match earlier.map(is_same) {
            Some(true) => {}
            Some(false) => self.find(
                Finding::deny(
                    Rule::Contradiction,
                    place,
                    format!(
                        "{} is appended to {} twice, with different data",
                        excerpt(&key),
                        field.pointer()
                    ),
                )
                .hint("keep one of them"),
            ),
            None if self.has_room(place) => {
                self.appends.push(Located { value: Append { field, key, element }, place });
            }
            None => {}
        }
    }

    /// Checks a JSON object and appends it to a list.
    pub fn append_object(&mut self, place: Location, field: Field, element: &RawValue) {
        match value::checked_element(field.kind(), element) {
            Ok(key) => self.append(place, field, key, element.to_owned()),
            Err(error) => self.mistyped(place, field.pointer().as_str(), error),
        }
    }

    /// Appends members written as `First, Last, phone, email`.
    pub fn append_members(&mut self, place: Location, field: Field, text: &str) {
        match value::members(text) {
            Ok(members) => {
                for (key, element) in members {
                    self.append(place, field, key, element);
                }
            }
            Err(TypeError { message, hint }) => {
                let hint = suspect::remedy(text).map(Wording::from).or(hint);
                // Whatever looks like a hyphen may be one in a name.
                let message = suspect::with_reason(message, suspect::unseen(text));
                self.mistyped(place, field.pointer().as_str(), TypeError { message, hint });
            }
        }
    }

    /// A value for what the service alone writes.
    pub fn read_only(&mut self, place: Location, pointer: &Pointer) {
        self.find(
            Finding::deny(Rule::ReadOnlyPath, place, format!("{pointer} is written by the service alone"))
                .hint("leave it out"),
        );
    }

    /// A value for a path that nobody confirms.
    pub fn unconfirmed(&mut self, place: Location, pointer: &Pointer, hint: Wording) {
        let message = format!("{} is not documented as patchable", excerpt(pointer.as_str()));
        self.find(Finding::deny(Rule::UnconfirmedPath, place, message).hint(hint));
    }

    /// A JSON value has more levels than any referral.
    pub fn nested_too_deep(&mut self, place: Location) {
        let message = format!("the JSON is nested more than {MAX_DEPTH} levels deep");
        self.find(Finding::deny(Rule::Size, place, message).hint("a referral nests five levels"));
    }

    /// The row as a draft, or everything that is wrong with it; and what else was found about a draft.
    pub fn finish(mut self) -> (Result<Draft, Rejected>, Vec<Finding>) {
        // It stays in memory until its referral is looked at.
        self.sets.shrink_to_fit();
        if !self.names_referral {
            let finding = Finding::deny(Rule::Id, self.place, "the row names no referral");
            self.find(finding.hint("give the referral's GUID as id, or remove the row"));
        }
        let draft = self.id.map(|id| Draft {
            id,
            place: self.place,
            etag: self.etag,
            status: self.status,
            substatus: self.substatus,
            sets: self.sets,
            appends: self.appends,
        });
        match draft {
            Some(draft) if self.findings.is_empty() => (Ok(draft), self.notes),
            partial => {
                self.findings.append(&mut self.notes);
                let (id, place, findings) = (self.id, self.place, self.findings);
                (Err(Rejected { id, place, findings, partial: partial.map(Box::new) }), Vec::new())
            }
        }
    }

    fn repeated(&mut self, place: Location, path: &str, rule: Rule) {
        // A member that stands twice under the same name was found as such before.
        if !(rule == Rule::DuplicateKey && self.has_found(rule)) {
            let message = format!("{path} is given twice, with different values");
            self.find(Finding::deny(rule, place, message).hint("keep one of them"));
        }
    }

    fn has_room(&mut self, place: Location) -> bool {
        if self.sets.len() + self.appends.len() < MAX_CHANGES {
            return true;
        }
        if !std::mem::replace(&mut self.crowded, true) {
            let message = format!("the row asks for more than {MAX_CHANGES} changes");
            self.find(Finding::deny(Rule::Size, place, message).hint("spread them over several rows"));
        }
        false
    }
}

/// Whether a value can stand at a path, and be read by whoever it is sent to.
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

/// What is wrong with a value that would take the place of an object that holds known fields.
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

fn unknown_name(place: Location, what: &str, text: &str, names: &[&str]) -> Finding {
    let legal = names.join(", ");
    let likely = names
        .iter()
        .map(|name| (strsim::jaro_winkler(&start_of(text), &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let hint = match likely {
        Some((_, name)) => format!("did you mean {name}? known are {legal}"),
        None => format!("known are {legal}"),
    };
    let message = suspect::with_reason(format!("{} is no {what}", excerpt(text)), suspect::oddity(text));
    Finding::deny(Rule::Type, place, message).hint(hint)
}

/// As much of a typed name as is worth comparing.
fn start_of(text: &str) -> String {
    text.trim().chars().take(40).collect::<String>().to_lowercase()
}
