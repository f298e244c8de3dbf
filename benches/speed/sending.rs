//! Carrying a plan out, beside a loop that sends the same requests and does nothing else; and carrying on with a large
//! one that stopped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Error, Result, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::figures::{Figure, Goal, Unit};
use super::measure::Used;
use super::server::Server;
use super::{Bench, PROGRAM, median, middle, planning, summary, text, yardsticks};

/// What a plan comes to.
#[derive(Clone, Copy)]
pub struct Plan {
    /// The number of changes.
    pub requests: u64,
    /// The number of referrals that they close.
    pub closing: u64,
}

impl Plan {
    /// Reads a run's plan, and writes its requests for the yardstick.
    pub fn of(run: &Path, requests: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Line {
            id: String,
            operations: Box<RawValue>,
            #[serde(rename = "eTag")]
            etag: Option<String>,
            effect: String,
            outcome: String,
        }
        let mut file = BufWriter::new(File::create(requests)?);
        let mut plan = Self { requests: 0, closing: 0 };
        for line in BufReader::new(File::open(run.join("plan.jsonl"))?).lines() {
            let line: Line = serde_json::from_str(&line?)?;
            if line.outcome == "planned" {
                plan.requests += 1;
                plan.closing += u64::from(line.effect == "one-way");
                writeln!(file, "{}\t{}\t{}", line.id, line.etag.unwrap_or_default(), line.operations)?;
            }
        }
        file.flush()?;
        Ok(plan)
    }
}

/// Carrying out, CPU and speed; then the way back of the same run.
pub fn figures(bench: &Bench) -> Result<Vec<Figure>> {
    let (mut carrying, mut sending, mut seconds, mut undoing) = (vec![], vec![], vec![], vec![]);
    let requests = bench.file("requests.tsv");
    let mut plan = Plan { requests: 0, closing: 0 };
    for _ in 0..bench.options.rounds {
        let run = planning::planned(bench, &bench.server, bench.options.referrals, "carried-out")?;
        plan = Plan::of(&run, &requests)?;
        sending.push(send(bench, &requests)?);
        let planned = total_seconds(&summary(&run)?)?;
        carrying.push(carry_out(bench, &bench.server, &run, plan, 0)?);
        seconds.push(summed(&run, plan.requests)? - planned);
        undoing.push(undo(bench, &run, plan.requests)?);
        fs::remove_dir_all(run)?;
    }
    let (carrying, sending, undoing) = (median(carrying), median(sending), median(undoing));
    let each = |used: &Used| used.cpu / plan.requests as f64 * 1e6;
    let rate = plan.requests as f64 / middle(seconds, |seconds| *seconds);
    let in_flight = bench.options.concurrency;
    let peak = |used: &Used| used.peak as f64 / 1e6;
    let what = format!("CPU of a journaled PATCH, {in_flight} in flight, answered with a referral of 2.5 kB");
    Ok(vec![
        Figure::new(what, each(&carrying) / each(&sending), Unit::Ratio, Goal::AtMost(2.0))
            .beside("a bare reqwest loop that sends the same")
            .among_few(),
        Figure::new("that is", each(&carrying), Unit::Microseconds, Goal::None)
            .beside(format!("{:.1} µs", each(&sending))),
        Figure::new("journaled PATCHes a second", rate, Unit::Count, Goal::AtLeast(8_000.0)),
        Figure::new(
            format!("peak memory of `undo` of {} changes", plan.requests),
            peak(&undoing),
            Unit::Megabytes,
            Goal::AtMost(60.0),
        ),
        Figure::new("that took", undoing.seconds, Unit::Seconds, Goal::None),
    ])
}

/// Carries a large plan out until nine in ten of its changes are made, and goes on with it.
pub fn of_many(bench: &Bench) -> Result<Vec<Figure>> {
    let many = bench.options.many;
    // Of ten rows nine change something, and of those nine in ten are answered.
    let mut server = Server::that_refuses_after(many, many * 81 / 100)?;
    let run = planning::planned(bench, &server, many, "many")?;
    let plan = Plan::of(&run, &bench.file("requests.tsv"))?;
    let carrying = carry_out(bench, &server, &run, plan, 4)?;
    let summary = summary(&run)?;
    if !summary["rows"]["unsent"].as_u64().is_some_and(|left| left > 0 && left <= many / 5) {
        return Err(Error::other(format!("other than one in ten is left to carry on with: {summary}")));
    }
    let mut waits = Vec::new();
    for _ in 0..bench.options.rounds {
        server = server.again(0, 0)?;
        waits.push(until_first_request(bench, &mut server, &run, plan)?);
    }
    fs::remove_dir_all(run)?;
    let waiting = Figure::new(
        format!("`resume` of {many} rows at 90 %, to its first request"),
        middle(waits, |wait| *wait),
        Unit::Seconds,
        Goal::AtMost(1.5),
    );
    let peak = Figure::new(
        format!("peak memory of carrying out {many} rows"),
        carrying.peak as f64 / 1e6,
        Unit::Megabytes,
        Goal::AtMost(60.0),
    );
    Ok(vec![waiting.among_few(), peak.among_few()])
}

/// Returns the seconds from the start of `resume` to the first request that the server sees. The server refuses it, so
/// the run stops, and is as it was.
fn until_first_request(bench: &Bench, server: &mut Server, run: &Path, plan: Plan) -> Result<f64> {
    let started = now();
    let mut program = command_of(bench, server, run, plan, 4);
    let mut program =
        Command::new(program.remove(0)).args(program).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    server.wait_for_first()?;
    let waited = started.elapsed().as_secs_f64();
    if program.wait()?.success() {
        Ok(waited)
    } else {
        Err(Error::other("a run that is refused didn't stop"))
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is about real time")]
fn now() -> Instant {
    Instant::now()
}

fn send(bench: &Bench, requests: &Path) -> Result<Used> {
    let in_flight = bench.options.concurrency.to_string();
    bench.measured(&[&bench.me, "send", &bench.server.url, &text(requests), &in_flight])
}

fn carry_out(bench: &Bench, server: &Server, run: &Path, plan: Plan, exit: u8) -> Result<Used> {
    bench.measured(&command_of(bench, server, run, plan, exit))
}

/// Returns the command that carries a plan out, and ends well where the program exits with this code.
fn command_of(bench: &Bench, server: &Server, run: &Path, plan: Plan, exit: u8) -> Vec<String> {
    let (token, run, url) = (yardsticks::TOKEN, text(run), &server.url);
    let (in_flight, closing) = (bench.options.concurrency, plan.closing);
    let line = format!(
        "PARTNER_CENTER_TOKEN={token} {PROGRAM} resume '{run}' --endpoint {url} --rate 100000/s --concurrency {in_flight} \
         --yes --confirm-closing {closing} --summary none --progress none; test $? = {exit}"
    );
    vec!["/bin/sh".to_owned(), "-c".to_owned(), line]
}

/// How long the run took so far by its own account, planning included; it must have sent everything.
fn summed(run: &Path, requests: u64) -> Result<f64> {
    let summary = summary(run)?;
    if summary["rows"]["applied"] != requests || summary["requests"]["patch"] != requests {
        return Err(Error::other(format!("not all of it was applied: {summary}")));
    }
    total_seconds(&summary)
}

fn total_seconds(summary: &Value) -> Result<f64> {
    summary["seconds"]["total"].as_f64().ok_or_else(|| Error::other("the summary tells no seconds"))
}

/// Writes the change file that takes a run back. Since the run closes referrals, not all of it goes back.
fn undo(bench: &Bench, run: &Path, changed: u64) -> Result<Used> {
    let (file, name) = (bench.file("back.jsonl"), text(run));
    let undo = format!(
        "{PROGRAM} undo '{name}' --out '{}' --force --summary json >'{name}.undo'; test $? = 3",
        text(&file)
    );
    let used = bench.measured(&["/bin/sh", "-c", &undo])?;
    let told: Value = serde_json::from_slice(&fs::read(format!("{name}.undo"))?)?;
    if told["referrals"]["total"] != changed {
        return Err(Error::other(format!("not all of it was taken back: {told}")));
    }
    Ok(used)
}
