//! Why a value is not what its field takes.

/// Why a text or a JSON value is not of a field's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeError {
    /// What was found.
    pub message: String,
    /// What would do.
    pub hint: Option<String>,
}

impl TypeError {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}
