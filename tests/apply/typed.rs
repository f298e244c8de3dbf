//! What the program says to type next is typed wherever any test sees it: what can't be is noticed.

use std::panic::catch_unwind;

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
