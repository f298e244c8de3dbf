//! `ledger init` and `ledger upgrade`: the tables of a shared ledger, and who may do what.

use super::options::LedgerOptions;
use super::trouble::{Doing, trouble};
use crate::commands::environment::Environment;
use crate::commands::error::CommandError;
use crate::domain::exit::Exit;
use crate::ledger::postgres::{Groups, Made, SharedLedger};

/// Makes a ledger in a database that has none.
///
/// # Errors
/// Returns an error where the database can't be used, or holds a ledger already. Nothing is changed then.
pub async fn init(options: &LedgerOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let failed = |error| trouble(error, Doing::Init, options);
    let mut ledger = SharedLedger::connect(&options.server).await.map_err(failed)?;
    let made = ledger.init((environment.new_id)()).await.map_err(failed)?;
    environment.console.say(&format!(
        "made: a ledger of format {} in the database {} at {}; {} owns it",
        made.format,
        ledger.database(),
        ledger.server(),
        ledger.user()
    ));
    tell(&made, options, environment);
    Ok(Exit::Done)
}

/// Brings a ledger up, and grants anew what each group may do.
///
/// # Errors
/// Returns an error where there is no ledger, a newer one, or one of somebody else's. Nothing is changed then.
pub async fn upgrade(options: &LedgerOptions, environment: &Environment<'_>) -> Result<Exit, CommandError> {
    let failed = |error| trouble(error, Doing::Owning, options);
    let mut ledger = SharedLedger::connect(&options.server).await.map_err(failed)?;
    let made = ledger.upgrade().await.map_err(failed)?;
    let told = match made.before {
        Some(before) if before < made.format => {
            format!("upgraded: the ledger has format {} now, and had {before}", made.format)
        }
        _ => format!("nothing to upgrade: the ledger has format {}", made.format),
    };
    environment.console.say(&told);
    tell(&made, options, environment);
    Ok(Exit::Done)
}

/// Says what became of the groups, and what to do next. SQL that somebody else has to carry out is data.
fn tell(made: &Made, options: &LedgerOptions, environment: &Environment<'_>) {
    let console = environment.console;
    let next = match &made.groups {
        Groups::Granted => {
            console.say(
                "note: put the roles that connect into the groups of what they do: GRANT referral_bulk_planner, \
                 referral_bulk_worker, referral_bulk_reader TO …",
            );
            options.command("check")
        }
        Groups::Missing { sql } => {
            console.data(sql);
            console.say(
                "warning: this role may not make the groups that use the ledger, so nobody but the owner can use it \
                 yet: have an administrator carry out the SQL on standard output, then upgrade, which grants what \
                 each may do",
            );
            options.command("upgrade")
        }
    };
    console.say(&format!("next: {}{next}", options.again()));
}
