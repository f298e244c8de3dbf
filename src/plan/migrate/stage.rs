//! Compares status and substatus, which go together.

use serde_json::value::RawValue;

use super::diff::Walk;
use super::difference::{Leftover, Resolution};
use super::equivalence::{has_value, is_nothing};
use crate::domain::excerpt::excerpt_json;
use crate::domain::fields::{Field, Kind};
use crate::domain::finding::{Finding, Location};
use crate::domain::json::{self, Object};
use crate::domain::rules::Rule;
use crate::domain::status::{Stage, Status};
use crate::domain::suspect;

/// The two fields of a stage.
const PAIR: [Field; 2] = [Field::Status, Field::Substatus];

/// Compares status and substatus. One that the payload leaves out is kept, and noted.
pub(super) fn compare<'a>(walk: &mut Walk<'a, '_>, given: &Object<'a>, current: &Object<'a>) {
    let named = PAIR.map(|field| given.get(name(field)));
    let unseen =
        |at: &usize| named[*at].is_some() && walk.is_unseen(Kind::Text, current.get(name(PAIR[*at])));
    let unseen: Vec<usize> = (0..2).filter(unseen).collect();
    if !unseen.is_empty() {
        // Status and substatus are judged together, so neither can be where one of them is unseen.
        unseen.into_iter().for_each(|at| {
            let wants = named[at].is_some_and(|named| !is_nothing(named));
            walk.note_unseen(PAIR[at].pointer(), wants);
        });
        return;
    }
    let now = PAIR.map(|field| walk.now(field.pointer()).or_else(|| current.get(name(field))));
    let moves =
        (0..2).any(|at| named[at].is_some_and(|named| !is_nothing(named) && !is_same(named, now[at])));
    for (at, field) in PAIR.into_iter().enumerate() {
        if named[at].is_none() && !moves && now[at].is_some_and(has_value) {
            walk.found.remarks.push(Leftover::new(Rule::OmittedKept, field.pointer()));
        }
        let Some(named) = named[at].filter(|named| !is_same(named, now[at])) else { continue };
        if !is_nothing(named) {
            walk.differ(field.pointer().clone(), Kind::Text, named, now[at], Resolution::Stage);
        } else if moves || walk.is_changed(field.pointer()) {
            // Null beside a name counts as absent: a move needs both names, which is checked later.
        } else if walk.clears() {
            walk.problem(no_clearing(walk.place(), field));
        } else {
            let resolution = Resolution::Left(Rule::NullClear, Vec::new());
            walk.differ(field.pointer().clone(), Kind::Text, named, now[at], resolution);
        }
    }
}

/// Returns the name of a field's member.
fn name(field: Field) -> &'static str {
    &field.pointer().as_str()[1..]
}

/// Whether a name is the one that the referral has, ignoring letter case.
fn is_same(named: &RawValue, now: Option<&RawValue>) -> bool {
    let Some(now) = now.filter(|now| !is_nothing(now)) else { return is_nothing(named) };
    let word = json::string(named).zip(json::string(now));
    named.get() == now.get() || word.is_some_and(|(named, now)| named.eq_ignore_ascii_case(&now))
}

/// Makes the finding that status and substatus cannot be cleared.
fn no_clearing(place: Location, field: Field) -> Finding {
    Finding::deny(
        Rule::Type,
        place,
        format!("{} is null in the payload, and cannot be cleared", field.pointer()),
    )
    .hint("leave it out, or give the status with its substatus")
}

/// Status and substatus of a payload, parsed.
pub(super) struct StageNames {
    pub status: Option<Status>,
    pub substatus: Option<Stage>,
}

/// Parses status and substatus of a payload that moves the referral to another stage.
///
/// # Errors
/// Findings if a name is unknown, or only one of the two is given: it isn't documented what the service would have
/// made of such a PUT.
pub(super) fn stage_names(given: &Object<'_>, place: Location) -> Result<StageNames, Vec<Finding>> {
    let named = |field: Field| given.get(name(field)).filter(|named| !is_nothing(named));
    let status = named(Field::Status).map(|named| {
        let known = || Status::ALL.map(Status::name).join(", ");
        json::string(named)
            .and_then(|word| Status::parse(word.trim()))
            .ok_or_else(|| unknown(place, Field::Status, named, &known()))
    });
    let substatus = named(Field::Substatus).map(|named| {
        let known = || Stage::ALL.map(Stage::substatus).join(", ");
        json::string(named)
            .and_then(|word| Stage::of_substatus(word.trim()))
            .ok_or_else(|| unknown(place, Field::Substatus, named, &known()))
    });
    if let [Some(half), None] | [None, Some(half)] = PAIR.map(named) {
        let (given, lacking) = if status.is_some() { (0, 1) } else { (1, 0) };
        let found = status.and_then(Result::err).or(substatus.and_then(Result::err));
        return Err(found
            .into_iter()
            .chain([half_a_stage(place, PAIR[given], half, PAIR[lacking])])
            .collect());
    }
    match (status.transpose(), substatus.transpose()) {
        (Ok(status), Ok(substatus)) => Ok(StageNames { status, substatus }),
        (status, substatus) => Err(status.err().into_iter().chain(substatus.err()).collect()),
    }
}

/// Makes the finding that only one of status and substatus is given.
fn half_a_stage(place: Location, given: Field, half: &RawValue, lacking: Field) -> Finding {
    let (given, lacking, half) = (name(given), name(lacking), excerpt_json(half));
    let message = format!("the payload moves the referral to the {given} {half} and has no {lacking}");
    Finding::deny(Rule::SubstatusPair, place, message)
        .hint("nothing is guessed from half a stage: give both, or leave both out to keep the stage")
}

/// Makes the finding that a name is unknown.
fn unknown(place: Location, field: Field, named: &RawValue, known: &str) -> Finding {
    let message = format!("{} is no {}", excerpt_json(named), name(field));
    let odd = json::string(named).and_then(|word| suspect::oddity(&word));
    Finding::deny(Rule::Type, place, suspect::with_reason(message, odd)).hint(format!("known are {known}"))
}
