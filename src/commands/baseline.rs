//! `--base SNAPSHOT`: the referrals as they were when the payloads were made. Each lies in a spill file
//! beside the run until its payload is compared.

use std::collections::HashMap;

use super::error::{CommandError, ONE_OF_TWO};
use super::next_command::flag;
use super::plan_writer::PlanWriter;
use crate::domain::characters::visible_path;
use crate::domain::referral::ReferralId;
use crate::domain::run_spec::Base;
use crate::domain::setting::Setting;
use crate::input::{self, SnapshotFileError};
use crate::ledger::{LedgerError, Spill, SpillRef};
use crate::report::counted;

/// The referrals as they were when the payloads were made.
pub struct Baseline {
    spill: Spill,
    at: HashMap<ReferralId, SpillRef>,
}

impl Baseline {
    /// Reads all referrals that are `wanted`, and says how many the file lacks. `count` is the number of
    /// wanted referrals. Where the run is stopped meanwhile, some are missing; nothing comes of its plan
    /// then.
    ///
    /// # Errors
    /// Returns an error where the file can't be read, has changed since it was read before, or the run's
    /// directory can't be written.
    pub fn read(
        base: Base,
        count: usize,
        wanted: impl Fn(ReferralId) -> bool,
        writer: &mut PlanWriter<'_>,
    ) -> Result<Self, CommandError> {
        let stop = writer.environment.stop;
        let mut bases = Self { spill: writer.spill()?, at: HashMap::new() };
        let read = input::read_pinned_snapshot(&base.path, &mut |referral| {
            if wanted(referral.id()) {
                bases.at.insert(referral.id(), bases.spill.put(referral.json())?);
            }
            Ok::<_, LedgerError>(!stop.is_set())
        });
        let Some(sha256) = read.map_err(unreadable)? else { return Ok(bases) };
        check_unchanged(&base, &sha256, "migrate")?;
        let name = visible_path(&base.path);
        let lacking = (count - bases.at.len()) as u64;
        if lacking > 0 {
            let what = counted(count as u64, "referral");
            let lacks = format!("note: {name} lacks {lacking} of {what}");
            writer.environment.console.say(&format!("{lacks}: whose values are newer is not known there"));
        }
        writer.pin(Base { sha256: Some(sha256), ..base })?;
        Ok(bases)
    }

    /// Returns a referral as it was, as JSON; `None` where the file lacks it.
    ///
    /// # Errors
    /// Returns an error where it can't be read again.
    pub fn of(&mut self, id: ReferralId) -> Result<Option<String>, LedgerError> {
        self.at.get(&id).map(|at| self.spill.text(*at)).transpose()
    }
}

fn unreadable(error: SnapshotFileError<LedgerError>) -> CommandError {
    match error {
        SnapshotFileError::Sink(error) => CommandError::from(error),
        error @ SnapshotFileError::Twice { .. } => {
            CommandError::could_not_run(error.to_string()).hint(ONE_OF_TWO)
        }
        error => CommandError::could_not_run(error.to_string()).hint(match error.remedy() {
            Some(remedy) => remedy.to_owned(),
            None => format!(
                "{} takes a file of referrals: JSONL, a JSON array, or list pages",
                flag(Setting::Base)
            ),
        }),
    }
}

/// Makes sure that the file has not changed since the run was begun: a run that is carried on with has to be
/// the one that was begun. `command` is the one that began it.
///
/// # Errors
/// Returns an error where it has.
pub(super) fn check_unchanged(base: &Base, now: &str, command: &str) -> Result<(), CommandError> {
    if base.sha256.as_ref().is_none_or(|before| before == now) {
        return Ok(());
    }
    let what = format!("{} is not what it was when the run was begun", visible_path(&base.path));
    Err(CommandError::could_not_run(what)
        .hint(format!("nothing was sent so far: {command} with it as a run of its own")))
}
