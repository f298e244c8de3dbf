//! `resume`: carries on with a run that was only planned, or that stopped early.

use std::path::{Path, PathBuf};

use tracing::{Instrument, info, info_span};

use super::credentials::Credentials;
use super::environment::Environment;
use super::error::CommandError;
use super::next_command::{CommandLine, flag};
use super::next_step::NextStep;
use super::options::{RunContext, Sending, Showing};
use super::target::Target;
use super::whereabouts::Whereabouts;
use super::{choices, connection, finish, patches, planning, sending};
use crate::api::{Client, Endpoint};
use crate::domain::account::{InputInfo, Phase};
use crate::domain::characters::visible_path;
use crate::domain::consent::Consent;
use crate::domain::exit::Exit;
use crate::domain::run_spec::RunSpec;
use crate::domain::setting::{Choice, Setting};
use crate::input;
use crate::ledger::{self, Ledger, Loss, RunHeader};
use crate::pace::Pace;

/// The options of `resume`.
#[derive(Debug)]
pub struct ResumeOptions {
    /// The run's directory.
    pub run: PathBuf,
    /// The target that the user names; `None` leaves the one that the run was planned for.
    pub target: Option<Target>,
    /// The endpoint that the user's settings name: a token may be sent there.
    pub own: Option<Endpoint>,
    /// Where tokens come from, for a service that the run has on record.
    pub credentials: Credentials,
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
    let ledger = ledger::open(&options.run).await?.watched(environment.watch);
    let RunHeader { spec, phase, .. } = ledger.header();
    let whereabouts = Whereabouts::of(spec, environment);
    let target = target(options, &whereabouts.about(spec).target)?;
    trust(&target, &ledger, options, environment).await?;
    if matches!(phase, Phase::Planned | Phase::Stopped) {
        check_unchanged(&whereabouts.inputs(ledger.inputs().await?))?;
    }
    Ok((ledger, target))
}

/// Makes sure that the user trusts the target. A run's directory may come from another person, and name a
/// host of theirs: a token is sent only where the user says now, or said when the run was consented to. It
/// may always be sent to the official service and to this machine.
///
/// # Errors
/// Returns a usage error where the run alone names the endpoint.
async fn trust(
    target: &Target,
    ledger: &Ledger,
    options: &ResumeOptions,
    environment: &Environment<'_>,
) -> Result<(), CommandError> {
    let Target::Service(endpoint, _) = target else { return Ok(()) };
    let is_named = options.target.is_some() || options.own.as_ref() == Some(endpoint);
    if is_named || endpoint.is_local() || *endpoint == Endpoint::official() {
        return Ok(());
    }
    let is_consented =
        |consent: Consent| consent.user == environment.user && consent.target == endpoint.as_str();
    if ledger.consent().await?.is_some_and(is_consented) {
        return Ok(());
    }
    let what = format!(
        "the run goes to {endpoint}, which neither you nor your settings name: no token is sent there"
    );
    let command = CommandLine::resume(&options.run, vec![Choice::of(Setting::Endpoint, endpoint.as_str())]);
    Err(CommandError::usage(what).hint(format!("if that is where yours belongs: {}", command)))
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

/// Returns the target of a run, which is the one it was planned for: its eTags mean nothing elsewhere.
///
/// # Errors
/// Returns a usage error where the user names another target, and an error where the recorded one can't be
/// used by this version.
fn target(options: &ResumeOptions, planned_for: &str) -> Result<Target, CommandError> {
    match &options.target {
        Some(target) if target.name() == planned_for => Ok(target.clone()),
        Some(target) => Err(CommandError::usage(format!(
            "the run was planned for {planned_for}, not for {}",
            target.name()
        ))
        .hint("leave out where to send: the run remembers it")),
        None => Target::remembered(planned_for, Some(options.credentials.clone())).map_err(|error| {
            CommandError::could_not_run(format!("the run was planned for {planned_for}: {error}"))
        }),
    }
}
