//! Facts of runs for the tests of the page.

use super::super::summary::{Rows, State, Summary};
use super::super::testing::{books, raw, row, run_spec, summary};
use super::facts::{PageCommands, PageFacts};
use super::texts::Texts;
use crate::domain::account::{FullRow, ItemChange, Phase};
use crate::domain::fields::{Field, Path};
use crate::domain::item::{Change, Effect};
use crate::domain::outcome::Outcome;
use crate::domain::run_spec::RunSpec;

/// Everything that the facts of a page borrow from.
pub(in crate::report) struct Facts {
    pub(in crate::report) summary: Summary,
    pub(in crate::report) spec: RunSpec,
    pub(in crate::report) phase: Phase,
    pub(in crate::report) consent: Option<crate::domain::consent::Consent>,
    pub(in crate::report) approvals: Vec<crate::domain::approval::Approval>,
    pub(in crate::report) verified: Option<crate::domain::verification::Verification>,
    pub(in crate::report) commands: PageCommands,
    pub(in crate::report) texts: Texts,
}

impl Facts {
    /// A run of `apply` at a real service, in this phase, without rows.
    pub(in crate::report) fn of(phase: Phase) -> Self {
        Self {
            summary: Summary { state: State::from(phase), ..summary(&books(&[])) },
            spec: run_spec(),
            phase,
            consent: None,
            approvals: Vec::new(),
            verified: None,
            commands: PageCommands {
                asked: vec!["referral-bulk apply changes.csv".to_owned()],
                explain: "referral-bulk explain reports/r".to_owned(),
                report: "referral-bulk report reports/r".to_owned(),
                reveal: "referral-bulk report reports/r and reveal".to_owned(),
                next: Vec::new(),
            },
            texts: Texts::new(false),
        }
    }

    /// The same with rows of these outcomes.
    pub(in crate::report) fn with(mut self, counts: &[(Outcome, u64)]) -> Self {
        self.summary.rows = rows(counts);
        self
    }

    pub(in crate::report) fn facts(&self) -> PageFacts<'_> {
        PageFacts {
            summary: &self.summary,
            spec: &self.spec,
            phase: self.phase,
            consent: self.consent.as_ref(),
            approvals: &self.approvals,
            verified: self.verified.as_ref(),
            commands: &self.commands,
            spelled: |wording| wording.spelled(|setting| format!("<{}>", setting.name())),
            texts: self.texts,
        }
    }
}

/// Returns counts of rows by outcome.
pub(in crate::report) fn rows(counts: &[(Outcome, u64)]) -> Rows {
    let of = |outcome| counts.iter().filter(|(is, _)| *is == outcome).map(|(_, rows)| rows).sum();
    Rows {
        total: counts.iter().map(|(_, rows)| rows).sum(),
        applied: of(Outcome::Applied),
        unchanged: of(Outcome::Unchanged),
        planned: of(Outcome::Planned),
        conflict: of(Outcome::Conflict),
        invalid: of(Outcome::Invalid),
        refused: of(Outcome::Refused),
        failed: of(Outcome::Failed),
        partial: of(Outcome::Partial),
        unknown: of(Outcome::Unknown),
        unsent: of(Outcome::Unsent),
    }
}

/// Returns a row that is alone in its item, which has this effect and no changes.
pub(in crate::report) fn full(ordinal: u64, outcome: Outcome, effect: Option<Effect>) -> FullRow {
    let change = effect.map(|effect| ItemChange { changes: Vec::new(), effect });
    FullRow { account: row(ordinal, 0, outcome), change, tries: Vec::new() }
}

/// Returns a change of a field; an empty text stands for no value before.
pub(in crate::report) fn change(field: Field, before: &str, after: &str) -> Change {
    Change {
        path: Path::Known(field),
        before: (!before.is_empty()).then(|| raw(before)),
        after: raw(after),
        appended: Vec::new(),
        base: None,
        is_whole: false,
    }
}
