//! The command line: parses arguments, combines them with the settings file and the environment, and runs commands.
//!
//! | file | what it does |
//! |---|---|
//! | [`args`] | defines the arguments, for clap |
//! | [`config`] | reads the settings file, `referral-bulk.toml` |
//! | `key_lines` | on which line of the settings file each key stands |
//! | `config_show` | makes what `config show` prints |
//! | [`settings`] | combines defaults, the settings file, the environment and flags |
//! | `columns` | what is said of single columns of the inputs |
//! | `exporting` | what was typed of an export → its settings |
//! | `reasons` | what is said of the reasons that Partner Center's files give as numbers |
//! | `ledger_settings` | what is set about a shared ledger → the settings of `ledger` |
//! | `on_finish` | runs the command that is told of a run's end |
//! | `pager` | shows long output page by page on a terminal |
//! | `setting_values` | what was written of one setting → its value, or why it has none |
//! | `show_settings` | what is meant by the words of `show` |
//! | `signing_in` | what is set about signing in → the settings of `login` and `logout` |
//! | `sources` | which source each setting of a profile is taken from |
//! | `state_dir` | where the program keeps what outlives a run |
//! | [`origin`] | holds where a setting's value comes from, for error messages |
//! | [`console`] | prints, and asks: the only module that does |
//! | `event_stream` | stamps what happens for a program that follows the command |
//! | `diagnostics` | writes what the program does and decides, for `-v` and `run.log` |
//! | [`signals`] | handles Ctrl-C, SIGTERM and SIGHUP |
//! | [`run()`] | runs the whole program, given a process |

pub mod args;
mod columns;
pub mod config;
mod config_show;
pub mod console;
mod diagnostics;
mod event_stream;
mod exporting;
mod key_lines;
mod ledger_settings;
mod on_finish;
pub mod origin;
mod page_opener;
mod pager;
mod reasons;
pub mod run;
mod setting_values;
pub mod settings;
mod show_settings;
pub mod signals;
mod signing_in;
mod sources;
mod state_dir;

pub use run::{Process, run};
