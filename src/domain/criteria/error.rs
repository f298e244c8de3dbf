//! The error that a text is no condition.

/// Why a text is no condition, and what would help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConditionError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

impl ConditionError {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

/// What a condition looks like, for hints.
pub(super) const SAMPLE: &str = "write it as in \"status eq 'Active' and details/dealValue ge 10000\"";
