//! Files of a run, which are its owner's alone.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::*;

fn modes(folder: &Path) -> BTreeMap<String, u32> {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), mode(&path));
    entries.map(named).chain([(".".to_owned(), mode(folder))]).collect()
}

#[track_caller]
fn are_private(modes: &BTreeMap<String, u32>, what: &str) {
    for (name, mode) in modes {
        assert_eq!(*mode, if name == "." { 0o700 } else { 0o600 }, "{what}: {name}");
    }
}

/// Runs the program where new files would have any mode that this mask leaves.
fn run(place: &Path, umask: &str, command: &str, service: Option<&Wire>) -> Option<i32> {
    let script = format!("umask {umask}; exec \"$0\" \"$@\"");
    let mut shell = through("sh", &["-c", &script]);
    shell.args(shlex::split(command).unwrap()).current_dir(place).env("PARTNER_CENTER_TOKEN", TOKEN);
    if let Some(service) = service {
        shell.env("REFERRAL_BULK_ENDPOINT", &service.base);
    }
    program::run(shell, "").code
}

#[test]
fn are_their_owners_alone_whatever_the_umask() {
    for umask in ["000", "022", "077", "177"] {
        let place = Place::new();
        place.write("a.csv", notes_csv(&[ONE]));
        let seen = Arc::new(Mutex::new(BTreeMap::new()));
        let (log, folder) = (Arc::clone(&seen), place.path("run"));
        let service = Wire::serve(move |request| {
            if request.method == "PATCH" {
                *log.lock().unwrap() = modes(&folder);
            }
            wire::sound(request)
        });
        let planned = run(place.root(), umask, &format!("apply a.csv --plan {QUIET}"), Some(&service));
        assert_eq!(planned, Some(0), "{umask}");
        are_private(&modes(&place.path("run")), umask);

        // A copy may have opened them up.
        for name in modes(&place.path("run")).into_keys().filter(|name| name != ".") {
            let open = Permissions::from_mode(0o666);
            fs::set_permissions(place.path("run").join(name), open).unwrap();
        }
        let resume = QUIET.replace("--out ", "resume ");
        assert_eq!(run(place.root(), umask, &resume, Some(&service)), Some(0), "{umask}");
        let sending = seen.lock().unwrap().clone();
        assert!(sending.contains_key("run.sqlite-wal"), "{sending:?}");
        are_private(
            &sending.into_iter().filter(|(name, _)| name.starts_with("run.")).collect(),
            "while sending",
        );
        are_private(&modes(&place.path("run")), "written again");
    }
}

/// A run's directory may come from somebody else, with a pipe or a link in the place of any of its files: no
/// command waits for the pipe, and what a link names stays as it is.
#[test]
fn are_no_pipes_and_no_links() {
    const FILES: [&str; 7] =
        ["run.lock", "run.reports", "run.log", "run.sqlite-wal", "plan.jsonl", "summary.json", "success.csv"];
    for (file, is_pipe) in FILES.into_iter().flat_map(|file| [(file, true), (file, false)]) {
        let place = Place::new();
        place.write("a.csv", notes_csv(&[ONE]));
        let plan = "apply a.csv --plan --state none --sandbox --out run --summary none";
        place.run(&shlex::split(plan).unwrap()).expect(0);
        let there = place.path("run").join(file);
        if there.exists() {
            fs::remove_file(&there).unwrap();
        }
        place.write("others.txt", "kept");
        if is_pipe {
            nix::unistd::mkfifo(&there, nix::sys::stat::Mode::S_IRWXU).unwrap();
        } else {
            std::os::unix::fs::symlink(place.path("others.txt"), &there).unwrap();
        }
        let before = fs::metadata(place.path("others.txt")).unwrap().permissions().mode();
        for command in
            ["report run --summary none", "resume run --sandbox --yes --rate 1000/s --summary none"]
        {
            let mut started = place.start(&shlex::split(command).unwrap());
            until(&format!("the end of {command}, {file}"), || (!started.is_running()).then_some(()));
            let kept = fs::read_to_string(place.path("others.txt")).unwrap();
            let mode = fs::metadata(place.path("others.txt")).unwrap().permissions().mode();
            assert_eq!((kept.as_str(), mode), ("kept", before), "{file}, pipe: {is_pipe}, {command}");
        }
    }
}

#[test]
fn of_patches_are_their_owners_alone() {
    for umask in ["000", "077"] {
        let place = Place::new();
        place.write("puts.jsonl", sample("legacy-puts.jsonl"));
        let command = "migrate puts.jsonl --plan --sandbox --patches out.jsonl --out run --summary none";
        run(place.root(), umask, command, None);
        let mode = fs::metadata(place.path("out.jsonl")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{umask}");
        are_private(&modes(&place.path("run")), umask);
    }
}
