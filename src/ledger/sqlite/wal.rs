//! The log of a run that is being sent, and how its loss is noticed.
//!
//! What is committed goes into `run.sqlite-wal`, and from there into the database now and then. Whoever takes
//! the log of a killed process away takes what was sent last with it, and the database alone looks sound. So
//! the database itself says, by a mark, that there has to be a log:
//!
//! | step | mark in the database | log |
//! |---|---|---|
//! | the mark is written, and brought into the database | comes | holds the mark |
//! | changes are sent; the log is brought in and written again from its start | stands | holds something, old or new |
//! | all is brought in | stands | holds something |
//! | the end is written without the mark, and brought in | goes | holds something |
//! | the last one to close the database removes the log | none | goes |
//!
//! So a process may die at any step: it leaves a log, or no mark. While the mark stands nobody who closes the
//! database removes the log, as SQLite would by itself. How much of a log is left can't be told: its end may be
//! one that a power cut tore off, of which nobody was told.

use std::fs::File;
use std::io::{self, ErrorKind, Read};

use super::check::checked_run;
use super::crash_points::CrashPoint;
use super::files::log_file;
use super::holder::Found;
use super::records::EnumText;
use super::schema;
use super::store::Store;
use crate::domain::account::Phase;
use crate::domain::consent::Consent;
use crate::ledger::error::LedgerError;
use crate::ledger::model::{Loss, Lost, RunHeader};

/// What a log begins with, but for its last bit, which says in which order its checksums read bytes. The format:
/// <https://www.sqlite.org/fileformat2.html#walformat>.
const MAGIC: u32 = 0x377f_0682;

/// The length of what stands before the first record.
const HEADER: usize = 32;

/// What the run is, how far it has come, and whether it lost its log, once it is sure that all of that is as it was
/// written.
///
/// # Errors
/// [`LedgerError::Damaged`] where it isn't; else whatever stood in the way of finding the file.
pub(super) fn header(store: &Store, found: Result<Found, LedgerError>) -> Result<RunHeader, LedgerError> {
    let (spec, phase) = checked_run(store)?;
    Ok(RunHeader { spec, phase, lost: lost(store, found?)? })
}

/// Whether the run has lost its log, now or before. What was copied while it was sent has another one, and
/// that ends where the copy was made.
fn lost(store: &Store, found: Found) -> Result<Option<Lost>, LedgerError> {
    let marked = "SELECT sending > 0, lost_after FROM run";
    let read = store.connection.query_row(marked, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (sending, recorded): (bool, Option<i64>) = store.told(read)?;
    let when = match found {
        _ if !sending => None,
        _ if !is_there(store)? => Some(Loss::Found),
        Found::Moved => Some(Loss::Elsewhere),
        Found::Itself => None,
    };
    if let Some(when) = when {
        return Ok(Some(Lost { after: i64::MAX, when }));
    }
    Ok(recorded.map(|after| Lost { after, when: Loss::Recorded }))
}

/// Marks the run before anything is sent of it, and records what it lost where that was found only now, and the
/// consent that was given to it. Nothing else may write before that: it would make a new log, by which nobody
/// could tell any more that the old one is gone. Answers with what is recorded of the loss.
pub(super) fn begin(
    store: &mut Store,
    lost: Option<Lost>,
    consent: Option<&Consent>,
) -> Result<Option<Lost>, LedgerError> {
    let lost = match lost {
        Some(Lost { when: Loss::Found | Loss::Elsewhere, .. }) => {
            let last = "SELECT coalesce(max(id), 0) FROM attempt";
            let after = store.told(store.connection.query_row(last, [], |row| row.get(0)))?;
            Some(Lost { after, when: Loss::Recorded })
        }
        known => known,
    };
    store.step(CrashPoint::Marking);
    let marked = mark(store, lost.map(|lost| lost.after), consent);
    store.told(marked)?;
    store.step(CrashPoint::Marked);
    store.checkpoint_all()?;
    Ok(lost)
}

/// Writes all of it in one transaction.
fn mark(store: &mut Store, lost_after: Option<i64>, consent: Option<&Consent>) -> rusqlite::Result<()> {
    let transaction = store.connection.transaction()?;
    if store.format < schema::VERSION {
        schema::bring_up(&transaction, store.format)?;
    }
    if let Some(consent) = consent {
        schema::add_consent(&transaction, consent)?;
    }
    // Counted, since SQLite writes nothing into the log where a row stays as it was.
    let mark = "UPDATE run SET phase = ?1, sending = sending + 1, lost_after = ?2,
                               checksum = checksum_of(only, ?1, sending + 1, ?2, about)";
    transaction.execute(mark, (EnumText(Phase::Stopped), lost_after))?;
    transaction.commit()?;
    store.format = schema::VERSION;
    Ok(())
}

/// Whether there is a log with anything in it.
fn is_there(store: &Store) -> Result<bool, LedgerError> {
    let path = log_file(&store.dir);
    match File::open(&path).and_then(begins_a_log) {
        Ok(begins) => Ok(begins),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(LedgerError::file(&path, error)),
    }
}

fn begins_a_log(file: impl Read) -> io::Result<bool> {
    let mut begins = Vec::new();
    file.take(HEADER as u64 + 1).read_to_end(&mut begins)?;
    Ok(begins.len() > HEADER
        && begins.first_chunk().map(|magic| u32::from_be_bytes(*magic) & !1) == Some(MAGIC))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_told_from_what_is_none() {
        let log = |magic: u32, length| {
            let mut bytes = magic.to_be_bytes().to_vec();
            bytes.resize(length, 0);
            bytes
        };
        for (what, bytes, wanted) in [
            ("checksums of one order", log(MAGIC, 8_248), true),
            ("checksums of the other order", log(MAGIC | 1, 8_248), true),
            ("nothing", Vec::new(), false),
            ("half a header", log(MAGIC, 16), false),
            ("a header alone", log(MAGIC, HEADER), false),
            ("zeroes", log(0, 8_248), false),
            ("another thing", log(0xA5A5_A5A5, 8_248), false),
        ] {
            assert_eq!(begins_a_log(&bytes[..]).unwrap(), wanted, "{what}");
        }
    }
}
