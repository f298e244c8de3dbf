//! The findings of one judgement, each at the level of its rule, and the unseen members that it depends on.

use super::catalogue::Rule;
use super::incomplete::Incomplete;
use super::levels::Levels;
use crate::domain::fields::Path;
use crate::domain::finding::{Finding, Location};
use crate::domain::level::Level;
use crate::domain::wording::Wording;

/// The findings so far, with the levels that they are reported at.
pub(super) struct LeveledFindings<'a> {
    levels: &'a Levels,
    pub list: Vec<Finding>,
    /// The unseen members that the judgement depends on.
    pub incomplete: Incomplete,
}

impl<'a> LeveledFindings<'a> {
    /// Starts without findings.
    pub fn new(levels: &'a Levels) -> Self {
        Self { levels, list: Vec::new(), incomplete: Incomplete::default() }
    }

    /// Returns the level of a rule.
    pub fn level(&self, rule: Rule) -> Level {
        self.levels.of(rule)
    }

    /// Adds a finding, unless the level of its rule is `allow`. An empty hint is left out.
    pub fn add(&mut self, rule: Rule, place: Location, message: String, hint: impl Into<Wording>) {
        let level = self.level(rule);
        if level != Level::Allow {
            let (finding, hint) = (Finding::new(rule, level, place, message), hint.into());
            self.list.push(if hint.is_empty() { finding } else { finding.hint(hint) });
        }
    }

    /// Notes that a rule cannot be judged, since a member was not seen.
    pub fn unjudged(&mut self, rule: Rule, place: Location, path: &Path) {
        self.incomplete.rule(rule, self.levels, place, path.pointer());
    }
}
