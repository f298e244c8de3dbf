//! The end of every way out: reports made from the ledger, and the exit code that follows from them.

use std::path::Path;

use super::{Console, Showing, SummaryForm, Trouble};
use crate::domain::account::{InputInfo, Phase};
use crate::domain::exit::Exit;
use crate::domain::outcome::Outcome;
use crate::engine::Reason;
use crate::ledger::{self, Reader};
use crate::report::{self, Books, Next, PlanCounts, PlanReport, RowReports, Summary, Written};

/// Writes every report of a run, prints its summary, and says how the command ends.
///
/// # Errors
/// Where the ledger can't be read or a report can't be written.
pub fn account(
    dir: &Path,
    stopped: Option<&Reason>,
    showing: Showing,
    console: &dyn Console,
) -> Result<Exit, Trouble> {
    tell(dir, stopped, None, showing, console)
}

/// The same for a run that may not be carried out, so that its summary tells how the command ends.
///
/// # Errors
/// Always: what came in the way of the reports, or else the trouble itself, with the run named in it.
pub fn account_for_nothing(
    dir: &Path,
    mut trouble: Trouble,
    showing: Showing,
    console: &dyn Console,
) -> Result<Exit, Trouble> {
    tell(dir, None, Some(trouble.exit), showing, console)?;
    trouble.name_run(dir);
    Err(trouble)
}

fn tell(
    dir: &Path,
    stopped: Option<&Reason>,
    ends: Option<Exit>,
    showing: Showing,
    console: &dyn Console,
) -> Result<Exit, Trouble> {
    let reader = ledger::read(dir)?;
    let inputs = reader.inputs()?;
    let phase = reader.phase();
    let (books, mut written) = write_rows(dir, &reader, &inputs)?;
    let (plan, plan_sha256) = write_plan(dir, &reader, &inputs, &mut written)?;
    let imbalance = books.balance(&inputs).err();
    let exit = match (&imbalance, ends, phase) {
        (Some(_), ..) => Exit::Unbalanced,
        (None, Some(exit), _) => exit,
        (None, None, Phase::Planned | Phase::Finished) => {
            Exit::of_outcomes(Outcome::ALL.into_iter().filter(|outcome| books.count(*outcome) > 0))
        }
        (None, None, Phase::Planning | Phase::Stopped) => Exit::Stopped,
    };
    let referrals = reader.referrals()?;
    let summary = Summary {
        version: Summary::VERSION,
        run: dir.display().to_string(),
        command: reader.about().command.clone(),
        state: phase.into(),
        exit_code: exit.code(),
        inputs: inputs.iter().map(Into::into).collect(),
        rows: (&books).into(),
        referrals: report::Referrals {
            total: referrals.total,
            changed: referrals.changed,
            closed: referrals.closed,
        },
        requests: (&reader.figures()?).into(),
        seconds: (&reader.figures()?).into(),
        plan_sha256: (phase != Phase::Planning).then_some(plan_sha256),
        reason: reader.about().reason.clone(),
    };
    written.add(summary.write(dir)?);
    if let Some(imbalance) = imbalance {
        console.say(&format!("error: the books do not balance: {imbalance}"));
        console.say("hint: this is a defect of referral-bulk; keep the run's directory and report it");
    }
    if let Some(reason) = stopped {
        console.say(&format!("stopped: {reason}"));
    }
    let next = next(phase, &summary, dir, &written);
    let plan = (phase == Phase::Planned).then_some(plan);
    match showing.summary {
        SummaryForm::Json => console.data(&(summary.to_json_line() + "\n")),
        SummaryForm::Text => console.data(&report::text(&summary, &books, plan, &written, next.as_ref())),
        SummaryForm::None => {}
    }
    // What keeps a run from being carried out names the next command itself, with what it lacks.
    if let Some(next) = next.filter(|_| ends.is_none()) {
        console.say(&format!("next: {next}"));
    }
    Ok(exit)
}

/// A run that was not planned to its end has nothing that could be carried on with.
fn next(phase: Phase, summary: &Summary, dir: &Path, written: &Written) -> Option<Next> {
    if phase == Phase::Planning { None } else { Next::of(summary, dir, written) }
}

fn write_rows(dir: &Path, reader: &Reader, inputs: &[InputInfo]) -> Result<(Books, Written), Trouble> {
    let mut rows = RowReports::begin(dir, inputs)?;
    reader.rows(&mut |row| rows.row(&row).map_err(Trouble::from))?;
    Ok(rows.finish()?)
}

fn write_plan(
    dir: &Path,
    reader: &Reader,
    inputs: &[InputInfo],
    written: &mut Written,
) -> Result<(PlanCounts, String), Trouble> {
    let mut plan = PlanReport::begin(dir, inputs)?;
    reader.items(&mut |item| plan.item(&item).map_err(Trouble::from))?;
    let counts = plan.counts();
    written.add(plan.path().to_owned());
    Ok((counts, plan.finish()?))
}
