//! The walk through a quarter's end, command by command as the document has it.

use std::fs;
use std::process::Command;

use super::read;
use super::shown::fences;
use crate::support::program::{self, Ended, program};
use crate::support::sandbox::Sandbox;

const QUARTER_END: &str = "docs/quarter-end.md";

/// The port that the document names.
const PORT: &str = "8085";

#[test]
fn a_quarter_ends_as_the_document_says() {
    let text = read(QUARTER_END);
    let mut lines = fences(&text, "sh").flat_map(str::lines);
    assert_eq!(lines.next(), Some(&*format!("referral-bulk sandbox --port {PORT}")));
    let service = Sandbox::start("");
    let port = service.address().port().to_string();
    let place = tempfile::tempdir().unwrap();
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut ran: Vec<(String, Ended)> = Vec::new();
    for line in lines {
        let words = shlex::split(&line.replace(PORT, &port)).unwrap();
        match words[0].as_str() {
            "export" => {
                let (name, value) = words[1].split_once('=').unwrap();
                variables.push((name.to_owned(), value.to_owned()));
            }
            "referral-bulk" => {
                let mut command = program();
                command.args(&words[1..]).current_dir(place.path()).envs(variables.iter().cloned());
                let ended = program::run(command, "");
                assert_eq!(ended.code, Some(0), "{line}\n{}{}", ended.stdout, ended.stderr);
                ran.push((words[1].clone(), ended));
            }
            _ => {
                let mut other = Command::new(&words[0]);
                other.args(&words[1..]).current_dir(place.path());
                assert!(other.status().unwrap().success(), "{line}");
            }
        }
    }
    let commands: Vec<&str> = ran.iter().map(|(command, _)| command.as_str()).collect();
    assert_eq!(commands, ["export", "apply", "show", "resume", "report", "export"]);
    let said = |at: usize| format!("{}{}", ran[at].1.stdout, ran[at].1.stderr);
    for (at, wanted) in [
        (0, "close.csv: 5 of 18 referrals"),
        (1, "4 referrals to change, 4 of them closed for good"),
        (1, "note: 4 changes at 2/s take 2 s, done by "),
        (2, "5a1e0001-0000-4000-8000-000000000020"),
        (3, "applied    4"),
        (4, "applied    4"),
        (5, "left.csv: 1 of 14 referrals"),
    ] {
        assert!(said(at).contains(wanted), "{wanted}\n{}", said(at));
    }
    let left = fs::read_to_string(place.path().join("left.csv")).unwrap();
    assert!(
        left.contains("5a1e0001-0000-4000-8000-000000000016"),
        "the deal that was taken out is alive: {left}"
    );
}
