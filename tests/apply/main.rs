//! Every command as a user meets it: what it prints, how it exits, and what it leaves in files.
//!
//! | file | what it holds |
//! |---|---|
//! | `samples` | the samples, to the letter |
//! | `plan_and_resume` | planning now and carrying out later |
//! | `reports` | their form, and that they can be made again |
//! | `show` | a plan or a run, referral by referral |
//! | `explain`, `explained` | the life of a row; of rows of every kind of input, and of runs in every state |
//! | `what_is_shown` | summaries, help, completions, manual pages |
//! | `inputs` | where inputs come from, and how they are read |
//! | `settings` | the command line, the environment and the file |
//! | `config_show` | the settings that count, and where each comes from |
//! | `check` | whether all is ready, and what to mend first |
//! | `learnt` | what was learnt of a service, and what comes of it |
//! | `ledger` | which shared ledger is meant, and what is refused before one is asked |
//! | `login` | what somebody needs who signs in, and how they come by it |
//! | `limits` | what ends a run early |
//! | `base` | `--base`: only what differs is a change, and what moved is a conflict |
//! | `matched` | rows that name their referrals by a key |
//! | `priority` | in which order changes are sent |
//! | `crm` | exports of CRMs as they come |
//! | `consent` | who may change what |
//! | `outcomes` | every outcome, as a model tells it |
//! | `requests` | how many requests are made |
//! | `export` | files that are made from referrals, and what comes of them when they are given back |
//! | `verify` | what still stands of a run |
//! | `page_steps` | what the page of a run says to do next |
//! | `fed_back, kept` | reports that are given back, and reports that somebody changed |
//! | `folders` | the directory that `--out` names |
//! | `early_exits` | ways out that no run is carried out on |
//! | `diagnostics` | what `-v` and `run.log` tell, and never tell |
//! | `followed` | what a program gets that follows a command |
//! | `on_finish` | who is told of a run's end |
//! | `page` | what the page of a run holds, when it is written, and how it is shown |
//! | `undo` | the change file that takes a run back |
//! | `typed` | what is said to type next can be typed |

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod approved;
mod base;
mod check;
mod config_show;
mod consent;
mod crm;
mod diagnostics;
mod early_exits;
mod explain;
mod explained;
mod export;
mod fed_back;
mod folders;
mod followed;
mod hidden_keys;
mod inputs;
mod kept;
mod learnt;
mod ledger;
mod limits;
mod login;
mod matched;
mod on_finish;
mod outcomes;
mod page;
mod page_steps;
mod plan_and_resume;
mod priority;
mod reports;
mod requests;
mod samples;
mod settings;
mod show;
#[path = "../support/mod.rs"]
mod support;
mod typed;
mod undo;
mod verify;
mod waves;
mod what_is_shown;

use std::fs;
use std::process::Command;
use std::rc::Rc;

use regex::Regex;
use serde_json::Value;

use crate::support::case::{Ran, Test, golden};
use crate::support::place::Place;
use crate::support::program::{Ended, TOKEN, plainly, program};
use crate::support::referrals::{id, referral};
use crate::support::run_dir::outcomes;
use crate::support::samples::sample;
use crate::support::sandbox::Sandbox;
use crate::support::sha256::sha256;
use crate::support::tap::Tap;
use crate::support::wire::{self, Wire};

/// Against a sandbox in the same process, fast, and without the advice that depends on today's date.
const REHEARSE: &str =
    "--sandbox --rate 1000/s --out run --rule early-win=allow --rule closing-date-past=allow";
/// The same, with nothing printed that a test is not about.
const QUIET: &str = "--sandbox --rate 1000/s --out run --summary none --progress none";

/// What is said where settings lie beside the input.
const USED: &str = "note: referral-bulk.toml of the current directory is used: [profile.default]\n";

/// Samples that may be accepted, changed, and closed.
const NEW: &str = "5a1e0001-0000-4000-8000-000000000003";
const ACTIVE: &str = "5a1e0001-0000-4000-8000-000000000015";
const OTHER: &str = "5a1e0001-0000-4000-8000-000000000027";

const ROW_FILES: [&str; 7] = [
    "run/success.csv",
    "run/conflict.csv",
    "run/error.csv",
    "run/outcomes.jsonl",
    "run/plan.jsonl",
    "run/plan.csv",
    "run/summary.json",
];

/// A CSV of notes for some referrals.
fn notes(ids: &[&str]) -> String {
    ids.iter().fold("id,details.notes\n".to_owned(), |text, id| text + &format!("{id},Called on Monday\n"))
}

/// Samples that are Active, as many as are wanted.
fn active(count: usize) -> Vec<&'static str> {
    const ACTIVE: [&str; 8] = [
        "5a1e0001-0000-4000-8000-000000000015",
        "5a1e0001-0000-4000-8000-000000000016",
        "5a1e0001-0000-4000-8000-000000000023",
        "5a1e0001-0000-4000-8000-000000000024",
        "5a1e0001-0000-4000-8000-000000000025",
        "5a1e0001-0000-4000-8000-000000000026",
        "5a1e0001-0000-4000-8000-000000000027",
        "5a1e0001-0000-4000-8000-000000000028",
    ];
    ACTIVE[..count].to_vec()
}

/// The program, where what holds after every run can't.
fn unchecked(place: &Place, line: &str) -> Command {
    let mut command = program();
    command.args(line.split(' ')).current_dir(place.root());
    command
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
