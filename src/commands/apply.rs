//! `apply` and `migrate`: make a run from change files or legacy payloads, and carry it out unless only a
//! plan was asked for.

use std::path::{Path, PathBuf};

use tracing::{Instrument, info, info_span};

use super::environment::Environment;
use super::error::CommandError;
use super::options::{RunContext, Sending, Showing};
use super::run_dir::{self, RunDir};
use super::target::Target;
use super::{columns, connection, patches, planning, sending};
use crate::api::Client;
use crate::domain::exit::Exit;
use crate::domain::run_spec::{PlanSpec, RunSpec};
use crate::ledger::{self, Ledger};
use crate::pace::Pace;

/// The options of `apply` and `migrate`.
#[derive(Debug)]
pub struct ApplyOptions {
    /// The inputs, and how they are read and judged.
    pub asked: PlanSpec,
    /// Whether to plan only: no request but GET is sent.
    pub plan_only: bool,
    /// The run's directory; `None` stands for one that is named by the time.
    pub out: Option<PathBuf>,
    /// The reason for the run, in the user's words.
    pub reason: Option<String>,
    /// The target that requests are sent to.
    pub target: Target,
    /// How to send.
    pub sending: Sending,
    /// How to show it.
    pub showing: Showing,
}

/// Makes a plan, asks for consent, sends the changes, and reports.
///
/// # Errors
/// Returns an error where an input can't be read at all, there is no connection, consent is missing, or the
/// run's directory can't be used. A run that could not be planned leaves no directory behind.
pub async fn run(mut options: ApplyOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    columns::settle(&mut options.asked)?;
    let about = about(&options, environment);
    let run = info_span!("run", id = %about.correlation_id);
    async {
        info!(version = about.program, command = about.command, target = options.target.kind(), "begins");
        let pace = Pace::new(options.sending.pacing);
        let (folder, ledger, client) = prepare(&options, &about, &pace, environment).await?;
        let run_context = run_context(&options, &pace, &folder);
        sending::go_on(ledger, client, options.plan_only, run_context, environment).await
    }
    .instrument(run)
    .await
}

/// Returns the name of the command that asks for this.
fn command(asked: &PlanSpec) -> &'static str {
    if asked.migrating.is_some() { "migrate" } else { "apply" }
}

fn run_context<'a>(options: &'a ApplyOptions, pace: &'a Pace, folder: &'a RunDir) -> RunContext<'a> {
    let ApplyOptions { target, sending, showing, .. } = options;
    let patches = options.asked.patches();
    RunContext { run: folder.path(), target, sending, pace, showing: *showing, patches }
}

/// Connects where that is needed, and plans. A run that can't be planned leaves nothing behind.
async fn prepare(
    options: &ApplyOptions,
    about: &RunSpec,
    pace: &Pace,
    environment: &Environment<'_>,
) -> Result<(RunDir, Option<Ledger>, Option<Client>), CommandError> {
    let connect =
        || connection::connect(&options.target, options.sending.timeout, about.correlation_id, environment);
    let client = planning::needs_service(about).then(connect).transpose()?;
    let folder = RunDir::make(options.out.as_deref(), &about.command, about.created).await?;
    if let Some(Err(trouble)) = options.asked.patches().map(|file| patches::check(file, folder.path())) {
        folder.give_up();
        return Err(trouble);
    }
    // A directory that another process is working in stays as it is.
    let ledger = match ledger::create_watched(folder.path(), about, environment.watch).await {
        Ok(ledger) => ledger,
        Err(error) => return Err(run_dir::not_begun(folder.path(), error).await),
    };
    environment.run_log.open(folder.path());
    environment.tell_lost_diagnostics();
    let run_context = run_context(options, pace, &folder);
    match planning::plan(ledger, Vec::new(), client.as_ref(), run_context, environment).await {
        Ok(ledger) => Ok((folder, ledger, client)),
        Err(trouble) => {
            folder.discard().await;
            // The run is gone, so a user who leaves the program now must not be told to resume it.
            environment.console.on_leaving("", Path::new(""));
            Err(trouble)
        }
    }
}

fn about(options: &ApplyOptions, environment: &Environment<'_>) -> RunSpec {
    RunSpec {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        command: command(&options.asked).to_owned(),
        created: (environment.clock)(),
        correlation_id: (environment.new_id)(),
        target: options.target.name(),
        asked: options.asked.clone(),
        plan_only: options.plan_only,
        reason: options.reason.clone(),
        directory: Some(environment.directory.as_os_str().to_owned())
            .filter(|directory| !directory.is_empty()),
        order: None,
        waves: None,
        requires_approval: options.sending.requires_approval,
    }
}
