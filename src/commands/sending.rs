//! From consent to the last answer: what `apply` and `resume` share.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::accounting::PlanFile;
use super::connection::Target;
use super::{Host, Showing, Trouble, accounting};
use crate::api::Client;
use crate::domain::account::{Figures, Phase};
use crate::domain::exit::Exit;
use crate::engine::carry::Limits;
use crate::engine::context::Tally;
use crate::engine::{self, Context, Event};
use crate::ledger::{Ledger, LedgerError, PlanTotals};
use crate::pace::{self, Pace, Rate};
use crate::report::{Next, PLAN_FILE, Progress, ProgressMode, Waiting, counted, grouped};

/// How many refused or failed rows end a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxErrors {
    /// So many.
    Count(u64),
    /// So many in a hundred of those that are to be sent.
    Percent(f64),
}

impl MaxErrors {
    /// The number of rows, at least one.
    fn of(self, to_send: u64) -> u64 {
        match self {
            Self::Count(count) => count.max(1),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                clippy::cast_sign_loss,
                reason = "a share of a number of rows is neither negative nor near 2^53"
            )]
            Self::Percent(percent) => ((to_send as f64 * percent / 100.0).ceil() as u64).max(1),
        }
    }
}

/// What a user consents to beforehand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Consent {
    /// To whatever can be taken back.
    pub yes: bool,
    /// To closing exactly so many referrals.
    pub closing: Option<u64>,
    /// To at most so many changes.
    pub max_changes: Option<u64>,
}

/// How to send.
#[derive(Debug, Clone)]
pub struct Sending {
    /// Requests a second, reads and writes together.
    pub rate: Rate,
    /// Requests in flight.
    pub concurrency: usize,
    /// Of one request.
    pub timeout: Duration,
    /// When to stop.
    pub max_errors: MaxErrors,
    /// When to stop, by the clock.
    pub finish_by: Option<Timestamp>,
    /// What the user consents to.
    pub consent: Consent,
}

/// Makes sure that the user wants what is about to be sent. A sandbox asks nobody, but a number that
/// was given and is wrong is wrong there too.
///
/// # Errors
/// Where consent is missing or for another number. Nothing was sent then; the plan stays.
pub fn consent(
    ledger: &Ledger,
    run: &Path,
    target: &Target,
    sending: &Sending,
    host: &Host<'_>,
) -> Result<(), Trouble> {
    let totals = ledger.plan_totals()?;
    let Consent { yes, closing, max_changes } = sending.consent;
    let refused = |message: String| {
        let command = with_consent(run, &totals, target, sending.consent);
        Err(Trouble::usage(message).hint(format!("look at plan.jsonl, then: {command}")))
    };
    if let Some(most) = max_changes.filter(|most| totals.remaining > *most) {
        let what = counted(totals.remaining, "referral");
        return refused(format!("the plan changes {what}, and --max-changes allows {most}"));
    }
    if let Some(given) = closing.filter(|given| *given != totals.remaining_closing) {
        let what = counted(totals.remaining_closing, "referral");
        return refused(format!("--confirm-closing says {given}, and the plan closes {what}"));
    }
    if target.is_sandbox() || totals.remaining == 0 {
        return Ok(());
    }
    let asked = if totals.remaining_closing > 0 && closing.is_none() {
        ask_closing(&totals, host)
    } else if yes {
        Answer::Yes
    } else {
        ask_changing(&totals, target, host)
    };
    match asked {
        Answer::Yes => Ok(()),
        Answer::No(message) => {
            let hint = format!("carry it out later with: {}", resume(run));
            Err(Trouble::usage(message).hint(hint))
        }
        Answer::Nobody(message) => refused(message),
    }
}

/// What a person says to a question, and what to tell them after anything but yes.
enum Answer {
    Yes,
    No(String),
    Nobody(String),
}

fn ask_closing(totals: &PlanTotals, host: &Host<'_>) -> Answer {
    let count = totals.remaining_closing;
    let what = counted(count, "referral");
    let question = format!("This closes {what}, which cannot be undone. Type {count} to go on: ");
    match host.console.ask(&question) {
        Some(answer) if answer.trim().replace(',', "") == count.to_string() => Answer::Yes,
        Some(_) => Answer::No("that is another number: nothing was sent".to_owned()),
        None => Answer::Nobody(format!(
            "the plan closes {what}, which cannot be undone, and nobody is there to ask"
        )),
    }
}

fn ask_changing(totals: &PlanTotals, target: &Target, host: &Host<'_>) -> Answer {
    let what = counted(totals.remaining, "referral");
    let question = format!("This changes {what} at {}. Type y to go on: ", target.name());
    match host.console.ask(&question) {
        Some(answer) if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") => Answer::Yes,
        Some(_) => Answer::No("nothing was sent".to_owned()),
        None => Answer::Nobody(format!("the plan changes {what}, and nobody is there to ask")),
    }
}

/// The command that carries a run on without asking, with all that it takes.
fn with_consent(run: &Path, totals: &PlanTotals, target: &Target, given: Consent) -> String {
    let mut command = resume(run);
    let mut add = |flag: String| command = format!("{command} {flag}");
    if given.max_changes.is_some_and(|most| totals.remaining > most) {
        add(format!("--max-changes {}", totals.remaining));
    }
    if !target.is_sandbox() {
        add("--yes".to_owned());
    }
    if given.closing.is_some() || !target.is_sandbox() && totals.remaining_closing > 0 {
        add(format!("--confirm-closing {}", totals.remaining_closing));
    }
    command
}

fn resume(run: &Path) -> String {
    Next::Resume { run: run.to_owned() }.command()
}

/// Says what is about to be sent, and where it can be read.
///
/// # Errors
/// Where the ledger can't be read.
pub fn announce(
    ledger: &Ledger,
    run: &Path,
    target: &Target,
    showing: Showing,
    host: &Host<'_>,
) -> Result<(), Trouble> {
    if showing.progress != ProgressMode::None {
        let totals = ledger.plan_totals()?;
        let (what, plan) = (sentence(&totals), run.join(PLAN_FILE));
        host.console.say(&format!("plan for {}: {what} – see {}", target.name(), plan.display()));
    }
    Ok(())
}

fn sentence(totals: &PlanTotals) -> String {
    let closing = match totals.remaining_closing {
        0 => String::new(),
        count => format!(", {} of them closed for good", grouped(count)),
    };
    let rest = match totals.items - totals.remaining {
        0 => String::new(),
        count => format!("; nothing to send for {}", counted(count, "other")),
    };
    format!("{} to change{closing}{rest}", counted(totals.remaining, "referral"))
}

/// Carries out what is outstanding, and reports how far it came.
///
/// # Errors
/// Where the ledger can't be read or written any more. It is reported then as far as it can be read.
pub async fn send(
    ledger: Ledger,
    run: &Path,
    plan: PlanFile,
    client: &Client,
    sending: &Sending,
    showing: Showing,
    host: &Host<'_>,
) -> Result<Exit, Trouble> {
    match carry_out(ledger, run, client, sending, showing, host).await {
        Ok(()) => accounting::account(run, Some(plan), host.stop.reason().as_ref(), showing, host.console),
        Err(trouble) => {
            // What broke the ledger may break this too, and is the thing to be told.
            let _ = accounting::account_refused(run, Some(plan), trouble.exit, showing, host.console);
            Err(trouble)
        }
    }
}

async fn carry_out(
    ledger: Ledger,
    run: &Path,
    client: &Client,
    sending: &Sending,
    showing: Showing,
    host: &Host<'_>,
) -> Result<(), Trouble> {
    let totals = ledger.plan_totals()?;
    let pace = Pace::new(sending.rate);
    warn_about_time(totals.remaining, sending, host);
    let begun = Begun::now(client);
    let (journal, backlog) = ledger.start(Arc::new(host.clock))?;
    let progress = Progress::new(showing.progress, totals.remaining);
    let observe = |event| show(&progress, host, event);
    let context = Context {
        api: client,
        pace: &pace,
        stop: host.stop,
        clock: host.clock,
        concurrency: sending.concurrency,
        observe: &observe,
        tally: Arc::new(Tally::default()),
    };
    let limits = Limits { max_errors: sending.max_errors.of(totals.remaining), finish_by: sending.finish_by };
    let work = engine::carry_out(&context, &backlog, &journal, limits);
    let ended = watched(work, &progress, &pace, showing.progress, host).await;
    let figures = figures(&context, client, &pace, begun);
    let phase = ended.as_ref().copied().unwrap_or(Phase::Stopped);
    let closed = journal.finish(phase, &figures).await;
    ended.and(closed).map_err(|error| broken(&error, run))
}

/// Does the work, and shows several times a second what it waits for.
pub async fn watched<T>(
    work: impl Future<Output = T>,
    progress: &Progress,
    pace: &Pace,
    mode: ProgressMode,
    host: &Host<'_>,
) -> T {
    let started = tokio::time::Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    futures::pin_mut!(work);
    let done = loop {
        tokio::select! {
            biased;
            done = &mut work => break done,
            _ = ticks.tick(), if mode != ProgressMode::None => {
                progress.waiting(waiting(pace));
                let mut line = Vec::new();
                if progress.tick(started.elapsed(), &mut line).is_ok() && !line.is_empty() {
                    host.console.say(String::from_utf8_lossy(&line).trim_end());
                }
            }
        }
    };
    progress.finish();
    done
}

fn waiting(pace: &Pace) -> Option<Waiting> {
    match pace.state() {
        pace::Waiting::Nothing => None,
        pace::Waiting::Rate => Some(Waiting::Rate),
        pace::Waiting::Server { until } => {
            Some(Waiting::Server { remaining: until.duration_since(tokio::time::Instant::now()) })
        }
    }
}

fn broken(error: &LedgerError, run: &Path) -> Trouble {
    let resume = resume(run);
    Trouble::new(Exit::Stopped, format!("the run's ledger failed, so nothing more was sent: {error}"))
        .hint(format!("see to space and permissions in the run's directory, then: {resume}"))
}

/// How things stood when a stretch of work began.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    at: tokio::time::Instant,
    /// Planning and sending share a client, which counts tokens from its own beginning.
    tokens: u64,
}

impl Begun {
    /// It begins now.
    pub fn now(client: &Client) -> Self {
        Self { at: tokio::time::Instant::now(), tokens: client.token_requests() }
    }
}

/// What was counted and timed since a stretch of work began.
pub fn figures(context: &Context<'_, Client>, client: &Client, pace: &Pace, begun: Begun) -> Figures {
    let waits = pace.figures();
    Figures {
        token: client.token_requests() - begun.tokens,
        seconds: begun.at.elapsed().as_secs_f64(),
        waiting_for_rate: waits.waiting_for_rate.as_secs_f64(),
        paused_by_server: waits.paused_by_server.as_secs_f64(),
        ..context.tally.figures()
    }
}

fn warn_about_time(to_send: u64, sending: &Sending, host: &Host<'_>) {
    let Some(deadline) = sending.finish_by else { return };
    let needed = sending.rate.time_for(to_send);
    let left = deadline.duration_since((host.clock)());
    if left < needed.try_into().unwrap_or(jiff::SignedDuration::MAX) {
        host.console.say(&format!(
            "warning: {} at {} take about {} s, and --finish-by leaves {} s: what is not sent by then stays for resume",
            counted(to_send, "request"),
            sending.rate,
            needed.as_secs(),
            left.as_secs().max(0)
        ));
    }
}

/// Passes an event on to whoever watches.
pub fn show(progress: &Progress, host: &Host<'_>, event: Event) {
    match event {
        Event::Looked(count) => {
            progress.looked_at(count);
            progress.message("");
        }
        Event::Settled(outcome) => {
            progress.done(outcome);
            progress.message("");
        }
        Event::Retry(why) => {
            progress.retry();
            progress.message(&why);
        }
        Event::Paused { length, capped: true } => {
            let warning = format!(
                "warning: the server asks for a longer pause than {} s: waiting that long, then asking again",
                length.as_secs()
            );
            progress.suspend(|| host.console.say(&warning));
        }
        Event::Paused { capped: false, .. } => {}
    }
}
