//! `ledger check`: tells whether a shared ledger is ready, what to mend first, and what to know of its server. Nothing
//! is changed.

use serde::Serialize;

use super::lines::{lines, unreached};
use super::options::LedgerOptions;
use super::trouble::{Doing, trouble};
use crate::commands::check::line::{CheckLine, FirstToMend, Level, ready, say_mend, text};
use crate::commands::environment::{Console, Environment};
use crate::commands::error::CommandError;
use crate::domain::characters::visible_json;
use crate::domain::exit::Exit;
use crate::ledger::postgres::{PostgresError, SharedLedger};

/// The options of `ledger check`.
#[derive(Debug)]
pub struct CheckOptions {
    /// The ledger.
    pub ledger: LedgerOptions,
    /// Whether to print one JSON object.
    pub json: bool,
}

/// The form of the JSON object, for programs that read it.
#[derive(Serialize)]
struct Printed<'a> {
    version: u32,
    ledger: &'a str,
    /// Whether runs can be kept in it, as far as it was asked.
    ready: bool,
    lines: &'a [CheckLine],
    /// What to mend first.
    mend: Option<FirstToMend<'a>>,
}

/// Asks, and tells what came of it.
///
/// # Errors
/// Returns an error where nothing says as which role to connect.
pub async fn check(options: &CheckOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let lines = match asked(&options.ledger).await {
        Ok(lines) => lines,
        Err(error @ PostgresError::NoUser) => return Err(trouble(error, Doing::Check, &options.ledger)),
        Err(error) => vec![unreached(&error, &options.ledger)],
    };
    let first = lines.iter().find(|line| line.level == Level::Mend);
    let next = options.ledger.command("check").to_string();
    print(options, &lines, first, &next, environment.console);
    let console = environment.console;
    let Some(first) = first else {
        console.say(&ready("the ledger can be used", &lines));
        return Ok(Exit::Done);
    };
    say_mend(first, console);
    console.say(&format!("next: mend that, then: {}{next}", options.ledger.again()));
    Ok(Exit::CouldNotRun)
}

/// Asks a ledger, and returns what is told of it.
async fn asked(options: &LedgerOptions) -> Result<Vec<CheckLine>, PostgresError> {
    let ledger = SharedLedger::connect_to_look(&options.server).await?;
    let survey = ledger.survey().await?;
    Ok(lines(&survey, &ledger, options))
}

/// Prints the lines.
fn print(
    options: &CheckOptions,
    lines: &[CheckLine],
    first: Option<&CheckLine>,
    next: &str,
    console: &dyn Console,
) {
    if !options.json {
        console.data(&text(lines));
        return;
    }
    let mend = first.map(|line| FirstToMend::new(line, next));
    let ledger = options.ledger.server.url.as_str();
    let printed = Printed { version: 1, ledger, ready: first.is_none(), lines, mend };
    let line = serde_json::to_string(&printed).expect("texts, numbers and lists of them serialise");
    console.data(&format!("{}\n", visible_json(&line)));
}
