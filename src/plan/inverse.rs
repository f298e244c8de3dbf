//! The inverse: from a change that was sent to its way back. Pure.
//!
//! Fields are taken back one by one, but for two things. Status and substatus go together. And of a referral that the
//! run closed nothing goes back: no status leads out of it, and a closed referral takes no further edit, so its other
//! fields stay with the reason for the closing.
//!
//! Always: a value is taken back only where planning saw it, and where a change file can say it so that it means the
//! same again when it is applied; every field that was touched, or may have been, is told in one way or the other.

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::returning_value::{clears, returning};
use crate::domain::account::Settled;
use crate::domain::change::{Desired, Located};
use crate::domain::equality;
use crate::domain::excerpt::excerpt_json;
use crate::domain::fields::{Field, Path};
use crate::domain::finding::{Finding, Location};
use crate::domain::item::{Change, Item};
use crate::domain::json::{self, Object};
use crate::domain::level::Level;
use crate::domain::outcome::Outcome;
use crate::domain::pointer::Pointer;
use crate::domain::referral::{ETag, ReferralId};
use crate::domain::rules::{self, Levels, Rule, transitions};
use crate::domain::status::{Stage, Standing, Status};
use crate::domain::subject::Subject;
use crate::domain::suspect;
use crate::domain::value::Wanted;
use crate::domain::way_back::{FieldBack, Obstacle, StuckField, WayBack};

/// What was sent for a referral, and what became of it.
#[derive(Debug, Clone, Copy)]
pub struct SentChange<'a> {
    /// The item as it was sent last.
    pub item: &'a Item,
    /// Its outcome; `None` where it has none yet, and may have been written.
    pub settled: Option<&'a Settled>,
    /// What people know the referral by, where that was seen.
    pub subject: Option<&'a Subject>,
}

/// What the ways back of a run are judged by.
#[derive(Debug, Clone)]
pub struct ReturnTerms {
    /// The level of every rule.
    pub levels: Levels,
    /// Whether planning looked at the referrals.
    pub was_read: bool,
    /// The current time, which rules about dates compare with.
    pub now: Timestamp,
}

/// The most bytes of values that a line of a change file has room for.
const MOST_BYTES: usize = 15 << 20;

/// Rules about what programs make of texts in files. A value that the service had by itself was never in one.
const ABOUT_FILES: [Rule; 8] = [
    Rule::SpreadsheetError,
    Rule::EmptyWord,
    Rule::RewrittenNumber,
    Rule::MisreadText,
    Rule::HiddenCharacter,
    Rule::LostCharacters,
    Rule::LostZeros,
    Rule::KeptGuard,
];

/// Returns the way back from what was sent. It is empty where nothing was written.
pub fn inverse(sent: SentChange<'_>, terms: &ReturnTerms) -> WayBack {
    let item = sent.item;
    let settled = sent.settled.filter(|settled| settled.verdict.outcome != Outcome::Unknown);
    let Some(settled) = settled else {
        let mut back = WayBack::begin(item.id, None);
        back.stuck = item.changes.iter().map(|change| stuck(change, Obstacle::InDoubt, None)).collect();
        return back;
    };
    let mut back = WayBack::begin(item.id, settled.etag.clone());
    let kept = match settled.verdict.outcome {
        Outcome::Applied => Object::default(),
        Outcome::Partial => settled.theirs.as_deref().and_then(Object::from_raw).unwrap_or_default(),
        _ => return back,
    };
    let inverter = Inverter { item, kept, was_read: terms.was_read };
    let stage = inverter.stage();
    inverter.collect(&stage, &mut back);
    let as_read = back.etag.as_ref().map(|etag| ETag::from_input(etag.as_str()));
    if !as_read.is_some_and(|read| read.ok() == back.etag) {
        // Of one that a change file can't name, the file would be about another version.
        back.hold_back(|_| Some(plainly(Obstacle::NoVersion)));
    }
    if back.fields.iter().map(|field| field.wanted.get().len()).sum::<usize>() > MOST_BYTES {
        let message = "a line of a change file has no room for all of it".to_owned();
        back.hold_back(|_| Some((Obstacle::Denied(Rule::Size), message.clone())));
    }
    let standing = match stage {
        StageBack::Leads { from, .. } => Some(from),
        StageBack::None | StageBack::Stuck(..) => seen_standing(sent.subject),
    };
    judge(&mut back, standing.as_ref(), terms);
    back
}

/// Returns where a referral stood when it was planned, where that was seen.
fn seen_standing(subject: Option<&Subject>) -> Option<Standing> {
    let Subject { status, substatus, .. } = subject?;
    Some(Standing::of(status.as_deref()?, substatus.as_deref().unwrap_or_default()))
}

fn plainly(obstacle: Obstacle) -> (Obstacle, String) {
    (obstacle, obstacle.about().to_owned())
}

/// Makes the entry of a field that can't be taken back.
fn stuck(change: &Change, obstacle: Obstacle, message: Option<String>) -> StuckField {
    StuckField {
        path: change.path.clone(),
        before: change.before.clone(),
        wrote: change.after.clone(),
        obstacle,
        message: message.unwrap_or_else(|| obstacle.about().to_owned()),
    }
}

/// What became of a field.
enum Left<'a> {
    /// It was written as it was sent.
    Written,
    /// It has the value from before.
    Untouched,
    /// It has another value, or nothing tells whether it is that from before.
    Otherwise(Option<&'a RawValue>),
}

/// The way back of status and substatus, which go together.
enum StageBack {
    /// There is nothing to take back.
    None,
    /// Both are set again.
    Leads { from: Standing, to: Stage },
    /// They stay.
    Stuck(Obstacle, String),
}

/// Takes one item back.
struct Inverter<'a> {
    item: &'a Item,
    /// What the service kept in fields that it did not take, by pointer.
    kept: Object<'a>,
    was_read: bool,
}

impl<'a> Inverter<'a> {
    fn was_seen(&self, change: &Change) -> bool {
        self.was_read || change.before.is_some()
    }

    /// Returns what became of a field.
    fn left(&self, change: &Change) -> Left<'a> {
        let Some(kept) = self.kept.get(change.path.pointer().as_str()) else { return Left::Written };
        let kept = Some(kept).filter(|kept| !json::is_null(kept));
        let null = json::raw(&());
        let before = change.before.as_deref().unwrap_or(&null);
        if self.was_seen(change) && equality::same(change.path.kind(), kept, before) {
            Left::Untouched
        } else {
            Left::Otherwise(kept)
        }
    }

    /// Returns the way back of status and substatus.
    fn stage(&self) -> StageBack {
        let of = |field| self.item.changes.iter().find(|change| change.path == Path::Known(field));
        let (status, substatus) = (of(Field::Status), of(Field::Substatus));
        let pair: Vec<&Change> = status.into_iter().chain(substatus).collect();
        if pair.iter().all(|change| matches!(self.left(change), Left::Untouched)) {
            return StageBack::None;
        }
        let (Some(status), Some(substatus)) = (status, substatus) else {
            return StageBack::Stuck(Obstacle::UnknownStage, Obstacle::UnknownStage.about().to_owned());
        };
        if pair.iter().any(|change| !self.was_seen(change)) {
            return StageBack::Stuck(Obstacle::NotSeen, Obstacle::NotSeen.about().to_owned());
        }
        let word = |raw: Option<&RawValue>| raw.and_then(json::string).unwrap_or_default().into_owned();
        let now = |change: &Change| match self.left(change) {
            Left::Written => word(Some(&change.after)),
            Left::Untouched => word(change.before.as_deref()),
            Left::Otherwise(kept) => word(kept),
        };
        let from = Standing::of(&now(status), &now(substatus));
        let before = Standing::of(&word(status.before.as_deref()), &word(substatus.before.as_deref()));
        if from.status() == Some(Status::Closed) && before.status() != Some(Status::Closed) {
            return StageBack::Stuck(Obstacle::Closed, Obstacle::Closed.about().to_owned());
        }
        let Some(to) = before.stage() else {
            return StageBack::Stuck(Obstacle::UnknownStage, format!("{before} is no stage that can be set"));
        };
        if !from.status().is_some_and(|from| transitions::allows(from, to.status())) {
            return StageBack::Stuck(
                Obstacle::Transition,
                format!("a referral that is {from} cannot become {to}"),
            );
        }
        StageBack::Leads { from, to }
    }

    /// Puts every field that was touched into the way back.
    fn collect(&self, stage: &StageBack, back: &mut WayBack) {
        let is_closed = matches!(stage, StageBack::Stuck(Obstacle::Closed, _));
        for change in &self.item.changes {
            let told = match (&change.path, stage) {
                (Path::Known(Field::Status | Field::Substatus), StageBack::None) => continue,
                (Path::Known(Field::Status), StageBack::Leads { to, .. }) => {
                    Ok(json::raw(to.status().name()))
                }
                (Path::Known(Field::Substatus), StageBack::Leads { to, .. }) => Ok(json::raw(to.substatus())),
                (Path::Known(Field::Status | Field::Substatus), StageBack::Stuck(obstacle, message)) => {
                    Err((*obstacle, message.clone()))
                }
                _ => match self.left(change) {
                    Left::Untouched => continue,
                    Left::Written | Left::Otherwise(_) if is_closed => Err(plainly(Obstacle::Closed)),
                    Left::Written => self.value(change),
                    Left::Otherwise(_) if !self.was_seen(change) => Err(plainly(Obstacle::NotSeen)),
                    Left::Otherwise(kept) => {
                        let kept = kept.map_or_else(|| "nothing".to_owned(), excerpt_json);
                        Err((
                            Obstacle::KeptOtherwise,
                            format!("the service kept {kept} in place of what was sent"),
                        ))
                    }
                },
            };
            match told {
                Ok(wanted) => back.fields.push(FieldBack {
                    path: change.path.clone(),
                    clears: clears(change.path.kind(), &change.after, &wanted),
                    wanted,
                    before: change.before.clone(),
                    wrote: change.after.clone(),
                }),
                Err((obstacle, message)) => back.stuck.push(stuck(change, obstacle, Some(message))),
            }
        }
    }

    /// Returns the value that takes a field back which was written as it was sent.
    fn value(&self, change: &Change) -> Result<Box<RawValue>, (Obstacle, String)> {
        match &change.before {
            None if !self.was_read && !change.appended.is_empty() => Err(plainly(Obstacle::ListNotRead)),
            None if !self.was_read => Err(plainly(Obstacle::NotSeen)),
            None if !self.was_there(change.path.pointer()) => Err(plainly(Obstacle::NotThere)),
            Some(_) if change.drops_elements() && !change.is_whole => Err(plainly(Obstacle::SeenInPart)),
            before => returning(&change.path, before.as_deref(), &change.after),
        }
    }

    /// Whether a member without a value was there, as null: then the document replaces it.
    fn was_there(&self, pointer: &Pointer) -> bool {
        let is_replaced = |operation: &RawValue| {
            let operation = Object::from_raw(operation)?;
            let [op, path] = [operation.get("op")?, operation.get("path")?].map(json::string);
            Some(op? == "replace" && path? == pointer.as_str())
        };
        let operations = json::elements(&self.item.patch).unwrap_or_default();
        operations.into_iter().any(|operation| is_replaced(operation) == Some(true))
    }
}

/// Keeps what the rules deny from being taken back.
fn judge(back: &mut WayBack, standing: Option<&Standing>, terms: &ReturnTerms) {
    note_texts(back, &terms.levels);
    // Whatever is denied takes a field out, so this comes to an end.
    while !back.fields.is_empty() {
        let desired = desired(back);
        let changes = back.fields.iter().map(|FieldBack { path, wrote, wanted, .. }| Change {
            path: path.clone(),
            before: Some(wrote.clone()),
            after: wanted.clone(),
            appended: Vec::new(),
            base: None,
            is_whole: false,
        });
        let findings = rules::ask_about_return(&desired, changes, standing, &terms.levels, terms.now);
        let (about_files, denied): (Vec<Finding>, Vec<Finding>) = findings
            .into_iter()
            .filter(Finding::is_deny)
            .partition(|finding| ABOUT_FILES.contains(&finding.rule));
        back.let_pass.extend(about_files.into_iter().map(|finding| finding.rule));
        if denied.is_empty() {
            break;
        }
        let (all, stage) = (desired.place, desired.stage.as_ref().map(|stage| stage.place));
        let places: Vec<(Path, Location)> =
            back.fields.iter().enumerate().map(|(at, field)| (field.path.clone(), place(at))).collect();
        let is_of_one = |finding: &Finding| {
            Some(finding.place) == stage || places.iter().any(|(_, place)| *place == finding.place)
        };
        back.hold_back(|field| {
            let at = places.iter().find(|(path, _)| *path == field.path).map(|(_, place)| *place);
            let is_about = |finding: &&Finding| {
                finding.place == all
                    || !is_of_one(finding)
                    || Some(finding.place) == at
                    || is_stage(&field.path) && Some(finding.place) == stage
            };
            let finding = denied.iter().find(is_about)?;
            Some((Obstacle::Denied(finding.rule), finding.message.clone()))
        });
    }
    back.let_pass.sort_unstable();
    back.let_pass.dedup();
}

/// Notes the rules that would deny texts for what they look like.
fn note_texts(back: &mut WayBack, levels: &Levels) {
    let texts = back.fields.iter().flat_map(|field| json::texts(&field.wanted));
    let found: Vec<Rule> =
        texts.filter_map(|text| suspect::suspicion(&text)).map(|found| found.rule).collect();
    back.let_pass.extend(found.into_iter().filter(|rule| levels.of(*rule) == Level::Deny));
}

fn is_stage(path: &Path) -> bool {
    matches!(path, Path::Known(Field::Status | Field::Substatus))
}

/// Returns the place by which findings about a field are told from those about others.
fn place(at: usize) -> Location {
    Location { input: 0, line: 1, column: u32::try_from(at + 1).unwrap_or(u32::MAX) }
}

/// Returns what the fields ask for, each at a place of its own.
fn desired(back: &WayBack) -> Desired {
    let mut desired = empty(back.id);
    let mut words = (None, None);
    for (at, FieldBack { path, wanted, .. }) in back.fields.iter().enumerate() {
        match path {
            Path::Known(Field::Status) => words.0 = Some(at),
            Path::Known(Field::Substatus) => words.1 = json::string(wanted),
            path => {
                if let Ok(value) = Wanted::from_json(path.kind(), wanted) {
                    desired.sets.push(Located { value: (path.clone(), value), place: place(at) });
                }
            }
        }
    }
    if let (Some(at), Some(substatus)) = words {
        let stage = Stage::of_substatus(&substatus);
        desired.stage = stage.map(|value| Located { value, place: place(at) });
    }
    desired
}

/// Returns what asks for nothing.
fn empty(id: ReferralId) -> Desired {
    Desired {
        id,
        place: Location { input: 0, line: 1, column: 0 },
        etag: None,
        stage: None,
        status_alone: None,
        sets: Vec::new(),
        appends: Vec::new(),
        shown: Vec::new(),
        provisos: Vec::new(),
        bases: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
