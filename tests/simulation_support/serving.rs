//! What the service does when a request arrives, and what somebody else does to the referrals.

use std::cmp::Reverse;

use referral_bulk::domain::referral::{ETag, ReferralId};
use serde_json::{Value, json};

use super::answer;
use super::fault::{Effect, Fate, Fault};
use super::scenario::{Lists, Look, Order, Says, edit};
use super::truth::{By, Truth, holds, lost};
use super::world::{Answer, Arrival, Ask, Listing, World};

impl World {
    pub fn arrive(&mut self, at: u64, Arrival { call, ask, fate, token }: Arrival) {
        let late = !self.waiting.contains_key(&call);
        let answer = match self.turned_away(at, &ask, fate, token) {
            Some(answer) => answer,
            None => match &ask {
                Ask::Get(id) => self.read(*id, at, fate),
                Ask::List(listing) => self.list(*listing, at, fate),
                Ask::Patch { id, etag, document, .. } => {
                    self.write(*id, etag.as_ref(), document, at, late, fate)
                }
            },
        };
        if let Some((_, waiting)) = self.waiting.get_mut(&call) {
            *waiting = Some(answer);
        }
    }

    /// What any request may meet: a referral that is poisoned, a token that is no good, a quota that is used
    /// up.
    fn turned_away(&mut self, at: u64, ask: &Ask, fate: Fate, token: u64) -> Option<Answer> {
        if self.process.calm {
            return None;
        }
        if let Some(poison) = self.scenario.poison
            && ask.id().is_some_and(|id| self.numbers[&id] == poison.number)
            && (matches!(ask, Ask::Patch { .. }) || !poison.changes_alone)
        {
            self.count(format!("poisoned: {}", poison.status));
            return Some(answer::refusal(poison.status, "poisoned", poison.seconds));
        }
        let expired = self.token.good_until.is_some_and(|until| at >= until);
        if token != self.token.generation || expired {
            self.count("an expired token");
            return Some(answer::refusal(401, "unauthorized", None));
        }
        let quota = self.scenario.quota?;
        self.answered.retain(|before| before + quota.window > at);
        if self.answered.len() < quota.requests {
            self.answered.push(at);
            return None;
        }
        self.count("a quota that is used up");
        let free = self.answered[0] + quota.window - at;
        Some(match quota.says {
            Says::HowLong => answer::throttled(fate.variant, Some(free.div_ceil(1_000))),
            Says::SlowDown => answer::throttled(fate.variant, None),
            Says::Busy => {
                self.count("a 503 for load");
                answer::refusal(503, "", None)
            }
        })
    }

    fn read(&mut self, id: ReferralId, at: u64, fate: Fate) -> Answer {
        if self.gone.contains(&id) {
            return answer::refusal(404, "gone", None);
        }
        let seen_at = self.seen_at(at);
        let truth = self.truth(id);
        let seen = truth.at(seen_at).clone();
        if seen != *truth.now() {
            self.count("a look that lags behind");
        }
        answer::to_read(&seen, fate)
    }

    /// The time whose state a look shows.
    fn seen_at(&self, at: u64) -> u64 {
        if self.process.calm { at } else { at.saturating_sub(self.scenario.lag) }
    }

    /// A page of the list as it stands when the page is asked for: what is changed between two pages may be on both, or
    /// on neither.
    fn list(&mut self, Listing { is_ordered, skip }: Listing, at: u64, fate: Fate) -> Answer {
        let Lists { page, order, are_whole, lag } = self.scenario.lists;
        if is_ordered && order == Order::Refused {
            self.count("a list that takes no order");
            return answer::refusal(400, "badRequest", None);
        }
        let seen_at = self.seen_at(at).min(if self.process.calm { at } else { at.saturating_sub(lag) });
        let mut listed: Vec<&Truth> = self.truths.iter().collect();
        if is_ordered && order == Order::Kept {
            listed.sort_by_key(|truth| Reverse(truth.changed_at(seen_at)));
        }
        let is_missing = |truth: &&Truth| !are_whole && (fate.variant + truth.number()).is_multiple_of(5);
        listed.retain(|truth| !is_missing(truth) && !self.gone.contains(&truth.id()));
        let is_behind = |truth: &&&Truth| truth.at(seen_at) != truth.now();
        let behind = listed.iter().filter(is_behind).count();
        let next = (skip + page < listed.len()).then_some(skip + page);
        let mut shown: Vec<Value> =
            listed.into_iter().skip(skip).take(page).map(|truth| truth.at(seen_at).clone()).collect();
        (0..behind).for_each(|_| self.count("a list that lags behind"));
        if !are_whole && fate.variant.is_multiple_of(4) {
            shown.iter_mut().for_each(|referral| drop(referral.as_object_mut().unwrap().remove("eTag")));
        }
        self.leave_out(fate.variant, &mut shown);
        answer::to_read(&json!({ "value": shown, "next": next }), fate)
    }

    /// What a list or a snapshot leaves out of its referrals.
    fn leave_out(&mut self, which: u64, referrals: &mut [Value]) {
        for (number, referral) in (0..).zip(referrals) {
            if self.scenario.sight.in_part(number, which, referral) {
                self.count("a referral that is shown in part");
            }
        }
    }

    /// All referrals as a snapshot of this moment shows them.
    pub fn a_snapshot(&mut self) -> Vec<Value> {
        let mut all: Vec<Value> = self.truths.iter().map(|truth| truth.now().clone()).collect();
        self.leave_out(0, &mut all);
        all
    }

    fn write(
        &mut self,
        id: ReferralId,
        etag: Option<&ETag>,
        document: &str,
        at: u64,
        late: bool,
        fate: Fate,
    ) -> Answer {
        let edits = if self.process.calm { 0 } else { self.scenario.edits };
        let matches = |truth: &Truth| etag.is_none_or(|etag| etag.as_str() == truth.etag());
        if fate.effect == Effect::None && (!fate.says_yes() || matches(self.truth(id))) {
            return without_effect(self.truth(id), document, fate);
        }
        if self.rng.chance(edits / 2) {
            self.edit(id, at);
        }
        let truth = &mut self.truths[self.numbers[&id]];
        if !matches(truth) {
            return answer::conflict(fate);
        }
        let before = truth.now().clone();
        let partly = Some(document)
            .filter(|_| fate.fault == Some(Fault::Ignored))
            .map(|document| without_one(document, fate));
        let document = partly.as_deref().unwrap_or(document);
        if let Err(why) = truth.patch(document, at, By::Ours { late }) {
            if etag.is_some() && self.scenario.look != Look::Blind {
                self.wrong(format!("the document does not fit the version it was planned from: {why}"));
            }
            return answer::malformed(&why);
        }
        let after = truth.now().clone();
        if partly.is_none() && !holds(&after, &self.laws.deeds[&id].item.changes) {
            self.wrong(format!("{id} does not hold what was wanted once it is written: {after}"));
        }
        // Whoever gives a whole list without looking asks for just that.
        let looked = self.scenario.look != Look::Blind;
        let changes = &self.laws.deeds[&id].item.changes;
        if let Some(lost) = lost(&before, &after, changes, document).filter(|lost| looked || !lost.is_of_list)
        {
            self.wrong(format!("{id}: {}, in {before}", lost.what));
        }
        if let Some(email) = self.taken_off(id, &before, &after) {
            self.wrong(format!("{id}: {email} is no longer on the list, and no row gives it, in {before}"));
        }
        self.note(format!("{id} is written: {after}"));
        if fate.fault == Some(Fault::Overwritten) || self.rng.chance(edits / 2) {
            self.edit(id, at);
        }
        answer::after_writing(&before, &after, (fate.variant >> 8) % 100 < self.scenario.bare, fate)
    }

    /// Somebody else edits a referral.
    pub fn edit(&mut self, id: ReferralId, at: u64) {
        let number = self.numbers[&id];
        self.edits += 1;
        let (pointer, value) = edit(number, self.edits, &mut self.rng);
        self.note(format!("somebody else sets {pointer} of {number} to {value}"));
        self.truths[number].edit(pointer, value, at);
    }

    /// Edits some referrals between looking and sending.
    pub fn edit_early(&mut self) {
        let (ids, now) = (self.numbers.keys().copied().collect::<Vec<_>>(), self.now());
        for id in ids {
            if self.rng.chance(self.scenario.early_edits) {
                self.edit(id, now);
            }
        }
    }
}

/// Of a change that comes to nothing.
fn without_effect(truth: &Truth, document: &str, fate: Fate) -> Answer {
    if fate.fault != Some(Fault::Echo) {
        return answer::without_effect(truth.now(), fate);
    }
    let mut echo = truth.clone();
    match echo.patch(document, 0, By::Others) {
        Ok(()) => answer::echo(truth.now(), echo.now()),
        Err(why) => answer::malformed(&why),
    }
}

/// A document without what it does to one of its fields, unless that is all of it. The stage is taken as a whole
/// or not at all, and so is a list.
fn without_one(document: &str, fate: Fate) -> String {
    let mut operations: Vec<Value> = serde_json::from_str(document).unwrap();
    let field = |operation: &Value| {
        let path = operation["path"].as_str().unwrap().trim_end_matches("/-").to_owned();
        if path == "/substatus" { "/status".to_owned() } else { path }
    };
    let is_parent = |operation: &Value| operation["value"] == json!({});
    let mut fields: Vec<String> = operations.iter().filter(|one| !is_parent(one)).map(field).collect();
    fields.dedup();
    if fields.len() > 1 {
        let ignored = &fields[usize::try_from(fate.variant).unwrap() % fields.len()];
        operations.retain(|operation| field(operation) != *ignored);
    }
    Value::Array(operations).to_string()
}
