//! The files: who may open them, who may read them, and what is refused.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use tempfile::tempdir;

use super::super::sqlite::lock::Lock;
use super::super::sqlite::schema::Store;
use super::super::{LedgerError, create, open, read};
use super::*;
use crate::domain::account::Phase;

#[tokio::test]
async fn one_process_holds_a_run() {
    let folder = tempdir().unwrap();
    let dir = folder.path().join("run");
    let busy = || {
        let error = open(&dir).unwrap_err();
        assert!(matches!(error, LedgerError::Busy { .. }), "{error:?}");
        assert!(error.to_string().contains(dir.to_str().unwrap()), "{error}");
        assert!(matches!(create(&dir, &about()), Err(LedgerError::Busy { .. })));
        read(&dir).unwrap();
    };
    let mut planning = create(&dir, &about()).unwrap();
    busy();
    planning.row(&row(1, Some(1))).unwrap();
    planning.item(&item(1), None, None).unwrap();
    let ledger = planning.seal(&RunStats::default()).unwrap();
    busy();
    let (journal, backlog) = ledger.start(clock()).unwrap();
    busy();
    let clone = journal.clone();
    drop(journal);
    busy();
    drop(clone);
    let (journal, _) = open(&dir).unwrap().start(clock()).unwrap();
    assert_eq!(backlog.outstanding(0, 9).unwrap().len(), 1);
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    drop(open(&dir).unwrap());
    assert!(matches!(create(&dir, &about()), Err(LedgerError::Exists { .. })));
}

#[tokio::test]
async fn a_reader_sees_the_run_as_it_stood() {
    let folder = tempdir().unwrap();
    let (journal, _) = planned(folder.path(), 2).start(clock()).unwrap();
    let reader = read(folder.path()).unwrap();
    journal.settled(1, settled(Outcome::Applied)).await.unwrap();
    journal.finish(Phase::Stopped, &RunStats::default()).await.unwrap();
    assert_eq!(reader.referrals().unwrap().changed, 0);
    assert_eq!(read(folder.path()).unwrap().referrals().unwrap().changed, 1);
}

#[test]
fn a_file_holds_no_run() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("changes.csv");
    fs::write(&file, "id").unwrap();
    for error in [open(&file).unwrap_err(), read(&file).map(|_| ()).unwrap_err()] {
        assert!(matches!(error, LedgerError::Absent { .. }), "{error}");
    }
}

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
half a page less: is damaged: *** in database main *** Fragmentation of 456 bytes reported as 0 on page 24
the middle of a page: is damaged: *** in database main *** Tree 21 page 21: btreeInitPage() returns error code 11 | is damaged: item 185 is not as it was written
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
        let ledger = planned(folder.path(), 200);
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
                let (journal, backlog) = ledger.start(clock()).unwrap();
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
        let reading = told(folder.path(), read_all(folder.path()));
        assert!(fs::read(&file).unwrap() == before, "{name}: looking at it changed it");
        let sending = told(folder.path(), send_all(folder.path()));
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
fn send_all(dir: &Path) -> Result<String, LedgerError> {
    let ledger = open(dir)?;
    let (phase, left) = (ledger.phase(), ledger.plan_totals()?.remaining);
    let (_journal, backlog) = ledger.start(clock())?;
    let page = backlog.outstanding(0, 1_000)?;
    assert_eq!(page.len() as u64, left);
    let doubts = page.iter().filter(|left| left.doubted).count();
    Ok(format!("{phase:?}, {doubts} in doubt"))
}

/// All that is told of a run.
fn read_all(dir: &Path) -> Result<String, LedgerError> {
    let reader = read(dir)?;
    reader.check_pages()?;
    reader.inputs()?;
    reader.figures()?;
    reader.plan_totals()?;
    let mut rows = 0;
    reader.rows::<LedgerError>(&mut |_| {
        rows += 1;
        Ok(())
    })?;
    reader.items::<LedgerError>(&mut |_| Ok(()))?;
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
#[test]
fn what_cannot_be_written_is_told_from_damage() {
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
        drop(planned(folder.path(), 3));
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
    let error = read(folder.path()).unwrap_err();
    assert!(matches!(&error, LedgerError::Database { .. }), "{error:?}");
}

#[test]
fn what_is_no_run_is_refused_by_name() {
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
            drop(planned(folder.path(), 200));
        }
        match harm {
            "nothing" => {}
            "empty" => fs::write(&file, "").unwrap(),
            "another database" => meddle(folder.path()).execute_batch("CREATE TABLE t (x)").unwrap(),
            "text" => fs::write(&file, "this is a text, and not a short one".repeat(100)).unwrap(),
            _ => {
                let mut bytes = fs::read(&file).unwrap();
                let middle = (bytes.len() / 2) & !4095;
                bytes[middle..middle + 4096].fill(0xA5);
                fs::write(&file, bytes).unwrap();
            }
        }
        let error = open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(wanted), "{harm}: {error}");
        assert!(error.contains(folder.path().to_str().unwrap()), "{harm}: {error}");
        assert!(!error.contains(char::is_control), "{harm}: {error:?} takes more than a line");
        let reading = read(folder.path()).map(|_| ());
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

/// What a newer version wrote can be read as far as it is understood, and stays as it is to the byte, with
/// whatever lies in the log.
#[test]
fn a_run_of_a_newer_version_is_read_and_never_written() {
    const NEWER: &str =
        "was written by a newer version of this program: its format is 3, this version knows 2";
    let of = |change: &str| {
        let folder = tempdir().unwrap();
        drop(planned(folder.path(), 3));
        let newer = meddle(folder.path());
        newer.execute_batch(&format!("{change}; PRAGMA user_version = 3")).unwrap();
        (folder, newer)
    };
    let bytes = |dir: &Path| ["run.sqlite", "run.sqlite-wal"].map(|file| fs::read(dir.join(file)).unwrap());

    let (folder, newer) = of("ALTER TABLE item ADD COLUMN mood TEXT; CREATE TABLE more (x)");
    // Both come from another process as a rule: the log stays when this one is done with it.
    let before = bytes(folder.path());
    assert!(!before[1].is_empty());
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, LedgerError::Newer { .. }) && error.to_string().contains(NEWER), "{error}");
    assert!(matches!(create(folder.path(), &about()), Err(LedgerError::Exists { .. })));
    assert_eq!(read(folder.path()).unwrap().newer(), Some(3));
    assert_eq!(rows(folder.path()).len(), 3);
    assert_eq!(bytes(folder.path()), before);
    drop(newer);
    let before = fs::read(folder.path().join("run.sqlite")).unwrap();
    assert_eq!(rows(folder.path()).len(), 3);
    drop(open(folder.path()).unwrap_err());
    assert_eq!(fs::read(folder.path().join("run.sqlite")).unwrap(), before);

    // What isn't understood is no damage.
    for change in ["ALTER TABLE outcome RENAME code TO word", "UPDATE run SET about = '{}'"] {
        let (folder, _newer) = of(change);
        let told = read(folder.path()).and_then(|reader| reader.rows::<LedgerError>(&mut |_| Ok(())));
        assert!(told.unwrap_err().to_string().contains(NEWER), "{change}");
    }
}

/// No kill shows what only a power cut would: that a commit returns before it is on the disk.
#[test]
fn every_connection_waits_for_the_disk() {
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 1));
    let store = Store::open(folder.path()).unwrap();
    for store in [&store, &store.again().unwrap()] {
        let number =
            |name| store.connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).unwrap();
        // 2 is FULL.
        let numbers = ["synchronous", "fullfsync", "checkpoint_fullfsync"].map(number);
        assert_eq!(numbers, [2, 1, 1]);
        let mode: String =
            store.connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }
}

/// What a process leaves that died while it made a ledger. A later one makes its own in the place of that.
#[test]
fn what_never_became_a_ledger_is_no_run_and_is_replaced() {
    for left in [
        &["run.lock"][..],
        &["run.lock", "run.sqlite.new"],
        &["run.sqlite.new", "run.sqlite.new-journal"],
        &["run.lock", "run.sqlite.new", "run.sqlite.new-wal", "run.sqlite.new-shm", "notes.txt"],
    ] {
        let folder = tempdir().unwrap();
        for (number, name) in left.iter().enumerate() {
            let content = if number % 2 == 0 { "" } else { "what is no database\n" };
            fs::write(folder.path().join(name), content).unwrap();
        }
        for error in [open(folder.path()).map(drop).unwrap_err(), read(folder.path()).map(drop).unwrap_err()]
        {
            assert!(matches!(error, LedgerError::Unmade { .. }), "{left:?}: {error}");
        }
        drop(create(folder.path(), &about()).unwrap());
        assert_eq!(open(folder.path()).unwrap().phase(), Phase::Planning);
        let notes = left.contains(&"notes.txt").then_some("notes.txt");
        let wanted: Vec<&str> = notes.into_iter().chain(["run.lock", "run.sqlite"]).collect();
        assert_eq!(names(folder.path()), wanted, "{left:?}");
    }
}

/// Whatever has the name of a ledger may have been one, be it empty or a link that leads nowhere.
#[cfg(unix)]
#[test]
fn what_could_be_a_run_is_never_replaced() {
    for what in ["an empty file", "a text", "a broken link"] {
        let folder = tempdir().unwrap();
        let file = folder.path().join("run.sqlite");
        fs::write(folder.path().join("run.sqlite.new"), "left").unwrap();
        match what {
            "an empty file" => fs::write(&file, "").unwrap(),
            "a text" => fs::write(&file, "a text").unwrap(),
            _ => std::os::unix::fs::symlink("nowhere", &file).unwrap(),
        }
        let before = fs::read(&file).ok();
        let error = create(folder.path(), &about()).unwrap_err();
        assert!(matches!(error, LedgerError::Exists { .. }), "{what}: {error}");
        assert_eq!(fs::read(&file).ok(), before, "{what}");
        assert!(fs::symlink_metadata(&file).is_ok(), "{what}");
    }
}

/// Of those who begin a run in one place at the same time, one does.
#[test]
fn one_of_many_makes_the_ledger() {
    let folder = tempdir().unwrap();
    let dir = folder.path().join("run");
    let made: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| create(&dir, &about()))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let refused = made.iter().filter_map(|made| made.as_ref().err());
    assert!(refused.clone().all(|error| matches!(error, LedgerError::Busy { .. })), "{made:?}");
    assert_eq!(refused.count(), 7, "{made:?}");
}

/// What lies in a directory.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn reading_leaves_nothing_behind() {
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 3));
    assert_eq!(names(folder.path()), ["run.lock", "run.sqlite"]);
    assert_eq!(rows(folder.path()).len(), 3);
    assert_eq!(names(folder.path()), ["run.lock", "run.sqlite"]);
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
#[tokio::test]
async fn a_run_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let dir = folder.path().join("reports/run");
    let (journal, _backlog) = planned(&dir, 1).start(clock()).unwrap();
    journal.intend(&Arc::new(item(1))).await.unwrap();
    assert_eq!(mode(&dir), 0o700);
    let check = || {
        for file in ["run.sqlite", "run.sqlite-wal", "run.sqlite-shm", "run.lock"] {
            assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
        }
    };
    check();
    drop(journal);
    // As a careless copy would leave them.
    for file in ["run.sqlite", "run.sqlite-wal", "run.sqlite-shm", "run.lock"] {
        fs::set_permissions(dir.join(file), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let _ledger = open(&dir).unwrap();
    check();
}

#[cfg(unix)]
#[test]
fn an_empty_directory_becomes_private_and_a_full_one_stays_the_users() {
    use std::os::unix::fs::PermissionsExt;
    for (full, wanted) in [(false, 0o700), (true, 0o755)] {
        let folder = tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        if full {
            fs::write(folder.path().join("notes.txt"), "").unwrap();
        }
        drop(create(folder.path(), &about()).unwrap());
        assert_eq!(mode(folder.path()), wanted);
        assert_eq!(mode(&folder.path().join("run.sqlite")), 0o600);
    }
}

/// Who waited for a run that came to nothing must not believe that it holds the next one.
#[test]
fn a_lock_is_the_one_that_others_see() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("run.lock");
    let first = Lock::take(folder.path()).unwrap();
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| Lock::take(folder.path()));
        fs::remove_file(&path).unwrap();
        drop(first);
        waiting.join().unwrap()
    });
    let held = waiting.unwrap();
    assert!(matches!(Lock::take(folder.path()), Err(LedgerError::Busy { .. })));
    drop(held);
    Lock::take(folder.path()).unwrap();
}
