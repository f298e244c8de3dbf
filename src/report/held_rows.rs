//! The first rows that are held back or went wrong, one by one: where a plan is looked through, nobody looks for them in
//! a file.

use comfy_table::Cell;

use crate::domain::account::{InputInfo, RowAccount};
use crate::domain::outcome::Outcome;

use super::example::Example;
use super::format::short_message;
use super::names::InputNames;
use super::table::{MESSAGE, plain_table, section};

/// The rows that are told.
const FIRST: usize = 10;

/// The first of these rows, and their number.
#[derive(Debug, Clone, Default)]
pub struct HeldRows {
    rows: usize,
    first: Vec<(Outcome, Example)>,
}

impl HeldRows {
    /// Adds the next row of the run; counts it where it is held back or went wrong.
    pub fn add(&mut self, row: &RowAccount) {
        let outcome = row.verdict.outcome;
        if !outcome.is_unsuccessful() {
            return;
        }
        self.rows += 1;
        if self.first.len() < FIRST {
            self.first.push((outcome, Example::of(row, row.verdict.message.as_str(), row.place)));
        }
    }

    /// Returns them as a table; `None` where there is none.
    pub fn text(&self, inputs: &[InputInfo]) -> Option<String> {
        self.table(&InputNames::of(inputs))
    }

    pub(super) fn table(&self, names: &InputNames) -> Option<String> {
        let mut table = plain_table();
        table.set_header(["row", "outcome", "referral", "message"]);
        for (outcome, Example { message, place, id, title }) in &self.first {
            let id = id.map_or_else(|| "not known".to_owned(), |id| id.to_string());
            table.add_row([
                Cell::new(names.place(*place)),
                Cell::new(outcome.name()),
                Cell::new(title.as_ref().unwrap_or(&id)),
                Cell::new(short_message(message, MESSAGE)),
            ]);
        }
        section("held back or gone wrong, row by row", &table, self.rows, "more row")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{csv_input, row, subject};
    use super::*;

    #[test]
    fn the_first_ten_are_told_and_the_others_counted() {
        let mut held = HeldRows::default();
        let inputs = [csv_input("a.csv", &["id"], 0)];
        assert_eq!(held.text(&inputs), None);
        held.add(&row(1, 0, Outcome::Planned));
        assert_eq!(held.text(&inputs), None);
        held.add(&RowAccount { subject: Some(subject()), ..row(2, 0, Outcome::Conflict) });
        held.add(&RowAccount { id: None, ..row(3, 0, Outcome::Invalid) });
        (4..13).for_each(|number| held.add(&row(number, 0, Outcome::Refused)));
        let text = held.text(&inputs).unwrap();
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let lines: Vec<String> = text.lines().map(words).collect();
        assert_eq!(lines.len(), 13, "{text}");
        assert_eq!(lines[2], "a.csv:3 conflict “Fabrikam rollout”, Fabrikam conflict, as it were");
        assert_eq!(lines[3], "a.csv:4 invalid not known invalid, as it were");
        assert_eq!(lines[4], "a.csv:5 refused 00000000-0000-0000-0000-000000000004 refused, as it were");
        assert_eq!(lines[12], "and 1 more row");
    }
}
