//! Writes a plan, in large transactions. Planning may be cut off at any point: until the plan is sealed, the
//! run's phase says that it is being planned, and nothing of it can be sent.

use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql};

use super::blocks::Blocks;
use super::crash_points::{CrashPoint, Watch};
use super::lock::Lock;
use super::records::{Json, Source, Text, number, write_outcome};
use super::run::Run;
use super::schema::{add_session, give_back_room, index, set_phase, set_room};
use super::store::Store;
use super::{holder, permissions, turns};
use crate::domain::account::{InputInfo, Phase, RowRecord, RowText, RunStats, Settled};
use crate::domain::audit::Audit;
use crate::domain::finding::Location;
use crate::domain::item::{Effect, Item};
use crate::domain::key::Matched;
use crate::domain::run_spec::RunSpec;
use crate::domain::subject::Subject;
use crate::ledger::awaited::Awaited;
use crate::ledger::backend::PlanStore;
use crate::ledger::error::LedgerError;
use crate::ledger::item_buffer::{Fill, ItemBuffer};
use crate::ledger::item_record::BufferedItem;
use crate::ledger::model::RunHeader;
use crate::ledger::ordering::{OrderKeys, Placed};
use crate::ledger::spill::Spill;

/// Records in one transaction at most. Items come in no order, so each transaction may write most pages of
/// their table again: the fewer transactions, the better.
const BATCH: usize = 131_072;

/// Bytes of rows or items that go into the log before they are copied into the database. The log of an archive of
/// payloads is thereby overwritten again and again, and does not grow as large as the archive. It is what the
/// pages of a transaction have room for in memory.
const LOG: usize = 6 << 20;

/// A run that is being planned. Dropping it loses what was written since the last full transaction.
#[derive(Debug)]
pub struct Plan {
    store: Store,
    lock: Lock,
    header: RunHeader,
    /// Records in the open transaction; at 0 no transaction is open.
    pending: usize,
    /// Bytes of rows that are in the log and not in the database yet.
    logged: usize,
    /// Items that are not in the transaction yet.
    buffer: ItemBuffer,
    awaited: Awaited,
    /// The items that were written.
    blocks: Blocks,
}

impl Plan {
    /// Begins a run in a directory, which is created if it is missing. The run is locked for as long as it is
    /// written.
    pub fn create(dir: &Path, spec: &RunSpec, watch: Option<Watch>) -> Result<Self, LedgerError> {
        permissions::folder(dir)?;
        let mut lock = Lock::take(dir)?;
        let store = Store::create(dir, spec, watch)?;
        holder::hold(&mut lock, dir)?;
        store.told(set_room(&store.connection))?;
        let mut plan = Self::new(store, lock, RunHeader::planning(spec.clone()));
        plan.watch(watch);
        Ok(plan)
    }

    fn new(store: Store, lock: Lock, header: RunHeader) -> Self {
        let buffer = ItemBuffer::new(&store.dir);
        Self {
            store,
            lock,
            header,
            pending: 0,
            logged: 0,
            buffer,
            awaited: Awaited::default(),
            blocks: Blocks::default(),
        }
    }

    /// Calls `watch` at every crash point from now on.
    pub fn watch(&mut self, watch: Option<Watch>) {
        self.store.watch = watch;
    }

    /// Writes all waiting items, in the order of their numbers.
    fn write_items(&mut self) -> Result<(), LedgerError> {
        let mut items = self.buffer.take()?;
        let has_subjects = self.store.has_subjects();
        while let Some((item, size)) = items.next()? {
            self.blocks.add(
                item.number,
                item.settled.is_none(),
                item.effect == Effect::OneWay.name().as_bytes(),
            );
            self.put(|connection| write_item(&item, has_subjects, connection))?;
            self.log(size)?;
        }
        Ok(())
    }

    fn make_room(&mut self, fill: Fill) -> Result<(), LedgerError> {
        match fill {
            Fill::Room => Ok(()),
            Fill::Write => self.write_items(),
            Fill::PutAside => self.buffer.put_aside(),
        }
    }

    /// Counts bytes that went into the log, and copies the log into the database when they are enough.
    fn log(&mut self, bytes: usize) -> Result<(), LedgerError> {
        self.logged += bytes;
        if self.logged < LOG {
            return Ok(());
        }
        self.logged = 0;
        self.commit()?;
        self.store.checkpoint().map(drop)
    }

    fn keep_all(&mut self) -> Result<(), LedgerError> {
        self.write_items()?;
        self.commit()
    }

    /// Returns the first row that would never get an outcome. Searching for it reads the whole plan again, so
    /// it is only done where a row waits for an item that did not come.
    fn loose_row(&self) -> Result<Option<u64>, LedgerError> {
        if self.awaited.is_empty() {
            return Ok(None);
        }
        self.store.told(loose_row(&self.store.connection))
    }

    fn end(&mut self, phase: Phase, stats: &RunStats) -> Result<(), LedgerError> {
        self.put(|connection| {
            add_session(connection, stats)?;
            set_phase(connection, phase)
        })?;
        self.commit()?;
        self.store.checkpoint().map(drop)
    }

    fn put(&mut self, write: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), LedgerError> {
        let connection = &self.store.connection;
        if self.pending == 0 {
            self.store.told(connection.execute_batch("BEGIN IMMEDIATE"))?;
        }
        self.pending += 1;
        self.store.told(write(connection))?;
        if self.pending >= BATCH { self.commit() } else { Ok(()) }
    }

    fn commit(&mut self) -> Result<(), LedgerError> {
        if self.pending > 0 {
            self.store.step(CrashPoint::Planning);
            self.store.told(self.store.connection.execute_batch("COMMIT"))?;
            self.store.step(CrashPoint::Planned);
            self.pending = 0;
        }
        Ok(())
    }
}

impl PlanStore for Plan {
    type Run = Run;

    async fn again(run: Run) -> Result<(Self, Vec<InputInfo>), LedgerError> {
        let Run { store, mut lock, header, .. } = run;
        holder::hold(&mut lock, &store.dir)?;
        let inputs =
            store.all("SELECT info FROM input ORDER BY number", |row| row.get(0).map(|Json(info)| info))?;
        store.told(set_room(&store.connection))?;
        let mut plan = Self::new(store, lock, header);
        let has_subjects = plan.store.has_subjects();
        let (has_keys, has_turns) = (plan.store.has_keys(), plan.store.has_turns());
        let later = [(has_subjects, "subject"), (has_keys, "matched"), (has_turns, "turn")];
        let later = later.into_iter().filter(|(is_there, _)| *is_there).map(|(_, table)| table);
        plan.put(|connection| forget(later, connection))?;
        Ok((plan, inputs))
    }

    fn header(&self) -> &RunHeader {
        &self.header
    }

    fn amend(&mut self, spec: RunSpec) -> Result<(), LedgerError> {
        let set = "UPDATE run SET about = ?1, checksum = checksum_of(only, phase, sending, lost_after, ?1)";
        self.put(|connection| connection.execute(set, [Json(&spec)]).map(drop))?;
        self.header.spec = spec;
        Ok(())
    }

    fn spill(&self) -> Result<Spill, LedgerError> {
        Spill::begin(&self.store.dir)
    }

    fn row(&mut self, row: &RowRecord) -> Result<(), LedgerError> {
        if row.verdict.is_none() {
            self.awaited.add(row.item);
        }
        let has_keys = self.store.has_keys();
        self.put(|connection| {
            connection
                .prepare_cached(
                    "INSERT INTO row (row, input, line, cell, item, referral, verdict, findings, text,
                                      checksum)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,
                             checksum_of(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))",
                )?
                .execute((
                    row.row.cast_signed(),
                    row.place.input,
                    row.place.line.cast_signed(),
                    row.place.column,
                    row.item.map(u64::cast_signed),
                    row.id.map(Text),
                    row.verdict.as_ref().map(Json),
                    Json(&row.findings),
                    Source(&row.text),
                ))?;
            let matched = row.matched.as_ref().filter(|_| has_keys);
            matched.map_or(Ok(()), |matched| add_matched(connection, row.row, matched))
        })?;
        self.log(row.text.size())
    }

    fn text_of(&self, row: u64) -> Result<RowText, LedgerError> {
        let text = self.store.connection.prepare_cached("SELECT text FROM row WHERE row = ?1");
        let text = text.and_then(|mut text| text.query_row([row.cast_signed()], |found| found.get(0)));
        self.store.told(text.map(|Source(text)| text))
    }

    fn input(&mut self, input: u32, info: &InputInfo) -> Result<(), LedgerError> {
        self.put(|connection| {
            let written = "INSERT OR REPLACE INTO input (number, read, checksum, info)
                           VALUES (?1, 1, checksum_of(?1, 1, ?2), ?2)";
            connection.execute(written, (input, Json(info))).map(drop)
        })
    }

    fn item(
        &mut self,
        item: &Item,
        settled: Option<&Settled>,
        audit: Option<&Audit>,
        subject: Option<&Subject>,
    ) -> Result<(), LedgerError> {
        self.awaited.remove(item.number);
        let fill = self.buffer.add(item, settled, audit, subject);
        self.make_room(fill)
    }

    fn retract(&mut self, number: u64) -> Result<(), LedgerError> {
        self.awaited.add(Some(number));
        let fill = self.buffer.take_back(number);
        self.make_room(fill)?;
        self.blocks.take_back(number);
        let subject = self.store.has_subjects().then_some("DELETE FROM subject WHERE item = ?1");
        let taken = ["DELETE FROM outcome WHERE item = ?1", "DELETE FROM item WHERE number = ?1"];
        self.put(|connection| {
            for taken in subject.into_iter().chain(taken) {
                connection.prepare_cached(taken)?.execute([number.cast_signed()])?;
            }
            Ok(())
        })
    }

    async fn keep(&mut self) -> Result<(), LedgerError> {
        self.keep_all()
    }

    fn each_row(&self, each: &mut dyn FnMut(Location, &RowText)) -> Result<(), LedgerError> {
        self.store.told(turns::each_row(&self.store.connection, each))
    }

    async fn put_in_order(&mut self, keys: OrderKeys) -> Result<Placed, LedgerError> {
        self.keep_all()?;
        let mut placed = Placed { items: 0, without: 0 };
        self.put(|connection| {
            placed = turns::put_in_order(connection, keys)?;
            Ok(())
        })?;
        Ok(placed)
    }

    async fn seal(mut self, stats: &RunStats) -> Result<Run, LedgerError> {
        self.keep_all()?;
        if let Some(row) = self.loose_row()? {
            return Err(LedgerError::Loose { dir: self.store.dir.clone(), row });
        }
        self.put(index)?;
        if self.store.has_blocks() {
            let blocks = std::mem::take(&mut self.blocks);
            self.put(|connection| blocks.write(connection))?;
        }
        self.end(Phase::Planned, stats)?;
        self.store.told(give_back_room(&self.store.connection))?;
        let header = RunHeader { phase: Phase::Planned, lost: None, ..self.header };
        Ok(Run::new(self.store, self.lock, header))
    }

    async fn abandon(mut self, stats: &RunStats) -> Result<(), LedgerError> {
        self.keep_all()?;
        self.end(Phase::Planning, stats)
    }
}

/// Writes an item, with its subject where the ledger has a place for that, and with its outcome.
fn write_item(item: &BufferedItem<'_>, has_subjects: bool, connection: &Connection) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO item (number, referral, effect, etag, bound, request_id, findings, audit, changes,
                           patch, checksum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
                 checksum_of(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10))",
    )?;
    insert.execute((
        item.number.cast_signed(),
        Utf8(item.id),
        Utf8(item.effect),
        item.etag.map(Utf8),
        item.is_bound,
        Utf8(item.request_id),
        Utf8(item.findings),
        item.audit.map(Utf8),
        Utf8(item.changes),
        Utf8(item.patch),
    ))?;
    if let Some(subject) = item.subject.filter(|_| has_subjects) {
        write_subject(connection, item.number, Utf8(subject))?;
    }
    item.settled.as_ref().map_or(Ok(()), |settled| write_outcome(connection, item.number, true, settled))
}

fn write_subject(connection: &Connection, item: u64, subject: Utf8<'_>) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO subject (item, checksum, subject) VALUES (?1, checksum_of(?1, ?2), ?2)")?
        .execute((item.cast_signed(), subject))
        .map(drop)
}

/// Text that is known to be valid UTF-8.
struct Utf8<'a>(&'a [u8]);

impl ToSql for Utf8<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

/// Records the key by which a row was matched.
fn add_matched(connection: &Connection, row: u64, matched: &Matched) -> rusqlite::Result<()> {
    let add = "INSERT INTO matched (row, checksum, matched) VALUES (?1, checksum_of(?1, ?2), ?2)";
    connection.prepare_cached(add)?.execute((row.cast_signed(), Json(matched))).map(drop)
}

/// Removes the plan, with what is in the tables that only `later` formats have. The requests that were made for it were
/// made, so the session figures stay.
fn forget(later: impl Iterator<Item = &'static str>, connection: &Connection) -> rusqlite::Result<()> {
    for table in later {
        connection.execute_batch(&format!("DELETE FROM {table}"))?;
    }
    connection.execute_batch(
        "DELETE FROM outcome; DELETE FROM item; DELETE FROM row;
         UPDATE input SET read = 0, checksum = checksum_of(number, 0, info);",
    )
}

/// Returns the first row that has neither a verdict nor an item.
fn loose_row(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    connection
        .query_row(
            "SELECT row.row FROM row LEFT JOIN item ON item.number = row.item
             WHERE row.verdict IS NULL AND item.number IS NULL ORDER BY row.row LIMIT 1",
            [],
            |row| number(row, 0),
        )
        .optional()
}
