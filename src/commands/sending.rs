//! Takes a plan to the last answer of the service: what `apply` and `resume` share.

use std::path::Path;
use std::sync::Arc;

use super::consent::{self, Plan, Preview};
use super::engine_context::engine_context;
use super::environment::Environment;
use super::error::{CommandError, ErrorKind, about_damage};
use super::next_command::{CommandLine, flag};
use super::options::RunContext;
use super::progress::{self, Begun};
use super::remembered_rate::{self, Use};
use super::waves::{Sender, WavesEnd};
use super::write_reports::PlanFile;
use super::{approval, connection, finish, forecast, next_step, patches, write_reports};
use crate::api::Client;
use crate::domain::account::{Phase, RunStats};
use crate::domain::exit::Exit;
use crate::domain::item::Item;
use crate::domain::run_spec::{OnConflict, PlanSpec, RunSpec};
use crate::domain::setting::Setting;
use crate::domain::snapshot::Snapshot;
use crate::engine::RequestCounts;
use crate::engine::carry::Limits;
use crate::engine::pool::ENOUGH;
use crate::engine::{self, Context};
use crate::ledger::{self, Ledger, LedgerError, PlanTotals};
use crate::plan;
use crate::report::{Progress, ProgressEvent, counted};

/// Goes on after the planning: carries the plan out, writes only its reports where a plan was asked for, or
/// reports a plan that is not complete.
///
/// # Errors
/// Returns an error as [`go`] does, and where the documents can't be written to the file that the user names.
pub async fn go_on(
    planned: Option<Ledger>,
    client: Option<Client>,
    plan_only: bool,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<Exit, CommandError> {
    let Some(ledger) = planned else {
        let run_context = RunContext { patches: None, ..run_context };
        return finish::account(run_context, None, environment).await;
    };
    if let Some(file) = run_context.patches
        && let Err(trouble) = patches::write(file, run_context.run).await
    {
        let run_context = RunContext { patches: None, ..run_context };
        finish::account_refused(run_context, None, trouble.exit(), environment).await?;
        return Err(trouble);
    }
    if !plan_only {
        return go(ledger, client, run_context, environment).await;
    }
    let totals = ledger.plan_totals().await?;
    // The summary tells order and waves.
    consent::announce(&totals, None, None, run_context, environment);
    consent::warn_ahead(&totals, run_context, environment);
    approval::warn_ahead(run_context, environment);
    forecast::tell_time(&totals, run_context, environment);
    drop(ledger);
    finish::account(run_context, None, environment).await
}

/// Carries out a plan that the user consents to, and reports how far it came. Connects where there is no
/// connection yet.
///
/// # Errors
/// Returns an error where consent is missing, there is no token, or the ledger can't be read or written any
/// more. In the last case the run is reported as far as the ledger can be read.
pub async fn go(
    ledger: Ledger,
    client: Option<Client>,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<Exit, CommandError> {
    // The plan is written first, so that the user can read it before consenting; not where that was done.
    let mut plan = match consented_plan(&ledger, run_context, environment).await? {
        Some(plan) => plan,
        None => write_reports::write_plan_alone(run_context.run, environment.console).await?,
    };
    match carry_out(ledger, client, run_context, &mut plan, environment).await {
        Ok(()) => finish::account(run_context, Some(plan), environment).await,
        Err(Ended { trouble, known }) => {
            // Whatever broke the ledger may also break this report; the first error is the one to tell the
            // user.
            let told = finish::account_refused(run_context, Some(plan), trouble.exit(), environment).await;
            if let (Err(_), Some(known)) = (told, known) {
                tell_without_ledger(&known, run_context.run, environment).await;
            }
            Err(trouble)
        }
    }
}

/// Returns the plan as it is filed, where a consent to it is on record and nothing else hangs on its file.
async fn consented_plan(
    ledger: &Ledger,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<Option<PlanFile>, LedgerError> {
    if approval::is_wanted(ledger, run_context) {
        return Ok(None);
    }
    let consent = ledger.consent().await?;
    let counting = consent.filter(|consent| consent::is_of(consent, run_context, environment).is_ok());
    Ok(counting.and_then(|consent| write_reports::filed_plan(run_context.run, &consent, environment.console)))
}

/// Asks for consent, connects, takes away the older reports, and sends.
async fn carry_out(
    ledger: Ledger,
    client: Option<Client>,
    run_context: RunContext<'_>,
    plan: &mut PlanFile,
    environment: &Environment<'_>,
) -> Result<(), Ended> {
    let totals = ledger.plan_totals().await?;
    let RunSpec { order, waves, .. } = &ledger.header().spec;
    consent::announce(&totals, order.as_ref(), waves.as_ref(), run_context, environment);
    forecast::tell_time(&totals, run_context, environment);
    let correlation_id = ledger.header().spec.correlation_id;
    let connect =
        || connection::connect(run_context.target, run_context.sending.timeout, correlation_id, environment);
    let approvals = approval::of_plan(&ledger, plan.sha256(), run_context).await?;
    let client = match client {
        // The token tells whose account it is that sends.
        None if approvals.is_some() => Some(connect()?),
        client => client,
    };
    let tokens = client.as_ref().map_or(0, Client::token_requests);
    let accounts =
        approval::accounts(run_context.target, client.as_ref(), approvals.is_some(), environment).await;
    if let Some(approvals) = approvals {
        approval::by_another(&approvals, &accounts, run_context)?;
    }
    let consented = ledger.consent().await?;
    if consent::will_ask(&totals, consented.as_ref(), run_context, environment) {
        write_reports::write_plan_page(run_context.into(), plan, environment).await?;
    }
    let overview = plan.take_overview();
    let preview = &Preview::of(overview.as_ref(), run_context.run);
    let carried_out = Plan { totals: &totals, sha256: plan.sha256(), consented: consented.as_ref(), preview };
    let consented = consent::consent(carried_out, accounts, run_context, environment);
    // Whoever saw it and said no is not shown it again.
    plan.keep_overview(overview.filter(|_| !preview.is_shown()));
    let ledger = ledger.consented(consented?);
    let client = match client {
        Some(client) => client,
        None => connect()?,
    };
    // These reports say that nothing was sent. If this process died while it sends, they would be wrong.
    write_reports::take_away_reports(run_context.run, plan, environment.console)?;
    send(ledger, totals, (&client, tokens), run_context, environment).await
}

/// The error that sending ended with.
struct Ended {
    trouble: CommandError,
    /// What this process knows without the ledger, where it sent anything.
    known: Option<String>,
}

impl<T: Into<CommandError>> From<T> for Ended {
    fn from(trouble: T) -> Self {
        Self { trouble: trouble.into(), known: None }
    }
}

/// Sends the plan, shows its progress, and records in the ledger how it ended. The client comes with the number of tokens
/// that it had asked for before whose account it is was looked at.
async fn send(
    ledger: Ledger,
    totals: PlanTotals,
    (client, tokens): (&Client, u64),
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<(), Ended> {
    let RunContext { sending, pace, showing, target, .. } = run_context;
    next_step::tell_on_leaving(run_context, environment);
    let max_errors = sending.max_errors.of(&ledger).await?;
    let PlanSpec { levels, on_conflict, .. } = ledger.header().spec.asked.clone();
    let waves = ledger.header().spec.waves.clone();
    let rebase =
        move |item: &Item, now: &Snapshot<'_>| plan::rebase(item, now, &levels, (environment.clock)());
    let begun = Begun::now(client, pace).with_tokens(tokens);
    remembered_rate::begin(Use::Changing, pace, sending.pacing, client, target, environment).await;
    let (journal, backlog) = ledger.start(Arc::new(environment.clock)).await?;
    environment.console.tell(&ProgressEvent::Sending { referrals: totals.remaining });
    let progress = Progress::new(showing.progress, totals.remaining);
    let observe = |event| progress::show(&progress, environment, event);
    let context = Context {
        rebase: (on_conflict == OnConflict::Rebase).then_some(&rebase),
        ..engine_context(client, pace, sending, environment, &observe)
    };
    let limits = Limits { max_errors, finish_by: sending.finish_by, enough: ENOUGH };
    let verifying = Arc::new(RequestCounts::default());
    let mut errors = 0;
    let mut is_unread = false;
    let ended = match &waves {
        None => {
            let work = engine::carry_out(&context, &backlog, &journal, limits, &mut errors);
            progress::watched(work, &progress, &context, showing.progress, environment).await
        }
        Some(plan) => {
            let (context, backlog, journal) = (&context, &backlog, &journal);
            let (progress, verifying) = (&progress, Arc::clone(&verifying));
            let sender = Sender {
                context,
                client,
                backlog,
                journal,
                limits,
                progress,
                run_context,
                environment,
                verifying,
            };
            sender.carry_out(plan).await.map(|end| {
                is_unread = end == WavesEnd::Unread;
                if end == WavesEnd::Finished { Phase::Finished } else { Phase::Stopped }
            })
        }
    };
    let figures = progress::figures(&context, client, begun).plus(verifying.stats());
    progress::tell_rate(run_context, environment);
    remembered_rate::keep(Use::Changing, pace, sending.pacing, client, target, environment).await;
    let phase = ended.as_ref().copied().unwrap_or(Phase::Stopped);
    let closed = match is_unread {
        true => journal.leave_open(&figures).await,
        false => journal.finish(phase, &figures).await,
    };
    ended.and(closed).map_err(|error| Ended {
        trouble: broken(error, run_context, environment),
        known: Some(known(&progress, figures)),
    })
}

/// Describes what this process knows of what it sent, where the ledger can't tell it.
fn known(progress: &Progress, figures: RunStats) -> String {
    format!("it settled {}, with {}", progress.outcomes(), counted(figures.patch, "PATCH request"))
}

/// Says what is known of a run whose ledger can't be read any more, and what to do about that.
async fn tell_without_ledger(known: &str, run: &Path, environment: &Environment<'_>) {
    environment
        .console
        .say(&format!("note: there is no summary without the ledger; as far as this process knows, {known}"));
    if matches!(ledger::read(run).await, Err(LedgerError::Absent { .. })) {
        let (report, out) = (CommandLine::report(run), flag(Setting::Out));
        environment.console.say(&format!(
            "hint: put the run's directory back, and this tells the rest: {report}; where it is gone for good, plan \
             the same input again with another {out}, which finds unchanged what was written already"
        ));
    }
}

/// Returns the error of a ledger that failed while requests were sent.
fn broken(error: LedgerError, run_context: RunContext<'_>, environment: &Environment<'_>) -> CommandError {
    let resume = next_step::resume_as_typed(run_context, environment);
    let hint = if error.is_damage() {
        about_damage()
    } else {
        format!("see to space and permissions in the run's directory, then: {resume}")
    };
    CommandError::new(ErrorKind::Stopped, "the run's ledger failed, so nothing more was sent")
        .because(error)
        .hint(hint)
}
