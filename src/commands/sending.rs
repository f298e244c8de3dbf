//! From a plan to the last answer: what `apply` and `resume` share.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::accounting::PlanFile;
use super::consent::{self, Plan};
use super::environment::{Console, Environment};
use super::error::{CommandError, about_damage};
use super::next_command::{CommandLine, flag};
use super::options::{RunContext, Sending};
use super::{accounting, connection, next_step, patches};
use crate::api::Client;
use crate::domain::account::{OnConflict, Phase, PlanSpec, RunStats};
use crate::domain::exit::Exit;
use crate::domain::item::Item;
use crate::domain::setting::Setting;
use crate::domain::snapshot::Snapshot;
use crate::engine::RequestCounts;
use crate::engine::carry::Limits;
use crate::engine::in_flight::Flights;
use crate::engine::{self, Context, Event, Slots, Stop};
use crate::ledger::{self, Ledger, LedgerError, PlanTotals};
use crate::pace::{self, Pace, Pacing, WaitTimes};
use crate::plan;
use crate::report::{Course, Progress, ProgressMode, Waiting, counted, roughly};

/// Goes on from planning: to what was asked for, or to the reports of a plan that is not complete.
///
/// # Errors
/// As [`go`], and where the documents can't be written to the file that the user names.
pub async fn go_on(
    planned: Option<Ledger>,
    client: Option<Client>,
    plan_only: bool,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<Exit, CommandError> {
    let Some(ledger) = planned else {
        let run_context = RunContext { patches: None, ..run_context };
        return accounting::account(run_context, None, environment).await;
    };
    if let Some(file) = run_context.patches
        && let Err(trouble) = patches::write(file, run_context.run).await
    {
        let run_context = RunContext { patches: None, ..run_context };
        accounting::account_refused(run_context, None, trouble.exit, environment).await?;
        return Err(trouble);
    }
    if !plan_only {
        return go(ledger, client, run_context, environment).await;
    }
    let totals = ledger.plan_totals().await?;
    consent::announce(&totals, run_context, environment);
    consent::warn_ahead(&totals, run_context, environment);
    tell_time(&totals, run_context, environment);
    drop(ledger);
    accounting::account(run_context, None, environment).await
}

/// Carries out a plan that the user consents to, and reports how far it came. Connects where nothing
/// is connected yet.
///
/// # Errors
/// Where consent is missing, there is no token, or the ledger can't be read or written any more. It is
/// reported then as far as it can be read.
pub async fn go(
    ledger: Ledger,
    client: Option<Client>,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<Exit, CommandError> {
    // So that it can be read before it is consented to.
    let mut plan = accounting::write_plan_alone(run_context.run, environment.console).await?;
    match carry_out(ledger, client, run_context, &mut plan, environment).await {
        Ok(()) => accounting::account(run_context, Some(plan), environment).await,
        Err(Ended { trouble, known }) => {
            // What broke the ledger may break this too, and is the thing to be told.
            let told = accounting::account_refused(run_context, Some(plan), trouble.exit, environment).await;
            if let (Err(_), Some(known)) = (told, known) {
                tell_without_ledger(&known, run_context.run, environment).await;
            }
            Err(trouble)
        }
    }
}

async fn carry_out(
    ledger: Ledger,
    client: Option<Client>,
    run_context: RunContext<'_>,
    plan: &mut PlanFile,
    environment: &Environment<'_>,
) -> Result<(), Ended> {
    let totals = ledger.plan_totals().await?;
    consent::announce(&totals, run_context, environment);
    tell_time(&totals, run_context, environment);
    let consented = ledger.consent().await?;
    let carried_out = Plan { totals: &totals, sha256: plan.sha256(), consented: consented.as_ref() };
    let ledger = ledger.consented(consent::consent(carried_out, run_context, environment)?);
    let correlation_id = ledger.header().spec.correlation_id;
    let client = match client {
        Some(client) => client,
        None => {
            connection::connect(run_context.target, run_context.sending.timeout, correlation_id, environment)?
        }
    };
    accounting::take_away_reports(run_context.run, plan, environment.console)?;
    send(ledger, totals, &client, run_context, environment).await
}

/// How sending ended that went wrong.
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

async fn send(
    ledger: Ledger,
    totals: PlanTotals,
    client: &Client,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<(), Ended> {
    let RunContext { sending, pace, showing, .. } = run_context;
    next_step::tell_on_leaving(run_context, environment);
    let max_errors = sending.max_errors.of(&ledger).await?;
    let PlanSpec { levels, on_conflict, .. } = ledger.header().spec.asked.clone();
    let rebase =
        move |item: &Item, now: &Snapshot<'_>| plan::rebase(item, now, &levels, (environment.clock)());
    let begun = Begun::now(client, pace);
    let (journal, backlog) = ledger.start(Arc::new(environment.clock)).await?;
    let progress = Progress::new(showing.progress, totals.remaining);
    let observe = |event| show(&progress, environment, event);
    let context = Context {
        api: client,
        pace,
        stop: environment.stop,
        clock: environment.clock,
        slots: Slots::new(sending.concurrency),
        timeout: sending.timeout,
        flights: Flights::default(),
        observe: &observe,
        counts: Arc::new(RequestCounts::default()),
        rebase: (on_conflict == OnConflict::Rebase).then_some(&rebase),
    };
    let limits = Limits { max_errors, finish_by: sending.finish_by };
    let work = engine::carry_out(&context, &backlog, &journal, limits);
    let ended = watched(work, &progress, &context, showing.progress, environment).await;
    let figures = figures(&context, client, begun);
    tell_rate(run_context, environment);
    let phase = ended.as_ref().copied().unwrap_or(Phase::Stopped);
    let closed = journal.finish(phase, &figures).await;
    ended.and(closed).map_err(|error| Ended {
        trouble: broken(&error, run_context, environment),
        known: Some(known(&progress, figures)),
    })
}

/// What a process knows of what it sent, where the ledger can't tell it.
fn known(progress: &Progress, figures: RunStats) -> String {
    format!("it settled {}, with {}", progress.outcomes(), counted(figures.patch, "PATCH request"))
}

/// Says what is known of a run that has no ledger any more, and what to do about that.
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

/// Does the work, and shows several times a second what it waits for and what was counted.
pub async fn watched<T>(
    work: impl Future<Output = T>,
    progress: &Progress,
    context: &Context<'_, Client>,
    mode: ProgressMode,
    environment: &Environment<'_>,
) -> T {
    let _shown = Shown::begin(progress, environment);
    let (started, before) = (tokio::time::Instant::now(), context.pace.wait_times());
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    futures::pin_mut!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = ticks.tick(), if mode != ProgressMode::None => {
                progress.waiting(waiting(context.pace, environment.stop));
                progress.retried(context.counts.stats().retried);
                let mut line = Vec::new();
                let course = course(started.elapsed(), before, context.pace);
                if progress.tick(course, &mut line).is_ok() && !line.is_empty() {
                    environment.console.say(String::from_utf8_lossy(&line).trim_end());
                }
            }
        }
    }
}

/// Progress that is to be seen, however the work ends that it is about.
struct Shown<'a> {
    progress: &'a Progress,
    console: &'a dyn Console,
}

impl<'a> Shown<'a> {
    fn begin(progress: &'a Progress, environment: &Environment<'a>) -> Self {
        environment.console.stands(progress.begin());
        Self { progress, console: environment.console }
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.progress.finish();
        self.console.stands(None);
    }
}

/// How the time went since these were the waits.
fn course(elapsed: Duration, before: WaitTimes, pace: &Pace) -> Course {
    let now = pace.wait_times();
    let idle = (now.paused_by_server + now.held_back) - (before.paused_by_server + before.held_back);
    Course { elapsed, idle, limit: pace.found_rate().per_second }
}

fn waiting(pace: &Pace, stop: &Stop) -> Option<Waiting> {
    if stop.is_set() {
        return Some(Waiting::End);
    }
    match pace.wait_reason() {
        pace::WaitReason::Nothing => None,
        pace::WaitReason::Rate => Some(Waiting::Rate),
        pace::WaitReason::Server { until } => {
            Some(Waiting::Server { remaining: until.duration_since(tokio::time::Instant::now()) })
        }
        pace::WaitReason::Probe { at } => {
            Some(Waiting::Probe { remaining: at.duration_since(tokio::time::Instant::now()) })
        }
        pace::WaitReason::Answer => Some(Waiting::Answer),
    }
}

fn broken(error: &LedgerError, run_context: RunContext<'_>, environment: &Environment<'_>) -> CommandError {
    let resume = next_step::resume_as_typed(run_context, environment);
    let hint = if error.is_damage() {
        about_damage()
    } else {
        format!("see to space and permissions in the run's directory, then: {resume}")
    };
    CommandError::new(Exit::Stopped, format!("the run's ledger failed, so nothing more was sent: {error}"))
        .hint(hint)
}

/// How things stood when a stretch of work began.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    at: tokio::time::Instant,
    /// Planning and sending share a client and a pace, which count from their own beginning.
    tokens: u64,
    waits: WaitTimes,
}

impl Begun {
    /// It begins now.
    pub fn now(client: &Client, pace: &Pace) -> Self {
        Self { at: tokio::time::Instant::now(), tokens: client.token_requests(), waits: pace.wait_times() }
    }
}

/// What was counted and timed since a stretch of work began.
pub fn figures(context: &Context<'_, Client>, client: &Client, begun: Begun) -> RunStats {
    let waits = context.pace.wait_times();
    RunStats {
        token: client.token_requests() - begun.tokens,
        seconds: begun.at.elapsed().as_secs_f64(),
        waiting_for_rate: (waits.waiting_for_rate - begun.waits.waiting_for_rate).as_secs_f64(),
        paused_by_server: (waits.paused_by_server - begun.waits.paused_by_server).as_secs_f64(),
        held_back: (waits.held_back - begun.waits.held_back).as_secs_f64(),
        ..context.counts.stats()
    }
}

/// Says whether what is to be sent fits before the time that the user set, if one is set.
pub fn tell_time(totals: &PlanTotals, run_context: RunContext<'_>, environment: &Environment<'_>) {
    let Sending { pacing, finish_by, .. } = run_context.sending;
    let (Some(deadline), to_send @ 1..) = (finish_by, totals.remaining) else { return };
    let finish_by = flag(Setting::FinishBy);
    // A time that is past leaves nothing.
    let left = Duration::try_from(deadline.duration_since((environment.clock)())).unwrap_or_default();
    let Pacing::Fixed(rate) = pacing else {
        let what = format!("at a rate that is yet to be found, and {finish_by} leaves");
        return environment.console.say(&format!(
            "note: {} {what} {}",
            counted(to_send, "request"),
            roughly(left)
        ));
    };
    let needed = rate.time_for(to_send);
    let take = if to_send == 1 { "takes" } else { "take" };
    let times = format!(
        "{} at {rate} {take} about {}, and {finish_by} leaves {}",
        counted(to_send, "request"),
        roughly(needed),
        roughly(left)
    );
    environment.console.say(&match needed <= left {
        true => format!("note: {times}"),
        false => format!("warning: {times}: what is not sent by then stays for resume"),
    });
}

/// Says which rate was found, and where the one that was asked for was too high.
fn tell_rate(run_context: RunContext<'_>, environment: &Environment<'_>) {
    let found = run_context.pace.found_rate();
    let rate = per_second_or_minute(found.per_second);
    let flag = flag(Setting::Rate);
    let note = match (run_context.sending.pacing, found.throttled) {
        (Pacing::Auto, true) => format!("{flag} auto met the service's limit, and ended at {rate}"),
        (Pacing::Auto, false) => format!("{flag} auto met no limit, and ended at {rate}"),
        (Pacing::Fixed(asked), true) => {
            format!("the service throttled the run at {asked}; it ended at {rate}")
        }
        (Pacing::Fixed(_), false) => return,
    };
    environment.console.say(&format!("note: {note}"));
}

fn per_second_or_minute(per_second: f64) -> String {
    if per_second < 1.0 { format!("{:.1}/m", per_second * 60.0) } else { format!("{per_second:.1}/s") }
}

/// Passes an event on to whoever watches.
pub fn show(progress: &Progress, environment: &Environment<'_>, event: Event) {
    match event {
        Event::Looked(count) => {
            progress.looked_at(count);
            progress.message("");
        }
        Event::Settled(outcome) => {
            progress.done(outcome);
            progress.message("");
        }
        // It is counted once it is made again.
        Event::Retry(why) => progress.message(&why),
        Event::Paused { length, capped: true } => {
            let warning = format!(
                "warning: the server asks for a longer pause than {} s: waiting that long, then asking again",
                length.as_secs()
            );
            environment.console.say(&warning);
        }
        Event::Paused { capped: false, .. } => {}
        Event::Held { why, pause } => {
            let warning = format!("warning: {why}; all wait {} s, then one asks again", pause.as_secs());
            environment.console.say(&warning);
        }
        Event::Quiet { time, under_way } => {
            let warning = format!("warning: no answer for {} s; waiting for {under_way}", time.as_secs());
            environment.console.say(&warning);
        }
        Event::Released => {
            environment.console.say("note: the service answers again: all go on");
        }
    }
}
