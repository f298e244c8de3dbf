//! `resume`: carries on with a run that was only planned, or that stopped early.

use std::path::PathBuf;

use super::connection::{self, Target};
use super::sending::{self, Sending};
use super::{Host, Showing, Trouble, accounting};
use crate::domain::account::Phase;
use crate::domain::exit::Exit;
use crate::ledger;

/// What was asked for.
#[derive(Debug)]
pub struct Settings {
    /// The run's directory.
    pub run: PathBuf,
    /// Where to send; `None` where the run's own target is meant, which is then a sandbox.
    pub target: Target,
    /// Whether the user named the target; the run's own counts otherwise.
    pub target_named: bool,
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
            .hint("nothing was sent so far: run the same command again"));
        }
        Phase::Finished => {
            host.console.say("the run is finished: nothing is left to send");
            drop(ledger);
            return accounting::account(&settings.run, None, settings.showing, host.console);
        }
        Phase::Planned | Phase::Stopped => {}
    }
    let target = target(&settings, &ledger.about().target)?;
    if let Err(trouble) = sending::consent(&ledger, &target, &settings.sending, host) {
        drop(ledger);
        return accounting::account_for_nothing(&settings.run, trouble, settings.showing, host.console);
    }
    let client = connection::connect(&target, settings.sending.timeout, ledger.about().correlation_id, host)?;
    sending::send(ledger, &client, &settings.sending, settings.showing, host).await?;
    accounting::account(&settings.run, host.stop.reason().as_ref(), settings.showing, host.console)
}

/// A run goes where it was planned for and nowhere else: its eTags mean nothing elsewhere.
fn target(settings: &Settings, planned_for: &str) -> Result<Target, Trouble> {
    if settings.target.name() == planned_for {
        return Ok(settings.target.clone());
    }
    if let Some(sandbox) = Target::remembered_sandbox(planned_for)
        && !settings.target_named
    {
        return Ok(sandbox);
    }
    let hint = match Target::remembered_sandbox(planned_for) {
        Some(_) => "leave out the target: the run remembers its own".to_owned(),
        None => format!("give --endpoint {planned_for}"),
    };
    Err(Trouble::usage(format!("the run was planned for {planned_for}, not for {}", settings.target.name()))
        .hint(hint))
}
