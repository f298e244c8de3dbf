//! The directory that `--out` names: what makes it unfit for a run, and that whatever else lies in it
//! stays as it was.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::support::case::Test;
use crate::support::place::Place;
use crate::support::program::{plainly, program, run, through};

const ACTIVE: &str = "5a1e0001-0000-4000-8000-000000000015";
const OTHER: &str = "5a1e0001-0000-4000-8000-000000000027";
const OPTIONS: &str = "--sandbox --rate 1000/s --summary none --progress none";

/// A change file of each form.
fn place() -> Rc<Place> {
    let place = Place::new();
    place.write("a.csv", format!("id,notes\n{ACTIVE},Called\n"));
    place.write("b.jsonl", format!("{{\"id\":\"{OTHER}\",\"details\":{{\"notes\":\"Called\"}}}}\n"));
    place.write("bad.csv", "id,\"no\n");
    place
}

/// Every file with its content and its mode.
fn all(place: &Place) -> BTreeMap<String, (Vec<u8>, u32)> {
    let read = |path: PathBuf| (fs::read(&path).unwrap(), mode(&path));
    place.files().into_iter().map(|(name, path)| (name, read(path))).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The names are those of the files that a run over every form really writes.
#[test]
fn a_file_that_a_report_would_replace_is_in_the_way() {
    let whole = place();
    whole.write("c.csv", "id,notes\nR-1,Called\n");
    whole.write("d.jsonl", "{\"id\":7}\n");
    let time = "--finish-by 2020-01-01T00:00:00Z";
    let (code, _, said) =
        plainly(&whole, &format!("apply a.csv b.jsonl c.csv d.jsonl --out run {OPTIONS} {time}"));
    assert_eq!(code, Some(4), "{said}");
    let written = whole.files().into_keys().filter_map(|name| Some(name.strip_prefix("run/")?.to_owned()));
    let written: Vec<String> = written.filter(|name| !name.starts_with("run.")).collect();
    assert_eq!(written.len(), 4 * 2 + 5, "{written:?}");

    for name in written {
        let place = place();
        place.write(&format!("run/{name}"), "my own");
        let before = all(&place);
        let (code, stdout, said) = plainly(&place, &format!("apply a.csv --out run {OPTIONS}"));
        let wanted = format!(
            "error: run/{name} is there already and would be overwritten\n\
             hint: name a new or an empty directory with --out\n"
        );
        assert_eq!((code, stdout.as_str(), said), (Some(2), "", wanted));
        assert_eq!(all(&place), before, "{name}");
    }
}

/// A directory that holds other things is taken, and those stay as they are, whoever may read them.
#[test]
fn other_files_are_left_alone() {
    for (file, code) in [("a.csv", 0), ("bad.csv", 1)] {
        let place = place();
        for name in ["run/notes.txt", "run/success.txt", "run/error.csv.bak", "run/older/error.csv"] {
            place.write(name, "my own");
            fs::set_permissions(place.path(name), Permissions::from_mode(0o644)).unwrap();
        }
        fs::set_permissions(place.path("run"), Permissions::from_mode(0o755)).unwrap();
        let before = all(&place);
        let (ended, _, said) = plainly(&place, &format!("apply {file} --out run {OPTIONS}"));
        assert_eq!(ended, Some(code), "{said}");

        let mut after = all(&place);
        let ours: BTreeMap<_, _> = after.extract_if(.., |name, _| !before.contains_key(name)).collect();
        assert_eq!(after, before, "{file}");
        assert_eq!(mode(&place.path("run")), 0o755);
        assert!(ours.values().all(|(_, mode)| *mode == 0o600), "{:?}", ours.keys());
        assert_eq!(ours.contains_key("run/run.sqlite"), code == 0, "{:?}", ours.keys());
        assert!(code == 0 || ours.is_empty(), "a run that was not planned leaves {:?}", ours.keys());
    }
}

/// Another process has taken the directory, and has not yet come so far as to make its ledger; or has.
#[test]
fn a_directory_in_which_another_process_is_at_work_stays_as_it_is() {
    let place = place();
    place.write("run/run.lock", "");
    fs::set_permissions(place.path("run/run.lock"), Permissions::from_mode(0o600)).unwrap();
    let lock = File::options().write(true).open(place.path("run/run.lock")).unwrap();
    lock.lock().unwrap();
    let busy = "error: the run in run is being worked on by another process; wait for it to end\n";
    let taken = "error: run holds a run already\n\
                 hint: name another directory with --out, or carry on with that run: referral-bulk resume run\n";
    let before = all(&place);
    for file in ["a.csv", "bad.csv"] {
        let command = format!("apply {file} --out run {OPTIONS}");
        let (code, stdout, said) = plainly(&place, &command);
        assert_eq!((code, stdout.as_str(), said.as_str()), (Some(2), "", taken), "{file}");
        assert_eq!(all(&place), before, "{file}");
    }
    lock.unlock().unwrap();
    let (code, _, said) = plainly(&place, &format!("apply a.csv --plan --out run {OPTIONS}"));
    assert_eq!(code, Some(0), "{said}");

    lock.lock().unwrap();
    let before = all(&place);
    for (command, wanted) in [("resume run", 1), ("apply a.csv --out run --sandbox", 2)] {
        let (code, _, said) = plainly(&place, command);
        assert_eq!(code, Some(wanted), "{command}: {said}");
        assert!(wanted == 2 || said == busy, "{said}");
        assert_eq!(all(&place), before, "{command}");
    }
}

#[test]
fn a_run_stays_as_it_is_whatever_is_put_where_it_lies() {
    let place = place();
    let (code, _, said) = plainly(&place, &format!("apply a.csv --plan --out run {OPTIONS}"));
    assert_eq!(code, Some(0), "{said}");
    let before = all(&place);
    for file in ["a.csv", "b.jsonl", "bad.csv", "none.csv"] {
        Test::at(&place, &format!("apply {file} --out run {OPTIONS}"))
            .code(2)
            .stderr(
                "error: run holds a run already\n\
                 hint: name another directory with --out, or carry on with that run: referral-bulk resume run\n",
            )
            .run();
        assert_eq!(all(&place), before, "{file}");
    }
}

#[test]
fn what_can_be_no_directory_is_told() {
    for (out, problem) in [("a.csv", "File exists (os error 17)"), ("a.csv/run", "File exists (os error 17)")]
    {
        let place = place();
        let before = all(&place);
        Test::at(&place, &format!("apply a.csv --out {out} {OPTIONS}"))
            .code(1)
            .stderr(&format!(
                "error: cannot make the run's directory {out}: {problem}\n\
                 hint: name a directory you may write to with --out\n"
            ))
            .run();
        assert_eq!(all(&place), before, "{out}");
    }
}

/// What is on the way to it is made like any other directory, and only the run's own is private.
#[test]
fn a_directory_is_made_with_its_parents() {
    let place = place();
    place.write("shared/usual/x", "");
    let usual = mode(&place.path("shared/usual"));
    Test::at(&place, &format!("apply a.csv --out shared/q3/week/run {OPTIONS}")).run();
    for (directory, wanted) in [("q3", usual), ("q3/week", usual), ("q3/week/run", 0o700)] {
        assert_eq!(mode(&place.path("shared").join(directory)), wanted, "{directory}");
    }
}

/// A run that cannot be planned takes back all that it made, and nothing else.
#[test]
fn nothing_is_left_of_a_run_that_comes_to_nothing() {
    for (out, made) in [("--out x/y/run", "x"), ("--out there/run", "there/run"), ("", "reports")] {
        let place = place();
        place.write("there/file", "my own");
        let (code, _, said) = plainly(&place, &format!("apply bad.csv {out} {OPTIONS}"));
        assert_eq!(code, Some(1), "{said}");
        assert!(!place.path(made).exists(), "{made} is left");
        assert!(place.path("there/file").exists());
    }
}

/// Whatever bytes its name has, the next command finds the run: a shell is given it as it was printed.
#[test]
fn the_next_command_can_be_pasted_whatever_the_directory_is_called() {
    for (name, shown) in [
        (&b"r\xff 1"[..], r"$'r\377 1'"),
        (b"\xc3\xa9 it's", r"'é it'\''s'"),
        (b"-r\x1b[2J\\", r"$'./-r\033[2J\\'"),
    ] {
        let place = place();
        let mut plan = program();
        plan.args(["apply", "a.csv", "--plan", "--sandbox", "--rate", "1000/s", "--progress", "none"]);
        plan.arg(OsStr::from_bytes(&[b"--out=", name].concat())).current_dir(place.root());
        let said = run(plan, "").stderr;
        assert_eq!(said.lines().last(), Some(&*format!("next: referral-bulk resume {shown} --rate 1000/s")));

        let typed = said.lines().last().unwrap().strip_prefix("next: referral-bulk").unwrap();
        let mut paste = through("bash", &["-c", &format!("\"$0\" {typed}")]);
        paste.current_dir(place.root());
        run(paste, "").expect(0);
        let summary = fs::read_to_string(place.path(OsStr::from_bytes(name)).join("summary.json")).unwrap();
        assert!(summary.contains(r#""state":"finished""#), "{summary}");
    }
}

/// A run remembers where it goes as text, so that another file than the one that was meant might be taken.
#[test]
fn a_sandbox_is_seeded_from_no_file_whose_name_is_not_text() {
    let place = place();
    let seed = OsStr::from_bytes(b"--sandbox=s\xff.jsonl");
    let mut apply = program();
    apply.args(["apply", "a.csv"]).arg(seed).current_dir(place.root());
    let ended = run(apply, "").expect(2);
    let wanted = "error: --sandbox=$'s\\377.jsonl': the name of this file is not UTF-8\n\
                  hint: rename it: a run could not remember it by this name\n";
    assert_eq!(ended.stderr, wanted);
}
