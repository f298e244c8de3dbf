//! An item of a plan as bytes, as it waits to be written: in memory, or put aside.

use std::fmt::Display;
use std::io::Write;

use serde::Serialize;

use crate::domain::account::Settled;
use crate::domain::audit::Audit;
use crate::domain::item::Item;
use crate::domain::referral::ETag;
use crate::domain::subject::Subject;

/// The number of texts of an item.
const TEXTS: usize = 10;

/// The bytes before the texts: the length of the record, the item's number, its flags, and the length of each text.
const HEAD: usize = 4 + 8 + 1 + 4 * TEXTS;

/// Where the flags stand.
const FLAGS: usize = 4 + 8;

/// The item's version is the one that the input names.
const BOUND: u8 = 1;

/// It is no item: whatever came before it under its number was taken back.
const TAKEN_BACK: u8 = 2;

/// A waiting item as the database takes it: its parts as UTF-8 text; parts that have no text form of their
/// own are JSON.
#[derive(Debug)]
pub(super) struct BufferedItem<'a> {
    pub(super) number: u64,
    pub(super) is_bound: bool,
    pub(super) id: &'a [u8],
    pub(super) effect: &'a [u8],
    pub(super) etag: Option<&'a [u8]>,
    pub(super) request_id: &'a [u8],
    pub(super) findings: &'a [u8],
    pub(super) audit: Option<&'a [u8]>,
    pub(super) subject: Option<&'a [u8]>,
    pub(super) changes: &'a [u8],
    pub(super) patch: &'a [u8],
    pub(super) settled: Option<Settled>,
}

/// Appends the record of an item.
pub(super) fn add(
    records: &mut Vec<u8>,
    item: &Item,
    settled: Option<&Settled>,
    audit: Option<&Audit>,
    subject: Option<&Subject>,
) {
    let mut record = begin(records, item.number, if item.is_bound { BOUND } else { 0 });
    record.text(item.id);
    record.text(item.effect.name());
    // An empty text stands for an absent one: no eTag is empty, no audit, no subject, and no outcome.
    record.text(item.etag.as_ref().map_or("", ETag::as_str));
    record.text(item.request_id);
    record.json_if(Some(&item.findings));
    record.json_if(audit);
    record.json_if(subject);
    record.json_if(Some(&item.changes));
    record.text(item.patch.get());
    record.json_if(settled);
    record.end();
}

/// Appends the record that an item was taken back.
pub(super) fn add_taken_back(records: &mut Vec<u8>, number: u64) {
    begin(records, number, TAKEN_BACK).end();
}

/// Returns the record that these bytes begin with; `None` where they are not what was written.
pub(super) fn first(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(..word(bytes, 0)?).filter(|record| record.len() >= HEAD)
}

/// Returns the number of the item that a record is about.
pub(super) fn number(record: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(record.get(4..FLAGS)?.try_into().ok()?))
}

/// Whether the record says that an item was taken back.
pub(super) fn is_taken_back(record: &[u8]) -> bool {
    record.get(FLAGS).is_some_and(|flags| flags & TAKEN_BACK != 0)
}

/// Reads the record of an item; `None` where it is not what was written.
pub(super) fn read(record: &[u8]) -> Option<BufferedItem<'_>> {
    let mut rest = record.get(HEAD..)?;
    let mut texts: [&[u8]; TEXTS] = [&[]; TEXTS];
    for (at, text) in texts.iter_mut().enumerate() {
        (*text, rest) = rest.split_at_checked(word(record, FLAGS + 1 + 4 * at)?)?;
    }
    let [id, effect, etag, request_id, findings, audit, subject, changes, patch, settled] = texts;
    let [etag, audit, subject, settled] =
        [etag, audit, subject, settled].map(|text| (!text.is_empty()).then_some(text));
    Some(BufferedItem {
        number: number(record)?,
        is_bound: record.get(FLAGS)? & BOUND != 0,
        id,
        effect,
        etag,
        request_id,
        findings,
        audit,
        subject,
        changes,
        patch,
        settled: settled.map(serde_json::from_slice).transpose().ok()?,
    })
}

/// A record while its texts are appended.
struct Record<'a> {
    bytes: &'a mut Vec<u8>,
    start: usize,
    /// Where the length of the next text stands.
    length: usize,
}

fn begin(bytes: &mut Vec<u8>, number: u64, flags: u8) -> Record<'_> {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; HEAD]);
    bytes[start + 4..start + FLAGS].copy_from_slice(&number.to_le_bytes());
    bytes[start + FLAGS] = flags;
    Record { bytes, start, length: start + FLAGS + 1 }
}

impl Record<'_> {
    fn text(&mut self, text: impl Display) {
        let begin = self.bytes.len();
        write!(self.bytes, "{text}").expect("memory takes what is written to it");
        self.close(begin);
    }

    /// Appends a value as JSON, or an empty text where there is none.
    fn json_if(&mut self, value: Option<&impl Serialize>) {
        let begin = self.bytes.len();
        if let Some(value) = value {
            serde_json::to_writer(&mut *self.bytes, value).expect("a value of this crate serialises");
        }
        self.close(begin);
    }

    fn close(&mut self, begin: usize) {
        let length = self.bytes.len() - begin;
        put_word(self.bytes, self.length, length);
        self.length += 4;
    }

    fn end(self) {
        let length = self.bytes.len() - self.start;
        put_word(self.bytes, self.start, length);
    }
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(word) as usize)
}

fn put_word(bytes: &mut [u8], at: usize, value: usize) {
    let value = u32::try_from(value).expect("an item is far smaller than 4 GiB");
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}
