//! What must hold of a run's way back, when nothing is on its way any more: carried out, it gives every field its old
//! value where nobody else changed the referral since, and overwrites nothing where somebody did. Every field that the
//! journal shows as written is told, in one way alone.

use std::collections::BTreeSet;
use std::sync::Mutex;

use referral_bulk::domain::change::Draft;
use referral_bulk::domain::format::Format;
use referral_bulk::domain::level::Level;
use referral_bulk::domain::outcome::Outcome;
use referral_bulk::domain::rules::Levels;
use referral_bulk::domain::snapshot::Snapshot;
use referral_bulk::domain::way_back::WayBack;
use referral_bulk::input;
use referral_bulk::ledger::{self, LedgerError, SentItem};
use referral_bulk::plan::{Judging, Planned, Planner, ReturnTerms, SentChange, inverse};
use serde_json::{Value, json};
use uuid::Uuid;

use super::clock;
use super::kept::Kept;
use super::scenario::Look;
use super::truth::{By, Truth, is_as_before, same};
use super::world::World;

/// Takes a finished run back, referral by referral, in a service of its own.
pub async fn check(kept: &Kept, world: &Mutex<World>) {
    let reader = ledger::read(kept.address()).await.unwrap();
    let mut all = Vec::new();
    let each = &mut |sent: SentItem| {
        all.push(sent);
        Ok(())
    };
    reader.sent::<LedgerError>(each).await.unwrap();
    let world = &mut *world.lock().unwrap();
    let was_read = world.scenario.look != Look::Blind;
    let terms = ReturnTerms { levels: Levels::default(), was_read, now: clock() };
    for sent in &all {
        let (item, settled, subject) = (&sent.item, sent.settled.as_ref(), sent.subject.as_ref());
        let back = inverse(SentChange { item, settled, subject }, &terms);
        for stuck in &back.stuck {
            world.count(format!("stays: {}", stuck.obstacle.code()));
        }
        let truth = world.truth(item.id).clone();
        let wrong = untold(sent, &back, &truth).or_else(|| taken_back(sent, &back, truth, world).err());
        if let Some(wrong) = wrong {
            world.wrong(format!("{}: {wrong}: {back:?}", item.id));
        }
    }
}

/// What was written and is not told, or is told twice.
fn untold(sent: &SentItem, back: &WayBack, truth: &Truth) -> Option<String> {
    let fields = back.fields.iter().map(|field| field.path.pointer().to_string());
    let all: Vec<String> =
        fields.chain(back.stuck.iter().map(|stuck| stuck.path.pointer().to_string())).collect();
    let told: BTreeSet<&str> = all.iter().map(String::as_str).collect();
    if told.len() < all.len() {
        return Some("a field is told twice".to_owned());
    }
    let outcome = sent.settled.as_ref().map(|settled| settled.verdict.outcome);
    if !matches!(outcome, Some(Outcome::Applied | Outcome::Partial | Outcome::Unknown)) {
        return (!told.is_empty()).then(|| "nothing was written, and some of it is told".to_owned());
    }
    let written = truth.ours().filter(|(_, version)| version.by == By::Ours { late: false });
    let mut changed = written.flat_map(|(at, version)| {
        let before = at.checked_sub(1).map_or(&version.state, |before| &truth.versions[before].state);
        sent.item.changes.iter().map(|change| change.path.pointer().as_str()).filter(move |pointer| {
            let [was, is] =
                [before, &version.state].map(|state| state.pointer(pointer).unwrap_or(&Value::Null));
            !same(was, is)
        })
    });
    // Somebody else may have set it back, before it was read back.
    let found = truth.versions.iter().find(|version| {
        let etag = back.etag.as_ref().map(|etag| etag.as_str());
        etag.is_some() && version.state["eTag"].as_str() == etag
    });
    let is_back = |pointer: &str| {
        found.is_some_and(|found| {
            let change = sent.item.changes.iter().find(|change| change.path.pointer().as_str() == pointer);
            is_as_before(&found.state, std::slice::from_ref(change.unwrap()))
        })
    };
    changed
        .find(|pointer| !told.contains(pointer) && !is_back(pointer))
        .map(|pointer| format!("{pointer} was written, and is not told"))
}

/// Plans the line of a referral at the service as it stands, and carries it out there.
fn taken_back(sent: &SentItem, back: &WayBack, mut truth: Truth, world: &mut World) -> Result<(), String> {
    if back.fields.is_empty() {
        return Ok(());
    }
    let (is_unmoved, item) =
        (back.etag.as_ref().is_some_and(|etag| etag.as_str() == truth.etag()), &sent.item);
    let planned = plan(back, &truth.now().to_string())?;
    if !is_unmoved {
        world.count("the way back is a conflict");
        let outcome = planned.verdict.map(|verdict| verdict.outcome);
        let is_nothing = matches!(outcome, Some(Outcome::Conflict | Outcome::Unchanged));
        return if is_nothing { Ok(()) } else { Err(format!("somebody changed it, and it is {outcome:?}")) };
    }
    if let Some(verdict) = planned.verdict {
        // Somebody may have set the old value himself at the version that was found.
        let held = |pointer: &str, wanted: &Value| {
            same(truth.now().pointer(pointer).unwrap_or(&Value::Null), wanted)
        };
        let is_so = |field: &referral_bulk::domain::way_back::FieldBack| {
            held(field.path.pointer().as_str(), &serde_json::from_str(field.wanted.get()).unwrap())
        };
        let is_so = verdict.outcome == Outcome::Unchanged && back.fields.iter().all(is_so);
        return if is_so { Ok(()) } else { Err(format!("it can't be planned: {verdict:?}")) };
    }
    // What stood there before: in the journal, where it says so, else as the plan saw it.
    let ours: Vec<usize> = truth.ours().map(|(at, _)| at).collect();
    let journal = match ours[..] {
        [one] if item.etag.is_some() => Some(truth.versions[one - 1].state.clone()),
        _ => None,
    };
    truth.patch(planned.item.patch.get(), 0, By::Others)?;
    for field in &back.fields {
        let pointer = field.path.pointer().as_str();
        let seen =
            field.before.as_ref().map_or(Value::Null, |before| serde_json::from_str(before.get()).unwrap());
        let was = journal.as_ref().map_or(&seen, |state| state.pointer(pointer).unwrap_or(&Value::Null));
        let is = truth.now().pointer(pointer).unwrap_or(&Value::Null);
        if !same(is, was) {
            return Err(format!("{pointer} was {was}, and is {is}"));
        }
    }
    world.count("taken back");
    Ok(())
}

/// Plans the change file of a way back.
fn plan(back: &WayBack, current: &str) -> Result<Planned, String> {
    let operation = |field: &referral_bulk::domain::way_back::FieldBack| {
        let value: Value = serde_json::from_str(field.wanted.get()).unwrap();
        json!({ "op": "replace", "path": field.path.pointer().as_str(), "value": value })
    };
    let patch: Vec<Value> = back.fields.iter().map(operation).collect();
    let line =
        json!({ "id": back.id.to_string(), "eTag": back.etag.as_ref().unwrap().as_str(), "patch": patch });
    let mut levels = Levels::default();
    back.let_pass.iter().for_each(|rule| levels.set(*rule, Level::Warn).unwrap());
    let options = input::Options {
        format: Some(Format::Jsonl),
        clear: back.fields.iter().any(|field| field.clears),
        levels: levels.clone(),
        ..input::Options::default()
    };
    let mut draft: Option<Result<Draft, String>> = None;
    let text = line.to_string();
    input::read::<LedgerError>("-", Some(&mut text.as_bytes()), 0, &options, &mut |record| {
        draft = Some(record.parsed.map_err(|rejected| format!("it can't be read: {:?}", rejected.findings)));
        Ok(())
    })
    .unwrap();
    let judging = Judging { levels, now: clock(), new_id: Uuid::nil, inputs: vec!["-".to_owned()] };
    let mut planner = Planner::new(judging);
    planner.add(1, draft.unwrap()?).unwrap();
    Ok(planner.plan(back.id, Some(&Snapshot::whole(current).unwrap()), |_| false).unwrap().unwrap())
}
