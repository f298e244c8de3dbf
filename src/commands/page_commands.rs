//! The command lines that the page of a run names.

use std::path::Path;

use super::next_command::CommandLine;
use crate::domain::setting::{Choice, Setting};
use crate::report::PageCommands;

/// Returns the command lines about a run.
pub fn page_commands(run: &Path) -> PageCommands {
    let report = CommandLine::report(run);
    let reveal = CommandLine { choices: vec![Choice::bare(Setting::Reveal)], ..report.clone() };
    PageCommands {
        asked: Vec::new(),
        explain: CommandLine::explain_in(run).to_string(),
        report: report.to_string(),
        reveal: reveal.to_string(),
        next: Vec::new(),
    }
}
