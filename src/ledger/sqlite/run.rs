//! An opened run that this process alone may write.

use std::path::Path;

use super::batch::Batches;
use super::claims::Claims;
use super::crash_points::Watch;
use super::lock::Lock;
use super::records::number;
use super::store::Store;
use super::totals::totals;
use super::{holder, wal};
use crate::domain::account::InputInfo;
use crate::domain::consent::Consent;
use crate::ledger::backend::RunStore;
use crate::ledger::error::LedgerError;
use crate::ledger::model::{PlanTotals, RunHeader};

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
        let is_ordered = header.spec.order.is_some() && store.has_turns();
        let lost = wal::begin(&mut store, header.lost, consent)?;
        holder::hold(&mut lock, &store.dir)?;
        Ok((Claims::new(store, lost, is_ordered), Batches::new(writing, lock)?))
    }
}
