//! Makes sure that a second person has approved what is about to be sent, where a profile wants that.

use super::credentials::{Credentials, sign_ins};
use super::environment::Environment;
use super::error::CommandError;
use super::next_command::CommandLine;
use super::options::RunContext;
use super::target::Target;
use crate::api::Client;
use crate::domain::approval::{Accounts, Approval};
use crate::domain::characters::visible;
use crate::domain::setting::Setting;
use crate::ledger::Ledger;

/// Returns the accounts that this process acts as, as a sign-in that is kept says, or else the token of the client that
/// is connected, where it can be read. The service is not asked; nor is the source of a token, unless that `is_needed`.
pub async fn accounts(
    target: &Target,
    client: Option<&Client>,
    is_needed: bool,
    environment: &Environment<'_>,
) -> Accounts {
    let service = match (target, client) {
        (Target::Service(endpoint, Some(Credentials::Kept(kept))), _) => {
            let record = sign_ins(environment).and_then(|all| kept.record(&all, endpoint)).ok();
            record.and_then(|record| record.account).map(|account| account.to_string())
        }
        // A token is not asked for to this end alone, but where the profile wants to know.
        (Target::Service(..), Some(client)) if is_needed || client.has_token() => tokio::select! {
            biased;
            () = environment.stop.wait() => None,
            claims = client.token_claims() => claims.ok().flatten().and_then(|claims| claims.account),
        },
        (Target::Service(..) | Target::Sandbox(_), _) => None,
    };
    Accounts { service, machine: environment.user_name.map(str::to_owned), user: environment.user }
}

/// Whether an approval is wanted: by the profile, or by the one with which the run was planned.
pub fn is_wanted(ledger: &Ledger, run_context: RunContext<'_>) -> bool {
    run_context.sending.requires_approval || ledger.header().spec.requires_approval
}

/// Returns the approvals of the plan about to be sent, where one [is wanted](is_wanted); `None` where none is.
///
/// # Errors
/// Returns a usage error where one is wanted and there is none. Nothing was sent then.
pub async fn of_plan(
    ledger: &Ledger,
    plan_sha256: &str,
    run_context: RunContext<'_>,
) -> Result<Option<Vec<Approval>>, CommandError> {
    if !is_wanted(ledger, run_context) {
        return Ok(None);
    }
    let (of_plan, others): (Vec<_>, Vec<_>) =
        ledger.approvals().await?.into_iter().partition(|approval| approval.plan_sha256 == plan_sha256);
    let message = match others.last() {
        _ if !of_plan.is_empty() => return Ok(Some(of_plan)),
        Some(other) => format!(
            "the plan has changed since {} approved it at {}, and nothing of it is sent without a second person's yes",
            visible(&other.name),
            other.at
        ),
        None => {
            "the plan is not approved, and nothing of it is sent without a second person's yes".to_owned()
        }
    };
    Err(CommandError::usage(message).hint(remedy(run_context)))
}

/// Makes sure that somebody else than who sends gave one of the approvals.
///
/// # Errors
/// Returns a usage error where nobody did. Nothing was sent then.
pub fn by_another(
    approvals: &[Approval],
    sender: &Accounts,
    run_context: RunContext<'_>,
) -> Result<(), CommandError> {
    match approvals.last() {
        Some(own) if approvals.iter().all(|approval| approval.is_by(sender)) => {
            let message = format!(
                "the plan was approved by {}, which is the account that sends it, and nothing of it is sent without a \
                 second person's yes",
                visible(&own.name)
            );
            Err(CommandError::usage(message).hint(remedy(run_context)))
        }
        _ => Ok(()),
    }
}

/// Says that a plan needs a second person's yes before it can be sent, where the profile wants that.
pub fn warn_ahead(run_context: RunContext<'_>, environment: &Environment<'_>) {
    if run_context.sending.requires_approval {
        environment
            .console
            .say(&format!("note: nothing of it is sent before it is approved; {}", remedy(run_context)));
    }
}

fn remedy(run_context: RunContext<'_>) -> String {
    let RunContext { run, sending, .. } = run_context;
    let profile = sending.typed.iter().find(|choice| choice.setting == Setting::Profile).cloned();
    let approve = CommandLine::approve(run, profile.into_iter().collect());
    let (page, plan) = (run_context.page_file(), run_context.plan_file());
    format!("a second person reads {page} or {plan} and then: {approve}")
}
