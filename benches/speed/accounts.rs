//! Accounts of runs, and what reads whole lists: exporting, explaining, verifying, and writing the reports again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Error, Result};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::figures::{Figure, Goal, Unit};
use super::measure::Used;
use super::server::Server;
use super::{Bench, PROGRAM, data, median, middle, planning, text, yardsticks};

/// The number of referrals that are changed and verified.
const VERIFIED: u64 = 10_000;

/// Exporting all referrals, and verifying what a run changed.
pub fn figures(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = exporting(bench)?;
    figures.extend(verifying(bench)?);
    Ok(figures)
}

/// Explaining one row of a large run, and writing all its reports again.
pub fn of_many(bench: &Bench) -> Result<Vec<Figure>> {
    let many = bench.options.many;
    let run = planning::planned(bench, &bench.server, many, "explained")?;
    let changes = bench.file("kept.csv");
    let at = usize::try_from(many / 2).map_err(Error::other)?;
    let row = BufReader::new(File::open(&changes)?).lines().nth(at).transpose()?;
    let row = row.ok_or_else(|| Error::other("there is no such row"))?;
    let id = row.split(',').next().unwrap_or_default().to_owned();
    let line = (many / 2 + 1).to_string();
    let mut figures = Vec::new();
    for (how, what) in [("line", &line), ("referral", &id)] {
        let explain = || bench.measured(&[PROGRAM, "explain", &text(&run), what]);
        let times = (0..bench.options.rounds).map(|_| Ok(explain()?.seconds)).collect::<Result<Vec<_>>>()?;
        let what = format!("`explain` of one of {many} rows, by its {how}");
        figures.push(Figure::new(what, middle(times, |time| *time), Unit::Seconds, Goal::AtMost(0.1)));
    }
    figures.extend(reporting(bench, &run)?);
    fs::remove_dir_all(run)?;
    Ok(figures)
}

/// Writes the reports of a run again, and the same number of bytes with csv.
fn reporting(bench: &Bench, run: &Path) -> Result<Vec<Figure>> {
    let (mut used, mut writing) = (Vec::new(), Vec::new());
    let copy = bench.file("as-many-bytes.csv");
    let name = text(run);
    for _ in 0..bench.options.rounds {
        used.push(bench.measured(&[PROGRAM, "report", &name, "--summary", "none", "--progress", "none"])?);
        let bytes = written(run)?.to_string();
        writing.push(bench.measured(&[&bench.me, "write", &bytes, &text(&copy)])?);
    }
    fs::remove_file(&copy)?;
    let (used, writing) = (median(used), median(writing));
    let what = format!("CPU of writing all reports of {} rows again", bench.options.many);
    Ok(vec![
        Figure::new(what, used.cpu / writing.cpu, Unit::Ratio, Goal::AtMost(2.0))
            .beside("csv writing as many bytes, nothing else"),
        peak("that", &used, 100.0),
    ])
}

/// Returns the bytes of a run's reports: of all its files but those of the ledger and the log.
fn written(run: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(run)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with("run.") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

/// Exports all referrals into a change file.
fn exporting(bench: &Bench) -> Result<Vec<Figure>> {
    let (snapshot, out, referrals) =
        (bench.file("listed.jsonl"), bench.file("exported.csv"), bench.options.referrals);
    data::snapshot(&snapshot, referrals)?;
    let sandbox = Server::of_sandbox(&snapshot, &[])?;
    let token = format!("PARTNER_CENTER_TOKEN={}", yardsticks::TOKEN);
    let file = text(&out);
    let words = ["/usr/bin/env", &token, PROGRAM, "export", "--out", &file, "--endpoint", &sandbox.url];
    let words = [&words[..], &["--rate", "100000/s", "--progress", "none"]].concat();
    let mut requests = 0;
    let used = bench.rounds(|| {
        let used = bench.measured(&words)?;
        requests = told_requests(bench)?;
        let rows = BufReader::new(File::open(&out)?).lines().count() as u64 - 1;
        fs::remove_file(&out)?;
        if rows < referrals { Err(Error::other(format!("{rows} rows were exported"))) } else { Ok(used) }
    })?;
    let most = (referrals.div_ceil(100) + 2) as f64;
    let what = format!("requests of `export` of {referrals} referrals");
    Ok(vec![Figure::new(what, requests as f64, Unit::Count, Goal::AtMost(most)), peak("that", &used, 60.0)])
}

/// Returns how many requests the command that was measured last says that it made.
fn told_requests(bench: &Bench) -> Result<u64> {
    let said = fs::read_to_string(bench.file("log"))?;
    let number = said.split(" request").next().and_then(|before| before.rsplit(' ').next());
    let number: String = number.unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    number.parse().map_err(|_| Error::other(format!("no requests are told: {said}")))
}

/// Changes ten thousand referrals in the program's own sandbox, in another process, and verifies that.
fn verifying(bench: &Bench) -> Result<Vec<Figure>> {
    let (snapshot, changes) = (bench.file("few.jsonl"), bench.file("few.csv"));
    data::snapshot(&snapshot, VERIFIED)?;
    let rows: String = (0..VERIFIED).map(|number| format!("{},Call {number}\n", data::id(number))).collect();
    fs::write(&changes, format!("id,notes\n{rows}"))?;
    let sandbox = Server::of_sandbox(&snapshot, &[])?;
    let (run, token) = (bench.file("verified"), format!("PARTNER_CENTER_TOKEN={}", yardsticks::TOKEN));
    let (changes, out) = (text(&changes), text(&run));
    let fast = ["--endpoint", &sandbox.url, "--rate", "100000/s", "--progress", "none"];
    let apply = ["/usr/bin/env", &token, PROGRAM, "apply", &changes, "--yes", "--out", &out];
    bench.measured(&[&apply[..], &fast].concat())?;
    let verify = ["/usr/bin/env", &token, PROGRAM, "verify", &out, "--summary", "json"];
    let verify = [&verify[..], &fast].concat();
    let used = bench.measured(&verify)?;
    let told = Command::new(verify[0]).args(&verify[1..]).output()?;
    let told: Value = serde_json::from_slice(&told.stdout)?;
    let number = |pointer: &str| told.pointer(pointer).and_then(Value::as_f64);
    let (Some(changed), Some(requests)) = (number("/referrals/still_ours"), number("/requests/total")) else {
        return Err(Error::other(format!("not all of it still stands: {told}")));
    };
    let what = format!("requests of `verify` for 100 of {VERIFIED} changes");
    let each = Figure::new(what, requests * 100.0 / changed, Unit::Ratio, Goal::AtMost(1.05)).beside("100");
    Ok(vec![each, peak("that", &used, 60.0)])
}

fn peak(what: &str, used: &Used, most: f64) -> Figure {
    Figure::new(format!("peak memory of {what}"), used.peak as f64 / 1e6, Unit::Megabytes, Goal::AtMost(most))
}
