//! Reads one sheet of a workbook: its header, then one row after the other, of which the [`Sheet`] makes rows.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Read, Seek};

use ::csv::ByteRecord;
use calamine::{Reader, Xlsx};

use super::super::context::{InputContext, RowsSummary};
use super::super::error::{InputError, Unusable};
use super::super::footer::{self, Footer};
use super::super::guards::GuardFinder;
use super::super::header;
use super::super::heading::{self, Heading, NoHeading};
use super::super::notation::Notation;
use super::super::oddities::Oddities;
use super::super::record::Record;
use super::super::sheet::{Sheet, is_referral};
use super::super::watch::RecordSpan;
use super::catalogue::{SheetCatalogue, SheetEntry};
use super::copy;
use super::kind::AGAIN;
use super::package::{Limits, Package};
use super::rows::{RowsError, SheetRow, SheetRows};
use super::survey::{Seen, SheetSurvey};
use crate::domain::excerpt::excerpt;
use crate::domain::sheet_cell::{CellType, cell_name};
use crate::domain::text_form::Separator;

/// The number of rows in which the header is looked for.
const DEPTH: usize = 10;

/// The number of rows in which it is looked for where those hold none, for the message alone.
const FURTHER: usize = 1_000;

/// Reads the header, then hands every row to the sink.
pub(in super::super) fn read<E>(
    context: &InputContext<'_>,
    bytes: impl Read,
    sink: &mut dyn FnMut(Record) -> Result<(), E>,
) -> Result<RowsSummary, InputError<E>> {
    let OpenSheet { file, entry, survey, mut notes } = open(context, bytes)?;
    let mut workbook = Xlsx::new(file).map_err(|error| damaged(context, &entry, None, &error))?;
    let is_1904 = workbook.has_1904_epoch();
    let cells = workbook.worksheet_cells_reader(&entry.name);
    let cells = cells.map_err(|error| damaged(context, &entry, None, &error))?;
    let rows = SheetRows::of(cells, is_1904);
    let mut rows = Rows { context, entry: &entry, rows, ahead: VecDeque::new() };
    let header = rows.header(&mut notes)?;
    let heading = heading::resolve(context, &record_of(&header), span_of(&header));
    let Heading { columns, is_portal, notes: told } = match heading {
        Ok(heading) => heading,
        Err(NoHeading::Portal(unusable)) => return Err(unusable.into()),
        Err(NoHeading::Unknown(unusable)) => return Err(rows.late_header()?.unwrap_or(unusable).into()),
    };
    notes.extend(told);
    let separator = Separator::COMMA;
    let sheet = Sheet {
        context,
        columns,
        guards: GuardFinder::new(context.options),
        separator,
        transcoded: false,
        is_marked: true,
        is_portal,
        is_workbook: true,
    };
    let mut notation = Notation::of_text(context.options.decimal, separator);
    let mut oddities = Oddities::default();
    let (mut count, mut before, mut footer) = (0, header.number, None);
    while let Some(row) = rows.next()? {
        let (record, span) = (record_of(&row), span_of(&row));
        if footer::begins(&record, span) {
            footer = rows.footer(&row)?;
            if footer.is_some() {
                break;
            }
        }
        (before + 1..row.number).for_each(|number| oddities.empty(number));
        before = row.number;
        if sheet.is_empty(&record, span) {
            oddities.empty(row.number);
            continue;
        }
        oddities.seen(&sheet, &record);
        count += 1;
        let types: Vec<CellType> = row.cells.iter().map(|cell| cell.kind).collect();
        let malformed = sheet.malformed(&record, span);
        sink(sheet.typed_record(&record, &types, span, malformed, &mut notation))
            .map_err(InputError::Sink)?;
    }
    let names: Vec<String> = sheet.columns.iter().map(|column| column.name.clone()).collect();
    notes.extend(survey.notes(&names));
    notes.extend(formulas_note(rows.rows.formulas()));
    notes.extend(oddities.notes(&sheet));
    notes.extend(footer.map(|footer| footer.note(count, "row")));
    Ok(RowsSummary { sheet: Some(entry.name), ..sheet.summary(count, notes, &notation) })
}

/// A workbook that was looked at, and the sheet of it that is read.
struct OpenSheet {
    file: BufReader<File>,
    entry: SheetEntry,
    survey: SheetSurvey,
    notes: Vec<String>,
}

/// Looks at all that calamine will trust, and chooses the sheet.
fn open(context: &InputContext<'_>, bytes: impl Read) -> Result<OpenSheet, Unusable> {
    let mut package = Package::open(context, copy::of(context, bytes)?, Limits::USUAL)?;
    let sheets = SheetCatalogue::of(&mut package, context)?;
    let entry = sheets.choose(context, context.options.sheet.as_deref())?.clone();
    package.check_all_but(&entry.part)?;
    let survey = SheetSurvey::of(package.stream(&entry.part)?);
    let survey = survey.map_err(|error| damaged(context, &entry, None, &error))?;
    let mut file = package.into_file();
    file.rewind().map_err(|error| context.unreadable(&error))?;
    let notes = sheets.note(&entry).into_iter().collect();
    Ok(OpenSheet { file, entry, survey, notes })
}

/// The rows of the sheet, and how to tell that one can't be read.
struct Rows<'a, 'w> {
    context: &'a InputContext<'a>,
    entry: &'a SheetEntry,
    rows: SheetRows<'w>,
    /// Rows that were looked at already, in their order.
    ahead: VecDeque<SheetRow>,
}

impl Rows<'_, '_> {
    fn next(&mut self) -> Result<Option<SheetRow>, Unusable> {
        match self.ahead.pop_front() {
            Some(row) => Ok(Some(row)),
            None => self.rows.next().map_err(|error| self.damaged(&error)),
        }
    }

    /// Looks for the header further down, to say where it is. Nothing is read below titles that are so long: they may
    /// be rows of another table.
    fn late_header(&mut self) -> Result<Option<Unusable>, Unusable> {
        for _ in 0..FURTHER {
            let Some(row) = self.next()? else { break };
            if header::names_referral(self.context, &record_of(&row)) {
                let name = excerpt(&self.entry.name);
                let message = format!("none of the first {DEPTH} rows of the sheet {name} names the columns");
                let number = row.number;
                let hint = format!(
                    "their names stand in row {number}: delete the rows above it, or take a copy without them"
                );
                return Ok(Some(self.context.unusable(message, Some(hint.into()))));
            }
        }
        Ok(None)
    }

    /// Returns the footer that a row begins; `None` where it is one like any other.
    fn footer(&mut self, first: &SheetRow) -> Result<Option<Footer>, Unusable> {
        match footer::goes_on(first, || self.next(), |row| (record_of(row), span_of(row)))? {
            Ok(footer) => Ok(Some(footer)),
            Err(mut rows) => {
                rows.append(&mut self.ahead);
                self.ahead = rows;
                Ok(None)
            }
        }
    }

    fn damaged(&self, error: &RowsError) -> Unusable {
        damaged(self.context, self.entry, self.rows.place().as_deref(), error)
    }

    /// Finds the header: the first row that names a column for the referral. Titles may stand above it, which is
    /// said, and no row of data.
    fn header(&mut self, notes: &mut Vec<String>) -> Result<SheetRow, Unusable> {
        let mut above = VecDeque::new();
        while above.len() < DEPTH {
            let Some(row) = self.next()? else { break };
            if !header::names_referral(self.context, &record_of(&row)) {
                above.push_back(row);
                continue;
            }
            if let Some(place) = above.iter().find_map(referral_in) {
                let name = excerpt(&self.entry.name);
                let message =
                    format!("{place} in the sheet {name} holds a referral's id, and stands above the header");
                let hint = format!("the columns' names stand in row {}: move the row below it", row.number);
                return Err(self.context.unusable(message, Some(hint.into())));
            }
            if !above.is_empty() {
                let rows = if above.len() == 1 { "1 row" } else { &format!("{} rows", above.len()) };
                notes.push(format!("the header is row {}; {rows} above it were not read", row.number));
            }
            return Ok(row);
        }
        // The first row is taken for the header, whatever it is worth; those behind it are rows like any others.
        let first = above.pop_front();
        self.ahead = above;
        first.ok_or_else(|| {
            let message = format!("the sheet {} is empty", excerpt(&self.entry.name));
            let hint = "its first row names the columns, as in id, status, substatus";
            self.context.unusable(message, Some(hint.into()))
        })
    }
}

/// Returns the name of the cell of a row that holds a referral's id.
fn referral_in(row: &SheetRow) -> Option<String> {
    let at = row.cells.iter().position(|cell| is_referral(cell.text.as_bytes()))?;
    Some(cell_name(row.number, u32::try_from(at + 1).unwrap_or(u32::MAX)))
}

fn record_of(row: &SheetRow) -> ByteRecord {
    row.cells.iter().map(|cell| cell.text.as_bytes()).collect()
}

fn span_of(row: &SheetRow) -> RecordSpan {
    RecordSpan { line: row.number, end: row.number, cut: false, stray: None }
}

/// Returns what to tell of formulas.
fn formulas_note(formulas: &Seen<String>) -> Option<String> {
    let cells = match formulas.count {
        0 => return None,
        1 => "1 cell holds a formula".to_owned(),
        count => format!("{count} cells hold formulas"),
    };
    Some(format!(
        "{cells}, the first is {}: their values are read as they were computed last",
        formulas.first
    ))
}

/// Returns the error of a sheet that can't be read, behind the cell that could be read last.
fn damaged(
    context: &InputContext<'_>,
    entry: &SheetEntry,
    behind: Option<&str>,
    error: &dyn std::fmt::Display,
) -> Unusable {
    let place = behind.map_or(String::new(), |cell| format!(" behind {cell}"));
    let message = format!("the sheet {} can't be read{place}: {error}", excerpt(&entry.name));
    context.unusable(message, Some(AGAIN.into()))
}
