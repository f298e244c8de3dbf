//! `ledger forget`: deletes all that a shared ledger has on record of a run.

use super::options::LedgerOptions;
use super::trouble::{Doing, trouble};
use crate::commands::environment::{Environment, Reply};
use crate::commands::error::CommandError;
use crate::commands::next_command::CommandLine;
use crate::domain::characters::visible;
use crate::domain::exit::Exit;
use crate::domain::setting::{Choice, Setting};
use crate::ledger::postgres::{RunOnRecord, SharedLedger};
use crate::report::counted;

/// The options of `ledger forget`.
#[derive(Debug)]
pub struct ForgetOptions {
    /// The ledger.
    pub ledger: LedgerOptions,
    /// The run's name.
    pub run: String,
    /// Whether to delete without asking.
    pub yes: bool,
}

/// Deletes a run, once the user consents.
///
/// # Errors
/// Returns an error where there is no such run, workers hold it, or the user doesn't consent. Nothing is deleted then.
pub async fn forget(options: &ForgetOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let failed = |error| trouble(error, Doing::Owning, &options.ledger);
    let mut ledger = SharedLedger::connect(&options.ledger.server).await.map_err(failed)?;
    let run = ledger.run(&options.run).await.map_err(failed)?;
    if !options.yes {
        ask(options, &run, environment)?;
    }
    let forgotten = ledger.forget(&options.run).await.map_err(failed)?;
    let records = forgotten.records.iter().map(|(count, what)| format!("{count} {what}"));
    let records: Vec<String> = records.collect();
    let with = if records.is_empty() { String::new() } else { format!(", with {}", records.join(", ")) };
    environment.console.say(&format!("forgotten: the run \"{}\"{with}", visible(&options.run)));
    environment.console.say(
        "note: the server's disk holds deleted records until it has cleaned up (VACUUM), and backups hold them for as \
         long as they are kept",
    );
    Ok(Exit::Done)
}

/// Asks the user to type the run's name.
///
/// # Errors
/// Returns a usage error where another name is typed, or nobody is there to ask.
fn ask(
    options: &ForgetOptions,
    run: &RunOnRecord,
    environment: &Environment<'_>,
) -> Result<(), CommandError> {
    let name = visible(&options.run);
    let what = format!(
        "all that is on record of the run \"{name}\" of {} ({}, {}, {})",
        visible(&run.tenant),
        run.phase,
        counted(run.rows, "row"),
        counted(run.attempts, "attempt")
    );
    let question = format!("This deletes {what}, which cannot be undone. Type {name} to go on: ");
    match environment.console.ask(&question) {
        Reply::Said(answer) if answer.trim() == options.run => Ok(()),
        Reply::Said(_) => Err(CommandError::usage("that is another name: nothing was deleted")),
        Reply::Interrupted => Err(CommandError::usage("interrupted: nothing was deleted")),
        Reply::Nobody => {
            let yes = [vec![Choice::bare(Setting::Yes)], options.ledger.typed.clone()].concat();
            let again = CommandLine::forget(&options.run, yes);
            Err(CommandError::usage(format!("this would delete {what}, and nobody is there to ask"))
                .hint(format!("delete it without being asked: {}{again}", options.ledger.again())))
        }
    }
}
