//! What a survey asks referrals for: the inputs of a run, held until each referral was read.

use std::fs::File;
use std::io::Read;

use super::error::CommandError;
use super::made_from::{ComparedRows, MadeFrom};
use super::plan_writer::{Halt, PlanWriter};
use crate::domain::account::RowRecord;
use crate::domain::change::{Draft, Rejected};
use crate::domain::outcome::Verdict;
use crate::domain::pointer::Pointer;
use crate::domain::referral::ReferralId;
use crate::domain::run_spec::Base;
use crate::domain::snapshot::Snapshot;
use crate::input::{self, Record};
use crate::ledger::{LedgerError, Spill, SpillRef};
use crate::plan::{Aside, Compared, Planned, Planner};
use crate::report::grouped;

/// What the inputs want of referrals, held until each referral was read.
pub trait Source {
    /// Reads every input to its end, or until the run is stopped. Items that can be decided without reading
    /// their referrals are written to the ledger.
    ///
    /// # Errors
    /// Returns an error where an input can't be read at all, or the ledger can't be written.
    fn read(&mut self, writer: &mut PlanWriter<'_>) -> Result<(), CommandError>;

    /// Returns the referrals that must be read, ordered by their first row.
    fn wanted(&self) -> Vec<ReferralId>;

    /// Returns the number of wanted referrals.
    fn remaining(&self) -> usize;

    /// Returns whether a referral is wanted.
    fn wants(&self, id: ReferralId) -> bool;

    /// Makes the item of a referral from its state; `current` is `None` in a plan without state. The referral
    /// is wanted no longer, unless `keep` says of the planned item that this state is not the last word.
    ///
    /// # Errors
    /// Returns an error where the ledger can't be read.
    fn plan(
        &mut self,
        id: ReferralId,
        current: Option<&Snapshot<'_>>,
        writer: &PlanWriter<'_>,
        keep: &dyn Fn(&Planned) -> bool,
    ) -> Result<Option<Planned>, LedgerError>;

    /// Whether every wanted referral is to be changed at a place that is hidden, so that it can't be planned without a
    /// look at what is there. Where that can't be told, it isn't so.
    ///
    /// # Errors
    /// Returns an error where what the inputs want can't be read again.
    fn all_hang_on(&mut self, is_hidden: &dyn Fn(&Pointer) -> bool) -> Result<bool, LedgerError> {
        let _ = is_hidden;
        Ok(false)
    }

    /// Puts a referral back among those to read, because its item was made from data that may be outdated.
    fn reopen(&mut self, id: ReferralId);

    /// Makes the item of a referral that could not be read. `verdict` says why.
    fn absent(&mut self, id: ReferralId, verdict: Verdict) -> Option<Planned>;

    /// Makes the item of a referral that a snapshot file doesn't hold. `engagement_of` is a referral whose
    /// engagement has this id, where there is one.
    ///
    /// # Errors
    /// Returns an error where what the inputs want can't be read again.
    fn not_in_snapshot(
        &mut self,
        id: ReferralId,
        engagement_of: Option<ReferralId>,
    ) -> Result<Option<Planned>, LedgerError>;

    /// Returns what to warn of once every referral was looked at, if anything.
    fn warning(&self) -> Option<String> {
        None
    }
}

/// A file without a name in the run's directory, where rows lie until their referrals were read.
#[derive(Debug)]
pub struct AsideOnDisk(pub Spill);

impl Aside for AsideOnDisk {
    type Place = SpillRef;
    type Error = LedgerError;

    fn put(&mut self, bytes: &[u8]) -> Result<SpillRef, LedgerError> {
        self.0.put_bytes(bytes)
    }

    fn read(&mut self, at: SpillRef, into: &mut Vec<u8>) -> Result<(), LedgerError> {
        self.0.bytes(at, into)
    }

    fn garbled(&self) -> LedgerError {
        self.0.garbled()
    }
}

/// The rows of change files, held until their referrals were read.
pub struct Changes {
    /// Collects the rows by referral, and makes items of them.
    pub planner: Planner<AsideOnDisk>,
    /// The change files, in the order in which they are read.
    pub files: Vec<String>,
    /// How they are read.
    pub options: input::Options,
    /// The file that they were made from, if the user gave it.
    pub base: Option<Base>,
    /// The same, once it was read.
    pub made_from: Option<MadeFrom>,
    /// The rows that were compared with it so far.
    pub compared: ComparedRows,
    /// What standard input held, where that was read before.
    pub stdin: Option<File>,
}

impl Changes {
    fn row(&mut self, record: Record, writer: &mut PlanWriter<'_>) -> Result<(), Halt> {
        let row = writer.next_row();
        let Record { place, text, parsed, notes, matched, earlier_outcome, as_in_base, .. } = record;
        self.made_from.iter().try_for_each(MadeFrom::check)?;
        self.compared.rows += 1;
        self.compared.as_in_base += as_in_base;
        let is_untouched = notes.is_empty() && parsed.as_ref().is_ok_and(Draft::asks_for_nothing);
        self.compared.touched += u64::from(!is_untouched);
        let (id, item, verdict, findings) = match parsed {
            Ok(draft) => (Some(draft.id), Some(self.planner.add(row, draft)?), None, notes),
            Err(mut rejected) => {
                let findings = std::mem::take(&mut rejected.findings);
                let verdict = Verdict::invalid(&findings);
                let Rejected { id, .. } = rejected;
                (id, self.planner.add_rejected(row, rejected)?, Some(verdict), findings)
            }
        };
        let record = RowRecord { row, place, id, text, item, verdict, findings, matched };
        writer.row(record, earlier_outcome)
    }
}

impl Source for Changes {
    fn read(&mut self, writer: &mut PlanWriter<'_>) -> Result<(), CommandError> {
        let mut infos = Vec::new();
        if let Some(base) = self.base.take() {
            let made_from = MadeFrom::read(base, &self.options, writer)?;
            self.options.read_as = made_from.read_as();
            self.made_from = Some(made_from);
        }
        for path in self.files.clone() {
            let (options, mut kept) = (self.options.clone(), self.stdin.take_if(|_| path == "-"));
            writer.input(&path, |writer, number, stdin| {
                let stdin = kept.as_mut().map_or(stdin, |kept| kept as &mut dyn Read);
                let read = input::read(&path, Some(stdin), number, &options, &mut |record| {
                    self.row(record, writer)
                })?;
                if let Some(why) = &read.contradiction {
                    self.planner.doubt_numbers(number, why);
                }
                if let Some(why) = &read.date_contradiction {
                    self.planner.doubt_dates(number, why);
                }
                infos.push(read.info.clone());
                Ok(read)
            })?;
        }
        if writer.is_stopped() {
            return Ok(());
        }
        writer.settle_columns(&infos)?;
        self.made_from.iter().try_for_each(|made_from| made_from.conclude(self.compared, writer))?;
        for planned in self.planner.decided()? {
            writer.item(planned)?;
        }
        Ok(())
    }

    fn wanted(&self) -> Vec<ReferralId> {
        self.planner.wanted()
    }

    fn remaining(&self) -> usize {
        self.planner.remaining()
    }

    fn wants(&self, id: ReferralId) -> bool {
        self.planner.wants(id)
    }

    fn plan(
        &mut self,
        id: ReferralId,
        current: Option<&Snapshot<'_>>,
        _: &PlanWriter<'_>,
        keep: &dyn Fn(&Planned) -> bool,
    ) -> Result<Option<Planned>, LedgerError> {
        self.planner.plan(id, current, keep)
    }

    fn all_hang_on(&mut self, is_hidden: &dyn Fn(&Pointer) -> bool) -> Result<bool, LedgerError> {
        self.planner.all_hang_on(is_hidden)
    }

    fn reopen(&mut self, id: ReferralId) {
        self.planner.reopen(id);
    }

    fn absent(&mut self, id: ReferralId, verdict: Verdict) -> Option<Planned> {
        self.planner.absent(id, verdict)
    }

    fn not_in_snapshot(
        &mut self,
        id: ReferralId,
        engagement_of: Option<ReferralId>,
    ) -> Result<Option<Planned>, LedgerError> {
        self.planner.not_in_snapshot(id, engagement_of)
    }

    fn warning(&self) -> Option<String> {
        let Compared { cells, differing } = self.planner.compared();
        // With the file that it was made from, only edited cells are compared, and those are meant to differ.
        let is_compared = self.made_from.is_none();
        (is_compared && differing > cells / 2).then(|| {
            format!(
                "most cells of the Partner Center file differ from the referrals as they stand ({} of {}): it may be \
                 an old download, whose cells would change back what was changed since",
                grouped(differing.into()),
                grouped(cells.into())
            )
        })
    }
}
