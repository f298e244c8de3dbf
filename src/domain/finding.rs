//! Findings: what is wrong with a row, or worth a look. They are values that are collected, so that
//! one never hides the next.

use serde::{Deserialize, Serialize};

use super::level::Level;
use super::rules::Rule;
use super::setting::Setting;
use super::wording::Wording;

/// A place in an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// The index of the input in the run, counted from 0.
    pub input: u32,
    /// The line on which the record begins, counted from 1.
    pub line: u64,
    /// The cell of a CSV record, or the character of a JSON line; counted from 1.
    pub column: u32,
}

/// Something that a rule, or the form of the input, says about a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule that it comes from.
    pub rule: Rule,
    /// What it leads to in this run.
    pub level: Level,
    /// The place in the input that it is about.
    pub place: Location,
    /// What was found: lower case, no full stop.
    pub message: String,
    /// What would help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Wording>,
}

impl Finding {
    /// Makes a finding that denies, without a hint: for rules whose level cannot be set.
    pub fn deny(rule: Rule, place: Location, message: impl Into<String>) -> Self {
        Self::new(rule, Level::Deny, place, message)
    }

    /// Makes a finding without a hint. Hidden characters in the message become visible, and a long message is
    /// cut off: it may hold text of the input.
    pub fn new(rule: Rule, level: Level, place: Location, message: impl Into<String>) -> Self {
        let message = presentable(Wording::from(message.into())).as_str().to_owned();
        Self { rule, level, place, message, hint: None }
    }

    /// Adds a hint: what would help.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Wording>) -> Self {
        self.hint = Some(presentable(hint.into()));
        self
    }

    /// Spells the settings of the hint as the user types them, before it is shown and put on record.
    #[must_use]
    pub fn spelled(mut self, spell: impl Fn(Setting) -> String) -> Self {
        self.hint = self.hint.map(|hint| presentable(hint.spelled(spell).into()));
        self
    }

    /// Returns the message and the hint on one line.
    pub fn sentence(&self) -> Wording {
        let message = Wording::from(self.message.as_str());
        match &self.hint {
            Some(hint) => message.say("; ").append(hint),
            None => message,
        }
    }

    /// Whether it keeps the row from being sent.
    pub fn is_deny(&self) -> bool {
        self.level == Level::Deny
    }
}

/// Makes a text safe and short enough for a terminal, whatever an input put into it.
fn presentable(text: Wording) -> Wording {
    const LONGEST: usize = 1_000;
    text.presentable(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_input_steers_the_terminal() {
        let place = Location { input: 0, line: 1, column: 1 };
        let finding = Finding::deny(Rule::Id, place, "/\u{1b}[31mx is odd").hint("\u{202e}x".repeat(1_000));
        assert_eq!(finding.message, "/\u{fffd}[31mx is odd");
        let hint = finding.hint.unwrap();
        assert!(hint.as_str().starts_with("\u{fffd}x") && hint.as_str().ends_with('…'));
        assert_eq!(hint.as_str().chars().count(), 1_001);
    }
}
