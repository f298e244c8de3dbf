//! The unseen members that a judgement depends on.
//!
//! A list element or a snapshot file shows a part of a referral. A decision that depends on a member that it
//! doesn't show isn't made: the caller reads the whole referral and judges again. Where it cannot, as with a
//! snapshot file, [`Incomplete::findings`] say what is missing.

use std::collections::BTreeSet;

use super::catalogue::Rule;
use super::levels::Levels;
use crate::domain::finding::{Finding, Location};
use crate::domain::level::Level;
use crate::domain::pointer::Pointer;

/// Unseen members, and what depends on each: the change itself, or a rule.
#[derive(Debug, Clone, Default)]
pub struct Incomplete {
    changes: Vec<(Location, Pointer)>,
    /// Lists and objects that a part may show in part.
    parts: Vec<(Location, Pointer)>,
    rules: Vec<(Rule, Level, Location, Pointer)>,
    /// Whether elements are dropped from a list that may be shown in part.
    image: bool,
}

impl Incomplete {
    /// Notes an unseen member that the change itself depends on.
    pub(crate) fn change(&mut self, place: Location, pointer: &Pointer) {
        let known = (place, pointer.clone());
        if !self.changes.contains(&known) {
            self.changes.push(known);
        }
    }

    /// Notes a list or an object, of which unseen members would be lost.
    pub(crate) fn part(&mut self, place: Location, pointer: &Pointer) {
        let known = (place, pointer.clone());
        if !self.parts.contains(&known) {
            self.parts.push(known);
        }
    }

    /// Notes an unseen member that only a rule depends on, unless the rule's level is `allow`, or the change
    /// depends on the member anyway.
    pub(crate) fn rule(&mut self, rule: Rule, levels: &Levels, place: Location, pointer: &Pointer) {
        let level = levels.of(rule);
        let is_noted = self.changes.iter().any(|(_, known)| known == pointer);
        let known = (rule, level, place, pointer.clone());
        if level != Level::Allow && !is_noted && !self.rules.contains(&known) {
            self.rules.push(known);
        }
    }

    /// Notes that elements are dropped which may have more members than are shown. The change depends on none of them, and
    /// its way back on all.
    pub(crate) fn image(&mut self) {
        self.image = true;
    }

    /// Adds what another judgement of the same referral depends on.
    pub(crate) fn join(&mut self, other: Self) {
        other.changes.iter().for_each(|(place, pointer)| self.change(*place, pointer));
        self.image |= other.image;
        other.parts.iter().for_each(|(place, pointer)| self.part(*place, pointer));
        self.rules
            .extend(other.rules.into_iter().filter(|known| !self.rules.contains(known)).collect::<Vec<_>>());
    }

    /// Whether every member that matters was seen.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.parts.is_empty() && self.rules.is_empty() && !self.image
    }

    /// Whether nothing may be sent or called unchanged before the rest was seen.
    pub fn holds_back(&self) -> bool {
        !self.changes.is_empty()
            || !self.parts.is_empty()
            || self.rules.iter().any(|(_, level, ..)| *level == Level::Deny)
    }

    /// Returns the findings for a referral that cannot be read as a whole: one that names the unseen members for each
    /// row that depends on some, and one for each rule that could not be judged, at the rule's own level.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        let places: BTreeSet<Location> = self.changes.iter().map(|(place, _)| *place).collect();
        for place in places {
            let here = self.changes.iter().filter(|(other, _)| *other == place);
            let names: Vec<&str> = here.map(|(_, pointer)| pointer.as_str()).collect();
            let message =
                format!("the snapshot does not show {}, which the change depends on", names.join(", "));
            findings.push(finding(Level::Deny, place, message));
        }
        for (place, pointer) in &self.parts {
            let message =
                format!("the snapshot may show {pointer} in part, and what it leaves out would be lost");
            findings.push(finding(Level::Deny, *place, message));
        }
        for (rule, level, place, pointer) in &self.rules {
            let message = format!("rule {rule} cannot be judged: the snapshot does not show {pointer}");
            findings.push(finding(*level, *place, message));
        }
        findings
    }
}

/// Makes a finding about an unseen member.
fn finding(level: Level, place: Location, message: String) -> Finding {
    Finding::new(Rule::IncompleteState, level, place, message)
        .hint("plan against the API, where the referral is read by itself, or take a snapshot that shows it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: u64) -> Location {
        Location { input: 0, line, column: 1 }
    }

    fn pointer(text: &str) -> Pointer {
        Pointer::parse(text).unwrap()
    }

    #[test]
    fn members_are_named_by_row_and_rules_at_their_level() {
        let mut levels = Levels::default();
        levels.set(Rule::EarlyWin, Level::Allow).unwrap();
        let mut incomplete = Incomplete::default();
        assert!(incomplete.is_empty());
        incomplete.rule(Rule::EarlyWin, &levels, place(2), &pointer("/createdDateTime"));
        assert!(incomplete.is_empty());
        incomplete.rule(Rule::ClosedEdit, &levels, place(2), &pointer("/status"));
        assert!(!incomplete.is_empty() && !incomplete.holds_back());
        for (line, name) in [(2, "/team"), (2, "/details/notes"), (2, "/team"), (3, "/salesStage")] {
            incomplete.change(place(line), &pointer(name));
        }
        incomplete.rule(Rule::ReasonMissing, &levels, place(2), &pointer("/team"));
        assert!(incomplete.holds_back());
        let told: Vec<_> = incomplete
            .findings()
            .into_iter()
            .map(|finding| (finding.place.line, finding.level, finding.message))
            .collect();
        assert_eq!(
            told,
            [
                (
                    2,
                    Level::Deny,
                    "the snapshot does not show /team, /details/notes, which the change depends on".into()
                ),
                (
                    3,
                    Level::Deny,
                    "the snapshot does not show /salesStage, which the change depends on".into()
                ),
                (
                    2,
                    Level::Warn,
                    "rule closed-edit cannot be judged: the snapshot does not show /status".into()
                ),
            ]
        );
    }

    #[test]
    fn a_rule_that_denies_holds_back() {
        let mut levels = Levels::default();
        levels.set(Rule::ReasonMissing, Level::Deny).unwrap();
        let mut incomplete = Incomplete::default();
        incomplete.rule(Rule::ReasonMissing, &levels, place(2), &pointer("/statusReason"));
        assert!(incomplete.holds_back());
        assert!(incomplete.findings().iter().all(Finding::is_deny));
    }
}
