//! Referrals that were seen before it is known which of them matter, kept on disk until their rows are read.

use std::collections::HashMap;

use crate::domain::referral::ReferralId;
use crate::domain::snapshot::Snapshot;
use crate::ledger::{LedgerError, Spill, SpillRef};

/// Referrals as they were seen, by their ids. Of each, only its place is in memory.
#[derive(Debug)]
pub struct KeptReferrals {
    spill: Spill,
    places: HashMap<ReferralId, SpillRef>,
}

impl KeptReferrals {
    /// Makes an empty store in a place for texts.
    pub fn new(spill: Spill) -> Self {
        Self { spill, places: HashMap::new() }
    }

    /// Keeps a referral.
    ///
    /// # Errors
    /// Returns an error where there is no room for it.
    pub fn keep(&mut self, referral: &Snapshot<'_>) -> Result<(), LedgerError> {
        let place = self.spill.put(referral.json())?;
        self.places.insert(referral.id(), place);
        Ok(())
    }

    /// Forgets a referral.
    pub fn forget(&mut self, id: ReferralId) {
        self.places.remove(&id);
    }

    /// Returns the text of a referral that was kept.
    ///
    /// # Errors
    /// Returns an error where it can't be read again.
    pub fn of(&mut self, id: ReferralId) -> Result<Option<String>, LedgerError> {
        self.places.get(&id).map(|place| self.spill.text(*place)).transpose()
    }
}
