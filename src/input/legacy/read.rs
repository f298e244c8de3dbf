//! Reads one file of payloads, from its beginning to its end.

use std::cell::RefCell;
use std::io::{self, BufRead};

use sha2::{Digest, Sha256};

use super::super::context::{InputContext, RowsSummary};
use super::super::decode::{self, DecodedText, NoText};
use super::super::error::InputError;
use super::super::hashing::sha256;
use super::super::lines::BoundedLines;
use super::super::options::Options;
use super::super::record::Read;
use super::elements::{ElementPart, ElementReader};
use super::http::RequestReader;
use super::lenient::LenientSyntax;
use super::payload::PayloadReader;
use super::piece::{Piece, Position};
use super::record::{PayloadFile, PayloadRecord};
use super::rejection::{FileRejection, NEVER_CLOSED};
use super::{form, http};
use crate::domain::account::RowText;
use crate::domain::change::Payload;
use crate::domain::change::Rejected;
use crate::domain::finding::{Finding, Location};
use crate::domain::format::Format;
use crate::domain::json::Object;
use crate::domain::level::Level;
use crate::domain::rules::Rule;
use crate::domain::text_form::TextForm;

/// Receives one payload after the other.
type PayloadSink<'s, E> = &'s mut dyn FnMut(PayloadRecord) -> Result<(), E>;

/// Reads one file of payloads and hands them to `sink`, in file order.
///
/// The path `-` reads `stdin`, and needs `options.format`. `input` is the file's number in the run, counted
/// from 0, for the places. Of the options, only the format and the levels of the rules matter here.
///
/// # Errors
/// [`InputError::Unusable`] where the file as a whole can't be read. [`InputError::Sink`] with the error of
/// `sink`, after which nothing more is read.
pub fn read<E>(
    path: &str,
    stdin: Option<&mut dyn io::Read>,
    input: u32,
    options: &Options,
    sink: PayloadSink<'_, E>,
) -> Result<PayloadFile, InputError<E>> {
    let context = InputContext::new(path, input, options);
    let named = form::named(&context)?;
    let hash = RefCell::new(Sha256::new());
    let assumed = named.unwrap_or(Format::Json);
    let content = context.content(context.bytes(stdin)?, &hash)?;
    let mut text = match decode::open(content.bytes, assumed, None) {
        Ok(text) => text,
        Err(none @ (NoText::Empty | NoText::Binary)) if assumed == Format::Json => {
            // It may be one of many files in a directory, so it is a record with a finding and no error: the others are read.
            sink(nothing_in(&context, &none)).map_err(InputError::Sink)?;
            let rows = RowsSummary { count: 1, ..RowsSummary::default() };
            let mut info = context.info(&hash, Format::Json, TextForm::default(), rows);
            if path != "-" {
                // The checksum is that of the whole file, however little of it was read.
                info.sha256 = sha256(path).map_err(|error| context.unreadable(&error))?;
            }
            let read = Read { info, notes: Vec::new(), contradiction: None, date_contradiction: None };
            return Ok(PayloadFile { read, rejection: None });
        }
        Err(none) => return Err(none.into_unusable(&context).into()),
    };
    let head = text.reader.fill_buf().map_err(|error| context.unreadable(&error))?;
    let format = form::of(&context, named, head)?;
    let mut notes = Vec::new();
    if text.is_transcoded() {
        notes.push(format!("{path}: {}", text.form.deviations().join(", ")));
    }
    let written = text.form;
    let mut reader = PayloadFileReader::new(&context, &text, sink);
    let rejection = match format {
        Format::Http => reader.requests(text).map(|()| None),
        Format::Json => reader.elements(text),
        Format::Jsonl | Format::Csv | Format::PortalCsv | Format::Xlsx => reader.lines(text).map(|()| None),
    }?;
    notes.extend(reader.left().map(|(place, syntax)| format!("{path}:{}: {syntax}", place.line)));
    if reader.count == 0 {
        notes.push(format!("{path}: holds no payload"));
    }
    let rows = RowsSummary { count: reader.count, ..RowsSummary::default() };
    let read = Read {
        info: context.info(&hash, format, written, rows),
        notes,
        contradiction: None,
        date_contradiction: None,
    };
    Ok(PayloadFile { read, rejection })
}

/// Reads a sound payload again, from the text in its record. `members` are those of the text; `place` is where
/// it began. `None` where it is not the payload that it was. Findings about it were made before, and are not
/// made again.
pub fn again(text: &str, members: &Object<'_>, place: Location, options: &Options) -> Option<Payload> {
    let context = InputContext::new("", place.input, options);
    PayloadReader::new(&context, place, None).again(text, members)
}

/// Returns the record of a file that holds no payload.
fn nothing_in(context: &InputContext<'_>, none: &NoText) -> PayloadRecord {
    missing(context.place(1, 1), none.message(), "give a file with a payload as JSON")
}

/// Returns the record of a payload that should be there and is not.
fn missing(place: Location, message: &str, hint: &str) -> PayloadRecord {
    let finding = Finding::deny(Rule::Json, place, message).hint(hint);
    let rejected = Rejected { id: None, place, findings: vec![finding], partial: None };
    let text = RowText::Line(String::new());
    PayloadRecord { place, text, parsed: Err(rejected), notes: Vec::new(), earlier_outcome: None }
}

/// Reads the payloads of one file.
struct PayloadFileReader<'r, 's, E> {
    context: &'r InputContext<'r>,
    sink: PayloadSink<'s, E>,
    transcoded: bool,
    count: u64,
    /// The lenient syntax found before the next payload.
    lenient: Vec<(Location, LenientSyntax)>,
}

impl<'r, 's, E> PayloadFileReader<'r, 's, E> {
    fn new(context: &'r InputContext<'r>, text: &DecodedText<'_>, sink: PayloadSink<'s, E>) -> Self {
        let mark = text.has_byte_order_mark().then(|| (context.place(1, 1), LenientSyntax::ByteOrderMark));
        let lenient = mark.into_iter().collect();
        Self { context, sink, transcoded: text.is_transcoded(), count: 0, lenient }
    }

    /// Returns the lenient syntax behind the last payload.
    fn left(&self) -> impl Iterator<Item = &(Location, LenientSyntax)> {
        self.lenient.iter()
    }

    fn place(&self, at: Position) -> Location {
        self.context.place(at.line, at.column)
    }

    /// Begins a payload with the lenient syntax found before it.
    fn reading<'q>(&mut self, place: Location, request: Option<&'q http::PutRequest>) -> PayloadReader<'q>
    where
        'r: 'q,
    {
        let mut reading = PayloadReader::new(self.context, place, request);
        for (place, syntax) in self.lenient.drain(..) {
            reading.add_lenient(place, syntax, 1);
        }
        reading
    }

    fn hand_over(&mut self, record: PayloadRecord) -> Result<(), InputError<E>> {
        self.count += 1;
        (self.sink)(record).map_err(InputError::Sink)
    }

    /// Reads JSON lines: every line that is neither blank nor a comment is a payload.
    fn lines(&mut self, text: DecodedText<'_>) -> Result<(), InputError<E>> {
        let mut lines = BoundedLines::of(text.reader);
        while lines.next().map_err(|error| self.context.unreadable(&error))? {
            let used = lines.bytes.trim_ascii();
            let start = Position { line: lines.line, column: 1 };
            if used.starts_with(b"//") {
                self.lenient.push((self.place(start), LenientSyntax::Comment));
                continue;
            }
            if used.is_empty() && !lines.cut {
                continue;
            }
            let piece = Piece { bytes: &lines.bytes, start, cut: lines.cut };
            let record = self.element(piece);
            self.hand_over(record)?;
        }
        Ok(())
    }

    /// Reads a JSON array, or objects one after the other. Returns why none of them is taken, where that is so.
    fn elements(&mut self, text: DecodedText<'_>) -> Result<Option<FileRejection>, InputError<E>> {
        let mut elements = ElementReader::of(text.reader);
        let (mut damage, mut has_rest) = (None, false);
        while elements.next().map_err(|error| self.context.unreadable(&error))? {
            self.add_lenient(elements.take_lenient());
            let record = match elements.part() {
                Some(ElementPart::Payload(piece)) => self.element(piece),
                Some(ElementPart::Rest { first, fault, all }) => {
                    has_rest = true;
                    let reading = self.reading(self.place(all.start), None);
                    reading.rest(first.as_ref(), fault, &all, self.transcoded)
                }
                None => break,
            };
            damage = damage.or_else(|| damage_of(&record));
            self.hand_over(record)?;
        }
        self.add_lenient(elements.take_lenient());
        if let Some(end) = elements.open() {
            // What was left of the text has a record already.
            if !has_rest {
                self.hand_over(missing(self.place(end), NEVER_CLOSED, "give the whole file"))?;
            }
            let is_denied = self.context.options.levels.of(Rule::CutOff) == Level::Deny;
            return Ok(is_denied.then(|| FileRejection::cut_off(end)));
        }
        if self.count == 0 && !elements.has_array() {
            self.hand_over(nothing_in(self.context, &NoText::Empty))?;
        }
        Ok(damage.filter(|_| elements.has_several()).map(FileRejection::not_whole))
    }

    /// Reads one payload.
    fn element(&mut self, piece: Piece<'_>) -> PayloadRecord {
        self.reading(self.place(piece.start), None).read(&piece, self.transcoded)
    }

    fn add_lenient(&mut self, lenient: Vec<(Position, LenientSyntax)>) {
        for (at, syntax) in lenient {
            self.lenient.push((self.place(at), syntax));
        }
    }

    /// Reads the requests of an `.http` file.
    fn requests(&mut self, text: DecodedText<'_>) -> Result<(), InputError<E>> {
        let context = self.context;
        let mut requests = RequestReader::of(context, text.reader);
        while let Some(request) = requests.next().map_err(|error| context.unreadable(&error))? {
            let reading = self.reading(request.place, Some(&request));
            let record = match request.body() {
                Some(body) => reading.read(&body, self.transcoded),
                None => reading.finish(None),
            };
            self.hand_over(record)?;
        }
        Ok(())
    }
}

/// Returns where a payload is not valid JSON, or too large, or not text.
fn damage_of(record: &PayloadRecord) -> Option<Location> {
    let findings = &record.parsed.as_ref().err()?.findings;
    let is_damage = |finding: &&Finding| matches!(finding.rule, Rule::Json | Rule::Size | Rule::Encoding);
    findings.iter().find(is_damage).map(|finding| finding.place)
}
