//! What must hold where nothing goes wrong but that one referral is poisoned, or that a quota says 503: the
//! others go on, nothing is given up for load, and the run comes to its end.

use referral_bulk::domain::account::RowAccount;
use referral_bulk::domain::outcome::Outcome;
use referral_bulk::domain::referral::ReferralId;
use referral_bulk::engine::Reason;

use super::scenario::{Look, Says};
use super::world::World;

impl World {
    /// A process that carries on has ended. Where others were changed in it, one that is poisoned is no reason
    /// to stop.
    pub fn law_of_other_referrals(&mut self, reason: Option<Reason>) {
        let poisoned = self.scenario.poison.map(|poison| poison.number);
        let others = self.process.changed.iter().any(|id| Some(self.numbers[id]) != poisoned);
        if self.is_alone_to_blame() && others {
            self.count("one referral is poisoned, and others are changed");
            if let Some(reason) = reason {
                self.wrong(format!("one referral stops all others: {reason}"));
            }
        }
    }

    /// Planning was stopped. Where others could be read, one that is poisoned is no reason to.
    pub fn law_of_planning_on(&mut self) {
        let others = self.scenario.look == Look::Live && self.scenario.referrals.len() > 1;
        if self.is_alone_to_blame() && others {
            self.wrong("one referral stops the plan of all others");
        }
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
