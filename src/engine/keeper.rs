//! Puts what a verification finds on record, some at a time.

use jiff::Timestamp;

use super::request_counts::RequestCounts;
use super::verify::{VerifiedCounts, VerifiedSink};
use crate::domain::account::RunStats;
use crate::domain::verification::{StandingCounts, Verification, Verified};
use crate::ledger::{Journal, Ledger, LedgerError, SentItem, VerifiedPart};

/// The most items, and the most bytes of values, that are held until they are put on record.
const MOST_HELD: (usize, usize) = (500, 1 << 20);

/// Where the run stands whose verification is put on record.
#[derive(Debug)]
pub enum Keeping<'a> {
    /// It is at rest.
    AtRest(&'a mut Ledger),
    /// This process is sending it.
    Sending(&'a Journal),
}

/// Puts what a verification finds on record.
pub struct Keeper<'a> {
    keeping: Keeping<'a>,
    counts: &'a RequestCounts,
    part: VerifiedPart,
    /// The bytes of the values that are held.
    size: usize,
}

impl<'a> Keeper<'a> {
    /// Begins a verification of this number at this time: that of a wave, or of the whole run. `in_doubt` is how many
    /// of its items may have been written, of which the run doesn't know.
    pub fn begin(
        keeping: Keeping<'a>,
        counts: &'a RequestCounts,
        number: u64,
        wave: Option<u32>,
        in_doubt: u64,
        at: Timestamp,
    ) -> Self {
        let verification = Verification {
            at,
            ended: None,
            wave,
            counts: StandingCounts::default(),
            left: 0,
            in_doubt,
            get: 0,
            list: 0,
        };
        let part = VerifiedPart { number, verification, items: Vec::new() };
        Self { keeping, counts, part, size: 0 }
    }

    /// Ends the verification, and returns it as it is on record.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub async fn end(mut self, found: VerifiedCounts, at: Timestamp) -> Result<Verification, LedgerError> {
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
        match &mut self.keeping {
            Keeping::AtRest(ledger) => ledger.keep_verified(&self.part).await?,
            Keeping::Sending(journal) => journal.verified(self.part.clone())?,
        }
        self.part.items.clear();
        self.size = 0;
        Ok(())
    }
}

impl VerifiedSink for Keeper<'_> {
    type Error = LedgerError;

    async fn verified(
        &mut self,
        sent: &SentItem,
        verified: Verified,
        so_far: VerifiedCounts,
    ) -> Result<(), LedgerError> {
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
