//! Finds out what a run talks to that was planned before, and makes sure that the user trusts it with a token.

use super::credentials::Credentials;
use super::environment::Environment;
use super::error::CommandError;
use super::next_command::CommandLine;
use super::target::Target;
use crate::api::Endpoint;
use crate::domain::consent::Consent;
use crate::domain::setting::{Choice, Setting};
use crate::ledger::Ledger;

/// What a user says of where a run goes.
#[derive(Debug, Clone)]
pub struct NamedTarget {
    /// The target that the user names; `None` leaves the one that the run was planned for.
    pub target: Option<Target>,
    /// The endpoint that the user's settings name: a token may be sent there.
    pub own: Option<Endpoint>,
    /// Where tokens come from, for a service that the run has on record.
    pub credentials: Credentials,
}

impl NamedTarget {
    /// Returns the target of a run, which is the one it was planned for: its eTags mean nothing elsewhere.
    ///
    /// # Errors
    /// Returns a usage error where the user names another target, and an error where the recorded one can't be
    /// used by this version.
    pub fn of_run(&self, planned_for: &str) -> Result<Target, CommandError> {
        match &self.target {
            Some(target) if target.name() == planned_for => Ok(target.clone()),
            Some(target) => Err(CommandError::usage(format!(
                "the run was planned for {planned_for}, not for {}",
                target.name()
            ))
            .hint("leave out where to send: the run remembers it")),
            None => Target::remembered(planned_for, Some(self.credentials.clone())).map_err(|error| {
                CommandError::could_not_run(format!("the run was planned for {planned_for}: {error}"))
            }),
        }
    }

    /// Makes sure that the user trusts the target. A run's directory may come from another person, and name a
    /// host of theirs: a token is sent only where the user says now, or said when the run was consented to. It
    /// may always be sent to the official service and to this machine. `again` is the command that is proposed, with
    /// these choices.
    ///
    /// # Errors
    /// Returns a usage error where the run alone names the endpoint.
    pub async fn trust(
        &self,
        target: &Target,
        ledger: &Ledger,
        again: impl FnOnce(Vec<Choice>) -> CommandLine,
        environment: &Environment<'_>,
    ) -> Result<(), CommandError> {
        let Target::Service(endpoint, _) = target else { return Ok(()) };
        let is_named = self.target.is_some() || self.own.as_ref() == Some(endpoint);
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
        let command = again(vec![Choice::of(Setting::Endpoint, endpoint.as_str())]);
        Err(CommandError::usage(what).hint(format!("if that is where yours belongs: {command}")))
    }
}
