//! The tables, their version, and how the file is opened.
//!
//! The file carries the program's mark in `application_id` and its format in `user_version`; both
//! are looked at before anything else is read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction};

use super::crash_points::{CrashPoint, Watch};
use super::error::{on_one_line, told};
use super::records::{EnumText, Json};
use super::{checksum, create, holder, permissions, wal};
use crate::domain::account::{InputInfo, Phase, RunSpec, RunStats};
use crate::domain::consent::Consent;
use crate::ledger::LedgerError;

/// The size of a page. Twice what SQLite begins with: an item takes half a kilobyte, and a plan is written
/// and read through from one end to the other, page by page.
const PAGE: u32 = 8_192;

/// The same where rows are payloads, of some three kilobytes each: a row that doesn't fit on the rest of a page
/// leaves that empty, which would be a quarter of all that is written.
const PAGE_OF_PAYLOADS: u32 = 16_384;

/// The ledger's name in a run's directory.
const FILE: &str = "run.sqlite";

/// `RBlk`, which tells a ledger from any other database.
const APPLICATION: i32 = i32::from_be_bytes(*b"RBlk");

/// The format that this program writes, and the latest it reads.
pub(in crate::ledger) const VERSION: i32 = 2;

/// The oldest format that there was.
const OLDEST: i32 = 1;

/// How long to wait for another process that has the file for a moment: a reader that is the last to
/// close it, for example.
const PATIENCE: Duration = Duration::from_secs(10);

/// Every letter of this is compared with what is in the file, the comments included: it stays as it is, though what
/// is said to stand in log.rs stands in wal.rs by now.
///
/// Large columns come last, since SQLite reads a row only as far as it is asked for. The checksum of a record is
/// over all its other columns, in their order: see checksum.rs.
const TABLES: &str = "
CREATE TABLE run (
    only       INTEGER PRIMARY KEY CHECK (only = 1),
    phase      TEXT NOT NULL CHECK (phase IN ('planning', 'planned', 'stopped', 'finished')),
    -- Processes that began to send since one of them closed. Where there are any the log may hold what is not
    -- here: see log.rs.
    sending    INTEGER NOT NULL CHECK (sending >= 0),
    -- The last attempt on record when the log was found to be gone.
    lost_after INTEGER CHECK (lost_after >= 0),
    checksum   INTEGER NOT NULL,
    about      TEXT NOT NULL
) STRICT;
CREATE TABLE input (
    number   INTEGER PRIMARY KEY,
    -- Whether it was read for the plan that is there, or only for one that was given up.
    read     INTEGER NOT NULL CHECK (read IN (0, 1)),
    checksum INTEGER NOT NULL,
    info     TEXT NOT NULL
) STRICT;
-- Rows come before their items, and a plan may be given up between the two: no reference here.
CREATE TABLE row (
    row      INTEGER PRIMARY KEY,
    input    INTEGER NOT NULL,
    line     INTEGER NOT NULL,
    cell     INTEGER NOT NULL,
    item     INTEGER,
    referral TEXT,
    verdict  TEXT,
    checksum INTEGER NOT NULL,
    findings TEXT NOT NULL,
    text     TEXT NOT NULL
) STRICT;
CREATE TABLE item (
    number     INTEGER PRIMARY KEY,
    referral   TEXT NOT NULL,
    effect     TEXT NOT NULL,
    etag       TEXT,
    bound      INTEGER NOT NULL CHECK (bound IN (0, 1)),
    request_id TEXT NOT NULL,
    checksum   INTEGER NOT NULL,
    findings   TEXT NOT NULL,
    -- Of a legacy payload alone.
    audit      TEXT,
    changes    TEXT NOT NULL,
    patch      TEXT NOT NULL
) STRICT;
-- AUTOINCREMENT: the number of an attempt is never given out twice.
CREATE TABLE attempt (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    item              INTEGER NOT NULL REFERENCES item,
    at                TEXT NOT NULL,
    client_request_id TEXT NOT NULL,
    etag              TEXT,
    result            TEXT,
    status            INTEGER,
    code              TEXT,
    answered_at       TEXT,
    checksum          INTEGER NOT NULL,
    -- Only where they are other than the plan's, after a rebase.
    changes           TEXT,
    patch             TEXT
) STRICT;
CREATE INDEX attempt_of_item ON attempt (item);
CREATE TABLE outcome (
    item     INTEGER PRIMARY KEY REFERENCES item,
    planned  INTEGER NOT NULL CHECK (planned IN (0, 1)),
    outcome  TEXT NOT NULL,
    code     TEXT NOT NULL,
    message  TEXT NOT NULL,
    status   INTEGER,
    etag     TEXT,
    at       TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    theirs   TEXT
) STRICT;
CREATE TABLE session (
    number   INTEGER PRIMARY KEY,
    checksum INTEGER NOT NULL,
    figures  TEXT NOT NULL
) STRICT;
";

/// The tables that later formats added, by the first that has them. A ledger without them gets them with the
/// first thing that is written into them: see wal.rs for why that can't be any time.
const ADDED: [(i32, &str); 1] = [(
    CONSENTED,
    "
CREATE TABLE consent (
    number   INTEGER PRIMARY KEY,
    checksum INTEGER NOT NULL,
    consent  TEXT NOT NULL
) STRICT;
",
)];

/// The first format that has a place for consents.
const CONSENTED: i32 = 2;

/// All tables of a format.
fn tables(format: i32) -> String {
    let added = ADDED.into_iter().filter(|(since, _)| *since <= format).map(|(_, tables)| tables);
    std::iter::once(TABLES).chain(added).collect()
}

/// Made once all rows and items are there, which is much faster than keeping them up. Where the rows of an
/// item stand is in the index itself: to look it up in the rows would mean reading their texts.
const INDEXES: &str = "
CREATE INDEX row_of_item ON row (item, input, line, cell) WHERE item IS NOT NULL;
CREATE UNIQUE INDEX item_of_referral ON item (referral);
";

/// An open ledger, with its path for what there is to say about it.
#[derive(Debug)]
pub(in crate::ledger) struct Store {
    pub(in crate::ledger) connection: Connection,
    pub(in crate::ledger) dir: PathBuf,
    pub(in crate::ledger) watch: Option<Watch>,
    /// The format of the file; greater than [`VERSION`] only where it is looked at and never written.
    pub(in crate::ledger) format: i32,
}

impl Store {
    /// Makes the ledger of a new run, which is then planned.
    pub(in crate::ledger) fn create(
        dir: &Path,
        about: &RunSpec,
        watch: Option<Watch>,
    ) -> Result<Self, LedgerError> {
        create::found(dir, about, watch)?;
        let store = Self::connect(dir, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        store.told(settings(&store.connection))?;
        Ok(store)
    }

    /// Opens the ledger of a run to write to it, after a look at every page of it.
    pub(in crate::ledger) fn open(dir: &Path) -> Result<Self, LedgerError> {
        let looked = Self::look_only(dir)?;
        if let Some(found) = looked.newer() {
            return Err(LedgerError::Newer { file: looked.file(), found, known: VERSION });
        }
        let mut store = Self::connect(dir, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        store.format = looked.format;
        drop(looked);
        for ending in ["", "-wal", "-shm"] {
            permissions::tighten(&file_beside(dir, ending))?;
        }
        store.told(settings(&store.connection))?;
        store.check_pages()?;
        Ok(store)
    }

    /// Makes sure that SQLite finds nothing wrong with any page, and each index to tell what its table does.
    pub(in crate::ledger) fn check_pages(&self) -> Result<(), LedgerError> {
        let verdict = self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
        let verdict: String = self.told(verdict)?;
        if verdict == "ok" { Ok(()) } else { Err(self.damaged(on_one_line(&verdict))) }
    }

    /// That something is wrong with what is in the file.
    fn damaged(&self, detail: String) -> LedgerError {
        LedgerError::Damaged { file: self.file(), detail }
    }

    /// What the run is, and how far it has come, once it is sure that all tables are there as they were made and
    /// all records as they were written.
    pub(in crate::ledger) fn checked_run(&self) -> Result<(RunSpec, Phase), LedgerError> {
        let all = tables(self.format);
        let tables = self.told(made(&all, ""))?;
        self.check_made(&tables)?;
        for (table, _) in tables.iter().filter(|(_, made)| made.starts_with("CREATE TABLE")) {
            if let Some(number) = self.told(checksum::first_changed(&self.connection, table))? {
                return Err(self.damaged(format!("{table} {number} is not as it was written")));
            }
        }
        self.check_numbers()?;
        let (about, phase) = self.run()?;
        if phase != Phase::Planning {
            self.check_made(&self.told(made(&all, INDEXES))?)?;
        }
        Ok((about, phase))
    }

    fn check_made(&self, objects: &[(String, String)]) -> Result<(), LedgerError> {
        for (name, made) in objects {
            let found = "SELECT sql FROM sqlite_schema WHERE name = ?1";
            let found: Option<String> =
                self.told(self.connection.query_row(found, [name], |row| row.get(0)).optional())?;
            match found {
                Some(found) if found == *made => {}
                Some(_) => return Err(self.damaged(format!("{name} is not as it was made"))),
                None => return Err(self.damaged(format!("{name} is missing"))),
            }
        }
        Ok(())
    }

    /// Makes sure of the numbers that all else hangs on.
    fn check_numbers(&self) -> Result<(), LedgerError> {
        let odd = "SELECT EXISTS (SELECT 1 FROM item WHERE number < 1)
                       OR EXISTS (SELECT 1 FROM row WHERE row < 1 OR input < 0 OR line < 0 OR cell < 0)";
        if self.told(self.connection.query_row(odd, [], |row| row.get(0)))? {
            return Err(self.damaged("a row or an item has a number that there cannot be".to_owned()));
        }
        Ok(())
    }

    /// Opens the ledger of a run that this process has open already.
    pub(in crate::ledger) fn again(&self) -> Result<Self, LedgerError> {
        let mut store = Self::connect(&self.dir, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        store.told(settings(&store.connection))?;
        store.format = self.format;
        store.watch = self.watch;
        Ok(store)
    }

    /// Tells whoever watches what step this is.
    pub(in crate::ledger) fn step(&self, step: CrashPoint) {
        if let Some(watch) = self.watch {
            watch(step);
        }
    }

    /// Opens the ledger of a run to look at it as it stands now, whatever is written meanwhile.
    pub(in crate::ledger) fn look(dir: &Path) -> Result<Self, LedgerError> {
        match Self::look_beside_others(dir) {
            // SQLite wants to put files beside the database, and may not.
            Err(error @ LedgerError::Database { .. }) if lies_still(dir) => {
                Self::look_at_rest(dir).map_err(|_| error)
            }
            looked => looked,
        }
    }

    /// Opens a ledger that lies still, as where the directory can't be written to.
    fn look_at_rest(dir: &Path) -> Result<Self, LedgerError> {
        let mut store = Self::connect_to(
            dir,
            &immutable(&file(dir)),
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
        )?;
        store.format = store.kind()?;
        store.told(store.connection.execute_batch("PRAGMA query_only = ON; BEGIN"))?;
        Ok(store)
    }

    fn look_beside_others(dir: &Path) -> Result<Self, LedgerError> {
        let looked = Self::look_only(dir)?;
        let store = match looked.newer() {
            Some(_) => looked,
            // A connection that is read-only can't clear away the files that it makes beside the database.
            None => {
                let mut store = Self::connect(dir, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
                store.format = looked.format;
                store
            }
        };
        store.told(store.connection.execute_batch("PRAGMA query_only = ON; BEGIN"))?;
        Ok(store)
    }

    /// Opens the ledger of a run so that nothing can be written, and makes sure that it is one.
    fn look_only(dir: &Path) -> Result<Self, LedgerError> {
        let mut store = Self::connect(dir, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        store.format = store.kind()?;
        Ok(store)
    }

    /// The format of a file that a newer version of this program wrote.
    pub(in crate::ledger) fn newer(&self) -> Option<i32> {
        (self.format > VERSION).then_some(self.format)
    }

    /// Looks whether there is a ledger at all, before anything is put beside it.
    pub(in crate::ledger) fn expect(dir: &Path) -> Result<(), LedgerError> {
        let file = dir.join(FILE);
        match file.try_exists() {
            Ok(true) => holder::has_one_name(&file),
            Ok(false) if create::is_unmade(dir) => Err(LedgerError::Unmade { dir: dir.to_owned() }),
            Ok(false) => Err(LedgerError::Absent { dir: dir.to_owned() }),
            // The directory is a file.
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
                Err(LedgerError::Absent { dir: dir.to_owned() })
            }
            Err(error) => Err(permissions::told(&file, error)),
        }
    }

    /// The ledger's file.
    pub(in crate::ledger) fn file(&self) -> PathBuf {
        file(&self.dir)
    }

    fn connect(dir: &Path, access: OpenFlags) -> Result<Self, LedgerError> {
        Self::connect_to(dir, &file(dir), access)
    }

    /// The same by the name that SQLite is given for the file.
    fn connect_to(dir: &Path, name: &Path, access: OpenFlags) -> Result<Self, LedgerError> {
        Self::expect(dir)?;
        let file = file(dir);
        let opened = Connection::open_with_flags(name, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .and_then(|connection| connection.busy_timeout(PATIENCE).map(|()| connection));
        let connection = opened
            .and_then(|connection| keep_log(&connection, true).map(|()| connection))
            .and_then(|connection| checksum::offer(&connection).map(|()| connection))
            .map_err(|error| told(file, &error))?;
        Ok(Self { connection, dir: dir.to_owned(), watch: None, format: VERSION })
    }

    /// The format of the file, where it is a ledger.
    fn kind(&self) -> Result<i32, LedgerError> {
        let pragma =
            |name| self.told(self.connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)));
        if pragma("application_id")? != APPLICATION {
            let file = self.file();
            let length = std::fs::metadata(&file).map_err(|error| permissions::told(&file, error))?.len();
            return Err(if length == 0 {
                self.damaged("it is empty".to_owned())
            } else {
                LedgerError::Foreign { file }
            });
        }
        match pragma("user_version")? {
            found if found >= OLDEST => Ok(found),
            found => Err(self.damaged(format!("its format is {found}, which there never was"))),
        }
    }

    /// What the run is, and how far it has come.
    pub(in crate::ledger) fn run(&self) -> Result<(RunSpec, Phase), LedgerError> {
        self.told(self.connection.query_row("SELECT about, phase FROM run", [], |row| {
            let (Json(about), EnumText(phase)) = (row.get(0)?, row.get(1)?);
            Ok((about, phase))
        }))
    }

    /// The inputs that were read to their end for the plan that is there, in their order.
    pub(in crate::ledger) fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        self.all("SELECT info FROM input WHERE read = 1 ORDER BY number", |row| {
            row.get(0).map(|Json(info)| info)
        })
    }

    /// The last consent on record; the ledgers of the first format have none.
    pub(in crate::ledger) fn consent(&self) -> Result<Option<Consent>, LedgerError> {
        if self.format < CONSENTED {
            return Ok(None);
        }
        let last = "SELECT consent FROM consent ORDER BY number DESC LIMIT 1";
        let last = self.connection.query_row(last, [], |row| row.get(0).map(|Json(consent)| consent));
        self.told(last.optional())
    }

    /// All that a query finds.
    pub(in crate::ledger) fn all<T>(
        &self,
        query: &str,
        one: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LedgerError> {
        let read = self.connection.prepare(query).and_then(|mut rows| rows.query_map([], one)?.collect());
        self.told(read)
    }

    /// Brings what is committed from the log into the database. What a reader still needs stays in
    /// the log, which loses nothing. Answers whether all was brought in.
    pub(in crate::ledger) fn checkpoint(&self) -> Result<bool, LedgerError> {
        self.bring_in("PRAGMA wal_checkpoint(PASSIVE)")
    }

    /// Brings all of the log into the database, and waits for readers that need what it would overwrite.
    pub(in crate::ledger) fn checkpoint_all(&self) -> Result<(), LedgerError> {
        match self.bring_in("PRAGMA wal_checkpoint(FULL)")? {
            true => Ok(()),
            false => Err(LedgerError::Busy { dir: self.dir.clone() }),
        }
    }

    fn bring_in(&self, checkpoint: &str) -> Result<bool, LedgerError> {
        self.step(CrashPoint::Folding);
        let all = self.connection.query_row(checkpoint, [], |row| {
            let [busy, logged, brought_in] = [row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?];
            Ok(busy == 0 && brought_in == logged)
        });
        let all = self.told(all)?;
        self.step(CrashPoint::Folded);
        Ok(all)
    }

    /// A result with the ledger's name in its error.
    pub(in crate::ledger) fn told<T>(&self, result: rusqlite::Result<T>) -> Result<T, LedgerError> {
        result.map_err(|error| match self.newer() {
            // What is not understood is not damaged.
            Some(found) => LedgerError::Newer { file: self.file(), found, known: VERSION },
            None => told(self.file(), &error),
        })
    }
}

impl Drop for Store {
    /// The last one to close the database would bring the log in and remove it, which is for the end of a
    /// process that sends alone: whoever removes it leaves a database that lacks its log.
    fn drop(&mut self) {
        // What was not committed is given up, as it would be in any case.
        let ended = self.connection.is_autocommit() || self.connection.execute_batch("ROLLBACK").is_ok();
        if ended && wal::is_needed(&self.connection).is_ok_and(|needed| !needed) {
            // Where that fails the log stays, which harms nobody.
            let _ = keep_log(&self.connection, false);
        }
    }
}

/// The ledger's file in a run's directory.
pub(in crate::ledger) fn file(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// The file of SQLite's that lies beside it, with such an ending.
pub(in crate::ledger) fn file_beside(dir: &Path, ending: &str) -> PathBuf {
    dir.join(format!("{FILE}{ending}"))
}

/// Whether all that was written stands in the database itself: whoever writes to it, or died at that, has a log
/// beside it.
fn lies_still(dir: &Path) -> bool {
    match std::fs::metadata(file_beside(dir, "-wal")) {
        Ok(log) => log.len() == 0,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// The name of a file for SQLite, with the word that nobody changes it, so that no log is looked for and no lock
/// is taken. Of other bytes than letters, digits and a few signs, each is written as a number.
fn immutable(file: &Path) -> PathBuf {
    let byte = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    let path: String = file.as_os_str().as_encoded_bytes().iter().map(byte).collect();
    // Two slashes at the beginning would name another machine.
    let nobody = if path.starts_with('/') { "//" } else { "" };
    PathBuf::from(format!("file:{nobody}{path}?immutable=1"))
}

/// The names of tables and indexes that are made like this, and how.
fn made(tables: &str, indexes: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let pattern = Connection::open_in_memory()?;
    pattern.execute_batch(tables)?;
    pattern.execute_batch(indexes)?;
    let mut objects = pattern
        .prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")?;
    objects.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Writes the tables and the record of the run into an empty file, before WAL begins. `step` is told before they
/// are committed.
pub(in crate::ledger) fn begin(
    connection: &mut Connection,
    about: &RunSpec,
    step: impl Fn(),
) -> rusqlite::Result<()> {
    connection.execute_batch(DURABLE)?;
    let page = if about.asked.migrating.is_some() { PAGE_OF_PAYLOADS } else { PAGE };
    connection.pragma_update(None, "page_size", page)?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(&tables(VERSION))?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.execute(
        "INSERT INTO run (only, phase, sending, checksum, about)
         VALUES (1, ?1, 0, checksum_of(1, ?1, 0, NULL, ?2), ?2)",
        (EnumText(Phase::Planning), Json(about)),
    )?;
    step();
    transaction.commit()
}

/// Every commit reaches the disk before it returns: an intent that a power cut takes back would let a
/// change be sent twice.
const DURABLE: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
";

/// How every connection is that writes.
pub(in crate::ledger) fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;")?;
    connection.execute_batch(DURABLE)
}

/// Whether the log stays when the last connection is closed.
fn keep_log(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map(drop)
}

/// Room in memory to sort the index of referrals in, and for the pages that a large plan is at work on. The
/// log is brought into the database once, at the end.
pub(in crate::ledger) fn set_room(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 0;")
}

/// As much room again as other connections have.
pub(in crate::ledger) fn give_back_room(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA cache_size = -2000")
}

/// Sees to it that there is one item for a referral, and that an item's rows are found.
pub(in crate::ledger) fn index(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(INDEXES)
}

/// Adds the tables that a ledger of an earlier format lacks.
pub(in crate::ledger) fn bring_up(connection: &Connection, format: i32) -> rusqlite::Result<()> {
    for (_, tables) in ADDED.into_iter().filter(|(since, _)| *since > format) {
        connection.execute_batch(tables)?;
    }
    connection.pragma_update(None, "user_version", VERSION)
}

/// Puts on record what a user consented to.
pub(in crate::ledger) fn add_consent(connection: &Connection, consent: &Consent) -> rusqlite::Result<()> {
    let add = "INSERT INTO consent (number, checksum, consent)
               SELECT next, checksum_of(next, ?1), ?1
               FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM consent)";
    connection.execute(add, [Json(consent)]).map(drop)
}

/// Says how far the run has come.
pub(in crate::ledger) fn set_phase(connection: &Connection, phase: Phase) -> rusqlite::Result<()> {
    let set = "UPDATE run SET phase = ?1, checksum = checksum_of(only, ?1, sending, lost_after, about)";
    connection.execute(set, [EnumText(phase)]).map(drop)
}

/// Adds what a process did and how long it took.
pub(in crate::ledger) fn add_session(connection: &Connection, figures: &RunStats) -> rusqlite::Result<()> {
    let add = "INSERT INTO session (number, checksum, figures)
               SELECT next, checksum_of(next, ?1), ?1
               FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM session)";
    connection.execute(add, [Json(figures)]).map(drop)
}

/// Ends a stretch of work: what it did, and how far the run has come with it. Where the log holds nothing else
/// that the database lacks, it is not needed any more.
pub(in crate::ledger) fn close_session(
    transaction: Transaction<'_>,
    phase: Phase,
    figures: &RunStats,
    is_all_in: bool,
) -> rusqlite::Result<()> {
    add_session(&transaction, figures)?;
    set_phase(&transaction, phase)?;
    if is_all_in {
        let closed = "UPDATE run SET sending = 0, checksum = checksum_of(only, phase, 0, lost_after, about)";
        transaction.execute(closed, [])?;
    }
    transaction.commit()
}
