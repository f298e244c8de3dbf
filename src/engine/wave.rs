//! Reads a wave back before the next one goes: what it changed is compared with the referrals as they stand, and that
//! goes on record with the run, so that whoever carries on with it knows how far it has come.

use super::context::Context;
use super::keeper::{Keeper, Keeping};
use super::service::Api;
use super::verify::verify;
use crate::domain::outcome::Outcome;
use crate::domain::verification::Verification;
use crate::domain::waves::{Wave, WaveResult};
use crate::ledger::{Journal, LedgerError, Reader, WaveSoFar};

/// How a wave stands by what is on record.
#[derive(Debug)]
pub struct WaveStanding {
    so_far: WaveSoFar,
    is_settled: bool,
    verification: Option<Verification>,
}

impl WaveStanding {
    /// Reads how a wave stands.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn read(wave: Wave, reader: &Reader) -> Result<Self, LedgerError> {
        let so_far = reader.wave(wave).await?;
        let is_settled = so_far.settled() == wave.size();
        let of_wave = |verification: &Verification| {
            verification.wave == Some(wave.number) && verification.ended.is_some() && verification.left == 0
        };
        let verifications = reader.verifications().await?.into_iter().map(|(_, verification)| verification);
        let verification = verifications.rev().find(of_wave);
        Ok(Self { so_far, is_settled, verification })
    }

    /// Whether each of its items has an outcome.
    pub fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Returns what came of it, where it is settled and was read back to its end.
    pub fn result(&self) -> Option<WaveResult> {
        let verification = self.verification.as_ref().filter(|_| self.is_settled)?;
        Some(result(self.so_far.clone(), verification))
    }
}

/// Reads a settled wave back, puts on record what is found, and returns it. Ends early where `context.stop` is set.
///
/// # Errors
/// Where the ledger can't be read or written.
pub async fn verify_wave<A: Api>(
    context: &Context<'_, A>,
    wave: Wave,
    reader: &Reader,
    journal: &Journal,
) -> Result<WaveResult, LedgerError> {
    let so_far = reader.wave(wave).await?;
    let number = reader.verifications().await?.last().map_or(1, |(number, _)| number + 1);
    let in_doubt = of(&so_far, Outcome::Unknown);
    let keeping = Keeping::Sending(journal);
    let mut keeper =
        Keeper::begin(keeping, &context.counts, number, Some(wave.number), in_doubt, (context.clock)());
    let found = verify(context, reader, so_far.written.clone(), &mut keeper).await?;
    let verification = keeper.end(found, (context.clock)()).await?;
    Ok(result(so_far, &verification))
}

fn result(so_far: WaveSoFar, verification: &Verification) -> WaveResult {
    let Verification { counts, left, .. } = verification;
    WaveResult { outcomes: so_far.outcomes, standings: *counts, left: *left }
}

fn of(so_far: &WaveSoFar, outcome: Outcome) -> u64 {
    so_far.outcomes.iter().filter(|(found, _)| *found == outcome).map(|(_, count)| count).sum()
}
