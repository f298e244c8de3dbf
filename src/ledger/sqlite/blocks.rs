//! What a plan comes to, and how far it was carried out, in a few bits for each item: the tables `sealed` and `carried`.
//!
//! Items are counted off in blocks by their numbers. A block's record in `sealed` is written once, when the plan is
//! complete: which items there are, which of them are to be sent, and which of those close their referral. Its record in
//! `carried` is written in the same transaction as every intent and every outcome: which items have their outcome, and the
//! sum of all attempts at any of them.
//!
//! So each intent and each outcome is on record twice, in two places of the file. That one of them is gone, be it a
//! record, a page or an entry of an index, shows by the other, and of an item that is about to be sent without reading
//! the records of all others. The totals of a run are counted from the bits, too.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row};

use super::records::number;
use crate::ledger::model::PlanTotals;

/// The number of items in a block, and the bytes that hold a bit for each.
const ITEMS: u64 = 1_024;
const BYTES: usize = 128;

/// The greatest number of a block: SQLite's integers are signed.
const MOST: u64 = i64::MAX as u64 / ITEMS;

/// A bit for each item of a block, the lowest of the first byte for the first item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bits([u8; BYTES]);

impl Bits {
    const NONE: Self = Self([0; BYTES]);

    fn has(&self, at: usize) -> bool {
        self.0[at / 8] >> (at % 8) & 1 == 1
    }

    fn set(&mut self, at: usize, is_set: bool) {
        let bit = 1 << (at % 8);
        self.0[at / 8] = if is_set { self.0[at / 8] | bit } else { self.0[at / 8] & !bit };
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|byte| u64::from(byte.count_ones())).sum()
    }

    /// Returns those that aren't among others.
    fn without(&self, others: &Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] & !others.0[at]))
    }

    /// Returns the first one from a place on that is set.
    fn next(&self, from: usize) -> Option<usize> {
        (from..BYTES * 8).find(|at| self.has(*at))
    }
}

/// What is known of the items of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    /// The items that there are.
    planned: Bits,
    /// Those that planning left to be sent.
    sent: Bits,
    /// Those of them that close their referral.
    closing: Bits,
    /// Those of them that have their outcome.
    settled: Bits,
    /// The sum of all attempts on record: see [`attempt`].
    attempts: u64,
}

impl Block {
    const EMPTY: Self =
        Self { planned: Bits::NONE, sent: Bits::NONE, closing: Bits::NONE, settled: Bits::NONE, attempts: 0 };
}

/// The blocks of a run by their numbers, but for those without an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Blocks(BTreeMap<u64, Block>);

impl Blocks {
    /// Reads the blocks of a planned run as they are on record. The caller has compared the records with their checksums.
    /// Where one of them is missing beside another one, or can't be, returns what is wrong.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Result<Self, String>> {
        let all = "SELECT coalesce(sealed.block, carried.block), planned, sent, closing, settled, attempts
                   FROM sealed FULL JOIN carried ON carried.block = sealed.block ORDER BY 1";
        let (mut blocks, mut wrong) = (Self::default(), None);
        each(connection, all, |row| {
            let number = number(row, 0)?;
            match block(row)? {
                _ if number > MOST => {
                    wrong.get_or_insert(format!("there cannot be a block {number}"));
                }
                Some(block) => _ = blocks.0.insert(number, block),
                None => {
                    wrong.get_or_insert(format!("sealed or carried {number} is missing"));
                }
            }
            Ok(())
        })?;
        Ok(wrong.map_or(Ok(blocks), Err))
    }

    /// Makes the blocks from the items, outcomes and attempts that are on record.
    pub(super) fn of_records(connection: &Connection) -> rusqlite::Result<Self> {
        let mut blocks = Self::default();
        let items = "SELECT number, effect = 'one-way', outcome.planned
                     FROM item LEFT JOIN outcome ON outcome.item = item.number";
        each(connection, items, |row| {
            let (item, planned) = (number(row, 0)?, row.get::<_, Option<bool>>(2)?);
            blocks.add(item, planned != Some(true), row.get(1)?);
            if planned == Some(false) {
                blocks.settle(item);
            }
            Ok(())
        })?;
        // Of the index alone, by which attempts are found.
        each(connection, "SELECT item, id FROM attempt INDEXED BY attempt_of_item", |row| {
            blocks.attempted(number(row, 0)?, row.get(1)?);
            Ok(())
        })?;
        Ok(blocks)
    }

    /// Puts all blocks on record, in place of those that are.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch("DELETE FROM sealed; DELETE FROM carried")?;
        let mut seal = connection.prepare(
            "INSERT INTO sealed (block, checksum, planned, sent, closing)
             VALUES (?1, checksum_of(?1, ?2, ?3, ?4), ?2, ?3, ?4)",
        )?;
        for (number, Block { planned, sent, closing, .. }) in &self.0 {
            seal.execute((number.cast_signed(), planned.0, sent.0, closing.0))?;
            self.write_carried(*number, connection)?;
        }
        Ok(())
    }

    /// Puts on record how far a block was carried out.
    pub(super) fn write_carried(&self, number: u64, connection: &Connection) -> rusqlite::Result<()> {
        let Block { settled, attempts, .. } = self.0.get(&number).unwrap_or(&Block::EMPTY);
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO carried (block, checksum, attempts, settled)
                 VALUES (?1, checksum_of(?1, ?2, ?3), ?2, ?3)",
            )?
            .execute((number.cast_signed(), attempts.cast_signed(), settled.0))
            .map(drop)
    }

    /// Adds an item of the plan.
    pub(super) fn add(&mut self, item: u64, is_sent: bool, is_closing: bool) {
        let (block, at) = self.block(item);
        block.planned.set(at, true);
        block.sent.set(at, is_sent);
        block.closing.set(at, is_sent && is_closing);
    }

    /// Takes an item back that was added.
    pub(super) fn take_back(&mut self, item: u64) {
        let (block, at) = self.block(item);
        for bits in [&mut block.planned, &mut block.sent, &mut block.closing] {
            bits.set(at, false);
        }
        if block.planned == Bits::NONE {
            self.0.remove(&block_of(item));
        }
    }

    /// Records that an item has its outcome. Returns its block.
    pub(super) fn settle(&mut self, item: u64) -> u64 {
        let (block, at) = self.block(item);
        block.settled.set(at, true);
        block_of(item)
    }

    /// Records an attempt at an item. Returns its block.
    pub(super) fn attempted(&mut self, item: u64, id: i64) -> u64 {
        let block = self.block(item).0;
        block.attempts = block.attempts.wrapping_add(attempt(item, id));
        block_of(item)
    }

    /// Records that an attempt at an item was withdrawn. Returns its block.
    pub(super) fn withdrawn(&mut self, item: u64, id: i64) -> u64 {
        let block = self.block(item).0;
        block.attempts = block.attempts.wrapping_sub(attempt(item, id));
        block_of(item)
    }

    /// Whether there is such an item.
    pub(super) fn has(&self, item: u64) -> bool {
        self.0.get(&block_of(item)).is_some_and(|block| block.planned.has(place_of(item)))
    }

    /// Whether an item is to be sent and has no outcome.
    pub(super) fn is_left(&self, item: u64) -> bool {
        self.0.get(&block_of(item)).is_some_and(|block| block.left().has(place_of(item)))
    }

    /// Returns the first item behind this one that is to be sent and has no outcome.
    pub(super) fn next_left(&self, after: u64) -> Option<u64> {
        let from = after.checked_add(1)?;
        self.0.range(block_of(from)..).find_map(|(number, block)| {
            let first = if *number == block_of(from) { place_of(from) } else { 0 };
            block.left().next(first).map(|at| number * ITEMS + at as u64)
        })
    }

    /// Returns the number of items that are to be sent and have no outcome.
    pub(super) fn count_left(&self) -> u64 {
        self.0.values().map(|block| block.left().count()).sum()
    }

    /// Returns the size of a run of so many rows, and how much of it is left.
    pub(super) fn totals(&self, rows: u64) -> PlanTotals {
        let sum = |of: fn(&Block) -> Bits| self.0.values().map(|block| of(block).count()).sum();
        PlanTotals {
            rows,
            items: sum(|block| block.planned),
            to_send: sum(|block| block.sent),
            closing: sum(|block| block.closing),
            remaining: sum(Block::left),
            remaining_closing: sum(|block| block.closing.without(&block.settled)),
        }
    }

    /// Compares what is on record of items, outcomes and attempts with these blocks.
    ///
    /// # Errors
    /// Returns what is missing, or there too much.
    pub(super) fn compare(&self, records: &Self) -> Result<(), String> {
        let numbers = self.0.keys().chain(records.0.keys());
        for number in numbers {
            let [wanted, found] = [self, records].map(|blocks| blocks.0.get(number).unwrap_or(&Block::EMPTY));
            wanted.compare(found, number * ITEMS)?;
        }
        Ok(())
    }

    fn block(&mut self, item: u64) -> (&mut Block, usize) {
        (self.0.entry(block_of(item)).or_insert(Block::EMPTY), place_of(item))
    }
}

impl Block {
    /// Returns the items that are to be sent and have no outcome.
    fn left(&self) -> Bits {
        self.sent.without(&self.settled)
    }

    /// Compares what is on record with this. The first item of the block would have the number `first`.
    fn compare(&self, found: &Self, first: u64) -> Result<(), String> {
        let differing = |wanted: &Bits, found: &Bits| {
            let at = wanted.without(found).next(0).or_else(|| found.without(wanted).next(0));
            at.map(|at| (first + at as u64, wanted.has(at)))
        };
        match differing(&self.planned, &found.planned) {
            Some((item, true)) => return Err(format!("item {item} is missing")),
            Some((item, false)) => return Err(format!("item {item} is not in the plan that was sealed")),
            None => {}
        }
        let sealed = differing(&self.sent, &found.sent).or_else(|| differing(&self.closing, &found.closing));
        if let Some((item, _)) = sealed {
            return Err(format!("item {item} is not as it was sealed"));
        }
        match differing(&self.settled, &found.settled) {
            Some((item, true)) => return Err(format!("outcome {item} is missing")),
            Some((item, false)) => return Err(format!("outcome {item} was never carried out")),
            None => {}
        }
        if self.attempts == found.attempts { Ok(()) } else { Err(other_attempts(first / ITEMS)) }
    }
}

/// Whether the attempts at items of a block are those that were made, as the index tells by which they are found.
pub(super) fn are_attempts_there(block: u64, connection: &Connection) -> rusqlite::Result<bool> {
    // Both are read as they stand at one moment: others are made meanwhile.
    let moment = connection.unchecked_transaction()?;
    let carried = "SELECT attempts FROM carried
                   WHERE block = ?1 AND checksum IS checksum_of(block, attempts, settled)";
    let carried =
        moment.prepare_cached(carried)?.query_row([block.cast_signed()], |row| row.get(0)).optional();
    let mut attempts = 0_u64;
    let mut found = moment.prepare_cached(
        "SELECT item, id FROM attempt INDEXED BY attempt_of_item WHERE item BETWEEN ?1 AND ?2",
    )?;
    let mut found = found.query([block * ITEMS, block * ITEMS + ITEMS - 1].map(u64::cast_signed))?;
    while let Some(row) = found.next()? {
        attempts = attempts.wrapping_add(attempt(number(row, 0)?, row.get(1)?));
    }
    Ok(carried? == Some(attempts.cast_signed()))
}

/// Says that the attempts at items of a block are not those that were made.
pub(super) fn other_attempts(block: u64) -> String {
    let (first, last) = (block * ITEMS, block * ITEMS + ITEMS - 1);
    format!("the attempts at items {first} to {last} are not those that were made")
}

/// Returns the block that an item belongs to.
pub(super) fn block_of(item: u64) -> u64 {
    item / ITEMS
}

fn place_of(item: u64) -> usize {
    (item % ITEMS) as usize
}

/// Returns what an attempt adds to the sum of its block. Two sets of attempts have the same sum only by chance, one in
/// 2^64: Steele and others' SplitMix64, of both numbers.
fn attempt(item: u64, id: i64) -> u64 {
    mixed(mixed(item) ^ id.cast_unsigned())
}

fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Reads a block from the columns behind its number; `None` where one of its two records is missing.
fn block(row: &Row<'_>) -> rusqlite::Result<Option<Block>> {
    let (planned, settled) = (row.get::<_, Option<[u8; BYTES]>>(1)?, row.get::<_, Option<[u8; BYTES]>>(4)?);
    let (Some(planned), Some(settled)) = (planned, settled) else { return Ok(None) };
    Ok(Some(Block {
        planned: Bits(planned),
        sent: Bits(row.get(2)?),
        closing: Bits(row.get(3)?),
        settled: Bits(settled),
        attempts: row.get::<_, i64>(5)?.cast_unsigned(),
    }))
}

fn each(
    connection: &Connection,
    query: &str,
    mut one: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut found = connection.prepare(query)?;
    let mut rows = found.query([])?;
    while let Some(row) = rows.next()? {
        one(row)?;
    }
    Ok(())
}
