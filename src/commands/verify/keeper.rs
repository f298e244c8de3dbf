//! Puts what a verification finds on record, some at a time.

use jiff::Timestamp;

use super::super::error::CommandError;
use crate::domain::account::RunStats;
use crate::domain::verification::{StandingCounts, Verification, Verified};
use crate::engine::RequestCounts;
use crate::engine::verify::{VerifiedCounts, VerifiedSink};
use crate::ledger::{Ledger, LedgerError, SentItem, VerifiedPart};

/// The most items, and the most bytes of values, that are held until they are put on record.
const MOST_HELD: (usize, usize) = (500, 1 << 20);

/// Puts what a verification finds on record.
pub(super) struct Keeper<'a> {
    ledger: &'a mut Ledger,
    counts: &'a RequestCounts,
    part: VerifiedPart,
    /// The bytes of the values that are held.
    size: usize,
}

impl<'a> Keeper<'a> {
    /// Begins the verification of this number.
    pub(super) fn begin(
        ledger: &'a mut Ledger,
        counts: &'a RequestCounts,
        number: u64,
        in_doubt: u64,
        at: Timestamp,
    ) -> Self {
        let verification = Verification {
            at,
            ended: None,
            wave: None,
            counts: StandingCounts::default(),
            left: 0,
            in_doubt,
            get: 0,
            list: 0,
        };
        let part = VerifiedPart { number, verification, items: Vec::new() };
        Self { ledger, counts, part, size: 0 }
    }

    /// Ends the verification, and returns it as it is on record.
    pub(super) async fn end(
        mut self,
        found: VerifiedCounts,
        at: Timestamp,
    ) -> Result<Verification, LedgerError> {
        self.part.verification.ended = Some(at);
        self.note(found);
        self.keep().await?;
        Ok(self.part.verification)
    }

    fn note(&mut self, found: VerifiedCounts) {
        let RunStats { get, list, .. } = self.counts.stats();
        let VerifiedCounts { counts, left } = found;
        self.part.verification = Verification { counts, left, get, list, ..self.part.verification.clone() };
    }

    async fn keep(&mut self) -> Result<(), LedgerError> {
        self.ledger.keep_verified(&self.part).await?;
        self.part.items.clear();
        self.size = 0;
        Ok(())
    }
}

impl VerifiedSink for Keeper<'_> {
    type Error = CommandError;

    async fn verified(
        &mut self,
        sent: &SentItem,
        verified: Verified,
        so_far: VerifiedCounts,
    ) -> Result<(), CommandError> {
        let values = verified.fields.iter();
        let size =
            values.map(|field| field.wrote.get().len() + field.now.as_ref().map_or(0, |now| now.get().len()));
        self.size += size.sum::<usize>();
        self.part.items.push((sent.item.number, verified));
        if self.part.items.len() >= MOST_HELD.0 || self.size >= MOST_HELD.1 {
            self.note(so_far);
            self.keep().await?;
        }
        Ok(())
    }
}
