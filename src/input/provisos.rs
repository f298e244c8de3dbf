//! What is found in the cells of a file that shows whole deals counts only where the referral has something else.
//!
//! Such a file gives back what nobody touched. Whether a cell is untouched shows with the referral, which isn't known
//! while the row is read: so what was found goes along with the cell's text.

use super::row::RowBuilder;
use crate::domain::change::{Located, Proviso};
use crate::domain::fields::{Field, Path};
use crate::domain::finding::{Finding, Location};
use crate::domain::rules::Rule;
use crate::domain::status::Status;

/// How much had been found in a row when a cell was begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundSoFar {
    findings: usize,
    notes: usize,
}

impl RowBuilder<'_> {
    /// Returns how much was found so far.
    pub fn found_so_far(&self) -> FoundSoFar {
        FoundSoFar { findings: self.findings.len(), notes: self.notes.len() }
    }

    /// Lets what was found in a cell since then count only where the referral has something else than its text.
    /// `is_read_otherwise` says that the value it was read as may not be the one that it shows.
    pub fn provide(
        &mut self,
        place: Location,
        (path, text): (&Path, &str),
        since: FoundSoFar,
        is_read_otherwise: bool,
    ) {
        let is_list = matches!(path, Path::Known(field) if field.is_list());
        let mut found = Vec::new();
        for (list, from) in [(&mut self.findings, since.findings), (&mut self.notes, since.notes)] {
            let (of_text, others): (Vec<_>, Vec<_>) =
                list.drain(from..).partition(|finding| is_of_text(finding, is_list));
            list.extend(others);
            found.extend(of_text);
        }
        if is_read_otherwise || !found.is_empty() {
            let cells = vec![(path.clone(), text.into())];
            self.provisos.push(Located { value: Proviso { cells, findings: found }, place });
        }
    }

    /// Lets a status that leaves its substatus open, or has one that doesn't belong to it or couldn't be read, count
    /// only where the referral stands otherwise.
    pub fn provide_stage(&mut self) {
        let (status, substatus) = (Path::Known(Field::Status), Path::Known(Field::Substatus));
        let Some(Located { value: wanted, place }) = self.status else { return };
        let unread = self.provisos.iter_mut().find(|proviso| proviso.value.cells[0].0 == substatus);
        let cell = (status, Box::from(wanted.name()));
        match (&self.substatus, unread) {
            (None, Some(proviso)) => proviso.value.cells.push(cell),
            (None, None) if wanted != Status::Active => {
                let finding = wanted.alone(place);
                self.provisos
                    .push(Located { value: Proviso { cells: vec![cell], findings: vec![finding] }, place });
            }
            (Some(Located { value: stage, place }), _) if stage.status() != wanted => {
                let finding = stage.mismatch(wanted, *place);
                let cells = vec![cell, (substatus, Box::from(stage.substatus()))];
                self.provisos
                    .push(Located { value: Proviso { cells, findings: vec![finding] }, place: *place });
                self.substatus = None;
            }
            _ => return,
        }
        self.status = None;
    }
}

/// Whether a finding is about the text of its cell alone, so that it says nothing where that is untouched.
fn is_of_text(finding: &Finding, is_list: bool) -> bool {
    match finding.rule {
        Rule::Type
        | Rule::Clear
        | Rule::DecimalSign
        | Rule::Encoding
        | Rule::SpreadsheetError
        | Rule::EmptyWord
        | Rule::RewrittenNumber
        | Rule::MisreadText
        | Rule::HiddenCharacter
        | Rule::PortalReadOnly => true,
        // Two elements of one key are on the list as it is, then.
        Rule::Contradiction => is_list,
        _ => false,
    }
}
