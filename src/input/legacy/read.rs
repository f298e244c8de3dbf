//! One file of payloads, from its beginning to its end.

use std::cell::RefCell;
use std::io::{self, BufRead};

use sha2::{Digest, Sha256};

use super::super::context::{self, InputContext, RowsSummary};
use super::super::decode::{self, NoText, Text};
use super::super::error::InputError;
use super::super::lines::BoundedLines;
use super::super::options::Options;
use super::super::record::Read;
use super::condemned::{Condemned, NEVER_CLOSED};
use super::elements::{ElementPart, ElementReader};
use super::http::RequestReader;
use super::lenient::LenientSyntax;
use super::payload::PayloadReader;
use super::piece::{Piece, Position};
use super::record::{Ended, PayloadRecord};
use super::{form, http};
use crate::domain::account::{Format, RowText};
use crate::domain::change::Payload;
use crate::domain::change::Rejected;
use crate::domain::finding::{Finding, Location};
use crate::domain::json::Object;
use crate::domain::level::Level;
use crate::domain::rules::Rule;
use crate::domain::text_form::TextForm;

/// Takes one payload after the other.
type PayloadSink<'s, E> = &'s mut dyn FnMut(PayloadRecord) -> Result<(), E>;

/// Reads one file of payloads and hands them to `sink`, in file order.
///
/// The path `-` reads `stdin`, and needs `options.format`. `input` is the file's number in the run, for the
/// places. Of the options, the form and the levels of the rules count here.
///
/// # Errors
/// [`InputError::Unusable`] where the file as a whole can't be read. [`InputError::Sink`] with whatever
/// `sink` answered, after which nothing more is read.
pub fn read<E>(
    path: &str,
    stdin: Option<&mut dyn io::Read>,
    input: u32,
    options: &Options,
    sink: PayloadSink<'_, E>,
) -> Result<Ended, InputError<E>> {
    let context = InputContext { path, input, options };
    let named = form::named(&context)?;
    let hash = RefCell::new(Sha256::new());
    let assumed = named.unwrap_or(Format::Json);
    let mut text = match decode::open(context.bytes(stdin)?, &hash, assumed, None) {
        Ok(text) => text,
        Err(none @ (NoText::Empty | NoText::Binary)) if assumed == Format::Json => {
            // One of many files in a folder, perhaps: the others are read all the same.
            sink(nothing_in(&context, &none)).map_err(InputError::Sink)?;
            let (columns, ignored, notes) = (Vec::new(), Vec::new(), Vec::new());
            let rows = RowsSummary { count: 1, columns, ignored, notes, contradiction: None };
            let mut info = context.info(&hash, Format::Json, TextForm::default(), rows);
            if path != "-" {
                // Nobody read on after its beginning.
                info.sha256 = context::sha256(path).map_err(|error| context.unreadable(&error))?;
            }
            let read = Read { info, notes: Vec::new(), contradiction: None };
            return Ok(Ended { read, condemned: None });
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
    let condemned = match format {
        Format::Http => reader.requests(text).map(|()| None),
        Format::Json => reader.elements(text),
        Format::Jsonl | Format::Csv => reader.lines(text).map(|()| None),
    }?;
    notes.extend(reader.left().map(|(place, slip)| format!("{path}:{}: {slip}", place.line)));
    if reader.count == 0 {
        notes.push(format!("{path}: holds no payload"));
    }
    let (columns, ignored) = (Vec::new(), Vec::new());
    let rows = RowsSummary { count: reader.count, columns, ignored, notes: Vec::new(), contradiction: None };
    let read = Read { info: context.info(&hash, format, written, rows), notes, contradiction: None };
    Ok(Ended { read, condemned })
}

/// Reads a sound payload again from the text that its record gave. `place` is where it began. What was
/// found about it was told then, and is not looked for again. `members` are those of the text.
pub fn again(text: &str, members: &Object<'_>, place: Location, options: &Options) -> Option<Payload> {
    let context = InputContext { path: "", input: place.input, options };
    PayloadReader::new(&context, place, None).again(text, members)
}

fn nothing_in(context: &InputContext<'_>, none: &NoText) -> PayloadRecord {
    missing(context.place(1, 1), none.told(), "give a file with a payload as JSON")
}

/// A payload that should be there and isn't.
fn missing(place: Location, message: &str, hint: &str) -> PayloadRecord {
    let finding = Finding::deny(Rule::Json, place, message).hint(hint);
    let rejected = Rejected { id: None, place, findings: vec![finding], partial: None };
    let text = RowText::Line(String::new());
    PayloadRecord { place, text, parsed: Err(rejected), notes: Vec::new(), told: None }
}

/// Finds the payloads of one file.
struct PayloadFileReader<'r, 's, E> {
    context: &'r InputContext<'r>,
    sink: PayloadSink<'s, E>,
    transcoded: bool,
    count: u64,
    /// What was found before the next payload.
    slips: Vec<(Location, LenientSyntax)>,
}

impl<'r, 's, E> PayloadFileReader<'r, 's, E> {
    fn new(context: &'r InputContext<'r>, text: &Text<'_>, sink: PayloadSink<'s, E>) -> Self {
        let mark = text.is_marked().then(|| (context.place(1, 1), LenientSyntax::ByteOrderMark));
        let slips = mark.into_iter().collect();
        Self { context, sink, transcoded: text.is_transcoded(), count: 0, slips }
    }

    /// What was found behind the last payload.
    fn left(&self) -> impl Iterator<Item = &(Location, LenientSyntax)> {
        self.slips.iter()
    }

    fn place(&self, at: Position) -> Location {
        self.context.place(at.line, at.column)
    }

    fn reading<'q>(&mut self, place: Location, request: Option<&'q http::PutRequest>) -> PayloadReader<'q>
    where
        'r: 'q,
    {
        let mut reading = PayloadReader::new(self.context, place, request);
        for (place, slip) in self.slips.drain(..) {
            reading.slip(place, slip, 1);
        }
        reading
    }

    fn hand_over(&mut self, record: PayloadRecord) -> Result<(), InputError<E>> {
        self.count += 1;
        (self.sink)(record).map_err(InputError::Sink)
    }

    /// JSON lines: every line that isn't blank, or a comment, is a payload.
    fn lines(&mut self, text: Text<'_>) -> Result<(), InputError<E>> {
        let mut lines = BoundedLines::of(text.reader);
        while lines.next().map_err(|error| self.context.unreadable(&error))? {
            let used = lines.bytes.trim_ascii();
            let start = Position { line: lines.line, column: 1 };
            if used.starts_with(b"//") {
                self.slips.push((self.place(start), LenientSyntax::Comment));
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

    /// A JSON array, or objects one after the other.
    fn elements(&mut self, text: Text<'_>) -> Result<Option<Condemned>, InputError<E>> {
        let mut elements = ElementReader::of(text.reader);
        let (mut damage, mut has_rest) = (None, false);
        while elements.next().map_err(|error| self.context.unreadable(&error))? {
            self.add_slips(elements.take_slips());
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
        self.add_slips(elements.take_slips());
        if let Some(end) = elements.open() {
            if !has_rest {
                self.hand_over(missing(self.place(end), NEVER_CLOSED, "give the file whole"))?;
            }
            let is_denied = self.context.options.levels.of(Rule::CutOff) == Level::Deny;
            return Ok(is_denied.then(|| Condemned::cut_off(end)));
        }
        if self.count == 0 && !elements.has_array() {
            self.hand_over(nothing_in(self.context, &NoText::Empty))?;
        }
        Ok(damage.filter(|_| elements.has_several()).map(Condemned::not_whole))
    }

    fn element(&mut self, piece: Piece<'_>) -> PayloadRecord {
        self.reading(self.place(piece.start), None).read(&piece, self.transcoded)
    }

    fn add_slips(&mut self, slips: Vec<(Position, LenientSyntax)>) {
        for (at, slip) in slips {
            self.slips.push((self.place(at), slip));
        }
    }

    fn requests(&mut self, text: Text<'_>) -> Result<(), InputError<E>> {
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

/// Where a payload is no JSON, or too much of it.
fn damage_of(record: &PayloadRecord) -> Option<Location> {
    let findings = &record.parsed.as_ref().err()?.findings;
    let is_damage = |finding: &&Finding| matches!(finding.rule, Rule::Json | Rule::Size | Rule::Encoding);
    findings.iter().find(is_damage).map(|finding| finding.place)
}
