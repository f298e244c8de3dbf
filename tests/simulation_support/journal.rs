//! The service's own journal: every change that left for it and every look, referral by referral. The life of each row
//! has to tell the same: no request that wasn't made, no answer that wasn't heard, no look that nobody took, and each
//! of those that were, as long as nothing of the ledger was lost on its way to the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use referral_bulk::domain::account::RowAccount;
use referral_bulk::domain::exchange::Failure;
use referral_bulk::domain::life::ItemLife;
use referral_bulk::domain::referral::{ETag, ReferralId};
use referral_bulk::domain::step::{Found, Look, StepKind, Waits};
use referral_bulk::ledger;
use serde_json::Value;
use uuid::Uuid;

use super::kept::Kept;
use super::world::{Answer, World};

/// What happened to every referral while the run was carried out.
#[derive(Debug, Default)]
pub struct Journal {
    of: BTreeMap<ReferralId, Happened>,
    /// Whether the run is planned.
    has_begun: bool,
    /// Whether something of the ledger was ever lost.
    is_lossy: bool,
    /// The pages of the list that were asked for since.
    pages: usize,
}

/// What happened to one referral.
#[derive(Debug, Default)]
struct Happened {
    /// The changes that left, with the versions that they were bound to, in their order.
    sent: Vec<(Uuid, Option<String>)>,
    /// The statuses that they were answered with; none where no answer was heard.
    answers: BTreeMap<Uuid, Option<u16>>,
    /// The versions that it was shown at, of every read that was answered, in their order.
    looks: Vec<Option<String>>,
}

impl Journal {
    /// Begins, when the run is about to be sent: what was read to plan is no look at what was sent.
    pub fn begin(&mut self) {
        self.has_begun = true;
    }

    pub fn sent(&mut self, id: ReferralId, request: Uuid, etag: Option<&ETag>) {
        let etag = etag.map(|etag| etag.as_str().to_owned());
        self.of.entry(id).or_default().sent.push((request, etag));
    }

    /// A page of the list is asked for.
    pub fn listed(&mut self) {
        self.pages += usize::from(self.has_begun);
    }

    /// How often these were read by themselves, and how many pages of the list were.
    pub fn looks(&self, ids: &[ReferralId]) -> (usize, usize) {
        let reads = ids.iter().filter_map(|id| self.of.get(id)).map(|happened| happened.looks.len());
        (reads.sum(), self.pages)
    }

    pub fn heard(&mut self, id: ReferralId, request: Option<Uuid>, answer: &Answer) {
        if !self.has_begun {
            return;
        }
        let happened = self.of.entry(id).or_default();
        match (request, answer) {
            (Some(request), answer) => {
                let status = match answer {
                    Ok(reply) => Some(reply.status),
                    Err(failure) => Failure::status(failure),
                };
                happened.answers.insert(request, status);
            }
            (None, Ok(reply)) => {
                let body: Option<Value> = serde_json::from_str(&reply.body).ok();
                let etag = body.as_ref().and_then(|body| body["eTag"].as_str());
                happened.looks.push(etag.map(ToOwned::to_owned));
            }
            (None, Err(_)) => {}
        }
    }
}

/// The lives of all items that rows belong to.
pub async fn lives(kept: &Kept, rows: &[RowAccount]) -> Vec<ItemLife> {
    let lookup = ledger::look_up(kept.address()).await.unwrap();
    let items: BTreeSet<u64> = rows.iter().filter_map(|row| row.item).collect();
    let mut lives = Vec::new();
    for item in items {
        // Where planning did not complete there may be none yet.
        lives.extend(lookup.item_life(item).await.unwrap());
    }
    lives
}

/// Compares what is told with what happened.
pub fn check(lives: &[ItemLife], lossy: bool, world: &mut World) {
    world.journal.is_lossy |= lossy;
    let is_whole = !world.journal.is_lossy && !world.laws.log_was_lost;
    let mut wrong = Vec::new();
    let nothing = Happened::default();
    let mut is_confirmed_by_list = 0;
    for life in lives {
        let id = life.account.item.id;
        let happened = world.journal.of.get(&id).unwrap_or(&nothing);
        let mut told = |what: String| wrong.push(format!("the life of {id}: {what}"));
        attempts(life, happened, is_whole, &mut told);
        let listed = world.laws.deeds.get(&id).map(|deed| &deed.listed);
        if let Some(etag) = life.steps.iter().find_map(|step| match &step.taken.kind {
            StepKind::Listed { etag } => Some(etag),
            _ => None,
        }) {
            is_confirmed_by_list += 1;
            if !listed.is_some_and(|listed| listed.contains(etag.as_str())) {
                told(format!("no page of the list has shown it at {etag:?}"));
            }
        }
        looks(life, happened, is_whole, &mut told);
        let waited = waited(life);
        let elapsed = Duration::from_millis(world.now());
        if waited > elapsed {
            told(format!("it waited for {waited:?}, and {elapsed:?} have passed"));
        }
    }
    wrong.iter().for_each(|wrong| world.wrong(wrong));
    (0..is_confirmed_by_list).for_each(|_| world.count("a list page has confirmed it"));
    let steps = lives.iter().map(|life| life.steps.len()).sum::<usize>();
    (0..steps).for_each(|_| world.count("a step is told"));
}

/// What is told of attempts are requests that were made, with the answers that were heard. Of a process that was killed
/// an intent may have no request, and an answer may not have come to the disk.
fn attempts(life: &ItemLife, happened: &Happened, is_whole: bool, wrong: &mut impl FnMut(String)) {
    let told = life.attempts.iter().map(|attempt| {
        (attempt.client_request_id, attempt.etag.as_ref().map(|etag| etag.as_str().to_owned()))
    });
    let told: Vec<_> = told.collect();
    let made: Vec<_> = told.iter().filter(|one| happened.sent.contains(one)).cloned().collect();
    let is_told = |one: &&(Uuid, Option<String>)| told.contains(one);
    let remembered: Vec<_> = happened.sent.iter().filter(is_told).cloned().collect();
    if made != remembered {
        wrong(format!("{made:?} are told in this order, and were made as {remembered:?}"));
    }
    if is_whole && told != happened.sent {
        wrong(format!("the attempts {told:?}, and the requests {:?}", happened.sent));
    }
    for attempt in &life.attempts {
        let heard = happened.answers.get(&attempt.client_request_id);
        match (&attempt.answer, heard) {
            (Some(answer), Some(status)) if answer.status == *status => {}
            (None, None) => {}
            (None, Some(_)) if !is_whole => {}
            (told, heard) => wrong(format!("{told:?} is told, and {heard:?} was heard")),
        }
    }
}

/// What is told of looks are reads that were answered, at the versions that they showed.
fn looks(life: &ItemLife, happened: &Happened, is_whole: bool, wrong: &mut impl FnMut(String)) {
    let looks = life.steps.iter().filter_map(|step| match &step.taken.kind {
        StepKind::Looked(look) if look.found != Found::Unreadable => Some(look),
        _ => None,
    });
    let looks: Vec<&Look> = looks.collect();
    if is_whole && looks.len() != happened.looks.len() {
        wrong(format!("{} looks are told, and {} reads were answered", looks.len(), happened.looks.len()));
    }
    let mut reads = happened.looks.iter();
    for look in looks {
        // A version that stands in no body is told where a header has it, or not at all.
        let shown = look.etag.as_ref().map(ETag::as_str);
        let is_it = |read: &Option<String>| match (shown, read) {
            (Some(shown), Some(read)) => shown == read,
            _ => true,
        };
        if !reads.any(is_it) {
            wrong(format!("a look at {shown:?} is told, and {:?} were shown", happened.looks));
            return;
        }
    }
}

/// Everything that an item waited for, one after another.
fn waited(life: &ItemLife) -> Duration {
    let waits = life.steps.iter().filter_map(|step| match &step.taken.kind {
        StepKind::Waited(waits) => Some(waits),
        StepKind::Looked(look) => Some(&look.waits),
        _ => None,
    });
    waits.map(|Waits { rate, pause, held_back, back_off }| *rate + *pause + *held_back + *back_off).sum()
}
