//! The tables and their version, and what is written into them of the run as a whole.
//!
//! The file carries the program's mark in `application_id` and its format in `user_version`; both
//! are looked at before anything else is read.

use rusqlite::{Connection, Transaction};

use super::records::{EnumText, Json};
use crate::domain::account::{Phase, RunSpec, RunStats};
use crate::domain::consent::Consent;

/// The size of a page. Twice what SQLite begins with: an item takes half a kilobyte, and a plan is written
/// and read through from one end to the other, page by page.
const PAGE: u32 = 8_192;

/// The same where rows are payloads, of some three kilobytes each: a row that doesn't fit on the rest of a page
/// leaves that empty, which would be a quarter of all that is written.
const PAGE_OF_PAYLOADS: u32 = 16_384;

/// `RBlk`, which tells a ledger from any other database.
pub(super) const APPLICATION: i32 = i32::from_be_bytes(*b"RBlk");

/// The format that this program writes, and the latest it reads.
pub(super) const VERSION: i32 = 2;

/// The oldest format that there was.
pub(super) const OLDEST: i32 = 1;

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
pub(super) const CONSENTED: i32 = 2;

/// All tables of a format.
pub(super) fn tables(format: i32) -> String {
    let added = ADDED.into_iter().filter(|(since, _)| *since <= format).map(|(_, tables)| tables);
    std::iter::once(TABLES).chain(added).collect()
}

/// Made once all rows and items are there, which is much faster than keeping them up. Where the rows of an
/// item stand is in the index itself: to look it up in the rows would mean reading their texts.
pub(super) const INDEXES: &str = "
CREATE INDEX row_of_item ON row (item, input, line, cell) WHERE item IS NOT NULL;
CREATE UNIQUE INDEX item_of_referral ON item (referral);
";

/// The names of tables and indexes that are made like this, and how.
pub(super) fn made(tables: &str, indexes: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let pattern = Connection::open_in_memory()?;
    pattern.execute_batch(tables)?;
    pattern.execute_batch(indexes)?;
    let mut objects = pattern
        .prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")?;
    objects.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Writes the tables and the record of the run into an empty file, before WAL begins. `step` is told before they
/// are committed.
pub(super) fn begin(connection: &mut Connection, spec: &RunSpec, step: impl Fn()) -> rusqlite::Result<()> {
    connection.execute_batch(DURABLE)?;
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

/// Every commit reaches the disk before it returns: an intent that a power cut takes back would let a
/// change be sent twice.
const DURABLE: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
";

/// How every connection is that writes.
pub(super) fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;")?;
    connection.execute_batch(DURABLE)
}

/// Room in memory to sort the index of referrals in, and for the pages that a large plan is at work on. The
/// log is brought into the database once, at the end.
pub(super) fn set_room(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 0;")
}

/// As much room again as other connections have.
pub(super) fn give_back_room(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA cache_size = -2000")
}

/// Sees to it that there is one item for a referral, and that an item's rows are found.
pub(super) fn index(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(INDEXES)
}

/// Adds the tables that a ledger of an earlier format lacks.
pub(super) fn bring_up(connection: &Connection, format: i32) -> rusqlite::Result<()> {
    for (_, tables) in ADDED.into_iter().filter(|(since, _)| *since > format) {
        connection.execute_batch(tables)?;
    }
    connection.pragma_update(None, "user_version", VERSION)
}

/// Puts on record what a user consented to.
pub(super) fn add_consent(connection: &Connection, consent: &Consent) -> rusqlite::Result<()> {
    let add = "INSERT INTO consent (number, checksum, consent)
               SELECT next, checksum_of(next, ?1), ?1
               FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM consent)";
    connection.execute(add, [Json(consent)]).map(drop)
}

/// Says how far the run has come.
pub(super) fn set_phase(connection: &Connection, phase: Phase) -> rusqlite::Result<()> {
    let set = "UPDATE run SET phase = ?1, checksum = checksum_of(only, ?1, sending, lost_after, about)";
    connection.execute(set, [EnumText(phase)]).map(drop)
}

/// Adds what a process did and how long it took.
pub(super) fn add_session(connection: &Connection, stats: &RunStats) -> rusqlite::Result<()> {
    let add = "INSERT INTO session (number, checksum, figures)
               SELECT next, checksum_of(next, ?1), ?1
               FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM session)";
    connection.execute(add, [Json(stats)]).map(drop)
}

/// Whether the log may hold what the database lacks. Whoever closes the database must then leave it.
pub(super) fn is_needed(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT sending > 0 FROM run", [], |row| row.get(0))
}

/// Ends a stretch of work: what it did, and how far the run has come with it. Where the log holds nothing else
/// that the database lacks, it is not needed any more.
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
