//! What changes are sent in the order of: a column of the inputs, or a member of JSON.
//!
//! Values are taken from rows as they are on record, and mean a number, a point in time, or neither. What can be read in
//! two ways is never guessed.

use super::order_member;
use super::portal::day;
use crate::domain::account::{InputInfo, RowText};
use crate::domain::decimal::{self, AmountError, DecimalSign};
use crate::domain::excerpt::excerpt;
use crate::domain::instant::{self, Instant};
use crate::domain::json::{self, Object};
use crate::domain::likeness::is_same_name;
use crate::domain::number::Number;
use crate::domain::portal_text::undefused;
use crate::domain::priority::OrderKind;
use crate::domain::sheet_cell::CellType;
use crate::domain::sort_key::SortKey;
use crate::domain::type_error::TypeError;

/// A column by its place in each input.
#[derive(Debug, Clone)]
pub struct OrderColumn {
    name: String,
    /// The decimal sign that the user named.
    decimal: Option<DecimalSign>,
    places: Vec<ColumnPlace>,
}

/// Where an input has a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ColumnPlace {
    /// Nowhere.
    Absent,
    /// In this cell of each row, counted from 0.
    Cell { at: usize, is_portal: bool },
    /// In a member of each row, which may have it or not.
    Member,
}

/// The reason why a name stands for no one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnTwice {
    /// The path of the input.
    pub path: String,
    /// Its columns of this name.
    pub columns: Vec<String>,
}

/// A value that a row gives.
#[derive(Debug, Clone)]
pub struct OrderValue {
    pub(super) text: String,
    pub(super) meaning: Meaning,
}

/// What a value can be.
#[derive(Debug, Clone)]
pub(super) enum Meaning {
    /// A number, and the decimal sign that it shows.
    Number(Number, Option<DecimalSign>),
    Time(Instant),
    Word,
    /// A number or a date that can be read in two ways.
    Doubtful(TypeError),
}

impl OrderColumn {
    /// Finds a column in the inputs, in which letter case and spaces make no difference. `decimal` is the decimal
    /// sign that the user named.
    ///
    /// # Errors
    /// Where an input has two columns of the name, and none to the letter.
    pub fn find(name: &str, decimal: Option<DecimalSign>, inputs: &[InputInfo]) -> Result<Self, ColumnTwice> {
        let places = inputs.iter().map(|input| place(name, input)).collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), decimal, places })
    }

    /// Whether an input has the column in its header.
    pub fn is_in_header(&self) -> bool {
        self.places.iter().any(|place| matches!(place, ColumnPlace::Cell { .. }))
    }

    /// Whether rows may have it that no header tells of: those of JSON.
    pub fn may_be_member(&self) -> bool {
        self.places.contains(&ColumnPlace::Member)
    }

    /// Returns the value that a row of an input, counted from 0, gives; `None` where it gives none.
    pub fn value(&self, input: u32, row: &RowText) -> Option<OrderValue> {
        match (*self.places.get(input as usize)?, row) {
            (ColumnPlace::Cell { at, is_portal }, RowText::Cells(cells)) => {
                self.cell(CellType::Text, cells.get(at)?, is_portal)
            }
            (ColumnPlace::Cell { at, is_portal }, RowText::Sheet(cells)) => {
                let cell = cells.get(at)?;
                self.cell(cell.kind, &cell.text, is_portal)
            }
            (ColumnPlace::Member, RowText::Line(line)) => member(&self.name, line),
            _ => None,
        }
    }

    fn cell(&self, kind: CellType, text: &str, is_portal: bool) -> Option<OrderValue> {
        let text = text.trim();
        // Whoever wrote the file may have kept it from a spreadsheet.
        let text = undefused(text);
        if text.is_empty() || kind == CellType::Formula {
            return None;
        }
        let meaning = match kind {
            CellType::Number | CellType::Time => {
                Number::parse(text).map(|number| Meaning::Number(number, None))
            }
            CellType::Boolean | CellType::Formula => None,
            CellType::Date => Instant::parse(text).map(Meaning::Time),
            CellType::Text => Some(self.text(text, is_portal)),
        };
        Some(OrderValue { text: text.to_owned(), meaning: meaning.unwrap_or(Meaning::Word) })
    }

    /// Returns what a cell of text can be.
    fn text(&self, text: &str, is_portal: bool) -> Meaning {
        match decimal::read(text, self.decimal) {
            Ok(amount) => {
                if let Some(number) = Number::parse(&amount.digits) {
                    return Meaning::Number(number, amount.sign);
                }
            }
            Err(AmountError::Doubtful(why)) => return Meaning::Doubtful(why),
            Err(AmountError::Wrong(_)) => {}
        }
        let time = Instant::parse(text);
        if let Some(time) = time.or_else(|| day(text).filter(|_| is_portal).map(Instant::midnight_of)) {
            return Meaning::Time(time);
        }
        match instant::is_numeric_date(text) {
            true => Meaning::Doubtful(TypeError::new(
                format!("{} is no date that reads in one way only", excerpt(text)),
                instant::hint(text),
            )),
            false => Meaning::Word,
        }
    }
}

/// Returns where an input has a column.
fn place(name: &str, input: &InputInfo) -> Result<ColumnPlace, ColumnTwice> {
    if !input.format.is_table() {
        return Ok(ColumnPlace::Member);
    }
    let columns = input.columns.iter().enumerate();
    let named: Vec<(usize, &String)> = columns.filter(|(_, column)| is_same_name(name, column)).collect();
    let literal = named.iter().filter(|(_, column)| *column == name).collect::<Vec<_>>();
    match (&literal[..], &named[..]) {
        ([(at, _)], _) | (_, [(at, _)]) => Ok(ColumnPlace::Cell { at: *at, is_portal: input.is_portal }),
        (_, []) => Ok(ColumnPlace::Absent),
        _ => Err(ColumnTwice {
            path: input.path.clone(),
            columns: named.into_iter().map(|(_, column)| column.clone()).collect(),
        }),
    }
}

/// Returns the value of a member of a JSON object.
fn member(name: &str, line: &str) -> Option<OrderValue> {
    let object = Object::parse(line)?;
    let value = order_member::find(&object, name)?;
    let (text, is_text) = match json::string(value) {
        Some(text) => (text.trim().to_owned(), true),
        None => (value.get().to_owned(), false),
    };
    let is_none = text.is_empty() || !is_text && (text == "null" || text.starts_with(['{', '[']));
    if is_none {
        return None;
    }
    let number = Number::parse(&text).map(|number| Meaning::Number(number, None));
    let meaning = number.or_else(|| Instant::parse(&text).map(Meaning::Time)).unwrap_or(Meaning::Word);
    Some(OrderValue { text, meaning })
}

impl OrderValue {
    /// Returns the key by which the value is sorted; `None` where it is none of the kind.
    pub fn key(&self, kind: OrderKind) -> Option<SortKey> {
        match (kind, &self.meaning) {
            (OrderKind::Numbers, Meaning::Number(number, _)) => Some(SortKey::of_number(number)),
            (OrderKind::Dates, Meaning::Time(time)) => Some(SortKey::of_time(*time)),
            (OrderKind::Text, _) => Some(SortKey::of_text(&self.text)),
            (OrderKind::Numbers | OrderKind::Dates, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::order_kinds::{OrderDoubt, OrderKinds, Seen};
    use super::*;
    use crate::commands::next_command::spelled;
    use crate::domain::day_doubt::DateColumns;
    use crate::domain::finding::Location;
    use crate::domain::format::Format;
    use crate::domain::sheet_cell::SheetCell;
    use crate::domain::text_form::TextForm;

    fn input(format: Format, columns: &[&str]) -> InputInfo {
        InputInfo {
            path: "a.csv".to_owned(),
            sha256: String::new(),
            rows: 0,
            format,
            form: TextForm::default(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            is_portal: format == Format::PortalCsv,
            dates: DateColumns::default(),
            sheet: None,
        }
    }

    /// What the values of a column of one input are, and its rows in rising order; or why that can't be told.
    fn told(format: Format, decimal: Option<DecimalSign>, rows: &[RowText]) -> String {
        let column = OrderColumn::find("Due", decimal, &[input(format, &["id", "Due"])]).unwrap();
        let mut kinds = OrderKinds::default();
        for (line, row) in (2..).zip(rows) {
            let place = Location { input: 0, line, column: 1 };
            column.value(0, row).iter().for_each(|value| kinds.add(place, value));
        }
        let kind = match kinds.conclude() {
            Ok(Seen { kind: Some(kind), .. }) => kind,
            Ok(Seen { kind: None, .. }) => return "none".to_owned(),
            Err(doubts) => {
                let told = doubts.iter().map(|OrderDoubt { sample, why }| {
                    let hint = spelled(why.hint.as_ref().unwrap());
                    format!("{}: {}; {hint}", sample.place.line, why.message)
                });
                return told.collect::<Vec<_>>().join(" | ");
            }
        };
        let key = |at: &usize| column.value(0, &rows[*at]).and_then(|value| value.key(kind));
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|at| (key(at).is_none(), key(at)));
        let order: Vec<String> = order.iter().map(|at| (at + 1).to_string()).collect();
        format!("{} {}", kind.name(), order.join(""))
    }

    fn cells(values: &[&str]) -> Vec<RowText> {
        values.iter().map(|value| RowText::Cells(vec!["id".to_owned(), (*value).to_owned()])).collect()
    }

    #[test]
    fn values_are_of_one_kind_or_are_told_to_be_none() {
        use {DecimalSign::*, Format::*};
        for (format, decimal, values, wanted) in [
            (Csv, None, &["10", "9", "", "-1", "9.5"][..], "numbers 42513"),
            (Csv, None, &["1.5", "1,234.5", "7"], "numbers 132"),
            (Csv, None, &["1,5", "1.234,5", "7"], "numbers 132"),
            (Csv, Some(Point), &["1,234", "2.5"], "numbers 21"),
            (Csv, Some(Comma), &["1.234", "2,5"], "numbers 21"),
            (Csv, None, &["1,234", "2"], "2: \"1,234\" may be 1.234 or 1234; say how the file"),
            (
                Csv,
                None,
                &["2.5", "2,5"],
                "3: how the file writes numbers is in doubt: \"2.5\" on line 2, \"2,5\" on line 3; say",
            ),
            (Csv, None, &["9", "9", "9"], "numbers 123"),
            (Csv, None, &["2026-12-01", "2026-01-31T10:00:00+01:00", "2025-12-31", " "], "dates 3214"),
            (Csv, None, &["b", "A", "10", "9"], "text 3421"),
            (
                Csv,
                None,
                &["9", "10", "high", ""],
                "4: most values are numbers or dates, and \"high\" is neither; write",
            ),
            (Csv, None, &["9", "high", "10", "low"], "text 3124"),
            (
                Csv,
                None,
                &["5", "2026-01-01"],
                "3: \"2026-01-01\" is a date, and \"5\" on line 2 a number; write",
            ),
            (
                Csv,
                None,
                &["2026-01-01", "2026-01-02", "5", "6"],
                "4: \"5\" is a number, and \"2026-01-01\" on",
            ),
            (Csv, None, &["5", "2026-01-01", "2026-01-02"], "2: \"5\" is a number, and \"2026-01-01\" on"),
            (Csv, None, &["7%", "6%"], "text 21"),
            (
                Csv,
                None,
                &["12/31/2026", "01/05/2026"],
                "2: \"12/31/2026\" is no date that reads in one way only; write 2026-12-31",
            ),
            (
                Csv,
                None,
                &["03.04.2026"],
                "2: \"03.04.2026\" is no date that reads in one way only; it may be",
            ),
            (Csv, None, &["03/04/2026", "soon", "later"], "2: \"03/04/2026\" is no date that reads in one"),
            (
                Csv,
                None,
                &["TBD", "12/31/2026", "11/30/2026"],
                "2: most values are numbers or dates, and \"TBD\" is neither; write it as they are, or nothing: what \
                 has no value comes last | 3: \"12/31/2026\" is no date that reads in one way only; write 2026-12-31",
            ),
            (Csv, None, &["'-5", "4", "-6"], "numbers 312"),
            (Csv, None, &["", " "], "none"),
            (PortalCsv, None, &["12/31/2026", "1/5/2026", "2026-06-01"], "dates 231"),
            (PortalCsv, None, &["31/12/2026", "1/5/2026"], "2: \"31/12/2026\" is no date"),
            (PortalCsv, None, &["2", "10", "1.5"], "numbers 312"),
        ] {
            let told = told(format, decimal, &cells(values));
            assert!(told.starts_with(wanted), "{values:?}: {told}");
        }
    }

    #[test]
    fn cells_of_a_workbook_have_their_own_types() {
        use CellType::{Boolean, Date, Formula, Number, Text};
        for (values, wanted) in [
            (&[(Number, "12.5"), (Number, "1e300"), (Text, ""), (Number, "-3")][..], "numbers 4123"),
            (&[(Number, "12.5"), (Text, "7")], "numbers 21"),
            (&[(Date, "2026-12-31"), (Date, "2026-01-01T10:00:00Z"), (Text, "2026-06-01")], "dates 231"),
            (&[(Boolean, "true"), (Boolean, "false")], "text 21"),
            (&[(Formula, "A1+1"), (Number, "2")], "numbers 21"),
        ] {
            let row = |(kind, text): &(CellType, &str)| {
                RowText::Sheet(vec![
                    SheetCell::text("id"),
                    SheetCell { kind: *kind, text: (*text).to_owned() },
                ])
            };
            let rows: Vec<RowText> = values.iter().map(row).collect();
            assert_eq!(told(Format::Xlsx, None, &rows), wanted, "{values:?}");
        }
    }

    #[test]
    fn members_of_json_are_columns() {
        let value = |name: &str, line: &str| {
            let column = OrderColumn::find(name, None, &[input(Format::Jsonl, &[])]).unwrap();
            column.value(0, &RowText::Line(line.to_owned())).map(|value| value.text)
        };
        for (name, line, wanted) in [
            ("Due", r#"{"due":5}"#, Some("5")),
            ("Due", r#"{"due":"5 "}"#, Some("5")),
            ("Due", r#"{"due":true}"#, Some("true")),
            ("Due", r#"{"due":null}"#, None),
            ("Due", r#"{"due":""}"#, None),
            ("Due", r#"{"due":{"at":5}}"#, None),
            ("Due", r#"{"due":[5]}"#, None),
            ("Due", r#"{"other":5}"#, None),
            ("Due", "{", None),
            ("due.at", r#"{"due":{"At":5}}"#, Some("5")),
            ("/due/at", r#"{"due":{"at":5}}"#, Some("5")),
            ("due.at", r#"{"due.at":6,"due":{"at":5}}"#, Some("6")),
            ("dealValue", r#"{"dealValue":7}"#, Some("7")),
            // A path to a value of referrals stands for that.
            ("details.dealValue", r#"{"details":{"dealValue":7}}"#, None),
        ] {
            assert_eq!(value(name, line).as_deref(), wanted, "{name} {line}");
        }
        let lines = |values: &[&str]| -> Vec<RowText> {
            values.iter().map(|value| RowText::Line(format!(r#"{{"due":{value}}}"#))).collect()
        };
        for (values, wanted) in [
            (&["10", "\"9\"", "null", "1e1", "9007199254740993"][..], "numbers 21453"),
            (&["\"2026-12-31\"", "\"2026-01-01\""], "dates 21"),
            (&["\"12.500\"", "3"], "numbers 21"),
            (&["true", "3", "\"x\""], "text 213"),
        ] {
            assert_eq!(told(Format::Jsonl, None, &lines(values)), wanted, "{values:?}");
        }
    }

    #[test]
    fn a_name_stands_for_one_column() {
        let at = |columns: &[&str]| {
            let found = OrderColumn::find("Due", None, &[input(Format::Csv, columns)]);
            found.map(|column| column.places[0]).map_err(|twice| twice.columns.join("|"))
        };
        let cell = |at| Ok(ColumnPlace::Cell { at, is_portal: false });
        assert_eq!(at(&["id", "d ue"]), cell(1));
        assert_eq!(at(&["due", "Due"]), cell(1));
        assert_eq!(at(&["id", "Dues"]), Ok(ColumnPlace::Absent));
        assert_eq!(at(&["due", "DUE"]), Err("due|DUE".to_owned()));
    }
}
