//! The command lines that the page of a run names: how it was asked for, and all that can be done next.
//!
//! The page is read later than the terminal, and by others. So its steps stand in the order in which they are made, and
//! hold what is on record alone: not what was typed of how to send. Made again by whomever, the page is the same.

use std::path::{Path, PathBuf};

use super::choices;
use super::next_command::CommandLine;
use super::next_step;
use super::repeated::Repeated;
use crate::domain::account::Phase;
use crate::domain::exit::Exit;
use crate::domain::run_spec::RunSpec;
use crate::domain::setting::{Choice, Setting};
use crate::report::{NextStep, PageCommands, Summary, Written, counted, grouped};

/// A run whose commands are told.
#[derive(Clone, Copy)]
pub struct ToldRun<'a> {
    /// Its directory.
    pub run: &'a Path,
    /// How it was planned, as it is on record.
    pub recorded: &'a RunSpec,
    /// The same, with paths as they are from here.
    pub about: &'a RunSpec,
    /// How far it came.
    pub phase: Phase,
    /// How the command ends.
    pub exit: Exit,
    /// Its summary.
    pub summary: &'a Summary,
    /// Its reports.
    pub written: &'a Written,
    /// Whether some of them could not be written.
    pub is_unwritten: bool,
    /// Whether the last wave didn't stand when it was read back, and nothing was verified since.
    pub last_wave_fell: bool,
}

/// Returns the command lines about a run.
pub fn page_commands(told: ToldRun<'_>) -> PageCommands {
    let run = told.run;
    let report = CommandLine::report(run);
    let reveal = CommandLine { choices: vec![Choice::bare(Setting::Reveal)], ..report.clone() };
    PageCommands {
        asked: vec![choices::planned(told.recorded).to_string()],
        explain: CommandLine::explain_in(run).to_string(),
        report: report.to_string(),
        reveal: reveal.to_string(),
        next: told.next(),
    }
}

impl ToldRun<'_> {
    /// Returns what can be done next. Followed to the letter, these lose no row and make no change twice.
    fn next(self) -> Vec<NextStep> {
        // The books of a run that don't balance are a defect: nothing more is to be made of it.
        if self.exit == Exit::Unbalanced {
            return Vec::new();
        }
        let left = next_step::NextStep::all(
            self.summary,
            self.run,
            self.written,
            &Repeated::of(self.about, self.phase, &[], false),
        );
        if self.is_unwritten && self.exit != Exit::Stopped {
            let what =
                "see to space and permissions in the run's directory, and have its reports written again";
            return vec![step(what, &CommandLine::report(self.run))];
        }
        let left = left.into_iter().map(|left| {
            let what = left.what().unwrap_or_else(|| self.going_on());
            step(what, left.command())
        });
        let before = self.fallen_wave().into_iter().chain(self.approval());
        before.chain(left).chain(self.afterwards()).collect()
    }

    /// Returns what it means to go on with the run.
    fn going_on(&self) -> String {
        let rows = self.summary.rows;
        match self.phase {
            Phase::Planning if self.about.plan_only => "plan it anew".to_owned(),
            Phase::Planning => "plan it anew, and go on with it".to_owned(),
            Phase::Planned | Phase::Finished => match self.summary.referrals.to_close {
                _ if self.about.is_rehearsal() => "carry it out in the sandbox".to_owned(),
                None | Some(0) => "carry it out; it asks before anything is sent".to_owned(),
                // As it is typed: without commas.
                Some(closing) => format!("carry it out; it asks for the number of closings: type {closing}"),
            },
            Phase::Stopped => {
                let is = if rows.unknown == 1 { "is" } else { "are" };
                let unknown = format!("the {} unknown {is} read back first", grouped(rows.unknown));
                let unsent = format!("send the {} left", counted(rows.unsent, "row"));
                match (rows.unsent, rows.unknown) {
                    (0, 0) => "go on with it to its end".to_owned(),
                    (0, _) => format!("go on with it to its end; {unknown}"),
                    (_, 0) => unsent,
                    _ => format!("{unsent}; {unknown}"),
                }
            }
        }
    }

    /// Returns the look at a wave that didn't stand.
    fn fallen_wave(&self) -> Option<NextStep> {
        let verify = CommandLine::verify(self.run, Vec::new());
        let what = "the last wave did not stand when it was read back: see how all stands now";
        self.last_wave_fell.then(|| step(what, &verify))
    }

    /// Returns the approval that a plan waits for.
    fn approval(&self) -> Option<NextStep> {
        let plan = self.summary.plan_sha256.as_ref();
        let is_approved = self.summary.approvals.iter().any(|approval| Some(&approval.plan_sha256) == plan);
        let waits = self.phase == Phase::Planned && self.about.requires_approval && !is_approved;
        let is_to_send = self.summary.referrals.to_change.is_some_and(|changes| changes > 0);
        let approve = CommandLine::approve(self.run, Vec::new());
        let what = "have it read and approved by somebody else than who sends it";
        (waits && is_to_send).then(|| step(what, &approve))
    }

    /// Returns what may be done once a run is finished that wrote something.
    fn afterwards(&self) -> Vec<NextStep> {
        let is_written = self.phase == Phase::Finished && self.summary.referrals.changed > 0;
        // A sandbox ended with its process.
        if !is_written || self.about.is_rehearsal() {
            return Vec::new();
        }
        let run = self.run;
        let verify = CommandLine::verify(run, Vec::new());
        let verify =
            (!self.last_wave_fell).then(|| step("see later whether all that it wrote still stands", &verify));
        let undo = CommandLine::undo(run, &way_back(run));
        let what = "if it has to be taken back: make the change file that does, as far as that can be";
        verify.into_iter().chain([step(what, &undo)]).collect()
    }
}

fn step(what: impl Into<String>, command: &CommandLine) -> NextStep {
    NextStep { what: what.into(), command: command.to_string() }
}

/// Returns a file beside the run's directory for the way back.
fn way_back(run: &Path) -> PathBuf {
    match run.file_name() {
        Some(name) => {
            let mut file = name.to_owned();
            file.push("-back.jsonl");
            run.with_file_name(file)
        }
        None => PathBuf::from("back.jsonl"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::{Bucket, Outcome};
    use crate::report::testing::{approval, books, row, run_spec, summary};
    use crate::report::{Referrals, State, WrittenFile};

    /// A run that is told, and what its telling borrows from.
    struct Telling {
        about: RunSpec,
        summary: Summary,
        written: Written,
        phase: Phase,
        exit: Exit,
        is_unwritten: bool,
        last_wave_fell: bool,
    }

    impl Telling {
        /// A run that has come so far, with a row of each of these outcomes.
        fn of(phase: Phase, outcomes: &[Outcome]) -> Self {
            let rows: Vec<_> = outcomes.iter().zip(1..).map(|(outcome, at)| row(at, 0, *outcome)).collect();
            let count =
                |is: &[Outcome]| outcomes.iter().filter(|outcome| is.contains(outcome)).count() as u64;
            let changed = count(&[Outcome::Applied, Outcome::Partial]);
            let to_change = outcomes.len() as u64 - count(&[Outcome::Unchanged, Outcome::Invalid]);
            let referrals = Referrals {
                total: outcomes.len() as u64,
                to_change: Some(to_change),
                to_close: Some(0),
                changed,
                closed: 0,
            };
            let files = Bucket::ALL.into_iter().map(|bucket| WrittenFile {
                path: Path::new("reports/r").join(match bucket {
                    Bucket::Success => "success.csv",
                    Bucket::Conflict => "conflict.csv",
                    Bucket::Error => "error.csv",
                    Bucket::Pending => "pending.csv",
                }),
                rows: Some(outcomes.iter().filter(|outcome| outcome.bucket() == bucket).count() as u64),
                bucket: Some(bucket),
                sha256: None,
            });
            Self {
                about: run_spec(),
                summary: Summary { state: State::from(phase), referrals, ..summary(&books(&rows)) },
                written: files.collect(),
                phase,
                exit: Exit::SomeFailed,
                is_unwritten: false,
                last_wave_fell: false,
            }
        }

        fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
            change(&mut self);
            self
        }

        fn commands(&self) -> PageCommands {
            page_commands(ToldRun {
                run: Path::new("reports/r"),
                recorded: &self.about,
                about: &self.about,
                phase: self.phase,
                exit: self.exit,
                summary: &self.summary,
                written: &self.written,
                is_unwritten: self.is_unwritten,
                last_wave_fell: self.last_wave_fell,
            })
        }

        /// What is next, line by line.
        fn next(&self) -> Vec<String> {
            let line = |NextStep { what, command }| format!("{what}: {command}");
            self.commands().next.into_iter().map(line).collect()
        }
    }

    const SERVICE: &str = "--endpoint https://api.partner.example.com/v1.0";
    const VERIFY: &str = "see later whether all that it wrote still stands: referral-bulk verify reports/r";
    const UNDO: &str = "if it has to be taken back: make the change file that does, as far as that can be: \
                        referral-bulk undo reports/r --out reports/r-back.jsonl";

    #[test]
    fn what_is_next_stands_in_the_order_in_which_it_is_done() {
        use Outcome::{Applied, Conflict, Failed, Invalid, Planned, Unchanged, Unknown, Unsent};
        let correct =
            format!("correct error.csv and feed it back: referral-bulk apply reports/r/error.csv {SERVICE}");
        let retry = format!(
            "feed error.csv back, which failed for no reason of its own: referral-bulk apply reports/r/error.csv {SERVICE}"
        );
        let check = format!(
            "feed pending.csv back, which changes only what was not applied: referral-bulk apply reports/r/pending.csv {SERVICE}"
        );
        let review = format!(
            "see in conflict.csv what others changed, keep what still holds and feed it back: referral-bulk apply reports/r/conflict.csv {SERVICE}"
        );
        let resume = |what: &str| format!("{what}: referral-bulk resume reports/r");
        let carry_out = resume("carry it out; it asks before anything is sent");
        for (phase, outcomes, wanted) in [
            (Phase::Planning, &[Unsent, Invalid][..], vec![resume("plan it anew, and go on with it")]),
            (Phase::Planned, &[Planned], vec![carry_out.clone()]),
            (Phase::Planned, &[Planned, Invalid, Conflict], vec![carry_out, correct.clone(), review.clone()]),
            (Phase::Planned, &[Unchanged], vec![]),
            (Phase::Planned, &[Unchanged, Invalid], vec![correct.clone()]),
            (Phase::Stopped, &[Applied, Unsent, Unsent], vec![resume("send the 2 rows left")]),
            (
                Phase::Stopped,
                &[Unsent, Unknown, Failed],
                vec![resume("send the 1 row left; the 1 unknown is read back first"), retry],
            ),
            (Phase::Stopped, &[Applied], vec![resume("go on with it to its end")]),
            (Phase::Finished, &[Applied, Unchanged], vec![VERIFY.to_owned(), UNDO.to_owned()]),
            (Phase::Finished, &[Unchanged], vec![]),
            (
                Phase::Finished,
                &[Applied, Invalid, Unknown, Conflict],
                vec![correct, check, review, VERIFY.to_owned(), UNDO.to_owned()],
            ),
        ] {
            assert_eq!(Telling::of(phase, outcomes).next(), wanted, "{phase:?} {outcomes:?}");
        }
    }

    #[test]
    fn the_number_of_closings_is_told_before_it_is_asked_for() {
        let plan = |target: &str, closing| {
            let telling = Telling::of(Phase::Planned, &[Outcome::Planned]);
            let telling = telling.with(|telling| {
                telling.about.target = target.to_owned();
                telling.summary.referrals.to_close = Some(closing);
            });
            telling.next()
        };
        for (target, closing, wanted) in [
            ("https://x.example.com/v1.0", 214, "carry it out; it asks for the number of closings: type 214"),
            ("https://x.example.com/v1.0", 0, "carry it out; it asks before anything is sent"),
            ("sandbox", 214, "carry it out in the sandbox"),
        ] {
            assert_eq!(plan(target, closing), [format!("{wanted}: referral-bulk resume reports/r")]);
        }
    }

    #[test]
    fn a_plan_that_waits_for_an_approval_is_approved_first() {
        const APPROVE: &str =
            "have it read and approved by somebody else than who sends it: referral-bulk approve reports/r";
        for (requires, approved_plan, outcome, wanted) in [
            (true, None, Outcome::Planned, true),
            (true, Some("ab12"), Outcome::Planned, false),
            (true, Some("cd34"), Outcome::Planned, true),
            (false, None, Outcome::Planned, false),
            (true, None, Outcome::Unchanged, false),
        ] {
            let telling = Telling::of(Phase::Planned, &[outcome]).with(|telling| {
                telling.about.requires_approval = requires;
                telling.summary.approvals = approved_plan.map(approval).into_iter().collect();
            });
            let next = telling.next();
            assert_eq!(next.first().is_some_and(|first| first == APPROVE), wanted, "{next:?}");
        }
    }

    #[test]
    fn nothing_is_made_of_books_that_do_not_balance_and_missing_files_come_first() {
        let telling = |exit, is_unwritten| {
            Telling::of(Phase::Finished, &[Outcome::Applied, Outcome::Invalid]).with(|telling| {
                (telling.exit, telling.is_unwritten) = (exit, is_unwritten);
            })
        };
        assert_eq!(telling(Exit::Unbalanced, false).next(), [""; 0]);
        assert_eq!(
            telling(Exit::CouldNotRun, true).next(),
            [
                "see to space and permissions in the run's directory, and have its reports written again: referral-bulk report reports/r"
            ]
        );
    }

    #[test]
    fn a_wave_that_fell_is_looked_at_first() {
        let telling = Telling::of(Phase::Stopped, &[Outcome::Applied, Outcome::Unsent]);
        let telling = telling.with(|telling| telling.last_wave_fell = true);
        assert_eq!(
            telling.next(),
            [
                "the last wave did not stand when it was read back: see how all stands now: referral-bulk verify reports/r",
                "send the 1 row left: referral-bulk resume reports/r"
            ]
        );
    }

    #[test]
    fn a_rehearsal_has_nothing_to_verify_or_take_back() {
        let telling = Telling::of(Phase::Finished, &[Outcome::Applied]);
        assert_eq!(telling.with(|telling| telling.about.target = "sandbox".to_owned()).next(), [""; 0]);
    }

    #[test]
    fn what_was_asked_is_told_as_far_as_it_is_on_record() {
        let telling = Telling::of(Phase::Finished, &[]).with(|telling| {
            telling.about.asked.files = vec!["a b.csv".to_owned(), "-".to_owned()];
            telling.about.asked.clear = true;
            telling.about.plan_only = true;
            telling.about.reason = Some("FY27 Q2".to_owned());
        });
        assert_eq!(
            telling.commands().asked,
            [format!("referral-bulk apply 'a b.csv' - --plan --clear --reason 'FY27 Q2' {SERVICE}")]
        );
    }

    #[test]
    fn the_way_back_lies_beside_the_run() {
        for (run, wanted) in [
            ("reports/r 1", "reports/r 1-back.jsonl"),
            ("r/", "r-back.jsonl"),
            (".", "back.jsonl"),
            ("..", "back.jsonl"),
        ] {
            assert_eq!(way_back(Path::new(run)), Path::new(wanted));
        }
    }
}
