//! Looks up single rows and items of a run.

use super::kept::Memory;
use super::reader::Reader;
use super::state::AttemptOnRecord;
use crate::domain::account::{InputInfo, RowAccount, RowRecord};
use crate::domain::approval::Approval;
use crate::domain::attempt::AttemptAccount;
use crate::domain::consent::Consent;
use crate::domain::finding::Location;
use crate::domain::life::ItemLife;
use crate::domain::referral::ReferralId;
use crate::domain::step::Step;
use crate::ledger::account;
use crate::ledger::backend::{RunAccount, RunLookup};
use crate::ledger::error::LedgerError;
use crate::ledger::model::{LineOfInput, RunHeader};

/// A run as it stood when it was opened to look something up.
#[derive(Debug)]
pub struct Lookup {
    reader: Reader,
}

impl Lookup {
    /// Opens a run to look something up in it.
    pub(in crate::ledger) fn open(memory: &Memory) -> Result<Self, LedgerError> {
        Reader::open(memory).map(|reader| Self { reader })
    }

    /// Returns the rows that are reported, in the order of the input.
    fn rows(&self) -> impl DoubleEndedIterator<Item = &RowRecord> {
        self.reader.state.planned.rows.values().filter(|row| self.reader.is_known(row))
    }

    fn told<'a>(&self, rows: impl Iterator<Item = &'a RowRecord>) -> Vec<RowAccount> {
        let attempts = self.reader.attempts();
        rows.map(|row| account::row(self.reader.facts(row, &attempts), RunLookup::header(self))).collect()
    }
}

impl RunLookup for Lookup {
    fn header(&self) -> &RunHeader {
        RunAccount::header(&self.reader)
    }

    fn newer(&self) -> Option<i32> {
        None
    }

    async fn consents(&self) -> Result<Vec<Consent>, LedgerError> {
        Ok(self.reader.state.consents.clone())
    }

    async fn approvals(&self) -> Result<Vec<Approval>, LedgerError> {
        RunAccount::approvals(&self.reader).await
    }

    async fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        RunAccount::inputs(&self.reader).await
    }

    async fn rows_at(&self, at: LineOfInput, most: usize) -> Result<Vec<RowAccount>, LedgerError> {
        let is_there = |row: &&RowRecord| {
            (row.place.input, row.place.line) == (at.input, at.line)
                && at.column.is_none_or(|column| row.place.column == column)
        };
        Ok(self.told(self.rows().filter(is_there).take(most)))
    }

    async fn rows_beside(&self, at: LineOfInput) -> Result<[Option<RowAccount>; 2], LedgerError> {
        let of_input = || self.rows().filter(|row| row.place.input == at.input);
        let before = of_input().rev().find(|row| row.place.line < at.line);
        let behind = of_input().find(|row| row.place.line > at.line);
        Ok([before, behind].map(|row| self.told(row.into_iter()).pop()))
    }

    /// Nothing is ever damaged here.
    async fn lacks(&self, at: LineOfInput) -> Result<bool, LedgerError> {
        Ok(self.rows_at(at, 1).await?.is_empty())
    }

    async fn rows_naming(&self, id: ReferralId) -> Result<Vec<RowAccount>, LedgerError> {
        Ok(self.told(self.rows().filter(|row| row.id == Some(id))))
    }

    async fn of_engagement(&self, id: ReferralId) -> Result<Vec<ReferralId>, LedgerError> {
        let items = self.reader.state.planned.items.values();
        let of_it = items
            .filter(|planned| planned.subject.as_ref().is_some_and(|subject| subject.engagement == Some(id)));
        Ok(of_it.map(|planned| planned.item.id).collect())
    }

    async fn each_name(&self, each: &mut dyn FnMut(ReferralId, Location)) -> Result<(), LedgerError> {
        self.rows().filter_map(|row| Some((row.id?, row.place))).for_each(|(id, place)| each(id, place));
        Ok(())
    }

    async fn item_life(&self, number: u64) -> Result<Option<ItemLife>, LedgerError> {
        let state = &self.reader.state;
        let Some(planned) = state.planned.items.get(&number) else { return Ok(None) };
        let attempts = state.attempts_at(number).map(|(number, attempt)| AttemptAccount {
            number: number.cast_unsigned(),
            at: attempt.at,
            client_request_id: attempt.client_request_id,
            etag: attempt.item.etag.clone(),
            document: is_another(attempt, planned.item.patch.get()).then(|| attempt.item.patch.clone()),
            answer: attempt.answer.clone(),
        });
        let verified = RunAccount::last_verified(&self.reader, number).await?;
        Ok(Some(ItemLife {
            verified: verified.map(|(_, verified)| verified),
            account: self.reader.item(number, planned, &self.reader.turns()),
            attempts: attempts.collect(),
            steps: state.steps.get(&number).into_iter().flatten().map(|step| Step::clone(step)).collect(),
        }))
    }
}

/// Whether an attempt had another document than the plan's.
fn is_another(attempt: &AttemptOnRecord, planned: &str) -> bool {
    attempt.item.patch.get() != planned
}
