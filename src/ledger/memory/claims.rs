//! Hands out the items of a started run that are left.

use std::cell::Cell;
use std::sync::Arc;

use super::kept::Memory;
use super::state::{PlannedItem, RunState};
use crate::domain::item::Item;
use crate::ledger::backend::ItemClaims;
use crate::ledger::error::LedgerError;
use crate::ledger::model::Outstanding;
use crate::ledger::outstanding::{due, last, may_arrive};

/// The items of a started run that have no outcome, for the one process that sends it.
#[derive(Debug)]
pub struct Claims {
    memory: Memory,
    /// The number of the last item that was claimed, or its place in an order of the plan's own.
    claimed: Cell<u64>,
    /// The last place that is handed out.
    until: Cell<u64>,
}

impl Claims {
    pub(super) fn new(memory: Memory) -> Self {
        Self { memory, claimed: Cell::new(0), until: Cell::new(u64::MAX) }
    }
}

impl ItemClaims for Claims {
    fn up_to(&self, place: u64) {
        self.until.set(place);
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Outstanding>, LedgerError> {
        let (run, claimed) = (self.memory.read_open()?, self.claimed.get());
        let left =
            run.queue().filter(|(place, ..)| *place > claimed && *place <= self.until.get()).take(limit);
        let page: Vec<(u64, Outstanding)> =
            left.map(|(place, number, planned)| (place, outstanding(number, planned, &run))).collect();
        if let Some((last, _)) = page.last() {
            self.claimed.set(*last);
        }
        Ok(page.into_iter().map(|(_, left)| left).collect())
    }

    async fn outstanding(&self, item: u64) -> Result<Option<Outstanding>, LedgerError> {
        let run = self.memory.read_open()?;
        let planned = run.planned.items.get(&item).filter(|_| !run.outcomes.contains_key(&item));
        Ok(planned.map(|planned| outstanding(item, planned, &run)))
    }

    async fn rows_of(&self, item: u64) -> Result<u64, LedgerError> {
        Ok(self.memory.read_open()?.rows_of(item).count() as u64)
    }

    async fn is_any_left(&self) -> Result<bool, LedgerError> {
        Ok(self.memory.read_open()?.left().next().is_some())
    }

    /// Nothing in memory is damaged.
    async fn whole(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    fn stop_checking(&self) {}
}

fn outstanding(number: u64, planned: &PlannedItem, run: &RunState) -> Outstanding {
    let mut item = Item::clone(&planned.item);
    let mut versions: Vec<_> = item.etag.iter().cloned().collect();
    let (mut latest, mut answer, mut doubted) = (None, None, false);
    for (id, attempt) in run.attempts_at(number) {
        let result = attempt.answer.as_ref().map(|answer| answer.result);
        let code = attempt.answer.as_ref().and_then(|answer| answer.code.as_ref());
        doubted |= may_arrive(result, code.is_some());
        versions.extend(attempt.item.etag.clone());
        (latest, answer) = (Some((id, result)), attempt.answer.as_ref());
        item.etag.clone_from(&attempt.item.etag);
        item.patch.clone_from(&attempt.item.patch);
        item.changes.clone_from(&attempt.item.changes);
    }
    Outstanding {
        item: Arc::new(item),
        due: due(last(latest, None)),
        sent: latest.is_some(),
        doubted,
        lost: false,
        status: answer.and_then(|answer| answer.status),
        code: answer.and_then(|answer| answer.code.clone()),
        versions,
    }
}
