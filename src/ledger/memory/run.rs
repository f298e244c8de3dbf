//! An opened run that its holder alone may write.

use std::path::Path;
use std::sync::Arc;

use super::batch::Batches;
use super::claims::Claims;
use super::kept::{Hold, Memory};
use super::state::{Defect, RunState};
use crate::domain::account::{InputInfo, Phase};
use crate::domain::approval::Approval;
use crate::domain::consent::Consent;
use crate::ledger::backend::RunStore;
use crate::ledger::error::LedgerError;
use crate::ledger::model::{PlanTotals, RunHeader, VerifiedPart};

/// A held run that is not being sent.
#[derive(Debug)]
pub struct Run {
    hold: Hold,
    /// What is on record; no other holder can change it.
    state: Arc<RunState>,
}

impl Run {
    /// Opens a run to carry on with it, and holds it.
    pub(in crate::ledger) fn open(memory: &Memory) -> Result<Self, LedgerError> {
        let (hold, state) = memory.hold()?;
        Ok(Self::new(hold, state))
    }

    pub(super) fn new(hold: Hold, state: Arc<RunState>) -> Self {
        Self { hold, state }
    }

    /// Writes into a run that nothing is being sent of.
    fn write_at_rest(
        &mut self,
        write: impl FnOnce(&mut RunState) -> Result<(), Defect>,
    ) -> Result<(), LedgerError> {
        self.hold.commit(write)?;
        self.state = self.hold.memory().read()?;
        Ok(())
    }

    pub(super) fn into_parts(self) -> (Hold, RunState) {
        (self.hold, Arc::unwrap_or_clone(self.state))
    }
}

impl RunStore for Run {
    type Claims = Claims;
    type Batches = Batches;

    fn header(&self) -> &RunHeader {
        &self.state.header
    }

    fn dir(&self) -> &Path {
        self.hold.name()
    }

    async fn consent(&self) -> Result<Option<Consent>, LedgerError> {
        Ok(self.state.consents.last().cloned())
    }

    async fn approvals(&self) -> Result<Vec<Approval>, LedgerError> {
        Ok(self.state.approvals.clone())
    }

    async fn approve(&mut self, approval: &Approval) -> Result<(), LedgerError> {
        self.write_at_rest(|run| {
            run.approvals.push(approval.clone());
            Ok(())
        })
    }

    async fn keep_verified(&mut self, part: &VerifiedPart) -> Result<(), LedgerError> {
        self.write_at_rest(|run| run.keep_verified(part))
    }

    async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        Ok(self.state.inputs_read())
    }

    async fn totals(&self) -> Result<PlanTotals, LedgerError> {
        Ok(self.state.totals())
    }

    async fn remaining_rows(&self) -> Result<u64, LedgerError> {
        Ok(self.state.left().map(|(number, _)| self.state.rows_of(number).count() as u64).sum())
    }

    async fn begin(self, consent: Option<&Consent>) -> Result<(Claims, Batches), LedgerError> {
        self.hold.commit(|run| {
            run.header.phase = Phase::Stopped;
            run.consents.extend(consent.cloned());
            Ok(())
        })?;
        Ok((Claims::new(self.hold.memory().clone()), Batches::new(self.hold)))
    }
}
