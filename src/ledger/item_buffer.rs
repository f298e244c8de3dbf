//! Collects the items of a plan and sorts them before they are written into the ledger.
//!
//! The table of items is stored in the order of their numbers, but the items come in the order in which their
//! referrals were read. They wait here until a limit of bytes is reached, and are then sorted: the database
//! goes through the table once for all of them, in place of searching it for each one.

use std::fmt::Display;
use std::io::Write;

use serde::Serialize;

use crate::domain::account::Settled;
use crate::domain::audit::Audit;
use crate::domain::item::{Effect, Item};
use crate::domain::referral::ETag;
use crate::domain::subject::Subject;

/// Bytes of items that wait at most; enough for some hundred thousand items.
const ROOM: usize = 64 << 20;

/// Bytes that wait at most as long as items come in the order of their numbers, where sorting is of no use.
const ROOM_IN_ORDER: usize = 1 << 20;

const TEXTS: usize = 8;

/// Items that wait to be written.
#[derive(Debug, Default)]
pub(super) struct ItemBuffer {
    /// The texts of all waiting items, each item's after those of the one before in one piece of memory.
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
    /// The end of each text, as an offset into all texts.
    ends: [usize; TEXTS],
    settled: Option<Box<Settled>>,
}

/// A waiting item as the database takes it: its parts as UTF-8 text; parts that have no text form of their
/// own are JSON.
#[derive(Debug)]
pub(super) struct BufferedItem<'a> {
    pub(super) number: u64,
    pub(super) effect: Effect,
    pub(super) is_bound: bool,
    pub(super) id: &'a [u8],
    pub(super) etag: Option<&'a [u8]>,
    pub(super) request_id: &'a [u8],
    pub(super) findings: &'a [u8],
    pub(super) audit: Option<&'a [u8]>,
    pub(super) subject: Option<&'a [u8]>,
    pub(super) changes: &'a [u8],
    pub(super) patch: &'a [u8],
    pub(super) settled: Option<&'a Settled>,
}

impl ItemBuffer {
    /// Adds an item. Returns whether the buffer is full and has to be written.
    pub(super) fn add(
        &mut self,
        item: &Item,
        settled: Option<&Settled>,
        audit: Option<&Audit>,
        subject: Option<&Subject>,
    ) -> bool {
        if !self.in_disorder && self.entries.last().is_some_and(|last| last.number > item.number) {
            self.in_disorder = true;
            // All at once: growing step by step would for a moment hold the texts twice. Reserved memory that
            // isn't written to is not used up.
            self.texts.reserve_exact(ROOM + ROOM_IN_ORDER);
        }
        let start = self.texts.len();
        let ends = [
            self.text(item.id),
            // An empty text stands for an absent one: no eTag is empty, no audit, and no subject.
            self.text(item.etag.as_ref().map_or("", ETag::as_str)),
            self.text(item.request_id),
            self.json(&item.findings),
            audit.map_or(self.texts.len(), |audit| self.json(audit)),
            subject.map_or(self.texts.len(), |subject| self.json(subject)),
            self.json(&item.changes),
            self.text(item.patch.get()),
        ];
        let Item { number, effect, is_bound, .. } = *item;
        let settled = settled.cloned().map(Box::new);
        self.entries.push(Entry { number, effect, is_bound, start, ends, settled });
        self.texts.len() >= if self.in_disorder { ROOM } else { ROOM_IN_ORDER }
    }

    /// Returns the number of waiting items.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Hands over all waiting items, in the order of their numbers, and empties the buffer.
    ///
    /// # Errors
    /// Any error of `each`: it ends the handing over, and the items that are left are lost.
    pub(super) fn hand_over<E>(
        &mut self,
        mut each: impl FnMut(BufferedItem<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { texts, entries, in_disorder } = self;
        entries.sort_unstable_by_key(|entry| entry.number);
        for Entry { number, effect, is_bound, start, ends, settled } in entries.drain(..) {
            let mut start = start;
            let [id, etag, request_id, findings, audit, subject, changes, patch] =
                ends.map(|end| &texts[std::mem::replace(&mut start, end)..end]);
            let [etag, audit, subject] =
                [etag, audit, subject].map(|text| (!text.is_empty()).then_some(text));
            let settled = settled.as_deref();
            each(BufferedItem {
                number,
                effect,
                is_bound,
                id,
                etag,
                request_id,
                findings,
                audit,
                subject,
                changes,
                patch,
                settled,
            })?;
        }
        texts.clear();
        *in_disorder = false;
        Ok(())
    }

    /// Appends a text; returns where it ends.
    fn text(&mut self, text: impl Display) -> usize {
        write!(self.texts, "{text}").expect("memory takes what is written to it");
        self.texts.len()
    }

    fn json(&mut self, value: &impl Serialize) -> usize {
        serde_json::to_writer(&mut self.texts, value).expect("a value of this crate serialises");
        self.texts.len()
    }
}
