//! What the inputs want meets the referrals as they stand, and becomes items.

use std::collections::HashMap;
use std::path::Path;

use super::Trouble;
use super::desk::Desk;
use crate::domain::account::RowRecord;
use crate::domain::change::Rejected;
use crate::domain::exchange::{Failure, Operation};
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::referral::{ReferralId, Snapshot};
use crate::engine::look::{Seen, Survey};
use crate::input::{self, Record, SnapshotError};
use crate::ledger::LedgerError;
use crate::pace::retry::{Decision, MAX_TRIES, decide};
use crate::plan::{Planned, Planner};

/// What the inputs want of referrals, as long as nobody looked at those.
pub trait Wanting {
    /// Reads every input to its end. Items that can be decided without looking are written down.
    ///
    /// # Errors
    /// Where an input can't be read at all, or the ledger can't be written.
    fn read(&mut self, desk: &mut Desk<'_>) -> Result<(), Trouble>;

    /// The referrals that must be looked at, ordered by their first row.
    fn wanted(&self) -> Vec<ReferralId>;

    /// How many they are.
    fn remaining(&self) -> usize;

    /// Whether a referral is among them.
    fn wants(&self, id: ReferralId) -> bool;

    /// Makes the item of a referral from its state. It is taken out unless `keep` says that this state
    /// is not the last word.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    fn plan(
        &mut self,
        id: ReferralId,
        current: Option<&Snapshot<'_>>,
        desk: &Desk<'_>,
        keep: &dyn Fn(&Planned) -> bool,
    ) -> Result<Option<Planned>, LedgerError>;

    /// Makes the item of a referral that could not be looked at.
    fn absent(&mut self, id: ReferralId, verdict: Verdict) -> Option<Planned>;

    /// Makes the item of a referral that a snapshot file doesn't hold. `engagement_of` is a referral
    /// whose engagement has this id, where there is one.
    fn not_in_snapshot(&mut self, id: ReferralId, engagement_of: Option<ReferralId>) -> Option<Planned>;
}

/// The rows of change files.
pub struct Changes {
    /// Where they become items.
    pub planner: Planner,
    /// The files.
    pub files: Vec<String>,
    /// How they are read.
    pub options: input::Options,
}

impl Changes {
    fn row(&mut self, record: Record, desk: &mut Desk<'_>) -> Result<(), LedgerError> {
        let row = desk.next_row();
        let Record { place, text, parsed } = record;
        let (id, item, verdict, findings) = match parsed {
            Ok(draft) => (Some(draft.id), Some(self.planner.add(row, draft)), None, Vec::new()),
            Err(mut rejected) => {
                let findings = std::mem::take(&mut rejected.findings);
                let verdict = Verdict::invalid(&findings);
                let Rejected { id, .. } = rejected;
                (id, self.planner.add_rejected(row, rejected), Some(verdict), findings)
            }
        };
        desk.row(&RowRecord { row, place, id, text, item, verdict, findings })
    }
}

impl Wanting for Changes {
    fn read(&mut self, desk: &mut Desk<'_>) -> Result<(), Trouble> {
        for path in self.files.clone() {
            let options = self.options.clone();
            desk.input(&path, |desk, number, stdin| {
                input::read(&path, Some(stdin), number, &options, &mut |record| self.row(record, desk))
            })?;
        }
        for planned in self.planner.decided() {
            desk.item(&planned)?;
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
        _: &Desk<'_>,
        keep: &dyn Fn(&Planned) -> bool,
    ) -> Result<Option<Planned>, LedgerError> {
        Ok(self.planner.plan(id, current, keep))
    }

    fn absent(&mut self, id: ReferralId, verdict: Verdict) -> Option<Planned> {
        self.planner.absent(id, verdict)
    }

    fn not_in_snapshot(&mut self, id: ReferralId, engagement_of: Option<ReferralId>) -> Option<Planned> {
        self.planner.not_in_snapshot(id, engagement_of)
    }
}

/// Looks at referrals, and writes down what becomes of them.
pub struct Surveyor<'a, W> {
    /// Where it is written down.
    pub desk: Desk<'a>,
    wanting: W,
    /// Ids that rows name and that turned out to be those of engagements, with a referral of each: for
    /// telling the user what went wrong.
    engagements: HashMap<ReferralId, ReferralId>,
}

impl<'a, W: Wanting> Surveyor<'a, W> {
    /// Reads every input to its end.
    ///
    /// # Errors
    /// Where an input can't be read at all, or the ledger can't be written.
    pub fn begin(mut desk: Desk<'a>, mut wanting: W) -> Result<Self, Trouble> {
        wanting.read(&mut desk)?;
        desk.keep()?;
        Ok(Self { desk, wanting, engagements: HashMap::new() })
    }

    /// Plans from a snapshot file: referrals that it lacks are invalid.
    ///
    /// # Errors
    /// Where the file can't be read, or the ledger can't be written.
    pub fn plan_from_file(&mut self, path: &Path) -> Result<(), Trouble> {
        let stop = self.desk.host.stop;
        input::read_snapshot(path, &mut |referral| {
            self.seen(referral, true)?;
            Ok(!stop.is_set() && (self.wanting.remaining() > 0))
        })
        .map_err(|error| match error {
            SnapshotError::Sink(trouble) => trouble,
            error => Trouble::could_not_run(error.to_string())
                .hint("--state takes live, none, or a file of referrals: JSONL, a JSON array, or list pages"),
        })?;
        if stop.is_set() {
            return Ok(());
        }
        for id in self.wanting.wanted() {
            let planned = self.wanting.not_in_snapshot(id, self.engagements.get(&id).copied());
            self.write(planned)?;
        }
        Ok(())
    }

    /// Plans without looking at anything.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub fn plan_unseen(&mut self) -> Result<(), Trouble> {
        for id in self.wanting.wanted() {
            let planned = self.wanting.plan(id, None, &self.desk, &|_| false)?;
            self.write(planned)?;
        }
        Ok(())
    }

    /// Whoever gives an engagement's id gives it in place of the referral's.
    fn note_engagement(&mut self, referral: &Snapshot<'_>) {
        if let Some(engagement) = referral.engagement().filter(|engagement| self.wanting.wants(*engagement)) {
            self.engagements.insert(engagement, referral.id());
        }
    }

    fn write(&mut self, planned: Option<Planned>) -> Result<(), LedgerError> {
        planned.map_or(Ok(()), |planned| self.desk.item(&planned))
    }
}

impl<W: Wanting> Survey for Surveyor<'_, W> {
    type Error = Trouble;

    fn wanted(&self) -> Vec<ReferralId> {
        self.wanting.wanted()
    }

    fn remaining(&self) -> usize {
        self.wanting.remaining()
    }

    fn seen(&mut self, referral: &Snapshot<'_>, last_word: bool) -> Result<Seen, Trouble> {
        let id = referral.id();
        self.note_engagement(referral);
        if !self.wanting.wants(id) {
            return Ok(Seen::Unwanted);
        }
        // What would be sent without an eTag to guard it is worth a GET that may bring one.
        let lacks_etag = |planned: &Planned| planned.verdict.is_none() && planned.item.etag.is_none();
        let keep = |planned: &Planned| !last_word && lacks_etag(planned);
        let planned = self.wanting.plan(id, Some(referral), &self.desk, &keep)?;
        if self.wanting.wants(id) {
            return Ok(Seen::Kept);
        }
        self.write(planned)?;
        Ok(Seen::Taken)
    }

    fn unreadable(&mut self, id: ReferralId, failure: &Failure) -> Result<(), Trouble> {
        let outcome = match decide(Operation::Read, failure, MAX_TRIES) {
            Decision::Refused => Outcome::Refused,
            _ => Outcome::Failed,
        };
        let message = match (failure.status(), self.engagements.get(&id)) {
            (Some(404), Some(referral)) => {
                format!("this is the engagementId of referral {referral}: give the referral's own id")
            }
            (Some(404), None) => format!("not there, or not visible to this user ({})", failure.message()),
            _ => format!("the referral could not be read: {}", failure.message()),
        };
        let verdict = Verdict::new(outcome, failure.code(), message).with_status(failure.status());
        let planned = self.wanting.absent(id, verdict);
        self.write(planned).map_err(Trouble::from)
    }
}
