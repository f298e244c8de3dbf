//! What can be typed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};

use crate::api::CommandText;
use crate::domain::account::{self, Format};
use crate::domain::decimal;
use crate::pace::Pacing;

/// Requests in flight at most.
pub const MOST_IN_FLIGHT: u16 = 1024;

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "referral-bulk",
    version,
    about = "Plan, apply and account for bulk changes to Partner Center referrals",
    after_help = "A run is a directory; a plan is a run that has not begun. Exit codes: 0 done, 1 could not run, \
                  2 usage or consent, 3 some rows did not succeed, 4 stopped early, 5 the books do not balance.",
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// Diagnostics on standard error: decisions, and with -vv every request
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Change files become one PATCH per referral
    Apply(Box<Apply>),
    /// Legacy PUT payloads become one PATCH per referral
    Migrate(Box<Migrate>),
    /// Carry on with a run that was only planned, or that stopped early
    Resume(Box<Resume>),
    /// Write the reports of a run again, and print its summary
    Report(Report),
    /// Serve a local Partner API to rehearse against
    Sandbox(Sandbox),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a directory
    Man {
        /// The directory
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
}

/// `apply`
#[derive(Debug, Args)]
pub struct Apply {
    /// Change files, CSV or JSONL; `-` is standard input (with --format)
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub files: Vec<String>,

    /// Of the input [default: by extension]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<ChangeFormat>,

    /// How CSV files write numbers: 12500.50, or 12500,50 [default: as each number shows; one that reads
    /// in two ways, such as 12.500, is not read]
    #[arg(long, value_name = "SIGN")]
    pub decimal: Option<DecimalSign>,

    /// A column that is kept in the reports and changes nothing; repeatable
    #[arg(long, value_name = "NAME")]
    pub ignore_column: Vec<String>,

    /// How to plan.
    #[command(flatten)]
    pub planning: Planning,
    /// Where to send.
    #[command(flatten)]
    pub target: Target,
    /// How to send.
    #[command(flatten)]
    pub sending: Sending,
    /// How to show it.
    #[command(flatten)]
    pub showing: Showing,
}

/// `migrate`
#[derive(Debug, Args)]
pub struct Migrate {
    /// JSONL, a JSON array, one JSON object, a directory of .json files, or .http requests; `-` is
    /// standard input (with --format)
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::AnyPath)]
    pub files: Vec<String>,

    /// Of the input [default: by extension]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<PayloadFormat>,

    /// Take this field from a stale payload all the same, as in /details/dealValue; repeatable
    #[arg(long, value_name = "POINTER")]
    pub take: Vec<String>,

    /// The referrals as they were when the payloads were made, to tell whose values are newer where a
    /// payload is stale: a snapshot file
    #[arg(long, value_name = "SNAPSHOT", value_hint = ValueHint::FilePath)]
    pub base: Option<String>,

    /// Write the documents to a new file as well: JSON lines that `apply` takes
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub patches: Option<String>,

    /// How to plan.
    #[command(flatten)]
    pub planning: Planning,
    /// Where to send.
    #[command(flatten)]
    pub target: Target,
    /// How to send.
    #[command(flatten)]
    pub sending: Sending,
    /// How to show it.
    #[command(flatten)]
    pub showing: Showing,
}

/// How to plan.
#[derive(Debug, Args)]
pub struct Planning {
    /// Plan, validate and report; never write (GET only)
    #[arg(long)]
    pub plan: bool,

    /// The run's directory; must not hold a run already [default: reports/TIME-COMMAND]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,

    /// Where the referrals' current state comes from: `live` (the API), `none`, or a snapshot file
    #[arg(long, value_name = "live|none|FILE", default_value = "live")]
    pub state: String,

    /// What a 412 leads to
    #[arg(long, value_name = "WHAT", default_value = "report")]
    pub on_conflict: OnConflict,

    /// Set a rule's level: allow, warn or deny; repeatable, see the table in docs/rules.md
    #[arg(long, value_name = "ID=LEVEL")]
    pub rule: Vec<String>,

    /// Allow a path to be patched that nobody documents as patchable; repeatable
    #[arg(long, value_name = "POINTER")]
    pub allow_path: Vec<String>,

    /// Allow fields to be cleared: by `\N` or [] in CSV, by null, an empty text or an empty list in JSON
    #[arg(long)]
    pub clear: bool,

    /// Why; kept in the run and its reports
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `resume`
#[derive(Debug, Args)]
pub struct Resume {
    /// The run's directory
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub run: PathBuf,

    /// Where to send.
    #[command(flatten)]
    pub target: Target,
    /// How to send.
    #[command(flatten)]
    pub sending: Sending,
    /// How to show it.
    #[command(flatten)]
    pub showing: Showing,
}

/// `report`
#[derive(Debug, Args)]
pub struct Report {
    /// The run's directory
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub run: PathBuf,

    /// How to show it.
    #[command(flatten)]
    pub showing: Showing,
}

/// `sandbox`
#[derive(Debug, Args)]
pub struct Sandbox {
    /// Referrals to begin with: JSONL, a JSON array or a list page [default: the samples]
    #[arg(value_name = "SNAPSHOT", value_hint = ValueHint::FilePath)]
    pub seed: Option<PathBuf>,

    /// Port on 127.0.0.1; 0 takes any free one and prints the address
    #[arg(long, value_name = "N", default_value_t = 8085)]
    pub port: u16,

    /// Answer 429 above so many requests, as in 20/s or 100/m; 503 as nginx does, as in 10/s+5:503
    #[arg(long, value_name = "N/s|N/m")]
    pub quota: Option<crate::sandbox::Quota>,

    /// Answer 503 to more requests at a time than so many, as nginx does with limit_conn
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub at_once: Option<u32>,

    /// Leave the eTag out of list pages, as the documented sample does
    #[arg(long)]
    pub list_without_etags: bool,

    /// Leave a member out of the referrals on list pages, as in details or team.title; repeatable
    #[arg(long, value_name = "MEMBER")]
    pub list_omits: Vec<crate::sandbox::MemberPath>,

    /// Show a member as null in the referrals on list pages; repeatable
    #[arg(long, value_name = "MEMBER")]
    pub list_nulls: Vec<crate::sandbox::MemberPath>,

    /// Where answers carry a referral's version
    #[arg(long, value_name = "WHERE", default_value = "body")]
    pub etags_in: ETagsIn,

    /// Refuse requests without the documented headers: a new client-request-id, and a type on GET
    #[arg(long)]
    pub strict: bool,

    /// Misbehave on demand, as in `patch#3=500`, `patch@ID=ignores:/statusReason`, `get#*=stale` or
    /// `patch=503:1+applied`; repeatable
    #[arg(long, value_name = "WHEN=WHAT")]
    pub fault: Vec<crate::sandbox::Fault>,
}

/// Where to send.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where to send")]
pub struct Target {
    /// Base of the API, with /v1.0 [env: REFERRAL_BULK_ENDPOINT] [default: the real one]
    #[arg(long, value_name = "URL", conflicts_with = "sandbox", value_hint = ValueHint::Url)]
    pub endpoint: Option<String>,

    /// Run against an API served inside this process, seeded from a snapshot or from samples
    #[arg(long, value_name = "SNAPSHOT", num_args = 0..=1, require_equals = true, value_hint = ValueHint::FilePath)]
    pub sandbox: Option<Option<PathBuf>>,

    /// A command that prints a token; run without a shell
    #[arg(long, value_name = "CMD", conflicts_with = "token_file")]
    pub token_command: Option<CommandText>,

    /// A file that holds a token; a token in PARTNER_CENTER_TOKEN needs neither
    #[arg(long, value_name = "F", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,

    /// A profile of referral-bulk.toml
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

/// How to send.
#[derive(Debug, Args)]
#[command(next_help_heading = "How to send")]
pub struct Sending {
    /// Requests a second or minute, reads and writes together; auto finds what the service bears
    /// [default: 2/s]
    #[arg(long, value_name = "N/s|N/m|auto")]
    pub rate: Option<Pacing>,

    /// Requests in flight [default: 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_IN_FLIGHT)))]
    pub concurrency: Option<u16>,

    /// Of one request [default: 30s]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,

    /// Stop sending after so many refused, failed or partial rows [default: 100]
    #[arg(long, value_name = "N|N%")]
    pub max_errors: Option<String>,

    /// Refuse to start with more changes
    #[arg(long, value_name = "N")]
    pub max_changes: Option<u64>,

    /// Do not ask; covers what can be taken back
    #[arg(long)]
    pub yes: bool,

    /// Consent to closing exactly N referrals, without being asked
    #[arg(long, value_name = "N")]
    pub confirm_closing: Option<u64>,

    /// Stop sending then, as in 2026-12-31T18:00:00+01:00
    #[arg(long, value_name = "TIME")]
    pub finish_by: Option<String>,
}

/// How to show it.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "What to show")]
pub struct Showing {
    /// What goes to standard output at the end
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub summary: SummaryForm,

    /// What goes to standard error meanwhile; auto is a bar on a terminal, plain lines elsewhere
    #[arg(long, value_name = "FORM", default_value = "auto")]
    pub progress: ProgressForm,
}

/// Forms of a change file.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ChangeFormat {
    /// A header and records
    Csv,
    /// A JSON object a line
    Jsonl,
}

impl From<ChangeFormat> for Format {
    fn from(format: ChangeFormat) -> Self {
        match format {
            ChangeFormat::Csv => Self::Csv,
            ChangeFormat::Jsonl => Self::Jsonl,
        }
    }
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DecimalSign {
    /// 12500.50, or 12,500.50
    Point,
    /// 12500,50, or 12.500,50
    Comma,
}

impl From<DecimalSign> for decimal::DecimalSign {
    fn from(sign: DecimalSign) -> Self {
        match sign {
            DecimalSign::Point => Self::Point,
            DecimalSign::Comma => Self::Comma,
        }
    }
}

/// Forms of legacy payloads.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PayloadFormat {
    /// A payload a line
    Jsonl,
    /// One payload, or an array of them
    Json,
    /// Requests as the documentation prints them
    Http,
}

impl From<PayloadFormat> for Format {
    fn from(format: PayloadFormat) -> Self {
        match format {
            PayloadFormat::Jsonl => Self::Jsonl,
            PayloadFormat::Json => Self::Json,
            PayloadFormat::Http => Self::Http,
        }
    }
}

/// What a 412 leads to.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum OnConflict {
    /// The row is a conflict, nothing is overwritten
    Report,
    /// Send again, for the new version, where nothing that the row touches was changed
    Rebase,
}

impl From<OnConflict> for account::OnConflict {
    fn from(typed: OnConflict) -> Self {
        match typed {
            OnConflict::Report => Self::Report,
            OnConflict::Rebase => Self::Rebase,
        }
    }
}

/// Where answers of the sandbox carry a referral's version.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ETagsIn {
    /// In the member eTag, and in the ETag header of answers about one referral
    Body,
    /// In the member @odata.etag alone
    Odata,
    /// In the ETag header alone, so that list pages have none
    Header,
}

impl From<ETagsIn> for crate::sandbox::ETagsIn {
    fn from(typed: ETagsIn) -> Self {
        match typed {
            ETagsIn::Body => Self::Body,
            ETagsIn::Odata => Self::OData,
            ETagsIn::Header => Self::Header,
        }
    }
}

/// Forms of the summary.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[expect(missing_docs, reason = "the names say it all in --help")]
pub enum SummaryForm {
    Json,
    Text,
    None,
}

/// Forms of progress.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[expect(missing_docs, reason = "the names say it all in --help")]
pub enum ProgressForm {
    Auto,
    Plain,
    None,
}

/// The command whose summary a script waits for, read from the words themselves: they may be none that can
/// be parsed.
pub fn awaits_json(arguments: &[OsString]) -> Option<String> {
    let mut words = arguments.iter().skip(1).map(|word| word.to_str().unwrap_or_default());
    let name = words.find(|word| !word.starts_with('-'))?;
    let command = Cli::command();
    command.find_subcommand(name)?.get_arguments().find(|argument| argument.get_id() == "summary")?;
    let options: Vec<&str> = words.take_while(|word| *word != "--").collect();
    let is_json =
        options.contains(&"--summary=json") || options.windows(2).any(|two| two == ["--summary", "json"]);
    is_json.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_waits_for_json_is_known_by_its_words() {
        for (typed, wanted) in [
            ("apply a.csv --summary json", Some("apply")),
            ("apply --summary=json", Some("apply")),
            ("--bogus resume --summary json --rate never", Some("resume")),
            ("migrate --summary text --summary json", Some("migrate")),
            ("report --summary json", Some("report")),
            ("apply --summary text", None),
            ("apply --summary", None),
            ("apply --summary jsonl", None),
            ("apply json --summary", None),
            ("apply -- --summary json", None),
            ("sandbox --summary json", None),
            ("aply --summary json", None),
            ("--summary json", None),
            ("", None),
        ] {
            let words: Vec<OsString> =
                ["referral-bulk"].into_iter().chain(typed.split(' ')).map(Into::into).collect();
            assert_eq!(awaits_json(&words).as_deref(), wanted, "{typed}");
        }
    }
}
