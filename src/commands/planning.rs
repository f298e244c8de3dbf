//! Makes the plan of a run, or as much of it as there is when the run is stopped.

use tracing::info;

use super::engine_context::engine_context;
use super::environment::Environment;
use super::error::CommandError;
use super::matching::{self, RollCall};
use super::next_command::spelled;
use super::options::RunContext;
use super::payloads::Payloads;
use super::plan_writer::PlanWriter;
use super::remembered_rate::{self, Use};
use super::source::{AsideOnDisk, Changes, Source};
use super::survey::Surveyor;
use super::{beginning, columns, connection, next_step, progress};
use crate::api::Client;
use crate::domain::account::{InputInfo, RunStats};
use crate::domain::run_spec::{Migrating, PlanSpec, RunSpec, StateSource};
use crate::domain::snapshot::Snapshot;
use crate::engine::fetch::{Survey, fetch_referrals, fetch_singly};
use crate::engine::list_all::list_all;
use crate::engine::{Context, Event, StopReason};
use crate::input;
use crate::ledger::{Ledger, Planning};
use crate::plan::{Judging, Planner, Terms};
use crate::report::{Progress, ProgressEvent};

const WRONG_BASE: &str = "check the base of the API, which ends in /v1.0";

/// Returns whether a run talks to the service at all: a plan that reads no state from there does not.
pub fn needs_service(about: &RunSpec) -> bool {
    about.asked.state == StateSource::Live || !about.plan_only
}

/// Plans a run. `before` are the inputs as they were read when the run was planned before, if it was. Returns
/// `None` where the run was stopped before its plan was complete: nothing of it may be sent then, and its
/// reports say so.
///
/// # Errors
/// Returns an error where an input can't be read at all, the service can't be reached, or the ledger can't be
/// written.
pub async fn plan(
    ledger: Planning,
    before: Vec<InputInfo>,
    client: Option<&Client>,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<Option<Ledger>, CommandError> {
    next_step::tell_on_leaving_plan(run_context, &ledger.header().spec, environment);
    let asked = ledger.header().spec.asked.clone();
    environment.console.tell(&ProgressEvent::Planning { inputs: asked.files.clone() });
    let options = columns::options(&asked);
    let PlanSpec { files, state, levels, allow_paths, clear, migrating, base, .. } = asked;
    let judging = Judging {
        levels,
        now: (environment.clock)(),
        new_id: environment.new_id,
        // A folder of payloads becomes the files in it, which are known only after the folder was searched.
        inputs: if migrating.is_none() { files.clone() } else { Vec::new() },
    };
    let writer = PlanWriter::new(ledger, before, environment);
    let started = tokio::time::Instant::now();
    let (writer, mut figures) = match migrating {
        None => {
            let matching = options.matching.clone();
            let mut planner = Planner::aside(judging, AsideOnDisk(writer.spill()?));
            planner.leave_what_asks_for_nothing(base.is_some());
            let compared = Default::default();
            let changes = Changes { planner, files, options, base, made_from: None, compared, stdin: None };
            match matching {
                None => look_at(changes, writer, &state, client, run_context).await?,
                Some(matching) => match_rows(changes, matching, writer, &state, client, run_context).await?,
            }
        }
        Some(Migrating { take, base, .. }) => {
            let terms = Terms { allow_paths, clear, take };
            let payloads = Payloads::new(judging, terms, files, options, base);
            look_at(payloads, writer, &state, client, run_context).await?
        }
    };
    figures.seconds = started.elapsed().as_secs_f64();
    close(writer, &figures).await
}

/// Plans what the inputs want of referrals that they name by their ids. Returns what was written, and the figures of
/// the requests.
async fn look_at<'a>(
    wanting: impl Source,
    writer: PlanWriter<'a>,
    state: &StateSource,
    client: Option<&Client>,
    run_context: RunContext<'_>,
) -> Result<(PlanWriter<'a>, RunStats), CommandError> {
    let environment = writer.environment;
    let mut surveyor = Surveyor::begin(writer, wanting).await?;
    let mut figures = RunStats::default();
    match (state, client) {
        (StateSource::Live, Some(client)) => {
            figures = look_live(&mut surveyor, client, run_context, environment).await?
        }
        (StateSource::Live, None) => {
            return Err(unconnected());
        }
        (StateSource::File(path), _) => surveyor.plan_from_file(path)?,
        (StateSource::None, _) => surveyor.plan_unseen()?,
    }
    surveyor.warn();
    Ok((surveyor.writer, figures))
}

/// Plans changes whose rows name their referrals by a key: which these are has to be known before the rows are read.
async fn match_rows<'a>(
    mut changes: Changes,
    matching: input::Matching,
    writer: PlanWriter<'a>,
    state: &StateSource,
    client: Option<&Client>,
    run_context: RunContext<'_>,
) -> Result<(PlanWriter<'a>, RunStats), CommandError> {
    let environment = writer.environment;
    let asked = writer.asked().clone();
    let mut roll_call = RollCall::begin(&mut changes, &asked, &matching, &writer, run_context.run)?;
    let mut figures = RunStats::default();
    match (state, client) {
        (StateSource::Live, Some(client)) => {
            figures = call_live(&mut roll_call, client, run_context, environment).await?;
        }
        (StateSource::Live, None) => return Err(unconnected()),
        (StateSource::File(path), _) => roll_call.read_file(path, environment)?,
        (StateSource::None, _) => {
            return Err(CommandError::usage("no row is matched without the referrals' state"));
        }
    }
    if environment.stop.is_set() {
        return Ok((writer, figures));
    }
    let kept = roll_call.end(&mut changes);
    let mut surveyor = Surveyor::begin(writer, changes).await?;
    surveyor.plan_from_kept(kept, client.is_none() || *state != StateSource::Live)?;
    if let (StateSource::Live, Some(client)) = (state, client)
        && surveyor.remaining() > 0
    {
        let rows = surveyor.writer.rows();
        let look = async |context: &Context<'_, Client>| look_singly(context, &mut surveyor).await;
        figures = figures.plus(with_service(look, rows, client, run_context, environment).await?.1);
    }
    Ok((surveyor.writer, figures))
}

/// Lists all referrals, and reads those by themselves whose key the list leaves open, where they are few.
async fn call_live(
    roll_call: &mut RollCall,
    client: &Client,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<RunStats, CommandError> {
    let call = async |context: &Context<'_, Client>| {
        let mut each = |referral: &Snapshot<'_>| roll_call.element(referral);
        match list_all(context, None, &mut each).await {
            Ok(referrals) => {
                beginning::keep_total(client, run_context.target, referrals, environment).await;
                roll_call.all_shown();
                if roll_call.may_be_read_singly() {
                    let Ok(()) = look_singly(context, roll_call).await;
                }
                Ok(())
            }
            Err(error) => matching::unlisted(error).map_or(Ok(()), Err),
        }
    };
    let ((), figures) = with_service(call, 0, client, run_context, environment).await?;
    Ok(figures)
}

async fn look_live(
    surveyor: &mut Surveyor<'_, impl Source>,
    client: &Client,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<RunStats, CommandError> {
    let rows = surveyor.writer.rows();
    let look = async |context: &Context<'_, Client>| {
        let beginning = beginning::of(surveyor, client, run_context.target, environment).await?;
        fetch_referrals(context, surveyor, beginning).await
    };
    let (there, figures) = with_service(look, rows, client, run_context, environment).await?;
    if !there {
        let target = run_context.target.name();
        environment.console.say(&format!("hint: {target} has no list of referrals either: {WRONG_BASE}"));
    }
    Ok(figures)
}

/// Reads what is still wanted by a GET each, and tells how far that has come.
async fn look_singly<S: Survey>(context: &Context<'_, Client>, survey: &mut S) -> Result<(), S::Error> {
    let wanted = survey.remaining();
    let observe = |remaining: usize| context.tell(Event::Looked((wanted - remaining) as u64));
    fetch_singly(context, survey, &observe).await
}

/// Asks the service for what planning needs, and shows the progress meanwhile. `rows` is the number of rows that were
/// read so far. Returns what came of it, and the figures of the requests.
async fn with_service<T>(
    ask: impl AsyncFnOnce(&Context<'_, Client>) -> Result<T, CommandError>,
    rows: u64,
    client: &Client,
    run_context: RunContext<'_>,
    environment: &Environment<'_>,
) -> Result<(T, RunStats), CommandError> {
    let RunContext { target, sending, pace, showing, .. } = run_context;
    let begun = progress::Begun::now(client, pace);
    remembered_rate::begin(Use::Reading, pace, sending.pacing, client, target, environment).await;
    let progress = Progress::planning(showing.progress);
    progress.rows_read(rows);
    let observe = |event| progress::show(&progress, environment, event);
    let context = engine_context(client, pace, sending, environment, &observe);
    let asked = progress::watched(ask(&context), &progress, &context, showing.progress, environment).await;
    remembered_rate::keep(Use::Reading, pace, sending.pacing, client, target, environment).await;
    let asked = asked?;
    match environment.stop.reason() {
        Some(StopReason::Unreachable(why)) => {
            Err(CommandError::could_not_run(format!("{} cannot be reached: {why}", target.name()))
                .hint("check the endpoint and the network; nothing was sent"))
        }
        Some(StopReason::NothingThere) => {
            let what = "has neither a list of referrals nor any of those looked for";
            Err(CommandError::could_not_run(format!("{} {what}", target.name())).hint(WRONG_BASE))
        }
        Some(StopReason::NoToken(why)) => {
            Err(CommandError::could_not_run(format!("there is no token to send: {}", spelled(&why)))
                .hint(connection::about_token(target, None, "nothing was sent", environment)))
        }
        _ => Ok((asked, progress::figures(&context, client, begun))),
    }
}

fn unconnected() -> CommandError {
    CommandError::could_not_run("nothing is connected to look at referrals")
}

/// Ends planning: the plan is complete, unless the run is stopped.
async fn close(mut writer: PlanWriter<'_>, figures: &RunStats) -> Result<Option<Ledger>, CommandError> {
    if writer.is_stopped() {
        writer.close().abandon(figures).await?;
        return Ok(None);
    }
    info!(seconds = figures.seconds.round(), requests = figures.get + figures.list, "planned");
    writer.put_in_order().await?;
    Ok(Some(writer.close().seal(figures).await?))
}
