//! What is damaged, or no run at all, is refused by its name.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tempfile::tempdir;

use super::super::store::Store;
use super::{meddle, renew_checksums};
use crate::domain::account::{Phase, RunStats};
use crate::ledger::tests::fixtures::*;
use crate::ledger::{LedgerError, open, read};

/// What is damaged, in what way, and what comes of opening it to send and of reading it, where that is not the
/// same: whoever reads looks at the records first, and at the pages afterwards.
const DAMAGE: &str = "\
nothing: Planned, 0 in doubt | 200 rows
a text: is damaged: file is not a database
a short text: is damaged: file is not a database
no length: is damaged: it is empty
another header: is damaged: file is not a database
another page size: is damaged: file is not a database
half of it: is damaged: database disk image is malformed
its first page: is damaged: database disk image is malformed
half a page less: is damaged: *** in database main *** Fragmentation of 456 bytes reported as 0 on page 35
the middle of a page: is damaged: *** in database main *** Tree 32 page 32: btreeInitPage() returns error code 11 | is damaged: item 185 is not as it was written
the head of a page: is damaged: *** in database main *** Tree 4 page 4: btreeInitPage() returns error code 11 | is damaged: database disk image is malformed
another mark: is no ledger of this program
no format: is damaged: its format is 0, which there never was
a log that is gone: Stopped, 200 in doubt | 200 rows
a log of garbage: Stopped, 200 in doubt | 200 rows
a log with a garbled frame: Stopped, 0 in doubt | 200 rows
no table of attempts: is damaged: attempt is missing
no table of outcomes: is damaged: outcome is missing
no index of referrals: is damaged: item_of_referral is missing
another column: is damaged: attempt is not as it was made
no record of the run: is damaged: a record is missing
a phase that there isn't: is damaged: CHECK constraint failed in run | is damaged: Conversion error from type Text at index: 1, unknown variant `resting`, expected one of `planning`, `planned`, `stopped`, `finished`
neither true nor false: is damaged: CHECK constraint failed in item
a row below 1: is damaged: a row or an item has a number that there cannot be
an item below 1: is damaged: a row or an item has a number that there cannot be
a line below 0: is damaged: a row or an item has a number that there cannot be
half a list of changes: is damaged: Conversion error from type Text at index: 7, EOF while parsing an object at line 1 column 2
";

/// What happens to a ledger, by SQL or to its bytes. What SQL changes has its checksum: see checksums.rs for
/// what has not.
enum Harm {
    Sql(&'static str),
    Bytes(fn(&mut Vec<u8>)),
    /// To the log that a process leaves which is killed.
    Log(fn(&mut Vec<u8>)),
}

const HARMS: [(&str, Harm); 27] = [
    ("nothing", Harm::Sql("")),
    ("a text", Harm::Bytes(|bytes| *bytes = b"this is a text, and not a short one\n".repeat(300))),
    ("a short text", Harm::Bytes(|bytes| *bytes = b"id,status\n".to_vec())),
    ("no length", Harm::Bytes(Vec::clear)),
    ("another header", Harm::Bytes(|bytes| bytes[..16].fill(b'x'))),
    ("another page size", Harm::Bytes(|bytes| bytes[16..18].fill(3))),
    ("half of it", Harm::Bytes(|bytes| bytes.truncate(bytes.len() / 2))),
    ("its first page", Harm::Bytes(|bytes| bytes.truncate(8_192))),
    ("half a page less", Harm::Bytes(|bytes| bytes.truncate(bytes.len() - 4_096))),
    ("the middle of a page", Harm::Bytes(|bytes| find(bytes, b"/details/notes").fill(0xA5))),
    ("the head of a page", Harm::Bytes(|bytes| bytes[3 * 8_192..][..8].fill(0xA5))),
    ("another mark", Harm::Bytes(|bytes| bytes[68..72].fill(0))),
    ("no format", Harm::Bytes(|bytes| bytes[60..64].fill(0))),
    ("a log that is gone", Harm::Log(Vec::clear)),
    ("a log of garbage", Harm::Log(|log| log.fill(0xA5))),
    ("a log with a garbled frame", Harm::Log(|log| log[32 + 24 + 4_000] ^= 1)),
    ("no table of attempts", Harm::Sql("DROP TABLE attempt")),
    ("no table of outcomes", Harm::Sql("DROP TABLE outcome")),
    ("no index of referrals", Harm::Sql("DROP INDEX item_of_referral")),
    ("another column", Harm::Sql("ALTER TABLE attempt RENAME result TO word")),
    ("no record of the run", Harm::Sql("DELETE FROM run")),
    ("a phase that there isn't", Harm::Sql("UPDATE run SET phase = 'resting'")),
    ("neither true nor false", Harm::Sql("UPDATE item SET bound = 7 WHERE number = 2")),
    ("a row below 1", Harm::Sql("UPDATE row SET row = -1 WHERE row = 1")),
    ("an item below 1", Harm::Sql("UPDATE item SET number = -1 WHERE number = 1")),
    ("a line below 0", Harm::Sql("UPDATE row SET line = -5 WHERE row = 1")),
    ("half a list of changes", Harm::Sql("UPDATE item SET changes = '[{' WHERE number = 1")),
];

#[tokio::test]
async fn what_is_damaged_is_refused_by_name() {
    let mut table = String::new();
    for (name, harm) in HARMS {
        let folder = tempdir().unwrap();
        let (file, log) = (folder.path().join("run.sqlite"), folder.path().join("run.sqlite-wal"));
        let ledger = planned(folder.path(), 200).await;
        match harm {
            Harm::Sql(statement) => {
                drop(ledger);
                let lax = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;";
                let meddling = meddle(folder.path());
                meddling.execute_batch(&format!("{lax} {statement}")).unwrap();
                renew_checksums(&meddling);
            }
            Harm::Bytes(harm) => {
                drop(ledger);
                change(&file, harm);
            }
            Harm::Log(harm) => {
                let (journal, backlog) = ledger.start(clock()).await.unwrap();
                journal.intend(&Arc::new(item(1))).await.unwrap();
                let left = [&file, &log].map(|file| fs::read(file).unwrap());
                journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
                drop(backlog);
                fs::write(&file, &left[0]).unwrap();
                fs::write(&log, &left[1]).unwrap();
                change(&log, harm);
            }
        }
        let before = fs::read(&file).unwrap();
        let reading = told(folder.path(), read_all(folder.path()).await);
        assert!(fs::read(&file).unwrap() == before, "{name}: looking at it changed it");
        let sending = told(folder.path(), send_all(folder.path()).await);
        let both = if sending == reading { sending } else { format!("{sending} | {reading}") };
        writeln!(table, "{name}: {both}").unwrap();
    }
    assert_eq!(table, DAMAGE);
}

/// Where a text stands last, and what follows it.
fn find<'a>(bytes: &'a mut [u8], text: &[u8]) -> &'a mut [u8] {
    let at = bytes.windows(text.len()).rposition(|window| window == text).unwrap();
    &mut bytes[at..at + 400]
}

fn change(file: &Path, harm: fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap();
    harm(&mut bytes);
    fs::write(file, bytes).unwrap();
}

/// All that is read before the last item is sent.
async fn send_all(dir: &Path) -> Result<String, LedgerError> {
    let ledger = open(dir).await?;
    let (phase, left) = (ledger.header().phase, ledger.plan_totals().await?.remaining);
    let (_journal, backlog) = ledger.start(clock()).await?;
    let page = backlog.claim(1_000).await?;
    assert_eq!(page.len() as u64, left);
    let doubts = page.iter().filter(|left| left.doubted).count();
    Ok(format!("{phase:?}, {doubts} in doubt"))
}

/// All that is told of a run.
async fn read_all(dir: &Path) -> Result<String, LedgerError> {
    let reader = read(dir).await?;
    reader.check_pages().await?;
    reader.inputs().await?;
    reader.stats().await?;
    reader.plan_totals().await?;
    let mut rows = 0;
    reader
        .rows::<LedgerError>(&mut |_| {
            rows += 1;
            Ok(())
        })
        .await?;
    reader.items::<LedgerError>(&mut |_| Ok(())).await?;
    Ok(format!("{rows} rows"))
}

/// In one line, without the place, which is there.
fn told(dir: &Path, result: Result<String, LedgerError>) -> String {
    let Err(error) = result else { return result.unwrap() };
    let told = error.to_string();
    assert!(!told.contains(char::is_control), "{told:?} takes more than a line");
    assert_eq!(error.is_damage(), matches!(error, LedgerError::Damaged { .. }), "{told}");
    told.strip_prefix(dir.join("run.sqlite").to_str().unwrap()).unwrap().trim_start().to_owned()
}

/// What the system doesn't let it do is no damage, and nor is what the tables don't allow.
#[tokio::test]
async fn what_cannot_be_written_is_told_from_damage() {
    let full = "PRAGMA max_page_count = 1; INSERT INTO session (checksum, figures) VALUES (0, zeroblob(1000000) || 'x')";
    for (what, statement, wanted) in [
        ("a full disk", full, "Database: database or disk is full"),
        (
            "no permission",
            "PRAGMA query_only = ON; DELETE FROM session",
            "Database: attempt to write a readonly database",
        ),
        ("held by another", "PRAGMA busy_timeout = 0; BEGIN IMMEDIATE", "Database: database is locked"),
        (
            "one item twice",
            "INSERT INTO item SELECT * FROM item",
            "Defect: UNIQUE constraint failed: item.number",
        ),
    ] {
        let folder = tempdir().unwrap();
        drop(planned(folder.path(), 3).await);
        let other = meddle(folder.path());
        let store = Store::open(folder.path()).unwrap();
        if what == "held by another" {
            other.execute_batch("BEGIN IMMEDIATE").unwrap();
        }
        let error = store.told(store.connection.execute_batch(statement)).unwrap_err();
        assert!(!error.is_damage(), "{what}: {error}");
        let got = match error {
            LedgerError::Database { file, detail } if file.starts_with(folder.path()) => {
                format!("Database: {detail}")
            }
            LedgerError::Defect { file, detail } if file.starts_with(folder.path()) => {
                format!("Defect: {detail}")
            }
            other => format!("{other:?}"),
        };
        assert_eq!(got, wanted, "{what}");
    }
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("run.sqlite")).unwrap();
    let error = read(folder.path()).await.unwrap_err();
    assert!(matches!(&error, LedgerError::File { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_no_run_is_refused_by_name() {
    for (harm, wanted) in [
        ("nothing", "holds no run"),
        ("empty", "is damaged: it is empty"),
        ("another database", "is no ledger of this program"),
        ("text", "is damaged"),
        ("a torn page", "is damaged"),
    ] {
        let folder = tempdir().unwrap();
        let file = folder.path().join("run.sqlite");
        if !matches!(harm, "nothing" | "empty" | "another database") {
            drop(planned(folder.path(), 200).await);
        }
        match harm {
            "nothing" => {}
            "empty" => fs::write(&file, "").unwrap(),
            "another database" => meddle(folder.path()).execute_batch("CREATE TABLE t (x)").unwrap(),
            "text" => fs::write(&file, "this is a text, and not a short one".repeat(100)).unwrap(),
            _ => {
                let mut bytes = fs::read(&file).unwrap();
                // One that holds items.
                let page = (bytes.len() * 4 / 5) & !8191;
                bytes[page..page + 8192].fill(0xA5);
                fs::write(&file, bytes).unwrap();
            }
        }
        let error = open(folder.path()).await.unwrap_err().to_string();
        assert!(error.contains(wanted), "{harm}: {error}");
        assert!(error.contains(folder.path().to_str().unwrap()), "{harm}: {error}");
        assert!(!error.contains(char::is_control), "{harm}: {error:?} takes more than a line");
        let reading = read(folder.path()).await.map(|_| ());
        if harm == "a torn page" {
            assert!(reading.unwrap_err().is_damage());
        } else {
            assert_eq!(reading.unwrap_err().to_string(), error, "{harm}");
        }
        // A look at what isn't a run leaves nothing behind.
        if harm == "nothing" {
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}

#[tokio::test]
async fn a_file_holds_no_run() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("changes.csv");
    fs::write(&file, "id").unwrap();
    for error in [open(&file).await.unwrap_err(), read(&file).await.map(|_| ()).unwrap_err()] {
        assert!(matches!(error, LedgerError::Absent { .. }), "{error}");
    }
}
