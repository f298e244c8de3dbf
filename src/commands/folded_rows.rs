//! Folds the rows of a run: their counts, their audits, the page, and what matters for what to do with their files.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::domain::account::{FullRow, InputInfo, ItemAccount, RowAccount, RowText};
use crate::domain::format::Format;
use crate::domain::outcome::{Bucket, Outcome};
use crate::input::is_etag;
use crate::ledger::{LedgerError, Reader, RunHeader};
use crate::report::{self, Audits, Forms, Imbalance, Lost, ReportPage, Tally, Texts, Written};

/// The sums over the rows of a run.
pub struct RowSums {
    /// The rows by their outcomes.
    pub books: Tally,
    /// The sums over the audits of legacy payloads, in a migration.
    pub audits: Option<Audits>,
    /// The forms in which there are pending rows.
    pub pending: Forms,
    /// The page of the run.
    pub page: ReportPage,
}

impl RowSums {
    /// Compares the counts with the number of rows in the inputs.
    ///
    /// # Errors
    /// Where a row is missing, or counted twice.
    pub fn balance(&self, inputs: &[InputInfo]) -> Result<(), Imbalance> {
        self.books.balance(inputs)?;
        self.audits.as_ref().map_or(Ok(()), |audits| audits.balance(inputs))
    }
}

/// What is found in rows that matters for what to do with their files.
#[derive(Default)]
pub struct RowNotes {
    bound: Forms,
    lost: Lost,
    is_short: bool,
}

impl RowNotes {
    /// Tells whoever decides what is done with the files.
    pub fn note(self, written: &mut Written) {
        written.bind(self.bound);
        written.lose(self.lost);
        written.fall_short(self.is_short);
    }
}

/// Counts the rows of a run, and folds its page. `each` is called for every row, and `each_item` for every item, where
/// they are asked for.
///
/// # Errors
/// Returns an error where the ledger can't be read.
pub async fn fold_rows(
    reader: &Reader,
    inputs: &[InputInfo],
    texts: Texts,
    mut each: impl FnMut(&RowAccount),
    each_item: Option<&mut dyn FnMut(&ItemAccount)>,
) -> Result<(RowSums, RowNotes), LedgerError> {
    let RunHeader { spec, phase, .. } = reader.header();
    let audits = spec.asked.migrating.as_ref().map(|_| Audits::default());
    let page = ReportPage::begin(spec, *phase, inputs, texts);
    let mut sums = RowSums { books: Tally::new(inputs.len()), audits, pending: Forms::default(), page };
    let mut found = RowNotes::default();
    let mut each_row = |full: &FullRow| {
        sums.page.row(full);
        let row = &full.account;
        sums.books.add(row);
        note_bound(&mut found.bound, row, inputs);
        found.lost.note(row, inputs);
        found.is_short |= report::is_short_of_state(row);
        if row.verdict.outcome.bucket() == Bucket::Pending {
            *form_of(&mut sums.pending, row, inputs) = true;
        }
        sums.audits.iter_mut().for_each(|audits| audits.add(row));
        each(row);
        Ok::<_, LedgerError>(())
    };
    match each_item {
        None => reader.full_rows(&mut |full| each_row(&full)).await?,
        Some(each_item) => {
            let mut each_item = |item: &ItemAccount| {
                each_item(item);
                Ok(())
            };
            reader.rows_and_items(&mut each_row, &mut each_item).await?;
        }
    }
    reader
        .pace(&mut |record| {
            sums.page.pace(record);
            Ok::<_, LedgerError>(())
        })
        .await?;
    Ok((sums, found))
}

/// Returns what is told of the row files in which a row is given back.
fn form_of<'f>(forms: &'f mut Forms, row: &RowAccount, inputs: &[InputInfo]) -> &'f mut bool {
    match inputs.get(row.place.input as usize).map(|input| input.format) {
        Some(Format::Xlsx) => &mut forms.xlsx,
        Some(Format::Jsonl | Format::Json | Format::Http) => &mut forms.jsonl,
        Some(Format::Csv | Format::PortalCsv) | None => &mut forms.csv,
    }
}

/// Notes the form of a row in conflict that names its eTag, which is no longer the referral's.
fn note_bound(bound: &mut Forms, row: &RowAccount, inputs: &[InputInfo]) {
    if row.verdict.outcome != Outcome::Conflict {
        return;
    }
    match &row.text {
        RowText::Cells(_) | RowText::Sheet(_) => {
            let columns = inputs.get(row.place.input as usize).map_or(&[][..], |input| &input.columns);
            let mut cells = columns.iter().zip(row.text.cells());
            let named = cells.any(|(name, cell)| is_etag(name) && !cell.trim().is_empty());
            *form_of(bound, row, inputs) |= named;
        }
        RowText::Line(line) => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(line).unwrap_or_default();
            bound.jsonl |= members.keys().any(|name| is_etag(name));
        }
    }
}
