//! Verifying a run: how many requests it takes where lists are whole, and how much memory.

use std::fs;
use std::io::{Error, Result};
use std::process::Command;

use serde_json::Value;

use super::measure::Used;
use super::{Bench, PROGRAM, Server, data, text, yardsticks};

/// The number of referrals, all of which are changed.
const REFERRALS: u64 = 10_000;

/// What verifying a run took.
pub struct Verifying {
    /// The referrals that the run had changed.
    pub changed: u64,
    pub requests: u64,
    pub used: Used,
}

/// Changes ten thousand referrals in the program's own sandbox, in another process, and verifies that.
pub fn verify(bench: &Bench) -> Result<Verifying> {
    let (snapshot, changes) = (bench.folder.join("few.jsonl"), bench.folder.join("few.csv"));
    data::snapshot(&snapshot, REFERRALS)?;
    let rows: String = (0..REFERRALS).map(|number| format!("{},Call {number}\n", data::id(number))).collect();
    fs::write(&changes, format!("id,notes\n{rows}"))?;
    let sandbox = Server::of_lists(&snapshot)?;
    let (run, token) = (bench.folder.join("verified"), format!("PARTNER_CENTER_TOKEN={}", yardsticks::TOKEN));
    let (changes, out) = (text(&changes), text(&run));
    let fast = ["--endpoint", &sandbox.url, "--rate", "100000/s", "--progress", "none"];
    let apply = ["/usr/bin/env", &token, PROGRAM, "apply", &changes, "--yes", "--out", &out];
    bench.measured(&[&apply[..], &fast, &["--concurrency", &bench.concurrency]].concat())?;
    let verify = ["/usr/bin/env", &token, PROGRAM, "verify", &out, "--summary", "json"];
    let verify = [&verify[..], &fast].concat();
    let used = bench.measured(&verify)?;
    let told = Command::new(verify[0]).args(&verify[1..]).output()?;
    let told: Value = serde_json::from_slice(&told.stdout)?;
    let number = |pointer: &str| told.pointer(pointer).and_then(Value::as_u64);
    match (number("/referrals/still_ours"), number("/requests/total")) {
        (Some(changed @ 1..), Some(requests)) => Ok(Verifying { changed, requests, used }),
        _ => Err(Error::other(format!("not all of it still stands: {told}"))),
    }
}
