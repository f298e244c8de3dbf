//! What must hold where nothing goes wrong but that one referral is poisoned, or that a quota says 503: the
//! one that is poisoned ends by name, the others end as they would without it, nothing is given up for load,
//! and the run comes to its end.

use referral_bulk::domain::account::RowAccount;
use referral_bulk::domain::outcome::Outcome;
use referral_bulk::domain::referral::ReferralId;
use referral_bulk::engine::StopReason;

use super::scenario::Says;
use super::truth::holds;
use super::world::World;

impl World {
    /// A process that carries on has ended. Where others were changed in it, one that is poisoned is no reason
    /// to stop.
    pub fn law_of_other_referrals(&mut self, reason: Option<StopReason>) {
        let poisoned = self.scenario.poison.map(|poison| poison.number);
        let others = self.process.changed.iter().any(|id| Some(self.numbers[id]) != poisoned);
        if self.is_alone_to_blame() && others {
            self.count("one referral is poisoned, and others are changed");
            if let Some(reason) = reason {
                self.wrong(format!("one referral stops all others: {}", reason.wording().as_str()));
            }
        }
    }

    /// Planning was stopped. Where others could be read, one that is poisoned is no reason to.
    pub fn law_of_planning_on(&mut self) {
        let others = self.scenario.look.is_live() && self.scenario.referrals.len() > 1;
        if self.is_alone_to_blame() && others {
            self.wrong("one referral stops the plan of all others");
        }
    }

    /// Why a poisoned referral can't have come to this: it ends as what its answers say, with their status. It
    /// is left unknown only where reading it back is poisoned too, or may not tell since no version guards it;
    /// and what was there before is taken for ours only where none does.
    pub fn not_by_name(&mut self, id: ReferralId, row: &RowAccount) -> Option<&'static str> {
        let poison = self.scenario.poison.filter(|poison| poison.number == self.numbers[&id])?;
        let is_plain = self.scenario.is_plain() && self.scenario.quota.is_none() && !self.process.calm;
        if !is_plain || row.attempts == 0 || row.at.is_none() {
            return None;
        }
        let (truth, deed) = (self.truth(id), &self.laws.deeds[&id]);
        let (outcome, is_so) = (row.verdict.outcome, row.verdict.status == Some(poison.status));
        let is_excused = match outcome {
            Outcome::Unknown => !poison.changes_alone || !deed.is_guarded,
            Outcome::Applied => !deed.is_guarded && holds(truth.now(), &deed.item.changes),
            // Read back, it shows another version than the row names.
            Outcome::Conflict => deed.item.is_bound,
            _ => false,
        };
        let wanted = if poison.status == 401 { Outcome::Refused } else { Outcome::Failed };
        if outcome == wanted && is_so {
            self.count("poisoned, and it ends by name");
            return None;
        }
        (!is_excused).then_some("it is poisoned, and does not end by that name")
    }

    /// Whether all rows but those of a poisoned referral are to end as if there were none: nothing else goes
    /// wrong, and no process ends before its time.
    pub fn is_to_be_compared(&self) -> bool {
        let is_let_be = self.scenario.endings.iter().all(Option::is_none);
        self.scenario.poison.is_some() && self.scenario.is_plain() && is_let_be
    }

    /// Compares the rows with those of the same run without the poison.
    pub fn law_of_the_others(&mut self, unpoisoned: &Self) {
        self.count("the others are compared");
        let poisoned = self.scenario.poison.map(|poison| poison.number);
        let of = |world: &Self| -> Vec<_> {
            let others = world.laws.words.iter().filter(|((id, _), _)| Some(world.numbers[id]) != poisoned);
            // Codes are the server's, and it has several for the same.
            others.map(|((_, row), word)| (*row, word.split(',').next().unwrap().to_owned())).collect()
        };
        let (with, without) = (of(self), of(unpoisoned));
        if with != without {
            self.wrong(format!("others end as {with:?}, and as {without:?} where none is poisoned"));
        }
        self.laws.broken.extend(unpoisoned.laws.broken.iter().cloned());
    }

    /// Whether a process meets no trouble but a poisoned referral.
    fn is_alone_to_blame(&self) -> bool {
        let process = &self.process;
        self.scenario.poison.is_some()
            && self.scenario.quota.is_none()
            && self.scenario.is_plain()
            && process.is_let_be
            && !process.calm
    }

    /// Why a row can't have come to this for a quota that says 503 to what is too much.
    pub fn given_up_for_load(&self, id: ReferralId, row: &RowAccount) -> Option<&'static str> {
        let is_busy =
            self.scenario.quota.is_some_and(|quota| quota.says == Says::Busy && quota.window <= 1_000);
        let is_guarded = self.laws.deeds[&id].is_guarded;
        let plain = is_busy && self.scenario.is_plain() && self.scenario.poison.is_none();
        match row.verdict.outcome {
            Outcome::Failed if plain => Some("it was given up for load"),
            Outcome::Unknown if plain && is_guarded && row.at.is_some() => {
                Some("it is left unknown for load")
            }
            _ => None,
        }
    }
}
