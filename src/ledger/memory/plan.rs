//! Writes a plan. What was taken in is on record once it is kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::kept::{Hold, Memory};
use super::run::Run;
use super::state::{Defect, PlannedItem, RunState};
use crate::domain::account::{InputInfo, Phase, RowRecord, RowText, RunStats, Settled};
use crate::domain::audit::Audit;
use crate::domain::finding::Location;
use crate::domain::item::Item;
use crate::domain::priority::Direction;
use crate::domain::run_spec::RunSpec;
use crate::domain::sort_key::SortKey;
use crate::domain::subject::Subject;
use crate::ledger::backend::PlanStore;
use crate::ledger::error::LedgerError;
use crate::ledger::model::RunHeader;
use crate::ledger::ordering::{KeySource, OrderKeys, Placed};
use crate::ledger::spill::Spill;
use crate::ledger::verdict::Resolved;

/// A run that is being planned.
#[derive(Debug)]
pub struct Plan {
    hold: Hold,
    /// The run as it will be on record next.
    next: RunState,
    /// Items that are not in `next` yet.
    items: Vec<(PlannedItem, Option<Settled>)>,
}

impl Plan {
    /// Begins a run in a place that holds none.
    pub(in crate::ledger) fn create(memory: &Memory, spec: &RunSpec) -> Result<Self, LedgerError> {
        let next = RunState::new(spec.clone());
        let hold = memory.begin(next.clone())?;
        Ok(Self { hold, next, items: Vec::new() })
    }

    fn keep_all(&mut self) -> Result<(), LedgerError> {
        let items = std::mem::take(&mut self.items);
        for (planned, settled) in items {
            let number = planned.item.number;
            let known = &mut Arc::make_mut(&mut self.next.planned).items;
            if known.insert(number, planned).is_some() {
                return Err(self.hold.defect(format!("there are two items {number}")));
            }
            if let Some(settled) = settled {
                self.next.outcomes.insert(number, Resolved { planned: true, settled });
            }
        }
        self.commit()
    }

    fn end(&mut self, phase: Phase, stats: &RunStats) -> Result<(), LedgerError> {
        self.next.sessions.push(*stats);
        self.next.header.phase = phase;
        self.commit()
    }

    fn commit(&self) -> Result<(), LedgerError> {
        self.hold.commit(|run| {
            *run = self.next.clone();
            Ok(())
        })
    }

    /// Returns the first row that would never get an outcome.
    fn loose_row(&self) -> Option<u64> {
        let planned = &self.next.planned;
        let is_loose = |row: &&RowRecord| {
            row.verdict.is_none() && row.item.is_none_or(|item| !planned.items.contains_key(&item))
        };
        planned.rows.values().find(is_loose).map(|row| row.row)
    }

    /// Returns the key of an item that comes first.
    fn best_key(&self, number: u64, planned: &PlannedItem, keys: &OrderKeys) -> Option<SortKey> {
        let keys_of_it: Vec<SortKey> = match &keys.of {
            KeySource::Rows(key) => {
                self.next.rows_of(number).filter_map(|row| key(row.place.input, &row.text)).collect()
            }
            KeySource::Subjects(key) => planned.subject.iter().filter_map(key).collect(),
            KeySource::Inputs => Vec::new(),
        };
        match keys.direction {
            Direction::Asc => keys_of_it.into_iter().min(),
            Direction::Desc => keys_of_it.into_iter().max(),
        }
    }

    /// Checks that no referral has two items, which would overlap.
    fn check_referrals(&self) -> Result<(), Defect> {
        let mut seen = BTreeSet::new();
        let mut items = self.next.planned.items.values();
        match items.find(|planned| !seen.insert(planned.item.id)) {
            Some(second) => Err(format!("there are two items for {}", second.item.id)),
            None => Ok(()),
        }
    }
}

impl PlanStore for Plan {
    type Run = Run;

    async fn again(run: Run) -> Result<(Self, Vec<InputInfo>), LedgerError> {
        let (hold, mut next) = run.into_parts();
        let inputs = next.inputs.values().map(|(_, info)| info.clone()).collect();
        next.forget_plan();
        Ok((Self { hold, next, items: Vec::new() }, inputs))
    }

    fn header(&self) -> &RunHeader {
        &self.next.header
    }

    fn amend(&mut self, spec: RunSpec) -> Result<(), LedgerError> {
        self.next.header.spec = spec;
        Ok(())
    }

    fn spill(&self) -> Result<Spill, LedgerError> {
        Ok(Spill::in_memory(self.hold.name()))
    }

    fn row(&mut self, row: &RowRecord) -> Result<(), LedgerError> {
        let rows = &mut Arc::make_mut(&mut self.next.planned).rows;
        if rows.contains_key(&row.row) {
            return Err(self.hold.defect(format!("there are two rows {}", row.row)));
        }
        rows.insert(row.row, row.clone());
        Ok(())
    }

    fn text_of(&self, row: u64) -> Result<RowText, LedgerError> {
        let found = self.next.planned.rows.get(&row).map(|row| row.text.clone());
        found.ok_or_else(|| self.hold.defect(format!("there is no row {row}")))
    }

    fn input(&mut self, input: u32, info: &InputInfo) -> Result<(), LedgerError> {
        self.next.inputs.insert(input, (true, info.clone()));
        Ok(())
    }

    fn item(
        &mut self,
        item: &Item,
        settled: Option<&Settled>,
        audit: Option<&Audit>,
        subject: Option<&Subject>,
    ) -> Result<(), LedgerError> {
        let planned =
            PlannedItem { item: Arc::new(item.clone()), audit: audit.cloned(), subject: subject.cloned() };
        self.items.push((planned, settled.cloned()));
        Ok(())
    }

    fn retract(&mut self, number: u64) -> Result<(), LedgerError> {
        self.items.retain(|(planned, _)| planned.item.number != number);
        Arc::make_mut(&mut self.next.planned).items.remove(&number);
        self.next.outcomes.remove(&number);
        Ok(())
    }

    async fn keep(&mut self) -> Result<(), LedgerError> {
        self.keep_all()
    }

    fn each_row(&self, each: &mut dyn FnMut(Location, &RowText)) -> Result<(), LedgerError> {
        let rows = self.next.planned.rows.values().filter(|row| row.item.is_some() && row.verdict.is_none());
        rows.for_each(|row| each(row.place, &row.text));
        Ok(())
    }

    async fn put_in_order(&mut self, keys: OrderKeys) -> Result<Placed, LedgerError> {
        self.keep_all()?;
        let (with, without): (Vec<_>, Vec<_>) = self
            .next
            .left()
            .map(|(number, planned)| (self.best_key(number, planned, &keys), number))
            .partition(|(key, _)| key.is_some());
        let mut with = with;
        // A stable sort, either way round: what is equal stays in the order of the inputs.
        with.sort_by(|(one, _), (other, _)| match keys.direction {
            Direction::Asc => one.cmp(other),
            Direction::Desc => other.cmp(one),
        });
        let turns: Vec<u64> = with.iter().chain(&without).map(|(_, number)| *number).collect();
        let has_keys = !matches!(keys.of, KeySource::Inputs);
        let without = if has_keys { without.len() as u64 } else { 0 };
        let placed = Placed { items: turns.len() as u64, without };
        self.next.turns = Arc::new(turns);
        Ok(placed)
    }

    async fn seal(mut self, stats: &RunStats) -> Result<Run, LedgerError> {
        self.keep_all()?;
        if let Some(row) = self.loose_row() {
            return Err(LedgerError::Loose { dir: self.hold.name().to_owned(), row });
        }
        self.check_referrals().map_err(|detail| self.hold.defect(detail))?;
        self.end(Phase::Planned, stats)?;
        Ok(Run::new(self.hold, Arc::new(self.next)))
    }

    async fn abandon(mut self, stats: &RunStats) -> Result<(), LedgerError> {
        self.keep_all()?;
        self.end(Phase::Planning, stats)
    }
}
