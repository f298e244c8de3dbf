//! `--match`: finds out which referral each row is about, where rows name those by a key.
//!
//! The inputs are read twice. First for the keys alone, so that of the referrals as they stand no more is kept
//! than the rows may be about; then all referrals are shown once, by list pages or a snapshot file, and with
//! that index the inputs are read as ever. What was shown of a row's referral is what its item is made from,
//! so that nothing is asked for twice.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use tracing::info;

use super::columns;
use super::environment::Environment;
use super::error::CommandError;
use super::kept_referrals::KeptReferrals;
use super::next_command::flag;
use super::plan_writer::{PlanWriter, unreadable};
use super::source::Changes;
use super::survey::{hash, snapshot_error};
use crate::domain::account::InputInfo;
use crate::domain::exchange::Failure;
use crate::domain::key::MatchField;
use crate::domain::referral::ReferralId;
use crate::domain::rules::Rule;
use crate::domain::run_spec::PlanSpec;
use crate::domain::setting::Setting;
use crate::domain::snapshot::Snapshot;
use crate::engine::fetch::{Coverage, Survey};
use crate::engine::list_all::ListError;
use crate::input::{self, InputError, KeyIndex, Matching, NameSight, RowNames, Sight, UnseenNames};
use crate::ledger::LedgerError;

/// The most referrals that are read by themselves because the list leaves open which key they have: as many as
/// one more page would show.
const MOST_READ_SINGLY: usize = 100;

/// The referrals as they are shown one after the other, as far as rows may be about them.
pub struct RollCall {
    field: MatchField,
    index: KeyIndex,
    kept: KeptReferrals,
    /// The hash of each referral's text, as it was first shown.
    shown: HashMap<ReferralId, u64>,
    /// Those that two pages show in different ways.
    contested: BTreeSet<ReferralId>,
    /// Those that are shown without a key.
    unkeyed: BTreeSet<ReferralId>,
    /// Those that are shown with `null` in place of a key.
    nulls: BTreeSet<ReferralId>,
    /// Those that are shown without their engagement.
    disengaged: BTreeSet<ReferralId>,
}

impl RollCall {
    /// Reads the keys of all inputs. Ends early where the run is stopped. What standard input held is kept in the
    /// run's directory, to be read again.
    ///
    /// # Errors
    /// Returns an error where an input can't be read at all, a column that was typed is in none, or the run's
    /// directory can't be written.
    pub fn begin(
        changes: &mut Changes,
        asked: &PlanSpec,
        matching: &Matching,
        writer: &PlanWriter<'_>,
        run: &Path,
    ) -> Result<Self, CommandError> {
        let unseen_level = changes.options.levels.of(Rule::UnseenKey);
        let mut index = KeyIndex::new(matching.field, unseen_level);
        let mut infos = Vec::new();
        for (number, path) in (0..).zip(&changes.files) {
            if writer.is_stopped() {
                break;
            }
            let mut kept = None;
            if path == "-" {
                kept = Some(tempfile::tempfile_in(run).map_err(no_room)?);
            }
            let mut want = |names: &RowNames| index.want(names);
            let (options, environment) = (&changes.options, writer.environment);
            infos.extend(read_keys(path, number, options, kept.as_mut(), environment, &mut want)?);
            if let Some(mut file) = kept {
                file.rewind().map_err(no_room)?;
                changes.stdin = Some(file);
            }
        }
        if !writer.is_stopped() {
            columns::are_there(asked, &infos)?;
        }
        let kept = KeptReferrals::new(writer.spill()?);
        Ok(Self {
            field: matching.field,
            index,
            kept,
            shown: HashMap::new(),
            contested: BTreeSet::new(),
            unkeyed: BTreeSet::new(),
            nulls: BTreeSet::new(),
            disengaged: BTreeSet::new(),
        })
    }

    /// Takes in an element of the list. While pages are requested, referrals move from one page to another, and may
    /// be changed meanwhile.
    ///
    /// # Errors
    /// Returns an error where it can't be kept.
    pub fn element(&mut self, referral: &Snapshot<'_>) -> Result<(), LedgerError> {
        let (id, now) = (referral.id(), hash(referral.json()));
        match self.shown.insert(id, now) {
            Some(before) if before == now => return Ok(()),
            Some(_) => {
                self.index.take_out(id);
                self.kept.forget(id);
                self.contested.insert(id);
                return Ok(());
            }
            None => {}
        }
        let Sight { is_wanted, key, engagement } = self.index.add(referral);
        match key {
            NameSight::Shown => {}
            NameSight::Null => drop(self.nulls.insert(id)),
            NameSight::Unseen => drop(self.unkeyed.insert(id)),
        }
        if engagement != NameSight::Shown {
            self.disengaged.insert(id);
        }
        if is_wanted { self.kept.keep(referral) } else { Ok(()) }
    }

    /// Reads the referrals of a snapshot file. Ends early where the run is stopped.
    ///
    /// # Errors
    /// Returns an error where the file can't be read or holds a referral twice, or there is no room for what is
    /// kept.
    pub fn read_file(&mut self, path: &Path, environment: &Environment<'_>) -> Result<(), CommandError> {
        let stop = environment.stop;
        let mut each = |referral: &Snapshot<'_>| {
            self.element(referral).map_err(CommandError::from)?;
            Ok(!stop.is_set())
        };
        input::read_snapshot(path, &mut each).map_err(snapshot_error)?;
        self.all_shown();
        Ok(())
    }

    /// Settles what is in doubt, once all referrals were shown: what no row asks for isn't.
    pub fn all_shown(&mut self) {
        let nulls = std::mem::take(&mut self.nulls);
        if !self.index.believes_null() {
            self.unkeyed.extend(nulls);
        }
        if !self.index.asks_for_keys() {
            self.unkeyed.clear();
        }
        if !self.index.asks_for_engagements() {
            self.disengaged.clear();
        }
    }

    /// Returns whether the referrals in doubt are few enough to be read one by one.
    pub fn may_be_read_singly(&self) -> bool {
        (1..=MOST_READ_SINGLY).contains(&self.doubtful().len())
    }

    /// Returns the referrals of which it isn't known what they may be named by.
    fn doubtful(&self) -> BTreeSet<ReferralId> {
        [&self.contested, &self.unkeyed, &self.disengaged].into_iter().flatten().copied().collect()
    }

    /// Takes a referral out of doubt.
    fn settle(&mut self, id: ReferralId) {
        [&mut self.contested, &mut self.unkeyed, &mut self.disengaged].into_iter().for_each(|doubtful| {
            doubtful.remove(&id);
        });
    }

    /// Ends the call: from now on the rows of the inputs are about the referrals that were found. Returns these.
    pub fn end(mut self, changes: &mut Changes) -> KeptReferrals {
        let of = |unseen: &BTreeSet<ReferralId>| unseen.union(&self.contested).count();
        let (keys, engagements) = (of(&self.unkeyed), of(&self.disengaged));
        info!(referrals = self.shown.len(), keys, engagements, "rows are matched");
        self.index.set_unseen(UnseenNames { keys, engagements });
        let index = Some(Arc::new(self.index));
        changes.options.matching = Some(Matching { field: self.field, index });
        self.kept
    }
}

/// Reads the referrals in doubt by a GET each. Their state is read once more for those that a row is about.
impl Survey for RollCall {
    type Error = Infallible;

    fn wanted(&self) -> Vec<ReferralId> {
        self.doubtful().into_iter().collect()
    }

    fn remaining(&self) -> usize {
        self.doubtful().len()
    }

    async fn seen(&mut self, referral: &Snapshot<'_>, _last_word: bool) -> Result<Coverage, Infallible> {
        self.index.take_out(referral.id());
        self.index.add(referral);
        self.settle(referral.id());
        Ok(Coverage::Complete)
    }

    async fn unreadable(&mut self, id: ReferralId, failure: &Failure) -> Result<(), Infallible> {
        // One that is gone since it was listed has no key any more.
        if failure.status() == Some(404) {
            self.index.take_out(id);
            self.settle(id);
        }
        Ok(())
    }
}

/// Reads an input for its keys. Standard input is written to `kept` meanwhile. Returns what is known of the input;
/// `None` where the run is stopped.
fn read_keys(
    path: &str,
    number: u32,
    options: &input::Options,
    kept: Option<&mut File>,
    environment: &Environment<'_>,
    want: &mut dyn FnMut(&RowNames),
) -> Result<Option<InputInfo>, CommandError> {
    let mut stdin = environment.stdin.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut copied;
    let stdin: &mut dyn Read = match kept {
        Some(kept) => {
            copied = Copied { from: &mut **stdin, to: kept };
            &mut copied
        }
        None => &mut **stdin,
    };
    let read = input::read(path, Some(stdin), number, options, &mut |record| {
        want(&record.names);
        if environment.stop.is_set() { Err(()) } else { Ok(()) }
    });
    match read {
        Ok(read) => Ok(Some(read.info)),
        Err(InputError::Sink(())) => Ok(None),
        Err(InputError::Unusable(unusable)) => Err(unreadable(&unusable)),
    }
}

/// A stream whose bytes are copied to a file as they are read.
struct Copied<'a> {
    from: &'a mut dyn Read,
    to: &'a mut File,
}

impl Read for Copied<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.to.write_all(&buffer[..count])?;
        Ok(count)
    }
}

fn no_room(error: io::Error) -> CommandError {
    CommandError::could_not_run("standard input cannot be kept in the run's directory").because(error)
}

/// Returns the error of a list that was not read to its end; `None` where the run is stopped. Nobody knows then
/// which referrals have a key.
pub fn unlisted(error: ListError<LedgerError>) -> Option<CommandError> {
    let matching = flag(Setting::Match);
    let hint = match error {
        ListError::Stopped => return None,
        ListError::Sink(error) => return Some(error.into()),
        ListError::Page { .. } => format!(
            "{matching} looks at all referrals, so nothing is planned: see that you may list them, or give a \
             snapshot of them with {} FILE",
            flag(Setting::State)
        ),
        ListError::Element { .. } | ListError::Circle { .. } => format!(
            "{matching} looks at all referrals, so nothing is planned: try again, or give a snapshot of them \
             with {} FILE",
            flag(Setting::State)
        ),
    };
    Some(CommandError::could_not_run(error.to_string()).hint(hint))
}
