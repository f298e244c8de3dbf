//! What stands in a sheet besides the values of its cells: what is hidden, what is merged, and whether all that
//! it refers to can be.

use std::io::{BufRead, BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::catalogue::some;
use crate::domain::sheet_cell::letters;

/// The last row and column of a sheet.
const ROWS: u32 = 1_048_576;
const COLUMNS: u32 = 16_384;

/// The most formulas that share a text; each takes room by its number.
const SHARED: u32 = ROWS;

/// What is told of a sheet.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SheetSurvey {
    /// Hidden columns, first and last of each run, counted from 1.
    hidden_columns: Vec<(u32, u32)>,
    /// Hidden rows in which something stands.
    hidden_rows: Seen<u32>,
    /// Merged cells, such as `A1:C1`.
    merged: Seen<String>,
}

/// How many of a sort there are, and the first of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen<T> {
    pub count: u64,
    pub first: T,
}

impl<T> Seen<T> {
    pub fn add(&mut self, one: impl FnOnce() -> T) {
        self.count += 1;
        if self.count == 1 {
            self.first = one();
        }
    }
}

/// Why a sheet can't be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum SurveyError {
    #[error(transparent)]
    Xml(#[from] quick_xml::Error),
    #[error("{0} is no place in a sheet")]
    Place(String),
}

impl SheetSurvey {
    /// Reads the part of a sheet to its end.
    ///
    /// # Errors
    /// Where it is no sound XML, or refers to cells that no sheet has.
    pub fn of(part: impl Read) -> Result<Self, SurveyError> {
        let mut reader = Reader::from_reader(BufReader::with_capacity(64 * 1024, part));
        let (mut survey, mut buffer) = (Self::default(), Vec::new());
        let mut hidden_row = None;
        loop {
            buffer.clear();
            match read_event(&mut reader, &mut buffer)? {
                Event::Start(tag) => survey.tag(&tag, &mut hidden_row)?,
                Event::Empty(tag) => {
                    survey.tag(&tag, &mut hidden_row)?;
                    if tag.local_name().as_ref() == "row" {
                        hidden_row = None;
                    }
                }
                Event::End(tag) if tag.local_name().as_ref() == "row" => hidden_row = None,
                Event::Eof => return Ok(survey),
                _ => {}
            }
        }
    }

    /// Takes note of a tag that opens an element. `hidden_row` is the hidden row that it stands in, as long as
    /// nothing was found there.
    fn tag(&mut self, tag: &BytesStart<'_>, hidden_row: &mut Option<u32>) -> Result<(), SurveyError> {
        match tag.local_name().as_ref() {
            "c" => {
                if let Some(place) = value_of(tag, "r")? {
                    check(&place, is_cell(&place))?;
                }
            }
            "v" | "is" => {
                if let Some(row) = hidden_row.take() {
                    self.hidden_rows.add(|| row);
                }
            }
            "row" => {
                let number = value_of(tag, "r")?;
                let row = number.as_deref().map_or(Some(0), row_of);
                check(number.as_deref().unwrap_or_default(), row.is_some())?;
                let is_hidden = is_true(value_of(tag, "hidden")?.as_deref());
                *hidden_row = row.filter(|_| is_hidden);
            }
            "f" => {
                if let Some(range) = value_of(tag, "ref")? {
                    check(&range, is_range(&range))?;
                }
                if let Some(shared) = value_of(tag, "si")? {
                    check(&shared, shared.parse::<u32>().is_ok_and(|shared| shared <= SHARED))?;
                }
            }
            "dimension" => {
                if let Some(range) = value_of(tag, "ref")? {
                    check(&range, is_range(&range))?;
                }
            }
            "mergeCell" => {
                if let Some(range) = value_of(tag, "ref")? {
                    check(&range, is_range(&range))?;
                    self.merged.add(|| range);
                }
            }
            "col" if is_true(value_of(tag, "hidden")?.as_deref()) => {
                let number =
                    |text: Option<String>| text.and_then(|text| text.parse::<u32>().ok()).unwrap_or(1);
                let (first, last) = (number(value_of(tag, "min")?), number(value_of(tag, "max")?));
                if self.hidden_columns.len() < COLUMNS as usize {
                    self.hidden_columns.push((first.clamp(1, COLUMNS), last.clamp(1, COLUMNS)));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns what to tell of what a person doesn't see. `columns` are the names of the columns that are read.
    pub fn notes(&self, columns: &[String]) -> Vec<String> {
        let mut notes = Vec::new();
        let hidden: Vec<String> = self
            .hidden_columns
            .iter()
            .flat_map(|(first, last)| *first as usize..=columns.len().min(*last as usize))
            .filter_map(|number| columns.get(number - 1).map(|name| (letters(number - 1), name.trim())))
            .map(|(letters, name)| if name.is_empty() { letters } else { format!("{letters} {name}") })
            .collect();
        if !hidden.is_empty() {
            let columns =
                if hidden.len() == 1 { "1 column is" } else { &format!("{} columns are", hidden.len()) };
            notes.push(format!("{columns} hidden, and read all the same: {}", some(&hidden)));
        }
        if let Seen { count: count @ 1.., first } = self.hidden_rows {
            let rows = if count == 1 { "1 row is" } else { &format!("{count} rows are") };
            notes.push(format!(
                "{rows} hidden or filtered out, and read all the same, the first is row {first}"
            ));
        }
        if let Seen { count: count @ 1.., first } = &self.merged {
            let merged = if *count == 1 {
                format!("the cells {first} are merged")
            } else {
                format!("{count} groups of cells are merged, the first is {first}")
            };
            notes.push(format!("{merged}: only the first cell has the value, the others are empty"));
        }
        notes
    }
}

fn read_event<'b, R: BufRead>(
    reader: &mut Reader<R>,
    buffer: &'b mut Vec<u8>,
) -> Result<Event<'b>, SurveyError> {
    Ok(reader.read_event_into(buffer)?)
}

fn value_of(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, SurveyError> {
    let attribute = tag.try_get_attribute(name).map_err(quick_xml::Error::from)?;
    Ok(attribute.map(|attribute| attribute.value.into_owned()))
}

fn is_true(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "true"))
}

fn check(place: &str, is_sound: bool) -> Result<(), SurveyError> {
    if is_sound { Ok(()) } else { Err(SurveyError::Place(place.chars().take(40).collect())) }
}

/// Returns the number of a row, where there can be one.
fn row_of(text: &str) -> Option<u32> {
    text.parse().ok().filter(|row| (1..=ROWS).contains(row))
}

/// Returns whether a text names a cell that there can be.
fn is_cell(text: &str) -> bool {
    position(text).is_some()
}

/// Returns whether a text names a cell, or a range from its first cell to its last one.
fn is_range(text: &str) -> bool {
    match text.split_once(':') {
        None => is_cell(text),
        Some((first, last)) => match (position(first), position(last)) {
            (Some(first), Some(last)) => first.0 <= last.0 && first.1 <= last.1,
            _ => false,
        },
    }
}

/// Returns row and column of a cell's name, counted from 1.
fn position(text: &str) -> Option<(u32, u32)> {
    let letters = text.find(|c: char| !c.is_ascii_alphabetic())?;
    let (letters, row) = text.split_at(letters);
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    let value = |byte: u8| u32::from(byte.to_ascii_uppercase() - b'A') + 1;
    let column = letters.bytes().fold(0, |column, letter| column * 26 + value(letter));
    Some((row_of(row)?, column)).filter(|(_, column)| *column <= COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(rows: &str) -> Result<SheetSurvey, String> {
        let sheet = format!("<worksheet>{rows}</worksheet>");
        SheetSurvey::of(sheet.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_nobody_sees_is_told() {
        let sheet = survey(concat!(
            r#"<cols><col min="1" max="1"/><col min="2" max="3" hidden="1"/><col min="9" max="16384" hidden="true"/></cols>"#,
            r#"<sheetData><row r="1"><c r="A1"/></row><row r="2" hidden="1"/>"#,
            r#"<row r="3" hidden="1"><c r="A3"><v>1</v></c><c r="B3"><v>1</v></c></row>"#,
            r#"<row r="4" hidden="1"><c r="A4" s="1"/></row><row r="5" hidden="true"><c><is><t>x</t></is></c></row>"#,
            r#"<row r="6"><c r="A6"><v>1</v></c></row></sheetData>"#,
            r#"<mergeCells count="2"><mergeCell ref="A1:C1"/><mergeCell ref="A6:A7"/></mergeCells>"#,
        ));
        let columns = ["id", "status", " ", "notes"].map(str::to_owned);
        assert_eq!(
            sheet.unwrap().notes(&columns),
            [
                "2 columns are hidden, and read all the same: B status, C",
                "2 rows are hidden or filtered out, and read all the same, the first is row 3",
                "2 groups of cells are merged, the first is A1:C1: only the first cell has the value, the others are empty",
            ]
        );
        assert_eq!(survey("<sheetData/>").unwrap().notes(&columns), [""; 0]);
    }

    #[test]
    fn what_refers_to_nothing_is_refused() {
        for (rows, sound) in [
            (
                r#"<dimension ref="A1"/><row r="1048576"><c r="XFD1048576"><f ref="A1:B2" si="0"/></c></row>"#,
                true,
            ),
            (r#"<dimension ref="B2:A1"/>"#, false),
            (r#"<row r="0"/>"#, false),
            (r#"<row r="1048577"/>"#, false),
            (r#"<row r="99999999999"/>"#, false),
            (r#"<c r="A0"/>"#, false),
            (r#"<c r="7"/>"#, false),
            (r#"<c r="A"/>"#, false),
            (r#"<c r="XFE1"/>"#, false),
            (r#"<c r="AAAAAAAAAA1"/>"#, false),
            (r#"<c r="A1:B2"/>"#, false),
            (r#"<f t="shared" si="99999999999"/>"#, false),
            (r#"<f ref="A2:A1"/>"#, false),
            ("<row></c>", false),
        ] {
            assert_eq!(survey(rows).is_ok(), sound, "{rows}");
        }
    }
}
