//! The arguments that several commands share: where to send, how to send, what to show.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::values::{ProgressFormArg, SummaryFormArg};
use crate::pace::Pacing;
use crate::secrets::CommandText;

/// The highest number of requests in flight that can be asked for.
pub const MOST_IN_FLIGHT: u16 = 1024;

/// Options of every command that sends.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Where to send.
    #[command(flatten)]
    pub target: TargetArgs,
    /// How to send.
    #[command(flatten)]
    pub sending: SendingArgs,
    /// How to show it.
    #[command(flatten)]
    pub showing: ShowingArgs,
    /// What the page holds.
    #[command(flatten)]
    pub page: PageArgs,

    /// Command to run at every end, with the summary as JSON on its standard input; run without a shell
    #[arg(long, value_name = "CMD", help_heading = "What to show")]
    pub on_finish: Option<String>,
}

/// Where to send.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Where to send")]
pub struct TargetArgs {
    /// Base URL of the API, with /v1.0 [env: REFERRAL_BULK_ENDPOINT] [default: the real one]
    #[arg(long, value_name = "URL", conflicts_with = "sandbox", value_hint = ValueHint::Url)]
    pub endpoint: Option<String>,

    /// Use an API inside this process instead, seeded from a snapshot file or from samples
    #[arg(long, value_name = "SNAPSHOT", num_args = 0..=1, require_equals = true, value_hint = ValueHint::FilePath)]
    pub sandbox: Option<Option<PathBuf>>,

    /// Command that prints a token; run without a shell
    #[arg(long, value_name = "CMD", conflicts_with = "token_file")]
    pub token_command: Option<CommandText>,

    /// File that holds a token; a token in PARTNER_CENTER_TOKEN, or a sign-in, needs neither
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,

    /// Profile of referral-bulk.toml to take settings from
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

/// How fast to send.
#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "How to send")]
pub struct PaceArgs {
    /// Requests per second or minute, reads and writes together; `auto` finds the service's limit, and begins with what
    /// was borne last
    /// [default: 2/s]
    #[arg(long, value_name = "N/s|N/m|auto")]
    pub rate: Option<Pacing>,

    /// Maximum number of requests in flight [default: 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_IN_FLIGHT)))]
    pub concurrency: Option<u16>,

    /// Timeout of each request [default: 30s]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
}

/// How fast to send, and how much.
#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "How to send")]
pub struct LimitArgs {
    /// How fast.
    #[command(flatten)]
    pub pace: PaceArgs,

    /// Number of refused, failed or partial rows to stop sending after [default: 100]
    #[arg(long, value_name = "N|N%")]
    pub max_errors: Option<String>,

    /// Maximum number of changes; refuse to start with more
    #[arg(long, value_name = "N")]
    pub max_changes: Option<u64>,
}

/// How to send.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "How to send")]
pub struct SendingArgs {
    /// How fast, and how much.
    #[command(flatten)]
    pub limits: LimitArgs,

    /// Send without asking; does not cover closing referrals
    #[arg(long)]
    pub yes: bool,

    /// Number of referrals that may be closed, which cannot be undone; must be exact
    #[arg(long, value_name = "N")]
    pub confirm_closing: Option<u64>,

    /// Time to stop sending at, such as 2026-12-31T18:00:00+01:00
    #[arg(long, value_name = "TIME")]
    pub finish_by: Option<String>,
}

/// What the page of a run holds.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "What to show")]
pub struct PageArgs {
    /// Write personal data out in report.html: e-mail addresses, telephone numbers, members' names
    #[arg(long)]
    pub reveal: bool,
}

/// How to show it.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "What to show")]
pub struct ShowingArgs {
    /// Form of the summary on standard output
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub summary: SummaryFormArg,

    /// Form of the progress on standard error; `auto` is a bar on a terminal, plain lines elsewhere, `json` an event a
    /// line for programs, with all else that is told there
    #[arg(long, value_name = "FORM", default_value = "auto")]
    pub progress: ProgressFormArg,
}
