//! The error that a value is not of its field's type.

use super::wording::Wording;

/// The reason why a text or a JSON value is not of a field's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeError {
    /// What was found.
    pub message: String,
    /// What would be accepted.
    pub hint: Option<Wording>,
}

impl TypeError {
    /// What was found, and what would do.
    pub fn new(message: impl Into<String>, hint: impl Into<Wording>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}
