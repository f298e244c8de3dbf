//! A table under its header: a record of cells becomes a row, whatever format of file the cells come from.

use std::borrow::Cow;

use ::csv::ByteRecord;

use super::cell::{CLEAR, Numbers, fill};
use super::cell_type::refuse_unfit;
use super::context::{InputContext, RowsSummary};
use super::decode::lost_character;
use super::earlier_result::EarlierResult;
use super::guards::{GUARDED, GuardFinder, Guards};
use super::header::Column;
use super::heading;
use super::naming;
use super::notation::{Letters, Notation};
use super::portal::{Days, PortalRow, PortalTarget};
use super::provisos::FoundSoFar;
use super::record::Record;
use super::row::{FinishedRow, RowBuilder};
use super::value_target::ValueTarget;
use super::watch::{MAX_CELL, RecordSpan};
use crate::domain::account::{RowText, UNSOUND};
use crate::domain::day_doubt::DateColumns;
use crate::domain::decimal::DecimalSign;
use crate::domain::excerpt::excerpt;
use crate::domain::finding::{Finding, Location};
use crate::domain::portal_text::undefused;
use crate::domain::referral::ReferralId;
use crate::domain::rules::Rule;
use crate::domain::sheet_cell::{CellType, SheetCell, as_portal_day};
use crate::domain::text_form::Separator;

/// The number of bytes that are kept of a cell that is too large, for the reports.
const EXCERPT: usize = 200;

/// The column of the dates that can be read in two ways.
const CLOSE_DATE: ValueTarget = ValueTarget::Portal(PortalTarget::CloseDate);

/// A table of cells under its header.
pub(super) struct Sheet<'a> {
    pub(super) context: &'a InputContext<'a>,
    /// The columns of the header, in order.
    pub(super) columns: Vec<Column>,
    /// Where guards stand.
    pub(super) guards: GuardFinder<'a>,
    /// What separates the cells.
    pub(super) separator: Separator,
    /// Whether the file was UTF-16, in which U+FFFD stands for what could not be decoded.
    pub(super) transcoded: bool,
    /// Whether the file says by its byte order mark that it is UTF-8.
    pub(super) is_marked: bool,
    /// Whether the file is one of Partner Center's own.
    pub(super) is_portal: bool,
    /// Whether it is the sheet of a workbook, which has no lines and no separator.
    pub(super) is_workbook: bool,
}

impl Sheet<'_> {
    /// Makes a row of a record. Where the record is `malformed`, its cells are kept for the reports and mean
    /// nothing: any of them may stand under the wrong column.
    pub(super) fn record(
        &self,
        cells: &ByteRecord,
        mark: RecordSpan,
        malformed: Option<Finding>,
        notation: &mut Notation,
    ) -> Record {
        self.typed_record(cells, &[], mark, malformed, notation)
    }

    /// Does the same for cells of these types; those beyond are text.
    pub(super) fn typed_record(
        &self,
        cells: &ByteRecord,
        types: &[CellType],
        mark: RecordSpan,
        malformed: Option<Finding>,
        notation: &mut Notation,
    ) -> Record {
        // The decimal sign of a number that is typed as one is a point, however the user's country writes it.
        let mut points = Numbers::new(Some(DecimalSign::Point), self.separator);
        let place = self.context.place(mark.line, 1);
        let mut row = RowBuilder::new(self.context.options, place);
        let sound = malformed.is_none();
        malformed.into_iter().for_each(|finding| row.add_finding(finding));
        let mut texts = Vec::with_capacity(cells.len());
        let unsound = self.mark_of_unsound(cells);
        let guards = self.guards.find(&self.columns, cells);
        let earlier = self.earlier_result(cells);
        let has_dates = self.columns.iter().any(|column| column.target == Some(CLOSE_DATE));
        let mut portal = PortalRow::new(earlier.dates().clone());
        if let Some((place, id)) = self.referral(cells, &guards, mark).filter(|_| sound) {
            row.compare(place, id, &earlier);
        }
        for (at, cell) in cells.iter().enumerate() {
            let column = self.columns.get(at);
            // Beyond the header, a sound row has blank cells only, which are dropped, and so is the mark of a
            // malformed one. The surplus cells of a malformed row are kept for the reports.
            let is_beyond = column.is_none() && (sound || unsound == Some(at));
            if is_beyond || column.is_some_and(Column::is_left_out) {
                continue;
            }
            let target = column.and_then(|column| column.target.as_ref());
            let place = self.context.place(mark.line, at + 1);
            let cell = if unsound == Some(at) { b"" } else { cell };
            let kind = types.get(at).copied().unwrap_or_default();
            match self.decode(at, (place, mark), cell, &mut notation.letters) {
                Ok(text) => {
                    let meant =
                        if self.is_portal { undefused(&text).into() } else { guards.meant(at, &text) };
                    if target == Some(&CLOSE_DATE) {
                        notation.days.look(place, kind, &text);
                    } else if !sound && has_dates {
                        notation.days.look_anywhere(place, &text);
                    }
                    let since = row.found_so_far();
                    match target {
                        Some(target) if sound && self.is_as_in_base(&mut row, at, target, &text) => {}
                        Some(target) if sound && refuse_unfit(&mut row, place, target, (kind, &meant)) => {
                            row.base().doubt(target);
                        }
                        Some(target) if sound => match (self.filled_twin(cells, at, &mut row), target) {
                            (Some(twin), _) => {
                                self.compare(&mut row, place, (twin, &cells[twin]), (at, cell));
                            }
                            (None, ValueTarget::Portal(target)) => {
                                let is_day = kind == CellType::Date;
                                let day = is_day.then(|| as_portal_day(&meant));
                                let meant = day.as_deref().unwrap_or(&meant);
                                let shown = (&mut notation.days, &mut notation.numbers);
                                let into = (&mut portal, &mut row);
                                self.portal_cell(into, shown, (place, at), *target, (kind, meant));
                            }
                            (None, target) => {
                                let column = (self.columns[at].name.as_str(), target);
                                let is_number = kind == CellType::Number;
                                let numbers = if is_number { &mut points } else { &mut notation.numbers };
                                fill(&mut row, numbers, place, column, &meant);
                            }
                        },
                        // Of a malformed row only the id is looked at, so that the reports can name the
                        // referral.
                        Some(ValueTarget::Id) => row.id_if_any(&text),
                        _ => {}
                    }
                    if sound && let Some(target) = target {
                        self.provide(&mut row, (place, target), (&text, &meant), since);
                    }
                    texts.push(SheetCell { kind, text: text.into_owned() });
                }
                Err((finding, text)) => {
                    if sound && column.is_some_and(|column| row.base().has_cell(&column.name, &text)) {
                        texts.push(SheetCell { kind, text });
                        continue;
                    }
                    let since = row.found_so_far();
                    row.add_finding(finding);
                    if sound && let Some(target) = target {
                        self.provide(&mut row, (place, target), (&text, &text), since);
                    }
                    target.into_iter().for_each(|target| row.base().doubt(target));
                    if matches!(target, Some(ValueTarget::Id | ValueTarget::Key | ValueTarget::Identifier)) {
                        row.excuse_id();
                    }
                    texts.push(SheetCell { kind, text });
                }
            }
        }
        if sound {
            self.missing_cells(&mut row, cells, mark);
            self.find_unknown_guard(&mut row, &guards, mark);
        } else {
            row.excuse_id();
        }
        if sound && self.is_portal {
            portal.finish(&mut row, place, &self.context.options.portal_reasons);
        }
        row.rebind(&earlier);
        let (names, matched) = (row.take_names(), row.resolve());
        let FinishedRow { parsed, notes, as_in_base, base } = row.finish();
        let text = RowText::of(texts);
        let base = base.filter(|_| sound).map(|mut base| {
            base.set_text(text.clone());
            base
        });
        let earlier_outcome = earlier.outcome();
        Record { place, text, parsed, notes, names, matched, earlier_outcome, as_in_base, base }
    }

    /// Returns what comes of a table, once all its rows were read.
    pub(super) fn summary(self, count: u64, notes: Vec<String>, notation: &Notation) -> RowsSummary {
        let dates = DateColumns { at: self.date_columns(), doubt: notation.days.doubt() };
        let (ignored, columns): (Vec<Column>, Vec<Column>) =
            self.columns.into_iter().partition(Column::is_left_out);
        let names = |columns: Vec<Column>| columns.into_iter().map(|column| column.name).collect();
        RowsSummary {
            count,
            columns: names(columns),
            ignored: names(ignored),
            notes,
            contradiction: notation.numbers.contradiction(),
            date_contradiction: notation.days.contradiction(),
            dates,
            is_portal: self.is_portal,
            is_windows_1252: false,
            sheet: None,
        }
    }

    /// Puts in the cells that are missing at the end of a sound record: they are empty ones, and a base has nothing
    /// there. No spreadsheet program writes empty cells behind the last one with content.
    fn missing_cells(&self, row: &mut RowBuilder<'_>, cells: &ByteRecord, mark: RecordSpan) {
        for (at, column) in self.columns.iter().enumerate().skip(cells.len()) {
            if let Some(target) = column.target.as_ref().filter(|_| !column.is_left_out()) {
                row.left_empty(self.context.place(mark.line, at + 1), &column.name, target);
            }
        }
    }

    /// Adds the finding about a guard whose column isn't there.
    fn find_unknown_guard(&self, row: &mut RowBuilder<'_>, guards: &Guards<'_>, mark: RecordSpan) {
        if let Some((at, name)) = guards.unknown() {
            let message = format!(
                "{GUARDED} names {}, and no column is that, so where its ' stands is unknown",
                excerpt(name)
            );
            let hint = "give the column its name again; where it was deleted, take its name out of the cell";
            row.tell(Rule::KeptGuard, self.context.place(mark.line, at + 1), &message, hint);
        }
    }

    /// Puts a cell of a Partner Center file into its row. `at` is the column.
    fn portal_cell(
        &self,
        (portal, row): (&mut PortalRow, &mut RowBuilder<'_>),
        shown: (&mut Days, &mut Numbers),
        (place, at): (Location, usize),
        target: PortalTarget,
        (kind, text): (CellType, &str),
    ) {
        if row.base().is_lacking() {
            return;
        }
        let Column { name, target: Some(column), .. } = &self.columns[at] else { return };
        if text.trim().is_empty() {
            return row.left_empty(place, name, column);
        }
        let denials = row.denials();
        portal.cell(row, shown, place, target, (kind, text));
        if row.denials() > denials {
            row.base().doubt(column);
        }
    }

    /// Lets what was found in a cell of a Partner Center file since then count only where the referral has something
    /// else; `meant` is its text as it was read.
    fn provide(
        &self,
        row: &mut RowBuilder<'_>,
        (place, target): (Location, &ValueTarget),
        (text, meant): (&str, &str),
        since: FoundSoFar,
    ) {
        // With a base, what is untouched was told by that already.
        let is_whole_deal = self.is_portal && !row.base().is_base() && row.base().row().is_none();
        if let Some(path) = target.path().filter(|_| is_whole_deal) {
            let is_percent = *target == ValueTarget::Portal(PortalTarget::SalesStage) && text.contains('%');
            let is_read_otherwise = text != meant || text.trim() == CLEAR || is_percent;
            row.provide(place, (&path, text), since, is_read_otherwise);
        }
    }

    /// Returns the referral that a record names, and where; `None` where it names none, or several.
    fn referral(
        &self,
        cells: &ByteRecord,
        guards: &Guards<'_>,
        mark: RecordSpan,
    ) -> Option<(Location, ReferralId)> {
        if self.context.options.matching.is_some() {
            return naming::found(self.named(cells, guards, mark));
        }
        let named = self.columns.iter().zip(cells).enumerate().filter_map(|(at, (column, cell))| {
            let is_id = column.target == Some(ValueTarget::Id);
            let id = std::str::from_utf8(cell).ok().filter(|_| is_id)?.parse().ok()?;
            Some((self.context.place(mark.line, at + 1), id))
        });
        let named: Vec<(Location, ReferralId)> = named.collect();
        named.first().copied().filter(|(_, first)| named.iter().all(|(_, id)| id == first))
    }

    /// Whether the key of a record leads to a referral, as far as the referrals are known. A row that names its referral
    /// by the id does.
    pub(super) fn leads_to_referral(&self, cells: &ByteRecord, mark: RecordSpan) -> bool {
        let index = self.context.options.matching.as_ref().and_then(|matching| matching.index.as_ref());
        index.is_none_or(|index| {
            let guards = self.guards.find(&self.columns, cells);
            index.knows(&self.named(cells, &guards, mark).names)
        })
    }

    /// Returns a row of which no more was read than what a record names its referral by.
    fn named(&self, cells: &ByteRecord, guards: &Guards<'_>, mark: RecordSpan) -> RowBuilder<'_> {
        let row = RowBuilder::new(self.context.options, self.context.place(mark.line, 1));
        let named = self.columns.iter().zip(cells).enumerate().filter_map(|(at, (column, cell))| {
            let text = guards.meant(at, std::str::from_utf8(cell).ok()?).to_string();
            Some((self.context.place(mark.line, at + 1), column.target.clone()?, text))
        });
        naming::named(row, named)
    }

    /// Returns whether a cell is as in the base, and counts it if it is one that could change something. What names
    /// the referral is read all the same.
    fn is_as_in_base(&self, row: &mut RowBuilder<'_>, at: usize, target: &ValueTarget, text: &str) -> bool {
        // The parts of a contact count together, so all are read and compared as one.
        let is_part = matches!(target, ValueTarget::Portal(PortalTarget::Contact(_)));
        let is_name = matches!(target, ValueTarget::Id | ValueTarget::Key | ValueTarget::Identifier);
        if is_part || is_name || !row.base().has_cell(&self.columns[at].name, text) {
            return false;
        }
        if !text.trim().is_empty() {
            row.base().count(target);
        }
        true
    }

    /// Returns the result of an earlier run, where the columns of a report hold one.
    fn earlier_result(&self, cells: &ByteRecord) -> EarlierResult {
        let mut earlier = EarlierResult::default();
        for (column, cell) in self.columns.iter().zip(cells).filter(|(column, _)| column.is_left_out()) {
            std::str::from_utf8(cell).iter().for_each(|text| earlier.read(&column.name, text));
        }
        earlier
    }

    /// Returns the nearest column before this one that is for the same target, where both are filled in this
    /// record, and neither is as in the base.
    fn filled_twin(&self, cells: &ByteRecord, at: usize, row: &mut RowBuilder<'_>) -> Option<usize> {
        let mut is_as_in_base = |at: usize, cell: &[u8]| {
            std::str::from_utf8(cell).is_ok_and(|text| row.base().has_cell(&self.columns[at].name, text))
        };
        let mut twin = self.columns[at].twin.filter(|_| !is_blank(&cells[at]))?;
        while cells.get(twin).is_none_or(|cell| is_blank(cell) || is_as_in_base(twin, cell)) {
            twin = self.columns[twin].twin?;
        }
        Some(twin)
    }

    /// Adds a finding where two cells for the same target differ. The same text twice is fine.
    fn compare(
        &self,
        row: &mut RowBuilder<'_>,
        place: Location,
        earlier: (usize, &[u8]),
        given: (usize, &[u8]),
    ) {
        if earlier.1 == given.1 {
            return;
        }
        let name = |at: usize| excerpt(&self.columns[at].name);
        let (one, other) = (name(earlier.0), name(given.0));
        let message =
            format!("columns {one} and {other} are for the same field, and give it different values");
        let finding = Finding::deny(Rule::Contradiction, place, message);
        row.add_finding(finding.hint("empty the cell that is wrong, or make both equal"));
    }

    /// Returns the cell that holds the mark by which a report tells that the row was malformed. It stands
    /// beyond the last column, or in a column without a name.
    pub(super) fn mark_of_unsound(&self, cells: &ByteRecord) -> Option<usize> {
        let is_mark = |at: &usize| cells.get(*at).is_some_and(|cell| cell.trim_ascii() == UNSOUND.as_bytes());
        (self.columns.len()..cells.len()).chain(self.nameless()).find(is_mark)
    }

    /// Returns the columns that hold dates of Partner Center's form, by their numbers in the reports.
    pub(super) fn date_columns(&self) -> Vec<usize> {
        let kept = self.columns.iter().filter(|column| !column.is_left_out()).enumerate();
        kept.filter(|(_, column)| column.target == Some(CLOSE_DATE)).map(|(at, _)| at).collect()
    }

    /// Returns the columns without a name.
    pub(super) fn nameless(&self) -> impl Iterator<Item = usize> {
        (0..self.columns.len()).filter(|at| self.columns[*at].target.is_none())
    }

    /// Returns a cell's text; or the finding about it, and what the reports can show of it.
    fn decode<'c>(
        &self,
        at: usize,
        (place, mark): (Location, RecordSpan),
        cell: &'c [u8],
        letters: &mut Letters,
    ) -> Result<Cow<'c, str>, (Finding, String)> {
        if cell.len() > MAX_CELL {
            let goes_on = if mark.end > mark.line {
                format!(": its row ends on line {}", mark.end)
            } else {
                String::new()
            };
            let message = format!("the cell is larger than 1 MiB{goes_on}");
            let finding = Finding::deny(Rule::Size, place, message);
            let start = String::from_utf8_lossy(&cell[..EXCERPT]);
            let start = start.trim_end_matches(char::REPLACEMENT_CHARACTER);
            let text = format!("{start}… [cut: the cell is larger than 1 MiB]");
            let hint = "shorten it, or look for a quote that is not closed where it should be";
            return Err((finding.hint(hint), text));
        }
        let finding = match std::str::from_utf8(cell) {
            // Nearly every cell; none of what follows is about such a text.
            Ok(text) if text.is_ascii() => return Ok(text.into()),
            Ok(text) if self.transcoded && text.contains(char::REPLACEMENT_CHARACTER) => {
                Finding::deny(Rule::Encoding, place, "the cell holds what is not valid UTF-16")
                    .hint("save the file again, as UTF-8 or UTF-16")
            }
            // The user keeps this column out of the change, so a lost character in it does no harm.
            Ok(text)
                if self
                    .columns
                    .get(at)
                    .is_some_and(|column| column.target == Some(ValueTarget::LeftAlone)) =>
            {
                return Ok(text.into());
            }
            Ok(text) if text.contains(char::REPLACEMENT_CHARACTER) => {
                let column = self.columns.get(at).map_or_else(
                    || format!("cell {}", at + 1),
                    |column| format!("column {}", excerpt(&column.name)),
                );
                lost_character(place, &column)
            }
            Ok(text) => {
                letters.utf_8.get_or_insert(mark.line);
                return Ok(text.into());
            }
            // Partner Center's own tool is a spreadsheet, and those save so. What has the mark of UTF-8 is that.
            Err(_) if self.is_portal && !self.is_marked => {
                letters.windows_1252.get_or_insert(mark.line);
                letters.look_for_undefined(place, cell);
                return Ok(heading::text(cell));
            }
            Err(error) => {
                let message =
                    format!("the cell is not valid UTF-8: byte 0x{:02x}", cell[error.valid_up_to()]);
                Finding::deny(Rule::Encoding, place, message)
                    .hint("save the file as UTF-8; it may be in an older encoding such as Windows-1252")
            }
        };
        Err((finding, String::from_utf8_lossy(cell).into_owned()))
    }
}

/// Returns whether a cell is empty, or holds white space only: it leaves its field alone.
pub(super) fn is_blank(cell: &[u8]) -> bool {
    std::str::from_utf8(cell).is_ok_and(|text| text.trim().is_empty())
}

/// Returns whether a cell holds a referral's id.
pub(super) fn is_referral(cell: &[u8]) -> bool {
    std::str::from_utf8(cell).is_ok_and(|text| text.trim().parse::<ReferralId>().is_ok())
}
