//! An open ledger: opens its file for writing or reading, and closes it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Params, Row};

use super::crash_points::{CrashPoint, Watch};
use super::error::{on_one_line, told};
use super::files::{file, file_beside, log_file};
use super::records::{EnumText, Json};
use super::schema::{
    APPLICATION, APPROVED, CONSENTED, MATCHED, OLDEST, ORDERED, SEALED, STEPPED, SUBJECTS, VERIFIED, VERSION,
    is_needed, settings,
};
use super::{checksum, create, holder, permissions};
use crate::domain::account::{InputInfo, Phase};
use crate::domain::approval::Approval;
use crate::domain::consent::Consent;
use crate::domain::run_spec::RunSpec;
use crate::ledger::error::LedgerError;

/// The time to wait for another process that has the file locked for a moment, such as a reader that is the
/// last to close it.
const PATIENCE: Duration = Duration::from_secs(10);

/// An absolute number of prepared statements that a connection keeps. Looking one item up takes some thirty: with fewer
/// kept, each of them would be prepared anew for each item.
const STATEMENTS: usize = 64;

/// An open ledger, with its directory for errors about it.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) connection: Connection,
    pub(super) dir: PathBuf,
    pub(super) watch: Option<Watch>,
    /// The format of the file; greater than [`VERSION`] only where the file is read and never written.
    pub(super) format: i32,
}

/// The endings of the names of SQLite's files: the database, its log, and the index of the log.
const ENDINGS: [&str; 3] = ["", "-wal", "-shm"];

impl Store {
    /// Creates the ledger of a new run, which is then planned.
    pub(super) fn create(dir: &Path, spec: &RunSpec, watch: Option<Watch>) -> Result<Self, LedgerError> {
        create::create(dir, spec, watch)?;
        let store = Self::connect(dir, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        store.told(settings(&store.connection))?;
        Ok(store)
    }

    /// Opens the ledger of a run for writing, after a check of every page of it.
    pub(super) fn open(dir: &Path) -> Result<Self, LedgerError> {
        let store = Self::open_unchecked(dir)?;
        store.check_pages()?;
        Ok(store)
    }

    /// Opens the ledger of a run for writing. Its pages are for the caller to check.
    pub(super) fn open_unchecked(dir: &Path) -> Result<Self, LedgerError> {
        // The format is checked on a read-only connection first, so that nothing is written to the file of a
        // newer version or of another program.
        let looked = Self::look_only(dir)?;
        if let Some(found) = looked.newer() {
            return Err(LedgerError::Newer { file: looked.file(), found, known: VERSION });
        }
        let mut store = Self::connect(dir, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        store.format = looked.format;
        drop(looked);
        for ending in ENDINGS {
            permissions::tighten(&file_beside(dir, ending))?;
        }
        store.told(settings(&store.connection))?;
        Ok(store)
    }

    /// Checks that SQLite finds nothing wrong with any page, and that each index matches its table.
    pub(super) fn check_pages(&self) -> Result<(), LedgerError> {
        let verdict = self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
        let verdict: String = self.told(verdict)?;
        if verdict == "ok" { Ok(()) } else { Err(self.damaged(on_one_line(&verdict))) }
    }

    /// Makes the error that the content of the file is damaged.
    pub(super) fn damaged(&self, detail: String) -> LedgerError {
        LedgerError::Damaged { file: self.file(), detail }
    }

    /// Opens another connection to the ledger that this process has open already.
    pub(super) fn again(&self) -> Result<Self, LedgerError> {
        let mut store = Self::connect(&self.dir, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        store.told(settings(&store.connection))?;
        store.format = self.format;
        store.watch = self.watch;
        Ok(store)
    }

    /// Calls the watch, if there is one, at a crash point.
    pub(super) fn step(&self, step: CrashPoint) {
        if let Some(watch) = self.watch {
            watch(step);
        }
    }

    /// Opens the ledger of a run for reading, as it stands now, whatever is written meanwhile.
    pub(super) fn look(dir: &Path) -> Result<Self, LedgerError> {
        match Self::look_beside_others(dir) {
            // SQLite needs to create files beside the database, and has no permission to.
            Err(error @ LedgerError::Database { .. }) if lies_still(dir) => {
                Self::look_at_rest(dir).map_err(|_| error)
            }
            looked => looked,
        }
    }

    /// Opens a ledger that no process is writing for reading, as where the directory is read-only.
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
            // A read-only connection can't remove the files that it creates beside the database.
            None => {
                let mut store = Self::connect(dir, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
                store.format = looked.format;
                store
            }
        };
        // All reads share one transaction, so that they show the ledger at one moment.
        store.told(store.connection.execute_batch("PRAGMA query_only = ON; BEGIN"))?;
        Ok(store)
    }

    /// Opens the ledger of a run read-only, and checks that it is a ledger.
    fn look_only(dir: &Path) -> Result<Self, LedgerError> {
        let mut store = Self::connect(dir, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        store.format = store.kind()?;
        Ok(store)
    }

    /// Returns the format of the file, where a newer version of this program wrote it.
    pub(super) fn newer(&self) -> Option<i32> {
        (self.format > VERSION).then_some(self.format)
    }

    /// Checks that there is a ledger at all, before SQLite puts any file beside it.
    pub(super) fn expect(dir: &Path) -> Result<(), LedgerError> {
        let file = file(dir);
        match file.try_exists() {
            Ok(true) => {
                ENDINGS
                    .into_iter()
                    .try_for_each(|ending| permissions::expect_file(&file_beside(dir, ending)))?;
                holder::has_one_name(&file)
            }
            Ok(false) if create::is_unmade(dir) => Err(LedgerError::Unmade { dir: dir.to_owned() }),
            Ok(false) => Err(LedgerError::Absent { dir: dir.to_owned() }),
            // The directory is a file.
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
                Err(LedgerError::Absent { dir: dir.to_owned() })
            }
            Err(error) => Err(LedgerError::file(&file, error)),
        }
    }

    /// Returns the path of the ledger's file.
    pub(super) fn file(&self) -> PathBuf {
        file(&self.dir)
    }

    fn connect(dir: &Path, access: OpenFlags) -> Result<Self, LedgerError> {
        Self::connect_to(dir, &file(dir), access)
    }

    /// Opens the file by the name that SQLite is given for it, which may be a URI.
    fn connect_to(dir: &Path, name: &Path, access: OpenFlags) -> Result<Self, LedgerError> {
        Self::expect(dir)?;
        let file = file(dir);
        let opened = Connection::open_with_flags(name, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .and_then(|connection| connection.busy_timeout(PATIENCE).map(|()| connection));
        if let Ok(connection) = &opened {
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
        }
        let connection = opened
            // Until the end shows that it isn't needed, closing leaves the log where it is: see `drop`.
            .and_then(|connection| keep_log(&connection, true).map(|()| connection))
            .and_then(|connection| plan_once(&connection).map(|()| connection))
            .and_then(|connection| checksum::offer(&connection).map(|()| connection))
            .map_err(|error| told(file, &error))?;
        Ok(Self { connection, dir: dir.to_owned(), watch: None, format: VERSION })
    }

    /// Returns the format of the file, after checking that it is a ledger.
    fn kind(&self) -> Result<i32, LedgerError> {
        let pragma =
            |name| self.told(self.connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)));
        if pragma("application_id")? != APPLICATION {
            let file = self.file();
            let length = std::fs::metadata(&file).map_err(|error| LedgerError::file(&file, error))?.len();
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

    /// Returns what the run is, and how far it has come.
    pub(super) fn run(&self) -> Result<(RunSpec, Phase), LedgerError> {
        self.told(self.connection.query_row("SELECT about, phase FROM run", [], |row| {
            let (Json(spec), EnumText(phase)) = (row.get(0)?, row.get(1)?);
            Ok((spec, phase))
        }))
    }

    /// Returns the inputs that were read to their end for the current plan, in their order.
    pub(super) fn inputs(&self) -> Result<Vec<InputInfo>, LedgerError> {
        self.all("SELECT info FROM input WHERE read = 1 ORDER BY number", |row| {
            row.get(0).map(|Json(info)| info)
        })
    }

    /// Whether the ledger has a place for consents.
    pub(super) fn has_consents(&self) -> bool {
        self.format >= CONSENTED
    }

    /// Whether the ledger has a place for what people know referrals by. One of an earlier format that is planned again
    /// has none, and stays without.
    pub(super) fn has_subjects(&self) -> bool {
        self.format >= SUBJECTS
    }

    /// Whether the ledger has a place for the keys by which rows were matched.
    pub(super) fn has_keys(&self) -> bool {
        self.format >= MATCHED
    }

    /// Whether the ledger has a place for an order of sending other than that of the inputs.
    pub(super) fn has_turns(&self) -> bool {
        self.format >= ORDERED
    }

    /// Whether the ledger has a place for approvals.
    pub(super) fn has_approvals(&self) -> bool {
        self.format >= APPROVED
    }

    /// Whether the ledger has a place for what verifications found.
    pub(super) fn has_verified(&self) -> bool {
        self.format >= VERIFIED
    }

    /// Whether the ledger has a place for the steps of carrying out.
    pub(super) fn has_steps(&self) -> bool {
        self.format >= STEPPED
    }

    /// Whether the ledger has a place for the blocks of its items.
    pub(super) fn has_blocks(&self) -> bool {
        self.format >= SEALED
    }

    /// Returns the last consent on record; ledgers of the first format have none.
    pub(super) fn consent(&self) -> Result<Option<Consent>, LedgerError> {
        if !self.has_consents() {
            return Ok(None);
        }
        let last = "SELECT consent FROM consent ORDER BY number DESC LIMIT 1";
        let last = self.connection.query_row(last, [], |row| row.get(0).map(|Json(consent)| consent));
        self.told(last.optional())
    }

    /// Returns all approvals on record, the first one first.
    pub(super) fn approvals(&self) -> Result<Vec<Approval>, LedgerError> {
        if !self.has_approvals() {
            return Ok(Vec::new());
        }
        self.all("SELECT approval FROM approval ORDER BY number", |row| {
            row.get(0).map(|Json(approval)| approval)
        })
    }

    /// Returns all rows of a query.
    pub(super) fn all<T>(
        &self,
        query: &str,
        one: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LedgerError> {
        self.all_of(query, [], one)
    }

    /// Returns all rows of a query with these values in the places of its parameters.
    pub(super) fn all_of<T>(
        &self,
        query: &str,
        values: impl Params,
        one: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LedgerError> {
        let read = self.connection.prepare(query).and_then(|mut rows| rows.query_map(values, one)?.collect());
        self.told(read)
    }

    /// Copies what is committed from the log into the database. What a reader still needs stays in the log,
    /// which loses nothing. Returns whether all of it was copied.
    pub(super) fn checkpoint(&self) -> Result<bool, LedgerError> {
        self.bring_in("PRAGMA wal_checkpoint(PASSIVE)")
    }

    /// Copies all of the log into the database, and waits for readers that need what this would overwrite.
    pub(super) fn checkpoint_all(&self) -> Result<(), LedgerError> {
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

    /// Turns a SQLite result into one whose error names the ledger's file.
    pub(super) fn told<T>(&self, result: rusqlite::Result<T>) -> Result<T, LedgerError> {
        result.map_err(|error| match self.newer() {
            // What this version doesn't understand is not thereby damaged.
            Some(found) => LedgerError::Newer { file: self.file(), found, known: VERSION },
            None => told(self.file(), &error),
        })
    }
}

impl Drop for Store {
    /// Closes the database, and leaves the log where it may be needed.
    ///
    /// By itself SQLite, on the last close, copies the log into the database and removes it. That is right
    /// only at the end of a process that sent alone: removing it at any other time leaves a database that
    /// lacks its log.
    fn drop(&mut self) {
        // What was not committed is given up, as it would be in any case.
        let ended = self.connection.is_autocommit() || self.connection.execute_batch("ROLLBACK").is_ok();
        if ended && is_needed(&self.connection).is_ok_and(|needed| !needed) {
            // If that fails, the log stays, which does no harm.
            let _ = keep_log(&self.connection, false);
        }
    }
}

/// Whether everything that was written is in the database itself: a process that writes to it, or died doing
/// so, has a log beside it.
fn lies_still(dir: &Path) -> bool {
    match std::fs::metadata(log_file(dir)) {
        Ok(log) => log.len() == 0,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Returns the name of a file as a SQLite URI that promises that no process changes it, so that SQLite looks
/// for no log and takes no lock. Bytes other than letters, digits and a few signs are percent-encoded.
fn immutable(file: &Path) -> PathBuf {
    let byte = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    let path: String = file.as_os_str().as_encoded_bytes().iter().map(byte).collect();
    // Two slashes at the beginning of the path would name another machine; an empty host before it prevents
    // that.
    let nobody = if path.starts_with('/') { "//" } else { "" };
    PathBuf::from(format!("file:{nobody}{path}?immutable=1"))
}

/// Sets whether the log stays when the last connection is closed.
fn keep_log(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map(drop)
}

/// Lets statements be planned when they are prepared, whatever is bound to them later. Else SQLite looks at the values
/// that a plan might depend on, and prepares a statement anew whenever one of them changes, though without statistics, of
/// which a ledger has none, the plan is always the same.
fn plan_once(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}
