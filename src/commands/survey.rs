//! Makes items from what the inputs want and the referrals' current state.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use super::error::{CommandError, ONE_OF_TWO};
use super::kept_referrals::KeptReferrals;
use super::next_command::flag;
use super::plan_writer::PlanWriter;
use super::source::Source;
use crate::domain::exchange::{Failure, Operation};
use crate::domain::finding::Finding;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::pointer::Pointer;
use crate::domain::referral::ReferralId;
use crate::domain::setting::Setting;
use crate::domain::snapshot::Snapshot;
use crate::domain::subject::Subject;
use crate::engine::fetch::{Coverage, Survey};
use crate::input::{self, SnapshotFileError};
use crate::ledger::LedgerError;
use crate::pace::retry::{Decision, MAX_TRIES, decide};
use crate::plan::Planned;

/// Reads referrals, and writes to the ledger which items follow.
pub struct Surveyor<'a, W> {
    /// Writes the rows and items to the ledger.
    pub writer: PlanWriter<'a>,
    wanting: W,
    /// Engagement ids that rows give by mistake in place of a referral's id, each with a referral of that
    /// engagement: for telling the user what went wrong.
    engagements: HashMap<ReferralId, ReferralId>,
    /// The list entries that items were made from.
    sightings: HashMap<ReferralId, Sighting>,
    /// Referrals that list pages show in several ways: only a GET tells their current state.
    contested: HashSet<ReferralId>,
}

/// A list entry that an item was made from.
struct Sighting {
    /// The number of the item.
    number: u64,
    /// The hash of the entry's text.
    hash: u64,
    /// The findings that deny the item.
    denied: Vec<Finding>,
}

impl<'a, W: Source> Surveyor<'a, W> {
    /// Creates a surveyor, and reads every input to its end, or until the run is stopped.
    ///
    /// # Errors
    /// Returns an error where an input can't be read at all, or the ledger can't be written.
    pub async fn begin(mut writer: PlanWriter<'a>, mut wanting: W) -> Result<Self, CommandError> {
        wanting.read(&mut writer)?;
        writer.settle_order()?;
        writer.keep().await?;
        let (engagements, sightings) = (HashMap::new(), HashMap::new());
        Ok(Self { writer, wanting, engagements, sightings, contested: HashSet::new() })
    }

    /// Plans from a snapshot file: rows of referrals that it lacks are invalid. Ends early where the run is
    /// stopped.
    ///
    /// # Errors
    /// Returns an error where the file can't be read or holds a referral twice, or the ledger can't be
    /// written.
    pub fn plan_from_file(&mut self, path: &Path) -> Result<(), CommandError> {
        let stop = self.writer.environment.stop;
        if stop.is_set() {
            return Ok(());
        }
        input::read_snapshot(path, &mut |referral| {
            // The file is read to its end even if no referral is wanted any more: a second entry of one may
            // follow, and that is an error.
            self.take(referral, true)?;
            Ok(!stop.is_set())
        })
        .map_err(snapshot_error)?;
        for id in self.left() {
            let planned = self.wanting.not_in_snapshot(id, self.engagements.get(&id).copied())?;
            self.write(planned)?;
        }
        Ok(())
    }

    /// Plans from referrals that were seen before the inputs were read. `last_word` says that they can't be read
    /// again: then rows of others are invalid. Ends early where the run is stopped.
    ///
    /// # Errors
    /// Returns an error where the ledger can't be read or written.
    pub fn plan_from_kept(&mut self, mut kept: KeptReferrals, last_word: bool) -> Result<(), CommandError> {
        for id in self.left() {
            match kept.of(id)? {
                Some(text) => {
                    if let Ok(referral) = Snapshot::in_part(&text) {
                        self.take(&referral, last_word)?;
                    }
                }
                None if last_word => {
                    let planned = self.wanting.not_in_snapshot(id, None)?;
                    self.write(planned)?;
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Plans without the referrals' state. Ends early where the run is stopped.
    ///
    /// # Errors
    /// Returns an error where the ledger can't be written.
    pub fn plan_unseen(&mut self) -> Result<(), CommandError> {
        for id in self.left() {
            let planned = self.wanting.plan(id, None, &self.writer, &|_| false)?;
            self.write(planned)?;
        }
        Ok(())
    }

    /// Tells what there is to warn of now that every referral was looked at.
    pub fn warn(&self) {
        if let Some(warning) = self.wanting.warning() {
            self.writer.environment.console.say(&format!("warning: {warning}"));
        }
    }

    /// Whether every wanted referral is to be changed at a place that is hidden: see [`Source::all_hang_on`].
    ///
    /// # Errors
    /// Returns an error where what the inputs want can't be read again.
    pub fn all_hang_on(&mut self, is_hidden: &dyn Fn(&Pointer) -> bool) -> Result<bool, LedgerError> {
        self.wanting.all_hang_on(is_hidden)
    }

    /// Returns the referrals that are still wanted, one by one until the run is stopped.
    fn left(&self) -> impl Iterator<Item = ReferralId> + use<'a, W> {
        let stop = self.writer.environment.stop;
        self.wanting.wanted().into_iter().take_while(|_| !stop.is_set())
    }

    /// Remembers the referral of an engagement whose id a row may give by mistake.
    fn note_engagement(&mut self, referral: &Snapshot<'_>) {
        if let Some(engagement) = referral.engagement().filter(|engagement| self.wanting.wants(*engagement)) {
            self.engagements.insert(engagement, referral.id());
        }
    }

    /// Compares a referral that is on the list again with what its item was made from: while pages are
    /// requested, referrals move from one page to another. Where the two differ, the item is retracted, and
    /// the referral has to be read by a GET of its own.
    ///
    /// # Errors
    /// Returns an error where the ledger can't be written.
    fn seen_again(&mut self, referral: &Snapshot<'_>) -> Result<Coverage, LedgerError> {
        let id = referral.id();
        if self.sightings.get(&id).is_none_or(|sighting| sighting.hash == hash(referral.json())) {
            return Ok(Coverage::Unwanted);
        }
        if let Some(Sighting { number, denied, .. }) = self.sightings.remove(&id) {
            self.contested.insert(id);
            self.wanting.reopen(id);
            self.writer.retract(number, &denied)?;
        }
        Ok(Coverage::Incomplete)
    }

    /// Makes an item of a referral that is wanted, if it shows enough for that.
    ///
    /// # Errors
    /// Returns an error where the ledger can't be written.
    fn take(&mut self, referral: &Snapshot<'_>, last_word: bool) -> Result<Coverage, CommandError> {
        let id = referral.id();
        self.note_engagement(referral);
        if !self.wanting.wants(id) {
            return if last_word { Ok(Coverage::Unwanted) } else { Ok(self.seen_again(referral)?) };
        }
        let is_contested = self.contested.contains(&id);
        let keep = |planned: &Planned| {
            let needs_more = || planned.needs_whole_referral() || self.writer.misses_turn(planned, referral);
            !last_word && (is_contested || needs_more())
        };
        let planned = self.wanting.plan(id, Some(referral), &self.writer, &keep)?;
        let planned = planned.map(|planned| Planned { subject: Subject::of(referral), ..planned });
        if self.wanting.wants(id) {
            return Ok(Coverage::Incomplete);
        }
        if let Some(Planned { item, .. }) = planned.as_ref().filter(|_| !last_word) {
            let denied = item.findings.iter().filter(|finding| finding.is_deny()).cloned().collect();
            let sighting = Sighting { number: item.number, hash: hash(referral.json()), denied };
            self.sightings.insert(id, sighting);
        }
        if planned.as_ref().is_some_and(|planned| self.writer.misses_turn(planned, referral)) {
            self.writer.count_without_turn();
        }
        self.write(planned)?;
        Ok(Coverage::Complete)
    }

    fn write(&mut self, planned: Option<Planned>) -> Result<(), LedgerError> {
        planned.map_or(Ok(()), |planned| self.writer.item(planned))
    }
}

/// Returns the error of a snapshot file that can't be read.
pub(super) fn snapshot_error(error: SnapshotFileError<CommandError>) -> CommandError {
    match error {
        SnapshotFileError::Sink(trouble) => trouble,
        error @ SnapshotFileError::Twice { .. } => {
            CommandError::could_not_run(error.to_string()).hint(ONE_OF_TWO)
        }
        error => CommandError::could_not_run(error.to_string()).hint(match error.remedy() {
            Some(remedy) => remedy.to_owned(),
            None => format!(
                "{} takes live, none, or a file of referrals: JSONL, a JSON array, or list pages",
                flag(Setting::State)
            ),
        }),
    }
}

impl<W: Source> Survey for Surveyor<'_, W> {
    type Error = CommandError;

    fn wanted(&self) -> Vec<ReferralId> {
        self.wanting.wanted()
    }

    fn remaining(&self) -> usize {
        self.wanting.remaining()
    }

    async fn seen(&mut self, referral: &Snapshot<'_>, last_word: bool) -> Result<Coverage, CommandError> {
        self.take(referral, last_word)
    }

    async fn seen_ahead(&mut self, referral: &Snapshot<'_>) -> Result<Coverage, CommandError> {
        let id = referral.id();
        self.note_engagement(referral);
        if !self.wanting.wants(id) {
            return Ok(Coverage::Unwanted);
        }
        // What isn't sent may be told of a list page, in its words.
        let keep = |planned: &Planned| planned.verdict.is_some();
        let planned = self.wanting.plan(id, Some(referral), &self.writer, &keep)?;
        if self.wanting.wants(id) {
            return Ok(Coverage::Incomplete);
        }
        if planned.as_ref().is_some_and(|planned| self.writer.misses_turn(planned, referral)) {
            self.writer.count_without_turn();
        }
        self.write(planned.map(|planned| Planned { subject: Subject::of(referral), ..planned }))?;
        Ok(Coverage::Complete)
    }

    async fn unreadable(&mut self, id: ReferralId, failure: &Failure) -> Result<(), CommandError> {
        // With `MAX_TRIES` the decision is the final one: the read is not tried again.
        let outcome = match decide(Operation::Read, failure, MAX_TRIES) {
            // The fault is not the token's: the service answers other requests with the same token.
            Decision::Refused | Decision::Renew => Outcome::Refused,
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
        self.write(planned).map_err(CommandError::from)
    }
}

/// Returns the hash by which two texts of one referral are compared.
pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::commands::{Console, Environment, Reply, RunLog};
    use crate::domain::rules::Levels;
    use crate::domain::run_spec::{OnConflict, PlanSpec, RunSpec, StateSource};
    use crate::engine::{Stop, StopReason};
    use crate::ledger;

    /// A source of ten referrals that interrupts the run when it is asked for the third item.
    struct Interrupting<'a> {
        stop: &'a Stop,
        asked: usize,
    }

    impl Interrupting<'_> {
        fn ask(&mut self) -> Option<Planned> {
            self.asked += 1;
            if self.asked == 3 {
                self.stop.now(StopReason::Interrupted);
            }
            None
        }
    }

    impl Source for Interrupting<'_> {
        fn read(&mut self, _: &mut PlanWriter<'_>) -> Result<(), CommandError> {
            Ok(())
        }

        fn wanted(&self) -> Vec<ReferralId> {
            (0..10).map(|number| Uuid::from_u128(number).to_string().parse().unwrap()).collect()
        }

        fn remaining(&self) -> usize {
            10
        }

        fn wants(&self, _: ReferralId) -> bool {
            true
        }

        fn plan(
            &mut self,
            _: ReferralId,
            _: Option<&Snapshot<'_>>,
            _: &PlanWriter<'_>,
            _: &dyn Fn(&Planned) -> bool,
        ) -> Result<Option<Planned>, LedgerError> {
            Ok(self.ask())
        }

        fn reopen(&mut self, _: ReferralId) {}

        fn absent(&mut self, _: ReferralId, _: Verdict) -> Option<Planned> {
            self.ask()
        }

        fn not_in_snapshot(
            &mut self,
            _: ReferralId,
            _: Option<ReferralId>,
        ) -> Result<Option<Planned>, LedgerError> {
            Ok(self.ask())
        }
    }

    struct Nobody;

    impl Console for Nobody {
        fn stands(&self, _: Option<crate::commands::Bar>) {}
        fn data(&self, _: &str) {}
        fn say(&self, _: &str) {}
        fn is_attended(&self) -> bool {
            false
        }
        fn ask(&self, _: &str) -> Reply {
            Reply::Nobody
        }
        fn on_leaving(&self, _: &str, _: &Path) {}
    }

    fn about() -> RunSpec {
        RunSpec {
            program: String::new(),
            command: "apply".to_owned(),
            created: Timestamp::UNIX_EPOCH,
            correlation_id: Uuid::nil(),
            target: String::new(),
            asked: PlanSpec {
                files: Vec::new(),
                format: None,
                state: StateSource::None,
                levels: Levels::default(),
                allow_paths: BTreeSet::new(),
                clear: false,
                migrating: None,
                on_conflict: OnConflict::Report,
                decimal: None,
                left_alone: Vec::new(),
                mapped: Vec::new(),
                portal_reasons: std::collections::BTreeMap::new(),
                sheet: None,
                base: None,
                matching: None,
                priority: None,
                waves: None,
            },
            plan_only: true,
            reason: None,
            directory: None,
            order: None,
            waves: None,
            requires_approval: false,
        }
    }

    /// Returns how many items a survey asks for that is interrupted at the third.
    async fn asked(survey: impl FnOnce(&mut Surveyor<'_, Interrupting<'_>>, &Path)) -> usize {
        let dir = tempfile::tempdir().unwrap();
        let stop = Stop::default();
        let environment = Environment {
            console: &Nobody,
            stdin: &Mutex::new(Box::new(std::io::empty())),
            stop: &stop,
            clock: || Timestamp::UNIX_EPOCH,
            new_id: Uuid::nil,
            user: None,
            user_name: None,
            directory: dir.path(),
            state_dir: None,
            run_log: &RunLog::default(),
            watch: None,
        };
        let ledger = ledger::create(&dir.path().join("run"), &about()).await.unwrap();
        let writer = PlanWriter::new(ledger, Vec::new(), &environment);
        let mut surveyor = Surveyor::begin(writer, Interrupting { stop: &stop, asked: 0 }).await.unwrap();
        survey(&mut surveyor, dir.path());
        surveyor.wanting.asked
    }

    #[tokio::test]
    async fn a_stop_is_heeded_at_every_referral() {
        assert_eq!(asked(|surveyor, _| surveyor.plan_unseen().unwrap()).await, 3);
        let from_file = |surveyor: &mut Surveyor<'_, Interrupting<'_>>, dir: &Path| {
            let snapshot = dir.join("s.jsonl");
            std::fs::write(&snapshot, "").unwrap();
            surveyor.plan_from_file(&snapshot).unwrap();
        };
        assert_eq!(asked(from_file).await, 3, "those that the file lacks");
    }
}
