//! What a user may say of a command, besides what it works on.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::target::Target;
use crate::domain::characters::visible_path;
use crate::domain::setting::{Choice, Setting};
use crate::ledger::{Ledger, LedgerError};
use crate::pace::{Pace, Pacing};
use crate::report::{PLAN_FILE, ProgressMode};

/// What goes to standard output at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryForm {
    /// One line of JSON: the contents of `summary.json`.
    Json,
    /// For people.
    Text,
    /// Nothing.
    None,
}

/// How a command shows what it does.
#[derive(Debug, Clone, Copy)]
pub struct Showing {
    /// What goes to standard output at the end.
    pub summary: SummaryForm,
    /// What goes to standard error meanwhile.
    pub progress: ProgressMode,
}

/// What a user consents to beforehand.
#[derive(Debug, Clone, Copy, Default)]
pub struct GivenConsent {
    /// To whatever can be taken back.
    pub yes: bool,
    /// To closing exactly so many referrals.
    pub closing: Option<u64>,
    /// To at most so many changes.
    pub max_changes: Option<MaxChanges>,
}

/// The most changes that a run may begin with.
#[derive(Debug, Clone, Copy)]
pub struct MaxChanges {
    /// So many.
    pub most: u64,
    /// What said it, as people call it.
    pub said: &'static str,
}

/// How many refused, failed or partial rows end a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxErrors {
    /// So many.
    Count(u64),
    /// So many in a hundred of those that are to be sent.
    Percent(f64),
}

impl MaxErrors {
    /// The number of rows, at least one.
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

/// How to send.
#[derive(Debug, Clone)]
pub struct Sending {
    /// Requests a second, reads and writes together.
    pub pacing: Pacing,
    /// Requests in flight.
    pub concurrency: usize,
    /// Of one request.
    pub timeout: Duration,
    /// When to stop.
    pub max_errors: MaxErrors,
    /// When to stop, by the clock.
    pub finish_by: Option<Timestamp>,
    /// What the user consents to.
    pub consent: GivenConsent,
    /// What the user chose, as far as a next command has to repeat it.
    pub typed: Vec<Choice>,
    /// Whether a token command was typed, which the user has to type again.
    pub token_command: bool,
}

impl Sending {
    /// What a next command has to repeat. A time that has come would stop it before it began.
    pub fn repeat(&self, now: Timestamp) -> Vec<Choice> {
        let finish_by = self.finish_by.filter(|time| *time > now);
        let finish_by = finish_by.map(|time| Choice::of(Setting::FinishBy, time.to_string()));
        self.typed.iter().cloned().chain(finish_by).collect()
    }
}

/// A run, where it goes, and how.
#[derive(Debug, Clone, Copy)]
pub struct RunContext<'a> {
    /// The run's directory.
    pub run: &'a Path,
    /// Where to send.
    pub target: &'a Target,
    /// How to send.
    pub sending: &'a Sending,
    /// One pace for planning and sending, so that what was found of the rate is kept.
    pub pace: &'a Pace,
    /// How to show it.
    pub showing: Showing,
    /// The new file that the documents are written to as well, where this process plans the run and the
    /// user names one.
    pub patches: Option<&'a Path>,
}

impl RunContext<'_> {
    /// Where the plan can be read.
    pub fn plan_file(&self) -> String {
        visible_path(&self.run.join(PLAN_FILE))
    }
}
