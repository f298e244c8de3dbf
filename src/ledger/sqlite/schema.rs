//! The tables and their version, and the writes that concern the run as a whole.
//!
//! The file carries the program's mark in `application_id` and its format in `user_version`; both are checked
//! before anything else is read.

use std::sync::OnceLock;

use rusqlite::{Connection, Row, Transaction};

use super::blocks::Blocks;
use super::checksum;
use super::records::{EnumText, Json};
use crate::domain::account::{Phase, RunStats};
use crate::domain::approval::Approval;
use crate::domain::consent::Consent;
use crate::domain::run_spec::RunSpec;

/// The page size in bytes. It is twice SQLite's default: an item takes half a kilobyte, and a plan is written
/// and read through from one end to the other, page by page.
const PAGE: u32 = 8_192;

/// The page size in bytes where rows are payloads, of some three kilobytes each. A row that doesn't fit on
/// the rest of a page leaves that rest empty, which with the smaller pages would be a quarter of all that is
/// written.
const PAGE_OF_PAYLOADS: u32 = 16_384;

/// The application id `RBlk`, which distinguishes a ledger from any other database.
pub(super) const APPLICATION: i32 = i32::from_be_bytes(*b"RBlk");

/// The format that this program writes, and the newest that it reads.
///
/// The fifth added no table, but a result of attempts, "answered", which an earlier version would take for damage. The
/// sixth has what a plan comes to and how far it was carried out a second time, in bits: see blocks.rs.
pub(super) const VERSION: i32 = 6;

/// The oldest format that ever existed.
pub(super) const OLDEST: i32 = 1;

/// The tables of the first format. Every letter of this text is compared with what is in the file, the
/// comments included, so it stays as it is. Where it refers to log.rs, it means what is wal.rs now.
///
/// Large columns come last, since SQLite reads a row only as far as it is asked for. The checksum of a record
/// is over all its other columns, in their order: see checksum.rs.
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

/// The tables that later formats added, each with the first format that has it. A ledger without them gets
/// them with the first write after its planning: see wal.rs for why that can't be at any time.
const ADDED: [(i32, &str); 8] = [
    (
        CONSENTED,
        "
CREATE TABLE consent (
    number   INTEGER PRIMARY KEY,
    checksum INTEGER NOT NULL,
    consent  TEXT NOT NULL
) STRICT;
",
    ),
    (
        SUBJECTS,
        "
-- Of an item whose referral showed something of what people know it by.
CREATE TABLE subject (
    item     INTEGER PRIMARY KEY REFERENCES item,
    checksum INTEGER NOT NULL,
    subject  TEXT NOT NULL
) STRICT;
",
    ),
    (
        MATCHED,
        "
-- The keys by which rows were matched; none where rows name their referrals by id.
CREATE TABLE matched (
    row      INTEGER PRIMARY KEY,
    checksum INTEGER NOT NULL,
    matched  TEXT NOT NULL
) STRICT;
",
    ),
    (
        ORDERED,
        "
-- Which item is sent when; none where they are sent in the order of the inputs.
CREATE TABLE turn (
    item     INTEGER PRIMARY KEY,
    checksum INTEGER NOT NULL,
    place    INTEGER NOT NULL CHECK (place > 0),
    -- Whether there was a value to order it by: those that have none come last.
    valued   INTEGER NOT NULL CHECK (valued IN (0, 1))
) STRICT;
CREATE UNIQUE INDEX turn_by_place ON turn (place);
",
    ),
    (
        APPROVED,
        "
CREATE TABLE approval (
    number   INTEGER PRIMARY KEY,
    checksum INTEGER NOT NULL,
    approval TEXT NOT NULL
) STRICT;
",
    ),
    (
        STEPPED,
        "
-- What happened to an item besides attempts and answers, for whoever asks later; nothing is decided by it.
CREATE TABLE step (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    item     INTEGER NOT NULL REFERENCES item,
    -- No reference: an attempt that was withdrawn is gone.
    attempt  INTEGER,
    checksum INTEGER NOT NULL,
    step     TEXT NOT NULL
) STRICT;
CREATE INDEX step_of_item ON step (item);
",
    ),
    (
        VERIFIED,
        "
CREATE TABLE verification (
    number       INTEGER PRIMARY KEY,
    checksum     INTEGER NOT NULL,
    verification TEXT NOT NULL
) STRICT;
-- What the last verification of an item found.
CREATE TABLE verified (
    item         INTEGER PRIMARY KEY REFERENCES item,
    verification INTEGER NOT NULL REFERENCES verification,
    checksum     INTEGER NOT NULL,
    verified     TEXT NOT NULL
) STRICT;
",
    ),
    (
        SEALED,
        "
-- A bit for each of 1,024 items: which there are, which of them are to be sent, which of those close their referral.
CREATE TABLE sealed (
    block    INTEGER PRIMARY KEY,
    checksum INTEGER NOT NULL,
    planned  BLOB NOT NULL,
    sent     BLOB NOT NULL,
    closing  BLOB NOT NULL
) STRICT;
-- Of the same items, how far they were carried out: the sum of all attempts at them, and which have their outcome.
CREATE TABLE carried (
    block    INTEGER PRIMARY KEY,
    checksum INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    settled  BLOB NOT NULL
) STRICT;
",
    ),
];

/// The first format that has a place for consents.
pub(super) const CONSENTED: i32 = 2;

/// The first format that has a place for subjects.
pub(super) const SUBJECTS: i32 = 3;

/// The first format that has a place for the keys by which rows were matched.
pub(super) const MATCHED: i32 = 3;

/// The first format that has a place for the order of sending.
pub(super) const ORDERED: i32 = 3;

/// The first format that has a place for approvals.
pub(super) const APPROVED: i32 = 4;

/// The first format that has a place for steps.
pub(super) const STEPPED: i32 = 4;

/// The first format that has a place for verifications.
pub(super) const VERIFIED: i32 = 4;

/// The first format that has items, outcomes and attempts a second time in blocks.
pub(super) const SEALED: i32 = 6;

/// Returns the SQL that creates all tables of a format.
pub(super) fn tables(format: i32) -> String {
    let added = ADDED.into_iter().filter(|(since, _)| *since <= format).map(|(_, tables)| tables);
    std::iter::once(TABLES).chain(added).collect()
}

/// The indexes, created once all rows and items are written, which is much faster than keeping them up to
/// date meanwhile. `row_of_item` holds the locations of an item's rows itself: looking them up in the rows
/// would mean reading the rows' texts.
pub(super) const INDEXES: &str = "
CREATE INDEX row_of_item ON row (item, input, line, cell) WHERE item IS NOT NULL;
CREATE UNIQUE INDEX item_of_referral ON item (referral);
";

/// A table or an index.
#[derive(Debug)]
pub(super) struct Object {
    /// The first format that has it.
    since: i32,
    pub(super) name: String,
    /// The SQL that SQLite keeps of it.
    pub(super) sql: String,
    /// The columns that the checksum of a record covers; `None` for an index.
    pub(super) columns: Option<String>,
}

/// What ledgers are made of.
#[derive(Debug)]
pub(super) struct Made {
    /// All that is there from the beginning, of all formats.
    first: Vec<Object>,
    /// What a planned run has besides.
    indexes: Vec<Object>,
}

impl Made {
    /// Returns what SQLite makes of the statements above. It is found out once: doing so takes longer than all else that
    /// opening a small ledger does.
    pub(super) fn known() -> rusqlite::Result<&'static Self> {
        static KNOWN: OnceLock<Made> = OnceLock::new();
        if let Some(known) = KNOWN.get() {
            return Ok(known);
        }
        let made = Self::of_pattern()?;
        Ok(KNOWN.get_or_init(|| made))
    }

    fn of_pattern() -> rusqlite::Result<Self> {
        let pattern = Connection::open_in_memory()?;
        let mut first = Vec::new();
        for (since, tables) in std::iter::once((OLDEST, TABLES)).chain(ADDED) {
            first.extend(create(&pattern, since, tables)?);
        }
        let indexes = create(&pattern, OLDEST, INDEXES)?;
        Ok(Self { first, indexes })
    }

    /// Returns the tables of a format, and the indexes that are there before anything is in them.
    pub(super) fn first(&self, format: i32) -> impl Iterator<Item = &Object> {
        self.first.iter().filter(move |object| object.since <= format)
    }

    /// Returns all that a planned run of a format has.
    pub(super) fn planned(&self, format: i32) -> impl Iterator<Item = &Object> {
        self.first(format).chain(&self.indexes)
    }

    /// Returns the columns of a table that the checksums of its records cover.
    pub(super) fn columns(&self, table: &str) -> &str {
        let found = self.first.iter().find(|object| object.name == table);
        found.and_then(|object| object.columns.as_deref()).expect("a ledger has such a table")
    }

    /// Returns what a format lacks, and a later one has.
    pub(super) fn later(&self, format: i32) -> impl Iterator<Item = &Object> {
        self.first.iter().filter(move |object| object.since > format)
    }
}

/// Carries these statements out, and returns what they create.
fn create(pattern: &Connection, since: i32, statements: &str) -> rusqlite::Result<Vec<Object>> {
    let last = "SELECT coalesce(max(rowid), 0) FROM sqlite_schema";
    let last: i64 = pattern.query_row(last, [], |row| row.get(0))?;
    pattern.execute_batch(statements)?;
    let mut objects = pattern.prepare(
        "SELECT name, sql FROM sqlite_schema
         WHERE rowid > ?1 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid",
    )?;
    let object = |row: &Row<'_>| {
        let name: String = row.get(0)?;
        let columns = checksum::columns(pattern, &name)?;
        Ok(Object { since, name, sql: row.get(1)?, columns })
    };
    objects.query_map([last], object)?.collect()
}

/// Writes the tables and the record of the run into an empty file, before WAL begins. `step` is called before
/// they are committed.
pub(super) fn begin(connection: &mut Connection, spec: &RunSpec, step: impl Fn()) -> rusqlite::Result<()> {
    connection.execute_batch(DURABLE)?;
    // SQLite takes a page size only before the first table is created.
    let page = if spec.asked.migrating.is_some() { PAGE_OF_PAYLOADS } else { PAGE };
    connection.pragma_update(None, "page_size", page)?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(&tables(VERSION))?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.execute(
        "INSERT INTO run (only, phase, sending, checksum, about)
         VALUES (1, ?1, 0, checksum_of(1, ?1, 0, NULL, ?2), ?2)",
        (EnumText(Phase::Planning), Json(spec)),
    )?;
    step();
    transaction.commit()
}

/// The settings under which every commit reaches the disk before it returns: an intent that a power cut takes
/// back would let a change be sent twice.
const DURABLE: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
";

/// Sets up a connection that writes.
pub(super) fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;")?;
    connection.execute_batch(DURABLE)
}

/// Gives a connection more memory, to sort the index of referrals in and for the pages that a large plan
/// works on. The log is copied into the database only by explicit checkpoints, not by SQLite itself.
pub(super) fn set_room(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 0;")
}

/// Reduces a connection's memory to what other connections have.
pub(super) fn give_back_room(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA cache_size = -2000")
}

/// Creates the indexes, which make sure that a referral has one item, and find an item's rows.
pub(super) fn index(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(INDEXES)
}

/// Adds the tables that a ledger of an earlier format lacks. All of the ledger was checked by then.
pub(super) fn bring_up(connection: &Connection, format: i32) -> rusqlite::Result<()> {
    for (_, tables) in ADDED.into_iter().filter(|(since, _)| *since > format) {
        connection.execute_batch(tables)?;
    }
    if format < SEALED {
        Blocks::of_records(connection)?.write(connection)?;
    }
    connection.pragma_update(None, "user_version", VERSION)
}

/// Records the consent that a user gave.
pub(super) fn add_consent(connection: &Connection, consent: &Consent) -> rusqlite::Result<()> {
    let add = "INSERT INTO consent (number, checksum, consent)
               SELECT next, checksum_of(next, ?1), ?1
               FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM consent)";
    connection.execute(add, [Json(consent)]).map(drop)
}

/// Records a second person's approval.
pub(super) fn add_approval(connection: &Connection, approval: &Approval) -> rusqlite::Result<()> {
    let add = "INSERT INTO approval (number, checksum, approval)
               SELECT next, checksum_of(next, ?1), ?1
               FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM approval)";
    connection.execute(add, [Json(approval)]).map(drop)
}

/// Records how far the run has come.
pub(super) fn set_phase(connection: &Connection, phase: Phase) -> rusqlite::Result<()> {
    let set = "UPDATE run SET phase = ?1, checksum = checksum_of(only, ?1, sending, lost_after, about)";
    connection.execute(set, [EnumText(phase)]).map(drop)
}

/// Adds a session: the figures of one process, with the time it took.
pub(super) fn add_session(connection: &Connection, stats: &RunStats) -> rusqlite::Result<()> {
    let add = "INSERT INTO session (number, checksum, figures)
               SELECT next, checksum_of(next, ?1), ?1
               FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM session)";
    connection.execute(add, [Json(stats)]).map(drop)
}

/// Whether the log may hold what the database lacks. The process that closes the database must then leave it.
pub(super) fn is_needed(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT sending > 0 FROM run", [], |row| row.get(0))
}

/// Ends a session: records what was done, and how far the run has come with it. `is_all_in` says that
/// everything else in the log is in the database too, so that the log is not needed any more.
pub(super) fn close_session(
    transaction: Transaction<'_>,
    phase: Phase,
    stats: &RunStats,
    is_all_in: bool,
) -> rusqlite::Result<()> {
    add_session(&transaction, stats)?;
    set_phase(&transaction, phase)?;
    if is_all_in {
        let closed = "UPDATE run SET sending = 0, checksum = checksum_of(only, phase, 0, lost_after, about)";
        transaction.execute(closed, [])?;
    }
    transaction.commit()
}
