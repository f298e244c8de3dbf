//! The records of a run, and how each write changes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::account::{InputInfo, RowRecord, RunStats};
use crate::domain::approval::Approval;
use crate::domain::attempt::{AttemptAnswer, Try};
use crate::domain::audit::Audit;
use crate::domain::consent::Consent;
use crate::domain::item::{Effect, Item};
use crate::domain::run_spec::RunSpec;
use crate::domain::step::{Step, StepKind, StepTaken};
use crate::domain::subject::Subject;
use crate::domain::verification::{Verification, Verified};
use crate::ledger::model::{PlanTotals, RunHeader, VerifiedPart};
use crate::ledger::record::Record;
use crate::ledger::ticket::AttemptId;
use crate::ledger::verdict::Resolved;

/// All records of a run.
#[derive(Debug, Clone)]
pub(super) struct RunState {
    /// The run's header. In memory no records can be lost, so it never reports a loss.
    pub(super) header: RunHeader,
    /// Inputs by their numbers, and whether each was read for the current plan.
    pub(super) inputs: BTreeMap<u32, (bool, InputInfo)>,
    /// The rows and items that planning wrote; they don't change any more while the run is sent.
    pub(super) planned: Arc<Planned>,
    /// The numbers of the items in the order in which they are sent; empty where that is the order of the inputs.
    pub(super) turns: Arc<Vec<u64>>,
    /// Outcomes by the number of their item.
    pub(super) outcomes: BTreeMap<u64, Resolved>,
    /// Attempts by their numbers, which are given out in order and never twice.
    pub(super) attempts: BTreeMap<i64, AttemptOnRecord>,
    next_attempt: i64,
    /// Steps by the number of their item, in their order.
    pub(super) steps: BTreeMap<u64, Vec<Arc<Step>>>,
    pub(super) sessions: Vec<RunStats>,
    pub(super) consents: Vec<Consent>,
    pub(super) approvals: Vec<Approval>,
    /// Verifications by their numbers.
    pub(super) verifications: BTreeMap<u64, Verification>,
    /// What was found last of each item, by its number, with the number of the verification.
    pub(super) verified: BTreeMap<u64, (u64, Verified)>,
}

/// The rows and items of a plan, by ordinal and by number.
#[derive(Debug, Clone, Default)]
pub(super) struct Planned {
    pub(super) rows: BTreeMap<u64, RowRecord>,
    pub(super) items: BTreeMap<u64, PlannedItem>,
}

/// An item as it was planned.
#[derive(Debug, Clone)]
pub(super) struct PlannedItem {
    pub(super) item: Arc<Item>,
    pub(super) audit: Option<Audit>,
    pub(super) subject: Option<Subject>,
}

/// An attempt that is on record.
#[derive(Debug, Clone)]
pub struct AttemptOnRecord {
    /// The item as it was sent: after a rebase with another eTag and another document than it was planned
    /// with.
    pub item: Arc<Item>,
    /// When the attempt was about to be sent.
    pub at: Timestamp,
    /// The `client-request-id` GUID of the request.
    pub client_request_id: Uuid,
    /// The answer, where it is known.
    pub answer: Option<AttemptAnswer>,
}

impl AttemptOnRecord {
    /// Returns it in short.
    pub(super) fn in_short(&self) -> Try {
        let answer = self.answer.as_ref();
        Try {
            client_request_id: self.client_request_id,
            at: self.at,
            status: answer.and_then(|answer| answer.status),
            answered: answer.map(|answer| answer.at),
        }
    }
}

/// The reason why something can't be put on record: a defect of the caller.
pub(super) type Defect = String;

impl RunState {
    /// Makes a run whose planning begins.
    pub(super) fn new(spec: RunSpec) -> Self {
        Self {
            header: RunHeader::planning(spec),
            inputs: BTreeMap::new(),
            planned: Arc::default(),
            turns: Arc::default(),
            outcomes: BTreeMap::new(),
            attempts: BTreeMap::new(),
            next_attempt: 1,
            steps: BTreeMap::new(),
            sessions: Vec::new(),
            consents: Vec::new(),
            approvals: Vec::new(),
            verifications: BTreeMap::new(),
            verified: BTreeMap::new(),
        }
    }

    /// Forgets the plan. The requests made for it stay counted, and its inputs stay known until they are read
    /// again.
    pub(super) fn forget_plan(&mut self) {
        self.planned = Arc::default();
        self.turns = Arc::default();
        self.outcomes.clear();
        self.inputs.values_mut().for_each(|(is_read, _)| *is_read = false);
    }

    /// Writes one record; returns the attempt, where it is an intent.
    pub(super) fn write(&mut self, record: &Record) -> Result<Option<AttemptId>, Defect> {
        match record {
            Record::Intent { item, client_request_id, at, waits, .. } => {
                self.expect_item(item.number)?;
                let number = self.next_attempt;
                self.next_attempt += 1;
                let (at, client_request_id) = (*at, *client_request_id);
                let attempt = AttemptOnRecord { item: Arc::clone(item), at, client_request_id, answer: None };
                self.attempts.insert(number, attempt);
                if let Some(waits) = waits {
                    let taken = StepTaken { at, kind: StepKind::Waited(*waits) };
                    self.add_step(item.number, Some(number), taken);
                }
                return Ok(Some(AttemptId::numbered(number)));
            }
            Record::Answer { attempt, answer } => {
                let number = attempt.number();
                let attempt = self.attempts.get_mut(&number).ok_or_else(|| no("attempt", number))?;
                attempt.answer = Some(answer.clone());
            }
            Record::Withdrawal { attempt } => {
                let number = attempt.number();
                self.attempts.remove(&number).ok_or_else(|| no("attempt", number))?;
            }
            Record::Step { item, attempt, taken } => {
                self.expect_item(*item)?;
                self.add_step(*item, attempt.map(AttemptId::number), taken.clone());
            }
            Record::Outcome { item, settled } => {
                self.expect_item(*item)?;
                let resolved = Resolved { planned: false, settled: settled.clone() };
                if self.outcomes.insert(*item, resolved).is_some() {
                    return Err(format!("item {item} has an outcome already"));
                }
            }
            Record::Verified { part } => self.keep_verified(part)?,
        }
        Ok(None)
    }

    fn add_step(&mut self, item: u64, attempt: Option<i64>, taken: StepTaken) {
        let attempt = attempt.map(i64::cast_unsigned);
        self.steps.entry(item).or_default().push(Arc::new(Step { attempt, taken }));
    }

    /// Keeps a part of a verification.
    pub(super) fn keep_verified(&mut self, part: &VerifiedPart) -> Result<(), Defect> {
        self.verifications.insert(part.number, part.verification.clone());
        for (item, verified) in &part.items {
            self.expect_item(*item)?;
            self.verified.insert(*item, (part.number, verified.clone()));
        }
        Ok(())
    }

    fn expect_item(&self, number: u64) -> Result<(), Defect> {
        if self.planned.items.contains_key(&number) { Ok(()) } else { Err(no("item", number)) }
    }

    /// Returns the inputs that were read for the current plan, in their order.
    pub(super) fn inputs_read(&self) -> Vec<InputInfo> {
        self.inputs.values().filter(|(is_read, _)| *is_read).map(|(_, info)| info.clone()).collect()
    }

    /// Returns the attempts at an item, in their order.
    pub(super) fn attempts_at(&self, item: u64) -> impl DoubleEndedIterator<Item = (i64, &AttemptOnRecord)> {
        let attempts = self.attempts.iter().map(|(number, attempt)| (*number, attempt));
        attempts.filter(move |(_, attempt)| attempt.item.number == item)
    }

    /// Returns the rows of an item.
    pub(super) fn rows_of(&self, item: u64) -> impl Iterator<Item = &RowRecord> {
        self.planned.rows.values().filter(move |row| row.item == Some(item))
    }

    /// Returns the items that have no outcome, by number.
    pub(super) fn left(&self) -> impl Iterator<Item = (u64, &PlannedItem)> {
        let items = self.planned.items.iter().map(|(number, item)| (*number, item));
        items.filter(|(number, _)| !self.outcomes.contains_key(number))
    }

    /// Returns the items that have no outcome in the order in which they are sent, each with its place and its number.
    pub(super) fn queue(&self) -> Box<dyn Iterator<Item = (u64, u64, &PlannedItem)> + '_> {
        if self.turns.is_empty() {
            return Box::new(self.left().map(|(number, item)| (number, number, item)));
        }
        let in_turn = (1..).zip(self.turns.iter());
        let left = in_turn.filter(|(_, number)| !self.outcomes.contains_key(number));
        Box::new(left.filter_map(|(place, number)| Some((place, *number, self.planned.items.get(number)?))))
    }

    /// Returns the size of the run, and how much of it is left.
    pub(super) fn totals(&self) -> PlanTotals {
        let is_planned = |number: &u64| self.outcomes.get(number).is_some_and(|resolved| resolved.planned);
        let items = || self.planned.items.iter();
        let to_send = || items().filter(|(number, _)| !is_planned(number));
        let closes = |item: &PlannedItem| item.item.effect == Effect::OneWay;
        let count = |count: usize| count as u64;
        PlanTotals {
            rows: count(self.planned.rows.len()),
            items: count(self.planned.items.len()),
            to_send: count(to_send().count()),
            closing: count(to_send().filter(|(_, item)| closes(item)).count()),
            remaining: count(self.left().count()),
            remaining_closing: count(self.left().filter(|(_, item)| closes(item)).count()),
        }
    }
}

fn no(what: &str, number: impl std::fmt::Display) -> Defect {
    format!("there is no {what} {number}")
}
