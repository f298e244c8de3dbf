//! Where a seed's ledger is kept, and what can be done to it and seen of it from outside: what a process leaves that
//! is killed, and what one meets whose ledger is taken away.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use referral_bulk::domain::referral::{ETag, ReferralId};
use referral_bulk::ledger::Address;
use referral_bulk::ledger::memory::Memory;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

/// The ledger's file, and where it is put by whoever takes it away.
const LEDGER: &str = "run.sqlite";
const AWAY: &str = "run.sqlite-away";

/// What keeps the ledgers of a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Memory,
}

/// Where a run is kept.
#[derive(Debug, Clone)]
pub enum Kept {
    Files(PathBuf),
    Memory(Memory),
}

impl Kept {
    /// A place for a run of this name, which need not be kept in files.
    pub fn new(backend: Backend, folder: &Path, name: &str) -> Self {
        match backend {
            Backend::Sqlite => Self::Files(folder.join(name)),
            Backend::Memory => Self::Memory(Memory::new(name)),
        }
    }

    pub fn address(&self) -> Address {
        match self {
            Self::Files(dir) => dir.into(),
            Self::Memory(memory) => memory.into(),
        }
    }

    /// Whether it can lose what is in a log alone.
    pub fn has_log(&self) -> bool {
        matches!(self, Self::Files(_))
    }

    /// What a process leaves that is killed now: the files as they are, or what is left of them without the log;
    /// of a run in memory, what is on record.
    pub fn as_left(&self, without_log: bool) -> Self {
        match self {
            Self::Files(dir) => Self::Files(copy(dir, without_log)),
            Self::Memory(memory) => Self::Memory(memory.as_left()),
        }
    }

    /// Takes the ledger away from whoever has it open.
    pub fn take_away(&self) {
        match self {
            Self::Files(dir) => std::fs::rename(dir.join(LEDGER), dir.join(AWAY)).unwrap(),
            Self::Memory(memory) => memory.take_away(),
        }
    }

    /// Puts it back.
    pub fn put_back(&self) {
        match self {
            Self::Files(dir) => std::fs::rename(dir.join(AWAY), dir.join(LEDGER)).unwrap(),
            Self::Memory(memory) => memory.put_back(),
        }
    }

    /// An eye on what is on record.
    pub fn eye(&self) -> Eye {
        match self {
            Self::Files(dir) => Eye::Files(look(dir)),
            Self::Memory(memory) => Eye::Memory(memory.clone()),
        }
    }
}

/// An eye of its own on the attempts that a ledger has on record, be it taken away or not.
#[derive(Debug)]
pub enum Eye {
    Files(Connection),
    Memory(Memory),
}

impl Eye {
    /// The number of the last intent; 0 where there is none.
    pub fn last_intent(&self) -> i64 {
        match self {
            Self::Files(ledger) => {
                let last = "SELECT coalesce(max(id), 0) FROM attempt";
                ledger.query_row(last, [], |row| row.get(0)).unwrap()
            }
            Self::Memory(memory) => memory.last_attempt(),
        }
    }

    /// The number of the intent of a request, where it is on record and has no result.
    pub fn open_intent(&self, id: ReferralId, client_request_id: Uuid) -> Option<i64> {
        match self {
            Self::Files(ledger) => {
                let intent = "SELECT attempt.id FROM attempt JOIN item ON item.number = attempt.item
                              WHERE client_request_id = ?1 AND referral = ?2 AND result IS NULL";
                let asked = [client_request_id.to_string(), id.to_string()];
                let mut found = ledger.prepare_cached(intent).unwrap();
                found.query_row(asked, |row| row.get::<_, i64>(0)).optional().unwrap()
            }
            Self::Memory(memory) => {
                let mut attempts = memory.attempts(id).into_iter();
                let is_it = |(_, attempt): &(i64, referral_bulk::ledger::memory::AttemptOnRecord)| {
                    attempt.client_request_id == client_request_id && attempt.answer.is_none()
                };
                attempts.find(is_it).map(|(number, _)| number)
            }
        }
    }

    /// Whether the ledger says of the last attempt at a referral that it was for another version.
    pub fn is_refusal_on_record(&self, id: ReferralId) -> bool {
        match self {
            Self::Files(ledger) => {
                let last = "SELECT coalesce(status IN (409, 412) OR code = '2055', 0)
                            FROM attempt JOIN item ON item.number = attempt.item
                            WHERE referral = ?1 ORDER BY attempt.id DESC LIMIT 1";
                let last = ledger.query_row(last, [id.to_string()], |row| row.get(0));
                last.optional().unwrap().unwrap_or_default()
            }
            Self::Memory(memory) => {
                let last = memory.attempts(id).pop();
                let answer = last.and_then(|(_, attempt)| attempt.answer);
                answer.is_some_and(|answer| {
                    matches!(answer.status, Some(409 | 412)) || answer.code.as_deref() == Some("2055")
                })
            }
        }
    }
}

/// What a ledger that lost its log says of the versions of an item.
pub struct Bound {
    /// That of its last attempt, or of the plan where there is none.
    pub etag: Option<ETag>,
    /// The document for that.
    pub patch: Box<RawValue>,
    /// All of them.
    pub versions: BTreeSet<String>,
}

impl Bound {
    pub fn of(dir: &Path, id: ReferralId) -> Self {
        let ledger = look(dir);
        let (planned, patch): (Option<String>, String) = ledger
            .query_row("SELECT etag, patch FROM item WHERE referral = ?1", [id.to_string()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        let attempts =
            "SELECT attempt.etag, attempt.patch FROM attempt JOIN item ON item.number = attempt.item
                        WHERE referral = ?1 ORDER BY attempt.id";
        let mut attempts = ledger.prepare(attempts).unwrap();
        let attempts = attempts.query_map([id.to_string()], |row| {
            Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Option<String>>(1)?))
        });
        let mut bound = (planned.clone(), patch.clone());
        let mut versions: BTreeSet<String> = planned.into_iter().collect();
        for (etag, rebased) in attempts.unwrap().map(Result::unwrap) {
            versions.extend(etag.clone());
            bound = (etag, rebased.unwrap_or_else(|| patch.clone()));
        }
        Self {
            etag: bound.0.map(|etag| ETag::from_service(&etag).unwrap()),
            patch: RawValue::from_string(bound.1).unwrap(),
            versions,
        }
    }
}

/// A connection that only looks.
fn look(dir: &Path) -> Connection {
    Connection::open_with_flags(dir.join(LEDGER), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// The files of a ledger as a process leaves them that is killed, or what is left of them without the log.
fn copy(dir: &Path, without_log: bool) -> PathBuf {
    let to = dir.with_extension(match dir.extension() {
        Some(number) => (number.to_str().unwrap().parse::<u32>().unwrap() + 1).to_string(),
        None => "1".to_owned(),
    });
    std::fs::create_dir(&to).unwrap();
    let files: &[&str] = if without_log { &[LEDGER] } else { &[LEDGER, "run.sqlite-wal"] };
    for file in files.iter().filter(|file| dir.join(file).exists()) {
        std::fs::copy(dir.join(file), to.join(file)).unwrap();
    }
    lock(&to);
    to
}

/// Writes the lock of a ledger that nobody copied or moved, for one that is as a process left it.
fn lock(dir: &Path) {
    let dir = std::fs::canonicalize(dir).unwrap();
    let file = std::fs::metadata(dir.join(LEDGER)).unwrap();
    let made = file.created().ok().and_then(|made| made.duration_since(std::time::UNIX_EPOCH).ok());
    let file = json!({ "inode": file.ino(), "made": made.map(|made| made.as_millis() as u64) });
    let holder = json!({ "dir": dir.as_os_str(), "file": file });
    std::fs::write(dir.join("run.lock"), holder.to_string()).unwrap();
}
