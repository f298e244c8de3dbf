//! How many requests a change takes, and how much of the time that a service's quota allows is used: against the
//! program's own sandbox, in a process of its own.

use std::cell::Cell;
use std::fs;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::figures::{Figure, Goal, Unit};
use super::measure::Used;
use super::server::Server;
use super::{Bench, PROGRAM, data, middle, summary, text, yardsticks};

/// The changes of each measurement of requests, and of those of rates.
const CHANGES: u64 = 10_000;
const FEW_CHANGES: u64 = 1_200;

/// What a run came to.
struct Applied {
    used: Used,
    summary: serde_json::Value,
    /// The seconds from its first PATCH to its last.
    sending: f64,
}

impl Applied {
    /// Returns a number of the summary. One that isn't there must not pass for none.
    fn number(&self, pointer: &str) -> Result<f64> {
        let number = self.summary.pointer(pointer).and_then(serde_json::Value::as_f64);
        number.ok_or_else(|| Error::other(format!("the summary has no {pointer}: {}", self.summary)))
    }

    /// The requests of all sorts, for one change.
    fn requests_each(&self) -> Result<f64> {
        Ok(self.number("/requests/total")? / self.number("/rows/applied")?)
    }

    /// The share of its PATCHes and GETs that were throttled.
    fn throttled(&self) -> Result<f64> {
        Ok(self.number("/requests/throttled")? / self.number("/requests/total")?)
    }
}

/// Requests for one change, with an answer that shows the referral and with one that doesn't.
pub fn figures(bench: &Bench) -> Result<Vec<Figure>> {
    let shown = apply(bench, CHANGES, &[], "100000/s")?.requests_each()?;
    let bare = ["--fault", "patch#*=bare+applied"];
    let not_shown = apply(bench, CHANGES, &bare, "100000/s")?.requests_each()?;
    let few_not_shown = apply(bench, FEW_CHANGES, &bare, "100000/s")?.requests_each()?;
    let of = |what: &str, each, most| {
        Figure::new(format!("requests for one change, {what}"), each, Unit::Ratio, Goal::AtMost(most))
            .beside("2: a GET and a PATCH each")
            .among_few()
    };
    Ok(vec![
        of("answered 200 with the referral", shown, 1.03),
        of("answered 204", not_shown, 1.05),
        of(&format!("answered 204, {FEW_CHANGES} changes"), few_not_shown, 1.05),
    ])
}

/// The rate that is found, and the one that is asked for.
pub fn of_rates(bench: &Bench) -> Result<Vec<Figure>> {
    let rounds = || 0..bench.options.rounds;
    let least = FEW_CHANGES as f64 / 40.0;
    let found = rounds().map(|_| finding(bench)).collect::<Result<Vec<_>>>()?;
    let mut figures = Vec::new();
    for (run, which, most) in [(0, "first", 35.0), (1, "second", 33.0)] {
        let took = found.iter().map(|runs| runs[run].0).collect();
        let throttled = found.iter().map(|runs| runs[run].1).collect();
        let what = format!(
            "{FEW_CHANGES} changes with `--rate auto` where 40 a second are let through as by nginx, {which} run"
        );
        let took = Figure::new(what, middle(took, |took| *took), Unit::Seconds, Goal::AtMost(most));
        figures.push(took.beside(format!("{least:.0} s")).among_few());
        let throttled = middle(throttled, |throttled| *throttled);
        figures.push(Figure::new("throttled of its requests", throttled, Unit::Percent, Goal::AtMost(0.03)));
    }
    for asked in [50_u32, 200] {
        let borne = rounds().map(|_| borne(bench, asked)).collect::<Result<Vec<_>>>()?;
        let what = format!("share of the rate that is asked for, {asked}/s");
        let borne = middle(borne, |borne| *borne);
        figures.push(Figure::new(what, borne, Unit::Ratio, Goal::AtLeast(0.99)).beside("1"));
    }
    Ok(figures)
}

/// Returns for a first and a second run against a hidden quota how many seconds it took, and the share that was
/// throttled. Nothing is remembered of a service at a port that it never had before, so the first begins in the dark.
fn finding(bench: &Bench) -> Result<[(f64, f64); 2]> {
    let hidden = Sandbox::serve(bench, FEW_CHANGES, &["--quota", "40/s+10:503"])?;
    let run = || hidden.apply(bench, "auto").and_then(|run| Ok((run.used.seconds, run.throttled()?)));
    Ok([run()?, run()?])
}

/// Returns the share of a rate at which changes were sent, planning and reports left aside.
fn borne(bench: &Bench, asked: u32) -> Result<f64> {
    let run = apply(bench, u64::from(asked) * 20, &[], &format!("{asked}/s"))?;
    // The first waits for nothing.
    Ok((run.number("/requests/patch")? - 1.0) / (run.sending * f64::from(asked)))
}

/// Returns the seconds from the first PATCH of a run to its last.
fn sending(run: &Path) -> Result<f64> {
    #[derive(Deserialize)]
    struct Line {
        first_sent: jiff::Timestamp,
    }
    let text = fs::read_to_string(run.join("outcomes.jsonl"))?;
    let times = text.lines().map(|line| Ok(serde_json::from_str::<Line>(line)?.first_sent));
    let times = times.collect::<Result<Vec<_>>>()?;
    match (times.iter().min(), times.iter().max()) {
        (Some(first), Some(last)) => Ok(first.duration_until(*last).as_secs_f64()),
        _ => Err(Error::other("nothing was sent")),
    }
}

/// Makes so many changes against a sandbox with these options.
fn apply(bench: &Bench, changes: u64, options: &[&str], rate: &str) -> Result<Applied> {
    Sandbox::serve(bench, changes, options)?.apply(bench, rate)
}

/// A sandbox of referrals with a change file for all of them.
struct Sandbox {
    server: Server,
    changes: u64,
    snapshot: PathBuf,
    /// How often its referrals were changed. No run may ask for what is so already.
    runs: Cell<u32>,
}

impl Sandbox {
    fn serve(bench: &Bench, changes: u64, options: &[&str]) -> Result<Self> {
        let snapshot = bench.file("sandbox.jsonl");
        data::snapshot(&snapshot, changes)?;
        Ok(Self { server: Server::of_sandbox(&snapshot, options)?, changes, snapshot, runs: Cell::new(0) })
    }

    /// Changes every referral.
    fn apply(&self, bench: &Bench, rate: &str) -> Result<Applied> {
        let (rows, out) = (bench.file("sandbox.csv"), bench.file("in-sandbox"));
        let run = self.runs.replace(self.runs.get() + 1);
        let notes = (0..self.changes).map(|number| format!("{},Call {run}-{number}\n", data::id(number)));
        fs::write(&rows, format!("id,notes\n{}", notes.collect::<String>()))?;
        let token = format!("PARTNER_CENTER_TOKEN={}", yardsticks::TOKEN);
        let state = format!("XDG_STATE_HOME={}", text(&bench.file("state")));
        let in_flight = bench.options.concurrency.to_string();
        let (rows, run) = (text(&rows), text(&out));
        let mut words = vec!["/usr/bin/env", &token, &state, PROGRAM, "apply", &rows, "--yes", "--out", &run];
        words.extend(["--endpoint", &self.server.url, "--rate", rate, "--concurrency", &in_flight]);
        words.extend(["--summary", "none", "--progress", "none"]);
        let used = bench.measured(&words)?;
        let applied = Applied { used, summary: summary(&out)?, sending: sending(&out)? };
        fs::remove_dir_all(&out)?;
        match applied.number("/rows/applied")? {
            all if all == self.changes as f64 => Ok(applied),
            _ => Err(Error::other(format!("not all of it was applied: {}", applied.summary))),
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The next one writes it anew.
        let _ = fs::remove_file(&self.snapshot);
    }
}
