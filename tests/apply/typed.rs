//! What the program says to type next is typed wherever any test sees it: what can't be is noticed.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use crate::support::said;

#[test]
fn a_line_that_cannot_be_typed_is_noticed() {
    for line in [
        "next: resume run",
        "next: look at it",
        "next: referral-bulk resume",
        "next: referral-bulk resume run --bogus",
        "next: referral-bulk resume my run",
        "next: referral-bulk undo run",
        "next: correct error.csv and feed it back: referral-bulk apply run/error.csv --rate fast",
        "next: referral-bulk resume 'run",
        "next: referral-bulk resume run > there",
        "next: referral-bulk resume run; true",
        "next: referral-bulk resume run & # at once",
        "next: referral-bulk resume run*",
        "next: referral-bulk resume $RUN",
    ] {
        let shown = format!("said before\n{line}\n");
        for drawn in [shown.clone(), format!("\u{1b}[2K\r{}", shown.replace('\n', "\r\n"))] {
            assert!(catch_unwind(|| said::check("", &drawn)).is_err(), "{drawn:?}");
            assert!(catch_unwind(|| said::check(&drawn, "")).is_err(), "{drawn:?}");
        }
    }
    said::check(
        "",
        "next: correct error.csv and feed it back: referral-bulk apply run/error.csv --rate 5/s\n",
    );
}

/// By the words that a shell makes, not by those that stand between blanks.
#[test]
fn a_shell_makes_the_words() {
    let words = said::words(r"referral-bulk resume $'./-r\033[2J\\' 'é it'\''s' 'a; b > c'").unwrap();
    assert_eq!(words, ["referral-bulk", "resume", "./-r\u{1b}[2J\\", "é it's", "a; b > c"]);
}

/// All that it says passes there.
#[test]
fn the_program_is_started_in_one_place() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if fs::read(&path).unwrap().windows(VARIABLE.len()).any(|part| part == VARIABLE.as_bytes())
            {
                found.push(path);
            }
        }
    }
    let [place] = &found[..] else { panic!("{found:?}") };
    assert!(place.ends_with("tests/support/program.rs"), "{place:?}");
}

/// The variable in which cargo tells where the program is, made of two parts, so that it doesn't stand here.
const VARIABLE: &str = concat!("CARGO_BIN", "_EXE");
