//! The data block of a page: what its script shows of the rows.
//!
//! The rows are kept until the page is written, and bounded in number and in bytes: a page of more rows could not be
//! opened, and names the files where the others are. The form is described at the head of the module.

mod chunks;

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::account::{FullRow, InputInfo, RowAccount, input_name};
use crate::domain::attempt::Try;
use crate::domain::fields::{Field, Kind, Path};
use crate::domain::finding::Finding;
use crate::domain::item::Change;
use crate::domain::json::{self, Object};
use crate::domain::level::Level;
use crate::domain::outcome::Outcome;
use crate::domain::subject::{self, Subject};

use self::chunks::Chunks;
use super::super::change_text::NoValue;
use super::sides::{Seen, Sides, is_of_plan};
use super::texts::Texts;

/// The most rows of a page.
pub(super) const MOST_ROWS: usize = 50_000;

/// The most bytes of a page's rows and of their texts.
const MOST_BYTES: usize = 11_500_000;

/// The most texts that are remembered with what was made of them.
const MOST_MADE: usize = 1_000;

/// The place of the changes in a row.
const CHANGES: usize = 5;

/// The number of a value that was not seen.
const NOT_SEEN: i64 = -1;

/// What people call the documented fields, in the order of [`Field::all`].
const LABELS: [&str; 15] = [
    "Reason",
    "Sales stage",
    "Campaign",
    "CRM id",
    "Program",
    "Notes",
    "Deal value",
    "Currency",
    "Close date",
    "Solutions",
    "Team",
    "Customer's team",
    "Sharing consent",
    "Stage",
    "Substatus",
];

/// The rows of a page in the form of its data block.
#[derive(Debug)]
pub(super) struct RowData {
    texts: Texts,
    /// What a change without a value from before means in this run.
    no_value: NoValue,
    start: Timestamp,
    fields: Fields,
    strings: Strings,
    rows: Chunks,
    kept: usize,
    most_rows: usize,
    most_bytes: usize,
    is_full: bool,
}

/// What of the data block isn't folded over the rows.
pub(super) struct DataHead<'a> {
    pub(super) kind: &'static str,
    pub(super) run: &'a str,
    pub(super) explain: &'a str,
    pub(super) inputs: &'a [InputInfo],
}

impl RowData {
    /// Begins the data of a run that was planned at `start`, from which its times are counted.
    pub(super) fn new(texts: Texts, no_value: NoValue, start: Timestamp) -> Self {
        Self {
            texts,
            no_value,
            start,
            fields: Fields::new(),
            strings: Strings::new(),
            rows: Chunks::default(),
            kept: 0,
            most_rows: MOST_ROWS,
            most_bytes: MOST_BYTES,
            is_full: false,
        }
    }

    /// Returns the number of rows that the page has: the first ones of the run.
    pub(super) fn kept(&self) -> u64 {
        self.kept as u64
    }

    /// Adds the next row, where there is still room for it; from the first one on for which there is none, no more are.
    pub(super) fn add(&mut self, row: &FullRow) {
        self.is_full |=
            self.kept == self.most_rows || self.rows.bytes() + self.strings.bytes >= self.most_bytes;
        if self.is_full {
            return;
        }
        let mut rows = self.rows.take_last();
        separate(self.kept, &mut rows);
        self.kept += 1;
        let mut members = Members::begin(rows);
        self.members(row, &mut members);
        self.rows.put_back(members.end());
    }

    /// Writes the members of a row.
    fn members(&mut self, row: &FullRow, members: &mut Members) {
        let RowAccount { place, id, verdict, subject, at, findings, .. } = &row.account;
        members.number(place.input);
        members.number(place.line);
        members.json(&id.map(|id| id.to_string()).unwrap_or_default());
        members.json(&name(subject.as_ref(), self.texts));
        members.number(verdict.outcome as usize);
        members.list(|out| self.changes(row, out));
        members.number(self.strings.number(self.texts.free(&verdict.code)));
        members.number(self.message(verdict.message.as_str()));
        let currency = self.currency(row);
        members.number(self.strings.number(currency));
        members.number(verdict.status.unwrap_or_default());
        match at {
            Some(at) => members.number(self.since_start(*at)),
            None => members.null(),
        }
        members.list(|out| {
            for (at, made) in row.tries.iter().enumerate() {
                separate(at, out);
                attempt(*made, out);
            }
        });
        members.list(|out| {
            for (at, finding) in findings.iter().enumerate() {
                separate(at, out);
                self.finding(finding, out);
            }
        });
    }

    /// Returns the number of a message, which many rows share.
    fn message(&mut self, message: &str) -> i64 {
        let texts = self.texts;
        self.strings.number_of(message, || texts.message(message))
    }

    fn since_start(&self, at: Timestamp) -> i64 {
        at.as_millisecond() - self.start.as_millisecond()
    }

    /// Returns the currency of the deal's value after the change, where the row changes the value.
    fn currency(&self, row: &FullRow) -> String {
        let changes = row.change.iter().flat_map(|change| &change.changes);
        let is = |change: &&Change, field| change.path == Path::Known(field);
        if !changes.clone().any(|change| is(&change, Field::DealValue)) {
            return String::new();
        }
        let set = changes.clone().find(|change| is(change, Field::Currency));
        let set = set.map(|change| self.texts.value(Kind::Currency, Some(&change.after)));
        let seen = row.account.subject.as_ref().and_then(|subject| subject.currency.as_deref());
        set.or_else(|| seen.map(|seen| self.texts.plain(seen))).unwrap_or_default()
    }

    /// Writes what a row changes. A conflict is told from its own sides, of which the base may be older than the plan.
    fn changes(&mut self, row: &FullRow, out: &mut Vec<u8>) {
        let changes = row.change.as_ref().map(|change| change.changes.as_slice()).unwrap_or_default();
        let theirs = row.account.theirs.as_deref().and_then(Object::from_raw);
        let planned = is_of_plan(row);
        for (at, change) in changes.iter().enumerate() {
            separate(at, out);
            let (before, other) = match row.account.verdict.outcome {
                Outcome::Conflict => {
                    let Sides { base, theirs, moved } =
                        Sides::of(change, theirs.as_ref(), planned, self.no_value);
                    (base, Some((theirs, moved)))
                }
                Outcome::Partial => {
                    let kept = theirs.as_ref().and_then(|theirs| theirs.get(change.path.pointer().as_str()));
                    (self.before(change), kept.map(|kept| (Seen::of(Some(kept)), true)))
                }
                _ => (self.before(change), None),
            };
            self.change(change, before, other, out);
        }
    }

    /// Returns the value that a change was planned from.
    fn before<'a>(&self, change: &'a Change) -> Seen<'a> {
        match change.before.as_deref() {
            None if self.no_value == NoValue::NotSeen => Seen::Not,
            before => Seen::of(before),
        }
    }

    /// Writes a change, with the value at another side where there is one, and whether that differs: in a conflict from
    /// the value before, else from the one that was to be set.
    fn change(
        &mut self,
        change: &Change,
        before: Seen<'_>,
        other: Option<(Seen<'_>, bool)>,
        out: &mut Vec<u8>,
    ) {
        let kind = change.path.kind();
        let field = self.fields.number(&change.path, !change.appended.is_empty(), self.texts);
        let after = match change.appended.as_slice() {
            [] => self.text(kind, Seen::of(Some(&change.after))),
            appended => Some(self.texts.elements(kind, appended.iter().map(AsRef::as_ref))),
        };
        let (seen, before) = (before, self.text(kind, before));
        // Values that are told otherwise need not be compared.
        let is_alike = change.appended.is_empty() && before == after;
        let is_other = is_alike && seen.differs(kind, &change.after);
        let after = if is_other { other_than(before.as_deref(), after) } else { after };
        let other = other.map(|(other, differs)| match (self.text(kind, other), differs) {
            (None, _) => None,
            (told, true) => other_than(before.as_deref(), told),
            (told, false) => before.clone().or(told),
        });
        out.push(b'[');
        put_number(out, field);
        for text in [before, after].into_iter().chain(other) {
            let number = text.map_or(NOT_SEEN, |text| self.strings.number(text));
            out.push(b',');
            put_number(out, number);
        }
        out.push(b']');
    }

    /// Returns the text of a value; `None` where it was not seen.
    fn text(&self, kind: Kind, value: Seen<'_>) -> Option<String> {
        match value {
            Seen::Not => None,
            Seen::As(value) => Some(self.texts.value(kind, value)),
        }
    }

    fn finding(&mut self, finding: &Finding, out: &mut Vec<u8>) {
        let rule = self.strings.number(finding.rule.id().to_owned());
        let message = self.message(finding.sentence().as_str());
        put(out, format_args!("[{rule},{},{message}]", u8::from(finding.level == Level::Deny)));
    }

    /// Writes the block. No text in it can end the element that it stands in.
    pub(super) fn write(&self, head: &DataHead<'_>, out: &mut impl Write) -> io::Result<()> {
        let DataHead { kind, run, explain, inputs } = *head;
        let start = Timestamp::from_millisecond(self.start.as_millisecond()).unwrap_or(self.start);
        let files = inputs.iter().map(|input| in_json(&self.texts.plain(input_name(&input.path))));
        let outcomes = Outcome::ALL.iter().map(|outcome| in_json(outcome.name()));
        let prefixes = Outcome::ALL.iter().filter_map(|outcome| {
            Some(format!("{}:{}", in_json(outcome.name()), in_json(prefix(*outcome)?)))
        });
        write!(
            out,
            "{{\"version\":1,\"kind\":{},\"run\":{},\"explain\":{},\"start\":{},\"files\":{},\"outcomes\":{},\
             \"fields\":{},\"labels\":{},\"prefix\":{{{}}},\"rows\":[",
            in_json(kind),
            in_json(run),
            in_json(explain),
            in_json(&start.to_string()),
            list(files),
            list(outcomes),
            list(self.fields.known.iter().map(|field| in_json(&field.pointer))),
            list(self.fields.known.iter().map(|field| in_json(&field.label))),
            prefixes.collect::<Vec<_>>().join(","),
        )?;
        self.rows.all().try_for_each(|chunk| out.write_all(chunk))?;
        out.write_all(b"],\"strings\":[")?;
        for (at, text) in self.strings.texts().into_iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(out, "{comma}{}", in_json(text))?;
        }
        out.write_all(b"]}")
    }
}

/// Returns the text of a value that differs from another: where the two are told alike, it says that it is another, as
/// where what they differ in is masked or cut off.
fn other_than(other: Option<&str>, text: Option<String>) -> Option<String> {
    match text {
        Some(text) if other == Some(&text) && !text.is_empty() => Some(format!("{text} (another value)")),
        text => text,
    }
}

/// Returns what stands before a change that was not made as it was asked for.
fn prefix(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Applied | Outcome::Unchanged | Outcome::Planned => None,
        Outcome::Conflict | Outcome::Invalid | Outcome::Refused | Outcome::Failed | Outcome::Unsent => {
            Some("not made:")
        }
        Outcome::Partial => Some("in part:"),
        Outcome::Unknown => Some("in doubt:"),
    }
}

/// Returns what people know a referral by: the deal's name and the customer's, unless the one holds the other.
pub(super) fn name(subject: Option<&Subject>, texts: Texts) -> String {
    let [name, customer] = subject::names(subject).map(|name| name.map(|name| texts.free(name)));
    match (name, customer) {
        (Some(name), Some(customer)) if !name.contains(&customer) => format!("{name} – {customer}"),
        (name, customer) => name.or(customer).unwrap_or_default(),
    }
}

/// Returns what people call a field.
pub(super) fn label(path: &Path, texts: Texts) -> String {
    match path {
        Path::Known(field) => LABELS[*field as usize].to_owned(),
        Path::Opted(pointer) => texts.plain(pointer.as_str()),
    }
}

fn attempt(made: Try, out: &mut Vec<u8>) {
    put(out, format_args!("[\"{}\",{},", made.client_request_id, made.status.unwrap_or_default()));
    match made.answered {
        Some(answered) => {
            let took = answered.as_millisecond() - made.at.as_millisecond();
            put(out, format_args!("{}]", took.max(0)));
        }
        None => out.extend_from_slice(b"null]"),
    }
}

fn list(members: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", members.into_iter().collect::<Vec<_>>().join(","))
}

/// Returns a text as JSON that may stand in an element of a page.
fn in_json(text: &str) -> String {
    json::raw(text).get().replace('<', "\\u003c")
}

/// Appends a text as [`in_json`] returns it.
fn put_json(out: &mut Vec<u8>, text: &str) {
    // Nearly every text is such, and stands in JSON as it is.
    let is_plain = text.bytes().all(|byte| byte >= b' ' && !matches!(byte, b'"' | b'\\' | b'<'));
    if is_plain {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(in_json(text).as_bytes());
    }
}

/// Appends a number, which this does faster than the formatter.
fn put_number(out: &mut Vec<u8>, number: impl Serialize) {
    serde_json::to_writer(out, &number).expect("memory takes what is written to it");
}

/// Appends to what memory holds.
fn put(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    out.write_fmt(text).expect("memory takes what is written to it");
}

/// Separates an element of a list from the one before.
fn separate(at: usize, out: &mut Vec<u8>) {
    if at > 0 {
        out.push(b',');
    }
}

/// The members of a row while they are written. Those at its end that say nothing are left out.
struct Members {
    out: Vec<u8>,
    /// The number of members so far.
    count: usize,
    /// The end of the last member that stays.
    end: usize,
}

impl Members {
    /// Begins a row behind others.
    fn begin(mut out: Vec<u8>) -> Self {
        out.push(b'[');
        Self { end: out.len(), out, count: 0 }
    }

    fn member(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        separate(self.count, &mut self.out);
        let start = self.out.len();
        write(&mut self.out);
        let says_nothing = matches!(&self.out[start..], b"[]" | b"null" | b"0");
        // The changes are there in any case, so that the script need not ask.
        if !says_nothing || self.count <= CHANGES {
            self.end = self.out.len();
        }
        self.count += 1;
    }

    fn number(&mut self, number: impl Serialize) {
        self.member(|out| put_number(out, number));
    }

    fn null(&mut self) {
        self.member(|out| out.extend_from_slice(b"null"));
    }

    fn json(&mut self, text: &str) {
        self.member(|out| put_json(out, text));
    }

    fn list(&mut self, elements: impl FnOnce(&mut Vec<u8>)) {
        self.member(|out| {
            out.push(b'[');
            elements(out);
            out.push(b']');
        });
    }

    fn end(mut self) -> Vec<u8> {
        self.out.truncate(self.end);
        self.out.push(b']');
        self.out
    }
}

/// The fields that the rows of a page change, in the order of their numbers.
#[derive(Debug)]
struct Fields {
    known: Vec<KnownField>,
}

#[derive(Debug)]
struct KnownField {
    pointer: String,
    label: String,
}

impl Fields {
    /// Begins with the documented fields.
    fn new() -> Self {
        let documented = Field::all().zip(LABELS);
        let known = documented.map(|(field, label)| KnownField {
            pointer: field.pointer().to_string(),
            label: label.to_owned(),
        });
        Self { known: known.collect() }
    }

    /// Returns the number of a field, or of the end of a list that is added to.
    fn number(&mut self, path: &Path, is_end: bool, texts: Texts) -> usize {
        let known = match path {
            Path::Known(field) => Some(*field as usize),
            Path::Opted(_) => None,
        };
        if let (Some(number), false) = (known, is_end) {
            return number;
        }
        let pointer = path.pointer().to_string();
        let pointer = texts.plain(&if is_end { pointer + "/-" } else { pointer });
        if let Some(number) = self.known.iter().position(|field| field.pointer == pointer) {
            return number;
        }
        let label = known.and_then(|number| Some(self.known.get(number)?.label.clone()));
        let label = label.unwrap_or_else(|| pointer.clone());
        self.known.push(KnownField { pointer, label });
        self.known.len() - 1
    }
}

/// Texts by their numbers, each once.
#[derive(Debug)]
struct Strings {
    numbers: HashMap<String, i64>,
    /// The numbers of texts that were made of others, by those: what many rows share is made once.
    made: HashMap<String, i64>,
    /// The bytes that they take in the page, nearly.
    bytes: usize,
}

impl Strings {
    /// Begins with the empty text, which has the number 0.
    fn new() -> Self {
        Self { numbers: HashMap::from([(String::new(), 0)]), made: HashMap::new(), bytes: 0 }
    }

    fn number(&mut self, text: String) -> i64 {
        let next = i64::try_from(self.numbers.len()).unwrap_or(i64::MAX);
        let bytes = text.len() + 3;
        let number = *self.numbers.entry(text).or_insert(next);
        if number == next {
            self.bytes += bytes;
        }
        number
    }

    /// Returns the number of the text that is made of another; `make` makes it, the same whenever it is called.
    fn number_of(&mut self, of: &str, make: impl FnOnce() -> String) -> i64 {
        if let Some(number) = self.made.get(of) {
            return *number;
        }
        let number = self.number(make());
        if self.made.len() < MOST_MADE {
            self.made.insert(of.to_owned(), number);
        }
        number
    }

    /// Returns the texts in the order of their numbers.
    fn texts(&self) -> Vec<&str> {
        let mut texts: Vec<(i64, &str)> =
            self.numbers.iter().map(|(text, number)| (*number, text.as_str())).collect();
        texts.sort_unstable();
        texts.into_iter().map(|(_, text)| text).collect()
    }
}

#[cfg(test)]
mod tests;
