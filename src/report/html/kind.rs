//! The name of the page, and its kinds.

use crate::domain::account::Phase;

/// The file's name in a run's directory.
pub const NAME: &str = "report.html";

/// What a page is of, by which its words and columns differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What would be done.
    Plan,
    /// What was done.
    Run,
}

impl Kind {
    /// Returns what a run is that came as far as this phase.
    pub(super) fn of(phase: Phase) -> Self {
        match phase {
            Phase::Planning | Phase::Planned => Self::Plan,
            Phase::Stopped | Phase::Finished => Self::Run,
        }
    }

    /// Returns the name by which style and script know it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Run => "run",
        }
    }
}
