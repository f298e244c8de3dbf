//! Why a value is not what its field takes.

use super::wording::Wording;

/// Why a text or a JSON value is not of a field's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeError {
    /// What was found.
    pub message: String,
    /// What would do.
    pub hint: Option<Wording>,
}

impl TypeError {
    /// What was found, and what would do.
    pub fn new(message: impl Into<String>, hint: impl Into<Wording>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}
