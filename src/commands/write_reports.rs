//! Writes the reports of a run from its ledger, and derives the exit code.

use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use super::environment::{Console, Environment};
use super::error::CommandError;
use super::folded_rows::{RowSums, fold_rows};
use super::next_command::{CommandLine, spelled};
use super::options::Reporting;
use super::page_commands::{ToldRun, page_commands};
use super::verified_files;
use super::whereabouts::Whereabouts;
use crate::domain::account::{InputInfo, ItemAccount, Phase, RowAccount};
use crate::domain::consent::Consent;
use crate::domain::exit::Exit;
use crate::domain::outcome::Outcome;
use crate::domain::run_spec::RunSpec;
use crate::ledger::{self, LedgerError, Reader, RunHeader};
use crate::report::{
    self, FileSummary, Filed, FiledPlan, Forms, Kept, Overview, PAGE_FILE, PLAN_FILE, PageFacts, PlanCounts,
    PlanReport, Referrals, ReportError, ReportPage, RowReports, Shelf, Summary, TakenAway, Tally, Texts,
    Written, report_files,
};

/// `plan.jsonl` as it is filed, with its hash.
#[derive(Debug)]
pub struct PlanFile {
    sha256: String,
    /// What this process wrote; `None` where the file is as an earlier process wrote it.
    written: Option<WrittenPlan>,
    /// What the plan would change; `None` once that was shown.
    overview: Option<Overview>,
    /// The reports that were kept under another name when the run's reports were taken away after that.
    kept: Vec<Kept>,
    /// The large ones, while it is found out whether they are to be kept.
    aside: Option<JoinHandle<Vec<Kept>>>,
}

/// The files of a plan as they were written, with the counts of its items.
#[derive(Debug)]
struct WrittenPlan {
    counts: PlanCounts,
    filed: FiledPlan,
}

impl PlanFile {
    /// Returns the SHA-256 of the file's bytes, in hexadecimal, which identifies the plan.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Returns the reports that were kept under another name, once that is known of all, and what was written.
    fn into_parts(self) -> (Vec<Kept>, Option<(WrittenPlan, Option<Overview>)>) {
        let Self { written, overview, mut kept, aside, .. } = self;
        // Where finding out failed, they stay under the other names.
        kept.extend(aside.and_then(|aside| aside.join().ok()).into_iter().flatten());
        (kept, written.map(|written| (written, overview)))
    }

    /// Takes the overview of the plan for showing it.
    pub fn take_overview(&mut self) -> Option<Overview> {
        self.overview.take()
    }

    /// Puts back an overview that was not shown.
    pub fn keep_overview(&mut self, overview: Option<Overview>) {
        self.overview = overview;
    }
}

/// Writes only `plan.jsonl` and `plan.csv`, so that the plan can be read before it is consented to.
///
/// # Errors
/// Returns an error where the ledger can't be read, or the file can't be written.
pub async fn write_plan_alone(run: &Path, console: &dyn Console) -> Result<PlanFile, CommandError> {
    let shelf = shelf(run, console);
    let reader = ledger::read(run).await?;
    let (folded, written) = write_items(&shelf, &reader, &reader.inputs().await?).await?;
    let filed = written.map_err(|error| unwritten(error, Exit::CouldNotRun, run, None))?;
    let PlanSums { counts, overview } = folded;
    let sha256 = filed.lines.sha256.clone();
    Ok(PlanFile {
        sha256,
        written: Some(WrittenPlan { counts, filed }),
        overview,
        kept: Vec::new(),
        aside: None,
    })
}

/// Returns the plan as an earlier process filed it, where that is the one which was consented to: it need not be written
/// again before it is carried out. The ledger's plan is the same as then, which no one can change.
pub fn filed_plan(run: &Path, consent: &Consent, console: &dyn Console) -> Option<PlanFile> {
    let sha256 = consent.plan_sha256.clone();
    let is_filed = shelf(run, console).has_filed(PLAN_FILE, &sha256);
    is_filed.then_some(PlanFile { sha256, written: None, overview: None, kept: Vec::new(), aside: None })
}

/// Writes the page of a plan whose files are written, so that it can be reviewed before it is consented to.
///
/// # Errors
/// Returns an error where the ledger can't be read, or the page can't be written.
pub async fn write_plan_page(
    reporting: Reporting<'_>,
    plan: &PlanFile,
    environment: &Environment<'_>,
) -> Result<(), CommandError> {
    // Nobody is asked about a plan that was consented to before.
    let Some(WrittenPlan { counts, filed }) = &plan.written else { return Ok(()) };
    let Reporting { run, reveal, .. } = reporting;
    let (shelf, texts) = (shelf(run, environment.console), Texts::new(reveal));
    let reader = ledger::read(run).await?;
    let RunHeader { spec, phase, .. } = reader.header();
    let (inputs, phase, about) =
        (reader.inputs().await?, *phase, Whereabouts::of(spec, environment).about(spec));
    let (rows, _) = fold_rows(&reader, &inputs, texts, |_| {}, None).await?;
    let mut written = Written::default();
    written.add(filed.lines.clone());
    written.add(filed.table.clone());
    let exit = exit_of(phase, &rows.books, false);
    let folded = Folded {
        rows,
        plan: PlanSums { counts: *counts, overview: None },
        plan_sha256: Some(plan.sha256().to_owned()),
        written,
        unwritten: None,
    };
    let mut summary = sum_up(run, &about, exit, &reader, &inputs, &shelf, &folded).await?;
    summary.files = (&folded.written).into();
    let told = ToldRun {
        run,
        recorded: spec,
        about: &about,
        phase,
        exit,
        summary: &summary,
        written: &folded.written,
        is_unwritten: false,
        last_wave_fell: false,
    };
    let filed = write_page(told, &reader, &shelf, &folded.rows.page, texts).await?;
    filed.map(drop).map_err(|error| unwritten(error, Exit::CouldNotRun, run, None))
}

/// Takes the reports of a planned run away before it is sent, except its plan: they tell how the run stood
/// before, and would be wrong if this process died before it wrote others. Reports that may hold a user's
/// changes are kept under another name. Large ones are moved there at once, and read while the plan is sent: what is as it
/// was written is then removed.
///
/// # Errors
/// Returns an error where that can't be done. Nothing was sent then.
pub fn take_away_reports(run: &Path, plan: &mut PlanFile, console: &dyn Console) -> Result<(), CommandError> {
    let resume = || CommandLine::resume(run, Vec::new());
    let taken = report::take_away(&shelf(run, console));
    let TakenAway { kept, aside } =
        taken.map_err(|error| unwritten(error, Exit::CouldNotRun, run, Some(resume())))?;
    plan.kept = kept;
    plan.aside = aside.map(|aside| thread::spawn(|| aside.sort_out()));
    Ok(())
}

/// Takes the shelf of a run's reports, and waits where another process has it: no other process writes them
/// as long as it is held. The ledger has to be read after this, so that the process that writes last writes
/// the newest state.
fn shelf(run: &Path, console: &dyn Console) -> Shelf {
    Shelf::take(run, || {
        console.say("note: another process is writing the reports of this run: waiting until it has done so");
    })
}

/// The account of a run, as its reports tell it.
pub struct Account {
    /// How the command ends.
    pub exit: Exit,
    /// The run's specification, with paths resolved from the current directory.
    pub about: RunSpec,
    /// The contents of `summary.json`.
    pub summary: Summary,
    /// The rows by their outcomes.
    pub books: Tally,
    /// The counts of the items.
    pub plan: PlanCounts,
    /// What the plan would change; `None` where that was shown already.
    pub overview: Option<Overview>,
    /// How far the run came.
    pub phase: Phase,
    /// The report files that are in their places.
    pub written: Written,
    /// The change file of the plan's documents, where this process wrote it.
    pub patches: Option<PathBuf>,
    /// The first error that kept a file from being written.
    pub unwritten: Option<ReportError>,
    /// The names of the files that were not written.
    pub missing: Vec<String>,
    /// The reason why the books don't balance, where they don't.
    pub imbalance: Option<String>,
    /// Whether the last wave didn't stand when it was read back, and nothing was verified since.
    pub last_wave_fell: bool,
}

/// Writes every report of a run, and returns its account. `plan` is the plan report where it is written
/// already; `exit` is how the command ends where that doesn't follow from the run. A report that can't be written
/// keeps neither the others from being written nor the account from being made.
///
/// # Errors
/// Returns an error where the ledger can't be read.
pub async fn write_reports(
    reporting: Reporting<'_>,
    plan: Option<PlanFile>,
    exit: Option<Exit>,
    environment: &Environment<'_>,
) -> Result<Account, LedgerError> {
    let Reporting { run, patches, reveal } = reporting;
    let (shelf, texts) = (shelf(run, environment.console), Texts::new(reveal));
    let reader = ledger::read(run).await?;
    let RunHeader { spec, phase, .. } = reader.header();
    let whereabouts = Whereabouts::of(spec, environment);
    let (inputs, phase, about) = (reader.inputs().await?, *phase, whereabouts.about(spec));
    let mut folded = fold(&shelf, &reader, &inputs, plan, texts).await?;
    let imbalance = folded.rows.balance(&inputs).err().map(|imbalance| imbalance.to_string());
    let last_wave_fell = last_wave_fell(&reader).await?;
    let exit = match (&imbalance, exit) {
        (Some(_), _) => Exit::Unbalanced,
        (None, Some(exit)) => exit,
        (None, None) => match exit_of(phase, &folded.rows.books, folded.unwritten.is_some()) {
            Exit::Done if last_wave_fell => Exit::SomeFailed,
            exit => exit,
        },
    };
    let mut summary = sum_up(run, &about, exit, &reader, &inputs, &shelf, &folded).await?;
    // An earlier page is no file that this one tells of.
    summary.files.retain(|file| file.path != PAGE_FILE);
    folded.written.find_lost(|input| whereabouts.input(input));
    let told = ToldRun {
        run,
        recorded: spec,
        about: &about,
        phase,
        exit,
        summary: &summary,
        written: &folded.written,
        is_unwritten: folded.unwritten.is_some(),
        last_wave_fell,
    };
    match write_page(told, &reader, &shelf, &folded.rows.page, texts).await? {
        Ok(filed) => folded.written.add(filed),
        Err(error) => folded.unwritten = folded.unwritten.or(Some(error)),
    }
    summary.files = FileSummary::all(&shelf, &folded.written);
    match summary.write(&shelf) {
        Ok(filed) => folded.written.add(filed),
        Err(error) => folded.unwritten = folded.unwritten.or(Some(error)),
    }
    let Folded { rows, plan, mut written, unwritten, .. } = folded;
    let PlanSums { counts: plan, overview } = plan;
    if unwritten.is_none() {
        shelf.complete();
    }
    let is_verified = !reader.verifications().await?.is_empty();
    let missing = missing(&inputs, rows.pending, is_verified, &written);
    if let Some(file) = patches {
        written.add_rows(file.to_owned(), plan.to_send);
    }
    // The summary itself may be the first file that can't be written, which the exit code above doesn't know.
    let exit = match exit {
        Exit::Done | Exit::SomeFailed if unwritten.is_some() => Exit::CouldNotRun,
        exit => exit,
    };
    summary.exit_code = exit.code();
    let (books, patches) = (rows.books, patches.map(Path::to_owned));
    Ok(Account {
        exit,
        about,
        summary,
        books,
        plan,
        overview,
        phase,
        written,
        patches,
        unwritten,
        missing,
        imbalance,
        last_wave_fell,
    })
}

/// The sums over the rows and items of a run, and the files that were written meanwhile.
struct Folded {
    rows: RowSums,
    plan: PlanSums,
    /// The SHA-256 of `plan.jsonl`, where that is written.
    plan_sha256: Option<String>,
    written: Written,
    /// The first error that kept a file from being written.
    unwritten: Option<ReportError>,
}

/// Reads the rows and items of a run from its ledger, and writes their files.
async fn fold(
    shelf: &Shelf,
    reader: &Reader,
    inputs: &[InputInfo],
    plan: Option<PlanFile>,
    texts: Texts,
) -> Result<Folded, LedgerError> {
    let mut written = Written::default();
    // The plan report is the same at any time: where this process has written it already, it is not written
    // again.
    let there = plan.and_then(|plan| {
        let (kept, there) = plan.into_parts();
        written.keep(kept);
        there.map(|(WrittenPlan { counts, filed }, overview)| (PlanSums { counts, overview }, Ok(filed)))
    });
    let mut files = RowReports::begin(shelf, inputs, reader.header().spec.created);
    let each_row = |row: &RowAccount| keep(&mut files, |files| files.row(row));
    let ((rows, found), (plan, plan_written)) = match there {
        Some(there) => (fold_rows(reader, inputs, texts, each_row, None).await?, there),
        None => {
            let mut items = Items::begin(shelf, reader, inputs);
            let each_item: &mut dyn FnMut(&ItemAccount) = &mut |item| items.add(item);
            (fold_rows(reader, inputs, texts, each_row, Some(each_item)).await?, items.finish())
        }
    };
    found.note(&mut written);
    let rows_written = files.and_then(|files| files.finish(&mut written));
    let verified = verified_files::write_among_others(shelf, reader, inputs, &mut written).await?;
    let mut unwritten = rows_written.and(verified).err();
    let mut plan_sha256 = None;
    match plan_written {
        Ok(filed) => {
            plan_sha256 = Some(filed.lines.sha256.clone());
            written.add(filed.lines);
            written.add(filed.table);
        }
        Err(error) => unwritten = unwritten.or(Some(error)),
    }
    Ok(Folded { rows, plan, plan_sha256, written, unwritten })
}

/// Makes the summary of a run.
async fn sum_up(
    run: &Path,
    about: &RunSpec,
    exit: Exit,
    reader: &Reader,
    inputs: &[InputInfo],
    shelf: &Shelf,
    folded: &Folded,
) -> Result<Summary, LedgerError> {
    let Folded { rows: RowSums { books, audits, .. }, plan, plan_sha256, written, .. } = folded;
    let (referrals, stats, phase) = (reader.referrals().await?, reader.stats().await?, reader.header().phase);
    let is_planned = phase != Phase::Planning;
    Ok(Summary {
        state: phase.into(),
        inputs: inputs.iter().map(Into::into).collect(),
        rows: books.into(),
        kept_otherwise: books.kept_otherwise().map_or(0, |(rows, _)| rows),
        referrals: Referrals {
            total: referrals.total,
            to_change: is_planned.then_some(plan.counts.to_send),
            to_close: is_planned.then_some(plan.counts.closing),
            changed: referrals.changed,
            closed: referrals.closed,
        },
        requests: (&stats).into(),
        seconds: (&stats).into(),
        plan_sha256: plan_sha256.clone().filter(|_| is_planned),
        consent: reader.consent().await?.as_ref().map(Into::into),
        approvals: reader.approvals().await?.iter().map(Into::into).collect(),
        reason: about.reason.clone(),
        order: about.order.clone(),
        waves: about.waves.clone(),
        files: FileSummary::all(shelf, written),
        audit: audits.as_ref().map(Into::into),
        ..Summary::of_nothing(&about.command, &run.to_string_lossy(), exit.code())
    })
}

/// Writes the page of a run.
async fn write_page(
    told: ToldRun<'_>,
    reader: &Reader,
    shelf: &Shelf,
    page: &ReportPage,
    texts: Texts,
) -> Result<Result<Filed, ReportError>, LedgerError> {
    let (consent, approvals) = (reader.consent().await?, reader.approvals().await?);
    let verified = reader.verifications().await?.pop().map(|(_, verification)| verification);
    let facts = PageFacts {
        summary: told.summary,
        spec: told.about,
        phase: told.phase,
        consent: consent.as_ref(),
        approvals: &approvals,
        verified: verified.as_ref(),
        commands: &page_commands(told),
        spelled,
        texts,
    };
    Ok(page.write(shelf, &facts))
}

/// Whether the last wave of a run didn't stand when it was read back, and nothing was verified since.
async fn last_wave_fell(reader: &Reader) -> Result<bool, LedgerError> {
    let Some(waves) = &reader.header().spec.waves else { return Ok(false) };
    let last = waves.all().last().map(|wave| wave.number);
    let verified = reader.verifications().await?.pop();
    Ok(verified.is_some_and(|(_, verification)| {
        verification.wave.is_some() && verification.wave == last && !verification.is_all_ours()
    }))
}

/// Returns the names of the reports that could not be written.
fn missing(inputs: &[InputInfo], pending: Forms, is_verified: bool, written: &Written) -> Vec<String> {
    let is_missing = |name: &String| !written.files().iter().any(|file| file.path.ends_with(name));
    report_files(inputs, pending, is_verified).into_iter().filter(is_missing).collect()
}

/// Returns the exit code that follows from the phase of a run and the outcomes of its rows.
fn exit_of(phase: Phase, books: &Tally, unwritten: bool) -> Exit {
    match phase {
        Phase::Planning | Phase::Stopped => Exit::Stopped,
        Phase::Planned | Phase::Finished if unwritten => Exit::CouldNotRun,
        Phase::Planned | Phase::Finished => {
            Exit::of_outcomes(Outcome::ALL.into_iter().filter(|outcome| books.count(*outcome) > 0))
        }
    }
}

/// The sums over the items of a run.
struct PlanSums {
    counts: PlanCounts,
    overview: Option<Overview>,
}

/// Sums up the items of a run, and writes their file. The sums are returned also where it can't be written.
async fn write_items(
    shelf: &Shelf,
    reader: &Reader,
    inputs: &[InputInfo],
) -> Result<(PlanSums, Result<FiledPlan, ReportError>), LedgerError> {
    let mut items = Items::begin(shelf, reader, inputs);
    reader
        .items(&mut |item| {
            items.add(&item);
            Ok::<_, LedgerError>(())
        })
        .await?;
    Ok(items.finish())
}

/// The items of a run while they are summed up, and their files written.
struct Items {
    overview: Overview,
    file: Result<PlanReport, ReportError>,
}

impl Items {
    fn begin(shelf: &Shelf, reader: &Reader, inputs: &[InputInfo]) -> Self {
        let overview = Overview::begin(&reader.header().spec.asked.state, inputs);
        Self { overview, file: PlanReport::begin(shelf, inputs) }
    }

    fn add(&mut self, item: &ItemAccount) {
        self.overview.add(item, &[]);
        keep(&mut self.file, |file| file.item(item));
    }

    fn finish(self) -> (PlanSums, Result<FiledPlan, ReportError>) {
        let (counts, overview) = (self.overview.counts(), Some(self.overview));
        (PlanSums { counts, overview }, self.file.and_then(PlanReport::finish))
    }
}

/// Goes on writing a report as long as there was no error; the first error is kept.
fn keep<T>(report: &mut Result<T, ReportError>, write: impl FnOnce(&mut T) -> Result<(), ReportError>) {
    if let Ok(open) = report
        && let Err(error) = write(open)
    {
        *report = Err(error);
    }
}

/// Returns the error of a report that can't be written. `next` is the command that carries on with the run;
/// where there is none, the hint is to write the reports again.
pub fn unwritten(error: ReportError, exit: Exit, run: &Path, next: Option<CommandLine>) -> CommandError {
    if let ReportError::UnknownInput(unknown) = error {
        return CommandError { kind: exit.into(), ..ledger::damaged(run, unknown).into() };
    }
    let next = next.unwrap_or_else(|| CommandLine::report(run));
    CommandError::new(exit.into(), "")
        .because(error)
        .hint(format!("see to space and permissions in the run's directory, then: {next}"))
}
