//! Rows of the error files that can't be corrected there, since what is wrong stands elsewhere.

use crate::domain::account::{InputInfo, RowAccount, RowText};
use crate::domain::finding::{Finding, Location};
use crate::domain::format::Format;
use crate::domain::json::Object;
use crate::domain::outcome::Bucket;
use crate::domain::rules::Rule;

use super::row_file::is_mangled;

/// Returns whether a row was refused because the snapshot that it was planned from does not show what it
/// depends on.
pub fn is_short_of_state(row: &RowAccount) -> bool {
    let is_short = |finding: &Finding| finding.rule == Rule::IncompleteState && finding.is_deny();
    row.verdict.outcome.bucket() == Bucket::Error && row.findings.iter().any(is_short)
}

/// Rows of the error files that have to be corrected in the input: text of theirs could not be decoded and is
/// lost, or they may be half of what the input holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lost {
    /// The number of these rows.
    pub rows: u64,
    /// The inputs that hold them, as the user named them.
    pub inputs: Vec<String>,
    /// Whether some of them are whole, but have lost text.
    pub text: bool,
    /// Whether some of them may not be whole.
    pub halves: bool,
}

impl Lost {
    /// Adds a row, if it is such a one.
    pub fn note(&mut self, row: &RowAccount, inputs: &[InputInfo]) {
        let own = |place: Location| (place.input, place.line) == (row.place.input, row.place.line);
        let is_lost =
            |finding: &Finding| finding.rule == Rule::Encoding && finding.is_deny() && own(finding.place);
        let is_error = row.verdict.outcome.bucket() == Bucket::Error;
        let Some(input) = inputs.get(row.place.input as usize).filter(|_| is_error) else { return };
        let is_half = may_be_half(row, input.format);
        let is_lost = !is_half && row.findings.iter().any(is_lost);
        if is_half || is_lost {
            self.rows += 1;
            self.text |= is_lost;
            self.halves |= is_half;
            if !self.inputs.contains(&input.path) {
                self.inputs.push(input.path.clone());
            }
        }
    }
}

/// Returns whether a row may be half a payload, of a file in which payloads are separated by what stands
/// between them. That can't be corrected in a line of a report.
fn may_be_half(row: &RowAccount, format: Format) -> bool {
    let RowText::Line(text) = &row.text else { return false };
    let is_cut_off = |finding: &Finding| finding.rule == Rule::CutOff && finding.is_deny();
    matches!(format, Format::Json | Format::Http)
        && (is_mangled(row) || row.findings.iter().any(is_cut_off) || Object::parse(text).is_none())
}
