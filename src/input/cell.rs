//! One cell of a CSV, put into its row as the column says.
//!
//! Only numbers can't be understood from their cell alone: whether `12.500` is twelve thousand or twelve and a
//! half depends on how the whole file writes numbers. [`Numbers`] keeps what they have shown so far, and says
//! at the end of the file whether they agree.

use serde_json::value::RawValue;

use super::name_hints::opt_in;
use super::row::RowBuilder;
use super::value_target::ValueTarget;
use crate::domain::decimal::{AmountError, DecimalSign};
use crate::domain::excerpt::excerpt;
use crate::domain::fields::{Kind, Path};
use crate::domain::finding::{Finding, Location};
use crate::domain::json;
use crate::domain::rules::Rule;
use crate::domain::text_form::Separator;
use crate::domain::type_error::TypeError;
use crate::domain::value::Wanted;

/// What a cell holds to have its field cleared.
pub(super) const CLEAR: &str = "\\N";

/// How the numbers of a file are written, as far as its cells have shown.
pub(super) struct Numbers {
    /// The decimal sign that the user named.
    said: Option<DecimalSign>,
    /// Whether commas separate the cells. Then a comma in a number needs quotes, and is the exception.
    in_commas: bool,
    /// The first number with a decimal point.
    point: Option<SampleNumber>,
    /// The first number with a decimal comma.
    comma: Option<SampleNumber>,
    /// The first number that may be read with either.
    doubtful: Option<SampleNumber>,
}

/// A number of the file, and the line it stands on.
struct SampleNumber {
    line: u64,
    text: String,
}

impl Numbers {
    /// Begins with the decimal sign that the user named, if any, and no numbers.
    pub fn new(said: Option<DecimalSign>, separator: Separator) -> Self {
        Self { said, in_commas: separator == Separator::COMMA, point: None, comma: None, doubtful: None }
    }

    /// Reads a number and remembers which decimal sign it shows.
    ///
    /// # Errors
    /// If it is no number, or may be two.
    pub fn read(&mut self, place: Location, text: &str) -> Result<Wanted, AmountError> {
        let read = Wanted::amount(text, self.said);
        let kind = match &read {
            Ok(wanted) => match wanted.sign() {
                Some(DecimalSign::Point) => &mut self.point,
                Some(DecimalSign::Comma) => &mut self.comma,
                None => return read,
            },
            Err(AmountError::Doubtful(_)) => &mut self.doubtful,
            Err(AmountError::Wrong(_)) => return read,
        };
        kind.get_or_insert_with(|| SampleNumber { line: place.line, text: text.trim().to_owned() });
        read
    }

    /// Returns why no number of the file that has a point or a comma in it can be trusted; `None` where they
    /// agree.
    ///
    /// Where commas separate the cells, a doubtful number says nothing about the others.
    pub fn contradiction(&self) -> Option<String> {
        // With a decimal sign that the user named, a number that doesn't fit has a finding of its own.
        if self.said.is_some() {
            return None;
        }
        let (one, other) = match (&self.point, &self.comma, &self.doubtful) {
            (Some(point), Some(comma), _) => (point, comma),
            (Some(clear), None, Some(doubtful)) | (None, Some(clear), Some(doubtful)) if !self.in_commas => {
                (doubtful, clear)
            }
            _ => return None,
        };
        let shown = |seen: &SampleNumber| format!("{} on line {}", excerpt(&seen.text), seen.line);
        Some(format!("how the file writes numbers is in doubt: {}, {}", shown(one), shown(other)))
    }
}

/// Puts a cell into its row, as its target says. An empty cell leaves the field alone.
pub(super) fn fill(
    row: &mut RowBuilder<'_>,
    numbers: &mut Numbers,
    place: Location,
    (column, target): (&str, &ValueTarget),
    text: &str,
) {
    if text.trim().is_empty() {
        return row.left_empty(place, column, target);
    }
    if row.base().is_lacking() && *target != ValueTarget::Id {
        return;
    }
    let denials = row.denials();
    value(row, numbers, place, target, text);
    if row.denials() > denials {
        row.base().doubt(target);
    }
}

/// Puts the value of a cell into its row.
fn value(row: &mut RowBuilder<'_>, numbers: &mut Numbers, place: Location, target: &ValueTarget, text: &str) {
    let trimmed = text.trim();
    // In a column that nothing can be cleared through, `\N` is a text like any other.
    if trimmed == CLEAR && clear(row, place, target) {
        return;
    }
    match target {
        ValueTarget::Id => row.id(place, trimmed),
        ValueTarget::Key => row.key(place, trimmed),
        ValueTarget::Identifier => row.identifier(place, trimmed),
        ValueTarget::ETag => row.etag(place, trimmed),
        ValueTarget::Status => row.status(place, trimmed, Rule::Contradiction),
        ValueTarget::Substatus => row.substatus(place, trimmed, Rule::Contradiction),
        // Checked before the text is parsed: what reads it later must not run out of stack.
        ValueTarget::Set(path) if too_deep(path.kind(), text) => row.refuse_depth(place),
        ValueTarget::Set(path) if path.kind() == Kind::Decimal => number(row, numbers, place, path, text),
        ValueTarget::Set(path) => match Wanted::from_text(path.kind(), text) {
            Ok(wanted) => {
                let is_day = path.kind() == Kind::DateTime && !text.contains(':');
                let day = is_day.then(|| wanted.raw().to_owned());
                row.set(place, path, wanted, Rule::Contradiction);
                day.iter().for_each(|day| row.base().keep_day(path, day));
            }
            Err(error) => row.mistyped_text(place, path.pointer().as_str(), text, error),
        },
        ValueTarget::AddMembers(field) => row.append_members(place, *field, text),
        ValueTarget::Append(field) if too_deep(field.kind(), text) => row.refuse_depth(place),
        ValueTarget::Append(field) => match serde_json::from_str::<&RawValue>(text) {
            Ok(element) => row.append_object(place, *field, element),
            Err(_) => {
                let error = TypeError::new(
                    format!("{} is no JSON object", excerpt(text)),
                    "write one object, or use team.add for First, Last, phone, email",
                );
                row.mistyped_text(place, field.pointer().as_str(), text, error);
            }
        },
        ValueTarget::ReadOnly(pointer) => row.refuse_read_only(place, pointer),
        ValueTarget::Unconfirmed(pointer) => row.refuse_unconfirmed(place, pointer, opt_in(pointer)),
        // The cells of a Partner Center file are read by `portal`.
        ValueTarget::Portal(_) | ValueTarget::Guards | ValueTarget::Ignored | ValueTarget::LeftAlone => {}
    }
}

/// Puts in a number, whose decimal sign may depend on the rest of the file.
fn number(row: &mut RowBuilder<'_>, numbers: &mut Numbers, place: Location, path: &Path, text: &str) {
    let name = path.pointer().as_str();
    match numbers.read(place, text) {
        Ok(wanted) => row.set(place, path, wanted, Rule::Contradiction),
        Err(error) => no_number(row, place, name, text, error),
    }
}

/// Adds the finding that a text is no number, or may be two.
pub(super) fn no_number(
    row: &mut RowBuilder<'_>,
    place: Location,
    name: &str,
    text: &str,
    error: AmountError,
) {
    match error {
        AmountError::Wrong(error) => row.mistyped_text(place, name, text, error),
        AmountError::Doubtful(TypeError { message, hint }) => {
            let finding = Finding::deny(Rule::DecimalSign, place, format!("{name}: {message}"));
            row.add_finding(finding.hint(hint.unwrap_or_default()));
        }
    }
}

/// Clears the target, where it is one that can be asked to be cleared. Returns false where `\N` is a text like
/// any other.
fn clear(row: &mut RowBuilder<'_>, place: Location, target: &ValueTarget) -> bool {
    match target {
        ValueTarget::Id => {
            row.excuse_id();
            row.refuse_clearing(place, "id");
        }
        // Where an export writes so of a deal without a key, the row has none.
        ValueTarget::Key | ValueTarget::Identifier => {}
        ValueTarget::ETag => row.refuse_clearing(place, "eTag"),
        ValueTarget::Status => row.refuse_clearing(place, "status"),
        ValueTarget::Substatus => row.refuse_clearing(place, "substatus"),
        ValueTarget::Set(path) => row.clear(place, path, Rule::Contradiction),
        ValueTarget::AddMembers(_) | ValueTarget::Append(_) => {
            row.refuse_clearing(place, "an element to append")
        }
        ValueTarget::ReadOnly(_)
        | ValueTarget::Unconfirmed(_)
        | ValueTarget::Portal(_)
        | ValueTarget::Guards
        | ValueTarget::Ignored
        | ValueTarget::LeftAlone => return false,
    }
    true
}

/// Returns whether a cell that holds JSON nests deeper than parsers may follow.
fn too_deep(kind: Kind, text: &str) -> bool {
    matches!(kind, Kind::Members | Kind::Solutions) && json::is_too_deep(text)
}

#[cfg(test)]
mod tests {
    use super::super::options::Options;
    use super::super::tests::{ID, findings, only, options, read_bytes, warnings};
    use crate::domain::account::RowText;
    use crate::domain::decimal::DecimalSign;
    use crate::domain::format::Format;
    use crate::domain::level::Level;
    use crate::domain::rules::{Levels, Rule};

    fn csv() -> Options {
        options(Format::Csv)
    }

    /// Checks what a row with one cell of a column is refused and warned for.
    fn check(options: &Options, column: &str, cell: &str, refused: &str, warned: &str) {
        let row = only(&format!("id,{column}\n{ID},\"{}\"\n", cell.replace('"', "\"\"")), options);
        assert_eq!((findings(&row).as_str(), warnings(&row).as_str()), (refused, warned), "{column} {cell}");
    }

    /// The deal values of a file, separated so, as they would be sent, `?` where one is in doubt and `!` where
    /// it is none; and whether the file's numbers contradict each other.
    fn numbers(separator: &str, said: Option<DecimalSign>, cells: &[&str]) -> (String, bool) {
        let rows = cells.iter().map(|cell| format!("{ID}{separator}\"{cell}\"\n"));
        let text = format!("id{separator}dealValue\n{}", rows.collect::<String>());
        let (rows, end) = read_bytes(text.as_bytes(), &Options { decimal: said, ..csv() });
        let told = rows.iter().map(|row| match (&row.parsed, findings(row).as_str()) {
            (Ok(draft), _) => draft.sets[0].value.1.raw().get().to_owned(),
            (Err(_), "decimal-sign@2") => "?".to_owned(),
            (Err(_), "type@2") => "!".to_owned(),
            (Err(_), other) => panic!("{other}"),
        });
        (told.collect::<Vec<_>>().join(" "), end.unwrap().contradiction.is_some())
    }

    #[test]
    fn numbers_are_read_as_their_file_writes_them() {
        use DecimalSign::{Comma, Point};
        for (separator, said, cells, wanted, contradict) in [
            (",", None, &["5", "12500.50", "1,234.56"][..], "5 12500.50 1234.56", false),
            (";", None, &["5", "12500,50", "1.234,56"], "5 12500.50 1234.56", false),
            ("\t", None, &["12500,50"], "12500.50", false),
            (";", None, &["12500.50", "12500,50"], "12500.50 12500.50", true),
            (",", None, &["12500.50", "12500,50"], "12500.50 12500.50", true),
            (";", None, &["12.500", "3.000", "1.234,56"], "? ? 1234.56", true),
            (";", None, &["1.234,56", "12.500"], "1234.56 ?", true),
            ("\t", None, &["12,500", "12500.50"], "? 12500.50", true),
            (",", None, &["12,500", "12500.50"], "? 12500.50", false),
            (";", None, &["12.500", "5"], "? 5", false),
            (",", None, &["12.500"], "?", false),
            (";", Some(Comma), &["12.500", "3.000", "1.234,56"], "12500 3000 1234.56", false),
            (";", Some(Point), &["12.500", "3.000", "1.234,56"], "12.500 3.000 !", false),
            (",", Some(Point), &["12,500", "12500.50"], "12500 12500.50", false),
            (",", Some(Comma), &["12,500", "12500.50"], "12.500 !", false),
        ] {
            let got = numbers(separator, said, cells);
            assert_eq!(got, (wanted.to_owned(), contradict), "{separator:?} {said:?} {cells:?}");
        }
    }

    #[test]
    fn what_a_spreadsheet_made_of_a_text_is_told() {
        for (column, cell, refused, warned) in [
            ("notes", "#REF!", "spreadsheet-error@2", ""),
            ("externalReferenceId", "#N/A", "spreadsheet-error@2", ""),
            ("notes", "nan", "ok", "empty-word@2"),
            ("notes", "NULL", "ok", "empty-word@2"),
            ("externalReferenceId", "4.68769E+17", "ok", "rewritten-number@2"),
            ("notes", "Angebot f\u{c3}\u{bc}r M\u{c3}\u{bc}ller", "ok", "misread-text@2"),
            ("notes", "Angebot für Müller", "ok", ""),
            ("team.add", "NULL, Lee, #N/A, lee@example.com", "spreadsheet-error@2", "empty-word@2"),
            ("team", r##"[{"email":"a@example.com","firstName":"#N/A"}]"##, "spreadsheet-error@2", ""),
            ("/team/-", r#"{"email":"a@example.com","firstName":"nan"}"#, "ok", "empty-word@2"),
            ("notes", "a\u{200b}b", "ok", "hidden-character@2"),
            // What is no text is no value of its type either.
            ("dealValue", "#N/A", "type@2", ""),
            ("closingDateTime", "NULL", "type@2", ""),
            ("status", "None", "type@2", ""),
            ("eTag", "#N/A", "type@2", ""),
            ("eTag", "NULL", "type@2", ""),
        ] {
            check(&csv(), column, cell, refused, warned);
        }
        let mut levels = Levels::default();
        levels.set(Rule::SpreadsheetError, Level::Warn).unwrap();
        levels.set(Rule::EmptyWord, Level::Deny).unwrap();
        levels.set(Rule::RewrittenNumber, Level::Allow).unwrap();
        let levelled = Options { levels, ..csv() };
        check(&levelled, "notes", "#REF!", "ok", "spreadsheet-error@2");
        check(&levelled, "notes", "nan", "empty-word@2", "");
        check(&levelled, "externalReferenceId", "4.68769E+17", "ok", "");
    }

    #[test]
    fn an_empty_list_clears() {
        check(&csv(), "team", "[]", "clear@2", "");
        check(&Options { clear: true, ..csv() }, "team", "[]", "ok", "");
        check(&csv(), "notes", "[]", "ok", "");
    }

    #[test]
    fn people_are_known_by_an_address_alone() {
        for (cell, refused) in [
            ("Kim, Park,, kim@example.com", "ok"),
            ("Kim, Park,, Kim Park <kim@example.com>", "type@2"),
            ("Kim, Park,, mailto:kim@example.com", "type@2"),
        ] {
            check(&csv(), "team.add", cell, refused, "");
        }
        for (cell, refused) in [
            (r#"[{"email":"Kim Park <kim@example.com>"}]"#, "type@2"),
            (r#"[{"email":"kim@example.com","rank":1e400}]"#, "type@2"),
            (r#"[{"email":"kim@example.com","title":"\ud800"}]"#, "type@2"),
        ] {
            check(&csv(), "team", cell, refused, "");
        }
    }

    #[test]
    fn a_column_that_is_left_alone_is_kept_and_says_nothing() {
        let alone = Options { left_alone: vec!["Owner".to_owned(), "STAGE".to_owned()], ..csv() };
        let text = format!("id,owner ,Stage,Owner,dealValue\n{ID},\u{fffd},Won,\\N,5\n");
        let row = only(&text, &alone);
        assert_eq!(findings(&row), "ok");
        assert_eq!(row.parsed.unwrap().sets.len(), 1);
        assert_eq!(row.text, RowText::Cells([ID, "\u{fffd}", "Won", "\\N", "5"].map(str::to_owned).into()));
    }
}
