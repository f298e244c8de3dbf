//! The end of every command: the reports, the summary, the exit code, and the next command.

use std::path::Path;

use jiff::Timestamp;

use super::environment::{Console, Environment};
use super::error::CommandError;
use super::next_command::{CommandLine, flag, spelled};
use super::next_step::NextStep;
use super::options::{Reporting, RunContext, Sending, Showing, SummaryForm};
use super::repeated::Repeated;
use super::target::Target;
use super::write_reports::{Account, PlanFile, unwritten, write_reports};
use super::{choices, connection, next_step, patches};
use crate::domain::account::Phase;
use crate::domain::characters::visible_path;
use crate::domain::exit::Exit;
use crate::domain::setting::{Choice, Setting};
use crate::ledger;
use crate::report::{self, Kept, Overview, PlanShown, Summary, UndoTally, VerifiedSummary};

/// Writes every report of a run, prints its summary and the next command, and returns how the command ends.
/// `plan` is the plan report where it is written already.
///
/// # Errors
/// Returns an error where the ledger can't be read or a report can't be written. In the latter case the
/// summary was printed all the same.
pub async fn account(
    run_context: RunContext<'_>,
    plan: Option<PlanFile>,
    environment: &Environment<'_>,
) -> Result<Exit, CommandError> {
    let account = write_reports(run_context.into(), plan, None, environment).await?;
    if let Some(reason) = environment.stop.reason().filter(|_| account.phase != Phase::Finished) {
        environment.console.say(&format!("stopped: {}", spelled(&reason.wording())));
        let sign_in = |needed| connection::sign_in_again(run_context.target, needed, environment);
        if let Some(again) = reason.needs_sign_in().and_then(sign_in) {
            environment.console.say(&format!("hint: sign in again, and then go on with the run: {again}"));
        }
    }
    account.finish(run_context.run, Some(run_context.sending), run_context.showing, environment).await
}

/// Writes and prints the same for a run that this process neither plans nor sends. Where another process is
/// at work on the run, it says so in place of a next command.
///
/// # Errors
/// Returns an error as [`account()`] does.
pub async fn report(
    run: &Path,
    showing: Showing,
    environment: &Environment<'_>,
) -> Result<Exit, CommandError> {
    let reporting = Reporting { run, reveal: showing.reveal, patches: None };
    let account = write_reports(reporting, None, None, environment).await?;
    if account.phase != Phase::Finished && ledger::is_worked_on(run).await {
        account.show(showing, environment.console);
        environment.console.say("note: another process is at work on this run: this is how far it has come");
        return Ok(account.exit);
    }
    account.finish(run, None, showing, environment).await
}

/// Writes the reports and prints the summary of a run that was planned and isn't begun; `exit` is how the
/// command ends. The reason, and what to do next, are for the caller to print.
///
/// # Errors
/// Returns an error as [`account()`] does.
pub async fn account_refused(
    run_context: RunContext<'_>,
    plan: Option<PlanFile>,
    exit: Exit,
    environment: &Environment<'_>,
) -> Result<(), CommandError> {
    write_reports(run_context.into(), plan, Some(exit), environment)
        .await?
        .show(run_context.showing, environment.console);
    Ok(())
}

/// Prints an empty summary as JSON for a command that ended without an account, for a script that waits for
/// one, in the command's own form. `left` is the directory of the run that was left, and whose reports tell more; empty
/// where there is none. `named` is that of the run which the command was to tell of.
pub fn show_nothing(
    command: &str,
    [left, named]: [&str; 2],
    exit: Exit,
    now: Timestamp,
    console: &dyn Console,
) {
    console.data(&match command {
        "verify" => VerifiedSummary::of_nothing(named, exit.code(), now).to_json_line() + "\n",
        "undo" => UndoTally::default().json(named, exit.code(), None),
        command => nothing(command, left, exit),
    });
}

/// Returns the empty summary of a command that makes a run or goes on with one, as JSON on one line.
pub fn nothing(command: &str, run: &str, exit: Exit) -> String {
    Summary::of_nothing(command, run, exit.code()).to_json_line() + "\n"
}

impl Account {
    /// Prints the summary and what to do next, and returns how the command ends.
    ///
    /// # Errors
    /// Returns an error where a report could not be written.
    async fn finish(
        self,
        run: &Path,
        sending: Option<&Sending>,
        showing: Showing,
        environment: &Environment<'_>,
    ) -> Result<Exit, CommandError> {
        let console = environment.console;
        environment.tell_lost_diagnostics();
        self.show(showing, console);
        let repeat = &sending.map_or_else(Vec::new, |sending| sending.repeat((environment.clock)()));
        self.tell_rest(run, showing, console);
        if self.last_wave_fell {
            let is_whose = |typed: &&Choice| matches!(typed.setting, Setting::Profile | Setting::TokenFile);
            let verify = CommandLine::verify(run, repeat.iter().filter(is_whose).cloned().collect());
            console.say(&format!(
                "warning: the last wave did not stand when it was read back; how all stands now is told by: {verify}"
            ));
        }
        if self.unwritten.is_some() {
            let next = (self.exit == Exit::Stopped).then(|| self.carrying_on(run, repeat));
            let not_written = self.not_written(run);
            let failed = self.unwritten.map(|error| unwritten(error, self.exit, run, next));
            return failed.map_or(Ok(self.exit), |error| Err(error.hint_first(&not_written)));
        }
        if self.exit == Exit::Unbalanced {
            console.say("hint: this is a defect of referral-bulk; keep the run's directory and report it");
        } else if let Some(next) = self.next(run, repeat, sending.is_some()) {
            for note in next.besides(&self.summary, &self.written) {
                console.say(&format!("hint: {note}"));
            }
            if let Some(command) = self.apply_patches(run, repeat).await {
                console.say(&format!("hint: apply takes the same changes in place of this plan: {command}"));
            }
            if sending.is_some_and(|sending| sending.token_command) {
                let token_command = flag(Setting::TokenCommand);
                console.say(&format!("hint: give the same {token_command} again"));
            }
            console.say(&format!("next: {next}"));
        }
        Ok(self.exit)
    }

    /// Says how to see the referrals of a plan that the summary left out.
    fn tell_rest(&self, run: &Path, showing: Showing, console: &dyn Console) {
        let is_shown = self.phase == Phase::Planned && showing.summary == SummaryForm::Text;
        let hidden = self.overview.as_ref().filter(|_| is_shown).map_or(0, Overview::hidden);
        if hidden > 0 {
            console.say(&format!("hint: {}", next_step::see_all(run)));
        }
    }

    /// Prints the summary with its notes and warnings.
    fn show(&self, showing: Showing, console: &dyn Console) {
        console.account(&self.summary);
        if let Some(imbalance) = &self.imbalance {
            console.say(&format!("error: the books do not balance: {imbalance}"));
        }
        for Kept { report, now } in self.written.kept() {
            let (report, now) = (visible_path(report), visible_path(now));
            console.say(&format!("note: {report} may hold somebody's changes: it is kept as {now}"));
        }
        let plan = PlanShown { counts: self.plan, overview: self.overview.as_ref() };
        let plan = (self.phase == Phase::Planned).then_some(plan);
        match showing.summary {
            SummaryForm::Json => console.data(&(self.summary.to_json_line() + "\n")),
            SummaryForm::Text => {
                let text = report::text(&self.summary, &self.books, plan, &self.written);
                return console.data(&spelled(&text));
            }
            SummaryForm::None => {}
        }
        for warning in report::warnings(&self.summary, &self.books) {
            console.say(&format!("warning{warning}"));
        }
        for warning in report::not_as_sent(&self.summary, &self.books) {
            console.say(&format!("warning: {warning}"));
        }
    }

    /// Returns the command that applies the change file of the plan's documents instead of carrying the plan
    /// out.
    async fn apply_patches(&self, run: &Path, repeat: &[Choice]) -> Option<CommandLine> {
        let file = self.patches.as_ref().filter(|_| self.about.plan_only && self.plan.to_send > 0)?;
        let asked = &self.about.asked;
        let mut choices: Vec<Choice> = choices::state(&asked.state).into_iter().collect();
        choices.extend(choices::judging(asked));
        // A failure here costs no more than a hint, so it is ignored.
        let held_back_by = patches::held_back_by(run, &asked.levels).await.unwrap_or_default();
        choices.extend(held_back_by.iter().map(|rule| Choice::of(Setting::Rule, format!("{rule}=warn"))));
        choices.extend(Target::choice(&self.about.target));
        choices.extend_from_slice(repeat);
        Some(patches::command(file, choices))
    }

    /// Returns which reports are not written, and whether older files have their names.
    fn not_written(&self, run: &Path) -> String {
        let older = if self.missing.iter().any(|name| run.join(name).is_file()) {
            " (what is there by that name is of an earlier time)"
        } else {
            ""
        };
        format!("not written: {}{older}", self.missing.join(", "))
    }

    /// Returns the command that carries on with a run that stopped, without regard to rows that went wrong.
    fn carrying_on(&self, run: &Path, repeat: &[Choice]) -> CommandLine {
        let anew = choices::anew(&self.about, repeat).filter(|_| self.phase == Phase::Planning);
        anew.unwrap_or_else(|| CommandLine::resume(run, repeat.to_vec()))
    }

    /// Returns the next step, with the settings that its command has to repeat.
    fn next(&self, run: &Path, repeat: &[Choice], is_sending: bool) -> Option<NextStep> {
        let repeated = Repeated::of(&self.about, self.phase, repeat, is_sending);
        NextStep::of(&self.summary, run, &self.written, &repeated)
    }
}
