//! `export`: writes referrals into a file, as a snapshot or as a change file to look through and fill in.
//!
//! Nothing here can change a referral: there is no run, no ledger, and so no ticket that a change could be sent
//! with.

use std::io::ErrorKind as IoErrorKind;
use std::path::PathBuf;

use super::engine_context::engine_context;
use super::environment::Environment;
use super::error::{CommandError, ErrorKind};
use super::harvest::{Gap, Harvest, Harvested, Unread};
use super::next_command::{CommandLine, Operand, flag, spelled};
use super::options::Sending;
use super::plan_writer::unreadable;
use super::remembered_rate::{self, Use};
use super::target::Target;
use super::{beginning, connection, out_file, progress};
use crate::api::{Client, PageLink};
use crate::domain::cell_text::TableForm;
use crate::domain::characters::visible_path;
use crate::domain::criteria::Criteria;
use crate::domain::exit::Exit;
use crate::domain::referral::ReferralId;
use crate::domain::rules::Levels;
use crate::domain::setting::{Choice, Setting};
use crate::domain::wording::Wording;
use crate::engine::fetch::{Beginning, Survey, fetch_referrals, fetch_singly};
use crate::engine::list_all::{ListError, list_all};
use crate::engine::{Context, StopReason};
use crate::input::export::ExportColumns;
pub use crate::input::export::Fill;
use crate::input::{BETWEEN_NAMES, GUARDED, read_ids};
use crate::pace::{Pace, Pacing};
use crate::report::{
    ExportFile, ExportForm, ExportHeader, Progress, ProgressMode, ReportError, counted, grouped, roughly,
};

/// The options of `export`.
#[derive(Debug)]
pub struct ExportOptions {
    /// The file to write.
    pub out: PathBuf,
    /// What it holds.
    pub content: Content,
    /// The file that lists the referrals; `None` for all of them.
    pub ids: Option<String>,
    /// Which of them.
    pub criteria: Criteria,
    /// Whether a file of that name may be replaced.
    pub force: bool,
    /// The target that is read from.
    pub target: Target,
    /// How requests are sent.
    pub sending: Sending,
    /// How progress is shown.
    pub progress: ProgressMode,
}

/// What an export holds of each referral.
#[derive(Debug)]
pub enum Content {
    /// All that the service shows.
    Snapshot,
    /// A row of a change file.
    Table {
        /// The form of the file.
        form: TableForm,
        /// The names of the columns; none for those that people need to look through it.
        columns: Vec<String>,
        /// The columns that are filled with the same value for every referral.
        fills: Vec<Fill>,
        /// The level of every rule, by which cells are judged when the file is read.
        levels: Levels,
    },
}

/// What helps where the service has none of what is asked for.
const WRONG_BASE: &str = "check the base of the API, which ends in /v1.0";

/// The most referrals of a kind that are told by their ids.
const MOST_TOLD: usize = 10;

/// Writes the file.
///
/// # Errors
/// Returns an error where a column is none, a file of that name is there, the list can't be read to its end, or
/// the file can't be written. Then there is no file.
pub async fn run(options: ExportOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let columns = columns(&options.content)?;
    out_file::check(&options.out, options.force).await?;
    out_file::spare(&options.out, &options.ids, "the list of what is to be exported")?;
    let ids = options.ids.as_deref().map(listed).transpose()?;
    let connect = (environment.new_id)();
    let client = connection::connect(&options.target, options.sending.timeout, connect, environment)?;
    let (pace, pacing) = (Pace::new(options.sending.pacing), options.sending.pacing);
    remembered_rate::begin(Use::Reading, &pace, pacing, &client, &options.target, environment).await;
    let progress = Progress::listing(options.progress);
    let observe = |event| progress::show(&progress, environment, event);
    let context = engine_context(&client, &pace, &options.sending, environment, &observe);
    let exporter = Exporter { options: &options, columns: columns.as_ref(), environment };
    let gathering = exporter.gather(&context, ids);
    let harvest = progress::watched(gathering, &progress, &context, options.progress, environment).await;
    remembered_rate::keep(Use::Reading, &pace, pacing, &client, &options.target, environment).await;
    if let Some(trouble) = stopped(&options.target, environment) {
        return Err(trouble);
    }
    exporter.conclude(harvest?, &context)
}

/// Returns the columns of a change file; `None` for a snapshot.
fn columns(content: &Content) -> Result<Option<ExportColumns>, CommandError> {
    let Content::Table { form, columns, fills, levels } = content else { return Ok(None) };
    let columns = ExportColumns::new(*form, columns, fills, levels.clone());
    columns.map(Some).map_err(|(name, error)| {
        let is_filled = fills.iter().any(|fill| fill.name == name);
        let setting = flag(if is_filled { Setting::Set } else { Setting::Columns });
        CommandError::usage(format!("{setting} {name}: {}", error.message)).hint(error.hint)
    })
}

/// Reads the list of referrals.
fn listed(path: &str) -> Result<Vec<ReferralId>, CommandError> {
    read_ids(path).map_err(|error| unreadable(&error))
}

/// Returns why nothing is written, where the command was stopped.
fn stopped(target: &Target, environment: &Environment<'_>) -> Option<CommandError> {
    const NOTHING: &str = "nothing was written";
    let reason = environment.stop.reason()?;
    Some(match &reason {
        StopReason::Interrupted => CommandError::new(ErrorKind::Stopped, format!("interrupted: {NOTHING}")),
        StopReason::Unreachable(why) => {
            CommandError::could_not_run(format!("{} cannot be reached: {why}", target.name()))
                .hint(format!("check the endpoint and the network; {NOTHING}"))
        }
        StopReason::NoToken(why) => {
            CommandError::could_not_run(format!("there is no token to send: {}", spelled(why)))
                .hint(connection::about_token(target, None, NOTHING, environment))
        }
        StopReason::SignIn { .. } | StopReason::Token { .. } => {
            let hint = connection::about_token(target, reason.needs_sign_in(), NOTHING, environment);
            CommandError::could_not_run(spelled(&reason.wording())).hint(hint)
        }
        other => CommandError::could_not_run(spelled(&other.wording())).hint(NOTHING),
    })
}

/// An export while it is made.
struct Exporter<'a> {
    options: &'a ExportOptions,
    columns: Option<&'a ExportColumns>,
    environment: &'a Environment<'a>,
}

impl<'a> Exporter<'a> {
    /// Gathers all referrals that are chosen.
    async fn gather(
        &self,
        context: &Context<'_, Client>,
        ids: Option<Vec<ReferralId>>,
    ) -> Result<Harvest<'a>, CommandError> {
        let mut harvest = match ids {
            None => self.list(context).await?,
            Some(ids) => {
                let mut harvest = self.begin(ids)?;
                if !fetch_referrals(context, &mut harvest, Beginning::Pages).await.map_err(unwritten)? {
                    self.environment.console.say(&format!("hint: {WRONG_BASE}"));
                }
                harvest
            }
        };
        self.look(context, &mut harvest).await?;
        if harvest.probe() {
            self.look(context, &mut harvest).await?;
        }
        if harvest.follow_up() {
            self.look(context, &mut harvest).await?;
        }
        Ok(harvest)
    }

    /// Reads the list to its end: filtered by the service, where it does that.
    async fn list(&self, context: &Context<'_, Client>) -> Result<Harvest<'a>, CommandError> {
        let first = self.options.criteria.asked().and_then(|filter| PageLink::filtered(&filter));
        let is_filtered = first.is_some();
        let mut harvest = self.begin(Vec::new())?;
        let listed = list_all(context, first, &mut |referral| harvest.listed(referral)).await;
        let refusal = match listed {
            Ok(referrals) => {
                if !is_filtered {
                    let target = &self.options.target;
                    beginning::keep_total(context.api, target, referrals, self.environment).await;
                }
                return Ok(harvest);
            }
            Err(ListError::Stopped) => return Ok(harvest),
            Err(ListError::Page { page: 1, failure }) if is_filtered && is_about_filter(failure.status()) => {
                failure
            }
            Err(error) => return Err(self.unlisted(error)),
        };
        self.environment.console.say(&format!(
            "note: the service does not filter the list so ({}): all of it is read, and filtered here",
            refusal.message()
        ));
        let mut harvest = self.begin(Vec::new())?;
        match list_all(context, None, &mut |referral| harvest.listed(referral)).await {
            Ok(_) | Err(ListError::Stopped) => Ok(harvest),
            Err(error) => Err(self.unlisted(error)),
        }
    }

    /// Begins a file of all referrals, or of these.
    fn begin(&self, ids: Vec<ReferralId>) -> Result<Harvest<'a>, CommandError> {
        let form = match self.columns {
            None => ExportForm::Snapshot,
            Some(columns) => {
                let names = columns.names().map(str::to_owned).collect();
                let header = ExportHeader { names, guarded: GUARDED, between: BETWEEN_NAMES };
                match columns.form() {
                    TableForm::Csv => ExportForm::Csv(header),
                    TableForm::Workbook => ExportForm::Workbook {
                        header,
                        types: columns.types().collect(),
                        created: (self.environment.clock)(),
                    },
                }
            }
        };
        let file = ExportFile::begin(&self.options.out, form).map_err(unwritten)?;
        Ok(Harvest::begin(&self.options.criteria, self.columns, file, ids))
    }

    /// Reads the referrals that the list doesn't suffice for.
    async fn look(
        &self,
        context: &Context<'_, Client>,
        harvest: &mut Harvest<'_>,
    ) -> Result<(), CommandError> {
        if harvest.remaining() == 0 || context.stop.is_set() {
            return Ok(());
        }
        let what = counted(harvest.remaining() as u64, "referral");
        let time = match self.options.sending.pacing {
            Pacing::Fixed(rate) => {
                format!(" (about {} at {rate})", roughly(rate.time_for(harvest.remaining() as u64)))
            }
            Pacing::Auto => String::new(),
        };
        self.environment
            .console
            .say(&format!("note: {what} to be read one by one, for what the list doesn't show{time}"));
        fetch_singly(context, harvest, &|_| {}).await.map_err(unwritten)
    }

    /// Returns the error that the list could not be read to its end.
    fn unlisted(&self, error: ListError<ReportError>) -> CommandError {
        let name = self.options.target.name();
        let (status, hint) = match &error {
            ListError::Sink(_) | ListError::Stopped => (None, ""),
            ListError::Page { failure, .. } => (failure.status(), "nothing was written; try again later"),
            ListError::Element { .. } | ListError::Circle { .. } => {
                (None, "nothing was written: with a list that is not whole, referrals would be missing")
            }
        };
        let hint = match status {
            Some(404) => WRONG_BASE,
            Some(403) => "sign in as somebody with the role Referrals admin or Referrals user",
            _ => hint,
        };
        match error {
            ListError::Sink(error) => unwritten(error),
            error => CommandError::could_not_run(name).because(Told(error.to_string())).hint(hint),
        }
    }

    /// Writes the file, and tells what is in it.
    fn conclude(&self, harvest: Harvest<'_>, context: &Context<'_, Client>) -> Result<Exit, CommandError> {
        let Harvested { file, shown, unread, undecided, unseen, unsaid } = harvest.end();
        let written = file.finish(self.options.force).map_err(|error| match error {
            ReportError::Write { source, .. } if source.kind() == IoErrorKind::AlreadyExists => {
                out_file::there_already(&self.options.out)
            }
            error => unwritten(error),
        })?;
        let stats = context.counts.stats();
        let console = self.environment.console;
        let what = match shown == written {
            true => counted(written, "referral"),
            false => format!("{} of {}", grouped(written), counted(shown, "referral")),
        };
        let requests = counted(stats.get + stats.list, "request");
        console.say(&format!("{}: {what}, {requests}", visible_path(&self.options.out)));
        self.tell_gaps(&unseen, &unsaid);
        self.tell_unread(&unread);
        self.tell_undecided(&undecided);
        if let Some(next) = self.next(written) {
            if self.options.sending.token_command {
                console.say(&format!("hint: give the same {} again", flag(Setting::TokenCommand)));
            }
            console.say(&format!("next: look through {}, then: {next}", visible_path(&self.options.out)));
        }
        Ok(if unread.is_empty() && undecided.is_empty() { Exit::Done } else { Exit::SomeFailed })
    }

    fn tell_gaps(&self, unseen: &[Gap], unsaid: &[Gap]) {
        let console = self.environment.console;
        let list = |gaps: &[Gap]| {
            let each: Vec<String> = gaps
                .iter()
                .map(|gap| format!("{} of {}", gap.column, counted(gap.referrals, "referral")))
                .collect();
            each.join(", ")
        };
        if let [first, ..] = unseen {
            console.say(&format!(
                "note: the list doesn't show {} (such as {}): these cells are empty, which changes nothing; name the \
                 columns with {} to have each referral read",
                list(unseen),
                first.example,
                flag(Setting::Columns)
            ));
        }
        if let [first, ..] = unsaid {
            console.say(&format!(
                "warning: a cell can't say {} (such as {}): these cells are empty, which changes nothing; a .jsonl \
                 file has all of it",
                list(unsaid),
                first.example
            ));
        }
    }

    fn tell_unread(&self, unread: &[Unread]) {
        let console = self.environment.console;
        for Unread { id, failure, is_kept } in unread.iter().take(MOST_TOLD) {
            let kept =
                if *is_kept { "stands in the file as the list shows it" } else { "is not in the file" };
            console.say(&format!("warning: {id} {kept}: {}", failure.message()));
        }
        if let more @ 1.. = unread.len().saturating_sub(MOST_TOLD) {
            console
                .say(&format!("warning: and {} more that cannot be read", counted(more as u64, "referral")));
        }
    }

    fn tell_undecided(&self, undecided: &[ReferralId]) {
        let Some(first) = undecided.first() else { return };
        let (what, verb) = match undecided.len() {
            1 => (first.to_string(), "is"),
            many => (format!("{} (such as {first})", counted(many as u64, "referral")), "are"),
        };
        self.environment.console.say(&format!(
            "warning: {what} {verb} not in the file: a value that the criteria compare cannot be read, such as a date \
             that is none or has no time zone; look at it in Partner Center, or export it by its id, without these \
             criteria"
        ));
    }

    /// Returns the command that plans what the file asks for; `None` for a file that asks for nothing.
    fn next(&self, written: u64) -> Option<CommandLine> {
        let columns = self.columns.filter(|_| written > 0)?;
        let mut choices = vec![Choice::bare(Setting::Plan)];
        choices.extend(columns.clears().then(|| Choice::bare(Setting::Clear)));
        choices.extend(Target::choice(&self.options.target.name()));
        choices.extend(self.options.sending.repeat((self.environment.clock)()));
        Some(CommandLine::apply(vec![Operand::Path(self.options.out.clone())], choices))
    }
}

/// Whether an answer may be about the condition that the list was to be filtered by.
fn is_about_filter(status: Option<u16>) -> bool {
    matches!(status, Some(400 | 414 | 422 | 501))
}

/// Returns the error of a file that can't be written.
fn unwritten(error: ReportError) -> CommandError {
    let hint = match error {
        ReportError::FullSheet { .. } => Wording::from("name a .csv file with ")
            .name(Setting::Out)
            .say(", or choose fewer referrals; nothing was written"),
        _ => Wording::from("see to space and permissions there"),
    };
    CommandError::could_not_run("").because(error).hint(hint)
}

/// An error that is a text.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String);
