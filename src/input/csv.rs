//! Reads a CSV: its header, then one record after the other, of which the [`Sheet`] makes rows.

use std::collections::VecDeque;
use std::io::BufRead;

use ::csv::{ByteRecord, Reader, ReaderBuilder};

use super::context::{InputContext, RowsSummary};
use super::decode::DecodedText;
use super::error::{InputError, Unusable};
use super::footer::{self, Footer};
use super::guards::GuardFinder;
use super::heading::{self, Heading, NoHeading};
use super::no_header;
use super::notation::Notation;
use super::oddities::Oddities;
use super::record::Record;
use super::sheet::{Sheet, is_blank};
use super::swallowed::SwallowedRow;
use super::watch::{QuoteWatcher, RecordSpan};
use crate::domain::text_form::Encoding;

/// Reads the header, then hands the row of every record to the sink.
pub(super) fn read<E>(
    context: &InputContext<'_>,
    text: DecodedText<'_>,
    sink: &mut dyn FnMut(Record) -> Result<(), E>,
) -> Result<RowsSummary, InputError<E>> {
    let transcoded = text.is_transcoded();
    let separator = text.form.separator;
    let is_marked = text.form.encoding == Encoding::Utf8Marked;
    let mut notation = Notation::of_text(context.options.decimal, separator);
    let mut records = Records {
        context,
        reader: ReaderBuilder::new()
            // The header is a record like any other, so that its quotes and its size are checked, too.
            .has_headers(false)
            // A record of any number of cells is accepted. It becomes a row with a finding; it must not end the
            // file.
            .flexible(true)
            .delimiter(separator.byte())
            .buffer_capacity(64 * 1024)
            .from_reader(QuoteWatcher::new(text.reader, separator.byte(), text.lines_before)),
        cells: ByteRecord::new(),
        ahead: VecDeque::new(),
    };
    let mut oddities = Oddities::default();
    let Some(mark) = records.header(&mut oddities)? else {
        let hint = "the first line names the columns, as in id,status,substatus";
        return Err(context.unusable("the file has no header", Some(hint.into())).into());
    };
    let Heading { columns, is_portal, notes: told } = match heading::resolve(context, &records.cells, mark) {
        Ok(heading) => heading,
        Err(NoHeading::Portal(unusable)) => return Err(unusable.into()),
        Err(NoHeading::Unknown(unusable)) => {
            // More of the file is read only now, to say what its first line is in place of a header.
            let first = records.cells.clone();
            let following = std::iter::from_fn(|| Some((records.next().ok()??, records.cells.clone())));
            let none = no_header::explain(context, text.form, (mark, first), following);
            return Err(none.map_or(unusable, Unusable::from).into());
        }
    };
    if is_portal {
        notation.letters.look_at_names(context, (&records.cells, mark.line), is_marked)?;
    }
    let guards = GuardFinder::new(context.options);
    let sheet =
        Sheet { context, columns, guards, separator, transcoded, is_marked, is_portal, is_workbook: false };
    let (mut count, mut footer) = (0, None);
    while let Some(mark) = records.next()? {
        if footer::begins(&records.cells, mark) {
            footer = records.footer(mark)?;
            if footer.is_some() {
                break;
            }
        }
        if sheet.is_empty(&records.cells, mark) {
            oddities.empty(mark.line);
            continue;
        }
        oddities.seen(&sheet, &records.cells);
        if let Some(taken) = sheet.taken_in(&records.cells, mark) {
            for SwallowedRow { cells, mark, finding } in taken {
                count += 1;
                sink(sheet.record(&cells, mark, Some(finding), &mut notation)).map_err(InputError::Sink)?;
            }
            continue;
        }
        let mut malformed = sheet.malformed(&records.cells, mark);
        // Only a short record can be the first half of a row, so only then the next one is looked at.
        if malformed.is_none() && sheet.is_short(&records.cells) {
            records.look_ahead(&sheet, &mut oddities)?;
            let next = records.ahead.front().map(|(mark, cells)| (cells, *mark));
            malformed = next.and_then(|next| sheet.broken(&records.cells, mark, next));
            if malformed.is_none() && sheet.names_referral(&records.cells) {
                oddities.short(mark.line);
            }
        }
        count += 1;
        sink(sheet.record(&records.cells, mark, malformed, &mut notation)).map_err(InputError::Sink)?;
    }
    let is_windows_1252 = notation.letters.are_windows_1252(context)?;
    let footer = footer.map(|footer| footer.note(count, "line"));
    let notes = told.into_iter().chain(oddities.notes(&sheet)).chain(footer).collect();
    Ok(RowsSummary { is_windows_1252, ..sheet.summary(count, notes, &notation) })
}

/// The records of a CSV, in order.
struct Records<'a, R> {
    context: &'a InputContext<'a>,
    reader: Reader<QuoteWatcher<R>>,
    /// The record that was read last.
    cells: ByteRecord,
    /// The records after the one in `cells` that were looked at ahead, in order.
    ahead: VecDeque<(RecordSpan, ByteRecord)>,
}

impl<R: BufRead> Records<'_, R> {
    /// Reads the first record that has any content. `None` at the end of the file.
    fn header(&mut self, oddities: &mut Oddities) -> Result<Option<RecordSpan>, Unusable> {
        while let Some(mark) = self.next()? {
            if !self.cells.iter().all(is_blank) || mark.stray.is_some() {
                return Ok(Some(mark));
            }
            oddities.empty(mark.line);
        }
        Ok(None)
    }

    /// Reads on to the next record with content, and keeps the current one. Those without any are skipped here already,
    /// so that no number of them is kept.
    fn look_ahead(&mut self, sheet: &Sheet<'_>, oddities: &mut Oddities) -> Result<(), Unusable> {
        let now = std::mem::take(&mut self.cells);
        let mut read = self.next()?;
        while let Some(mark) = read.filter(|mark| sheet.is_empty(&self.cells, *mark)) {
            oddities.empty(mark.line);
            read = self.next()?;
        }
        let next = std::mem::replace(&mut self.cells, now);
        if let Some(mark) = read {
            self.ahead.push_front((mark, next));
        }
        Ok(())
    }

    /// Returns the footer that the current record begins; `None` where it is a row like any other.
    fn footer(&mut self, mark: RecordSpan) -> Result<Option<Footer>, Unusable> {
        let now = self.cells.clone();
        let next = || Ok::<_, Unusable>(self.next()?.map(|mark| (mark, self.cells.clone())));
        match footer::goes_on(&(mark, now.clone()), next, |(mark, cells)| (cells.clone(), *mark))? {
            Ok(footer) => Ok(Some(footer)),
            Err(mut rows) => {
                rows.append(&mut self.ahead);
                (self.ahead, self.cells) = (rows, now);
                Ok(None)
            }
        }
    }

    /// Reads the next record into `cells`. `None` at the end of the file.
    fn next(&mut self) -> Result<Option<RecordSpan>, Unusable> {
        if let Some((mark, cells)) = self.ahead.pop_front() {
            self.cells = cells;
            return Ok(Some(mark));
        }
        let more = self
            .reader
            .read_byte_record(&mut self.cells)
            .map_err(|error| self.context.unreadable(&error.into()))?;
        let watch = self.reader.get_mut();
        let mark = watch.next_mark();
        if mark.is_none()
            && let Some(quote) = watch.unclosed()
        {
            let message = "a quote opens here and is never closed";
            let problem = self.context.problem(quote.line, quote.cell, message);
            return Err(problem.hint("close it; a quote inside a quoted cell is written twice").into());
        }
        // A span for another record would put findings on wrong lines, so a difference ends the program.
        assert_eq!(more, mark.is_some(), "the watcher and the parser follow the same rules");
        Ok(mark)
    }
}

#[cfg(test)]
mod tests;
