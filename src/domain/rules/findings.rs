//! LeveledFindings while a desired change is judged, each at the level of its rule, and what it hangs on unseen.

use super::catalogue::{Levels, Rule};
use super::incomplete::Incomplete;
use crate::domain::fields::Path;
use crate::domain::finding::{Finding, Location};
use crate::domain::level::Level;
use crate::domain::wording::Wording;

/// What was found so far.
pub(super) struct LeveledFindings<'a> {
    levels: &'a Levels,
    pub list: Vec<Finding>,
    /// What was not seen and would have to be.
    pub incomplete: Incomplete,
}

impl<'a> LeveledFindings<'a> {
    pub fn new(levels: &'a Levels) -> Self {
        Self { levels, list: Vec::new(), incomplete: Incomplete::default() }
    }

    /// What the user says of a rule.
    pub fn level(&self, rule: Rule) -> Level {
        self.levels.of(rule)
    }

    /// Takes a finding, unless the user allows what it is about. An empty hint is none.
    pub fn add(&mut self, rule: Rule, place: Location, message: String, hint: impl Into<Wording>) {
        let level = self.level(rule);
        if level != Level::Allow {
            let (finding, hint) = (Finding::new(rule, level, place, message), hint.into());
            self.list.push(if hint.is_empty() { finding } else { finding.hint(hint) });
        }
    }

    /// Takes note that nobody has seen what a rule has to know of.
    pub fn unjudged(&mut self, rule: Rule, place: Location, path: &Path) {
        self.incomplete.rule(rule, self.levels, place, path.pointer());
    }
}
