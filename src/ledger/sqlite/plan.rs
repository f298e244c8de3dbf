//! Writing a plan. It is written in large transactions and may be cut off at any point: until it is
//! sealed its phase says so, and nothing of it can be sent.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::crash_points::{CrashPoint, Watch};
use super::holder::Holder;
use super::lock::Lock;
use super::permissions;
use super::records::{Json, Source, Text, number};
use super::run::Ledger;
use super::schema::{Store, add_session, give_back_room, index, set_phase, set_room};
use crate::domain::account::{InputInfo, Phase, RowRecord, RowText, RunSpec, RunStats, Settled};
use crate::domain::audit::Audit;
use crate::domain::item::Item;
use crate::ledger::LedgerError;
use crate::ledger::item_buffer::ItemBuffer;
use crate::ledger::spill::Spill;

/// Records in one transaction. Items come in no order, so each transaction can write most pages of their
/// table again: there should be few.
const BATCH: usize = 131_072;

/// So many bytes of rows go into the log before they are brought into the database, so that the log of an
/// archive of payloads is written over and over again in place of growing as large as the archive. It is
/// what the pages of a transaction have room for in memory.
const LOG: usize = 6 << 20;

/// A run that is being planned. Dropping it loses what was written since the last full transaction;
/// the run stays unplanned either way.
#[derive(Debug)]
pub struct Planning {
    store: Store,
    lock: Lock,
    about: RunSpec,
    /// Records in the open transaction; with none there is no transaction.
    pending: usize,
    /// Bytes of rows that are in the log and not in the database yet.
    logged: usize,
    /// Items that are not in the transaction yet.
    waiting: ItemBuffer,
    /// What would leave a row without an outcome if nothing else came: the item that it waits for, `None`
    /// for a row that waits for none.
    awaited: HashSet<Option<u64>>,
}

/// Begins a run in a directory, which is made where it isn't there. The run is locked for as long as
/// it is written.
///
/// # Errors
/// [`LedgerError::Exists`] where the directory holds a run, [`LedgerError::Busy`] where one is being
/// begun there; else where files can't be made.
pub fn create(dir: &Path, about: &RunSpec) -> Result<Planning, LedgerError> {
    create_watched(dir, about, None)
}

/// As [`create`], and tells this watch of every step.
///
/// # Errors
/// As [`create`].
pub fn create_watched(dir: &Path, about: &RunSpec, watch: Option<Watch>) -> Result<Planning, LedgerError> {
    permissions::folder(dir)?;
    let mut lock = Lock::take(dir)?;
    let store = Store::create(dir, about, watch)?;
    lock.say(&Holder::of(dir)?)?;
    store.told(set_room(&store.connection))?;
    Ok(Planning::new(store, lock, about.clone()).watched(watch))
}

impl Ledger {
    /// Begins again to plan a run whose planning did not come to its end: its rows and items are
    /// forgotten. Answers with the inputs that were read to their end before, too.
    ///
    /// # Errors
    /// [`LedgerError::Exists`] where it was planned to its end; else where the ledger can't be written.
    pub fn plan_again(self) -> Result<(Planning, Vec<InputInfo>), LedgerError> {
        let Self { store, mut lock, about, phase, .. } = self;
        match phase {
            Phase::Planning => {
                lock.say(&Holder::of(&store.dir)?)?;
                Planning::again(store, lock, about)
            }
            Phase::Planned | Phase::Stopped | Phase::Finished => {
                Err(LedgerError::Exists { dir: store.dir.clone() })
            }
        }
    }
}

impl Planning {
    fn new(store: Store, lock: Lock, about: RunSpec) -> Self {
        Self {
            store,
            lock,
            about,
            pending: 0,
            logged: 0,
            waiting: ItemBuffer::default(),
            awaited: HashSet::new(),
        }
    }

    /// Forgets what was planned, and answers with the inputs that were read to their end for any plan
    /// of the run. What they were is remembered until they are read again.
    pub(in crate::ledger) fn again(
        store: Store,
        lock: Lock,
        about: RunSpec,
    ) -> Result<(Self, Vec<InputInfo>), LedgerError> {
        let inputs =
            store.all("SELECT info FROM input ORDER BY number", |row| row.get(0).map(|Json(info)| info))?;
        store.told(set_room(&store.connection))?;
        let mut planning = Self::new(store, lock, about);
        planning.put(forget)?;
        Ok((planning, inputs))
    }

    /// Tells this watch of every step from now on.
    #[must_use]
    pub fn watched(mut self, watch: Option<Watch>) -> Self {
        self.store.watch = watch;
        self
    }

    /// What was said about the run when it was begun.
    pub fn about(&self) -> &RunSpec {
        &self.about
    }

    /// Says of the run what is known only by now.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub fn amend(&mut self, about: RunSpec) -> Result<(), LedgerError> {
        let set = "UPDATE run SET about = ?1, checksum = checksum_of(only, phase, sending, lost_after, ?1)";
        self.put(|connection| connection.execute(set, [Json(&about)]).map(drop))?;
        self.about = about;
        Ok(())
    }

    /// A place for texts beside the run, as long as it is planned.
    ///
    /// # Errors
    /// Where no file can be made there.
    pub fn aside(&self) -> Result<Spill, LedgerError> {
        Spill::begin(&self.store.dir)
    }

    /// Writes an input row. Its item may be written later.
    ///
    /// # Errors
    /// Where the ledger can't be written, or holds a row of that ordinal.
    pub fn row(&mut self, row: &RowRecord) -> Result<(), LedgerError> {
        if row.verdict.is_none() {
            self.awaited.insert(row.item);
        }
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
                ))
                .map(drop)
        })?;
        self.logged += row.text.size();
        if self.logged < LOG {
            return Ok(());
        }
        self.logged = 0;
        self.commit()?;
        self.store.checkpoint().map(drop)
    }

    /// Writes what is known of an input, counted from 0, once it was read to its end.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub fn input(&mut self, input: u32, info: &InputInfo) -> Result<(), LedgerError> {
        self.put(|connection| {
            let written = "INSERT OR REPLACE INTO input (number, read, checksum, info)
                           VALUES (?1, 1, checksum_of(?1, 1, ?2), ?2)";
            connection.execute(written, (input, Json(info))).map(drop)
        })
    }

    /// Writes an item, now or by the end of planning. Where it is settled there is nothing to send, and the
    /// verdict stands for its rows. That of a legacy payload has an audit.
    ///
    /// # Errors
    /// Where the ledger can't be written, or two of the items before have one number.
    pub fn item(
        &mut self,
        item: &Item,
        settled: Option<&Settled>,
        audit: Option<&Audit>,
    ) -> Result<(), LedgerError> {
        self.awaited.remove(&Some(item.number));
        if self.waiting.add(item, settled, audit) { self.write_items() } else { Ok(()) }
    }

    /// Takes back an item, which has to be written anew: what it was made from has turned out to be doubtful.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub fn retract(&mut self, number: u64) -> Result<(), LedgerError> {
        self.awaited.insert(Some(number));
        self.write_items()?;
        self.put(|connection| {
            for taken in ["DELETE FROM outcome WHERE item = ?1", "DELETE FROM item WHERE number = ?1"] {
                connection.prepare_cached(taken)?.execute([number.cast_signed()])?;
            }
            Ok(())
        })
    }

    fn write_items(&mut self) -> Result<(), LedgerError> {
        let mut waiting = std::mem::take(&mut self.waiting);
        self.put_many(waiting.len(), |connection| waiting.write(connection))?;
        self.waiting = waiting;
        Ok(())
    }

    /// What was read of a row, by its ordinal.
    ///
    /// # Errors
    /// Where the ledger can't be read, or holds no such row.
    pub fn text_of(&self, row: u64) -> Result<RowText, LedgerError> {
        let text = self.store.connection.prepare_cached("SELECT text FROM row WHERE row = ?1");
        let text = text.and_then(|mut text| text.query_row([row.cast_signed()], |found| found.get(0)));
        self.store.told(text.map(|Source(text)| text))
    }

    /// Puts on disk what was written so far. Should planning end before its time, then the inputs are
    /// known that have to be the same when it is begun again.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub fn keep(&mut self) -> Result<(), LedgerError> {
        self.write_items()?;
        self.commit()
    }

    /// Ends planning: all is on disk, and the run can be sent. The figures are those of planning
    /// alone.
    ///
    /// # Errors
    /// [`LedgerError::Loose`] where a row has neither a verdict nor an item; else where there are two
    /// items of one number or for one referral, or the ledger can't be written.
    pub fn seal(mut self, figures: &RunStats) -> Result<Ledger, LedgerError> {
        self.keep()?;
        if let Some(row) = self.loose_row()? {
            return Err(LedgerError::Loose { dir: self.store.dir.clone(), row });
        }
        self.put(index)?;
        self.end(Phase::Planned, figures)?;
        self.store.told(give_back_room(&self.store.connection))?;
        Ok(Ledger::new(self.store, self.lock, self.about, Phase::Planned, None))
    }

    /// Ends planning before it is complete. What was written can be looked at; the run stays
    /// unplanned.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub fn abandon(mut self, figures: &RunStats) -> Result<(), LedgerError> {
        self.keep()?;
        self.end(Phase::Planning, figures)
    }

    /// The first row that would never get an outcome. Looking for it means reading the whole plan again, which
    /// is done where an item did not come that a row waits for.
    fn loose_row(&self) -> Result<Option<u64>, LedgerError> {
        if self.awaited.is_empty() {
            return Ok(None);
        }
        self.store.told(loose_row(&self.store.connection))
    }

    fn end(&mut self, phase: Phase, figures: &RunStats) -> Result<(), LedgerError> {
        self.put(|connection| {
            add_session(connection, figures)?;
            set_phase(connection, phase)
        })?;
        self.commit()?;
        self.store.checkpoint().map(drop)
    }

    fn put(&mut self, write: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), LedgerError> {
        self.put_many(1, write)
    }

    fn put_many(
        &mut self,
        records: usize,
        write: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), LedgerError> {
        if records == 0 {
            return Ok(());
        }
        let connection = &self.store.connection;
        if self.pending == 0 {
            self.store.told(connection.execute_batch("BEGIN IMMEDIATE"))?;
        }
        self.pending += records;
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

/// What was requested for an earlier plan was requested, so the figures stay.
fn forget(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "DELETE FROM outcome; DELETE FROM item; DELETE FROM row;
         UPDATE input SET read = 0, checksum = checksum_of(number, 0, info);",
    )
}

/// The first row that has neither a verdict nor an item.
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
