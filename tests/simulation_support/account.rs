//! What must hold of the books whenever a process has ended: they balance, and they say what is true.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use referral_bulk::domain::account::{Phase, RowAccount};
use referral_bulk::domain::item::Change;
use referral_bulk::domain::outcome::Outcome;
use referral_bulk::domain::referral::ReferralId;
use referral_bulk::ledger::{self, LedgerError, Loss};
use referral_bulk::report::Tally;
use serde_json::Value;
use serde_json::value::RawValue;

use super::journal;
use super::kept::{Bound, Kept};
use super::laws::Standing;
use super::ms;
use super::scenario::Order;
use super::truth::{By, holds, holds_some, is_as_before};
use super::world::World;

/// Milliseconds after which a look that shows nothing is believed, even where it is the end of the row.
const PATIENCE: u64 = 7_500;

/// Looks at the books of a run whose process has ended. In a lossy way, if it was killed or its ledger was
/// taken away.
pub async fn check(kept: &Kept, lossy: bool, world: &Mutex<World>) {
    let reader = ledger::read(kept.address()).await.unwrap();
    let (phase, inputs) = (reader.header().phase, reader.inputs().await.unwrap());
    let mut rows = Vec::new();
    let each = &mut |row| {
        rows.push(row);
        Ok(())
    };
    reader.rows::<LedgerError>(each).await.unwrap();
    let lives = journal::lives(kept, &rows).await;
    let world = &mut *world.lock().unwrap();
    // One that is not missed held nothing but what is in the database: then all is to be as ever.
    let missed = match kept {
        Kept::Files(dir) if reader.header().loss() == Some(Loss::Found) => Some(dir),
        Kept::Files(_) | Kept::Memory(_) => None,
    };
    if missed.is_some() {
        world.laws.lose_log();
        world.count("a log that is missed");
        if !world.log_is_lost() {
            world.wrong("the log is missed, and was not lost");
        }
    }
    let (mut books, mut seen) = (Tally::new(inputs.len()), BTreeSet::new());
    for row in rows {
        books.add(&row);
        if let Some(id) = row.id.filter(|id| seen.insert(*id)) {
            if let Some(dir) = missed {
                forget_attempts(dir, id, &row, world);
            }
            check_attempts(id, &row, lossy, world);
        }
        check_row(&row, phase, world);
    }
    journal::check(&lives, lossy, world);
    if let Err(imbalance) = books.balance(&inputs) {
        world.wrong(imbalance.to_string());
    }
    let open = books.count(Outcome::Unsent) + books.count(Outcome::Planned);
    if phase == Phase::Finished && open > 0 {
        world.wrong("the run is finished, and rows have no outcome");
    }
    // Of an input that was not read to its end nothing is told.
    let is_known = phase != Phase::Planning || !inputs.is_empty();
    if books.total() != if is_known { world.scenario.rows.len() as u64 } else { 0 } {
        world.wrong("the books have another number of rows than the input");
    }
}

/// What was requested and is not on record was lost with the log, and is in doubt for that. What the next process
/// knows of the versions that the item was bound to is on record, be it of an attempt that never left.
fn forget_attempts(dir: &Path, id: ReferralId, row: &RowAccount, world: &mut World) {
    let (is_rebased, Some(deed)) = (world.scenario.rebase, world.laws.deeds.get_mut(&id)) else { return };
    let Bound { etag, patch, versions } = Bound::of(dir, id);
    let is_right = match &etag {
        None => !deed.is_guarded,
        Some(version) => {
            let etag = etag.as_ref();
            deed.versions.contains(version.as_str())
                || deed.may_be_bound_to(etag)
                || is_rebased && deed.may_be_rebased_to(etag)
        }
    };
    if is_right {
        (deed.item.etag, deed.item.patch) = (etag, patch);
    }
    deed.versions.retain(|version| versions.contains(version));
    deed.forgotten = (deed.sent + deed.lost).saturating_sub(u64::from(row.attempts));
    if row.at.is_none() {
        deed.ever_in_doubt = true;
        // Whatever is known of it from outside: the program has to read it back.
        deed.standing = Standing::Doubt;
    }
}

/// One attempt on record is one request; where something was lost, one of an item may never have left.
fn check_attempts(id: ReferralId, row: &RowAccount, lossy: bool, world: &mut World) {
    let Some(deed) = world.laws.deeds.get_mut(&id) else { return };
    let on_record = u64::from(row.attempts) + deed.forgotten;
    let left = deed.sent + deed.lost;
    if lossy && on_record == left + 1 {
        deed.lost += 1;
    } else if on_record != left {
        return world.wrong(format!("{id}: {on_record} attempts on record, and {left} requests"));
    }
    // Of what was lost on its way to the disk the next process knows nothing.
    deed.ever_in_doubt |= lossy && on_record > 0;
}

fn check_row(row: &RowAccount, phase: Phase, world: &mut World) {
    let (Some(id), outcome) = (row.id, row.verdict.outcome) else { return };
    if !world.laws.deeds.contains_key(&id) {
        // Its item was never made, since planning was stopped, or it is none of ours.
        return;
    }
    let told = format!("{id} is {} ({}): {}", outcome.name(), row.verdict.code, row.verdict.message.as_str());
    if row.at.is_some() {
        let word = format!("{}, {}", outcome.name(), row.verdict.code);
        let earlier = world.laws.words.entry((id, row.row)).or_insert_with(|| word.clone()).clone();
        world.laws.deeds.get_mut(&id).unwrap().settled = true;
        if earlier != word {
            world.wrong(format!("{told}, and was {earlier}"));
        }
    }
    let why = match outcome {
        Outcome::Applied => not_applied(id, row, world),
        Outcome::Unknown if row.at.is_some() => could_be_told(id, row, world),
        Outcome::Unknown if world.laws.log_was_lost => None,
        Outcome::Unknown => (row.attempts == 0).then_some("it was never sent"),
        Outcome::Unchanged if row.attempts == 0 => world.never_so(id, row),
        // Against the service, whatever isn't shown is read.
        Outcome::Invalid if world.scenario.look.is_live() && row.verdict.code == "incomplete-state" => {
            Some("nobody read it by itself")
        }
        Outcome::Unchanged | Outcome::Invalid => (row.attempts > 0).then_some("it was sent"),
        Outcome::Planned => (phase != Phase::Planned).then_some("the run has begun"),
        Outcome::Conflict | Outcome::Refused => unprovoked(id, row, world)
            .or_else(|| nobody_elses(id, row, world))
            .or_else(|| applied(id, row, world)),
        Outcome::Failed | Outcome::Unsent => applied(id, row, world),
        Outcome::Partial => not_partly_applied(id, row, world),
    };
    let why = why.or_else(|| world.given_up_for_load(id, row)).or_else(|| world.not_by_name(id, row));
    if let Some(why) = why {
        world.wrong(format!("{told}: {why}"));
    }
    world.note(told);
}

/// Why it cannot be said that a change was made, or that the referral held it otherwise.
fn not_applied(id: ReferralId, row: &RowAccount, world: &mut World) -> Option<&'static str> {
    let (truth, deed) = (world.truth(id), &world.laws.deeds[&id]);
    let decided = ms(row.at.unwrap());
    let first = deed.first_sent.unwrap_or(0);
    let since = truth.versions.iter().skip(first).take_while(|version| version.at <= decided);
    let mut held = since.filter(|version| holds(&version.state, &deed.item.changes));
    if deed.is_bare {
        return Some("no answer shows it");
    }
    held.next().is_none().then_some("the service never held it")
}

/// Why it cannot be said that only some of a change was made: at the version that was found, all of it is there
/// or nothing, or the service never made any of it.
fn not_partly_applied(id: ReferralId, row: &RowAccount, world: &World) -> Option<&'static str> {
    let (truth, deed) = (world.truth(id), &world.laws.deeds[&id]);
    let changes = &deed.item.changes;
    let Some(etag) = &row.etag else { return Some("its version is not told") };
    let found = truth.versions.iter().find(|version| version.state["eTag"] == etag.as_str());
    let Some(found) = found else { return Some("there never was such a version") };
    let is_part = |change| holds(&found.state, std::slice::from_ref(change));
    let some = changes.iter().any(is_part) || has_some_elements(&found.state, changes);
    let decided = ms(row.at.unwrap());
    // Somebody else may have set one of the very values.
    let made = truth.versions.iter().any(|version| version.by != By::Seed && version.at <= decided);
    if holds(&found.state, changes) {
        Some("all of it is there")
    } else if !some && !matches!(found.by, By::Ours { .. }) {
        // A version of our own may hold none of it, where that was ignored.
        Some("nothing of it is there")
    } else {
        (!made).then_some("it was never made")
    }
}

/// Whether a list has some of the elements that were to be appended.
fn has_some_elements(state: &Value, changes: &[Change]) -> bool {
    changes.iter().any(|change| {
        let list = state.pointer(change.path.pointer().as_str()).and_then(Value::as_array);
        let has = |element: &RawValue| {
            list.is_some_and(|list| list.contains(&serde_json::from_str(element.get()).unwrap()))
        };
        change.appended.iter().any(|element| has(element))
    })
}

/// Why a change that was sent can't be held against somebody else.
fn nobody_elses(id: ReferralId, row: &RowAccount, world: &World) -> Option<&'static str> {
    let (truth, deed) = (world.truth(id), &world.laws.deeds[&id]);
    if row.verdict.outcome != Outcome::Conflict || row.attempts == 0 {
        return None;
    }
    let edited = truth.versions.iter().any(|version| version.by == By::Others);
    if !edited && truth.ours().next().is_some() {
        return Some("it is our own doing");
    }
    let read = deed.last_read.as_ref().filter(|_| deed.looked_since)?;
    if read["eTag"].as_str().is_some_and(|etag| deed.versions.contains(etag)) {
        return Some("the version that was sent was there when it was looked at");
    }
    let was_seen = deed.item.changes.iter().all(|change| change.before.is_some());
    let is_unbound = deed.item.etag.is_none() && !world.scenario.rebase;
    (is_unbound && was_seen && is_as_before(read, &deed.item.changes)).then_some("all was as planned from")
}

/// Why it cannot be said that a change was not made: the service made it, and whoever looked could have seen
/// that. What arrives when nobody waits for it any more, or is overwritten before anybody looks, can't be seen.
fn applied(id: ReferralId, row: &RowAccount, world: &mut World) -> Option<&'static str> {
    let (truth, deed) = (world.truth(id), &world.laws.deeds[&id]);
    let decided = row.at.map_or(u64::MAX, ms);
    let lags = world.scenario.lag > PATIENCE;
    let mut unseen = None;
    for (at, version) in truth.ours().filter(|(_, version)| version.at <= decided) {
        let mut reads = deed.reads.iter().filter(|read| **read >= at).peekable();
        let looked = reads.peek().is_some();
        if reads.any(|read| holds(&truth.versions[*read].state, &deed.item.changes)) {
            return Some("the service made it, and it was seen when it was read back");
        }
        let mut later = deed.reads.iter().filter(|read| **read >= at);
        if later.any(|read| holds_some(&truth.versions[*read].state, &deed.item.changes)) {
            return Some("the service made it, and some of it was seen when it was read back");
        }
        if lags && !looked {
            continue;
        }
        if !looked && version.by == (By::Ours { late: false }) {
            return Some("the service made it, and nobody looked");
        }
        unseen = Some(if looked { "overwritten before it was read back" } else { "made after all was told" });
    }
    if let Some(unseen) = unseen {
        world.count(unseen);
    }
    None
}

/// Why nobody can have said no: the service did not, and no one else has changed the referral.
fn unprovoked(id: ReferralId, row: &RowAccount, world: &World) -> Option<&'static str> {
    let (truth, deed) = (world.truth(id), &world.laws.deeds[&id]);
    let said_so = row.verdict.status.is_some_and(|status| deed.refusals.contains(&status));
    let edited = truth.versions.iter().any(|version| version.by == By::Others);
    let is_bound_to = |etag: &str| deed.item.etag.as_ref().is_none_or(|bound| bound.as_str() == etag);
    // A row may bind its change to a version that there never was.
    let never_fits =
        !truth.versions.iter().any(|version| version.state["eTag"].as_str().is_some_and(is_bound_to));
    let conflicts = row.verdict.outcome == Outcome::Conflict && (edited || never_fits);
    (row.attempts > 0 && !said_so && !conflicts).then_some("nobody gave a reason")
}

/// Why reading back could have told what became of a change.
fn could_be_told(id: ReferralId, row: &RowAccount, world: &World) -> Option<&'static str> {
    let (deed, decided) = (&world.laws.deeds[&id], row.at.map_or(u64::MAX, ms));
    if !deed.ever_in_doubt {
        return Some("there was no reason to doubt");
    }
    let Some(read) = &deed.last_read else { return (!deed.looked).then_some("nobody looked") };
    if deed.item.etag.is_some() {
        let unseen = deed.item.changes.iter().filter(|change| change.before.is_none());
        let may_be_there = unseen.clone().any(|change| holds(read, std::slice::from_ref(change)));
        if !deed.is_contradicted && !may_be_there {
            return Some("the eTag tells");
        }
        let is_too_soon = deed.is_contradicted && decided < deed.answered_at + PATIENCE;
        return is_too_soon.then_some("a look that lags behind would have been waited for");
    }
    if holds(read, &deed.item.changes) {
        return Some("the referral held it");
    }
    let repeatable = !deed.is_blind_append() && is_as_before(read, &deed.item.changes);
    (repeatable && !deed.is_refused).then_some("the referral was as before, and it may be sent again")
}

/// Where nothing goes wrong, every yes to a change shows nothing, and the list shows everything, one look at a referral
/// and one at the list confirm them all.
fn few_requests(world: &mut World) {
    let is_refused = world.scenario.lists.order == Order::Refused;
    let changed = world.laws.deeds.iter().filter(|(_, deed)| deed.sent > 0 && deed.refusals.is_empty());
    let changed: Vec<ReferralId> = changed.map(|(id, _)| *id).collect();
    let (looks, pages) = world.journal.looks(&changed);
    let most = match changed.len() {
        // The second is the only one that is left then.
        few @ 0..=2 => (few, 0),
        _ => (1, 1 + usize::from(is_refused)),
    };
    if (looks, pages) != most {
        world.wrong(format!("{looks} looks and {pages} pages confirm {} changes", changed.len()));
    }
    if changed.len() > 2 {
        world.count("a page confirms all but one");
    }
}

/// What must hold when nothing is on its way any more.
pub fn check_end(world: &mut World) {
    if world.scenario.is_quiet() {
        few_requests(world);
    }
    let mut wrong = Vec::new();
    for (id, deed) in &world.laws.deeds {
        let made = world.truth(*id).ours().count();
        let once = deed.is_guarded || deed.is_blind_append();
        if once && made > 1 {
            wrong.push(format!("{id} was written {made} times"));
        }
        if made as u64 > deed.sent {
            wrong.push(format!("{id} was written {made} times, and sent {} times", deed.sent));
        }
        if !deed.settled {
            wrong.push(format!("{id} has no outcome"));
        }
    }
    wrong.iter().for_each(|wrong| world.wrong(wrong));
}
