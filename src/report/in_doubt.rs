//! The dates of a row that are in doubt: what a report hands back carries their doubt along.

use crate::domain::account::{RowAccount, RowText};
use crate::domain::day_doubt::{self, DateColumns, DateDoubt, month_first};
use crate::domain::outcome::Outcome;
use crate::domain::rules::Rule;
use crate::domain::sheet_cell::CellType;

/// Returns the cells of a row that hold a date in doubt, by their numbers. One that can't be read as a date, or has
/// its doubt in itself, is refused for that wherever it is.
pub(super) fn cells(row: &RowAccount, dates: &DateColumns) -> Vec<usize> {
    let is_in_doubt = match dates.doubt {
        DateDoubt::None => false,
        DateDoubt::Some => row.findings.iter().any(|finding| {
            let is_own = (finding.place.input, finding.place.line) == (row.place.input, row.place.line);
            is_own && finding.rule == Rule::DateOrder && finding.is_deny()
        }),
        // A row that was refused for something else may have been so before its dates were looked at.
        DateDoubt::All => row.verdict.outcome == Outcome::Invalid,
    };
    let texts = row.text.cells();
    let is_date = |at: &usize| {
        texts.get(*at).is_some_and(|text| is_typed(&row.text, *at) || month_first(text.trim()).is_some())
    };
    dates.at.iter().copied().filter(|at| is_in_doubt && is_date(at)).collect()
}

/// Returns what the column of dates in doubt holds for a row.
pub(super) fn told(row: &RowAccount, dates: &DateColumns) -> String {
    let texts = row.text.cells();
    let doubted: Vec<&str> = cells(row, dates).into_iter().map(|at| texts[at].trim()).collect();
    day_doubt::told(&doubted)
}

/// Whether a cell is a date of a workbook.
fn is_typed(text: &RowText, at: usize) -> bool {
    matches!(text, RowText::Sheet(cells) if cells[at].kind == CellType::Date)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{self, row};
    use super::*;
    use crate::domain::finding::Finding;
    use crate::domain::sheet_cell::SheetCell;

    #[test]
    fn the_dates_of_a_row_are_in_doubt() {
        let finding = |rule| Finding::deny(rule, row(1, 0, Outcome::Invalid).place, "x");
        let other_row = {
            let mut finding = finding(Rule::DateOrder);
            finding.place.line += 1;
            finding
        };
        for (doubt, outcome, findings, date, wanted) in [
            (DateDoubt::All, Outcome::Invalid, vec![], " 03/04/2028 ", "03/04/2028"),
            (DateDoubt::All, Outcome::Invalid, vec![finding(Rule::Type)], "03/04/2028", "03/04/2028"),
            (DateDoubt::All, Outcome::Invalid, vec![], "31/12/2028", ""),
            (DateDoubt::All, Outcome::Invalid, vec![], "03/04/2028 ?", ""),
            (DateDoubt::All, Outcome::Invalid, vec![], "", ""),
            (DateDoubt::All, Outcome::Refused, vec![], "03/04/2028", ""),
            (DateDoubt::Some, Outcome::Invalid, vec![finding(Rule::DateOrder)], "03/04/2028", "03/04/2028"),
            (DateDoubt::Some, Outcome::Invalid, vec![finding(Rule::Type)], "03/04/2028", ""),
            (DateDoubt::Some, Outcome::Invalid, vec![other_row], "03/04/2028", ""),
            (DateDoubt::None, Outcome::Invalid, vec![finding(Rule::DateOrder)], "03/04/2028", ""),
        ] {
            let text = testing::cells(&["1", date]);
            let row = RowAccount { text, findings, ..row(1, 0, outcome) };
            let dates = DateColumns { at: vec![1], doubt };
            assert_eq!(told(&row, &dates), wanted, "{doubt:?} {outcome:?} {date} {:?}", row.findings);
        }
    }

    #[test]
    fn a_date_of_a_workbook_is_told_as_one() {
        let typed = SheetCell { kind: CellType::Date, text: "2028-04-03".to_owned() };
        let text = RowText::Sheet(vec![SheetCell::text("03/04/2028"), typed]);
        let row = RowAccount { text, ..row(1, 0, Outcome::Invalid) };
        let dates = DateColumns { at: vec![0, 1, 2], doubt: DateDoubt::All };
        assert_eq!(told(&row, &dates), "03/04/2028; 2028-04-03");
    }
}
