//! Writes a plan down: rows and items go into the ledger, findings to the console.

use jiff::Timestamp;
use tracing::info;

use super::columns;
use super::environment::Environment;
use super::error::{CommandError, ErrorKind, Problem};
use super::next_command::{flag, spelled};
use super::ordering::Ordering;
use crate::domain::account::{InputInfo, RowRecord, RowText, Settled, input_name};
use crate::domain::finding::{Finding, Location};
use crate::domain::format::Format;
use crate::domain::outcome::Outcome;
use crate::domain::priority::{Direction, SendingOrder};
use crate::domain::referral::ReferralId;
use crate::domain::run_spec::{Base, PlanSpec, RunSpec, StateSource};
use crate::domain::setting::Setting;
use crate::domain::sheet_cell::MOST_ROWS;
use crate::domain::snapshot::Snapshot;
use crate::domain::subject::Subject;
use crate::domain::waves::WavePlan;
use crate::input::{InputError, Read, Unusable};
use crate::ledger::{KeySource, LedgerError, OrderKeys, Planning, Spill};
use crate::plan::Planned;
use crate::report::{SharedForms, counted};

/// The most findings that are printed one by one; the reports hold all of them.
const MOST_SHOWN: usize = 10;

/// Why no more rows are taken.
#[derive(Debug)]
pub enum Halt {
    /// The run is to stop.
    Stopped,
    /// The ledger can't be written.
    Ledger(LedgerError),
    /// A row of an earlier run has to be planned from the current state of its referral, which this plan
    /// doesn't read.
    Unseen(Location, Outcome),
}

impl From<LedgerError> for Halt {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

/// A finding for the console.
struct Noted {
    finding: Finding,
    /// The referral that it is about, where its row names one.
    id: Option<ReferralId>,
    /// What people know that referral by, where it was seen.
    title: Option<String>,
}

/// Writes the rows and items of a plan to the ledger, and keeps the first findings for the console.
pub struct PlanWriter<'a> {
    ledger: Planning,
    /// The inputs as they were read before, where the run is planned again.
    before: Vec<InputInfo>,
    /// The process around the command.
    pub environment: &'a Environment<'a>,
    clock: fn() -> Timestamp,
    rows: u64,
    /// The inputs by path, and the format of each once it was read.
    inputs: Vec<(String, Format)>,
    /// The number of rows in workbooks.
    sheet_rows: u64,
    forms: SharedForms,
    /// The first findings by their place, at most [`MOST_SHOWN`].
    first: Vec<Noted>,
    /// The number of findings that deny.
    found: u64,
    /// What is known of the inputs, where changes are sent in another order than theirs.
    read: Vec<InputInfo>,
    ordering: Option<Ordering>,
    /// The number of items to be sent whose place in that order is unknown: nothing shows the value.
    without_turn: u64,
}

impl<'a> PlanWriter<'a> {
    /// Creates a writer without rows or items. `before` are the inputs that were read when the run was
    /// planned before, and have to be the same now.
    pub fn new(ledger: Planning, before: Vec<InputInfo>, environment: &'a Environment<'a>) -> Self {
        Self {
            ledger,
            before,
            environment,
            clock: environment.clock,
            rows: 0,
            inputs: Vec::new(),
            sheet_rows: 0,
            forms: SharedForms::default(),
            first: Vec::new(),
            found: 0,
            read: Vec::new(),
            ordering: None,
            without_turn: 0,
        }
    }

    /// Returns whether the run is to stop, so that nothing comes of its plan.
    pub fn is_stopped(&self) -> bool {
        self.environment.stop.is_set()
    }

    /// Returns whether the plan reads the referrals' current state from the service.
    fn is_live(&self) -> bool {
        self.ledger.header().spec.asked.state == StateSource::Live
    }

    /// Returns how the run's rows are read and judged.
    pub fn asked(&self) -> &PlanSpec {
        &self.ledger.header().spec.asked
    }

    /// Reads an input with `read`, the reader for inputs of its kind, and records in the ledger that it was
    /// read. Where the run is stopped before the input's end, that is not recorded: the rest of its rows is
    /// unknown then, and they are read from the beginning when the run is planned again.
    ///
    /// # Errors
    /// Returns an error where the input can't be read at all, has changed since it was read before, or the
    /// ledger can't be written.
    pub fn input(
        &mut self,
        path: &str,
        read: impl FnOnce(&mut Self, u32, &mut dyn std::io::Read) -> Result<Read, InputError<Halt>>,
    ) -> Result<(), CommandError> {
        if self.is_stopped() {
            return Ok(());
        }
        let number = u32::try_from(self.inputs.len()).unwrap_or(u32::MAX);
        self.inputs.push((path.to_owned(), Format::Csv));
        let mut stdin = self.environment.stdin.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let read = match read(self, number, &mut **stdin) {
            Ok(read) => read,
            Err(InputError::Sink(Halt::Stopped)) => return Ok(()),
            Err(InputError::Sink(Halt::Ledger(error))) => return Err(error.into()),
            Err(InputError::Sink(Halt::Unseen(place, outcome))) => return Err(unseen(path, place, outcome)),
            Err(InputError::Unusable(unusable)) => return Err(unreadable(&unusable)),
        };
        for note in &read.notes {
            self.environment.console.say(&format!("note: {note}"));
        }
        self.inputs.iter_mut().last().into_iter().for_each(|input| input.1 = read.info.format);
        self.check_unchanged(&read.info)?;
        self.check_room(&read.info)?;
        self.forms.add(&read.info);
        if self.asked().priority.is_some() {
            self.read.push(read.info.clone());
        }
        Ok(self.ledger.input(number, &read.info)?)
    }

    /// Makes sure that an input has not changed since the run was begun: a run that is carried on with has to
    /// be the one that was begun.
    fn check_unchanged(&self, now: &InputInfo) -> Result<(), CommandError> {
        let changed = self.before.iter().any(|before| before.path == now.path && before.sha256 != now.sha256);
        if !changed {
            return Ok(());
        }
        let what = format!("{} is not what it was when the run was begun", now.path);
        Err(CommandError::could_not_run(what).hint("nothing was sent so far: apply it as a run of its own"))
    }

    /// Makes sure that the workbooks of a run have no more rows together than one has: they share their reports.
    fn check_room(&mut self, read: &InputInfo) -> Result<(), CommandError> {
        if read.format != Format::Xlsx {
            return Ok(());
        }
        self.sheet_rows += read.rows;
        if self.sheet_rows <= MOST_ROWS {
            return Ok(());
        }
        let what = format!("the workbooks hold more than {} together", counted(MOST_ROWS, "row"));
        let hint = "a workbook of reports has no room for them: plan them as runs of their own";
        Err(CommandError::could_not_run(what).hint(hint))
    }

    /// Returns a store for texts that lasts as long as the run is planned.
    ///
    /// # Errors
    /// Returns an error where it can't be made in the run's directory.
    pub fn spill(&self) -> Result<Spill, LedgerError> {
        self.ledger.spill()
    }

    /// Records the file that the inputs were made from, for a plan that has to be made again.
    ///
    /// # Errors
    /// Returns an error where the ledger can't be written.
    pub fn pin(&mut self, base: Base) -> Result<(), LedgerError> {
        let mut about = self.ledger.header().spec.clone();
        match &mut about.asked.migrating {
            Some(migrating) => migrating.base = Some(base),
            None => about.asked.base = Some(base),
        }
        self.ledger.amend(about)
    }

    /// Makes sure that the columns that the user names are in the inputs, and records which are mapped: what
    /// the settings file says of others is of no account for this run.
    ///
    /// # Errors
    /// Returns an error where a column that was typed is in no input, or the ledger can't be written.
    pub fn settle_columns(&mut self, inputs: &[InputInfo]) -> Result<(), CommandError> {
        let asked = &self.ledger.header().spec.asked;
        columns::are_there(asked, inputs)?;
        if let Some(note) = columns::sheet_of_none(asked, inputs) {
            self.environment.console.say(&format!("note: {note}"));
        }
        if let Some(note) = columns::without_columns(asked, inputs) {
            self.environment.console.say(&format!("note: {}", spelled(&note)));
        }
        let mapped = columns::in_use(asked, inputs);
        if mapped.len() < asked.mapped.len() {
            let mut about = self.ledger.header().spec.clone();
            about.asked.mapped = mapped;
            self.ledger.amend(about)?;
        }
        Ok(())
    }

    /// Settles what changes are sent in the order of, where the user asks for an order. All inputs are read by then.
    ///
    /// # Errors
    /// Returns an error where no column or two are meant, its values can be read in two ways, or the ledger can't be
    /// read.
    pub fn settle_order(&mut self) -> Result<(), CommandError> {
        let Some(priority) = self.asked().priority.clone().filter(|_| !self.is_stopped()) else {
            return Ok(());
        };
        let ordering = Ordering::settle(&priority, &self.ledger, &self.read)?;
        for note in &ordering.notes {
            self.environment.console.say(&format!("note: {note}"));
        }
        self.ordering = Some(ordering);
        Ok(())
    }

    /// Puts the items that are to be sent in the order that the user asks for, if he does, and records which that is.
    /// All items are written by then.
    ///
    /// # Errors
    /// Returns an error where the ledger can't be written.
    pub async fn put_in_order(&mut self) -> Result<(), LedgerError> {
        let Some(ordering) = self.ordering.take().filter(|_| !self.is_stopped()) else {
            return self.cut_in_waves(None).await;
        };
        let unseen = self.without_turn;
        if let Some(warning) = ordering.unseen_warning(unseen) {
            self.environment.console.say(&format!("warning: {warning}"));
        }
        let placed = self.ledger.put_in_order(ordering.keys()).await?;
        let without = placed.without.saturating_sub(unseen);
        let shown = Some(unseen).filter(|unseen| *unseen > 0);
        let order = SendingOrder { without: Some(without), unseen: shown, ..ordering.order };
        let (by, kind, direction) = (order.by.name(), order.kind.name(), order.direction.name());
        info!(by, kind, direction, without, unseen, "put in order");
        self.ledger.amend(RunSpec { order: Some(order), ..self.ledger.header().spec.clone() })?;
        self.cut_in_waves(Some(placed.items)).await
    }

    /// Cuts the items that are to be sent in waves, where the user asks for that, and records where each wave ends.
    /// `placed` is how many they are; `None` where they are sent in the order of the inputs, and have no places yet.
    async fn cut_in_waves(&mut self, placed: Option<u64>) -> Result<(), LedgerError> {
        let Some(waves) = self.asked().waves.clone().filter(|_| !self.is_stopped()) else { return Ok(()) };
        let items = match placed {
            Some(items) => items,
            None => {
                let keys = OrderKeys { of: KeySource::Inputs, direction: Direction::Asc };
                self.ledger.put_in_order(keys).await?.items
            }
        };
        // Where nothing is sent, there is no wave.
        let plan = match items {
            0 => return Ok(()),
            items => WavePlan::of(&waves, items),
        };
        info!(waves = plan.count(), "cut in waves");
        self.ledger.amend(RunSpec { waves: Some(plan), ..self.ledger.header().spec.clone() })
    }

    /// Whether an item is to be sent in the order of a value that this state of its referral doesn't show.
    pub fn misses_turn(&self, planned: &Planned, referral: &Snapshot<'_>) -> bool {
        planned.verdict.is_none() && self.ordering.as_ref().is_some_and(|ordering| ordering.misses(referral))
    }

    /// Counts an item whose place in the order of sending stays unknown.
    pub fn count_without_turn(&mut self) {
        self.without_turn += 1;
    }

    /// Returns the number of rows that were read so far, in all inputs.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the ordinal of the next row, and counts that row as read.
    pub fn next_row(&mut self) -> u64 {
        self.rows += 1;
        self.rows
    }

    /// Writes a row to the ledger. `told` is its outcome in an earlier run, where the row comes from a report
    /// of that run.
    ///
    /// # Errors
    /// Returns an error where the run is to stop, the ledger can't be written, or the row must not be planned
    /// from an older state of its referral than the service has.
    pub fn row(&mut self, mut row: RowRecord, told: Option<Outcome>) -> Result<(), Halt> {
        if self.is_stopped() {
            return Err(Halt::Stopped);
        }
        if let Some(outcome) = told.filter(|told| told.needs_live_state() && !self.is_live()) {
            return Err(Halt::Unseen(row.place, outcome));
        }
        row.findings = row.findings.into_iter().map(|finding| finding.spelled(flag)).collect();
        row.verdict = row.verdict.map(|verdict| verdict.spelled(flag));
        self.note(&row.findings, row.id);
        Ok(self.ledger.row(&row)?)
    }

    /// Returns the text of a row as it was read and written to the ledger.
    ///
    /// # Errors
    /// Returns an error where the ledger can't be read.
    pub fn text_of(&self, row: u64) -> Result<RowText, LedgerError> {
        self.ledger.text_of(row)
    }

    /// Writes an item to the ledger.
    ///
    /// # Errors
    /// Returns an error where the ledger can't be written.
    pub fn item(&mut self, planned: Planned) -> Result<(), LedgerError> {
        let Planned { mut item, verdict, seen: etag, theirs, audit, subject, .. } = planned;
        item.findings = item.findings.into_iter().map(|finding| finding.spelled(flag)).collect();
        self.note(&item.findings, Some(item.id));
        self.call(item.id, subject.as_ref());
        let at = (self.clock)();
        let settled = verdict.map(|verdict| Settled { etag, verdict: verdict.spelled(flag), theirs, at });
        self.ledger.item(&item, settled.as_ref(), audit.as_ref(), subject.as_ref())
    }

    /// Takes back an item that has to be made anew, and the findings that denied it.
    ///
    /// # Errors
    /// Returns an error where the ledger can't be written.
    pub fn retract(&mut self, number: u64, denied: &[Finding]) -> Result<(), LedgerError> {
        let is_it = |finding: &Finding| {
            denied
                .iter()
                .any(|it| (it.place, it.rule, &it.message) == (finding.place, finding.rule, &finding.message))
        };
        self.first.retain(|noted| !is_it(&noted.finding));
        self.found -= denied.len() as u64;
        self.ledger.retract(number)
    }

    /// Counts the findings that deny, and keeps the first of them by their place. Warnings are for the
    /// summary.
    fn note(&mut self, findings: &[Finding], id: Option<ReferralId>) {
        for finding in findings.iter().filter(|finding| finding.is_deny()) {
            self.found += 1;
            let at = self.first.partition_point(|earlier| earlier.finding.place <= finding.place);
            if at < MOST_SHOWN {
                self.first.insert(at, Noted { finding: finding.clone(), id, title: None });
                self.first.truncate(MOST_SHOWN);
            }
        }
    }

    /// Calls a referral, once it was seen, by what people know it by, also in findings about its rows that were made
    /// before.
    fn call(&mut self, id: ReferralId, subject: Option<&Subject>) {
        for noted in self.first.iter_mut().filter(|noted| noted.id == Some(id)) {
            noted.title = subject.and_then(Subject::title);
        }
    }

    /// Records that all inputs are read: should the run be planned again, they have to be the same. Says in
    /// which form the reports are written, where the inputs have several.
    ///
    /// # Errors
    /// Returns an error where the ledger can't be written.
    pub async fn keep(&mut self) -> Result<(), LedgerError> {
        for note in self.forms.notes() {
            self.environment.console.say(&format!("note: {note}"));
        }
        self.ledger.keep().await
    }

    /// Ends the planning: prints the first findings, and returns the ledger.
    pub fn close(self) -> Planning {
        for noted in &self.first {
            let (name, format) = self
                .inputs
                .get(noted.finding.place.input as usize)
                .map_or(("input", Format::Csv), |(name, format)| (name.as_str(), *format));
            self.environment.console.say(&describe(noted, input_name(name), format));
        }
        let hidden = self.found - self.first.len() as u64;
        if hidden > 0 {
            let more = counted(hidden, "more finding");
            self.environment.console.say(&format!("… and {more}: see the error and conflict reports"));
        }
        self.ledger
    }
}

/// Formats a finding for the console: what is wrong with which deal, where, and what to do.
fn describe(Noted { finding, title, .. }: &Noted, file: &str, format: Format) -> String {
    let place = format.place(finding.place.line, finding.place.column);
    let deal = title.as_ref().map_or(String::new(), |title| format!(" ({title})"));
    let hint = finding.hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {}", spelled(hint)));
    format!("error[{}]: {}{deal}\n  --> {file}:{place}{hint}", finding.rule, finding.message)
}

/// Returns the error that a row of an earlier run can't be planned without its referral's current state.
fn unseen(path: &str, place: Location, outcome: Outcome) -> CommandError {
    let name = input_name(path);
    let message = format!(
        "{name} comes from a report, and tells of a row that is {}: it has to be planned from its referral as it \
         stands",
        outcome.name()
    );
    let place = format!("{name}:{}", place.line);
    let state = flag(Setting::State);
    let hint = format!("leave out {state}, so that what was applied is found unchanged; nothing was sent");
    let problem = Problem { place: Some(place), hints: vec![hint.into()], ..Problem::new(message) };
    CommandError::of(ErrorKind::Usage, vec![problem])
}

/// Returns the error of an input that can't be read at all, with a problem for each place.
pub(super) fn unreadable(unusable: &Unusable) -> CommandError {
    let problems = unusable.problems().iter().cloned().map(|problem| Problem {
        place: Some(problem.place),
        hints: problem.hint.into_iter().collect(),
        ..Problem::new(problem.message)
    });
    CommandError::of(ErrorKind::CouldNotRun, problems.collect())
}
