//! What is said of rows that a run doesn't have: which are nearest to what was typed. That there is no such row is not
//! said because a record can't be found that is damaged.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;

use super::error::CommandError;
use super::named_referrals::{self, ReferralName};
use super::row_name::TypedPlace;
use super::{next_step, report};
use crate::domain::account::{InputInfo, RowAccount, RowText, input_name};
use crate::domain::characters::visible;
use crate::domain::excerpt::excerpt;
use crate::domain::finding::Location;
use crate::domain::format::Format;
use crate::domain::likeness::nearest_of;
use crate::domain::referral::ReferralId;
use crate::domain::wording::Wording;
use crate::ledger::{self, LedgerError, LineOfInput, Lookup};
use crate::report::counted;

/// The most names that are listed.
const MOST_LISTED: usize = 10;

/// The most referrals that are told to be near.
const MOST_NEAR: usize = 3;

/// The most digits in which an id may differ from one that is told to be near.
const MOST_DIFFERENT: u32 = 4;

/// Returns the referrals whose id begins so, or those of the engagement whose id does, as `show` finds them. The whole run
/// is read for it.
///
/// # Errors
/// Returns an error where there is none, a usage error where several can be meant, and an error where the run can't be
/// read.
pub async fn beginning_so(run: &Path, name: &ReferralName) -> Result<BTreeSet<ReferralId>, CommandError> {
    let reader = ledger::read(run).await.map_err(report::unreadable)?;
    let named = named_referrals::find(std::slice::from_ref(name), &reader).await?;
    match named.unknown.first() {
        Some(unknown) => Err(no_row_names(unknown, next_step::see_all(run))),
        None => Ok(named.ids),
    }
}

/// Returns the error that no row names a referral, with the nearest ids. Every row is read for it, and checked, and the
/// file is damaged where one is missing.
pub async fn no_row_of(run: &Path, id: ReferralId, lookup: &Lookup, inputs: &[InputInfo]) -> CommandError {
    let mut near = Near::default();
    let read = lookup.each_name(&mut |other, place| near.add(id, other, place)).await;
    match read {
        Ok(()) => no_row_names(&id, near.hint(inputs).unwrap_or_else(|| next_step::see_all(run))),
        Err(error) => report::unreadable(error),
    }
}

fn no_row_names(name: &impl Display, hint: impl Into<Wording>) -> CommandError {
    CommandError::could_not_run(format!("no row of the run names {name}")).hint(hint)
}

/// The ids that differ least from one.
#[derive(Debug, Default)]
struct Near {
    /// By the number of digits that differ, each with the place of its first row.
    found: Vec<(u32, ReferralId, LineOfInput)>,
}

impl Near {
    fn add(&mut self, meant: ReferralId, id: ReferralId, place: Location) {
        let different = meant.digits_apart(id);
        if different > MOST_DIFFERENT || self.found.iter().any(|(_, known, _)| *known == id) {
            return;
        }
        let at = LineOfInput { input: place.input, line: place.line, column: None };
        let before = self.found.partition_point(|(known, ..)| *known <= different);
        self.found.insert(before, (different, id, at));
        self.found.truncate(MOST_NEAR);
    }

    fn hint(&self, inputs: &[InputInfo]) -> Option<String> {
        let near = self.found.iter().map(|(_, id, at)| format!("{id} ({})", told(*at, inputs)));
        let near: Vec<String> = near.collect();
        (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
    }
}

/// Returns the error that no row begins on a line, with what is known of the line, and the rows beside it.
pub async fn no_row_on(
    run: &Path,
    at: LineOfInput,
    lookup: &Lookup,
    beside: &[Option<RowAccount>; 2],
    inputs: &[InputInfo],
) -> CommandError {
    // Whatever is damaged is told instead.
    if let Err(error) = certain(run, at, lookup).await {
        return report::unreadable(error);
    }
    let name = told(at, inputs);
    let of_row =
        |row: &RowAccount| LineOfInput { input: row.place.input, line: row.place.line, column: None };
    let near: Vec<String> = beside.iter().flatten().map(|row| told(of_row(row), inputs)).collect();
    let what = match beside {
        [None, None] => format!("no row begins on {name}: nothing of that file was read as a row"),
        [None, Some(_)] => {
            format!("no row begins on {name}: it lies before the first one{}", header(at, inputs))
        }
        [Some(row), _] if last_line(row, at, inputs).is_some_and(|last| at.line <= last) => {
            format!("no row begins on {name}: it belongs to the one that begins on line {}", row.place.line)
        }
        [Some(_), None] => format!("no row begins on {name}: it lies behind the beginning of the last one"),
        [Some(_), Some(_)] => {
            format!("no row begins on {name}: it is empty, or belongs to the row that begins before it")
        }
    };
    let trouble = CommandError::could_not_run(what);
    match near.as_slice() {
        [] => trouble.hint(next_step::see_all(run)),
        [one] => trouble.hint(format!("the nearest row begins on {one}")),
        several => trouble.hint(format!("the nearest rows begin on {}", several.join(" and "))),
    }
}

/// Makes sure that no row begins at a place where none is found.
///
/// # Errors
/// Returns an error where the run can't be read, or a record is damaged.
async fn certain(run: &Path, at: LineOfInput, lookup: &Lookup) -> Result<(), LedgerError> {
    if lookup.lacks(at).await? { Ok(()) } else { ledger::read(run).await.map(drop) }
}

/// Returns what is said of the lines before the first row of a table.
fn header(at: LineOfInput, inputs: &[InputInfo]) -> &'static str {
    let input = inputs.get(at.input as usize);
    if input.is_some_and(|input| !input.columns.is_empty()) { ", as the header does" } else { "" }
}

/// Returns the last line of a record of cells, some of which have several lines; `None` for other rows, whose length is
/// not on record.
fn last_line(row: &RowAccount, at: LineOfInput, inputs: &[InputInfo]) -> Option<u64> {
    let is_text = inputs
        .get(at.input as usize)
        .is_some_and(|input| matches!(input.format, Format::Csv | Format::PortalCsv));
    let RowText::Cells(cells) = &row.text else { return None };
    let breaks = |cell: &String| cell.replace("\r\n", "\n").matches(['\r', '\n']).count() as u64;
    is_text.then(|| row.place.line + cells.iter().map(breaks).sum::<u64>())
}

/// Returns the error that the run has no such input.
pub fn no_file(run: &Path, places: &[TypedPlace], inputs: &[InputInfo]) -> CommandError {
    let file = places.first().map_or("", |place| place.file.as_str());
    let names = || inputs.iter().map(|input| input_name(&input.path));
    let trouble = CommandError::could_not_run(format!("the run was not planned from {}", excerpt(file)));
    if let Some(near) = places.iter().find_map(|place| nearest_of(&place.file, names())) {
        return trouble.hint(format!("did you mean {}?", visible(near)));
    }
    match inputs {
        [] => trouble.hint(next_step::see_all(run)),
        _ => trouble.hint(format!("it was planned from {}", listed(names().map(ToOwned::to_owned)))),
    }
}

/// Returns a place for people.
pub fn told(at: LineOfInput, inputs: &[InputInfo]) -> String {
    let name = inputs.get(at.input as usize).map_or("input", |input| input_name(&input.path));
    let column = at.column.map(|column| format!(":{column}")).unwrap_or_default();
    format!("{}:{}{column}", visible(name), at.line)
}

/// Lists names, the first of them where there are many.
pub fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.map(|name| visible(&name).into_owned()).collect();
    let more = names.len().saturating_sub(MOST_LISTED) as u64;
    names.truncate(MOST_LISTED);
    let more = if more == 0 { String::new() } else { format!(" and {}", counted(more, "more file")) };
    names.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Outcome;
    use crate::report::testing::{cells, csv_input, id, jsonl_input, row};

    #[test]
    fn ids_that_differ_in_a_few_characters_are_near() {
        let inputs = [csv_input("a.csv", &[], 0)];
        for (meant, rows, wanted) in [
            (0x1000, &[0x1001, 0x2345_6000, 0x1100][..], Some(&[0x1001, 0x1100][..])),
            (0x1000, &[0x1111, 0x1110, 0x1100, 0x1101], Some(&[0x1100, 0x1110, 0x1101])),
            (0x1000, &[0x1001, 0x1001], Some(&[0x1001])),
            (0x1000, &[0x2_3456], None),
            (0x1000, &[], None),
        ] {
            let mut near = Near::default();
            rows.iter()
                .for_each(|other| near.add(id(meant), id(*other), row(*other, 0, Outcome::Applied).place));
            let wanted = wanted.map(|ids| {
                let told = ids.iter().map(|other| format!("{} (a.csv:{})", id(*other), other + 1));
                format!("did you mean {}?", told.collect::<Vec<_>>().join(" or "))
            });
            assert_eq!(near.hint(&inputs), wanted, "{rows:x?}");
        }
    }

    #[test]
    fn a_record_ends_where_the_last_of_its_cells_does() {
        let at = |input| LineOfInput { input, line: 9, column: None };
        let inputs = [csv_input("a.csv", &[], 0), jsonl_input("b.jsonl", 0)];
        for (text, input, wanted) in [
            (cells(&["a", "b"]), 0, Some(2)),
            (cells(&["a\nb", "c\r\nd\re"]), 0, Some(5)),
            (cells(&["a\nb"]), 1, None),
            (RowText::Line("{}\n".to_owned()), 0, None),
        ] {
            let row = RowAccount { text, ..row(1, input, Outcome::Applied) };
            assert_eq!(last_line(&row, at(input), &inputs), wanted, "{row:?}");
        }
    }
}
