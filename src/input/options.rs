//! How change files are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::base_row::ReadAs;
use super::key_index::KeyIndex;
use crate::domain::decimal::DecimalSign;
use crate::domain::format::Format;
use crate::domain::key::MatchField;
use crate::domain::pointer::Pointer;
use crate::domain::rules::Levels;
use crate::domain::run_spec::MappedColumn;

/// How change files are read, as the user asks for it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The format, where the user names one; else the file's extension decides.
    pub format: Option<Format>,
    /// Paths that no source confirms to be patchable, and that the user opted into.
    pub allow_paths: BTreeSet<Pointer>,
    /// Whether fields may be cleared.
    pub clear: bool,
    /// The level of every rule.
    pub levels: Levels,
    /// The decimal sign in the numbers of CSV files, where the user names it; else each number has to show it.
    pub decimal: Option<DecimalSign>,
    /// Columns, and outermost members of JSON lines, that stay in the reports and change nothing.
    pub left_alone: Vec<String>,
    /// What columns mean, and outermost members of JSON lines. Of a file that has one of these columns, only
    /// they and those that name the referral are read.
    pub mapped: Vec<MappedColumn>,
    /// The reasons that Partner Center's files give as numbers, as far as the user sets them.
    pub portal_reasons: BTreeMap<u8, String>,
    /// The sheet that is read of each workbook, where the user names one; else the first one that is shown.
    pub sheet: Option<String>,
    /// What its cells are read for.
    pub read_as: ReadAs,
    /// The column, or outermost member of JSON lines, that changes are sent in the order of: it need not mean anything
    /// else.
    pub order: Option<String>,
    /// How rows name their referrals, where they don't do so by the id.
    pub matching: Option<Matching>,
}

/// How rows name their referrals by a key.
#[derive(Debug, Clone)]
pub struct Matching {
    /// The field of which it is a value.
    pub field: MatchField,
    /// The referrals that the keys lead to; `None` as long as the keys are collected, and rows are about none.
    pub index: Option<Arc<KeyIndex>>,
}
