//! The level of every rule, as the user set it.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::catalogue::{COUNT, Rule};
use crate::domain::level::Level;

/// The level of every rule in one run.
#[derive(Debug, Clone)]
pub struct Levels([Level; COUNT]);

/// The error that the level of a rule is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("rule {0} always denies: its level cannot be set")]
pub struct FixedRule(pub Rule);

/// Writes the rules whose level isn't their default, as a map from id to level.
impl Serialize for Levels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.changed())
    }
}

impl<'de> Deserialize<'de> for Levels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut levels = Self::default();
        for (rule, level) in BTreeMap::deserialize(deserializer)? {
            levels.set(rule, level).map_err(D::Error::custom)?;
        }
        Ok(levels)
    }
}

impl Default for Levels {
    fn default() -> Self {
        let mut levels = Self([Level::Deny; COUNT]);
        for rule in Rule::all() {
            levels.0[rule as usize] = rule.default_level();
        }
        levels
    }
}

impl Levels {
    /// Returns the level of a rule.
    pub fn of(&self, rule: Rule) -> Level {
        self.0[rule as usize]
    }

    /// Iterates over the rules whose level isn't their default.
    pub fn changed(&self) -> impl Iterator<Item = (Rule, Level)> {
        Rule::all().map(|rule| (rule, self.of(rule))).filter(|(rule, level)| rule.default_level() != *level)
    }

    /// Sets the level of a rule.
    ///
    /// # Errors
    /// If the rule is fixed and the level is not `deny`.
    pub fn set(&mut self, rule: Rule, level: Level) -> Result<(), FixedRule> {
        if rule.is_fixed() && level != Level::Deny {
            return Err(FixedRule(rule));
        }
        self.0[rule as usize] = level;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_rules_stay_fixed() {
        let mut levels = Levels::default();
        assert_eq!(levels.set(Rule::ReadOnlyPath, Level::Warn), Err(FixedRule(Rule::ReadOnlyPath)));
        assert_eq!(levels.set(Rule::ReadOnlyPath, Level::Deny), Ok(()));
        levels.set(Rule::Transition, Level::Warn).unwrap();
        assert_eq!(levels.of(Rule::Transition), Level::Warn);
    }
}
