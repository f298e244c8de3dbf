//! Why a file as a whole can't be used. What is wrong with one row is a finding instead.

use std::fmt;

use crate::domain::wording::Wording;

/// Why reading a file ended early.
#[derive(Debug, thiserror::Error)]
pub enum InputError<E> {
    /// The file as a whole can't be used.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The receiver of the rows failed.
    #[error("{0}")]
    Sink(E),
}

/// The reasons why a file can't be used; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Unusable(Vec<Problem>);

/// One reason why a file can't be used, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `file`, or `file:line:column`. The column counts cells.
    pub place: String,
    /// What was found: lower case, no full stop.
    pub message: String,
    /// What would help.
    pub hint: Option<Wording>,
}

impl Problem {
    /// The same, with what would help.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<Wording>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Unusable {
    /// Returns the reasons as one error; `None` where there are none.
    pub(super) fn of(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// Returns the reasons, in the order of the file.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl From<Problem> for Unusable {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problem {
    /// The message, then the place, then the hint with settings by their names, a line each.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}\n  --> {}", self.message, self.place)?;
        match &self.hint {
            Some(hint) => write!(out, "\nhint: {}", hint.as_str()),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            write!(out, "{}{problem}", if at == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}
