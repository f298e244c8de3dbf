//! The arguments of `ledger`: which shared ledger, and what to do with it.

use clap::{Args, Subcommand};

use crate::secrets::CommandText;

/// What is done with a shared ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Make a ledger in a PostgreSQL database that has none
    Init(LedgerArgs),
    /// Bring a ledger up to this version, and grant anew what planners, workers and readers may do
    Upgrade(LedgerArgs),
    /// Tell whether a ledger is ready, and what of its server's settings a crash could make felt; nothing is changed
    Check(LedgerCheckArgs),
    /// Delete all that a ledger has on record of a run, for good
    Forget(LedgerForgetArgs),
}

/// Which ledger.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which ledger")]
pub struct LedgerArgs {
    /// Database of the ledger, such as postgres://user@db.example/referrals, without a password
    /// [env: REFERRAL_BULK_LEDGER]
    #[arg(long, value_name = "URL")]
    pub ledger: Option<String>,

    /// Command that prints the password; run without a shell. A password in PGPASSWORD, or in the file that PGPASSFILE
    /// names (~/.pgpass), needs none
    #[arg(long, value_name = "CMD")]
    pub ledger_password_command: Option<CommandText>,

    /// Profile of referral-bulk.toml to take settings from
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

/// The arguments of `ledger check`.
#[derive(Debug, Args)]
pub struct LedgerCheckArgs {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    /// Which ledger.
    #[command(flatten)]
    pub ledger: LedgerArgs,
}

/// The arguments of `ledger forget`.
#[derive(Debug, Args)]
pub struct LedgerForgetArgs {
    /// The run's name
    #[arg(value_name = "RUN")]
    pub run: String,

    /// Delete without asking
    #[arg(long)]
    pub yes: bool,

    /// Which ledger.
    #[command(flatten)]
    pub ledger: LedgerArgs,
}
