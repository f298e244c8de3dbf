//! How a file writes what a cell alone leaves open: numbers, dates and letters.
//!
//! What the cells have shown so far is kept here, and the end of the file says whether they agree.

use super::cell::Numbers;
use super::context::InputContext;
use super::error::Unusable;
use super::portal::Days;
use crate::domain::decimal::DecimalSign;
use crate::domain::text_form::Separator;

/// How a file writes numbers, dates and letters, as far as its cells have shown.
pub(super) struct Notation {
    pub numbers: Numbers,
    /// The dates of a file of Partner Center's own.
    pub days: Days,
    pub letters: Letters,
}

impl Notation {
    /// Begins a file of text. `said` is the decimal sign that the user named, if any.
    pub fn of_text(said: Option<DecimalSign>, separator: Separator) -> Self {
        let numbers = Numbers::new(said, separator);
        Self { numbers, days: Days::default(), letters: Letters::default() }
    }
}

/// The encoding of letters outside ASCII in a file without a byte order mark, by the lines on which they were first
/// seen.
#[derive(Debug, Default)]
pub(super) struct Letters {
    /// A cell that is valid UTF-8.
    pub utf_8: Option<u64>,
    /// A cell that isn't, and was read as Windows-1252.
    pub windows_1252: Option<u64>,
}

impl Letters {
    /// Returns whether the file was read as Windows-1252.
    ///
    /// # Errors
    /// If only some of its cells are UTF-8: then nothing tells what any of them means.
    pub fn are_windows_1252(&self, context: &InputContext<'_>) -> Result<bool, Unusable> {
        let Some(line) = self.windows_1252 else { return Ok(false) };
        let Some(other) = self.utf_8 else { return Ok(true) };
        let message = format!("line {other} holds letters in UTF-8, and line {line} in another encoding");
        let problem = context.problem(line, 1, message);
        Err(problem.hint("open the file where it was made, and save it as CSV (UTF-8)").into())
    }
}
