//! What was typed, and what it means.
//!
//! | file | what it does |
//! |---|---|
//! | [`args`] | what can be typed, for clap |
//! | [`config`] | what `referral-bulk.toml` can say |
//! | [`origin`] | who said a setting, for the error that blames them |
//! | [`settings`] | what both mean: defaults, then the file, then the environment, then flags |
//! | [`console`] | the only printer |
//! | `diagnostics` | what the program does and decides, for `-v` and `run.log` |
//! | [`signals`] | Ctrl-C and SIGTERM |
//! | [`run()`] | the whole program, given a process |

pub mod args;
pub mod config;
pub mod console;
mod diagnostics;
pub mod origin;
pub mod run;
pub mod settings;
pub mod signals;

pub use run::{Process, run};
