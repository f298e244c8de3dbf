//! `approve`: a second person's yes to a plan, which is kept with the run. Nothing is sent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::approval::accounts;
use super::credentials::Credentials;
use super::environment::Environment;
use super::error::CommandError;
use super::next_command::{CommandLine, flag};
use super::options::Reporting;
use super::target::Target;
use super::write_reports::{PlanFile, write_plan_alone, write_plan_page};
use crate::api::{Client, ClientSettings};
use crate::domain::account::Phase;
use crate::domain::approval::{Accounts, Approval};
use crate::domain::characters::{is_hidden, visible, visible_path};
use crate::domain::exit::Exit;
use crate::domain::setting::{Choice, Setting};
use crate::input;
use crate::ledger::{self, Ledger, LedgerError, PlanTotals};
use crate::report::{PLAN_FILE, counted};

/// The longest time that a token command or a file may take to say whose token it is.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest name of a person, in characters.
const LONGEST: usize = 200;

/// The options of `approve`.
#[derive(Debug)]
pub struct ApproveOptions {
    /// The run's directory.
    pub run: PathBuf,
    /// The name of the person, where it is given.
    pub approver: Option<String>,
    /// Where this person's tokens come from, which tells whose they are.
    pub credentials: Credentials,
    /// The name of the profile, if one was typed.
    pub profile: Option<String>,
}

/// Puts on record that a person approves the plan as it is now.
///
/// # Errors
/// Returns an error where the run can't be opened, has nothing to approve, or its plan report was changed since it was
/// written; and a usage error where nothing tells who approves.
pub async fn run(options: ApproveOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let ApproveOptions { run, approver, credentials, profile } = options;
    let approver = approver.map(|name| checked(&name)).transpose()?;
    let mut ledger = ledger::open(&run).await?;
    let totals = approvable(&ledger, &run).await?;
    // A target that this version doesn't know has no account either.
    let target = Target::remembered(&ledger.header().spec.target, Some(credentials));
    let accounts = match &target {
        Ok(target) => accounts(target, asker(target, environment).as_ref(), true, environment).await,
        Err(_) => Accounts::default(),
    };
    let known = || accounts.name().map(str::to_owned).or_else(|| accounts.number());
    let name = approver.or_else(known).ok_or_else(nobody)?;
    let plan = read_plan(&run, environment).await?;
    let given = Approval {
        at: (environment.clock)(),
        name,
        accounts,
        plan_sha256: plan.sha256().to_owned(),
        changing: totals.to_send,
        closing: totals.closing,
    };
    let approvals = ledger.approvals().await?;
    let is_same =
        |earlier: &&Approval| earlier.plan_sha256 == given.plan_sha256 && earlier.name == given.name;
    match approvals.iter().find(is_same) {
        Some(earlier) => environment.console.say(&format!(
            "note: {} approved this plan already, at {}: nothing was added",
            visible(&earlier.name),
            earlier.at
        )),
        None => {
            ledger.approve(&given).await?;
            environment.console.say(&told(&given));
        }
    }
    let is_only_planned = ledger.header().phase == Phase::Planned;
    drop(ledger);
    let reporting = Reporting { run: &run, reveal: false, patches: None };
    // The page of what was sent says more than a plan, and is made again when the run goes on.
    if is_only_planned && let Err(trouble) = write_plan_page(reporting, &plan, environment).await {
        trouble.rendered().for_each(|problem| environment.console.say(&problem));
        environment
            .console
            .say("warning: the approval is on record, and the page of the plan doesn't tell it");
    }
    let profile = profile.map(|name| Choice::of(Setting::Profile, name));
    let next = CommandLine::resume(&run, profile.into_iter().collect());
    environment.console.say(&format!("next: {next}"));
    Ok(Exit::Done)
}

/// Returns a client that has the token of a source that the person names, and makes no request.
fn asker(target: &Target, environment: &Environment<'_>) -> Option<Client> {
    let Target::Service(endpoint, Some(Credentials::Named(auth))) = target else { return None };
    let (correlation_id, clock) = ((environment.new_id)(), environment.clock);
    let settings = ClientSettings { timeout: TIMEOUT, correlation_id, clock };
    Client::new(endpoint.clone(), auth.clone(), settings).ok()
}

/// Makes sure that there is a plan of which something is still to be sent, and returns its size.
async fn approvable(ledger: &Ledger, run: &Path) -> Result<PlanTotals, CommandError> {
    match ledger.header().phase {
        Phase::Planning => return Err(LedgerError::Unplanned { dir: run.to_owned() }.into()),
        Phase::Finished => {
            return Err(CommandError::usage(format!(
                "the run in {} is finished: there is nothing left to approve",
                visible_path(run)
            ))
            .hint(format!("what became of it is told by: {}", CommandLine::report(run))));
        }
        Phase::Planned | Phase::Stopped => {}
    }
    let totals = ledger.plan_totals().await?;
    if totals.remaining == 0 {
        let what = format!("the plan in {} changes nothing: there is nothing to approve", visible_path(run));
        return Err(CommandError::usage(what));
    }
    Ok(totals)
}

/// Returns the plan's report, after making sure that the report which a person reads is that plan.
async fn read_plan(run: &Path, environment: &Environment<'_>) -> Result<PlanFile, CommandError> {
    let file = run.join(PLAN_FILE);
    let there = file.is_file().then(|| input::sha256(&file.to_string_lossy()));
    let plan = write_plan_alone(run, environment.console).await?;
    match there {
        Some(Ok(there)) if there != plan.sha256() => {
            let what = format!(
                "{} was changed since it was written, so it is not known what was read: nothing is approved",
                visible_path(&file)
            );
            Err(CommandError::usage(what)
                .hint("what the run would do stands there now: read it, and approve that"))
        }
        _ => Ok(plan),
    }
}

/// Returns the name of a person, as it goes on record.
fn checked(name: &str) -> Result<String, CommandError> {
    let (flag, name) = (flag(Setting::Approver), name.trim());
    if name.is_empty() || name.chars().any(is_hidden) || name.chars().count() > LONGEST {
        return Err(CommandError::usage(format!("{flag} {}: this is nobody's name", visible(name)))
            .hint(format!("write who approves, in {LONGEST} characters at most")));
    }
    Ok(name.to_owned())
}

fn nobody() -> CommandError {
    CommandError::usage("nothing tells who approves: nobody is signed in, and the system names no user")
        .hint(format!("say who with {}", flag(Setting::Approver)))
}

/// Returns what was approved, and by whom.
fn told(given: &Approval) -> String {
    let closing = match given.closing {
        0 => String::new(),
        closing => format!(", {closing} of them closed for good"),
    };
    format!(
        "approved by {}: {} to change{closing} (plan {})",
        visible(&given.name),
        counted(given.changing, "referral"),
        given.plan_sha256
    )
}
