//! An opened run that this process alone may write.

use std::path::Path;

use rusqlite::{Transaction, TransactionBehavior};

use super::batch::Batches;
use super::claims::Claims;
use super::crash_points::Watch;
use super::lock::Lock;
use super::records::number;
use super::rest::RestCheck;
use super::store::Store;
use super::totals::totals;
use super::{check, holder, schema, verified, wal};
use crate::domain::account::{InputInfo, Phase};
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
    /// Whether all of it was checked.
    is_whole: bool,
}

/// The size of a file in bytes from which on a run that stopped is checked while it is sent.
pub const LARGE: u64 = 64 << 20;

impl Run {
    /// Opens a run to carry on with it, and locks it. Every page of the file is checked.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        Store::expect(dir)?;
        let lock = Lock::take(dir)?;
        let store = Store::open(dir)?;
        let header = wal::header(&store, holder::found(dir))?;
        Ok(Self::new(store, lock, header))
    }

    /// Opens a run to send it, and locks it. Where it has stopped, none of its records are lost, and its file has more than
    /// `large` bytes, it is checked how far it has come, and all the rest once sending began.
    pub fn open_to_send(dir: &Path, large: u64) -> Result<Self, LedgerError> {
        Store::expect(dir)?;
        let lock = Lock::take(dir)?;
        let store = Store::open_unchecked(dir)?;
        let file = store.file();
        let size = std::fs::metadata(&file).map_err(|error| LedgerError::file(&file, error))?.len();
        if size > large && store.has_blocks() {
            let header = wal::header_first(&store, holder::found(dir))?;
            if header.phase == Phase::Stopped && header.lost.is_none() {
                return Ok(Self { store, lock, header, is_whole: false });
            }
        }
        store.check_pages()?;
        let header = wal::header(&store, holder::found(dir))?;
        Ok(Self::new(store, lock, header))
    }

    /// Makes a run of which all was checked.
    pub(super) fn new(store: Store, lock: Lock, header: RunHeader) -> Self {
        Self { store, lock, header, is_whole: true }
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
        if !self.store.has_blocks() || self.header.phase == Phase::Planning {
            return totals(&self.store);
        }
        // They are numbered from 1 on, and none is left out. Counting would read the whole table.
        let counted = if self.is_whole { "count(*)" } else { "coalesce(max(row), 0)" };
        let rows = format!("SELECT {counted} FROM row");
        let rows = self.store.told(self.store.connection.query_row(&rows, [], |row| number(row, 0)))?;
        Ok(check::blocks(&self.store)?.totals(rows))
    }

    async fn remaining_rows(&self) -> Result<u64, LedgerError> {
        let count = "SELECT count(*) FROM row JOIN item ON item.number = row.item
                     LEFT JOIN outcome ON outcome.item = item.number WHERE outcome.item IS NULL";
        self.store.told(self.store.connection.query_row(count, [], |row| number(row, 0)))
    }

    async fn begin(self, consent: Option<&Consent>) -> Result<(Claims, Batches), LedgerError> {
        let Self { mut store, mut lock, header, is_whole } = self;
        // The writer's thread gets a connection of its own; items are claimed through the first one.
        let writing = store.again()?;
        let is_ordered = header.spec.has_turns() && store.has_turns();
        let lost = wal::begin(&mut store, header.lost, consent)?;
        holder::hold(&mut lock, &store.dir)?;
        // Only now are they there in a ledger of an earlier format.
        let blocks = check::blocks(&store)?;
        let rest = if is_whole { RestCheck::done() } else { RestCheck::begin(&store.dir)? };
        let batches = Batches::new(writing, blocks.clone(), rest.verdict(), lock)?;
        Ok((Claims::new(store, blocks, rest, lost, is_ordered)?, batches))
    }
}
