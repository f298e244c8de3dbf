//! Levels of rules: what follows where a rule is broken.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The level of a rule or a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Not reported at all.
    Allow,
    /// Reported; the row is sent.
    Warn,
    /// Reported; nothing is sent for the row.
    Deny,
}

impl Level {
    /// Parses a name as a user types it.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "allow" => Some(Self::Allow),
            "warn" => Some(Self::Warn),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }

    /// Returns the name that a user types.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}
