//! Items of a plan on their way into the ledger. Their table lies in the order of their numbers, and they
//! come as their referrals were looked at. So many of them wait, and are sorted before they are written:
//! the table is then gone through once for all of them, and not searched for every one.

use std::fmt::Display;
use std::io::Write;

use serde::Serialize;

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

/// An item as it waited: its parts as text, in UTF-8; what isn't text by itself is JSON.
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
    pub(super) changes: &'a [u8],
    pub(super) patch: &'a [u8],
    pub(super) settled: Option<&'a Settled>,
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

    /// Hands over all that wait, in the order of their numbers.
    ///
    /// # Errors
    /// Whatever `each` fails with: that ends the handing over, and what is left is lost.
    pub(super) fn hand_over<E>(
        &mut self,
        mut each: impl FnMut(BufferedItem<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { texts, entries, in_disorder } = self;
        entries.sort_unstable_by_key(|entry| entry.number);
        for Entry { number, effect, is_bound, start, ends, settled } in entries.drain(..) {
            let mut start = start;
            let [id, etag, request_id, findings, audit, changes, patch] =
                ends.map(|end| &texts[std::mem::replace(&mut start, end)..end]);
            let [etag, audit] = [etag, audit].map(|text| (!text.is_empty()).then_some(text));
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
                changes,
                patch,
                settled,
            })?;
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
