//! `resume`: carries on with a run that was only planned, or that stopped early.

use std::path::{Path, PathBuf};

use tracing::{Instrument, info, info_span};

use super::environment::Environment;
use super::error::CommandError;
use super::next_command::{CommandLine, flag};
use super::next_step::NextStep;
use super::options::{RunContext, Sending, Showing};
use super::run_target::NamedTarget;
use super::target::Target;
use super::whereabouts::Whereabouts;
use super::{choices, connection, finish, patches, planning, sending};
use crate::api::Client;
use crate::domain::account::{InputInfo, Phase};
use crate::domain::characters::visible_path;
use crate::domain::exit::Exit;
use crate::domain::run_spec::RunSpec;
use crate::domain::setting::Setting;
use crate::input;
use crate::ledger::{self, Ledger, Loss, RunHeader};
use crate::pace::Pace;

/// The options of `resume`.
#[derive(Debug)]
pub struct ResumeOptions {
    /// The run's directory.
    pub run: PathBuf,
    /// Where it goes.
    pub named: NamedTarget,
    /// How to send.
    pub sending: Sending,
    /// How to show it.
    pub showing: Showing,
}

/// Carries the run out as far as possible, and reports.
///
/// # Errors
/// Returns an error where the run can't be opened, was planned for another service, or consent is missing.
pub async fn run(options: ResumeOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let (ledger, target) = open(&options, environment).await?;
    let ResumeOptions { run, sending, showing, .. } = &options;
    environment.run_log.open(run);
    environment.tell_lost_diagnostics();
    let span = info_span!("run", id = %ledger.header().spec.correlation_id);
    let pace = Pace::new(sending.pacing);
    let run_context =
        RunContext { run, target: &target, sending, pace: &pace, showing: *showing, patches: None };
    let phase = ledger.header().phase;
    let work = async {
        info!(version = env!("CARGO_PKG_VERSION"), ?phase, target = target.kind(), "resumed");
        match phase {
            Phase::Planning => plan_again(ledger, run_context, environment).await,
            Phase::Planned | Phase::Stopped => {
                tell_loss(run, ledger.header().loss(), environment);
                sending::go(ledger, None, run_context, environment).await
            }
            Phase::Finished => {
                environment.console.say("the run is finished: nothing is left to send");
                drop(ledger);
                finish::account(run_context, None, environment).await
            }
        }
    };
    work.instrument(span).await
}

/// Says that a run's log is lost, and what that means for the rest of the run.
pub fn tell_loss(run: &Path, loss: Option<Loss>, environment: &Environment<'_>) {
    let log = ledger::log_file(run);
    let log = visible_path(&log);
    let words: &[&str] = match loss {
        None => return,
        Some(Loss::Found) => &[
            &format!(
                "warning: {log} is gone or is no log, and what this run sent last may stand in it alone"
            ),
            "hint: put that very file back, if it is somewhere, before anything is sent; later it would do harm",
        ],
        Some(Loss::Elsewhere) => &[
            &format!(
                "warning: {} is a copy, was moved, or its {} was taken away: what was sent of it from elsewhere is not on \
                 record here",
                visible_path(run),
                ledger::lock_name()
            ),
            "hint: if the first one is somewhere, put that back and carry on with it",
        ],
        Some(Loss::Recorded) => {
            &["note: it was found before that what this run had sent last is not on record"]
        }
    };
    words.iter().for_each(|words| environment.console.say(words));
    environment.console.say(
        "note: so every change without an outcome may have been made: resume reads its referral before it \
         sends anything for it, and what that cannot tell becomes unknown",
    );
}

/// Opens the ledger, and makes sure that the target may be sent to and that the inputs are unchanged.
async fn open(
    options: &ResumeOptions,
    environment: &Environment<'_>,
) -> Result<(Ledger, Target), CommandError> {
    let ledger = ledger::open_to_send(&options.run).await?.watched(environment.watch);
    let RunHeader { spec, phase, .. } = ledger.header();
    let whereabouts = Whereabouts::of(spec, environment);
    let target = options.named.of_run(&whereabouts.about(spec).target)?;
    let again = |choices| CommandLine::resume(&options.run, choices);
    options.named.trust(&target, &ledger, again, environment).await?;
    if matches!(phase, Phase::Planned | Phase::Stopped) {
        check_unchanged(&whereabouts.inputs(ledger.inputs().await?))?;
    }
    Ok((ledger, target))
}

/// Makes sure that no input was changed since the run was planned. A user who changes a file and resumes
/// expects the change to count, and what was planned may close referrals. A file that isn't there any more
/// can mislead no one.
///
/// # Errors
/// Returns an error that names the changed file. Nothing was sent then.
fn check_unchanged(inputs: &[InputInfo]) -> Result<(), CommandError> {
    for planned in inputs {
        // Opening a pipe would wait until another process writes into it.
        let is_file = Path::new(&planned.path).is_file();
        if is_file && input::sha256(&planned.path).is_ok_and(|now| now != planned.sha256) {
            let what = format!("{} is not what it was when the run was planned", planned.path);
            return Err(CommandError::could_not_run(what).hint(
                "nothing was sent now: put the file back as it was, or move it away, to carry out what was \
                 planned; to send what it says now, apply it as a run of its own",
            ));
        }
    }
    Ok(())
}

/// Plans a run again from its inputs, and goes on with it: nothing of a plan that was cut off may be sent.
async fn plan_again(
    ledger: Ledger,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<Exit, CommandError> {
    let spec = &ledger.header().spec;
    let whereabouts = Whereabouts::of(spec, environment);
    let about = whereabouts.about(spec);
    let run_context = RunContext { patches: about.asked.patches(), ..run_context };
    let (ledger, client) = plan_anew(ledger, &about, &whereabouts, run_context, environment).await?;
    sending::go_on(ledger, client, about.plan_only, run_context, environment).await
}

/// Makes the plan again, where the inputs can be read again. Returns the ledger, or `None` where the run was
/// stopped, and the connection where the plan needed one.
async fn plan_anew(
    ledger: Ledger,
    about: &RunSpec,
    whereabouts: &Whereabouts,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<(Option<Ledger>, Option<Client>), CommandError> {
    if let Some(command) = choices::anew(about, &run_context.sending.repeat((environment.clock)())) {
        let what = "the run was stopped while it was planned, and standard input cannot be read again";
        return Err(CommandError::could_not_run(what).hint(NextStep::anew(command).to_string()));
    }
    if let Some(file) = run_context.patches {
        let patches = flag(Setting::Patches);
        let remedy =
            format!("the run was begun with this {patches}: see that it can be made, then resume again");
        patches::check(file, run_context.run).map_err(|trouble| trouble.hint(remedy))?;
    }
    environment.console.say("the run was stopped while it was planned: it is planned again");
    let connect = || {
        connection::connect(
            run_context.target,
            run_context.sending.timeout,
            about.correlation_id,
            environment,
        )
    };
    let client = planning::needs_service(about).then(connect).transpose()?;
    let (mut ledger, before) = ledger.plan_again().await?;
    ledger.amend(about.clone())?;
    let before = whereabouts.inputs(before);
    let planned = planning::plan(ledger, before, client.as_ref(), run_context, environment).await?;
    Ok((planned, client))
}
