//! Handles the log (WAL) of a run that is being sent, and notices its loss.
//!
//! What is committed goes into `run.sqlite-wal`, and is copied into the database now and then. If the log of
//! a killed process is removed, what was sent last is lost with it, and the database alone looks sound. So
//! the database itself holds a mark that there has to be a log:
//!
//! | step | mark in the database | log |
//! |---|---|---|
//! | the mark is written, and copied into the database | set | holds the mark |
//! | changes are sent; the log is copied and written again from its start | stays | holds something, old or new |
//! | all is copied into the database | stays | holds something |
//! | the end is written without the mark, and copied | removed | holds something |
//! | the last connection to the database closes and removes the log | none | removed |
//!
//! So a process that dies at any step leaves a log, or no mark. While the mark is set, no connection that
//! closes the database removes the log, as SQLite would by itself. How much of a log is left can't be told:
//! its end may have been torn off by a power cut, in which case no caller was told of those records.

use std::fs::File;
use std::io::{self, ErrorKind, Read};

use super::check::{checked_run, run_as_made, run_checked_first};
use super::crash_points::CrashPoint;
use super::files::log_file;
use super::holder::Found;
use super::records::EnumText;
use super::schema;
use super::store::Store;
use crate::disk;
use crate::domain::account::Phase;
use crate::domain::consent::Consent;
use crate::ledger::error::LedgerError;
use crate::ledger::model::{Loss, Lost, RunHeader};

/// The first four bytes of a log, but for the last bit, which tells the byte order of its checksums. The
/// format: <https://www.sqlite.org/fileformat2.html#walformat>.
const MAGIC: u32 = 0x377f_0682;

/// The length in bytes of the log's header, which precedes the first record.
const HEADER: usize = 32;

/// Returns what the run is, how far it has come, and whether it lost its log, after checking that all records
/// are as they were written.
///
/// # Errors
/// [`LedgerError::Damaged`] where they aren't; else the error of finding the file.
pub(super) fn header(store: &Store, found: Result<Found, LedgerError>) -> Result<RunHeader, LedgerError> {
    let (spec, phase) = checked_run(store)?;
    Ok(RunHeader { spec, phase, lost: lost(store, found?)? })
}

/// Returns the same after checking what tells how far the run has come: the rest is to be checked while it is sent.
///
/// # Errors
/// As [`header`].
pub(super) fn header_first(
    store: &Store,
    found: Result<Found, LedgerError>,
) -> Result<RunHeader, LedgerError> {
    let (spec, phase) = run_checked_first(store)?;
    Ok(RunHeader { spec, phase, lost: lost(store, found?)? })
}

/// Returns the same after checking the record of the run alone.
///
/// # Errors
/// As [`header`].
pub(super) fn header_alone(
    store: &Store,
    found: Result<Found, LedgerError>,
) -> Result<RunHeader, LedgerError> {
    let (spec, phase) = run_as_made(store)?;
    Ok(RunHeader { spec, phase, lost: lost(store, found?)? })
}

/// Returns whether the run has lost its log, found now or recorded before. A file that was copied while it
/// was sent has another log, which ends where the copy was made.
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

/// Marks the run before anything of it is sent, and records the loss, where it was found only now, and the
/// consent that was given. Returns what is recorded of the loss.
///
/// No other write may come before: it would create a new log, after which the loss of the old one could not
/// be noticed any more.
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
    // The mark has to be in the database itself before the first intent: in the log alone it would be lost
    // with the log.
    store.checkpoint_all()?;
    Ok(lost)
}

/// Writes the mark, the loss and the consent in one transaction.
fn mark(store: &mut Store, lost_after: Option<i64>, consent: Option<&Consent>) -> rusqlite::Result<()> {
    let transaction = store.connection.transaction()?;
    if store.format < schema::VERSION {
        schema::bring_up(&transaction, store.format)?;
    }
    if let Some(consent) = consent {
        schema::add_consent(&transaction, consent)?;
    }
    // The mark is a count, since SQLite writes nothing into the log where a row stays as it was.
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
    match disk::open_regular(File::options().read(true), &path).and_then(begins_a_log) {
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
