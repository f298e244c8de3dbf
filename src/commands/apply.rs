//! `apply`: change files become a run, which is carried out unless only a plan was asked for.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::connection::{self, Target};
use super::folder::Folder;
use super::planning::{Desk, State};
use super::sending::{self, Sending};
use super::{Host, Showing, Trouble, accounting};
use crate::api::Client;
use crate::domain::account::{About, Figures, Format};
use crate::domain::exit::Exit;
use crate::domain::pointer::Pointer;
use crate::domain::rules::Levels;
use crate::engine::context::Tally;
use crate::engine::look::look;
use crate::engine::{Context, Reason};
use crate::input;
use crate::ledger::{self, Ledger, Planning};
use crate::pace::Pace;
use crate::plan::{Judging, Planner};
use crate::report::Progress;

/// How the command is called.
const COMMAND: &str = "apply";

/// What was asked for.
#[derive(Debug)]
pub struct Settings {
    /// The change files; `-` is standard input.
    pub files: Vec<String>,
    /// Only plan: nothing but GET is sent.
    pub plan_only: bool,
    /// The run's directory; one named by the time where there is none.
    pub out: Option<PathBuf>,
    /// The files' form; by extension where there is none.
    pub format: Option<Format>,
    /// Where the referrals' state comes from.
    pub state: State,
    /// The level of every rule.
    pub levels: Levels,
    /// Unconfirmed paths that may be patched.
    pub allow_paths: BTreeSet<Pointer>,
    /// Whether null may be sent.
    pub clear: bool,
    /// Why, in the user's words.
    pub reason: Option<String>,
    /// Where to send.
    pub target: Target,
    /// How to send.
    pub sending: Sending,
    /// How to show it.
    pub showing: Showing,
}

/// Plans, asks, sends, reports.
///
/// # Errors
/// Where an input can't be read at all, there is no connection, consent is missing, or the run's
/// directory can't be used. A run that could not be planned leaves no directory behind.
pub async fn run(settings: Settings, host: &Host<'_>) -> Result<Exit, Trouble> {
    let (folder, ledger, client) = prepare(&settings, host).await.inspect_err(|trouble| {
        accounting::show_nothing(COMMAND, trouble.exit, settings.showing, host.console);
    })?;
    let run = folder.path();
    if let (Some(ledger), Some(client), false) = (ledger, client, settings.plan_only) {
        let plan = accounting::write_plan_alone(run)?;
        sending::announce(&ledger, run, &settings.target, settings.showing, host)?;
        if let Err(trouble) = sending::consent(&ledger, run, &settings.target, &settings.sending, host) {
            drop(ledger);
            accounting::account_refused(run, Some(plan), trouble.exit, settings.showing, host.console)?;
            return Err(trouble);
        }
        return sending::send(ledger, run, plan, &client, &settings.sending, settings.showing, host).await;
    }
    accounting::account(run, None, host.stop.reason().as_ref(), settings.showing, host.console)
}

/// Connects where that is needed, and plans. A run that can't be planned leaves nothing behind.
async fn prepare(
    settings: &Settings,
    host: &Host<'_>,
) -> Result<(Folder, Option<Ledger>, Option<Client>), Trouble> {
    let about = about(settings, host);
    let needs_service = settings.state == State::Live || !settings.plan_only;
    let connect =
        || connection::connect(&settings.target, settings.sending.timeout, about.correlation_id, host);
    let client = needs_service.then(connect).transpose()?;
    let folder = Folder::make(settings.out.as_deref(), &about.command, about.created)?;
    // A directory that another process is at work in stays as it is.
    let ledger = ledger::create(folder.path(), &about)?;
    match plan(settings, &about, client.as_ref(), ledger, host).await {
        Ok(ledger) => Ok((folder, ledger, client)),
        Err(trouble) => {
            folder.discard();
            Err(trouble)
        }
    }
}

fn about(settings: &Settings, host: &Host<'_>) -> About {
    About {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        command: COMMAND.to_owned(),
        created: (host.clock)(),
        correlation_id: (host.new_id)(),
        target: settings.target.name(),
        state_from: settings.state.name(),
        reason: settings.reason.clone(),
    }
}

/// Plans the run. `None` where it was stopped before its plan was complete: nothing of it may be
/// sent then, and its reports say so.
async fn plan(
    settings: &Settings,
    about: &About,
    client: Option<&Client>,
    ledger: Planning,
    host: &Host<'_>,
) -> Result<Option<Ledger>, Trouble> {
    let judging = Judging {
        levels: settings.levels.clone(),
        now: about.created,
        new_id: host.new_id,
        inputs: settings.files.clone(),
    };
    let options = input::Options {
        format: settings.format,
        allow_paths: settings.allow_paths.clone(),
        clear: settings.clear,
        levels: settings.levels.clone(),
    };
    let started = tokio::time::Instant::now();
    let mut desk = Desk::new(Planner::new(judging), ledger, settings.files.clone(), host);
    desk.read_inputs(&settings.files, &options)?;
    let mut figures = Figures::default();
    match (&settings.state, client) {
        (State::Live, Some(client)) => figures = look_live(&mut desk, client, settings, host).await?,
        (State::File(path), _) => desk.plan_from_file(path)?,
        (State::Live | State::None, _) => desk.plan_unseen()?,
    }
    figures.seconds = started.elapsed().as_secs_f64();
    close(desk.close(), &figures, host)
}

async fn look_live(
    desk: &mut Desk<'_>,
    client: &Client,
    settings: &Settings,
    host: &Host<'_>,
) -> Result<Figures, Trouble> {
    let begun = sending::Begun::now(client);
    let pace = Pace::new(settings.sending.rate);
    let progress = Progress::planning(settings.showing.progress);
    progress.rows_read(desk.rows());
    let observe = |event| sending::show(&progress, host, event);
    let context = Context {
        api: client,
        pace: &pace,
        stop: host.stop,
        clock: host.clock,
        concurrency: settings.sending.concurrency,
        observe: &observe,
        tally: Arc::new(Tally::default()),
    };
    let looked =
        sending::watched(look(&context, desk), &progress, &pace, settings.showing.progress, host).await;
    looked?;
    match host.stop.reason() {
        Some(Reason::Unreachable(why)) => {
            Err(Trouble::could_not_run(format!("{} cannot be reached: {why}", settings.target.name()))
                .hint("check the endpoint and the network; nothing was sent"))
        }
        Some(Reason::NoToken(why)) => {
            Err(Trouble::could_not_run(format!("there is no token to send: {why}"))
                .hint("check where the token comes from; nothing was sent"))
        }
        _ => Ok(sending::figures(&context, client, &pace, begun)),
    }
}

fn close(ledger: Planning, figures: &Figures, host: &Host<'_>) -> Result<Option<Ledger>, Trouble> {
    if host.stop.is_set() {
        ledger.abandon(figures)?;
        return Ok(None);
    }
    Ok(Some(ledger.seal(figures)?))
}
