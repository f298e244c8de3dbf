//! The files: who may open them, who may read them, and what is refused.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use super::super::lock::Lock;
use super::super::schema::Store;
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
    let ledger = planning.seal(&Figures::default()).unwrap();
    busy();
    let (journal, backlog) = ledger.start(clock()).unwrap();
    busy();
    let clone = journal.clone();
    drop(journal);
    busy();
    drop(clone);
    let (journal, _) = open(&dir).unwrap().start(clock()).unwrap();
    assert_eq!(backlog.outstanding(0, 9).unwrap().len(), 1);
    journal.finish(Phase::Stopped, &Figures::default()).await.unwrap();
    drop(open(&dir).unwrap());
    assert!(matches!(create(&dir, &about()), Err(LedgerError::Exists { .. })));
}

#[tokio::test]
async fn a_reader_sees_the_run_as_it_stood() {
    let folder = tempdir().unwrap();
    let (journal, _) = planned(folder.path(), 2).start(clock()).unwrap();
    let reader = read(folder.path()).unwrap();
    journal.settled(1, settled(Outcome::Applied)).await.unwrap();
    journal.finish(Phase::Stopped, &Figures::default()).await.unwrap();
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

#[test]
fn what_is_no_run_is_refused_by_name() {
    for (harm, wanted) in [
        ("nothing", "holds no run"),
        ("empty", "is no ledger of this program"),
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
            // A reader looks only at what it is asked for.
            reading.unwrap();
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
        "was written by a newer version of this program: its format is 2, this version knows 1";
    let of = |change: &str| {
        let folder = tempdir().unwrap();
        drop(planned(folder.path(), 3));
        let newer = meddle(folder.path());
        newer.execute_batch(&format!("{change}; PRAGMA user_version = 2")).unwrap();
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
    assert_eq!(read(folder.path()).unwrap().newer(), Some(2));
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

#[test]
fn a_process_that_died_before_its_first_record_leaves_no_run() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("run.sqlite"), "").unwrap();
    create(folder.path(), &about()).unwrap();
}

#[test]
fn reading_leaves_nothing_behind() {
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 3));
    let names = || {
        let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["run.lock", "run.sqlite"]);
    assert_eq!(rows(folder.path()).len(), 3);
    assert_eq!(names(), ["run.lock", "run.sqlite"]);
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
