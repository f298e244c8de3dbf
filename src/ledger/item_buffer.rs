//! Items of a plan on their way into the ledger. Their table lies in the order of their numbers, and they
//! come as their referrals were looked at. So many of them wait, and are sorted before they are written:
//! the table is then gone through once for all of them, and not searched for every one.

use std::fmt::Display;
use std::io::Write;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};
use serde::Serialize;

use super::sqlite::records::{EnumText, write_outcome};
use crate::domain::account::Settled;
use crate::domain::audit::Audit;
use crate::domain::item::{Effect, Item};
use crate::domain::referral::ETag;

/// How many bytes of items wait. It is enough for some hundred thousand of them.
const ROOM: usize = 64 << 20;

/// How many wait as long as they come in the order of their numbers, where waiting is of no use.
const ROOM_IN_ORDER: usize = 1 << 20;

const TEXTS: usize = 7;

/// Items that wait.
#[derive(Debug, Default)]
pub(super) struct ItemBuffer {
    /// The texts of all items. Those that came one after another are one piece of memory.
    texts: Vec<u8>,
    entries: Vec<Entry>,
    in_disorder: bool,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    effect: Effect,
    is_bound: bool,
    start: usize,
    /// Where each text ends.
    ends: [usize; TEXTS],
    settled: Option<Box<Settled>>,
}

impl ItemBuffer {
    /// Adds an item. Answers whether it is time to write.
    pub(super) fn add(&mut self, item: &Item, settled: Option<&Settled>, audit: Option<&Audit>) -> bool {
        if !self.in_disorder && self.entries.last().is_some_and(|last| last.number > item.number) {
            self.in_disorder = true;
            // Once and for all: growing step by step, there would be two of it at a time. What isn't
            // written to takes no memory.
            self.texts.reserve_exact(ROOM + ROOM_IN_ORDER);
        }
        let start = self.texts.len();
        let ends = [
            self.text(item.id),
            // No eTag is empty, and so is no audit.
            self.text(item.etag.as_ref().map_or("", ETag::as_str)),
            self.text(item.request_id),
            self.json(&item.findings),
            audit.map_or(self.texts.len(), |audit| self.json(audit)),
            self.json(&item.changes),
            self.text(item.patch.get()),
        ];
        let Item { number, effect, is_bound, .. } = *item;
        let settled = settled.cloned().map(Box::new);
        self.entries.push(Entry { number, effect, is_bound, start, ends, settled });
        self.texts.len() >= if self.in_disorder { ROOM } else { ROOM_IN_ORDER }
    }

    /// How many items wait.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Writes all that wait.
    pub(super) fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let Self { texts, entries, in_disorder } = self;
        entries.sort_unstable_by_key(|entry| entry.number);
        let mut insert = connection.prepare_cached(
            "INSERT INTO item (number, referral, effect, etag, bound, request_id, findings, audit, changes,
                               patch, checksum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
                     checksum_of(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10))",
        )?;
        for Entry { number, effect, is_bound, start, ends, settled } in entries.drain(..) {
            let mut start = start;
            let [id, etag, request_id, findings, audit, changes, patch] =
                ends.map(|end| Utf8(&texts[std::mem::replace(&mut start, end)..end]));
            let [etag, audit] = [etag, audit].map(|text| (!text.0.is_empty()).then_some(text));
            let number_there = number.cast_signed();
            insert.execute((
                number_there,
                id,
                EnumText(effect),
                etag,
                is_bound,
                request_id,
                findings,
                audit,
                changes,
                patch,
            ))?;
            if let Some(settled) = settled {
                write_outcome(connection, number, true, &settled)?;
            }
        }
        texts.clear();
        *in_disorder = false;
        Ok(())
    }

    /// Appends a text; answers where it ends.
    fn text(&mut self, text: impl Display) -> usize {
        write!(self.texts, "{text}").expect("memory takes what is written to it");
        self.texts.len()
    }

    fn json(&mut self, value: &impl Serialize) -> usize {
        serde_json::to_writer(&mut self.texts, value).expect("a value of this crate serialises");
        self.texts.len()
    }
}

/// Text that is known to be valid.
struct Utf8<'a>(&'a [u8]);

impl ToSql for Utf8<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}
