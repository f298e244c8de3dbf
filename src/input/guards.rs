//! The guards of a change file that was made from referrals: a `'` before what a spreadsheet would run.
//!
//! A text may begin with such a sign by itself, so the sign alone says nothing. A column of its own,
//! `export.guarded`, names the columns of each row in whose cells the sign is a guard: there it is taken away, and
//! nowhere else. Columns are renamed, so a name stands for the column that has it, or else for those of the same
//! meaning. Where it stands for none, a guard may be anywhere in the row, and the row is denied.

use std::borrow::Cow;

use ::csv::ByteRecord;

use super::header::Column;
use super::names::NameResolver;
use super::options::Options;
use super::value_target::ValueTarget;
use crate::domain::formula::undefused;
use crate::domain::likeness::is_same_name;

/// The name of the column that says where guards stand.
pub const GUARDED: &str = "export.guarded";

/// What separates the names in a cell of that column.
pub const BETWEEN_NAMES: &str = "; ";

/// Finds the columns in whose cells guards stand.
pub(super) struct GuardFinder<'a> {
    names: NameResolver<'a>,
}

/// The columns of one row in whose cells guards stand, by their numbers.
pub(super) struct Guards<'c> {
    columns: Vec<usize>,
    /// The first name that stands for no column, and the number of the cell that has it.
    unknown: Option<(usize, &'c str)>,
}

impl<'a> GuardFinder<'a> {
    /// Looks up what the columns mean as the user says it.
    pub fn new(options: &'a Options) -> Self {
        Self { names: NameResolver::new(options) }
    }

    /// Returns the guards that a record tells of.
    pub fn find<'c>(&self, columns: &[Column], cells: &'c ByteRecord) -> Guards<'c> {
        let mut guards = Guards { columns: Vec::new(), unknown: None };
        for (at, (_, cell)) in
            columns.iter().zip(cells).enumerate().filter(|(_, (column, _))| is_list(column))
        {
            let names = std::str::from_utf8(cell).unwrap_or_default().split(BETWEEN_NAMES.trim_end());
            for name in names.map(str::trim).filter(|name| !name.is_empty()) {
                let found = self.named(columns, name);
                if found.is_empty() {
                    guards.unknown.get_or_insert((at, name));
                }
                guards.columns.extend(found);
            }
        }
        guards
    }

    /// Returns the columns that a name stands for.
    fn named(&self, columns: &[Column], name: &str) -> Vec<usize> {
        let such = |is_it: &dyn Fn(&Column) -> bool| -> Vec<usize> {
            (0..columns.len()).filter(|at| !is_list(&columns[*at]) && is_it(&columns[*at])).collect()
        };
        let same = such(&|column| is_same_name(name, &column.name));
        if !same.is_empty() {
            return same;
        }
        let Ok(meant) = self.names.meaning_of(name) else { return Vec::new() };
        such(&|column| match &column.target {
            // What is kept out of the change has its guards all the same.
            Some(ValueTarget::LeftAlone) => self.names.meaning_of(&column.name).as_ref() == Ok(&meant),
            target => target.as_ref() == Some(&meant),
        })
    }
}

/// Whether a column says where guards stand.
fn is_list(column: &Column) -> bool {
    column.target == Some(ValueTarget::Guards)
}

impl<'c> Guards<'c> {
    /// Returns the text of a cell of this column as it is meant.
    pub fn meant<'t>(&self, column: usize, text: &'t str) -> Cow<'t, str> {
        if self.columns.contains(&column) { undefused(text) } else { Cow::Borrowed(text) }
    }

    /// Returns a name that stands for no column, and the number of the cell that has it.
    pub fn unknown(&self) -> Option<(usize, &'c str)> {
        self.unknown
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::Options;
    use super::super::tests::{ID, findings, only, options};
    use crate::domain::account::RowText;
    use crate::domain::format::Format;
    use crate::domain::run_spec::MappedColumn;

    #[test]
    fn a_guard_is_taken_away_where_the_row_says_that_it_is_one() {
        for (guarded, cell, wanted) in [
            ("notes", "'=1+1", "=1+1"),
            ("id; NOTES", "'- a\n'- b", "- a\n- b"),
            ("notes", "'quoted'", "'quoted'"),
            ("notes", "changed since", "changed since"),
            ("id", "'=1+1", "'=1+1"),
            ("", "'=1+1", "'=1+1"),
            // A name stands for the column of its field, too.
            ("Details/Notes", "'=1+1", "=1+1"),
            ("/details/notes", "'=1+1", "=1+1"),
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

    /// Returns the texts that a row sets, or what is wrong with it.
    fn read_with(header: &str, cells: &str, options: &Options) -> String {
        let row = only(&format!("{header}\n{ID},{cells}\n"), options);
        let told = findings(&row);
        match row.parsed {
            Ok(draft) => draft.sets.iter().map(|set| set.value.1.raw().get()).collect::<Vec<_>>().join(" "),
            Err(_) => told,
        }
    }

    #[test]
    fn a_renamed_column_has_its_guards() {
        let mapped = |column: &str, field: &str| Options {
            mapped: vec![MappedColumn { column: column.into(), field: field.into(), from_settings: false }],
            ..options(Format::Csv)
        };
        let ignored = Options { left_alone: vec!["CRM ID".to_owned()], ..options(Format::Csv) };
        let none = &options(Format::Csv);
        for (header, cells, options, wanted) in [
            ("id,CRM ID,export.guarded", "'+49,externalReferenceId", none, r#""+49""#),
            ("id,/externalReferenceId,export.guarded", "'+49,externalReferenceId", none, r#""+49""#),
            (
                "id,External ID,/salesStage,export.guarded",
                "'+49,'-5,salesStage; CRM ID",
                none,
                r#""+49" "-5""#,
            ),
            ("id,/salesStage,CRM ID,export.guarded", "'-5,'=x,externalReferenceId", none, r#""'-5" "=x""#),
            (
                "id,My Ref,export.guarded",
                "'+49,externalReferenceId",
                &mapped("My Ref", "externalReferenceId"),
                r#""+49""#,
            ),
            // The column has its name, whatever it is mapped to.
            (
                "id,salesStage,export.guarded",
                "'+49,salesStage",
                &mapped("salesStage", "externalReferenceId"),
                r#""+49""#,
            ),
            // What isn't read is there all the same.
            (
                "id,notes,CRM ID,export.guarded",
                "x,'+49,externalReferenceId",
                &mapped("notes", "notes"),
                r#""x""#,
            ),
            ("id,notes,CRM ID,export.guarded", "x,'+49,externalReferenceId", &ignored, r#""x""#),
        ] {
            assert_eq!(read_with(header, cells, options), wanted, "{header} {cells}");
        }
    }

    #[test]
    fn a_name_that_stands_for_no_column_denies_its_row() {
        let none = &options(Format::Csv);
        for (guarded, wanted) in [
            ("notes; salesStage", "kept-guard@3"),
            ("campaignId", "kept-guard@3"),
            ("zzz", "kept-guard@3"),
            ("export.guarded", "kept-guard@3"),
            ("notes;", r#""=1""#),
            (" ; ", r#""'=1""#),
        ] {
            assert_eq!(
                read_with("id,notes,export.guarded", &format!("'=1,{guarded}"), none),
                wanted,
                "{guarded}"
            );
        }
    }
}
