//! Where planning happens: rows come in, referrals are looked at, items are written down.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;

use super::{Host, Problem, Trouble};
use crate::domain::account::{InputInfo, RowRecord, Settled, input_name};
use crate::domain::change::Rejected;
use crate::domain::exchange::Failure;
use crate::domain::exit::Exit;
use crate::domain::finding::Finding;
use crate::domain::outcome::{Outcome, Verdict};
use crate::domain::referral::{ReferralId, Snapshot};
use crate::engine::look::Survey;
use crate::input::{self, InputError, Record, SnapshotError};
use crate::ledger::{LedgerError, Planning};
use crate::plan::{Planned, Planner};
use crate::report::counted;

/// Findings that are printed one by one; the reports hold them all.
const MOST_SHOWN: usize = 10;

/// Takes rows and referrals, and writes down what is planned.
pub struct Desk<'a> {
    planner: Planner,
    ledger: Planning,
    /// The inputs that were read before, where the run is planned again.
    before: Vec<InputInfo>,
    clock: fn() -> Timestamp,
    host: &'a Host<'a>,
    rows: u64,
    /// Ids that rows name and that turned out to be those of engagements, with a referral of each: for
    /// telling the user what went wrong.
    engagements: HashMap<ReferralId, ReferralId>,
    /// The first findings by their place, at most [`MOST_SHOWN`].
    first: Vec<Finding>,
    found: u64,
}

impl<'a> Desk<'a> {
    /// A desk with nothing on it. `before` are inputs that were read before and have to be the same.
    pub fn new(planner: Planner, ledger: Planning, before: Vec<InputInfo>, host: &'a Host<'a>) -> Self {
        Self {
            planner,
            ledger,
            before,
            clock: host.clock,
            host,
            rows: 0,
            engagements: HashMap::new(),
            first: Vec::new(),
            found: 0,
        }
    }

    /// Reads every input to its end.
    ///
    /// # Errors
    /// Where an input can't be read at all, or the ledger can't be written.
    pub fn read_inputs(&mut self, files: &[String], options: &input::Options) -> Result<(), Trouble> {
        for (input, path) in (0..).zip(files) {
            let host = self.host;
            let mut stdin = host.stdin.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let read = input::read(path, Some(&mut **stdin), input, options, &mut |record| self.row(record))
                .map_err(unreadable_input)?;
            for note in &read.notes {
                self.host.console.say(&format!("note: {note}"));
            }
            self.check_unchanged(&read.info)?;
            self.ledger.input(input, &read.info)?;
        }
        for planned in self.planner.decided() {
            self.write(&planned)?;
        }
        Ok(())
    }

    /// A run that is carried on with is the one that was begun.
    fn check_unchanged(&self, now: &InputInfo) -> Result<(), Trouble> {
        let changed = self.before.iter().any(|before| before.path == now.path && before.sha256 != now.sha256);
        if !changed {
            return Ok(());
        }
        let what = format!("{} is not what it was when the run was begun", now.path);
        Err(Trouble::could_not_run(what).hint("nothing was sent so far: apply it as a run of its own"))
    }

    /// How many rows were read so far, in all inputs.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    fn row(&mut self, record: Record) -> Result<(), LedgerError> {
        self.rows += 1;
        let row = self.rows;
        let Record { place, text, parsed } = record;
        let (id, item, verdict, findings) = match parsed {
            Ok(draft) => (Some(draft.id), Some(self.planner.add(row, draft)), None, Vec::new()),
            Err(mut rejected) => {
                let findings = std::mem::take(&mut rejected.findings);
                self.note(&findings);
                let verdict = Verdict::invalid(&findings);
                let Rejected { id, .. } = rejected;
                (id, self.planner.add_rejected(row, rejected), Some(verdict), findings)
            }
        };
        self.ledger.row(&RowRecord { row, place, id, text, item, verdict, findings })
    }

    /// Plans from a snapshot file: referrals that it lacks are invalid.
    ///
    /// # Errors
    /// Where the file can't be read, or the ledger can't be written.
    pub fn plan_from_file(&mut self, path: &Path) -> Result<(), Trouble> {
        let stop = self.host.stop;
        input::read_snapshot(path, &mut |referral| {
            self.seen(referral, true)?;
            Ok(!stop.is_set() && (self.planner.remaining() > 0))
        })
        .map_err(|error| match error {
            SnapshotError::Sink(trouble) => trouble,
            error => Trouble::could_not_run(error.to_string())
                .hint("--state takes live, none, or a file of referrals: JSONL, a JSON array, or list pages"),
        })?;
        if stop.is_set() {
            return Ok(());
        }
        for id in self.planner.wanted() {
            let planned = self.planner.not_in_snapshot(id, self.engagements.get(&id).copied());
            self.write_some(planned)?;
        }
        Ok(())
    }

    /// Plans without looking at anything.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub fn plan_unseen(&mut self) -> Result<(), Trouble> {
        for id in self.planner.wanted() {
            let planned = self.planner.plan(id, None, |_| false);
            self.write_some(planned)?;
        }
        Ok(())
    }

    fn write_some(&mut self, planned: Option<Planned>) -> Result<(), LedgerError> {
        planned.map_or(Ok(()), |planned| self.write(&planned))
    }

    fn write(&mut self, planned: &Planned) -> Result<(), LedgerError> {
        self.note(&planned.item.findings);
        let settled = planned.verdict.clone().map(|verdict| Settled {
            etag: planned.seen.clone(),
            verdict,
            theirs: planned.theirs.clone(),
            at: (self.clock)(),
        });
        self.ledger.item(&planned.item, settled.as_ref())
    }

    /// Keeps the first findings that deny, by their place, and counts all. Warnings are for the summary.
    fn note(&mut self, findings: &[Finding]) {
        for finding in findings.iter().filter(|finding| finding.is_deny()) {
            self.found += 1;
            let at = self.first.partition_point(|earlier| earlier.place <= finding.place);
            if at < MOST_SHOWN {
                self.first.insert(at, finding.clone());
                self.first.truncate(MOST_SHOWN);
            }
        }
    }

    /// Ends the reading: prints the first findings, and hands the ledger back.
    pub fn close(self) -> Planning {
        for finding in &self.first {
            let files = &self.ledger.about().asked.files;
            let name = files.get(finding.place.input as usize).map_or("input", String::as_str);
            self.host.console.say(&describe(finding, input_name(name)));
        }
        let hidden = self.found - self.first.len() as u64;
        if hidden > 0 {
            let more = counted(hidden, "more finding");
            self.host.console.say(&format!("… and {more}: see the error and conflict reports"));
        }
        self.ledger
    }
}

impl Survey for Desk<'_> {
    type Error = Trouble;

    fn wanted(&self) -> Vec<ReferralId> {
        self.planner.wanted()
    }

    fn remaining(&self) -> usize {
        self.planner.remaining()
    }

    fn seen(&mut self, referral: &Snapshot<'_>, last_word: bool) -> Result<bool, Trouble> {
        let id = referral.id();
        if let Some(engagement) = referral.engagement().filter(|engagement| self.planner.wants(*engagement)) {
            self.engagements.insert(engagement, id);
        }
        if !self.planner.wants(id) {
            return Ok(false);
        }
        // What would be sent without an eTag to guard it is worth a GET that may bring one.
        let lacks_etag = |planned: &Planned| planned.verdict.is_none() && planned.item.etag.is_none();
        let planned = self.planner.plan(id, Some(referral), |planned| !last_word && lacks_etag(planned));
        if self.planner.wants(id) {
            return Ok(false);
        }
        self.write_some(planned)?;
        Ok(true)
    }

    fn unreadable(&mut self, id: ReferralId, failure: &Failure) -> Result<(), Trouble> {
        let refused = failure.status().is_some_and(|status| (300..500).contains(&status));
        let outcome = if refused { Outcome::Refused } else { Outcome::Failed };
        let message = match (failure.status(), self.engagements.get(&id)) {
            (Some(404), Some(referral)) => {
                format!("this is the engagementId of referral {referral}: give the referral's own id")
            }
            (Some(404), None) => format!("not there, or not visible to this user ({})", failure.message()),
            _ => format!("the referral could not be read: {}", failure.message()),
        };
        let verdict = Verdict::new(outcome, failure.code(), message).with_status(failure.status());
        let planned = self.planner.absent(id, verdict);
        self.write_some(planned).map_err(Trouble::from)
    }
}

/// A finding as a person reads it: what, where, what to do.
fn describe(finding: &Finding, file: &str) -> String {
    let place = finding.place;
    let column = if place.column > 0 { format!(":{}", place.column) } else { String::new() };
    let hint = finding.hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}"));
    format!("error[{}]: {}\n  --> {file}:{}{column}{hint}", finding.rule, finding.message, place.line)
}

fn unreadable_input(error: InputError<LedgerError>) -> Trouble {
    match error {
        InputError::Sink(error) => Trouble::from(error),
        InputError::Unusable(unusable) => {
            let problems = unusable.problems().iter().cloned().map(|problem| Problem {
                message: problem.message,
                place: Some(problem.place),
                hint: problem.hint,
            });
            Trouble { exit: Exit::CouldNotRun, problems: problems.collect() }
        }
    }
}
