//! Collects the items of a plan and sorts them before they are written into the ledger.
//!
//! The table of items is stored in the order of their numbers, but the items come in the order in which their
//! referrals were read. Written as they come, each batch of them would change nearly every page of the table
//! again. So where they come in another order they wait: in memory until a limit of bytes is reached, and then,
//! sorted, in a file without a name. At the end all of these sorted runs are gone through together, and each page
//! of the table is written once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::path::{Path, PathBuf};

use super::error::LedgerError;
use super::item_record::{self, BufferedItem};
use super::spill::{Spill, SpillRef};
use crate::domain::account::Settled;
use crate::domain::audit::Audit;
use crate::domain::item::Item;
use crate::domain::subject::Subject;

/// How many bytes of items wait in memory.
#[derive(Debug, Clone, Copy)]
struct Room {
    /// At most.
    all: usize,
    /// At most, as long as items come in the order of their numbers, where sorting is of no use.
    in_order: usize,
    /// Of those that were put aside, when they are read back, from each run.
    block: usize,
}

/// Enough for some ten thousand items.
const ROOM: Room = Room { all: 24 << 20, in_order: 1 << 20, block: 1 << 16 };

/// Items that wait to be written.
#[derive(Debug)]
pub(super) struct ItemBuffer {
    /// The directory of the run, in which they are put aside.
    dir: PathBuf,
    room: Room,
    /// The records of the items in memory, in the order in which they came.
    records: Vec<u8>,
    /// The number of each, and where its record begins.
    entries: Vec<(u64, usize)>,
    /// Whether an item came after one of a higher number since all were written.
    in_disorder: bool,
    aside: Option<Runs>,
}

/// Items that were put aside, in runs of ascending numbers. A run that was put aside later holds what came later.
#[derive(Debug)]
struct Runs {
    spill: Spill,
    /// The blocks of each run.
    runs: Vec<Vec<SpillRef>>,
}

/// What is to be done about the waiting items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Fill {
    /// Nothing: there is room for more.
    Room,
    /// They are in order, and are written now.
    Write,
    /// They are put aside.
    PutAside,
}

impl ItemBuffer {
    /// Makes an empty buffer for a run in this directory.
    pub(super) fn new(dir: &Path) -> Self {
        Self::with_room(dir, ROOM)
    }

    fn with_room(dir: &Path, room: Room) -> Self {
        let (records, entries) = (Vec::new(), Vec::new());
        Self { dir: dir.to_owned(), room, records, entries, in_disorder: false, aside: None }
    }

    /// Adds an item.
    pub(super) fn add(
        &mut self,
        item: &Item,
        settled: Option<&Settled>,
        audit: Option<&Audit>,
        subject: Option<&Subject>,
    ) -> Fill {
        self.note(item.number);
        item_record::add(&mut self.records, item, settled, audit, subject);
        self.fill()
    }

    /// Takes an item back that may be among those that wait.
    pub(super) fn take_back(&mut self, number: u64) -> Fill {
        self.note(number);
        item_record::add_taken_back(&mut self.records, number);
        self.fill()
    }

    /// Notes what comes next.
    fn note(&mut self, number: u64) {
        if !self.in_disorder && self.entries.last().is_some_and(|(last, _)| *last >= number) {
            self.in_disorder = true;
            // All at once: growing step by step would for a moment hold the records twice. Reserved memory that
            // isn't written to is not used up.
            self.records.reserve_exact(self.room.all + self.room.in_order);
        }
        self.entries.push((number, self.records.len()));
    }

    fn fill(&self) -> Fill {
        match self.in_disorder {
            true if self.records.len() >= self.room.all => Fill::PutAside,
            false if self.records.len() >= self.room.in_order => Fill::Write,
            _ => Fill::Room,
        }
    }

    /// Puts the items in memory aside, in the order of their numbers.
    ///
    /// # Errors
    /// Where there is no room for them.
    pub(super) fn put_aside(&mut self) -> Result<(), LedgerError> {
        let sorted = self.sorted();
        let aside = match &mut self.aside {
            Some(aside) => aside,
            None => self.aside.insert(Runs { spill: Spill::begin(&self.dir)?, runs: Vec::new() }),
        };
        let (mut blocks, mut block) = (Vec::new(), Vec::with_capacity(self.room.block));
        for start in sorted {
            let record = item_record::first(&self.records[start..]).unwrap_or_default();
            if block.len() + record.len() > self.room.block && !block.is_empty() {
                blocks.push(aside.spill.put_bytes(&block)?);
                block.clear();
            }
            block.extend_from_slice(record);
        }
        if !block.is_empty() {
            blocks.push(aside.spill.put_bytes(&block)?);
        }
        aside.runs.push(blocks);
        self.records.clear();
        Ok(())
    }

    /// Takes out where each record in memory begins, in the order of their numbers.
    fn sorted(&mut self) -> impl Iterator<Item = usize> + use<> {
        let mut entries = std::mem::take(&mut self.entries);
        // A stable sort: what came later under a number stays behind what came before.
        entries.sort_by_key(|(number, _)| *number);
        entries.into_iter().map(|(_, start)| start)
    }

    /// Takes all waiting items out, to be gone through in the order of their numbers.
    ///
    /// # Errors
    /// Where those that were put aside can't be read.
    pub(super) fn take(&mut self) -> Result<SortedItems, LedgerError> {
        if self.aside.is_some() {
            self.put_aside()?;
        }
        let sorted = self.in_disorder.then(|| self.sorted());
        let emptied = std::mem::replace(self, Self::with_room(&self.dir, self.room));
        let Self { dir, records, aside, .. } = emptied;
        if let Some(Runs { spill, runs }) = aside {
            let runs =
                runs.into_iter().map(|blocks| Run { blocks: blocks.into_iter(), block: Vec::new(), at: 0 });
            return SortedItems::of(dir, Some(spill), runs.collect());
        }
        let block = match sorted {
            None => records,
            Some(sorted) => {
                let mut block = Vec::with_capacity(records.len());
                sorted.for_each(|start| {
                    block.extend_from_slice(item_record::first(&records[start..]).unwrap_or_default());
                });
                block
            }
        };
        SortedItems::of(dir, None, vec![Run { blocks: Vec::new().into_iter(), block, at: 0 }])
    }
}

/// All items that waited, in the order of their numbers, without those that were taken back.
#[derive(Debug)]
pub(super) struct SortedItems {
    /// The directory that errors name.
    dir: PathBuf,
    spill: Option<Spill>,
    runs: Vec<Run>,
    /// The runs that have a record left, by the number of that record. Of one number, the run that came first is first.
    next: BinaryHeap<Reverse<(u64, usize)>>,
    /// The record that was taken out last.
    record: Vec<u8>,
}

/// What is left of a run.
#[derive(Debug)]
struct Run {
    blocks: std::vec::IntoIter<SpillRef>,
    /// The records that were read.
    block: Vec<u8>,
    /// Where the next of them begins.
    at: usize,
}

impl Run {
    /// Returns what is read of the run and not taken out yet, after reading more where that is nothing.
    fn rest(&mut self, spill: Option<&mut Spill>) -> Result<&[u8], LedgerError> {
        if self.at == self.block.len()
            && let Some(spill) = spill
            && let Some(block) = self.blocks.next()
        {
            spill.bytes(block, &mut self.block)?;
            self.at = 0;
        }
        Ok(&self.block[self.at..])
    }

    /// Returns the next record, as far as it is read.
    fn record(&self) -> Option<&[u8]> {
        item_record::first(&self.block[self.at..])
    }
}

impl SortedItems {
    fn of(dir: PathBuf, spill: Option<Spill>, runs: Vec<Run>) -> Result<Self, LedgerError> {
        let (next, all) = (BinaryHeap::with_capacity(runs.len()), 0..runs.len());
        let mut sorted = Self { dir, spill, runs, next, record: Vec::new() };
        for run in all {
            sorted.line_up(run)?;
        }
        Ok(sorted)
    }

    /// Returns the next item, and the length of its record.
    ///
    /// # Errors
    /// Where it can't be read.
    pub(super) fn next(&mut self) -> Result<Option<(BufferedItem<'_>, usize)>, LedgerError> {
        while let Some(number) = self.step()? {
            let came_later = self.next.peek().filter(|next| next.0.0 == number);
            let came_later = came_later.and_then(|next| self.runs[next.0.1].record());
            if ![Some(&*self.record), came_later].into_iter().flatten().any(item_record::is_taken_back) {
                let item = item_record::read(&self.record).ok_or_else(|| garbled(&self.dir))?;
                return Ok(Some((item, self.record.len())));
            }
        }
        Ok(None)
    }

    /// Takes out the record of the lowest number, and returns that.
    fn step(&mut self) -> Result<Option<u64>, LedgerError> {
        let Some(Reverse((number, at))) = self.next.pop() else { return Ok(None) };
        let run = &mut self.runs[at];
        self.record.clear();
        self.record.extend_from_slice(run.record().unwrap_or_default());
        run.at += self.record.len();
        self.line_up(at)?;
        Ok(Some(number))
    }

    /// Lines up a run by the number of its next record, if it has one.
    fn line_up(&mut self, run: usize) -> Result<(), LedgerError> {
        let rest = self.runs[run].rest(self.spill.as_mut())?;
        if rest.is_empty() {
            return Ok(());
        }
        let number =
            item_record::first(rest).and_then(item_record::number).ok_or_else(|| garbled(&self.dir))?;
        self.next.push(Reverse((number, run)));
        Ok(())
    }
}

/// Returns the error that items come back otherwise.
fn garbled(dir: &Path) -> LedgerError {
    LedgerError::file(dir, io::Error::new(io::ErrorKind::InvalidData, "waiting items come back otherwise"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;
    use uuid::Uuid;

    use super::*;
    use crate::domain::item::Effect;
    use crate::domain::json;
    use crate::domain::outcome::{Outcome, Verdict};
    use crate::domain::referral::ETag;

    const LITTLE: Room = Room { all: 2_000, in_order: 700, block: 300 };

    fn item(number: u64, made: u128) -> Item {
        Item {
            number,
            id: Uuid::from_u128(number.into()).into(),
            etag: made.is_multiple_of(3).then(|| ETag::from_input("v1").unwrap()),
            is_bound: made.is_multiple_of(2),
            request_id: Uuid::from_u128(made),
            patch: json::raw(&"x".repeat(usize::try_from(made % 400).unwrap())),
            changes: Vec::new(),
            effect: if made.is_multiple_of(5) { Effect::OneWay } else { Effect::Reversible },
            findings: Vec::new(),
        }
    }

    fn settled(made: u128) -> Option<Settled> {
        let verdict = Verdict::new(Outcome::Unchanged, "unchanged", format!("made {made}"));
        let settled =
            Settled { verdict, etag: None, theirs: Some(json::raw(&made)), at: Timestamp::UNIX_EPOCH };
        made.is_multiple_of(4).then_some(settled)
    }

    /// A ledger that takes items as they are written: by number, all that is on record of each.
    #[derive(Default)]
    struct Written(BTreeMap<u64, String>);

    impl Written {
        fn all_of(&mut self, buffer: &mut ItemBuffer) {
            let (mut items, mut last) = (buffer.take().unwrap(), 0);
            while let Some((item, size)) = items.next().unwrap() {
                assert!(item.number > last && size > 0, "{} after {last}", item.number);
                last = item.number;
                let told = told(&item);
                assert!(self.0.insert(item.number, told).is_none(), "there are two items {last}");
            }
        }

        fn make_room(&mut self, fill: Fill, buffer: &mut ItemBuffer) {
            match fill {
                Fill::Room => {}
                Fill::Write => self.all_of(buffer),
                Fill::PutAside => buffer.put_aside().unwrap(),
            }
        }
    }

    /// All that a buffered item says, as text.
    fn told(item: &BufferedItem<'_>) -> String {
        let text = |text: &[u8]| String::from_utf8(text.to_vec()).unwrap();
        let texts =
            [item.id, item.effect, item.request_id, item.findings, item.changes, item.patch].map(text);
        let optional = [item.etag, item.audit, item.subject].map(|value| value.map(text));
        format!("{} {} {texts:?} {optional:?} {:?}", item.number, item.is_bound, item.settled)
    }

    /// The same of the item that was given.
    fn wanted(item: &Item, settled: Option<&Settled>) -> String {
        let Item { number, id, etag, is_bound, request_id, patch, effect, .. } = item;
        let texts = [&id.to_string(), effect.name(), &request_id.to_string(), "[]", "[]", patch.get()];
        let optional = [etag.as_ref().map(ToString::to_string), None, None];
        format!("{number} {is_bound} {texts:?} {optional:?} {settled:?}")
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 300, failure_persistence: None, rng_seed: RngSeed::Fixed(614), ..ProptestConfig::default()
        })]

        /// Items come in any order, are taken back and made again, and are all written now and then.
        #[test]
        fn what_is_written_is_what_was_last_given(
            steps in proptest::collection::vec((1_u64..60, any::<bool>(), 0_u32..40), 0..200),
            in_order: bool,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let mut buffer = ItemBuffer::with_room(dir.path(), LITTLE);
            let (mut written, mut model) = (Written::default(), BTreeMap::new());
            for (made, (number, takes_back, moment)) in (0..).zip(steps) {
                let number = if in_order { 1 + (made / 2) as u64 } else { number };
                let is_there = model.contains_key(&number);
                if is_there && takes_back {
                    model.remove(&number);
                    let fill = buffer.take_back(number);
                    written.0.remove(&number);
                    written.make_room(fill, &mut buffer);
                } else if !is_there {
                    let (item, settled) = (item(number, made), settled(made));
                    let fill = buffer.add(&item, settled.as_ref(), None, None);
                    model.insert(number, wanted(&item, settled.as_ref()));
                    written.make_room(fill, &mut buffer);
                }
                if moment == 0 {
                    written.all_of(&mut buffer);
                    prop_assert_eq!(&written.0, &model);
                }
            }
            written.all_of(&mut buffer);
            prop_assert_eq!(&written.0, &model);
            prop_assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        }
    }
}
