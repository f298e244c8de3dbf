//! Shows progress while requests are sent, and counts the requests.

use std::future::Future;
use std::time::Duration;

use super::environment::{Console, Environment};
use super::next_command::{flag, spelled};
use super::options::RunContext;
use crate::api::Client;
use crate::domain::account::RunStats;
use crate::domain::setting::Setting;
use crate::engine::{Context, Event, Stop};
use crate::pace::{self, Pace, Pacing, WaitTimes};
use crate::report::{
    Course, Progress, ProgressEvent, ProgressMode, ThrottledScope, ToldProgress, Waiting, in_seconds,
};

/// Runs the work, and updates the progress four times a second: what it waits for, and what was counted. Tells a program
/// that follows the command when the work begins to stop, and how far it came.
pub async fn watched<T>(
    work: impl Future<Output = T>,
    progress: &Progress,
    context: &Context<'_, Client>,
    mode: ProgressMode,
    environment: &Environment<'_>,
) -> T {
    let _shown = Shown::begin(progress, environment);
    let (console, stop) = (environment.console, environment.stop);
    let (started, before) = (tokio::time::Instant::now(), context.pace.wait_times());
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    let course = || {
        progress.retried(context.counts.stats().retried);
        course(started.elapsed(), before, context.pace)
    };
    let mut is_stopping = stop.is_set();
    futures::pin_mut!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => {
                progress.conclude(course()).iter().for_each(|event| console.tell(event));
                return done;
            }
            () = stop.wait(), if !is_stopping => {
                is_stopping = true;
                let text = stop.reason().map_or_else(String::new, |reason| spelled(&reason.wording()));
                console.tell(&ProgressEvent::Stopping { text });
            }
            _ = ticks.tick(), if mode != ProgressMode::None => {
                progress.waiting(waiting(context.pace, stop));
                match progress.tick(course()) {
                    Some(ToldProgress::Line(line)) => console.say(&line),
                    Some(ToldProgress::Event(event)) => console.tell(&event),
                    None => {}
                }
            }
        }
    }
}

/// Progress that is shown until this is dropped, however the work ends.
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

/// Returns how the time was spent since the start. `before` are the wait times at the start.
fn course(elapsed: Duration, before: WaitTimes, pace: &Pace) -> Course {
    let now = pace.wait_times();
    let idle = (now.paused_by_server + now.held_back) - (before.paused_by_server + before.held_back);
    Course { elapsed, idle, limit: pace.found_rate().per_second }
}

/// Returns what the work waits for.
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

/// The counts and times at the start of a stretch of work.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    at: tokio::time::Instant,
    /// The number of token requests so far. Planning and sending share a client and a pace, which count from
    /// their own beginning.
    tokens: u64,
    waits: WaitTimes,
}

impl Begun {
    /// Takes the counts and times now.
    pub fn now(client: &Client, pace: &Pace) -> Self {
        Self { at: tokio::time::Instant::now(), tokens: client.token_requests(), waits: pace.wait_times() }
    }

    /// Counts the token requests from this number on.
    pub fn with_tokens(self, tokens: u64) -> Self {
        Self { tokens, ..self }
    }
}

/// Returns what was counted and timed since the start of a stretch of work.
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

/// Says which rate was found, or that the requested one was too high.
pub fn tell_rate(run_context: RunContext<'_>, environment: &Environment<'_>) {
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

/// Formats a rate per second, or per minute where it is below one per second.
pub fn per_second_or_minute(per_second: f64) -> String {
    if per_second < 1.0 { format!("{:.1}/m", per_second * 60.0) } else { format!("{per_second:.1}/s") }
}

/// Shows an event of the engine in the progress or on the console.
pub fn show(progress: &Progress, environment: &Environment<'_>, event: Event) {
    let console = environment.console;
    match event {
        Event::Looked(count) => {
            progress.looked_at(count);
            progress.message("");
        }
        Event::Settled(outcome) => {
            progress.done(outcome);
            progress.message("");
        }
        Event::Unconfirmed(count) => progress.unconfirmed(count),
        // A retry is counted when the request is sent again.
        Event::Retry(why) => progress.message(&why),
        Event::Throttled { is_alone } => {
            let scope = if is_alone { ThrottledScope::Referral } else { ThrottledScope::Run };
            console.tell(&ProgressEvent::Throttled { scope });
        }
        Event::Paused { length, capped } => {
            console.tell(&ProgressEvent::Paused { seconds: in_seconds(length), capped });
            if capped {
                console.say(&format!(
                    "warning: the server asks for a longer pause than {} s: waiting that long, then asking again",
                    length.as_secs()
                ));
            }
        }
        Event::Held { why, pause } => {
            console.tell(&ProgressEvent::Held { seconds: in_seconds(pause) });
            console.say(&format!("warning: {why}; all wait {} s, then one asks again", pause.as_secs()));
        }
        Event::Quiet { time, under_way } => {
            let warning = format!("warning: no answer for {} s; waiting for {under_way}", time.as_secs());
            console.tell(&ProgressEvent::Quiet { seconds: in_seconds(time), waiting: under_way });
            console.say(&warning);
        }
        Event::Released => {
            console.tell(&ProgressEvent::Released);
            console.say("note: the service answers again: all go on");
        }
    }
}
