//! `verify`: compares what a run wrote with the referrals as they are by now, and keeps what it found with the run.
//!
//! Nothing here can change a referral: the run is opened and not begun, so there is no ticket that a change could be
//! sent with.

use std::path::{Path, PathBuf};

use tracing::{Instrument, info_span};

use super::engine_context::engine_context;
use super::environment::Environment;
use super::error::CommandError;
use super::next_command::{CommandLine, flag, spelled};
use super::options::{Sending, Showing, SummaryForm};
use super::remembered_rate::{self, Use};
use super::run_target::NamedTarget;
use super::target::Target;
use super::verified_files::{self, VerifiedFiles};
use super::whereabouts::Whereabouts;
use super::write_reports::unwritten;
use super::{connection, progress};
use crate::api::Client;
use crate::domain::account::Phase;
use crate::domain::characters::visible_path;
use crate::domain::exit::Exit;
use crate::domain::referral::ReferralId;
use crate::domain::setting::{Choice, Setting};
use crate::domain::verification::{Verification, VerifiedStanding};
use crate::engine::keeper::{Keeper, Keeping};
use crate::engine::verify::{VerifiedCounts, verify};
use crate::engine::{Context, StopReason};
use crate::ledger::{self, Ledger, LedgerError, Loss, Reader};
use crate::pace::Pace;
use crate::report::{
    Kept, Progress, Shelf, State, VerifiedExamples, VerifiedSummary, counted, verified_text,
};

/// The options of `verify`.
#[derive(Debug)]
pub struct VerifyOptions {
    /// The run's directory.
    pub run: PathBuf,
    /// Where it goes.
    pub named: NamedTarget,
    /// How requests are sent.
    pub sending: Sending,
    /// How to show it.
    pub showing: Showing,
}

/// What helps where the service has none of what is asked for.
const WRONG_BASE: &str = "check the base of the API, which ends in /v1.0; nothing was put on record";

/// Compares every referral that the run wrote, and tells how they stand.
///
/// # Errors
/// Returns an error where the run can't be opened, nothing of it was sent, its service can't be asked, or what was found
/// can't be put on record.
pub async fn run(options: VerifyOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let mut ledger = ledger::open(&options.run).await?.watched(environment.watch);
    check_sent(&ledger, &options)?;
    let whereabouts = Whereabouts::of(&ledger.header().spec, environment);
    let target = options.named.of_run(&whereabouts.about(&ledger.header().spec).target)?;
    if target.is_sandbox() {
        return Err(gone_with_its_process());
    }
    let again = |choices| CommandLine::verify(&options.run, choices);
    options.named.trust(&target, &ledger, again, environment).await?;
    environment.run_log.open(&options.run);
    environment.tell_lost_diagnostics();
    let correlation_id = ledger.header().spec.correlation_id;
    let client = connection::connect(&target, options.sending.timeout, correlation_id, environment)?;
    let verifying = Verifying { options: &options, target: &target, environment };
    let span = info_span!("run", id = %correlation_id);
    async {
        let verification = verifying.verify(&mut ledger, &client).await?;
        let phase = ledger.header().phase;
        drop(ledger);
        verifying.conclude(&verification, phase).await
    }
    .instrument(span)
    .await
}

/// Makes sure that something of the run was sent, and that what was is on record.
fn check_sent(ledger: &Ledger, options: &VerifyOptions) -> Result<(), CommandError> {
    let header = ledger.header();
    let run = visible_path(&options.run);
    let resume = CommandLine::resume(&options.run, Vec::new());
    match header.phase {
        Phase::Planning | Phase::Planned => {
            let what = format!("nothing of the run in {run} was sent, so there is nothing to verify");
            Err(CommandError::usage(what).hint(format!("carry it out first: {resume}")))
        }
        Phase::Stopped | Phase::Finished if matches!(header.loss(), Some(Loss::Found | Loss::Elsewhere)) => {
            Err(CommandError::from(LedgerError::LogLost { dir: options.run.clone() })
                .hint(format!("settle what may have been sent first: {resume}")))
        }
        Phase::Stopped | Phase::Finished => Ok(()),
    }
}

/// Returns the error of a run that went to a sandbox which is no more.
fn gone_with_its_process() -> CommandError {
    let what = "the run went to a sandbox inside its own process, which ended with it: nothing is left to compare with";
    CommandError::could_not_run(what).hint(format!(
        "to try it, serve one that stays (referral-bulk sandbox), and send a run to its address with {}",
        flag(Setting::Endpoint)
    ))
}

/// A verification while it is made.
struct Verifying<'a> {
    options: &'a VerifyOptions,
    target: &'a Target,
    environment: &'a Environment<'a>,
}

impl Verifying<'_> {
    /// Compares all that was written, and puts on record what was found.
    async fn verify(&self, ledger: &mut Ledger, client: &Client) -> Result<Verification, CommandError> {
        let Self { options, environment, .. } = self;
        let reader = ledger::read(&options.run).await?;
        let referrals = reader.written_ids().await?;
        let in_doubt = in_doubt(&reader).await?;
        let number = reader.verifications().await?.last().map_or(1, |(number, _)| number + 1);
        let (pace, pacing) = (Pace::new(options.sending.pacing), options.sending.pacing);
        remembered_rate::begin(Use::Reading, &pace, pacing, client, self.target, environment).await;
        let progress = Progress::listing(options.showing.progress);
        let observe = |event| progress::show(&progress, environment, event);
        let context = engine_context(client, &pace, &options.sending, environment, &observe);
        let mut keeper = Keeper::begin(
            Keeping::AtRest(ledger),
            &context.counts,
            number,
            None,
            in_doubt,
            (environment.clock)(),
        );
        let found = {
            let comparing = self.compare(&context, &reader, referrals, &mut keeper);
            progress::watched(comparing, &progress, &context, options.showing.progress, environment).await?
        };
        remembered_rate::keep(Use::Reading, &pace, pacing, client, self.target, environment).await;
        Ok(keeper.end(found, (environment.clock)()).await?)
    }

    async fn compare(
        &self,
        context: &Context<'_, Client>,
        reader: &Reader,
        referrals: Vec<ReferralId>,
        keeper: &mut Keeper<'_>,
    ) -> Result<VerifiedCounts, CommandError> {
        let found = verify(context, reader, referrals, keeper).await?;
        let nothing_told = found.counts.total() == 0;
        match self.environment.stop.reason() {
            Some(StopReason::NothingThere) => {
                let name = self.target.name();
                let what =
                    format!("{name} has neither a list of referrals nor any of those that the run wrote");
                Err(CommandError::could_not_run(what).hint(WRONG_BASE))
            }
            Some(reason) if nothing_told && reason != StopReason::Interrupted && !is_forbidden(&reason) => {
                Err(self.not_begun(&reason))
            }
            _ => Ok(found),
        }
    }

    /// Returns the error of a verification that came to nothing.
    fn not_begun(&self, reason: &StopReason) -> CommandError {
        const NOTHING: &str = "nothing was compared";
        let (target, environment) = (self.target, self.environment);
        match reason {
            StopReason::Unreachable(why) => {
                CommandError::could_not_run(format!("{} cannot be reached: {why}", target.name()))
                    .hint(format!("check the endpoint and the network; {NOTHING}"))
            }
            StopReason::NoToken(_) | StopReason::SignIn { .. } | StopReason::Token { .. } => {
                let hint = connection::about_token(target, reason.needs_sign_in(), NOTHING, environment);
                CommandError::could_not_run(spelled(&reason.wording())).hint(hint)
            }
            other => CommandError::could_not_run(spelled(&other.wording())).hint(NOTHING),
        }
    }

    /// Writes the files, prints the summary, and tells what to do next.
    async fn conclude(&self, verification: &Verification, phase: Phase) -> Result<Exit, CommandError> {
        let Self { options, environment, .. } = self;
        let (run, console) = (&options.run, environment.console);
        let stopped =
            environment.stop.reason().filter(|reason| verification.left > 0 && !is_forbidden(reason));
        let (state, exit) = match &stopped {
            Some(_) => (State::Stopped, Exit::Stopped),
            None if verification.is_all_ours() => (State::Finished, Exit::Done),
            None => (State::Finished, Exit::SomeFailed),
        };
        let mut examples = VerifiedExamples::default();
        let files = self.write_files(&mut examples).await;
        let (kept, listed, failed) = match files {
            Ok(VerifiedFiles { kept, listed }) => (kept, listed, None),
            Err(error) => (Vec::new(), Vec::new(), Some(error)),
        };
        for Kept { report, now } in &kept {
            let (report, now) = (visible_path(report), visible_path(now));
            console.say(&format!("note: {report} may hold somebody's changes: it is kept as {now}"));
        }
        let name = run.to_string_lossy();
        let exit_code = failed.as_ref().map_or(exit, CommandError::exit).code();
        let summary = VerifiedSummary::of(&name, verification, state, exit_code, listed);
        console.account_verified(&summary);
        match options.showing.summary {
            SummaryForm::Json => console.data(&(summary.to_json_line() + "\n")),
            SummaryForm::Text => console.data(&verified_text(&summary, &examples)),
            SummaryForm::None => {}
        }
        if let Some(failed) = failed {
            return Err(failed);
        }
        self.tell(verification, phase, stopped.as_ref(), examples.first());
        Ok(exit)
    }

    async fn write_files(&self, examples: &mut VerifiedExamples) -> Result<VerifiedFiles, CommandError> {
        let (run, console) = (&self.options.run, self.environment.console);
        let shelf = Shelf::take(run, || {
            console.say(
                "note: another process is writing the reports of this run: waiting until it has done so",
            );
        });
        let reader = ledger::read(run).await?;
        let inputs = reader.inputs().await?;
        let written =
            verified_files::write(&shelf, &reader, &inputs, &mut |referral| examples.add(referral)).await?;
        written.map_err(|error| unwritten(error, Exit::CouldNotRun, run, Some(CommandLine::report(run))))
    }

    /// Tells what to know of what was not compared, and what to type next.
    fn tell(
        &self,
        verification: &Verification,
        phase: Phase,
        stopped: Option<&StopReason>,
        first: Option<ReferralId>,
    ) {
        let Self { options, environment, .. } = self;
        let (run, console) = (&options.run, environment.console);
        if verification.in_doubt > 0 {
            console.say(&in_doubt_hint(run, verification.in_doubt, phase));
        }
        if let Some(reason) = stopped {
            console.say(&format!("stopped: {}", spelled(&reason.wording())));
            let again = |needed| connection::sign_in_again(self.target, needed, environment);
            if let Some(again) = reason.needs_sign_in().and_then(again) {
                console.say(&format!("hint: sign in again, and then verify again: {again}"));
            }
            if options.sending.token_command {
                console.say(&format!("hint: give the same {} again", flag(Setting::TokenCommand)));
            }
            let repeat = options.sending.repeat((environment.clock)());
            console.say(&format!("next: verify all of it: {}", CommandLine::verify(run, repeat)));
            return;
        }
        let counts = &verification.counts;
        if counts.still_ours < counts.total() {
            let files = visible_path(&run.join(verified_files::TABLE));
            console.say(&format!("hint: all of them are in {files}"));
        }
        if let Some(first) = first {
            let what = if counts.of(VerifiedStanding::ChangedSince) > 1 { "the first of them" } else { "it" };
            console.say(&format!(
                "next: see what the run did with {what}: {}",
                CommandLine::explain(run, first)
            ));
        }
    }
}

/// Says that referrals were not compared whose outcome is unknown, and how that is settled.
fn in_doubt_hint(run: &Path, in_doubt: u64, phase: Phase) -> String {
    let what = counted(in_doubt, "referral");
    let (how, command) = match phase {
        Phase::Finished => (
            if in_doubt == 1 { "what to do about it is told by" } else { "what to do about them is told by" },
            CommandLine::report(run),
        ),
        _ => (
            if in_doubt == 1 {
                "this settles it, and sends what is left"
            } else {
                "this settles them, and sends what is left"
            },
            CommandLine::resume(run, Vec::<Choice>::new()),
        ),
    };
    format!("hint: {what} may have been written, and nothing says so: not compared; {how}: {command}")
}

/// Returns the number of items that may have been written, of which the run doesn't know.
async fn in_doubt(reader: &Reader) -> Result<u64, LedgerError> {
    let mut in_doubt = 0;
    reader
        .sent(&mut |item| {
            in_doubt += u64::from(item.is_in_doubt());
            Ok::<_, LedgerError>(())
        })
        .await?;
    Ok(in_doubt)
}

/// Whether nothing could be read for lack of a permission: then that was told of every referral.
fn is_forbidden(reason: &StopReason) -> bool {
    matches!(reason, StopReason::Forbidden(_))
}
