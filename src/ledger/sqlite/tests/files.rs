//! The files: how they come about, who may open them and who may read them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tempfile::tempdir;

use super::super::lock::Lock;
use super::super::plan::Plan;
use super::super::store::Store;
use crate::domain::account::Phase;
use crate::ledger::tests::fixtures::*;
use crate::ledger::{LedgerError, create, open, read};

/// No kill shows what only a power cut would: that a commit returns before it is on the disk.
#[tokio::test]
async fn every_connection_waits_for_the_disk() {
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 1).await);
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
#[tokio::test]
async fn what_never_became_a_ledger_is_no_run_and_is_replaced() {
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
        for error in [
            open(folder.path()).await.map(drop).unwrap_err(),
            read(folder.path()).await.map(drop).unwrap_err(),
        ] {
            assert!(matches!(error, LedgerError::Unmade { .. }), "{left:?}: {error}");
        }
        drop(create(folder.path(), &about()).await.unwrap());
        assert_eq!(open(folder.path()).await.unwrap().header().phase, Phase::Planning);
        let notes = left.contains(&"notes.txt").then_some("notes.txt");
        let wanted: Vec<&str> = notes.into_iter().chain(["run.lock", "run.sqlite"]).collect();
        assert_eq!(names(folder.path()), wanted, "{left:?}");
    }
}

/// Whatever has the name of a ledger may have been one, be it empty or a link that leads nowhere.
#[cfg(unix)]
#[tokio::test]
async fn what_could_be_a_run_is_never_replaced() {
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
        let error = create(folder.path(), &about()).await.unwrap_err();
        assert!(matches!(error, LedgerError::Exists { .. }), "{what}: {error}");
        assert_eq!(fs::read(&file).ok(), before, "{what}");
        assert!(fs::symlink_metadata(&file).is_ok(), "{what}");
    }
}

/// Of those who begin a run in one place at the same time, one does.
#[tokio::test]
async fn one_of_many_makes_the_ledger() {
    let folder = tempdir().unwrap();
    let dir = folder.path().join("run");
    let made: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| Plan::create(&dir, &about(), None))).collect();
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

#[tokio::test]
async fn reading_leaves_nothing_behind() {
    let folder = tempdir().unwrap();
    drop(planned(folder.path(), 3).await);
    assert_eq!(names(folder.path()), ["run.lock", "run.sqlite"]);
    assert_eq!(rows(folder.path()).await.len(), 3);
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
    let (journal, _backlog) = planned(&dir, 1).await.start(clock()).await.unwrap();
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
    let _ledger = open(&dir).await.unwrap();
    check();
}

#[cfg(unix)]
#[tokio::test]
async fn an_empty_directory_becomes_private_and_a_full_one_stays_the_users() {
    use std::os::unix::fs::PermissionsExt;
    for (full, wanted) in [(false, 0o700), (true, 0o755)] {
        let folder = tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        if full {
            fs::write(folder.path().join("notes.txt"), "").unwrap();
        }
        drop(create(folder.path(), &about()).await.unwrap());
        assert_eq!(mode(folder.path()), wanted);
        assert_eq!(mode(&folder.path().join("run.sqlite")), 0o600);
    }
}

/// Who waited for a run that came to nothing must not believe that it holds the next one.
#[tokio::test]
async fn a_lock_is_the_one_that_others_see() {
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
