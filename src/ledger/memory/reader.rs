//! Reads the account of a run for its reports.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::kept::Memory;
use super::state::{PlannedItem, RunState};
use crate::domain::account::{
    FullRow, InputInfo, ItemAccount, Phase, RowAccount, RowRecord, RowStanding, RunStats,
};
use crate::domain::approval::Approval;
use crate::domain::attempt::PaceRecord;
use crate::domain::consent::Consent;
use crate::domain::item::{Effect, Item};
use crate::domain::outcome::Outcome;
use crate::domain::referral::ReferralId;
use crate::domain::step::Waits;
use crate::domain::verification::{Verification, Verified};
use crate::domain::waves::Wave;
use crate::ledger::account::{self, Attempts, ItemFacts, RowFacts};
use crate::ledger::backend::RunAccount;
use crate::ledger::error::LedgerError;
use crate::ledger::model::{
    PlanTotals, ReferralTotals, RunHeader, SentItem, VerifiedItem, WaveSoFar, summed,
};
use crate::ledger::outstanding::{Due, due, last};
use crate::ledger::verdict::Resolved;

/// A run as it stood when it was opened for reading.
#[derive(Debug)]
pub struct Reader {
    pub(super) state: Arc<RunState>,
}

impl Reader {
    /// Opens a run for reading.
    pub(in crate::ledger) fn open(memory: &Memory) -> Result<Self, LedgerError> {
        memory.read().map(|state| Self { state })
    }

    pub(super) fn facts(&self, row: &RowRecord, attempts: &BTreeMap<u64, Attempts>) -> RowFacts {
        let item = row.item.and_then(|number| self.state.planned.items.get_key_value(&number));
        RowFacts {
            record: row.clone(),
            item: item.map(|(number, planned)| self.item_facts(*number, planned)),
            attempts: row.item.and_then(|item| attempts.get(&item)).cloned().unwrap_or_default(),
        }
    }

    fn item_facts(&self, number: u64, planned: &PlannedItem) -> ItemFacts {
        let resolved = self.state.outcomes.get(&number).cloned();
        ItemFacts {
            findings: planned.item.findings.clone(),
            // An item has the number of its first row.
            first: self.state.planned.rows.get(&number).map(|row| row.place),
            audit: planned.audit.clone(),
            subject: planned.subject.clone(),
            changes: Some(planned.item.changes.clone()),
            resolved,
        }
    }

    /// Returns the attempts by the number of their item.
    pub(super) fn attempts(&self) -> BTreeMap<u64, Attempts> {
        let mut attempts: BTreeMap<u64, Attempts> = BTreeMap::new();
        for (number, attempt) in &self.state.attempts {
            let result = attempt.answer.as_ref().map(|answer| answer.result);
            let of_item = attempts.entry(attempt.item.number).or_default();
            of_item.add(*number, attempt.in_short(), result);
        }
        attempts
    }

    /// Whether a row is reported: what the rows of an input are that was not read to its end is unknown.
    pub(super) fn is_known(&self, row: &RowRecord) -> bool {
        let input = self.state.inputs.get(&row.place.input);
        self.state.header.phase != Phase::Planning || input.is_some_and(|(is_read, _)| *is_read)
    }

    /// Returns the places of items in an order of their own by the number of the item, where the plan has one.
    pub(super) fn turns(&self) -> BTreeMap<u64, u64> {
        self.state.turns.iter().copied().zip(1..).collect()
    }

    /// Returns an item as it was planned, with its rows.
    pub(super) fn item(&self, number: u64, planned: &PlannedItem, turns: &BTreeMap<u64, u64>) -> ItemAccount {
        let decided = self.state.outcomes.get(&number).filter(|resolved| resolved.planned);
        let mut told = ItemAccount {
            item: Item::clone(&planned.item),
            rows: Vec::new(),
            planned: decided.map(|resolved| resolved.settled.verdict.clone()),
            audit: planned.audit.clone(),
            subject: planned.subject.clone(),
            matched: Vec::new(),
            turn: turns.get(&number).copied(),
            wave: account::wave(&self.state.header, turns.get(&number).copied()),
        };
        for row in self.state.rows_of(number) {
            account::add_row(&mut told, row.place, row.findings.clone());
            told.matched.extend(row.matched.clone());
        }
        told
    }

    /// Returns an item as it was sent last, where sending settled it or may have written it.
    fn sent_item(&self, number: u64, planned: &PlannedItem) -> Option<SentItem> {
        let resolved = self.state.outcomes.get(&number);
        let latest = self.state.attempts_at(number).next_back();
        let result = latest.map(|(id, attempt)| (id, attempt.answer.as_ref().map(|answer| answer.result)));
        let is_told = match resolved {
            Some(resolved) => !resolved.planned,
            None => due(last(result, None)) != Due::Send,
        };
        is_told.then(|| SentItem {
            item: Item::clone(latest.map_or(&planned.item, |(_, attempt)| &attempt.item)),
            settled: resolved.map(|resolved| resolved.settled.clone()),
            rows: self.state.rows_of(number).map(|row| row.place).collect(),
            subject: planned.subject.clone(),
        })
    }

    /// Returns the items that were written, with their outcomes.
    fn written(&self) -> impl Iterator<Item = (&Item, &Resolved)> {
        let written = self.state.outcomes.iter().filter(|(_, resolved)| {
            matches!(resolved.settled.verdict.outcome, Outcome::Applied | Outcome::Partial)
        });
        written
            .filter_map(|(number, resolved)| Some((&*self.state.planned.items.get(number)?.item, resolved)))
    }

    /// Whether an item closed its referral. Where the item was applied in part, `theirs` holds the fields
    /// that were not applied.
    fn is_closed(item: &Item, resolved: &Resolved) -> bool {
        let settled = &resolved.settled;
        let kept = settled.theirs.as_ref();
        let kept: BTreeMap<String, serde_json::Value> =
            kept.and_then(|theirs| serde_json::from_str(theirs.get()).ok()).unwrap_or_default();
        let was_taken = settled.verdict.outcome == Outcome::Applied || !kept.contains_key("/status");
        item.effect == Effect::OneWay && was_taken
    }
}

impl RunAccount for Reader {
    fn header(&self) -> &RunHeader {
        &self.state.header
    }

    fn newer(&self) -> Option<i32> {
        None
    }

    /// Checks nothing: there are no pages in memory.
    async fn check_pages(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn consent(&self) -> Result<Option<Consent>, LedgerError> {
        Ok(self.state.consents.last().cloned())
    }

    async fn approvals(&self) -> Result<Vec<Approval>, LedgerError> {
        Ok(self.state.approvals.clone())
    }

    async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        Ok(self.state.inputs_read())
    }

    async fn stats(&self) -> Result<RunStats, LedgerError> {
        Ok(summed(self.state.sessions.iter().copied(), self.state.attempts.len() as u64))
    }

    async fn totals(&self) -> Result<PlanTotals, LedgerError> {
        Ok(self.state.totals())
    }

    async fn referrals(&self) -> Result<ReferralTotals, LedgerError> {
        Ok(ReferralTotals {
            total: self.state.planned.items.len() as u64,
            changed: self.written().count() as u64,
            closed: self.written().filter(|(item, resolved)| Self::is_closed(item, resolved)).count() as u64,
        })
    }

    async fn rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(RowAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        let attempts = self.attempts();
        for row in self.state.planned.rows.values().filter(|row| self.is_known(row)) {
            each(account::row(self.facts(row, &attempts), &self.state.header))?;
        }
        Ok(())
    }

    async fn full_rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(FullRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let attempts = self.attempts();
        for row in self.state.planned.rows.values().filter(|row| self.is_known(row)) {
            let planned = row.item.and_then(|number| self.state.planned.items.get(&number));
            let effect = planned.map(|planned| planned.item.effect);
            each(account::full_row(self.facts(row, &attempts), effect, &self.state.header))?;
        }
        Ok(())
    }

    async fn rows_and_items<E: From<LedgerError>>(
        &self,
        each_row: &mut dyn FnMut(&FullRow) -> Result<(), E>,
        each_item: &mut dyn FnMut(&ItemAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        self.full_rows(&mut |row| each_row(&row)).await?;
        self.items(&mut |item| each_item(&item)).await
    }

    async fn pace<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(PaceRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut attempts = self.state.attempts.values();
        attempts.try_for_each(|attempt| each(PaceRecord::Attempt(attempt.in_short())))?;
        // Steps are kept by their items here.
        let mut waited: Vec<(Timestamp, Waits)> = self
            .state
            .steps
            .values()
            .flatten()
            .filter_map(|step| {
                let waits = step.taken.kind.waits().filter(|waits| waits.are_noteworthy())?;
                Some((step.taken.at, waits))
            })
            .collect();
        waited.sort_by_key(|(at, _)| *at);
        waited.into_iter().try_for_each(|(at, waits)| each(PaceRecord::Waits { at, waits }))
    }

    async fn items<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(ItemAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        let turns = self.turns();
        let mut items = self.state.planned.items.iter();
        items.try_for_each(|(number, planned)| each(self.item(*number, planned, &turns)))
    }

    async fn items_with_rows<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(ItemAccount, Vec<RowStanding>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (attempts, turns) = (self.attempts(), self.turns());
        for (number, planned) in &self.state.planned.items {
            let rows = self.state.rows_of(*number).filter(|row| self.is_known(row));
            let rows = rows.map(|row| account::row(self.facts(row, &attempts), &self.state.header).into());
            each(self.item(*number, planned, &turns), rows.collect())?;
        }
        Ok(())
    }

    async fn sent<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(SentItem) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut items = self.state.planned.items.iter();
        items.try_for_each(|(number, planned)| self.sent_item(*number, planned).map_or(Ok(()), &mut *each))
    }

    async fn sent_item(&self, referral: ReferralId) -> Result<Option<SentItem>, LedgerError> {
        let mut items = self.state.planned.items.iter();
        let found = items.find(|(_, planned)| planned.item.id == referral);
        Ok(found.and_then(|(number, planned)| self.sent_item(*number, planned)))
    }

    async fn written_ids(&self) -> Result<Vec<ReferralId>, LedgerError> {
        Ok(self.written().map(|(item, _)| item.id).collect())
    }

    async fn wave(&self, wave: Wave) -> Result<WaveSoFar, LedgerError> {
        let mut so_far = WaveSoFar::default();
        let mut outcomes = BTreeMap::new();
        for (place, number) in (1..).zip(self.state.turns.iter()) {
            let resolved =
                self.state.outcomes.get(number).filter(|_| (wave.first..=wave.last).contains(&place));
            let Some((resolved, planned)) = resolved.zip(self.state.planned.items.get(number)) else {
                continue;
            };
            let outcome = resolved.settled.verdict.outcome;
            outcomes.entry(outcome.name()).or_insert((outcome, 0)).1 += 1;
            if matches!(outcome, Outcome::Applied | Outcome::Partial) {
                so_far.written.push(planned.item.id);
            }
        }
        so_far.outcomes = outcomes.into_values().collect();
        Ok(so_far)
    }

    async fn verifications(&self) -> Result<Vec<(u64, Verification)>, LedgerError> {
        let verifications = self.state.verifications.iter();
        Ok(verifications.map(|(number, verification)| (*number, verification.clone())).collect())
    }

    async fn verified<E: From<LedgerError>>(
        &self,
        each: &mut dyn FnMut(VerifiedItem) -> Result<(), E>,
    ) -> Result<(), E> {
        for (number, (verification, verified)) in &self.state.verified {
            let Some(planned) = self.state.planned.items.get(number) else { continue };
            each(VerifiedItem {
                number: *number,
                id: planned.item.id,
                rows: self.state.rows_of(*number).map(|row| row.place).collect(),
                subject: planned.subject.clone(),
                verification: *verification,
                verified: verified.clone(),
            })?;
        }
        Ok(())
    }

    async fn last_verified(&self, item: u64) -> Result<Option<(u64, Verified)>, LedgerError> {
        Ok(self.state.verified.get(&item).cloned())
    }
}
