//! The commands of the program. Each command has a file of its own that wires the other parts together, and
//! takes its options as a plain struct: no command knows how its options were typed.
//!
//! | file | what it does |
//! |---|---|
//! | [`apply`] | `apply` and `migrate`: makes a run from inputs, and carries it out unless only planning |
//! | [`resume`] | carries on with a run |
//! | [`report`] | writes a run's reports again |
//! | [`verify`] | compares what a run wrote with the referrals as they are by now |
//! | [`verified_files`] | writes the files that tell what verifications found |
//! | [`undo`] | writes the change file that takes a run back |
//! | [`show`] | tells a plan or a run to people, referral by referral |
//! | [`explain`] | tells the life of a row |
//! | [`row_name`], `nearest_rows` | the names by which a user means rows, and what is nearest to those that there are not |
//! | [`named_referrals`] | finds the referrals of a run that a user names |
//! | [`login`], [`login_status`], [`logout`] | sign somebody in, tell who is, and forget it |
//! | [`sign_in_way`] | the two ways to sign in, at a terminal |
//! | [`first_look`] | looks whether the service lets somebody who signed in at the referrals |
//! | [`credentials`] | where the tokens for a service come from |
//! | [`config_show`] | `config show`: prints the settings that count |
//! | [`check`] | tells whether all is ready, and what to mend first |
//! | [`ledger`] | makes, upgrades and checks a shared ledger, and forgets a run of one |
//! | [`sandbox`] | serves a local Partner API |
//! | [`export`] | writes referrals into a file |
//! | `out_file` | decides whether a file that a user names can be written, and what it must not replace |
//! | [`harvest`] | gathers the referrals of an export |
//! | [`planning`] | makes the plan of a run |
//! | `beginning` | decides how a plan begins to look at referrals, by what was learnt of the service |
//! | `learnt` | keeps what was learnt of a service |
//! | [`source`] | what a survey asks referrals for: change files, held until each referral was read |
//! | [`survey`] | makes items from what the inputs want and the referrals' current state |
//! | [`payloads`] | holds legacy PUT payloads until their referrals are read |
//! | [`made_from`] | holds the rows of the file that the change files were made from |
//! | [`matching`] | finds out which referral each row is about, where rows name those by a key |
//! | [`kept_referrals`] | keeps referrals on disk until their rows are read |
//! | [`baseline`] | holds the referrals as they were when the payloads were made |
//! | [`plan_writer`] | writes rows and items to the ledger |
//! | `ordering` | settles what changes are sent in the order of |
//! | [`patches`] | writes the documents of a plan as a change file |
//! | [`consent`] | makes sure of the user's consent to what is about to be sent |
//! | [`sending`] | takes a plan to the last answer of the service |
//! | `waves` | sends a plan in waves, each read back before the next |
//! | [`forecast`] | says whether the changes fit before the time at which sending stops |
//! | [`progress`] | shows progress meanwhile, and counts the requests |
//! | [`write_reports`] | writes the reports of a run from its ledger, and derives the exit code |
//! | [`finish`] | prints the summary and the next command |
//! | [`next_command`] | types commands and settings |
//! | [`next_step`] | decides what is left to do after a run |
//! | [`columns`] | settles what the user says of single columns |
//! | [`choices`] | lists the settings that a next command repeats |
//! | [`options`] | options that several commands share |
//! | `engine_context` | what the engine works with |
//! | [`target`] | what a run talks to, and how the run records it |
//! | [`run_target`] | what a run talks to that was planned before, and whether a token is sent there |
//! | [`connection`] | connects to the service or to a sandbox |
//! | [`environment`] | the process around a command |
//! | [`error`] | the errors of commands |
//! | [`run_dir`] | makes a run's directory |
//! | [`run_log`] | writes the diagnostics of a run to `run.log` |

pub mod apply;
pub mod approval;
pub mod approve;
pub mod baseline;
mod beginning;
pub mod check;
pub mod choices;
pub mod columns;
pub mod config_show;
pub mod connection;
pub mod consent;
pub mod credentials;
mod engine_context;
pub mod environment;
pub mod error;
pub mod explain;
pub mod export;
pub mod finish;
pub mod first_look;
mod folded_rows;
pub mod forecast;
pub mod harvest;
pub mod kept_referrals;
mod learnt;
pub mod ledger;
pub mod login;
pub mod login_status;
pub mod logout;
pub mod made_from;
pub mod matching;
pub mod named_referrals;
mod nearest_rows;
pub mod next_command;
pub mod next_step;
pub mod options;
pub mod order_told;
mod ordering;
mod out_file;
mod page_commands;
pub mod patches;
pub mod payloads;
pub mod plan_writer;
pub mod planning;
pub mod progress;
mod remembered_rate;
pub mod repeated;
pub mod report;
pub mod resume;
pub mod row_name;
pub mod run_dir;
pub mod run_log;
pub mod run_target;
pub mod sandbox;
pub mod sending;
pub mod show;
pub mod sign_in_way;
pub mod source;
pub mod survey;
pub mod target;
pub mod undo;
pub mod verified_files;
pub mod verify;
mod waves;
pub mod whereabouts;
pub mod write_reports;

pub use environment::{Console, Environment, Reply};
pub use error::{CommandError, ErrorKind, Problem};
pub use next_command::quoted;
pub use options::{GivenConsent, MaxChanges, MaxErrors, RunContext, Sending, Showing, SummaryForm};
pub use run_log::RunLog;
pub use target::Target;

pub use crate::ledger::{CrashPoint, Watch};
pub use crate::report::{
    Bar, EndAccount, EndFigures, EventLine, PAGE_FILE, ProgressEvent, ProgressMode, ReferralFilter, Summary,
    VerifiedSummary,
};
