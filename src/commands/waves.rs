//! Sends a plan in waves: after each, what it changed is read back, and the next one goes only if all of it stands.

use std::sync::Arc;

use super::engine_context::engine_context;
use super::environment::{Environment, Reply};
use super::next_command::CommandLine;
use super::options::RunContext;
use super::progress;
use crate::api::Client;
use crate::domain::account::Phase;
use crate::domain::characters::visible_path;
use crate::domain::outcome::Outcome;
use crate::domain::verification::VerifiedStanding;
use crate::domain::waves::{Wave, WavePlan, WaveResult};
use crate::engine::carry::Limits;
use crate::engine::wave::{WaveStanding, verify_wave};
use crate::engine::{self, Context, RequestCounts, StopReason};
use crate::ledger::{self, Backlog, Journal, LedgerError};
use crate::report::{OutcomeCounts, Progress, ProgressEvent, VERIFIED_TABLE, WaveFigures, counted, grouped};

/// How sending in waves ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WavesEnd {
    /// Every wave went, and was read back.
    Finished,
    /// The run stopped before the last one went.
    Stopped,
    /// The run stopped while a wave was read back, perhaps the last one: that is left to do.
    Unread,
}

/// A run that is being sent in waves.
pub struct Sender<'a> {
    /// What sending needs of the engine.
    pub context: &'a Context<'a, Client>,
    /// Makes the requests.
    pub client: &'a Client,
    /// The items that are left.
    pub backlog: &'a Backlog,
    /// Where intents and outcomes go on record.
    pub journal: &'a Journal,
    /// When to stop.
    pub limits: Limits,
    /// Shows the progress of sending.
    pub progress: &'a Progress,
    /// The run, and how it is sent.
    pub run_context: RunContext<'a>,
    /// The process around it.
    pub environment: &'a Environment<'a>,
    /// The requests that were made to read waves back.
    pub verifying: Arc<RequestCounts>,
}

impl Sender<'_> {
    /// Sends wave after wave, or as much as can be before the run stops.
    ///
    /// # Errors
    /// Where the ledger can't be read or written.
    pub async fn carry_out(&self, plan: &WavePlan) -> Result<WavesEnd, LedgerError> {
        let (mut errors, mut fallen) = (0, None);
        for wave in plan.all() {
            let standing = self.standing(wave).await?;
            if let Some(result) = standing.result() {
                fallen = (!result.stands()).then_some(wave);
                continue;
            }
            if let Some(fallen) = fallen.take() {
                self.environment.console.say(&format!(
                    "note: wave {} did not stand when it was read back; you resume, so wave {} goes",
                    fallen.number, wave.number
                ));
            }
            self.backlog.up_to(wave.last);
            if self.send(&mut errors).await? == Phase::Stopped {
                return Ok(WavesEnd::Stopped);
            }
            let result = self.verify(wave).await?;
            if result.left > 0 && self.context.stop.is_set() {
                return Ok(WavesEnd::Unread);
            }
            self.environment.console.tell(&ProgressEvent::Wave(figures(wave, plan, &result)));
            self.environment.console.say(&told(wave, plan, &result));
            if !result.stands() {
                self.tell_where(wave, plan).await?;
            }
            let is_last = wave.number as usize == plan.count();
            if !is_last && (self.context.stop.is_set() || !self.goes_on(wave, plan, &result)) {
                return Ok(WavesEnd::Stopped);
            }
        }
        Ok(WavesEnd::Finished)
    }

    /// Says where to see what was found of a wave that doesn't stand, and what it means to go on.
    async fn tell_where(&self, wave: Wave, plan: &WavePlan) -> Result<(), LedgerError> {
        let (run, console) = (self.run_context.run, self.environment.console);
        self.journal.synced().await?;
        let reader = ledger::read(run).await?;
        let last = reader.verifications().await?.pop().map(|(number, _)| number);
        let mut first = None;
        reader
            .verified(&mut |item| {
                if Some(item.verification) == last && item.verified.standing != VerifiedStanding::StillOurs {
                    first.get_or_insert(item.id);
                }
                Ok::<_, LedgerError>(())
            })
            .await?;
        if let Some(id) = first {
            let (explain, table) = (CommandLine::explain(run, id), visible_path(&run.join(VERIFIED_TABLE)));
            console.say(&format!("hint: the first of them is told by: {explain}; all are in {table}"));
        }
        if (wave.number as usize) < plan.count() {
            let next = wave.number + 1;
            console
                .say(&format!("hint: look at it before you resume: that lets wave {next} go all the same"));
        }
        Ok(())
    }

    async fn standing(&self, wave: Wave) -> Result<WaveStanding, LedgerError> {
        // What was requested before has to be on record first.
        self.journal.synced().await?;
        WaveStanding::read(wave, &ledger::read(self.run_context.run).await?).await
    }

    /// Sends what is handed out of the present wave.
    async fn send(&self, errors: &mut u64) -> Result<Phase, LedgerError> {
        let work = engine::carry_out(self.context, self.backlog, self.journal, self.limits, errors);
        let mode = self.run_context.showing.progress;
        progress::watched(work, self.progress, self.context, mode, self.environment).await
    }

    /// Reads a wave back.
    async fn verify(&self, wave: Wave) -> Result<WaveResult, LedgerError> {
        let (environment, RunContext { sending, pace, showing, .. }) = (self.environment, self.run_context);
        self.journal.synced().await?;
        let reader = ledger::read(self.run_context.run).await?;
        let progress = Progress::listing(showing.progress);
        let observe = |event| progress::show(&progress, environment, event);
        let context = engine_context(self.client, pace, sending, environment, &observe);
        let context = Context { counts: Arc::clone(&self.verifying), ..context };
        let work = verify_wave(&context, wave, &reader, self.journal);
        progress::watched(work, &progress, &context, showing.progress, environment).await
    }

    /// Whether the next wave may go. Where it may not, the run is stopped.
    fn goes_on(&self, wave: Wave, plan: &WavePlan, result: &WaveResult) -> bool {
        let stop = |why: String| {
            self.context.stop.now(StopReason::Wave(why));
            false
        };
        if !result.stands() {
            return stop(format!("wave {} does not stand: {}", wave.number, trouble(result)));
        }
        let Some(next) = plan.all().find(|next| next.number > wave.number) else { return true };
        let console = self.environment.console;
        if !console.is_attended() || self.run_context.sending.consent.yes {
            return true;
        }
        let what = counted(next.size(), "referral");
        let question = format!("The next wave changes {what}. Type y to go on: ");
        match console.ask(&question) {
            Reply::Said(answer) if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") => true,
            Reply::Said(_) | Reply::Nobody => stop(format!("wave {} is not wanted now", next.number)),
            Reply::Interrupted => {
                self.context.stop.now(StopReason::Interrupted);
                false
            }
        }
    }
}

/// Returns what was found of a wave, for programs.
fn figures(wave: Wave, plan: &WavePlan, result: &WaveResult) -> WaveFigures {
    WaveFigures {
        number: wave.number,
        of: plan.count() as u64,
        outcomes: OutcomeCounts::of(|outcome| result.of(outcome)),
        standings: result.standings,
        stands: result.stands(),
    }
}

/// Returns the line that tells what was found of a wave.
fn told(wave: Wave, plan: &WavePlan, result: &WaveResult) -> String {
    let outcomes: Vec<String> = result
        .outcomes
        .iter()
        .map(|(outcome, count)| format!("{} {}", grouped(*count), outcome.name()))
        .collect();
    let standings: Vec<String> = VerifiedStanding::ALL
        .into_iter()
        .filter(|standing| result.standings.of(*standing) > 0)
        .map(|standing| format!("{} {}", grouped(result.standings.of(standing)), standing.name()))
        .collect();
    let read_back = match standings.is_empty() {
        true => "nothing of it was changed".to_owned(),
        false => format!("read back: {}", standings.join(", ")),
    };
    format!("wave {} of {}: {}; {read_back}", wave.number, plan.count(), outcomes.join(", "))
}

/// Returns why a wave doesn't stand.
fn trouble(result: &WaveResult) -> String {
    let counts = &result.standings;
    let of = |outcome| result.of(outcome);
    let reasons = [
        (counts.changed_since, "changed since"),
        (counts.gone, "gone"),
        (counts.not_readable, "not readable"),
        (of(Outcome::Partial), "taken in part"),
        (of(Outcome::Unknown), "unknown"),
    ];
    let reasons: Vec<String> = reasons
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", counted(count, "referral")))
        .collect();
    if reasons.is_empty() { "nothing of it was changed".to_owned() } else { reasons.join(", ") }
}
