//! The end of every way out: reports made from the ledger, and the exit code that follows from them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use super::environment::{Console, Environment};
use super::error::CommandError;
use super::next_command::{CommandLine, flag, spelled};
use super::next_step::{NextStep, Repeated};
use super::options::{RunContext, Sending, Showing, SummaryForm};
use super::target::Target;
use super::whereabouts::Whereabouts;
use super::{choices, patches};
use crate::domain::account::{InputInfo, Phase, RowAccount, RowText, RunSpec, RunStats};
use crate::domain::characters::visible_path;
use crate::domain::exit::Exit;
use crate::domain::outcome::{Bucket, Outcome};
use crate::domain::setting::{Choice, Setting};
use crate::input::is_etag;
use crate::ledger::{self, LedgerError, Reader, RunHeader};
use crate::report::{
    self, Audits, FileSummary, Filed, Forms, Imbalance, Kept, Lost, OUTCOMES_FILE, PLAN_FILE, PlanCounts,
    PlanReport, Referrals, ReportError, RowReports, SUMMARY_FILE, Shelf, State, Summary, Tally, Written,
    row_files,
};

/// `plan.jsonl` as it was written, and what is in it.
#[derive(Debug)]
pub struct PlanFile {
    counts: PlanCounts,
    filed: Filed,
    /// What was kept of the reports that were taken away since.
    kept: Vec<Kept>,
}

/// Writes every report of a run, `plan` excepted where it is written already, prints its summary and the
/// next command, and says how the command ends.
///
/// # Errors
/// Where the ledger can't be read or a report can't be written. In the latter case the summary was
/// printed all the same.
pub async fn account(
    run_context: RunContext<'_>,
    plan: Option<PlanFile>,
    environment: &Environment<'_>,
) -> Result<Exit, CommandError> {
    let account = make(run_context.run, plan, None, run_context.patches, environment).await?;
    if let Some(reason) = environment.stop.reason().filter(|_| account.phase != Phase::Finished) {
        environment.console.say(&format!("stopped: {}", spelled(&reason.wording())));
    }
    account.finish(run_context.run, Some(run_context.sending), run_context.showing, environment).await
}

impl PlanFile {
    /// What names the plan: of the file's bytes, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.filed.sha256
    }
}

/// Writes and prints the same, for a run that nobody is at work with.
///
/// # Errors
/// As [`account()`].
pub async fn report(
    run: &Path,
    showing: Showing,
    environment: &Environment<'_>,
) -> Result<Exit, CommandError> {
    let account = make(run, None, None, None, environment).await?;
    if account.phase != Phase::Finished && ledger::is_worked_on(run).await {
        account.show(showing, environment.console);
        environment.console.say("note: another process is at work on this run: this is how far it has come");
        return Ok(account.exit);
    }
    account.finish(run, None, showing, environment).await
}

/// Writes and shows the same for a run that was planned and isn't begun, because of what `exit`
/// says. Why, and what to do next, is for the caller to print.
///
/// # Errors
/// As [`account()`].
pub async fn account_refused(
    run_context: RunContext<'_>,
    plan: Option<PlanFile>,
    exit: Exit,
    environment: &Environment<'_>,
) -> Result<(), CommandError> {
    make(run_context.run, plan, Some(exit), run_context.patches, environment)
        .await?
        .show(run_context.showing, environment.console);
    Ok(())
}

/// Writes `plan.jsonl`, so that a plan can be read before it is consented to.
///
/// # Errors
/// As [`account()`].
pub async fn write_plan_alone(run: &Path, console: &dyn Console) -> Result<PlanFile, CommandError> {
    let shelf = shelf(run, console);
    let reader = ledger::read(run).await?;
    let (counts, written) = tell_items(&shelf, &reader, &reader.inputs().await?).await?;
    let filed = written.map_err(|error| unwritten(&error, Exit::CouldNotRun, run, None))?;
    Ok(PlanFile { counts, filed, kept: Vec::new() })
}

/// Takes away what tells how the run stood before it is sent, but for its plan.
///
/// # Errors
/// Where that can't be done. Nothing was sent then.
pub fn take_away_reports(run: &Path, plan: &mut PlanFile, console: &dyn Console) -> Result<(), CommandError> {
    let resume = || CommandLine::resume(run, Vec::new());
    let taken = report::take_away(&shelf(run, console));
    plan.kept = taken.map_err(|error| unwritten(&error, Exit::CouldNotRun, run, Some(resume())))?;
    Ok(())
}

/// Nobody else writes reports of the run as long as this is held. What they tell has to be read afterwards, so
/// that who comes last tells what came last.
fn shelf(run: &Path, console: &dyn Console) -> Shelf {
    Shelf::take(run, || {
        console.say("note: another process is writing the reports of this run: waiting until it has done so");
    })
}

/// Shows the summary of a command that ended without an account, to a script that waits for one. `run` is the
/// one that was left, and can tell more; empty where there is none.
pub fn show_nothing(command: &str, run: &str, exit: Exit, console: &dyn Console) {
    let figures = RunStats::default();
    let summary = Summary {
        version: Summary::VERSION,
        run: run.to_owned(),
        command: command.to_owned(),
        state: State::Stopped,
        exit_code: exit.code(),
        inputs: Vec::new(),
        rows: report::Rows::default(),
        kept_otherwise: 0,
        referrals: Referrals::default(),
        requests: (&figures).into(),
        seconds: (&figures).into(),
        plan_sha256: None,
        consent: None,
        reason: None,
        files: Vec::new(),
        audit: None,
    };
    console.data(&(summary.to_json_line() + "\n"));
}

/// A run's account, as written.
struct Account {
    exit: Exit,
    about: RunSpec,
    summary: Summary,
    books: Tally,
    plan: PlanCounts,
    phase: Phase,
    written: Written,
    /// The change file of the plan's documents, where this process wrote it.
    patches: Option<PathBuf>,
    /// Why not all files are.
    unwritten: Option<ReportError>,
    /// The names of those that aren't.
    missing: Vec<String>,
    imbalance: Option<String>,
}

/// `patches` is the change file of the plan's documents, where this process wrote it.
async fn make(
    run: &Path,
    mut plan: Option<PlanFile>,
    exit: Option<Exit>,
    patches: Option<&Path>,
    environment: &Environment<'_>,
) -> Result<Account, LedgerError> {
    let shelf = shelf(run, environment.console);
    let reader = ledger::read(run).await?;
    let whereabouts = Whereabouts::of(&reader.header().spec, environment);
    let RunHeader { spec, phase, .. } = reader.header();
    let (inputs, phase, about) = (reader.inputs().await?, *phase, whereabouts.about(spec));
    let mut written = Written::default();
    if let Some(plan) = &mut plan {
        written.keep(std::mem::take(&mut plan.kept));
    }
    let (told, rows_written) = tell_rows(&shelf, &reader, &inputs, &mut written).await?;
    // It is the same at any time; where this process wrote it already, that need not be done again.
    let (plan, plan_written) = match plan {
        Some(PlanFile { counts, filed, .. }) => (counts, Ok(filed)),
        None => tell_items(&shelf, &reader, &inputs).await?,
    };
    let (plan_written, plan_unwritten) = match plan_written {
        Ok(filed) => (Some(filed), None),
        Err(error) => (None, Some(error)),
    };
    let mut unwritten = rows_written.err().or(plan_unwritten);
    let plan_sha256 = plan_written.as_ref().map(|filed| filed.sha256.clone());
    plan_written.into_iter().for_each(|filed| written.add(filed));
    let imbalance = told.balance(&inputs).err().map(|imbalance| imbalance.to_string());
    let Told { books, audits, pending } = told;
    let exit = match (&imbalance, exit) {
        (Some(_), _) => Exit::Unbalanced,
        (None, Some(exit)) => exit,
        (None, None) => exit_of(phase, &books, unwritten.is_some()),
    };
    let (referrals, figures) = (reader.referrals().await?, reader.stats().await?);
    let is_planned = phase != Phase::Planning;
    let mut summary = Summary {
        version: Summary::VERSION,
        run: run.to_string_lossy().into_owned(),
        command: about.command.clone(),
        state: phase.into(),
        exit_code: exit.code(),
        inputs: inputs.iter().map(Into::into).collect(),
        rows: (&books).into(),
        kept_otherwise: books.kept_otherwise().map_or(0, |(rows, _)| rows),
        referrals: Referrals {
            total: referrals.total,
            to_change: is_planned.then_some(plan.to_send),
            to_close: is_planned.then_some(plan.closing),
            changed: referrals.changed,
            closed: referrals.closed,
        },
        requests: (&figures).into(),
        seconds: (&figures).into(),
        plan_sha256: plan_sha256.filter(|_| is_planned),
        consent: reader.consent().await?.as_ref().map(Into::into),
        reason: about.reason.clone(),
        files: FileSummary::all(&shelf, &written),
        audit: audits.as_ref().map(Into::into),
    };
    match summary.write(&shelf) {
        Ok(filed) => written.add(filed),
        Err(error) => unwritten = unwritten.or(Some(error)),
    }
    if unwritten.is_none() {
        shelf.complete();
    }
    let missing = missing(&inputs, pending, &written);
    if let Some(file) = patches {
        written.add_rows(file.to_owned(), plan.to_send);
    }
    let exit = match exit {
        Exit::Done | Exit::SomeFailed if unwritten.is_some() => Exit::CouldNotRun,
        exit => exit,
    };
    summary.exit_code = exit.code();
    written.find_lost(|input| whereabouts.input(input));
    let patches = patches.map(Path::to_owned);
    Ok(Account { exit, about, summary, books, plan, phase, written, patches, unwritten, missing, imbalance })
}

/// The reports that could not be written.
fn missing(inputs: &[InputInfo], pending: Forms, written: &Written) -> Vec<String> {
    let others = [OUTCOMES_FILE, PLAN_FILE, SUMMARY_FILE].map(str::to_owned);
    let is_missing = |name: &String| !written.files().iter().any(|file| file.path.ends_with(name));
    row_files(inputs, pending).into_iter().chain(others).filter(is_missing).collect()
}

fn exit_of(phase: Phase, books: &Tally, unwritten: bool) -> Exit {
    match phase {
        Phase::Planning | Phase::Stopped => Exit::Stopped,
        Phase::Planned | Phase::Finished if unwritten => Exit::CouldNotRun,
        Phase::Planned | Phase::Finished => {
            Exit::of_outcomes(Outcome::ALL.into_iter().filter(|outcome| books.count(*outcome) > 0))
        }
    }
}

/// What the rows of a run come to.
struct Told {
    books: Tally,
    /// Of legacy payloads.
    audits: Option<Audits>,
    /// In which forms there are pending rows.
    pending: Forms,
}

impl Told {
    fn balance(&self, inputs: &[InputInfo]) -> Result<(), Imbalance> {
        self.books.balance(inputs)?;
        self.audits.as_ref().map_or(Ok(()), |audits| audits.balance(inputs))
    }
}

/// What the rows of a run come to is told also where their files can't be written.
async fn tell_rows(
    shelf: &Shelf,
    reader: &Reader,
    inputs: &[InputInfo],
    written: &mut Written,
) -> Result<(Told, Result<(), ReportError>), LedgerError> {
    let audits = reader.header().spec.asked.migrating.as_ref().map(|_| Audits::default());
    let mut told = Told { books: Tally::new(inputs.len()), audits, pending: Forms::default() };
    let mut files = RowReports::begin(shelf, inputs);
    let (mut bound, mut lost, mut is_short) = (Forms::default(), Lost::default(), false);
    reader
        .rows(&mut |row| {
            told.books.add(&row);
            note_bound(&mut bound, &row, inputs);
            lost.note(&row, inputs);
            is_short |= report::is_short_of_state(&row);
            if row.verdict.outcome.bucket() == Bucket::Pending {
                match row.text {
                    RowText::Cells(_) => told.pending.csv = true,
                    RowText::Line(_) => told.pending.jsonl = true,
                }
            }
            told.audits.iter_mut().for_each(|audits| audits.add(&row));
            keep(&mut files, |files| files.row(&row));
            Ok::<_, LedgerError>(())
        })
        .await?;
    written.bind(bound);
    written.lose(lost);
    written.fall_short(is_short);
    Ok((told, files.and_then(|files| files.finish(written))))
}

/// Takes note of a row in conflict that names its eTag, which is not the referral's any more.
fn note_bound(bound: &mut Forms, row: &RowAccount, inputs: &[InputInfo]) {
    if row.verdict.outcome != Outcome::Conflict {
        return;
    }
    match &row.text {
        RowText::Cells(cells) => {
            let columns = inputs.get(row.place.input as usize).map_or(&[][..], |input| &input.columns);
            let named =
                columns.iter().zip(cells).any(|(name, cell)| is_etag(name) && !cell.trim().is_empty());
            bound.csv |= named;
        }
        RowText::Line(line) => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(line).unwrap_or_default();
            bound.jsonl |= members.keys().any(|name| is_etag(name));
        }
    }
}

/// The same for its items.
async fn tell_items(
    shelf: &Shelf,
    reader: &Reader,
    inputs: &[InputInfo],
) -> Result<(PlanCounts, Result<Filed, ReportError>), LedgerError> {
    let mut counts = PlanCounts::default();
    let mut file = PlanReport::begin(shelf, inputs);
    reader
        .items(&mut |item| {
            counts.add(&item);
            keep(&mut file, |file| file.item(&item));
            Ok::<_, LedgerError>(())
        })
        .await?;
    Ok((counts, file.and_then(PlanReport::finish)))
}

/// Goes on writing as long as nothing went wrong with it.
fn keep<T>(report: &mut Result<T, ReportError>, write: impl FnOnce(&mut T) -> Result<(), ReportError>) {
    if let Ok(open) = report
        && let Err(error) = write(open)
    {
        *report = Err(error);
    }
}

/// `next` is what carries on with the run; where nothing does, its reports can be written all the same.
fn unwritten(error: &ReportError, exit: Exit, run: &Path, next: Option<CommandLine>) -> CommandError {
    if let ReportError::UnknownInput(unknown) = error {
        return CommandError { exit, ..ledger::damaged(run, unknown).into() };
    }
    let next = next.unwrap_or_else(|| CommandLine::report(run));
    CommandError::new(exit, error.to_string())
        .hint(format!("see to space and permissions in the run's directory, then: {next}"))
}

impl Account {
    /// Prints the summary and what to do next.
    async fn finish(
        self,
        run: &Path,
        sending: Option<&Sending>,
        showing: Showing,
        environment: &Environment<'_>,
    ) -> Result<Exit, CommandError> {
        let console = environment.console;
        self.show(showing, console);
        let repeat = &sending.map_or_else(Vec::new, |sending| sending.repeat((environment.clock)()));
        if let Some(error) = &self.unwritten {
            let next = (self.exit == Exit::Stopped).then(|| self.carrying_on(run, repeat));
            return Err(unwritten(error, self.exit, run, next).hint_first(&self.not_written(run)));
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

    fn show(&self, showing: Showing, console: &dyn Console) {
        if let Some(imbalance) = &self.imbalance {
            console.say(&format!("error: the books do not balance: {imbalance}"));
        }
        for Kept { report, now } in self.written.kept() {
            let (report, now) = (visible_path(report), visible_path(now));
            console.say(&format!("note: {report} may hold somebody's changes: it is kept as {now}"));
        }
        let plan = (self.phase == Phase::Planned).then_some(self.plan);
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

    /// What applies the change file of a plan's documents instead of carrying the plan out.
    async fn apply_patches(&self, run: &Path, repeat: &[Choice]) -> Option<CommandLine> {
        let file = self.patches.as_ref().filter(|_| self.about.plan_only && self.plan.to_send > 0)?;
        let asked = &self.about.asked;
        let mut choices: Vec<Choice> = choices::state(&asked.state).into_iter().collect();
        choices.extend(choices::judging(asked));
        // No more than a hint hangs on it.
        let held_back_by = patches::held_back_by(run, &asked.levels).await.unwrap_or_default();
        choices.extend(held_back_by.iter().map(|rule| Choice::of(Setting::Rule, format!("{rule}=warn"))));
        choices.extend(Target::choice(&self.about.target));
        choices.extend_from_slice(repeat);
        Some(patches::command(file, choices))
    }

    /// Which reports are not written, and whether something else goes by their names.
    fn not_written(&self, run: &Path) -> String {
        let older = if self.missing.iter().any(|name| run.join(name).is_file()) {
            " (what is there by that name is of an earlier time)"
        } else {
            ""
        };
        format!("not written: {}{older}", self.missing.join(", "))
    }

    /// What carries on with a run that stopped, whatever else there is to say of it.
    fn carrying_on(&self, run: &Path, repeat: &[Choice]) -> CommandLine {
        let anew = choices::anew(&self.about, repeat).filter(|_| self.phase == Phase::Planning);
        anew.unwrap_or_else(|| CommandLine::resume(run, repeat.to_vec()))
    }

    fn next(&self, run: &Path, repeat: &[Choice], is_sending: bool) -> Option<NextStep> {
        let mut resuming = repeat.to_vec();
        // What is not consented to yet goes where the user says, which this process knows if it is to send.
        let is_to_confirm = is_sending && matches!(self.phase, Phase::Planning | Phase::Planned);
        resuming.extend(Target::choice_to_confirm(&self.about.target).filter(|_| is_to_confirm));
        let asked = &self.about.asked;
        let mut applying: Vec<Choice> = choices::plan_only(&self.about).into_iter().collect();
        applying.extend(choices::reading(asked));
        applying.extend(Target::choice(&self.about.target));
        applying.extend_from_slice(repeat);
        let anew = choices::anew(&self.about, repeat);
        let (state, format) = (choices::state(&asked.state), choices::format(asked));
        let repeated = Repeated { resuming, anew, applying, state, format };
        NextStep::of(&self.summary, run, &self.written, repeated)
    }
}
