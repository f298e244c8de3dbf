//! The end of every way out: reports made from the ledger, and the exit code that follows from them.

use std::path::Path;

use super::connection::Target;
use super::{Console, Showing, SummaryForm, Trouble};
use crate::domain::account::{Figures, InputInfo, Phase};
use crate::domain::exit::Exit;
use crate::domain::outcome::Outcome;
use crate::engine::Reason;
use crate::ledger::{self, Reader};
use crate::report::{
    self, Books, Next, PlanCounts, PlanReport, Referrals, RowReports, State, Summary, Written,
};

/// `plan.jsonl` as it was written: what is in it, and its checksum.
#[derive(Debug, Clone)]
pub struct PlanFile {
    counts: PlanCounts,
    sha256: String,
}

/// Writes every report of a run, `plan` excepted where it is written already, prints its summary and the
/// next command, and says how the command ends.
///
/// # Errors
/// Where the ledger can't be read or a report can't be written.
pub fn account(
    run: &Path,
    plan: Option<PlanFile>,
    stopped: Option<&Reason>,
    showing: Showing,
    console: &dyn Console,
) -> Result<Exit, Trouble> {
    let account = write_all(run, plan, None)?;
    if let Some(reason) = stopped.filter(|_| account.phase != Phase::Finished) {
        console.say(&format!("stopped: {reason}"));
    }
    account.show(showing, console);
    if account.summary.exit_code == Exit::Unbalanced.code() {
        console.say("hint: this is a defect of referral-bulk; keep the run's directory and report it");
    } else if account.phase == Phase::Planning {
        console.say("hint: nothing was sent, and the plan is incomplete: run the same command again");
    } else if let Some(next) = account.next(run) {
        console.say(&format!("next: {next}"));
    }
    Ok(account.exit)
}

/// Writes and shows the same for a run that was planned and isn't begun, because of what `exit`
/// says. Why, and what to do next, is for the caller to print.
///
/// # Errors
/// As [`account()`].
pub fn account_refused(
    run: &Path,
    plan: Option<PlanFile>,
    exit: Exit,
    showing: Showing,
    console: &dyn Console,
) -> Result<(), Trouble> {
    write_all(run, plan, Some(exit))?.show(showing, console);
    Ok(())
}

/// Writes `plan.jsonl`, so that a plan can be read before it is consented to.
///
/// # Errors
/// As [`account()`].
pub fn write_plan_alone(run: &Path) -> Result<PlanFile, Trouble> {
    let reader = ledger::read(run)?;
    write_plan(run, &reader, &reader.inputs()?)
}

/// Shows the summary of a command that ended before there was a run, to a script that waits for one.
pub fn show_nothing(command: &str, exit: Exit, showing: Showing, console: &dyn Console) {
    let figures = Figures::default();
    let summary = Summary {
        version: Summary::VERSION,
        run: String::new(),
        command: command.to_owned(),
        state: State::Stopped,
        exit_code: exit.code(),
        inputs: Vec::new(),
        rows: report::Rows::default(),
        referrals: Referrals::default(),
        requests: (&figures).into(),
        seconds: (&figures).into(),
        plan_sha256: None,
        reason: None,
    };
    if showing.summary == SummaryForm::Json {
        console.data(&(summary.to_json_line() + "\n"));
    }
}

/// A run's account, as written.
struct Account {
    exit: Exit,
    summary: Summary,
    books: Books,
    plan: PlanCounts,
    phase: Phase,
    written: Written,
    imbalance: Option<String>,
    /// The flags that say where it went.
    target: String,
}

fn write_all(run: &Path, plan: Option<PlanFile>, exit: Option<Exit>) -> Result<Account, Trouble> {
    let reader = ledger::read(run)?;
    let (inputs, phase) = (reader.inputs()?, reader.phase());
    let (books, mut written) = write_rows(run, &reader, &inputs)?;
    // It is the same at any time; where this process wrote it already, that need not be done again.
    let plan = plan.map_or_else(|| write_plan(run, &reader, &inputs), Ok)?;
    written.add(run.join(report::PLAN_FILE));
    let imbalance = books.balance(&inputs).err().map(|imbalance| imbalance.to_string());
    let exit = match (&imbalance, exit) {
        (Some(_), _) => Exit::Unbalanced,
        (None, Some(exit)) => exit,
        (None, None) => exit_of(phase, &books),
    };
    let (referrals, figures) = (reader.referrals()?, reader.figures()?);
    let summary = Summary {
        version: Summary::VERSION,
        run: run.display().to_string(),
        command: reader.about().command.clone(),
        state: phase.into(),
        exit_code: exit.code(),
        inputs: inputs.iter().map(Into::into).collect(),
        rows: (&books).into(),
        referrals: Referrals { total: referrals.total, changed: referrals.changed, closed: referrals.closed },
        requests: (&figures).into(),
        seconds: (&figures).into(),
        plan_sha256: (phase != Phase::Planning).then_some(plan.sha256),
        reason: reader.about().reason.clone(),
    };
    written.add(summary.write(run)?);
    let target = Target::flags(&reader.about().target);
    Ok(Account { exit, summary, books, plan: plan.counts, phase, written, imbalance, target })
}

fn exit_of(phase: Phase, books: &Books) -> Exit {
    match phase {
        Phase::Planned | Phase::Finished => {
            Exit::of_outcomes(Outcome::ALL.into_iter().filter(|outcome| books.count(*outcome) > 0))
        }
        Phase::Planning | Phase::Stopped => Exit::Stopped,
    }
}

fn write_rows(run: &Path, reader: &Reader, inputs: &[InputInfo]) -> Result<(Books, Written), Trouble> {
    let mut rows = RowReports::begin(run, inputs)?;
    reader.rows(&mut |row| rows.row(&row).map_err(Trouble::from))?;
    Ok(rows.finish()?)
}

fn write_plan(run: &Path, reader: &Reader, inputs: &[InputInfo]) -> Result<PlanFile, Trouble> {
    let mut plan = PlanReport::begin(run, inputs)?;
    reader.items(&mut |item| plan.item(&item).map_err(Trouble::from))?;
    Ok(PlanFile { counts: plan.counts(), sha256: plan.finish()? })
}

impl Account {
    fn show(&self, showing: Showing, console: &dyn Console) {
        if let Some(imbalance) = &self.imbalance {
            console.say(&format!("error: the books do not balance: {imbalance}"));
        }
        let plan = (self.phase == Phase::Planned).then_some(self.plan);
        match showing.summary {
            SummaryForm::Json => console.data(&(self.summary.to_json_line() + "\n")),
            SummaryForm::Text => console.data(&report::text(&self.summary, &self.books, plan, &self.written)),
            SummaryForm::None => {}
        }
    }

    fn next(&self, run: &Path) -> Option<Next> {
        Next::of(&self.summary, run, &self.written, &self.target)
    }
}
