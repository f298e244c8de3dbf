//! Outcomes: what becomes of a row, and the report that it goes to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::setting::Setting;
use super::wording::Wording;

/// The outcome of a row. Every row has exactly one when a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Written, and confirmed by the answer or by reading back.
    Applied,
    /// The referral already was as wanted; nothing was sent.
    Unchanged,
    /// To be written; only in a run that has not begun.
    Planned,
    /// Somebody else changed it, or the eTag is stale; nothing was overwritten.
    Conflict,
    /// Against a rule, or not in the input's form; nothing was sent.
    Invalid,
    /// The API refused it.
    Refused,
    /// Given up after retries; known not to be applied.
    Failed,
    /// The service took some of the row's fields, and kept others as they were or otherwise.
    Partial,
    /// Sent without an answer, and reading back did not settle it.
    Unknown,
    /// The run stopped before it was sent.
    Unsent,
}

/// The report file that a row goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bucket {
    /// `success.csv`
    Success,
    /// `conflict.csv`
    Conflict,
    /// `error.csv`
    Error,
    /// `pending.csv`
    Pending,
}

impl Bucket {
    /// Every report that rows go to.
    pub const ALL: [Self; 4] = [Self::Success, Self::Conflict, Self::Error, Self::Pending];
}

impl Outcome {
    /// Every outcome, in the order in which reports list them.
    pub const ALL: [Self; 10] = [
        Self::Applied,
        Self::Unchanged,
        Self::Planned,
        Self::Conflict,
        Self::Invalid,
        Self::Refused,
        Self::Failed,
        Self::Partial,
        Self::Unknown,
        Self::Unsent,
    ];

    /// Returns the name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Planned => "planned",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Partial => "partial",
            Self::Unknown => "unknown",
            Self::Unsent => "unsent",
        }
    }

    /// Parses a name as reports write it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// Returns the report that rows of this outcome go to.
    pub fn bucket(self) -> Bucket {
        match self {
            Self::Applied | Self::Unchanged | Self::Planned => Bucket::Success,
            Self::Conflict => Bucket::Conflict,
            Self::Invalid | Self::Refused | Self::Failed | Self::Partial => Bucket::Error,
            Self::Unknown | Self::Unsent => Bucket::Pending,
        }
    }

    /// Whether a row of this outcome, fed back as input, must be planned from the referral's current state. The run,
    /// or another user, has changed the referral since the plan or may have, so an earlier snapshot no longer
    /// describes it.
    pub fn needs_live_state(self) -> bool {
        match self {
            Self::Applied | Self::Conflict | Self::Partial | Self::Unknown | Self::Unsent => true,
            Self::Unchanged | Self::Planned | Self::Invalid | Self::Refused | Self::Failed => false,
        }
    }

    /// Whether a run that holds such a row ends with exit code 3.
    pub fn is_unsuccessful(self) -> bool {
        !matches!(self, Self::Applied | Self::Unchanged | Self::Planned | Self::Unsent)
    }
}

/// An outcome with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What became of it.
    pub outcome: Outcome,
    /// A stable word to group by: the id of a rule, an error code of the API, or one of the program's own.
    pub code: String,
    /// For people.
    pub message: Wording,
    /// The HTTP status of the deciding answer, where there was one.
    pub status: Option<u16>,
}

impl Verdict {
    /// A verdict that no HTTP answer led to.
    pub fn new(outcome: Outcome, code: impl Into<String>, message: impl Into<Wording>) -> Self {
        Self { outcome, code: code.into(), message: message.into(), status: None }
    }

    /// Makes the verdict on a row that was applied with a value that the service keeps in another form.
    pub fn kept_otherwise(message: impl Into<Wording>) -> Self {
        Self::new(Outcome::Applied, "kept-otherwise", message)
    }

    /// Whether it is a verdict of [`Self::kept_otherwise`].
    pub fn is_kept_otherwise(&self) -> bool {
        self.outcome == Outcome::Applied && self.code == "kept-otherwise"
    }

    /// The verdict on a row that rules deny: the code of the first of them, and what all of them say.
    pub fn invalid<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let denied: Vec<&Finding> = findings.into_iter().filter(|finding| finding.is_deny()).collect();
        let code = denied.first().map_or("invalid", |finding| finding.rule.id());
        let mut said = Wording::default();
        for (at, finding) in denied.iter().enumerate() {
            said = said.say(if at == 0 { "" } else { " | " }).append(&finding.sentence());
        }
        Self::new(Outcome::Invalid, code, said)
    }

    /// Spells the settings of the message as the user types them, before it is put on record.
    #[must_use]
    pub fn spelled(mut self, spell: impl Fn(Setting) -> String) -> Self {
        self.message = self.message.spelled(spell).into();
        self
    }

    /// Adds the HTTP status that led to it.
    #[must_use]
    pub fn with_status(mut self, status: Option<u16>) -> Self {
        self.status = status;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::finding::Location;
    use crate::domain::level::Level;
    use crate::domain::rules::Rule;

    #[test]
    fn a_denied_row_is_told_all_that_is_wrong_with_it() {
        let place = Location { input: 0, line: 2, column: 1 };
        let wrong = Finding::deny(Rule::Type, place, "\"much\" is no number").hint("write it as in 12.5");
        let closed = Finding::deny(Rule::Transition, place, "Closed cannot become Active");
        let warned = Finding { level: Level::Warn, ..Finding::deny(Rule::EarlyWin, place, "early") };
        for (findings, code, message) in [
            (vec![], "invalid", ""),
            (vec![&closed], "transition", "Closed cannot become Active"),
            (vec![&warned, &closed], "transition", "Closed cannot become Active"),
            (
                vec![&wrong, &warned, &closed],
                "type",
                "\"much\" is no number; write it as in 12.5 | Closed cannot become Active",
            ),
        ] {
            assert_eq!(Verdict::invalid(findings), Verdict::new(Outcome::Invalid, code, message));
        }
    }
}
