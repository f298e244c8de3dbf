//! What a page tells of a run besides what is folded over its rows.

use crate::domain::account::Phase;
use crate::domain::approval::Approval;
use crate::domain::consent::Consent;
use crate::domain::run_spec::RunSpec;
use crate::domain::verification::Verification;
use crate::domain::wording::Wording;

use super::super::summary::Summary;
use super::texts::Texts;

/// What a page tells of a run besides its rows.
#[derive(Debug, Clone, Copy)]
pub struct PageFacts<'a> {
    /// The summary, as it stands in `summary.json` but for the files that are written after the page.
    pub summary: &'a Summary,
    /// How the run was planned, with paths as they are from here.
    pub spec: &'a RunSpec,
    /// How far it came.
    pub phase: Phase,
    /// The consent to what was sent, where one was asked for.
    pub consent: Option<&'a Consent>,
    /// Every approval, the first one first.
    pub approvals: &'a [Approval],
    /// The last verification, where the run was verified.
    pub verified: Option<&'a Verification>,
    /// Command lines about the run.
    pub commands: &'a PageCommands,
    /// Spells the settings that a text names as the user types them.
    pub spelled: fn(&Wording) -> String,
    /// How texts are made.
    pub texts: Texts,
}

/// Command lines about a run, quoted for a shell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageCommands {
    /// The command by which the run was planned, as far as that is on record.
    pub asked: Vec<String>,
    /// The beginning of the command that tells the life of a row.
    pub explain: String,
    /// The command that makes the page again.
    pub report: String,
    /// The same with personal data written out.
    pub reveal: String,
    /// What can be done next, each with its command; the first is what the terminal names.
    pub next: Vec<NextStep>,
}

/// Something that can be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    /// What it does.
    pub what: String,
    /// Its command.
    pub command: String,
}
