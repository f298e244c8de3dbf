//! `resume`: carries on with a run that was only planned, or that stopped early.

use std::path::PathBuf;

use super::connection::{self, Target};
use super::sending::{self, Sending};
use super::{Host, Showing, Trouble, accounting};
use crate::api::Auth;
use crate::domain::account::Phase;
use crate::domain::exit::Exit;
use crate::ledger;

/// What was asked for.
#[derive(Debug)]
pub struct Settings {
    /// The run's directory.
    pub run: PathBuf,
    /// Where to send, where the user says it; else the run goes where it was planned for.
    pub target: Option<Target>,
    /// Where the token comes from, for a service that the run remembers.
    pub auth: Option<Auth>,
    /// How to send.
    pub sending: Sending,
    /// How to show it.
    pub showing: Showing,
}

/// Carries the run out as far as it will go, and reports.
///
/// # Errors
/// Where the run can't be opened, was planned for another service, or consent is missing.
pub async fn run(settings: Settings, host: &Host<'_>) -> Result<Exit, Trouble> {
    let ledger = ledger::open(&settings.run)?;
    match ledger.phase() {
        Phase::Planning => {
            return Err(Trouble::could_not_run(format!(
                "{} was not planned to its end, so nothing of it may be sent",
                settings.run.display()
            ))
            .hint("nothing was sent so far: plan it again, into another directory where --out names one"));
        }
        Phase::Finished => {
            host.console.say("the run is finished: nothing is left to send");
            drop(ledger);
            return accounting::account(&settings.run, None, None, settings.showing, host.console);
        }
        Phase::Planned | Phase::Stopped => {}
    }
    let target = target(&settings, &ledger.about().target)?;
    let plan = accounting::write_plan_alone(&settings.run)?;
    sending::announce(&ledger, &settings.run, &target, settings.showing, host)?;
    if let Err(trouble) = sending::consent(&ledger, &settings.run, &target, &settings.sending, host) {
        drop(ledger);
        accounting::account_refused(&settings.run, Some(plan), trouble.exit, settings.showing, host.console)?;
        return Err(trouble);
    }
    let client = connection::connect(&target, settings.sending.timeout, ledger.about().correlation_id, host)?;
    sending::send(ledger, &settings.run, plan, &client, &settings.sending, settings.showing, host).await
}

/// A run goes where it was planned for and nowhere else: its eTags mean nothing elsewhere.
fn target(settings: &Settings, planned_for: &str) -> Result<Target, Trouble> {
    match &settings.target {
        Some(target) if target.name() == planned_for => Ok(target.clone()),
        Some(target) => {
            Err(Trouble::usage(format!("the run was planned for {planned_for}, not for {}", target.name()))
                .hint("leave out where to send: the run remembers it"))
        }
        None => Target::remembered(planned_for, settings.auth.clone()),
    }
}
