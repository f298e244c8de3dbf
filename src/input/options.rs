//! How to read change files.

use std::collections::BTreeSet;

use crate::domain::account::Format;
use crate::domain::decimal::DecimalSign;
use crate::domain::pointer::Pointer;
use crate::domain::rules::Levels;

/// How to read change files.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The form, where the user named one; else the file's extension says it.
    pub format: Option<Format>,
    /// Unconfirmed paths that the user opted into.
    pub allow_paths: BTreeSet<Pointer>,
    /// Whether fields may be cleared.
    pub clear: bool,
    /// The level of every rule.
    pub levels: Levels,
    /// The decimal sign in the numbers of CSV files, where the user said it.
    pub decimal: Option<DecimalSign>,
    /// Columns, and outermost members of JSON lines, that are kept in the reports and change nothing.
    pub left_alone: Vec<String>,
}
