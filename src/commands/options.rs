//! Options of a command, besides its operands.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::target::Target;
use crate::domain::characters::visible_path;
use crate::domain::setting::{Choice, Setting};
use crate::ledger::{Ledger, LedgerError};
use crate::pace::{Pace, Pacing};
use crate::report::{PAGE_FILE, PLAN_FILE, ProgressMode};

/// The form of the summary on standard output at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryForm {
    /// One line of JSON: the contents of `summary.json`.
    Json,
    /// Text for people.
    Text,
    /// No summary.
    None,
}

/// How a command shows its progress and its result.
#[derive(Debug, Clone, Copy)]
pub struct Showing {
    /// The form of the summary on standard output at the end.
    pub summary: SummaryForm,
    /// The form of the progress on standard error meanwhile.
    pub progress: ProgressMode,
    /// Whether personal data is written out in the page of a run.
    pub reveal: bool,
}

/// The consent that a user gives beforehand, by options.
#[derive(Debug, Clone, Copy, Default)]
pub struct GivenConsent {
    /// Consents to every change that can be undone (`--yes`).
    pub yes: bool,
    /// Consents to closing exactly this number of referrals (`--confirm-closing`).
    pub closing: Option<u64>,
    /// Limits the number of changes.
    pub max_changes: Option<MaxChanges>,
}

/// The largest number of changes that a run may begin with.
#[derive(Debug, Clone, Copy)]
pub struct MaxChanges {
    /// An absolute number of changed referrals.
    pub most: u64,
    /// The source of the limit, as messages call it.
    pub said: &'static str,
}

/// The number of refused, failed or partial rows that ends a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxErrors {
    /// An absolute number of rows.
    Count(u64),
    /// A percentage of the rows that are to be sent.
    Percent(f64),
}

impl MaxErrors {
    /// Returns the number of rows, rounded up and at least one.
    ///
    /// # Errors
    /// Returns an error where the ledger can't be read.
    pub async fn of(self, ledger: &Ledger) -> Result<u64, LedgerError> {
        Ok(match self {
            Self::Count(count) => count.max(1),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                clippy::cast_sign_loss,
                reason = "a share of a number of rows is neither negative nor near 2^53"
            )]
            Self::Percent(percent) => {
                ((ledger.remaining_rows().await? as f64 * percent / 100.0).ceil() as u64).max(1)
            }
        })
    }
}

/// How requests are sent.
#[derive(Debug, Clone)]
pub struct Sending {
    /// The rate of requests per second, reads and writes together.
    pub pacing: Pacing,
    /// The maximum number of requests in flight.
    pub concurrency: usize,
    /// The timeout of each request.
    pub timeout: Duration,
    /// The number of refused, failed or partial rows that stops the run.
    pub max_errors: MaxErrors,
    /// The time at which the run stops.
    pub finish_by: Option<Timestamp>,
    /// The consent that the user gives beforehand.
    pub consent: GivenConsent,
    /// Whether nothing is sent of a plan that no second person has approved.
    pub requires_approval: bool,
    /// The choices that the user typed, as far as a next command has to repeat them.
    pub typed: Vec<Choice>,
    /// Whether a token command was typed, which the user has to type again.
    pub token_command: bool,
}

impl Sending {
    /// Returns the choices that a next command has to repeat. A `--finish-by` that has passed is left out: it
    /// would stop that command before it began.
    pub fn repeat(&self, now: Timestamp) -> Vec<Choice> {
        let finish_by = self.finish_by.filter(|time| *time > now);
        let finish_by = finish_by.map(|time| Choice::of(Setting::FinishBy, time.to_string()));
        self.typed.iter().cloned().chain(finish_by).collect()
    }
}

/// A run, its target, and how it is sent and shown.
#[derive(Debug, Clone, Copy)]
pub struct RunContext<'a> {
    /// The run's directory.
    pub run: &'a Path,
    /// The target that requests are sent to.
    pub target: &'a Target,
    /// How to send.
    pub sending: &'a Sending,
    /// The pace that planning and sending share, so that the rate that was found while planning is kept.
    pub pace: &'a Pace,
    /// How to show it.
    pub showing: Showing,
    /// The new file that the documents are written to as well, where this process plans the run and the user
    /// names one.
    pub patches: Option<&'a Path>,
}

/// What reports are written of, and how.
#[derive(Debug, Clone, Copy)]
pub struct Reporting<'a> {
    /// The run's directory.
    pub run: &'a Path,
    /// Whether personal data is written out in the page.
    pub reveal: bool,
    /// The change file of the plan's documents, where this process wrote it.
    pub patches: Option<&'a Path>,
}

impl<'a> From<RunContext<'a>> for Reporting<'a> {
    fn from(RunContext { run, showing, patches, .. }: RunContext<'a>) -> Self {
        Self { run, reveal: showing.reveal, patches }
    }
}

impl RunContext<'_> {
    /// Returns the path of the plan report, for messages.
    pub fn plan_file(&self) -> String {
        visible_path(&self.run.join(PLAN_FILE))
    }

    /// Returns the path of the page as it is told.
    pub fn page_file(&self) -> String {
        visible_path(&self.run.join(PAGE_FILE))
    }
}
