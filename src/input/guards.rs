//! The guards of a change file that was made from referrals: a `'` before what a spreadsheet would run.
//!
//! A text may begin with such a sign by itself, so the sign alone says nothing. A column of its own,
//! `export.guarded`, names the columns of each row in whose cells the sign is a guard: there it is taken away, and
//! nowhere else.

use std::borrow::Cow;

use ::csv::ByteRecord;

use super::header::Column;
use super::value_target::ValueTarget;
use crate::domain::formula::undefused;
use crate::domain::likeness::is_same_name;

/// The name of the column that says where guards stand.
pub const GUARDED: &str = "export.guarded";

/// What separates the names in a cell of that column.
pub const BETWEEN_NAMES: &str = "; ";

/// The columns of one row in whose cells guards stand.
pub(super) struct Guards<'c>(&'c str);

impl<'c> Guards<'c> {
    /// Returns those that a record names.
    pub fn of(columns: &[Column], cells: &'c ByteRecord) -> Self {
        let at = columns.iter().position(|column| column.target == Some(ValueTarget::Guards));
        let cell = at.and_then(|at| cells.get(at)).unwrap_or_default();
        Self(std::str::from_utf8(cell).unwrap_or_default())
    }

    /// Returns the text of a cell as it is meant.
    pub fn meant<'t>(&self, column: Option<&Column>, text: &'t str) -> Cow<'t, str> {
        let is_named = |column: &Column| {
            self.0.split(BETWEEN_NAMES.trim_end()).any(|name| is_same_name(name, &column.name))
        };
        if !self.0.is_empty() && column.is_some_and(is_named) { undefused(text) } else { Cow::Borrowed(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ID, findings, only, options};
    use crate::domain::account::RowText;
    use crate::domain::format::Format;

    #[test]
    fn a_guard_is_taken_away_where_the_row_says_that_it_is_one() {
        for (guarded, cell, wanted) in [
            ("notes", "'=1+1", "=1+1"),
            ("Status Reason; NOTES", "'- a\n'- b", "- a\n- b"),
            ("notes", "'quoted'", "'quoted'"),
            ("notes", "changed since", "changed since"),
            ("statusReason", "'=1+1", "'=1+1"),
            ("", "'=1+1", "'=1+1"),
        ] {
            let text = format!("id,notes,export.guarded\n{ID},\"{cell}\",{guarded}\n");
            let row = only(&text, &options(Format::Csv));
            assert_eq!(findings(&row), "ok");
            let read = row.parsed.unwrap().sets[0].value.1.raw().get().to_owned();
            assert_eq!(serde_json::from_str::<String>(&read).unwrap(), wanted, "{guarded}: {cell}");
            // The reports give the row back as it was, guards and all.
            assert_eq!(row.text, RowText::Cells([ID, cell, guarded].map(str::to_owned).into()));
        }
    }
}
