//! An opened run that this process alone may write.

use std::path::Path;

use rusqlite::{Transaction, TransactionBehavior};

use super::batch::Batches;
use super::claims::Claims;
use super::crash_points::Watch;
use super::lock::Lock;
use super::records::number;
use super::store::Store;
use super::totals::totals;
use super::{holder, schema, verified, wal};
use crate::domain::account::InputInfo;
use crate::domain::approval::Approval;
use crate::domain::consent::Consent;
use crate::ledger::backend::RunStore;
use crate::ledger::error::LedgerError;
use crate::ledger::model::{Loss, PlanTotals, RunHeader, VerifiedPart};

/// A locked run that is not sending.
#[derive(Debug)]
pub struct Run {
    pub(super) store: Store,
    pub(super) lock: Lock,
    pub(super) header: RunHeader,
}

impl Run {
    /// Opens a run to carry on with it, and locks it. Every page of the file is checked.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        Store::expect(dir)?;
        let lock = Lock::take(dir)?;
        let store = Store::open(dir)?;
        let header = wal::header(&store, holder::found(dir))?;
        Ok(Self { store, lock, header })
    }

    /// Calls `watch` at every crash point from now on.
    pub fn watch(&mut self, watch: Option<Watch>) {
        self.store.watch = watch;
    }

    /// Writes into a run that nothing is being sent of, all of it or nothing. A ledger of an earlier format is brought
    /// up with it.
    ///
    /// # Errors
    /// [`LedgerError::LogLost`] where the run's log was found to be gone: a new one would hide that.
    pub(super) fn write_at_rest(
        &mut self,
        write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), LedgerError> {
        if let Some(Loss::Found | Loss::Elsewhere) = self.header.loss() {
            return Err(LedgerError::LogLost { dir: self.store.dir.clone() });
        }
        let format = self.store.format;
        let transaction = self.store.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let written = transaction.and_then(|transaction| {
            if format < schema::VERSION {
                schema::bring_up(&transaction, format)?;
            }
            write(&transaction)?;
            transaction.commit()
        });
        self.store.told(written)?;
        self.store.format = schema::VERSION;
        Ok(())
    }
}

impl RunStore for Run {
    type Claims = Claims;
    type Batches = Batches;

    fn header(&self) -> &RunHeader {
        &self.header
    }

    fn dir(&self) -> &Path {
        &self.store.dir
    }

    async fn consent(&self) -> Result<Option<Consent>, LedgerError> {
        self.store.consent()
    }

    async fn approvals(&self) -> Result<Vec<Approval>, LedgerError> {
        self.store.approvals()
    }

    async fn approve(&mut self, approval: &Approval) -> Result<(), LedgerError> {
        self.write_at_rest(|transaction| schema::add_approval(transaction, approval))
    }

    async fn keep_verified(&mut self, part: &VerifiedPart) -> Result<(), LedgerError> {
        self.write_at_rest(|transaction| verified::write(transaction, part))
    }

    async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        self.store.inputs()
    }

    async fn totals(&self) -> Result<PlanTotals, LedgerError> {
        totals(&self.store)
    }

    async fn remaining_rows(&self) -> Result<u64, LedgerError> {
        let count = "SELECT count(*) FROM row JOIN item ON item.number = row.item
                     LEFT JOIN outcome ON outcome.item = item.number WHERE outcome.item IS NULL";
        self.store.told(self.store.connection.query_row(count, [], |row| number(row, 0)))
    }

    async fn begin(self, consent: Option<&Consent>) -> Result<(Claims, Batches), LedgerError> {
        let Self { mut store, mut lock, header } = self;
        // The writer's thread gets a connection of its own; items are claimed through the first one.
        let writing = store.again()?;
        let is_ordered = header.spec.has_turns() && store.has_turns();
        let lost = wal::begin(&mut store, header.lost, consent)?;
        holder::hold(&mut lock, &store.dir)?;
        Ok((Claims::new(store, lost, is_ordered), Batches::new(writing, lock)?))
    }
}
