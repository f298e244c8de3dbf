//! The command line: the commands, each with its arguments.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Args, CommandFactory, Parser, Subcommand, ValueHint};

use super::groups::{LimitArgs, PaceArgs, PageArgs, RunArgs, ShowingArgs, TargetArgs};
use super::ledger::LedgerCommand;
use super::values::{
    ChangeFormatArg, DecimalSignArg, ETagsInArg, EffectArg, MatchArg, OnConflictArg, PayloadFormatArg,
    ProgressFormArg, StoreArg, SummaryFormArg,
};

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
    /// Print diagnostics to standard error: decisions; with -vv, every request as well
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "What to show")]
    pub verbose: u8,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Checks that `words`, the program's name first, can be parsed as a command line of this program.
///
/// # Errors
/// The parser's message, if they are not.
pub fn check(words: impl IntoIterator<Item = OsString>) -> Result<(), String> {
    Cli::try_parse_from(words).map(drop).map_err(|error| error.to_string())
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Plan and send the changes of CSV, JSONL or XLSX files, one PATCH per referral
    Apply(Box<ApplyArgs>),
    /// Turn legacy PUT payloads into PATCHes, one per referral, and send them
    Migrate(Box<MigrateArgs>),
    /// Carry out a planned run, or go on with one that stopped early
    Resume(Box<ResumeArgs>),
    /// Write a run's reports again and print its summary
    Report(ReportArgs),
    /// Compare what a run wrote with the referrals as they are by now (GET only)
    Verify(Box<VerifyArgs>),
    /// Write the change file that takes a run back, and a list of what cannot be taken back
    Undo(UndoArgs),
    /// Download referrals: a snapshot, or a change file to look through and fill in
    Export(Box<ExportArgs>),
    /// Show a plan or a run to people: stages, deals, each field before and after, outcomes
    Show(ShowArgs),
    /// Tell the life of a row, from its source line to every request and the outcome
    Explain(ExplainArgs),
    /// Tell whether all is ready: sign-in, role, service and clock (GET only)
    Check(Box<CheckArgs>),
    /// Sign in, so that every other command gets its tokens by itself; or show who is signed in
    Login(Box<LoginArgs>),
    /// Forget a sign-in
    Logout(LogoutArgs),
    /// Approve a plan as a second person: your yes is kept with it
    Approve(ApproveArgs),
    /// Show the settings that count, and where each comes from
    Config {
        /// What to do with them.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Make, check and upgrade a shared ledger on PostgreSQL, or forget a run of one
    Ledger {
        /// What to do with it.
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// Serve a local stand-in for the Partner API to rehearse against
    Sandbox(SandboxArgs),
    /// Print the completion script of a shell
    Completions {
        /// Shell to print it for
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a directory
    Man {
        /// Directory to write into; made if it is missing
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
}

/// The arguments of `apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Change files: CSV, JSONL or XLSX, compressed (.gz) or not; `-` reads standard input and needs
    /// --format
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub files: Vec<String>,

    /// Format of the input [default: by extension and header]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<ChangeFormatArg>,

    /// Decimal sign of the numbers in CSV files: 12500.50 or 12500,50 [default: told from each number;
    /// one that can be read in two ways, such as 12.500, is refused]
    #[arg(long, value_name = "SIGN")]
    pub decimal: Option<DecimalSignArg>,

    /// Sheet to read of a workbook [default: the first one that is not hidden]
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,

    /// Field that names each row's referral; all but the id are looked up in the referrals as they stand
    #[arg(long = "match", value_name = "FIELD", default_value = "id")]
    pub match_by: MatchArg,

    /// What a column of somebody else's file means, as in "Est. Close Date=closingDateTime"; repeatable.
    /// Of a file with such a column, only these, the id and the eTag are read
    #[arg(long, value_name = "COLUMN=FIELD")]
    pub map: Vec<String>,

    /// Column to keep in the reports and otherwise ignore; repeatable
    #[arg(long, value_name = "NAME")]
    pub ignore_column: Vec<String>,

    /// Untouched export or download that the files were made from: only what differs from it is a
    /// change, and a field that somebody else changed since is a conflict of its row
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub base: Option<String>,

    /// How to plan.
    #[command(flatten)]
    pub planning: PlanningArgs,
    /// Where and how to send, and what to show.
    #[command(flatten)]
    pub options: RunArgs,
}

/// The arguments of `migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Payloads: JSONL, a JSON array, one JSON object, a directory of .json files, or .http requests;
    /// `-` reads standard input and needs --format
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::AnyPath)]
    pub files: Vec<String>,

    /// Format of the input [default: by extension]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<PayloadFormatArg>,

    /// Field to take from a stale payload all the same, such as /details/dealValue; repeatable
    #[arg(long, value_name = "POINTER")]
    pub take: Vec<String>,

    /// Snapshot file of the referrals as they were when the payloads were made; tells whose values are
    /// newer where a payload is stale
    #[arg(long, value_name = "SNAPSHOT", value_hint = ValueHint::FilePath)]
    pub base: Option<String>,

    /// New file to write the patch documents to as well: JSONL that `apply` takes
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub patches: Option<String>,

    /// How to plan.
    #[command(flatten)]
    pub planning: PlanningArgs,
    /// Where and how to send, and what to show.
    #[command(flatten)]
    pub options: RunArgs,
}

/// How to plan.
#[derive(Debug, Args)]
#[command(next_help_heading = "How to plan")]
pub struct PlanningArgs {
    /// Plan, validate and report without writing anything (GET only)
    #[arg(long)]
    pub plan: bool,

    /// Directory of the run; must not hold a run already [default: reports/TIME-COMMAND]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,

    /// Source of the referrals' current state: `live` (the API), `none`, or a snapshot file
    #[arg(long, value_name = "live|none|FILE", default_value = "live")]
    pub state: String,

    /// Reaction to a referral that somebody else changed since the plan (412)
    #[arg(long, value_name = "WHAT", default_value = "report")]
    pub on_conflict: OnConflictArg,

    /// Level of a rule: allow, warn or deny; repeatable, rules are listed in docs/rules.md
    #[arg(long, value_name = "ID=LEVEL")]
    pub rule: Vec<String>,

    /// Path to patch although it is not documented as patchable; repeatable
    #[arg(long, value_name = "POINTER")]
    pub allow_path: Vec<String>,

    /// Allow fields to be cleared: by `\N` or [] in CSV, by null, an empty text or list in JSON
    #[arg(long)]
    pub clear: bool,

    /// Column of the input to send in the order of, or dealValue or closingDateTime of the referrals; what has no
    /// value there comes last [default: the order of the input]
    #[arg(long, value_name = "COLUMN[:asc|desc]")]
    pub priority: Option<String>,

    /// Waves to send in, by number or share of referrals, such as 1,5%,rest; after each, what it changed is read
    /// back, and the next one goes only if all of it stands [default: one wave]
    #[arg(long, value_name = "N,N%,rest")]
    pub waves: Option<String>,

    /// Reason for the run, kept in it and in its reports
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// The arguments of `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The run's directory
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub run: PathBuf,

    /// Where and how to send, and what to show.
    #[command(flatten)]
    pub options: RunArgs,
}

/// The arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run's directory
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub run: PathBuf,

    /// How to show it.
    #[command(flatten)]
    pub showing: ShowingArgs,
    /// What the page holds.
    #[command(flatten)]
    pub page: PageArgs,

    /// Show report.html in a browser
    #[arg(long, help_heading = "What to show")]
    pub open: bool,
}

/// The arguments of `approve`.
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// The run's directory
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub run: PathBuf,

    /// Name of the person who approves [default: the account that is signed in, else the user of this machine]
    #[arg(long, value_name = "NAME")]
    pub approver: Option<String>,

    /// Profile of referral-bulk.toml to take the sign-in from
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

/// The arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The run's directory
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub run: PathBuf,

    /// Where to send.
    #[command(flatten)]
    pub target: TargetArgs,
    /// How fast.
    #[command(flatten)]
    pub pace: PaceArgs,
    /// How to show it.
    #[command(flatten)]
    pub showing: ShowingArgs,
}

/// The arguments of `undo`.
#[derive(Debug, Args)]
pub struct UndoArgs {
    /// The run's directory
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub run: PathBuf,

    /// New change file to write: JSON lines that `apply` takes; FILE.cannot.csv beside it lists what cannot be
    /// taken back, and why
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: PathBuf,

    /// Replace files of these names
    #[arg(long)]
    pub force: bool,

    /// Form of the summary on standard output
    #[arg(long, value_name = "FORM", default_value = "text", help_heading = "What to show")]
    pub summary: SummaryFormArg,
}

/// The arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// New file to write: .jsonl a snapshot with everything; .csv or .xlsx a change file with id, eTag and columns
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: PathBuf,

    /// Replace a file of that name
    #[arg(long)]
    pub force: bool,

    /// Columns of the change file, by the names that change files take [default: stage, reason, value, dates,
    /// CRM id, and what people know a deal by]
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub columns: Vec<String>,

    /// Column to fill with the same value for every referral, such as substatus=Lost; repeatable
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,

    /// Which referrals.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to send.
    #[command(flatten)]
    pub target: TargetArgs,
    /// How fast.
    #[command(flatten)]
    pub pace: PaceArgs,

    /// Form of the progress on standard error; `auto` is a bar on a terminal, plain lines elsewhere, `json` an event a
    /// line for programs, with all else that is told there
    #[arg(long, value_name = "FORM", default_value = "auto", help_heading = "What to show")]
    pub progress: ProgressFormArg,
}

/// Which referrals.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which referrals")]
pub struct WhichArgs {
    /// Status that they have: New, Active or Closed; repeatable
    #[arg(long, value_name = "STATUS")]
    pub status: Vec<String>,

    /// Substatus that they have, such as Accepted or Lost; repeatable
    #[arg(long, value_name = "SUBSTATUS")]
    pub substatus: Vec<String>,

    /// Date before which they are expected to close, such as 2026-12-31
    #[arg(long, value_name = "DATE")]
    pub closing_before: Option<String>,

    /// Time since which they were changed, such as 2026-11-01 or 2026-11-01T08:00:00+01:00
    #[arg(long, value_name = "TIME")]
    pub updated_since: Option<String>,

    /// List of them: ids, one a line, or any file with a column of ids; only these are written
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ids: Option<String>,

    /// Condition that they meet, in the notation of OData, such as "details/dealValue ge 10000"
    #[arg(long, value_name = "ODATA")]
    pub filter: Option<String>,
}

/// The arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The run's directory
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub run: PathBuf,

    /// Referrals to show in full, by id, how it begins, or the id of their engagement [default: an overview and
    /// the first ten]
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,

    /// Show every referral in full
    #[arg(long)]
    pub all: bool,

    /// Print a JSON object per referral: the line of plan.jsonl with its outcome and that of each row
    #[arg(long)]
    pub json: bool,

    /// Only referrals to which the plan does this; repeatable
    #[arg(long, value_name = "EFFECT", help_heading = "Which referrals")]
    pub effect: Vec<EffectArg>,

    /// Only referrals of which the plan changes this field, named as a column is; repeatable
    #[arg(long, value_name = "NAME", help_heading = "Which referrals")]
    pub field: Vec<String>,

    /// Only referrals that had this status when they were planned: New, Active or Closed; repeatable
    #[arg(long, value_name = "STATUS", help_heading = "Which referrals")]
    pub status: Vec<String>,

    /// Only referrals of which a row came to this, such as planned, applied or conflict; repeatable
    #[arg(long, value_name = "OUTCOME", help_heading = "Which referrals")]
    pub outcome: Vec<String>,

    /// Only referrals of which this rule says something; repeatable
    #[arg(long, value_name = "ID", help_heading = "Which referrals")]
    pub rule: Vec<String>,
}

/// The arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The run's directory
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub run: PathBuf,

    /// Row to explain, by its referral's id, by file and line as in changes.csv:15, or by its line alone where the
    /// run has one input
    #[arg(value_name = "ID|FILE:LINE|LINE", allow_hyphen_values = true)]
    pub what: String,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    /// Where to send.
    #[command(flatten)]
    pub target: TargetArgs,
    /// How fast.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// The arguments of `login`.
#[derive(Debug, Args)]
pub struct LoginArgs {
    /// Sign in with a browser on this machine [default where one is likely to open]
    #[arg(long, conflicts_with = "device_code")]
    pub browser: bool,

    /// Sign in with a browser anywhere, by a code to type there [default elsewhere]
    #[arg(long)]
    pub device_code: bool,

    /// Account to propose, such as ada@contoso.example.com
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,

    /// Show who is signed in and where that is kept; nothing is asked, and nothing sent
    #[arg(long, conflicts_with_all = ["browser", "device_code", "account"])]
    pub status: bool,

    /// Print one JSON object
    #[arg(long, requires = "status", conflicts_with_all = ["browser", "device_code", "account"])]
    pub json: bool,

    /// Which registration, and where to keep it.
    #[command(flatten)]
    pub registration: RegistrationArgs,

    /// Base URL of the API that the sign-in is for, with /v1.0 [env: REFERRAL_BULK_ENDPOINT] [default: the real one]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub endpoint: Option<String>,

    /// Profile of referral-bulk.toml to take settings from, and to sign in for
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

/// The app registration that signs in, and where to keep that somebody is signed in.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "App registration")]
pub struct RegistrationArgs {
    /// Tenant to sign in to: its id or its domain, such as contoso.example.com
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,

    /// Application (client) ID of your app registration in that tenant
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,

    /// Base URL of the sign-in service [default: that of the global cloud]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub authority: Option<String>,

    /// Permission to ask for [default: all that the registration has of the API]
    #[arg(long, value_name = "SCOPE")]
    pub scope: Option<String>,

    /// Place to keep the sign-in: the system's keyring, a file of the user's own, or nowhere [default: auto]
    #[arg(long, value_name = "WHERE")]
    pub store: Option<StoreArg>,
}

/// The arguments of `logout`.
#[derive(Debug, Args)]
pub struct LogoutArgs {
    /// Profile of referral-bulk.toml whose sign-in to forget [default: default]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,

    /// Forget the sign-ins of all profiles
    #[arg(long, conflicts_with = "profile")]
    pub all: bool,
}

/// What is done with the settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every setting that the settings file or the environment can hold, its value, and where that comes from
    Show(Box<ConfigShowArgs>),
}

/// The arguments of `config show`.
#[derive(Debug, Args)]
pub struct ConfigShowArgs {
    /// Level of a rule: allow, warn or deny; repeatable
    #[arg(long, value_name = "ID=LEVEL")]
    pub rule: Vec<String>,

    /// What a column of somebody else's file means, as in "Est. Close Date=closingDateTime"; repeatable
    #[arg(long, value_name = "COLUMN=FIELD")]
    pub map: Vec<String>,

    /// Unconfirmed path that a column may mean, as in /name; repeatable
    #[arg(long, value_name = "POINTER")]
    pub allow_path: Vec<String>,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    /// Where to send.
    #[command(flatten)]
    pub target: TargetArgs,
    /// How fast, and how much.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// The arguments of `sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Referrals to start with: JSONL, a JSON array or list pages [default: the samples]
    #[arg(value_name = "SNAPSHOT", value_hint = ValueHint::FilePath)]
    pub seed: Option<PathBuf>,

    /// Port on 127.0.0.1; 0 takes a free one and prints the address
    #[arg(long, value_name = "N", default_value_t = 8085)]
    pub port: u16,

    /// Limit to answer 429 above, such as 20/s or 100/m; nginx's way, with a burst and 503: 10/s+5:503
    #[arg(long, value_name = "N/s|N/m")]
    pub quota: Option<crate::sandbox::Quota>,

    /// Headers that tell of that limit with every answer: ratelimit (as the IETF drafts them) or x-ratelimit
    #[arg(long, value_name = "FORM", requires = "quota")]
    pub quota_headers: Option<crate::sandbox::QuotaHeaders>,

    /// Requests to serve at a time; answer 503 to more, as nginx does with limit_conn
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub at_once: Option<u32>,

    /// Leave the eTag out of list pages, as the documented sample does
    #[arg(long)]
    pub list_without_etags: bool,

    /// Member to leave out of the referrals on list pages, such as details or team.title; repeatable
    #[arg(long, value_name = "MEMBER")]
    pub list_omits: Vec<crate::sandbox::MemberPath>,

    /// Member to show as null in the referrals on list pages; repeatable
    #[arg(long, value_name = "MEMBER")]
    pub list_nulls: Vec<crate::sandbox::MemberPath>,

    /// Place of a referral's version in answers
    #[arg(long, value_name = "WHERE", default_value = "body")]
    pub etags_in: ETagsInArg,

    /// Refuse requests without the documented headers (a new client-request-id, a type on GET)
    #[arg(long)]
    pub strict: bool,

    /// Fault to inject, such as `patch#3=500`, `patch@ID=ignores:/statusReason`, `get#*=stale` or
    /// `patch=503:1+applied`; repeatable
    #[arg(long, value_name = "WHEN=WHAT")]
    pub fault: Vec<crate::sandbox::Fault>,
}

/// Returns the name of the command if its summary is to be JSON (`--summary json`).
///
/// It reads the raw arguments: a script that waits for JSON gets some even if they cannot be parsed.
pub fn awaits_json(arguments: &[OsString]) -> Option<String> {
    asks_json(arguments, "summary")
}

/// Returns the name of the command if its progress is told as events (`--progress json`).
///
/// As with [`awaits_json`], whoever reads events gets what is wrong with the arguments as events, too.
pub fn tells_events(arguments: &[OsString]) -> Option<String> {
    asks_json(arguments, "progress")
}

/// Returns the name of the command if it has this option, and the arguments say that it is to be JSON.
fn asks_json(arguments: &[OsString], option: &str) -> Option<String> {
    let mut words = arguments.iter().skip(1).map(|word| word.to_str().unwrap_or_default());
    let name = words.find(|word| !word.starts_with('-'))?;
    let command = Cli::command();
    command.find_subcommand(name)?.get_arguments().find(|argument| argument.get_id() == option)?;
    let options: Vec<&str> = words.take_while(|word| *word != "--").collect();
    let (flag, joined) = (format!("--{option}"), format!("--{option}=json"));
    let is_json =
        options.contains(&joined.as_str()) || options.windows(2).any(|two| two == [flag.as_str(), "json"]);
    is_json.then(|| name.to_owned())
}

/// Returns the run's directory that the arguments of a command name; empty where they name none.
///
/// The rest of them need not be right: as with [`awaits_json`], a script gets what can be told.
pub fn run_named(arguments: &[OsString]) -> String {
    let any_text = |argument: Arg| {
        let takes_values = argument.get_action().takes_values();
        if takes_values { argument.value_parser(ValueParser::os_string()) } else { argument }
    };
    let command = Cli::command().mut_subcommands(|command| command.mut_args(any_text));
    let matches = command.ignore_errors(true).try_get_matches_from(arguments);
    let named = matches.ok().and_then(|mut matches| {
        let (_, mut matches) = matches.remove_subcommand()?;
        matches.try_remove_one::<OsString>("run").ok()?
    });
    named.map(|run| run.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_known_by_what_names_it() {
        for (typed, wanted) in [
            ("verify run", "run"),
            ("undo run", "run"),
            ("undo --out a.jsonl run --summary json", "run"),
            ("undo --summary json", ""),
            ("verify run --rate never", "run"),
            ("verify --rate never run --summary json", "run"),
            ("verify run --bogus", "run"),
            ("verify run other", "run"),
            ("apply a.csv", ""),
            ("", ""),
        ] {
            let words: Vec<OsString> =
                ["referral-bulk"].into_iter().chain(typed.split(' ')).map(Into::into).collect();
            assert_eq!(run_named(&words), wanted, "{typed}");
        }
    }

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
            let words: Vec<OsString> =
                typed.replace("--summary", "--progress").split(' ').map(Into::into).collect();
            let words = [vec!["referral-bulk".into()], words].concat();
            assert_eq!(tells_events(&words).as_deref(), wanted, "{typed}");
        }
    }
}
