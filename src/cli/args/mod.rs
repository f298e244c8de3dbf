//! The arguments of the command line, for clap. Doc comments of arguments are the text of `--help`.
//!
//! | file | what it holds |
//! |---|---|
//! | `line` | the command line: the commands, each with its arguments |
//! | `ledger` | the arguments of `ledger` |
//! | `groups` | the arguments that several commands share: where to send, how to send, what to show |
//! | `values` | the words that arguments take, and what each stands for |

mod groups;
mod ledger;
mod line;
mod values;

pub use groups::{LimitArgs, MOST_IN_FLIGHT, PaceArgs, RunArgs, SendingArgs, ShowingArgs, TargetArgs};
pub use ledger::{LedgerArgs, LedgerCheckArgs, LedgerCommand, LedgerForgetArgs};
pub use line::{
    ApplyArgs, ApproveArgs, CheckArgs, Cli, Command, ConfigCommand, ConfigShowArgs, ExplainArgs, ExportArgs,
    LoginArgs, LogoutArgs, MigrateArgs, PlanningArgs, RegistrationArgs, ReportArgs, ResumeArgs, SandboxArgs,
    ShowArgs, UndoArgs, VerifyArgs, WhichArgs, awaits_json, check, run_named, tells_events,
};
pub use values::{
    ChangeFormatArg, DecimalSignArg, ETagsInArg, EffectArg, MatchArg, OnConflictArg, PayloadFormatArg,
    ProgressFormArg, StoreArg, SummaryFormArg,
};
